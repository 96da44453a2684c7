//! Which file holds the app that uWSGI is told to load, and where in it the callable is bound.

use crate::finding::Confidence;
use crate::source::Place;
use crate::stack::app::Entry;
use crate::stack::app::code::Code;
use crate::stack::app::name::{self, folder_of};
use crate::stack::app::unit::Unit;
use crate::stack::fact::Missing;
use crate::syntax::python::{Node, Scope, What};

/// The WSGI file, Python's path with what had to be added, and how sure it is.
pub fn locate<'c>(code: &'c Code, entry: &Entry) -> Result<(&'c Unit, Vec<String>, Confidence), Missing> {
    let how = "name its folder: [app] path = \"…\" in housecall.toml";
    let roots = || entry.roots.iter().map(|root| name::normal(root)).collect::<Vec<_>>();
    let (tails, wanted) = match (&entry.wsgi_file, &entry.module) {
        (Some(file), _) => {
            let direct = entry
                .roots
                .iter()
                .map(|root| name::join(root, file))
                .find_map(|path| code.at(&path))
                .or_else(|| code.at(file));
            if let Some(unit) = direct {
                return Ok((unit, roots(), Confidence::Proved));
            }
            // Deployed elsewhere: the longest end of the path that is in sight.
            let ends = std::iter::successors(Some(file.trim_start_matches('/')), |end| {
                end.split_once('/').map(|(_, rest)| rest)
            });
            let tail = ends.clone().find(|end| !code.ending_in(end).is_empty()).unwrap_or(file);
            (vec![tail.to_owned()], file)
        }
        (None, Some(module)) => {
            let module_name = module.split(':').next().unwrap_or(module);
            if let Some(unit) = code.module(&roots(), module_name) {
                return Ok((unit, roots(), Confidence::Proved));
            }
            let path = module_name.replace('.', "/");
            (vec![format!("{path}.py"), format!("{path}/__init__.py")], module)
        }
        (None, None) => return Err(Missing::new("which module holds the app", "set `module` or `wsgi-file`")),
    };
    let candidates: Vec<_> =
        tails.iter().flat_map(|tail| code.ending_in(tail).into_iter().map(move |unit| (unit, tail))).collect();
    let [(unit, tail)] = candidates.as_slice() else {
        let what = if candidates.is_empty() {
            format!("the app's source (`{wanted}`)")
        } else {
            format!("which of {} files is `{wanted}`", candidates.len())
        };
        return Err(Missing::new(what, how));
    };
    let mut roots = roots();
    let above = unit.path().strip_suffix(tail.as_str()).unwrap_or_else(|| folder_of(unit.path()));
    roots.push(name::normal(above));
    Ok((unit, roots, Confidence::Possible))
}

/// The name of the callable.
pub fn callable(entry: &Entry) -> &str {
    let named = entry.module.as_deref().and_then(|module| module.split_once(':')).map(|(_, callable)| callable);
    entry.callable.as_deref().or(named).unwrap_or("application")
}

/// Where the callable is bound; the whole file where that cannot be seen.
pub fn callable_place(unit: &Unit, entry: &Entry) -> Place {
    let callable = callable(entry);
    let bound = unit.events(&Scope::Module).rev().find(|event| match &event.what {
        What::Assign { target, .. } => matches!(&*target.node, Node::Name(name) if name == callable),
        What::Function(function) => &*function.name == callable,
        What::Import(import) => import.names.iter().flatten().any(|(_, alias)| alias == callable),
        _ => false,
    });
    bound.map_or_else(|| Place::whole(unit.document.file), |event| unit.place(event.span))
}
