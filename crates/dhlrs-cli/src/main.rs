//! The program `dhlrs`.

fn main() {}
