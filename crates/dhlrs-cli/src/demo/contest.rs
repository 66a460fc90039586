//! Both teams write the same fields of the same records while they are apart.

use dhlrs::{Path, Value};
use tokio::time::{Duration, sleep};

use super::{check_failed, clients::Client, records::Field};
use crate::Failure;

/// Longer than the step of a clock, so that it is certain which of two writes is the later one.
const PAUSE_MS: u64 = 3;

/// A field that two have written, and what the later one wrote.
#[derive(Debug)]
pub(super) struct Contested {
    pub(super) path: Path<'static>,
    pub(super) later: Value,
}

/// Lets both write each field, now one last, now the other.
pub(super) async fn contest(
    teams: [&Client; 2],
    fields: &[Field],
) -> Result<Vec<Contested>, Failure> {
    let [mut first, mut last] = teams;
    let mut contested = Vec::new();
    for field in fields {
        let path = field.path()?;
        let mut later = Value::Null;
        for team in [first, last] {
            later = Value::from(format!("as {} has it", team.role.process()));
            team.store.set(&path, later.clone()).await?;
            sleep(Duration::from_millis(PAUSE_MS)).await;
        }
        contested.push(Contested { path, later });
        (first, last) = (last, first);
    }
    Ok(contested)
}

/// What one copy has, held against who was last.
pub(super) async fn judge(client: &Client, contested: &[Contested]) -> Result<(), Failure> {
    for Contested { path, later } in contested {
        let reading = client.store.get(path).await?;
        let found = reading.and_then(|reading| reading.value().cloned());
        if found.as_ref() != Some(later) {
            return Err(check_failed(format!(
                "{}/{path} is {found:?}, and the later of two writes was {later:?}",
                client.store.address()
            )));
        }
    }
    Ok(())
}
