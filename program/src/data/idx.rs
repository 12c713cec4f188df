//! MNIST-style IDX files: a big-endian header (magic, then one u32 a dimension) and unsigned bytes in row-major order.
//!
//! The magic is 0x0000_08_DD: 08 says unsigned bytes, DD the number of dimensions (3 for images, 1 for labels).

use std::path::{Path, PathBuf};

use super::folder::{self, Instead};
use super::prepare::prepare;
use super::read::{known, read};
use super::{DataError, Dataset, Loaded, scale_bytes};

const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;

/// Inputs (scaled by 1/255) of an images file, and the numbers in a row; `file` is named in errors.
///
/// # Errors
/// Another magic, a length other than the header announces, or images without pixels.
pub fn parse_idx_images(file: &Path, bytes: &[u8]) -> Result<(Vec<f32>, usize), DataError> {
    let ([count, height, width], pixels) = header(file, bytes, IMAGES_MAGIC)?;
    let features = u64::from(height) * u64::from(width);
    if features == 0 || count == 0 {
        return Err(DataError::new(
            file,
            "images with pixels",
            format!("{count} images of {height}x{width}"),
        ));
    }
    // The product may exceed 64 bits; a file cannot, so saturation only has to stay unequal to its length.
    let announced = u64::from(count).saturating_mul(features);
    body(file, pixels, announced, &format!("{count} images of {height}x{width}"))?;
    // `features` divides the length of bytes in memory, so it fits.
    let features = usize::try_from(features)
        .map_err(|_| DataError::new(file, "a row that fits in memory", features))?;
    Ok((scale_bytes(pixels).collect(), features))
}

/// Labels of a labels file; `file` is named in errors.
///
/// # Errors
/// Another magic, or a length other than the header announces.
pub fn parse_idx_labels(file: &Path, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let ([count], labels) = header(file, bytes, LABELS_MAGIC)?;
    body(file, labels, u64::from(count), &format!("{count} labels"))?;
    Ok(labels.to_vec())
}

/// The dimensions behind the magic, and the bytes behind the dimensions.
fn header<'a, const D: usize>(
    file: &Path,
    bytes: &'a [u8],
    magic: u32,
) -> Result<([u32; D], &'a [u8]), DataError> {
    let truncated = || {
        DataError::new(
            file,
            format!("a header of {} bytes", 4 + 4 * D),
            format!("a file of {} bytes", bytes.len()),
        )
    };
    let (found, mut rest) = bytes.split_first_chunk::<4>().ok_or_else(truncated)?;
    if u32::from_be_bytes(*found) != magic {
        let what = if magic == IMAGES_MAGIC { "images" } else { "labels" };
        let expected = format!("unsigned bytes in {D} {} ({what})", dimensions(D));
        return Err(DataError::new(file, expected, other_magic(*found, bytes)));
    }
    let mut dimensions = [0; D];
    for dimension in &mut dimensions {
        let (value, behind) = rest.split_first_chunk::<4>().ok_or_else(truncated)?;
        *dimension = u32::from_be_bytes(*value);
        rest = behind;
    }
    Ok((dimensions, rest))
}

fn dimensions(count: usize) -> &'static str {
    if count == 1 { "dimension" } else { "dimensions" }
}

/// What another magic says in words: the type and the number of dimensions, or no IDX file at all.
fn other_magic(magic: [u8; 4], bytes: &[u8]) -> String {
    let kind = match magic {
        [0, 0, 0x08, _] => "unsigned bytes",
        [0, 0, 0x09, _] => "signed bytes",
        [0, 0, 0x0b, _] => "16-bit integers",
        [0, 0, 0x0c, _] => "32-bit integers",
        [0, 0, 0x0d, _] => "32-bit floats",
        [0, 0, 0x0e, _] => "64-bit floats",
        _ => {
            let begins = || format!("a file that begins with 0x{:08x}", u32::from_be_bytes(magic));
            return known(bytes).map_or_else(begins, str::to_owned);
        }
    };
    let rank = usize::from(magic[3]);
    format!("{kind} in {rank} {}", dimensions(rank))
}

