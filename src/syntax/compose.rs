//! Reader for what a compose file says of its services' environments and commands: it knows the block style that these
//! files are written in, and says where a service holds something else.

use super::yaml::{Line, block, entries, key, lines, scalar};
use crate::source::{Located, Span};

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: Located<String>,
    /// `image`
    pub image: Option<Located<String>>,
    /// `environment`: each variable with its value; without one it is that of whoever runs compose.
    pub environment: Vec<(Located<String>, Option<Located<String>>)>,
    /// The paths of `env_file`.
    pub env_files: Vec<Located<String>>,
    /// `command`, as one text or as its words.
    pub command: Option<Command>,
    /// Whether aliases, merges, `extends` or another style may give it more.
    pub open: bool,
}

/// What a service runs in place of its image's command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A text that is split as a shell would.
    Text(Located<String>),
    /// The words themselves.
    Words(Vec<Located<String>>),
}

/// The services in order.
pub fn parse(text: &str) -> Vec<Service> {
    let lines = lines(text);
    let Some(top) = lines.iter().position(|line| {
        line.indent == 0 && key(line).is_some_and(|(key, rest)| key.value == "services" && rest.text.is_empty())
    }) else {
        return Vec::new();
    };
    let inside = block(&lines[top + 1..], 0);
    let mut all = Vec::new();
    for (head, body) in entries(inside) {
        if let Some((name, rest)) = key(head) {
            all.push(service(name, rest, body));
        }
    }
    all
}

fn service(name: Located<String>, rest: Line<'_>, body: &[Line<'_>]) -> Service {
    let mut service = Service {
        name,
        image: None,
        environment: Vec::new(),
        env_files: Vec::new(),
        command: None,
        open: !rest.text.is_empty(),
    };
    for (head, body) in entries(body) {
        let Some((key, rest)) = key(head) else {
            service.open = true;
            continue;
        };
        match key.value.as_str() {
            "environment" => environment(&mut service, rest, body),
            "env_file" => env_files(&mut service, rest, body),
            "image" => service.image = scalar(&rest),
            "command" => service.command = command(rest, body),
            "<<" | "extends" => service.open = true,
            _ => {}
        }
    }
    service
}

fn environment(service: &mut Service, rest: Line<'_>, body: &[Line<'_>]) {
    if !rest.text.is_empty() {
        service.open = true;
    }
    for (head, more) in entries(body) {
        let pair = match head.text.strip_prefix("- ") {
            Some(item) => {
                let item = item.trim_start();
                let line = Line { text: item, at: head.at + head.text.len() - item.len(), ..*head };
                scalar(&line).map(|whole| assignment(&line, whole))
            }
            None => key(head).filter(|(name, _)| name.value != "<<").and_then(|(name, rest)| match rest.text {
                "" | "~" | "null" => Some((name, None)),
                _ => scalar(&rest).map(|value| (name, Some(value))),
            }),
        };
        match pair.filter(|_| more.is_empty()) {
            Some(pair) => service.environment.push(pair),
            None => service.open = true,
        }
    }
}

/// `NAME=value` of a list, the quotes around both resolved before.
fn assignment(line: &Line<'_>, whole: Located<String>) -> (Located<String>, Option<Located<String>>) {
    let Some((name, value)) = whole.value.split_once('=') else { return (whole.clone(), None) };
    let quote = usize::from(line.text.starts_with(['"', '\'']));
    let start = line.at + quote;
    let name_span = Span::new(start, start + name.len());
    let value_span = Span::new((start + name.len() + 1).min(whole.span.range().end), whole.span.range().end);
    (Located::new(name.to_owned(), name_span), Some(Located::new(value.to_owned(), value_span)))
}

