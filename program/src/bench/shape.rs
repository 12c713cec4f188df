//! [`Shape`]: the lengths of the tensors of a model.

use crate::config::ConfigError;
use presam_pipe::similar::suggestion;

/// A model as the lengths of its tensors, in the order in which PyTorch lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// `1e4`, `resnet-18`: its name in rows, as it was asked for.
    pub name: String,
    /// The number of parameters of each tensor.
    pub tensors: Vec<usize>,
}

/// A network by its name and the function that lists its tensors.
type Network = (&'static str, fn() -> Vec<usize>);

const NETWORKS: [Network; 4] = [
    ("digits-mlp", digits_mlp),
    ("resnet-18", resnet_18),
    ("vit-b-16", vit_b_16),
    ("gpt2-small", gpt2_small),
];

/// The most parameters of a flat size.
const MOST: f64 = 1e9;

impl Shape {
    /// A network by its name, or one flat tensor by its number of parameters (`1e4`, `10000`).
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(name: &str) -> Result<Self, ConfigError> {
        let named = |tensors| Self { name: name.to_owned(), tensors };
        if let Some((_, tensors)) = NETWORKS.iter().find(|(network, _)| *network == name) {
            return Ok(named(tensors()));
        }
        match name.parse::<f64>() {
            Ok(len) if len.fract() == 0.0 && (1.0..=MOST).contains(&len) => {
                Ok(named(vec![len as usize]))
            }
            _ => {
                let networks = NETWORKS.map(|(network, _)| network);
                let expected = format!("a whole number from 1 to 1e9, {}", networks.join(", "));
                Err(ConfigError::new("--sizes", expected, format!("{name:?}"))
                    .suggest(suggestion(name, networks)))
            }
        }
    }

    /// The number of parameters.
    pub fn params(&self) -> usize {
        self.tensors.iter().sum()
    }

    /// Whether it is one flat tensor and no network.
    pub fn is_flat(&self) -> bool {
        self.tensors.len() == 1
    }
}

/// What `presam train` trains: 64 inputs, 128 hidden, 10 classes.
fn digits_mlp() -> Vec<usize> {
    vec![64 * 128, 128, 128 * 10, 10]
}

/// torchvision's `resnet18`: convolutions without bias, each with two tensors of normalisation.
fn resnet_18() -> Vec<usize> {
    let convolution = |from: usize, to: usize, side: usize| [to * from * side * side, to, to];
    let mut tensors = convolution(3, 64, 7).to_vec();
    for (from, to) in [(64, 64), (64, 128), (128, 256), (256, 512)] {
        tensors.extend(convolution(from, to, 3));
        tensors.extend(convolution(to, to, 3));
        if from != to {
            tensors.extend(convolution(from, to, 1));
        }
        tensors.extend(convolution(to, to, 3));
        tensors.extend(convolution(to, to, 3));
    }
    tensors.extend([512 * 1000, 1000]);
    tensors
}

/// One transformer block of width `w`: two normalisations, attention with its output, two dense layers.
fn block(w: usize) -> [usize; 12] {
    let dense = |from: usize, to: usize| [from * to, to];
    let [[qkv, qkv_bias], [out, out_bias]] = [dense(w, 3 * w), dense(w, w)];
    let [[up, up_bias], [down, down_bias]] = [dense(w, 4 * w), dense(4 * w, w)];
    [w, w, qkv, qkv_bias, out, out_bias, w, w, up, up_bias, down, down_bias]
}

/// torchvision's `vit_b_16`: class token, patches, positions, twelve blocks, head.
fn vit_b_16() -> Vec<usize> {
    const W: usize = 768;
    let mut tensors = vec![W, W * 3 * 16 * 16, W, 197 * W];
    tensors.extend((0..12).flat_map(|_| block(W)));
    tensors.extend([W, W, W * 1000, 1000]);
    tensors
}

/// GPT-2 small: words, positions, twelve blocks, a last normalisation; the head shares the words.
fn gpt2_small() -> Vec<usize> {
    const W: usize = 768;
    let mut tensors = vec![50_257 * W, 1024 * W];
    tensors.extend((0..12).flat_map(|_| block(W)));
    tensors.extend([W, W]);
    tensors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_their_published_numbers_of_tensors_and_parameters() {
        for (name, tensors, params) in [
            ("digits-mlp", 4, 9_610),
            ("resnet-18", 62, 11_689_512),
            ("vit-b-16", 152, 86_567_656),
            ("gpt2-small", 148, 124_439_808),
        ] {
            let shape = Shape::parse(name).unwrap();
            assert_eq!((shape.tensors.len(), shape.params()), (tensors, params), "{name}");
        }
    }

    #[test]
    fn flat_sizes_are_whole_numbers_and_slips_get_a_suggestion() {
        assert_eq!(Shape::parse("1e4").unwrap().tensors, [10_000]);
        assert_eq!(Shape::parse("12345").unwrap().tensors, [12_345]);
        for wrong in ["0", "1.5", "2e9", "-3", "nan", "", "resnet-50"] {
            let message = Shape::parse(wrong).unwrap_err().to_string();
            assert!(message.starts_with("--sizes: expected a whole number from 1 to 1e9, "));
            assert!(message.contains(&format!("found {wrong:?}")), "{message}");
        }
        let message = Shape::parse("resnet18").unwrap_err().to_string();
        assert!(message.ends_with("did you mean resnet-18?"), "{message}");
    }
}
