//! A model whose calls are refused.

use super::{Api, Held, Planes, Seeded, group};
use presam::{AnyBase, AnyVariant};
use presam_capi::*;

/// Two tensors of info-asam and AdamW, with a group each, a state and a norm.
pub struct Model<R: Api> {
    pub state: R::State,
    pub norm: R::Norm,
    pub planes: Vec<Planes<R>>,
    pub tensors: Vec<Tensor<R>>,
    pub groups: Box<[Group; 2]>,
    pub held: Held,
}

pub fn what(code: Code, argument: Argument) -> (u32, u32, u32) {
    (code as u32, argument as u32, 0)
}

pub fn told(status: Status) -> (u32, u32, u32) {
    (status.code(), status.argument(), status.index())
}

pub fn ok(status: Status) {
    assert_eq!(told(status), (0, 0, 0));
}

impl<R: Api> Model<R> {
    pub fn new() -> Self {
        let variant = AnyVariant::by_name("info-asam").unwrap();
        let base = AnyBase::by_name("adamw").unwrap();
        let mut seeded = Seeded(11);
        let mut planes: Vec<Planes<R>> =
            [(0, 20), (1, 5)].map(|place| Planes::new(place, &variant, &base, &mut seeded)).into();
        for tensor in &mut planes {
            tensor.grads = seeded.plane(tensor.grads.len());
        }
        let groups = Box::new([group(0.5, 0, 0.0), group(0.1, PRESAM_GROUP_NO_OPERATOR, 0.0)]);
        let tensors = planes.iter_mut().map(|tensor| tensor.c(&groups[..])).collect();
        let held = Held::new("info-asam", "adamw", &[], &[]);
        let mut model =
            Self { state: R::ZERO_STATE, norm: R::ZERO_NORM, planes, tensors, groups, held };
        ok(model.init());
        model
    }

    pub fn init(&mut self) -> Status {
        // SAFETY: all of it lives.
        unsafe { R::init(&mut self.state, size_of::<R::State>(), &self.held.config) }
    }

    /// Every byte that a call might write, marks and state included.
    pub fn bytes(&self) -> (Vec<Vec<Vec<u64>>>, Vec<Mark>, R::State) {
        let planes = self.planes.iter().map(Planes::bits).collect();
        (planes, self.tensors.iter().map(|tensor| tensor.mark).collect(), self.state)
    }

    /// The call is refused so, and nothing is touched.
    pub fn refuses(&mut self, expected: (u32, u32, u32), call: impl FnOnce(&mut Self) -> Status) {
        let before = self.bytes();
        let status = call(self);
        assert_eq!(told(status), expected, "{:?}", message(status));
        assert!(self.bytes() == before, "{expected:?} touched something");
    }

    /// Every call that takes a tensor refuses it so: alone, and as the second of an array.
    pub fn tensor_refused(
        &mut self,
        code: Code,
        argument: Argument,
        spoil: impl Fn(&mut Tensor<R>),
    ) {
        let (alone, listed) =
            ((code as u32, argument as u32, 0), (code as u32, argument as u32, 1));
        let good = self.tensors[1];
        spoil(&mut self.tensors[1]);
        // SAFETY: each address is checked before it is used; lengths are right or refused.
        unsafe {
            ok(R::norm_begin(&self.state, &mut self.norm, 0));
            self.refuses(alone, |m| R::norm_add(&m.state, &m.tensors[1], &mut m.norm));
            self.refuses(listed, |m| R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
            self.refuses(listed, |m| R::check(&m.state, m.tensors.as_ptr(), 2));
            let ready = self.state;
            ok(R::norm_finish(&mut self.state, &self.norm));
            self.refuses(alone, |m| R::ascend(&mut m.state, &mut m.tensors[1]));
            ok(R::second_begin(&self.state, &mut self.norm, 0));
            self.refuses(alone, |m| R::second_add(&m.state, &m.tensors[1], &mut m.norm));
            self.state = ready;
            ok(R::skip(&mut self.state));
            self.refuses(listed, |m| R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
            ok(R::second_begin(&self.state, &mut self.norm, 0));
            ok(R::second_finish(&mut self.state, &self.norm));
            self.refuses(alone, |m| R::descend(&m.state, &mut m.tensors[1]));
            self.state = ready;
        }
        self.tensors[1] = good;
    }
}

pub fn message(status: Status) -> String {
    let mut buffer = [0_u8; 200];
    // SAFETY: its room is told.
    let length = unsafe { presam_status_write(status, buffer.as_mut_ptr().cast(), buffer.len()) };
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}
