//! The list itself. Order is the order of tables and legends: a reader meets the plain ones first.

use super::{BaseMethod, Key, Limits, Method};

const ETA: Key = key("eta", 0.01, Limits::NonNegative, "added to |w|: moves weights that are 0");
const SLOPE_DECAY: Key =
    key("decay", 0.9, Limits::Decay, "weight of the old average of the gradient");
const VARIANCE_DECAY: Key =
    key("variance_decay", 0.99, Limits::Decay, "weight of the old variance v");
const DAMPING: Key = key(
    "damping",
    1.0,
    Limits::NonNegative,
    "added to v, in multiples of the mean of v of the step before",
);

const fn key(name: &'static str, default: f64, limits: Limits, what: &'static str) -> Key {
    Key { name, default, limits, what }
}

/// What most methods share: no memory, one buffer, two gradients, two passes.
const PLAIN: Method = Method {
    name: "",
    aliases: &[],
    what: "",
    formula: "",
    rho: Some(0.5),
    keys: &[],
    kept_floats: 0,
    step_floats: 1,
    gradients: "2",
    ascent_passes: 2,
    source: "",
    equals: "",
};

/// Every method, by the name that the field uses.
pub const METHODS: &[Method] = &[
    Method {
        name: "sgd",
        aliases: &["base", "none"],
        what: "the base optimizer alone: what every other method is measured against",
        formula: "w <- base(w, g)",
        rho: None,
        step_floats: 0,
        gradients: "1",
        ascent_passes: 0,
        source: "Robbins and Monro 1951; the base optimizer is chosen with --base",
        equals: "every method at rho = 0",
        ..PLAIN
    },
    Method {
        name: "sam",
        what: "sharpness-aware minimisation: one step of length rho up the gradient",
        formula: "perturbation = rho g / ||g||",
        source: "Foret et al., ICLR 2021, arXiv 2010.01412",
        equals: "unified-sam at lambda = 1",
        ..PLAIN
    },
    Method {
        name: "asam",
        aliases: &["adaptive-sam"],
        what: "steps in proportion to each weight: blind to rescaled layers",
        formula: "perturbation = rho t^2 g / ||t g||,  t = |w| + eta",
        rho: Some(1.5),
        keys: &[ETA],
        source: "Kwon et al., ICML 2021, arXiv 2102.11600",
        equals: "sam where every |w| + eta is 1",
        ..PLAIN
    },
    Method {
        name: "fisher-sam",
        aliases: &["fishersam"],
        what: "shorter steps where squared gradients are large",
        formula: "perturbation = rho (g / F) / sqrt(sum g^2 / F),  F = 1 + eta g^2",
        keys: &[key("eta", 1.0, Limits::NonNegative, "weight of the squared gradient in F")],
        source: "Kim et al., ICML 2022, arXiv 2206.04920",
        equals: "sam at eta = 0",
        ..PLAIN
    },
    Method {
        name: "vasso",
        what: "ascends along an average of gradients: less noise in the direction",
        formula: "d <- decay d + (1 - decay) g;  perturbation = rho d / ||d||",
        keys: &[key(
            "decay",
            0.1,
            Limits::Fraction,
            "weight of the old direction (1 - the paper's theta)",
        )],
        kept_floats: 1,
        source: "Li and Giannakis, NeurIPS 2023, arXiv 2309.15639",
        equals: "sam at decay = 0",
        ..PLAIN
    },
    Method {
        name: "friendly-sam",
        aliases: &["f-sam", "fsam"],
        what: "ascends along what this batch adds to the average gradient",
        formula: "s = g - sigma m;  m <- decay m + (1 - decay) g;  perturbation = rho s / ||s||",
        keys: &[
            key("sigma", 1.0, Limits::NonNegative, "share of the average that is taken away"),
            SLOPE_DECAY,
        ],
        kept_floats: 1,
        source: "Li et al., CVPR 2024, arXiv 2403.12350",
        equals: "sam at sigma = 0",
        ..PLAIN
    },
    Method {
        name: "info-sam-draft",
        what: "the authors' undamped draft of infoSAM, bit for bit",
        formula: "m <- decay m + (1 - decay) g;  C = 1 / (m - g)^2;  perturbation = rho C g / ||C g||",
        keys: &[SLOPE_DECAY],
        kept_floats: 1,
        source: "the draft in github.com/BingcongLi/VaSSO, commit c68bcb0",
        equals: "sam at its first step",
        ..PLAIN
    },
    Method {
        name: "info-sam",
        aliases: &["infosam"],
        what: "small steps where the gradient is noisy: damped inverse variance",
        formula: "C = 1 / (v + damping),  v = average of (m - g)^2;  perturbation = rho C g / ||C g||",
        rho: Some(0.4),
        keys: &[SLOPE_DECAY, VARIANCE_DECAY, DAMPING],
        kept_floats: 2,
        source: "this project, after Zhang, Li and Giannakis, ICASSP 2025, arXiv 2501.06603",
        equals: "sam at its first two steps, and as damping grows",
        ..PLAIN
    },
    Method {
        name: "info-asam",
        aliases: &["infoasam"],
        what: "info-sam's objective and asam's constraint in one step",
        formula: "perturbation = rho t^2 C g / ||t C g||,  C of info-sam, t = |w| + eta",
        rho: Some(2.5),
        keys: &[SLOPE_DECAY, VARIANCE_DECAY, DAMPING, ETA],
        kept_floats: 2,
        source: "this project, by the general step of arXiv 2501.06603",
        equals: "asam at its first two steps, and as damping grows",
        ..PLAIN
    },
    Method {
        name: "unified-sam",
        what: "a mixture of the normalised and the unnormalised length",
        formula: "perturbation = rho (1 - lambda + lambda / ||g||) g",
        rho: Some(0.3),
        keys: &[key("lambda", 0.5, Limits::Fraction, "share of the normalised length")],
        source: "Oikonomou and Loizou, ICLR 2025, arXiv 2503.02225",
        equals: "sam at lambda = 1, unnormalised-sam at lambda = 0",
        ..PLAIN
    },
    Method {
        name: "unnormalised-sam",
        aliases: &["unnormalized-sam", "usam"],
        what: "the perturbation shrinks with the gradient",
        formula: "perturbation = rho g",
        rho: Some(0.2),
        ascent_passes: 1,
        source: "Andriushchenko and Flammarion, ICML 2022, arXiv 2206.06232",
        equals: "unified-sam at lambda = 0",
        ..PLAIN
    },
    Method {
        name: "momentum-sam",
        aliases: &["msam"],
        what: "ascends against the momentum: no second gradient",
        formula: "perturbation = -rho v / ||v||,  v the base optimizer's momentum",
        rho: Some(0.3),
        gradients: "1",
        source: "Becker et al., 2024, arXiv 2401.12033",
        equals: "the base optimizer at rho = 0",
        ..PLAIN
    },
    Method {
        name: "gsam",
        what: "sam, and the descent also lowers the gap between both losses",
        formula: "descent along g~ - alpha (part of g orthogonal to g~)",
        keys: &[key("alpha", 0.1, Limits::NonNegative, "weight of the orthogonal part")],
        step_floats: 2,
        source: "Zhuang et al., ICLR 2022, arXiv 2203.08065",
        equals: "sam at alpha = 0",
        ..PLAIN
    },
    Method {
        name: "wsam",
        aliases: &["weighted-sam"],
        what: "sharpness as a weighted term of the loss",
        formula: "descent along g + gamma / (1 - gamma) (g~ - g)",
        rho: Some(0.2),
        keys: &[key("gamma", 0.7, Limits::Decay, "0.5 is sam; more weighs sharpness more")],
        step_floats: 2,
        source: "Yue et al., KDD 2023, arXiv 2305.15817",
        equals: "sam at gamma = 0.5",
        ..PLAIN
    },
    Method {
        name: "look-sam",
        aliases: &["looksam"],
        what: "the second gradient every few steps only, its flat part reused between",
        formula: "every interval-th step: sam, g_v = part of g~ orthogonal to g; else g + alpha ||g|| g_v / ||g_v||",
        keys: &[
            key("interval", 5.0, Limits::Count, "steps from one second gradient to the next"),
            key("alpha", 0.7, Limits::NonNegative, "weight of the reused part"),
        ],
        kept_floats: 1,
        step_floats: 2,
        gradients: "1 + 1/interval",
        source: "Liu et al., CVPR 2022, arXiv 2203.02714",
        equals: "sam at interval = 1",
        ..PLAIN
    },
];

const WEIGHT_DECAY: &str = "weight decay: of the gradient in sgd, of the weight in adamw";

/// Every base optimizer.
pub const BASES: &[BaseMethod] = &[
    BaseMethod {
        name: "sgd",
        learning_rate: 0.1,
        keys: &[
            key("momentum", 0.9, Limits::Decay, "weight of the old momentum"),
            key("dampening", 0.0, Limits::Fraction, "share of a gradient kept from the momentum"),
            key("nesterov", 0.0, Limits::Switch, "1 looks ahead along the momentum"),
            key("weight_decay", 5e-4, Limits::NonNegative, WEIGHT_DECAY),
        ],
    },
    BaseMethod {
        name: "adamw",
        learning_rate: 1e-3,
        keys: &[
            key("decay_mean", 0.9, Limits::Decay, "weight of the old mean gradient (beta 1)"),
            key("decay_square", 0.999, Limits::Decay, "weight of the old mean square (beta 2)"),
            key("root_guard", 1e-8, Limits::NonNegative, "added to the root of the mean square"),
            key("weight_decay", 1e-2, Limits::NonNegative, WEIGHT_DECAY),
        ],
    },
];
