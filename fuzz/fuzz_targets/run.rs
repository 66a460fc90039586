//! `cargo +nightly fuzz run run`
#![no_main]

#[path = "../checks/run.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
