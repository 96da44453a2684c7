//! What lies apart: other networks and containers, lists beside the permission bits, logs that moved, masters of other stacks.

use super::*;

/// Two masters whose command lines name an ini from a folder that they left: sockets tell which is whose.
#[test]
fn a_socket_tells_whose_master_it_is() {
    let started = "cmdline = [\"uwsgi\", \"--ini\", \"conf/app.ini\"]\ncwd = \"/nowhere\"\n";
    let lost = format!("[process.902]\n{started}[process.905]\n{started}[process.906]\n{started}");
    let diagnosis = diagnosed(&patched(&lost));
    assert_eq!((causes(&diagnosis), state(&diagnosis, "uwsgi-master")), (vec![], &State::Ok));
    assert_eq!(*state(&diagnosis, "workers"), State::Ok, "its workers are known for its own");
    let other = format!(
        "[process.950]\nppid = 1\nname = \"uwsgi\"\nexe = \"/usr/bin/uwsgi-core\"\n{started}uid = 998\ngid = 998\nstarted = 1462327200\nenviron = []\n"
    );
    let stopped = patched(&format!("{NO_UWSGI}{other}\n[file.\"/run/thena/thena.sock\"]\ngone = true"));
    assert_eq!(causes(&diagnosed(&stopped)), ["uwsgi/not-running"], "another stack's master is no doubt");
    let hidden = patched(&format!("{lost}[socket.\"/run/thena/thena.sock\"]\npids = []"));
    assert_eq!(causes(&diagnosed(&hidden)), Vec::<&str>::new());
    assert!(matches!(state(&diagnosed(&hidden), "uwsgi-master"), State::Unknown(_)));
}

/// What a directive is worth is judged by the nginx that runs.
#[test]
fn the_release_of_nginx_is_that_of_its_program() {
    let host = patched("[file.\"/proc/811/exe\"]\nsays = { \"nginx/\" = \"1.4.6\" }");
    let site = "/etc/nginx/sites-enabled/thena";
    let text = String::from_utf8(host.read(site).unwrap().to_vec()).unwrap();
    let newer = text.replacen("server_name", "http2 on;\n    server_name", 1);
    let rules = |host: &Recorded| -> Vec<String> {
        diagnosed(host).report.findings.into_iter().map(|finding| finding.rule).collect()
    };
    let told = rules(&host.with_file(site, newer.clone().into_bytes()));
    assert!(told.iter().any(|rule| rule == "nginx/not-in-target-version"), "{told:?}");
    let unknown = rules(&healthy().with_file(site, newer.into_bytes()));
    assert!(!unknown.iter().any(|rule| rule == "nginx/not-in-target-version"), "{unknown:?}");
}

#[test]
fn an_access_control_list_says_who_gets_in() {
    let socket = |mode: &str, list: &str| {
        diagnosed(&patched(&format!(
            "[file.\"/run/thena/thena.sock\"]\nmode = \"{mode}\"\ngid = 998\nacl = \"{list}\""
        )))
    };
    let let_in = socket("0660", "user::rw-,user:33:rw-,group::r--,mask::rw-,other::---");
    assert_eq!(causes(&let_in), Vec::<&str>::new());
    let kept_out = socket("0666", "user::rw-,user:33:r--,group::rw-,mask::rw-,other::rw-");
    assert_eq!(causes(&kept_out), ["socket/not-permitted"]);
    assert!(messages(&kept_out).contains("user:www-data:r--"), "{}", messages(&kept_out));
}

/// What connects from this shell says nothing of a process in another network.
#[test]
fn another_network_is_not_judged_from_here() {
    let refused = "login.\"thena@db.thena.example:5432/thena\" = { failed_at = \"tcp\", class = \"tcp.refused\", said = \"refused\" }";
    let host = patched(&format!("{refused}\n[process.902]\napart = [\"network\"]"));
    let diagnosis = diagnosed(&host);
    assert_eq!(causes(&diagnosis), Vec::<&str>::new());
    assert_eq!(*state(&diagnosis, "tcp"), State::Unknown(Reason::NoEvidence));
    assert_eq!(causes(&diagnosed(&patched(refused))), ["database/refused"]);
    let nginx = "[process.811]\napart = [\"network\"]\n[process.812]\napart = [\"network\"]\n[connect]\n\"127.0.0.1:80\" = \"refused\"";
    let diagnosis = diagnosed(&patched(nginx));
    assert_eq!(*state(&diagnosis, "listen"), State::Unknown(Reason::NoEvidence));
}

