//! How a device is doing: its clocks now, and why they are not higher.

use std::process::Command;

use super::Facts;

/// A moment's clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Of the cores, in MHz.
    pub core_mhz: u32,
    /// Of the memory, in MHz.
    pub memory_mhz: u32,
    /// Why the cores run below their highest clock, in NVIDIA's words; empty where they do not.
    pub throttle_reasons: Vec<String>,
}

/// Newer drivers call the reasons events; each knows at least one of the two.
const REASONS: [&str; 2] = ["clocks_event_reasons.active", "clocks_throttle_reasons.active"];

/// The bits of the reasons.
const BITS: [(u64, &str); 9] = [
    (0x001, "gpu idle"),
    (0x002, "applications clocks setting"),
    (0x004, "sw power cap"),
    (0x008, "hw slowdown"),
    (0x010, "sync boost"),
    (0x020, "sw thermal slowdown"),
    (0x040, "hw thermal slowdown"),
    (0x080, "hw power brake slowdown"),
    (0x100, "display clock setting"),
];

/// The device's clocks at this moment, by `nvidia-smi`; `None` where there is none or it does not tell.
pub fn clocks(facts: &Facts) -> Option<Clocks> {
    REASONS.iter().find_map(|reasons| {
        let query = format!("--query-gpu=clocks.sm,clocks.mem,{reasons}");
        // By its place on the bus: nvidia-smi counts devices in another order than the driver.
        let asked = [query.as_str(), "--format=csv,noheader,nounits", "--id", &facts.bus];
        let output = Command::new("nvidia-smi").args(asked).output().ok()?;
        output.status.success().then(|| parse(&String::from_utf8_lossy(&output.stdout)))?
    })
}

/// `1980, 2619, 0x0000000000000004`.
fn parse(line: &str) -> Option<Clocks> {
    let mut columns = line.trim().split(',').map(str::trim);
    let core_mhz = columns.next()?.parse().ok()?;
    let memory_mhz = columns.next()?.parse().ok()?;
    let bits = u64::from_str_radix(columns.next()?.strip_prefix("0x")?, 16).ok()?;
    let known = BITS.iter().filter(|(bit, _)| bits & bit != 0).map(|&(_, name)| name.to_owned());
    let unknown = BITS.iter().fold(bits, |rest, (bit, _)| rest & !bit);
    let unknown = (unknown != 0).then(|| format!("{unknown:#x}"));
    Some(Clocks { core_mhz, memory_mhz, throttle_reasons: known.chain(unknown).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_nvidia_smi_is_read() {
        let clocks = parse("1980, 2619, 0x0000000000000204\n").unwrap();
        assert_eq!((clocks.core_mhz, clocks.memory_mhz), (1980, 2619));
        assert_eq!(clocks.throttle_reasons, ["sw power cap", "0x200"]);
        assert!(parse("345, 2619, 0x0000000000000000").unwrap().throttle_reasons.is_empty());
    }

    #[test]
    fn what_it_does_not_tell_is_none() {
        for line in ["", "No devices were found", "[N/A], 2619, 0x0", "1980, 2619, [N/A]"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
