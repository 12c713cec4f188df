//! `verify` finds what is wrong with a device: each kernel left out in turn, one bit flipped on the way back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use presam_backends::{Faulty, Recorder};
use presam_cuda::{Device, DeviceError, Emulated, Layer};
use presam_kernels::layout::Control;
use presam_kernels::{Kernel, entries};
use presam_program::check::{Report, Request, run, table};
use presam_program::show::view::View;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Mutex;

const REQUEST: Request = Request { cases: 2, seed: 1, epochs: 1, shrinks: 256 };
/// Where nobody looks at the smallest case or a training run.
const QUICK: Request = Request { cases: 1, shrinks: 0, epochs: 0, ..REQUEST };

fn verified(ignored: &[&'static str], flip_in: u32, request: Request) -> Report {
    // The control block has words that no comparison looks at.
    let device = Faulty::without(ignored).flipping(flip_in, size_of::<Control>());
    run(Box::new(device), request, |_| ()).unwrap()
}

#[test]
fn a_device_without_fault_agrees_in_every_kernel() {
    let report = verified(&[], 0, REQUEST);
    assert!(report.agrees() && report.uncovered().is_none(), "{}", table(&report, View::PLAIN));
    assert!(table(&report, View::PLAIN).contains("agree with the core in every bit"));
}

#[test]
fn what_a_recording_does_is_compared_too() {
    let verified = |device| run(Box::new(device), QUICK, |_| ()).unwrap();
    let recorder = Recorder::over(Emulated::new(1));
    let replays = recorder.replays();
    let report = verified(recorder);
    assert!(report.agrees() && replays.get() > 100, "{}", table(&report, View::PLAIN));
    let kernel = entries::variant("vasso").unwrap().ascend[0].name;
    let report = verified(Recorder::over(Emulated::new(1)).forgetting(kernel));
    let mut ran = report.differences.iter().map(|difference| &difference.kernels);
    assert!(ran.any(|ran| ran.contains(&kernel)), "{}", table(&report, View::PLAIN));
}

/// Every kernel, in lists of which a comparison rarely runs two: by its phase, or else by its place among those of its
/// text, since no comparison runs a mix and the network.
fn apart() -> Vec<Vec<&'static str>> {
    let (mut lists, mut places) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::new());
    for kernel in entries::all() {
        // Sums of gradients run beside the sums of the rule.
        let beside = kernel.name.starts_with("accumulate_gradient");
        let phases = ["accumulate_", "finish_", "ascend_", "descend_"];
        let phase = phases.iter().position(|phase| kernel.name.starts_with(phase) && !beside);
        let place = places.entry(kernel.text).or_insert(0);
        *place += usize::from(phase.is_none());
        lists.entry(phase.ok_or(*place)).or_default().push(kernel.name);
    }
    lists.into_values().collect()
}

/// Each of them is the only one missing in some difference, at once or once fewer are missing beside it.
fn are_missed(ignored: &[&'static str]) {
    let report = verified(ignored, 0, QUICK);
    assert!(!report.agrees());
    let missing_in =
        |ran: &[&'static str]| ran.iter().filter(|name| ignored.contains(name)).count();
    let is_told = |kernel: &&'static str| {
        let mut ran = report.differences.iter().map(|difference| &difference.kernels);
        ran.any(|ran| ran.contains(kernel) && missing_in(ran) == 1)
    };
    let left: Vec<_> = ignored.iter().copied().filter(|kernel| !is_told(kernel)).collect();
    assert!(ignored.len() > 1 || left.is_empty(), "{left:?} was not missed");
    left.chunks(left.len().div_ceil(2).max(1)).for_each(are_missed);
}

#[test]
fn a_kernel_that_does_nothing_is_found_whichever_it_is() {
    let lists = Mutex::new(apart().into_iter());
    let next = || lists.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| std::iter::from_fn(next).for_each(|ignored| are_missed(&ignored)));
        }
    });
}

#[test]
fn one_flipped_bit_is_found_and_told_in_decimal_and_bits() {
    for flip_in in [1, 5, 40, 200] {
        let report = verified(&[], flip_in + 1, QUICK);
        let difference = report.differences.first().expect("a difference");
        assert!(!report.agrees());
        assert!(table(&report, View::PLAIN).contains(&format!("differs: {difference}")));
    }
}

#[test]
fn it_goes_on_after_a_difference_and_tells_the_smallest_case() {
    let report = verified(&["ascend_asam_f32", "mix_gsam"], 0, REQUEST);
    let of = |name: &str| report.differences.iter().find(|one| one.kernels.contains(&name));
    let (law, mix) = (of("ascend_asam_f32").unwrap(), of("mix_gsam").unwrap());
    assert!(law.case.contains("asam") && law.smallest.contains("segment 0"), "{law:?}");
    assert!(mix.smallest.is_empty(), "{mix:?}");
    let row = |name: &str| report.kernels.iter().find(|row| row.kernel == name).unwrap().cases;
    assert!(row("descend_adamw") > 0 && row("ascend_asam_f32") == 0);
}

/// A device that is lost after so many launches.
struct Dying(Faulty, u32);

impl Layer for Dying {
    fn below(&self) -> &dyn Device {
        &self.0
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut self.0
    }

    fn on_launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        let lost = DeviceError::Lost { what: "scripted".to_owned() };
        self.1 = self.1.checked_sub(1).ok_or(lost)?;
        self.0.launch(kernel, blocks, arguments)
    }
}

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn a_device_that_is_lost_leaves_what_was_found_before() {
    for ignored in [&[][..], &["restore"][..]] {
        let told = |line: &str| TOLD.with_borrow_mut(|lines| lines.push(line.to_owned()));
        let report = run(Box::new(Dying(Faulty::without(ignored), 5000)), QUICK, told).unwrap();
        let (shown, lines) = (table(&report, View::PLAIN), TOLD.take());
        assert!(!report.agrees() && report.kernels.iter().any(|row| row.cases > 0), "{shown}");
        let count = report.differences.len();
        assert_eq!(count > 0, !ignored.is_empty(), "{shown}");
        let verdict = format!("stopped early, differences so far: {count}; device lost: scripted");
        assert!(shown.contains(&verdict), "{shown}");
        assert_eq!(lines[0], "differences so far: 0; next: law agrees");
        let last = lines.iter().rfind(|line| line.contains("; next: ")).unwrap();
        assert!(last.starts_with(&format!("differences so far: {count}; ")), "{lines:?}");
        let told = lines.iter().filter(|line| line.starts_with("differs: "));
        assert_eq!(told.count(), count, "{lines:?}");
        assert_eq!(serde_json::to_value(&report).unwrap()["stopped"], "device lost: scripted");
    }
}