fn env_files(service: &mut Service, rest: Line<'_>, body: &[Line<'_>]) {
    if !rest.text.is_empty() {
        match scalar(&rest) {
            Some(path) => service.env_files.push(path),
            None => service.open = true,
        }
    }
    for (head, more) in entries(body) {
        let item = head.text.strip_prefix("- ").map(str::trim_start);
        let line = item.map(|item| Line { text: item, at: head.at + head.text.len() - item.len(), ..*head });
        match line.filter(|_| more.is_empty()).and_then(|line| scalar(&line)) {
            Some(path) if !path.value.contains(": ") => service.env_files.push(path),
            _ => service.open = true,
        }
    }
}

/// A text, a list in brackets on one line, or a list in lines.
fn command(rest: Line<'_>, body: &[Line<'_>]) -> Option<Command> {
    if let Some(inner) = rest.text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        let mut at = rest.at + 1;
        let words = inner.split(',').map(|word| {
            let from = at + word.len() - word.trim_start().len();
            at += word.len() + 1;
            scalar(&Line { indent: 0, text: word.trim(), at: from })
        });
        return words.collect::<Option<Vec<_>>>().map(Command::Words);
    }
    if !rest.text.is_empty() {
        return scalar(&rest).filter(|_| body.is_empty()).map(Command::Text);
    }
    let items = entries(body).into_iter().map(|(head, _)| {
        let item = head.text.strip_prefix("- ")?.trim_start();
        scalar(&Line { text: item, at: head.at + head.text.len() - item.len(), ..*head })
    });
    items.collect::<Option<Vec<_>>>().filter(|words| !words.is_empty()).map(Command::Words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn services_as_people_write_them() {
        let text = "version: '3'\nx-env: &env\n  Z: 1\nservices:\n  db:\n    image: postgres\n    environment:\n      POSTGRES_USER: \"thena\" # who\n      EMPTY:\n  \
                    web:\n    build: .\n    env_file: .env\n    environment:\n    - A=b=c\n    - \"D=e # f\"\n    - G\n    command: uwsgi --ini /a.ini\n  \
                    jobs:\n    <<: *base\n    env_file:\n      - one.env\n      - ./two.env\n    command: [\"uwsgi\", \"--ini\", \"/b.ini\"]\nvolumes:\n  data:\n";
        let services = parse(text);
        assert_eq!(services.iter().map(|one| one.name.value.as_str()).collect::<Vec<_>>(), ["db", "web", "jobs"]);
        let pairs = |service: &Service| -> Vec<(String, Option<String>)> {
            let pairs = service.environment.iter();
            pairs.map(|(name, value)| (name.value.clone(), value.as_ref().map(|value| value.value.clone()))).collect()
        };
        let some = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(pairs(&services[0]), [some("POSTGRES_USER", "thena"), ("EMPTY".to_owned(), None)]);
        assert_eq!(pairs(&services[1]), [some("A", "b=c"), some("D", "e # f"), ("G".to_owned(), None)]);
        assert_eq!(services[1].env_files.len(), 1);
        assert!(matches!(&services[1].command, Some(Command::Text(text)) if text.value == "uwsgi --ini /a.ini"));
        assert!(
            matches!(&services[2].command, Some(Command::Words(words)) if words.len() == 3 && words[2].value == "/b.ini")
        );
        assert_eq!((services[1].open, services[2].open), (false, true));
        assert_eq!(
            services[2].env_files.iter().map(|path| path.value.as_str()).collect::<Vec<_>>(),
            ["one.env", "./two.env"]
        );
        let value = services[1].environment[0].1.as_ref().map(|value| value.span.of(text));
        assert_eq!(value, Some("b=c"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(services:\n|  [a-c]:\n|    environment:\n|      - [A-C]=|    env_file: |    command: |[\\[\\]'\"#:,= \\n*&-]|.){0,40}") {
            for service in parse(&text) {
                let mut spans = vec![service.name.span];
                spans.extend(service.env_files.iter().map(|path| path.span));
                for (name, value) in &service.environment {
                    spans.push(name.span);
                    spans.extend(value.as_ref().map(|value| value.span));
                }
                for span in spans {
                    prop_assert!(text.get(span.range()).is_some(), "{span:?} in {text:?}");
                }
            }
        }
    }
}
