//! Goes through the statements of a Chef file as Ruby would: local variables, arms of conditions, loops over known lists.

use crate::stack::chef::local;
use crate::stack::chef::method::method;
use crate::stack::chef::platform;
use crate::stack::chef::scope::Scope;
use crate::stack::chef::value::{Value, not_seen};
use crate::stack::fact::Answer;
use crate::syntax::ruby::{Branch, Call, Expr, Kind};

/// Loops within each other that come to more rounds than this are gone through once, with their items unknown.
pub(super) const MAX_ROUNDS: usize = 1000;
/// A loop over more items than this is gone through once, with its item unknown.
const MAX_ITEMS: usize = 64;

/// A call without a receiver: a resource, a property, or a word of metadata.rb or a Berksfile.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a, 's> {
    /// The call.
    pub call: &'a Call,
    /// The expression it is.
    pub expr: &'a Expr,
    /// The names in reach.
    pub scope: &'s Scope<'s>,
    /// Whether it may not be reached.
    pub conditional: bool,
}

/// Calls `visit` for each call without a receiver in `body`; where it gives `true`, the call's block is gone through too.
pub fn walk(body: &[Expr], scope: &mut Scope<'_>, conditional: bool, visit: &mut dyn FnMut(Step<'_, '_>) -> bool) {
    for expr in body {
        statement(expr, scope, conditional, visit);
    }
}

fn statement(expr: &Expr, scope: &mut Scope<'_>, conditional: bool, visit: &mut dyn FnMut(Step<'_, '_>) -> bool) {
    match &expr.kind {
        Kind::Assign(assign) => {
            statement(&assign.value, scope, conditional, visit);
            let value = scope.value(&assign.value);
            local::assign(&mut scope.locals, assign, value);
        }
        Kind::Branch(branch) => arms(expr, branch, scope, visit),
        Kind::Sequence(body) | Kind::Other(body) => walk(body, scope, conditional, visit),
        Kind::Call(call) => self::call(expr, call, scope, conditional, visit),
        _ => {}
    }
}

/// Every arm is gone through from the same start; afterwards a variable is what one of the arms left it.
fn arms(expr: &Expr, branch: &Branch, scope: &mut Scope<'_>, visit: &mut dyn FnMut(Step<'_, '_>) -> bool) {
    let before = scope.locals.clone();
    let outer = scope.reach;
    let mut ways = vec![(platform::otherwise(branch).may, before.clone())];
    for (number, (arm, own)) in branch.arms.iter().zip(platform::arms(branch)).enumerate() {
        scope.locals.clone_from(&before);
        scope.arms.push((expr.span, number));
        scope.reach = outer.and(own);
        walk(&arm.body, scope, true, visit);
        scope.arms.pop();
        ways.push((own.may, std::mem::take(&mut scope.locals)));
    }
    scope.reach = outer;
    ways.retain(|(platforms, _)| !platforms.is_empty());
    scope.locals = local::join_ways(ways);
}

fn call(
    expr: &Expr,
    call: &Call,
    scope: &mut Scope<'_>,
    conditional: bool,
    visit: &mut dyn FnMut(Step<'_, '_>) -> bool,
) {
    let Some(receiver) = &call.receiver else {
        let descend = visit(Step { call, expr, scope, conditional });
        if let (true, Some(block)) = (descend, &call.block) {
            walk(&block.body, scope, conditional, visit);
        }
        return;
    };
    local::after_call(&mut scope.locals, call);
    // `execute('x') { … }.run_action(:run)` declares its receiver.
    if receiver.call().is_some_and(|inner| inner.block.is_some()) {
        statement(receiver, scope, conditional, visit);
    }
    let Some(block) = &call.block else { return };
    let items = match call.name.as_str() {
        "each" | "each_pair" | "map" | "each_with_index" => Some(scope.value(receiver)),
        "each_key" => part_of_each(scope.value(receiver), "keys"),
        "each_value" => part_of_each(scope.value(receiver), "values"),
        _ => None,
    };
    let rounds = items.and_then(|items| rounds(&items, &block.parameters));
    let outer = scope.rounds;
    if let Some(rounds) = rounds.filter(|rounds| outer * rounds.len() <= MAX_ROUNDS) {
        scope.rounds = outer * rounds.len().max(1);
        for values in rounds {
            scope.locals.extend(block.parameters.iter().cloned().zip(values));
            walk(&block.body, scope, conditional, visit);
        }
        scope.rounds = outer;
        return;
    }
    let unknown = match scope.value(receiver) {
        Answer::Unknown(missing) => Answer::Unknown(missing),
        _ => not_seen("an item of a loop"),
    };
    scope.locals.extend(block.parameters.iter().map(|name| (name.clone(), unknown.clone())));
    walk(&block.body, scope, true, visit);
}

/// The keys or the values of a hash.
fn part_of_each(pairs: Answer<Value>, part: &str) -> Option<Answer<Value>> {
    match pairs {
        Answer::Known(pairs @ Value::Hash(_)) => Some(method(&pairs, part, None)),
        _ => None,
    }
}

/// The values of a block's parameters in each round of a loop; `None` where they are out of sight.
fn rounds(items: &Answer<Value>, parameters: &[String]) -> Option<Vec<Vec<Answer<Value>>>> {
    match items {
        Answer::Known(Value::List(items)) if items.len() <= MAX_ITEMS => {
            let round = |item: &Answer<Value>| match item {
                Answer::Known(Value::List(parts)) if parameters.len() > 1 => parts.clone(),
                item => vec![item.clone()],
            };
            Some(items.iter().map(round).collect())
        }
        Answer::Known(Value::Hash(pairs)) if pairs.all.len() <= MAX_ITEMS => {
            let round =
                |(key, value): &(String, Answer<Value>)| vec![Answer::Known(Value::Text(key.clone())), value.clone()];
            Some(pairs.all.iter().map(round).collect())
        }
        _ => None,
    }
}
