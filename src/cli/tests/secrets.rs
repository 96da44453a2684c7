//! Secrets in inis come out of no command in no format.

use std::fs;

use super::{housecall, housecall_with};

/// Ways people write a secret into an ini, right and wrong; `SECRET` stands for another one each time.
const INI: &str = "[uwsgi]
socket = /run/shop.sock
env DATABASE_URL=\"postgres://shop:SECRET@db/shop\"
env = DB_PASSWORD=\"SECRET\"
env = SECRET_KEY = SECRET
env = API_TOKEN SECRET
env = DATABASE_URL=postgres://shop:SECRET%40@db/shop
export SECRET_KEY=SECRET
setenv DB_PASSWORD SECRET
db_password = SECRET
DB_PASSWORD: SECRET
processes = %(db_password)
harakiri = 30 ; password = SECRET
http-auto-gzip = true
route = ^/ basicauth:shop,user:SECRET
cron2 = curl -u shop:SECRET https://shop.example/tick
exec-pre-app = mysql -pSECRET -e 'select 1'
include = http://shop:SECRET@config/base.ini
smart-attach-daemon = /run/q.pid redis-server --requirepass SECRET
[other]
env = SECRET_KEY=SECRET
";

/// Each its own, so that none is masked only because it was found elsewhere.
fn planted(text: &str) -> String {
    let mut count = 0;
    let number = |part: &str| {
        count += 1;
        format!("hunter2x{count}y{part}")
    };
    // The names of variables stay as they are.
    let marked = text.replace("SECRET_KEY", "\u{1}");
    let mut parts = marked.split("SECRET");
    let first = parts.next().unwrap_or_default().to_owned();
    (first + &parts.map(number).collect::<String>()).replace('\u{1}', "SECRET_KEY")
}

#[test]
fn a_secret_in_an_ini_comes_out_of_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let ini = planted(INI);
    fs::write(folder.path().join("uwsgi.ini"), &ini).unwrap();
    let job = "start on runlevel [2345]\nenv SECRET_KEY=hunter2xjob\nexec uwsgi --ini uwsgi.ini --env DB_PASSWORD=hunter2xword\n";
    fs::write(folder.path().join("shop.conf"), job).unwrap();
    let root = folder.path().to_str().unwrap();
    let mut commands = vec![format!("facts {root}"), format!("facts {root}/uwsgi.ini")];
    for format in ["human", "concise", "json", "github", "sarif"] {
        commands.push(format!("lint {root} --min-severity note --format {format}"));
        commands.push(format!("lint {root}/uwsgi.ini --min-severity note --fail-on-unknown --format {format}"));
    }
    for command in commands {
        let (code, out, err) = housecall(&command);
        assert!(code < 2 && out.len() > 200, "{command}: {code} {err}");
        for line in out.lines().chain(err.lines()) {
            assert!(!line.contains("hunter2x"), "{command}: {line}");
        }
    }
    let (_, out, err) = housecall_with("lint - --stdin-filename x/uwsgi.ini --min-severity note", ini.as_bytes());
    assert!(out.len() > 200 && !out.contains("hunter2x") && !err.contains("hunter2x"), "{out}{err}");
}
