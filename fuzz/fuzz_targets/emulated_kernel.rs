//! Kernels on the emulator: a whole step has the core's bits; a buffer that is too short is a fault and never a
//! number; any launch at all ends.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam::{CHUNK, Cpu, PartialNorm};
use presam_backends::tensor::Layout;
use presam_backends::{Devices, Phases};
use presam_conformance::compare::same_answer;
use presam_conformance::{Backend, Case};
use presam_cuda::{Emulated, Form};
use presam_fuzz::case::case;
use presam_fuzz::draw::{Draw, Kind};
use presam_fuzz::same;
use presam_kernels::emulator::{Memory, run};
use presam_kernels::entries::{accumulate_gradient, all};
use presam_kernels::layout::{ALIGNED, Chunk, Control, GroupScale, PART_BYTES, Segment};
use presam_kernels::plain::{bytes_of, values_of};
use presam_kernels::{Kernel, WARPS};
use std::mem::offset_of;
use std::sync::LazyLock;

static KERNELS: LazyLock<Vec<&'static Kernel>> = LazyLock::new(|| all().collect());

/// Numbers of the nine flags of a segment: every set of them, scalars that are none too.
const FLAGS: usize = 1 << 9;

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    match draw.below(3) {
        0 => whole_step(&mut draw),
        1 => exact_buffers(&mut draw),
        _ => any_launch(&mut draw),
    }
});

/// Every kernel of a step, by the tables that the host makes.
fn whole_step(draw: &mut Draw<'_>) {
    let case: Case<f32> = case(draw, Kind::Any);
    let form = draw.pick(&[Form::OutOfPlace, Form::InPlace]);
    let shift = if draw.flag() { 4 } else { 0 };
    let layout = Layout { shift, ..Layout::default() };
    let mut devices = Devices { device: Emulated::new(draw.bits()), form, layout };
    let (expected, found) = (Phases(Cpu::plain()).step(&case), devices.step(&case));
    let (Ok(expected), Ok(found)) = (&expected, &found) else {
        panic!("{expected:?} {found:?}\n{case}")
    };
    if let Err(mismatch) = same_answer(expected, found) {
        panic!("{mismatch}\n{case}");
    }
}

/// A buffer with these bytes; its address.
fn upload(memory: &mut Memory, bytes: &[u8]) -> u64 {
    let address = memory.allocate(bytes.len());
    if let Err(fault) = memory.write(address, bytes) {
        panic!("{fault}");
    }
    address
}

/// One pass over one gradient: the core's sums, or a fault where one of its buffers is a word too short.
fn exact_buffers(draw: &mut Draw<'_>) {
    let length = 1 + draw.length();
    let grads: Vec<f32> = draw.plane(length, Kind::Any);
    let factor: f32 = draw.number(Kind::Any);
    let count = length.div_ceil(CHUNK);
    // Which buffer lacks its last word: the gradient, the parts, the table of chunks, or none.
    let short = draw.below(4);
    let trimmed = |bytes: &[u8], which: usize| {
        let kept = bytes.len() - if which == short { 4 } else { 0 };
        bytes[..kept].to_vec()
    };
    let mut memory = Memory::new();
    let grads_at = upload(&mut memory, &trimmed(bytes_of(&grads), 0));
    let flags = if draw.flag() { ALIGNED } else { 0 };
    let (len, params) = (length as u64, grads_at);
    let row = Segment { grads: grads_at, params, len, flags, ..Segment::default() };
    let chunks: Vec<Chunk> = (0..count).map(|index| Chunk::of(&row, 0, index as u32)).collect();
    let segments = upload(&mut memory, bytes_of(&[row]));
    let chunks = upload(&mut memory, &trimmed(bytes_of(&chunks), 2));
    let factor_at = upload(&mut memory, bytes_of(&[factor]));
    // A part for each block's chunks.
    let of_block = WARPS as usize;
    let room = trimmed(&vec![0; count.div_ceil(of_block) * PART_BYTES as usize], 1);
    let parts = memory.allocate(room.len());
    let plane = offset_of!(Segment, grads) as u64;
    let blocks = (count as u32).div_ceil(WARPS);
    let arguments = [chunks, count as u64, segments, parts, factor_at, plane];
    let result = run(&accumulate_gradient, blocks, &arguments, &mut memory, draw.bits());
    assert_eq!(result.is_err(), short < 3, "{short}: {result:?}");
    if result.is_err() {
        return;
    }
    let mut bytes = room;
    assert_eq!(memory.read(parts, &mut bytes), Ok(()));
    for (chunks, words) in grads.chunks(of_block * CHUNK).zip(values_of::<[u32; 4]>(&bytes)) {
        let mut norm = PartialNorm::new();
        assert_eq!(Cpu::plain().accumulate_gradient(factor, chunks, &mut norm), Ok(()));
        let Ok(part) = norm.total() else { unreachable!("from chunk 0") };
        let [sum, statistic, class, _] = words;
        assert!(
            same(&[part.sum, part.statistic], &[sum, statistic].map(f32::from_bits)),
            "{part:?}"
        );
        assert!(part.sum.is_nan() || part.class == class.cast_signed());
    }
}

