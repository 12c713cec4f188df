//! [`Shape`]: the lengths of the tensors of a model.

/// A model as the lengths of its tensors.
pub struct Shape {
    pub name: String,
    pub tensors: Vec<usize>,
}

impl Shape {
    /// The sizes of the tables: five flat ones, a small network and two published ones.
    pub const NAMES: [&str; 8] =
        ["640", "1e4", "digits-mlp", "1e6", "1e7", "resnet-18", "vit-b-16", "1e8"];

    /// A model by its name, or one flat tensor by its number of parameters (`1e4`, `10000`).
    pub fn parse(name: &str) -> Result<Self, String> {
        let (tensors, published) = match name {
            "digits-mlp" => (vec![64 * 128, 128, 128 * 10, 10], (4, 9_610)),
            "resnet-18" => (resnet_18(), (62, 11_689_512)),
            "vit-b-16" => (vit_b_16(), (152, 86_567_656)),
            _ => {
                let len = flat(name)?;
                (vec![len], (1, len))
            }
        };
        let shape = Self { name: name.into(), tensors };
        if (shape.tensors.len(), shape.params()) == published {
            Ok(shape)
        } else {
            let found = (shape.tensors.len(), shape.params());
            Err(format!("{name}: expected (tensors, parameters) {published:?}, found {found:?}"))
        }
    }

    /// The number of parameters.
    pub fn params(&self) -> usize {
        self.tensors.iter().sum()
    }
}

/// A length from 1 to 1e9, as a whole number or in exponent form.
fn flat(name: &str) -> Result<usize, String> {
    let value: f64 = name.parse().unwrap_or(f64::NAN);
    if value.fract() == 0.0 && (1.0..=1e9).contains(&value) {
        Ok(value as usize)
    } else {
        let names = Shape::NAMES.join(", ");
        Err(format!("size {name}: expected a whole number from 1 to 1e9 or one of: {names}"))
    }
}

/// The parameters of torchvision's `resnet18` in their order: convolutions without bias, two tensors
/// per batch normalisation, 1000 classes.
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

/// The parameters of torchvision's `vit_b_16`: class token, patches, positions, twelve encoder
/// layers, 1000 classes.
fn vit_b_16() -> Vec<usize> {
    const WIDTH: usize = 768;
    const HIDDEN: usize = 4 * WIDTH;
    let mut tensors = vec![WIDTH, WIDTH * 3 * 16 * 16, WIDTH, 197 * WIDTH];
    for _ in 0..12 {
        let attention = [3 * WIDTH * WIDTH, 3 * WIDTH, WIDTH * WIDTH, WIDTH];
        let layers = [HIDDEN * WIDTH, HIDDEN, WIDTH * HIDDEN, WIDTH];
        tensors.extend([WIDTH; 2]);
        tensors.extend(attention);
        tensors.extend([WIDTH; 2]);
        tensors.extend(layers);
    }
    tensors.extend([WIDTH, WIDTH, WIDTH * 1000, 1000]);
    tensors
}
