//! How uWSGI finds the app: by its module, its file or a mount, in the folders that the instance and the user name.

use std::collections::BTreeSet;

use crate::stack::app::Entry;
use crate::stack::app::environment::Environment;
use crate::stack::assemble::Parts;
use crate::stack::env::Layers;
use crate::stack::fact::Answer;
use crate::stack::job;
use crate::stack::uwsgi::{self, Uwsgi};

/// How uWSGI finds the app, with the folder that the user named put last.
pub fn entry(parts: &Parts<'_>, uwsgi: &uwsgi::Reading, layers: &Layers) -> Entry {
    let row = &uwsgi.uwsgi;
    let mut roots: Vec<String> = row.pythonpath.known().cloned().unwrap_or_default();
    match (&row.chdir.answer, row.path.known()) {
        (Answer::Known(folder), _) => roots.push(folder.clone()),
        // Without `chdir` uWSGI stays where it was started: in the folder of its ini, where people try it by hand.
        (Answer::Absent, Some(path)) => roots.push(path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()),
        _ => {}
    }
    roots.extend(parts.app.map(str::to_owned));
    let (module, wsgi_file, callable) = match mounted(uwsgi) {
        Some(app) if row.module.is_absent() && row.wsgi_file.is_absent() => app,
        _ => (row.module.known().cloned(), row.wsgi_file.known().cloned(), row.callable.known().cloned()),
    };
    Entry {
        module,
        wsgi_file,
        callable,
        roots,
        environment: Environment {
            values: layers.texts(),
            hidden: layers.hidden(),
            complete: layers.out_of_sight.is_none(),
        },
    }
}

/// The same with the folders of the repository that lie where the process of a container looks.
pub fn in_container(entry: &Entry, row: &Uwsgi, job: &job::Reading) -> Entry {
    let works_in = match (&row.chdir.answer, &job.folder) {
        (Answer::Absent, Some(Answer::Known(folder))) => Some(folder),
        _ => None,
    };
    let looked_in = works_in.into_iter().chain(&entry.roots);
    let origins = |folder: &String| job.lands.iter().flat_map(|landing| landing.origins(folder)).collect::<Vec<_>>();
    let landed = looked_in.filter(|folder| folder.starts_with('/')).flat_map(origins);
    Entry { roots: landed.chain(entry.roots.iter().cloned()).collect(), ..entry.clone() }
}

/// What loads the app: a module, a file, and the callable in it.
type Loaded = (Option<String>, Option<String>, Option<String>);

/// The app of `mount = /path=app`, where there is one alone (uWSGI: `uwsgi_python_mount_app`).
fn mounted(uwsgi: &uwsgi::Reading) -> Option<Loaded> {
    let mounts = uwsgi.options.iter().filter(|option| option.key == "mount");
    let apps: BTreeSet<&str> =
        mounts.map(|mount| Some(mount.value.known()?.split_once('=')?.1)).collect::<Option<_>>()?;
    let (app, 1) = (apps.first()?, apps.len()) else { return None };
    if app.ends_with(".py") || app.ends_with(".wsgi") {
        return Some((None, Some((*app).to_owned()), uwsgi.uwsgi.callable.known().cloned()));
    }
    let (module, callable) = app.split_once(':').unwrap_or((app, "application"));
    Some((Some(module.to_owned()), None, Some(callable.to_owned())))
}
