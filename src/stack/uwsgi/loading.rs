//! Lines by which uWSGI looks for the app, or for files, elsewhere than it seems.

use super::UwsgiLine;
use super::setting::Setting;
use super::settings::{Scalar, Settings};
use crate::stack::fact::Answer;

pub(super) fn rows(settings: &Settings) -> Vec<UwsgiLine> {
    let lines = settings.all.iter().filter(|setting| setting.is_line && setting.block.is_none());
    let of_line = |setting: &Setting| {
        module_file(setting).or_else(|| relative(setting)).or_else(|| not_rendered(setting)).or_else(|| {
            (setting.name.as_deref() == Some("else") && !knows_else(settings)).then(|| UwsgiLine::of("else", setting))
        })
    };
    let mut rows: Vec<UwsgiLine> = lines.filter_map(of_line).collect();
    rows.extend(settings.all.iter().filter_map(|setting| in_block_else(settings, setting)));
    rows.extend(mounted(settings));
    rows.extend(silent(settings));
    rows
}

/// `else` inside a block, where uWSGI 2.0 takes it for one more line of that block.
fn in_block_else(settings: &Settings, setting: &Setting) -> Option<UwsgiLine> {
    let is_else = setting.name.as_deref() == Some("else") && setting.is_line && setting.block.is_some();
    (is_else && !knows_else(settings)).then(|| UwsgiLine::of("else", setting))
}

/// Only the release in development has it; where none is stated, one of the released ones runs.
fn knows_else(settings: &Settings) -> bool {
    let first: Option<crate::syntax::data::Release> = "2.1".parse().ok();
    first.zip(settings.release).is_some_and(|(first, release)| first == release || first.is_before(release))
}

/// `module = app.py`: Python looks for a module `py` in a package `app`.
fn module_file(setting: &Setting) -> Option<UwsgiLine> {
    let Answer::Known(value) = setting.value.clone() else { return None };
    let module = value.split(':').next().unwrap_or_default();
    let name = module.strip_suffix(".py").filter(|_| setting.is(&["module"]))?;
    let rest = &value[module.len()..];
    let row = UwsgiLine::of("module-file", setting);
    let is_plain = !super::values::is_templated(setting) && !name.contains('/') && setting.raw_value() == value;
    Some(if is_plain { row.cured_by(format!("{name}{rest}")) } else { row })
}

/// A folder or a file that starts from wherever uWSGI was started.
fn relative(setting: &Setting) -> Option<UwsgiLine> {
    let key = match setting.known?.canonical {
        "chdir" => "relative-folder",
        "ini" | "include" | "inherit" if setting.target.as_ref().is_some_and(|target| !target.beside) => {
            "relative-file"
        }
        _ => return None,
    };
    let Answer::Known(path) = &setting.value else { return None };
    // Quotes and comments are the business of other pages.
    let is_relative = !super::values::says_more(setting)
        && !path.is_empty()
        && !path.starts_with(['/', ':', '-', '%', '$', '@'])
        && !path.contains("://");
    let row = UwsgiLine::of(key, setting);
    is_relative.then(|| {
        if super::values::is_templated(setting) || setting.raw_value() != path {
            row
        } else {
            row.cured_by(format!("%d{}", path.trim_start_matches("./")))
        }
    })
}

/// A tag of Chef's templates in a file that Chef does not render.
fn not_rendered(setting: &Setting) -> Option<UwsgiLine> {
    // The end of a tag is a `%` that uWSGI eats, so it may stand behind the value.
    let line = setting.document.text()[setting.value_span.start as usize..].lines().next().unwrap_or_default();
    let tag = line.find("<%").is_some_and(|at| line[at..].contains("%>"));
    (tag && !setting.document.is_templated(setting.value_span)).then(|| UwsgiLine::of("not-rendered", setting))
}

/// An app at a path of its own that is not told so.
fn mounted(settings: &Settings) -> Option<UwsgiLine> {
    let is_mount = |setting: &&Setting| {
        let of_path = |value: &String| value.starts_with('/') && !value.starts_with("/=");
        setting.is(&["mount"]) && setting.is_line && matches!(&setting.value, Answer::Known(value) if of_path(value))
    };
    let setting = settings.all.iter().find(is_mount)?;
    matches!(settings.last(&["manage-script-name"]), Scalar::Unset).then(|| UwsgiLine::of("mount-unnamed", setting))
}

/// Requests that fail leave no line either.
fn silent(settings: &Settings) -> Option<UwsgiLine> {
    let Scalar::Set(setting) = settings.last(&["disable-logging"]) else { return None };
    let others = ["log-4xx", "log-5xx", "log-slow", "log-zero"];
    let on = matches!(&setting.value, Answer::Known(value) if super::instance::is_true(value));
    let keeps = others.iter().any(|name| !matches!(settings.last(&[name]), Scalar::Unset));
    (on && setting.is_line && !keeps).then(|| UwsgiLine::of("failures-unlogged", setting))
}
