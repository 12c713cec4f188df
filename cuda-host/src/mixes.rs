//! [`Mixes`]: what GSAM, WSAM, SANER and LookSAM do to the second gradient, on the device.

use std::mem::offset_of;

use presam::{Gsam, LookSam, Saner, Wsam};
use presam_kernels::Kernel;
use presam_kernels::entries;
use presam_kernels::fold::LEAVES;
use presam_kernels::layout::{ALIGNED, Control, PART_BYTES, Segment};

use crate::contract::{Plane, check_planes};
use crate::device::{Address, Device};
use crate::error::DeviceError;
use crate::memory::Buffers;
use crate::options::Form;
use crate::step::DeviceStep;
use crate::step::gradients::{FIRST, Rows, SECOND as SECOND_GRADIENT};
use crate::table::{Planes, Tables};

/// Offsets of planes in a row.
const GRADS: u64 = offset_of!(Segment, grads) as u64;
const PARAMS: u64 = offset_of!(Segment, params) as u64;
const SECOND: u64 = offset_of!(Segment, perturbed_grads) as u64;
/// LookSAM's kept part, and for the distance the perturbed parameters.
const KEPT: u64 = offset_of!(Segment, out) as u64;
const PERTURBED: u64 = offset_of!(Segment, state) as u64;

/// The whole model's parameters and gradients, in one piece or as its tensors: sums run over all of it.
///
/// Device memory: 18 bytes for each chunk of 2048 parameters, 96 for each piece, 33 KiB.
#[derive(Debug)]
pub struct Mixes {
    planes: Planes,
    rows: Rows,
    has_kept: bool,
    has_perturbed: bool,
    is_mixed_form: bool,
    buffers: Buffers,
    parts: Address,
    results: Address,
    counter: Address,
    control: Address,
    bases: Address,
    helper: Address,
    one: Address,
    distance: Address,
}

/// Where the planes of a piece of the model are: of a tensor, or of all of them.
#[derive(Clone, Copy, Debug)]
pub struct Flat {
    /// Parameters of the piece.
    pub len: usize,
    /// Its group, for the learning rate of decoupled WSAM.
    pub group: usize,
    /// w.
    pub params: Address,
    /// g.
    pub grads: Address,
    /// g~.
    pub perturbed_grads: Address,
    /// The perturbed parameters (after an ascent in place: the backup); 0 where no distance is asked for, in every piece.
    pub perturbed: Address,
    /// LookSAM's kept part; 0 for the others, in every piece.
    pub kept: Address,
}

impl Mixes {
    /// Tables over the pieces, which belong to groups of the step.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for a null, misaligned or overlapping plane and a group that the step has not; as [`Device::allocate`] and
    /// [`Device::write`].
    pub fn new(
        device: &mut dyn Device,
        pieces: &[Flat],
        step: &DeviceStep,
    ) -> Result<Self, DeviceError> {
        check_groups(pieces, step)?;
        check_planes(pieces.iter().flat_map(planes).collect(), false)?;
        let rows: Vec<Segment> = pieces.iter().map(row).collect();
        let (mixes, buffers) = Buffers::built(device, |device, buffers| {
            let tables = Tables::new(device, buffers, &rows)?;
            let planes = tables.pass(device, buffers, |_| true)?;
            let parts = planes.parts() as usize * PART_BYTES as usize;
            let units = vec![[4; 2]; rows.len()];
            Ok(Self {
                planes,
                rows: Rows::over(planes.segments(), &rows, units, written(pieces)),
                has_kept: pieces.iter().all(|piece| piece.kept != 0),
                has_perturbed: pieces.iter().all(|piece| piece.perturbed != 0),
                is_mixed_form: step.form == Form::Mixed,
                buffers: Buffers::default(),
                parts: buffers.allocate(device, parts)?,
                results: buffers.allocate(device, LEAVES as usize * PART_BYTES as usize)?,
                counter: buffers.zeros(device, 1)?,
                control: step.control(),
                bases: step.bases,
                helper: buffers.zeros(device, 4)?,
                one: buffers.upload(device, &[1.0_f32])?,
                distance: buffers.zeros(device, 4)?,
            })
        })?;
        Ok(Self { buffers, ..mixes })
    }

