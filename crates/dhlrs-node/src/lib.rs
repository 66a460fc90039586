//! The tokio runtime that drives an engine over transports and storage
