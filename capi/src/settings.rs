//! [`Settings`]: a configuration, checked, as rules of the core.

use crate::layout::{Config, Group, PRESAM_CONFIG_UNCHECKED, PRESAM_MAX_SETTINGS};
use crate::layout::{
    PRESAM_GROUP_NO_OPERATOR, PRESAM_GROUP_NOT_COUNTED, PRESAM_GROUP_NOT_PERTURBED,
    PRESAM_GROUP_OWN_WEIGHT_DECAY,
};
use crate::norm::refused;
use crate::rules::{BASES, VARIANTS, name};
use crate::status::{Argument, Code, Fault, check};
use core::ffi::CStr;
use presam::{
    AnyBase, AnyReal, AnyVariant, DynBase, DynVariant, Error, LengthRule, SecondGradient, Slope,
};

/// The settings of a list, by name; a name that is no text is empty, which no rule has.
pub(crate) type List<'a> = [Option<(&'a str, f64)>; PRESAM_MAX_SETTINGS];

/// The names that a configuration points to.
pub(crate) struct Named<'a> {
    pub variant: Option<&'a str>,
    pub base: Option<&'a str>,
    pub variant_settings: List<'a>,
    pub base_settings: List<'a>,
}

/// A checked configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings<R> {
    pub variant: AnyVariant<R>,
    pub base: AnyBase<R>,
    pub length: LengthRule<R>,
    pub second: SecondGradient<R>,
    /// The slope of the ascent is the base optimizer's first plane of state.
    pub along_momentum: bool,
}

/// How many planes a tensor has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub memory: usize,
    pub inputs: usize,
    pub state: usize,
}

impl<R: AnyReal> Settings<R> {
    pub(crate) fn of(config: &Config, named: &Named<'_>) -> Result<Self, Fault> {
        let known = config.flags & !PRESAM_CONFIG_UNCHECKED == 0 && config.reserved == 0;
        check(known, Code::Unknown, Argument::Flags)?;
        let variant = found(named.variant, (VARIANTS, config.variant), Argument::Variant)?;
        let variant = AnyVariant::by_name(variant).map_err(at(Argument::Variant))?;
        let variant =
            set(variant, &named.variant_settings, Argument::VariantSettings, AnyVariant::set)?;
        let base = found(named.base, (BASES, config.base), Argument::Base)?;
        let base = AnyBase::by_name(base).map_err(at(Argument::Base))?;
        let base = set(base, &named.base_settings, Argument::BaseSettings, AnyBase::set)?;
        let along_momentum = variant.about().slope == Slope::Momentum;
        let has_momentum = !along_momentum || base.state_planes() > 0;
        check(has_momentum, Code::NoMomentum, Argument::Base)?;
        let (length, second) = (length(config)?, second(config)?);
        Ok(Self { variant, base, length, second, along_momentum })
    }

    pub(crate) fn counts(&self) -> Counts {
        let planes = self.variant.planes();
        Counts { memory: planes.memory, inputs: planes.inputs, state: self.base.state_planes() }
    }
}

fn at(argument: Argument) -> impl Fn(Error) -> Fault {
    move |error| refused(error, argument)
}

/// The name given, else the tag's.
fn found<'a>(
    named: Option<&'a str>,
    (list, tag): (&'static [&'static CStr], u32),
    argument: Argument,
) -> Result<&'a str, Fault> {
    let of_tag = || name(list, tag)?.to_str().ok();
    named.or_else(of_tag).ok_or(Fault::new(Code::Unknown, argument))
}

/// All settings of a list, in their order.
fn set<A>(
    rule: A,
    list: &List<'_>,
    argument: Argument,
    set: impl Fn(A, &str, f64) -> Result<A, Error>,
) -> Result<A, Fault> {
    let mut rule = rule;
    for (index, (key, value)) in list.iter().map_while(|setting| *setting).enumerate() {
        rule = set(rule, key, value).map_err(|error| refused(error, argument).at(index))?;
    }
    Ok(rule)
}

fn length<R: AnyReal>(config: &Config) -> Result<LengthRule<R>, Fault> {
    let lambda = R::from_f64(1.0 - config.unnormalised);
    LengthRule::mixed(lambda, R::ZERO).map_err(at(Argument::Unnormalised))?;
    LengthRule::mixed(lambda, R::from_f64(config.norm_guard)).map_err(at(Argument::NormGuard))
}

fn second<R: AnyReal>(config: &Config) -> Result<SecondGradient<R>, Fault> {
    let unchecked = config.flags & PRESAM_CONFIG_UNCHECKED != 0;
    let max_norm = R::from_f64(config.max_norm);
    if config.max_norm == 0.0 {
        return Ok(if unchecked { SecondGradient::Unchecked } else { SecondGradient::Checked });
    }
    // A gradient that is not looked at cannot be clipped.
    check(!unchecked && max_norm > R::ZERO, Code::Range, Argument::MaxNorm)?;
    Ok(SecondGradient::Clipped(max_norm))
}

/// A group as the core has it.
pub(crate) fn group<R: AnyReal>(group: &Group) -> Result<presam::Group<R>, Fault> {
    let all = PRESAM_GROUP_NOT_COUNTED
        | PRESAM_GROUP_NOT_PERTURBED
        | PRESAM_GROUP_NO_OPERATOR
        | PRESAM_GROUP_OWN_WEIGHT_DECAY;
    let known = group.flags & !all == 0 && group.reserved == 0;
    check(known, Code::Unknown, Argument::GroupFlags)?;
    let has = |flag: u32| group.flags & flag != 0;
    let made = presam::Group::new(R::from_f64(group.rho)).map_err(at(Argument::Rho))?;
    let made = match (has(PRESAM_GROUP_NOT_COUNTED), has(PRESAM_GROUP_NOT_PERTURBED)) {
        (false, false) => made,
        (true, false) => made.not_counted(),
        (false, true) => made.counted_only(),
        (true, true) => made.not_perturbed(),
    };
    let made = if has(PRESAM_GROUP_NO_OPERATOR) { made.without_operator() } else { made };
    if !has(PRESAM_GROUP_OWN_WEIGHT_DECAY) {
        return Ok(made);
    }
    made.with_weight_decay(R::from_f64(group.weight_decay)).map_err(at(Argument::WeightDecay))
}
