//! [`Planes`] and [`PlanesMut`]: a short list of slices of one length, without a heap.
//!
//! A rule picked at run time has a number of planes that no type knows. The list stands inline, so a
//! segment can be handed on, lent and returned like any other value.

use crate::error::Error;

/// The longest list: no rule has more planes of memory, inputs or state.
pub const MAX_PLANES: usize = 4;

/// Planes to be read.
///
/// ```
/// use presam::Planes;
///
/// let (mask, weights) = ([1.0f32, 0.0], [0.5, 2.0]);
/// let inputs = Planes::from([&mask, &weights]);
/// assert_eq!(inputs.len(), 2);
/// let [first, _] = inputs.array("inputs")?;
/// assert_eq!(first, mask);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Debug)]
pub struct Planes<'a, R> {
    planes: [&'a [R]; MAX_PLANES],
    len: usize,
}

/// Planes to be read and written.
///
/// ```
/// use presam::PlanesMut;
///
/// let mut memory = vec![vec![0.0f32; 3]; 2]; // as many as the rule says
/// let mut planes = PlanesMut::of(&mut memory);
/// assert_eq!(planes.lend().len(), 2);
/// let [m, v] = planes.array("memory")?;
/// (m[0], v[0]) = (1.0, 2.0);
/// assert_eq!(memory[1][0], 2.0);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Debug)]
pub struct PlanesMut<'a, R> {
    planes: [&'a mut [R]; MAX_PLANES],
    len: usize,
}

impl<R> Clone for Planes<'_, R> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Planes<'_, R> {}

impl<'a, R> Planes<'a, R> {
    /// No plane.
    #[inline]
    #[must_use]
    pub const fn none() -> Self {
        Self { planes: [&[]; MAX_PLANES], len: 0 }
    }

    /// Those of a list of vectors, arrays or slices. A list longer than [`MAX_PLANES`] is refused by
    /// [`array`](Planes::array), so by every rule.
    #[inline]
    pub fn of<P: AsRef<[R]>>(list: &'a [P]) -> Self {
        let mut planes = Self { len: list.len(), ..Self::none() };
        for (slot, plane) in planes.planes.iter_mut().zip(list) {
            *slot = plane.as_ref();
        }
        planes
    }

    /// How many.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One after the other.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'a [R]> + use<'a, R> {
        self.planes.into_iter().take(self.len)
    }

    /// As an array of exactly `N`; `name` is what the error calls the list.
    ///
    /// # Errors
    /// [`Error::Planes`] for any other number.
    #[inline]
    pub fn array<const N: usize>(&self, name: &'static str) -> Result<[&'a [R]; N], Error> {
        const { assert!(N <= MAX_PLANES) };
        check_planes(name, N, self.len)?;
        let mut array = [&[][..]; N];
        for (k, slot) in array.iter_mut().enumerate() {
            *slot = self.planes.get(k).copied().unwrap_or_default();
        }
        Ok(array)
    }
}

impl<'a, R, P: AsRef<[R]> + ?Sized, const N: usize> From<[&'a P; N]> for Planes<'a, R> {
    /// More than [`MAX_PLANES`] do not compile.
    #[inline]
    fn from(list: [&'a P; N]) -> Self {
        const { assert!(N <= MAX_PLANES) };
        let mut planes = Self { len: N, ..Self::none() };
        for (slot, plane) in planes.planes.iter_mut().zip(list) {
            *slot = plane.as_ref();
        }
        planes
    }
}

impl<'a, R> PlanesMut<'a, R> {
    /// No plane.
    #[inline]
    #[must_use]
    pub fn none() -> Self {
        Self { planes: core::array::from_fn(|_| [].as_mut_slice()), len: 0 }
    }

    /// Those of a list of vectors, arrays or slices. A list longer than [`MAX_PLANES`] is refused by
    /// [`array`](PlanesMut::array), so by every rule.
    #[inline]
    pub fn of<P: AsMut<[R]>>(list: &'a mut [P]) -> Self {
        let mut planes = Self { len: list.len(), ..Self::none() };
        for (slot, plane) in planes.planes.iter_mut().zip(list) {
            *slot = plane.as_mut();
        }
        planes
    }

    /// How many.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// To be read.
    #[inline]
    #[must_use]
    pub fn read(&self) -> Planes<'_, R> {
        let mut read = Planes { len: self.len, ..Planes::none() };
        for (k, slot) in read.planes.iter_mut().enumerate() {
            *slot = self.planes.get(k).map_or(&[][..], |plane| plane);
        }
        read
    }

    /// Lent for a while.
    #[inline]
    pub fn lend(&mut self) -> PlanesMut<'_, R> {
        let mut lent = PlanesMut { len: self.len, ..PlanesMut::none() };
        let mut planes = self.planes.iter_mut();
        for slot in &mut lent.planes {
            *slot = planes.next().map_or(&mut [][..], |plane| plane);
        }
        lent
    }

    /// As an array of exactly `N`; `name` is what the error calls the list.
    ///
    /// # Errors
    /// [`Error::Planes`] for any other number.
    #[inline]
    pub fn array<const N: usize>(self, name: &'static str) -> Result<[&'a mut [R]; N], Error> {
        const { assert!(N <= MAX_PLANES) };
        check_planes(name, N, self.len)?;
        let mut array: [&'a mut [R]; N] = core::array::from_fn(|_| [].as_mut_slice());
        let mut planes = self.planes.into_iter();
        for slot in &mut array {
            *slot = planes.next().unwrap_or_default();
        }
        Ok(array)
    }
}

impl<'a, R, P: AsMut<[R]> + ?Sized, const N: usize> From<[&'a mut P; N]> for PlanesMut<'a, R> {
    /// More than [`MAX_PLANES`] do not compile.
    #[inline]
    fn from(list: [&'a mut P; N]) -> Self {
        const { assert!(N <= MAX_PLANES) };
        let mut planes = Self { len: N, ..Self::none() };
        for (slot, plane) in planes.planes.iter_mut().zip(list) {
            *slot = plane.as_mut();
        }
        planes
    }
}

/// `Ok` where a rule has `expected` planes of that name.
#[inline]
pub(crate) fn check_planes(
    planes: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Planes { planes, expected, found }) }
}
