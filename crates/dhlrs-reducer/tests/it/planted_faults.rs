//! Each mistake that one could make is seen by the random histories.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dhlrs_reducer::{Fault, Reducer};

use crate::random_histories::run;
use crate::{directed, scenarios};

/// The first seed whose history shows the fault.
fn seen(is_rooted: bool, plant: fn(Reducer) -> Reducer, seeds: u64) -> Option<u64> {
    (0..seeds).find(|seed| catch_unwind(AssertUnwindSafe(|| run(*seed, is_rooted, plant))).is_err())
}

macro_rules! sees {
    ($name:ident, $fault:ident, $is_rooted:expr) => {
        #[test]
        fn $name() {
            let seed = seen($is_rooted, |reducer| reducer.planting(Fault::$fault), 300);
            println!("{:?}: seed {seed:?}", Fault::$fault);
            assert!(seed.is_some());
        }
    };
}

sees!(no_undo, NoUndo, false);
sees!(arrival_order_wins, ArrivalOrderWins, false);
sees!(eager_remove, EagerRemove, false);
sees!(no_tie_break, NoTieBreak, false);
sees!(no_cycle_check, NoCycleCheck, false);
sees!(context_ignored, ContextIgnored, false);
sees!(log_cut_early, LogCutEarly, true);
sees!(mark_unacknowledged, MarkUnacknowledged, true);
sees!(purged_one_mark_early, PurgedOneMarkEarly, true);

macro_rules! sees_by {
    ($name:ident, $fault:ident, $history:path) => {
        #[test]
        fn $name() {
            assert!(catch_unwind(|| $history(|reducer| reducer.planting(Fault::$fault))).is_err());
        }
    };
}

sees_by!(
    past_above_close,
    PastAboveClose,
    directed::a_lost_branch_is_no_past
);
sees_by!(
    remove_dropped_early,
    RemoveDroppedEarly,
    directed::a_remove_waits_for_moves_that_had_not_seen_it
);
sees_by!(
    kills_purged_early,
    KillsPurgedEarly,
    directed::a_remove_waits_for_moves_that_had_not_seen_it
);
sees_by!(
    carry_filtered,
    CarryFiltered,
    directed::a_move_carries_removes_that_kill_only_below_it
);

sees_by!(
    constant_hash,
    ConstantHash,
    scenarios::different_states_have_different_hashes_for
);
