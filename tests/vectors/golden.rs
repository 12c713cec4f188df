//! The golden vectors of the variants' reference: a weight of three elements and a bias of two, one or two
//! gradients, and the perturbation that the last one makes. Read by the suite and by the firmware's images,
//! so without std.

/// Weight, then bias.
pub const W: [f64; 5] = [1.0, -2.0, 0.5, 0.25, 0.0];
/// The radius.
pub const RHO: f64 = 0.05;

/// The first gradient.
pub const G1: [f64; 5] = [0.3, -0.4, 1.2, 0.0, -0.05];
const G2: [f64; 5] = [0.1, -0.7, 1.6, 0.2, -0.15];
const SAM: [f64; 5] = [0.0115299366304, -0.0153732488405, 0.0461197465214, 0.0, -0.00192165610506];

/// A row of the table: how it is computed, and the perturbation printed there.
#[derive(Clone)]
pub struct Row {
    pub name: &'static str,
    pub rule: &'static str,
    /// Keys of the rule that are not at their default.
    pub settings: &'static [(&'static str, f64)],
    /// The weight of the normalised length: 1 is SAM's, 0 is not normalised.
    pub lambda: f64,
    /// One gradient a step.
    pub grads: &'static [[f64; 5]],
    /// Every input plane of the rule.
    pub input: [f64; 5],
    pub operator_on_bias: bool,
    /// Whether the weight counts and moves.
    pub with_weight: bool,
    pub perturbation: [f64; 5],
}

const fn row(
    name: &'static str,
    (rule, settings): (&'static str, &'static [(&'static str, f64)]),
    perturbation: [f64; 5],
) -> Row {
    Row {
        name,
        rule,
        settings,
        lambda: 1.0,
        grads: &[G1],
        input: [1.0; 5],
        operator_on_bias: true,
        with_weight: true,
        perturbation,
    }
}

const fn second(
    name: &'static str,
    rule: (&'static str, &'static [(&'static str, f64)]),
    perturbation: [f64; 5],
) -> Row {
    Row { grads: &[G1, G2], ..row(name, rule, perturbation) }
}

/// C of the draft after g1 and g2, of the b that the reference prints: 1 / (b + 0.01).
const DRAFT_C: [f64; 5] = {
    const fn c(b: f64) -> f64 {
        1.0 / (b + 0.01)
    }
    [c(0.0324), c(0.0729), c(0.1296), c(0.0324), c(0.0081)]
};
const MASK: [f64; 5] = [1.0, 0.0, 1.0, 0.0, 1.0];

/// The table.
pub const ROWS: &[Row] = &[
    row("SAM, g1", ("sam", &[]), SAM),
    row(
        "ASAM all tensors, eta 0",
        ("asam", &[("eta", 0.0)]),
        [0.0143673942783, -0.0766261028177, 0.0143673942783, 0.0, 0.0],
    ),
    Row {
        operator_on_bias: false,
        ..row(
            "ASAM weight only, eta 0.01",
            ("asam", &[("eta", 0.01)]),
            [0.0144891927957, -0.0765124828466, 0.0147775278744, 0.0, -0.00236728307612],
        )
    },
    row(
        "FisherSAM eta 0.2",
        ("fisher-sam", &[("eta", 0.2)]),
        [0.0126166161576, -0.0165939473495, 0.0398873144363, 0.0, -0.00213954943336],
    ),
    row(
        "FisherSAM eta 1",
        ("fisher-sam", &[("eta", 1.0)]),
        [0.0152608039777, -0.0191198578571, 0.0272693054683, 0.0, -0.00276546572496],
    ),
    Row {
        with_weight: false,
        ..row("SAM-ON perturbing B only", ("sam", &[]), [0.0, 0.0, 0.0, 0.0, -0.05])
    },
    Row { lambda: 0.0, ..row("USAM", ("sam", &[]), [0.015, -0.02, 0.06, 0.0, -0.0025]) },
    Row {
        lambda: 0.5,
        ..row(
            "unified lambda 0.5",
            ("sam", &[]),
            [0.0132649683152, -0.0176866244202, 0.0530598732607, 0.0, -0.00221082805253],
        )
    },
    row(
        "MSAM, v = g1",
        ("momentum-sam", &[]),
        [-0.0115299366304, 0.0153732488405, -0.0461197465214, -0.0, 0.00192165610506],
    ),
    row(
        "GSAM-JAX adaptive",
        ("raw-asam", &[]),
        [0.0115299366304, -0.030746497681, 0.0230598732607, 0.0, 0.0],
    ),
    Row {
        input: MASK,
        ..row(
            "SSAM code",
            ("ssam", &[]),
            [0.0115299366304, 0.0, 0.0461197465214, 0.0, -0.00192165610506],
        )
    },
    Row {
        input: MASK,
        ..row(
            "strict OP with that mask",
            ("masked-sam", &[]),
            [0.0121168858758, 0.0, 0.0484675435033, 0.0, -0.00201948097931],
        )
    },
    Row {
        input: DRAFT_C,
        grads: &[G2],
        ..row(
            "infoSAM draft, b + 0.01",
            ("objective-preconditioner", &[]),
            [
                0.00681800725596,
                -0.0244099463639,
                0.0331327802467,
                0.0136360145119,
                -0.0239571967668,
            ],
        )
    },
    second(
        "SAM, g2",
        ("sam", &[]),
        [0.00282955917487, -0.0198069142241, 0.0452729467979, 0.00565911834974, -0.00424433876231],
    ),
    second(
        "VaSSO theta 0.9",
        ("vasso", &[("decay", 0.1)]),
        [0.00349398654039, -0.0195080915172, 0.0454218250251, 0.00524097981059, -0.00407631763046],
    ),
    second(
        "F-SAM sigma 1",
        ("friendly-sam", &[("sigma", 1.0), ("decay", 0.9)]),
        [-0.0171498585143, -0.0257247877714, 0.0342997170285, 0.0171498585143, -0.00857492925713],
    ),
    second(
        "F-SAM adaptive, sigma 1",
        ("friendly-asam", &[("sigma", 1.0), ("decay", 0.9)]),
        [-0.0150329205601, -0.0901975233603, 0.00751646028003, 0.000939557535004, 0.0],
    ),
    second(
        "infoSAM draft alpha 0.9",
        ("info-sam-draft", &[("decay", 0.9)]),
        [0.00612315742418, -0.0190498230975, 0.0244926296967, 0.0122463148484, -0.0367389445451],
    ),
];
