//! Bounded postcard encoding and decoding
