//! Attributes that recipes, attribute files and templates read: whether anybody in the repository sets them.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Confidence;
use crate::nearest::slip;
use crate::rows;
use crate::source::{FileId, Place, Span};
use crate::stack::chef::attributes::written;
use crate::stack::chef::cookbook::{Book, Root};
use crate::stack::chef::opsworks;
use crate::stack::chef::target::Decision;
use crate::stack::chef::tree::{Tree, base};
use crate::stack::fact::{Fact, Missing};
use crate::syntax::erb::{self, TagKind};
use crate::syntax::ruby::{self, Call, Expr, Kind};

rows! {
    #[doc = "one attribute that a cookbook reads, at the first place; keyed by its first key where that is `deploy` or `opsworks`, else by `own` where the cookbook sets others below the same first key"]
    pub struct AttributeRead in "attribute_reads" {
        #[doc = "the attribute as recipes write it"]
        attribute: String,
        #[doc = "the cookbook that reads it"]
        cookbook: String,
        #[doc = "whether it is what OpsWorks gives with Chef 11: `node['deploy']` gone through, `node['opsworks']['instance']` and its like"]
        from_opsworks: bool,
        #[doc = "the app that is named, where it is one app's part of `deploy`"]
        app: String,
        #[doc = "whether something in the repository sets it"]
        set: bool,
        #[doc = "whether the cookbook asks somewhere whether it is set"]
        tested: bool,
        #[doc = "whether something sets the group that it is read from; where nothing does, the read fails"]
        group_set: bool,
        #[doc = "the attribute that was probably meant"]
        suggestion: String,
        #[doc = "the consumer the repository is made for"]
        target: String,
    }
}

/// One read of an attribute by its literal keys.
#[derive(Debug, Clone)]
struct Read {
    path: Vec<String>,
    span: Span,
    tested: bool,
    /// Whether a loop goes through it.
    iterated: bool,
}

/// A row for each attribute that a cookbook of the root's own reads.
pub fn reads(root: &Root, decision: &Decision, tree: &Tree<'_>) -> Vec<AttributeRead> {
    let mut rows = Vec::new();
    for (number, book) in root.books.iter().enumerate().filter(|(_, book)| !book.is_context) {
        let own = own_keys(root, number, book);
        let mut first: BTreeMap<Vec<String>, (Place, bool)> = BTreeMap::new();
        let mut tested: BTreeSet<Vec<String>> = BTreeSet::new();
        for (file, read) in reads_of(root, book, tree) {
            if read.tested {
                tested.insert(read.path.clone());
            }
            let entry = first.entry(read.path).or_insert((Place::at(file, read.span), false));
            entry.1 |= read.iterated;
        }
        for (path, (place, iterated)) in first {
            let key = match path[0].as_str() {
                key @ ("deploy" | "opsworks") => key,
                key if own.contains(key) && path.len() > 1 => "own",
                _ => continue,
            };
            let is_tested = (1..=path.len()).any(|length| tested.contains(&path[..length]));
            let mut row = row(root, book, decision, (key, &path, place, is_tested));
            row.from_opsworks = Fact::derived(is_from_opsworks(&path, iterated));
            rows.push(row);
        }
    }
    rows
}

/// The first keys that the cookbook's attribute files set, those of other cookbooks left out.
fn own_keys<'a>(root: &'a Root, number: usize, book: &Book) -> BTreeSet<&'a str> {
    let depends: BTreeSet<String> =
        book.metadata.iter().flat_map(|metadata| &metadata.depends).map(|one| plain(&one.name.value)).collect();
    let keys = root.attributes.first_keys(number);
    keys.filter(|key| !depends.contains(&plain(key)) && is_alone(key, &book.name)).collect()
}

/// A cookbook that sets `nginx` without being nginx changes what another one made.
fn is_alone(key: &str, book: &str) -> bool {
    let (key, book) = (plain(key), plain(book));
    key.contains(&book) || book.contains(&key)
}

/// What only OpsWorks gives: a stack may set `node['deploy']` for its own ends, but not go through it as a list of apps.
fn is_from_opsworks(path: &[String], iterated: bool) -> bool {
    match path {
        [first] => first == "deploy" && iterated,
        [first, second, ..] => {
            first == "opsworks"
                && matches!(
                    second.as_str(),
                    "instance" | "layers" | "stack" | "applications" | "activity" | "data_bags"
                )
        }
        [] => false,
    }
}

fn plain(name: &str) -> String {
    name.replace('-', "_").to_ascii_lowercase()
}

fn row(
    root: &Root,
    book: &Book,
    decision: &Decision,
    (key, path, place, tested): (&str, &[String], Place, bool),
) -> AttributeRead {
    let mut row = AttributeRead::at(place);
    key.clone_into(&mut row.key);
    row.confidence = if key == "own" { Confidence::Possible } else { decision.confidence };
    row.attribute = Fact::read(written(path), place);
    row.cookbook = Fact::derived(book.name.clone());
    row.app = match path {
        [first, app, _, ..] if first == "deploy" => Fact::read(app.clone(), place),
        _ => Fact::absent(),
    };
    row.tested = Fact::derived(tested);
    let parent = &path[..path.len() - 1];
    let is_merged = opsworks::is_built_in(&book.name, decision.target);
    row.set = match root.attributes.reaches(path) {
        Some(false) if is_merged => Fact::unknown(Missing::new(
            format!("the attributes that OpsWorks has in its own {}", book.name),
            "it merges the two; look into its cookbooks on an instance",
        )),
        Some(is_set) => Fact::derived(is_set),
        None => {
            Fact::unknown(Missing::new(format!("what is set below {}", written(parent)), "write its keys as strings"))
        }
    };
    row.group_set = Fact::derived(parent.is_empty() || root.attributes.reaches(parent) != Some(false));
    let siblings = if row.set.known() == Some(&false) { root.attributes.keys_below(parent) } else { Vec::new() };
    let near = path.last().and_then(|last| slip(last, siblings.iter().copied()));
    row.suggestion = near.map_or_else(Fact::absent, |near| {
        let mut meant = parent.to_vec();
        meant.push(near.to_owned());
        Fact::derived(written(&meant))
    });
    row.target = decision.fact();
    row
}

