//! The site works, and the last run of Chef did not: what was to be changed was not.

use super::{Fault, fault};
use crate::lab::{Lab, Plan};

pub const FAULTS: &[Fault] = &[
    fault("F78", "cookbook/nested-under-cookbooks", ("-01.log", "Cookbook thena-infra not found"), 200, f78),
    fault("F79", "recipe/ssh-without-key", ("client.log", "git@git.example.com"), 200, f79),
    fault("F80", "recipe/upstart-job-without-provider", ("client.log", "/etc/init.d/thena does not exist"), 200, f80),
];

/// OpsWorks' agent, whose cookbooks lie one folder too deep.
fn f78() -> Lab {
    let log = "[2026-11-25T09:00:00+00:00] INFO: *** Chef 11.10.4 ***\n\
        [2026-11-25T09:01:00+00:00] FATAL: Chef::Exceptions::CookbookNotFound: Cookbook thena-infra not found. If you're loading \
        thena-infra from another cookbook, make sure you configure the dependency in your metadata\n";
    let recipe = "opt/aws/opsworks/current/site-cookbooks/cookbooks/thena-infra/recipes/default.rb";
    let files = vec![
        ("var/lib/aws/opsworks/chef/2026-11-25-09-00-00-01.log", log.to_owned()),
        (recipe, "package 'nginx'\n".to_owned()),
    ];
    Lab::started(&Plan { files, ..Plan::healthy() })
}

/// A stack whose chef-client ended with these lines.
fn after_run(lines: &str) -> Lab {
    let log = format!("[2026-11-25T09:00:00+00:00] INFO: *** Chef 11.10.4 ***\n{lines}");
    let passwd = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n".to_owned();
    let files = vec![("var/log/chef/client.log", log), ("etc/passwd", passwd)];
    Lab::started(&Plan { files, ..Plan::healthy() })
}

/// git over SSH as root, whose home in the lab holds no key.
fn f79() -> Lab {
    after_run(
        "[2026-11-25T09:01:00+00:00] FATAL: Mixlib::ShellOut::ShellCommandFailed: deploy[/srv/www/thena] (thena::deploy line 3) had an \
         error: Mixlib::ShellOut::ShellCommandFailed: Expected process to exit with [0], but received '128'\n\
         ---- Begin output of git ls-remote \"git@git.example.com:owls/thena.git\" HEAD ----\nSTDOUT: \nSTDERR: Permission denied \
         (publickey).\r\nfatal: Could not read from remote repository.\n---- End output of git ls-remote ----\n",
    )
}

fn f80() -> Lab {
    after_run(
        "[2026-11-25T09:01:00+00:00] FATAL: Chef::Exceptions::Service: service[thena] (thena::uwsgi line 9) had an error: \
         Chef::Exceptions::Service: /etc/init.d/thena does not exist!\n",
    )
}
