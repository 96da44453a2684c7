//! What images come to by their Dockerfiles.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::source::{Origin, Sources};

/// The images of Dockerfiles beside these other files.
fn images(files: &[(&str, &str)], others: &[&str]) -> Images {
    let mut sources = Sources::default();
    let mut view = View::default();
    for (path, text) in files {
        let file = sources.add((*path).to_owned(), text.as_bytes().to_vec(), Origin::File);
        view.add(Document::plain(file, *path, Kind::Dockerfile, (*text).into()));
    }
    let paths: Vec<&str> = files.iter().map(|(path, _)| *path).chain(others.iter().copied()).collect();
    Images::of(&view, paths.into_iter())
}

fn only(text: &str) -> Image {
    let images = images(&[("Dockerfile", text)], &[]);
    let none = BTreeSet::new();
    images.others(&none).next().unwrap()
}

fn known(answer: &Answer<String>) -> &str {
    if let Answer::Known(text) = answer { text } else { "?" }
}

fn value<'i>(image: &'i Image, name: &str) -> &'i str {
    image.variables.get(name).map_or("-", |(value, _)| known(value))
}

#[test]
fn variables_of_every_process_and_of_the_build() {
    let image = only(
        "FROM python:3\nARG RELEASE=1\nARG HOME_OF=/srv\nENV A=1 B=\"$A x\"\nENV B=\"$A ${C:-y}\" C=${RELEASE}\n\
         ENV PATH=/opt/bin:$PATH\nENV C=2\nENV D='$A' E=\"$A $C\"\nWORKDIR $HOME_OF\nWORKDIR shop\nUSER shop:www\n",
    );
    assert_eq!(value(&image, "A"), "1");
    assert_eq!(value(&image, "B"), "?", "the image below may have a C");
    assert_eq!((value(&image, "C"), value(&image, "D"), value(&image, "E")), ("2", "$A", "1 2"));
    assert_eq!(value(&image, "PATH"), "?");
    assert_eq!(value(&image, "RELEASE"), "-", "an argument is gone when the image runs");
    assert_eq!(known(&image.folder), "/srv/shop");
    assert_eq!(image.user.as_ref().map(|(user, _)| known(user)), Some("shop"));
    let image = only("FROM x\nARG A=1\nENV B=$A\nCOPY . /srv/$A\n");
    assert_eq!(value(&image, "B"), "?", "`--build-arg` may give another");
    assert_eq!(image.landing.origins("/srv/1/a"), ["a"]);
}

#[test]
fn values_that_double_do_not_fill_the_memory() {
    let lines: String = (1..80).map(|at| format!("ENV A{at}=$A{0}$A{0}\n", at - 1)).collect();
    let image = only(&format!("FROM x\nENV A0=xxxxxxxx\n{lines}"));
    assert_eq!((value(&image, "A3").len(), value(&image, "A79")), (64, "?"));
}

#[test]
fn a_stage_goes_on_from_the_one_that_it_names() {
    let text = "FROM python AS base\nENV A=1\nWORKDIR /srv\nCMD [\"a\"]\nFROM base AS test\nENTRYPOINT [\"t\"]\n\
                FROM base\nCOPY --from=test /out /srv/out\nCOPY . .\n";
    let image = only(text);
    assert_eq!((value(&image, "A"), known(&image.folder), image.base.as_str()), ("1", "/srv", "python"));
    assert!(image.entrypoint.is_none() && image.cmd.is_some());
    assert_eq!(image.landing.origins("/srv/a.ini"), ["a.ini"]);
    let images = images(&[("Dockerfile", text)], &[]);
    let build = |target| images.built(Build { context: "", dockerfile: "Dockerfile", target, arguments: &[] });
    let test = build(Some("test")).unwrap();
    assert!(test.entrypoint.is_some() && test.cmd.is_none(), "an entrypoint resets the command of the image below");
    assert!(build(Some("none")).is_none());
}

#[test]
fn the_folder_that_is_built_is_the_one_that_has_what_is_copied() {
    let others = ["shop/uwsgi.ini", "deploy/run.sh", "requirements.txt"];
    let images = images(
        &[
            ("deploy/Dockerfile", "FROM x\nCOPY requirements.txt /\nCOPY shop /srv\n"),
            ("shop/Dockerfile", "FROM x\nCOPY . /srv\nCOPY uwsgi.ini *.py /etc/\n"),
        ],
        &others,
    );
    let none = BTreeSet::new();
    let origins = images.others(&none).map(|image| image.landing.origins("/srv/uwsgi.ini").swap_remove(0));
    assert_eq!(origins.collect::<Vec<_>>(), ["shop/uwsgi.ini", "shop/uwsgi.ini"]);
}