fn body(file: &Path, bytes: &[u8], announced: u64, what: &str) -> Result<(), DataError> {
    let found = bytes.len() as u64;
    if found == announced {
        return Ok(());
    }
    Err(DataError::new(file, format!("{announced} bytes for {what} behind the header"), found))
}

/// What the files of the training and of the test part are called behind their prefix.
const TRAIN: &[&str] = &["train"];
const TEST: &[&str] = &["t10k", "test"];
const IMAGES: &str = "images-idx3";
const LABELS: &str = "labels-idx1";

/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte and their t10k- brothers from `folder`; or those with
/// EMNIST's prefixes, where `folder` holds one set or its last part is no folder but names a prefix.
pub(super) fn load(folder: &Path) -> Result<Loaded, DataError> {
    let set = Set::find(folder)?;
    let (train, test) = (set.pair(TRAIN)?, set.pair(TEST)?);
    if train.features != test.features {
        return Err(DataError::new(
            folder,
            "train and test images of one size",
            format!("{} and {} pixels", train.features, test.features),
        ));
    }
    prepare(folder, train, test)
}

/// The files of one data set.
struct Set {
    folder: PathBuf,
    /// What all four names begin with: nothing, or `emnist-letters-`.
    prefix: String,
    names: Vec<String>,
}

impl Set {
    fn find(path: &Path) -> Result<Self, DataError> {
        const EXPECTED: &str = "a folder with train-images-idx3-ubyte (or .gz)";
        if let Some(set) = Self::by_prefix(path) {
            return Ok(set);
        }
        let names = folder::names(path, EXPECTED)?;
        let mut prefixes = prefixes(&names);
        // A set without a prefix is the folder's own.
        prefixes.sort();
        match prefixes.as_slice() {
            [] => Err(DataError::new(path, EXPECTED, Instead::new(path, names))),
            [first, rest @ ..] if first.is_empty() || rest.is_empty() => {
                Ok(Self { folder: path.to_owned(), prefix: first.clone(), names })
            }
            all => {
                let set = all.join(", ").replace("-,", ",");
                let set = set.trim_end_matches('-');
                let one = all.first().map_or("", |one| one.trim_end_matches('-'));
                let found = format!("{set}: write idx:{}", path.join(one).display());
                Err(DataError::new(path, "one data set", found))
            }
        }
    }

    /// `DIR/emnist-letters`, where DIR holds emnist-letters-train-images-idx3-ubyte and other sets.
    fn by_prefix(path: &Path) -> Option<Self> {
        let folder = path.parent().filter(|_| !path.exists())?;
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let prefix = format!("{}-", path.file_name()?.to_str()?);
        let names = folder::names(folder, "").ok()?;
        let is_there = prefixes(&names).contains(&prefix);
        is_there.then(|| Self { folder: folder.to_owned(), prefix, names })
    }

    fn pair(&self, part: &[&str]) -> Result<Dataset, DataError> {
        let (images_file, images) = self.read(part, IMAGES)?;
        let (inputs, features) = parse_idx_images(&images_file, &images)?;
        let (labels_file, labels) = self.read(part, LABELS)?;
        let labels = parse_idx_labels(&labels_file, &labels)?;
        let rows = inputs.len() / features;
        if labels.len() != rows {
            return Err(DataError::new(
                labels_file,
                format!("{rows} labels, one an image"),
                labels.len(),
            ));
        }
        let name = self.folder.file_name();
        let name = name.map_or_else(|| "idx".into(), |n| format!("idx {}", n.to_string_lossy()));
        // Labels as they stand; which of them are classes is seen when both parts are there.
        Ok(Dataset { inputs, labels, features, classes: usize::from(u8::MAX) + 1, name })
    }

