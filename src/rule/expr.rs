//! Conditions and texts of rule pages: minijinja over the facts of one row, with unknown kept apart from absent.
//!
//! Facts are looked up when an expression touches them. An absent fact is `none`; an absent row is false, and so are
//! all its facts; touching an unknown one makes the whole term unknown, whatever it evaluates to.

use std::fmt;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Expression, UndefinedBehavior, escape_formatter};

use crate::rule::plain::{Met, Plain};
use crate::rule::schema;
use crate::rule::subject::without_row;
pub use crate::rule::subject::{GAP, Subject};
use crate::stack::fact::{Missing, Row, Schema};

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, state, value| match value.kind() {
        ValueKind::Seq => {
            let items: Vec<String> = value.try_iter()?.map(|item| item.to_string()).collect();
            escape_formatter(out, state, &Value::from(items.join(", ")))
        }
        ValueKind::None => Ok(out.write_str(GAP)?),
        _ => escape_formatter(out, state, value),
    });
    environment
});

/// What a condition says of a row. Unknown is never taken for no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No fault.
    No,
    /// A fault.
    Yes,
    /// Cannot tell, for want of these.
    Unknown(Vec<Missing>),
}

impl Verdict {
    /// Both: no where either says no, else unknown where either lacks something.
    #[must_use]
    pub fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::No, _) | (_, Verdict::No) => Verdict::No,
            (Verdict::Unknown(mut missing), Verdict::Unknown(more)) => {
                missing.extend(more);
                missing.sort();
                missing.dedup();
                Verdict::Unknown(missing)
            }
            (Verdict::Unknown(missing), Verdict::Yes) | (Verdict::Yes, Verdict::Unknown(missing)) => {
                Verdict::Unknown(missing)
            }
            (Verdict::Yes, Verdict::Yes) => Verdict::Yes,
        }
    }
}

/// One condition, compiled.
pub struct Term {
    source: String,
    check: Check,
}

/// How a condition is evaluated.
enum Check {
    Plain(Plain),
    Expression(Box<Expression<'static, 'static>>),
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Term").field(&self.source).finish()
    }
}

impl Term {
    /// Compiles a condition over rows of `schema`.
    ///
    /// # Errors
    /// Says what is wrong with its syntax, or which name in it is no fact of these rows.
    pub fn parse(source: &str, schema: &'static Schema) -> Result<Self, String> {
        if let Some(plain) = Plain::parse(source, schema) {
            return Ok(Self { source: source.to_owned(), check: Check::Plain(plain) });
        }
        Self::interpreted(source, schema)
    }

    /// The same, left to minijinja although it may be plain.
    pub(super) fn interpreted(source: &str, schema: &'static Schema) -> Result<Self, String> {
        let expression = ENVIRONMENT
            .compile_expression_owned(source.to_owned())
            .map_err(|error| format!("`{source}`: {}", reason(&error)))?;
        check_names(expression.undeclared_variables(true), schema)?;
        Ok(Self { source: source.to_owned(), check: Check::Expression(Box::new(expression)) })
    }

    /// The condition as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What the condition says of a row.
    pub fn verdict(&self, subject: &Subject<'_>) -> Verdict {
        let (outcome, missing) = match &self.check {
            Check::Plain(plain) => {
                let mut met = Met { missing: Vec::new(), confidence: subject.confidence() };
                let holds = plain.holds(subject.row(), &mut met);
                subject.weaken(met.confidence);
                (Ok(holds), met.missing)
            }
            Check::Expression(expression) => {
                let outcome = expression.eval(subject.context()).map(|value| value.is_true());
                (outcome, subject.take_missing())
            }
        };
        match outcome {
            _ if !missing.is_empty() => Verdict::Unknown(missing),
            Ok(true) => Verdict::Yes,
            Ok(false) => Verdict::No,
            Err(error) => Verdict::Unknown(vec![Missing::new(
                format!("the answer to `{}`: {}", self.source, reason(&error)),
                "this is a mistake in the rule's page; report it to whoever wrote the rule",
            )]),
        }
    }
}

