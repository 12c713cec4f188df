//! [`Plan`]: a method of the program taken apart into the pieces of the core, each checked.
//!
//! ```text
//! method = variant (what is perturbed) + length rule (how far) + descent (what becomes of both gradients)
//! ```

use presam::{AnyBase, AnyVariant, Error, Group, Gsam, LengthRule, LookSam, Sam, Wsam};

use super::{BASE_TABLE, Base, Config, ConfigError, DAMPING};

/// What becomes of both gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Descent {
    /// The base optimizer takes the second one.
    Plain,
    /// GSAM's mix.
    Gsam(Gsam<f32>),
    /// WSAM's coupled mix.
    Wsam(Wsam<f32>),
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
        Ok(Self {
            method: method.to_owned(),
            variant: variant(config, method, damping)?,
            base: base(config)?,
            rho,
            length: length(config, method)?,
            descent: descent(config, method)?,
            groups: groups(config, method, rho)?,
        })
    }

    /// Gradients a step, on average: two, or one where nothing is perturbed or the momentum is the slope.
    pub fn gradients_a_step(&self) -> f64 {
        match self.descent {
            _ if self.variant.is_none() || self.is_one_gradient() => 1.0,
            Descent::LookSam { interval, .. } => 1.0 + 1.0 / f64::from(interval.max(1)),
            _ => 2.0,
        }
    }

    /// Whether the slope is the momentum and the step takes one gradient.
    pub fn is_one_gradient(&self) -> bool {
        matches!(self.variant, Some(AnyVariant::MomentumSam(_)))
    }
}

/// What the core refused, by the flag that sets it. Limits are checked before: this is what they let
/// through and an `f32` does not, or what one key forbids to another.
fn refused(owner: &str, key: &str) -> impl Fn(Error) -> ConfigError {
    let place = format!("--set {owner}.{key}");
    move |error| ConfigError::new(&place, "a value within its range", error)
}

/// A method's own variant with its keys, or SAM for those that change length or descent only.
fn variant(
    config: &Config,
    method: &str,
    damping: Option<f64>,
) -> Result<Option<AnyVariant<f32>>, ConfigError> {
    if config.rho(method).is_none() {
        return Ok(None);
    }
    let Ok(mut variant) = AnyVariant::by_name(method) else { return Ok(Some(Sam::new().into())) };
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
