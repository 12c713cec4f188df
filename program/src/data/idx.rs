//! MNIST-style IDX files: a big-endian header (magic, then one u32 a dimension) and unsigned bytes in row-major order.
//!
//! The magic is 0x0000_08_DD: 08 says unsigned bytes, DD the number of dimensions (3 for images, 1 for labels).

use std::path::{Path, PathBuf};

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
    let found = u32::from_be_bytes(*found);
    if found != magic {
        return Err(DataError::new(
            file,
            format!("magic 0x{magic:08x}"),
            format!("0x{found:08x}{}", compressed(bytes)),
        ));
    }
    let mut dimensions = [0; D];
    for dimension in &mut dimensions {
        let (value, behind) = rest.split_first_chunk::<4>().ok_or_else(truncated)?;
        *dimension = u32::from_be_bytes(*value);
        rest = behind;
    }
    Ok((dimensions, rest))
}

/// The usual reason for a wrong magic: the downloads are gzip files.
fn compressed(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(&[0x1f, 0x8b]) { " (a gzip file: unpack it first)" } else { "" }
}

fn body(file: &Path, bytes: &[u8], announced: u64, what: &str) -> Result<(), DataError> {
    let found = bytes.len() as u64;
    if found == announced {
        return Ok(());
    }
    Err(DataError::new(file, format!("{announced} bytes for {what} behind the header"), found))
}

/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte and their t10k- brothers from `folder`.
pub(super) fn load(folder: &Path) -> Result<Loaded, DataError> {
    let mut train = pair(folder, "train")?;
    let mut test = pair(folder, "t10k")?;
    if train.features != test.features {
        return Err(DataError::new(
            folder,
            "train and test images of one size",
            format!("{} and {} pixels", train.features, test.features),
        ));
    }
    let classes = train.classes.max(test.classes);
    (train.classes, test.classes) = (classes, classes);
    Ok(Loaded { train, test: Some(test) })
}

fn pair(folder: &Path, part: &str) -> Result<Dataset, DataError> {
    let (images_file, images) = read(folder, &format!("{part}-images"), "idx3-ubyte")?;
    let (inputs, features) = parse_idx_images(&images_file, &images)?;
    let (labels_file, labels) = read(folder, &format!("{part}-labels"), "idx1-ubyte")?;
    let labels = parse_idx_labels(&labels_file, &labels)?;
    let rows = inputs.len() / features;
    if labels.len() != rows {
        return Err(DataError::new(
            labels_file,
            format!("{rows} labels, one an image"),
            labels.len(),
        ));
    }
    let classes = labels.iter().max().map_or(0, |&largest| usize::from(largest) + 1);
    let name = folder
        .file_name()
        .map_or_else(|| "idx".into(), |name| format!("idx {}", name.to_string_lossy()));
    Ok(Dataset { inputs, labels, features, classes, name })
}

/// A file by either of its two common names: `train-images-idx3-ubyte` or `train-images.idx3-ubyte`.
fn read(folder: &Path, stem: &str, kind: &str) -> Result<(PathBuf, Vec<u8>), DataError> {
    let hyphen = folder.join(format!("{stem}-{kind}"));
    let dot = folder.join(format!("{stem}.{kind}"));
    let file = if !hyphen.exists() && dot.exists() { dot } else { hyphen };
    match std::fs::read(&file) {
        Ok(bytes) => Ok((file, bytes)),
        Err(reason) => Err(DataError::unreadable(&file, "an IDX file", &reason)),
    }
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
        assert_eq!(refuse(&labels(1, &[0])), "f: expected magic 0x00000803, found 0x00000801");
        assert!(refuse(&[0x1f, 0x8b, 8, 0]).contains("unpack it first"));
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
            (loaded.train.len(), loaded.train.classes, test.classes, test.labels),
            (2, 5, 5, vec![2])
        );
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
}