/// What all terms together say of a row; each is evaluated alone, and none after the first that says no.
pub fn verdict_of_all<'a>(terms: impl IntoIterator<Item = &'a Term>, subject: &Subject<'_>) -> Verdict {
    let mut verdict = Verdict::Yes;
    for term in terms {
        verdict = verdict.and(term.verdict(subject));
        if verdict == Verdict::No {
            break;
        }
    }
    verdict
}

/// A text of a rule page with the facts of a row in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Checks a text for rows of `schema`.
    ///
    /// # Errors
    /// Says what is wrong with its syntax, or which name in it is no fact of these rows.
    pub fn parse(source: &str, schema: &'static Schema) -> Result<Self, String> {
        let template =
            ENVIRONMENT.template_from_str(source).map_err(|error| format!("`{source}`: {}", reason(&error)))?;
        check_names(template.undeclared_variables(true), schema)?;
        Ok(Self(source.to_owned()))
    }

    /// The text as written.
    pub fn source(&self) -> &str {
        &self.0
    }

    /// The text where no row is at hand; `None` where it cannot do without its facts.
    pub fn without_row(&self, schema: &'static Schema) -> Option<String> {
        let words = ENVIRONMENT.render_str(&self.0, without_row(schema)).ok()?;
        (!words.contains(GAP) || self.0.contains(GAP)).then_some(words)
    }

    /// The text for one row; [`GAP`] stands for a fact that is absent or out of sight.
    ///
    /// # Errors
    /// Says which expression in it cannot be evaluated.
    pub fn render(&self, row: &Arc<dyn Row>) -> Result<String, String> {
        ENVIRONMENT.render_str(&self.0, Subject::for_words(row).context()).map_err(|error| reason(&error))
    }
}

/// Refuses names that are no facts, and facts that are not written in full, so that a typo fails when a page is loaded.
fn check_names(names: impl IntoIterator<Item = String>, schema: &'static Schema) -> Result<(), String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort();
    for name in names {
        if name == "it" {
            return Err("`it` stands alone: name a fact of it, as in `it.name` (not `it['name']`)".into());
        }
        schema::type_of(schema, &name)?;
    }
    Ok(())
}

