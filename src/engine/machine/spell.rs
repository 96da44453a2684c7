//! Since when requests fail: the failures that logs tell of, up to the last long pause between them.

use crate::diagnosis::Spell;
use crate::engine::machine::logs::{NginxLog, UwsgiLog};
use crate::engine::machine::paths::Path;

/// A pause of an hour ends a spell: what failed before it was something else, or was mended.
const PAUSE: i64 = 3600;

/// The failures of a way for the break of a hop: nginx's log has those that uWSGI never saw, uWSGI's the others. `ahead` is
/// how far logs are ahead of UTC, in seconds.
pub(super) fn of(hop: &str, path: &Path, nginx: &NginxLog, log: Option<&UwsgiLog>, ahead: i64) -> Option<Spell> {
    const UNSEEN_BY_UWSGI: [&str; 4] = ["listen", "upstream-socket", "uwsgi-master", "workers"];
    let by_uwsgi = || log.into_iter().flat_map(UwsgiLog::failures).collect::<Vec<i64>>();
    let times = Some(by_uwsgi()).filter(|times| !UNSEEN_BY_UWSGI.contains(&hop) && !times.is_empty());
    let spell = last_spell(times.unwrap_or_else(|| nginx.failures(path)))?;
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
