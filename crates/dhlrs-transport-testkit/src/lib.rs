//! The conformance suite that every transport passes