/// An error of minijinja in one line.
fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::finding::Confidence;
    use crate::source::{Origin, Place, Sources};
    use crate::stack::app::App;
    use crate::stack::fact::{Fact, Table};
    use crate::stack::link::Link;
    use crate::stack::nginx::Pass;
    use crate::stack::uwsgi::Uwsgi;

    fn place() -> Place {
        Place::whole(Sources::default().add("a", Vec::new(), Origin::File))
    }

    fn link(workers: Fact<i64>, app: Fact<Arc<App>>) -> Arc<dyn Row> {
        let uwsgi = Uwsgi { workers, lazy_apps: Fact::default_of(false), ..Uwsgi::at(place()) };
        Arc::new(Link { uwsgi: Fact::derived(Arc::new(uwsgi)), app, ..Link::at(place()) })
    }

    fn ask(row: &Arc<dyn Row>, terms: &[&str]) -> Verdict {
        let terms: Vec<Term> = terms.iter().map(|term| Term::parse(term, &Link::SCHEMA).unwrap()).collect();
        verdict_of_all(&terms, &Subject::new(row))
    }

    #[test]
    fn leaves_are_plain_values_and_absent_rows_are_false() {
        let row = link(Fact::default_of(4), Fact::absent());
        assert_eq!(ask(&row, &["it.uwsgi.workers > 1", "not it.uwsgi.lazy_apps"]), Verdict::Yes);
        assert_eq!(ask(&row, &["it.uwsgi.workers == 1"]), Verdict::No);
        assert_eq!(ask(&row, &["it.app"]), Verdict::No);
        assert_eq!(ask(&row, &["it.app.path is none", "not it.app.framework"]), Verdict::Yes);
        let row = link(Fact::absent(), Fact::absent());
        assert_eq!(ask(&row, &["it.uwsgi.workers > 1"]), Verdict::No);
        assert_eq!(ask(&row, &["it.uwsgi.workers < 2"]), Verdict::Yes, "as rules/README.md warns");
    }

    #[test]
    fn an_unknown_fact_makes_its_term_unknown_unless_another_says_no() {
        let missing = Missing::new("the app's source", "name its folder");
        let row = link(Fact::default_of(4), Fact::unknown(missing.clone()));
        assert_eq!(ask(&row, &["it.uwsgi.workers > 1", "it.app.path"]), Verdict::Unknown(vec![missing.clone()]));
        assert_eq!(ask(&row, &["not it.app.path"]), Verdict::Unknown(vec![missing.clone()]));
        assert_eq!(ask(&row, &["it.app.path | length > 3"]), Verdict::Unknown(vec![missing.clone()]));
        assert_eq!(ask(&row, &["it.app.path", "it.uwsgi.workers > 9"]), Verdict::No);
        assert_eq!(ask(&row, &["it.uwsgi.workers > 1 or it.app.path"]), Verdict::Yes);
    }

    #[test]
    fn every_missing_thing_is_named_once() {
        let row = link(Fact::unknown(Missing::new("b", "")), Fact::unknown(Missing::new("a", "")));
        let terms = ["it.uwsgi.workers > 1", "it.app.path", "it.app.framework"];
        assert_eq!(ask(&row, &terms), Verdict::Unknown(vec![Missing::new("a", ""), Missing::new("b", "")]));
    }

    #[test]
    fn a_mistake_in_a_condition_is_never_an_answer() {
        let row = link(Fact::default_of(4), Fact::absent());
        assert!(matches!(ask(&row, &["it.uwsgi.workers | nosuch"]), Verdict::Unknown(_)));
    }

    #[test]
    fn names_are_checked_when_a_page_is_loaded() {
        let refused = |term: &str| Term::parse(term, &Link::SCHEMA).unwrap_err();
        assert!(refused("it.uwsgi.worker > 1").contains("did you mean `workers`"));
        assert!(refused("uwsgi.workers > 1").contains("facts are written"));
        assert!(refused("it['uwsgi']").contains("stands alone"));
        assert!(refused("it.uwsgi.module.startswith('x')").contains("has no facts"));
        assert!(refused("it.uwsgi.workers >").contains("syntax error"));
        assert!(Text::parse("{{ it.uwsgi.worker }}", &Link::SCHEMA).is_err());
        assert!(Term::parse("it.uwsgi.module in ['it.nothing', \"it.neither\"]", &Link::SCHEMA).is_ok());
    }

    #[test]
    fn the_same_row_is_equal_to_itself_alone() {
        let uwsgi = Arc::new(Uwsgi::at(place()));
        let other = Arc::new(Uwsgi::at(place()));
        let value = |row: &Arc<Uwsgi>| {
            let row: Arc<dyn Row> = Arc::clone(row) as _;
            Subject::new(&row).context().get_attr("it").unwrap()
        };
        assert_eq!(value(&uwsgi), value(&uwsgi));
        assert_ne!(value(&uwsgi), value(&other));
    }

    #[test]
    fn the_weakest_touched_row_decides_the_confidence() {
        let app = App { confidence: Confidence::Possible, path: Fact::derived("a.py".into()), ..App::at(place()) };
        let row = link(Fact::default_of(4), Fact::derived(Arc::new(app)));
        let subject = Subject::new(&row);
        Term::parse("it.uwsgi.workers", &Link::SCHEMA).unwrap().verdict(&subject);
        assert_eq!(subject.confidence(), Confidence::Proved);
        Term::parse("it.app.path", &Link::SCHEMA).unwrap().verdict(&subject);
        assert_eq!(subject.confidence(), Confidence::Possible);
    }

    #[test]
    fn texts_leave_a_gap_and_join_lists() {
        let row = link(Fact::unknown(Missing::new("", "")), Fact::unknown(Missing::new("", "")));
        let text = Text::parse("{{ it.uwsgi.workers }} of {{ it.app.path }}", &Link::SCHEMA).unwrap();
        assert_eq!(text.render(&row), Ok("… of …".into()));
        assert_eq!(text.render(&link(Fact::default_of(4), Fact::absent())), Ok("4 of …".into()));
        let names = Fact::derived(["a.org".to_owned(), "b.org".to_owned()].into());
        let pass: Arc<dyn Row> = Arc::new(Pass { server_names: names, ..Pass::at(place()) });
        let text = Text::parse("for {{ it.server_names }}", &Pass::SCHEMA).unwrap();
        assert_eq!(text.render(&pass), Ok("for a.org, b.org".into()));
    }
}
