//! The README's example, compiled and run with the documentation tests.

#![doc = include_str!("../../../README.md")]
