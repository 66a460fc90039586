//! Resolver registry, cache states and single flight as a state machine
