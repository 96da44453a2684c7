//! The platforms that Chef tells apart, and which of them a condition of Ruby lets through.

use std::ops::{BitAnd, BitOr, Not};

use crate::syntax::ruby::{Branch, Call, Expr, Kind};

/// Names and families as ohai gives them (ohai: lib/ohai/plugins/linux/platform.rb and its like).
const NAMES: [(&str, &str); 22] = [
    ("ubuntu", "debian"),
    ("debian", "debian"),
    ("linuxmint", "debian"),
    ("raspbian", "debian"),
    ("centos", "rhel"),
    ("redhat", "rhel"),
    ("scientific", "rhel"),
    ("oracle", "rhel"),
    ("rocky", "rhel"),
    ("amazon", AMAZON),
    ("fedora", "fedora"),
    ("suse", "suse"),
    ("opensuse", "suse"),
    ("arch", "arch"),
    ("gentoo", "gentoo"),
    ("alpine", "alpine"),
    ("freebsd", "freebsd"),
    ("openbsd", "openbsd"),
    ("mac_os_x", "mac_os_x"),
    ("windows", "windows"),
    ("smartos", "smartos"),
    ("omnios", "omnios"),
];

/// A family of its own since Chef 13, `rhel` before.
const AMAZON: &str = "amazon";

/// Stands for every platform that is not in the table.
const OTHERS: u32 = 1 << NAMES.len();

/// A set of platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platforms(u32);

impl Platforms {
    /// Every one.
    pub const ALL: Self = Self((OTHERS << 1) - 1);
    /// None at all.
    pub const NONE: Self = Self(0);

    /// Whether there is none in it.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// Those in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.bitand(other.0))
    }

    /// Those in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0.bitor(other.0))
    }

    /// Those in this one alone.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0.bitand(other.0.not()))
    }

    /// The names in words; `None` where nothing is left out.
    pub fn words(self) -> Option<String> {
        if self == Self::ALL {
            return None;
        }
        let named = |(at, (name, _)): (usize, &(&'static str, &str))| (self.0 >> at & 1 == 1).then_some(*name);
        if self.0 & OTHERS != 0 {
            let out: Vec<_> = NAMES.iter().enumerate().filter(|(at, _)| self.0 >> at & 1 == 0).collect();
            let names: Vec<_> = out.iter().map(|(_, (name, _))| *name).collect();
            return Some(format!("all but {}", shortened(&names)));
        }
        let names: Vec<_> = NAMES.iter().enumerate().filter_map(named).collect();
        Some(shortened(&names))
    }

    fn of(name: &str, asks_family: bool) -> Reach {
        let mut reach = Reach::NEVER;
        for (at, (own, family)) in NAMES.iter().enumerate() {
            let bit = Self(1 << at);
            if name == if asks_family { *family } else { *own } {
                reach.may = reach.may.or(bit);
                reach.must = reach.must.or(bit);
            }
            // Which of its two families it has, its release of Chef decides.
            if asks_family && *family == AMAZON && matches!(name, "rhel" | AMAZON) {
                reach.may = reach.may.or(bit);
                reach.must = reach.must.without(bit);
            }
        }
        if reach.may.is_empty() {
            reach.may = Self(OTHERS);
        }
        reach
    }
}

fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and others") } else { shown }
}

/// On which platforms a piece of code may run, and on which it surely does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Where it may.
    pub may: Platforms,
    /// Where it surely does; never more than `may`.
    pub must: Platforms,
}

impl Reach {
    /// Everywhere.
    pub const ALWAYS: Self = Self { may: Platforms::ALL, must: Platforms::ALL };
    /// Perhaps, wherever it is.
    pub const MAYBE: Self = Self { may: Platforms::ALL, must: Platforms::NONE };
    const NEVER: Self = Self { may: Platforms::NONE, must: Platforms::NONE };

    /// Code that is reached in both ways.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { may: self.may.and(other.may), must: self.must.and(other.must) }
    }

    fn or(self, other: Self) -> Self {
        Self { may: self.may.or(other.may), must: self.must.or(other.must) }
    }

    fn not(self) -> Self {
        Self { may: Platforms::ALL.without(self.must), must: Platforms::ALL.without(self.may) }
    }
}

/// For each arm of a condition, where it is taken.
pub fn arms(branch: &Branch) -> Vec<Reach> {
    let subject = branch.subject.as_deref();
    let asked = subject.and_then(asks_family);
    let mut taken = Reach::NEVER;
    let mut all = Vec::with_capacity(branch.arms.len());
    for arm in &branch.arms {
        let own = match (arm.conditions.as_slice(), subject) {
            ([], _) => Reach::ALWAYS,
            (names, Some(_)) => asked.map_or(Reach::MAYBE, |family| any_of(names, family)),
            ([condition], None) => condition_reach(condition),
            _ => Reach::MAYBE,
        };
        all.push(own.and(taken.not()));
        taken = taken.or(own);
    }
    all
}

/// Where no arm is taken.
pub fn otherwise(branch: &Branch) -> Reach {
    if branch.has_else() {
        return Reach::NEVER;
    }
    arms(branch).into_iter().fold(Reach::NEVER, Reach::or).not()
}

