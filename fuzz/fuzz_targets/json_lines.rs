//! `cargo +nightly fuzz run json_lines`
#![no_main]

#[path = "../checks/json_lines.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
