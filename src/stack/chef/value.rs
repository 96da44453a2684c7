//! What a Ruby expression comes to, given the cookbook's attributes, the local variables and a template's `@variables`.
//! What the repository does not decide is unknown, and names the attribute or variable that does.

use std::collections::BTreeMap;

use crate::source::Span;
use crate::stack::chef::attributes::View;
use crate::stack::fact::{Answer, Missing};
use crate::syntax::ruby::{self, Branch, Call, Expr, Kind, Part};

/// A value of Ruby's; `nil` is [`Answer::Absent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string or a symbol.
    Text(String),
    /// A whole number.
    Int(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A constant such as a provider's class.
    Constant(String),
    /// An array.
    List(Vec<Answer<Value>>),
    /// A hash.
    Hash(Pairs),
}

/// The pairs of a hash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pairs {
    /// In order.
    pub all: Vec<(String, Answer<Value>)>,
    /// Where the hash is a group of attributes, its path as recipes write it: settings out of sight may add to it.
    pub open: Option<String>,
}

impl Pairs {
    /// A hash whose every pair is in sight.
    pub fn closed(all: Vec<(String, Answer<Value>)>) -> Self {
        Self { all, open: None }
    }

    /// The last value under `key`; `None` where there is surely none.
    pub fn get(&self, key: &str) -> Option<Answer<Value>> {
        let found = self.all.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        found.or_else(|| self.open.as_ref().map(|path| Answer::Unknown(unset(&format!("{path}['{key}']")))))
    }
}

/// The attribute `path` is set by nobody in sight.
pub fn unset(path: &str) -> Missing {
    Missing::new(
        format!("the value of {path}"),
        "no attribute file here sets it; put it in a JSON file named in `[chef] attributes` of housecall.toml",
    )
}

impl Value {
    /// As interpolation prints it.
    pub fn print(&self) -> Answer<String> {
        match self {
            Value::Text(text) | Value::Constant(text) => Answer::Known(text.clone()),
            Value::Int(number) => Answer::Known(number.to_string()),
            Value::Bool(truth) => Answer::Known(truth.to_string()),
            Value::List(_) | Value::Hash(_) => {
                Answer::Unknown(Missing::new("the text of an array or a hash", "print one of its items"))
            }
        }
    }

    /// The item of a hash or list under `key`; `None` where it has none.
    pub fn get(&self, key: &str) -> Option<Answer<Value>> {
        match self {
            Value::Hash(pairs) => pairs.get(key),
            Value::List(items) => items.get(key.parse::<usize>().ok()?).cloned(),
            _ => None,
        }
    }
}

/// The names in reach of an expression.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// `node[…]`, as one cookbook sees it.
    pub attributes: View<'a>,
    /// Local variables and block parameters.
    pub locals: BTreeMap<String, Answer<Value>>,
    /// What `variables(…)` hands to a template.
    pub fields: BTreeMap<String, Answer<Value>>,
    /// The arms of conditions that lead here: the condition's span and the arm's number.
    pub arms: Vec<(Span, usize)>,
    /// How often the loops that lead here go round, taken together.
    pub rounds: usize,
}

impl<'a> Scope<'a> {
    /// A scope with attributes alone.
    pub fn of(attributes: View<'a>) -> Self {
        Self { attributes, locals: BTreeMap::new(), fields: BTreeMap::new(), arms: Vec::new(), rounds: 1 }
    }

    /// The value of `expr`.
    pub fn value(&self, expr: &Expr) -> Answer<Value> {
        match &expr.kind {
            Kind::Text(parts) => map(self.text(parts), Value::Text),
            Kind::Symbol(name) => Answer::Known(Value::Text(name.clone())),
            Kind::Constant(name) => Answer::Known(Value::Constant(name.clone())),
            Kind::Int(number) => Answer::Known(Value::Int(*number)),
            Kind::Bool(truth) => Answer::Known(Value::Bool(*truth)),
            Kind::Nil => Answer::Absent,
            Kind::Array(items) => Answer::Known(Value::List(items.iter().map(|item| self.value(item)).collect())),
            Kind::Hash(pairs) => self.hash(pairs),
            Kind::Local(name) => {
                self.locals.get(name).cloned().unwrap_or_else(|| not_seen(&format!("the value of `{name}`")))
            }
            Kind::Field(name) => self.fields.get(name).cloned().unwrap_or_else(|| {
                Answer::Unknown(Missing::new(format!("@{name}"), "pass it in the template's `variables`"))
            }),
            Kind::Either(both) => match self.value(&both.0) {
                Answer::Absent | Answer::Known(Value::Bool(false)) => self.value(&both.1),
                other => other,
            },
            Kind::Sequence(all) => all.last().map_or(Answer::Absent, |last| self.value(last)),
            Kind::Branch(branch) => self.branch(branch),
            Kind::Call(call) => self.call(call),
            Kind::Assign(assign) => self.value(&assign.value),
            Kind::Other(_) => not_seen("a Ruby expression"),
        }
    }

