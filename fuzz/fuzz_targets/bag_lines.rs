//! `cargo +nightly fuzz run bag_lines`
#![no_main]

#[path = "../checks/bag_lines.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
