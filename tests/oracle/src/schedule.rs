//! Learning rates over steps t = 0, 1, 2, ..., and GSAM's radius that follows them.

use std::f64::consts::PI;

/// A learning rate as a function of the step.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// The same at every step.
    Constant {
        /// The rate.
        learning_rate: f64,
    },
    /// peak (t + 1) / n for t < n, then the inner schedule at t - n.
    WarmUp {
        /// The rate reached at step n - 1.
        peak: f64,
        /// n.
        steps: u64,
        /// What follows.
        then: Box<Schedule>,
    },
    /// lr_min + (lr - lr_min) (1 + cos(pi t / total)) / 2, and lr_min from t = total on.
    Cosine {
        /// lr.
        learning_rate: f64,
        /// lr_min.
        learning_rate_min: f64,
        /// total.
        total: u64,
    },
    /// lr gamma^(number of milestones <= t).
    MultiStep {
        /// lr.
        learning_rate: f64,
        /// gamma.
        gamma: f64,
        /// The steps at which the rate drops.
        milestones: Vec<u64>,
    },
}

impl Schedule {
    /// The rate at step t.
    #[must_use]
    pub fn at(&self, t: u64) -> f64 {
        match self {
            Self::Constant { learning_rate } => *learning_rate,
            Self::WarmUp { peak, steps, then } => {
                if t < *steps {
                    peak * (t + 1) as f64 / *steps as f64
                } else {
                    then.at(t - steps)
                }
            }
            Self::Cosine { learning_rate, learning_rate_min, total } => {
                if t >= *total {
                    return *learning_rate_min;
                }
                let wave = (1.0 + (PI * t as f64 / *total as f64).cos()) / 2.0;
                learning_rate_min + (learning_rate - learning_rate_min) * wave
            }
            Self::MultiStep { learning_rate, gamma, milestones } => {
                let passed = milestones.iter().filter(|milestone| **milestone <= t);
                passed.fold(*learning_rate, |rate, _| rate * gamma)
            }
        }
    }
}

/// rho_min + (rho_max - rho_min) (lr - lr_min) / (lr_max - lr_min); rho_max where lr_max = lr_min.
#[must_use]
pub fn gsam_rho(learning_rate: f64, learning_rate_range: (f64, f64), rho_range: (f64, f64)) -> f64 {
    let ((lr_min, lr_max), (rho_min, rho_max)) = (learning_rate_range, rho_range);
    if lr_max == lr_min {
        return rho_max;
    }
    rho_min + (rho_max - rho_min) * (learning_rate - lr_min) / (lr_max - lr_min)
}
