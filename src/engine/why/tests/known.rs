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
    (
        "nginx: [emerg] open() \"/etc/nginx/sites-enabled/shop\" failed (2: No such file or directory) in /etc/nginx/nginx.conf:62",
        "front/included-file-missing",
    ),
    (
        "nginx: [emerg] cannot load certificate \"/etc/letsencrypt/live/x/fullchain.pem\": BIO_new_file() failed (SSL: error:02001002:system library:fopen:No such file or directory)",
        "front/certificate-unusable",
    ),
    (
        "nginx: [emerg] SSL_CTX_use_PrivateKey_file(\"/etc/ssl/x.key\") failed (SSL: error:0B080074:x509 certificate routines:X509_check_private_key:key values mismatch)",
        "front/certificate-unusable",
    ),
    (
        "nginx: [emerg] a duplicate default server for 0.0.0.0:80 in /etc/nginx/sites-enabled/shop:2",
        "nginx/duplicate-directive",
    ),
    ("nginx: [warn] conflicting server name \"shop.example\" on 0.0.0.0:80, ignored", "nginx/conflicting-server-name"),
    ("nginx: [emerg] unexpected end of file, expecting \"}\" in /etc/nginx/sites-enabled/shop:30", "nginx/syntax"),
    (
        "nginx: [emerg] \"upstream\" directive is not allowed here in /etc/nginx/sites-enabled/shop:3",
        "nginx/directive-not-allowed-here",
    ),
    (
        "2026/01/02 03:04:05 [crit] 7#7: *1 pwrite() \"/var/lib/nginx/body/0000000001\" failed (28: No space left on device)",
        "resources/disk-full",
    ),
    (
        "/srv/shop/venv/bin/uwsgi: error while loading shared libraries: libpcre.so.3: cannot open shared object file: No such file or directory",
        "import/library-missing",
    ),
    ("[emperor-tyrant] invalid permissions for vassal searx.ini", "uwsgi/vassal-refused"),
    ("uWSGI listen queue of socket \"/tmp/x.sock\" (fd: 3) full !!! (101/100)", "socket/queue-full"),
    (
        "error removing unix socket, unlink(): Permission denied [core/socket.c line 198]",
        "uwsgi/socket-folder-not-writable",
    ),
    ("open(\"/var/log/uwsgi/shop.log\"): Permission denied [core/logging.c line 288]", "uwsgi/log-not-writable"),
    ("open(\"/run/uwsgi/shop.pid\"): No such file or directory [core/utils.c line 3654]", "uwsgi/directory-missing"),
    (
        "open(\"/usr/lib/uwsgi/plugins/python_plugin.so\"): No such file or directory [core/utils.c line 3686]",
        "import/plugin-missing",
    ),
    ("setgid(): Operation not permitted [core/uwsgi.c line 1506]", "uwsgi/uid-without-root"),
    (
        "ImportError: cannot import name 'soft_unicode' from 'markupsafe' (/srv/v/markupsafe/__init__.py)",
        "import/wrong-version",
    ),
    ("AttributeError: module 'collections' has no attribute 'MutableMapping'", "import/wrong-version"),
    ("SyntaxError: invalid syntax", "import/does-not-parse"),
    ("django.core.exceptions.ImproperlyConfigured: Set the SECRET_KEY environment variable", "env/not-provided"),
    ("KeyError: 'SECRET_KEY'", "env/not-provided"),
    (
        "decouple.UndefinedValueError: SECRET_KEY not found. Declare it as envvar or define a default value.",
        "env/not-provided",
    ),
    (
        "RuntimeError: The session is unavailable because no secret key was set.  Set the secret_key on the application to something unique and secret.",
        "env/not-provided",
    ),
    ("sqlalchemy.exc.ArgumentError: Could not parse SQLAlchemy URL from string 'None'", "env/read-as-none"),
    (
        "psycopg2.OperationalError: connection to server at \"10.0.0.5\", port 5432 failed: FATAL:  role \"shop\" is not permitted to log in",
        "database/login-rejected",
    ),
    ("psycopg2.OperationalError: FATAL:  permission denied for database \"shop\"", "database/login-rejected"),
    ("psycopg2.OperationalError: SCRAM authentication requires libpq version 10 or above", "database/client-too-old"),
    ("psycopg2.errors.InsufficientPrivilege: permission denied for table orders", "database/not-permitted"),
    ("psycopg2.errors.ReadOnlySqlTransaction: cannot execute INSERT in a read-only transaction", "database/read-only"),
    (
        "sqlalchemy.exc.PendingRollbackError: Can't reconnect until invalid transaction is rolled back.",
        "database/transaction-aborted",
    ),
    ("FATAL:  terminating connection due to idle-in-transaction timeout", "database/connection-stale"),
    ("FATAL:  data directory \"/var/lib/postgresql/15/main\" has invalid permissions", "database/does-not-start"),
    ("FATAL:  lock file \"postmaster.pid\" already exists", "database/does-not-start"),
    ("LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use", "database/does-not-start"),
    ("PANIC:  could not write to file \"pg_wal/xlogtemp.77\": No space left on device", "resources/disk-full"),
    ("systemd[1]: shop.service: A process of this unit has been killed by the OOM killer.", "workers/killed"),
    ("systemd[1]: shop.service: start operation timed out. Terminating.", "systemd/start-times-out"),
    ("init: shop respawning too fast, stopped", "upstart/respawned-too-fast"),
    (
        "directory[/srv/x] (shop::default line 3) had an error: cannot determine user id for 'deploy', does the user exist on this system?",
        "recipe/user-not-there",
    ),
    (
        "template[/etc/uwsgi/shop.ini] (shop::default line 3) had an error: Parent directory /etc/uwsgi does not exist.",
        "recipe/folder-not-there",
    ),
    ("Chef::Exceptions::Package: No candidate version available for nginx", "recipe/package-not-found"),
    ("Net::HTTPServerException: 412 \"Precondition Failed\"", "cookbook/dependency-not-fetched"),
    ("No such cookbook: logrotate", "cookbook/dependency-not-fetched"),
    (
        "Unable to satisfy constraints on package apt due to solution constraint (shop = 0.1.0)",
        "cookbook/dependency-declared-apart",
    ),
    (
        "The resource at '/srv/shop' does not appear to be a valid cookbook. Does it have a metadata.rb?",
        "cookbook/no-metadata",
    ),
    ("ERROR: Repository not found.", "recipe/ssh-without-key"),
    ("fatal: detected dubious ownership in repository at '/srv/shop'", "recipe/checkout-of-another-user"),
    (
        "2026/01/02 03:04:05 [error] 7#7: *1 open() \"/usr/share/nginx/html/favicon.ico\" failed (2: No such file or directory), client: 10.0.0.9",
        "",
    ),
    ("2026/01/02 03:04:05 [error] 7#7: *1 directory index of \"/srv/www/shop/\" is forbidden, client: 10.0.0.9", ""),
    ("*** uWSGI is running in multiple interpreter mode ***", ""),
    ("thunder lock: disabled (you can enable it with --thunder-lock)", ""),
    ("[uWSGI] getting INI configuration from /etc/uwsgi/shop.ini", ""),
    ("[emperor] removed uwsgi instance shop.ini", ""),
    ("init: shop main process (77) terminated with status 1", ""),
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
