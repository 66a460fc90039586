//! While the teams are in reach of the base: what one writes is seen there at once.

use std::time::Instant;

use super::{CALLS, clients::Client, latency::Latency, watcher::Watcher};
use crate::Failure;

/// Calls of each team.
pub(super) const TEAM_CALLS: u32 = 30;

/// Writes at each team in turn, each value once the one before was seen at the base.
pub(super) async fn check(teams: [&Client; 2], at_base: &mut Watcher) -> Result<Latency, Failure> {
    let mut latency = Latency::default();
    for team in teams {
        for number in 0..TEAM_CALLS {
            let path = format!("{CALLS}.{}-{number}", team.role.process());
            let began = Instant::now();
            team.store.set(&path, i64::from(number)).await?;
            at_base
                .until(|seen| seen.missed > 0 || seen.writes.contains_key(&path))
                .await?;
            let seen = at_base.look(|seen| seen.writes.get(&path).map(|(_, at)| *at));
            if let Some(at) = seen {
                latency.add(at.duration_since(began));
            }
        }
    }
    Ok(latency)
}
