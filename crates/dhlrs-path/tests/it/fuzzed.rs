//! What fuzzing found stays found: each kept input, and a thousand mutations of it from a fixed
//! seed, hold what the fuzz target promises.

#[path = "../../../../fuzz/checks/address.rs"]
mod address;
#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/path.rs"]
mod path;
#[path = "../../../../fuzz/checks/pattern.rs"]
mod pattern;

use kept::holds;

#[test]
fn path_holds() {
    holds("path", path::check);
}

#[test]
fn pattern_holds() {
    holds("pattern", pattern::check);
}

#[test]
fn address_holds() {
    holds("address", address::check);
}
