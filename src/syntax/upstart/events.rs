//! The conditions of `start on` and `stop on`: events joined by `and` and `or`, which bind equally and to the left.

use std::fmt;

use crate::source::{Located, Span};
use crate::syntax::upstart::lexer::{Lexer, Reason, Refused, ends_statement};

/// One item of a condition in postfix order, so that no depth of parentheses costs stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An event with its arguments: values first, then `KEY=GLOB` and `KEY!=GLOB`.
    Event {
        /// The event's name.
        name: Located<String>,
        /// Its arguments.
        arguments: Vec<Located<String>>,
    },
    /// Joins the two conditions before it: both.
    And,
    /// Joins the two conditions before it: either.
    Or,
}

/// A condition of `start on` or `stop on`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Events {
    /// In postfix order.
    pub steps: Vec<Step>,
    /// The first `and` or `or` that follows the other one with no parentheses between them.
    pub mixed: Option<Located<Step>>,
}

impl fmt::Display for Events {
    /// With a pair of parentheses around each `and` and `or`, as `initctl show-config` prints it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stack: Vec<String> = Vec::new();
        for step in &self.steps {
            let operator = match step {
                Step::And => "and",
                Step::Or => "or",
                Step::Event { name, arguments } => {
                    let words = std::iter::once(name).chain(arguments).map(|word| word.value.as_str());
                    stack.push(words.collect::<Vec<_>>().join(" "));
                    continue;
                }
            };
            let (right, left) = (stack.pop().unwrap_or_default(), stack.pop().unwrap_or_default());
            stack.push(format!("({left} {operator} {right})"));
        }
        out.write_str(&stack.concat())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    Missing,
    Event,
    Group,
}

struct Level {
    opened: Span,
    pending: Option<(Step, Span)>,
    operand: Operand,
    /// The operator that was read before in this level.
    joined_by: Option<Step>,
}

impl Level {
    fn new(opened: Span) -> Self {
        Self { opened, pending: None, operand: Operand::Missing, joined_by: None }
    }

    /// Joins the last two operands; `place` is where an operand should have come.
    fn close(&mut self, place: Span, events: &mut Events, lexer: &Lexer) -> Result<(), Refused> {
        if self.operand == Operand::Missing {
            let span = self.pending.as_ref().map_or(place, |(_, operator)| *operator);
            return Err(lexer.refuse(Reason::ExpectedEvent, span));
        }
        if let Some((operator, _)) = self.pending.take() {
            events.steps.push(operator);
        }
        Ok(())
    }
}

/// Reads a condition up to the end of its statement.
pub(super) fn read(lexer: &mut Lexer) -> Result<Located<Events>, Refused> {
    let start = lexer.at;
    if !lexer.has_token() {
        return Err(lexer.refuse_here(Reason::ExpectedToken));
    }
    let mut events = Events::default();
    let mut level = Level::new(Span::new(start, start));
    let mut outer: Vec<Level> = Vec::new();
    let mut end = start;
    while let Some(byte) = lexer.peek() {
        if outer.is_empty() && ends_statement(byte) {
            break;
        }
        let here = Span::new(lexer.at, lexer.at + 1);
        match byte {
            b'(' => {
                if level.operand != Operand::Missing {
                    return Err(lexer.refuse(Reason::ExpectedOperator, here));
                }
                outer.push(std::mem::replace(&mut level, Level::new(here)));
                lexer.at += 1;
            }
            b')' => {
                let Some(around) = outer.pop() else {
                    return Err(lexer.refuse(Reason::MismatchedParentheses, here));
                };
                level.close(here, &mut events, lexer)?;
                level = around;
                level.operand = Operand::Group;
                lexer.at += 1;
            }
            _ => word(lexer, &mut level, &mut events)?,
        }
        end = end.max(events_end(&events, here));
        lexer.skip_blanks();
        // One line break, with or without a comment, may follow a word inside parentheses; a blank line may not.
        if !outer.is_empty() && lexer.peek().is_some_and(ends_statement) {
            lexer.next_line();
            lexer.skip_blanks();
        }
    }
    if !outer.is_empty() {
        return Err(Refused { reason: Reason::MismatchedParentheses, span: level.opened, noticed: lexer.at });
    }
    level.close(Span::new(start, end), &mut events, lexer)?;
    Ok(Located::new(events, Span::new(start, end)))
}

fn events_end(events: &Events, here: Span) -> usize {
    let last = match events.steps.last() {
        Some(Step::Event { name, arguments }) => arguments.last().unwrap_or(name).span.end,
        _ => 0,
    };
    last.max(here.end) as usize
}

fn word(lexer: &mut Lexer, level: &mut Level, events: &mut Events) -> Result<(), Refused> {
    let before = *lexer;
    let raw = lexer.raw_event_word()?;
    let operator = match raw.value.as_str() {
        "and" => Some(Step::And),
        "or" => Some(Step::Or),
        _ => None,
    };
    if let Some(operator) = operator {
        level.close(raw.span, events, lexer)?;
        if level.joined_by.replace(operator.clone()).is_some_and(|before| before != operator) {
            events.mixed.get_or_insert(Located::new(operator.clone(), raw.span));
        }
        level.pending = Some((operator, raw.span));
        level.operand = Operand::Missing;
        return Ok(());
    }
    *lexer = before;
    if level.operand == Operand::Group {
        return Err(lexer.refuse(Reason::ExpectedOperator, raw.span));
    }
    let word = lexer.event_word()?;
    match (level.operand, events.steps.last_mut()) {
        (Operand::Event, Some(Step::Event { arguments, .. })) => {
            let named = |argument: &Located<String>| argument.value.contains('=');
            if arguments.last().is_some_and(named) && !named(&word) {
                return Err(lexer.refuse(Reason::ExpectedVariable, word.span));
            }
            arguments.push(word);
        }
        _ => {
            events.steps.push(Step::Event { name: word, arguments: Vec::new() });
            level.operand = Operand::Event;
        }
    }
    Ok(())
}
