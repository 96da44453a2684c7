//! Which uWSGI a way leads to.

use super::{diagnosed, healthy, patched, state};
use crate::diagnosis::{Reason, State};
use crate::host::Files;

/// nginx passes to a uWSGI whose configuration is no ini; the one with an ini is somebody else's.
#[test]
fn where_another_answers_the_only_ini_is_not_guessed() {
    let site = healthy().read("/etc/nginx/sites-enabled/thena").unwrap();
    let site = String::from_utf8(site.to_vec()).unwrap().replace("/run/thena/thena.sock", "/run/yaml.sock");
    let other = "[process.77]\nppid = 1\nname = \"uwsgi\"\nexe = \"/usr/bin/uwsgi-core\"\n\
        cmdline = [\"/usr/bin/uwsgi\", \"--yaml\", \"/srv/shop.yaml\"]\nuid = 33\ngid = 33\nstarted = 1462327200\n\
        [socket.\"/run/yaml.sock\"]\ninode = 9\npids = [77]\n[file.\"/run/yaml.sock\"]\nkind = \"socket\"\nmode = \"0666\"\n\
        [process.902]\nenviron = [\"PATH=/usr/bin:/bin\"]\n";
    let host = patched(other).with_file("/etc/nginx/sites-enabled/thena", site.into_bytes());
    let diagnosis = diagnosed(&host);
    let of_site: Vec<_> = diagnosis.hops.iter().filter(|hop| hop.path == "80 thena.example /").collect();
    assert!(of_site.iter().all(|hop| !hop.state.fails()), "{of_site:#?}");
    assert!(diagnosis.hops.iter().any(|hop| hop.path.starts_with("uWSGI /srv/thena")));
    assert_eq!(
        diagnosis.notes,
        ["uWSGI (pid 77) runs with /srv/shop.yaml, and of its configurations only inis are read"]
    );
}

/// What only the running code has cannot be tried, and is no database that works.
#[test]
fn a_database_whose_password_is_out_of_sight_is_not_taken_for_well() {
    let app = "import psycopg2\nfrom thena.vault import secret\nfrom flask import Flask\napp = application = Flask(__name__)\n\
        connection = psycopg2.connect(host='db.thena.example', dbname='thena', user='thena', password=PASSWORD)\n";
    let with = |password: &str| {
        let text = app.replace("PASSWORD", password);
        let host = healthy().with_file("/srv/thena/releases/20160503/thena/wsgi.py", text.into_bytes());
        let diagnosis = diagnosed(&host);
        HOPS.map(|id| state(&diagnosis, id).clone())
    };
    let unseen = State::Unknown(Reason::NoEvidence);
    assert_eq!(with("secret()"), [unseen.clone(), unseen.clone(), unseen]);
    assert_eq!(with("'example-only'"), [State::Ok, State::Ok, State::Ok]);
}

const HOPS: [&str; 3] = ["dns", "tcp", "login"];
