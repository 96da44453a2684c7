//! What logs alone tell, and what they do not.

use super::{causes, diagnosed, healthy, logging, request};

#[test]
fn what_an_app_says_of_its_own_affairs_is_no_cause() {
    let own = [
        "user alice not found.",
        "group editors not found.",
        "timeout expired",
        "certificate verify failed",
        "invalid port number: abc",
        "invalid percent-encoded token: %zz",
        "connection already closed",
        "invalid socket name",
        "invalid min-worker-lifetime value",
        "role \"editor\" does not exist",
    ];
    let with = |line: &str, status: &str| {
        let host = logging(healthy(), &format!("{}{line}\n{}", request(status), request(status)));
        causes(&diagnosed(&host)).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    for line in own {
        assert!(with(line, "200) 2 headers in 80 bytes").is_empty(), "{line}");
    }
    for line in ["user alice not found.", "group editors not found.", "invalid socket name"] {
        let causes = with(line, "500) 2 headers in 80 bytes");
        assert!(!causes.iter().any(|cause| cause.starts_with("uwsgi/")), "{line}: {causes:?}");
    }
}

/// Workers that load the app for themselves write at the same time, so that one traceback stands in the middle of another.
#[test]
fn of_several_workers_each_says_why_there_is_no_app() {
    let traceback = "Traceback (most recent call last):\n  File \"wsgi.py\", line 3, in <module>\n";
    let why = "    from flask import Flask\nModuleNotFoundError: No module named 'flask'\n";
    let none = "unable to load app 0 (mountpoint='') (callable not found or import error)\n\
                *** no app loaded. going in full dynamic mode ***\n";
    let failed = format!(
        "--- no python application found, check your startup logs for errors ---\n{}",
        request("500) 2 headers in 83 bytes").replace("app: 0", "app: -1")
    );
    let in_turn = format!("{traceback}{why}{none}{traceback}{why}{none}{failed}");
    let at_once = format!("{traceback}{traceback}{why}{none}{why}{none}{failed}");
    let late = format!("{traceback}{why}{none}{traceback}{none}{why}{failed}");
    for log in [in_turn, at_once, late] {
        assert_eq!(causes(&diagnosed(&logging(healthy(), &log))), ["import/module-not-found"], "{log}");
    }
}

/// uWSGI writes no traceback of a module that it does not find itself.
#[test]
fn a_module_that_is_not_there_is_one_cause() {
    let log = format!(
        "ModuleNotFoundError: No module named 'shopp'\n\
         unable to load app 0 (mountpoint='') (callable not found or import error)\n\
         *** no app loaded. going in full dynamic mode ***\n{}",
        request("500) 2 headers in 83 bytes").replace("app: 0", "app: -1")
    );
    assert_eq!(causes(&diagnosed(&logging(healthy(), &log))), ["import/module-not-found"]);
}
