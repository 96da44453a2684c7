//! A log that the user hands in: a file of any size, or a stream; its end is what counts.

use std::io::{self, Read};
use std::path::Path;

use super::machine::{TAIL_BYTES, Tail};
use super::{ReadError, file};

/// The end of a file, as whole lines.
///
/// # Errors
/// As for any file: missing, not permitted, not a regular file.
pub fn end_of_file(path: &str) -> Result<Tail, ReadError> {
    file::tail(Path::new(path))
}

/// The end of a stream, as whole lines; what stood before it is read and dropped, so that the memory stays small.
///
/// # Errors
/// Those of the stream.
pub fn end_of(stream: &mut dyn Read) -> io::Result<Tail> {
    let keep = usize::try_from(TAIL_BYTES).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    let mut from_start = true;
    loop {
        let read = stream.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        if bytes.len() > keep {
            bytes.drain(..bytes.len() - keep);
            from_start = false;
        }
        if read == 0 {
            return Ok(Tail::of(&bytes, from_start));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn of_a_long_stream_the_end_is_kept() {
        let mut long = io::repeat(b'x').take(3 * TAIL_BYTES).chain(&b"\nlast\n"[..]);
        assert_eq!(end_of(&mut long).unwrap(), Tail { bytes: b"last\n".to_vec(), cut: true });
        assert_eq!(end_of(&mut &b"a\nb"[..]).unwrap(), Tail { bytes: b"a\nb".to_vec(), cut: false });
    }
}
