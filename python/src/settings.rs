//! Rules, length rule and groups from Python's names and numbers.

use presam::{
    AnyBase, AnyReal, AnyVariant, DynBase, Group, Gsam, LengthRule, LookSam, Saner, Wsam,
};

use crate::fault::Fault;

/// A variant with its keys.
pub(crate) fn variant<R: AnyReal>(
    name: &str,
    keys: &[(String, f64)],
) -> Result<AnyVariant<R>, Fault> {
    let plain = AnyVariant::by_name(name)?;
    Ok(keys.iter().try_fold(plain, |rule, (key, value)| rule.set(key, *value))?)
}

/// rho * ((1 - lambda) + lambda / (N + guard)); lambda 1 is the normalised rule, 0 the unnormalised one.
pub(crate) fn length<R: AnyReal>(lambda: f64, norm_guard: f64) -> Result<LengthRule<R>, Fault> {
    Ok(LengthRule::mixed(R::from_f64(lambda), R::from_f64(norm_guard))?)
}

/// What becomes of the second gradient.
#[derive(Clone, Copy)]
pub(crate) enum Descent<R> {
    /// It is descended along.
    Plain,
    Gsam(Gsam<R>),
    /// One mixed gradient.
    Wsam(Wsam<R>),
    /// The base optimizer steps along the first gradient, then the parameters are corrected.
    Decoupled(Wsam<R>),
    Saner(Saner<R>),
    LookSam(LookSam<R>),
}

impl<R: AnyReal> Descent<R> {
    pub fn by_name(name: &str, value: f64) -> Result<Self, Fault> {
        let value = R::from_f64(value);
        Ok(match name {
            "plain" => Self::Plain,
            "gsam" => Self::Gsam(Gsam::new(value)?),
            "wsam" => Self::Wsam(Wsam::new(value)?),
            "wsam-decoupled" => Self::Decoupled(Wsam::new(value)?),
            "saner" => Self::Saner(Saner::new(value)?),
            "look-sam" => Self::LookSam(LookSam::new(value)?),
            _ => {
                let expected = "plain, gsam, wsam, wsam-decoupled, saner or look-sam";
                return Err(Fault::new(format!("descent: expected {expected}, found {name}")));
            }
        })
    }

    /// Whether a descent goes along the first gradient, this one or a later one: the second, which is judged, says
    /// nothing of it.
    pub const fn takes_first(&self) -> bool {
        matches!(self, Self::Decoupled(_) | Self::LookSam(_))
    }
}

/// The numbers of a group before its base optimizer's own: rho, operator, counted, perturbed, maximize,
/// learning rate, weight decay; 0 for those that are not there.
const COMMON: usize = 7;

/// A group as a step takes it, and the numbers that it was made of.
pub(crate) struct Settings<R> {
    values: Vec<f64>,
    pub group: Group<R>,
    /// -1 where the objective is to be maximised: changes signs and no other bit.
    pub sign: R,
    pub learning_rate: R,
    pub base: Option<AnyBase<R>>,
}

impl<R: AnyReal> Settings<R> {
    pub fn new(
        values: Vec<f64>,
        base: Option<AnyBase<R>>,
        extra: &[String],
    ) -> Result<Self, Fault> {
        let mut common = [0.0; COMMON];
        common.iter_mut().zip(&values).for_each(|(place, number)| *place = *number);
        let [rho, operator, counted, perturbed, maximize, rate, decay] = common;
        let own = values.get(COMMON..).unwrap_or_default();
        if let Some(momentum) = own.iter().skip(extra.len()).find(|&&number| number != 0.0) {
            return Err(Fault::new(format!(
                "momentum: expected 0, as when the optimizer was made; make it with a momentum above 0 and a schedule may move it, found {momentum}"
            )));
        }
        let group = Group::new(R::from_f64(rho))?;
        let group = match (counted != 0.0, perturbed != 0.0) {
            (true, true) => group,
            (false, true) => group.not_counted(),
            (true, false) => group.counted_only(),
            (false, false) => group.not_perturbed(),
        };
        let group = if operator != 0.0 { group } else { group.without_operator() };
        let base = base.map(|base| -> Result<_, Fault> {
            let base = base.set("learning_rate", rate)?.set("weight_decay", decay)?;
            let own = extra.iter().zip(own);
            Ok(own.into_iter().try_fold(base, |base, (key, value)| base.set(key, *value))?)
        });
        let base = base.transpose()?;
        let learning_rate = base.map_or(R::from_f64(rate), |base| base.learning_rate());
        let sign = R::select(maximize != 0.0, -R::ONE, R::ONE);
        Ok(Self { values, group, sign, learning_rate, base })
    }

    /// Brings the list up to date; a group whose numbers have not moved is kept.
    pub fn renew(
        list: &mut Vec<Self>,
        values: Vec<Vec<f64>>,
        base: Option<AnyBase<R>>,
        extra: &[String],
    ) -> Result<(), Fault> {
        list.truncate(values.len());
        for (index, values) in values.into_iter().enumerate() {
            match list.get_mut(index) {
                Some(kept) if kept.values == values => {}
                Some(kept) => *kept = Self::new(values, base, extra)?,
                None => list.push(Self::new(values, base, extra)?),
            }
        }
        Ok(())
    }
}
