//! Markdown as plain text of a terminal's width: paragraphs and lists are filled, everything else stays as it is.

/// The width that every terminal has.
pub const WIDTH: usize = 80;

/// `text` in lines of at most `width` columns, broken at blanks; a longer word stays whole.
///
/// Short code between backquotes is one word, so that nobody copies half a line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    hanging(text, width, "")
}

/// The text with each paragraph and list item filled anew; code, headings and tables untouched, fences left out.
pub fn fill_markdown(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut fenced = false;
    for line in text.lines() {
        let fence = line.starts_with("```") || line.starts_with("~~~");
        let item = ["- ", "* "].iter().any(|bullet| line.starts_with(bullet));
        let code = line.starts_with("    ") && paragraph.is_empty();
        let verbatim = fenced || fence || code || line.starts_with(['#', '|']) || line.trim().is_empty();
        if verbatim || item {
            flush(&mut paragraph, width, &mut out);
        }
        if fence {
            fenced = !fenced;
        } else if verbatim {
            let margin = if fenced && !line.is_empty() { "    " } else { "" };
            out.push_str(format!("{margin}{line}").trim_end());
            out.push('\n');
        } else {
            paragraph.push_str(line.trim());
            paragraph.push(' ');
        }
    }
    flush(&mut paragraph, width, &mut out);
    out
}

fn flush(paragraph: &mut String, width: usize, out: &mut String) {
    if !paragraph.is_empty() {
        let margin = if paragraph.starts_with(['-', '*']) { "  " } else { "" };
        hanging(paragraph, width, margin).iter().for_each(|line| out.extend([line.as_str(), "\n"]));
        paragraph.clear();
    }
}

/// The words of `text` on lines of at most [`WIDTH`] columns; `margin` stands before each line but the first.
pub fn fill(text: &str, margin: &str) -> String {
    hanging(text, WIDTH, margin).iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

fn hanging(text: &str, width: usize, margin: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = 0;
    for word in words(text) {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            lines.push(margin.to_owned());
            column = margin.chars().count();
        } else if column > 0 {
            lines.last_mut().into_iter().for_each(|line| line.push(' '));
            column += 1;
        }
        lines.last_mut().into_iter().for_each(|line| line.push_str(&word));
        column += length;
    }
    lines
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(code) if code.matches('`').count() % 2 == 1 && code.len() + word.len() < WIDTH / 2 => {
                code.push(' ');
                code.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_filled_and_code_is_not() {
        let long = "word ".repeat(30);
        let text = format!("{long}\nend.\n\n- {long}\n- b\n\n    code   here\n\n```sh\nls   -l\n```\n");
        let filled = fill_markdown(&text, WIDTH);
        assert!(filled.lines().all(|line| line.chars().count() <= WIDTH), "{filled}");
        assert!(filled.contains("word end.\n\n- word"), "{filled}");
        assert!(filled.contains("\n  word"), "{filled}");
        assert!(filled.ends_with("- b\n\n    code   here\n\n    ls   -l\n"), "{filled}");
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a-very-long-word b", 4), ["a-very-long-word", "b"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn short_code_stays_on_one_line() {
        let text = format!("{} `lazy-apps = true` helps.", "word ".repeat(14).trim());
        assert!(fill(&text, "").contains("\n`lazy-apps = true` helps.\n"));
    }
}
