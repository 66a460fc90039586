//! The table of steps. Whoever has something new that must hold adds a line.

use super::{Action, Step};
use crate::tidy;

/// What `cargo xtask test` runs, in this order: what fails fastest first.
pub const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "the code is formatted",
        extra: false,
        action: Action::Cargo(&["fmt", "--all", "--check"], &[]),
    },
    Step {
        name: "tidy",
        about: "the rules of the house hold",
        extra: false,
        action: Action::Check(tidy::run),
    },
    Step {
        name: "clippy",
        about: "no lint complains",
        extra: false,
        action: Action::Cargo(
            &[
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
            &[],
        ),
    },
    Step {
        name: "doc",
        about: "the documentation builds without a warning",
        extra: false,
        action: Action::Cargo(
            &["doc", "--locked", "--workspace", "--no-deps"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
    },
    Step {
        name: "tests",
        about: "unit and behaviour tests",
        extra: false,
        action: Action::Cargo(
            &[
                "test",
                "--locked",
                "--workspace",
                "--lib",
                "--bins",
                "--tests",
                "--no-fail-fast",
            ],
            &[],
        ),
    },
    Step {
        name: "genro",
        about: "the line protocol answers random requests as genro-bag does",
        extra: false,
        action: Action::Genro,
    },
    Step {
        name: "doctests",
        about: "the code in the documentation and the README runs",
        extra: false,
        action: Action::Cargo(
            &["test", "--locked", "--workspace", "--doc", "--no-fail-fast"],
            &[],
        ),
    },
    Step {
        name: "examples",
        about: "every example runs and asserts what it shows",
        extra: false,
        action: Action::Examples("dhlrs"),
    },
    Step {
        name: "demo",
        about: "the main job works: processes that never meet, real records, a crash, a courier",
        extra: false,
        action: Action::CargoEndsWith(&["run", "--locked", "--release", "--", "demo"], "ok"),
    },
    Step {
        name: "fault",
        about: "the demo finds out a process that skips its log",
        extra: false,
        // The whole workspace, so that features are united as for the tests and little is compiled twice. The line shows
        // that the test is still there: a filter that finds none is content.
        action: Action::CargoShows(
            &[
                "test",
                "--locked",
                "--workspace",
                "--features",
                "dhlrs-cli/planted-faults",
                "--test",
                "it",
                "--",
                "demo::misses_what_a_process_that_skips_its_log_has_lost",
            ],
            "test demo::misses_what_a_process_that_skips_its_log_has_lost ... ok",
        ),
    },
    Step {
        name: "histories",
        about: "the reducer agrees with the naive fold on 10,000 random histories",
        extra: false,
        action: Action::CargoShows(
            &[
                "test",
                "--locked",
                "--release",
                "--package",
                "dhlrs-reducer",
                "--test",
                "it",
                "--",
                "--ignored",
                "random_histories::many_of_stores",
            ],
            "test random_histories::many_of_stores_with_a_root ... ok",
        ),
    },
    Step {
        name: "mistakes",
        about: "every mistake that is planted in the reducer is seen",
        extra: false,
        action: Action::CargoShows(
            &[
                "test",
                "--locked",
                "--package",
                "dhlrs-reducer",
                "--features",
                "planted-faults",
                "--test",
                "it",
                "--",
                "planted_faults",
            ],
            "test planted_faults::remove_dropped_early ... ok",
        ),
    },
    Step {
        name: "package",
        about: "every crate can be packed for the registry",
        extra: false,
        action: Action::Cargo(
            &[
                "package",
                "--locked",
                "--workspace",
                "--no-verify",
                "--allow-dirty",
            ],
            &[],
        ),
    },
    Step {
        name: "verify",
        about: "every packed crate builds alone",
        extra: true,
        action: Action::Cargo(
            &["package", "--locked", "--workspace", "--allow-dirty"],
            &[],
        ),
    },
];
