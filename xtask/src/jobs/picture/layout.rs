//! Where everything stands: floors as rows, the ground floor at the bottom.
//!
//! An arrow over several floors passes a slot of its own in each floor between, so that it crosses no box.
//! In a row, boxes and slots stand in the order of what they are joined to, and as near to it as they fit.

use super::floors::House;

pub(super) const WIDTH: i32 = 800;
const MARGIN: i32 = 8;
const GAP: i32 = 16;
const BOX: i32 = 184;
const SLOT: i32 = 12;
const ROUNDS: usize = 24;

/// A box, or the slot of an arrow that passes by.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) floor: usize,
    /// The package of a box.
    pub(super) package: Option<usize>,
    pub(super) width: i32,
    /// Of its middle.
    pub(super) x: i32,
}

impl Item {
    #[cfg(test)]
    pub(super) fn span(&self) -> std::ops::RangeInclusive<i32> {
        self.x - self.width / 2..=self.x + self.width / 2
    }
}

/// The items, and of each arrow the items it passes from the upper box to the lower.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) items: Vec<Item>,
    pub(super) ways: Vec<Vec<usize>>,
}

impl Layout {
    pub(super) fn new(house: &House) -> Self {
        let boxes = house.floors.iter().enumerate();
        let mut items: Vec<Item> = boxes
            .map(|(package, &floor)| Item { floor, package: Some(package), width: BOX, x: 0 })
            .collect();
        let mut ways = Vec::new();
        for arrow in &house.arrows {
            let floor_of = |place: usize| house.floors.get(place).copied().unwrap_or(0);
            let mut way = vec![arrow.from];
            for floor in (floor_of(arrow.to) + 1..floor_of(arrow.from)).rev() {
                way.push(items.len());
                items.push(Item { floor, package: None, width: SLOT, x: 0 });
            }
            way.push(arrow.to);
            ways.push(way);
        }
        let mut layout = Self { items, ways };
        layout.arrange();
        layout
    }

    /// How many floors there are.
    pub(super) fn floors(&self) -> usize {
        self.items.iter().map(|item| item.floor + 1).max().unwrap_or(0)
    }

    /// Rows by what stands below, then by what stands above, and so on; then once by both.
    fn arrange(&mut self) {
        let floors = self.floors();
        for floor in 0..floors {
            self.settle(floor, |_, _| false);
        }
        for round in 0..ROUNDS {
            let upwards = round % 2 == 0;
            for step in 0..floors {
                let floor = if upwards { step } else { floors - 1 - step };
                self.settle(floor, |own, other| (other < own) == upwards);
            }
        }
        for floor in 0..floors {
            self.settle(floor, |_, _| true);
        }
    }

    /// Puts the items of a floor where their neighbours on the chosen floors pull them.
    fn settle(&mut self, floor: usize, chosen: impl Fn(usize, usize) -> bool) {
        let on_floor =
            |index: &usize| self.items.get(*index).is_some_and(|item| item.floor == floor);
        let row: Vec<usize> = (0..self.items.len()).filter(on_floor).collect();
        let mut wishes: Vec<(i32, usize)> =
            row.into_iter().map(|index| (self.pull(index, &chosen), index)).collect();
        wishes.sort_unstable();
        let widths: i32 = wishes.iter().map(|&(_, index)| self.width(index)).sum();
        let gaps = i32::try_from(wishes.len()).unwrap_or(1) - 1;
        let gap = GAP.min((WIDTH - 2 * MARGIN - widths) / gaps.max(1));
        let mut left = MARGIN;
        let mut rest = widths + gap * gaps;
        for (wish, index) in wishes {
            let half = self.width(index) / 2;
            // Not so far right that the others would not fit.
            let most = WIDTH - MARGIN - rest;
            let at = (wish - half).clamp(left, most.max(left));
            if let Some(item) = self.items.get_mut(index) {
                item.x = at + half;
            }
            left = at + 2 * half + gap;
            rest -= 2 * half + gap;
        }
    }

    fn width(&self, index: usize) -> i32 {
        self.items.get(index).map_or(0, |item| item.width)
    }

    /// The middle of the chosen neighbours; where there is none, where it stands.
    fn pull(&self, index: usize, chosen: impl Fn(usize, usize) -> bool) -> i32 {
        let Some(own) = self.items.get(index) else { return 0 };
        let steps = self.ways.iter().flat_map(|way| way.windows(2));
        let others = steps.filter_map(|step| match step {
            [a, b] if *a == index => self.items.get(*b),
            [a, b] if *b == index => self.items.get(*a),
            _ => None,
        });
        let pulls: Vec<i32> =
            others.filter(|other| chosen(own.floor, other.floor)).map(|other| other.x).collect();
        match i32::try_from(pulls.len()) {
            Ok(count) if count > 0 => pulls.iter().sum::<i32>() / count,
            _ if own.x == 0 => WIDTH / 2,
            _ => own.x,
        }
    }
}
