//! A repository, in memory or on disk, as one or several stacks: which file is what, where it lands, and what is judged.

mod budget;
mod group;
mod included;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{self, Config};
use crate::engine::allow::Allows;
use crate::engine::{Options, Run, judged, selection, test_data};
use crate::finding::{InputError, Report};
use crate::host::around;
use crate::host::repo::{Repo, RepoFile};
use crate::rule::book::Rulebook;
use crate::rule::judge;
use crate::rule::page::{self, Page};
use crate::source::{FileId, Origin, Place, Sources, Text};
use crate::stack::boundary::{Boundary, below, divide};
use crate::stack::facts::Facts;
use crate::stack::kind;
use budget::Taken;

/// Folders of other people's code: never judged, and too large to read for context.
const VENDORED: &[&str] =
    &["vendor", "berks-cookbooks", "node_modules", "site-packages", ".tox", ".venv", "venv", ".git"];

/// Reads files and folders from disk and judges them. Of named files only those findings are kept that have a label in one;
/// the repository around them is read as context.
///
/// # Errors
/// Bad configuration, a rule page that cannot be used, or an unknown rule, in one sentence.
pub fn lint(paths: &[String], options: &Options) -> Result<Run, String> {
    let stdin = options.stdin.as_ref().map(|(path, bytes)| (around::tidy(path), bytes));
    let mut named: BTreeSet<String> =
        paths.iter().filter(|path| around::is_file(path)).map(|path| around::tidy(path)).collect();
    let mut roots: Vec<String> = Vec::new();
    for path in paths {
        let context = if around::is_file(path) { around::root_around(path) } else { None };
        roots.extend(context);
        roots.push(path.clone());
    }
    let mut asked = paths.len();
    if let Some((path, _)) = &stdin {
        roots.extend(around::root_around(path));
        named.insert(path.clone());
        asked += 1;
    }
    let mut walked = Repo::new(roots).walk(kind::most_wanted);
    if let Some((path, bytes)) = stdin {
        walked.files.retain(|file| file.path != path);
        walked.files.push(RepoFile { path, text: Text::from(bytes), named: true, binary: false });
    }
    let mut unread = walked.unread;
    let (binary, text): (Vec<_>, Vec<_>) = walked.files.into_iter().partition(|file| file.binary);
    let folders = test_data::folders(paths);
    let (large, text): (Vec<_>, Vec<_>) = text.into_iter().partition(|file| too_large(file).is_some());
    let mut files = text;
    let outer = outer_configuration(paths, &files, options)?;
    let vendored = Vendored::of(files.iter().map(|file| (file.path.as_str(), &file.text)), outer.as_ref());
    files.retain(|file| {
        let path = &file.path;
        named.contains(path) || !is_vendored(test_data::inside(path, &folders)) || vendored.is_judged(path)
    });
    let taken = Taken::of(files);
    let beyond = taken.error();
    unread.extend(taken.left_out);
    let files: Vec<(String, Text)> = taken.files.into_iter().map(|file| (file.path, file.text)).collect();
    let base = if let [only] = paths
        && around::is_folder(only)
    {
        around::tidy(only)
    } else {
        String::new()
    };
    let base = if base == "." { "" } else { &base };
    let mut run = run(files, unread, base, outer, options, &named)?;
    run.report.errors.extend(walked.errors.into_iter().chain(beyond));
    // A picture among the named files is no mistake: pre-commit names whatever has changed.
    let meant = binary.into_iter().filter(|file| kind::of(&file.path, "").is_some());
    run.report.errors.extend(meant.map(|file| InputError {
        path: file.path,
        message: "not a text file; where an editor wrote it in UTF-16, save it in UTF-8".to_owned(),
    }));
    run.report.errors.extend(large.into_iter().filter_map(|file| {
        let most = too_large(&file)? >> 10;
        Some(InputError {
            message: format!("larger than {most} KiB, the most that is read of such a file"),
            path: file.path,
        })
    }));
    test_data::leave_out(&mut run, paths, &named, &vendored);
    if !named.is_empty() && named.len() == asked {
        let sources = &run.sources;
        let is_named = |file: FileId| named.contains(&sources.get(file).name);
        run.report.findings.retain(|finding| {
            std::iter::once(&finding.primary).chain(&finding.related).any(|label| is_named(label.place.file))
        });
        run.report.cannot_tell.retain(|question| is_named(question.place.file));
    }
    Ok(run)
}

