//! What `why` says first of each text that the programs of the stack are known for.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;

use crate::engine::why::leads;
use crate::rule::page;
use crate::source::{Origin, Sources};

/// A line, and the page that must come first; several where the line alone does not tell them apart.
const LINES: &[(&str, &str)] = &[
    (
        "[pid: 1|app: 0|req: 1/1] 10.0.0.9 () {40 vars in 600 bytes} [Tue Nov 24 03:12:07 2026] GET / => generated 0 bytes in 9 msecs (HTTP/1.1 500) 0 headers in 0 bytes (0 switches on core 0)",
        "app/exceptions-escape",
    ),
    (
        "2026/11/24 03:12:07 [error] 811#811: *41 upstream prematurely closed connection while reading response header from upstream, client: 10.0.0.9",
        "workers/no-answer|link/protocol-mismatch",
    ),
    (
        "2026/11/24 03:12:07 [error] 811#811: *41 upstream prematurely closed connection while reading upstream, client: 10.0.0.9",
        "workers/no-answer",
    ),
    (
        "connect() to unix:/run/shop/uwsgi.sock failed (111: Connection refused) while connecting to upstream",
        "socket/stale",
    ),
    (
        "connect() to unix:/run/shop/uwsgi.sock failed (2: No such file or directory) while connecting to upstream",
        "uwsgi/not-running|link/socket-not-the-same",
    ),
    (
        "connect() to unix:/run/shop/uwsgi.sock failed (13: Permission denied) while connecting to upstream",
        "socket/not-permitted",
    ),
    (
        "connect() to unix:/run/shop/uwsgi.sock failed (11: Resource temporarily unavailable) while connecting to upstream",
        "socket/queue-full",
    ),
    (
        "upstream timed out (110: Connection timed out) while reading response header from upstream",
        "link/timeout-order",
    ),
    ("upstream sent too big header while reading response header from upstream", "link/response-header-too-big"),
    ("DAMN ! worker 1 (pid: 823) died :( trying respawn ...", "workers/app-exits"),
    ("DAMN ! worker 1 (pid: 823) died, killed by signal 9 :( trying respawn ...", "workers/killed"),
    ("*** HARAKIRI ON WORKER 1 (pid: 823, try: 1) ***", "workers/harakiri"),
    ("!!! uWSGI process 823 got Segmentation Fault !!!", "workers/segmentation-fault"),
    ("--- no python application found, check your startup logs for errors ---", "import/callable-not-found"),
    ("unable to load app 0 (mountpoint='') (callable not found or import error)", "import/callable-not-found"),
    ("*** no app loaded. going in full dynamic mode ***", "import/callable-not-found|uwsgi/no-need-app"),
    ("*** no app loaded. GAME OVER ***", "import/callable-not-found"),
    ("need-app requested, destroying the instance...", "import/callable-not-found"),
    ("ModuleNotFoundError: No module named 'flask'", "import/module-not-found"),
    (
        "ModuleNotFoundError: No module named 'app.py'; 'app' is not a package",
        "uwsgi/module-names-a-file|import/module-not-found",
    ),
    ("ModuleNotFoundError: No module named 'encodings'", "import/virtualenv-unusable"),
    ("!!! Python Home is not a directory: /srv/shop/venv !!!", "import/virtualenv-unusable"),
    ("*** Python threads support is disabled. You can enable it with --enable-threads ***", "uwsgi/threads-disabled"),
    ("no request plugin is loaded, you will not be able to manage requests.", "import/plugin-missing"),
    ("-- unavailable modifier requested: 0 --", "import/plugin-missing"),
    (
        "!!! UNABLE to load uWSGI plugin: ./python3_plugin.so: cannot open shared object file: No such file or directory !!!",
        "import/plugin-missing",
    ),
    ("/usr/bin/uwsgi: unrecognized option '--wsgi-file'", "import/plugin-missing"),
    (r#"*** WARNING: Can't find section "uwsgi" in INI configuration file shop.ini ***"#, "uwsgi/section-not-read"),
    ("The -s/--socket option is missing and stdin is not a socket.", "uwsgi/file-not-loaded|uwsgi/section-not-read"),
    ("[strict-mode] unknown config directive: lazy-app", "uwsgi/not-in-target-version|uwsgi/unknown-option"),
    ("recursive logic in options is not supported (option = if-env)", "uwsgi/block-nested"),
    (
        "realpath() of base.ini failed: No such file or directory [core/utils.c line 3662]",
        "uwsgi/include-depends-on-folder|upstart/relative-path|uwsgi/placeholder-not-expanded",
    ),
    ("unable to load configuration from shop.conf", "uwsgi/file-not-loaded"),
    ("probably another instance of uWSGI is running on the same address (127.0.0.1:3031).", "uwsgi/address-in-use"),
    ("bind(): Address already in use [core/socket.c line 769]", "uwsgi/address-in-use"),
    ("bind(): Permission denied [core/socket.c line 230]", "uwsgi/socket-folder-not-writable"),
    ("bind(): No such file or directory [core/socket.c line 230]", "uwsgi/directory-missing"),
    (r#"open("/run/shop/uwsgi.pid"): Permission denied [core/utils.c line 3585]"#, "uwsgi/pid-file-not-writable"),
    ("Listen queue size is greater than the system max net.core.somaxconn (4096).", "uwsgi/listen-above-somaxconn"),
    (r#"*** uWSGI listen queue of socket "/run/shop/uwsgi.sock" (fd: 3) full !!! (101/100) ***"#, "socket/queue-full"),
    ("invalid request block size: 21573 (max 4096)...skip", "link/protocol-mismatch"),
    ("invalid request block size: 4161 (max 4096)...skip", "link/header-buffer-smaller"),
    (
        "recv() failed (104: Connection reset by peer) while reading response header from upstream",
        "link/header-buffer-smaller",
    ),
    ("invalid chmod value: 0o666", "uwsgi/bad-socket-mode"),
    ("uwsgi: user shop not found.", "uwsgi/user-not-found"),
    ("group shop not found.", "uwsgi/user-not-found"),
    ("cannot setuid() as non-root user", "uwsgi/uid-without-root"),
    ("chdir(): No such file or directory [core/uwsgi.c line 2623]", "uwsgi/directory-missing"),
    ("invalid cheaper value: must be lower than processes", "uwsgi/cheaper-not-below-workers"),
    ("...brutally killing workers...", "supervision/stop-reloads"),
    (
        "SIGPIPE: writing to a closed pipe/socket/fd (probably the client disconnected) on request /report (ip 10.0.0.9) !!!",
        "link/timeout-order",
    ),
    (
        "uwsgi_response_writev_headers_and_body_do(): Broken pipe [core/writer.c line 306] during GET /report (10.0.0.9)",
        "link/timeout-order",
    ),
    ("OSError: write error", "link/timeout-order"),
    (
        "worker respawning too fast !!! i have to sleep a bit (2 seconds)...",
        "workers/app-exits|uwsgi/memory-limit-out-of-range",
    ),
    ("*** WARNING: you are running uWSGI without its master process manager ***", "uwsgi/no-master"),
    ("[ERROR] Unhandled object from iterator: 'owls' (0x7f0)", "app/returns-text"),
    (
        "psycopg2.OperationalError: SSL SYSCALL error: EOF detected",
        "uwsgi/pool-shared-by-forks|database/connection-stale",
    ),
    ("psycopg2.OperationalError: SSL error: decryption failed or bad record mac", "uwsgi/pool-shared-by-forks"),
    ("SSL error: sslv3 alert bad record mac", "uwsgi/pool-shared-by-forks"),
    (
        "psycopg2.DatabaseError: error with status PGRES_TUPLES_OK and no message from the libpq",
        "uwsgi/pool-shared-by-forks",
    ),
    (
        "sqlalchemy.exc.ResourceClosedError: This result object does not return rows. It has been closed automatically.",
        "uwsgi/pool-shared-by-forks",
    ),
    (
        "psycopg2.OperationalError: server closed the connection unexpectedly",
        "uwsgi/pool-shared-by-forks|database/connection-stale",
    ),
    (r#"lost synchronization with server: got message type "D", length 1"#, "uwsgi/pool-shared-by-forks"),
    ("psycopg2.InterfaceError: connection already closed", "database/connection-stale"),
    ("psycopg2.OperationalError: SSL connection has been closed unexpectedly", "database/connection-stale"),
    (
        "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00",
        "database/pool-exhausted",
    ),
    ("FATAL:  sorry, too many clients already", "database/too-many-connections"),
    (r#"FATAL:  too many connections for role "shop""#, "database/too-many-connections"),
    (r#"connection to server at "10.4.0.12", port 5432 failed: Connection refused"#, "database/refused"),
    (r#"could not translate host name "db.shop.example" to address: Name or service not known"#, "dns/no-such-host"),
    (
        r#"could not translate host name "db.shop.example" to address: Temporary failure in name resolution"#,
        "dns/resolver-dead",
    ),
    (
        r#"connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: No such file or directory"#,
        "database/socket-missing",
    ),
    (r#"FATAL:  password authentication failed for user "shop""#, "database/login-rejected"),
    ("fe_sendauth: no password supplied", "database/no-password"),
    (r#"FATAL:  database "shop" does not exist"#, "database/no-such-database"),
    (r#"FATAL:  role "shop" does not exist"#, "database/login-rejected"),
    (
        r#"FATAL:  pg_hba.conf rejects connection for host "10.0.1.17", user "shop", database "shop", no encryption"#,
        "database/host-not-allowed",
    ),
    (
        r#"FATAL:  no pg_hba.conf entry for host "10.0.1.17", user "shop", database "shop", SSL encryption"#,
        "database/host-not-allowed",
    ),
    ("sqlalchemy.exc.ArgumentError: Expected string or URL object, got None", "env/not-provided"),
    (
        "sqlalchemy.exc.ArgumentError: Could not parse SQLAlchemy URL from given URL string",
        "env/empty|uwsgi/env-value-quoted",
    ),
    (
        "sqlalchemy.exc.NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:postgres",
        "database/url-scheme-removed",
    ),
    ("AttributeError: 'NoneType' object has no attribute 'drivername'", "env/not-provided"),
    ("RuntimeError: Either 'SQLALCHEMY_DATABASE_URI' or 'SQLALCHEMY_BINDS' must be set.", "env/not-provided"),
    (
        r#"psycopg2.ProgrammingError: invalid dsn: missing "=" after "postgresql+psycopg2://shop@db/shop" in connection info string"#,
        "database/url-given-to-libpq",
    ),
    (
        "psycopg2.errors.InFailedSqlTransaction: current transaction is aborted, commands ignored until end of transaction block",
        "database/transaction-aborted",
    ),
    (
        "django.core.exceptions.ImproperlyConfigured: Requested setting DATABASES, but settings are not configured.",
        "app/settings-not-configured",
    ),
    (
        r#"django.db.utils.OperationalError: connection to server at "10.4.0.12", port 5432 failed: Connection refused"#,
        "database/refused",
    ),
    (
        "Invalid HTTP_HOST header: 'shop.example'. You may need to add 'shop.example' to ALLOWED_HOSTS.",
        "app/host-not-allowed",
    ),
    ("KeyError: 'DATABASE_URL'", "env/not-provided"),
    (
        "*** if you want your workers to be automatically respawned consider enabling the uWSGI master process ***",
        "uwsgi/harakiri-without-master",
    ),
    (
        "Chef::Exceptions::CookbookNotFound: Cookbook thena-infra not found. If you're loading thena-infra from another cookbook, make sure you configure the dependency in your metadata",
        "cookbook/dependency-not-fetched|cookbook/nested-under-cookbooks",
    ),
    (
        "Could not open or read: '/opt/aws/opsworks/current/site-cookbooks/metadata.rb'",
        "cookbook/berksfile-metadata-missing",
    ),
    ("The directory /srv/chef/site-cookbooks does not contain a cookbook", "cookbook/berksfile-metadata-missing"),
    ("No Berksfile or Berksfile.lock found at '/opt/aws/opsworks/current/site-cookbooks'!", "cookbook/no-berksfile"),
    (
        "Your Berksfile does not define any API sources! You must define at least one source in order to download cookbooks.",
        "cookbook/berksfile-source-dead",
    ),
    (
        "Your Berksfile contains a site location pointing to the Opscode Community Site (site :opscode).",
        "cookbook/berksfile-source-dead",
    ),
    (
        "In your Berksfile, you have: cookbook 'shop' But that cookbook is actually named 'store'",
        "cookbook/berksfile-duplicate",
    ),
    (
        "Your Berksfile contains multiple entries named 'nginx'. Please remove duplicate dependencies, or put them in different groups.",
        "cookbook/berksfile-duplicate",
    ),
    ("Unable to find a solution for demands: nginx (>= 9.0.0)", "cookbook/dependency-declared-apart"),
    ("Berkshelf could not find compatible versions for cookbook 'nginx':", "cookbook/dependency-declared-apart"),
    (
        "undefined method `source_url' for #<Ridley::Chef::Cookbook::Metadata:0x007f>",
        "cookbook/field-unknown-to-target",
    ),
    (
        "MissingCookbookDependency: Recipe `nginx::default` is not in the run_list, and cookbook 'nginx' is not a dependency of any cookbook in the run_list.",
        "cookbook/include-without-depends",
    ),
    ("Chef::Exceptions::RecipeNotFound: could not find recipe deploy for cookbook shop", "cookbook/recipe-not-found"),
    (
        "Chef::Exceptions::FileNotFound: Cookbook 'shop' (0.1.0) does not contain a file at any of these locations:",
        "cookbook/file-not-found",
    ),
    (
        "Cookbook loaded at path [/srv/shop] has invalid metadata: The `name' attribute is required in cookbook metadata",
        "cookbook/metadata-without-name",
    ),
    (
        "Cookbook merging is no longer supported, the cookbook named nginx can only appear once in the cookbook_path",
        "cookbook/name-given-twice",
    ),
    ("Chef::Exceptions::Service: /etc/init.d/thena-uwsgi does not exist!", "recipe/upstart-job-without-provider"),
    (
        "/usr/sbin/update-rc.d -n -f thena-uwsgi failed - #<struct Struct::StatusStub success?=false>",
        "recipe/upstart-job-without-provider",
    ),
    ("Permission denied (publickey).", "recipe/ssh-without-key"),
    ("fatal: Could not read from remote repository.", "recipe/ssh-without-key"),
    ("Kitchen::UserError: Kitchen YAML file /srv/chef/.kitchen.yml does not exist.", "cookbook/kitchen-elsewhere"),
];

/// A log of `shared/truth/logs`, and the page that must come first; none where nothing in it went wrong.
const LOGS: &[(&str, &str)] = &[
    ("debian_no_plugin.log", "import/plugin-missing"),
    ("harakiri_no_master.log", "uwsgi/no-master"),
    ("needapp_lazyapps_badimport.log", "import/module-not-found"),
    ("plain_shared.log", "uwsgi/pool-shared-by-forks"),
    ("postgres_tail.log", "database/too-many-connections"),
    ("raw_plain.head.log", ""),
    ("raw_ssl.head.log", "uwsgi/pool-shared-by-forks"),
    ("ssl_lazy.log", ""),
    ("ssl_shared.log", "uwsgi/pool-shared-by-forks"),
];

fn first(log: &[u8]) -> String {
    let pages = page::built_in().unwrap();
    let mut sources = Sources::default();
    let log = sources.add("log", log.to_vec(), Origin::Probe);
    let leads = leads(log, &sources, &pages).unwrap();
    leads.first().map(|lead| lead.page.id.clone()).unwrap_or_default()
}

#[test]
fn every_known_line_leads_to_its_page_first() {
    let wrong: Vec<String> = LINES
        .iter()
        .filter_map(|(line, wanted)| {
            let first = first(format!("{line}\n").as_bytes());
            let is_it = wanted.split('|').any(|wanted| wanted == first);
            (!is_it).then(|| format!("{line}\n  {first:?}, not {wanted}"))
        })
        .collect();
    println!("{} of {} known lines lead to their page first", LINES.len() - wrong.len(), LINES.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_real_log_leads_to_its_cause_first() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/truth/logs");
    if !folder.is_dir() {
        println!("no shared/truth/logs here: left out");
        return;
    }
    for (name, wanted) in LOGS {
        assert_eq!(first(&std::fs::read(folder.join(name)).unwrap()), *wanted, "{name}");
    }
}
