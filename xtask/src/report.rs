//! The one place that prints.

/// Prints one line for the person or the CI that reads along.
#[expect(
    clippy::print_stdout,
    reason = "a command line tool talks to its caller"
)]
pub fn report(line: &str) {
    use std::io::Write;

    println!("{line}");
    // CI reads through a pipe, and wants a step's name while it runs. A reader that left is no failure of ours.
    let _ = std::io::stdout().flush();
}
