//! [`DeviceNetwork`]: the multilayer perceptron of `presam-model` on the device, its bits included.

use presam_kernels::entries;
use presam_kernels::network::{LARGE_TILE, TILE};
use presam_kernels::{Kernel, THREADS};
use presam_model::Mlp;

use crate::contract::{Plane, check_planes};
use crate::device::{Address, Device};
use crate::error::DeviceError;
use crate::memory::Buffers;

/// The network's layers and the room that it computes in; parameters and data are the caller's.
#[derive(Debug)]
pub struct DeviceNetwork {
    layers: Vec<Layer>,
    losses: Address,
    /// Examples that there is room for.
    most: usize,
    params: u64,
    buffers: Buffers,
}

/// One layer: where its tensors lie in the parameters, in floats, and its results.
#[derive(Clone, Copy, Debug)]
struct Layer {
    inputs: u64,
    outputs: u64,
    weight: u64,
    bias: u64,
    results: Address,
}

/// A batch in device memory: inputs row by row, labels as 32-bit words below the number of classes.
///
/// Labels are not looked at by the host. One that is no class is right in no count, and its example's loss
/// is the distance from the largest logit to the logarithm of the sum, its slope that of no target.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Examples.
    pub len: usize,
    /// Their features.
    pub inputs: Address,
    /// Their labels.
    pub labels: Address,
}

impl DeviceNetwork {
    /// Room for batches of at most `batch` examples.
    ///
    /// # Errors
    /// As [`Device::allocate`].
    pub fn new(device: &mut dyn Device, mlp: &Mlp<'_>, batch: usize) -> Result<Self, DeviceError> {
        let segments: Vec<_> = mlp.segments().collect();
        let (pairs, _) = segments.as_chunks::<2>();
        let (network, buffers) = Buffers::built(device, |device, buffers| {
            let mut layers = Vec::new();
            for [weight, bias] in pairs {
                layers.push(Layer {
                    inputs: weight.rows as u64,
                    outputs: weight.columns as u64,
                    weight: weight.offset as u64,
                    bias: bias.offset as u64,
                    results: buffers.zeros(device, batch * weight.columns)?,
                });
            }
            let losses = buffers.zeros(device, batch)?;
            let params = mlp.param_count() as u64;
            Ok(Self { layers, losses, most: batch, params, buffers: Buffers::default() })
        })?;
        Ok(Self { buffers, ..network })
    }

    /// Refuses a batch for which there is no room, and addresses that kernels may not be handed.
    fn check(
        &self,
        kernel: &'static Kernel,
        batch: Batch,
        (params, grads): (Option<Address>, Option<Address>),
    ) -> Result<(), DeviceError> {
        if batch.len > self.most {
            return Err(DeviceError::Contract {
                kernel: kernel.name,
                what: "batch".into(),
                expected: format!("at most {} examples", self.most),
                found: batch.len.to_string(),
            });
        }
        let rows = batch.len as u64;
        let features = self.layers.first().map_or(0, |layer| layer.inputs);
        let plane =
            |what, address, len, written| Plane::words(kernel.name, what, address, len, written);
        let mut planes = vec![
            plane("inputs", batch.inputs, rows * features, false),
            plane("labels", batch.labels, rows, false),
        ];
        planes.extend(params.map(|params| plane("params", params, self.params, false)));
        planes.extend(grads.map(|grads| plane("grads", grads, self.params, true)));
        planes.retain(|plane| plane.bytes > 0);
        check_planes(planes, false)
    }

    /// The losses of the last batch's examples: one float each.
    #[must_use]
    pub const fn losses(&self) -> Address {
        self.losses
    }

