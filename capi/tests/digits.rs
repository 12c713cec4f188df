//! The trainer of `examples/c` in Rust, through the core's session and presam-model: the same lines, so the same
//! bits of every parameter.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use presam::{
    AnyBase, AnyVariant, Cpu, DynBase, DynVariant, Group, Mark, Planes, PlanesMut, SecondGradient,
    SegmentMut, Segments, Session,
};
use presam_model::Mlp;
use std::fmt::Write as _;
use std::ops::Range;

const WIDTHS: [usize; 3] = [64, 16, 10];
const TRAINING: usize = 400;
const TEST: usize = 200;
const BATCH: usize = 20;
const EPOCHS: usize = 16;

/// Pixels in sixteenths, and classes.
fn digits() -> (Vec<f32>, Vec<u8>) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../program/data/optdigits.csv");
    let text = std::fs::read_to_string(file).unwrap();
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    for row in text.lines().take(TRAINING + TEST) {
        let numbers: Vec<u8> = row.split(',').map(|field| field.parse().unwrap()).collect();
        inputs.extend(numbers[..64].iter().map(|&pixel| f32::from(pixel) / 16.0));
        labels.push(numbers[64]);
    }
    (inputs, labels)
}

/// `mlp_init` of `mlp.c`.
fn initial(mlp: &Mlp<'_>) -> Vec<f32> {
    let mut seed = 1_u32;
    let mut weights = vec![0.0; mlp.param_count()];
    for (segment, bound) in mlp.segments().filter(|segment| !segment.is_bias).zip([0.25, 0.5]) {
        for weight in &mut weights[segment.range()] {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *weight = ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * bound;
        }
    }
    weights
}

/// Flat arrays with offsets.
struct Model {
    params: Vec<f32>,
    grads: Vec<f32>,
    spare: Vec<f32>,
    memory: Vec<Vec<f32>>,
    state: Vec<Vec<f32>>,
    tensors: Vec<(Range<usize>, bool, Mark)>,
}

impl Segments<f32> for Model {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, f32>) -> Result<(), presam::Error>,
    ) -> Result<(), presam::Error> {
        for (range, is_bias, mark) in &mut self.tensors {
            let range = || range.clone();
            let mut memory: Vec<&mut [f32]> =
                self.memory.iter_mut().map(|plane| &mut plane[range()]).collect();
            let mut state: Vec<&mut [f32]> =
                self.state.iter_mut().map(|plane| &mut plane[range()]).collect();
            visitor(SegmentMut {
                group: usize::from(*is_bias),
                params: &mut self.params[range()],
                grads: &self.grads[range()],
                perturbed_grads: &self.grads[range()],
                spare: &mut self.spare[range()],
                memory: PlanesMut::of(&mut memory),
                inputs: Planes::none(),
                state: PlanesMut::of(&mut state),
                mark,
            })?;
        }
        Ok(())
    }
}

fn hash(params: &[f32]) -> u64 {
    let bytes = params.iter().flat_map(|param| param.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// One line of the trainer.
fn line(
    name: &str,
    mut session: Session<f32, AnyVariant<f32>, AnyBase<f32>>,
    groups: [Group<f32>; 2],
) -> String {
    let mlp = Mlp::new(&WIDTHS).unwrap();
    let ((inputs, labels), params) = (digits(), initial(&mlp));
    let mut scratch = vec![0.0; mlp.scratch_len(TEST)];
    let (training, test) = inputs.split_at(64 * TRAINING);
    let (classes, test_classes) = labels.split_at(TRAINING);
    let plane = vec![0.0; params.len()];
    let mut model = Model {
        params,
        grads: plane.clone(),
        spare: plane.clone(),
        memory: vec![plane.clone(); session.variant.planes().memory],
        state: vec![plane; session.base.state_planes()],
        tensors: mlp.segments().map(|s| (s.range(), s.is_bias, Mark::default())).collect(),
    };
    let before = mlp.loss(&model.params, test, test_classes, TEST, &mut scratch).unwrap();
    for _ in 0..EPOCHS {
        for (x, y) in training.chunks(64 * BATCH).zip(classes.chunks(BATCH)) {
            let step = session.step(&groups, &mut model, |model, _| {
                let Model { params, grads, .. } = model;
                let done = mlp.loss_and_gradient(params, x, y, BATCH, grads, &mut scratch);
                done.map(|_| ()).unwrap();
                Ok::<(), presam::Error>(())
            });
            assert!(step.unwrap().descended);
        }
    }
    let after = mlp.loss(&model.params, test, test_classes, TEST, &mut scratch).unwrap();
    let right = mlp.correct_count(&model.params, test, test_classes, TEST, &mut scratch).unwrap();
    let bits = hash(&model.params);
    format!("{name}: loss {before:.4} -> {after:.4}, {right} of {TEST} right, bits {bits:016x}\n")
}

#[test]
fn rust_prints_what_the_trainer_in_c_prints() {
    let sam = AnyVariant::by_name("sam").unwrap();
    let sgd = AnyBase::by_name("sgd-momentum").unwrap();
    let sgd = sgd
        .set("learning_rate", 0.05)
        .unwrap()
        .set("momentum", 0.9)
        .unwrap()
        .set("weight_decay", 0.0005)
        .unwrap();
    let mut session = Session::new(Cpu::detect(), sam, sgd);
    session.second = SecondGradient::Clipped(2.0);
    let small = Group::new(0.1).unwrap();
    let mut lines = line("sam, sgd-momentum", session, [small, small]);

    let info_asam = AnyVariant::by_name("info-asam").unwrap().set("eta", 0.02).unwrap();
    let adamw = AnyBase::by_name("adamw").unwrap().set("learning_rate", 0.005).unwrap();
    let session = Session::new(Cpu::plain(), info_asam, adamw);
    let large = Group::new(0.5).unwrap();
    let biases = large.without_operator().with_weight_decay(0.0).unwrap();
    write!(lines, "{}", line("info-asam, adamw", session, [large, biases])).unwrap();

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/c/expected.txt");
    assert_eq!(lines, std::fs::read_to_string(file).unwrap());
}