    /// Queues other places of both gradients, one a piece, as [`DeviceStep::set_gradients`](crate::DeviceStep) does.
    ///
    /// # Errors
    /// As there; [`DeviceError::Contract`] for a g~ that shares memory with a g, since it is written over.
    pub fn set_gradients(
        &mut self,
        device: &mut dyn Device,
        grads: &[Address],
        perturbed_grads: &[Address],
    ) -> Result<(), DeviceError> {
        let kernel = entries::accumulate_pair.name;
        let bytes = self.rows.bytes();
        let plane = |(&address, &bytes): (&Address, &u64)| [address, address.saturating_add(bytes)];
        let mut first: Vec<_> = grads.iter().zip(&bytes).map(plane).collect();
        first.retain(|[start, end]| start < end);
        first.sort_unstable();
        // Two of them may share memory: as far as any of those before reaches, so that ends are in order too.
        (1..first.len()).for_each(|k| first[k][1] = first[k][1].max(first[k - 1][1]));
        for (index, [start, end]) in perturbed_grads.iter().zip(&bytes).map(plane).enumerate() {
            let next = first.partition_point(|&[_, plane_end]| plane_end <= start);
            if start < end && first.get(next).is_some_and(|&[first, _]| first < end) {
                return Err(DeviceError::Contract {
                    kernel,
                    what: format!("segment {index}: perturbed_grads"),
                    expected:
                        "memory of its own, since both gradients are looked at: whoever clears gradients in place has one for both"
                            .into(),
                    found: "the first gradient's".into(),
                });
            }
        }
        let mut second: Vec<_> = perturbed_grads.iter().zip(&bytes).map(plane).collect();
        second.retain(|[start, end]| start < end);
        second.sort_unstable();
        if second.windows(2).any(|pair| pair[0][1] > pair[1][0]) {
            return Err(DeviceError::Contract {
                kernel,
                what: "perturbed_grads".into(),
                expected: "memory of its own for each: a mix writes over it".into(),
                found: "two that share it".into(),
            });
        }
        self.rows.set(device, FIRST, kernel, grads)?;
        self.rows.set(device, SECOND_GRADIENT, kernel, perturbed_grads)
    }

