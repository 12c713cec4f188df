//! An empty launch: `restore` over a single float, by the device's clock and by the host's.

use std::time::Instant;

use presam_kernels::entries;
use presam_kernels::layout::Segment;

use super::clocked::Clocked;
use crate::bench::Overhead;
use presam_cuda::{Buffers, DeviceError, Tables};

/// Enough for quantiles.
const SAMPLES: usize = 200;

/// Samples of both clocks, each after an untimed launch.
pub(super) fn overhead<D: Clocked>(device: &mut D) -> Result<Overhead, DeviceError> {
    let mut buffers = Buffers::default();
    let [params, out] = [buffers.zeros(device, 1)?, buffers.zeros(device, 1)?];
    let row = Segment { params, out, len: 1, ..Segment::default() };
    let tables = Tables::new(device, &mut buffers, &[row])?;
    let pass = tables.pass(device, &mut buffers, |_| true)?;
    let mut overhead = Overhead { host_ns: Vec::new(), device_ns: Vec::new() };
    for _ in 0..SAMPLES {
        pass.launch(device, &entries::restore, &[])?;
        device.synchronize()?;
        let start = Instant::now();
        pass.launch(device, &entries::restore, &[])?;
        device.synchronize()?;
        overhead.host_ns.push(start.elapsed().as_nanos() as f64);
        let work = &mut |device: &mut D| pass.launch(device, &entries::restore, &[]);
        overhead.device_ns.push(device.nanoseconds(work)?);
    }
    buffers.free(device)?;
    Ok(overhead)
}
