//! The hooks that pre-commit reads: they start for every file of a stack, and all changed files come in one run.
#![allow(clippy::unwrap_used)]

use regex::Regex;

const HOOKS: &str = include_str!("../.pre-commit-hooks.yaml");

fn values(key: &str) -> Vec<&'static str> {
    let starts = [format!("  {key}: "), format!("- {key}: ")];
    HOOKS.lines().filter_map(|line| starts.iter().find_map(|start| line.strip_prefix(start.as_str()))).collect()
}

#[test]
fn both_hooks_see_all_changed_files_at_once() {
    assert_eq!(values("id"), ["housecall", "housecall-system"]);
    assert_eq!(values("language"), ["rust", "system"]);
    assert_eq!(values("entry"), ["housecall lint"; 2]);
    assert_eq!(values("require_serial"), ["true"; 2]);
    assert_eq!(values("files")[1], "*files", "one list for both");
}

#[test]
fn they_start_for_the_files_of_a_stack_alone() {
    let files = Regex::new(values("files")[0].trim_start_matches("&files ").trim_matches('\'')).unwrap();
    for path in [
        "cookbooks/shop/templates/default/shop.ini.erb",
        "cookbooks/shop/metadata.json",
        "Berksfile",
        "app/wsgi.py",
        "etc/nginx/sites-available/shop.example.com",
        "deploy/sites-enabled/shop",
        "home/ubuntu/.profile",
        "upstart/shop.conf",
        "deploy/shop.conf.j2",
        "systemd/shop.service",
        "docker-compose.yml",
        "housecall.toml",
    ] {
        assert!(files.is_match(path), "{path}");
    }
    for path in ["README.md", "package.json", "static/shop.js", "docs/Berksfile.md", "logo.png"] {
        assert!(!files.is_match(path), "{path}");
    }
}
