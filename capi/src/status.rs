//! [`Status`]: what a call answers: a [`Code`], the [`Argument`] at fault, and which of several.

use core::ffi::CStr;

/// What a call answers: 0 where all is well, else `code | argument << 8 | index << 16`.
///
/// `PRESAM_CODE`, `PRESAM_ARGUMENT` and `PRESAM_INDEX` take it apart, `presam_status_write` says it in words.
/// A call that answers anything but 0 has touched nothing.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u32);

impl Status {
    /// All is well.
    pub const OK: Self = Self(0);

    /// The code's number.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.0 & 0xff
    }

    /// The argument's number.
    #[must_use]
    pub const fn argument(self) -> u32 {
        (self.0 >> 8) & 0xff
    }

    /// Which tensor of an array, or which setting of a list; 0 elsewhere, 65535 for that and all after it.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 >> 16
    }
}

/// A call that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub code: Code,
    pub argument: Argument,
    pub index: usize,
}

impl Fault {
    pub(crate) const fn new(code: Code, argument: Argument) -> Self {
        Self { code, argument, index: 0 }
    }

    /// The same of the element `index` of a list.
    pub(crate) const fn at(self, index: usize) -> Self {
        Self { index, ..self }
    }

    pub(crate) fn status(self) -> Status {
        let index = u32::from(u16::try_from(self.index).unwrap_or(u16::MAX));
        Status(self.code as u32 | (self.argument as u32) << 8 | index << 16)
    }
}

/// `Ok` where `valid`.
pub(crate) const fn check(valid: bool, code: Code, argument: Argument) -> Result<(), Fault> {
    if valid { Ok(()) } else { Err(Fault::new(code, argument)) }
}

/// An enum of C with a text for each value.
macro_rules! texts {
    ($Enum:ident, $of:ident; $($Name:ident = $number:literal, $text:literal;)*) => {
        impl $Enum {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$Name),*];

            /// The text of a number, empty for one that is none of these.
            pub(crate) const fn $of(number: u32) -> &'static CStr {
                match number {
                    $($number => $text,)*
                    _ => c"",
                }
            }
        }

        // The numbers of the enum are those of the texts.
        $(const _: () = assert!($Enum::$Name as u32 == $number);)*
    };
}

/// What is wrong. The numbers are for ever.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Nothing.
    Ok = 0,
    /// A null pointer where something is expected; a buffer may be null where its length is 0.
    Null = 1,
    /// An address that is not a multiple of its type's alignment.
    Misaligned = 2,
    /// A length that no memory has.
    TooLong = 3,
    /// A buffer that shares memory with another one of the call, where one of them is written.
    Overlap = 4,
    /// A struct whose `size` is not that of this library.
    StructSize = 5,
    /// A struct whose `version` is not that of this library.
    StructVersion = 6,
    /// A tag or a name that no rule has; a flag that is none.
    Unknown = 7,
    /// A setting that the rule does not have.
    UnknownKey = 8,
    /// A number outside of its range, or NaN.
    Range = 9,
    /// A state or a norm that was not begun by this library, or is of the other type.
    NotBegun = 10,
    /// A call at another place of the step than its own.
    Order = 11,
    /// A tensor that is still perturbed, shown or not: restore it first.
    StillPerturbed = 12,
    /// A tensor whose length has changed since it was perturbed; an array with another number of tensors than ascended.
    LengthChanged = 13,
    /// A part of a norm that does not begin where this one ends.
    NotAdjacent = 14,
    /// A part of a norm that does not begin at chunk 0.
    NotFromZero = 15,
    /// More chunks than a norm holds.
    TooManyChunks = 16,
    /// A slope along the momentum of a base optimizer without momentum.
    NoMomentum = 17,
}

texts! { Code, text;
    Ok = 0, c"no error";
    Null = 1, c"expected an address, found null";
    Misaligned = 2, c"expected an address aligned for its type, found another one";
    TooLong = 3, c"expected a length that fits into memory, found a longer one";
    Overlap = 4, c"expected memory of its own, found some that another buffer of the call has too";
    StructSize = 5, c"expected the struct's size as this library has it, found another one";
    StructVersion = 6, c"expected the struct's version as this library has it, found another one";
    Unknown = 7, c"expected a known tag, name or flag, found none";
    UnknownKey = 8, c"expected a setting that the rule has, found another one";
    Range = 9, c"expected a number within its range, found one outside or NaN";
    NotBegun = 10, c"expected what presam_init or presam_norm_begin wrote for this type, found something else";
    Order = 11, c"expected a call that this place of the step allows, found another one";
    StillPerturbed = 12, c"expected a tensor at rest, found one that must be restored first";
    LengthChanged = 13, c"expected the length that was perturbed, found another one";
    NotAdjacent = 14, c"expected a part that begins where the first one ends, found another one";
    NotFromZero = 15, c"expected a norm from chunk 0 on, found a later part";
    TooManyChunks = 16, c"expected at most 2^24 chunks from an arbitrary start (2^48 from chunk 0), found more";
    NoMomentum = 17, c"expected a base optimizer with momentum, found one without";
}

