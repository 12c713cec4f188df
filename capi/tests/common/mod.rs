//! A model in flat planes, and C's functions for both types under one name.

#![allow(unsafe_code, dead_code, reason = "C's functions; not every test takes all of them")]

pub mod trial;

use presam::{AnyBase, AnyReal, AnyVariant, DynBase, DynVariant};
use presam_capi::*;
use std::ffi::CString;
use std::ptr::{null, null_mut};

/// C's functions for one type.
pub trait Api: AnyReal {
    type State: Copy + PartialEq;
    type Norm: Copy;
    const ZERO_STATE: Self::State;
    const ZERO_NORM: Self::Norm;
    unsafe fn init(s: *mut Self::State, size: usize, config: *const Config) -> Status;
    unsafe fn learning_rate(s: *mut Self::State, rate: f64) -> Status;
    unsafe fn loss_scale(s: *mut Self::State, scale: f64) -> Status;
    unsafe fn check(s: *const Self::State, t: *const Tensor<Self>, n: usize) -> Status;
    unsafe fn ascend_all(s: *mut Self::State, t: *mut Tensor<Self>, n: usize) -> Status;
    unsafe fn descend_all(s: *mut Self::State, t: *mut Tensor<Self>, n: usize) -> Status;
    unsafe fn norm_begin(s: *const Self::State, n: *mut Self::Norm, chunk: u64) -> Status;
    unsafe fn norm_add(s: *const Self::State, t: *const Tensor<Self>, n: *mut Self::Norm)
    -> Status;
    unsafe fn norm_merge(n: *mut Self::Norm, next: *const Self::Norm) -> Status;
    unsafe fn norm_finish(s: *mut Self::State, n: *const Self::Norm) -> Status;
    unsafe fn ascend(s: *mut Self::State, t: *mut Tensor<Self>) -> Status;
    unsafe fn restore(s: *mut Self::State, t: *mut Tensor<Self>) -> Status;
    unsafe fn second_begin(s: *const Self::State, n: *mut Self::Norm, chunk: u64) -> Status;
    unsafe fn second_add(
        s: *const Self::State,
        t: *const Tensor<Self>,
        n: *mut Self::Norm,
    ) -> Status;
    unsafe fn second_finish(s: *mut Self::State, n: *const Self::Norm) -> Status;
    unsafe fn descend(s: *const Self::State, t: *mut Tensor<Self>) -> Status;
    unsafe fn skip(s: *mut Self::State) -> Status;
    unsafe fn cancel(s: *mut Self::State) -> Status;
    unsafe fn report(s: *const Self::State, out: *mut Report) -> Status;
}

macro_rules! api {
    ($R:ty, $State:ident, $Norm:ident, $words:expr, $norm_words:expr; $($name:ident($($arg:ident: $T:ty),*) = $c:ident;)*) => {
        impl Api for $R {
            type State = [u64; $words];
            type Norm = [u64; $norm_words];
            const ZERO_STATE: Self::State = [0; $words];
            const ZERO_NORM: Self::Norm = [0; $norm_words];
            $(unsafe fn $name($($arg: $T),*) -> Status {
                // SAFETY: the test's word.
                unsafe { $c($($arg.cast_c()),*) }
            })*
        }
        impl CastC<*mut $State> for *mut [u64; $words] {
            fn cast_c(self) -> *mut $State { self.cast() }
        }
        impl CastC<*const $State> for *const [u64; $words] {
            fn cast_c(self) -> *const $State { self.cast() }
        }
        impl CastC<*mut $Norm> for *mut [u64; $norm_words] {
            fn cast_c(self) -> *mut $Norm { self.cast() }
        }
        impl CastC<*const $Norm> for *const [u64; $norm_words] {
            fn cast_c(self) -> *const $Norm { self.cast() }
        }
        impl CastC<*mut Tensor<$R>> for *mut Tensor<$R> {
            fn cast_c(self) -> Self { self }
        }
        impl CastC<*const Tensor<$R>> for *const Tensor<$R> {
            fn cast_c(self) -> Self { self }
        }
    };
}

/// An address as a C function takes it.
trait CastC<C> {
    fn cast_c(self) -> C;
}
macro_rules! same { ($($T:ty),*) => { $(impl CastC<$T> for $T { fn cast_c(self) -> Self { self } })* } }
same!(usize, u64, f64, *const Config, *mut Report);

