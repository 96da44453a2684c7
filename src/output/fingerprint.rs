//! A short name for each finding that outlives edits around it, so that other tools know it again.

use std::collections::HashMap;

use crate::finding::{Finding, Report};
use crate::output::Texts;

/// The fingerprint of each finding of the report, in its order.
pub(super) fn fingerprints(report: &Report, texts: &Texts<'_>) -> Vec<String> {
    let mut seen = HashMap::new();
    report.findings.iter().map(|finding| fingerprint(finding, texts, &mut seen)).collect()
}

/// What stays the same while a finding stays the same: no line number is in it, so lines may come and go above.
/// FNV-1a because its definition fits here in full; std's hasher may change with any release of Rust.
fn fingerprint(finding: &Finding, texts: &Texts<'_>, seen: &mut HashMap<u64, u64>) -> String {
    let line = texts.line_of(finding.primary.place).unwrap_or_default();
    let path = texts.name(finding.primary.place.file);
    let base = [finding.rule.as_str(), &path, line.trim()]
        .iter()
        .fold(FNV_OFFSET, |hash, part| fnv(fnv(hash, part.as_bytes()), &[0]));
    let ordinal = seen.entry(base).or_default();
    let hash = fnv(base, &ordinal.to_le_bytes());
    *ordinal += 1;
    format!("{hash:016x}")
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv_is_the_published_one() {
        assert_eq!(fnv(FNV_OFFSET, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(FNV_OFFSET, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(FNV_OFFSET, b"foobar"), 0x8594_4171_f739_67e8);
    }
}
