//! One line that stands for every bit of every final parameter of a comparison.

use sha2::{Digest, Sha256};

use super::records::Run;

/// SHA-256, in hexadecimal, over the sorted lines `method seed params_sha256` (each ended by a line feed).
///
/// Sorting makes it independent of the order in which threads finished.
pub fn digest(runs: &[Run]) -> String {
    let mut lines: Vec<String> = runs
        .iter()
        .map(|run| format!("{} {} {}\n", run.method, run.seed, run.params_sha256))
        .collect();
    lines.sort();
    hex(Sha256::digest(lines.concat()))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn it_is_the_hash_of_the_sorted_lines_whatever_the_order_of_the_runs() {
        let mut runs = sample::runs(&["sam"], &[0.0], &[2, 10]);
        runs[0].params_sha256 = "aa".into();
        runs[1].params_sha256 = "bb".into();
        // printf 'sam 10 bb\nsam 2 aa\n' | sha256sum
        let expected = "94ef942ff0145b976a03a311046e5d92b1298c5ea963c6ad4c2333b8ff8ca97b";
        assert_eq!(digest(&runs), expected);
        runs.reverse();
        assert_eq!(digest(&runs), expected);
        runs[0].params_sha256 = "ab".into();
        assert_ne!(digest(&runs), expected);
    }
}
