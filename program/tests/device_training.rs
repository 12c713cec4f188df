//! Training on a device that is taken for a GPU: measured there, with the CPU's bits, and timed by phase.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

mod common;

use common::timeless;
use presam_backends::{Faulty, Recorder};
use presam_cuda::{Address, Device, DeviceError, Emulated, Layer};
use presam_kernels::{Kernel, entries};
use presam_program::config::{Config, Many, Options, SeedsOption, resolve};
use presam_program::report::{Results, speed_table};
use presam_program::show::view::View;
use presam_program::train::{run, run_on};

/// More training examples than are evaluated at once, and a last batch that is smaller.
fn config(methods: &[&str]) -> Config {
    config_with(methods, &[])
}

fn config_with(methods: &[&str], settings: &[(&str, &str, f64)]) -> Config {
    let mut set = BTreeMap::<_, BTreeMap<_, _>>::new();
    for &(method, key, value) in settings {
        set.entry(method.to_owned()).or_default().insert(key.to_owned(), value);
    }
    resolve(Options {
        set,
        epochs: Some(1),
        hidden: Some(Many::List(vec![8])),
        train_samples: Some(600),
        batch: Some(70),
        seeds: Some(SeedsOption::Count(1)),
        methods: Some(Many::List(methods.iter().map(|&name| name.to_owned()).collect())),
        ..Options::default()
    })
    .unwrap()
}

fn trained(config: &Config, ignored: &'static str) -> Results {
    let mut device: Box<dyn Device> = Box::new(Faulty::without(&[ignored]).as_gpu());
    run_on(config, &|_| (), Some(&mut device)).unwrap()
}

#[test]
fn every_measure_is_the_cpu_s_and_every_phase_has_its_share() {
    let config = config(&["sgd", "info-asam", "momentum-sam", "gsam", "look-sam"]);
    let cpu = run(&config, &|_| ()).unwrap();
    let gpu = trained(&config, "");
    for (cpu, gpu) in cpu.runs.iter().zip(&gpu.runs) {
        assert_eq!(timeless(cpu), timeless(gpu));
        assert_eq!(cpu.forward_share, None);
        let shares = [gpu.forward_share, gpu.backward_share, gpu.ascent_share, gpu.descent_share]
            .map(Option::unwrap);
        let sum: f64 = shares.iter().sum();
        assert!((sum - 1.0).abs() < 1e-12, "{}: shares add up to {sum}", gpu.method);
        let [forward, backward, ascent, descent] = shares.map(|share| share > 0.0);
        assert!(forward && backward && descent, "{}: {shares:?}", gpu.method);
        assert_eq!(ascent, gpu.rho.is_some(), "{}: {shares:?}", gpu.method);
        assert!(gpu.samples_per_second.unwrap() > 0.0);
    }
    assert_eq!(speed_table(&cpu).text(View::PLAIN), "");
    assert_eq!(speed_table(&gpu).text(View::PLAIN).lines().count(), 1 + config.methods.len());
}

#[test]
fn a_recorded_step_serves_every_whole_batch() {
    // Eight batches of 70 and one of 40, twice. Of each epoch the last step is launched, and the one that compares
    // gradients; of a method the first of each kind.
    let methods = ["sgd", "sam", "info-asam", "momentum-sam", "gsam", "wsam", "saner", "look-sam"];
    // SANER's alpha grows from epoch to epoch, which is recorded again.
    let config = Config { epochs: 2, ..config_with(&methods, &[("saner", "warm_up", 1.0)]) };
    let cpu = run(&config, &|_| ()).unwrap();
    let recorder = Recorder::over(Emulated::new(1));
    let replays = recorder.replays();
    let mut device: Box<dyn Device> = Box::new(recorder);
    let found = run_on(&config, &|_| (), Some(&mut device)).unwrap();
    for (cpu, found) in cpu.runs.iter().zip(&found.runs) {
        assert_eq!(timeless(cpu), timeless(found));
    }
    // sgd, momentum-sam: 15 each; of the others the first step of each epoch compares; look-sam has two kinds.
    assert_eq!(replays.get(), 2 * 15 + 5 * 14 + 13);
}

/// A device that says it records, and does not.
struct Refusing(Emulated);

impl Layer for Refusing {
    fn below(&self) -> &dyn Device {
        &self.0
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut self.0
    }

    fn on_records(&self) -> bool {
        true
    }
}

#[test]
fn a_device_that_refuses_to_record_is_asked_launch_by_launch() {
    let config = config(&["sam"]);
    let cpu = run(&config, &|_| ()).unwrap();
    let mut device: Box<dyn Device> = Box::new(Refusing(Emulated::new(1)));
    let found = run_on(&config, &|_| (), Some(&mut device)).unwrap();
    assert_eq!(timeless(&cpu.runs[0]), timeless(&found.runs[0]));
}

#[test]
fn a_device_that_miscounts_is_not_taken_at_the_cpu_s_word() {
    let config = config(&["sam"]);
    let cpu = run(&config, &|_| ()).unwrap();
    let found = trained(&config, entries::correct_count.name);
    assert_eq!(found.runs[0].params_sha256, cpu.runs[0].params_sha256);
    assert_eq!(found.runs[0].train_accuracy_clean, 0.0);
}

/// A device that takes its time to hand out a gradient, and knows how long the first epoch took.
struct Slow {
    device: Emulated,
    began: Option<Instant>,
    epoch: Rc<Cell<Duration>>,
}

/// Bytes of a gradient, and of the log of nine steps.
const GRADIENT: usize = 4 * (64 * 8 + 8 + 8 * 10 + 10);
const LOG: usize = 9 * 16;
const READ: Duration = Duration::from_millis(400);

impl Layer for Slow {
    fn below(&self) -> &dyn Device {
        &self.device
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut self.device
    }

    fn on_read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        match (self.epoch.get().is_zero(), bytes.len(), self.began) {
            (true, GRADIENT, _) => std::thread::sleep(READ),
            (true, LOG, Some(began)) => self.epoch.set(began.elapsed()),
            _ => {}
        }
        self.device.read(from, bytes)
    }

    fn on_launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        self.began.get_or_insert_with(Instant::now);
        self.device.launch(kernel, blocks, arguments)
    }
}

#[test]
fn comparing_gradients_is_no_part_of_a_step_s_time() {
    let epoch = Rc::new(Cell::new(Duration::ZERO));
    let device = Slow { device: Emulated::new(1), began: None, epoch: Rc::clone(&epoch) };
    let mut device: Box<dyn Device> = Box::new(device);
    let found = run_on(&config(&["sam"]), &|_| (), Some(&mut device)).unwrap();
    let (epoch, steps) = (epoch.get().as_secs_f64(), 9.0 * found.runs[0].seconds_per_step);
    let read = READ.as_secs_f64();
    assert!(epoch > 2.0 * read && steps < epoch - read, "{steps} s of {epoch} s");
}
