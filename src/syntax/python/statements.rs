//! From tree-sitter's statements to events, in the order of the text, each with its scope and whether it always happens.

mod uses;

use std::sync::Arc;

use tree_sitter::{Node as Syntax, Tree};

use self::uses::target_name;
use crate::source::{Located, Span};
use crate::syntax::python::conditions::{
    Tested, branch_of, is_negative, names_in, settle_tested, stops, stops_inside, takes_missing, takes_no_module,
};
use crate::syntax::python::environment::{Unset, found, is_environment, name_of};
use crate::syntax::python::expression::{Expr, Node};
use crate::syntax::python::lower::{DEPTH, children, expression, span};
use crate::syntax::python::names::Names;
use crate::syntax::python::settings::{SettingsClass, is_base};
use crate::syntax::python::{Class, Event, Function, Import, Module, Scope, What, When};

/// Reads the statements of a module.
pub fn module(text: &str, tree: &Tree, readable: bool) -> Module {
    let mut reader =
        Reader { text, names: Names::default(), events: Vec::new(), tested: Vec::new(), complete: readable };
    reader.block(tree.root_node(), &Context::of_module(), 0);
    let mut module = Module { events: reader.events, complete: reader.complete };
    settle_tested(&mut module, &reader.tested);
    module
}

/// What surrounds a statement.
#[derive(Clone)]
struct Context {
    scope: Scope,
    when: When,
    /// Parameters of the functions around it, which hide names of the module.
    parameters: Vec<(String, Option<Expr>)>,
    /// Whether a handler around it takes the exception of a missing variable and goes on.
    caught: bool,
    /// Whether one takes the exception of a missing module and goes on.
    imports_caught: bool,
    /// Variables that a condition around it has asked for.
    guarded: Vec<String>,
}

impl Context {
    fn of_module() -> Self {
        Self {
            scope: Scope::Module,
            when: When::Always,
            parameters: Vec::new(),
            caught: false,
            imports_caught: false,
            guarded: Vec::new(),
        }
    }

    fn within(&self, name: &str) -> Arc<str> {
        match self.scope.name() {
            "" => name.into(),
            outer => format!("{outer}.{name}").into(),
        }
    }

    fn shadows(&self) -> Vec<String> {
        self.parameters.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The same where it happens at most as often as `when` says.
    fn at_most(&self, when: When) -> Self {
        Self { when: self.when.max(when), ..self.clone() }
    }
}

struct Reader<'t> {
    text: &'t str,
    names: Names,
    events: Vec<Event>,
    tested: Vec<Tested>,
    complete: bool,
}

