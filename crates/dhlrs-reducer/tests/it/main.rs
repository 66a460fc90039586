//! The reducer beside a naive fold, over random histories and the ones that once went wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod directed;
mod field_records;
mod history;
mod images;
mod intents;
mod intents_together;
mod naive;
mod past;
#[cfg(feature = "planted-faults")]
mod planted_faults;
mod random_histories;
mod scenarios;
mod scene;
mod state_hash_words;
