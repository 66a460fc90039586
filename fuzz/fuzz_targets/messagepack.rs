//! `cargo +nightly fuzz run messagepack`
#![no_main]

#[path = "../checks/messagepack.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
