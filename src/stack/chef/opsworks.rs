//! What the OpsWorks agent does with a repository: its built-in cookbooks, and which Berksfile it takes.
//! Chef 11.4 and Chef 11.10 are two agents (aws/opsworks-cookbooks: branches release-chef-11.4 and release-chef-11.10).

use crate::stack::chef::target::Target;
use crate::stack::chef::tree::{Tree, base, join, parent};

/// The cookbooks the agent for Chef 11.10 brings along.
const BUILT_IN: [&str; 39] = [
    "agent_version",
    "apache2",
    "dependencies",
    "deploy",
    "ebs",
    "gem_support",
    "haproxy",
    "memcached",
    "mod_php5_apache2",
    "mysql",
    "nginx",
    "opsworks_agent_monit",
    "opsworks_aws_flow_ruby",
    "opsworks_berkshelf",
    "opsworks_bundler",
    "opsworks_cleanup",
    "opsworks_cloudwatchlogs",
    "opsworks_commons",
    "opsworks_custom_cookbooks",
    "opsworks_ecs",
    "opsworks_ganglia",
    "opsworks_initial_setup",
    "opsworks_java",
    "opsworks_nodejs",
    "opsworks_postgresql",
    "opsworks_rubygems",
    "opsworks_shutdown",
    "opsworks_stack_state_sync",
    "packages",
    "passenger_apache2",
    "php",
    "rails",
    "ruby",
    "s3_file",
    "scm_helper",
    "ssh_host_keys",
    "ssh_users",
    "test_suite",
    "unicorn",
];

/// Those of them that the agent for Chef 11.4 has not.
const SINCE_11_10: [&str; 5] =
    ["opsworks_aws_flow_ruby", "opsworks_berkshelf", "opsworks_cloudwatchlogs", "opsworks_ecs", "s3_file"];

/// What the agent for Chef 11.4 has beside the others.
const ONLY_11_4: [&str; 2] = ["ruby_enterprise", "runit"];

/// Whether OpsWorks has a cookbook of this name built in, and merges the repository's into it file by file. Where the
/// consumer is not known, whether it may.
pub fn is_built_in(name: &str, target: Option<Target>) -> bool {
    let in_11_10 = BUILT_IN.contains(&name);
    let in_11_4 = in_11_10 && !SINCE_11_10.contains(&name) || ONLY_11_4.contains(&name);
    match target {
        Some(Target::OpsWorks11_10) => in_11_10,
        Some(Target::OpsWorks11_4) => in_11_4,
        Some(_) => false,
        None => in_11_10 || in_11_4,
    }
}

/// Which Berksfile the agent takes, or why it takes none (opsworks_berkshelf: libraries/berkshelf.rb).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// The one in the root.
    Root(String),
    /// The one in the only folder.
    Only(String),
    /// None: the root has none and there is not exactly one folder.
    None(Vec<String>),
    /// None, wherever it lies: the agent for Chef 11.4 has no Berkshelf.
    Never,
}

impl Taken {
    /// Its path.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Root(path) | Self::Only(path) => Some(path),
            Self::None(_) | Self::Never => None,
        }
    }

    /// Why another Berksfile is not read.
    pub fn why_not(&self) -> String {
        match self {
            Self::Root(path) => format!("{path} lies in the root, and OpsWorks reads that one alone"),
            Self::Only(path) => format!("OpsWorks reads {path} alone"),
            Self::None(folders) => format!(
                "the root has no Berksfile, and OpsWorks looks into a folder only if there is just one; here are {}: {}",
                folders.len(),
                shortened(folders)
            ),
            Self::Never => "there is no Berkshelf with Chef 11.4".to_owned(),
        }
    }
}

fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, …") } else { shown }
}

