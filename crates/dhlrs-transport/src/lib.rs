//! The Transport trait and the in-memory transport
