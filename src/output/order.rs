//! The order in which one would mend what was found: a stack comes up from the files that are put on a host to the pages that
//! users get, and what stops it earlier hides what comes later.

use std::cmp::Reverse;

use crate::finding::Finding;

/// The families of rules in that order; users' own come last.
const STAGES: [&str; 20] = [
    "cookbook",
    "recipe",
    "upstart",
    "systemd",
    "supervision",
    "release",
    "resources",
    "env",
    "import",
    "uwsgi",
    "workers",
    "socket",
    "link",
    "nginx",
    "front",
    "app",
    "dns",
    "database",
    "hop",
    "housecall",
];

/// Sorts findings that stand in the order of their files: by stage, in each the worst first.
pub(super) fn to_mend(findings: &mut [&Finding]) {
    findings.sort_by_key(|finding| (stage(&finding.rule), Reverse(finding.severity)));
}

fn stage(rule: &str) -> usize {
    let family = rule.split('/').next().unwrap_or(rule);
    STAGES.iter().position(|stage| *stage == family).unwrap_or(STAGES.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_family_of_the_built_in_pages_has_its_place() {
        for page in crate::rule::page::built_in().unwrap() {
            assert!(stage(&page.id) < STAGES.len(), "{}: add its family to STAGES", page.id);
        }
    }
}
