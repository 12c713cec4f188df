//! A caller's addresses, once `extent.rs` has looked at them: the one place where they become values and slices.

#![allow(unsafe_code, reason = "C hands over addresses")]

use crate::extent::{Extent, Extents};
use crate::layout::{Config, Group, Mark, PRESAM_VERSION, PlaneCount, Report, Setting, Tensor};
use crate::segment::{Reading, Writing};
use crate::settings::{self, Counts, List, Named};
use crate::status::{Argument, Code, Fault, check};
use core::ffi::{CStr, c_char};
use core::ops::Range;
use core::ptr::addr_of_mut;
use core::slice::{from_raw_parts, from_raw_parts_mut};
use presam::{AnyReal, Planes, PlanesMut};

/// Names are shorter than this.
const LONGEST_NAME: usize = 64;

/// A struct that begins with its size and its version.
///
/// # Safety
/// The type is `repr(C)`, begins with two `u32`, and every bit pattern is a value of it.
pub(crate) unsafe trait Headed: Copy {
    const ARGUMENT: Argument;
}

// SAFETY: numbers and addresses alone, `size` and `version` first.
unsafe impl Headed for Config {
    const ARGUMENT: Argument = Argument::Config;
}
// SAFETY: as above.
unsafe impl Headed for Group {
    const ARGUMENT: Argument = Argument::Group;
}
// SAFETY: as above.
unsafe impl Headed for PlaneCount {
    const ARGUMENT: Argument = Argument::Out;
}
// SAFETY: as above.
unsafe impl Headed for Report {
    const ARGUMENT: Argument = Argument::Out;
}
// SAFETY: as above; `f32` and `f64` are behind addresses.
unsafe impl<R: AnyReal> Headed for Tensor<R> {
    const ARGUMENT: Argument = Argument::Tensor;
}

/// A copy of a caller's struct, once its head is right.
///
/// # Safety
/// `at` is null or holds two `u32`; where the first is the size of `T`, it holds a `T`.
pub(crate) unsafe fn headed<T: Headed>(at: *const T) -> Result<T, Fault> {
    Extent::of(at, 1, false, T::ARGUMENT)?;
    // SAFETY: not null, aligned, and the caller's word for two `u32`.
    let [size, version] = unsafe { at.cast::<[u32; 2]>().read() };
    check(size as usize == size_of::<T>(), Code::StructSize, T::ARGUMENT)?;
    check(version == PRESAM_VERSION, Code::StructVersion, T::ARGUMENT)?;
    // SAFETY: the size is that of `T`, of which every bit pattern is a value.
    Ok(unsafe { at.read() })
}

/// A copy of what stands at `at`, where its first word is `magic`.
///
/// # Safety
/// `at` is null or holds a `u32`; where that is `magic`, it holds a `T`.
pub(crate) unsafe fn held<T: Copy>(
    at: *const T,
    magic: u32,
    argument: Argument,
) -> Result<T, Fault> {
    Extent::of(at, 1, true, argument)?;
    // SAFETY: not null, aligned, and the caller's word for a `u32`.
    let word = unsafe { at.cast::<u32>().read() };
    check(word == magic, Code::NotBegun, argument)?;
    // SAFETY: the caller's word for a `T` behind this magic.
    Ok(unsafe { at.read() })
}

/// A name of a caller's; empty where it is no text of a name's length.
///
/// # Safety
/// `at` is a string that ends with 0.
unsafe fn text<'a>(at: *const c_char) -> &'a str {
    for length in 0..LONGEST_NAME {
        // SAFETY: no 0 was met before this byte, so it is within the string.
        if unsafe { at.add(length).read() } == 0 {
            // SAFETY: these bytes were just read, the last is the first 0.
            let bytes = unsafe { from_raw_parts(at.cast::<u8>(), length.saturating_add(1)) };
            let text = CStr::from_bytes_with_nul(bytes).ok().and_then(|text| text.to_str().ok());
            return text.unwrap_or_default();
        }
    }
    ""
}

/// The names in a configuration.
///
/// # Safety
/// Every address in `config` is null or a string that ends with 0.
pub(crate) unsafe fn named<'a>(config: &Config) -> Named<'a> {
    let one = |at: *const c_char| {
        // SAFETY: not null, so a string.
        (!at.is_null()).then(|| unsafe { text(at) })
    };
    let list = |settings: [Setting; _]| -> List<'a> {
        settings.map(|setting| Some((one(setting.key)?, setting.value)))
    };
    Named {
        variant: one(config.variant_name),
        base: one(config.base_name),
        variant_settings: list(config.variant_settings),
        base_settings: list(config.base_settings),
    }
}

