//! What the rules catch, and that they hold.

mod data;
mod mutants;
mod rules;
mod source;
mod tidy;
