//! What this workspace does to itself.

fn main() {}
