//! What a trainer must not have to think of: statistics, missing gradients, failures, numbers that are none.

use candle_core::{DType, Device, Error, Result, Storage, Tensor, Var};
use candle_nn::{BatchNorm, Linear, Module, VarBuilder, VarMap, batch_norm, linear};
use presam::Outcome;
use presam_candle::{Config, Sam, in_order};

fn var(values: &[f32]) -> Result<Var> {
    Var::from_slice(values, values.len(), &Device::Cpu)
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).unwrap()
}

/// With weight decay: a parameter that takes part in a step moves, gradient of 0 or not.
fn sam(vars: &[&Var], variant: &str) -> Result<Sam> {
    let config = Config::by_name(variant, 0.5, "adamw")?.base("weight_decay", 0.1)?;
    Sam::new(vars.iter().map(|&var| var.clone()).collect(), config)
}

struct Network {
    first: Linear,
    norm: BatchNorm,
    second: Linear,
}

impl Network {
    fn new(varmap: &VarMap) -> Result<Self> {
        let vb = VarBuilder::from_varmap(varmap, DType::F32, &Device::Cpu);
        let norm = batch_norm(5, 1e-5, vb.pp("norm"))?;
        Ok(Self {
            first: linear(3, 5, vb.pp("first"))?,
            norm,
            second: linear(5, 1, vb.pp("second"))?,
        })
    }

    fn loss(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = self.norm.forward_train(&self.first.forward(x)?)?.relu()?;
        self.second.forward(&hidden)?.sqr()?.mean_all()
    }

    fn statistics(&self) -> [Vec<f32>; 2] {
        [values(self.norm.running_mean()), values(self.norm.running_var())]
    }
}

#[test]
fn a_batch_enters_the_running_statistics_once() -> Result<()> {
    let varmap = VarMap::new();
    let network = Network::new(&varmap)?;
    let x = Tensor::from_vec((0..24).map(|i| (i * i % 7) as f32).collect(), (8, 3), &Device::Cpu)?;
    let fresh = network.statistics();
    network.loss(&x)?;
    let once = network.statistics();
    for (name, var) in varmap.data().lock().unwrap().iter() {
        if name.contains("running") {
            var.set(&Tensor::full(
                if name.contains("var") { 1f32 } else { 0.0 },
                5,
                &Device::Cpu,
            )?)?;
        }
    }
    assert_eq!(network.statistics(), fresh);
    let config = Config::by_name("sam", 0.5, "sgd")?;
    let mut sam = Sam::new(in_order(&varmap), config)?;
    let mut passes = Vec::new();
    let (_, report) = sam.backward_step(|| {
        let loss = network.loss(&x);
        passes.push(network.statistics());
        loss
    })?;
    assert!(report.descended);
    assert_ne!(passes[1], once, "the second pass counted too");
    assert_eq!(network.statistics(), once);
    // The closure fails in the second pass: its statistics are put back all the same.
    let mut calls = 0;
    let mut after_first = None;
    let failed = sam.backward_step(|| {
        calls += 1;
        let loss = network.loss(&x)?;
        after_first.get_or_insert(network.statistics());
        if calls == 2 { Err(Error::msg("lost")) } else { Ok(loss) }
    });
    assert!(failed.unwrap_err().to_string().starts_with("lost"));
    assert_eq!(Some(network.statistics()), after_first);
    Ok(())
}

#[test]
fn without_a_gradient_a_parameter_is_left_alone() -> Result<()> {
    let (a, b) = (var(&[1.0, -2.0])?, var(&[3.0, 4.0])?);
    let mut sam = sam(&[&a, &b], "info-asam")?;
    let a_alone = |_: usize| a.sqr()?.sum_all();
    let both = |_: usize| a.sqr()?.sum_all()? + b.sqr()?.sum_all()?;
    let first_both = |pass| if pass == 0 { both(0) } else { a_alone(1) };
    let second_both = |pass| if pass == 1 { both(1) } else { a_alone(0) };
    let mut step = |loss: &dyn Fn(usize) -> Result<Tensor>| {
        let before = (values(&a), values(&b));
        let (mut pass, mut b_was) = (0, Vec::new());
        sam.backward_step(|| {
            b_was.push(values(&b));
            pass += 1;
            loss(pass - 1)
        })
        .unwrap();
        assert_ne!(values(&a), before.0);
        (b_was[1] != before.1, values(&b) != before.1)
    };
    assert_eq!(step(&a_alone), (false, false));
    assert_eq!(step(&both), (true, true));
    assert_eq!(step(&first_both), (true, false), "perturbed, restored, no step");
    assert_eq!(step(&second_both), (false, true), "not perturbed, a step");
    assert_eq!(step(&a_alone), (false, false));
    Ok(())
}

