//! Whole repositories, small, and what is said of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::finding::Confidence;
use crate::source::{Origin, Sources};
use crate::stack::deployment::Content;

/// A repository of these files.
pub(super) fn read_tree(files: &[(&str, &str)], target: Option<Target>) -> Chef {
    read_tree_with(files, target, &[])
}

fn read_tree_with(files: &[(&str, &str)], target: Option<Target>, attributes: &[&str]) -> Chef {
    let mut sources = Sources::default();
    let ids: Vec<_> =
        files.iter().map(|(path, text)| sources.add(*path, text.as_bytes().to_vec(), Origin::File)).collect();
    let files: Vec<_> =
        files.iter().zip(&ids).map(|((path, text), file)| RepoFile { path, file: *file, text }).collect();
    read(&Tree::new(&files), target, attributes)
}

fn known<T: Clone>(fact: &crate::stack::fact::Fact<T>) -> Option<T> {
    fact.known().cloned()
}

/// A cookbook as people write it: names put together from attributes, a loop, a wrapper for variables.
const SHOP: [(&str, &str); 7] = [
    ("shop/metadata.rb", "name 'shop'\nversion '1.0.0'\ndepends 'poise-python'\n"),
    (
        "shop/attributes/default.rb",
        "default['shop']['dir'] = '/etc/shop/'\ndefault['shop']['ini'] = \"#{node['shop']['dir']}shop.ini\"\n\
         default['shop']['workers'] = 4\n",
    ),
    ("shop/recipes/default.rb", "include_recipe 'shop::files'\nservice 'shop' do\n  action [:enable, :start]\nend\n"),
    (
        "shop/recipes/files.rb",
        "%w[log run].each do |name|\n  directory \"/var/#{name}/shop\" do\n    owner 'shop'\n    mode 0750\n  end\nend\n\
         template node['shop']['ini'] do\n  source 'uwsgi.ini.erb'\n  variables(workers: node['shop']['workers'], port: node['x'])\nend\n\
         template \"/etc/init/#{cookbook_name}.conf\" do\n  source 'job.erb'\nend\n\
         cookbook_file '/etc/init/shop.conf' do\n  mode '644'\nend\n\
         link '/etc/nginx/sites-enabled/shop' do\n  to '/etc/nginx/sites-available/shop'\nend\n\
         file '/etc/default/shop' do\n  content \"A=1\"\nend\n\
         file '/etc/old' do\n  action :delete\nend\n",
    ),
    ("shop/templates/default/uwsgi.ini.erb", "processes = <%= @workers %>"),
    ("shop/templates/job.erb", "exec x"),
    ("shop/files/default/shop.conf", "exec x"),
];

#[test]
fn files_land_where_the_recipes_say() {
    let chef = read_tree(&SHOP, None);
    let at = |path: &str| {
        let found = chef.deployed.iter().find(|one| one.path == Answer::Known(path.to_owned()));
        found.unwrap_or_else(|| panic!("{path} in {:#?}", chef.deployed))
    };
    assert_eq!(at("/var/log/shop").owner, Answer::Known("shop".to_owned()));
    assert_eq!(at("/var/run/shop").mode, Answer::Known("0750".to_owned()));
    let ini = at("/etc/shop/shop.ini");
    assert!(matches!(&ini.content, Content::Template(origin) if origin.path == "shop/templates/default/uwsgi.ini.erb"));
    assert_eq!(chef.evaluate(ini, "@workers"), Answer::Known("4".to_owned()));
    assert_eq!(chef.evaluate(ini, "node['shop']['dir']"), Answer::Known("/etc/shop/".to_owned()));
    let Answer::Unknown(missing) = chef.evaluate(ini, "@port") else { panic!("decided") };
    assert_eq!(missing.what, "the value of node['x']");
    let jobs = chef.deployed.iter().filter(|one| one.path == Answer::Known("/etc/init/shop.conf".to_owned()));
    let jobs: Vec<_> = jobs.collect();
    assert!(matches!(&jobs[0].content, Content::Template(origin) if origin.path == "shop/templates/job.erb"));
    let job = jobs[1];
    assert_eq!(job.mode, Answer::Known("0644".to_owned()));
    assert!(matches!(&job.content, Content::File(origin) if origin.path == "shop/files/default/shop.conf"));
    assert!(
        matches!(&at("/etc/nginx/sites-enabled/shop").content, Content::Link(Answer::Known(to)) if to.ends_with("available/shop"))
    );
    assert!(matches!(&at("/etc/default/shop").content, Content::Text { verbatim: Some(_), .. }));
    assert!(!chef.deployed.iter().any(|one| one.path == Answer::Known("/etc/old".to_owned())));
}

