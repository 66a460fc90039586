//! An address that parses prints to one that parses to the same.

use dhlrs_path::{Address, PatternAddress};

/// Panics if a promise is broken.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(address) = text.parse::<Address>() {
        let printed = address.to_string();
        assert_eq!(printed.parse().ok().as_ref(), Some(&address), "{printed}");
    }
    if let Ok(address) = text.parse::<PatternAddress>() {
        let printed = address.to_string();
        assert_eq!(printed.parse().ok().as_ref(), Some(&address), "{printed}");
    }
}
