//! A log keeps what it confirmed, whatever happens to the disk.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop where it stands"
)]

mod damage;
mod data_dir;
mod disk;
mod driver;
mod faults;
mod inspection;
mod log;
mod model;
mod salvage;
mod torn;
