//! What is a secret and what is not, and that a planted one never survives.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::Secrets;

fn masked(text: &str) -> String {
    let masked = Secrets::default().mask(text).into_owned();
    assert_eq!(masked.len(), text.len(), "{text}");
    masked
}

/// Each line holds `hunter2!` once as a secret, and nothing else of it may go.
const HOLDERS: &[&str] = &[
    "DATABASE_URL=postgres://thena:hunter2!@db.internal:5432/app",
    "env = DATABASE_URL=postgresql+psycopg2://thena:hunter2!@db/app",
    "SQLALCHEMY_DATABASE_URI = 'postgresql://thena:hunter2!@localhost/app'",
    "env DB_PASSWORD=\"hunter2!\"",
    "env DB_PASSWORD=hunter2!",
    "export DB_PASSWORD='hunter2!'",
    "export DB_PASSWORD=hunter2!  # rotated in May",
    "env = SECRET_KEY=hunter2!",
    "Environment=\"SECRET_KEY=hunter2!\"",
    "Environment=SECRET_KEY=hunter2!",
    "  password: hunter2!",
    "  - DB_PASSWORD=hunter2!",
    "password = \"hunter2!\"",
    "default['thena']['database']['password'] = 'hunter2!'",
    "default[:thena][:api_key] = 'hunter2!'",
    "node.override['db']['secret'] = \"hunter2!\"",
    "  :password => 'hunter2!',",
    "SECRET_KEY = 'hunter2!'",
    "SECRET_KEY = b'hunter2!'",
    "app.config['SECRET_KEY'] = 'hunter2!'",
    "SECRET_KEY = os.environ.get('SECRET_KEY', 'hunter2!')",
    "  \"password\": \"hunter2!\",",
    "{\"db\":{\"api_key\":\"hunter2!\",\"host\":\"db\"}}",
    "msg=\"{\\\"password\\\":\\\"hunter2!\\\"}\"",
    "uwsgi_param DB_PASSWORD hunter2!;",
    "fastcgi_param SECRET_KEY \"hunter2!\";",
    "host=db user=thena password=hunter2! dbname=app",
    "DSN = 'host=db user=thena password=hunter2! dbname=app'",
    "Authorization: Bearer hunter2!",
    "proxy_set_header Authorization \"Basic hunter2!\";",
    "HTTP_AUTHORIZATION=Bearer hunter2!",
    "Cookie: hunter2!",
    "add_header Set-Cookie \"hunter2!\";",
    "redis://:hunter2!@cache:6379/0",
    "db.internal:5432:app:thena:hunter2!",
    "10.0.0.1 - - [x] \"GET /login?next=hunter2! HTTP/1.1\" 200 1 \"-\"",
    "GET /login?hunter2! => generated 98 bytes",
    "referrer: \"https://thena.example/a?hunter2!\"",
    "GITHUB_TOKEN=hunter2!",
    "# old: DB_PASSWORD=hunter2!",
    "env = DBPASS=hunter2!",
    "DB_PW=hunter2!",
    "JWT_KEY: hunter2!",
    "  password 'hunter2!'",
    "SECRET_KEY = (\n    'hunter2!'\n)",
    "SECRET_KEY = \\\n    'hunter2!'",
    "default['db']['password'] =\n  'hunter2!'",
    "password: >-\n  hunter2!",
    "\"password\":\n  \"hunter2!\",",
    "route = .* basicauth:realm,user:hunter2!",
    "exec = mysql -u shop -phunter2! shop",
    "mysqldump -h db -p'hunter2!' shop > dump.sql",
    "cron2 = curl -fsS -u shop:hunter2! https://shop.example/tick",
    "curl --user \"shop:hunter2!\" https://shop.example/",
    "sshpass -p hunter2! ssh shop.example",
    "redis-cli -h cache -a hunter2! ping",
    "smart-attach-daemon = /run/q.pid redis-server --requirepass hunter2!",
    "env = API_TOKEN hunter2!",
    "<password>hunter2!</password>",
    "  <db:password type=\"plain\">hunter2!</db:password>",
    "<add key=\"DbPassword\" value=\"hunter2!\"/>",
    "<env name='SECRET_KEY' value='hunter2!' />",
];

/// Where a comment follows, or a whole query string is the secret, the mask takes more.
const TAKES_MORE: &[&str] = &[
    "export DB_PASSWORD=hunter2!  # rotated in May",
    "10.0.0.1 - - [x] \"GET /login?next=hunter2! HTTP/1.1\" 200 1 \"-\"",
];