#[test]
fn a_failure_in_the_second_pass_leaves_every_bit() -> Result<()> {
    let a = var(&[1.0, -2.0, 0.1])?;
    let mut sam = sam(&[&a], "sam")?;
    for panics in [false, true] {
        let mut calls = 0;
        let step = std::panic::AssertUnwindSafe(|| {
            sam.backward_step(|| {
                calls += 1;
                if calls == 2 {
                    assert_ne!(values(&a), [1.0, -2.0, 0.1]);
                    assert!(!panics, "as asked");
                    return Err(Error::msg("as asked"));
                }
                a.sqr()?.sum_all()
            })
        });
        assert!(std::panic::catch_unwind(step).map_or(true, |step| step.is_err()));
        assert_eq!(values(&a), [1.0, -2.0, 0.1]);
    }
    assert!(sam.backward_step(|| a.sqr()?.sum_all())?.1.descended);
    Ok(())
}

#[test]
fn a_gradient_that_is_not_finite_changes_nothing() -> Result<()> {
    let a = var(&[1.0, -2.0])?;
    let mut sam = sam(&[&a], "info-asam")?;
    for bad in [0, 1] {
        let mut pass = 0;
        let (_, report) = sam.backward_step(|| {
            pass += 1;
            let factor = if pass - 1 == bad { f64::INFINITY } else { 1.0 };
            a.sqr()?.sum_all()? * factor
        })?;
        assert!(!report.descended);
        assert_eq!(report.ascent.outcome == Outcome::NonFinite, bad == 0);
        assert_eq!((pass, values(&a)), (1 + bad, vec![1.0, -2.0]));
    }
    Ok(())
}

#[test]
fn the_step_is_in_place_and_copies_are_counted() -> Result<()> {
    let address = |var: &Var| match &*var.storage_and_layout().0 {
        Storage::Cpu(storage) => storage.as_slice::<f32>().map(<[f32]>::as_ptr),
        _ => unreachable!(),
    };
    let a = Var::from_vec(vec![1f32, 2.0, 3.0, 4.0, 5.0, 6.0], (2, 3), &Device::Cpu)?;
    let mut sam = sam(&[&a], "asam")?;
    let before = address(&a)?;
    for _ in 0..3 {
        sam.backward_step(|| a.sqr()?.sum_all())?;
    }
    assert_eq!((address(&a)?, sam.copies), (before, 0));
    // A gradient that stands on its side.
    sam.step(|| {
        let mut grads = a.sqr()?.sum_all()?.backward()?;
        grads.insert(&a, Tensor::ones((3, 2), DType::F32, &Device::Cpu)?.t()?);
        Ok(grads)
    })?;
    assert_eq!((address(&a)?, sam.copies), (before, 2));
    Ok(())
}

#[test]
fn what_it_cannot_take_is_refused_in_one_line() -> Result<()> {
    let config = || Config::by_name("sam", 0.5, "sgd");
    let refused = |vars: Vec<Var>| Sam::new(vars, config().unwrap()).err().map(|e| e.to_string());
    let double = Var::from_slice(&[1f64], 1, &Device::Cpu)?;
    let single = var(&[1.0])?;
    assert!(refused(vec![single.clone(), double]).unwrap().contains("variable 1: expected f32"));
    assert!(refused(vec![single.clone(), single.clone()]).unwrap().contains("a second time"));
    let mut sam = Sam::new(vec![single.clone()], config()?)?;
    let other = sam.step(|| {
        let mut grads = single.sqr()?.sum_all()?.backward()?;
        grads.insert(&single, Tensor::ones(2, DType::F32, &Device::Cpu)?);
        Ok(grads)
    });
    assert!(other.unwrap_err().to_string().contains("gradient: expected"));
    let itself = sam.step(|| {
        let mut grads = single.sqr()?.sum_all()?.backward()?;
        grads.insert(&single, single.as_tensor().clone());
        Ok(grads)
    });
    assert!(itself.unwrap_err().to_string().contains("alias"));
    assert_eq!(values(&single), [1.0]);
    let unknown = Config::by_name("sma", 0.5, "sgd").unwrap_err().to_string();
    assert!(unknown.contains("expected one of: sam, asam"), "{unknown}");
    Ok(())
}
