//! A prefix as C expects one: `include`, `lib`, `lib/pkgconfig`, `lib/cmake`.

use crate::command::{Outcome, Run, emptied, made, read, root, target_dir, write};
use crate::workspace;
use std::path::Path;

/// What Rust's own library asks of the linker (`rustc --print native-static-libs`).
const LIBS: [&str; 5] = ["gcc_s", "pthread", "dl", "m", "c"];

/// Builds both libraries and installs them with all that belongs to them.
pub(super) fn install(prefix: &Path) -> Outcome {
    let version = version()?;
    let major = version.split('.').next().unwrap_or("0");
    let soname = format!("link-arg=-Wl,-soname,libpresam.so.{major}");
    let build = Run::cargo().args(["rustc", "--release", "--lib", "--package", "presam-capi"]);
    build.args(["--crate-type", "staticlib,cdylib", "--", "-C", &soname]).run()?;
    let lib = prefix.join("lib");
    let (include, cmake, pkgconfig) =
        (prefix.join("include"), lib.join("cmake/presam"), lib.join("pkgconfig"));
    for folder in [&lib, &include, &pkgconfig] {
        made(folder)?;
    }
    emptied(&cmake)?;
    let release = target_dir().join("release");
    copied(&release.join("libpresam_capi.a"), &lib.join("libpresam.a"))?;
    let shared = format!("libpresam.so.{major}");
    copied(&release.join("libpresam_capi.so"), &lib.join(&shared))?;
    Run::program("ln").args(["-sf", &shared]).arg(lib.join("libpresam.so")).run()?;
    copied(&root().join("capi/include/presam.h"), &include.join("presam.h"))?;
    let flags = LIBS.map(|name| format!("-l{name}")).join(" ");
    let filled = |from: &str, libs: &str, to: &Path| {
        let text = read(&root().join("capi").join(from))?.replace("@VERSION@", &version);
        write(&to.join(from), text.replace("@MAJOR@", major).replace("@LIBS@", libs))
    };
    filled("presam.pc", &flags, &pkgconfig)?;
    filled("presamConfig.cmake", &LIBS.join(";"), &cmake)?;
    filled("presamConfigVersion.cmake", "", &cmake)?;
    println!("installed presam {version} for C in {}", prefix.display());
    Ok(())
}

/// The workspace's.
fn version() -> Result<String, String> {
    let packages = workspace::packages(&root())?;
    let capi = packages.into_iter().find(|package| package.name == "presam-capi");
    capi.map(|package| package.version).ok_or("no package presam-capi".into())
}

pub(super) fn copied(from: &Path, to: &Path) -> Outcome {
    let done = std::fs::copy(from, to);
    done.map(|_| ()).map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}