#[test]
fn every_holder_loses_its_secret_and_nothing_else() {
    for line in HOLDERS {
        let masked = masked(line);
        assert!(!masked.contains("hunter2"), "{masked}");
        assert!(TAKES_MORE.contains(line) || masked == line.replace("hunter2!", "********"), "{masked}");
    }
}

#[test]
fn passwords_with_unescaped_marks() {
    assert_eq!(masked("postgres://u:p@ss@db/app"), "postgres://u:****@db/app");
    assert_eq!(masked("postgres://u:p:a#s@s@db:5432/app"), "postgres://u:*******@db:5432/app");
    assert_eq!(masked("x = 'postgres://u:p/w@db/app'"), "x = 'postgres://u:***@db/app'");
    assert_eq!(
        masked("https://0123456789abcdef0123@github.com/x.git"),
        "https://********************@github.com/x.git"
    );
}

#[test]
fn what_is_no_secret_stays() {
    for line in [
        "password_file = /etc/thena/password",
        "password: \"{{ db_password }}\"",
        "env = SECRET_KEY=$(SECRET_KEY)",
        "DB_PASSWORD=${DB_PASSWORD}",
        "env = DB_PASSWORD=<%= node['thena']['password'] %>",
        "url = postgres://u:<%= node['db']['password'] %>@db/app",
        "url = f\"postgres://{os.environ['DB_USER']}:{os.environ['DB_PASSWORD']}@{env('DB_HOST')}/app\"",
        "url = f'postgres://u:{quote_plus(config[\"db\"].password)}@db/app'",
        "SECRET_KEY = os.environ['SECRET_KEY']",
        "secret_key = node['thena']['secret']",
        "'PASSWORD': None,",
        "token: null",
        "password = ''",
        "proxy_pass http://127.0.0.1:8080/a@b;",
        "uwsgi_pass unix:///run/thena.sock;",
        "proxy_set_header Cookie $http_cookie;",
        "proxy_set_header Authorization \"\";",
        "ssl_certificate_key /etc/ssl/private/thena.key;",
        "git@github.com:thena/app.git and ssh://git@github.com/thena/app",
        "server_tokens off;",
        "PWD=/srv/thena",
        "FATAL: password authentication failed for user \"thena\"",
        "/etc/passwd: permission denied",
        "max_tokens: 5",
        "app.py:12:5: error[x]: nothing",
        "-----BEGIN CERTIFICATE-----",
        "httpw = 1",
        "if not password:\n    raise ValueError(x)",
        "'token': [\n  'name': 'x'",
        "password node['db']['password']",
        "# the password 'x' is not here",
    ] {
        assert_eq!(masked(line), line);
    }
}

