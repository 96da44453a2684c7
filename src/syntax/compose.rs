//! Reader for what a compose file says of its services' environments and commands: it knows the block style that these
//! files are written in, and says where a service holds something else.

mod anchors;

use anchors::Anchors;

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
    /// `command`, which takes the place of the image's.
    pub command: Option<Command>,
    /// `entrypoint`, likewise: without a command of its own the service then runs nothing else.
    pub entrypoint: Option<Command>,
    /// How its image is built, where it is built here.
    pub build: Option<Build>,
    /// `working_dir`.
    pub folder: Option<Located<String>>,
    /// `user`.
    pub user: Option<Located<String>>,
    /// `stop_signal`.
    pub stop_signal: Option<Located<String>>,
    /// What is mounted from the folder of the file: each path here with the one in the container.
    pub mounts: Vec<(String, String)>,
    /// Whether aliases, merges, `extends` or another style may give it more.
    pub open: bool,
    /// Whether a merge or `extends` may give it another command or image.
    pub extends: bool,
}

/// What a service runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A text that is split as a shell would; over several lines a newline is a blank.
    Text(Located<String>),
    /// The words themselves.
    Words(Vec<Located<String>>),
    /// Something that this reader does not resolve.
    Hidden,
}

/// How an image is built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Build {
    /// `context`: the folder that is built, seen from the file's.
    pub context: String,
    /// `dockerfile`, seen from the context.
    pub dockerfile: Option<String>,
    /// `target`: the stage.
    pub target: Option<String>,
    /// The names in `args`.
    pub arguments: Vec<String>,
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
    let mut anchors = Anchors::of(&lines);
    let mut all = Vec::new();
    for (head, body) in entries(inside) {
        if let Some((name, rest)) = key(head) {
            all.push(service(text, name, rest, body, &mut anchors));
        }
    }
    all
}

fn service<'t>(
    text: &str,
    name: Located<String>,
    rest: Line<'_>,
    body: &[Line<'t>],
    anchors: &mut Anchors<'_, 't>,
) -> Service {
    let mut service = Service {
        name,
        image: None,
        environment: Vec::new(),
        env_files: Vec::new(),
        command: None,
        entrypoint: None,
        build: None,
        folder: None,
        user: None,
        stop_signal: None,
        mounts: Vec::new(),
        open: !rest.text.is_empty(),
        extends: !rest.text.is_empty(),
    };
    for (head, body) in entries(body) {
        let Some((key, rest)) = key(head) else {
            (service.open, service.extends) = (true, true);
            continue;
        };
        match key.value.as_str() {
            "environment" => {
                let (all, open) = environment(rest, body, anchors, MOST_MERGED);
                service.environment = all;
                service.open |= open;
            }
            "env_file" => env_files(&mut service, rest, body),
            "image" => service.image = scalar(&rest),
            "command" => service.command = command(text, rest, body),
            "entrypoint" => service.entrypoint = command(text, rest, body),
            "build" => service.build = Some(build(rest, body)),
            "working_dir" => service.folder = scalar(&rest),
            "user" => service.user = scalar(&rest),
            "stop_signal" => service.stop_signal = scalar(&rest),
            "volumes" => service.mounts = mounts(body),
            "<<" | "extends" => (service.open, service.extends) = (true, true),
            _ => {}
        }
    }
    service
}

/// `build: folder`, or a block that names more than the folder.
fn build(rest: Line<'_>, body: &[Line<'_>]) -> Build {
    let mut build =
        Build { context: scalar(&rest).map_or_else(|| ".".to_owned(), |folder| folder.value), ..Build::default() };
    for (head, body) in entries(body) {
        let Some((key, rest)) = key(head) else { continue };
        let value = || scalar(&rest).map(|text| text.value);
        match key.value.as_str() {
            "context" => build.context = value().unwrap_or(build.context),
            "dockerfile" => build.dockerfile = value(),
            "target" => build.target = value(),
            "args" => build.arguments = entries(body).iter().filter_map(|(head, _)| argument(head)).collect(),
            _ => {}
        }
    }
    build
}

