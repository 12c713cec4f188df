//! The law of `--bits`: every bit is the core's.

use presam::Cpu;
use presam_conformance::compare::{same_bits, same_planes};
use presam_conformance::generate::Shape;
use presam_conformance::{
    Answer, Backend, Case, Checked, Expected, Law, Mismatch, Scalar, Worst, laws,
};

use presam_backends::Phases;

/// Agreement in bits in place of agreement within a bound, and the other laws.
pub(super) fn laws_in_bits<R: Scalar>() -> Vec<Law<R>>
where
    Phases: Backend<R>,
{
    let law = Law {
        name: "same-bits",
        statement: "every bit of a step is the core's",
        rules: |_| true,
        needs: |_| true,
        shape: Shape::Wide,
        check: same_as_core::<R>,
    };
    let others = laws::all().into_iter().filter(|law| !law.name.starts_with("agrees"));
    std::iter::once(law).chain(others).collect()
}

fn same_as_core<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch>
where
    Phases: Backend<R>,
{
    // Where rounding decides, the bits are still one: only what has no norm says nothing.
    if !Expected::of(case)?.ascent.norm.value.is_finite() {
        return Ok(Checked::PassedOver);
    }
    let expected = Phases(Cpu::detect()).step(case).map_err(Mismatch::no_answer)?;
    let found = backend.step(case).map_err(Mismatch::no_answer)?;
    same_planes(&expected, &found)?;
    let mean = |answer: &Answer<R>| [R::from_f64(answer.rule_state.mean_of_variance)];
    same_bits("mean of the variance", &mean(&expected), &mean(&found))?;
    Ok(Checked::Judged)
}
