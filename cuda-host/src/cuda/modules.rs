//! PTX texts and their entries: compiled by the driver on first use, then kept.

use std::collections::HashMap;
use std::ffi::{CString, c_int, c_void};
use std::thread::ScopedJoinHandle;

use cust::sys;
use presam_kernels::Kernel;
use presam_kernels::ptx::TEXTS;

use super::driver::{Failure, call, cuda_version};
use crate::error::DeviceError;

/// Bytes for each of the compiler's two logs.
const LOG_BYTES: usize = 16_384;

/// Bytes of stack for a thread that compiles.
const STACK: usize = 64 << 20;

/// The entry looked for is not in the module.
const NOT_FOUND: c_int = 500;

/// Refusals of the text itself: invalid image, no code for this GPU, invalid PTX, no compiler, PTX
/// version or instruction set too new, compiling switched off, invalid source.
const REFUSALS: [c_int; 7] = [200, 209, 218, 221, 222, 223, 300];

/// Every module that was loaded, and every entry that was looked up, by text and entry name.
#[derive(Default)]
pub(super) struct Modules {
    modules: HashMap<&'static str, sys::CUmodule>,
    functions: HashMap<(&'static str, &'static str), sys::CUfunction>,
}

impl Modules {
    /// The entry of `kernel`, if it was loaded.
    pub(super) fn function(&self, kernel: &'static Kernel) -> Option<sys::CUfunction> {
        self.functions.get(&(kernel.text, kernel.name)).copied()
    }

    /// Loads the text and looks the entry up. A context must be current.
    pub(super) fn load(
        &mut self,
        kernel: &'static Kernel,
        driver: c_int,
    ) -> Result<sys::CUfunction, DeviceError> {
        let name = kernel.text;
        let text = presam_kernels::ptx::text(name).unwrap_or_default();
        let rejected = |log| DeviceError::Rejected {
            text: name.to_owned(),
            versions: versions(text, driver),
            log,
        };
        if text.is_empty() {
            return Err(rejected("this program holds no such text".to_owned()));
        }
        let module = match self.modules.get(name) {
            Some(&module) => module,
            None => {
                let module = compile(text).map_err(|refusal| match refusal {
                    Refusal { failure, log }
                        if REFUSALS.contains(&failure.code) || !log.is_empty() =>
                    {
                        rejected(format!(
                            "{log}{}{}",
                            if log.is_empty() { "" } else { "; " },
                            failure.words()
                        ))
                    }
                    Refusal { failure, .. } => failure.into(),
                })?;
                self.modules.insert(name, module);
                module
            }
        };
        let function = entry(module, kernel.name).map_err(|failure| match failure.code {
            NOT_FOUND => rejected(format!("it has no entry {}", kernel.name)),
            _ => failure.into(),
        })?;
        self.functions.insert((name, kernel.name), function);
        Ok(function)
    }

    /// Loads every text that is not loaded yet, each on a thread of its own: one takes the driver's compiler seconds of
    /// one core. A text that is refused is left for its first launch, which tells why.
    pub(super) fn load_all(&mut self, context: sys::CUcontext) {
        let context = context.expose_provenance();
        let missing = TEXTS.iter().filter(|name| !self.modules.contains_key(*name));
        let loaded: Vec<_> = std::thread::scope(|scope| {
            // A thread's own stack is a quarter of the main one's: the driver's compiler is to have no less.
            let thread = || std::thread::Builder::new().stack_size(STACK);
            let load = |name: &'static str| {
                thread().spawn_scoped(scope, move || compiled_in(context, name)).ok()
            };
            let threads: Vec<_> = missing.map(|&name| (name, load(name))).collect();
            let compiled = |(name, thread): (_, Option<ScopedJoinHandle<'_, _>>)| {
                Some((name, thread?.join().ok()??))
            };
            threads.into_iter().filter_map(compiled).collect()
        });
        let modules = { loaded }.into_iter();
        self.modules.extend(
            modules.map(|(name, module)| (name, std::ptr::with_exposed_provenance_mut(module))),
        );
    }

    /// Gives every module back. A context must be current and nothing of them in use.
    pub(super) fn unload(&mut self) {
        self.functions.clear();
        for (_, module) in self.modules.drain() {
            // SAFETY: loaded in `compile`, unloaded once.
            let _ = unsafe { call!(cuModuleUnload(module)) };
        }
    }
}

