//! An ordered, labelled tree with attributes, cheap snapshots and explicit operations
