//! From prism's borrowed nodes to the owned tree.

use ruby_prism::{
    ArgumentsNode, BlockNode, CallNode, ConstantId, ElseNode, IfNode, Location, Node, NodeList, StatementsNode,
};

use super::{Arm, Assign, Block, Branch, Call, Expr, Kind, MAX_DEPTH, Part};
use crate::source::Span;

/// The statements of a whole file.
pub fn program(node: &Node<'_>) -> Vec<Expr> {
    node.as_program_node().map(|program| statements(Some(program.statements()), 0)).unwrap_or_default()
}

fn span(location: &Location<'_>) -> Span {
    Span { start: location.start(), end: location.end() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn name(id: &ConstantId<'_>) -> String {
    text(id.as_slice())
}

fn statements(node: Option<StatementsNode<'_>>, depth: usize) -> Vec<Expr> {
    node.map(|node| list(&node.body(), depth)).unwrap_or_default()
}

fn list(nodes: &NodeList<'_>, depth: usize) -> Vec<Expr> {
    nodes.iter().map(|node| expr(&node, depth + 1)).collect()
}

/// The statements of a body that may be wrapped in a `begin`.
fn body(node: Option<Node<'_>>, depth: usize) -> Vec<Expr> {
    let Some(node) = node else { return Vec::new() };
    match node.as_statements_node() {
        Some(all) => list(&all.body(), depth),
        None => vec![expr(&node, depth + 1)],
    }
}

fn expr(node: &Node<'_>, depth: usize) -> Expr {
    let span = span(&node.location());
    let kind = if depth > MAX_DEPTH {
        Kind::Other(Vec::new())
    } else {
        literal(node, depth)
            .or_else(|| reference(node))
            .or_else(|| call_or_assign(node, depth))
            .or_else(|| branch(node, depth))
            .unwrap_or_else(|| Kind::Other(inside(node, depth)))
    };
    Expr { span, kind }
}

fn literal(node: &Node<'_>, depth: usize) -> Option<Kind> {
    if let Some(string) = node.as_string_node() {
        return Some(Kind::Text(vec![Part::Literal(text(string.unescaped()), span(&string.content_loc()))]));
    }
    if let Some(string) = node.as_interpolated_string_node() {
        return Some(Kind::Text(parts(&string.parts(), depth)));
    }
    if let Some(symbol) = node.as_symbol_node() {
        return Some(Kind::Symbol(text(symbol.unescaped())));
    }
    if let Some(symbol) = node.as_interpolated_symbol_node() {
        return Some(Kind::Text(parts(&symbol.parts(), depth)));
    }
    if let Some(number) = node.as_integer_node() {
        let value: Result<i32, ()> = number.value().try_into();
        return Some(value.map_or(Kind::Other(Vec::new()), |value| Kind::Int(i64::from(value))));
    }
    if let Some(array) = node.as_array_node() {
        return Some(Kind::Array(list(&array.elements(), depth)));
    }
    if let Some(hash) = node.as_hash_node() {
        return Some(Kind::Hash(pairs(&hash.elements(), depth)));
    }
    if let Some(hash) = node.as_keyword_hash_node() {
        return Some(Kind::Hash(pairs(&hash.elements(), depth)));
    }
    match () {
        () if node.as_true_node().is_some() => Some(Kind::Bool(true)),
        () if node.as_false_node().is_some() => Some(Kind::Bool(false)),
        () if node.as_nil_node().is_some() => Some(Kind::Nil),
        () => None,
    }
}

fn parts(nodes: &NodeList<'_>, depth: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    for node in nodes.iter() {
        if let Some(string) = node.as_string_node() {
            parts.push(Part::Literal(text(string.unescaped()), span(&string.content_loc())));
        } else if let Some(string) = node.as_interpolated_string_node().filter(|_| depth < MAX_DEPTH) {
            parts.extend(self::parts(&string.parts(), depth + 1));
        } else if let Some(code) = node.as_embedded_statements_node() {
            let span = span(&code.location());
            let mut body = statements(code.statements(), depth + 1);
            let only = if body.len() == 1 { body.pop() } else { None };
            parts.push(Part::Code(only.unwrap_or(Expr { span, kind: Kind::Sequence(body) })));
        } else {
            parts.push(Part::Code(expr(&node, depth + 1)));
        }
    }
    parts
}

/// `key => value` pairs; a `**splat` is left out, as its keys are not to be seen.
fn pairs(nodes: &NodeList<'_>, depth: usize) -> Vec<(Expr, Expr)> {
    nodes
        .iter()
        .filter_map(|node| node.as_assoc_node())
        .map(|pair| (expr(&pair.key(), depth + 1), expr(&pair.value(), depth + 1)))
        .collect()
}

fn reference(node: &Node<'_>) -> Option<Kind> {
    if let Some(local) = node.as_local_variable_read_node() {
        return Some(Kind::Local(name(&local.name())));
    }
    if let Some(field) = node.as_instance_variable_read_node() {
        return Some(Kind::Field(name(&field.name()).trim_start_matches('@').to_owned()));
    }
    if node.as_constant_read_node().is_some() || node.as_constant_path_node().is_some() {
        return Some(Kind::Constant(text(node.location().as_slice()).trim_start_matches("::").to_owned()));
    }
    None
}

fn call_or_assign(node: &Node<'_>, depth: usize) -> Option<Kind> {
    if let Some(call) = node.as_call_node() {
        return Some(self::call(&call, depth));
    }
    if let Some(write) = node.as_local_variable_write_node() {
        return Some(local_write(name(&write.name()), &write.name_loc(), "", &write.value(), depth));
    }
    if let Some(write) = node.as_local_variable_or_write_node() {
        return Some(local_write(name(&write.name()), &write.name_loc(), "||", &write.value(), depth));
    }
    if let Some(write) = node.as_local_variable_operator_write_node() {
        let operator = name(&write.binary_operator());
        return Some(local_write(name(&write.name()), &write.name_loc(), &operator, &write.value(), depth));
    }
    if let Some(write) = node.as_index_or_write_node() {
        return Some(index_write(node, write.receiver(), write.arguments(), "||", &write.value(), depth));
    }
    if let Some(write) = node.as_index_operator_write_node() {
        let operator = name(&write.binary_operator());
        return Some(index_write(node, write.receiver(), write.arguments(), &operator, &write.value(), depth));
    }
    if let Some(write) = node.as_call_or_write_node() {
        let target = method(node, write.receiver(), name(&write.read_name()), Vec::new(), depth);
        return Some(assign(target, "||", expr(&write.value(), depth + 1)));
    }
    None
}

fn call(node: &CallNode<'_>, depth: usize) -> Kind {
    let method_name = name(&node.name());
    let mut arguments = self::arguments(node.arguments(), depth);
    let is_write = node.equal_loc().is_some() || method_name == "[]=";
    if is_write
        && let Some(read) = method_name.strip_suffix('=')
        && let Some(value) = arguments.pop()
    {
        let target = method(&node.as_node(), node.receiver(), read.to_owned(), arguments, depth);
        return assign(target, "", value);
    }
    let name_span = span(&node.message_loc().unwrap_or_else(|| node.location()));
    let given = node.block();
    let block = given.as_ref().and_then(|block| block.as_block_node()).map(|node| self::block(&node, depth));
    Kind::Call(Box::new(Call {
        receiver: node.receiver().map(|receiver| expr(&receiver, depth + 1)),
        name: method_name,
        name_span,
        arguments,
        block,
    }))
}

fn arguments(node: Option<ArgumentsNode<'_>>, depth: usize) -> Vec<Expr> {
    node.map(|node| list(&node.arguments(), depth)).unwrap_or_default()
}

fn block(node: &BlockNode<'_>, depth: usize) -> Block {
    let parameters = node
        .parameters()
        .and_then(|all| all.as_block_parameters_node()?.parameters())
        .map(|all| {
            let names = all.requireds();
            names
                .iter()
                .map(|one| one.as_required_parameter_node().map(|one| name(&one.name())).unwrap_or_default())
                .collect()
        })
        .unwrap_or_default();
    Block { parameters, body: body(node.body(), depth + 1), span: span(&node.location()) }
}

/// A read of what an assignment writes: `a[b]` of `a[b] = c`.
fn method(node: &Node<'_>, receiver: Option<Node<'_>>, name: String, arguments: Vec<Expr>, depth: usize) -> Expr {
    let span = span(&node.location());
    let receiver = receiver.map(|receiver| expr(&receiver, depth + 1));
    Expr { span, kind: Kind::Call(Box::new(Call { receiver, name, name_span: span, arguments, block: None })) }
}

fn assign(target: Expr, operator: &str, value: Expr) -> Kind {
    Kind::Assign(Box::new(Assign { target, operator: operator.to_owned(), value }))
}

fn local_write(variable: String, place: &Location<'_>, operator: &str, value: &Node<'_>, depth: usize) -> Kind {
    assign(Expr { span: span(place), kind: Kind::Local(variable) }, operator, expr(value, depth + 1))
}

fn index_write(
    node: &Node<'_>,
    receiver: Option<Node<'_>>,
    keys: Option<ArgumentsNode<'_>>,
    operator: &str,
    value: &Node<'_>,
    depth: usize,
) -> Kind {
    let target = method(node, receiver, "[]".to_owned(), arguments(keys, depth), depth);
    assign(target, operator, expr(value, depth + 1))
}

fn branch(node: &Node<'_>, depth: usize) -> Option<Kind> {
    if let Some(question) = node.as_if_node() {
        return Some(Kind::Branch(Branch { subject: None, arms: if_arms(question, depth) }));
    }
    if let Some(question) = node.as_unless_node() {
        let conditions = vec![not(expr(&question.predicate(), depth + 1))];
        let mut arms = vec![Arm { conditions, body: statements(question.statements(), depth) }];
        arms.extend(question.else_clause().map(|otherwise| else_arm(&otherwise, depth)));
        return Some(Kind::Branch(Branch { subject: None, arms }));
    }
    if let Some(question) = node.as_case_node() {
        let mut arms: Vec<Arm> = question
            .conditions()
            .iter()
            .filter_map(|arm| arm.as_when_node())
            .map(|arm| Arm { conditions: list(&arm.conditions(), depth), body: statements(arm.statements(), depth) })
            .collect();
        arms.extend(question.else_clause().map(|otherwise| else_arm(&otherwise, depth)));
        let subject = question.predicate().map(|subject| Box::new(expr(&subject, depth + 1)));
        return Some(Kind::Branch(Branch { subject, arms }));
    }
    if let Some(either) = node.as_or_node() {
        return Some(Kind::Either(Box::new((expr(&either.left(), depth + 1), expr(&either.right(), depth + 1)))));
    }
    if let Some(group) = node.as_parentheses_node() {
        return Some(Kind::Sequence(body(group.body(), depth)));
    }
    if let Some(group) = node.as_begin_node() {
        let mut all = statements(group.statements(), depth);
        let mut rescue = group.rescue_clause();
        while let Some(clause) = rescue {
            let body = statements(clause.statements(), depth);
            let arm = Arm { conditions: list(&clause.exceptions(), depth), body };
            all.push(Expr {
                span: span(&clause.location()),
                kind: Kind::Branch(Branch { subject: None, arms: vec![arm] }),
            });
            rescue = clause.subsequent();
        }
        return Some(Kind::Sequence(all));
    }
    None
}

/// `if`, `elsif` and `else` as one list, so that a long chain is no deep tree.
fn if_arms(question: IfNode<'_>, depth: usize) -> Vec<Arm> {
    let mut arms = Vec::new();
    let mut next = Some(question);
    while let Some(question) = next.take() {
        let conditions = vec![expr(&question.predicate(), depth + 1)];
        arms.push(Arm { conditions, body: statements(question.statements(), depth) });
        let Some(rest) = question.subsequent() else { break };
        arms.extend(rest.as_else_node().map(|otherwise| else_arm(&otherwise, depth)));
        next = rest.as_if_node();
    }
    arms
}

/// `!condition`, which is what `unless` asks.
fn not(condition: Expr) -> Expr {
    let span = condition.span;
    let call =
        Call { receiver: Some(condition), name: "!".to_owned(), name_span: span, arguments: Vec::new(), block: None };
    Expr { span, kind: Kind::Call(Box::new(call)) }
}

fn else_arm(node: &ElseNode<'_>, depth: usize) -> Arm {
    Arm { conditions: Vec::new(), body: statements(node.statements(), depth) }
}

/// The expressions inside what has no kind of its own.
fn inside(node: &Node<'_>, depth: usize) -> Vec<Expr> {
    if let Some(both) = node.as_and_node() {
        return vec![expr(&both.left(), depth + 1), expr(&both.right(), depth + 1)];
    }
    if let Some(rescue) = node.as_rescue_modifier_node() {
        return vec![expr(&rescue.expression(), depth + 1)];
    }
    if let Some(splat) = node.as_splat_node() {
        return splat.expression().map(|inner| expr(&inner, depth + 1)).into_iter().collect();
    }
    if let Some(definition) = node.as_def_node() {
        return body(definition.body(), depth);
    }
    if let Some(definition) = node.as_class_node() {
        return body(definition.body(), depth);
    }
    if let Some(definition) = node.as_module_node() {
        return body(definition.body(), depth);
    }
    if let Some(repeat) = node.as_while_node() {
        return statements(repeat.statements(), depth);
    }
    if let Some(embedded) = node.as_embedded_statements_node() {
        return statements(embedded.statements(), depth);
    }
    if let Some(write) = node.as_constant_write_node() {
        return vec![expr(&write.value(), depth + 1)];
    }
    if let Some(write) = node.as_instance_variable_write_node() {
        return vec![expr(&write.value(), depth + 1)];
    }
    Vec::new()
}
