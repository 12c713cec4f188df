//! Where everything stands: floors as rows, each evenly filled.
//!
//! An arrow over several floors passes a slot of its own in each floor between, so that it crosses no box.

use crate::workspace::{Package, below};
use std::collections::BTreeMap;

pub(super) const WIDTH: usize = 960;
const BOX: usize = 184;
const SLOT: usize = 8;
const ROUNDS: usize = 24;

/// A box, or the slot of an arrow that passes by; `x` is its middle.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) floor: usize,
    pub(super) width: usize,
    pub(super) x: usize,
}

/// The spots, those of packages first and in their order; of each arrow the spots it passes from the upper
/// box to the lower, and whether only a feature brings it.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) spots: Vec<Spot>,
    pub(super) ways: Vec<(Vec<usize>, bool)>,
}

impl Layout {
    /// Fails where packages stand on each other in a circle.
    pub(super) fn new(packages: &[Package]) -> Result<Self, String> {
        let place = |name: &str| packages.iter().position(|package| package.name == name);
        let of = |(from, package)| -> Vec<((usize, usize), bool)> {
            let ours: BTreeMap<&str, bool> = Package::ours(package);
            ours.into_iter()
                .filter_map(|(on, optional)| Some(((from, place(on)?), optional)))
                .collect()
        };
        let arrows: BTreeMap<(usize, usize), bool> =
            packages.iter().enumerate().flat_map(of).collect();
        let pairs: Vec<(usize, usize)> = arrows.keys().copied().collect();
        let under: Vec<_> = (0..packages.len()).map(|at| below(at, &pairs)).collect();
        if (0..packages.len()).any(|at| under[at].contains(&at)) {
            return Err("packages stand on each other in a circle".into());
        }
        let mut spots = vec![Spot { floor: 0, width: BOX, x: WIDTH / 2 }; packages.len()];
        // Each round settles one floor more.
        for &(from, to) in (0..packages.len()).flat_map(|_| &pairs) {
            spots[from].floor = spots[from].floor.max(spots[to].floor + 1);
        }
        // What follows from other arrows is left out.
        let follows =
            |from, to| pairs.iter().any(|&(of, on)| of == from && under[on].contains(&to));
        let mut ways = Vec::new();
        for ((from, to), optional) in
            arrows.into_iter().filter(|((from, to), _)| !follows(*from, *to))
        {
            let mut way = vec![from];
            for floor in (spots[to].floor + 1..spots[from].floor).rev() {
                way.push(spots.len());
                spots.push(Spot { floor, width: SLOT, x: WIDTH / 2 });
            }
            way.push(to);
            ways.push((way, optional));
        }
        let mut layout = Self { spots, ways };
        let floors = packages.len();
        for round in 0..ROUNDS {
            (0..floors).for_each(|step| {
                layout.settle(if round % 2 == 0 { step } else { floors - 1 - step })
            });
        }
        Ok(layout)
    }

    /// Puts the spots of a floor in the order of the middles of what they are joined to.
    fn settle(&mut self, floor: usize) {
        let pull = |at: usize| {
            let steps = self.ways.iter().flat_map(|(way, _)| way.windows(2));
            let joined = steps.filter(|step| step.contains(&at)).flatten().filter(|&&on| on != at);
            let all: Vec<usize> = joined.map(|&on| self.spots[on].x).collect();
            all.iter().sum::<usize>().checked_div(all.len()).unwrap_or(self.spots[at].x)
        };
        let row = (0..self.spots.len()).filter(|&at| self.spots[at].floor == floor);
        let mut row: Vec<(usize, usize)> = row.map(|at| (pull(at), at)).collect();
        row.sort_unstable();
        let widths: usize = row.iter().map(|&(_, at)| self.spots[at].width).sum();
        let gap = WIDTH.saturating_sub(widths) / (row.len() + 1);
        let mut left = gap;
        for (_, at) in row {
            self.spots[at].x = left + self.spots[at].width / 2;
            left += self.spots[at].width + gap;
        }
    }
}
