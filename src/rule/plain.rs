//! Conditions that need no interpreter: facts, `not`, `and`, `or`, comparisons with a fact or a literal, `in`, `is none`.
//! Most conditions are such, and are asked of every row; they mean exactly what minijinja would make of them.

use std::cmp::Ordering;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while1};
use nom::character::complete::{char, i64, multispace0};
use nom::combinator::{not, opt, peek, recognize, value};
use nom::multi::{many0, separated_list1};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::finding::{Confidence, Lack, Missing};
use crate::rule::schema;
use crate::stack::fact::{Look, Row, Schema, Type};

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plain {
    Truth(Path),
    IsNone(Path),
    Ints(Path, Relation, Operand<i64>),
    Texts(Path, Relation, Operand<String>),
    Bools(Path, Relation, Operand<bool>),
    Among(Path, Vec<String>),
    Not(Box<Plain>),
    All(Vec<Plain>),
    Any(Vec<Plain>),
}

/// The other side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand<T> {
    Fact(Path),
    Literal(T),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

/// The columns that lead from a row to a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    steps: Vec<usize>,
    kind: Type,
}

/// What was met on the way to an answer.
#[derive(Debug)]
pub(super) struct Met {
    /// What was out of sight.
    pub(super) missing: Vec<Missing>,
    /// The weakest link among the rows.
    pub(super) confidence: Confidence,
}

impl Plain {
    /// Reads a condition over rows of `schema`; `None` where it takes an interpreter, or where something is wrong with it.
    pub(super) fn parse(source: &str, schema: &'static Schema) -> Option<Self> {
        match delimited(multispace0, |text| any(text, schema), multispace0).parse(source) {
            Ok(("", Some(plain))) => Some(plain),
            _ => None,
        }
    }

    /// Whether it holds for a row, what is out of sight taken for `none`.
    pub(super) fn holds(&self, row: &dyn Row, met: &mut Met) -> bool {
        match self {
            Self::Truth(path) => path.follow(row, met, is_true).unwrap_or(false),
            Self::IsNone(path) => path.follow(row, met, |_| ()).is_none(),
            Self::Ints(path, relation, other) => {
                let one = path.follow(row, met, int).flatten();
                relation.holds(one.cmp(&match other {
                    Operand::Fact(other) => other.follow(row, met, int).flatten(),
                    Operand::Literal(literal) => Some(*literal),
                }))
            }
            Self::Bools(path, relation, other) => {
                let one = path.follow(row, met, bool).flatten();
                relation.holds(one.cmp(&match other {
                    Operand::Fact(other) => other.follow(row, met, bool).flatten(),
                    Operand::Literal(literal) => Some(*literal),
                }))
            }
            Self::Texts(path, relation, Operand::Literal(literal)) => {
                relation.holds(path.follow(row, met, |look| text(look).cmp(&Some(literal))).unwrap_or(Ordering::Less))
            }
            Self::Texts(path, relation, Operand::Fact(other)) => {
                let one = path.follow(row, met, |look| text(look).map(str::to_owned)).flatten();
                let other = other.follow(row, met, |look| text(look).cmp(&one.as_deref()).reverse());
                relation.holds(other.unwrap_or(if one.is_some() { Ordering::Greater } else { Ordering::Equal }))
            }
            Self::Among(path, literals) => path
                .follow(row, met, |look| text(look).is_some_and(|text| literals.iter().any(|one| one == text)))
                .unwrap_or(false),
            Self::Not(inner) => !inner.holds(row, met),
            Self::All(parts) => parts.iter().all(|part| part.holds(row, met)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(row, met)),
        }
    }
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::More => order.is_gt(),
            Self::MoreOrEqual => order.is_ge(),
        }
    }
}

impl Path {
    fn resolve(name: &str, schema: &'static Schema) -> Option<Self> {
        let mut steps = name.split('.');
        if steps.next() != Some("it") {
            return None;
        }
        let mut kind = Type::Row(schema.table);
        let mut columns = Vec::new();
        for step in steps {
            let Type::Row(table) = kind else { return None };
            let schema = schema::table(table).ok()?;
            let column = schema.columns.iter().position(|column| column.name == step)?;
            kind = schema.columns[column].kind;
            columns.push(column);
        }
        (!columns.is_empty()).then_some(Self { steps: columns, kind })
    }

