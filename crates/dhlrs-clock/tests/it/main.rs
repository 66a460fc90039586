//! The clock as its users see it.

mod hybrid;
mod present;
mod stamp;
mod version_vector;