/// The choice of `target`'s agent for the checkout in `root`. A single cookbook is moved into a folder of its own together
/// with its Berksfile before, which comes to the same file.
pub fn berksfile(tree: &Tree<'_>, root: &str, target: Option<Target>) -> Taken {
    if target == Some(Target::OpsWorks11_4) {
        return Taken::Never;
    }
    let path = join(root, "Berksfile");
    if tree.get(&path).is_some() {
        return Taken::Root(path);
    }
    let submodules = tree.submodules();
    let mut folders = tree.folders_in(root);
    folders.extend(submodules.iter().filter(|path| parent(path) == root).map(|path| base(path)));
    let mut only = folders.iter();
    if let (Some(folder), None) = (only.next(), only.next()) {
        let path = join(&join(root, folder), "Berksfile");
        if tree.get(&path).is_some() {
            return Taken::Only(path);
        }
    }
    Taken::None(folders.iter().map(|&name| name.to_owned()).collect())
}

/// Why the agent does not take a repository with this metadata.rb in its root for one cookbook: it searches the text for
/// `/^\s*name\s+\S+$/` (opsworks_custom_cookbooks: recipes/checkout.rb). `None` where it does.
pub fn why_not_single(metadata: &str) -> Option<&'static str> {
    let is_name = |line: &&str| {
        let line = line.trim_start();
        line.strip_prefix("name").is_some_and(|rest| rest.starts_with([' ', '\t', '(', '\r']))
    };
    let lines: Vec<&str> = metadata.split('\n').filter(is_name).collect();
    let Some(line) = lines.first() else { return Some("it has no line with the name") };
    let value = |line: &str| line.trim_start()["name".len()..].to_owned();
    if lines.iter().any(|line| is_one_word(&value(line))) {
        return None;
    }
    let value = value(line);
    Some(match value.as_str() {
        value if value.ends_with('\r') => "the line ends with a carriage return, as Windows writes it",
        value if value.starts_with('(') => "the name stands in parentheses",
        value if value.ends_with([' ', '\t']) => "blanks follow the name",
        value if value.contains('#') => "a comment follows the name",
        _ => "more than the name stands in the line",
    })
}

/// Blanks, then one word up to the end of the line.
fn is_one_word(value: &str) -> bool {
    let word = value.trim_start_matches([' ', '\t']);
    word.len() < value.len() && !word.is_empty() && !word.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::{is_built_in, why_not_single};
    use crate::stack::chef::target::Target;

    #[test]
    fn each_agent_has_its_own_cookbooks() {
        let old = |name| is_built_in(name, Some(Target::OpsWorks11_4));
        let new = |name| is_built_in(name, Some(Target::OpsWorks11_10));
        assert!(old("nginx") && new("nginx") && is_built_in("nginx", None));
        assert!(old("runit") && !new("runit") && is_built_in("runit", None));
        assert!(!old("s3_file") && new("s3_file"));
        assert!(!is_built_in("nginx", Some(Target::OpsWorks12)) && !is_built_in("apt", None));
    }

    #[test]
    fn the_agent_wants_the_name_alone_on_its_line() {
        for text in ["name 'shop'\n", "version '1'\n  name\t\"shop\"", "name 'a b'\nname 'shop'\n"] {
            assert_eq!(why_not_single(text), None, "{text}");
        }
        for (text, why) in [
            ("version '1'\n", "no line"),
            ("name 'shop'\r\nversion '1'\r\n", "carriage return"),
            ("name('shop')\n", "parentheses"),
            ("name 'shop' \n", "blanks"),
            ("name 'shop' # ours\n", "comment"),
            ("name 'shop'; version '1'\n", "more than"),
            ("names 'shop'\n", "no line"),
        ] {
            assert!(why_not_single(text).is_some_and(|found| found.contains(why)), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_metadata_is_read(pieces in proptest::collection::vec(".{0,12}|[-@.a-z ='\"#<%>\n]{0,12}", 0..12)) {
            let text = pieces.concat();
            let _ = why_not_single(&format!("{text}\nname{text}"));
        }
    }
}
