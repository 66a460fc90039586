//! What a seed switches on.

use dhlrs_path::Pattern;

use crate::dice::Dice;

/// What a storm is made of. All of it follows from the seed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Processes in a line; the last one has the store.
    pub nodes: u64,
    /// Whether the last one is connected with the first one too.
    pub is_ring: bool,
    /// Whether the store is forwarded to one more process, and what of it.
    pub forward: Option<Pattern>,
    /// How many of 100 writes do something below `hot` too, which narrow forwards are about.
    pub hot_percent: u64,
    /// Whether some writes are imports, not transactions.
    pub imports: bool,
    /// Watches.
    pub watches: u64,
    /// Writes and faults.
    pub steps: u64,
    /// How many of 100 steps are faults.
    pub fault_percent: u64,
    /// Writes of one process that may be under way at once.
    pub open_writes: usize,
    /// Changes that the store keeps for its watches, and takes checkpoints after.
    pub window_changes: usize,
    /// Whether frames are lost, doubled and reordered.
    pub rough_weather: bool,
    /// Wires are cut and healed.
    pub cuts: bool,
    /// Connections break and come back at once.
    pub flaps: bool,
    /// Wires go dead one way, unnoticed.
    pub dead_wires: bool,
    /// Processes die, with and without power loss.
    pub crashes: bool,
    /// Processes are paused.
    pub pauses: bool,
    /// Wall clocks jump.
    pub skews: bool,
    /// Disks fail.
    pub disk_faults: bool,
    /// The store, or the one that it is forwarded to, is restarted as a backup that was put back.
    pub restores: bool,
}

impl Options {
    /// What this seed switches on.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x0b71_0115);
        Self {
            nodes: dice.between(2, 4),
            is_ring: dice.chance(30),
            forward: ["**", "hot.**", "hot.*.count"]
                .get(usize::try_from(dice.roll(6)).unwrap_or(0))
                .and_then(|text| text.parse().ok()),
            hot_percent: [3, 10, 30, 60]
                .get(usize::try_from(dice.roll(4)).unwrap_or(0))
                .copied()
                .unwrap_or(30),
            imports: dice.chance(40),
            watches: dice.between(0, 3),
            steps: dice.between(10, 70),
            fault_percent: dice.between(5, 45),
            open_writes: usize::try_from(dice.between(1, 12)).unwrap_or(1),
            window_changes: [6, 24, 100_000, 100_000]
                .get(usize::try_from(dice.roll(4)).unwrap_or(0))
                .copied()
                .unwrap_or(24),
            rough_weather: dice.chance(25),
            cuts: dice.chance(60),
            flaps: dice.chance(60),
            dead_wires: dice.chance(15),
            crashes: dice.chance(70),
            pauses: dice.chance(25),
            skews: dice.chance(25),
            disk_faults: dice.chance(45),
            restores: dice.chance(15),
        }
    }

    pub(crate) fn faults(&self) -> Vec<&'static str> {
        let kinds = [
            (self.cuts, ["cut", "heal"]),
            (self.flaps, ["flap", "flap"]),
            (self.dead_wires, ["dead", "heal"]),
            (self.crashes, ["crash", "restart"]),
            (self.pauses, ["pause", "resume"]),
            (self.skews, ["skew", "skew"]),
            (self.disk_faults, ["disk", "disk"]),
            (self.restores, ["restore", "restart"]),
        ];
        kinds
            .into_iter()
            .filter(|(is_on, _)| *is_on)
            .flat_map(|(_, names)| names)
            .collect()
    }
}
