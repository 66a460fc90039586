//! The clock as its users see it.

mod hybrid;
mod stamp;
