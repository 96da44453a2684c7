//! The languages of files that start services: by where a file lands, and by what it says.

/// An init system or a supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Upstart: `/etc/init/NAME.conf`.
    Upstart,
    /// systemd: `NAME.service`.
    Systemd,
    /// A script of System V's init: `/etc/init.d/NAME`.
    Script,
    /// supervisor: `[program:NAME]`.
    Supervisor,
}

impl Dialect {
    /// The one that reads the file at `path`.
    pub fn of_place(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/')?;
        match folder {
            "/etc/init" if name.ends_with(".conf") => Some(Self::Upstart),
            "/etc/init.d" => Some(Self::Script),
            "/etc/systemd/system" | "/lib/systemd/system" | "/usr/lib/systemd/system" if name.ends_with(".service") => {
                Some(Self::Systemd)
            }
            "/etc/supervisor/conf.d" | "/etc/supervisor.d" | "/etc/supervisord.d" => Some(Self::Supervisor),
            _ => None,
        }
    }

    /// Its name in facts and texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upstart => "Upstart",
            Self::Systemd => "systemd",
            Self::Script => "an init script",
            Self::Supervisor => "supervisor",
        }
    }
}

/// The one whose language a text is in; `None` where nothing tells.
pub fn written(text: &str) -> Option<Dialect> {
    if text.starts_with("#!") {
        return Some(Dialect::Script);
    }
    let mut stanzas = 0;
    for line in text.lines().map(str::trim) {
        match line {
            "[Unit]" | "[Service]" | "[Install]" => return Some(Dialect::Systemd),
            _ if line.starts_with("[program:") => return Some(Dialect::Supervisor),
            _ => stanzas += usize::from(is_stanza(line)),
        }
    }
    (stanzas >= 2).then_some(Dialect::Upstart)
}

fn is_stanza(line: &str) -> bool {
    let mut words = line.split_whitespace();
    match words.next() {
        Some("start" | "stop") => words.next() == Some("on"),
        Some(
            "respawn" | "script" | "pre-start" | "post-start" | "pre-stop" | "expect" | "setuid" | "setgid" | "exec",
        ) => true,
        _ => false,
    }
}

/// The ini with which a job starts uWSGI, as it is written, with template tags.
pub fn ini_of(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    lines.filter(|line| line.contains("uwsgi")).find_map(|line| {
        let after = line.split_once("--ini").map(|(_, rest)| rest.trim_start_matches(['=', ' ']));
        let word = after.map(first_word).or_else(|| line.split(' ').find(|word| word.ends_with(".ini")))?;
        word.contains(".ini").then(|| word.trim_matches(['"', '\'']).to_owned())
    })
}

/// Up to the first blank outside of a template tag.
fn first_word(text: &str) -> &str {
    let mut at = 0;
    while let Some(blank) = text[at..].find(' ').map(|found| at + found) {
        let before = &text[..blank];
        if before.matches("<%").count() == before.matches("%>").count() {
            return before;
        }
        at = blank + 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_languages() {
        assert_eq!(Dialect::of_place("/etc/init/shop.conf"), Some(Dialect::Upstart));
        assert_eq!(Dialect::of_place("/etc/init.d/shop"), Some(Dialect::Script));
        assert_eq!(Dialect::of_place("/etc/shop.conf"), None);
        assert_eq!(written("description \"x\"\nstart on startup\nrespawn\n"), Some(Dialect::Upstart));
        assert_eq!(written("[Unit]\nDescription=x\n"), Some(Dialect::Systemd));
        assert_eq!(written("#!/bin/sh\nexec x\nrespawn\n"), Some(Dialect::Script));
        assert_eq!(written("listen 80;\n"), None);
    }

    #[test]
    fn the_ini_of_a_job() {
        let ini = |text: &str| ini_of(text);
        assert_eq!(ini("exec /usr/bin/uwsgi --ini /etc/shop.ini --master").as_deref(), Some("/etc/shop.ini"));
        assert_eq!(ini("command=/bin/uwsgi /etc/shop.ini").as_deref(), Some("/etc/shop.ini"));
        assert_eq!(
            ini("exec uwsgi --ini <%= node['a'] || 1 %>/a.ini -x").as_deref(),
            Some("<%= node['a'] || 1 %>/a.ini")
        );
        assert_eq!(ini("# uwsgi --ini /etc/shop.ini\nexec gunicorn"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(pieces in proptest::collection::vec(".{0,12}|[-@.a-z ='\"#<%>\n]{0,12}", 0..12)) {
            let text = pieces.concat();
            let _ = (written(&text), ini_of(&format!("uwsgi --ini {text}.ini")), Dialect::of_place(&text));
        }
    }
}
