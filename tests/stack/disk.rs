//! A disk of the lab, mounted below its folder; only root can.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One that goes when it is dropped.
pub struct Mounted(pub PathBuf);

/// Whether this user may have mounts of its own: root in a container often may not.
pub fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["--mount", "true"]).stderr(std::process::Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

impl Mounted {
    /// Mounts a disk that a large request does not fit on.
    pub fn small(at: &Path) {
        let mut mount = Command::new("mount");
        let options = ["-t", "tmpfs", "-o", "size=64k,mode=0777", "lab"];
        assert!(mount.args(options).arg(at).status().unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