/// The bound that a file is beyond, for the language it is in.
fn too_large(file: &RepoFile) -> Option<usize> {
    let length = file.text.bytes().len();
    if length <= kind::LEAST_BOUND {
        return None;
    }
    let kind = kind::of(kind::without_template_suffix(&file.path), file.text.as_str());
    kind::most_bytes(&file.path, kind).filter(|most| length > *most)
}

/// Judges files that are in memory: paths relative to one root, with their bytes.
pub fn lint_memory(files: &[(String, Vec<u8>)], options: &Options) -> Run {
    let all = files.iter().map(|(path, bytes)| (path.clone(), Text::from(bytes)));
    let mut files: Vec<(String, Text)> = all.collect();
    let vendored = Vendored::of(files.iter().map(|(path, text)| (path.as_str(), text)), None);
    files.retain(|(path, _)| !is_vendored(path) || vendored.is_judged(path));
    run(files, Vec::new(), "", None, options, &BTreeSet::new()).unwrap_or_else(|message| Run {
        report: Report { errors: vec![InputError { path: String::new(), message }], ..Report::default() },
        ..Run::default()
    })
}

/// A configuration that lies above what was read: it holds where no nearer one does. One that was named holds everywhere.
pub(super) struct Outer {
    named: bool,
    /// The folder that its paths are relative to.
    pub(super) folder: String,
    pub(super) config: Config,
}

impl Outer {
    /// Reads the configuration at `path`.
    ///
    /// # Errors
    /// What is wrong with it, with its path and line.
    pub(super) fn at(path: &str) -> Result<Self, String> {
        let bytes = around::read(path).map_err(|error| format!("{path}: {error}"))?;
        let config = config::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|error| format!("{path}:{}: {}", error.line, error.message))?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        Ok(Self { named: false, folder, config })
    }
}

fn outer_configuration(paths: &[String], files: &[RepoFile], options: &Options) -> Result<Option<Outer>, String> {
    let path = match &options.config {
        Some(path) => path.clone(),
        None => {
            let stdin = options.stdin.as_ref().map(|(path, _)| path);
            let first = paths.first().or(stdin);
            let Some(path) = first.and_then(|path| around::nearest_above(path, "housecall.toml")) else {
                return Ok(None);
            };
            if files.iter().any(|file| file.path == path) {
                return Ok(None);
            }
            path
        }
    };
    Ok(Some(Outer { named: options.config.is_some(), ..Outer::at(&path)? }))
}

