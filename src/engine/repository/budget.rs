//! What one run takes in. Each file may be within the bound of its language and there may still be hundreds of them, so the
//! memory that all may need is estimated before any is read as what it is; what goes beyond it is left out and told.

use rayon::prelude::*;

use crate::finding::InputError;
use crate::host::repo::RepoFile;
use crate::stack::document::Kind;
use crate::stack::kind;

/// What the trees, facts and findings of a run may take, in bytes.
const RUN_BYTES: usize = 400 << 20;

/// What a mark of a template costs besides; a tag has two.
const TAG: usize = 60;

/// What a text of a language needs at its worst, in bytes of memory, as measured on texts that were made for it.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// For each byte.
    byte: usize,
    /// For each line, and each mark that ends a statement or a command.
    statement: usize,
    /// For each brace that opens a block, besides.
    block: usize,
}

/// The files that a run takes in: those that were named first, what is read only where something leads to it last, and else in
/// the order of their paths.
pub(super) struct Taken {
    pub(super) files: Vec<RepoFile>,
    /// The paths of the others.
    pub(super) left_out: Vec<String>,
}

impl Taken {
    /// The files that the memory of a run holds.
    pub(super) fn of(files: Vec<RepoFile>) -> Self {
        Self::within(files, RUN_BYTES)
    }

    fn within(files: Vec<RepoFile>, most: usize) -> Self {
        let costs: Vec<usize> = files.par_iter().map(|file| cost(&file.path, file.text.as_str())).collect();
        if costs.iter().sum::<usize>() <= most {
            return Self { files, left_out: Vec::new() };
        }
        let mut all: Vec<(RepoFile, usize)> = files.into_iter().zip(costs).collect();
        let order = |file: &RepoFile| (!file.named, is_read_on_demand(&file.path));
        all.sort_by(|(one, _), (other, _)| order(one).cmp(&order(other)).then_with(|| one.path.cmp(&other.path)));
        let mut left = most;
        let mut fits = |cost: usize| {
            let rest = left.checked_sub(cost);
            left = rest.unwrap_or(left);
            rest.is_some()
        };
        let (taken, beyond): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, cost)| fits(*cost));
        Self {
            files: taken.into_iter().map(|(file, _)| file).collect(),
            left_out: beyond.into_iter().map(|(file, _)| file.path).collect(),
        }
    }

    /// What is said where something was left out.
    pub(super) fn error(&self) -> Option<InputError> {
        let (first, others) = self.left_out.split_first()?;
        let others = match others.len() {
            0 => "it is",
            1 => "it and one more file are",
            _ => &format!("it and {} more files are", others.len()),
        };
        let message = format!("{others} not read: more than one run takes in; check the folders one by one");
        Some(InputError { path: first.clone(), message })
    }
}

/// Whether a file is parsed only where another leads to it.
fn is_read_on_demand(path: &str) -> bool {
    path.ends_with(".py") || path.ends_with(".json")
}

fn cost(path: &str, text: &str) -> usize {
    let cost = cost_of(path, text);
    // Each tag of a template is kept with its code.
    let tag = if kind::without_template_suffix(path) == path { 0 } else { TAG };
    let statements = count(text, |byte| matches!(byte, b'\n' | b';' | b'|' | b'%'));
    let blocks = count(text, |byte| byte == b'{');
    text.len() * cost.byte + statements * (cost.statement + tag) + blocks * cost.block
}

/// How many bytes are of a kind; as many at once are counted in one byte as fit, which is many times faster than one by one.
fn count(text: &str, is: impl Fn(u8) -> bool) -> usize {
    let in_chunk = |chunk: &[u8]| usize::from(chunk.iter().map(|byte| u8::from(is(*byte))).sum::<u8>());
    text.as_bytes().chunks(usize::from(u8::MAX)).map(in_chunk).sum()
}

