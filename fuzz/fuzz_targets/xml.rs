//! `cargo +nightly fuzz run xml`
#![no_main]

#[path = "../checks/xml.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