/// A tensor whose planes are there, aligned and apart.
pub(crate) struct View<R> {
    at: *mut Tensor<R>,
    tensor: Tensor<R>,
    group: presam::Group<R>,
    counts: Counts,
    has_backup: bool,
    pub extents: Extents,
}

/// Checks a tensor; `others` is what else the call has. `backup` says whether it has one, by its group and its mark.
///
/// # Safety
/// `at` is as [`headed`] asks; so is its group.
pub(crate) unsafe fn view<R: AnyReal>(
    at: *mut Tensor<R>,
    counts: Counts,
    backup: impl FnOnce(&presam::Group<R>, Mark) -> bool,
    others: &[Extent],
) -> Result<View<R>, Fault> {
    // SAFETY: the caller's word.
    let tensor = unsafe { headed(at.cast_const()) }?;
    // SAFETY: the caller's word.
    let group = settings::group(&unsafe { headed(tensor.group) }?)?;
    let mut extents = Extents::of(others)?;
    extents.add(Extent::of(at, 1, true, Argument::Tensor))?;
    extents.add(Extent::of(tensor.group, 1, false, Argument::Group))?;
    let has_backup = backup(&group, tensor.mark);
    add_planes(&tensor, counts, has_backup, &mut extents)?;
    Ok(View { at, tensor, group, counts, has_backup, extents })
}

/// Adds every plane that the call's rules have.
fn add_planes<R>(
    tensor: &Tensor<R>,
    counts: Counts,
    has_backup: bool,
    extents: &mut Extents,
) -> Result<(), Fault> {
    let mut add = |at: *const R, writes: bool, argument: Argument| {
        // A length that no plane has is at fault itself.
        let extent = Extent::of(at, tensor.len, writes, argument);
        let extent = extent.map_err(|fault| match fault.code {
            Code::TooLong => Fault::new(Code::TooLong, Argument::Len),
            _ => fault,
        });
        if tensor.len == 0 { Ok(()) } else { extents.add(extent) }
    };
    add(tensor.params, true, Argument::Params)?;
    add(tensor.grads, false, Argument::Grads)?;
    if has_backup {
        add(tensor.backup, true, Argument::Backup)?;
    }
    let written = [
        (tensor.memory, counts.memory, Argument::MEMORY),
        (tensor.state, counts.state, Argument::STATE),
    ];
    for (planes, count, arguments) in written {
        for (plane, argument) in planes.into_iter().zip(arguments).take(count) {
            add(plane, true, argument)?;
        }
    }
    for (plane, argument) in tensor.inputs.into_iter().zip(Argument::INPUTS).take(counts.inputs) {
        add(plane, false, argument)?;
    }
    Ok(())
}

/// Checks what a restore takes, params and backup alone, while the tensor is perturbed.
///
/// # Safety
/// As [`view`].
pub(crate) unsafe fn view_restored<R: AnyReal>(
    at: *mut Tensor<R>,
    others: &[Extent],
) -> Result<View<R>, Fault> {
    // SAFETY: the caller's word.
    let tensor = unsafe { headed(at.cast_const()) }?;
    let group = presam::Group::new(R::ZERO);
    let group = group.map_err(|_| Fault::new(Code::Range, Argument::Rho))?;
    let mut extents = Extents::of(others)?;
    extents.add(Extent::of(at, 1, true, Argument::Tensor))?;
    let has_backup = tensor.len > 0;
    if has_backup {
        extents.add(Extent::of(tensor.params, tensor.len, true, Argument::Params))?;
        extents.add(Extent::of(tensor.backup, tensor.len, true, Argument::Backup))?;
    }
    let counts = Counts { memory: 0, inputs: 0, state: 0 };
    Ok(View { at, tensor, group, counts, has_backup, extents })
}

impl<R: AnyReal> View<R> {
    pub(crate) fn mark(&self) -> Mark {
        self.tensor.mark
    }

    pub(crate) fn params(&self) -> Range<usize> {
        params_of(&self.tensor)
    }

    /// Writes the mark.
    ///
    /// # Safety
    /// The tensor may be written.
    pub(crate) unsafe fn set_mark(&self, mark: Mark) {
        // SAFETY: `view` found a tensor at this address.
        unsafe { addr_of_mut!((*self.at).mark).write(mark) };
    }

    /// The slices, to be read.
    ///
    /// # Safety
    /// Every plane holds `len` elements that nobody writes meanwhile.
    pub(crate) unsafe fn reading<'a>(&self) -> Reading<'a, R> {
        let Tensor { len, params, grads, memory, inputs, state, .. } = self.tensor;
        // SAFETY: planes that are taken were found there and aligned; their contents are the caller's word.
        unsafe {
            Reading {
                group: self.group,
                params: slice(params, len),
                grads: slice(grads, len),
                memory: read(memory.map(<*mut R>::cast_const), self.counts.memory, len),
                inputs: read(inputs, self.counts.inputs, len),
                state: read(state.map(<*mut R>::cast_const), self.counts.state, len),
            }
        }
    }

