//! Append log and checkpoints over a replaceable file system
