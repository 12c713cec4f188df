//! Any calls of the C interface, with hostile addresses, lengths, tags and orders: a call is refused with a code
//! and an argument that there are and has touched nothing, or it has written its own planes alone.

#![no_main]
#![allow(unsafe_code, reason = "C's functions")]

use libfuzzer_sys::fuzz_target;
use presam_capi::*;
use presam_fuzz::draw::{Draw, Kind};
use std::ptr::{null, null_mut};

/// Elements that planes are cut from, and the longest that is no lie.
const ARENA: usize = 2048;
const LONGEST: usize = 64;
const TENSORS: usize = 3;

/// Everything that calls are handed, in one place.
#[derive(Clone)]
struct World {
    arena: Vec<f32>,
    tensors: [Tensor<f32>; TENSORS],
    groups: [Group; 2],
    state: StateF32,
    norms: [NormF32; 2],
}

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    let mut world = Box::new(World::new(&mut draw));
    // The groups have moved.
    world.aim(|_, _| {});
    let config = config(&mut draw);
    // SAFETY: the configuration points to strings that live for ever.
    let begun = unsafe { presam_init_f32(&mut world.state, size_of::<StateF32>(), &config) };
    known(begun);
    while !draw.is_done() {
        if draw.rarely(4) {
            world.spoil(&mut draw);
        }
        if draw.rarely(4) {
            world.arena = draw.plane(ARENA, Kind::Any);
            world.aim(|_, _| {});
        }
        let before = world.words();
        let status = world.call(&mut draw);
        known(status);
        let after = world.words();
        if status != Status::OK {
            assert!(before == after, "{status:?} touched something");
        }
        world.wrote_its_own(&before, &after);
    }
});

/// A code and an argument that there are.
fn known(status: Status) {
    assert!(Code::ALL.iter().any(|code| *code as u32 == status.code()), "{status:?}");
    let named = Argument::ALL.iter().any(|argument| *argument as u32 == status.argument());
    assert!(named && (status == Status::OK) == (status.code() == 0), "{status:?}");
}

fn config(draw: &mut Draw<'_>) -> Config {
    let mut list = |keys: &[*const std::ffi::c_char]| {
        let mut list = [Setting { key: null(), value: 0.0 }; PRESAM_MAX_SETTINGS];
        for setting in list.iter_mut().take(draw.below(3)) {
            *setting = Setting { key: draw.pick(keys), value: draw.setting() };
        }
        list
    };
    let keys = [c"eta", c"decay", c"sigma", c"damping", c"", c"\xff"].map(|key| key.as_ptr());
    let variant_settings = list(&keys);
    let keys = [c"learning_rate", c"momentum", c"nesterov", c"mean_decay"].map(|key| key.as_ptr());
    let base_settings = list(&keys);
    let wrong = |draw: &mut Draw<'_>, right: u32| {
        if draw.rarely(32) { draw.bits() as u32 } else { right }
    };
    let few = |draw: &mut Draw<'_>| if draw.rarely(4) { draw.setting() } else { 0.0 };
    Config {
        size: wrong(draw, size_of::<Config>() as u32),
        version: wrong(draw, PRESAM_VERSION),
        variant: draw.below(presam::variants::ALL.len() + 3) as u32,
        base: draw.below(5) as u32,
        variant_name: if draw.rarely(8) { c"info-asam".as_ptr() } else { null() },
        base_name: if draw.rarely(8) { c"no such".as_ptr() } else { null() },
        variant_settings,
        base_settings,
        flags: if draw.rarely(4) { draw.below(4) as u32 } else { 0 },
        reserved: 0,
        unnormalised: few(draw),
        norm_guard: few(draw),
        max_norm: few(draw),
    }
}

impl World {
    /// Tensors that lie apart.
    fn new(draw: &mut Draw<'_>) -> Self {
        let (size, version) = (size_of::<Group>() as u32, PRESAM_VERSION);
        let mut groups =
            [Group { size, version, flags: 0, reserved: 0, rho: 0.5, weight_decay: 0.0 }; 2];
        groups[1].flags = draw.below(16) as u32;
        let tensor = Tensor {
            size: size_of::<Tensor<f32>>() as u32,
            version,
            len: 0,
            params: null_mut(),
            grads: null(),
            backup: null_mut(),
            memory: [null_mut(); 4],
            inputs: [null(); 4],
            state: [null_mut(); 4],
            group: null(),
            mark: Mark { stage: 0, step: 0, len: 0 },
        };
        let mut world = Self {
            arena: draw.plane(ARENA, Kind::Tame),
            tensors: [tensor; TENSORS],
            groups,
            state: StateF32 { words: [0; PRESAM_STATE_F32_WORDS] },
            norms: [NormF32 { words: [0; PRESAM_NORM_F32_WORDS] }; 2],
        };
        let lengths = [draw.below(LONGEST + 1), draw.below(LONGEST + 1), draw.below(4)];
        world.aim(|index, tensor| tensor.len = lengths[index]);
        world
    }