    /// The slices, to be written.
    ///
    /// # Safety
    /// Every plane holds `len` elements that nobody else reads or writes meanwhile.
    pub(crate) unsafe fn writing<'a>(&self) -> Writing<'a, R> {
        let Tensor { len, params, grads, backup, memory, inputs, state, .. } = self.tensor;
        // SAFETY: as in `reading`; `view` found what is written apart from everything else.
        unsafe {
            Writing {
                group: self.group,
                params: slice_mut(params, len),
                grads: slice(grads, len),
                backup: slice_mut(backup, if self.has_backup { len } else { 0 }),
                memory: write(memory, self.counts.memory, len),
                inputs: read(inputs, self.counts.inputs, len),
                state: write(state, self.counts.state, len),
            }
        }
    }

    /// Parameters and backup, for a restore.
    ///
    /// # Safety
    /// As [`writing`](View::writing), of these two.
    pub(crate) unsafe fn restoring<'a>(&self) -> (&'a mut [R], &'a [R]) {
        let Tensor { len, params, backup, .. } = self.tensor;
        // SAFETY: found there, aligned and apart.
        unsafe { (slice_mut(params, len), slice(backup, if self.has_backup { len } else { 0 })) }
    }
}

/// # Safety
/// `len` is 0, or `at` is aligned and holds `len` elements.
unsafe fn slice<'a, R>(at: *const R, len: usize) -> &'a [R] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's word.
    unsafe { from_raw_parts(at, len) }
}

/// # Safety
/// As [`slice`], and nothing else uses these elements.
unsafe fn slice_mut<'a, R>(at: *mut R, len: usize) -> &'a mut [R] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: the caller's word.
    unsafe { from_raw_parts_mut(at, len) }
}

/// # Safety
/// As [`slice`], for the first `count` of them.
unsafe fn read<'a, R>(at: [*const R; 4], count: usize, len: usize) -> Planes<'a, R> {
    // SAFETY: those past `count` are not touched.
    let of = |k: usize| unsafe { slice(at[k], if k < count { len } else { 0 }) };
    let [a, b, c, d] = [of(0), of(1), of(2), of(3)];
    match count {
        0 => Planes::none(),
        1 => Planes::from([a]),
        2 => Planes::from([a, b]),
        3 => Planes::from([a, b, c]),
        _ => Planes::from([a, b, c, d]),
    }
}

/// # Safety
/// As [`slice_mut`], for the first `count` of them.
unsafe fn write<'a, R>(at: [*mut R; 4], count: usize, len: usize) -> PlanesMut<'a, R> {
    // SAFETY: those past `count` are not touched.
    let of = |k: usize| unsafe { slice_mut(at[k], if k < count { len } else { 0 }) };
    let [a, b, c, d] = [of(0), of(1), of(2), of(3)];
    match count {
        0 => PlanesMut::none(),
        1 => PlanesMut::from([a]),
        2 => PlanesMut::from([a, b]),
        3 => PlanesMut::from([a, b, c]),
        _ => PlanesMut::from([a, b, c, d]),
    }
}

/// Where the parameters of a tensor lie, as numbers.
pub(crate) fn params_of<R>(tensor: &Tensor<R>) -> Range<usize> {
    let start = tensor.params.addr();
    start..start.saturating_add(tensor.len.saturating_mul(size_of::<R>()))
}

/// Where the tensor `index` of an array lies.
pub(crate) fn place<R>(tensors: *mut Tensor<R>, index: usize) -> *mut Tensor<R> {
    tensors.wrapping_add(index)
}

/// Writes a message: as many of its bytes as there is room for, and a 0.
///
/// # Safety
/// `buffer` is null or has room for `room` bytes.
pub(crate) unsafe fn write_text(parts: &[&[u8]], buffer: *mut c_char, room: usize) -> usize {
    let bytes = parts.iter().flat_map(|part| part.iter());
    let mut length = 0_usize;
    for (at, byte) in bytes.enumerate() {
        if !buffer.is_null() && at.saturating_add(1) < room {
            // SAFETY: within the room.
            unsafe { buffer.add(at).write(*byte as c_char) };
        }
        length = length.saturating_add(1);
    }
    if !buffer.is_null() && room > 0 {
        // SAFETY: within the room.
        unsafe { buffer.add(length.min(room - 1)).write(0) };
    }
    length
}
