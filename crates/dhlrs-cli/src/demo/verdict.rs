//! What was acknowledged, held against what is there.

use std::collections::BTreeMap;

use dhlrs::Value;

use super::{
    records::Records,
    writes::{Fate, Tried},
};

/// How many of a kind are named one by one.
const NAMED_MAX: usize = 3;

/// What is there, in one copy.
#[derive(Debug, Default)]
pub(super) struct There {
    /// The writes, by path.
    pub(super) writes: BTreeMap<String, Option<Value>>,
    /// How many records.
    pub(super) records: u64,
    /// How many bag nodes they are made of.
    pub(super) nodes: u64,
}

impl There {
    /// What of the imported records is not there, a clause each.
    pub(super) fn lacks(&self, records: &Records) -> Vec<String> {
        [
            ("records", records.count, self.records),
            ("bag nodes of records", records.nodes, self.nodes),
        ]
        .into_iter()
        .filter(|(_, before, now)| before != now)
        .map(|(what, before, now)| format!("{now} of {before} {what} are there"))
        .collect()
    }
}

/// The outcome of the comparison.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) acknowledged: u64,
    /// Unknown to their writer, and there.
    pub(super) unknown_there: u64,
    /// Unknown to their writer, and not there.
    pub(super) unknown_gone: u64,
    /// Acknowledged, and not there, or with another value.
    pub(super) missing: Vec<String>,
    /// Applied a second time.
    pub(super) doubled: Vec<String>,
    /// Refused, and why.
    pub(super) refused: Vec<String>,
    /// There, though nobody wrote them.
    pub(super) strange: Vec<String>,
}

impl Verdict {
    pub(super) fn of(tried: &[Tried], there: &There) -> Self {
        let mut verdict = Self::default();
        let mut known = BTreeMap::new();
        for write in tried {
            known.insert(write.path.as_str(), ());
            let found = there.writes.get(&write.path);
            let is_there = found.is_some_and(|value| *value == Some(Value::Int(write.value)));
            match &write.fate {
                Fate::Acknowledged(_) => {
                    verdict.acknowledged += 1;
                    if !is_there {
                        verdict.missing.push(write.path.clone());
                    }
                }
                Fate::Unknown if found.is_some() => verdict.unknown_there += 1,
                Fate::Unknown => verdict.unknown_gone += 1,
                Fate::Doubled => verdict.doubled.push(write.path.clone()),
                Fate::Refused(why) => verdict.refused.push(format!("{}: {why}", write.path)),
            }
        }
        let nobodys = there
            .writes
            .keys()
            .filter(|path| !known.contains_key(path.as_str()));
        verdict.strange = nobodys.cloned().collect();
        verdict
    }

    /// Writes that have taken effect.
    pub(super) fn applied(&self) -> u64 {
        self.acknowledged + self.unknown_there
    }

    /// What is wrong, a clause each.
    pub(super) fn complaints(&self) -> Vec<String> {
        let of = self.acknowledged;
        [
            (
                &self.missing,
                format!("of {of} acknowledged writes are missing"),
            ),
            (&self.doubled, "writes were applied twice".to_owned()),
            (&self.refused, "writes were refused".to_owned()),
            (
                &self.strange,
                "writes are there that nobody made".to_owned(),
            ),
        ]
        .into_iter()
        .filter(|(labels, _)| !labels.is_empty())
        .map(|(labels, what)| format!("{} {what} ({})", labels.len(), named(labels)))
        .collect()
    }
}

fn named(labels: &[String]) -> String {
    let mut text = labels.get(..NAMED_MAX).unwrap_or(labels).join(", ");
    if labels.len() > NAMED_MAX {
        text.push_str(", …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(path: &str, value: i64, fate: Fate) -> Tried {
        Tried {
            path: path.to_owned(),
            value,
            fate,
        }
    }

    fn there(writes: &[(&str, i64)]) -> There {
        let writes = writes
            .iter()
            .map(|(label, value)| ((*label).to_owned(), Some(Value::Int(*value))));
        There {
            writes: writes.collect(),
            ..There::default()
        }
    }

    #[test]
    fn is_content_when_all_that_was_acknowledged_is_there() {
        let all = [
            tried("a", 1, Fate::Acknowledged(7)),
            tried("b", 2, Fate::Unknown),
            tried("c", 3, Fate::Unknown),
        ];
        let verdict = Verdict::of(&all, &there(&[("a", 1), ("c", 3)]));
        assert_eq!(verdict.complaints(), Vec::<String>::new());
        assert_eq!(
            (
                verdict.unknown_there,
                verdict.unknown_gone,
                verdict.applied()
            ),
            (1, 1, 2)
        );
    }

    #[test]
    fn misses_what_is_not_there_and_what_has_another_value() {
        let all = [
            tried("a", 1, Fate::Acknowledged(7)),
            tried("b", 2, Fate::Acknowledged(8)),
        ];
        let verdict = Verdict::of(&all, &there(&[("a", 9)]));
        assert_eq!(
            verdict.complaints(),
            ["2 of 2 acknowledged writes are missing (a, b)"]
        );
    }

    #[test]
    fn names_what_was_doubled_refused_or_made_by_nobody() {
        let all = [
            tried("a", 1, Fate::Doubled),
            tried("b", 2, Fate::Refused("no".to_owned())),
        ];
        let verdict = Verdict::of(&all, &there(&[("a", 1), ("b", 2), ("x", 3)]));
        assert_eq!(
            verdict.complaints(),
            [
                "1 writes were applied twice (a)",
                "1 writes were refused (b: no)",
                "1 writes are there that nobody made (x)",
            ]
        );
    }
}