macro_rules! both {
    ($R:ident, $State:ident, $Norm:ident, $words:ident, $norm_words:ident, [$($c:ident)*]) => {
        both!(@ $R, $State, $Norm, $words, $norm_words, $($c)*);
    };
    (@ $R:ident, $State:ident, $Norm:ident, $w:ident, $n:ident, $init:ident $rate:ident $scale:ident $check:ident
     $aall:ident $dall:ident $nb:ident $na:ident $nm:ident $nf:ident $a:ident $r:ident $sb:ident $sa:ident
     $sf:ident $d:ident $skip:ident $cancel:ident $report:ident) => {
        api! { $R, $State, $Norm, $w, $n;
            init(s: *mut Self::State, size: usize, config: *const Config) = $init;
            learning_rate(s: *mut Self::State, rate: f64) = $rate;
            loss_scale(s: *mut Self::State, scale: f64) = $scale;
            check(s: *const Self::State, t: *const Tensor<Self>, n: usize) = $check;
            ascend_all(s: *mut Self::State, t: *mut Tensor<Self>, n: usize) = $aall;
            descend_all(s: *mut Self::State, t: *mut Tensor<Self>, n: usize) = $dall;
            norm_begin(s: *const Self::State, n: *mut Self::Norm, chunk: u64) = $nb;
            norm_add(s: *const Self::State, t: *const Tensor<Self>, n: *mut Self::Norm) = $na;
            norm_merge(n: *mut Self::Norm, next: *const Self::Norm) = $nm;
            norm_finish(s: *mut Self::State, n: *const Self::Norm) = $nf;
            ascend(s: *mut Self::State, t: *mut Tensor<Self>) = $a;
            restore(s: *mut Self::State, t: *mut Tensor<Self>) = $r;
            second_begin(s: *const Self::State, n: *mut Self::Norm, chunk: u64) = $sb;
            second_add(s: *const Self::State, t: *const Tensor<Self>, n: *mut Self::Norm) = $sa;
            second_finish(s: *mut Self::State, n: *const Self::Norm) = $sf;
            descend(s: *const Self::State, t: *mut Tensor<Self>) = $d;
            skip(s: *mut Self::State) = $skip;
            cancel(s: *mut Self::State) = $cancel;
            report(s: *const Self::State, out: *mut Report) = $report;
        }
    };
}
both!(f32, StateF32, NormF32, PRESAM_STATE_F32_WORDS, PRESAM_NORM_F32_WORDS, [
    presam_init_f32 presam_set_learning_rate_f32 presam_set_loss_scale_f32 presam_check_f32
    presam_ascend_all_f32 presam_descend_all_f32 presam_norm_begin_f32 presam_norm_add_f32
    presam_norm_merge_f32 presam_norm_finish_f32 presam_ascend_f32 presam_restore_f32
    presam_second_begin_f32 presam_second_add_f32 presam_second_finish_f32 presam_descend_f32
    presam_skip_ascent_f32 presam_cancel_f32 presam_report_f32
]);
both!(f64, StateF64, NormF64, PRESAM_STATE_F64_WORDS, PRESAM_NORM_F64_WORDS, [
    presam_init_f64 presam_set_learning_rate_f64 presam_set_loss_scale_f64 presam_check_f64
    presam_ascend_all_f64 presam_descend_all_f64 presam_norm_begin_f64 presam_norm_add_f64
    presam_norm_merge_f64 presam_norm_finish_f64 presam_ascend_f64 presam_restore_f64
    presam_second_begin_f64 presam_second_add_f64 presam_second_finish_f64 presam_descend_f64
    presam_skip_ascent_f64 presam_cancel_f64 presam_report_f64
]);

/// Numbers from a seed, uniform in (-1, 1).
pub struct Seeded(pub u64);

impl Seeded {
    pub fn number<R: AnyReal>(&mut self) -> R {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        R::from_f64((self.0 >> 40) as f64 / f64::from(1 << 23) - 1.0)
    }

    pub fn plane<R: AnyReal>(&mut self, len: usize) -> Vec<R> {
        (0..len).map(|_| self.number()).collect()
    }
}

