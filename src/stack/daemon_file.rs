//! Files that a recipe writes where a program makes its own: a socket, above all.

use crate::rows;
use crate::stack::assemble::Instance;
use crate::stack::deployment::{Content, Deployed};
use crate::stack::fact::{Answer, Fact};

rows! {
    #[doc = "one file that a recipe writes at the path of a socket that uWSGI binds"]
    pub struct DaemonFile in "daemon_files" {
        #[doc = "the path"]
        path: String,
        #[doc = "the option of the ini that names it"]
        option: String,
        #[doc = "the kind of resource"]
        resource: String,
    }
}

/// A row for each such file.
pub fn daemon_files(instances: &[Instance], deployed: &[Deployed]) -> Vec<DaemonFile> {
    let mut rows = Vec::new();
    for socket in instances.iter().flat_map(|instance| &instance.uwsgi.sockets) {
        let Some(address) = socket.address.known() else { continue };
        let is_file = |one: &&Deployed| !matches!(one.content, Content::Folder | Content::Link(_));
        for one in deployed.iter().filter(is_file).filter(|one| one.path == Answer::Known(address.clone())) {
            let mut row = DaemonFile::at(one.place);
            row.path = Fact::read(address.clone(), one.place);
            row.option = Fact { place: Some(socket.place), ..socket.option.clone() };
            row.resource = Fact::derived(one.kind.clone());
            rows.push(row);
        }
    }
    rows
}