fn cost_of(path: &str, text: &str) -> Cost {
    let cost = |byte, statement| Cost { byte, statement, block: 0 };
    match kind::of(kind::without_template_suffix(path), text) {
        Some(Kind::Upstart | Kind::Systemd | Kind::Dockerfile) => cost(200, 900),
        Some(Kind::Uwsgi) => cost(20, 2200),
        // A healthy server takes a fiftieth of one whose every block is at fault.
        Some(Kind::Nginx) => Cost { block: 2500, ..cost(5, 40) },
        Some(Kind::Supervisor | Kind::Procfile | Kind::Compose) => cost(20, 2000),
        Some(Kind::Postgresql | Kind::Pgbouncer) => cost(20, 200),
        Some(Kind::LoginShell | Kind::Variables) => cost(40, 700),
        // Only what an ini leads to is parsed, and so much of it (`stack/app/code.rs`).
        Some(Kind::Python) => cost(2, 0),
        Some(Kind::Requirements | Kind::Script) => cost(20, 200),
        None if kind::is_ruby(path) => cost(60, 250),
        None if path.ends_with(".erb") => cost(20, 100),
        None => cost(2, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Text;

    fn file(path: &str, text: &str, named: bool) -> RepoFile {
        RepoFile { path: path.to_owned(), text: Text::from(text), named, binary: false }
    }

    #[test]
    fn what_goes_beyond_is_left_out_and_told() {
        let ini = "[uwsgi]\nmaster = true\n";
        let files = || vec![file("b.ini", ini, false), file("a.ini", ini, false), file("c.ini", ini, true)];
        let one = cost("a.ini", ini);
        let taken = Taken::within(files(), 2 * one);
        let paths: Vec<&str> = taken.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!((paths, &taken.left_out[..]), (vec!["c.ini", "a.ini"], &["b.ini".to_owned()][..]));
        let error = taken.error();
        assert!(error.is_some_and(|error| error.path == "b.ini" && error.message.starts_with("it is not read")));
        assert!(Taken::within(files(), 3 * one).error().is_none());
        let none = Taken::within(files(), 0).error().map(|error| error.message);
        assert!(none.is_some_and(|message| message.starts_with("it and 2 more files are not read")));
    }

    /// Each a repository larger than real ones, and each made so that facts, not bytes, would fill the memory.
    #[test]
    fn real_repositories_fit_and_hostile_ones_do_not() {
        let job = "description \"shop\"\nstart on runlevel [2345]\nrespawn\nexec uwsgi --ini /etc/shop.ini\n";
        let server = "server {\n    listen 80;\n    server_name shop.example;\n    location / {\n        uwsgi_pass shop;\n    }\n}\n";
        let recipe = "template '/etc/shop.ini' do\n  owner 'root'\n  notifies :restart, 'service[shop]'\nend\n";
        let of = |path: &str, text: &str, times: usize| cost(path, &text.repeat(times));
        let fits = [
            500 * of("etc/init/a.conf", job, 2),
            1000 * of("etc/nginx/a.conf", server, 50),
            1000 * of("cookbooks/a/recipes/a.rb", recipe, 30),
            2000 * of("a.ini", "[uwsgi]\nmaster = true\n", 10),
            2000 * of("shop/models.py", "class Order(Model):\n    total = DecimalField()\n", 500),
            200 * of("tests/scan.json", "{\"id\": 1, \"title\": \"x\"}\n", 10_000),
        ];
        assert!(fits.iter().all(|cost| *cost <= RUN_BYTES), "{fits:?}");
        let hostile = [
            ("etc/init/a.conf", "x\n", 1 << 20),
            ("a.ini", "[uwsgi]\na\n", 1 << 18),
            ("etc/nginx/a.conf", "location /a {alias /b;}\n", 1 << 19),
            ("cookbooks/a/recipes/a.rb", "a\n", 4 << 20),
            ("cookbooks/a/templates/default/a.erb", "<%= a %>", 1 << 20),
        ];
        for (path, text, times) in hostile {
            assert!(of(path, text, times) > RUN_BYTES, "{path}");
        }
    }
}
