//! Python as people write it, versions 2 and 3: what it reads from its environment, and when.
#![allow(clippy::print_stdout)] // A test that finds nothing to read beside this folder says so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use housecall::syntax::python::{EnvRead, Event, Module, Scope, What, When, parse};
use proptest::prelude::*;

fn module(text: &str) -> Module {
    parse(text).tree
}

/// `NAME:unset` of every read, in order.
fn reads(text: &str) -> Vec<String> {
    module(text).reads().map(|(_, read)| format!("{}:{:?}", read.name.value, read.unset)).collect()
}

/// What every read is used for.
fn uses(text: &str) -> Vec<String> {
    module(text).reads().map(|(_, read)| read.used_as.clone().unwrap_or_default()).collect()
}

fn only(text: &str) -> (Event, EnvRead) {
    let module = module(text);
    let found: Vec<_> = module.reads().map(|(event, read)| (event.clone(), read.clone())).collect();
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found[0].clone()
}

#[test]
fn the_process_environment_by_all_its_names() {
    assert_eq!(reads("import os\nX = os.environ['K']\n"), ["K:Raises"]);
    assert_eq!(reads("import os as o\nX = o.environ.get('K')\n"), ["K:None"]);
    assert_eq!(reads("import os\nX = os.getenv('K', 'd')\n"), ["K:Default"]);
    assert_eq!(reads("import os\nX = os.getenv('K', None)\n"), ["K:None"]);
    assert_eq!(
        reads("from os import environ, getenv as g\nA = environ['A']\nB = g('B')\nC = environ.get('C', default='')\n"),
        ["A:Raises", "B:None", "C:Default"]
    );
    assert_eq!(reads("from os import environ as env\nA = env['A']\n"), ["A:Raises"]);
    assert_eq!(reads("import os\nA = os.environb[b'A']\n"), ["A:Raises"]);
    assert_eq!(
        reads("import os\nget = os.environ.get\nA = get('A', 1)\ne = os.environ\nB = e['B']\n"),
        ["A:Default", "B:Raises"]
    );
    assert_eq!(reads("import os\nos.environ.pop('A')\nos.environ.pop('B', None)\n"), ["A:Raises", "B:Default"]);
    assert_eq!(reads("from settings import *\nX = environ['K']\n"), ["K:Raises"]);
}

#[test]
fn what_only_looks_like_the_environment() {
    assert_eq!(reads("def app(environ, start_response):\n    return environ['PATH_INFO']\n"), [""; 0]);
    assert_eq!(
        reads("from os import environ\ndef app(environ, start):\n    return environ.get('PATH_INFO')\n"),
        [""; 0]
    );
    assert_eq!(reads("config = {}\nX = config['K']\nY = config.get('K')\n"), [""; 0]);
    assert_eq!(reads("import os\n# os.environ['K']\nX = \"os.environ['K']\"\n"), [""; 0]);
    assert_eq!(reads("import os\nX = os.environ['A' + b]\nY = os.environ[f'{p}_URL']\n"), [""; 0]);
}

#[test]
fn a_default_by_other_means() {
    assert_eq!(reads("import os\nX = os.environ.get('K') or 'lit'\n"), ["K:Default"]);
    assert_eq!(reads("import os\nX = os.environ.get('A') or os.environ.get('B')\n"), ["A:Default", "B:None"]);
    assert_eq!(reads("import os\nX = os.environ.get('K') or None\n"), ["K:None"]);
    assert_eq!(reads("import os\nX = os.environ['K'] if 'K' in os.environ else 'd'\n").len(), 2);
    assert_eq!(reads("import os\nif 'K' in os.environ:\n    X = os.environ['K']\n"), ["K:Tested", "K:Tested"]);
    assert_eq!(reads("import os\ntry:\n    X = os.environ['K']\nexcept KeyError:\n    X = 'd'\n"), ["K:Default"]);
    assert_eq!(
        reads("import os\ntry:\n    X = os.environ['K']\nexcept KeyError:\n    raise SystemExit('no K')\n"),
        ["K:Raises"]
    );
    assert_eq!(reads("import os\ntry:\n    X = os.environ['K']\nexcept ValueError:\n    pass\n"), ["K:Raises"]);
    assert_eq!(reads("import os\nX = os.environ.get('K')\nif not X:\n    X = 'd'\n"), ["K:Tested"]);
    assert_eq!(reads("import os\nX = os.environ.get('K')\nif X is None:\n    raise RuntimeError('K')\n"), ["K:Raises"]);
    assert_eq!(reads("import os\nif not os.environ.get('K'):\n    raise RuntimeError('K')\n"), ["K:Raises"]);
    assert_eq!(reads("import os\nif 'K' not in os.environ:\n    raise RuntimeError('K')\n"), ["K:Raises"]);
    assert_eq!(reads("import os\nDEBUG = os.environ.get('K') == '1'\n"), ["K:Tested"]);
}

