//! Which facts there are: every table a rule page can run over, and the check that a dotted path leads somewhere.

use std::fmt::Write;

use crate::nearest::did_you_mean;
use crate::stack::app::App;
use crate::stack::app::absence::AbsentApp;
use crate::stack::chef::attribute_read::AttributeRead;
use crate::stack::chef::berks_entry::{BerksEntry, BerksSource};
use crate::stack::chef::berks_lock::BerksLock;
use crate::stack::chef::command::Command;
use crate::stack::chef::deployed_file::DeployedFile;
use crate::stack::chef::file_source::FileSource;
use crate::stack::chef::metadata_field::MetadataField;
use crate::stack::chef::misnamed::Misnamed;
use crate::stack::chef::notification::Notification;
use crate::stack::chef::policy_lock::PolicyLock;
use crate::stack::chef::printed_value::PrintedValue;
use crate::stack::chef::private_key::PrivateKey;
use crate::stack::chef::recipe_use::RecipeUse;
use crate::stack::chef::template_variable::TemplateVariable;
use crate::stack::chef::version::Version;
use crate::stack::chef::written_secret::WrittenSecret;
use crate::stack::chef::{Berksfile, Checkout, Cookbook, Dependency, Service};
use crate::stack::daemon_file::DaemonFile;
use crate::stack::database::Database;
use crate::stack::difference::Difference;
use crate::stack::env::{EnvRead, EnvValue};
use crate::stack::fact::{Column, Schema, Table, Type};
use crate::stack::front::Front;
use crate::stack::job::{Event, Job, JobLine, JobStanza};
use crate::stack::link::{Link, PassLink};
use crate::stack::loading::Loading;
use crate::stack::login_variable::LoginVariable;
use crate::stack::nginx::{
    Alias, Header, If, KeepAlive, Line, Listen, Mount, Pass, PassTarget, Redirect, Request, Root, Server, Taint,
};
use crate::stack::problem::Refusal;
use crate::stack::process::Daemon;
use crate::stack::server::DatabaseServer;
use crate::stack::uwsgi::{Socket, Uwsgi, UwsgiLine, UwsgiOption};

/// Every table, in the order of a request and then of what stands around it. A new table is registered here.
pub static TABLES: &[Schema] = &[
    Listen::SCHEMA,
    Pass::SCHEMA,
    PassLink::SCHEMA,
    Server::SCHEMA,
    Request::SCHEMA,
    Mount::SCHEMA,
    PassTarget::SCHEMA,
    KeepAlive::SCHEMA,
    Header::SCHEMA,
    Alias::SCHEMA,
    Root::SCHEMA,
    If::SCHEMA,
    Redirect::SCHEMA,
    Taint::SCHEMA,
    Line::SCHEMA,
    Socket::SCHEMA,
    Uwsgi::SCHEMA,
    UwsgiOption::SCHEMA,
    UwsgiLine::SCHEMA,
    Link::SCHEMA,
    Front::SCHEMA,
    Job::SCHEMA,
    JobStanza::SCHEMA,
    JobLine::SCHEMA,
    Event::SCHEMA,
    Daemon::SCHEMA,
    Loading::SCHEMA,
    Difference::SCHEMA,
    App::SCHEMA,
    AbsentApp::SCHEMA,
    EnvRead::SCHEMA,
    EnvValue::SCHEMA,
    Database::SCHEMA,
    DatabaseServer::SCHEMA,
    Cookbook::SCHEMA,
    Version::SCHEMA,
    MetadataField::SCHEMA,
    Berksfile::SCHEMA,
    BerksEntry::SCHEMA,
    BerksLock::SCHEMA,
    PolicyLock::SCHEMA,
    BerksSource::SCHEMA,
    Dependency::SCHEMA,
    RecipeUse::SCHEMA,
    FileSource::SCHEMA,
    TemplateVariable::SCHEMA,
    PrintedValue::SCHEMA,
    AttributeRead::SCHEMA,
    DeployedFile::SCHEMA,
    DaemonFile::SCHEMA,
    Command::SCHEMA,
    Notification::SCHEMA,
    WrittenSecret::SCHEMA,
    LoginVariable::SCHEMA,
    Misnamed::SCHEMA,
    PrivateKey::SCHEMA,
    Service::SCHEMA,
    Checkout::SCHEMA,
    Refusal::SCHEMA,
];

