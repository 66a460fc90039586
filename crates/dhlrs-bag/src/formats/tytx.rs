//! TYTX: JSON whose strings end in the type that they stand for, as Genro Bag writes it.

mod reader;
mod writer;
