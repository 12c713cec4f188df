//! Names beside lines and points, moved until none covers another.

use super::FONT_SIZE;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    pub(super) fn overlaps(&self, other: &Rect) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// The middle of the side that faces `point`.
    pub(super) fn near(&self, point: (f64, f64)) -> (f64, f64) {
        let x = if self.right < point.0 { self.right } else { self.left };
        (x, (self.top + self.bottom) / 2.0)
    }

    fn within(&self, outer: &Rect) -> bool {
        self.left >= outer.left
            && self.right <= outer.right
            && self.top >= outer.top
            && self.bottom <= outer.bottom
    }
}

/// Width of a text in pixels, on the safe side for common sans-serif faces.
pub(super) fn text_width(text: &str) -> f64 {
    0.6 * f64::from(FONT_SIZE) * text.chars().count() as f64
}

/// Heights moved apart to at least `gap`, in the order of their wishes, inside `top..=bottom` where they fit.
pub(super) fn spread(wishes: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by(|&a, &b| wishes[a].total_cmp(&wishes[b]));
    let mut places: Vec<f64> = order.iter().map(|&index| wishes[index]).collect();
    // Down until free, up again from the bottom: with room for all, the second pass keeps the gaps.
    for index in 0..places.len() {
        let free = if index == 0 { top } else { places[index - 1] + gap };
        places[index] = places[index].max(free);
    }
    for index in (0..places.len()).rev() {
        let free = if index + 1 == places.len() { bottom } else { places[index + 1] - gap };
        places[index] = places[index].min(free);
    }
    let mut result = vec![0.0; wishes.len()];
    order.iter().zip(places).for_each(|(&index, place)| result[index] = place);
    result
}

/// So many candidates are close by.
const CLOSE_BY: usize = 12;

/// A line from a point to its name.
type Leader = ((f64, f64), (f64, f64));

/// For each point its label's rectangle: the nearest free place around it that covers no other label or
/// point, and whose leader, where that can be had, crosses no other leader and no other point. Close by, a
/// place that covers none of the small `dots` is taken first.
///
/// Where every tried place is taken, the label stands to the right of its point all the same.
pub(super) fn place(
    points: &[(f64, f64)],
    dots: &[(f64, f64)],
    names: &[String],
    bounds: &Rect,
) -> Vec<Rect> {
    let marks: Vec<Rect> = points.iter().map(|&point| around(point, 7.0)).collect();
    let dots: Vec<Rect> = dots.iter().map(|&dot| around(dot, 3.0)).collect();
    let mut taken: Vec<Rect> = Vec::new();
    let mut leaders: Vec<Leader> = Vec::new();
    for (&point, name) in points.iter().zip(names) {
        let candidates = candidates(point, text_width(name));
        let fits = |rect: &&Rect| {
            rect.within(bounds) && !taken.iter().chain(&marks).any(|other| rect.overlaps(other))
        };
        let apart = |rect: &&Rect| {
            let own = (point, rect.near(point));
            fits(rect)
                && !leaders.iter().any(|other| cross(own, *other))
                && !points.iter().any(|&other| other != point && passes(own, other))
        };
        let clear = |rect: &&Rect| apart(rect) && !dots.iter().any(|dot| rect.overlaps(dot));
        let chosen =
            candidates.iter().take(CLOSE_BY).find(clear).or_else(|| candidates.iter().find(apart));
        let chosen = chosen.or_else(|| candidates.iter().find(fits)).copied();
        let chosen = chosen.unwrap_or_else(|| beside(point, text_width(name), 10.0, 0.0));
        leaders.push((point, chosen.near(point)));
        taken.push(chosen);
    }
    taken
}

/// Whether a line comes nearer to a point than a mark is wide.
fn passes((a, b): Leader, p: (f64, f64)) -> bool {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let square = (dx * dx + dy * dy).max(f64::MIN_POSITIVE);
    let along = (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / square).clamp(0.0, 1.0);
    (a.0 + along * dx - p.0).hypot(a.1 + along * dy - p.1) < 7.0
}

/// Whether two lines cross: the ends of each lie on both sides of the other.
fn cross(one: Leader, other: Leader) -> bool {
    let side =
        |(a, b): Leader, p: (f64, f64)| (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
    side(one, other.0) * side(one, other.1) < 0.0 && side(other, one.0) * side(other, one.1) < 0.0
}

fn around((x, y): (f64, f64), half: f64) -> Rect {
    Rect { left: x - half, top: y - half, right: x + half, bottom: y + half }
}

/// Places around a point, nearest first: right, left, and both at growing heights.
fn candidates(point: (f64, f64), width: f64) -> Vec<Rect> {
    let mut all = Vec::new();
    for ring in 0..12 {
        let rise = 9.0 * f64::from(ring);
        let side = 10.0 + 4.0 * f64::from(ring);
        for dy in [-rise, rise] {
            all.push(beside(point, width, side, dy));
            all.push(beside(point, width, -side, dy));
        }
    }
    all
}

fn beside((x, y): (f64, f64), width: f64, dx: f64, dy: f64) -> Rect {
    let half = 0.6 * f64::from(FONT_SIZE);
    let left = if dx < 0.0 { x + dx - width } else { x + dx };
    Rect { left, top: y + dy - half, right: left + width, bottom: y + dy + half }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowded_heights_are_spread_inside_the_frame_in_their_order() {
        let wishes = [100.0, 101.0, 99.0, 395.0, 400.0, 20.0];
        let places = spread(&wishes, 15.0, 10.0, 400.0);
        let mut sorted: Vec<(f64, f64)> = wishes.iter().copied().zip(places).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(sorted.windows(2).all(|pair| pair[1].1 - pair[0].1 >= 15.0 - 1e-9), "{sorted:?}");
        assert!(sorted.iter().all(|&(_, place)| (10.0..=400.0).contains(&place)));
        assert_eq!(sorted[0], (20.0, 20.0));
        assert_eq!(spread(&[5.0, 6.0, 7.0], 15.0, 10.0, 400.0), [10.0, 25.0, 40.0]);
    }

    #[test]
    fn a_line_passes_what_is_near_it_and_not_what_lies_beyond_its_ends() {
        let line = ((0.0, 0.0), (10.0, 10.0));
        assert!(passes(line, (6.0, 4.0)) && !passes(line, (20.0, 20.0)));
    }

    #[test]
    fn lines_cross_or_do_not() {
        let line = ((0.0, 0.0), (10.0, 10.0));
        assert!(cross(line, ((0.0, 10.0), (10.0, 0.0))));
        assert!(!cross(line, ((0.0, 1.0), (10.0, 11.0))));
        assert!(
            !cross(line, ((20.0, 0.0), (0.0, 20.0))),
            "the line's continuation is not the line"
        );
    }

    #[test]
    fn fifteen_names_on_one_spot_do_not_overlap() {
        let bounds = Rect { left: 0.0, top: 0.0, right: 900.0, bottom: 400.0 };
        let points: Vec<(f64, f64)> =
            (0..15).map(|i| (400.0 + f64::from(i), 200.0 - f64::from(i))).collect();
        let names: Vec<String> = (0..15).map(|i| format!("a-method-{i}")).collect();
        let places = place(&points, &[(420.0, 200.0)], &names, &bounds);
        for (i, a) in places.iter().enumerate() {
            assert!(places[i + 1..].iter().all(|b| !a.overlaps(b)), "{i}");
        }
    }
}