#[test]
fn a_platform_decides_where_a_file_lands() {
    let chef = read_tree(
        &[
            ("shop/metadata.rb", "name 'shop'\nversion '1.0.0'\n"),
            (
                "shop/attributes/default.rb",
                "default['shop']['dir'] = platform_family?('debian') ? '/etc/shop/' : '/opt/shop/'\n\
                 default['shop']['ini'] = \"#{node['shop']['dir']}app.ini\"\n",
            ),
            (
                "shop/recipes/default.rb",
                "template node['shop']['ini'] do\n source 'uwsgi.ini.erb'\nend\n\
                 service 'shop' do\n  case node['platform']\n  when 'ubuntu' then service_name 'shop-web'\n\
                 \x20 else service_name 'shopd'\n  end\nend\n\
                 file \"/etc/init/#{value_for_platform('ubuntu' => { 'default' => 'shop-web' }, 'default' => 'x')}.conf\" do\n\
                 \x20 content 'exec x'\nend\n",
            ),
            ("shop/templates/default/uwsgi.ini.erb", "[uwsgi]\n"),
        ],
        Some(Target::OpsWorks11_10),
    );
    let landed: Vec<_> = chef.deployed.iter().map(|one| (one.path.clone().known(), one.platforms.words())).collect();
    let debian = "ubuntu, debian, linuxmint, raspbian";
    let expected = [
        ("/etc/shop/app.ini", debian.to_owned()),
        ("/opt/shop/app.ini", format!("all but {debian}")),
        ("/etc/init/shop-web.conf", "ubuntu".to_owned()),
        ("/etc/init/x.conf", "all but ubuntu".to_owned()),
    ];
    assert_eq!(landed, expected.map(|(path, words)| (Some(path.to_owned()), Some(words))));
    let services: Vec<_> =
        chef.services.iter().map(|row| (known(&row.name), known(&row.platforms), known(&row.upstart_job))).collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        services,
        [
            (text("shop-web"), text("ubuntu"), text("/etc/init/shop-web.conf")),
            (text("shopd"), text("all but ubuntu"), None)
        ]
    );
}

#[test]
fn a_service_meets_its_job() {
    let chef = read_tree(&SHOP, Some(Target::OpsWorks11_10));
    let [service] = chef.services.as_slice() else { panic!("{:#?}", chef.services) };
    assert_eq!(known(&service.upstart_job).as_deref(), Some("/etc/init/shop.conf"));
    assert_eq!(service.provider.answer, Answer::Absent);
    assert_eq!(known(&service.chef), Some(11));
}

#[test]
fn a_service_of_another_arm_has_no_job() {
    let recipe = "if node['upstart']\n  file '/etc/init/a.conf' do\n    content 'x'\n  end\n  service 'a' do\n    provider :upstart\n  end\n\
                  else\n  service 'a' do\n    action :start\n  end\nend\n";
    let chef = read_tree(&[("a/metadata.rb", "name 'a'"), ("a/recipes/default.rb", recipe)], None);
    let jobs: Vec<_> = chef.services.iter().map(|service| known(&service.upstart_job)).collect();
    assert_eq!(jobs, [Some("/etc/init/a.conf".to_owned()), None]);
    assert!(chef.services.iter().all(|service| known(&service.chef).is_none()));
}

#[test]
fn without_a_sign_the_target_is_unknown() {
    let chef = read_tree(&SHOP, None);
    assert!(chef.cookbooks[0].target.is_unknown());
    assert!(chef.dependencies[0].fetched.is_unknown());
    let signs = [("shop/recipes/deploy.rb", "include_recipe 'deploy::default'\n")];
    let chef = read_tree(&[&SHOP[..], &signs[..]].concat(), None);
    assert_eq!(known(&chef.cookbooks[0].target).as_deref(), Some("opsworks-11"));
    assert_eq!(known(&chef.dependencies[0].fetched), Some(false));
    let both = [signs[0], ("shop/recipes/apps.rb", "search('aws_opsworks_app').each { |app| log app }\n")];
    let chef = read_tree(&[&SHOP[..], &both[..]].concat(), None);
    assert!(chef.cookbooks[0].target.is_unknown());
}

