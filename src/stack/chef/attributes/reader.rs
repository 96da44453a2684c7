//! The assignments of an attribute file or a recipe, in the order Chef would make them.

use super::{Attributes, Level, Setting, written};
use crate::source::{FileId, Place};
use crate::stack::chef::local::{self, Locals};
use crate::stack::chef::platform::{self, Reach};
use crate::stack::chef::scope::Scope;
use crate::stack::chef::value::{Value, not_seen};
use crate::stack::chef::walk::MAX_ROUNDS;
use crate::stack::fact::Answer;
use crate::syntax::ruby::{Assign, Branch, Call, Expr, Kind, Program};

/// Adds the assignments of a file of the cookbook whose number is given with those of the cookbooks it sees.
pub(super) fn read(
    attributes: &mut Attributes,
    program: &Program,
    file: FileId,
    (cookbook, sure): (usize, &[usize]),
    in_recipe: bool,
) {
    let mut reader = Reader { attributes, file, cookbook, in_recipe, sure, locals: Locals::new(), rounds: 1 };
    reader.statements(&program.body, if in_recipe { Reach::MAYBE } else { Reach::ALWAYS });
}

struct Reader<'a, 's> {
    attributes: &'a mut Attributes,
    file: FileId,
    cookbook: usize,
    in_recipe: bool,
    sure: &'s [usize],
    locals: Locals,
    /// How often the loops that lead here go round, taken together.
    rounds: usize,
}

impl Reader<'_, '_> {
    fn statements(&mut self, body: &[Expr], reach: Reach) {
        for expr in body {
            self.statement(expr, reach);
        }
    }

    fn statement(&mut self, expr: &Expr, reach: Reach) {
        match &expr.kind {
            Kind::Assign(assign) => self.assign(expr, assign, reach),
            Kind::Branch(branch) => self.branch(branch, reach),
            Kind::Sequence(body) | Kind::Other(body) => self.statements(body, reach),
            Kind::Call(call) => self.call(expr, call, reach),
            _ => {}
        }
    }

    fn branch(&mut self, branch: &Branch, reach: Reach) {
        let before = self.locals.clone();
        let mut ways = vec![(platform::otherwise(branch).may, before.clone())];
        for (arm, own) in branch.arms.iter().zip(platform::arms(branch)) {
            self.locals.clone_from(&before);
            self.statements(&arm.body, reach.and(own));
            ways.push((own.may, std::mem::take(&mut self.locals)));
        }
        ways.retain(|(platforms, _)| !platforms.is_empty());
        self.locals = local::join_ways(ways);
    }

    /// `[…].each do |x| default[x] = … end` is made for each item; of any other block the assignments may be made.
    fn call(&mut self, expr: &Expr, call: &Call, reach: Reach) {
        local::after_call(&mut self.locals, call);
        if matches!(call.name.as_str(), "<<" | "push" | "concat" | "merge!" | "delete" | "tap") {
            if let Some((level, path)) = call.receiver.as_ref().and_then(|target| self.target(target)) {
                let what = format!("{} after `{}`", written(&path), call.name);
                self.set(level, path, not_seen(&what), expr, perhaps(reach));
            }
            return;
        }
        let Some(block) = &call.block else { return };
        if let Some(rounds) = self.rounds_of(call, &block.parameters) {
            let outer = self.rounds;
            self.rounds = outer * rounds.len().max(1);
            for values in rounds {
                self.locals.extend(block.parameters.iter().cloned().zip(values));
                self.statements(&block.body, reach);
            }
            self.rounds = outer;
            return;
        }
        for parameter in &block.parameters {
            self.locals.insert(parameter.clone(), not_seen(parameter));
        }
        self.statements(&block.body, perhaps(reach));
    }

    /// The values of a block's parameters in each round of an `each`; `None` where they are out of sight or too many.
    fn rounds_of(&self, call: &Call, parameters: &[String]) -> Option<Vec<Vec<Answer<Value>>>> {
        let items = call.receiver.as_ref().filter(|_| call.name == "each")?;
        let rounds: Vec<Vec<Answer<Value>>> = match (self.scope().value(items), parameters) {
            (Answer::Known(Value::List(items)), [_]) => items.into_iter().map(|item| vec![item]).collect(),
            (Answer::Known(Value::Hash(pairs)), [_, _]) => {
                let round = |(name, item)| vec![Answer::Known(Value::Text(name)), item];
                pairs.all.into_iter().map(round).collect()
            }
            _ => return None,
        };
        (self.rounds * rounds.len() <= MAX_ROUNDS).then_some(rounds)
    }

    fn assign(&mut self, expr: &Expr, assign: &Assign, reach: Reach) {
        let value = if matches!(assign.operator.as_str(), "" | "||") {
            self.scope().value(&assign.value)
        } else {
            not_seen("a value that is changed in place")
        };
        let Some((level, path)) = self.target(&assign.target) else {
            local::assign(&mut self.locals, assign, value);
            return;
        };
        self.set(level, path, value, expr, if assign.operator == "||" { perhaps(reach) } else { reach });
    }

    fn set(&mut self, level: Level, path: Vec<String>, value: Answer<Value>, expr: &Expr, reach: Reach) {
        let place = Place::at(self.file, expr.span);
        let cookbook = Some(self.cookbook);
        let in_recipe = self.in_recipe;
        self.attributes.add(Setting { path, level, value, place, cookbook, reach, in_recipe });
    }

    fn scope(&self) -> Scope<'_> {
        let mut scope = Scope::of(self.attributes.seen_by(self.sure));
        scope.locals.clone_from(&self.locals);
        scope
    }

    /// Level and path of `default['a'][:b]`, `node.override.a.b`, `node['a']`; a path whose key is unknown ends before it.
    fn target(&self, target: &Expr) -> Option<(Level, Vec<String>)> {
        let scope = self.scope();
        let mut keys: Vec<Option<String>> = Vec::new();
        let mut at = target.call()?;
        loop {
            match (at.name.as_str(), at.arguments.as_slice()) {
                ("[]", [key]) => keys.push(match scope.text_of(key) {
                    Answer::Known(key) => Some(key),
                    _ => None,
                }),
                (name, []) => keys.push(Some(name.to_owned())),
                _ => return None,
            }
            match &at.receiver {
                Some(receiver) => at = receiver.call()?,
                None => break,
            }
        }
        keys.reverse();
        let mut keys = keys.into_iter().peekable();
        let mut level = None;
        if keys.next_if(|key| key.as_deref() == Some("node")).is_some() {
            level = Some(Level::Normal);
        }
        if let Some(named) = keys.peek().and_then(|key| level_named(key.as_deref()?)) {
            level = Some(named);
            keys.next();
        }
        let path: Vec<String> = keys.map_while(|key| key).collect();
        Some((level?, path))
    }
}

/// Code that may be left out on any platform.
fn perhaps(reach: Reach) -> Reach {
    reach.and(Reach::MAYBE)
}

fn level_named(name: &str) -> Option<Level> {
    match name {
        "default" | "default_unless" | "automatic" => Some(Level::Default),
        "force_default" | "default!" => Some(Level::ForceDefault),
        "normal" | "set" | "normal_unless" | "set_unless" => Some(Level::Normal),
        "override" | "override_unless" => Some(Level::Override),
        "force_override" | "override!" => Some(Level::ForceOverride),
        _ => None,
    }
}
