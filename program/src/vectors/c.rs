//! Vectors as a C header: static arrays, one structure a case, no dependency but `<stddef.h>`.

use std::fmt::Write;

use presam_conformance::{Base, BoundedVector, LengthRule, Scalar, Segment};

use super::{Request, Vector};

/// The header.
pub fn c_header<R: Scalar>(request: Request, vectors: &[Vector<R>]) -> String {
    let prefix = format!("presam_{}_{}", request.rule.name().replace('-', "_"), R::NAME);
    let cases: Vec<_> = vectors
        .iter()
        .enumerate()
        .map(|(i, v)| CaseText::of(&format!("{prefix}_{i}"), v))
        .collect();
    let mut text = opening::<R>(&prefix, request, vectors.len());
    text += "typedef struct {\n";
    for (declared, _) in cases.first().map(|case| &case.fields).into_iter().flatten() {
        // Writing to a String does not fail.
        let _ = writeln!(text, "    {declared};");
    }
    let _ = writeln!(text, "}} {prefix}_case;\n");
    cases.iter().for_each(|case| text += &case.arrays);
    let _ = writeln!(text, "\nstatic const {prefix}_case {prefix}_cases[{}] = {{", cases.len());
    for case in &cases {
        let values: Vec<_> = case.fields.iter().map(|(_, value)| value.as_str()).collect();
        let _ = writeln!(text, "    {{{}}},", values.join(", "));
    }
    text + &format!("}};\n\n#endif /* {}_H */\n", prefix.to_uppercase())
}

fn opening<R: Scalar>(prefix: &str, request: Request, cases: usize) -> String {
    let (guard, rule, kind) = (prefix.to_uppercase(), request.rule, word::<R>());
    let (version, seed) = (env!("CARGO_PKG_VERSION"), request.seed);
    format!(
        "/* {cases} steps of {rule} in {kind}, made by presam {version} (vectors, seed {seed}) from its f64 oracle.
 *
 * A case is one whole step: the ascent at params with grads, then the base optimizer from params with
 * perturbed_grads. Tensors lie one behind the other: `segments` of them, lengths[s] elements each,
 * `elements` in all. A list of planes (memory, inputs, state) has plane 0 first, each `elements` long;
 * a list that the case has not is 0. Memory: vasso d; friendly-sam, friendly-asam and info-sam-draft m;
 * info-sam and info-asam m, v. Inputs: a mask; C; D; C and D. State: sgd-momentum the buffer; adamw mean,
 * mean of squares. For momentum-sam grads is the momentum. Right is where |found - expected| <= bound
 * everywhere, whatever the order of summation.
 */
#ifndef {guard}_H
#define {guard}_H

#include <stddef.h>

"
    )
}

/// The scalar type as C calls it.
fn word<R: Scalar>() -> &'static str {
    if R::NAME == "f32" { "float" } else { "double" }
}

/// A number as C reads it, exactly.
fn number<R: Scalar>(value: R) -> String {
    let suffix = if R::NAME == "f32" { "f" } else { "" };
    format!("{value:?}{suffix}")
}

/// One case: its arrays, then the fields of its structure as declaration and value.
struct CaseText {
    name: String,
    arrays: String,
    fields: Vec<(String, String)>,
}

impl CaseText {
    fn of<R: Scalar>(name: &str, vector: &Vector<R>) -> Self {
        let mut text = Self { name: name.to_owned(), arrays: String::new(), fields: Vec::new() };
        text.settings(vector);
        text.inputs(vector);
        text.results(vector);
        text
    }

    fn field(&mut self, declared: impl Into<String>, value: impl ToString) {
        self.fields.push((declared.into(), value.to_string()));
    }

    fn scalar<R: Scalar>(&mut self, name: &str, value: R) {
        self.field(format!("{} {name}", word::<R>()), number(value));
    }

    /// A pointer to an array of its own; 0 for one without elements, which C does not have.
    fn array<R: Scalar>(&mut self, name: &str, values: &[R]) {
        let own = format!("{}_{name}", self.name);
        let value = if values.is_empty() { "0".to_owned() } else { own.clone() };
        self.field(format!("const {} *{name}", word::<R>()), value);
        if !values.is_empty() {
            let values: Vec<_> = values.iter().map(|value| number(*value)).collect();
            let (kind, values) = (word::<R>(), values.join(", "));
            let _ = writeln!(self.arrays, "static const {kind} {own}[] = {{{values}}};");
        }
    }