/// The declaration of a table.
///
/// # Errors
/// Says that there is no such table, and which one was probably meant.
pub fn table(name: &str) -> Result<&'static Schema, String> {
    TABLES.iter().find(|schema| schema.table == name).ok_or_else(|| {
        let hint = did_you_mean(name, TABLES.iter().map(|schema| schema.table));
        format!("there is no table `{name}`{hint} (rules/README.md lists them)")
    })
}

/// A fact of a table.
///
/// # Errors
/// Says that the table has no such fact, and which one was probably meant.
pub fn column(schema: &'static Schema, name: &str) -> Result<&'static Column, String> {
    schema.columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let hint = did_you_mean(name, schema.columns.iter().map(|column| column.name));
        format!("table `{}` has no fact `{name}`{hint}", schema.table)
    })
}

/// The type of what a dotted path such as `it.uwsgi.workers` leads to, for rows of the table `schema`.
///
/// # Errors
/// Says which step of the path leads nowhere.
pub fn type_of(schema: &'static Schema, path: &str) -> Result<Type, String> {
    let mut steps = path.split('.');
    if steps.next() != Some("it") {
        return Err(format!("`{path}` is not a fact: facts are written `it.name` or `it.row.name`"));
    }
    let mut found = Type::Row(schema.table);
    for step in steps {
        let Type::Row(name) = found else {
            return Err(format!("`{path}`: what stands before `.{step}` is {}, which has no facts", words(found)));
        };
        found = column(table(name)?, step).map_err(|error| format!("`{path}`: {error}"))?.kind;
    }
    Ok(found)
}

/// A type in the words of its documentation.
fn words(kind: Type) -> String {
    match kind {
        Type::Bool => "true or false".into(),
        Type::Int => "a number".into(),
        Type::Text => "text".into(),
        Type::List => "a list of texts".into(),
        Type::Row(table) => format!("a row of [`{table}`](#{table})"),
    }
}

/// All tables with their facts, as Markdown: the part of `rules/README.md` that nobody writes by hand.
pub fn facts_table() -> String {
    let mut text = String::new();
    for schema in TABLES {
        let _ = write!(
            text,
            "### {}\n\n{}.\n\n| fact | type | what it is |\n| --- | --- | --- |\n",
            schema.table, schema.doc
        );
        for column in schema.columns {
            let _ = writeln!(text, "| `{}` | {} | {} |", column.name, words(column.kind), column.doc);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn paths_lead_through_rows() {
        let links = table("links").unwrap();
        assert_eq!(type_of(links, "it.uwsgi.workers"), Ok(Type::Int));
        assert_eq!(type_of(links, "it.app"), Ok(Type::Row("apps")));
        assert_eq!(type_of(links, "it"), Ok(Type::Row("links")));
        assert!(type_of(links, "it.uwsgi.worker").unwrap_err().contains("did you mean `workers`"));
        assert!(type_of(links, "it.uwsgi.workers.x").unwrap_err().contains("a number"));
        assert!(type_of(links, "uwsgi.workers").is_err());
        assert!(table("link").unwrap_err().contains("did you mean `links`"));
    }

    #[test]
    fn every_table_and_fact_is_named_once_and_every_row_type_is_registered() {
        let names: BTreeSet<_> = TABLES.iter().map(|schema| schema.table).collect();
        assert_eq!(names.len(), TABLES.len());
        for schema in TABLES {
            let columns: BTreeSet<_> = schema.columns.iter().map(|column| column.name).collect();
            assert_eq!(columns.len(), schema.columns.len(), "{}", schema.table);
            for column in schema.columns {
                if let Type::Row(name) = column.kind {
                    assert!(names.contains(name), "{}.{} leads to `{name}`", schema.table, column.name);
                }
            }
        }
    }
}
