//! Paths, patterns and global addresses of a reactive tree