    /// The text of `expr`, as interpolation would print it; `nil` prints nothing.
    pub fn text_of(&self, expr: &Expr) -> Answer<String> {
        match self.value(expr) {
            Answer::Known(value) => value.print(),
            Answer::Absent => Answer::Absent,
            Answer::Unknown(missing) => Answer::Unknown(missing),
        }
    }

    fn text(&self, parts: &[Part]) -> Answer<String> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Literal(literal, _) => text.push_str(literal),
                Part::Code(code) => match self.text_of(code) {
                    Answer::Known(value) => text.push_str(&value),
                    Answer::Absent => {}
                    Answer::Unknown(missing) => return Answer::Unknown(missing),
                },
            }
        }
        Answer::Known(text)
    }

    fn hash(&self, pairs: &[(Expr, Expr)]) -> Answer<Value> {
        let mut all = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            match self.text_of(key) {
                Answer::Known(key) => all.push((key, self.value(value))),
                Answer::Absent => {}
                Answer::Unknown(missing) => return Answer::Unknown(missing),
            }
        }
        Answer::Known(Value::Hash(Pairs::closed(all)))
    }

    /// Known where every arm comes to the same.
    fn branch(&self, branch: &Branch) -> Answer<Value> {
        let mut values = branch.arms.iter().map(|arm| arm.body.last().map_or(Answer::Absent, |last| self.value(last)));
        let first = values.next().unwrap_or(Answer::Absent);
        let agrees = branch.has_else() && values.all(|value| value == first);
        if agrees { first } else { not_seen("the branch that is taken") }
    }

    fn call(&self, call: &Call) -> Answer<Value> {
        if let Some(path) = self.node_path(call) {
            return match path {
                Answer::Known(path) => self.attributes.get(&path),
                Answer::Absent => not_seen("an attribute with a nil key"),
                Answer::Unknown(missing) => Answer::Unknown(missing),
            };
        }
        let Some(receiver) = &call.receiver else {
            return match (call.name.as_str(), call.block.as_ref()) {
                ("lazy", Some(block)) => block.body.last().map_or(Answer::Absent, |last| self.value(last)),
                ("node", _) if call.arguments.is_empty() => self.attributes.get(&[]),
                ("resources", None) => self.resources(call),
                (name, _) => {
                    self.locals.get(name).cloned().unwrap_or_else(|| not_seen(&format!("the value of `{name}`")))
                }
            };
        };
        if let (Kind::Constant(class), "join") = (&receiver.kind, call.name.as_str())
            && class == "File"
        {
            return self.file_join(&call.arguments);
        }
        if call.name == "merge" && call.block.is_none() {
            return self.merge(receiver, &call.arguments);
        }
        let value = match self.value(receiver) {
            Answer::Known(value) => value,
            Answer::Absent if call.name == "to_s" => return Answer::Known(Value::Text(String::new())),
            Answer::Absent => return not_seen(&format!("`{}` of nil", call.name)),
            Answer::Unknown(missing) => return Answer::Unknown(missing),
        };
        self.method(&value, call)
    }

    fn method(&self, value: &Value, call: &Call) -> Answer<Value> {
        let first = call.arguments.first().map(|argument| self.text_of(argument));
        if let (Some(Answer::Unknown(missing)), _) = (&first, value) {
            return Answer::Unknown(missing.clone());
        }
        let key = match first {
            Some(Answer::Known(key)) => Some(key),
            _ => None,
        };
        match (value, call.name.as_str(), key) {
            (Value::Hash(_) | Value::List(_), "[]" | "fetch" | "dig", Some(key)) => {
                value.get(&key).unwrap_or(Answer::Absent)
            }
            (Value::Hash(_) | Value::List(_), "to_hash" | "to_h" | "to_a" | "dup" | "freeze" | "compact", None) => {
                Answer::Known(value.clone())
            }
            (Value::List(items), "first", None) => items.first().cloned().unwrap_or(Answer::Absent),
            (Value::List(items), "last", None) => items.last().cloned().unwrap_or(Answer::Absent),
            (Value::List(items), "join", glue) => join(items, &glue.unwrap_or_default()),
            (Value::Hash(pairs), "keys", None) => {
                let keys = pairs.all.iter().map(|(key, _)| Answer::Known(Value::Text(key.clone())));
                Answer::Known(Value::List(keys.collect()))
            }
            (Value::Hash(pairs), "values", None) => {
                Answer::Known(Value::List(pairs.all.iter().map(|(_, value)| value.clone()).collect()))
            }
            (Value::List(_) | Value::Hash(_), _, _) => not_seen(&format!("the result of `{}`", call.name)),
            (Value::Int(left), "+", Some(right)) => {
                number(right.parse().ok().and_then(|right| left.checked_add(right)))
            }
            (Value::Int(left), "*", Some(right)) => {
                number(right.parse().ok().and_then(|right| left.checked_mul(right)))
            }
            (scalar, name, argument) => match scalar.print() {
                Answer::Known(text) => text_method(&text, name, argument),
                other => map(other, Value::Text),
            },
        }
    }

    /// `resources(service: 'a')`, `resources('service[a]')`: the resource by its kind and name.
    fn resources(&self, call: &Call) -> Answer<Value> {
        let unclear = || not_seen("which resource is meant");
        match call.arguments.first().map(|argument| self.value(argument)) {
            Some(Answer::Known(Value::Text(name))) => Answer::Known(Value::Text(name)),
            Some(Answer::Known(Value::Hash(pairs))) => match pairs.all.as_slice() {
                [(kind, Answer::Known(Value::Text(name)))] => Answer::Known(Value::Text(format!("{kind}[{name}]"))),
                _ => unclear(),
            },
            _ => unclear(),
        }
    }

    fn file_join(&self, arguments: &[Expr]) -> Answer<Value> {
        let mut path = String::new();
        for argument in arguments {
            match self.text_of(argument) {
                Answer::Known(part) if path.is_empty() => path = part,
                Answer::Known(part) => {
                    path = format!("{}/{}", path.trim_end_matches('/'), part.trim_start_matches('/'));
                }
                Answer::Absent => return not_seen("a path with a nil part"),
                Answer::Unknown(missing) => return Answer::Unknown(missing),
            }
        }
        Answer::Known(Value::Text(path))
    }

    fn merge(&self, receiver: &Expr, arguments: &[Expr]) -> Answer<Value> {
        let (Answer::Known(Value::Hash(mut all)), Some(more)) = (self.value(receiver), arguments.first()) else {
            return not_seen("the result of `merge`");
        };
        let Answer::Known(Value::Hash(more)) = self.value(more) else { return not_seen("the result of `merge`") };
        all.all.extend(more.all);
        all.open = all.open.or(more.open);
        Answer::Known(Value::Hash(all))
    }

    /// The path of `node['a'][:b]`, `node.a.b`, `node.read('a', 'b')`; `None` where the call is no attribute at all.
    fn node_path(&self, call: &Call) -> Option<Answer<Vec<String>>> {
        let mut keys: Vec<Vec<&Expr>> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut call = call;
        loop {
            let receiver = call.receiver.as_ref()?;
            match call.name.as_str() {
                "[]" | "fetch" | "read" | "dig" | "attribute" if !call.arguments.is_empty() => {
                    let one = call.name == "fetch" || call.name == "[]";
                    if one && call.arguments.len() > 1 {
                        return None;
                    }
                    keys.push(call.arguments.iter().collect());
                    names.push("");
                }
                name if call.arguments.is_empty() && call.block.is_none() && !is_ruby_method(name) => {
                    keys.push(Vec::new());
                    names.push(name);
                }
                _ => return None,
            }
            let inner = receiver.call()?;
            if inner.receiver.is_none() && inner.name == "node" && inner.arguments.is_empty() {
                break;
            }
            call = inner;
        }
        let mut path = Vec::new();
        for (name, keys) in names.into_iter().zip(keys).rev() {
            if !name.is_empty() {
                path.push(name.to_owned());
            }
            for key in keys {
                match self.text_of(key) {
                    Answer::Known(key) => path.push(key),
                    Answer::Absent => return Some(Answer::Absent),
                    Answer::Unknown(missing) => return Some(Answer::Unknown(missing)),
                }
            }
        }
        // `node.default['a']` reads the level, not an attribute named `default`.
        let is_level = path.first().is_some_and(|first| matches!(first.as_str(), "default" | "normal" | "override"));
        Some(Answer::Known(if is_level { path.split_off(1) } else { path }))
    }
}

