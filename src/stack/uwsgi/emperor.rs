//! What an instance watches over as an emperor (uWSGI: `core/emperor.c`).

use super::settings::Settings;
use crate::stack::fact::Answer;

/// The folders and patterns whose inis an instance starts as its vassals.
#[derive(Debug, Clone, Default)]
pub struct Realm {
    /// Each as an absolute path without a slash at its end; what is fetched from elsewhere than files is not among them.
    pub watched: Vec<String>,
    /// Whether each vassal runs as the owner of its file.
    pub tyrant: bool,
}

impl Realm {
    pub(super) fn of(settings: &Settings) -> Self {
        let of = |name: &'static str| settings.all.iter().filter(move |setting| setting.is(&[name]));
        let watched = of("emperor").filter_map(|setting| match &setting.value {
            Answer::Known(value) => {
                Some(value.strip_prefix("dir://").unwrap_or(value).trim_end_matches('/').to_owned())
            }
            _ => None,
        });
        Self {
            watched: watched.filter(|path| path.starts_with('/')).collect(),
            tyrant: of("emperor-tyrant").next().is_some(),
        }
    }
}