    /// Sums by `accumulate`, then the tree, concluded by `kernel`.
    fn sums(
        &self,
        device: &mut dyn Device,
        accumulate: (&'static Kernel, [u64; 2]),
        (kernel, arguments): (&'static Kernel, &[u64]),
    ) -> Result<(), DeviceError> {
        let (accumulate, [first, second]) = accumulate;
        self.planes.launch(device, accumulate, &[self.parts, first, second])?;
        let count = self.planes.parts();
        let tree = [self.parts, u64::from(count), self.results, self.counter];
        device.launch(kernel, count.div_ceil(LEAVES).max(1), &[&tree, arguments].concat())
    }

    fn mix(
        &self,
        device: &mut dyn Device,
        kernel: &'static Kernel,
        mix: Address,
        [old, to]: [u64; 2],
    ) -> Result<(), DeviceError> {
        self.planes.launch(device, kernel, &[self.control, mix, GRADS, old, to])
    }

    /// The address of the armed mix.
    const fn armed(&self) -> Address {
        self.control + offset_of!(Control, mix) as u64
    }

    /// GSAM: g~ becomes g~ - alpha (the part of g orthogonal to g~).
    ///
    /// # Errors
    /// As [`Device::launch`].
    pub fn gsam(&self, device: &mut dyn Device, gsam: Gsam<f32>) -> Result<(), DeviceError> {
        self.set_helper(device, &gsam)?;
        let arm: &[u64] = &[self.armed(), self.helper];
        let pair = (&entries::accumulate_pair, [SECOND, GRADS]);
        self.sums(device, pair, (&entries::arm_gsam, arm))?;
        self.mix(device, &entries::mix_gsam, self.armed(), [SECOND, SECOND])
    }

    /// Coupled WSAM: g~ becomes alpha g~ + (1 - alpha) g.
    ///
    /// # Errors
    /// As [`Device::launch`].
    pub fn wsam(&self, device: &mut dyn Device, wsam: Wsam<f32>) -> Result<(), DeviceError> {
        self.set_helper(device, &wsam)?;
        self.mix(device, &entries::mix_wsam, self.helper, [SECOND, SECOND])
    }

    /// SANER: g~ becomes (1 - alpha) g~ where 0 < g~ / g < 1.
    ///
    /// # Errors
    /// As [`Device::launch`].
    pub fn saner(&self, device: &mut dyn Device, saner: Saner<f32>) -> Result<(), DeviceError> {
        self.set_helper(device, &saner)?;
        self.mix(device, &entries::mix_saner, self.helper, [SECOND, SECOND])
    }

    /// Decoupled WSAM, after a descent with g: w becomes w - learning rate factor alpha (g~ - g), with the learning rate
    /// of the piece's group and the factor (loss scale, clipping) of the descent. Nothing where that was skipped.
    ///
    /// ```text
    /// ascend() -> g~ -> [restore()] -> set_second_gradients(g~) -> judge() -> set_second_gradients(g) -> take()
    ///     -> wsam_decoupled()
    /// ```
    ///
    /// g is judged in every group by a step made with
    /// [`Options::descends_along_first`](crate::Options::descends_along_first). One whose `perturbed_grads` is the plane of g
    /// from the beginning judges g and never sees g~: what of that is not finite goes into w.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] over a step in the mixed form, whose descent has written the model's own parameters
    /// before the correction; as [`Device::launch`].
    pub fn wsam_decoupled(
        &self,
        device: &mut dyn Device,
        wsam: Wsam<f32>,
    ) -> Result<(), DeviceError> {
        if self.is_mixed_form {
            return Err(DeviceError::Contract {
                kernel: entries::correct_wsam.name,
                what: "form".into(),
                expected: "OutOfPlace or InPlace, whose model reads w".into(),
                found: "Mixed".into(),
            });
        }
        self.set_helper(device, &wsam)?;
        self.planes.launch(device, &entries::correct_wsam, &[self.control, self.bases, self.helper])
    }

    /// LookSAM with a second gradient, after the descent: keeps the part of g~ that is orthogonal to g. Nothing where the
    /// descent was skipped, which a g that is not finite causes in every group of a step made with
    /// [`Options::descends_along_first`](crate::Options::descends_along_first).
    ///
    /// # Errors
    /// [`DeviceError::Contract`] without a plane to keep it in; as [`Device::launch`].
    pub fn look_sam_split(
        &self,
        device: &mut dyn Device,
        look: LookSam<f32>,
    ) -> Result<(), DeviceError> {
        there(&entries::mix_look_sam_split, "kept", self.has_kept)?;
        self.set_helper(device, &look)?;
        let arm: &[u64] = &[self.armed(), self.helper];
        let pair = (&entries::accumulate_pair, [GRADS, SECOND]);
        self.sums(device, pair, (&entries::arm_look_sam_split, arm))?;
        self.mix(device, &entries::mix_look_sam_split, self.armed(), [SECOND, KEPT])
    }

    /// LookSAM without a second gradient, before the descent: g~ becomes g and the kept part at g's length.
    ///
    /// # Errors
    /// As [`look_sam_split`](Mixes::look_sam_split).
    pub fn look_sam_reuse(
        &self,
        device: &mut dyn Device,
        look: LookSam<f32>,
    ) -> Result<(), DeviceError> {
        there(&entries::mix_look_sam_reuse, "kept", self.has_kept)?;
        self.set_helper(device, &look)?;
        let sums = self.control + offset_of!(Control, mix_sums) as u64;
        for (plane, out) in [(GRADS, sums), (KEPT, sums + PART)] {
            let gradient = (&entries::accumulate_gradient, [self.one, plane]);
            self.sums(device, gradient, (&entries::total, &[out]))?;
        }
        device.launch(&entries::arm_look_sam_reuse, 1, &[sums, self.armed(), self.helper])?;
        self.mix(device, &entries::mix_look_sam_reuse, self.armed(), [KEPT, SECOND])
    }

    /// Measures how far the perturbed parameters are from w: a [`Part`](presam::Part) at the address
    /// that is returned.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] without perturbed parameters; as [`Device::launch`].
    pub fn distance(&self, device: &mut dyn Device) -> Result<Address, DeviceError> {
        there(&entries::accumulate_distance, "perturbed", self.has_perturbed)?;
        let distance = (&entries::accumulate_distance, [PARAMS, PERTURBED]);
        self.sums(device, distance, (&entries::total, &[self.distance]))?;
        Ok(self.distance)
    }

    /// The mix's configuration, by value.
    fn set_helper<T: presam_kernels::Plain>(
        &self,
        device: &mut dyn Device,
        helper: &T,
    ) -> Result<(), DeviceError> {
        let words = (0..size_of::<T>() / 4).map(|i| presam_kernels::plain::word_of(helper, i));
        device.set(self.helper, &words.collect::<Vec<_>>())
    }

    /// Gives the tables back.
    ///
    /// # Errors
    /// As [`Device::free`].
    pub fn free(self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.buffers.free(device)
    }
}

/// Refuses a piece of no group of the step.
fn check_groups(pieces: &[Flat], step: &DeviceStep) -> Result<(), DeviceError> {
    let found = pieces.iter().enumerate().find(|(_, piece)| piece.group as u64 >= step.group_count);
    let Some((index, piece)) = found else { return Ok(()) };
    Err(DeviceError::Contract {
        kernel: entries::correct_wsam.name,
        what: format!("segment {index}: group"),
        expected: format!("one of {} groups", step.group_count),
        found: piece.group.to_string(),
    })
}

/// Refuses what needs a plane that the pieces lack.
fn there(kernel: &'static Kernel, plane: &str, has: bool) -> Result<(), DeviceError> {
    let null = || DeviceError::Contract {
        kernel: kernel.name,
        what: plane.into(),
        expected: "an address of device memory".into(),
        found: "null".into(),
    };
    if has { Ok(()) } else { Err(null()) }
}

/// What is read and written, with the kernel that meets it first.
fn planes(flat: &Flat) -> Vec<Plane> {
    let plane = |kernel: &'static Kernel, what, address, written| {
        Plane::words(kernel.name, what, address, flat.len as u64, written)
    };
    let mut planes = vec![
        plane(&entries::correct_wsam, "params", flat.params, true),
        plane(&entries::accumulate_pair, "grads", flat.grads, false),
        plane(&entries::accumulate_pair, "perturbed_grads", flat.perturbed_grads, true),
    ];
    if flat.perturbed != 0 {
        planes.push(plane(&entries::accumulate_distance, "perturbed", flat.perturbed, false));
    }
    if flat.kept != 0 {
        planes.push(plane(&entries::mix_look_sam_split, "kept", flat.kept, true));
    }
    planes.retain(|plane| plane.bytes > 0);
    planes
}

/// What no gradient may lie over.
fn written(pieces: &[Flat]) -> Vec<[Address; 2]> {
    let of = |piece: &Flat| {
        let end = 4 * piece.len as u64;
        [piece.params, piece.kept].map(|plane| [plane, plane + end])
    };
    let planes = pieces.iter().filter(|piece| piece.len > 0).flat_map(of);
    planes.filter(|&[plane, _]| plane != 0).collect()
}

/// A piece as a segment.
fn row(flat: &Flat) -> Segment {
    let row = Segment {
        grads: flat.grads,
        params: flat.params,
        len: flat.len as u64,
        group: flat.group as u32,
        out: flat.kept,
        perturbed_grads: flat.perturbed_grads,
        state: [flat.perturbed, 0],
        ..Segment::default()
    };
    let planes = [row.grads, row.params, row.out, row.perturbed_grads, row.state[0]];
    let aligned = planes.iter().all(|plane| plane.is_multiple_of(16));
    Segment { flags: if aligned { ALIGNED } else { 0 }, ..row }
}

/// Bytes of a part in the control block.
const PART: u64 = size_of::<presam::Part<f32>>() as u64;
