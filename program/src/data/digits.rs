//! The embedded digits: *Optical Recognition of Handwritten Digits*, E. Alpaydin and C. Kaynak, UCI 1998, CC BY 4.0.

use super::{DataError, Dataset};

const TEXT: &str = include_str!("../../data/optdigits.csv");
const FILE: &str = "optdigits.csv";
const FEATURES: usize = 64;
const CLASSES: u8 = 10;
const LARGEST_PIXEL: u8 = 16;

/// The 1,797 embedded digits: 8x8 pixels each, scaled by 1/16, ten classes.
///
/// # Errors
/// Never with the file that the crate ships; a damaged build is reported like any other bad file.
pub fn digits() -> Result<Dataset, DataError> {
    parse_digits(FILE, TEXT.as_bytes())
}

/// Reads rows of 64 pixels 0..=16 and a class 0..=9, separated by commas; `file` is named in errors.
///
/// # Errors
/// The first line that has another number of fields, or a field that is not such a number.
pub fn parse_digits(file: &str, bytes: &[u8]) -> Result<Dataset, DataError> {
    let text = std::str::from_utf8(bytes).map_err(|bad| {
        DataError::new(file, "text", format!("a byte at {} that is none", bad.valid_up_to()))
    })?;
    let mut data = Dataset {
        inputs: Vec::new(),
        labels: Vec::new(),
        features: FEATURES,
        classes: usize::from(CLASSES),
        name: "digits".into(),
    };
    for (index, line) in text.lines().enumerate() {
        parse_line(&mut data, line).map_err(|(expected, found)| {
            DataError::new(file, expected, format!("{found} in line {}", index + 1))
        })?;
    }
    if data.is_empty() { Err(DataError::new(file, "at least one row", "none")) } else { Ok(data) }
}

/// Appends one row; on failure what was expected and what was found.
fn parse_line(data: &mut Dataset, line: &str) -> Result<(), (String, String)> {
    let fields = line.split(',').count();
    if fields != FEATURES + 1 {
        return Err((format!("{} fields", FEATURES + 1), format!("{fields}")));
    }
    for (column, field) in line.split(',').enumerate() {
        let largest = if column < FEATURES { LARGEST_PIXEL } else { CLASSES - 1 };
        match field.trim().parse::<u8>() {
            Ok(value) if value > largest => {
                return Err((
                    format!("a number 0 to {largest} in field {}", column + 1),
                    format!("{value}"),
                ));
            }
            Ok(value) if column < FEATURES => {
                data.inputs.push(f32::from(value) / f32::from(LARGEST_PIXEL))
            }
            Ok(value) => data.labels.push(value),
            Err(_) => {
                return Err((
                    format!("a number 0 to {largest} in field {}", column + 1),
                    told(field),
                ));
            }
        }
    }
    Ok(())
}

/// A field in a message: its beginning, for a file may hold anything.
fn told(field: &str) -> String {
    const MOST: usize = 20;
    let rest = if field.chars().count() > MOST { "..." } else { "" };
    format!("{:?}{rest}", field.chars().take(MOST).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_is_whole() {
        let data = digits().unwrap();
        assert_eq!((data.len(), data.features, data.classes), (1797, 64, 10));
        assert_eq!(data.inputs.len(), 1797 * 64);
        assert!(data.inputs.iter().all(|&x| (0.0..=1.0).contains(&x)));
        assert_eq!(&data.inputs[..4], [0.0, 0.0, 5.0 / 16.0, 13.0 / 16.0]);
        // Counts as published for the test part of the original collection.
        let count = |class: u8| data.labels.iter().filter(|&&label| label == class).count();
        assert_eq!(
            (0..10).map(count).collect::<Vec<_>>(),
            [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
        );
    }

    #[test]
    fn a_bad_line_is_named_with_its_number() {
        let good = format!("{}3\n", "1,".repeat(64));
        let cases = [
            (format!("{good}1,2\n"), "x.csv: expected 65 fields, found 2 in line 2"),
            (
                good.replacen('1', "17", 1),
                "x.csv: expected a number 0 to 16 in field 1, found 17 in line 1",
            ),
            (
                good.replace(",3", ",10"),
                "x.csv: expected a number 0 to 9 in field 65, found 10 in line 1",
            ),
            (
                good.replacen('1', "one", 1),
                "x.csv: expected a number 0 to 16 in field 1, found \"one\" in line 1",
            ),
            (
                good.replacen('1', &"long ".repeat(1000), 1),
                "x.csv: expected a number 0 to 16 in field 1, found \"long long long long \"... in line 1",
            ),
            (String::new(), "x.csv: expected at least one row, found none"),
        ];
        assert_eq!(parse_digits("x.csv", good.as_bytes()).unwrap().labels, [3]);
        for (text, message) in cases {
            assert_eq!(parse_digits("x.csv", text.as_bytes()).unwrap_err().to_string(), message);
        }
        assert!(
            parse_digits("x.csv", &[0xff, 0xfe]).unwrap_err().to_string().contains("expected text")
        );
    }
}
