//! [`Twist`]: what code does otherwise than the formula says. [`Twist::NONE`] is the formula.

use presam_oracle::Number;

/// One setting for each place at which codes of the field part ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Twist {
    /// eta (ASAM's offset, FisherSAM's factor) in place of the one asked for.
    pub eta: Option<f64>,
    pub operator: Operator,
    /// The power of D in the norm: 1.
    pub norm_power: u8,
    /// The power of D in the direction: 2.
    pub direction_power: u8,
    pub weights: Weights,
    pub memory: Memory,
    /// Whether the weights of the old and the new value are exchanged in every average.
    pub swaps_decay: bool,
    pub variance: Variance,
    pub slope: Slope,
    pub measure: Measure,
    pub over: Over,
    pub guard: Guard,
    /// k in place of the one asked for.
    pub norm_guard: Option<f64>,
    pub radius: Radius,
    pub moves: Moves,
    /// Whether the descent starts from the unperturbed parameters.
    pub restores: bool,
    pub descended: Descended,
    pub weight_decay: WeightDecay,
    /// Whether dampening weighs the first gradient in the momentum too.
    pub dampens_first: bool,
    pub is_nesterov: Nesterov,
    /// Whether the base optimizer's new state is written.
    pub keeps_state: bool,
    pub adam: Adam,
}

impl Twist {
    /// The formula.
    pub const NONE: Self = Self {
        eta: None,
        operator: Operator::Given,
        norm_power: 1,
        direction_power: 2,
        weights: Weights::Given,
        memory: Memory::Given,
        swaps_decay: false,
        variance: Variance::Given,
        slope: Slope::Gradient,
        measure: Measure::Root,
        over: Over::Counted,
        guard: Guard::Added,
        norm_guard: None,
        radius: Radius::Given,
        moves: Moves::Up,
        restores: true,
        descended: Descended::Second,
        weight_decay: WeightDecay::Given,
        dampens_first: false,
        is_nesterov: Nesterov::Given,
        keeps_state: true,
        adam: Adam::Given,
    };
}

/// ASAM's operator |w| + eta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// Where the segment says.
    Given,
    /// On every segment.
    Everywhere,
    /// On none.
    Missing,
    /// w + eta.
    Signed,
}

/// C: a caller's, a mask, or the weights of info-sam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weights {
    /// As the rule says.
    Given,
    /// 1.
    Missing,
    /// In the direction alone.
    NotInNorm,
    /// In the norm too, where the rule has it in the direction alone.
    InNorm,
    /// Its square root.
    Rooted,
    /// 1 / C.
    Inverted,
}

/// When the rule's memory is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    /// As the rule says.
    Given,
    /// Read before this step's update, where the rule reads it after.
    Late,
    /// The same on the first step, which finds zeros.
    LateFromStart,
    /// Read after this step's update, where the rule reads it before.
    Early,
    /// Never written.
    NotKept,
    /// The first step averages like any other.
    FirstAveraged,
    /// Friendly SAM: the average takes in the slope, not the gradient.
    OfSlope,
}

/// The noise estimate of info-sam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variance {
    /// As the rule says.
    Given,
    /// About the mean that holds this gradient already.
    AboutNewMean,
    /// Without its bias correction.
    Biased,
    /// C from the second step on, where the rule waits for the third.
    FromSecondStep,
    /// The square of this step's deviation alone.
    NotAveraged,
}

/// What the ascent follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slope {
    /// g.
    Gradient,
    /// g~.
    Second,
    /// g + weight_decay w.
    Decayed,
}

/// How the terms D C s become one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    /// Root of the sum of squares.
    Root,
    /// Sum of squares.
    Squared,
    /// Sum of absolute values.
    Sum,
    /// Root of the mean square.
    MeanRoot,
    /// The largest absolute value.
    Largest,
    /// || w ||.
    OfParams,
    /// Root of the sum of squares, rounded to `f32`.
    Single,
    /// Root of the sum of squares, times this.
    Times(Number),
}

/// Which segments the norm is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Those that count.
    Counted,
    /// Each alone.
    Each,
    /// All.
    All,
    /// Those that are perturbed.
    Perturbed,
}

/// Where the norm guard k goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Guard {
    /// rho / (N + k).
    Added,
    /// rho / N; 0/0 where the norm is 0.
    Missing,
    /// rho / max(N, k).
    Least,
    /// rho / max(N, 1).
    One,
    /// rho / sqrt(N^2 + k).
    InRoot,
    /// rho / N + k.
    AfterDivision,
    /// rho (direction / N + k).
    AfterDirection,
}

/// rho.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Radius {
    /// The segment's.
    Given,
    /// This one.
    Fixed(f64),
    /// The first segment's.
    OfFirst,
    /// Times the learning rate.
    TimesRate,
    /// Squared.
    Squared,
}

/// Where the ascent goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moves {
    /// w + scale * direction, where the segment is perturbed.
    Up,
    /// w - scale * direction.
    Down,
    /// Nowhere.
    Nowhere,
    /// w + rho * direction.
    Unnormalised,
    /// Up, even where the segment is not perturbed.
    Everything,
    /// Up, in the first segment alone.
    FirstOnly,
    /// Up, but the last element of each segment stays.
    AllButLast,
}

/// What the base optimizer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Descended {
    /// g~.
    Second,
    /// g.
    First,
    /// g + g~.
    Sum,
    /// (g + g~) / 2.
    Mean,
}

/// Weight decay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WeightDecay {
    /// As the base optimizer has it.
    Given,
    /// None.
    Missing,
    /// Of the perturbed parameter.
    OfPerturbed,
    /// Coupled where the base optimizer has it decoupled, and the other way round.
    Exchanged,
    /// AdamW: after the step.
    After,
}

/// Nesterov's form of momentum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nesterov {
    /// Where it is asked for.
    Given,
    /// Nowhere.
    Never,
}

/// The denominator of AdamW.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adam {
    /// Corrected root, then the guard.
    Given,
    /// No bias correction.
    Biased,
    /// The guard beside the root before it is corrected.
    GuardBeforeCorrection,
    /// The guard inside the root.
    GuardInRoot,
}
