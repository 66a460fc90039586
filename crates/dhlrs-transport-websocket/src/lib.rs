//! The WebSocket transport