/// Compiles a text on a thread that has no context yet; both pointers as numbers, which threads may exchange.
fn compiled_in(context: usize, name: &str) -> Option<usize> {
    let context: sys::CUcontext = std::ptr::with_exposed_provenance_mut(context);
    // SAFETY: the caller waits for this thread, and holds the context meanwhile.
    unsafe { call!(cuCtxSetCurrent(context)) }.ok()?;
    let module = compile(presam_kernels::ptx::text(name)?).ok()?;
    Some(module.expose_provenance())
}

/// Why a text did not compile.
#[derive(Debug)]
struct Refusal {
    failure: Failure,
    /// One line; empty where the compiler had nothing to say.
    log: String,
}

/// Compiles a text for the current context's device.
fn compile(text: &str) -> Result<sys::CUmodule, Refusal> {
    use sys::CUjit_option_enum::{
        CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_INFO_LOG_BUFFER,
        CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES,
    };
    let image = CString::new(text).map_err(|_| Refusal {
        failure: Failure { function: "cuModuleLoadDataEx", code: 218 },
        log: "a zero byte in the text".to_owned(),
    })?;
    let (mut errors, mut notes) = (vec![0_u8; LOG_BYTES], vec![0_u8; LOG_BYTES]);
    // The driver takes numbers as pointers.
    let size: *mut c_void = std::ptr::without_provenance_mut(LOG_BYTES);
    let mut options = [
        CU_JIT_ERROR_LOG_BUFFER,
        CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
        CU_JIT_INFO_LOG_BUFFER,
        CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES,
    ];
    let mut values = [errors.as_mut_ptr().cast(), size, notes.as_mut_ptr().cast(), size];
    let mut module = std::ptr::null_mut();
    let image = image.as_ptr().cast();
    let (options, values) = (options.as_mut_ptr(), values.as_mut_ptr());
    // SAFETY: the image ends with a zero; each option has its value, and the logs have the size given.
    unsafe { call!(cuModuleLoadDataEx(&raw mut module, image, 4, options, values)) }
        .map_err(|failure| Refusal { failure, log: one_line(&errors, &notes) })?;
    Ok(module)
}

fn entry(module: sys::CUmodule, name: &str) -> Result<sys::CUfunction, Failure> {
    let mut function = std::ptr::null_mut();
    let absent = Failure { function: "cuModuleGetFunction", code: NOT_FOUND };
    let name = CString::new(name).map_err(|_| absent)?;
    // SAFETY: the module is loaded, the name ends with a zero.
    unsafe { call!(cuModuleGetFunction(&raw mut function, module, name.as_ptr())) }?;
    Ok(function)
}

/// The log of errors, else that of notes, in one line.
fn one_line(errors: &[u8], notes: &[u8]) -> String {
    let line = |log: &[u8]| {
        let text = log.split(|&byte| byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
    };
    let errors = line(errors);
    if errors.is_empty() { line(notes) } else { errors }
}

/// `PTX 7.0 for sm_70, driver for CUDA 12.4`.
fn versions(text: &str, driver: c_int) -> String {
    let after = |directive| {
        let mut lines = text.lines().filter_map(|line| line.trim().strip_prefix(directive));
        lines.next().map_or("?", str::trim)
    };
    let (version, target) = (after(".version"), after(".target"));
    format!("PTX {version} for {target}, driver for CUDA {}", cuda_version(driver))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::Cuda;

    #[test]
    fn versions_are_those_of_the_text() {
        let text = "// made by\n.version 7.0\n.target sm_70\n.address_size 64\n";
        assert_eq!(versions(text, 12_040), "PTX 7.0 for sm_70, driver for CUDA 12.4");
        assert_eq!(versions("", 11_000), "PTX ? for ?, driver for CUDA 11.0");
    }

    #[test]
    fn a_log_becomes_one_line_and_errors_come_first() {
        assert_eq!(one_line(b"a\n\n  b\n\0junk", b"note\0"), "a; b");
        assert_eq!(one_line(b"\0\0", b"note\n"), "note");
        assert_eq!(one_line(b"", b""), "");
    }

    /// Runs under `cargo xtask cuda-smoke`, whose stub refuses every text with this word in it.
    #[test]
    fn a_refused_text_brings_the_compiler_s_log() {
        let cuda = Cuda::open(0).expect("`cargo xtask cuda-smoke` runs this with its stub");
        let refusal = compile(".version 7.0\n.target sm_70\nREJECT\n").unwrap_err();
        assert_eq!((refusal.failure.code, refusal.failure.function), (218, "cuModuleLoadDataEx"));
        assert!(refusal.log.contains("ptxas"), "{}", refusal.log);
        assert!(compile(".version 7.0\n.target sm_70\n").is_ok());
        assert_eq!(compile("a\0b").unwrap_err().log, "a zero byte in the text");
        drop(cuda);
    }
}
