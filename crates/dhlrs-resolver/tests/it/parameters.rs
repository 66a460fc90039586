//! What a resolver is called with, and what a changed parameter does.

use dhlrs_bag::{Attributes, Name};
use dhlrs_resolver::ResolverOptions;

use crate::world::{World, goes};

fn options() -> ResolverOptions {
    let parameters = [("x", "default"), ("y", "default")];
    ResolverOptions {
        cache_time_ms: -1,
        parameters: Attributes::from_iter(
            parameters.map(|(name, value)| (Name::new(name).unwrap(), value.into())),
        ),
        ..ResolverOptions::default()
    }
}

#[test]
fn arguments_override_attributes_which_override_defaults() {
    goes(
        &mut World::new(&options()),
        &[
            ("attr y=node", ""),
            ("attr z=node", ""),
            (
                "read 1 with z=call",
                "start 1 x=default y=node z=call, pending",
            ),
            ("ok 1 a", "answer 1 a, store a"),
        ],
    );
}

#[test]
fn a_changed_parameter_resets_the_cache() {
    goes(
        &mut World::new(&options()),
        &[
            ("read 1", "start 1 x=default y=default, pending"),
            ("ok 1 a", "answer 1 a, store a"),
            ("attr x=node", ""),
            ("read 2", "unstore, start 2 x=node y=default, pending"),
            ("ok 2 b", "answer 2 b, store b"),
            ("read 3 with x=node", "ready b"),
            (
                "read 4 with x=call",
                "unstore, start 3 x=call y=default, pending",
            ),
            ("ok 3 c", "answer 4 c, store c"),
            // The argument was not kept as an attribute.
            ("read 5", "unstore, start 4 x=node y=default, pending"),
        ],
    );
}

#[test]
fn reads_with_other_parameters_do_not_share_a_flight() {
    goes(
        &mut World::new(&options()),
        &[
            ("read 1 with x=1", "start 1 x=1 y=default, pending"),
            ("read 2 with x=2", "start 2 x=2 y=default, pending"),
            ("read 3 with x=1", "pending"),
            // The last read asked for 1: that is what is kept, whatever comes last.
            ("ok 1 one", "answer 1 one, answer 3 one, store one"),
            ("ok 2 two", "answer 2 two"),
            ("read 4 with x=1", "ready one"),
        ],
    );
}

#[test]
fn an_error_belongs_to_its_parameters() {
    let options = ResolverOptions {
        negative_cache_ms: 1000,
        ..options()
    };
    goes(
        &mut World::new(&options),
        &[
            ("read 1 with x=1", "start 1 x=1 y=default, pending"),
            ("fail 1", "answer 1 Failed, failed Failed"),
            ("read 2 with x=1", "ready Failed"),
            ("read 3 with x=2", "start 2 x=2 y=default, pending"),
        ],
    );
}
