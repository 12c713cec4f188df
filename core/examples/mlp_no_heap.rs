//! A multilayer perceptron trained by SAM in arrays of fixed size: no heap, no std.
//!
//! 2 inputs, 8 hidden units (ReLU), 1 output; it learns x y on a 5 x 5 grid, which no linear model can.
//! On a host it prints the loss before and after. For a Cortex-M4 the same training is linked into
//! an image without an operating system (docs/speed.md, "Without a heap", has the command).

#![cfg_attr(target_os = "none", no_std, no_main)]

use presam::{Cpu, Error, Flat, Group, PlanesMut, Sam, Schedule, Session, Sgd};

const HIDDEN: usize = 8;
/// A hidden unit has two weights, a bias and a weight to the output; the output has a bias.
const PARAMS: usize = 4 * HIDDEN + 1;
const STEPS: u32 = 400;

/// Every point of the grid with its target.
fn samples() -> impl Iterator<Item = ([f32; 2], f32)> {
    const GRID: [f32; 5] = [-1.0, -0.5, 0.0, 0.5, 1.0];
    GRID.into_iter().flat_map(|x| GRID.into_iter().map(move |y| ([x, y], x * y)))
}

/// The mean of (output - target)^2 / 2 over the grid, and its gradient.
fn loss(params: &[f32], grads: &mut [f32]) -> f32 {
    let (units, &[output_bias]) = params.as_chunks::<4>() else { return f32::NAN };
    let mut total = 0.0;
    let mut count = 0.0;
    grads.fill(0.0);
    for ([x, y], target) in samples() {
        let mut output = output_bias;
        for [from_x, from_y, bias, to_output] in units {
            output += to_output * relu(from_x * x + from_y * y + bias);
        }
        let error = output - target;
        total += error * error / 2.0;
        count += 1.0;
        let (unit_grads, bias_grad) = grads.as_chunks_mut::<4>();
        for (grad, [from_x, from_y, bias, to_output]) in unit_grads.iter_mut().zip(units) {
            let active = relu(from_x * x + from_y * y + bias);
            let back = if active > 0.0 { error * to_output } else { 0.0 };
            for (slot, part) in grad.iter_mut().zip([back * x, back * y, back, error * active]) {
                *slot += part;
            }
        }
        bias_grad.iter_mut().for_each(|slot| *slot += error);
    }
    grads.iter_mut().for_each(|slot| *slot /= count);
    total / count
}

fn relu(value: f32) -> f32 {
    if value > 0.0 { value } else { 0.0 }
}

/// Weights in [-1, 1) from a linear congruential generator: the same on every machine.
fn initial() -> [f32; PARAMS] {
    let mut state = 1u32;
    core::array::from_fn(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
    })
}

/// Trains from scratch; the loss before and after.
fn train() -> Result<[f32; 2], Error> {
    let (mut params, mut grads) = (initial(), [0.0; PARAMS]);
    let (mut spare, mut velocity) = ([0.0; PARAMS], [0.0; PARAMS]);
    let before = loss(&params, &mut grads);
    let rate = Schedule::cosine(0.1, 0.0, STEPS)?;
    let sgd = Sgd::new(0.1)?.with_momentum(0.9)?;
    let mut session = Session::new(Cpu::plain(), Sam::new(), sgd);
    let state = PlanesMut::from([&mut velocity]);
    let mut model = Flat { state, ..Flat::new(&mut params, &mut grads, &mut spare) };
    for step in 0..STEPS {
        session.learning_rate = Some(rate.at(step));
        session.step(&[Group::new(0.02)?], &mut model, |model, _| {
            loss(model.params, model.grads);
            Ok::<(), Error>(())
        })?;
    }
    Ok([before, loss(&params, &mut grads)])
}

/// Ten times less than before is what "it learns" means here.
fn has_learnt([before, after]: [f32; 2]) -> bool {
    10.0 * after < before
}

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    match train() {
        Ok(losses @ [before, after]) => {
            println!(
                "{PARAMS} parameters, {STEPS} steps: loss {before:.5} before, {after:.5} after"
            );
            std::process::ExitCode::from(u8::from(!has_learnt(losses)))
        }
        Err(error) => {
            eprintln!("mlp_no_heap: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "none")]
mod firmware {
    use core::hint::{black_box, spin_loop};

    /// Where the image starts. A board's start-up code would set the stack and the FPU first.
    #[expect(unsafe_code, reason = "the linker looks for this name")]
    #[unsafe(no_mangle)]
    extern "C" fn _start() -> ! {
        black_box(super::train().is_ok_and(super::has_learnt));
        halt()
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        halt()
    }

    fn halt() -> ! {
        loop {
            spin_loop();
        }
    }
}
