//! `cargo +nightly fuzz run address`
#![no_main]

#[path = "../checks/address.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