    /// A file by one of its names: hyphen or dot before idx, t10k or test, packed or not.
    fn read(&self, part: &[&str], kind: &str) -> Result<(PathBuf, Vec<u8>), DataError> {
        let name = names(part, kind).map(|name| format!("{}{name}", self.prefix));
        let found = name.clone().find(|name| self.names.contains(name));
        let Some(name) = found.clone().or_else(|| name.clone().next()) else {
            return Err(DataError::new(&self.folder, "an IDX file", "none"));
        };
        let file = self.folder.join(&name);
        if found.is_none() {
            let stem = name.trim_end_matches("-ubyte");
            let near = self.names.iter().find(|there| there.starts_with(stem));
            let near = near.map_or_else(String::new, |near| format!(", but {near}"));
            return Err(DataError::new(file, "an IDX file", format!("no such file{near}")));
        }
        let bytes = read(&file, "an IDX file")?;
        Ok((file, bytes))
    }
}

/// Every name that a file of `part` may have behind its prefix, the usual one first.
fn names(part: &[&str], kind: &str) -> impl Iterator<Item = String> + Clone {
    let dotted = kind.replace('-', ".");
    let mut names = Vec::new();
    for end in ["", ".gz"] {
        for part in part {
            names.extend([kind, &dotted].map(|kind| format!("{part}-{kind}-ubyte{end}")));
        }
    }
    names.into_iter()
}