/// `unread` are the paths of what is there beside `files`: it counts where only its being there matters.
fn run(
    files: Vec<(String, Text)>,
    mut unread: Vec<String>,
    base: &str,
    outer: Option<Outer>,
    options: &Options,
    named: &BTreeSet<String>,
) -> Result<Run, String> {
    let mut sources = Sources::default();
    let mut ids: BTreeMap<String, FileId> = BTreeMap::new();
    let mut files = files;
    files.sort_by(|a, b| a.0.cmp(&b.0));
    for (path, bytes) in files {
        if kind::may_be(&path) || named.contains(&path) {
            ids.insert(path.clone(), sources.add(path, bytes, Origin::File));
        } else {
            unread.push(path);
        }
    }
    let mut facts = Facts::default();
    let mut read = 0;
    let mut configs: Vec<(String, Config)> = Vec::new();
    for (boundary, paths) in divide(base, ids.keys().map(String::as_str)) {
        let config = configuration(&boundary, &ids, &sources, outer.as_ref())?;
        let group =
            group::Group { boundary: &boundary, config: &config, sources: &sources, options, named, unread: &unread };
        let members: Vec<(&str, FileId)> = paths.into_iter().filter_map(|path| Some((path, *ids.get(path)?))).collect();
        read += group.add_facts(&members, &mut facts)?;
        configs.push(config);
    }
    let config = outer
        .map(|outer| outer.config)
        .or_else(|| configs.first().map(|(_, config)| config.clone()))
        .unwrap_or_default();
    let rules = rules(options, &configs, &facts)?;
    selection::check(options, &config, &rules)?;
    for (_, config) in &configs {
        selection::check(options, config, &rules)?;
    }
    let (mut findings, mut cannot_tell) = judged(&rules, &facts, &sources);
    // Each stack is judged by its own configuration, the nearest one.
    let selects = |rule: &str, place: Place| {
        let name = &sources.get(place.file).name;
        let around = configs.iter().filter(|(folder, _)| below(name, folder).is_some());
        let nearest = around.max_by_key(|(folder, _)| folder.len()).map_or(&config, |(_, config)| config);
        selection::selects(options, nearest, rule)
    };
    // A team's own pages are for its own stack.
    let owners = owners_of_pages(&configs)?;
    let own = |rule: &str, place: Place| {
        let name = &sources.get(place.file).name;
        owners.get(rule).is_none_or(|folders| folders.iter().any(|folder| below(name, folder).is_some()))
    };
    let today = around::today();
    let by_folder: BTreeMap<&str, &Config> = configs.iter().map(|(folder, config)| (folder.as_str(), config)).collect();
    let mut allows: Vec<Allows<'_>> = by_folder
        .into_iter()
        .map(|(folder, config)| Allows::of(config, folder, ids.get(&joined(folder, "housecall.toml")).copied(), &today))
        .collect();
    // Every entry that hides a finding is in use, not the first one alone.
    findings.retain(|finding| {
        allows.iter_mut().filter_map(|allows| allows.hide(finding, &sources).then_some(())).count() == 0
    });
    let judges = |rule: &str, place: Place| selects(rule, place) && !cannot_tell.iter().any(|open| *open.rule == *rule);
    findings.extend(allows.iter().flat_map(|allows| allows.unused(&rules, judges)));
    let mut findings = judge::merged(findings, &sources);
    findings
        .retain(|finding| selects(&finding.rule, finding.primary.place) && own(&finding.rule, finding.primary.place));
    cannot_tell.retain(|question| selects(&question.rule, question.place) && own(&question.rule, question.place));
    let report = Report { findings, cannot_tell, errors: Vec::new(), files: read };
    Ok(Run { sources, facts, report, config, pages: rules.pages })
}

fn is_vendored(path: &str) -> bool {
    path.split('/').any(|part| VENDORED.contains(&part))
}

/// The stacks whose configuration wants other people's cookbooks and test data judged too.
pub(super) struct Vendored {
    folders: Vec<String>,
}

impl Vendored {
    /// What the configurations among the files say, and the one around them.
    fn of<'f>(files: impl Iterator<Item = (&'f str, &'f Text)>, outer: Option<&Outer>) -> Self {
        let wants = |bytes: &[u8]| config::parse(&String::from_utf8_lossy(bytes)).is_ok_and(|config| config.vendored);
        let inner = files.filter(|(path, _)| !is_vendored(path)).filter_map(|(path, text)| {
            let folder = path.strip_suffix("housecall.toml")?;
            let is_one = folder.is_empty() || folder.ends_with('/');
            (is_one && wants(text.bytes())).then(|| folder.trim_end_matches('/').to_owned())
        });
        let outer = outer.filter(|outer| outer.config.vendored).map(|outer| outer.folder.clone());
        Self { folders: inner.chain(outer).collect() }
    }

    /// Whether a path is judged though it is vendored. What a package manager puts there never is.
    pub(super) fn is_judged(&self, path: &str) -> bool {
        let is_tree = |part: &str| VENDORED.contains(&part) && !matches!(part, "vendor" | "berks-cookbooks");
        self.folders.iter().any(|folder| below(path, folder).is_some()) && !path.split('/').any(is_tree)
    }
}

