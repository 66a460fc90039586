//! Each line is read as plain and as typed JSON and as TYTX; what is read can be written and reads
//! as the same bag.

use dhlrs_bag::{Bag, formats::ReadLimits};

/// Panics if a promise is broken.
pub(crate) fn check(data: &[u8]) {
    let limits = ReadLimits::default();
    for line in data.split(|byte| *byte == b'\n') {
        let bags = [
            Bag::from_json(line, &limits),
            Bag::from_typed_json(line, &limits),
            Bag::from_tytx(line, &limits),
        ];
        for bag in bags.into_iter().flatten() {
            let typed = bag.root().to_typed_json();
            let again = Bag::from_typed_json(typed.as_bytes(), &limits);
            assert_eq!(again.ok().as_ref(), Some(&bag));
            let tytx = bag.root().to_tytx(true);
            let again = Bag::from_tytx(tytx.as_bytes(), &limits);
            assert_eq!(again.ok().as_ref(), Some(&bag));
        }
    }
}