    /// Points every tensor to places of its own, for as long as neither arena nor groups move.
    fn aim(&mut self, mut change: impl FnMut(usize, &mut Tensor<f32>)) {
        let arena = self.arena.as_mut_ptr();
        for (index, tensor) in self.tensors.iter_mut().enumerate() {
            let place = |plane: usize| arena.wrapping_add((index * 9 + plane) * LONGEST);
            tensor.params = place(0);
            tensor.grads = place(1);
            tensor.backup = place(2);
            tensor.memory = [place(3), place(4), null_mut(), null_mut()];
            tensor.inputs = [place(5), place(6), null(), null()];
            tensor.state = [place(7), place(8), null_mut(), null_mut()];
            tensor.group = &self.groups[index % 2];
            change(index, tensor);
        }
    }

    /// An address that holds `LONGEST` elements, or one that is refused before it is read.
    fn address(&mut self, draw: &mut Draw<'_>, tensor: usize) -> *mut f32 {
        let arena = self.arena.as_mut_ptr();
        match draw.below(8) {
            0 => null_mut(),
            1 => arena.wrapping_byte_add(4 * draw.below(8) + 1 + draw.below(3)),
            // Refused: the call has this struct too.
            2 => (&raw mut self.tensors[tensor]).cast(),
            _ => arena.wrapping_add(draw.below(ARENA - LONGEST)),
        }
    }

    fn spoil(&mut self, draw: &mut Draw<'_>) {
        let index = draw.below(TENSORS);
        let address = self.address(draw, index);
        let (word, plane) = (draw.bits() as u32, draw.below(4));
        let state = (&raw mut self.state).cast();
        let tensor = &mut self.tensors[index];
        match draw.below(15) {
            0 => tensor.params = address,
            1 => tensor.grads = address,
            2 => tensor.backup = address,
            3 => tensor.memory[plane] = address,
            4 => tensor.inputs[plane] = address,
            5 => tensor.state[plane] = address,
            6 => tensor.len = draw.pick(&[0, 1, LONGEST, usize::MAX, usize::MAX / 4 + 1]),
            7 => tensor.size = word,
            8 => tensor.version = word,
            9 => tensor.mark.stage = draw.below(4) as u32,
            10 => tensor.mark.len = draw.below(LONGEST),
            11 => tensor.group = null(),
            12 => self.groups[0].rho = draw.setting(),
            13 => tensor.memory[plane] = state,
            _ => {
                let weight_decay = draw.setting();
                self.groups[1] = Group { flags: word % 32, weight_decay, ..self.groups[1] };
            }
        }
    }

    /// One call.
    fn call(&mut self, draw: &mut Draw<'_>) -> Status {
        let Self { tensors, state, norms, .. } = self;
        let (index, which) = (draw.below(TENSORS), draw.below(2));
        let tensor = &raw mut tensors[index];
        let all = tensors.as_mut_ptr();
        let count = draw.below(TENSORS + 1);
        let state = if draw.rarely(64) { null_mut() } else { &raw mut *state };
        let norm = if draw.rarely(64) { null_mut() } else { &raw mut norms[which] };
        let next = &raw mut norms[draw.below(2)];
        let chunk = if draw.rarely(8) { draw.bits() } else { 0 };
        // SAFETY: addresses are null, misaligned, too long for any memory, in a struct that the call has too,
        // or hold what they must.
        unsafe {
            match draw.below(19) {
                0 => presam_norm_begin_f32(state, norm, chunk),
                1 => presam_norm_add_f32(state, tensor, norm),
                2 => presam_norm_merge_f32(norm, next),
                3 => presam_norm_finish_f32(state, norm),
                4 => presam_ascend_f32(state, tensor),
                5 => presam_restore_f32(state, tensor),
                6 => presam_second_begin_f32(state, norm, chunk),
                7 => presam_second_add_f32(state, tensor, norm),
                8 => presam_second_finish_f32(state, norm),
                9 => presam_descend_f32(state, tensor),
                10 => presam_skip_ascent_f32(state),
                11 => presam_cancel_f32(state),
                12 => presam_set_learning_rate_f32(state, draw.setting()),
                13 => presam_set_loss_scale_f32(state, draw.setting()),
                14 => presam_check_f32(state, all, count),
                15 => presam_ascend_all_f64(state.cast(), all.cast(), count),
                16 | 17 => presam_ascend_all_f32(state, all, count),
                _ => presam_descend_all_f32(state, all, count),
            }
        }
    }

    /// All that a call may write, in words.
    fn words(&self) -> Vec<u64> {
        let mut words: Vec<u64> = self.arena.iter().map(|x| u64::from(x.to_bits())).collect();
        for Tensor { mark, .. } in &self.tensors {
            words.extend([u64::from(mark.stage), u64::from(mark.step), mark.len as u64]);
        }
        words.extend(self.state.words);
        words.extend(self.norms.iter().flat_map(|norm| norm.words));
        words
    }

    /// Nothing of the arena has changed but in planes that are written.
    fn wrote_its_own(&self, before: &[u64], after: &[u64]) {
        let start = self.arena.as_ptr().addr();
        for at in 0..ARENA {
            if before[at] == after[at] {
                continue;
            }
            let here = start + 4 * at;
            let written = self.tensors.iter().any(|tensor| {
                let planes = tensor.memory.iter().chain(&tensor.state);
                let mut planes = planes.chain([&tensor.params, &tensor.backup]);
                planes.any(|plane| {
                    (plane.addr()..plane.addr().saturating_add(tensor.len.saturating_mul(4)))
                        .contains(&here)
                })
            });
            assert!(written, "element {at} is in no plane that may be written");
        }
    }
}
