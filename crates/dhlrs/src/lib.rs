//! The Distributed Hierarchical Lazy Reactive Store: one reactive tree for many processes
