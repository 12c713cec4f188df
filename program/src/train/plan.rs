//! [`Plan`]: a method of the program taken apart into the pieces of the core.
//!
//! ```text
//! method = variant (what is perturbed) + length rule (how far) + descent (what becomes of both gradients)
//! ```

use presam::{Gsam, LengthRule, LookSam, Wsam};

use crate::config::{Config, ConfigError, DAMPING};

/// What becomes of both gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Descent {
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
pub(super) struct Plan {
    /// The method's name.
    pub method: String,
    /// The core's name of its variant; `None` for the base optimizer alone.
    pub variant: Option<&'static str>,
    /// The keys of the variant.
    pub keys: Vec<(String, f64)>,
    /// The radius; 0 for the base optimizer alone.
    pub rho: f64,
    /// How long the perturbation is.
    pub length: LengthRule<f32>,
    /// What becomes of both gradients.
    pub descent: Descent,
    /// Whether ASAM's operator applies to biases too.
    pub operator_on_biases: bool,
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
        let refuse = |error: presam::Error| {
            ConfigError::new(format!("--set {method}"), "a value within its range", error)
        };
        let key = |name: &str| config.setting(method, name).unwrap_or(0.0);
        let length = match method {
            "unnormalised-sam" => LengthRule::UNNORMALISED,
            "unified-sam" => LengthRule::mixed(key("lambda") as f32, 0.0).map_err(refuse)?,
            _ => LengthRule::NORMALISED,
        };
        let descent = match method {
            "gsam" => Descent::Gsam(Gsam::new(key("alpha") as f32).map_err(refuse)?),
            "wsam" => Descent::Wsam(Wsam::new(key("gamma") as f32).map_err(refuse)?),
            "look-sam" => Descent::LookSam {
                interval: key("interval") as u32,
                look: LookSam::new(key("alpha") as f32).map_err(refuse)?,
            },
            _ => Descent::Plain,
        };
        let variant = variant_of(method);
        let own = presam::variants::ALL.iter().find(|info| Some(info.name) == variant);
        let own_keys = own.map_or(&[][..], |info| info.keys);
        let mut keys: Vec<(String, f64)> = own_keys
            .iter()
            .filter_map(|own| Some((own.name.to_owned(), config.setting(method, own.name)?)))
            .collect();
        if let Some(damping) = damping {
            keys.push((DAMPING.to_owned(), damping));
        }
        let rho = rho.or(config.rho(method)).unwrap_or(0.0);
        let operator_on_biases = config.setting(method, "operator_on_biases") != Some(0.0);
        let method = method.to_owned();
        Ok(Self { method, variant, keys, rho, length, descent, operator_on_biases })
    }

    /// Whether the slope is the momentum and the step takes one gradient.
    pub fn is_one_gradient(&self) -> bool {
        self.variant == Some("momentum-sam")
    }
}

/// The core's variant under a method: its own, or SAM for those that change length or descent only.
fn variant_of(method: &str) -> Option<&'static str> {
    if method == "sgd" {
        return None;
    }
    let names = presam::variants::ALL.iter().map(|info| info.name);
    Some(names.into_iter().find(|name| *name == method).unwrap_or("sam"))
}
