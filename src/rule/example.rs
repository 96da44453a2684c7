//! The Markdown of a rule page: its prose, and the files of its Bad, Good and Fixed examples.

use std::sync::LazyLock;

use regex::Regex;

/// What an example shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// The fault, on the marked lines.
    Bad,
    /// No fault.
    Good,
    /// The Bad example before it, with the fix applied.
    Fixed,
}

/// Some files that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// What it shows.
    pub show: Show,
    /// What its heading adds after the colon and what stands between its files; may be empty.
    pub words: String,
    /// Its files, in the order they stand.
    pub files: Vec<ExampleFile>,
    /// The line of its heading in the page, from 1.
    pub line: usize,
}

/// One file of an example, or a folder (its path ends in `/` and it has no bytes).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExampleFile {
    /// Its path from the root of the example.
    pub path: String,
    /// Its bytes, marks included.
    pub bytes: Vec<u8>,
    /// The lines that hold the fault, from 1; 0 stands for the file or folder as a whole.
    pub faults: Vec<usize>,
    /// Its permission bits, where they matter.
    pub mode: Option<u32>,
}

impl ExampleFile {
    /// Whether it names a folder.
    pub fn is_folder(&self) -> bool {
        self.path.ends_with('/')
    }
}

/// A mistake in the Markdown, and the line it stands on.
pub type Mistake = (usize, String);

/// Splits the Markdown of a page, whose first line is line `first` of the page, into prose and examples.
///
/// # Errors
/// Says what is wrong with an example and how it should be written.
pub fn parse(markdown: &str, first: usize) -> Result<(String, Vec<Example>), Mistake> {
    let mut prose = Vec::new();
    let mut examples: Vec<Example> = Vec::new();
    let mut within = false;
    let mut named: Option<(usize, ExampleFile, bool)> = None;
    let mut lines = markdown.lines().zip(first..).peekable();
    while let Some((line, number)) = lines.next() {
        if let Some((mark, at)) = fence(line).map(|mark| (mark, number)) {
            let mut content: Vec<&str> = Vec::new();
            loop {
                let Some((line, _)) = lines.next() else { return Err((at, "this block is never closed".into())) };
                if closes(line, mark) {
                    break;
                }
                content.push(line);
            }
            let Some(example) = examples.last_mut().filter(|_| within) else {
                prose.push(line);
                prose.extend(content);
                prose.push(mark);
                continue;
            };
            let Some((_, file, crlf)) = named.take() else {
                return Err((at, "say which file this block is, on the line above it: `path`:".into()));
            };
            example.files.push(with_content(file, &content, crlf));
        } else if let Some(heading) = line.strip_prefix("## ") {
            unused_name(named.take())?;
            match heading_of(heading) {
                Some((show, words)) => {
                    within = true;
                    examples.push(Example { show, words, files: Vec::new(), line: number });
                }
                None => {
                    within = false;
                    prose.push(line);
                }
            }
        } else if !within {
            prose.push(line);
        } else if let Some((file, crlf)) = file_line(line).map_err(|words| (number, words))? {
            unused_name(named.take())?;
            match examples.last_mut() {
                Some(example) if file.is_folder() => example.files.push(file),
                _ => named = Some((number, file, crlf)),
            }
        } else if let Some(example) = examples.last_mut().filter(|_| !line.trim().is_empty()) {
            let gap = if example.words.is_empty() { "" } else { " " };
            example.words.push_str(gap);
            example.words.push_str(line.trim());
        }
    }
    unused_name(named)?;
    if let Some(empty) = examples.iter().find(|example| example.files.is_empty()) {
        return Err((empty.line, "this example has no file: write `path`: and a fenced block".into()));
    }
    Ok((prose.join("\n").trim().to_owned(), examples))
}

fn unused_name(named: Option<(usize, ExampleFile, bool)>) -> Result<(), Mistake> {
    match named {
        Some((line, file, _)) => Err((line, format!("`{}` is not followed by a fenced block", file.path))),
        None => Ok(()),
    }
}

/// `Bad`, or `Bad: words`.
fn heading_of(heading: &str) -> Option<(Show, String)> {
    let (name, words) = heading.split_once(':').unwrap_or((heading, ""));
    let show = match name.trim() {
        "Bad" => Show::Bad,
        "Good" => Show::Good,
        "Fixed" => Show::Fixed,
        _ => return None,
    };
    Some((show, words.trim().to_owned()))
}

