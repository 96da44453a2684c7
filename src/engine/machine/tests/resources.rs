//! Hosts that run out of something.

use super::*;

#[test]
fn a_full_disk_is_named_and_explains_what_it_breaks() {
    let full = patched("[volume.\"/var/log/thena\"]\nbytes = 536870912\nfree = 0\ninodes = 32768\nfree_inodes = 9\n");
    let host = logging(full, &request("500) 0 headers in 0 bytes"));
    let diagnosis = diagnosed(&host);
    assert_eq!(causes(&diagnosis), ["hop/resources"]);
    let because = &diagnosis.root_causes[0].because[0].text;
    assert!(because.starts_with("the disk of /var/log/thena is used up"), "{because}");
    assert_eq!(*state(&diagnosis, "app-answers"), State::Symptom);
    let inodes =
        patched("[volume.\"/run/thena\"]\nbytes = 536870912\nfree = 99999999\ninodes = 32768\nfree_inodes = 0\n");
    let diagnosis = diagnosed(&inodes);
    assert!(diagnosis.root_causes[0].because[0].text.contains("number of files on the disk of /run/thena"));
    assert_eq!(*state(&diagnosed(&healthy()), "resources"), State::Ok);
}

/// The kernel's log names whom it ended; that explains the answers that are missing.
#[test]
fn the_kernels_kill_is_the_cause_of_lost_requests() {
    let line = |time: &str, name: &str| {
        format!("May  4 {time} web1 kernel: [9.1] Out of memory: Killed process 905 ({name}) total-vm:1kB\n")
    };
    let with = |text: String| {
        let failing = request("500) 0 headers in 0 bytes");
        diagnosed(&logging(healthy(), &failing).with_file("/var/log/kern.log", text.into_bytes()))
    };
    let killed = with(line("02:14:00", "uwsgi"));
    assert_eq!((causes(&killed), state(&killed, "resources")), (vec!["hop/resources"], &State::Degraded));
    assert!(messages(&killed).contains("the kernel ended uwsgi (pid 905)"), "{}", messages(&killed));
    assert_eq!(
        *state(&with(line("01:14:00", "uwsgi")), "resources"),
        *state(&diagnosed(&healthy()), "resources"),
        "long ago"
    );
    assert_ne!(*state(&with(line("02:14:00", "mysqld")), "resources"), State::Degraded, "of another stack");
}
