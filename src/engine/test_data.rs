//! Data that tests are fed with: read as context, judged only where it was named.

use std::collections::BTreeSet;

use crate::engine::Run;
use crate::engine::repository::Vendored;
use crate::host::around;
use crate::source::Place;
use crate::stack::boundary::below;

/// Folders of data that tests are fed with: broken on purpose, or never run.
const TEST_DATA: &[&str] = &["test", "tests", "testdata", "fixtures", "spec"];

/// Whether a path of a tree lies in a folder of test data below the folder that was named.
fn is_test_data(path: &str, roots: &[String]) -> bool {
    let folder = inside(path, roots).rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.split('/').any(|part| TEST_DATA.contains(&part))
}

/// The part of a path below the nearest of the folders that were named: what lies above it was chosen by the user.
pub(super) fn inside<'p>(path: &'p str, roots: &[String]) -> &'p str {
    roots.iter().filter_map(|root| below(path, root)).min_by_key(|inside| inside.len()).unwrap_or(path)
}

/// The folders among what was named, as sources name them.
pub(super) fn folders(paths: &[String]) -> Vec<String> {
    let root = |path: &String| match around::tidy(path).as_str() {
        "." => String::new(),
        tidy => tidy.to_owned(),
    };
    paths.iter().filter(|path| around::is_folder(path)).map(root).collect()
}

/// Test data is read as context; it is judged where it was named.
pub(super) fn leave_out(run: &mut Run, paths: &[String], named: &BTreeSet<String>, vendored: &Vendored) {
    let roots = folders(paths);
    let sources = &run.sources;
    let is_named = |place: Place| named.contains(&sources.get(place.file).name);
    let is_data = |place: Place| {
        let name = &sources.get(place.file).name;
        is_test_data(name, &roots) && !vendored.is_judged(name)
    };
    run.report.findings.retain(|finding| {
        !is_data(finding.primary.place)
            || finding.related.iter().any(|label| is_named(label.place))
            || is_named(finding.primary.place)
    });
    run.report.cannot_tell.retain(|question| !is_data(question.place) || is_named(question.place));
}

#[cfg(test)]
mod tests {
    use super::is_test_data;

    #[test]
    fn test_data_lies_below_what_was_named() {
        let roots = |roots: &[&str]| roots.iter().map(|root| (*root).to_owned()).collect::<Vec<_>>();
        assert!(is_test_data("tests/data/nginx.conf", &roots(&[""])));
        assert!(is_test_data("infra/fixtures/a/uwsgi.ini", &roots(&["infra"])));
        assert!(!is_test_data("fixtures/thena/etc/uwsgi.ini", &roots(&["fixtures/thena"])));
        assert!(!is_test_data("deploy/tests", &roots(&[""])));
        assert!(!is_test_data("latest/nginx.conf", &roots(&["app", "latest"])));
    }
}
