//! The workspace's packages, as Cargo tells them.

use crate::command::{Run, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A package of ours.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) description: String,
    /// Whether a registry may have it.
    pub(crate) published: bool,
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// The first file of its library, of each program, test, benchmark and example.
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) dependencies: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
}

/// What a package needs to be built for its users: dependencies of tests are left out.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) optional: bool,
    /// Whether it lies in this repository.
    pub(crate) ours: bool,
}

/// The members of a workspace whose root is `dir`. Nothing is fetched.
pub(crate) fn packages(dir: &Path) -> Result<Vec<Package>, String> {
    let run = Run::cargo().args(["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    let text = run.dir(dir).output();
    let text = text.ok_or_else(|| format!("`cargo metadata` failed in {}", dir.display()))?;
    let json: Value = serde_json::from_str(&text).map_err(|error| format!("metadata: {error}"))?;
    Ok(list(&json, "packages").iter().map(package).collect())
}

/// Every package of this repository: the workspace's and the fuzz targets'.
pub(crate) fn all() -> Result<Vec<Package>, String> {
    let mut packages = packages(&root())?;
    packages.extend(self::packages(&root().join("fuzz"))?);
    Ok(packages)
}

impl Package {
    /// For tests: a package without files.
    #[cfg(test)]
    pub(crate) fn planted(name: &str, description: &str, dependencies: Vec<Dependency>) -> Self {
        let (name, description) = (name.to_owned(), description.to_owned());
        let (dir, published) = (PathBuf::from("/x").join(&name), true);
        let (roots, features) = (Vec::new(), BTreeMap::new());
        Self { name, description, published, dir, roots, dependencies, features }
    }

    /// The names of its features, `default` apart.
    pub(crate) fn features(&self) -> BTreeSet<&str> {
        self.features.keys().map(String::as_str).filter(|name| *name != "default").collect()
    }

    /// The dependencies of a build with default features.
    pub(crate) fn by_default(&self) -> BTreeSet<&str> {
        let mut enabled = BTreeSet::new();
        self.enable("default", &mut enabled);
        let needed = |dependency: &&Dependency| {
            !dependency.optional || enabled.contains(dependency.name.as_str())
        };
        self.dependencies.iter().filter(needed).map(|dependency| dependency.name.as_str()).collect()
    }

    /// What a feature turns on: other features, and dependencies by their names.
    fn enable<'a>(&'a self, feature: &str, enabled: &mut BTreeSet<&'a str>) {
        for value in self.features.get(feature).into_iter().flatten() {
            // `dep:NAME`, `NAME/FEATURE`, `NAME`; `NAME?/FEATURE` turns nothing on.
            let name = value.strip_prefix("dep:").unwrap_or(value);
            let name = name.split('/').next().unwrap_or(name);
            if !name.ends_with('?') && enabled.insert(name) {
                self.enable(name, enabled);
            }
        }
    }
}

fn package(value: &Value) -> Package {
    let manifest = PathBuf::from(text(value, "manifest_path"));
    let features = value.get("features").and_then(Value::as_object).into_iter().flatten();
    let dependencies = list(value, "dependencies").iter().filter(|one| text(one, "kind") != "dev");
    Package {
        name: text(value, "name"),
        description: text(value, "description"),
        // `publish = false` is told as a list of no registry.
        published: value.get("publish").is_none_or(Value::is_null),
        dir: manifest.parent().map_or_else(PathBuf::new, Path::to_path_buf),
        roots: list(value, "targets").iter().map(|one| text(one, "src_path").into()).collect(),
        dependencies: dependencies.map(dependency).collect(),
        features: features.map(|(name, values)| (name.clone(), strings(values))).collect(),
    }
}

fn dependency(value: &Value) -> Dependency {
    Dependency {
        name: text(value, "name"),
        optional: value.get("optional").and_then(Value::as_bool).unwrap_or(false),
        ours: value.get("path").is_some(),
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Package {
        package(&serde_json::json!({
            "name": "a", "publish": [], "manifest_path": "/x/a/Cargo.toml", "description": "one",
            "features": { "default": ["b", "d?/std", "dep:e"], "b": ["dep:c", "f/std"] },
            "targets": [{ "src_path": "/x/a/src/lib.rs" }],
            "dependencies": [
                { "name": "always", "kind": null, "optional": false, "path": "/x/always" },
                { "name": "c", "kind": null, "optional": true },
                { "name": "d", "kind": null, "optional": true },
                { "name": "e", "kind": null, "optional": true },
                { "name": "f", "kind": null, "optional": true },
                { "name": "tests", "kind": "dev", "optional": false },
            ],
        }))
    }

    #[test]
    fn default_features_turn_dependencies_on() {
        let package = sample();
        assert_eq!(Vec::from_iter(package.by_default()), ["always", "c", "e", "f"]);
        assert_eq!(Vec::from_iter(package.features()), ["b"]);
        assert_eq!((package.dir.as_path(), package.published), (Path::new("/x/a"), false));
    }

    #[test]
    fn tests_dependencies_are_left_out() {
        let package = sample();
        assert!(package.dependencies.iter().all(|dependency| dependency.name != "tests"));
        let ours = package.dependencies.iter().filter(|dependency| dependency.ours);
        assert_eq!(Vec::from_iter(ours.map(|one| one.name.as_str())), ["always"]);
    }

    #[test]
    fn this_workspace_is_read() {
        let packages = all().unwrap();
        for name in ["presam", "xtask", "presam-fuzz"] {
            let package = packages.iter().find(|package| package.name == name).unwrap();
            assert!(package.roots.iter().all(|root| root.exists()), "{name}");
        }
    }
}
