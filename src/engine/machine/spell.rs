//! Since when requests fail: the failures that logs tell of, up to the last long pause between them.

use crate::diagnosis::Spell;
use crate::engine::machine::logs::{NginxLog, UwsgiLog};
use crate::engine::machine::paths::Path;

/// A pause of an hour ends a spell: what failed before it was something else, or was mended.
const PAUSE: i64 = 3600;

/// The failures of a way that nginx or its uWSGI logged; `ahead` is how far logs are ahead of UTC, in seconds.
pub(super) fn of(path: &Path, nginx: &NginxLog, log: Option<&UwsgiLog>, ahead: i64) -> Option<Spell> {
    let mut times: Vec<i64> = log.into_iter().flat_map(UwsgiLog::failures).collect();
    // One request that failed may stand in both logs.
    let by_nginx = nginx.failures(path);
    if by_nginx.len() > times.len() {
        times = by_nginx;
    }
    let spell = last_spell(times)?;
    Some(Spell { first: spell.first - ahead, last: spell.last - ahead, ..spell })
}

fn last_spell(mut times: Vec<i64>) -> Option<Spell> {
    times.sort_unstable();
    let pause = times.windows(2).rposition(|pair| pair[1].saturating_sub(pair[0]) > PAUSE);
    let run = &times[pause.map_or(0, |at| at + 1)..];
    Some(Spell { first: *run.first()?, last: *run.last()?, times: run.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_pause_ends_a_spell() {
        let spell = last_spell(vec![100_000, 10, 20, 99_000, 98_500]);
        assert_eq!(spell, Some(Spell { first: 98_500, last: 100_000, times: 3 }));
        assert_eq!(last_spell(vec![]), None);
    }
}
