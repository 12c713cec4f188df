//! [`Plan`]: a method of the program taken apart into the pieces of the core, each checked.
//!
//! ```text
//! method = variant (what is perturbed) + length rule (how far) + descent (what becomes of both gradients)
//! ```

use presam::{
    AnyBase, AnyVariant, Error, Group, Gsam, LengthRule, LookSam, Saner, Schedule, Slope, Wsam,
};

use super::{BASE_TABLE, Base, Config, ConfigError, DAMPING, Micro, Part};
use crate::methods::find;

/// What becomes of both gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Descent {
    /// The base optimizer takes the second one.
    Plain,
    /// GSAM's mix.
    Gsam(Gsam<f32>),
    /// WSAM's coupled mix.
    Wsam(Wsam<f32>),
    /// SANER's mix of the epoch at hand; its alpha grows from 0 over the share `warm_up` of the epochs.
    Saner { alpha: f32, warm_up: f64, mix: Saner<f32> },
    /// LookSAM: a second gradient every `interval` steps, its sharp part reused between.
    LookSam { interval: u32, look: LookSam<f32> },
}

/// A method as the core sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The method's name.
    pub method: String,
    /// What perturbs; `None` for the base optimizer alone.
    pub variant: Option<AnyVariant<f32>>,
    /// What descends.
    pub base: AnyBase<f32>,
    /// The radius; 0 for the base optimizer alone.
    pub rho: f64,
    /// How long the perturbation is.
    pub length: LengthRule<f32>,
    /// What becomes of both gradients.
    pub descent: Descent,
    /// Which steps of a run perturb.
    pub part: Part,
    /// How a batch is taken.
    pub micro: Micro,
    /// That of the weights, then that of the biases.
    pub groups: [Group<f32>; 2],
}

impl Plan {
    /// The plan of `method` under `config`, with `rho` and `damping` in place of the configured ones
    /// where given (a tuning tries them).
    pub fn new(
        config: &Config,
        method: &str,
        rho: Option<f64>,
        damping: Option<f64>,
    ) -> Result<Self, ConfigError> {
        let rho = rho.or(config.rho(method)).unwrap_or(0.0);
        let (variant, descent) = (variant(config, method, damping)?, descent(config, method)?);
        let interval = match descent {
            _ if variant.is_none() || follows_momentum(variant) => None,
            Descent::LookSam { interval, .. } => Some(interval),
            _ => Some(1),
        };
        Ok(Self {
            method: method.to_owned(),
            variant,
            base: base(config)?,
            rho,
            length: length(config, method)?,
            descent,
            part: Part::new(config, method, interval)?,
            micro: Micro { parts: config.parts, perturb: config.perturb },
            groups: groups(config, method, rho)?,
        })
    }

    /// Brings what changes over the run to `epoch`, counted from 1.
    pub fn begin_epoch(&mut self, epoch: usize) -> Result<(), Error> {
        if let Descent::Saner { alpha, warm_up, mix } = &mut self.descent {
            let epochs = (*warm_up * self.part.epochs as f64).round() as u32;
            let before = u32::try_from(epoch.saturating_sub(1)).unwrap_or(u32::MAX);
            *mix = Saner::new(Schedule::constant(*alpha)?.with_warm_up(epochs).at(before))?;
        }
        Ok(())
    }

    /// Whether the slope is the momentum and the step takes one gradient.
    pub fn is_one_gradient(&self) -> bool {
        follows_momentum(self.variant)
    }
}

fn follows_momentum(variant: Option<AnyVariant<f32>>) -> bool {
    variant.is_some_and(|variant| variant.about().slope == Slope::Momentum)
}

/// What the core refused, by the flag that sets it. Limits are checked before: this is what they let
/// through and an `f32` does not, or what one key forbids to another.
fn refused(owner: &str, key: &str) -> impl Fn(Error) -> ConfigError {
    let place = format!("--set {owner}.{key}");
    move |error| ConfigError::new(&place, "a value within its range", error)
}

/// The variant whose ascent a method takes, with the method's keys.
fn variant(
    config: &Config,
    method: &str,
    damping: Option<f64>,
) -> Result<Option<AnyVariant<f32>>, ConfigError> {
    let Some(ascent) = find(method).and_then(|method| method.ascent) else { return Ok(None) };
    let mut variant = AnyVariant::by_name(ascent).map_err(refused(method, "variant"))?;
    for key in variant.about().keys {
        let tried = damping.filter(|_| key.name == DAMPING);
        if let Some(value) = tried.or(config.setting(method, key.name)) {
            variant = variant.set(key.name, value).map_err(refused(method, key.name))?;
        }
    }
    Ok(Some(variant))
}

fn base(config: &Config) -> Result<AnyBase<f32>, ConfigError> {
    let name = match config.base {
        Base::Sgd => "sgd-momentum",
        Base::Adamw => "adamw",
    };
    let mut base = AnyBase::by_name(name).map_err(refused(BASE_TABLE, name))?;
    for key in base.about().keys {
        let value = match key.name {
            "learning_rate" => Some(config.learning_rate),
            key => config.setting(BASE_TABLE, key),
        };
        if let Some(value) = value {
            base = base.set(key.name, value).map_err(refused(BASE_TABLE, key.name))?;
        }
    }
    Ok(base)
}

fn length(config: &Config, method: &str) -> Result<LengthRule<f32>, ConfigError> {
    match method {
        "unnormalised-sam" => Ok(LengthRule::UNNORMALISED),
        "unified-sam" => {
            let lambda = config.setting(method, "lambda").unwrap_or(0.0);
            LengthRule::mixed(lambda as f32, 0.0).map_err(refused(method, "lambda"))
        }
        _ => Ok(LengthRule::NORMALISED),
    }
}

fn descent(config: &Config, method: &str) -> Result<Descent, ConfigError> {
    let value = |key: &str| config.setting(method, key).unwrap_or(0.0);
    let alpha = value("alpha") as f32;
    Ok(match method {
        "gsam" => Descent::Gsam(Gsam::new(alpha).map_err(refused(method, "alpha"))?),
        "wsam" => {
            let gamma = value("gamma") as f32;
            Descent::Wsam(Wsam::new(gamma).map_err(refused(method, "gamma"))?)
        }
        "saner" | "saner-info-asam" => {
            let mix = Saner::new(alpha).map_err(refused(method, "alpha"))?;
            Descent::Saner { alpha, warm_up: value("warm_up"), mix }
        }
        "look-sam" => Descent::LookSam {
            interval: value("interval") as u32,
            look: LookSam::new(alpha).map_err(refused(method, "alpha"))?,
        },
        _ => Descent::Plain,
    })
}

fn groups(config: &Config, method: &str, rho: f64) -> Result<[Group<f32>; 2], ConfigError> {
    let refused =
        |error| ConfigError::new(format!("--rho {method}"), "a radius within its range", error);
    let weights = Group::new(rho as f32).map_err(refused)?;
    let spared = config.setting(method, "operator_on_biases") == Some(0.0);
    Ok([weights, if spared { weights.without_operator() } else { weights }])
}
