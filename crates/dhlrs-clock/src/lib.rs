//! Hybrid logical clock and time as a value
