//! `cargo +nightly fuzz run pattern`
#![no_main]

#[path = "../checks/pattern.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