#[test]
fn none_fails_where_it_is_used_as_text() {
    assert_eq!(reads("import os\nP = int(os.environ.get('P'))\n"), ["P:Raises"]);
    assert_eq!(reads("import os\nH = os.getenv('H').split(',')\n"), ["H:Raises"]);
    assert_eq!(reads("import os\nU = 'postgres://' + os.getenv('H')\n"), ["H:Raises"]);
    assert_eq!(reads("import os\nU = 'postgres://%s' % os.getenv('H')\n"), ["H:None"]);
    assert_eq!(reads("import os\nP = int(os.environ.get('P', 1))\n"), ["P:Default"]);
}

#[test]
fn libraries() {
    let django = "import environ\nenv = environ.Env(DEBUG=(bool, False), NAME=str)\n";
    assert_eq!(
        reads(&format!(
            "{django}A = env('DEBUG')\nB = env('NAME')\nC = env.str('C', default='x')\nD = {{'default': env.db()}}\nE = env.cache()\nF = env.bool('F', False)\nG = env.int('G')\nenviron.Env.read_env('.env')\n"
        )),
        [
            "DEBUG:Default",
            "NAME:Raises",
            "C:Default",
            "DATABASE_URL:Raises",
            "CACHE_URL:Raises",
            "F:Default",
            "G:Raises"
        ]
    );
    assert_eq!(
        reads("from environs import Env\nenv = Env()\nenv.read_env()\nA = env.str('A')\nB = env.dj_db_url('B')\n"),
        ["A:Raises", "B:Raises"]
    );
    assert_eq!(reads("from .base import env\nA = env('A')\n"), ["A:Raises"]);
    assert_eq!(
        reads(
            "from decouple import config\nA = config('A')\nB = config('B', default=1, cast=int)\nC = config('C', default=None)\n"
        ),
        ["A:Raises", "B:Default", "C:None"]
    );
    assert_eq!(
        reads("from decouple import Config, RepositoryEnv\nc = Config(RepositoryEnv('.env'))\nA = c('A')\n"),
        ["A:Raises"]
    );
    assert_eq!(
        reads(
            "import dj_database_url\nA = dj_database_url.config()\nB = dj_database_url.config(env='B', default='sqlite://')\n"
        ),
        ["DATABASE_URL:None", "B:Default"]
    );
    assert_eq!(
        reads("app.config.from_envvar('SETTINGS')\napp.config.from_envvar('S2', silent=True)\n"),
        ["SETTINGS:Raises", "S2:Tested"]
    );
}

#[test]
fn a_function_around_the_read() {
    let two_scoops = "import os\ndef need(name):\n    try:\n        return os.environ[name]\n    except KeyError:\n        raise ImproperlyConfigured(name)\nX = need('SECRET_KEY')\n";
    assert_eq!(reads(two_scoops), ["SECRET_KEY:Raises"]);
    let with_default = "import os\ndef env(name, default=None):\n    return os.environ.get(name, default)\nA = env('A')\nB = env('B', 'x')\n";
    assert_eq!(reads(with_default), ["A:None", "B:Default"]);
}

#[test]
fn scope_and_use() {
    let (event, read) =
        only("import os\nclass Production(Base):\n    SQLALCHEMY_DATABASE_URI = os.environ.get('DATABASE_URL')\n");
    assert_eq!(event.scope, Scope::Class("Production".into()));
    assert_eq!(read.used_as.as_deref(), Some("SQLALCHEMY_DATABASE_URI"));
    let (event, _) = only("import os\ndef create_app():\n    def index():\n        return os.environ['K']\n");
    assert_eq!(event.scope, Scope::Function("create_app.index".into()));
    let (event, _) = only("import os\nif __name__ == '__main__':\n    os.environ['K'].lower()\n");
    assert_eq!(event.when, When::Never);
    let (event, _) = only("import os\nif DEBUG:\n    X = os.environ['K']\n");
    assert_eq!(event.when, When::Sometimes);
    let (event, _) = only("import os\ndef f(x=os.environ['K']):\n    pass\n");
    assert_eq!(event.scope, Scope::Module);
    assert_eq!(uses("import os\napp.config['SECRET_KEY'] = os.environ['K']\n"), ["SECRET_KEY"]);
    assert_eq!(uses("import os\napp.config.update(SECRET_KEY=os.environ['K'])\n"), ["SECRET_KEY"]);
    assert_eq!(uses("import os\ncreate_engine(os.environ['K'])\n"), ["create_engine"]);
    assert_eq!(
        uses("import os\nDATABASES = {'default': {'HOST': os.environ['K']}}\n"),
        ["DATABASES['default']['HOST']"]
    );
}

