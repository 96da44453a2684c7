//! Memory, load and the last boot of this machine, as sysinfo reads them.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::host::{ReadError, Vitals};

pub(super) fn look() -> Result<Vitals, ReadError> {
    let failed = |error: sysinfo::Error| ReadError::Other(error.to_string());
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(memory).map_err(failed)?;
    Ok(Vitals {
        memory: system.total_memory(),
        available: system.available_memory(),
        load: System::load_average().map_err(failed)?.five,
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        booted: i64::try_from(System::boot_time().map_err(failed)?).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_machine_has_memory_and_was_booted() {
        let seen = look().unwrap();
        assert!(seen.available > 0 && seen.available <= seen.memory, "{seen:?}");
        assert!(seen.booted > 1_000_000_000 && seen.processors > 0 && seen.load >= 0.0, "{seen:?}");
    }
}
