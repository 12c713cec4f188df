//! A `~` that no shell has replaced, since it does so at the beginning of a word only: not in `idx:~/mnist`, and not
//! between quotes.

use std::path::{Path, PathBuf};

/// What `path` means where it begins with `~`; `None` where it does not. Another user's home stays as it is.
pub fn unreplaced(path: &Path) -> Option<PathBuf> {
    let begins = path.components().next()?.as_os_str().to_str()?.starts_with('~');
    begins.then(|| meant(path, std::env::var_os("HOME").map(PathBuf::from)))
}

fn meant(path: &Path, home: Option<PathBuf>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        (Ok(rest), None) => Path::new("$HOME").join(rest),
        (Err(_), _) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_one_at_the_beginning_alone() {
        for path in ["a/~", "./~/a", "/~", "a~", ""] {
            assert_eq!(unreplaced(Path::new(path)), None, "{path}");
        }
        assert!(unreplaced(Path::new("~")).is_some() && unreplaced(Path::new("~anna/x")).is_some());
        let home = Some(PathBuf::from("/home/me"));
        assert_eq!(meant(Path::new("~/a b"), home.clone()), Path::new("/home/me/a b"));
        assert_eq!(meant(Path::new("~anna/x"), home), Path::new("~anna/x"));
        assert_eq!(meant(Path::new("~/a"), None), Path::new("$HOME/a"));
    }
}
