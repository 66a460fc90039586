//! One line of the table: ours and what it is held against, round by round.

use std::{hint::black_box, time::Instant};

pub(crate) struct Measure {
    name: &'static str,
    against: &'static str,
    aim: Aim,
    ours: Vec<f64>,
    base: Vec<f64>,
    /// The same in the other program, if that is there.
    pub(crate) peer: Option<f64>,
}

#[derive(Clone, Copy)]
pub(crate) enum Aim {
    /// So many times what it is held against.
    Times(f64),
    /// So many nanoseconds.
    Ns(f64),
    /// So many bytes. Unlike a time it can fail the run.
    Bytes(f64),
    /// Just so many calls. It fails the run as well.
    Calls(f64),
}

impl Measure {
    pub(crate) fn new(name: &'static str, against: &'static str, aim: Aim) -> Self {
        Self {
            name,
            against,
            aim,
            ours: Vec::new(),
            base: Vec::new(),
            peer: None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn add(&mut self, ours: f64, base: f64) {
        self.ours.push(ours);
        self.base.push(base);
    }

    fn ratio(&self) -> f64 {
        best(&self.ours) / best(&self.base)
    }

    /// Whether the aim is met. Figures are compared as they are printed.
    fn is_met(&self) -> bool {
        let ours = best(&self.ours);
        match self.aim {
            Aim::Times(most) => (self.ratio() * 100.0).round() <= most * 100.0,
            Aim::Ns(most) | Aim::Bytes(most) => ours.round() <= most,
            Aim::Calls(just) => ours == just,
        }
    }

    /// Whether the run has failed by this measure: a time never does that.
    pub(crate) fn fails(&self) -> bool {
        matches!(self.aim, Aim::Bytes(_) | Aim::Calls(_)) && !self.is_met()
    }

    pub(crate) fn row(&self) -> String {
        let printed = |values: &[f64]| match best(values) {
            best if best.is_nan() => "-".to_owned(),
            best => format!("{best:.1}"),
        };
        let (ours, base) = (printed(&self.ours), printed(&self.base));
        let ratio = match self.ratio() {
            ratio if ratio.is_nan() => "-".to_owned(),
            ratio => format!("{ratio:.2}"),
        };
        let aim = match self.aim {
            Aim::Times(most) => format!("{most} x"),
            Aim::Ns(most) => format!("{most} ns"),
            Aim::Bytes(most) => format!("{most} B"),
            Aim::Calls(just) => format!("{just} call"),
        };
        let peer = self.peer.map_or("-".to_owned(), |ns| format!("{ns:.0}"));
        let met = if self.is_met() { "met" } else { "MISSED" };
        let (name, against) = (self.name, self.against);
        format!("{name:<46} {ours:>9} {base:>9} {ratio:>6} {aim:>9}  {met:<6} {peer:>9}  {against}")
    }

    pub(crate) fn head() -> String {
        format!(
            "{:<46} {:>9} {:>9} {:>6} {:>9}  {:<6} {:>9}  {}",
            "ns an operation", "ours", "against", "ratio", "aim", "", "genro-bag", "against"
        )
    }

    pub(crate) fn json(&self) -> String {
        let (ours, base) = (best(&self.ours), best(&self.base));
        let number = |value: f64| match value.is_nan() {
            true => "null".to_owned(),
            false => format!("{value:.2}"),
        };
        let peer = self.peer.map_or("null", |_| r#""genro-bag""#);
        let (unit, aim) = match self.aim {
            Aim::Times(most) => ("ratio", most),
            Aim::Ns(most) => ("ns", most),
            Aim::Bytes(most) => ("bytes", most),
            Aim::Calls(just) => ("calls", just),
        };
        format!(
            r#"{{"measure":"{}","ours_{u}":{},"floor_{u}":{},"peer":{peer},"peer_{u}":{},"ratio":{},"against":"{}","aim":{aim},"aim_in":"{unit}","met":{}}}"#,
            self.name,
            number(ours),
            number(base),
            number(self.peer.unwrap_or(f64::NAN)),
            number(self.ratio()),
            self.against,
            self.is_met(),
            u = if unit == "ratio" { "ns" } else { unit },
        )
    }
}

/// Nanoseconds that one of `count` operations takes.
pub(crate) fn ns_of<R>(count: usize, run: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    let result = run();
    let took = start.elapsed();
    black_box(result);
    took.as_nanos() as f64 / count as f64
}

// Not a number where nothing was measured.
fn best(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Numbers from a fixed seed.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    pub(crate) fn shuffled<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut items = items.to_vec();
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
        items
    }
}
