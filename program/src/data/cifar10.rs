//! CIFAR-10's binary layout: records of one label byte and 3,072 pixel bytes (red, green, blue planes of 32x32).

use std::path::Path;

use super::folder::{self, Instead, is_cifar10};
use super::prepare::prepare;
use super::read::{known, read};
use super::{DataError, Dataset, Loaded, scale_bytes};

/// Numbers in a row: three planes of 32x32.
pub const CIFAR10_FEATURES: usize = 3 * 32 * 32;
/// Number of classes.
pub const CIFAR10_CLASSES: usize = 10;
const RECORD: usize = 1 + CIFAR10_FEATURES;
/// CIFAR-100 has two label bytes.
const RECORD_100: usize = 2 + CIFAR10_FEATURES;

/// Reads whole records, as many as the bytes hold; inputs are scaled by 1/255; `file` is named in errors.
///
/// # Errors
/// No record, a length that is no multiple of 3,073 bytes, or a label above 9.
pub fn parse_cifar10(file: &Path, bytes: &[u8]) -> Result<Dataset, DataError> {
    let mut data = Dataset {
        inputs: Vec::new(),
        labels: Vec::new(),
        features: CIFAR10_FEATURES,
        classes: CIFAR10_CLASSES,
        name: "cifar10".into(),
    };
    append(&mut data, file, bytes)?;
    Ok(data)
}

fn append(data: &mut Dataset, file: &Path, bytes: &[u8]) -> Result<(), DataError> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
        let found = match known(bytes) {
            Some(words) => words.to_owned(),
            None if !bytes.is_empty() && bytes.len().is_multiple_of(RECORD_100) => {
                format!("records of {RECORD_100}: CIFAR-100, which is not read")
            }
            None => format!("a file of {} bytes", bytes.len()),
        };
        return Err(DataError::new(file, format!("records of {RECORD} bytes"), found));
    }
    data.inputs.reserve_exact(bytes.len() / RECORD * CIFAR10_FEATURES);
    for (index, record) in bytes.chunks_exact(RECORD).enumerate() {
        let Some((&label, pixels)) = record.split_first() else {
            continue;
        };
        if usize::from(label) >= CIFAR10_CLASSES {
            return Err(DataError::new(
                file,
                format!("labels 0 to {}", CIFAR10_CLASSES - 1),
                format!("{label} in record {index}"),
            ));
        }
        data.labels.push(label);
        data.inputs.extend(scale_bytes(pixels));
    }
    Ok(())
}

/// Reads every data_batch_*.bin (in the order of their names) and test_batch.bin from `folder`, packed or not.
pub(super) fn load(folder: &Path) -> Result<Loaded, DataError> {
    const EXPECTED: &str = "a folder with data_batch_*.bin";
    const RECORDS: &str = "CIFAR-10 records";
    let names = folder::names(folder, EXPECTED)?;
    let mut train: Option<Dataset> = None;
    for name in batches(&names) {
        let file = folder.join(name);
        let bytes = read(&file, RECORDS)?;
        match &mut train {
            Some(train) => append(train, &file, &bytes)?,
            None => train = Some(parse_cifar10(&file, &bytes)?),
        }
    }
    let Some(train) = train else {
        return Err(DataError::new(folder, EXPECTED, Instead::new(folder, names)));
    };
    let packed = names.iter().any(|name| name == "test_batch.bin.gz");
    let plain = folder.join("test_batch.bin");
    let file = if packed && !plain.exists() { folder.join("test_batch.bin.gz") } else { plain };
    let test = parse_cifar10(&file, &read(&file, RECORDS)?)?;
    prepare(folder, train, test)
}

/// The training batches among `names`; a packed one only where it does not lie beside itself unpacked.
fn batches(names: &[String]) -> impl Iterator<Item = &String> {
    let twice = |name: &str| {
        let plain = folder::plain(name);
        plain != name && names.iter().any(|name| name == plain)
    };
    names.iter().filter(move |name| is_cifar10(name) && !twice(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(label: u8, pixel: u8) -> Vec<u8> {
        let mut record = vec![pixel; RECORD];
        record[0] = label;
        record
    }

    #[test]
    fn records_are_counted_from_the_size_and_labels_checked() {
        let data =
            parse_cifar10(Path::new("f"), &[record(3, 255), record(9, 51)].concat()).unwrap();
        assert_eq!(
            (data.len(), &data.labels[..], data.inputs[0], data.inputs[CIFAR10_FEATURES]),
            (2, &[3, 9][..], 1.0, 0.2)
        );
        let refuse = |bytes: &[u8]| parse_cifar10(Path::new("f"), bytes).unwrap_err().to_string();
        assert_eq!(refuse(&[]), "f: expected records of 3073 bytes, found a file of 0 bytes");
        assert_eq!(
            refuse(&record(0, 0)[1..]),
            "f: expected records of 3073 bytes, found a file of 3072 bytes"
        );
        assert_eq!(
            refuse(&[0; 2 * RECORD_100]),
            "f: expected records of 3073 bytes, found records of 3074: CIFAR-100, which is not read"
        );
        assert_eq!(
            refuse(b"<html>403"),
            "f: expected records of 3073 bytes, found a web page: the download failed"
        );
        assert_eq!(
            refuse(&[record(0, 0), record(10, 0)].concat()),
            "f: expected labels 0 to 9, found 10 in record 1"
        );
    }

    #[test]
    fn a_folder_gives_all_its_batches_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let missing = load(&folder.path().join("absent")).unwrap_err().to_string();
        assert!(
            missing.ends_with(
                "absent: expected a folder with data_batch_*.bin, found no such file or folder"
            ),
            "{missing}"
        );
        let empty = load(folder.path()).unwrap_err().to_string();
        assert!(
            empty.ends_with("expected a folder with data_batch_*.bin, found an empty folder"),
            "{empty}"
        );
        let write =
            |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(name), bytes).unwrap();
        write("data_batch_2.bin", record(2, 0));
        write("data_batch_1.bin", [record(1, 0), record(5, 0)].concat());
        let missing = load(folder.path()).unwrap_err().to_string();
        assert!(
            missing.ends_with("test_batch.bin: expected CIFAR-10 records, found no such file"),
            "{missing}"
        );
        write("test_batch.bin", record(7, 0));
        let loaded = load(folder.path()).unwrap();
        assert_eq!(loaded.labels, [1, 2, 5, 7]);
        assert_eq!((loaded.train.labels, loaded.test.unwrap().labels), (vec![0, 2, 1], vec![3]));
        write("data_batch_1.bin.gz", Vec::new());
        assert_eq!(load(folder.path()).unwrap().train.len(), 3, "a packed copy is not read too");
    }
}