/// The ids of teams' own pages with the folders of the configurations that name them.
fn owners_of_pages(configs: &[(String, Config)]) -> Result<BTreeMap<String, BTreeSet<&str>>, String> {
    let mut owners: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (folder, config) in configs {
        for path in &config.rules {
            let named = joined(folder, &path.value);
            for (id, _) in around::pages(&named).map_err(|error| format!("{named}: {error}"))? {
                owners.entry(id).or_default().insert(folder);
            }
        }
    }
    Ok(owners)
}

/// The built-in rules that facts call for, and the users' own.
fn rules(options: &Options, configs: &[(String, Config)], facts: &Facts) -> Result<Rulebook, String> {
    match &options.pages {
        Some(pages) => Ok(Rulebook::of(pages.clone())),
        None => with_own(Rulebook::about(facts).map_err(|error| error.to_string())?, configs),
    }
}

/// Some rules and those of every configuration's own folders.
fn with_own(mut rules: Rulebook, configs: &[(String, Config)]) -> Result<Rulebook, String> {
    let named = configs.iter().flat_map(|(folder, config)| config.rules.iter().map(|path| joined(folder, &path.value)));
    // Several stacks of one repository share its configuration.
    for folder in named.collect::<BTreeSet<String>>() {
        for (id, text) in around::pages(&folder).map_err(|error| format!("{folder}: {error}"))? {
            if !rules.add(Page::parse(&id, &text).map_err(|error| error.to_string())?) {
                return Err(format!("{folder}/{id}.md: there is a rule `{id}` already; give this page another name"));
            }
        }
    }
    Ok(rules)
}

/// The rules that `lint` would judge the working directory by: the built-in pages and the team's own.
///
/// # Errors
/// Bad configuration, or a rule page that cannot be used, in one sentence.
pub fn pages_here() -> Result<Vec<Page>, String> {
    let options = Options::default();
    let outer = outer_configuration(&[".".to_owned()], &[], &options)?;
    let configs: Vec<_> = outer.map(|outer| (outer.folder, outer.config)).into_iter().collect();
    let built_in = Rulebook::of(page::built_in().map_err(|error| error.to_string())?);
    Ok(with_own(built_in, &configs)?.pages)
}

/// The configuration of a stack and the folder it is relative to.
fn configuration(
    boundary: &Boundary,
    ids: &BTreeMap<String, FileId>,
    sources: &Sources,
    outer: Option<&Outer>,
) -> Result<(String, Config), String> {
    if let Some(outer) = outer.filter(|outer| outer.named) {
        return Ok((outer.folder.clone(), outer.config.clone()));
    }
    let mut folder = boundary.root.as_str();
    loop {
        let path = joined(folder, "housecall.toml");
        if let Some(id) = ids.get(&path) {
            let config = config::parse(sources.text(*id))
                .map_err(|error| format!("{path}:{}: {}", error.line, error.message))?;
            return Ok((folder.to_owned(), config));
        }
        if folder.is_empty() {
            break;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    Ok(outer.map_or_else(|| (String::new(), Config::default()), |outer| (outer.folder.clone(), outer.config.clone())))
}

/// `path` of a configuration in `folder`, as sources name it.
pub(super) fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> =
        if path.starts_with('/') { Vec::new() } else { folder.split('/').filter(|part| !part.is_empty()).collect() };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let start = if path.starts_with('/') || (folder.starts_with('/') && !path.starts_with('/')) { "/" } else { "" };
    format!("{start}{}", parts.join("/"))
}

#[cfg(test)]
mod tests;
