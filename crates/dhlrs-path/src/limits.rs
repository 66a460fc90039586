//! The limits of this crate; every one is named in the error that reports it.

/// The longest path, as printed, its query included.
pub const PATH_BYTES_MAX: usize = 1024;

/// The longest pattern, as written and as printed. It leaves room for the `.**` that
/// [`Pattern::subtree_of`](crate::Pattern::subtree_of) puts behind the longest path.
pub const PATTERN_BYTES_MAX: usize = PATH_BYTES_MAX + 3;

/// The most steps of a path, and the most steps other than `**` of a pattern.
pub const DEPTH_MAX: usize = 64;

/// The longest label, without the escapes of its spelling. The shortest has one byte.
pub const LABEL_BYTES_MAX: usize = 255;

/// The longest name of an attribute, a machine, a process or a store, without the escapes of its
/// spelling. The shortest has one byte.
pub const NAME_BYTES_MAX: usize = 255;