/// Where a hostile launch may point.
struct Ground {
    memory: Memory,
    chunks: u64,
    segments: u64,
    /// Words that are no table: floats, counts, settings.
    planes: Vec<u64>,
}

/// Tables whose lengths are small, so that every loop ends soon; addresses that may lead anywhere.
fn ground(draw: &mut Draw<'_>) -> Ground {
    let mut memory = Memory::new();
    // The tables come first: what runs past the end of a plane must not meet them and make lengths of floats.
    let (rows, count) = (1 + draw.below(3), 1 + draw.below(4));
    let chunks = memory.allocate(count * size_of::<Chunk>());
    let segments = memory.allocate(rows * size_of::<Segment>());
    let mut planes = Vec::new();
    for _ in 0..1 + draw.below(5) {
        let words = 1 + draw.below(900);
        let address = memory.allocate(4 * words);
        // Behind them lies what was never written.
        let written = words - draw.below(3).min(words);
        let written: Vec<f32> = draw.plane(written, Kind::Any);
        let _ = memory.write(address, bytes_of(&written));
        planes.push(address);
    }
    let control =
        Control { along_momentum: draw.below(3) as u32, ..Control::new(Default::default()) };
    planes.push(upload(&mut memory, bytes_of(&[control])));
    let group = GroupScale {
        prescale: 1.0,
        scale: 0.5,
        remember: 1,
        rho: 0.5,
        operator: 1,
        reserved: [0; 3],
    };
    planes.push(upload(&mut memory, bytes_of(&[group, group])));
    let address = |draw: &mut Draw<'_>| plane_address(draw, &planes);
    let row = |draw: &mut Draw<'_>| Segment {
        grads: address(draw),
        params: address(draw),
        memory: [address(draw), address(draw)],
        inputs: [address(draw), address(draw)],
        out: address(draw),
        perturbed_grads: address(draw),
        state: [address(draw), address(draw)],
        len: draw.below(3 * CHUNK) as u64,
        group: draw.below(3) as u32,
        flags: draw.below(FLAGS) as u32,
    };
    let rows: Vec<Segment> = (0..rows).map(|_| row(draw)).collect();
    let chunk = |draw: &mut Draw<'_>| Chunk {
        segment: draw.below(4) as u32,
        index: draw.below(3) as u32,
        len_and_flags: draw.below(2 * CHUNK) as u32 | (draw.below(FLAGS) as u32) << 16,
        group_and_alignment: draw.below(3) as u32 | (draw.below(2) as u32) << 31,
    };
    let table: Vec<Chunk> = (0..count).map(|_| chunk(draw)).collect();
    let _ = memory.write(chunks, bytes_of(&table));
    let _ = memory.write(segments, bytes_of(&rows));
    Ground { memory, chunks, segments, planes }
}

/// In a plane, behind its end, or nowhere; below 2^48, as a device's addresses are.
fn plane_address(draw: &mut Draw<'_>, planes: &[u64]) -> u64 {
    match draw.below(8) {
        0 => 0,
        1 => draw.bits() >> 16 | 1 << 20,
        2 => draw.pick(planes) + draw.below(4000) as u64,
        _ => draw.pick(planes) + draw.pick(&[0, 0, 0, 16, 4]),
    }
}

/// Any kernel with arguments of the right kind and any values: it ends, well or with a fault.
fn any_launch(draw: &mut Draw<'_>) {
    let kernel = draw.pick(&KERNELS);
    let mut ground = ground(draw);
    let argument = |draw: &mut Draw<'_>, name: &str| match name {
        "chunks" => ground.chunks,
        "segments" => ground.segments,
        "plane" | "first" | "second" | "old" | "to" if kernel.parameters.contains(&"chunks") => {
            draw.below(size_of::<Segment>() + 8) as u64
        }
        "grads" if kernel.parameters.contains(&"mix") => 8 * draw.below(12) as u64,
        "count" if kernel.parameters.first() == Some(&"batch") => {
            plane_address(draw, &ground.planes)
        }
        "count" | "group_count" | "counted" | "checked" => draw.below(12) as u64,
        "rows" | "columns" | "sums" if kernel.text == "network" => draw.below(70) as u64,
        "batch" | "classes" | "features" => draw.below(70) as u64,
        _ => plane_address(draw, &ground.planes),
    };
    let arguments: Vec<u64> = kernel.parameters.iter().map(|name| argument(draw, name)).collect();
    let (blocks, seed) = (draw.below(5) as u32, draw.bits());
    if let Err(fault) = run(kernel, blocks, &arguments, &mut ground.memory, seed) {
        assert!(!fault.to_string().is_empty());
    }
}
