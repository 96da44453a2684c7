//! What is known of the images that others start from.

/// The ini that an image starts uWSGI with, where nothing sets `UWSGI_INI` (the documentation of tiangolo/uwsgi-nginx and
/// tiangolo/uwsgi-nginx-flask, "Custom uWSGI app location").
pub fn default_ini(base: &str) -> Option<&'static str> {
    let name = base.split([':', '@']).next()?;
    matches!(name, "tiangolo/uwsgi-nginx" | "tiangolo/uwsgi-nginx-flask").then_some("/app/uwsgi.ini")
}

/// Whether an image says nothing of the signal that stops it (the Dockerfiles of Docker's official images).
pub fn has_no_signal(base: &str) -> bool {
    let name = base.split([':', '@']).next().unwrap_or_default();
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    matches!(
        name,
        "python" | "debian" | "ubuntu" | "alpine" | "buildpack-deps" | "centos" | "rockylinux" | "amazonlinux"
    )
}
