//! Messages between processes: requests, replies, refusals
