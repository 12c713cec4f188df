//! The workspace's packages, as Cargo tells them.

use crate::command::{Run, root};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A package of ours.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    /// The registries that may have it: any where none are named.
    publish: Option<Vec<String>>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
    /// Whether `cargo test` runs the tests in it.
    test: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    optional: bool,
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// The members of a workspace whose root is `dir`. Nothing is fetched.
pub(crate) fn packages(dir: &Path) -> Result<Vec<Package>, String> {
    metadata(dir, &["--no-deps", "--offline"])
}

/// The packages that `cargo metadata` tells of.
pub(crate) fn metadata(dir: &Path, flags: &[&str]) -> Result<Vec<Package>, String> {
    let run = Run::cargo().args(["metadata", "--format-version", "1"]).args(flags);
    let text = run.dir(dir).output();
    let text = text.ok_or_else(|| format!("`cargo metadata` failed in {}", dir.display()))?;
    let metadata: Metadata =
        serde_json::from_str(&text).map_err(|error| format!("metadata: {error}"))?;
    Ok(metadata.packages)
}

/// Every package of this repository: the workspace's, and those apart from it.
pub(crate) fn all() -> Result<Vec<Package>, String> {
    let apart = ["fuzz", "python"].map(|dir| packages(&root().join(dir)));
    let apart = apart.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    Ok([packages(&root())?, apart].concat())
}

impl Package {
    pub(crate) fn is_published(&self) -> bool {
        self.publish.is_none()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// The first file of its library, of each program, test, benchmark and example.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        self.targets.iter().map(|target| target.src_path.clone()).collect()
    }

    /// Whether `cargo test` runs tests that stand below this first file.
    pub(crate) fn tests(&self, root: &Path) -> bool {
        self.targets.iter().any(|target| target.src_path == root && target.test)
    }

    /// The names of its examples, benchmarks and so on.
    pub(crate) fn targets(&self, kind: &str) -> impl Iterator<Item = &str> {
        let of_kind =
            self.targets.iter().filter(move |target| target.kind.iter().any(|k| k == kind));
        of_kind.map(|target| target.name.as_str())
    }

    /// The names of its features, `default` apart.
    pub(crate) fn features(&self) -> BTreeSet<&str> {
        self.features.keys().map(String::as_str).filter(|name| *name != "default").collect()
    }

    /// What it needs to be built for its users: dependencies of tests are left out.
    fn needed(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|one| one.kind.as_deref() != Some("dev"))
    }

    /// The packages of this repository that it stands on, and whether only a feature brings each.
    pub(crate) fn ours(&self) -> BTreeMap<&str, bool> {
        let mut ours = BTreeMap::new();
        for one in self.needed().filter(|one| one.path.is_some()) {
            // It may be named again for some targets, with more features.
            *ours.entry(one.name.as_str()).or_insert(true) &= one.optional;
        }
        ours
    }

    /// The dependencies of a build with default features.
    pub(crate) fn by_default(&self) -> BTreeSet<&str> {
        // `dep:NAME`, `NAME/FEATURE`, `NAME`; `NAME?/FEATURE` turns nothing on.
        let mut arrows = Vec::new();
        for (feature, values) in &self.features {
            let names = values.iter().map(|value| value.trim_start_matches("dep:"));
            let names = names.filter_map(|value| value.split('/').next());
            arrows.extend(names.map(|name| (feature.as_str(), name)));
        }
        let enabled = below("default", &arrows);
        let is_on = |one: &&Dependency| !one.optional || enabled.contains(one.name.as_str());
        self.needed().filter(is_on).map(|one| one.name.as_str()).collect()
    }
}

/// All that arrows lead to from a place, over others too.
pub(crate) fn below<T: Copy + Ord>(start: T, arrows: &[(T, T)]) -> BTreeSet<T> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        let next = arrows.iter().filter(|(from, _)| *from == at).map(|(_, to)| *to);
        open.extend(next.filter(|to| found.insert(*to)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_features_turn_dependencies_on_and_those_of_tests_are_left_out() {
        let package: Package = serde_json::from_value(serde_json::json!({
            "name": "a", "publish": [], "manifest_path": "/x/a/Cargo.toml", "description": "one",
            "features": { "default": ["b", "d?/std", "dep:e"], "b": ["dep:c", "f/std"] },
            "targets": [{ "name": "b", "kind": ["example"], "src_path": "/x/a/examples/b.rs", "test": false }],
            "dependencies": [
                { "name": "always", "kind": null, "optional": false, "path": "/x/always" },
                { "name": "c", "kind": null, "optional": true },
                { "name": "d", "kind": null, "optional": true },
                { "name": "e", "kind": null, "optional": true },
                { "name": "f", "kind": null, "optional": true },
                { "name": "tests", "kind": "dev", "optional": false, "path": "/x/tests" },
            ],
        }))
        .unwrap();
        assert_eq!(Vec::from_iter(package.by_default()), ["always", "c", "e", "f"]);
        assert_eq!(Vec::from_iter(package.features()), ["b"]);
        assert_eq!((package.dir(), package.is_published()), (Path::new("/x/a"), false));
        assert_eq!(Vec::from_iter(package.ours()), [("always", false)]);
        assert_eq!(Vec::from_iter(package.targets("example")), ["b"]);
        assert_eq!(package.targets("bench").count(), 0);
    }

    #[test]
    fn this_workspace_is_read() {
        let packages = all().unwrap();
        for name in ["presam", "xtask", "presam-fuzz"] {
            let package = packages.iter().find(|package| package.name == name).unwrap();
            assert!(package.roots().iter().all(|root| root.exists()), "{name}");
        }
    }
}