    /// What `read` makes of the fact; `None` where it, or a row on the way to it, is absent or out of sight.
    fn follow<T>(&self, row: &dyn Row, met: &mut Met, read: impl FnOnce(Look<'_>) -> T) -> Option<T> {
        static NO_COLUMN: Lack = Lack::fixed("a fact that its table does not declare", "report this, it is a mistake");
        let mut row = row;
        let mut steps = self.steps.iter().peekable();
        while let Some(step) = steps.next() {
            match row.look(*step) {
                Some(Look::Absent) => return None,
                Some(Look::Unknown(missing)) => {
                    met.missing.push(missing.clone());
                    return None;
                }
                Some(Look::Row(next)) => {
                    met.confidence = met.confidence.min(next.confidence());
                    if steps.peek().is_none() {
                        return Some(read(Look::Row(next)));
                    }
                    row = next;
                }
                Some(look) => return Some(read(look)),
                None => {
                    met.missing.push((&NO_COLUMN).into());
                    return None;
                }
            }
        }
        None
    }
}

fn is_true(look: Look<'_>) -> bool {
    match look {
        Look::Bool(value) => value,
        Look::Int(value) => value != 0,
        Look::Text(text) => !text.is_empty(),
        Look::List(items) => !items.is_empty(),
        Look::Row(_) => true,
        Look::Absent | Look::Unknown(_) => false,
    }
}

fn int(look: Look<'_>) -> Option<i64> {
    if let Look::Int(value) = look { Some(value) } else { None }
}

fn bool(look: Look<'_>) -> Option<bool> {
    if let Look::Bool(value) = look { Some(value) } else { None }
}

fn text(look: Look<'_>) -> Option<&str> {
    if let Look::Text(text) = look { Some(text) } else { None }
}

/// A condition; `None` inside where its grammar is plain and its types are not.
type Read<'t, T> = IResult<&'t str, Option<T>>;

fn any<'t>(text: &'t str, schema: &'static Schema) -> Read<'t, Plain> {
    let (text, parts) = separated_list1(word("or"), |text| all(text, schema)).parse(text)?;
    Ok((text, joined(parts, Plain::Any)))
}

fn all<'t>(text: &'t str, schema: &'static Schema) -> Read<'t, Plain> {
    let (text, parts) = separated_list1(word("and"), |text| negated(text, schema)).parse(text)?;
    Ok((text, joined(parts, Plain::All)))
}

fn joined(parts: Vec<Option<Plain>>, join: fn(Vec<Plain>) -> Plain) -> Option<Plain> {
    let mut parts: Vec<Plain> = parts.into_iter().collect::<Option<_>>()?;
    if parts.len() == 1 { parts.pop() } else { Some(join(parts)) }
}

fn negated<'t>(text: &'t str, schema: &'static Schema) -> Read<'t, Plain> {
    let (text, nots) = many0(terminated(tag("not"), spaces)).parse(text)?;
    let (text, plain) = comparison(text, schema)?;
    Ok((text, plain.map(|plain| negated_if(plain, nots.len() % 2 == 1))))
}

fn negated_if(plain: Plain, is_negated: bool) -> Plain {
    if is_negated { Plain::Not(Box::new(plain)) } else { plain }
}

fn comparison<'t>(text: &'t str, schema: &'static Schema) -> Read<'t, Plain> {
    let (text, path) = fact(text, schema)?;
    let Some(path) = path else { return Ok((text, None)) };
    let mut is_none = preceded(word("is"), (opt(terminated(tag("not"), spaces)), terminated(tag("none"), end_of_word)));
    let among = delimited(multispace0, opt(terminated(tag("not"), spaces)), tag("in"));
    if let Ok((text, (negated, _))) = is_none.parse(text) {
        let plain = (!matches!(path.kind, Type::Row(_))).then_some(Plain::IsNone(path));
        return Ok((text, plain.map(|plain| negated_if(plain, negated.is_some()))));
    }
    if let Ok((text, negated)) = terminated(among, spaces).parse(text) {
        let (text, literals) = list(text)?;
        let plain = (path.kind == Type::Text).then_some(Plain::Among(path, literals));
        return Ok((text, plain.map(|plain| negated_if(plain, negated.is_some()))));
    }
    let Ok((text, relation)) = delimited(multispace0, relation, multispace0).parse(text) else {
        return Ok((text, Some(Plain::Truth(path))));
    };
    operand(text, schema, path, relation)
}

fn operand<'t>(text: &'t str, schema: &'static Schema, path: Path, relation: Relation) -> Read<'t, Plain> {
    let by_equality = matches!(relation, Relation::Equal | Relation::Unequal);
    if let Ok((text, literal)) = i64::<_, nom::error::Error<_>>(text) {
        return Ok((text, (path.kind == Type::Int).then_some(Plain::Ints(path, relation, Operand::Literal(literal)))));
    }
    if let Ok((text, literal)) = string(text) {
        let fits = path.kind == Type::Text && by_equality;
        return Ok((text, fits.then_some(Plain::Texts(path, relation, Operand::Literal(literal)))));
    }
    if let Ok((text, literal)) = truth(text) {
        let fits = path.kind == Type::Bool && by_equality;
        return Ok((text, fits.then_some(Plain::Bools(path, relation, Operand::Literal(literal)))));
    }
    let (text, other) = fact(text, schema)?;
    let Some(other) = other.filter(|other| other.kind == path.kind) else { return Ok((text, None)) };
    let plain = match path.kind {
        Type::Int => Some(Plain::Ints(path, relation, Operand::Fact(other))),
        Type::Text if by_equality => Some(Plain::Texts(path, relation, Operand::Fact(other))),
        Type::Bool if by_equality => Some(Plain::Bools(path, relation, Operand::Fact(other))),
        _ => None,
    };
    Ok((text, plain))
}

/// `it.row.name`; a call, an index or a filter after it is not plain.
fn fact<'t>(text: &'t str, schema: &'static Schema) -> Read<'t, Path> {
    let name = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    let (text, name) = terminated(name, not(peek((multispace0, one_of_other_signs)))).parse(text)?;
    Ok((text, Path::resolve(name, schema)))
}

fn one_of_other_signs(text: &str) -> IResult<&str, char> {
    nom::character::complete::one_of("([|+-*/%~.").parse(text)
}

fn relation(text: &str) -> IResult<&str, Relation> {
    alt((
        value(Relation::Equal, tag("==")),
        value(Relation::Unequal, tag("!=")),
        value(Relation::LessOrEqual, tag("<=")),
        value(Relation::MoreOrEqual, tag(">=")),
        value(Relation::Less, tag("<")),
        value(Relation::More, tag(">")),
    ))
    .parse(text)
}

fn truth(text: &str) -> IResult<&str, bool> {
    terminated(alt((value(true, tag("true")), value(false, tag("false")))), end_of_word).parse(text)
}

/// A text in quotes without escapes.
fn string(text: &str) -> IResult<&str, String> {
    let quoted =
        |quote: char, others: &'static str| delimited(char(quote), recognize(opt(is_not(others))), char(quote));
    alt((quoted('\'', "'\\"), quoted('"', "\"\\"))).map(|text: &str| text.to_owned()).parse(text)
}

fn list(text: &str) -> IResult<&str, Vec<String>> {
    let comma = delimited(multispace0, char(','), multispace0);
    let closing = preceded(multispace0, char(']'));
    delimited((char('['), multispace0), separated_list1(comma, string), closing).parse(text)
}

/// A word of the language, blanks around it.
fn word<'t>(word: &'static str) -> impl Parser<&'t str, Output = (), Error = nom::error::Error<&'t str>> {
    value((), (spaces, tag(word), spaces))
}

fn spaces(text: &str) -> IResult<&str, &str> {
    nom::character::complete::multispace1(text)
}

fn end_of_word(text: &str) -> IResult<&str, ()> {
    not(take_while1(|c: char| c.is_alphanumeric() || c == '_' || c == '.')).parse(text)
}

#[cfg(test)]
mod tests;