#[test]
fn private_keys_lose_their_body_only() {
    let key = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKCAQEA1c7+9z5Pad7OejecsQ0b\n-----END RSA PRIVATE KEY-----\nb = 1\n";
    let shown = masked(key);
    assert_eq!(shown.lines().nth(2), Some("******"));
    assert!(shown.ends_with("-----END RSA PRIVATE KEY-----\nb = 1\n") && !shown.contains("IBAA"), "{shown}");
    let cut = masked("-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA1c7\nserver { listen 80; }\n");
    assert!(!cut.contains("MIIE") && cut.ends_with("server { listen 80; }\n"), "{cut}");
    let json =
        masked(r#"{"k": "-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA1c7\n-----END PRIVATE KEY-----\n", "b": 1}"#);
    assert!(!json.contains("MIIE") && json.ends_with(r#""b": 1}"#), "{json}");
}

#[test]
fn a_harvested_secret_is_masked_in_every_form() {
    let secrets = Secrets::harvest(["url = postgres://thena:p%40ss/word9@db/app\n", "SECRET_KEY = 'tr0ub4dor&3'\n"]);
    for (text, gone) in [
        ("the worker said p@ss/word9 twice", "word9"),
        ("encoded p%40ss%2Fword9", "word9"),
        ("could not translate host name \"ss/word9@db\"", "word9"),
        ("Basic dGhlbmE6dHIwdWI0ZG9yJjM=", "dHIwdWI0ZG9yJj"),
        ("tr0ub4dor%263", "tr0ub4dor"),
        ("it was tr0ub4dor&3", "tr0ub4dor"),
    ] {
        let masked = secrets.mask(text);
        assert!(!masked.contains(gone) && masked.len() == text.len(), "{masked}");
    }
    assert_eq!(secrets.mask("thena and word and db"), "thena and word and db");
}

#[test]
fn a_password_that_is_a_word_of_the_config_does_not_blank_it() {
    for word in ["master", "socket", "uwsgi_pass", "password"] {
        let secrets = Secrets::harvest([format!("DB_PASSWORD={word}\n").as_str()]);
        let line = format!("uwsgi says: {word} is there");
        assert_eq!(secrets.mask(&line), line);
        assert!(!secrets.mask(&format!("DB_PASSWORD={word}")).contains(&format!("={word}")));
    }
}

#[test]
fn a_password_that_is_a_word_is_masked_where_it_stands_alone() {
    let secrets = Secrets::harvest(["DB_PASSWORD=tomcat\n"]);
    for hidden in [
        "login with tomcat failed",
        "parameters: ('thena', 'tomcat')",
        "could not translate host name \"thena:tomcat@db\"",
        "pw%3Dtomcat%26x",
        "{\"text\": \"pw:\\ntomcat\\n\"}",
        "Basic dTp0b21jYXQ=",
    ] {
        let masked = secrets.mask(hidden);
        assert!(masked != hidden && !masked.contains("tomcat") && !masked.contains("dG9tY2F0"), "{masked}");
        assert_eq!(masked.len(), hidden.len());
    }
    for shown in
        ["/opt/tomcat/conf/server.xml", "tomcat8.service is up", "open(\"/var/log/tomcat/a.log\")", "mytomcat_1"]
    {
        assert_eq!(secrets.mask(shown), shown);
    }
    let mut stand_ins = super::StandIns::default();
    let redacted = secrets.redact("DB_PASSWORD=tomcat\nchdir = /opt/tomcat\n", &mut stand_ins).into_owned();
    assert!(redacted.ends_with("\nchdir = /opt/tomcat\n") && !redacted.contains("=tomcat"), "{redacted}");
}

fn password() -> impl Strategy<Value = String> {
    // Letters around, so that it is no placeholder and no `env.x`; any mark within, also the ones that break URLs.
    ("z[a-z]{2}", "[A-Za-z0-9@:#/!%$^*(){}?+=~_.-]{2,12}", "[0-9]{3}")
        .prop_map(|(head, middle, tail)| head + &middle + &tail)
}

proptest! {
    #[test]
    fn masking_keeps_the_length(text in "(?s).{0,200}") {
        let secrets = Secrets::harvest([text.as_str()]);
        prop_assert_eq!(secrets.mask(&text).len(), text.len());
        prop_assert_eq!(super::sanitise_equal(&text).len(), text.len());
    }

    #[test]
    fn a_planted_secret_never_survives(password in password(), holder in 0..HOLDERS.len(), before in "[ -~\n]{0,20}") {
        let planted = HOLDERS[holder].replace("hunter2!", &password);
        let text = format!("{before}\n{planted}\nlast line\n");
        let masked = masked(&text);
        prop_assert!(!masked.contains(&password), "{}", masked);
        prop_assert!(masked.ends_with("\nlast line\n"), "{}", masked);
    }

    #[test]
    fn a_harvested_secret_never_survives(password in password(), noise in "[ -~]{0,40}") {
        let secrets = Secrets::harvest([format!("password = '{password}'").as_str()]);
        let text = format!("{noise}{password}{noise}");
        prop_assert!(!secrets.mask(&text).contains(&password));
    }
}

#[test]
fn hostile_lines_take_linear_time() {
    let start = std::time::Instant::now();
    for piece in [
        "token ",
        "token=",
        "token='",
        "a://",
        "a://b:c@",
        "Cookie: ",
        "password:\"",
        "{{://",
        "-----BEGIN PRIVATE KEY-----",
        "GET ?",
        "pass:<%",
        "x-api-key: \"",
        "password: >\n",
        "password=\n'",
        "basicauth:,a:",
        "os.environ,'token=env(",
    ] {
        let line = piece.repeat(100_000 / piece.len());
        assert_eq!(Secrets::harvest([line.as_str()]).mask(&line).len(), line.len());
    }
    // Quadratic time would be minutes; this is what a loaded machine needs without optimisation, many times over.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