/// Every read of a cookbook's Ruby files and templates, in the order of the files.
fn reads_of(root: &Root, book: &Book, tree: &Tree<'_>) -> Vec<(FileId, Read)> {
    let mut all = Vec::new();
    for (path, file, program) in root.programs_under(&book.folder).iter().filter(|(path, ..)| base(path) != "Berksfile")
    {
        if root.is_context(path) {
            continue;
        }
        let mut reads = Vec::new();
        program.body.iter().for_each(|expr| collect(expr, false, &mut reads));
        all.extend(reads.into_iter().map(|read| (*file, read)));
    }
    let folder = crate::stack::chef::tree::join(&book.folder, "templates");
    for file in tree.under(&folder).filter(|file| file.path.ends_with(".erb")) {
        all.extend(of_template(file.text).into_iter().map(|read| (file.file, read)));
    }
    all
}

/// The reads of a template's tags. `if` without its `end` is read all the same.
fn of_template(text: &str) -> Vec<Read> {
    let mut all = Vec::new();
    for tag in erb::read(text).tags.iter().filter(|tag| tag.kind != TagKind::Comment) {
        let code = tag.code.of(text);
        if !code.contains("node") {
            continue;
        }
        let start = all.len();
        // An arm of a condition that another tag begins.
        let skipped = if code.starts_with("elsif") { "els".len() } else { 0 };
        let code = &code[skipped..];
        ruby::parse(code).tree.body.iter().for_each(|expr| collect(expr, false, &mut all));
        for read in &mut all[start..] {
            let range = read.span.range();
            let at = tag.code.range().start + skipped;
            read.span = Span::new(range.start + at, range.end + at);
        }
    }
    all
}

/// Reads in the order of the text; `tested` where an expression only asks whether it is set.
fn collect(expr: &Expr, tested: bool, all: &mut Vec<Read>) {
    match &expr.kind {
        Kind::Call(call) => {
            if let Some(path) = path_of(call) {
                all.push(Read { path, span: expr.span, tested, iterated: false });
                return;
            }
            let receiver = call.receiver.as_ref().and_then(|receiver| Some((receiver, path_of(receiver.call()?)?)));
            if let (Some((receiver, path)), "each" | "each_pair" | "map" | "select") = (receiver, call.name.as_str()) {
                all.push(Read { path, span: receiver.span, tested, iterated: true });
                call.block.iter().flat_map(|block| &block.body).for_each(|part| collect(part, tested, all));
                return;
            }
            let asks = tested
                || call.name.ends_with('?')
                || matches!(call.name.as_str(), "only_if" | "not_if" | "!" | "lazy" | "==" | "!=" | "rescue");
            call.receiver.iter().chain(&call.arguments).for_each(|part| collect(part, asks, all));
            call.block.iter().flat_map(|block| &block.body).for_each(|part| collect(part, asks, all));
        }
        Kind::Branch(branch) => {
            branch.subject.iter().for_each(|subject| collect(subject, true, all));
            for arm in &branch.arms {
                arm.conditions.iter().for_each(|condition| collect(condition, true, all));
                arm.body.iter().for_each(|part| collect(part, tested, all));
            }
        }
        Kind::Either(both) => {
            collect(&both.0, true, all);
            collect(&both.1, tested, all);
        }
        // The keys of what is assigned may be read, the attribute itself is not.
        Kind::Assign(assign) => collect(&assign.value, tested, all),
        _ => expr.children().into_iter().for_each(|child| collect(child, tested, all)),
    }
}

/// The keys of `node['a'][:b]`, as far as they are literal; `None` where the call is no such read.
fn path_of(call: &Call) -> Option<Vec<String>> {
    let mut keys: Vec<Option<String>> = Vec::new();
    let mut at = call;
    loop {
        let [key] = at.arguments.as_slice() else { return None };
        if at.name != "[]" {
            return None;
        }
        keys.push(key.literal());
        at = at.receiver.as_ref()?.call()?;
        if at.name == "node" && at.receiver.is_none() && at.arguments.is_empty() {
            break;
        }
    }
    let path: Vec<String> = keys.into_iter().rev().map_while(|key| key).collect();
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_what_only_asks() {
        let text = "x = node['a']['b']\nnode.default['a']['c'] = node[:a][:d]\nfile '/x' if node['a']['e']\n\
                    y = node['a']['f'] || 1\nnode['a']['g'].each { |i| p i }\nnode['a'][name]['h']\nnode['a']['i'].nil?\n";
        let mut all = Vec::new();
        ruby::parse(text).tree.body.iter().for_each(|expr| collect(expr, false, &mut all));
        let seen: Vec<_> = all.iter().map(|read| (read.path.join("."), read.tested)).collect();
        let expected =
            [("a.b", false), ("a.d", false), ("a.e", true), ("a.f", true), ("a.g", false), ("a", false), ("a.i", true)];
        assert_eq!(seen, expected.map(|(path, tested)| (path.to_owned(), tested)));
    }
}
