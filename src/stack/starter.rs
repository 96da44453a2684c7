//! Files that start processes: containers, units, process lists. Where none is seen to start uWSGI, one of them may all the same.

use crate::stack::fact::Missing;

/// The files of one stack that start its processes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Starters {
    /// The file that describes containers: a compose file, else a Dockerfile.
    pub containers: Option<String>,
    /// A systemd unit or a `Procfile`.
    pub others: Option<String>,
}

impl Starters {
    /// Those among the paths of one stack; of several the outermost, and there the one with the plainest name.
    pub fn among<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Self {
        let first = |is: fn(&str) -> bool| {
            let found = paths.clone().filter(|path| is(base(path)));
            found.min_by_key(|path| (path.matches('/').count(), path.len(), *path)).map(str::to_owned)
        };
        Self { containers: first(is_compose).or_else(|| first(is_dockerfile)), others: first(is_other) }
    }

    /// What is not known of the variables of a process whose job is not in sight.
    pub fn missing(&self) -> Missing {
        match (&self.containers, &self.others) {
            (Some(path), _) if is_compose(base(path)) => {
                Missing::new("what the container is given", format!("look at `environment` and `env_file` in {path}"))
            }
            (Some(path), _) => Missing::new(
                "what the container is given",
                format!("look at `ENV` in {path}, and at the command that runs the container"),
            ),
            (None, Some(path)) => Missing::new(
                format!("what {path} gives to uWSGI"),
                "no job in sight starts uWSGI with this ini: look whether that file does",
            ),
            (None, None) => Missing::new("the job that starts uWSGI", "lint its file together with the ini"),
        }
    }
}

/// Whether a file of this name is one of them.
pub fn is_starter(name: &str) -> bool {
    is_compose(name) || is_dockerfile(name) || is_other(name)
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file of this name describes containers.
pub fn is_compose(name: &str) -> bool {
    (name.starts_with("docker-compose") || name.starts_with("compose."))
        && (name.ends_with(".yml") || name.ends_with(".yaml"))
}

/// Whether a file of this name says how an image is built.
pub fn is_dockerfile(name: &str) -> bool {
    name.starts_with("Dockerfile")
        || name.starts_with("Containerfile")
        || name.ends_with(".dockerfile")
        || name.ends_with(".Dockerfile")
}

fn is_other(name: &str) -> bool {
    name.ends_with(".service") || name == "Procfile"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(paths: &[&str]) -> Starters {
        Starters::among(paths.iter().copied())
    }

    #[test]
    fn containers_come_before_units() {
        let all = among(&[
            "deploy/app.service",
            "app/Dockerfile",
            "docker-compose.ci.yml",
            "docker-compose.yml",
            "uwsgi.ini",
        ]);
        assert_eq!(all.containers.as_deref(), Some("docker-compose.yml"));
        assert_eq!(all.others.as_deref(), Some("deploy/app.service"));
        assert_eq!(all.missing().what, "what the container is given");
        assert!(all.missing().how.contains("docker-compose.yml"));
        assert!(among(&["app/Dockerfile"]).missing().how.contains("`ENV` in app/Dockerfile"));
        assert!(among(&["app.service"]).missing().what.contains("app.service"));
        assert_eq!(among(&["uwsgi.ini"]).missing().what, "the job that starts uWSGI");
    }
}
