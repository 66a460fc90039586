//! What fuzzing found stays found: each kept session, and a thousand mutations of it from a fixed
//! seed, hold what the fuzz target promises.

#[path = "../../../../fuzz/checks/bag_lines.rs"]
mod bag_lines;
#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;

#[test]
fn bag_lines_holds() {
    kept::holds("bag_lines", bag_lines::check);
}
