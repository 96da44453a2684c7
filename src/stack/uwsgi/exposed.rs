//! Lines that show to anybody what is meant for a few: sockets and statistics on every interface, code as static files.

use super::UwsgiLine;
use super::setting::Setting;
use super::settings::Settings;
use crate::stack::fact::Answer;

pub(super) fn rows(settings: &Settings) -> Vec<UwsgiLine> {
    let apps = app_folders(settings);
    let lines = settings.all.iter().filter(|setting| setting.is_line && setting.block.is_none());
    lines.filter_map(|setting| of_address(setting).or_else(|| code_as_files(&apps, setting))).collect()
}

/// A socket of uWSGI's own protocol, or the statistics, where every host can reach them.
fn of_address(setting: &Setting) -> Option<UwsgiLine> {
    let key = match setting.known?.canonical {
        "socket" | "puwsgi-socket" => "socket-everywhere",
        "stats" | "emperor-stats" => "stats-everywhere",
        _ => return None,
    };
    // A comment behind the address is the business of another page.
    let Answer::Known(address) = setting.value.clone() else { return None };
    if super::values::says_more(setting) {
        return None;
    }
    let (host, port) = address.rsplit_once(':')?;
    let everywhere =
        matches!(host, "" | "0.0.0.0" | "*" | "[::]") && port.starts_with(|digit: char| digit.is_ascii_digit());
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    everywhere.then(|| {
        let row = UwsgiLine::of(key, setting);
        if super::values::is_templated(setting) { row } else { row.cured_by(format!("127.0.0.1:{port}")) }
    })
}

/// A folder of static files that is the folder of the app, or lies above it.
fn code_as_files(apps: &[(&Setting, &str)], setting: &Setting) -> Option<UwsgiLine> {
    let Answer::Known(value) = &setting.value else { return None };
    let folder = match setting.known?.canonical {
        "static-map" | "static-map2" => value.split_once('=')?.1,
        "check-static" | "static-check" => value.as_str(),
        _ => return None,
    };
    let folder = folder.trim_end_matches('/');
    let (option, app) = apps.iter().find(|(_, app)| is_in(app, folder))?;
    let mut row = UwsgiLine::of("code-as-files", setting).taken_as(*app);
    row.other = crate::stack::fact::Fact::read(option.name.clone()?, option.place());
    (folder.len() > 1).then_some(row)
}

/// The folders of the code, the first few of them.
fn app_folders<'s>(settings: &'s Settings) -> Vec<(&'s Setting<'s>, &'s str)> {
    let of_setting = |setting: &'s Setting| match &setting.value {
        Answer::Known(folder) if folder.starts_with('/') => Some((setting, folder.trim_end_matches('/'))),
        _ => None,
    };
    let names = ["chdir", "pythonpath", "home"];
    let all = settings.all.iter().filter(|setting| setting.is(&names) && setting.block.is_none());
    all.filter_map(of_setting).take(16).collect()
}

fn is_in(path: &str, folder: &str) -> bool {
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}
