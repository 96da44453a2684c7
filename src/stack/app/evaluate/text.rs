//! Texts with values put in: `'…'.format(…)` and `'…' % …`.

use super::{At, Evaluator};
use crate::stack::app::value::{Table, Value};
use crate::syntax::python::{Argument, Expr, Node};

/// One stretch of a text: as it is, or the name or number of what is put in.
type Stretch<'t> = Result<&'t str, &'t str>;

impl<'c> Evaluator<'_, 'c> {
    /// `text.format(arguments)`; `None` where the text is not known.
    pub(super) fn format(&self, at: &At<'c>, text: &Expr, arguments: &[Argument]) -> Option<Value> {
        let Value::Text(text) = self.evaluate(at, text) else { return None };
        let by_position: Vec<&Argument> = arguments.iter().filter(|one| one.keyword.is_none()).collect();
        let named: Vec<Argument> = arguments.iter().filter(|one| one.keyword.is_some()).cloned().collect();
        let named = self.arguments(at, &named, &[]);
        let mut next = 0;
        let mut parts = Vec::new();
        for stretch in braces(&text)? {
            parts.push(match stretch {
                Ok(written) => Value::Text(written.to_owned()),
                Err(field) => {
                    let position = if field.is_empty() { Some(next) } else { field.parse().ok() };
                    next += 1;
                    match position {
                        Some(position) => self.evaluate(at, &by_position.get(position)?.value),
                        None => named.get(field).unwrap_or_else(|| Value::unknown("a value that a text is made of")),
                    }
                }
            });
        }
        Some(Value::Joined(parts))
    }

    /// `text % values`
    pub(super) fn percent(&self, at: &At<'c>, text: &Expr, values: &Expr) -> Value {
        let unknown = || Value::unknown("what a text is made of");
        let Value::Text(text) = self.evaluate(at, text) else { return unknown() };
        let Some(stretches) = percents(&text) else { return unknown() };
        let given: Vec<&Expr> = match &*values.node {
            Node::Sequence(all) => all.iter().collect(),
            _ => vec![values],
        };
        let is_named = stretches.iter().any(|stretch| stretch.is_err_and(|name| !name.is_empty()));
        let table = match is_named {
            true => match self.evaluate(at, values).table() {
                Ok(table) => table,
                Err(missing) => return Value::Unknown(missing),
            },
            false => Table::default(),
        };
        let mut given = given.into_iter();
        let part = |stretch: Stretch| match stretch {
            Ok(written) => Value::Text(written.to_owned()),
            Err("") => given.next().map_or_else(unknown, |value| self.evaluate(at, value)),
            Err(name) => table.get(name).unwrap_or_else(unknown),
        };
        Value::Joined(stretches.into_iter().map(part).collect())
    }
}

/// The stretches of a text with `{…}`; `None` where one of them does more than put a value in.
fn braces(text: &str) -> Option<Vec<Stretch<'_>>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        all.push(Ok(before));
        let brace = &after[..1];
        if let Some(behind) = after[1..].strip_prefix(brace) {
            all.push(Ok(brace));
            rest = behind;
            continue;
        }
        let (field, behind) = after.strip_prefix('{')?.split_once('}')?;
        let is_plain = field.chars().all(|c| c.is_alphanumeric() || c == '_');
        all.push(Err(Some(field).filter(|_| is_plain)?));
        rest = behind;
    }
    all.push(Ok(rest));
    Some(all)
}

/// The stretches of a text with `%s`, `%d` and `%(name)s`; `None` where another conversion stands in it.
fn percents(text: &str) -> Option<Vec<Stretch<'_>>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        all.push(Ok(before));
        if let Some(behind) = after.strip_prefix('%') {
            all.push(Ok("%"));
            rest = behind;
            continue;
        }
        let (name, kind) = match after.strip_prefix('(') {
            Some(inner) => inner.split_once(')')?,
            None => ("", after),
        };
        rest = kind.strip_prefix(['s', 'd', 'i'])?;
        all.push(Err(name));
    }
    all.push(Ok(rest));
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::{braces, percents};

    #[test]
    fn what_is_put_in_and_what_stands_between() {
        assert_eq!(braces("a{}b{{{x}"), Some(vec![Ok("a"), Err(""), Ok("b"), Ok("{"), Ok(""), Err("x"), Ok("")]));
        assert_eq!(percents("%s:%%%(x)s!"), Some(vec![Ok(""), Err(""), Ok(":"), Ok("%"), Ok(""), Err("x"), Ok("!")]));
        assert!(["{x!r}", "{x:5}", "{x.y}", "}", "{"].into_iter().all(|text| braces(text).is_none()));
        assert!(["%5s", "%(x", "%"].into_iter().all(|text| percents(text).is_none()));
    }
}
