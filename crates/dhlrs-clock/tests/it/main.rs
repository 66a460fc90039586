//! The clock as its users see it.

mod hybrid;
mod stamp;
mod version_vector;
