//! The inputs that fuzzing kept, as tests run them: each, and a thousand mutations of it from a fixed
//! seed. A target's name is that of its folder in `fuzz/regressions`.

use std::{fs, path::Path};

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads the inputs that are kept as files"
)]
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/regressions");
    let mut files: Vec<_> = fs::read_dir(folder.join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target}: no inputs");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Runs a check on every kept input of a target, and on what becomes of it.
pub(crate) fn holds(target: &str, check: fn(&[u8])) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % end.max(1) as u64).unwrap()
    };
    let inputs = inputs(target);
    for input in &inputs {
        check(input);
        for _ in 0..1_000 {
            let mut bytes = input.clone();
            for _ in 0..=below(4) {
                let at = below(bytes.len());
                match below(5) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, below(256) as u8),
                    2 if at < bytes.len() => bytes[at] = below(256) as u8,
                    3 if at < bytes.len() => drop(bytes.remove(at)),
                    _ => {
                        let other = &inputs[below(inputs.len())];
                        bytes.extend_from_slice(&other[below(other.len())..]);
                    }
                }
            }
            check(&bytes);
        }
    }
}