#[test]
fn opsworks_with_chef_11_4_is_another_consumer() {
    let deploy = ("shop/recipes/default.rb", "node[:deploy].each { |name, deploy| log name }\n");
    let target = |more: &[(&str, &str)]| {
        let chef = read_tree(&[&[deploy], more].concat(), None);
        (known(&chef.cookbooks[0].target).unwrap(), chef.cookbooks[0].confidence)
    };
    let (old, new) = ("opsworks-11.4".to_owned(), "opsworks-11".to_owned());
    assert_eq!(target(&[]), (old.clone(), Confidence::Possible));
    assert_eq!(target(&[("shop/metadata.rb", "name 'shop'")]), (new.clone(), Confidence::Likely));
    assert_eq!(target(&[("Berksfile", "cookbook 'apt'\n")]).0, new);
    assert_eq!(target(&[("shop/recipes/find.rb", "search(:node, 'role:db')\n")]).0, new);
    let kitchen =
        |version: &str| target(&[(".kitchen.yml", &format!("provisioner:\n  require_chef_omnibus: {version}\n"))]);
    assert_eq!(kitchen("11.4.4"), (old, Confidence::Likely));
    assert_eq!(kitchen("'11.10.4'"), (new, Confidence::Likely));

    let metadata = ("shop/metadata.rb", "name 'shop'\ndepends 'runit'\ndepends 's3_file'\ndepends 'apt'\n");
    let berks = ("Berksfile", "source 'https://supermarket.example.com'\ncookbook 'apt'\n");
    let fetched = |target| {
        let chef = read_tree(&[deploy, metadata, berks], Some(target));
        let fetched: Vec<_> = chef.dependencies.iter().map(|row| known(&row.fetched).unwrap()).collect();
        (fetched, known(&chef.berksfiles[0].used).unwrap())
    };
    assert_eq!(fetched(Target::OpsWorks11_4), (vec![true, false, false], false));
    assert_eq!(fetched(Target::OpsWorks11_10), (vec![false, true, true], true));
    assert_eq!(Target::named("opsworks-11.10"), Some(Target::OpsWorks11_10));
}

#[test]
fn what_test_kitchen_gives_counts_where_nothing_else_does() {
    let kitchen = "platforms:\n  - name: ubuntu\n    attributes:\n      shop: {}\nsuites:\n- name: a\n  attributes:\n    shop:\n      port: 8080\n      dir: \"/srv\"\n      tls: <%= x %>\n";
    let files = [
        ("shop/metadata.rb", "name 'shop'"),
        ("shop/.kitchen.yml", kitchen),
        ("shop/attributes/default.rb", "default['shop']['dir'] = '/opt'\n"),
        ("shop/recipes/default.rb", "template '/etc/a' do\n  source 'a.erb'\nend\n"),
        ("shop/templates/default/a.erb", "x"),
    ];
    let chef = read_tree(&files, None);
    let printed = |code: &str| chef.evaluate(&chef.deployed[0], code);
    assert_eq!(printed("node['shop']['port']"), Answer::Known("8080".to_owned()));
    assert_eq!(printed("node['shop']['dir']"), Answer::Known("/opt".to_owned()));
    assert!(matches!(printed("node['shop']['tls']"), Answer::Unknown(_)));
}

#[test]
fn the_agent_takes_one_berksfile_at_most() {
    let nested = ("shop/Berksfile", "source 'https://supermarket.example.com'\nmetadata\n");
    let used = |more: &[(&str, &str)]| {
        let chef = read_tree(&[&SHOP[..], &[nested], more].concat(), Some(Target::OpsWorks11_10));
        let shop = chef.berksfiles.iter().find(|row| known(&row.path).as_deref() == Some("shop/Berksfile")).unwrap();
        (known(&shop.used).unwrap(), known(&chef.dependencies[0].fetched).unwrap())
    };
    assert_eq!(used(&[]), (true, true));
    assert_eq!(used(&[("data_bags/a.json", "{}")]), (false, false));
    assert_eq!(used(&[(".git/config", "")]), (true, true));
    assert_eq!(used(&[(".gitmodules", "[submodule \"apt\"]\n\tpath = apt\n")]), (false, false));
    assert_eq!(used(&[("Berksfile", "cookbook 'apt'\n")]), (false, false));
    assert_eq!(used(&[("Berksfile", "cookbook 'poise-python'\n")]), (false, true));
    assert_eq!(used(&[("Berksfile", "cookbook 'shop', path: './shop'\n")]), (false, true));
}

