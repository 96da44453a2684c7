//! The hooks that pre-commit reads: they start for every file of a stack, and all changed files come in one run.
#![allow(clippy::unwrap_used)]

use regex::Regex;

const HOOKS: &str = include_str!("../.pre-commit-hooks.yaml");

fn values(key: &str) -> Vec<&'static str> {
    let starts = [format!("  {key}: "), format!("- {key}: ")];
    HOOKS.lines().filter_map(|line| starts.iter().find_map(|start| line.strip_prefix(start.as_str()))).collect()
}

/// The folded lines below `files: &files >-`, as YAML joins them.
fn pattern() -> String {
    let lines = HOOKS.lines().skip_while(|line| *line != "  files: &files >-").skip(1);
    lines.take_while(|line| line.starts_with("    ")).map(str::trim).collect::<Vec<_>>().join(" ")
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
    let files = Regex::new(&pattern()).unwrap();
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
        ".kitchen.yml",
        "shop/kitchen.yml",
        "Policyfile.rb",
        "policyfiles/web.rb",
        "Berksfile.lock",
        "shop/files/default/shop.key",
        "shop/files/default/id.pem",
        "shop/files/default/start.sh",
        "shop/templates/default/shop.ERB",
        "roles/web.json",
        "environments/eu/production.json",
        ".env",
        ".env.production",
        "deploy/shop.env",
        "requirements/base.txt",
        "requirements-dev.txt",
        "systemd/shop.socket",
    ] {
        assert!(files.is_match(path), "{path}");
    }
    for path in [
        "README.md",
        "environment",
        "docs/roles.json",
        "notes.txt",
        "package.json",
        "static/shop.js",
        "docs/Berksfile.md",
        "logo.png",
    ] {
        assert!(!files.is_match(path), "{path}");
    }
}
