//! Rules, length rule and groups from Python's names and numbers.

use presam::{AnyBase, AnyReal, AnyVariant, DynBase, Group, LengthRule};

use crate::fault::Fault;

/// A variant with its keys.
///
/// # Errors
/// For a name or key that there is not, and a value out of range.
pub fn variant<R: AnyReal>(name: &str, keys: &[(String, f64)]) -> Result<AnyVariant<R>, Fault> {
    let plain = AnyVariant::by_name(name)?;
    Ok(keys.iter().try_fold(plain, |rule, (key, value)| rule.set(key, *value))?)
}

/// rho * ((1 - lambda) + lambda / (N + guard)); lambda 1 is the normalised rule, 0 the unnormalised one.
///
/// # Errors
/// For a value out of range.
pub fn length<R: AnyReal>(lambda: f64, norm_guard: f64) -> Result<LengthRule<R>, Fault> {
    Ok(LengthRule::mixed(R::from_f64(lambda), R::from_f64(norm_guard))?)
}

/// The numbers of a group before its base optimizer's own: rho, operator, counted, perturbed, maximize,
/// learning rate, weight decay; 0 for those that are not there.
const COMMON: usize = 7;

/// A group as a step takes it, and the numbers that it was made of.
pub struct Settings<R> {
    values: Vec<f64>,
    /// Radius and switches.
    pub group: Group<R>,
    /// -1 where the objective is to be maximised: changes signs and no other bit.
    pub sign: R,
    /// That of the base optimizer, or the group's own where there is none.
    pub learning_rate: R,
    /// The base optimizer with the group's numbers.
    pub base: Option<AnyBase<R>>,
}

impl<R: AnyReal> Settings<R> {
    fn new(values: Vec<f64>, base: Option<AnyBase<R>>, extra: &[String]) -> Result<Self, Fault> {
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
    ///
    /// # Errors
    /// For a value out of range.
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
