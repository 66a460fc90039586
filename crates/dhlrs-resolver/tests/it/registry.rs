//! Names, and what an option may be.

use dhlrs_resolver::{
    ATTEMPTS_MAX, ConfigErrorKind, OPTION_MS_MAX, RESOLVERS_MAX, Registry, ResolveErrorKind,
    ResolverOptions, Retry,
};

#[test]
fn an_unknown_name_is_an_error_that_names_those_there() {
    let mut registry = Registry::new();
    let error = registry.options("sky").unwrap_err();
    assert_eq!(error.kind(), ResolveErrorKind::NotRegistered);
    assert_eq!(
        error.to_string(),
        r#"resolver "sky" is not registered here; there is none"#
    );

    for name in ["sea", "earth"] {
        registry.register(name, ResolverOptions::default()).unwrap();
    }
    let error = registry.options("sky").unwrap_err();
    let expected = r#"resolver "sky" is not registered here; there are: earth, sea"#;
    assert_eq!(error.to_string(), expected);
    assert_eq!(registry.names().collect::<Vec<_>>(), ["earth", "sea"]);
}

#[test]
fn names_are_checked() {
    let mut registry = Registry::new();
    for (name, kind) in [
        (String::new(), Some(ConfigErrorKind::BadName)),
        ("a".repeat(255), None),
        ("a".repeat(256), Some(ConfigErrorKind::BadName)),
        ("a\nb".to_owned(), Some(ConfigErrorKind::BadName)),
        ("ä b".to_owned(), None),
        ("ä b".to_owned(), Some(ConfigErrorKind::Exists)),
    ] {
        let result = registry.register(&name, ResolverOptions::default());
        assert_eq!(result.err().map(|error| error.kind()), kind, "{name:?}");
    }
}

#[test]
fn resolvers_are_counted() {
    let mut registry = Registry::new();
    for n in 0..RESOLVERS_MAX {
        registry
            .register(&format!("r{n}"), ResolverOptions::default())
            .unwrap();
    }
    let error = registry
        .register("one more", ResolverOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::TooMany);
    assert_eq!(error.to_string(), "too many resolvers: 1025, limit 1024");
    // A message stays short, however many names there are.
    assert!(registry.options("x").unwrap_err().message().len() < 512);
}

#[test]
fn options_outside_their_limits_are_refused_by_name() {
    let base = ResolverOptions::default;
    let retry = Retry::default();
    let with_retry = |retry| ResolverOptions { retry, ..base() };
    for (options, kind, name) in [
        (
            ResolverOptions {
                timeout_ms: 0,
                ..base()
            },
            ConfigErrorKind::TooSmall,
            "timeout_ms",
        ),
        (
            ResolverOptions {
                timeout_ms: OPTION_MS_MAX + 1,
                ..base()
            },
            ConfigErrorKind::TooLarge,
            "timeout_ms",
        ),
        (
            ResolverOptions {
                cache_time_ms: i64::MAX,
                ..base()
            },
            ConfigErrorKind::TooLarge,
            "cache_time_ms",
        ),
        (
            ResolverOptions {
                refresh_interval_ms: 99,
                ..base()
            },
            ConfigErrorKind::TooSmall,
            "refresh_interval_ms",
        ),
        (
            with_retry(Retry {
                attempts: 0,
                ..retry
            }),
            ConfigErrorKind::TooSmall,
            "retry.attempts",
        ),
        (
            with_retry(Retry {
                attempts: ATTEMPTS_MAX + 1,
                ..retry
            }),
            ConfigErrorKind::TooLarge,
            "retry.attempts",
        ),
        (
            with_retry(Retry {
                backoff_max_ms: 99,
                ..retry
            }),
            ConfigErrorKind::TooSmall,
            "retry.backoff_max_ms",
        ),
    ] {
        let error = Registry::new().register("r", options).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(name), "{error}");
    }
    let edge = ResolverOptions {
        cache_time_ms: i64::MIN,
        refresh_interval_ms: 100,
        ..base()
    };
    edge.check().unwrap();
}