/// At which argument, or part of one. The numbers are for ever.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// None.
    None = 0,
    /// The state.
    State = 1,
    /// The configuration.
    Config = 2,
    /// Its variant: tag or name.
    Variant = 3,
    /// Its settings of the variant; the index says which.
    VariantSettings = 4,
    /// Its base optimizer: tag or name.
    Base = 5,
    /// Its settings of the base optimizer; the index says which.
    BaseSettings = 6,
    /// Its flags.
    Flags = 7,
    /// Its weight of the unnormalised length.
    Unnormalised = 8,
    /// Its norm guard.
    NormGuard = 9,
    /// Its largest norm of the second gradient.
    MaxNorm = 10,
    /// The learning rate.
    LearningRate = 11,
    /// The loss scale.
    LossScale = 12,
    /// The norm.
    Norm = 13,
    /// The norm that is merged.
    Next = 14,
    /// The struct that is written.
    Out = 15,
    /// The array of tensors.
    Tensors = 16,
    /// The tensor; the index says which of an array.
    Tensor = 17,
    /// Its length.
    Len = 18,
    /// Its mark.
    Mark = 19,
    /// Its parameters.
    Params = 20,
    /// Its gradients.
    Grads = 21,
    /// Its backup.
    Backup = 22,
    /// Its group.
    Group = 23,
    /// The group's radius.
    Rho = 24,
    /// The group's weight decay.
    WeightDecay = 25,
    /// The group's flags.
    GroupFlags = 26,
    /// Its first memory plane.
    Memory0 = 32,
    /// Its second memory plane.
    Memory1 = 33,
    /// Its third memory plane.
    Memory2 = 34,
    /// Its fourth memory plane.
    Memory3 = 35,
    /// Its first input plane.
    Inputs0 = 36,
    /// Its second input plane.
    Inputs1 = 37,
    /// Its third input plane.
    Inputs2 = 38,
    /// Its fourth input plane.
    Inputs3 = 39,
    /// Its first plane of the base optimizer's state.
    State0 = 40,
    /// Its second plane of the base optimizer's state.
    State1 = 41,
    /// Its third plane of the base optimizer's state.
    State2 = 42,
    /// Its fourth plane of the base optimizer's state.
    State3 = 43,
}

texts! { Argument, text;
    None = 0, c"";
    State = 1, c"state";
    Config = 2, c"config";
    Variant = 3, c"config.variant";
    VariantSettings = 4, c"config.variant_settings";
    Base = 5, c"config.base";
    BaseSettings = 6, c"config.base_settings";
    Flags = 7, c"config.flags";
    Unnormalised = 8, c"config.unnormalised";
    NormGuard = 9, c"config.norm_guard";
    MaxNorm = 10, c"config.max_norm";
    LearningRate = 11, c"learning_rate";
    LossScale = 12, c"loss_scale";
    Norm = 13, c"norm";
    Next = 14, c"next";
    Out = 15, c"out";
    Tensors = 16, c"tensors";
    Tensor = 17, c"tensor";
    Len = 18, c"tensor.len";
    Mark = 19, c"tensor.mark";
    Params = 20, c"tensor.params";
    Grads = 21, c"tensor.grads";
    Backup = 22, c"tensor.backup";
    Group = 23, c"tensor.group";
    Rho = 24, c"tensor.group.rho";
    WeightDecay = 25, c"tensor.group.weight_decay";
    GroupFlags = 26, c"tensor.group.flags";
    Memory0 = 32, c"tensor.memory[0]";
    Memory1 = 33, c"tensor.memory[1]";
    Memory2 = 34, c"tensor.memory[2]";
    Memory3 = 35, c"tensor.memory[3]";
    Inputs0 = 36, c"tensor.inputs[0]";
    Inputs1 = 37, c"tensor.inputs[1]";
    Inputs2 = 38, c"tensor.inputs[2]";
    Inputs3 = 39, c"tensor.inputs[3]";
    State0 = 40, c"tensor.state[0]";
    State1 = 41, c"tensor.state[1]";
    State2 = 42, c"tensor.state[2]";
    State3 = 43, c"tensor.state[3]";
}

impl Argument {
    /// The planes of memory.
    pub(crate) const MEMORY: [Self; 4] =
        [Self::Memory0, Self::Memory1, Self::Memory2, Self::Memory3];
    /// The planes of inputs.
    pub(crate) const INPUTS: [Self; 4] =
        [Self::Inputs0, Self::Inputs1, Self::Inputs2, Self::Inputs3];
    /// The planes of the base optimizer's state.
    pub(crate) const STATE: [Self; 4] = [Self::State0, Self::State1, Self::State2, Self::State3];

    /// Whether the index says which element of a list it is.
    pub(crate) const fn is_of_list(number: u32) -> bool {
        number == Self::VariantSettings as u32
            || number == Self::BaseSettings as u32
            || number >= Self::Tensor as u32
    }
}
