//! Apps that nginx passes to below a path of their own, such as `/shop/`: whether anything takes that path off for them.
//!
//! uWSGI: nginx sends the whole path as `PATH_INFO`; `SCRIPT_NAME` beside it takes nothing off. `manage-script-name` with a
//! `mount` does (`uwsgi_parse_vars`), and so does a `rewrite … break`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::include::Statement;
use super::level::{Context, Inherited, Level, Setting};
use super::location::Matching;
use super::request::MOST_PARAMS;
use crate::rows;
use crate::source::Place;
use crate::stack::document::Kind;
use crate::stack::fact::{Fact, Missing};
use crate::stack::link::PassLink;
use crate::stack::uwsgi::Uwsgi;
use crate::stack::view::View;

rows! {
    #[doc = "one app that nginx passes to below a path of its own, which nothing in nginx takes off"]
    pub struct Mount in "mounts" {
        #[doc = "the path, without a `/` at its end"]
        path: String,
        #[doc = "the `SCRIPT_NAME` that nginx passes on"]
        script_name: String,
        #[doc = "whether nginx passes to the app below this path alone"]
        alone: bool,
        #[doc = "whether the app's code has the path, or what handles one, written in it"]
        known_to_app: bool,
        #[doc = "the instance that runs the app"]
        uwsgi: Arc<Uwsgi>,
    }
}

/// A `uwsgi_pass` in a prefix location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    pass: Place,
    /// The prefix without a `/` at its end, and where it stands.
    path: (String, Place),
    script_name: Option<(String, Place)>,
}

/// The path that a `uwsgi_pass` is mounted at; `None` where it is `/`, or nginx changes what the app gets.
pub(super) fn of_pass(pass: &Statement<'_>, level: &Level<'_, '_>) -> Option<Mounted> {
    if level.context != Context::Location || level.has(Setting::Rewrite) || is_taken_off_by_python2(level) {
        return None;
    }
    let pattern = level.location().filter(|pattern| matches!(pattern.matching, Matching::Prefix { .. }))?;
    let path = pattern.text.trim_end_matches('/');
    let Inherited::From(params) = level.inherited(Setting::UwsgiParam) else { return None };
    if path.is_empty() || !params.whole || params.count(Setting::UwsgiParam) > MOST_PARAMS {
        return None;
    }
    let set =
        |name: &'static str| params.all(Setting::UwsgiParam).rfind(move |param| param.text(0).as_deref() == Some(name));
    let own_path = set("PATH_INFO").and_then(|param| param.text(1));
    if own_path.is_some_and(|value| !matches!(&*value, "$document_uri" | "$uri")) {
        return None;
    }
    let script_name = match set("SCRIPT_NAME") {
        Some(param) => {
            let value = param.text(1).filter(|value| value.starts_with('/') && !value.contains('$'))?;
            Some((value.into_owned(), param.place()))
        }
        None => None,
    };
    Some(Mounted { pass: pass.place(), path: (path.to_owned(), pattern.place), script_name })
}

/// Whether `uwsgi_modifier1 30` holds: by it uWSGI takes `SCRIPT_NAME` off the path, where it runs Python 2. With Python 3, which
/// it would not help, nothing is said: which of the two runs is seldom in sight (`wsgi_subhandler.c`, tried with 2.0.21).
fn is_taken_off_by_python2(level: &Level<'_, '_>) -> bool {
    let Inherited::From(from) = level.inherited(Setting::UwsgiModifier) else { return false };
    from.first(Setting::UwsgiModifier).and_then(|modifier| modifier.text(0)).as_deref() == Some("30")
}

/// The mounts whose uWSGI is in sight, with what the code in sight knows of them.
pub fn mounts(mounted: &[Mounted], links: &[Arc<PassLink>], view: &View) -> Vec<Mount> {
    let by_place: BTreeMap<Place, &Mounted> = mounted.iter().map(|mounted| (mounted.pass, mounted)).collect();
    let mut passes: BTreeMap<&str, BTreeSet<Place>> = BTreeMap::new();
    for pass in links.iter().filter(|_| !mounted.is_empty()).filter_map(|link| link.pass.known()) {
        if let Some(address) = pass.address.known() {
            passes.entry(address).or_default().insert(pass.place);
        }
    }
    let row = |link: &Arc<PassLink>| {
        let (pass, socket) = (link.pass.known()?, link.socket.known()?);
        let mounted = by_place.get(&pass.place)?;
        let (path, place) = &mounted.path;
        let mut row = Mount::at(pass.place);
        row.confidence = link.confidence;
        row.path = Fact::read(path.clone(), *place);
        row.script_name = match &mounted.script_name {
            Some((value, place)) => Fact::read(value.clone(), *place),
            None => Fact::absent(),
        };
        row.alone = Fact::derived(passes.get(pass.address.known()?.as_str()).is_some_and(|passes| passes.len() == 1));
        row.known_to_app = known_to_app(path, view);
        row.uwsgi = socket.uwsgi.clone();
        Some(row)
    };
    links.iter().filter_map(row).take(MOST).collect()
}

/// More apps below paths of their own than one nginx has; the code is searched for each.
const MOST: usize = 1000;

/// What handles a path of its own, whatever it is called.
const HANDLERS: [&str; 4] = ["SCRIPT_NAME", "APPLICATION_ROOT", "DispatcherMiddleware", "ProxyFix"];

fn known_to_app(path: &str, view: &View) -> Fact<bool> {
    if view.of(Kind::Python).next().is_none() {
        return Fact::unknown(Missing::new("the app's code", "lint it together with this configuration"));
    }
    let bare = path.trim_start_matches('/');
    let written = [path.to_owned(), format!("'{bare}/"), format!("\"{bare}/"), format!("^{bare}/")];
    Fact::derived(view.of(Kind::Python).any(|document| {
        let holds = |word: &str| document.text().contains(word);
        written.iter().any(|word| holds(word)) || HANDLERS.into_iter().any(holds)
    }))
}
