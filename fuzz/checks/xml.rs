//! XML that is read can be written in the typed form, and that reads as the same bag.

use dhlrs_bag::{
    Bag,
    formats::{ReadLimits, XmlForm},
};

/// Panics if a promise is broken.
pub(crate) fn check(data: &[u8]) {
    let limits = ReadLimits::default();
    let Ok(bag) = Bag::from_xml(data, &limits) else {
        return;
    };
    let written = bag.root().to_xml(XmlForm::Typed, "").0.into_bytes();
    let again = Bag::from_xml(&written, &limits);
    assert_eq!(again.ok().as_ref(), Some(&bag));
}
