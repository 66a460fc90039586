//! One hop to a peer: handshake, link session, acknowledgement, resume