/// Its files are not those of the same names here.
#[test]
fn what_runs_in_a_container_is_left_out_and_named() {
    let apart = "apart = [\"root\", \"mounts\", \"network\", \"processes\"]";
    let inis = format!("[process.902]\n{apart}\n[process.905]\n{apart}\n[process.906]\n{apart}\n");
    let diagnosis = diagnosed(&patched(&inis));
    assert!(diagnosis.notes[0].starts_with("uwsgi (pid 902) runs in a container"), "{:?}", diagnosis.notes);
    assert_eq!(diagnosis.notes.len(), 1, "workers are not told");
    assert!(diagnosed(&healthy()).notes.is_empty());
}

/// `PrivateTmp=` hides a socket below /tmp from nginx: the table of sockets has it, and its file is not there.
#[test]
fn a_socket_in_a_private_tree_is_out_of_nginxs_sight() {
    let host = patched(
        "[file.\"/run/thena/thena.sock\"]\ngone = true\n[process.902]\napart = [\"mounts\"]\n\
         [file.\"/proc/902/root/run/thena/thena.sock\"]\nkind = \"socket\"\n[connect]\n\"/run/thena/thena.sock\" = \"missing\"",
    );
    let diagnosis = diagnosed(&host);
    assert_eq!(*state(&diagnosis, "upstream-socket"), State::Broken);
    assert_eq!(causes(&diagnosis), ["socket/other-mount-namespace"]);
}

#[test]
fn a_log_is_read_where_its_process_writes_it() {
    let lines = healthy().read(LOG).unwrap().to_vec();
    let failing = [lines, request("500) 1 headers in 80 bytes").into_bytes()].concat();
    let gone = format!("[file.\"{LOG}\"]\nunreadable = true\n");
    let gone = gone.replace("unreadable = true", "failed = { tail = \"not found\", read = \"not found\" }");
    let blind = patched(&gone);
    assert_eq!(*state(&diagnosed(&blind), "app-answers"), State::Unknown(Reason::NoEvidence));
    let open = format!("{gone}[process.902]\nopen = [{{ descriptor = 4, path = \"{LOG}\", deleted = true }}]");
    let held = patched(&open).with_file("/proc/902/fd/4", failing.clone());
    assert_eq!(*state(&diagnosed(&held), "app-answers"), State::Degraded);
    // A log that was moved away and packed tells of the moment before that.
    let packed = format!("{LOG}.2.gz");
    let moment = Visit { at: Some(healthy().now() - 30), login: true, network: true, ..Visit::default() };
    let rotated =
        patched(&format!("{gone}[file.\"{packed}\"]\nmodified = {}", healthy().now())).with_file(&packed, failing);
    assert_eq!(*state(&visited(&rotated, &moment), "app-answers"), State::Degraded);
}

#[test]
fn a_log_that_was_rotated_under_uwsgi_still_tells() {
    let log = String::from_utf8(healthy().read(LOG).unwrap().to_vec()).unwrap() + &request("500) 0 headers in 0 bytes");
    let rotated = healthy().with_file(LOG, Vec::new()).with_file(&format!("{LOG}.1"), log.into_bytes());
    assert_eq!(*state(&diagnosed(&rotated), "app-answers"), State::Degraded);
}

/// Since when, and what was done just before.
#[test]
fn a_cause_is_dated() {
    let failing = request("500) 1 headers in 80 bytes");
    let diagnosis = diagnosed(&logging(healthy(), &failing.repeat(3)));
    let spell = diagnosis.root_causes[0].spell.unwrap();
    // 02:14:12, as the log says.
    assert_eq!((spell.first, spell.last, spell.times), (1_462_328_052, 1_462_328_052, 3));
    assert_eq!(diagnosis.changes[0].what, "uwsgi (pid 902) was started");
    assert!(diagnosed(&healthy()).changes.is_empty(), "nothing is broken");
}