#[test]
fn variables_the_app_sets_itself() {
    let text = "import os\nos.environ['A'] = '1'\nos.environ.setdefault('B', 'x.settings')\nos.environ.update({'C': '1'})\nos.environ.update(D='1')\n";
    let module = module(text);
    let provided: Vec<_> = module
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Provide { name, .. } => Some((name.value.as_str(), name.span.of(text))),
            _ => None,
        })
        .collect();
    assert_eq!(provided, [("A", "'A'"), ("B", "'B'"), ("C", "'C'"), ("D", "'1'")]);
    assert_eq!(module.reads().count(), 0);
}

#[test]
fn python_2() {
    let text = "import os\nprint 'starting', os.environ['A']\nprint >>sys.stderr, os.getenv('B')\ntry:\n    X = os.environ['C']\nexcept KeyError, e:\n    X = ur'x'\nexec 'y = 1'\nmode = 0777\nif os.environ.has_key('D'): pass\nz = `mode`\n";
    assert_eq!(reads(text), ["A:Raises", "B:None", "C:Default", "D:Tested"]);
}

#[test]
fn imports() {
    let parsed = module("import a.b as c, d\nfrom ..x.y import (p, q as r)\nfrom . import z\nfrom m import *\n");
    let all: Vec<_> = parsed.imports(&Scope::Module).map(|(_, import)| import.clone()).collect();
    assert_eq!(all[0].module, "a.b");
    assert_eq!(all[0].alias.as_deref(), Some("c"));
    assert_eq!(all[1].module, "d");
    assert_eq!((all[2].level, all[2].module.as_str()), (2, "x.y"));
    assert_eq!(all[2].names.as_deref(), Some(&[("p".into(), "p".into()), ("q".into(), "r".into())][..]));
    assert_eq!((all[3].level, all[3].module.as_str()), (1, ""));
    assert_eq!(all[4].names.as_deref(), Some(&[("*".into(), "*".into())][..]));
}

#[test]
fn a_typo_costs_one_statement() {
    let parsed = module("import os\nX = os.environ['A'\nY = )(\n\nclass C:\n    Z = os.environ['B']\n");
    assert!(!parsed.complete);
    assert!(parsed.reads().any(|(_, read)| read.name.value == "B"), "{parsed:?}");
    assert!(module("x = 1\n").complete);
}

#[test]
fn depth_is_capped() {
    for (open, close) in [("(", ")"), ("f(", ")"), ("[", "]"), ("{1:", "}"), ("lambda: ", ""), ("not ", ""), ("-", "")]
    {
        let deep = format!("import os\nA = os.environ['A']\nx = {}1{}\n", open.repeat(20_000), close.repeat(20_000));
        let _ = module(&deep);
    }
    let mut blocks = String::new();
    for depth in 0..1_000 {
        blocks.push_str(&" ".repeat(depth));
        blocks.push_str("if x:\n");
    }
    let _ = module(&blocks);
    let _ = module(&format!("x = a{}\n", ".b".repeat(50_000)));
    let _ = module(&format!("x = 'a'{}\n", " + 'b'".repeat(20_000)));
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut sources = housecall::source::Sources::default();
        let id = sources.add("x.py", bytes, housecall::source::Origin::File);
        spans_fit(sources.text(id));
    }

    #[test]
    fn any_python(parts in proptest::collection::vec(prop_oneof![
        Just("os.environ"), Just("['K']"), Just("import os\n"), Just("from . import x\n"), Just("def f(a=1):\n"), Just("    "), Just("\n"),
        Just("class C(B):\n"), Just("("), Just(")"), Just("env('K')"), Just(" = "), Just("if x:\n"), Just("try:\n"), Just("except:\n"),
        Just("'"), Just("\"\"\""), Just("f'{x}'"), Just("\\"), Just("lambda: "), Just(" or "), Just(" in "), Just("\u{1F}"), Just("\u{e9}"), Just("return "),
    ], 0..60)) {
        spans_fit(&parts.concat());
    }
}

fn spans_fit(text: &str) {
    for event in module(text).events {
        assert!(text.get(event.span.range()).is_some());
        if let What::Read(read) = event.what {
            assert!(text.get(read.name.span.range()).is_some());
        }
    }
}

