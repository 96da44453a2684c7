//! What is said of statements that nginx cannot put together, and how the tree goes on behind them.

use super::{Builder, Words};
use crate::source::Span;
use crate::syntax::Problem;
use crate::syntax::erb::FILLER;
use crate::syntax::nginx::lexer::is_blank;
use crate::syntax::nginx::{KIND, names};

impl Builder<'_> {
    /// Reports a block directive that `semicolon` ends; where its first line is all there is of it, the rest stands in its block.
    pub(super) fn refuse_without_block(&mut self, words: Words, semicolon: Span) {
        let name = self.value(words.start);
        let first = self.first_line(&words);
        let head = self.span(words.start).to(self.span(first - 1));
        let cut = self.lexer.rest().chars().next().is_some_and(|c| !is_blank(c) && !matches!(c, '#' | '}' | '{' | ';'));
        let hint = if first < words.end {
            format!("write `{{` at the end of this line: `{} {{`", head.of(self.text).trim())
        } else if cut && name != "if" {
            "this `;` ends the directive; put the expression it belongs to in quotes".to_owned()
        } else {
            format!("`{name}` needs a block: {name} … {{ … }}")
        };
        let nginx = format!("nginx: directive \"{name}\" has no opening \"{{\"");
        let problem = Problem::new(KIND, head, format!("`{name}` has no opening \"{{\"")).hint(hint);
        self.problems.push(problem.also(semicolon, nginx));
        if first == words.end {
            return self.statement(words, Some(semicolon));
        }
        self.assumed += 1;
        self.enter(words.start..first, Span::new(head.end as usize, head.end as usize));
        self.statement(first..words.end, Some(semicolon));
    }

    /// Reports a directive without `;`, at the end of the first line that lacks it; nginx notices at `noticed`.
    pub(super) fn refuse_unterminated(&mut self, words: Words, close: Option<Span>, noticed: Span, nginx: &str) {
        let indent = self.indent(words.start);
        let begins = (words.start + 1..words.end).filter(|&word| self.begins_statement(word, indent));
        let lacking: Vec<usize> = begins.chain([words.end]).map(|next| next - 1).collect();
        let end_of = |word: &usize| Span::new(self.span(*word).end as usize, self.span(*word).end as usize);
        let Some((first, others)) = lacking.split_first() else { return };
        let name = shown(self.value(words.start));
        let hint = match close {
            Some(_) if others.is_empty() => format!("end {name} with `;` before the `}}`"),
            _ => format!("end {name} with `;` here"),
        };
        let problem = Problem::new(KIND, end_of(first), format!("{name} is not ended by `;`")).hint(hint);
        let problem = others
            .iter()
            .take(3)
            .fold(problem, |problem, word| problem.also(end_of(word), "this line lacks its `;` too"));
        self.problems.push(problem.also(noticed, format!("nginx notices here: {nginx}")));
    }

    /// Reports a `{` in a block of data: either that block was never closed, or the word is not in quotes.
    pub(super) fn refuse_in_data(&mut self, words: &Words, span: Span) {
        let name = self.value(words.start);
        let stands_outside = name == "server" || names::is_block(name);
        let Some(frame) = self.stack.last().filter(|_| stands_outside) else {
            self.problems.push(
                Problem::new(KIND, span, "unexpected \"{\"")
                    .hint("this block holds lines of data only; put a word that contains `{` in quotes"),
            );
            return;
        };
        let problem = Problem::new(KIND, frame.open, format!("the `{{` of `{}` is never closed", self.name_of(frame)))
            .hint(format!("write the missing `}}` before `{name}`"))
            .also(span, "nginx notices here: unexpected \"{\"");
        self.problems.push(problem);
        self.leave(None);
    }

    /// Reports `{` in the pattern of an `include`, and takes the whole pattern as one word.
    pub(super) fn refuse_include(&mut self, open: Span) {
        self.lexer.step_back_to(open);
        let span = self.lexer.literally();
        self.problems.push(
            Problem::new(KIND, open, "directive \"include\" is not terminated by \";\"")
                .hint("include knows `*`, `?` and `[…]`, not `{a,b}`: write one include per file, or a `*`"),
        );
        self.config.words.push(self.text, span, None);
    }
}

/// A name as it can be shown; template tags have no text.
fn shown(name: &str) -> String {
    if name.contains(FILLER) { "this directive".to_owned() } else { format!("`{}`", name.escape_debug()) }
}
