//! Whatever the lines of a session are, each is answered with one line or none, and the same lines
//! again with the same answers.

use dhlrs_bag_lines::Session;

/// Panics if a promise is broken.
pub(crate) fn check(data: &[u8]) {
    let answered = || {
        let mut session = Session::new();
        let lines = data.split(|byte| *byte == b'\n');
        lines.map(|line| session.answer(line)).collect::<Vec<_>>()
    };
    let answers = answered();
    for answer in answers.iter().flatten() {
        assert!(!answer.contains('\n'), "{answer:?}");
        assert!(answer.starts_with(r#"{"id":"#), "{answer:?}");
        assert!(answer.ends_with('}'), "{answer:?}");
    }
    assert_eq!(answered(), answers);
}