/// What stands before the name of a training images file, for each that there is.
fn prefixes(there: &[String]) -> Vec<String> {
    let mut prefixes: Vec<String> = Vec::new();
    for name in there {
        let prefix =
            names(TRAIN, IMAGES).find_map(|end| name.strip_suffix(&end).map(str::to_owned));
        prefixes.extend(prefix.filter(|prefix| !prefixes.contains(prefix)));
    }
    prefixes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(count: u32, height: u32, width: u32, pixels: &[u8]) -> Vec<u8> {
        [IMAGES_MAGIC, count, height, width]
            .iter()
            .flat_map(|x| x.to_be_bytes())
            .chain(pixels.iter().copied())
            .collect()
    }

    fn labels(count: u32, labels: &[u8]) -> Vec<u8> {
        [LABELS_MAGIC, count]
            .iter()
            .flat_map(|x| x.to_be_bytes())
            .chain(labels.iter().copied())
            .collect()
    }

    fn refuse(bytes: &[u8]) -> String {
        parse_idx_images(Path::new("f"), bytes).unwrap_err().to_string()
    }

    #[test]
    fn images_and_labels_are_read_and_scaled() {
        let (inputs, features) =
            parse_idx_images(Path::new("f"), &images(2, 1, 2, &[0, 51, 255, 102])).unwrap();
        assert_eq!((inputs, features), (vec![0.0, 0.2, 1.0, 0.4], 2));
        assert_eq!(parse_idx_labels(Path::new("f"), &labels(3, &[1, 0, 2])).unwrap(), [1, 0, 2]);
    }

    #[test]
    fn every_lie_of_a_header_is_one_clear_line() {
        assert_eq!(refuse(&[0, 0]), "f: expected a header of 16 bytes, found a file of 2 bytes");
        assert_eq!(
            refuse(&images(1, 1, 1, &[0])[..10]),
            "f: expected a header of 16 bytes, found a file of 10 bytes"
        );
        assert_eq!(
            refuse(&labels(1, &[0])),
            "f: expected unsigned bytes in 3 dimensions (images), found unsigned bytes in 1 dimension"
        );
        for (magic, found) in [
            ([0, 0, 8, 4], "unsigned bytes in 4 dimensions"),
            ([0, 0, 9, 3], "signed bytes in 3 dimensions"),
            ([0, 0, 13, 3], "32-bit floats in 3 dimensions"),
            ([0, 0, 14, 2], "64-bit floats in 2 dimensions"),
            ([0x1f, 0x8b, 8, 0], "a gzip file: unpack it first"),
            (*b"\x08\x03\0\0", "a file that begins with 0x08030000"),
        ] {
            let message = refuse(&magic);
            assert!(message.ends_with(&format!(", found {found}")), "{message}");
        }
        let masks = parse_idx_labels(Path::new("f"), &[0, 0, 8, 3]).unwrap_err().to_string();
        assert_eq!(
            masks,
            "f: expected unsigned bytes in 1 dimension (labels), found unsigned bytes in 3 dimensions"
        );
        assert_eq!(
            refuse(&images(2, 2, 2, &[0; 7])),
            "f: expected 8 bytes for 2 images of 2x2 behind the header, found 7"
        );
        assert_eq!(
            refuse(&images(2, 0, 2, &[])),
            "f: expected images with pixels, found 2 images of 0x2"
        );
        let largest = refuse(&images(u32::MAX, u32::MAX, u32::MAX, &[0; 8]));
        assert!(largest.contains("behind the header, found 8"), "{largest}");
    }

    #[test]
    fn a_folder_is_read_with_either_name_and_mismatches_name_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(name), bytes).unwrap();
        write("train-images.idx3-ubyte", images(2, 1, 2, &[0, 51, 255, 102]));
        write("train-labels-idx1-ubyte", labels(2, &[0, 4]));
        write("t10k-images-idx3-ubyte", images(1, 1, 2, &[0, 255]));
        let missing = load(folder.path()).unwrap_err().to_string();
        assert!(
            missing.ends_with("t10k-labels-idx1-ubyte: expected an IDX file, found no such file"),
            "{missing}"
        );
        write("t10k-labels-idx1-ubyte", labels(1, &[2]));
        let loaded = load(folder.path()).unwrap();
        let test = loaded.test.unwrap();
        assert_eq!(
            (loaded.train.labels, loaded.train.classes, test.classes, test.labels),
            (vec![0, 2], 3, 3, vec![1])
        );
        assert_eq!(loaded.labels, [0, 2, 4]);
        write("train-labels-idx1-ubyte", labels(1, &[0]));
        let unequal = load(folder.path()).unwrap_err().to_string();
        assert!(
            unequal.ends_with("train-labels-idx1-ubyte: expected 2 labels, one an image, found 1"),
            "{unequal}"
        );
        write("train-labels-idx1-ubyte", labels(2, &[0, 4]));
        write("t10k-images-idx3-ubyte", images(1, 1, 1, &[0]));
        assert!(load(folder.path()).unwrap_err().to_string().contains("2 and 1 pixels"));
    }

    /// A folder with the four files of `prefix`, `test` in place of t10k.
    fn emnist(folder: &Path, prefix: &str) {
        for (name, bytes) in [
            ("train-images", images(2, 1, 1, &[0, 255])),
            ("train-labels", labels(2, &[1, 2])),
            ("test-images", images(1, 1, 1, &[255])),
            ("test-labels", labels(1, &[2])),
        ] {
            let kind = if name.ends_with("images") { "idx3" } else { "idx1" };
            std::fs::write(folder.join(format!("{prefix}{name}-{kind}-ubyte")), bytes).unwrap();
        }
    }

    #[test]
    fn a_prefix_is_read_and_of_several_one_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        emnist(folder.path(), "emnist-letters-");
        assert_eq!(load(folder.path()).unwrap().labels, [1, 2]);
        emnist(folder.path(), "emnist-digits-");
        let several = load(folder.path()).unwrap_err().to_string();
        let at = folder.path().display();
        assert_eq!(
            several,
            format!(
                "{at}: expected one data set, found emnist-digits, emnist-letters: write idx:{at}/emnist-digits"
            )
        );
        assert_eq!(load(&folder.path().join("emnist-letters")).unwrap().train.len(), 2);
        std::fs::remove_file(folder.path().join("emnist-letters-test-labels-idx1-ubyte")).unwrap();
        std::fs::write(folder.path().join("emnist-letters-t10k-labels-idx1-ubyte.zip"), "")
            .unwrap();
        let missing = load(&folder.path().join("emnist-letters")).unwrap_err().to_string();
        assert!(
            missing.ends_with(
                "t10k-labels-idx1-ubyte: expected an IDX file, found no such file, but emnist-letters-t10k-labels-idx1-ubyte.zip"
            ),
            "{missing}"
        );
    }
}