    /// The results of every layer at `params`; the last are the logits.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for more examples than there is room for, or a null, misaligned or overlapping
    /// plane; as [`Device::launch`].
    pub fn forward(
        &self,
        device: &mut dyn Device,
        params: Address,
        batch: Batch,
    ) -> Result<(), DeviceError> {
        self.check(&entries::forward, batch, (Some(params), None))?;
        let mut x = batch.inputs;
        for (index, layer) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            let kernel = if last { &entries::forward } else { &entries::forward_relu };
            let (weight, bias) = (params + 4 * layer.weight, params + 4 * layer.bias);
            let sizes = [batch.len as u64, layer.outputs, layer.inputs];
            product(device, kernel, sizes, [x, weight, bias, layer.results])?;
            x = layer.results;
        }
        Ok(())
    }

    /// After [`forward`](DeviceNetwork::forward): the [losses](DeviceNetwork::losses). The logits are used up.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for more examples than there is room for, or a null, misaligned or overlapping
    /// plane; as [`Device::launch`].
    pub fn loss(&self, device: &mut dyn Device, batch: Batch) -> Result<(), DeviceError> {
        self.check(&entries::cross_entropy, batch, (None, None))?;
        let Some(last) = self.layers.last() else { return Ok(()) };
        let rows = batch.len as u64;
        let arguments = [rows, last.outputs, last.results, batch.labels, self.losses];
        device.launch(&entries::cross_entropy, threads(rows), &arguments)
    }

    /// After [`forward`](DeviceNetwork::forward): the losses, and every gradient into `grads`. Uses the
    /// layers' results up.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for more examples than there is room for, or a null, misaligned or overlapping
    /// plane; as [`Device::launch`].
    pub fn backward(
        &self,
        device: &mut dyn Device,
        params: Address,
        batch: Batch,
        grads: Address,
    ) -> Result<(), DeviceError> {
        self.check(&entries::weight_gradient, batch, (Some(params), Some(grads)))?;
        self.loss(device, batch)?;
        let rows = batch.len as u64;
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let below = index.checked_sub(1).and_then(|below| self.layers.get(below));
            let x = below.map_or(batch.inputs, |below| below.results);
            let (weight, bias) = (4 * layer.weight, 4 * layer.bias);
            let slope = layer.results;
            weight_gradient(device, layer, rows, [x, slope, grads + weight])?;
            let arguments = [rows, layer.outputs, slope, grads + bias];
            device.launch(&entries::bias_gradient, threads(layer.outputs), &arguments)?;
            if below.is_some() {
                let sizes = [rows, layer.inputs, layer.outputs];
                product(device, &entries::slope_below, sizes, [slope, params + weight, 0, x])?;
            }
        }
        Ok(())
    }

    /// After [`forward`](DeviceNetwork::forward): adds the examples whose label has the largest logit
    /// to the word at `right`.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for more examples than there is room for, or a null, misaligned or overlapping
    /// plane; as [`Device::launch`].
    pub fn count_right(
        &self,
        device: &mut dyn Device,
        batch: Batch,
        right: Address,
    ) -> Result<(), DeviceError> {
        self.check(&entries::correct_count, batch, (None, None))?;
        let Some(last) = self.layers.last() else { return Ok(()) };
        let rows = batch.len as u64;
        let arguments = [rows, last.outputs, last.results, batch.labels, right];
        device.launch(&entries::correct_count, threads(rows), &arguments)
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// As [`Device::free`].
    pub fn free(self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.buffers.free(device)
    }
}

/// Blocks for a thread each of so many.
fn threads(items: u64) -> u32 {
    count(items.div_ceil(u64::from(THREADS)))
}

/// Blocks that keep the largest GPU of today busy. Where large tiles are as many, they are the quicker ones.
const FULL: u64 = 256;

/// The gradient of a layer's weights, from its inputs and the slope of its results.
fn weight_gradient(
    device: &mut dyn Device,
    layer: &Layer,
    rows: u64,
    [x, slope, out]: [Address; 3],
) -> Result<(), DeviceError> {
    let sizes = [layer.inputs, layer.outputs, rows];
    let large = blocks(sizes, LARGE_TILE);
    if large >= FULL {
        let arguments = [layer.inputs, layer.outputs, rows, x, slope, 0, out];
        return device.launch(&entries::weight_gradient_large, count(large), &arguments);
    }
    product(device, &entries::weight_gradient, sizes, [x, slope, 0, out])
}

/// A matrix product: rows, columns and length of the sums; a, b, start and out.
fn product(
    device: &mut dyn Device,
    kernel: &'static Kernel,
    sizes: [u64; 3],
    planes: [Address; 4],
) -> Result<(), DeviceError> {
    let ([rows, columns, sums], [a, b, start, out]) = (sizes, planes);
    let arguments = [rows, columns, sums, a, b, start, out];
    device.launch(kernel, count(blocks(sizes, TILE)), &arguments)
}

/// Tiles that cover a product's results.
fn blocks([rows, columns, _]: [u64; 3], tile: u32) -> u64 {
    rows.div_ceil(tile.into()) * columns.div_ceil(tile.into())
}

/// A number of blocks, too many for a device where it does not fit.
fn count(blocks: u64) -> u32 {
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use presam_kernels::Kernel;

    use super::*;
    use crate::emulated::Emulated;
    use crate::layer::Layer as Watched;

    /// A device that notes launches and does none.
    struct Noted(Emulated, Vec<(&'static str, u32)>);

    impl Watched for Noted {
        fn below(&self) -> &dyn Device {
            &self.0
        }

        fn below_mut(&mut self) -> &mut dyn Device {
            &mut self.0
        }

        fn on_launch(
            &mut self,
            kernel: &'static Kernel,
            blocks: u32,
            _: &[u64],
        ) -> Result<(), DeviceError> {
            self.1.push((kernel.name, blocks));
            Ok(())
        }
    }

    #[test]
    fn large_tiles_are_taken_where_they_are_many() {
        for (widths, expected) in [
            ([1024, 1024], ("weight_gradient_large", 256)),
            ([960, 1024], ("weight_gradient", 30 * 32)),
        ] {
            let mut device = Noted(Emulated::new(1), Vec::new());
            let mlp = Mlp::new(&widths).unwrap();
            let network = DeviceNetwork::new(&mut device, &mlp, 1).unwrap();
            let mut buffers = Buffers::default();
            let [params, grads] = [0; 2].map(|_| buffers.zeros(&mut device, mlp.param_count()));
            let [inputs, labels] = [1024, 1].map(|len| buffers.zeros(&mut device, len).unwrap());
            let batch = Batch { len: 1, inputs, labels };
            network.backward(&mut device, params.unwrap(), batch, grads.unwrap()).unwrap();
            assert!(device.1.contains(&expected), "{:?}", device.1);
        }
    }
}
