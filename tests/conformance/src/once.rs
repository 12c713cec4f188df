//! What is generic over the number type and large, compiled where it stands: at a low optimisation level, which tests
//! have, a crate that asks for the same takes it from there and does not compile it again.

use crate::catalogue::{Questions, diagnosed, off};
use crate::generate::cases;
use crate::laws::all;
use crate::runner::{draw, tried};

/// Has these functions compiled for `f32` and `f64` in the crate that names them.
#[doc(hidden)]
#[macro_export]
macro_rules! compiled_here {
    ([$R:ident: $($bound:tt)+] $($function:expr),+ $(,)?) => {
        /// Names all of it for one number type; never called.
        fn named<$R: $($bound)+>() -> usize {
            [$($function as *const () as usize),+].len()
        }

        /// Both number types.
        #[doc(hidden)]
        pub fn both() -> usize {
            named::<f32>() + named::<f64>()
        }
    };
}

compiled_here! { [R: crate::scalar::Scalar]
    all::<R>, cases::<R>, draw::<R>, tried::<R>, Questions::<R>::draw, diagnosed::<R>, off::<R>,
}
