//! CIFAR-10's binary layout: records of one label byte and 3,072 pixel bytes (red, green, blue planes of 32x32).

use std::path::{Path, PathBuf};

use super::{DataError, Dataset, Loaded, scale_bytes};

/// Numbers in a row: three planes of 32x32.
pub const CIFAR10_FEATURES: usize = 3 * 32 * 32;
/// Number of classes.
pub const CIFAR10_CLASSES: usize = 10;
const RECORD: usize = 1 + CIFAR10_FEATURES;

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
        return Err(DataError::new(
            file,
            format!("records of {RECORD} bytes"),
            format!("a file of {} bytes", bytes.len()),
        ));
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

/// Reads every data_batch_*.bin (in the order of their names) and test_batch.bin from `folder`.
pub(super) fn load(folder: &Path) -> Result<Loaded, DataError> {
    let mut train: Option<Dataset> = None;
    for file in batches(folder)? {
        let bytes = read(&file)?;
        match &mut train {
            Some(train) => append(train, &file, &bytes)?,
            None => train = Some(parse_cifar10(&file, &bytes)?),
        }
    }
    let train = train.ok_or_else(|| DataError::new(folder, "a file data_batch_*.bin", "none"))?;
    let file = folder.join("test_batch.bin");
    let test = parse_cifar10(&file, &read(&file)?)?;
    Ok(Loaded { train, test: Some(test) })
}

fn batches(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable =
        |reason| DataError::unreadable(folder, "a folder with data_batch_*.bin", &reason);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("data_batch_") && name.ends_with(".bin") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(file).map_err(|reason| DataError::unreadable(file, "CIFAR-10 records", &reason))
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
            refuse(&[record(0, 0), record(10, 0)].concat()),
            "f: expected labels 0 to 9, found 10 in record 1"
        );
    }

    #[test]
    fn a_folder_gives_all_its_batches_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let missing = load(&folder.path().join("absent")).unwrap_err().to_string();
        assert!(
            missing.contains("absent: expected a folder with data_batch_*.bin, found no such file"),
            "{missing}"
        );
        assert!(
            load(folder.path())
                .unwrap_err()
                .to_string()
                .ends_with("expected a file data_batch_*.bin, found none")
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
        assert_eq!((loaded.train.labels, loaded.test.unwrap().labels), (vec![1, 5, 2], vec![7]));
    }
}
