//! pydantic's settings classes: each field of a `BaseSettings` is a variable, read when the class is called.

use crate::source::{Located, Span};
use crate::syntax::python::environment::{EnvRead, Reader, Unset};
use crate::syntax::python::expression::{Argument, Expr, Node, argument};

/// A settings class while its body is read.
#[derive(Debug, Clone, Default)]
pub struct SettingsClass {
    prefix: String,
    from_file: bool,
    /// Whether that file is `.env`.
    from_dotenv: bool,
    fields: Vec<Field>,
}

#[derive(Debug, Clone)]
struct Field {
    name: Located<String>,
    alias: Option<String>,
    unset: Unset,
    default: Option<Located<String>>,
}

/// Whether a base class makes a class one of these.
pub fn is_base(path: &str) -> bool {
    matches!(path, "pydantic.BaseSettings" | "pydantic_settings.BaseSettings" | "pydantic.v1.BaseSettings")
}

impl SettingsClass {
    /// Takes in `name: type = value`, or `model_config = SettingsConfigDict(…)`, or an option of `class Config`.
    pub fn take(&mut self, name: &Located<String>, annotated: bool, value: Option<&Expr>) {
        if matches!(name.value.as_str(), "model_config" | "env_prefix" | "env_file") {
            return self.configure(&name.value, value);
        }
        if !annotated || name.value.starts_with('_') {
            return;
        }
        let call =
            value.and_then(Expr::call).filter(|(callee, _)| callee.path().is_some_and(|path| path.ends_with("Field")));
        let (default, alias) = match call {
            Some((_, arguments)) => {
                let default =
                    argument(arguments, 0, &["default"]).or(argument(arguments, usize::MAX, &["default_factory"]));
                (default, alias(arguments))
            }
            None => (value, None),
        };
        // `...` is pydantic's word for "required".
        let default = default.filter(|value| !matches!(&*value.node, Node::Other(parts) if parts.is_empty()));
        let unset = match default {
            None => Unset::Raises,
            Some(value) if value.is_none() => Unset::None,
            Some(_) => Unset::Default,
        };
        let literal = default.and_then(|value| Some(Located::new(value.text()?.to_owned(), value.span)));
        self.fields.push(Field { name: name.clone(), alias, unset, default: literal });
    }

    fn configure(&mut self, name: &str, value: Option<&Expr>) {
        let Some(value) = value else { return };
        match name {
            "env_prefix" => self.prefix = value.text().unwrap_or_default().to_owned(),
            "env_file" => {
                self.from_file = !value.is_none();
                self.from_dotenv = value.text() == Some(".env");
            }
            _ => {
                let arguments = value.call().map_or(&[][..], |(_, arguments)| arguments);
                for one in arguments {
                    if let Some(keyword) = &one.keyword {
                        self.configure(keyword, Some(&one.value));
                    }
                }
            }
        }
    }

    /// The reads that making one does: each field with its own place. What the call itself gives is not read.
    pub fn reads(&self, arguments: &[Argument]) -> Vec<(Span, EnvRead)> {
        let is_given = |field: &Field| arguments.iter().any(|one| one.keyword.as_ref() == Some(&field.name.value));
        let from_file = self.from_file || arguments.iter().any(|one| one.keyword.as_deref() == Some("_env_file"));
        let read = |field: &Field| {
            let name = match &field.alias {
                Some(alias) => alias.clone(),
                // Names are compared without regard to case; people write them in capitals.
                None => format!("{}{}", self.prefix, field.name.value).to_uppercase(),
            };
            let read = EnvRead {
                name: Located::new(name, field.name.span),
                reader: match from_file {
                    true if self.from_dotenv => Reader::Pydantic,
                    true => Reader::WithFile,
                    false => Reader::Process,
                },
                unset: field.unset.clone(),
                used_as: Some(field.name.value.clone()),
                becomes_text: false,
                replaces_empty: false,
                default: field.default.clone(),
            };
            (field.name.span, read)
        };
        self.fields.iter().filter(|field| !is_given(field)).map(read).collect()
    }
}

/// `env=`, `alias=` or `validation_alias=` of a field.
fn alias(arguments: &[Argument]) -> Option<String> {
    let named = ["env", "validation_alias", "alias"];
    named.iter().find_map(|name| {
        let value = &arguments.iter().find(|one| one.keyword.as_deref() == Some(name))?.value;
        match &*value.node {
            Node::Text(text) => Some(text.clone()),
            Node::Sequence(all) => Some(all.first()?.text()?.to_owned()),
            Node::Call(_, choices) => Some(choices.first()?.value.text()?.to_owned()),
            _ => None,
        }
    })
}