    fn settings<R: Scalar>(&mut self, vector: &Vector<R>) {
        let case = &vector.case;
        let lengths: Vec<_> = case.segments.iter().map(|s| s.params.len().to_string()).collect();
        let own = format!("{}_lengths", self.name);
        let _ = writeln!(self.arrays, "static const size_t {own}[] = {{{}}};", lengths.join(", "));
        self.field("size_t segments", lengths.len());
        self.field("size_t elements", case.elements());
        self.field("const size_t *lengths", own);
        for (name, value) in case.rule.settings() {
            self.scalar(name, R::from_f64(value));
        }
        let rho = case.segments.first().map_or(0.0, |segment| segment.options.rho);
        let (LengthRule::Normalised { norm_guard } | LengthRule::Mixed { norm_guard, .. }) =
            case.length
        else {
            return;
        };
        self.scalar("rho", R::from_f64(rho));
        self.scalar("norm_guard", R::from_f64(norm_guard));
        self.field("unsigned long rule_steps", case.rule_state.steps);
        self.scalar("mean_of_variance", R::from_f64(case.rule_state.mean_of_variance));
        self.field("const char *base", format!("{:?}", case.base.name()));
        self.field("unsigned long base_steps", case.base_steps);
        self.base::<R>(case.base);
    }

    /// Every setting of every base optimizer; what this one has not is 0.
    fn base<R: Scalar>(&mut self, base: Base) {
        const NAMES: [&str; 7] = [
            "learning_rate",
            "weight_decay",
            "momentum",
            "dampening",
            "mean_decay",
            "square_decay",
            "denominator_guard",
        ];
        let settings = base.settings();
        for name in NAMES {
            let own =
                settings.iter().find(|(key, _)| *key == name).map_or(0.0, |(_, value)| *value);
            self.scalar(&format!("base_{name}"), R::from_f64(own));
        }
        let nesterov = matches!(base, Base::SgdMomentum { nesterov: true, .. });
        self.field("int base_nesterov", i32::from(nesterov));
    }

    fn inputs<R: Scalar>(&mut self, vector: &Vector<R>) {
        let segments = &vector.case.segments;
        let one = |plane: fn(&Segment<R>) -> &Vec<R>| -> Vec<R> {
            segments.iter().flat_map(plane).copied().collect()
        };
        self.array("params", &one(|segment| &segment.params));
        self.array("grads", &one(|segment| &segment.grads));
        self.array("perturbed_grads", &one(|segment| &segment.perturbed_grads));
        let many = |list: fn(&Segment<R>) -> &Vec<Vec<R>>| -> (usize, Vec<R>) {
            let count = segments.first().map_or(0, |segment| list(segment).len());
            let plane = |i| segments.iter().filter_map(move |s| list(s).get(i)).flatten().copied();
            (count, (0..count).flat_map(plane).collect())
        };
        for (name, (count, values)) in [
            ("memory", many(|segment| &segment.memory)),
            ("inputs", many(|segment| &segment.inputs)),
            ("state", many(|segment| &segment.state)),
        ] {
            self.field(format!("size_t {name}_planes"), count);
            self.array(name, &values);
        }
    }

    fn results<R: Scalar>(&mut self, vector: &Vector<R>) {
        let (ascent, descent) = (&vector.expected.ascent, &vector.expected.descent);
        let planes = |list: &[Vec<BoundedVector>]| -> Vec<BoundedVector> {
            let count = list.first().map_or(0, Vec::len);
            let plane = |i| list.iter().filter_map(move |segment| segment.get(i)).cloned();
            (0..count).flat_map(plane).collect()
        };
        for (name, list) in [
            ("perturbed", ascent.perturbed.clone()),
            ("memory", planes(&ascent.memory)),
            ("params", descent.params.clone()),
            ("state", planes(&descent.planes)),
        ] {
            let (values, bounds) = judged::<R>(&list, vector.slack);
            self.array(&format!("expected_{name}"), &values);
            self.array(&format!("bound_{name}"), &bounds);
        }
        if vector.case.rule.carries_mean() {
            let statistic = ascent.statistic;
            let (value, bound) = rounded::<R>(statistic.value, statistic.bound * vector.slack);
            self.scalar("expected_mean_of_variance", value);
            self.scalar("bound_mean_of_variance", bound);
        }
    }
}

/// All values and bounds in the scalar type.
fn judged<R: Scalar>(list: &[BoundedVector], slack: f64) -> (Vec<R>, Vec<R>) {
    let pairs = list.iter().flat_map(|plane| plane.values.iter().zip(&plane.bounds));
    pairs.map(|(value, bound)| rounded::<R>(*value, bound * slack)).unzip()
}

/// A value in the scalar type, and the bound with what that rounding added, rounded up.
fn rounded<R: Scalar>(value: f64, bound: f64) -> (R, R) {
    let held = R::from_f64(value);
    let bound = bound + (held.to_f64() - value).abs();
    let near = R::from_f64(bound);
    let next = R::from_bits(near.bits() + 1);
    (held, if near.to_f64() < bound { next } else { near })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_never_rounded_down() {
        for (value, bound) in [(0.1, 1e-9), (1.0, 0.0), (1.0 / 3.0, 1e-12), (-5.5, 1e-300)] {
            let (held, allowed) = rounded::<f32>(value, bound);
            assert!(
                f64::from(allowed) >= bound + (f64::from(held) - value).abs(),
                "{value} {bound}"
            );
        }
        assert_eq!(rounded::<f32>(0.5, 0.0), (0.5, 0.0), "a copy is exact");
    }
}
