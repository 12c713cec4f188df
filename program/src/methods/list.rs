//! The list itself. Order is the order of tables and legends: a reader meets the plain ones first.

use presam::VariantInfo;
use presam::base::{BaseInfo, adamw, sgd_momentum};
use presam::variants::{
    asam, fisher_sam, friendly_asam, friendly_sam, info_asam, info_sam, info_sam_draft,
    momentum_sam, raw_asam, sam, vasso,
};

use super::{BaseMethod, Key, Limits, Method};

const fn key(name: &'static str, default: f64, limits: Limits, meaning: &'static str) -> Key {
    Key { name, default, limits, meaning }
}

/// davda54/sam applies the operator to all tensors, the authors of ASAM to weights only.
const ON_BIASES: Key =
    key("operator_on_biases", 1.0, Limits::Switch, "0: the operator applies to weights only");
const INFO_ASAM_KEYS: &[Key] = &[
    info_asam::INFO.keys[0],
    info_asam::INFO.keys[1],
    info_asam::INFO.keys[2],
    info_asam::INFO.keys[3],
    info_asam::INFO.keys[4],
    ON_BIASES,
];
const SANER_KEYS: [Key; 2] = [
    key("alpha", 0.5, Limits::Fraction, "share taken off where 0 < g~ / g < 1"),
    key("warm_up", 0.25, Limits::Fraction, "share of the epochs over which alpha grows from 0"),
];

const SANER_INFO_ASAM_KEYS: &[Key] = &[
    SANER_KEYS[0],
    SANER_KEYS[1],
    INFO_ASAM_KEYS[0],
    INFO_ASAM_KEYS[1],
    INFO_ASAM_KEYS[2],
    INFO_ASAM_KEYS[3],
    INFO_ASAM_KEYS[4],
    INFO_ASAM_KEYS[5],
];

/// What most methods share: no memory, one buffer, two gradients, two passes.
const PLAIN: Method = Method {
    name: "",
    aliases: &[],
    ascent: Some("sam"),
    by_default: true,
    what: "",
    formula: "",
    rho: Some(0.5),
    keys: &[],
    kept_floats: 0,
    step_floats: 1,
    gradients: "2",
    memory_floats: 0,
    ascent_passes: 2,
    norm_reads: 1,
    mix_floats: 0,
    source: "",
    equals: "",
};

/// A variant of the core: what the core says of it, a line for newcomers and the tuned radius.
const fn variant(info: VariantInfo, rho: f64, what: &'static str) -> Method {
    Method {
        name: info.name,
        aliases: info.aliases,
        ascent: Some(info.name),
        what,
        formula: info.formula,
        rho: Some(rho),
        keys: info.keys,
        kept_floats: info.memory as u8,
        memory_floats: info.memory as u8,
        norm_reads: info.norm_reads as u8,
        source: info.source,
        equals: info.equals,
        ..PLAIN
    }
}

/// SANER on the ascent of `method`; `keys` are its own two and the method's.
const fn saner(method: Method, keys: &'static [Key]) -> Method {
    Method {
        aliases: &[],
        by_default: false,
        keys,
        step_floats: 2,
        mix_floats: 3,
        source: "Luong et al. 2026, arXiv 2411.17132; lhchau/saner",
        ..method
    }
}

