//! What fuzzing found stays found: each kept input, and a thousand mutations of it from a fixed seed, hold what the
//! fuzz target promises.

#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;
#[path = "../../../../fuzz/checks/run.rs"]
mod run;

use kept::holds;

#[test]
fn run_holds() {
    holds("run", run::check);
}