/// The value of the code of an output tag, such as `node['a']['b']` or `@port || 80`; `nil` prints nothing.
pub fn evaluate(code: &str, scope: &Scope<'_>) -> Answer<String> {
    let parsed = ruby::parse(code);
    let ([expr], []) = (parsed.tree.body.as_slice(), parsed.problems.as_slice()) else {
        return Answer::Unknown(Missing::new(format!("`{code}`"), "write one expression in the tag"));
    };
    scope.text_of(expr)
}

/// Methods that Ruby and Chef give every value, which are not attribute names.
fn is_ruby_method(name: &str) -> bool {
    const METHODS: [&str; 31] = [
        "to_s",
        "to_i",
        "to_a",
        "to_h",
        "to_hash",
        "to_sym",
        "to_json",
        "nil?",
        "empty?",
        "any?",
        "first",
        "last",
        "keys",
        "values",
        "size",
        "length",
        "count",
        "strip",
        "chomp",
        "downcase",
        "upcase",
        "capitalize",
        "sort",
        "uniq",
        "join",
        "flatten",
        "compact",
        "dup",
        "chef_environment",
        "run_state",
        "inspect",
    ];
    METHODS.contains(&name) || !name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
}

fn text_method(text: &str, name: &str, argument: Option<String>) -> Answer<Value> {
    let changed = match (name, argument.as_deref()) {
        ("to_s" | "to_sym" | "dup" | "freeze", _) => text.to_owned(),
        ("strip", None) => text.trim().to_owned(),
        ("chomp", None) => text.trim_end_matches(['\n', '\r']).to_owned(),
        ("chomp", Some(end)) => text.strip_suffix(end).unwrap_or(text).to_owned(),
        ("downcase", None) => text.to_lowercase(),
        ("upcase", None) => text.to_uppercase(),
        ("+", Some(more)) => format!("{text}{more}"),
        ("to_i", None) => return number(text.parse().ok()),
        _ => return not_seen(&format!("the result of `{name}`")),
    };
    Answer::Known(Value::Text(changed))
}

fn join(items: &[Answer<Value>], glue: &str) -> Answer<Value> {
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Answer::Known(value) => match value.print() {
                Answer::Known(text) => texts.push(text),
                other => return map(other, Value::Text),
            },
            Answer::Absent => texts.push(String::new()),
            Answer::Unknown(missing) => return Answer::Unknown(missing.clone()),
        }
    }
    Answer::Known(Value::Text(texts.join(glue)))
}

fn number(value: Option<i64>) -> Answer<Value> {
    value.map_or_else(|| not_seen("the number that the recipe works out"), |value| Answer::Known(Value::Int(value)))
}

/// An answer about something that only a run of Chef decides.
pub fn not_seen<T>(what: &str) -> Answer<T> {
    Answer::Unknown(Missing::new(what, "only a run of Chef decides it"))
}

/// The answer with its value changed.
pub fn map<T, U>(answer: Answer<T>, change: impl FnOnce(T) -> U) -> Answer<U> {
    match answer {
        Answer::Known(value) => Answer::Known(change(value)),
        Answer::Absent => Answer::Absent,
        Answer::Unknown(missing) => Answer::Unknown(missing),
    }
}
