//! Numbers that do not fit each other, or the host (uWSGI: `core/init.c` `sanitize_args`, `core/socket.c`).

use super::UwsgiLine;
use super::instance::is_true;
use super::setting::Setting;
use super::settings::{Scalar, Settings};
use crate::stack::fact::{Answer, Fact};
use crate::syntax::uwsgi::number;

/// What Linux before 5.4 lets wait for a socket (`net.core.somaxconn`).
const OLD_SOMAXCONN: i64 = 128;
/// The longest path of a unix socket (`sockaddr_un`, less its zero).
const LONGEST_PATH: usize = 107;

pub(super) fn rows(settings: &Settings) -> Vec<UwsgiLine> {
    let mut rows: Vec<UwsgiLine> =
        settings.all.iter().filter(|setting| setting.is_line).filter_map(long_path).collect();
    rows.extend(cheaper_initial(settings));
    rows.extend(cheaper_algorithm(settings));
    rows.extend(cheaper_memory(settings));
    rows.extend(
        ["reload-on-rss", "evil-reload-on-rss", "reload-on-as"]
            .map(|name| memory(settings, name))
            .into_iter()
            .flatten(),
    );
    rows.extend(listen(settings));
    rows
}

/// The line that sets an option, and its number; `None` where it is not set for sure.
fn set<'s, 'a>(settings: &'s Settings<'a>, name: &str) -> Option<(&'s Setting<'a>, i64)> {
    match settings.last(&[name]) {
        Scalar::Set(setting) => match &setting.value {
            Answer::Known(value) if setting.is_line => Some((setting, number(value))),
            _ => None,
        },
        _ => None,
    }
}

/// Whether nothing in sight or out of it sets an option.
fn is_unset(settings: &Settings, name: &str) -> bool {
    matches!(settings.last(&[name]), Scalar::Unset)
}

fn clash(key: &str, setting: &Setting, other: Option<&Setting>, taken_as: impl Into<String>) -> UwsgiLine {
    let mut row = UwsgiLine::of(key, setting).taken_as(taken_as);
    if let Some((name, other)) = other.and_then(|other| Some((other.name.clone()?, other))) {
        row.other = Fact::read(name, other.place());
    }
    row
}

fn cheaper_initial(settings: &Settings) -> Option<UwsgiLine> {
    let (initial, count) = set(settings, "cheaper-initial")?;
    let (cheaper, least) = set(settings, "cheaper").filter(|(_, least)| *least > 0)?;
    let (workers, most) = set(settings, "processes")?;
    if count < least {
        return Some(clash("cheaper-initial", initial, Some(cheaper), least.to_string()));
    }
    (count > most && most > 0).then(|| clash("cheaper-initial", initial, Some(workers), most.to_string()))
}

fn cheaper_algorithm(settings: &Settings) -> Option<UwsgiLine> {
    let is_one = |setting: &&Setting| setting.is(&["cheaper-algo"]) && setting.is_line && setting.block.is_none();
    let setting = settings.all.iter().rfind(is_one)?;
    is_unset(settings, "cheaper").then(|| clash("cheaper-unset", setting, None, ""))
}

/// What uWSGI stops at is said by the row's `taken_as`.
fn cheaper_memory(settings: &Settings) -> Option<UwsgiLine> {
    let (soft, hard) = (set(settings, "cheaper-rss-limit-soft"), set(settings, "cheaper-rss-limit-hard"));
    match (soft, hard) {
        (Some((soft, least)), Some((hard, most))) if least > 0 && most > 0 && most <= least => {
            Some(clash("cheaper-memory", hard, Some(soft), "hard"))
        }
        (None, Some((hard, most))) if most > 0 && is_unset(settings, "cheaper-rss-limit-soft") => {
            Some(clash("cheaper-memory", hard, None, "soft"))
        }
        (Some((soft, least)), _) if least > 0 && !reports_memory(settings) => {
            Some(clash("cheaper-memory", soft, None, "report"))
        }
        _ => None,
    }
}

/// Whether `memory-report` is on, or may be.
fn reports_memory(settings: &Settings) -> bool {
    match settings.last(&["memory-report"]) {
        Scalar::Set(setting) => !matches!(&setting.value, Answer::Known(value) if !is_true(value)),
        Scalar::Unset => false,
        Scalar::Unknown(..) => true,
    }
}

/// A number of megabytes that no worker stays below, or that none reaches.
fn memory(settings: &Settings, name: &str) -> Option<UwsgiLine> {
    let (setting, megabytes) = set(settings, name)?;
    let with_unit = setting.raw_value().ends_with(|letter: char| letter.is_ascii_alphabetic());
    let least = if name == "reload-on-as" { 64 } else { 24 };
    let (megabytes, taken_as) = match megabytes {
        few @ 1.. if few < least => (few, "few"),
        many if many > 1_000_000 => (many, "many"),
        _ => return None,
    };
    let row = clash("memory-out-of-range", setting, None, taken_as);
    let row = if taken_as == "many" && !super::values::is_templated(setting) {
        let factor = if megabytes > 100_000_000 { 1 << 20 } else { 1 << 10 };
        row.cured_by((megabytes / factor).to_string())
    } else {
        row
    };
    // What a unit does to the number is the business of another page.
    (!with_unit).then_some(row)
}

fn listen(settings: &Settings) -> Option<UwsgiLine> {
    let (setting, length) = set(settings, "listen")?;
    (length > OLD_SOMAXCONN).then(|| clash("long-queue", setting, None, length.to_string()))
}

fn long_path(setting: &Setting) -> Option<UwsgiLine> {
    let Answer::Known(path) = &setting.value else { return None };
    let is_socket = setting.is(&["socket", "http-socket", "stats", "puwsgi-socket"]) && path.starts_with('/');
    (is_socket && path.len() > LONGEST_PATH)
        .then(|| UwsgiLine::of("long-path", setting).taken_as(path.len().to_string()))
}