fn any_of(names: &[Expr], asks_family: bool) -> Reach {
    names.iter().fold(Reach::NEVER, |reach, name| reach.or(named(name, asks_family)))
}

/// The platforms of a name, or of a list of names such as the key of `value_for_platform`.
pub fn named(name: &Expr, asks_family: bool) -> Reach {
    match (&name.kind, name.literal()) {
        (_, Some(name)) => Platforms::of(&name, asks_family),
        (Kind::Array(names) | Kind::Other(names), None) if !names.is_empty() => any_of(names, asks_family),
        _ => Reach::MAYBE,
    }
}

fn condition_reach(condition: &Expr) -> Reach {
    match &condition.kind {
        Kind::Either(both) => condition_reach(&both.0).or(condition_reach(&both.1)),
        Kind::Sequence(all) => match all.as_slice() {
            [one] => condition_reach(one),
            _ => Reach::MAYBE,
        },
        Kind::Call(call) => call_reach(call),
        _ => Reach::MAYBE,
    }
}

fn call_reach(call: &Call) -> Reach {
    let argument = call.arguments.first();
    match (call.name.as_str(), &call.receiver, argument) {
        ("!", Some(inner), None) => condition_reach(inner).not(),
        ("==", Some(left), Some(right)) => equal(left, right),
        ("!=", Some(left), Some(right)) => equal(left, right).not(),
        ("platform?" | "platform_family?", _, Some(_)) => any_of(&call.arguments, call.name == "platform_family?"),
        ("include?", Some(names), Some(asked)) => match (asks_family(asked), &names.kind) {
            (Some(family), Kind::Array(names)) => any_of(names, family),
            _ => Reach::MAYBE,
        },
        _ => Reach::MAYBE,
    }
}

fn equal(left: &Expr, right: &Expr) -> Reach {
    match (asks_family(left), asks_family(right)) {
        (Some(family), None) => named(right, family),
        (None, Some(family)) => named(left, family),
        _ => Reach::MAYBE,
    }
}

/// Whether an expression is the node's family rather than its platform; `None` where it is neither.
fn asks_family(expr: &Expr) -> Option<bool> {
    let call = expr.call()?;
    let node = call.receiver.as_ref()?.call()?;
    let key = match (call.name.as_str(), call.arguments.as_slice()) {
        ("[]" | "fetch", [key]) => key.literal()?,
        (name, []) => name.to_owned(),
        _ => return None,
    };
    let is_node = node.name == "node" && node.receiver.is_none() && node.arguments.is_empty();
    match key.as_str() {
        "platform" if is_node => Some(false),
        "platform_family" if is_node => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::syntax::ruby::parse;

    fn branch(text: &str) -> Branch {
        let Some(Kind::Branch(branch)) = parse(text).tree.body.into_iter().next().map(|expr| expr.kind) else {
            panic!("{text}")
        };
        branch
    }

    fn words(text: &str) -> Vec<String> {
        let branch = branch(text);
        arms(&branch).into_iter().map(|reach| reach.may.words().unwrap_or_else(|| "all".to_owned())).collect()
    }

    #[test]
    fn arms_are_for_platforms() {
        let case = "case node['platform']\nwhen 'ubuntu', :debian then 1\nwhen 'debian', 'arch' then 2\nelse 3\nend";
        assert_eq!(words(case), ["ubuntu, debian", "arch", "all but ubuntu, debian, arch"]);
        for condition in [
            "platform_family?('fedora')",
            "node.platform_family == 'fedora'",
            "%w(fedora).include?(node[:platform])",
            "('fedora' == node['platform'])",
        ] {
            assert_eq!(words(&format!("if {condition}\n 1\nelse\n 2\nend")), ["fedora", "all but fedora"]);
            assert_eq!(words(&format!("unless {condition}\n 1\nelse\n 2\nend")), ["all but fedora", "fedora"]);
        }
        assert_eq!(words("if platform?('arch') || platform?('suse')\n 1\nend"), ["suse, arch"]);
        assert_eq!(words("if node['x']\n 1\nelse\n 2\nend"), ["all", "all"]);
        assert_eq!(words("case x\nwhen 'ubuntu' then 1\nelse 2\nend"), ["all", "all"]);
    }

    #[test]
    fn what_is_not_decided_is_in_both_arms() {
        // Amazon is of the family rhel up to Chef 12.
        let arms = arms(&branch("case node['platform_family']\nwhen 'rhel' then 1\nelse 2\nend"));
        let amazon = Platforms::of("amazon", false).may;
        assert!(arms.iter().all(|arm| !arm.may.and(amazon).is_empty() && arm.must.and(amazon).is_empty()));
        // Nor is a platform out of the table ever excluded.
        let arms = super::arms(&branch("case node['platform']\nwhen 'plan9' then 1\nelse 2\nend"));
        assert!(arms.iter().all(|arm| !arm.may.and(Platforms(OTHERS)).is_empty()));
        assert!(otherwise(&branch("1 if platform?('arch')")).may.and(Platforms::of("arch", false).may).is_empty());
    }
}
