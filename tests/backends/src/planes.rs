//! Lists of planes as the arrays that the core takes: a case of any rule is one type, the rule's is its own.

/// Slices of a list of planes, `N` of them: as many as the rule has.
pub fn slices<R, const N: usize>(planes: &[Vec<R>]) -> [&[R]; N] {
    std::array::from_fn(|plane| planes.get(plane).map_or(&[][..], Vec::as_slice))
}

/// The same, to be written.
pub fn slices_mut<R, const N: usize>(planes: &mut [Vec<R>]) -> [&mut [R]; N] {
    let mut planes = planes.iter_mut();
    std::array::from_fn(|_| planes.next().map_or(&mut [][..], Vec::as_mut_slice))
}
