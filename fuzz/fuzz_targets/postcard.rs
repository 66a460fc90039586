//! `cargo +nightly fuzz run postcard`
#![no_main]

#[path = "../checks/postcard.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
