//! A device's step that does not look at its second gradient has no launch for that, and the bits of the one that looks.

use presam::{AnyBase, AnyVariant, BaseState, Group, RuleState, SecondGradient};
use presam_backends::Recorder;
use presam_cuda::{
    Device, DeviceSegment, DeviceStep, Emulated, Form, Options, Ptx, download, upload,
};

const LENGTHS: [usize; 2] = [7, 2100];

/// What a caller asks for.
#[derive(Clone, Copy)]
enum Call {
    /// A whole step.
    Step,
    /// An ascent that is given up: no step.
    GivenUp,
    /// The base optimizer alone.
    Alone,
    /// The same without a word that the last ascent is over.
    Again,
    /// A whole step whose first gradient is not finite.
    Skipped,
}

use Call::{Again, Alone, GivenUp, Skipped, Step};

const CALLS: [Call; 12] =
    [Again, Alone, GivenUp, Step, Again, Again, Alone, GivenUp, Skipped, Alone, Step, Step];

/// Everything that a run leaves.
#[derive(PartialEq)]
struct Left {
    planes: Vec<Vec<u32>>,
    rule: RuleState<f32>,
    base: BaseState,
    /// In words, in which a norm that is not a number equals itself.
    reports: Vec<String>,
}

fn numbers(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|i| ((i + 29 * seed) * 37 % 101) as f32 / 16.0 - 3.0).collect()
}

fn run(mut device: impl Device, second: SecondGradient<f32>, base: &str) -> Left {
    let mut plane = |len: usize, seed| upload(&mut device, &numbers(len, seed)).unwrap();
    let segments: Vec<DeviceSegment> = LENGTHS
        .iter()
        .map(|&len| DeviceSegment {
            len: len as u64,
            params: plane(len, 1),
            grads: plane(len, 2),
            perturbed_grads: plane(len, 3),
            out: plane(len, 4),
            memory: [plane(len, 5), 0],
            ..DeviceSegment::default()
        })
        .collect();
    let base = AnyBase::by_name(base).unwrap();
    let zeros = |device: &mut dyn Device, len: usize| upload(device, &vec![0.0_f32; len]).unwrap();
    let segments: Vec<DeviceSegment> = segments
        .into_iter()
        .map(|segment| {
            let mut state = [0; 2];
            let planes = presam::DynBase::<f32>::state_planes(&base);
            state[..planes].fill_with(|| zeros(&mut device, segment.len as usize));
            DeviceSegment { state, ..segment }
        })
        .collect();
    let variant = AnyVariant::by_name("vasso").unwrap();
    let groups = [Group::new(0.1).unwrap()];
    let options = Options { form: Form::InPlace, second, loss_scale: 3.0, ..Options::default() };
    let step = DeviceStep::new(&mut device, variant, base, &segments, &groups, options).unwrap();
    let mut reports = Vec::new();
    for (number, call) in CALLS.into_iter().enumerate() {
        for segment in &segments {
            let mut grads = numbers(segment.len as usize, 10 + number);
            if matches!(call, Skipped) {
                grads[3] = f32::NAN;
            }
            let bytes: Vec<u8> = grads.iter().flat_map(|x| x.to_le_bytes()).collect();
            device.write(segment.grads, &bytes).unwrap();
        }
        match call {
            Again => {}
            Alone => step.skip_ascent(&mut device).unwrap(),
            Step | GivenUp | Skipped => {
                if device.records() && matches!(call, Step) {
                    device.begin_recording().unwrap();
                }
                step.ascend(&mut device).unwrap();
                step.restore(&mut device).unwrap();
            }
        }
        if !matches!(call, GivenUp) {
            step.descend(&mut device).unwrap();
            if device.records() && matches!(call, Step) {
                let recording = device.end_recording().unwrap();
                device.replay(&recording).unwrap();
            }
            reports.push(format!("{:?}", step.report(&mut device).unwrap()));
        }
    }
    let mut bits = |at: u64, len: usize| -> Vec<u32> {
        let plane: Vec<f32> = download(&mut device, at, len).unwrap();
        plane.iter().map(|x| x.to_bits()).collect()
    };
    let mut planes = Vec::new();
    for segment in &segments {
        let all = [segment.params, segment.memory[0], segment.state[0], segment.state[1]];
        let there = all.into_iter().filter(|&plane| plane != 0);
        planes.extend(there.map(|plane| bits(plane, segment.len as usize)));
    }
    let (rule, base) = step.states(&mut device).unwrap();
    Left { planes, rule, base, reports }
}

#[test]
fn a_step_that_does_not_look_at_its_second_gradient_has_the_bits_of_one_that_does() {
    for base in ["sgd", "sgd-momentum", "adamw"] {
        let looks = run(Emulated::new(2), SecondGradient::Checked, base);
        assert_eq!(looks.base.steps, 9);
        assert!(run(Emulated::new(2), SecondGradient::Unchecked, base) == looks, "{base}");
        assert!(run(Ptx::new(3), SecondGradient::Unchecked, base) == looks, "{base} as text");
        // A whole step launches nothing between its two passes: its recordings lack what that would be.
        let second = if base == "adamw" { "second_adamw" } else { "second_sgd" };
        let recorder = || Recorder::over(Emulated::new(2)).forgetting(second);
        assert!(run(recorder(), SecondGradient::Unchecked, base) == looks, "{base} recorded");
        assert!(run(recorder(), SecondGradient::Checked, base) != looks, "{base} needs {second}");
    }
}