/// Every method, by the name that the field uses.
pub const METHODS: &[Method] = &[
    Method {
        name: "sgd",
        aliases: &["base", "none"],
        what: "the base optimizer alone: what every other method is measured against",
        formula: "w <- base(w, g)",
        ascent: None,
        rho: None,
        step_floats: 0,
        gradients: "1",
        ascent_passes: 0,
        norm_reads: 0,
        source: "Robbins and Monro 1951; the base optimizer is chosen with --base",
        equals: "every method at rho = 0",
        ..PLAIN
    },
    variant(sam::INFO, 0.48, "one step of length rho up the gradient"),
    Method {
        keys: &[asam::INFO.keys[0], ON_BIASES],
        ..variant(asam::INFO, 2.5, "steps in proportion to each weight: blind to rescaled layers")
    },
    variant(fisher_sam::INFO, 0.5, "shorter steps where squared gradients are large"),
    variant(
        vasso::INFO,
        0.48,
        "ascends along an average of gradients: less noise in the direction",
    ),
    variant(friendly_sam::INFO, 0.6, "ascends along what this batch adds to the average gradient"),
    variant(info_sam_draft::INFO, 0.5, "the authors' undamped draft of infoSAM, bit for bit"),
    variant(
        info_sam::INFO,
        0.42,
        "small steps where the gradient is noisy: damped inverse variance",
    ),
    Method {
        keys: INFO_ASAM_KEYS,
        ..variant(info_asam::INFO, 2.8, "info-sam's objective and asam's constraint in one step")
    },
    Method {
        name: "unified-sam",
        what: "a mixture of the normalised and the unnormalised length",
        formula: "rho (1 - lambda + lambda / ||g||) g",
        rho: Some(0.62),
        keys: &[key("lambda", 0.5, Limits::Fraction, "share of the normalised length")],
        source: "Oikonomou and Loizou 2025, arXiv 2503.02225; dimitris-oik/unifiedsam",
        equals: "sam at lambda = 1, unnormalised-sam at lambda = 0",
        ..PLAIN
    },
    Method {
        name: "unnormalised-sam",
        aliases: &["unnormalized-sam", "usam"],
        what: "the perturbation shrinks with the gradient",
        formula: "rho g",
        rho: Some(1.0),
        source: "Andriushchenko and Flammarion 2022, arXiv 2206.06232",
        equals: "unified-sam at lambda = 0",
        ..PLAIN
    },
    Method {
        gradients: "1",
        ..variant(momentum_sam::INFO, 1.7, "ascends against the momentum: no second gradient")
    },
    Method {
        name: "gsam",
        rho: Some(0.46),
        what: "sam, and the descent also lowers the gap between both losses",
        formula: "sam's ascent; descent along g~ - alpha (part of g orthogonal to g~)",
        keys: &[key("alpha", 0.1, Limits::NonNegative, "weight of the orthogonal part")],
        step_floats: 2,
        // Dot products of g and g~; g and g~ in, the mix out.
        mix_floats: 2 + 3,
        source: "Zhuang et al. 2022, arXiv 2203.08065; juntang-zhuang/GSAM",
        equals: "sam at alpha = 0",
        ..PLAIN
    },
    Method {
        name: "wsam",
        aliases: &["weighted-sam"],
        what: "sharpness as a weighted term of the loss",
        formula: "sam's ascent; descent along g + gamma / (1 - gamma) (g~ - g)",
        rho: Some(0.19),
        keys: &[key("gamma", 0.7, Limits::Decay, "0.5 is sam; more weighs sharpness more")],
        step_floats: 2,
        mix_floats: 3,
        source: "Yue et al. 2023, arXiv 2305.15817; atorch",
        equals: "sam at gamma = 0.5",
        ..PLAIN
    },
    Method {
        name: "look-sam",
        rho: Some(0.002),
        aliases: &["looksam"],
        what: "the second gradient every few steps only, its flat part reused between",
        formula: "every interval-th step sam, g_v = part of g~ orthogonal to g; else g + alpha ||g|| g_v / ||g_v||",
        keys: &[
            key("interval", 5.0, Limits::Count, "steps from one second gradient to the next"),
            key("alpha", 0.7, Limits::NonNegative, "weight of the reused part"),
        ],
        kept_floats: 1,
        step_floats: 2,
        // In a step with a second gradient: dot products; g~ kept; g's part taken out of it.
        mix_floats: 2 + 2 + 3,
        gradients: "1 + 1/interval",
        source: "Liu et al. 2022, arXiv 2203.02714; rollovd/LookSAM",
        equals: "sam at interval = 1",
        ..PLAIN
    },
    Method {
        name: "saner",
        aliases: &["saner-sam"],
        what: "sam, and the descent shrinks what the perturbation made smaller: for wrong labels",
        formula: "sam's ascent; descent along (1 - alpha m) g~, m = 1 where 0 < g~ / g < 1, else 0",
        rho: Some(0.42),
        equals: "sam at alpha = 0",
        ..saner(PLAIN, &SANER_KEYS)
    },
    Method {
        name: "saner-info-asam",
        what: "saner on info-asam's ascent instead of sam's",
        formula: "info-asam's ascent; descent along (1 - alpha m) g~, m = 1 where 0 < g~ / g < 1, else 0",
        equals: "info-asam at alpha = 0",
        ..saner(variant(info_asam::INFO, 2.4, ""), SANER_INFO_ASAM_KEYS)
    },
    Method {
        by_default: false,
        keys: &[friendly_asam::INFO.keys[0], friendly_asam::INFO.keys[1], ON_BIASES],
        ..variant(friendly_asam::INFO, 2.8, "friendly-sam's slope under asam's constraint")
    },
    Method {
        by_default: false,
        keys: &[ON_BIASES],
        ..variant(
            raw_asam::INFO,
            3.4,
            "in proportion to each weight, over the plain norm: big_vision's form",
        )
    },
];

const SGD: BaseInfo = sgd_momentum::INFO;
const ADAMW: BaseInfo = adamw::INFO;

/// Every base optimizer, by the core's keys; the learning rate has a flag of its own.
pub const BASES: &[BaseMethod] = &[
    BaseMethod {
        name: "sgd",
        learning_rate: SGD.keys[0].default,
        keys: &[SGD.keys[2], SGD.keys[3], SGD.keys[4], Key { default: 5e-4, ..SGD.keys[1] }],
    },
    BaseMethod {
        name: "adamw",
        learning_rate: ADAMW.keys[0].default,
        keys: &[ADAMW.keys[2], ADAMW.keys[3], ADAMW.keys[4], ADAMW.keys[1]],
    },
];