impl Reader<'_> {
    fn push(&mut self, span: Span, context: &Context, what: What) {
        self.events.push(Event { span, scope: context.scope.clone(), when: context.when, what });
    }

    fn expression(&self, node: Syntax) -> Expr {
        expression(self.text, node, 0)
    }

    fn word(&self, node: Syntax) -> String {
        span(node).of(self.text).split_whitespace().collect()
    }

    fn block(&mut self, node: Syntax, context: &Context, depth: usize) {
        for child in children(node) {
            self.statement(child, context, depth + 1);
        }
    }

    fn statement(&mut self, node: Syntax, context: &Context, depth: usize) {
        if depth >= DEPTH {
            self.complete = false;
            return;
        }
        match node.kind() {
            "import_statement" => self.plain_import(node, context),
            "import_from_statement" => self.names_import(node, context),
            "assignment" => self.assignment(node, context),
            "augmented_assignment" => self.augmented(node, context),
            "if_statement" => self.condition(node, context, depth),
            "try_statement" => self.attempt(node, context, depth),
            "for_statement" | "while_statement" => {
                for name in ["right", "condition"] {
                    self.field(node, name, context);
                }
                let inner = context.at_most(When::Sometimes);
                for name in ["body", "alternative"] {
                    if let Some(body) = node.child_by_field_name(name) {
                        self.statement(body, &inner, depth + 1);
                    }
                }
            }
            "function_definition" | "class_definition" => self.definition(node, &[], context, depth),
            "decorated_definition" => {
                let decorators: Vec<_> =
                    children(node).into_iter().filter(|child| child.kind() == "decorator").collect();
                let decorators: Vec<_> =
                    decorators.into_iter().flat_map(children).map(|inner| self.expression(inner)).collect();
                for decorator in &decorators {
                    self.visit(decorator, context, None, &[]);
                }
                if let Some(definition) = node.child_by_field_name("definition") {
                    self.definition(definition, &decorators, context, depth);
                }
            }
            "return_statement" => {
                for child in children(node) {
                    let value = self.expression(child);
                    self.visit(&value, context, None, &[]);
                    self.push(span(node), context, What::Return(value));
                }
            }
            "case_clause" => self.block(node, &context.at_most(When::Sometimes), depth),
            "block"
            | "expression_statement"
            | "ERROR"
            | "else_clause"
            | "finally_clause"
            | "with_statement"
            | "with_clause"
            | "match_statement" => self.block(node, context, depth),
            _ => {
                let value = self.expression(node);
                self.visit(&value, context, None, &[]);
            }
        }
    }

    fn field(&mut self, node: Syntax, name: &str, context: &Context) -> Option<Expr> {
        let value = self.expression(node.child_by_field_name(name)?);
        self.visit(&value, context, None, &[]);
        Some(value)
    }

    fn plain_import(&mut self, node: Syntax, context: &Context) {
        for child in children(node) {
            let (module, alias) = match (child.child_by_field_name("name"), child.child_by_field_name("alias")) {
                (Some(name), Some(alias)) => (self.word(name), Some(self.word(alias))),
                _ => (self.word(child), None),
            };
            let import = Import { level: 0, module, names: None, alias, optional: context.imports_caught };
            self.names.import(&import);
            self.push(span(child), context, What::Import(import));
        }
    }

    fn names_import(&mut self, node: Syntax, context: &Context) {
        let Some(from) = node.child_by_field_name("module_name") else { return };
        let written = self.word(from);
        let module = written.trim_start_matches('.');
        let level = written.len() - module.len();
        let one = |child: Syntax| match (child.child_by_field_name("name"), child.child_by_field_name("alias")) {
            _ if child.kind() == "wildcard_import" => ("*".to_owned(), "*".to_owned()),
            (Some(name), Some(alias)) => (self.word(name), self.word(alias)),
            _ => (self.word(child), self.word(child)),
        };
        let names = children(node).into_iter().filter(|child| child.id() != from.id()).map(one).collect();
        let optional = context.imports_caught;
        let import = Import { level, module: module.to_owned(), names: Some(names), alias: None, optional };
        self.names.import(&import);
        self.push(span(node), context, What::Import(import));
    }

    fn assignment(&mut self, node: Syntax, context: &Context) {
        let mut targets = Vec::new();
        let mut last = node;
        loop {
            targets.extend(last.child_by_field_name("left").map(|left| self.expression(left)));
            match last.child_by_field_name("right") {
                Some(right) if right.kind() == "assignment" => last = right,
                Some(right) => {
                    let value = self.expression(right);
                    self.settings_field(node, targets.first(), Some(&value), context);
                    for target in &targets {
                        self.assign(target, &value, span(node), context);
                    }
                    let used_as = targets.first().and_then(target_name);
                    self.visit(&value, context, used_as.as_deref(), &[]);
                    return;
                }
                None => return self.settings_field(node, targets.first(), None, context),
            }
        }
    }

    /// `NAME += value` is `NAME = NAME + value`, as far as values go.
    fn augmented(&mut self, node: Syntax, context: &Context) {
        let part = |name| node.child_by_field_name(name).map(|part| self.expression(part));
        let (Some(target), Some(value)) = (part("left"), part("right")) else { return };
        let is_sum = node.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "+=");
        let parts = (target.clone(), value.clone());
        let sum = if is_sum { Node::Add(parts.0, parts.1) } else { Node::Other(vec![parts.0, parts.1]) };
        let sum = Expr { span: span(node), node: sum.into() };
        self.assign(&target, &sum, span(node), context);
        let used_as = target_name(&target);
        self.visit(&value, context, used_as.as_deref(), &[]);
    }

    /// Remembers a class of pydantic's settings; one that derives from another has its fields too.
    fn settings_class(&mut self, name: &str, bases: &[Expr], context: &Context) {
        let shadows = context.shadows();
        let paths: Vec<String> = bases.iter().filter_map(|base| self.names.path(base, &shadows)).collect();
        let inherited = paths.iter().find_map(|path| self.names.settings.get(path)).cloned();
        let class = inherited.or_else(|| paths.iter().any(|path| is_base(path)).then(SettingsClass::default));
        if let Some(class) = class {
            self.names.settings.insert(name.to_owned(), class);
        }
    }

    /// Takes in a field, or an option of the class or of the `Config` inside it.
    fn settings_field(&mut self, node: Syntax, target: Option<&Expr>, value: Option<&Expr>, context: &Context) {
        let (Scope::Class(class), Some(target)) = (&context.scope, target) else { return };
        let owner = class.strip_suffix(".Config").unwrap_or(class);
        if let (Some(settings), Node::Name(name)) = (self.names.settings.get_mut(owner), &*target.node) {
            let is_field = owner == &**class && node.child_by_field_name("type").is_some();
            settings.take(&Located::new(name.clone(), target.span), is_field, value);
        }
    }

    fn assign(&mut self, target: &Expr, value: &Expr, at: Span, context: &Context) {
        if let (Node::Sequence(targets), Node::Sequence(values)) = (&*target.node, &*value.node)
            && targets.len() == values.len()
        {
            for (target, value) in targets.iter().zip(values) {
                self.assign(target, value, at, context);
            }
            return;
        }
        self.names.assign(target, value);
        if let Node::Subscript(object, key) = &*target.node
            && self.names.path(object, &context.shadows()).is_some_and(|path| is_environment(&path))
            && let Some(name) = key.text()
        {
            let name = Located::new(name.to_owned(), key.span);
            self.push(at, context, What::Provide { name, value: value.clone() });
            return;
        }
        self.push(at, context, What::Assign { target: target.clone(), value: value.clone() });
    }

    fn condition(&mut self, node: Syntax, context: &Context, depth: usize) {
        let test = self.field(node, "condition", context);
        let when = test.as_ref().map_or(When::Sometimes, branch_of);
        let keys: Vec<String> = test.as_ref().map(|test| self.keys_in(test, context)).unwrap_or_default();
        let mut inner = context.at_most(when);
        inner.guarded.extend(keys.iter().cloned());
        if let Some(body) = node.child_by_field_name("consequence") {
            if let Some(test) = &test {
                self.note_test(test, &keys, body, context);
            }
            self.statement(body, &inner, depth + 1);
        }
        // What follows `if __name__ == '__main__'` is what an imported module does.
        let mut other = if when == When::Never { context.clone() } else { inner };
        let mut cursor = node.walk();
        let alternatives: Vec<_> = node.children_by_field_name("alternative", &mut cursor).collect();
        for alternative in alternatives {
            if alternative.kind() == "elif_clause" {
                let test = self.field(alternative, "condition", context);
                other = other.at_most(When::Sometimes);
                other.guarded.extend(test.map(|test| self.keys_in(&test, context)).unwrap_or_default());
                if let Some(body) = alternative.child_by_field_name("consequence") {
                    self.statement(body, &other, depth + 1);
                }
            } else {
                self.statement(alternative, &other, depth + 1);
            }
        }
    }

    /// The variables that a condition reads itself.
    fn keys_in(&self, test: &Expr, context: &Context) -> Vec<String> {
        let shadows = context.shadows();
        let own = found(test, &self.names, &shadows).and_then(|found| name_of(&found, test)).map(|name| name.value);
        let inside = test.children().into_iter().flat_map(|child| self.keys_in(child, context));
        own.into_iter().chain(inside).collect()
    }

    /// Remembers which names and variables a condition asks about, and whether it stops the app without them.
    fn note_test(&mut self, test: &Expr, keys: &[String], body: Syntax, context: &Context) {
        let raises = is_negative(test) && stops(body);
        for key in keys.iter().filter(|_| raises) {
            let read = self.events.iter_mut().rev().find_map(|event| match &mut event.what {
                What::Read(read) if read.name.value == *key && event.span.start >= test.span.start => Some(read),
                _ => None,
            });
            if let Some(read) = read {
                read.unset = Unset::Raises;
            }
        }
        for name in names_in(test) {
            self.tested.push(Tested { scope: context.scope.clone(), name, raises, at: test.span });
        }
    }

    fn attempt(&mut self, node: Syntax, context: &Context, depth: usize) {
        let handlers: Vec<_> = children(node).into_iter().filter(|child| child.kind() == "except_clause").collect();
        let mut inner = context.clone();
        let goes_on = |handler: &Syntax| !stops_inside(*handler);
        inner.caught |= handlers.iter().any(|handler| takes_missing(*handler, self.text) && goes_on(handler));
        inner.imports_caught |= handlers.iter().any(|handler| takes_no_module(*handler, self.text) && goes_on(handler));
        for child in children(node) {
            match child.kind() {
                "except_clause" => self.block(child, &context.at_most(When::Sometimes), depth),
                "block" => self.statement(child, &inner, depth + 1),
                _ => self.statement(child, context, depth + 1),
            }
        }
    }

    fn definition(&mut self, node: Syntax, decorators: &[Expr], context: &Context, depth: usize) {
        let Some(name) = node.child_by_field_name("name") else { return };
        let name_span = span(name);
        let full = context.within(name_span.of(self.text));
        let mut inner = context.clone();
        if node.kind() == "class_definition" {
            let bases = node.child_by_field_name("superclasses").map(children).unwrap_or_default();
            let bases: Vec<Expr> = bases.into_iter().map(|base| self.expression(base)).collect();
            self.settings_class(&full, &bases, context);
            self.push(span(node), context, What::Class(Class { name: Arc::clone(&full), name_span, bases }));
            inner.scope = Scope::Class(full);
        } else {
            let parameters = self.parameters(node, context);
            let decorators = decorators.to_vec();
            self.push(
                span(node),
                context,
                What::Function(Function {
                    name: Arc::clone(&full),
                    name_span,
                    parameters: parameters.clone(),
                    decorators,
                }),
            );
            inner = Context {
                scope: Scope::Function(full),
                when: When::Always,
                caught: false,
                imports_caught: false,
                guarded: Vec::new(),
                ..inner
            };
            inner.parameters.extend(parameters);
        }
        if let Some(body) = node.child_by_field_name("body") {
            self.statement(body, &inner, depth + 1);
        }
    }

    fn parameters(&mut self, node: Syntax, context: &Context) -> Vec<(String, Option<Expr>)> {
        let list = node.child_by_field_name("parameters").map(children).unwrap_or_default();
        list.into_iter()
            .filter_map(|parameter| {
                let default = self.field(parameter, "value", context);
                let name = match parameter.kind() {
                    "identifier" => Some(parameter),
                    "default_parameter" | "typed_default_parameter" => parameter.child_by_field_name("name"),
                    _ => parameter.named_child(0),
                };
                Some((span(name?).of(self.text).to_owned(), default))
            })
            .collect()
    }
}
