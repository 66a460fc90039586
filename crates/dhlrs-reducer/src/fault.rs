//! Mistakes that can be planted, so that the tests show that they would see them.

/// A mistake that one could make in the reducer.
///
/// Without the feature `planted-faults` none can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Moves take effect in the order of arrival; none is undone.
    NoUndo,
    /// Of concurrent writes the one that arrived last shows.
    ArrivalOrderWins,
    /// A Remove takes away what is there when it arrives, and is forgotten.
    EagerRemove,
    /// Events of one stamp have no order.
    NoTieBreak,
    /// A Move may put a bag node within itself.
    NoCycleCheck,
    /// A Remove takes away what its author had not seen, too.
    ContextIgnored,
    /// At a Mark all Moves leave the log.
    LogCutEarly,
    /// What stands above a Close is read as part of a past.
    PastAboveClose,
    /// What a Mark drops is dropped before all have acknowledged the last one.
    MarkUnacknowledged,
    /// What only the new Mark settles is dropped at once.
    PurgedOneMarkEarly,
    /// A Remove is dropped though a Move in the log had not seen it.
    RemoveDroppedEarly,
    /// What a Remove killed is dropped while the Remove is kept.
    KillsPurgedEarly,
    /// A Move carries only those Removes whose author may write there.
    CarryFiltered,
    /// The state hash does not look at the state.
    ConstantHash,
}

/// The fault that was planted, if any.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Planted {
    #[cfg(feature = "planted-faults")]
    pub(crate) fault: Option<Fault>,
}

impl Planted {
    #[cfg(feature = "planted-faults")]
    pub(crate) fn has(self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    #[cfg(not(feature = "planted-faults"))]
    #[expect(
        clippy::unused_self,
        reason = "there is something to look at with the feature only"
    )]
    pub(crate) const fn has(self, _: Fault) -> bool {
        false
    }
}