#[test]
fn roots_lie_where_the_signs_are() {
    let folders = |files: &[(&str, &str)]| -> Vec<String> {
        read_tree(files, None).roots.into_iter().map(|root| root.folder).collect()
    };
    let name = "name 'x'";
    assert_eq!(folders(&[("metadata.rb", name)]), [""]);
    assert_eq!(folders(&[("infra/cookbooks/x/metadata.rb", name), ("app/wsgi.py", "")]), ["infra"]);
    assert_eq!(folders(&[("a/cookbooks/x/metadata.rb", name), ("b/cookbooks/x/metadata.rb", name)]), ["a", "b"]);
    assert_eq!(folders(&[("x/metadata.rb", name), ("y/metadata.rb", name)]), [""]);
    assert_eq!(folders(&[("infra/x/metadata.rb", name), ("infra/x/Berksfile", "metadata")]), ["infra/x"]);
    assert_eq!(folders(&[("metadata.rb", name), ("test/cookbooks/y/metadata.rb", name)]), [""]);
    assert_eq!(folders(&[("setup.py", ""), ("recipes/tart.rb", "")]), Vec::<String>::new());
}

#[test]
fn submodules_and_packaged_cookbooks_are_there() {
    let chef = read_tree(
        &[
            (".gitmodules", "[submodule \"apt\"]\n\tpath = apt\n\turl = https://git.example.com/apt.git\n"),
            ("shop/metadata.rb", "name 'shop'\ndepends 'apt'\ndepends 'poise'\ndepends 'gone'\n"),
            ("shop/recipes/default.rb", "node[:deploy].each { |name, deploy| log name }\n"),
            ("poise/metadata.json", r#"{"name": "poise", "dependencies": {}}"#),
            ("poise/libraries/default.rb", "# code\n"),
            ("assets/metadata.json", r#"{"name": "gone"}"#),
        ],
        Some(Target::OpsWorks11_10),
    );
    let fetched: Vec<_> = chef.dependencies.iter().map(|row| (known(&row.name), known(&row.fetched))).collect();
    let row = |name: &str, fetched| (Some(name.to_owned()), Some(fetched));
    assert_eq!(fetched, [row("apt", true), row("poise", true), row("gone", false)]);
}

#[test]
fn other_peoples_cookbooks_are_not_judged() {
    let chef = read_tree(
        &[("x/metadata.rb", "name 'x'"), ("vendor/cookbooks/y/metadata.rb", "name 'y'\ndepends 'z'")],
        Some(Target::OpsWorks11_10),
    );
    assert_eq!(chef.cookbooks.len(), 1);
    assert!(chef.dependencies.is_empty());
}

fn checkouts(recipe: &str) -> Vec<Arc<Checkout>> {
    read_tree(&[("a/metadata.rb", "name 'a'"), ("a/recipes/default.rb", recipe)], None).checkouts
}

#[test]
fn ssh_is_what_git_takes_for_it() {
    for (repository, over_ssh) in [
        ("git@example.org:a/b.git", true),
        ("ssh://git@example.org/a", true),
        ("https://user@example.org:8443/a", false),
        ("git://example.org/a", false),
        ("/srv/git/a.git", false),
        ("file:///a@b:c", false),
    ] {
        let rows = checkouts(&format!("git '/srv/a' do\n  repository '{repository}'\nend\n"));
        assert_eq!(known(&rows[0].over_ssh), Some(over_ssh), "{repository}");
    }
}

#[test]
fn keys_come_from_what_runs_before() {
    let git = "git '/srv/a' do\n  repository 'git@example.org:a.git'\n  user 'app'\nend\n";
    let key = |recipe: String| checkouts(&recipe)[0].key_from.answer.clone();
    let file = |path: &str, more: &str| format!("file '{path}' do\n  content 'x'\n{more}end\n");
    assert_eq!(key(git.to_owned()), Answer::Absent);
    assert!(matches!(key(file("/home/app/.ssh/id_rsa", "") + git), Answer::Known(_)));
    assert_eq!(key(git.to_owned() + &file("/home/app/.ssh/id_rsa", "")), Answer::Absent);
    assert_eq!(key(file("/home/other/.ssh/id_rsa", "") + git), Answer::Absent);
    assert!(matches!(key(file("/srv/home/.ssh/id_rsa", "  owner 'app'\n") + git), Answer::Known(_)));
    assert_eq!(key(file("/home/app/.ssh/authorized_keys", "") + git), Answer::Absent);
    assert!(matches!(key("include_recipe 'ssh_keys'\n".to_owned() + git), Answer::Unknown(_)));
    assert_eq!(key("include_recipe 'apt'\n".to_owned() + git), Answer::Absent);
    let with = |line: &str| git.replace("  user", &format!("  {line}\n  user"));
    assert!(matches!(key(with("environment 'GIT_SSH' => '/x'")), Answer::Known(_)));
    assert!(matches!(key(with("ssh_wrapper '/x'")), Answer::Known(_)));
}

#[test]
fn code_beside_current_bypasses_the_release() {
    let rows = checkouts("deploy '/srv/www/a' do\n  repository 'https://example.org/a'\nend\n");
    let root = |folder: &str| known(&checkout::bypassed_release(&rows, folder));
    assert_eq!(root("/srv/www/a").as_deref(), Some("/srv/www/a"));
    assert_eq!(root("/srv/www/a/src/").as_deref(), Some("/srv/www/a"));
    for fine in ["/srv/www/a/current", "/srv/www/a/current/src", "/srv/www/a/shared", "/srv/www/ab", "/srv"] {
        assert_eq!(root(fine), None, "{fine}");
    }
    let rows = checkouts("deploy node['x'] do\n  repository 'https://example.org/a'\nend\n");
    assert!(checkout::bypassed_release(&rows, "/srv/www/a").is_unknown());
    assert_eq!(checkout::bypassed_release(&rows, "/srv/www/a/current").answer, Answer::Absent);
}

#[test]
fn the_stacks_json_supplies_apps() {
    let recipe = "node[:deploy].each do |app, deploy|\n  git deploy[:deploy_to] do\n    repository deploy[:scm][:repository]\n  end\nend\n";
    let json =
        r#"{"deploy": {"shop": {"deploy_to": "/srv/www/shop", "scm": {"repository": "git@example.org:shop.git"}}}}"#;
    let files = [("a/metadata.rb", "name 'a'"), ("a/recipes/default.rb", recipe)];
    let chef = read_tree(&files, None);
    assert!(chef.checkouts[0].over_ssh.is_unknown());
    let chef = read_tree(&[files[0], files[1], ("stack.json", json)], None);
    assert_eq!(known(&chef.checkouts[0].over_ssh), Some(true));
    assert_eq!(known(&chef.checkouts[0].destination).as_deref(), Some("/srv/www/shop"));
}

#[test]
fn named_json_supplies_attributes() {
    let dna = ("ops/dna.json", r#"{"shop": {"dir": "/opt/shop/"}, "x": 8080}"#);
    let chef = read_tree_with(&[&SHOP[..], &[dna]].concat(), None, &["ops/dna.json"]);
    let ini = chef.deployed.iter().find(|one| one.kind == "template").unwrap();
    assert_eq!(chef.evaluate(ini, "@port"), Answer::Known("8080".to_owned()));
    assert_eq!(chef.evaluate(ini, "node['shop']['dir']"), Answer::Known("/opt/shop/".to_owned()));
}

#[test]
fn what_a_role_or_an_environment_sets_is_not_overlooked() {
    let cookbook = [
        ("cookbooks/web/metadata.rb", "name 'web'\nversion '0.1.0'\n"),
        ("cookbooks/web/attributes/default.rb", "default['web']['workers'] = 1\ndefault['web']['socket'] = '/run/a'\n"),
        ("cookbooks/web/recipes/default.rb", "template '/etc/web.ini' do\n  source 'web.ini.erb'\nend\n"),
        ("cookbooks/web/templates/default/web.ini.erb", "x"),
    ];
    let printed = |more: &[(&str, &str)], code: &str| {
        let chef = read_tree(&[&cookbook[..], more].concat(), None);
        match chef.evaluate(&chef.deployed[0], code) {
            Answer::Known(text) => Some(text),
            _ => None,
        }
    };
    let workers = "node['web']['workers']";
    let role = |text| [("roles/web.rb", text)];
    assert_eq!(printed(&[], workers).as_deref(), Some("1"));
    assert_eq!(printed(&role("name 'web'\ndefault_attributes 'web' => { 'workers' => 8 }\n"), workers), None);
    assert_eq!(printed(&role("override_attributes({ web: { workers: 8 } })\n"), workers), None);
    assert_eq!(printed(&role("override_attributes 'web' => { 'workers' => 1 }\n"), workers).as_deref(), Some("1"));
    let other = role("default_attributes 'web' => { 'socket' => '/run/b' }\n");
    assert_eq!(printed(&other, workers).as_deref(), Some("1"));
    let json = "{\"name\": \"production\", \"override_attributes\": {\"web\": {\"workers\": 8, \"url\": \"x\"}}}";
    let environment = [("environments/production.json", json)];
    assert_eq!(printed(&environment, workers), None);
    assert_eq!(printed(&environment, "node['web']['url']").as_deref(), Some("x"));
}
