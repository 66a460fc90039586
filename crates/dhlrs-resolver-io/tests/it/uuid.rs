//! A new name each time.

use dhlrs_resolver_io::UuidResolver;

use crate::text;

#[test]
fn each_is_another_and_spelled_as_a_uuid() {
    let (one, two) = (text(UuidResolver.resolve()), text(UuidResolver.resolve()));
    assert_ne!(one, two);
    let parts: Vec<_> = one.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    assert_eq!(one.as_bytes()[14], b'4', "random, version 4");
}