/// The name of `NAME: value`, or of `- NAME=value`.
fn argument(head: &Line<'_>) -> Option<String> {
    match head.text.strip_prefix("- ") {
        Some(item) => item.trim_matches(['"', '\'', ' ']).split('=').next().map(str::to_owned),
        None => key(head).map(|(name, _)| name.value),
    }
}

/// What is mounted from a path that begins with a dot: `./src:/app/src`.
fn mounts(body: &[Line<'_>]) -> Vec<(String, String)> {
    let mount = |head: &Line<'_>| {
        let item = head.text.strip_prefix("- ")?.trim_start();
        let whole = scalar(&Line { text: item, at: head.at + head.text.len() - item.len(), ..*head })?.value;
        let mut parts = whole.split(':');
        let (here, there) = (parts.next()?, parts.next()?);
        (here.starts_with('.') && there.starts_with('/')).then(|| (here.to_owned(), there.to_owned()))
    };
    entries(body).into_iter().filter_map(|(head, _)| mount(head)).collect()
}

/// Blocks that are merged into blocks that are merged: real files go no further.
const MOST_MERGED: usize = 4;

/// A variable with its value.
type Pair = (Located<String>, Option<Located<String>>);

/// The variables of `environment`, those that are merged in before its own, and whether there may be others.
fn environment<'t>(
    rest: Line<'_>,
    body: &[Line<'t>],
    anchors: &mut Anchors<'_, 't>,
    depth: usize,
) -> (Vec<Pair>, bool) {
    let mut open = false;
    let body = match rest.text {
        text if text.starts_with('*') => anchors.named(text).unwrap_or_else(|| {
            open = true;
            &[]
        }),
        text => {
            open = !text.is_empty() && !text.starts_with('&');
            body
        }
    };
    let mut all = Vec::new();
    let mut merged = Vec::new();
    for (head, more) in entries(body).into_iter().filter(|(head, _)| !head.text.starts_with('&')) {
        let pair = match head.text.strip_prefix("- ") {
            Some(item) => {
                let item = item.trim_start();
                let line = Line { text: item, at: head.at + head.text.len() - item.len(), ..*head };
                scalar(&line).map(|whole| assignment(&line, whole))
            }
            None => key(head).and_then(|(name, rest)| match rest.text {
                alias if name.value == "<<" => {
                    if depth > 0 && alias.starts_with('*') {
                        let (more, others) = environment(rest, &[], anchors, depth - 1);
                        merged.extend(more);
                        open |= others;
                    } else {
                        open = true;
                    }
                    None
                }
                "" | "~" | "null" => Some((name, None)),
                _ => scalar(&rest).map(|value| (name, Some(value))),
            }),
        };
        match pair.filter(|_| more.is_empty()) {
            Some(pair) => all.push(pair),
            None => open |= !head.text.starts_with("<<"),
        }
    }
    merged.extend(all);
    (merged, open)
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

/// A text, a list in brackets on one line, or a list or a text in lines; `None` where nothing is said.
fn command(text: &str, rest: Line<'_>, body: &[Line<'_>]) -> Option<Command> {
    if let Some(inner) = rest.text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        if inner.trim().is_empty() {
            return Some(Command::Words(Vec::new()));
        }
        let mut at = rest.at + 1;
        let words = inner.split(',').map(|word| {
            let from = at + word.len() - word.trim_start().len();
            at += word.len() + 1;
            scalar(&Line { indent: 0, text: word.trim(), at: from })
        });
        return Some(words.collect::<Option<Vec<_>>>().map_or(Command::Hidden, Command::Words));
    }
    if rest.text.starts_with(['>', '|'])
        && let (Some(first), Some(last)) = (body.first(), body.last())
    {
        let span = Span::new(first.at, last.at + last.text.len());
        return Some(Command::Text(Located::new(span.of(text).to_owned(), span)));
    }
    if !rest.text.is_empty() {
        return match rest.text {
            "~" | "null" => None,
            _ => Some(scalar(&rest).filter(|_| body.is_empty()).map_or(Command::Hidden, Command::Text)),
        };
    }
    let items = entries(body).into_iter().map(|(head, _)| {
        let item = head.text.strip_prefix("- ")?.trim_start();
        scalar(&Line { text: item, at: head.at + head.text.len() - item.len(), ..*head })
    });
    match items.collect::<Option<Vec<_>>>() {
        Some(words) if words.is_empty() => None,
        Some(words) => Some(Command::Words(words)),
        None => Some(Command::Hidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn variables_may_stand_elsewhere() {
        let text = "x-env:\n  &env\n  A: 1\n  B: 2\nx-more: &more\n  <<: *env\n  C: 3\nservices:\n  a:\n    environment:\n      << : *more\n      B: 4\n  \
                    b:\n    environment: *env\n  c:\n    environment: &own\n      D: 5\n  d:\n    environment: *none\n  e:\n    environment: {A: 1}\n";
        let names = |service: &Service| {
            let pair =
                |(name, value): &Pair| format!("{}={}", name.value, value.as_ref().map_or("", |value| &value.value));
            (service.environment.iter().map(pair).collect::<Vec<_>>().join(" "), service.open)
        };
        let all: Vec<_> = parse(text).iter().map(names).collect();
        let expected = [("A=1 B=2 C=3 B=4", false), ("A=1 B=2", false), ("D=5", false), ("", true), ("", true)];
        assert_eq!(all, expected.map(|(pairs, open)| (pairs.to_owned(), open)));
        let circle = "x-a: &a\n  <<: *a\n  A: 1\nservices:\n  a:\n    environment: *a\n";
        assert!(parse(circle)[0].open);
        let many =
            format!("x-a: &a\n{}services:\n{}", "  A: 1\n".repeat(300), "  s:\n    environment: *a\n".repeat(300));
        assert!(parse(&many).iter().map(|service| service.environment.len()).sum::<usize>() < 20_000);
    }

    #[test]
    fn how_an_image_is_built_and_started() {
        let text = "services:\n  a:\n    build: ./app\n    command: >\n      sh -c 'sleep 1 &&\n      uwsgi a.ini'\n    working_dir: /srv\n  \
                    b:\n    build:\n      context: .\n      dockerfile: deploy/Dockerfile\n      target: web\n      args:\n        - A=1\n    entrypoint: []\n    \
                    command: *run\n    volumes:\n      - ./src:/app/src:ro\n      - data:/data\n  c:\n    extends: b\n    build:\n      args:\n        B: 2\n";
        let services = parse(text);
        let build = |at: usize| services[at].build.clone().unwrap_or_default();
        assert_eq!(build(0).context, "./app");
        assert!(matches!(&services[0].command, Some(Command::Text(text)) if text.value.ends_with("uwsgi a.ini'")));
        assert_eq!(services[0].folder.as_ref().map(|folder| folder.value.as_str()), Some("/srv"));
        let whole = Build {
            context: ".".to_owned(),
            dockerfile: Some("deploy/Dockerfile".to_owned()),
            target: Some("web".to_owned()),
            arguments: vec!["A".to_owned()],
        };
        assert_eq!((build(1), build(2).arguments), (whole, vec!["B".to_owned()]));
        assert_eq!(services[1].entrypoint, Some(Command::Words(Vec::new())));
        assert_eq!(services[1].command, Some(Command::Hidden));
        assert_eq!(services[1].mounts, [("./src".to_owned(), "/app/src".to_owned())]);
        assert!(services[2].extends && !services[1].extends);
    }

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
