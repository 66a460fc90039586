//! What a seed switches on.

use crate::dice::Dice;

/// How far wall clocks are off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clocks {
    /// Not at all.
    Right,
    /// So little that nothing has to be held.
    Near,
    /// An hour either way.
    Far,
}

/// What a mesh storm is made of. All of it follows from the seed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Processes with a replica each, connected as a tree.
    pub nodes: u64,
    /// Wires beyond those of the tree.
    pub more_wires: u64,
    /// Writes and faults.
    pub steps: u64,
    /// How many of 100 steps are faults.
    pub fault_percent: u64,
    /// How many of 100 writes do something in the paths that all share.
    pub shared_percent: u64,
    /// How many of 100 writes are transactions; the others leave out what is refused.
    pub transaction_percent: u64,
    /// Changes that a store keeps for its watches, and takes checkpoints after.
    pub window_changes: usize,
    /// How often a replica says how far it is, in milliseconds.
    pub gossip_interval_ms: u64,
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
    /// How far clocks jump.
    pub clocks: Clocks,
    /// Disks fail.
    pub disk_faults: bool,
    /// Backups are put back, and the process is told so.
    pub restores: bool,
    /// Backups are put back, and nobody tells the process.
    pub silent_restores: bool,
    /// Machines are cloned, their keys with them.
    pub clones: bool,
}

impl Options {
    /// What this seed switches on.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x6d65_7368);
        Self {
            nodes: dice.between(3, 6),
            more_wires: dice.between(0, 3),
            steps: dice.between(20, 160),
            fault_percent: dice.between(5, 45),
            shared_percent: dice.between(30, 95),
            transaction_percent: dice.between(10, 90),
            window_changes: [12, 60, 100_000, 100_000]
                .get(usize::try_from(dice.roll(4)).unwrap_or(0))
                .copied()
                .unwrap_or(60),
            gossip_interval_ms: dice.between(500, 10_000),
            rough_weather: dice.chance(25),
            cuts: dice.chance(70),
            flaps: dice.chance(50),
            dead_wires: dice.chance(20),
            crashes: dice.chance(60),
            pauses: dice.chance(25),
            clocks: match dice.roll(5) {
                0 => Clocks::Far,
                1 | 2 => Clocks::Near,
                _ => Clocks::Right,
            },
            disk_faults: dice.chance(40),
            restores: dice.chance(20),
            silent_restores: dice.chance(15),
            clones: dice.chance(20),
        }
    }

    pub(crate) fn faults(&self) -> Vec<&'static str> {
        let kinds = [
            (self.cuts, ["cut", "cut", "heal"]),
            (self.flaps, ["flap", "flap", "flap"]),
            (self.dead_wires, ["dead", "heal", "heal"]),
            (self.crashes, ["crash", "restart", "restart"]),
            (self.pauses, ["pause", "resume", "resume"]),
            (self.clocks != Clocks::Right, ["skew", "skew", "skew"]),
            (self.disk_faults, ["disk", "disk", "disk"]),
            (self.restores, ["backup", "restore", "restart"]),
            (self.silent_restores, ["backup", "put back", "restart"]),
            (self.clones, ["clone", "heal", "restart"]),
        ];
        kinds
            .into_iter()
            .filter(|(is_on, _)| *is_on)
            .flat_map(|(_, names)| names)
            .collect()
    }

    /// Whether what was acknowledged may be void in the end, and then a draft.
    pub(crate) fn voids(&self) -> bool {
        self.clocks == Clocks::Far || self.restores || self.silent_restores || self.clones
    }
}
