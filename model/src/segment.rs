//! The tensors inside the flat parameter slice.

use core::fmt;
use core::ops::Range;

/// One tensor of the parameter slice: a weight matrix or a bias vector.
///
/// Its `Display` is its name: `layer1.weight`, `layer1.bias`, ...
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Layer, counted from 1.
    pub layer: usize,
    /// A bias vector, or else a weight matrix.
    pub is_bias: bool,
    /// First element in the parameter slice.
    pub offset: usize,
    /// Number of elements.
    pub len: usize,
    /// Rows of a weight matrix (its inputs); 1 for a bias.
    pub rows: usize,
    /// Columns (outputs of the layer).
    pub columns: usize,
}

impl Segment {
    /// Where the tensor lies in the parameter slice.
    ///
    /// ```
    /// use presam_model::Mlp;
    ///
    /// let bias = Mlp::new(&[4, 3])?.segments().last();
    /// assert_eq!(bias.map(|bias| bias.range()), Some(12..15));
    /// # Ok::<(), presam_model::Error>(())
    /// ```
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset.saturating_add(self.len)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "layer{}.{}", self.layer, if self.is_bias { "bias" } else { "weight" })
    }
}

/// Iterator over the tensors, in the order of the parameter slice.
///
/// ```
/// use presam_model::Mlp;
///
/// let mlp = Mlp::new(&[64, 128, 10])?;
/// let lens: Vec<_> = mlp.segments().map(|s| (s.to_string(), s.offset, s.len)).collect();
/// assert_eq!(lens[0], ("layer1.weight".into(), 0, 8192));
/// assert_eq!(lens[3], ("layer2.bias".into(), 9600, 10));
/// # Ok::<(), presam_model::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Segments<'w> {
    widths: &'w [usize],
    layer: usize,
    bias_next: bool,
    offset: usize,
}

impl<'w> Segments<'w> {
    pub(crate) fn new(widths: &'w [usize]) -> Self {
        Self { widths, layer: 1, bias_next: false, offset: 0 }
    }
}

impl Iterator for Segments<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        let &[inputs, columns, ..] = self.widths else {
            return None;
        };
        let rows = if self.bias_next { 1 } else { inputs };
        let len = rows.saturating_mul(columns);
        let (layer, is_bias, offset) = (self.layer, self.bias_next, self.offset);
        self.offset = offset.saturating_add(len);
        self.bias_next = !is_bias;
        if is_bias {
            self.layer = layer.saturating_add(1);
            self.widths = self.widths.get(1..).unwrap_or_default();
        }
        Some(Segment { layer, is_bias, offset, len, rows, columns })
    }
}