/// The Python of the example stacks, where somebody has put it beside their configs.
fn python_of(stack: &str) -> Option<PathBuf> {
    let beside = std::env::var_os("HOUSECALL_STACKS_PYTHON").map(PathBuf::from);
    let root = beside.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/stacks"));
    Some(root.join(stack)).filter(|folder| folder.is_dir())
}

fn python_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            python_files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            out.push(path);
        }
    }
}

/// Whether a name is a key of the dictionary that WSGI gives to each request, which a text search takes for the environment.
fn is_of_a_request(name: &str) -> bool {
    name.starts_with("HTTP_") || matches!(name, "PATH_INFO" | "REMOTE_ADDR")
}

/// Beside the index of the example stacks, which lists the variables that a plain text search finds in their Python.
#[test]
fn variables_of_real_stacks() {
    let stacks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/stacks");
    let Ok(index) = std::fs::read_to_string(stacks.join("index.tsv")) else {
        return println!("skipped: no stacks beside this folder");
    };
    let (mut files, mut same, mut listed) = (0, 0, 0);
    let mut missed = Vec::new();
    for stack in index.lines().skip(1).filter_map(|line| line.split('\t').next()) {
        let Some(folder) = python_of(stack) else { continue };
        let mut paths = Vec::new();
        python_files(&folder, &mut paths);
        let mut ours = BTreeSet::new();
        for path in &paths {
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
            let name = path.strip_prefix(&folder).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
            ours.extend(module(&text).reads().map(|(_, read)| (name.clone(), read.name.value.clone())));
        }
        files += paths.len();
        let table = std::fs::read_to_string(stacks.join(stack).join("env_reads.tsv")).unwrap_or_default();
        let theirs: BTreeSet<_> = table
            .lines()
            .skip(1)
            .filter_map(|line| {
                let columns: Vec<_> = line.split('\t').collect();
                Some(((*columns.get(2)?).to_owned(), (*columns.first()?).to_owned()))
            })
            .filter(|(file, name)| folder.join(file).is_file() && !is_of_a_request(name))
            .collect();
        listed += theirs.len();
        same += theirs.intersection(&ours).count();
        missed.extend(theirs.difference(&ours).map(|(file, name)| format!("{stack} {file} {name}")));
        for (file, name) in ours.difference(&theirs) {
            println!("beyond the index: {stack} {file} {name}");
        }
    }
    println!("{files} Python files: {same} of {listed} listed variables found\n{}", missed.join("\n"));
    if listed == 0 {
        return println!("skipped: the stacks have no Python here");
    }
    assert!(same * 100 >= listed * 95, "too many missed:\n{}", missed.join("\n"));
}

#[test]
fn fields_of_pydantic_settings_are_read_when_the_class_is_called() {
    let text = "from pydantic import Field\nfrom pydantic_settings import BaseSettings, SettingsConfigDict\n\n\
                class Base(BaseSettings):\n    debug: bool = False\n\n\
                class Settings(Base):\n    model_config = SettingsConfigDict(env_prefix='SHOP_', env_file='.env')\n    \
                url: str\n    dsn: str | None = None\n    key: str = Field(..., validation_alias='SECRET_KEY')\n    LIMIT = 3\n\n";
    assert_eq!(reads(text), [""; 0]);
    let expected = ["SHOP_DEBUG:Default", "SHOP_URL:Raises", "SHOP_DSN:None", "SECRET_KEY:Raises"];
    assert_eq!(reads(&format!("{text}settings = Settings()\n")), expected);
    assert_eq!(reads(&format!("{text}settings = Settings(url='x', key='y')\n")), [expected[0], expected[2]]);
    let old = "from pydantic import BaseSettings\nclass S(BaseSettings):\n    url: str\n    class Config:\n        env_prefix = 'A_'\nS()\n";
    assert_eq!(reads(old), ["A_URL:Raises"]);
}

#[test]
fn a_value_that_is_put_into_a_text_is_told_apart() {
    let put = |line: &str| only(&format!("import os\n{line}\n")).1.becomes_text;
    for line in [
        "X = f\"a{os.getenv('K')}\"",
        "X = 'a%s' % os.getenv('K')",
        "X = 'a%s%s' % (b, os.getenv('K'))",
        "X = 'a{}'.format(os.getenv('K'))",
        "X = str(os.getenv('K'))",
    ] {
        assert!(put(line), "{line}");
    }
    for line in ["X = os.getenv('K')", "X = g(os.getenv('K'))", "X = n % (os.getenv('K'), 1)"] {
        assert!(!put(line), "{line}");
    }
}
