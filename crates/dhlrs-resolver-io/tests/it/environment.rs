//! Variables that are listed, and no other.

use dhlrs_bag::{Content, Value};
use dhlrs_resolver_io::{EnvironmentConfig, EnvironmentResolver, IoErrorKind};

use crate::{call, text};

#[test]
fn reads_what_is_listed_and_nothing_else() {
    // Cargo sets these two for every test.
    let listed = ["CARGO_PKG_NAME", "DHLRS_NEVER_SET"];
    let environment = EnvironmentResolver::new(EnvironmentConfig::new(listed));
    let name = environment.resolve(&call(&[("variable", "CARGO_PKG_NAME")]));
    assert_eq!(text(name.unwrap()), "dhlrs-resolver-io");
    let unset = environment.resolve(&call(&[("variable", "DHLRS_NEVER_SET")]));
    assert_eq!(unset.unwrap(), Content::from(Value::Null));
    let kind = |parameters: &[(&str, &str)]| {
        let refused = environment.resolve(&call(parameters)).unwrap_err();
        refused.kind()
    };
    assert_eq!(
        kind(&[("variable", "CARGO_MANIFEST_DIR")]),
        IoErrorKind::NotAllowed
    );
    assert_eq!(kind(&[("variable", "")]), IoErrorKind::NotAllowed);
    assert_eq!(kind(&[]), IoErrorKind::Parameter);
    let one = EnvironmentResolver::new(EnvironmentConfig::new(["CARGO_PKG_NAME"]));
    assert_eq!(text(one.resolve(&call(&[])).unwrap()), "dhlrs-resolver-io");
}
