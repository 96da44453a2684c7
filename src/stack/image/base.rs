//! Images whose documentation says how they start uWSGI by themselves.

/// The ini that an image starts uWSGI with, where nothing sets `UWSGI_INI` (the documentation of tiangolo/uwsgi-nginx and
/// tiangolo/uwsgi-nginx-flask, "Custom uWSGI app location").
pub fn default_ini(base: &str) -> Option<&'static str> {
    let name = base.split([':', '@']).next()?;
    matches!(name, "tiangolo/uwsgi-nginx" | "tiangolo/uwsgi-nginx-flask").then_some("/app/uwsgi.ini")
}