/// The run of backticks or tildes that opens a block.
fn fence(line: &str) -> Option<&str> {
    let mark = ['`', '~'].into_iter().find(|mark| line.starts_with(*mark))?;
    let length = line.chars().take_while(|c| *c == mark).count();
    let (fence, info) = line.split_at(length);
    (length >= 3 && !info.contains('`')).then_some(fence)
}

fn closes(line: &str, mark: &str) -> bool {
    let rest = line.trim_end();
    rest.starts_with(mark) && rest.chars().all(|c| mark.starts_with(c))
}

static FILE_LINE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^`([^`]+)`\s*(?:\(([^)]*)\))?\s*(?:\(([^)]*)\))?\s*:?\s*$").ok());

/// "`path` (fault at 3; crlf; mode 0644):" as a file without bytes, and whether its lines end in CRLF.
fn file_line(line: &str) -> Result<Option<(ExampleFile, bool)>, String> {
    let Some(found) = FILE_LINE.as_ref().and_then(|pattern| pattern.captures(line)) else { return Ok(None) };
    let mut file = ExampleFile { path: found[1].to_owned(), ..ExampleFile::default() };
    let mut crlf = false;
    let notes = [2, 3].into_iter().filter_map(|group| found.get(group)).flat_map(|notes| notes.as_str().split(';'));
    for note in notes.map(str::trim) {
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|line| *line > 0);
        if note == "crlf" {
            crlf = true;
        } else if note == "fault" {
            file.faults.push(0);
        } else if let Some(line) = note.strip_prefix("fault at ").and_then(number) {
            file.faults.push(line);
        } else if let Some(mode) = note.strip_prefix("mode ").and_then(|mode| u32::from_str_radix(mode, 8).ok()) {
            file.mode = Some(mode);
        } else {
            return Err(format!("`({note})` is not known here: write `fault`, `fault at 3`, `crlf` or `mode 0644`"));
        }
    }
    Ok(Some((file, crlf)))
}

fn with_content(mut file: ExampleFile, lines: &[&str], crlf: bool) -> ExampleFile {
    let end = if crlf { "\r\n" } else { "\n" };
    for (at, line) in lines.iter().enumerate() {
        if is_mark(line) {
            file.faults.push(at + 2);
        }
        file.bytes.extend_from_slice(line.as_bytes());
        file.bytes.extend_from_slice(end.as_bytes());
    }
    file.faults.sort_unstable();
    file.faults.dedup();
    file
}

/// Whether a line is nothing but the comment that marks the next one.
pub fn is_mark(line: &str) -> bool {
    matches!(line.trim(), "# fault" | "; fault" | "// fault" | "<%# fault %>" | "{# fault #}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PAGE: &str = "Why.\n\n```sh\nls\n```\n\n## Bad: two files\nSome words.\n\n`a.ini`:\n```ini\n[uwsgi]\n  ; fault\nx = 1\n```\n\n\
        `b.conf` (fault at 1; crlf) (mode 0640):\n\n````nginx\n```\n````\n\n`cookbooks/` (fault)\n\n## Good\n`a.ini`:\n~~~\n~~~\n";

    #[test]
    fn files_marks_and_notes() {
        let (prose, examples) = parse(PAGE, 10).unwrap();
        assert_eq!(prose, "Why.\n\n```sh\nls\n```");
        let [bad, good] = &examples[..] else { unreachable!("{examples:?}") };
        assert_eq!((bad.show, bad.words.as_str(), bad.line), (Show::Bad, "two files Some words.", 16));
        assert_eq!(bad.files[0].bytes, b"[uwsgi]\n  ; fault\nx = 1\n");
        assert_eq!(bad.files[0].faults, [3]);
        assert_eq!(bad.files[1].bytes, b"```\r\n");
        assert_eq!((&bad.files[1].faults[..], bad.files[1].mode), (&[1][..], Some(0o640)));
        assert_eq!((bad.files[2].is_folder(), &bad.files[2].faults[..]), (true, &[0][..]));
        assert_eq!(good.files, [ExampleFile { path: "a.ini".into(), ..ExampleFile::default() }]);
    }

    #[test]
    fn mistakes_name_their_line() {
        assert_eq!(parse("## Bad\n```\nx\n```\n", 1).unwrap_err().0, 2);
        assert_eq!(parse("## Bad\n\n`a`:\n", 1).unwrap_err().0, 3);
        assert_eq!(parse("## Bad\n## Good\n", 1).unwrap_err().0, 1);
        assert_eq!(parse("## Bad\n`a`:\n```\nx\n", 1).unwrap_err(), (3, "this block is never closed".into()));
        assert!(parse("## Bad\n`a` (faulty):\n```\n```\n", 1).unwrap_err().1.contains("fault at 3"));
    }
}
