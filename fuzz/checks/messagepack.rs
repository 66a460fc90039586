//! MessagePack that is read can be written, and that reads as the same bag.

use dhlrs_bag::{Bag, formats::ReadLimits};

/// Panics if a promise is broken.
pub(crate) fn check(data: &[u8]) {
    let limits = ReadLimits::default();
    let Ok(bag) = Bag::from_messagepack(data, &limits) else {
        return;
    };
    let written = bag.root().to_messagepack();
    let again = Bag::from_messagepack(&written, &limits);
    assert_eq!(again.ok().as_ref(), Some(&bag));
}
