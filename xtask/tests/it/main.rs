//! What the rules catch, and that they hold.

mod data;
mod rules;
mod source;
mod tidy;
