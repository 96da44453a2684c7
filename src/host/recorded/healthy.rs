//! The healthy host that host examples of rule pages are patches over, as housecall carries it.

use super::Recorded;
use super::format::parse;
use crate::finding::InputError;

include!(concat!(env!("OUT_DIR"), "/healthy.rs"));

impl Recorded {
    /// A small host on which every hop works: `fixtures/hosts/healthy`.
    ///
    /// # Errors
    /// None, as long as that folder is a recorded host.
    pub fn healthy() -> Result<Self, InputError> {
        let name = "host.toml of the healthy host";
        let files = FILES.iter().map(|(path, bytes)| ((*path).to_owned(), (*bytes).into())).collect();
        Self::new(name, parse(name, TABLE)?, files)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::Recorded;

    #[test]
    fn it_is_the_one_among_the_fixtures() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts/healthy");
        let (carried, read) = (Recorded::healthy().unwrap(), Recorded::load(&folder).unwrap());
        assert_eq!(carried.files, read.files);
        assert_eq!(carried.host_toml().unwrap(), read.host_toml().unwrap());
    }
}
