//! Files as they were downloaded: packed by gzip or not, and what else lies under a data file's name.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::DataError;

/// What a packed file may unpack to: twice the largest EMNIST set, and less than a small machine's memory.
const MOST: u64 = 2 << 30;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The bytes of `file`, unpacked where they are a gzip file, whatever its name.
///
/// # Errors
/// A file that cannot be read, or a gzip file that is damaged or too large.
pub(super) fn read(file: &Path, expected: &str) -> Result<Vec<u8>, DataError> {
    let bytes =
        std::fs::read(file).map_err(|reason| DataError::unreadable(file, expected, &reason))?;
    if bytes.starts_with(&GZIP) { unpacked(file, &bytes, MOST) } else { Ok(bytes) }
}

/// A gzip file unpacked, if that gives at most `most` bytes.
fn unpacked(file: &Path, bytes: &[u8], most: u64) -> Result<Vec<u8>, DataError> {
    let mut plain = Vec::new();
    let whole = MultiGzDecoder::new(bytes).take(most.saturating_add(1)).read_to_end(&mut plain);
    match whole {
        Ok(length) if length as u64 > most => {
            let expected = format!("a gzip file that unpacks to at most {most} bytes");
            Err(DataError::new(file, expected, "more"))
        }
        Ok(_) => Ok(plain),
        Err(reason) => {
            let found = format!("a damaged one after {} bytes ({reason})", plain.len());
            Err(DataError::new(file, "a whole gzip file", found))
        }
    }
}

/// What a file is that is not the wanted one, by its first bytes; `None` where they tell nothing.
pub(super) fn known(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes.trim_ascii_start();
    let html = start.get(..5).is_some_and(|tag| {
        tag.eq_ignore_ascii_case(b"<!doc") || tag.eq_ignore_ascii_case(b"<html")
    });
    let table: [(bool, &str); 9] = [
        (html, "a web page: the download failed"),
        (bytes.starts_with(&GZIP), "a gzip file: unpack it first"),
        (bytes.starts_with(b"\xfd7zXZ\0"), "an xz file: unpack it first"),
        (bytes.starts_with(b"BZh"), "a bzip2 file: unpack it first"),
        (bytes.starts_with(b"\x28\xb5\x2f\xfd"), "a zstd file: unpack it first"),
        (bytes.starts_with(b"PK\x03\x04"), "a zip archive: unpack it first"),
        (bytes.starts_with(b"version https://git-lfs"), "a Git LFS pointer: fetch the file itself"),
        (bytes.starts_with(b"\x93NUMPY"), "a numpy array: write it as an IDX file"),
        (bytes.starts_with(&[0x80]) && bytes.ends_with(b"."), "a Python pickle"),
    ];
    table.into_iter().find_map(|(is, words)| is.then_some(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_gzip_file_is_unpacked_whole_or_refused() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("f");
        let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
        let gzip = packed(&bytes);
        for (written, expected) in [(&bytes, &bytes), (&gzip, &bytes)] {
            std::fs::write(&file, written).unwrap();
            assert_eq!(&read(&file, "bytes").unwrap(), expected);
        }
        // Two in one, as `cat a.gz b.gz` leaves them.
        let twice = [&gzip[..], &gzip].concat();
        assert_eq!(unpacked(&file, &twice, 10_000).unwrap(), [&bytes[..], &bytes].concat());
        let refuse = |bytes: &[u8], most| unpacked(Path::new("f"), bytes, most).unwrap_err();
        let large = refuse(&gzip, 4999).to_string();
        assert_eq!(large, "f: expected a gzip file that unpacks to at most 4999 bytes, found more");
        let mut wrong = gzip.clone();
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        for bad in [&gzip[..gzip.len() / 2], &gzip[..3], &wrong] {
            let message = refuse(bad, 10_000).to_string();
            assert!(
                message.starts_with("f: expected a whole gzip file, found a damaged one"),
                "{message}"
            );
        }
    }

    #[test]
    fn what_a_download_left_is_known_by_its_beginning() {
        for (bytes, word) in [
            (&b"\n<!DOCTYPE html><html>"[..], "web page"),
            (b"<HTML><body>", "web page"),
            (b"PK\x03\x04...", "zip"),
            (b"\xfd7zXZ\0\0", "xz"),
            (b"BZh91AY", "bzip2"),
            (b"\x28\xb5\x2f\xfd\x04", "zstd"),
            (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
            (b"\x93NUMPY\x01", "numpy"),
            (b"\x80\x02}q\x01.", "pickle"),
        ] {
            assert!(known(bytes).unwrap().contains(word), "{bytes:?}");
        }
        assert_eq!((known(&[0, 0, 8, 3]), known(&[])), (None, None));
    }
}
