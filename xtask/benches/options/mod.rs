//! What the benches can be told.

use std::fmt::Display;
use std::str::FromStr;

/// The rounds, at least one, and whether the figures are printed as JSON.
pub(crate) fn options<N>(rounds: N) -> Result<(N, bool), String>
where
    N: FromStr<Err: Display> + Ord + From<u8>,
{
    let (mut rounds, mut json) = (rounds, false);
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|own| own != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--rounds" => {
                let value = arguments.next().ok_or("--rounds takes a number")?;
                rounds = value.parse().map_err(|e| format!("--rounds: {e}"))?;
            }
            _ => return Err(format!("{argument}: there are --rounds and --json")),
        }
    }
    Ok((rounds.max(N::from(1)), json))
}
