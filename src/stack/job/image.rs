//! What an image starts by itself, where no compose file in sight runs it: whoever runs it may give it more.

use std::sync::Arc;

use super::container::{Process, Surroundings, started, variables};
use super::{Job, Reading, fact, stopping};
use crate::stack::app::name::last_segment;
use crate::stack::document::Document;
use crate::stack::fact::{Fact, Missing};
use crate::stack::image::Image;
use crate::stack::image::landing::Landing;
use crate::stack::view::View;

/// The job of an image, and the text that its command stands in.
pub fn read(image: &Image, view: &View) -> (Reading, Arc<Document>) {
    let document = &image.document;
    let mut job = Job::at(document.place(image.place));
    job.key = "dockerfile".to_owned();
    job.service_type = Fact::absent();
    // What starts uWSGI is told apart once its ini is read.
    job.forks = Fact::absent();
    job.dialect = Fact::derived("dockerfile".to_owned());
    job.name = Fact::derived(last_segment(&document.path).to_owned());
    job.path = Fact::derived(document.path.clone());
    let (env, values) = variables(image, "dockerfile");
    let lands: Arc<[Arc<Landing>]> = [Arc::clone(&image.landing)].into();
    let around =
        Surroundings { view, lands: &lands, folder: image.folder.clone(), variables: values, key: "dockerfile" };
    let process = around.of_image(image);
    job.user = user(image, process.as_ref());
    stopping::of_container(&mut job, image.stop_signal());
    let reading = started(job, process, of_base("the command", image), document.is_open());
    let inherits = Missing::new(
        format!("the variables that {} is run with", document.path),
        "look at what runs it: `docker run -e`, a chart, a task definition",
    );
    let (mut reading, stands_in) = reading;
    started_by_base(&mut reading.job, image);
    let reading = Reading {
        env: env.into_iter().chain(reading.env).collect(),
        lands: Arc::clone(&lands),
        inherits: Some(inherits),
        ..reading
    };
    (reading, stands_in.unwrap_or_else(|| Arc::clone(document)))
}

/// What is known of the process where the image that it starts from starts uWSGI.
pub(super) fn started_by_base(job: &mut Job, image: &Image) {
    if let Some(ini) = image.ini_of_base() {
        job.uwsgi_ini = Fact { answer: ini, ..Fact::read(String::new(), image.document.place(image.place)) };
    }
}

/// The user of a process: a wrapper's, else what `USER` says.
pub(super) fn user(image: &Image, process: Option<&Process>) -> Fact<String> {
    let switched = process.and_then(|process| Some((process, process.launch.user.as_ref()?)));
    match (switched, &image.user) {
        (Some((process, user)), _) => fact(&process.document, user),
        (None, Some((user, span))) => {
            Fact { answer: user.clone(), ..Fact::read(String::new(), image.document.place(*span)) }
        }
        (None, None) => Fact::unknown(of_base("the user", image)),
    }
}

fn of_base(what: &str, image: &Image) -> Missing {
    Missing::new(format!("{what} of the image {}", image.base), "say it in the Dockerfile")
}
