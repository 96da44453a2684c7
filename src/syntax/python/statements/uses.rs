//! What an expression reads of the environment and which calls it makes.

use super::{Context, Reader};
use crate::source::Located;
use crate::syntax::python::conditions::coped;
use crate::syntax::python::environment::{EnvRead, Unset, fails_on_none, found, name_of};
use crate::syntax::python::expression::{Argument, Expr, Node, SPREAD, argument};
use crate::syntax::python::{Scope, What};

impl Reader<'_> {
    /// Records the reads and calls of an expression. `users` are the expressions around it, nearest last.
    pub(super) fn visit(&mut self, expr: &Expr, context: &Context, used_as: Option<&str>, users: &[&Expr]) {
        if let Node::Lambda(body) = &*expr.node {
            let inner = Context { scope: Scope::Function(context.within("<lambda>")), ..context.clone() };
            return self.visit(body, &inner, used_as, &[]);
        }
        self.read(expr, context, used_as, users);
        if let Node::Call(callee, arguments) = &*expr.node {
            self.call(expr, callee, arguments, context);
        }
        let mut around = users.to_vec();
        around.push(expr);
        match &*expr.node {
            Node::Dict(pairs) => {
                for (key, value) in pairs {
                    let deeper = used_as.zip(key.text()).map(|(outer, key)| format!("{outer}['{key}']"));
                    self.visit(key, context, used_as, &around);
                    self.visit(value, context, deeper.as_deref().or(used_as), &around);
                }
            }
            Node::Call(callee, arguments) => {
                self.visit(callee, context, used_as, &around);
                let path = callee.path().unwrap_or_default();
                let name = path.rsplit('.').next().unwrap_or_default();
                for one in arguments {
                    let sets =
                        matches!(name, "update" | "from_mapping" | "dict").then(|| one.keyword.clone()).flatten();
                    let sets = sets.filter(|keyword| keyword != SPREAD);
                    let given_to = (!name.is_empty()).then_some(name);
                    self.visit(&one.value, context, sets.as_deref().or(used_as).or(given_to), &around);
                }
            }
            _ => {
                for child in expr.children() {
                    self.visit(child, context, used_as, &around);
                }
            }
        }
    }

    fn read(&mut self, expr: &Expr, context: &Context, used_as: Option<&str>, users: &[&Expr]) {
        let shadows = context.shadows();
        let Some(read) = found(expr, &self.names, &shadows) else { return };
        let mut unset = read.unset.clone();
        if unset == Unset::None
            && users.last().is_some_and(|user| fails_on_none(user, expr.span, &self.names, &shadows))
        {
            unset = Unset::Raises;
        }
        if unset == Unset::None {
            unset = coped(expr, users);
        }
        if unset == Unset::Raises && context.caught {
            unset = Unset::Default;
        }
        let Some(name) = name_of(&read, expr) else {
            if let (Some(key), Scope::Function(function)) = (read.key, &context.scope) {
                self.names.wrap(function, &context.parameters, key, &unset, read.default);
            }
            return;
        };
        if matches!(unset, Unset::Raises | Unset::None) && context.guarded.contains(&name.value) {
            unset = Unset::Tested;
        }
        let reader = read.reader;
        let used_as = used_as.map(str::to_owned);
        let (becomes_text, alternative) = (becomes_text(expr, users), alternative(expr, users));
        let literal = |value: &Expr| Some(Located::new(value.text()?.to_owned(), value.span));
        let default = read.default.or(alternative).and_then(literal);
        let replaces_empty = alternative.is_some();
        let read = EnvRead { name, reader, unset, used_as, becomes_text, replaces_empty, default };
        self.push(expr.span, context, What::Read(read));
    }

    fn call(&mut self, expr: &Expr, callee: &Expr, arguments: &[Argument], context: &Context) {
        let path = self.names.path(callee, &context.shadows()).unwrap_or_default();
        let given = |name: &Expr, value: &Expr| {
            let name = Located::new(name.text()?.to_owned(), name.span);
            Some(What::Provide { name, value: value.clone() })
        };
        let fields = self.names.settings.get(&path).map(|class| class.reads(arguments)).unwrap_or_default();
        fields.into_iter().for_each(|(span, read)| self.push(span, context, What::Read(read)));
        match path.as_str() {
            "os.environ.setdefault" | "os.putenv" => {
                let pair = argument(arguments, 0, &[]).zip(argument(arguments, 1, &[]));
                if let Some(what) = pair.and_then(|(name, value)| given(name, value)) {
                    self.push(expr.span, context, what);
                }
            }
            "os.environ.update" => {
                for one in arguments {
                    if let Node::Dict(pairs) = &*one.value.node {
                        for what in pairs.iter().filter_map(|(name, value)| given(name, value)) {
                            self.push(expr.span, context, what);
                        }
                    } else if let Some(name) = one.keyword.as_ref().filter(|name| *name != SPREAD) {
                        let name = Located::new(name.clone(), one.value.span);
                        self.push(expr.span, context, What::Provide { name, value: one.value.clone() });
                    }
                }
            }
            _ => {}
        }
        self.push(expr.span, context, What::Call(expr.clone()));
    }
}

/// Whether a value is put into a text: `f"{…}"`, `"%s" % …`, `"…".format(…)`, `str(…)`.
fn becomes_text(expr: &Expr, users: &[&Expr]) -> bool {
    let Some((user, around)) = users.split_last() else { return false };
    match &*user.node {
        Node::Format(_) | Node::Percent(..) => true,
        Node::Sequence(_) | Node::Dict(_) => around
            .last()
            .is_some_and(|outer| matches!(&*outer.node, Node::Percent(_, values) if values.span == user.span)),
        Node::Call(callee, arguments) => {
            let is_given = arguments.iter().any(|argument| argument.value.span == expr.span);
            let formats = match &*callee.node {
                Node::Name(name) => name == "str",
                Node::Attribute(object, name) => name == "format" && object.text().is_some(),
                _ => false,
            };
            is_given && formats
        }
        _ => false,
    }
}

/// What `or` puts in the place of a value.
fn alternative<'e>(expr: &Expr, users: &[&'e Expr]) -> Option<&'e Expr> {
    match &*users.last()?.node {
        Node::Or(left, right) if left.span == expr.span && !right.is_none() => Some(right),
        _ => None,
    }
}

/// How a target is called where people look for it: `NAME`, or the key in `app.config['NAME']`.
pub(super) fn target_name(target: &Expr) -> Option<String> {
    match &*target.node {
        Node::Name(name) => Some(name.clone()),
        Node::Attribute(_, name) => Some(name.clone()),
        Node::Subscript(object, key) => {
            let key = key.text()?;
            let path = object.path()?;
            let is_config = path == "config" || path.ends_with(".config");
            Some(if is_config { key.to_owned() } else { format!("{path}['{key}']") })
        }
        _ => None,
    }
}
