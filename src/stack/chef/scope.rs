//! What a Ruby expression comes to, given the cookbook's attributes, the local variables and a template's `@variables`.
//! What the repository does not decide is unknown, and names the attribute or variable that does.

use std::collections::BTreeMap;

use crate::source::Span;
use crate::stack::chef::attributes::View;
use crate::stack::chef::choice;
use crate::stack::chef::local::Locals;
use crate::stack::chef::method::{file_method, method};
use crate::stack::chef::platform::{self, Platforms, Reach};
use crate::stack::chef::value::{Pairs, Value, map, not_seen};
use crate::stack::fact::{Answer, Missing};
use crate::syntax::ruby::{self, Branch, Call, Expr, Kind, Part};

/// The names in reach of an expression.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// `node[…]`, as one cookbook sees it.
    pub attributes: View<'a>,
    /// Local variables and block parameters.
    pub locals: Locals,
    /// What `variables(…)` hands to a template.
    pub fields: BTreeMap<String, Answer<Value>>,
    /// The arms of conditions that lead here: the condition's span and the arm's number.
    pub arms: Vec<(Span, usize)>,
    /// How often the loops that lead here go round, taken together.
    pub rounds: usize,
    /// On which platforms the code that is looked at is reached.
    pub reach: Reach,
}

impl<'a> Scope<'a> {
    /// A scope with attributes alone.
    pub fn of(attributes: View<'a>) -> Self {
        Self {
            attributes,
            locals: Locals::new(),
            fields: BTreeMap::new(),
            arms: Vec::new(),
            rounds: 1,
            reach: Reach::ALWAYS,
        }
    }

    /// The value of `expr`.
    pub fn value(&self, expr: &Expr) -> Answer<Value> {
        match &expr.kind {
            Kind::Text(parts) => self.text(parts),
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
            Kind::Either(both) => choice::each(self.value(&both.0), |left| match left {
                Answer::Absent | Answer::Known(Value::Bool(false)) => self.value(&both.1),
                other => other,
            }),
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

    fn text(&self, parts: &[Part]) -> Answer<Value> {
        parts.iter().fold(Answer::Known(Value::Text(String::new())), |text, part| match part {
            Part::Literal(literal, _) => choice::each(text, |text| glue(text, literal)),
            Part::Code(code) => choice::each_pair(text, self.value(code), |text, code| match code {
                Answer::Known(value) => match value.print() {
                    Answer::Known(printed) => glue(text, &printed),
                    other => map(other, Value::Text),
                },
                // `nil` prints nothing.
                Answer::Absent => text,
                Answer::Unknown(missing) => Answer::Unknown(missing),
            }),
        })
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

    /// What each arm comes to, on the platforms where it is taken; `nil` where none is.
    fn branch(&self, branch: &Branch) -> Answer<Value> {
        let values = branch.arms.iter().map(|arm| arm.body.last().map_or(Answer::Absent, |last| self.value(last)));
        let reached = platform::arms(branch).into_iter().map(|reach| reach.may);
        let none = (platform::otherwise(branch).may, Answer::Absent);
        choice::one_of(reached.zip(values).chain([none]))
    }

    /// `value_for_platform('ubuntu' => { 'default' => … }, 'default' => …)`, and `value_for_platform_family` without the
    /// inner hash (chef: lib/chef/dsl/platform_introspection.rb).
    fn value_for_platform(&self, call: &Call) -> Answer<Value> {
        let asks_family = call.name == "value_for_platform_family";
        let Some(Kind::Hash(pairs)) = call.arguments.first().map(|argument| &argument.kind) else {
            return not_seen("what is given for the platform");
        };
        let (mut all, mut default, mut left) = (Vec::new(), Answer::Absent, Platforms::ALL);
        for (names, value) in pairs {
            let values = match &value.kind {
                Kind::Hash(releases) if !asks_family => {
                    releases.iter().map(|(_, value)| self.value(value)).collect::<Vec<_>>()
                }
                _ => vec![self.value(value)],
            };
            if names.literal().as_deref() == Some("default") {
                default = choice::one_of(values.into_iter().map(|value| (Platforms::ALL, value)));
                continue;
            }
            let reach = platform::named(names, asks_family);
            left = left.without(reach.must);
            all.extend(values.into_iter().map(|value| (reach.may, value)));
        }
        all.push((left, default));
        choice::one_of(all)
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
                ("value_for_platform" | "value_for_platform_family", None) => self.value_for_platform(call),
                (name, _) => {
                    self.locals.get(name).cloned().unwrap_or_else(|| not_seen(&format!("the value of `{name}`")))
                }
            };
        };
        if matches!(&receiver.kind, Kind::Constant(class) if class == "File") {
            return self.of_file(call);
        }
        if call.name == "merge" && call.block.is_none() {
            return self.merge(receiver, &call.arguments);
        }
        let argument = call.arguments.first();
        choice::each(self.value(receiver), |value| {
            let value = match value {
                Answer::Known(value) => value,
                Answer::Absent if call.name == "to_s" => return Answer::Known(Value::Text(String::new())),
                Answer::Absent => return not_seen(&format!("`{}` of nil", call.name)),
                Answer::Unknown(missing) => return Answer::Unknown(missing),
            };
            let Some(argument) = argument else { return method(&value, &call.name, None) };
            choice::each(self.value(argument), |argument| match argument {
                Answer::Known(argument) => match argument.print() {
                    Answer::Known(text) => method(&value, &call.name, Some(text)),
                    other => map(other, Value::Text),
                },
                Answer::Absent => method(&value, &call.name, None),
                Answer::Unknown(missing) => Answer::Unknown(missing),
            })
        })
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

    fn of_file(&self, call: &Call) -> Answer<Value> {
        match (call.name.as_str(), call.arguments.as_slice()) {
            ("join", parts) => self.file_join(parts),
            (name @ ("dirname" | "basename"), [path]) => choice::each(self.value(path), |path| match path {
                Answer::Known(Value::Text(path)) => {
                    file_method(name, &path).unwrap_or_else(|| not_seen(&format!("the result of `{name}`")))
                }
                Answer::Unknown(missing) => Answer::Unknown(missing),
                _ => not_seen(&format!("the result of `{name}`")),
            }),
            (name, _) => not_seen(&format!("the result of `{name}`")),
        }
    }

    fn file_join(&self, parts: &[Expr]) -> Answer<Value> {
        parts.iter().fold(Answer::Known(Value::Text(String::new())), |path, part| {
            choice::each_pair(path, self.value(part), |path, part| {
                let Answer::Known(Value::Text(path)) = path else { return path };
                let part = match part {
                    Answer::Known(value) => value.print(),
                    Answer::Absent => return not_seen("a path with a nil part"),
                    Answer::Unknown(missing) => return Answer::Unknown(missing),
                };
                map(part, |part| {
                    let joined = if path.is_empty() {
                        part
                    } else {
                        format!("{}/{}", path.trim_end_matches('/'), part.trim_start_matches('/'))
                    };
                    Value::Text(joined)
                })
            })
        })
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

fn glue(text: Answer<Value>, more: &str) -> Answer<Value> {
    map(text, |text| match text {
        Value::Text(text) => Value::Text(text + more),
        other => other,
    })
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