/// A tensor's planes.
#[derive(Clone, Debug)]
pub struct Planes<R> {
    pub group: usize,
    pub params: Vec<R>,
    pub grads: Vec<R>,
    pub backup: Vec<R>,
    pub memory: Vec<Vec<R>>,
    pub inputs: Vec<Vec<R>>,
    pub state: Vec<Vec<R>>,
    pub mark: presam::Mark,
}

impl<R: AnyReal> Planes<R> {
    pub fn new(
        (group, len): (usize, usize),
        variant: &AnyVariant<R>,
        base: &AnyBase<R>,
        seeded: &mut Seeded,
    ) -> Self {
        let planes = variant.planes();
        Self {
            group,
            params: seeded.plane(len),
            grads: vec![R::ZERO; len],
            backup: vec![R::ZERO; len],
            memory: vec![vec![R::ZERO; len]; planes.memory],
            inputs: (0..planes.inputs).map(|_| seeded.plane(len)).collect(),
            state: vec![vec![R::ZERO; len]; base.state_planes()],
            mark: presam::Mark::default(),
        }
    }

    /// As C has it.
    pub fn c(&mut self, groups: &[Group]) -> Tensor<R> {
        let mut tensor = Tensor {
            size: size_of::<Tensor<R>>() as u32,
            version: PRESAM_VERSION,
            len: self.params.len(),
            params: self.params.as_mut_ptr(),
            grads: self.grads.as_ptr(),
            backup: self.backup.as_mut_ptr(),
            memory: [null_mut(); 4],
            inputs: [null(); 4],
            state: [null_mut(); 4],
            group: &groups[self.group],
            mark: Mark { stage: 0, step: 0, len: 0 },
        };
        for (to, plane) in tensor.memory.iter_mut().zip(&mut self.memory) {
            *to = plane.as_mut_ptr();
        }
        for (to, plane) in tensor.inputs.iter_mut().zip(&self.inputs) {
            *to = plane.as_ptr();
        }
        for (to, plane) in tensor.state.iter_mut().zip(&mut self.state) {
            *to = plane.as_mut_ptr();
        }
        tensor
    }

    /// Every bit of it.
    pub fn bits(&self) -> Vec<Vec<u64>> {
        let lists = self.memory.iter().chain(&self.inputs).chain(&self.state);
        let all = [&self.params, &self.grads, &self.backup].into_iter().chain(lists);
        all.map(|plane| plane.iter().map(|x| x.bits()).collect()).collect()
    }
}

/// A group that is all there.
pub fn group(rho: f64, flags: u32, weight_decay: f64) -> Group {
    let size = size_of::<Group>() as u32;
    Group { size, version: PRESAM_VERSION, flags, reserved: 0, rho, weight_decay }
}

/// A configuration, with the strings it points to.
pub struct Held {
    pub config: Config,
    _strings: Vec<CString>,
}

impl Held {
    pub fn new(
        variant: &str,
        base: &str,
        variant_settings: &[(&str, f64)],
        base_settings: &[(&str, f64)],
    ) -> Self {
        let mut strings = Vec::new();
        let mut hold = |text: &str| {
            let text = CString::new(text).unwrap();
            let at = text.as_ptr();
            strings.push(text);
            at
        };
        let mut list = |settings: &[(&str, f64)]| {
            let mut list = [Setting { key: null(), value: 0.0 }; PRESAM_MAX_SETTINGS];
            for (to, (key, value)) in list.iter_mut().zip(settings) {
                *to = Setting { key: hold(key), value: *value };
            }
            list
        };
        let (variant_settings, base_settings) = (list(variant_settings), list(base_settings));
        let config = Config {
            size: size_of::<Config>() as u32,
            version: PRESAM_VERSION,
            variant: 0,
            base: 0,
            variant_name: hold(variant),
            base_name: hold(base),
            variant_settings,
            base_settings,
            flags: 0,
            reserved: 0,
            unnormalised: 0.0,
            norm_guard: 0.0,
            max_norm: 0.0,
        };
        Self { config, _strings: strings }
    }
}

/// A report to be filled in.
pub fn report() -> Report {
    let size = size_of::<Report>() as u32;
    let version = PRESAM_VERSION;
    let (norm, grad_factor) = (0.0, 0.0);
    Report { size, version, outcome: 9, second: 9, descends: 9, steps: 0, norm, grad_factor }
}
