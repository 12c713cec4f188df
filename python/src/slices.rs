//! Addresses of tensors as slices: the only unsafe code that touches a tensor's numbers.
//!
//! Python owns the memory. What a [`Region`] stands for is promised by whoever hands its address to the
//! module (`presam.torch`, `presam.numpy`, `presam.verify`, and nobody else: the module's name begins
//! with an underscore): `len` numbers of the engine's type, alive and used by no one else until the call
//! returns. What can be checked here is: alignment, range, and that nothing written overlaps anything.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ptr::with_exposed_provenance_mut;
use std::slice::{from_raw_parts, from_raw_parts_mut};

use presam::{MAX_PLANES, Real};

use presam_bridge::Fault;

/// `len` numbers from an address on.
#[derive(Clone, Copy)]
pub(crate) struct Region<R> {
    address: usize,
    len: usize,
    scalar: PhantomData<R>,
}

impl<R: Real> Region<R> {
    /// No number.
    pub const EMPTY: Self = Self { address: 0, len: 0, scalar: PhantomData };

    /// Takes Python's promise for `len` numbers at `address`.
    pub fn claim(name: &str, address: usize, len: usize) -> Result<Self, Fault> {
        let bytes = len.checked_mul(size_of::<R>()).filter(|&bytes| isize::try_from(bytes).is_ok());
        let ends = bytes.and_then(|bytes| address.checked_add(bytes));
        if len > 0 && (address == 0 || !address.is_multiple_of(align_of::<R>()) || ends.is_none()) {
            let align = align_of::<R>();
            return Err(Fault::new(format!(
                "{name}: expected an address of {len} numbers, a multiple of {align}, found {address:#x}"
            )));
        }
        Ok(Self { address, len, scalar: PhantomData })
    }

    pub const fn len(self) -> usize {
        self.len
    }

    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The address behind the last number.
    const fn end(self) -> usize {
        self.address + self.len * size_of::<R>()
    }

    fn overlaps(self, other: Self) -> bool {
        !self.is_empty()
            && !other.is_empty()
            && self.address < other.end()
            && other.address < self.end()
    }

    fn read<'a>(self) -> &'a [R] {
        if self.is_empty() {
            return &[];
        }
        // SAFETY: `claim` checked alignment and range, and Python promised that the numbers are there and
        // that nobody writes them until the call returns, which is longer than any borrow made of this.
        unsafe { from_raw_parts(with_exposed_provenance_mut::<R>(self.address), self.len) }
    }

    /// The callers below lend it only beside regions that do not overlap it.
    fn write<'a>(self) -> &'a mut [R] {
        if self.is_empty() {
            return &mut [];
        }
        // SAFETY: as in `read`; nothing lent together with it overlaps it (`Row::new`, `apart`), and a row is
        // borrowed mutably while it is lent.
        unsafe { from_raw_parts_mut(with_exposed_provenance_mut::<R>(self.address), self.len) }
    }
}

/// `Ok` where the gradient overlaps none of what is written beside it.
fn apart<R: Real>(gradient: Region<R>, written: &[Region<R>]) -> Result<(), Fault> {
    if written.iter().any(|region| region.overlaps(gradient)) {
        return Err(Fault::new(
            "a gradient shares memory with a parameter or a plane of its own".into(),
        ));
    }
    Ok(())
}

/// Regions by their addresses, to be asked whether another one meets them.
pub(crate) struct Block<R>(Vec<Region<R>>);

impl<R: Real> Block<R> {
    /// Those that are not empty.
    pub fn of(regions: impl Iterator<Item = Region<R>>) -> Self {
        let mut sorted: Vec<_> = regions.filter(|region| !region.is_empty()).collect();
        sorted.sort_unstable_by_key(|region| region.address);
        Self(sorted)
    }

    /// Whether two of them overlap.
    pub fn overlaps_itself(&self) -> bool {
        self.0.windows(2).any(|pair| matches!(pair, [one, next] if one.overlaps(*next)))
    }

    /// Whether one of them overlaps `region`; they do not overlap each other.
    pub fn meets(&self, region: Region<R>) -> bool {
        let first = self.0.partition_point(|own| own.end() <= region.address);
        self.0.get(first).is_some_and(|own| own.overlaps(region))
    }
}

/// The memory of one tensor. Every plane is as long as `params`, or empty where it is not there.
pub(crate) struct Row<R> {
    params: Region<R>,
    backup: Region<R>,
    first: Region<R>,
    kept: Region<R>,
    memory: Vec<Region<R>>,
    inputs: Vec<Region<R>>,
    state: Vec<Region<R>>,
}

/// What an ascent works on.
pub(crate) struct AscentSlices<'a, R> {
    pub params: &'a mut [R],
    pub backup: &'a mut [R],
    pub grads: &'a [R],
    pub memory: List<&'a mut [R]>,
    pub inputs: List<&'a [R]>,
}

/// What a descent works on.
pub(crate) struct DescentSlices<'a, R> {
    pub params: &'a mut [R],
    pub grads: &'a [R],
    pub state: List<&'a mut [R]>,
}

/// One plane to be written, two to be read.
type Three<'a, R> = (&'a mut [R], &'a [R], &'a [R]);

/// A short list without a heap.
pub(crate) struct List<T> {
    planes: [T; MAX_PLANES],
    len: usize,
}

impl<T> List<T> {
    fn of<R: Real>(regions: &[Region<R>], lend: impl Fn(Region<R>) -> T) -> Self {
        let plane = |k: usize| lend(regions.get(k).copied().unwrap_or(Region::EMPTY));
        Self { planes: std::array::from_fn(plane), len: regions.len() }
    }

    pub fn get(&self) -> &[T] {
        self.planes.get(..self.len).unwrap_or_default()
    }

    pub fn get_mut(&mut self) -> &mut [T] {
        self.planes.get_mut(..self.len).unwrap_or_default()
    }
}

impl<R: Real> Row<R> {
    /// `addresses`: params, backup, first, kept, then memory, inputs, state; 0 for a plane that is not there.
    pub fn new(len: usize, addresses: &[usize], counts: [usize; 3]) -> Result<Self, Fault> {
        let expected = 4 + counts.iter().sum::<usize>();
        if addresses.len() != expected {
            let found = addresses.len();
            return Err(Fault::new(format!(
                "tensors: expected {expected} addresses, found {found}"
            )));
        }
        let names = ["params", "backup", "first", "kept"];
        let mut regions = Vec::with_capacity(expected);
        for (k, &address) in addresses.iter().enumerate() {
            let absent = address == 0 && (2..4).contains(&k);
            let name = names.get(k).copied().unwrap_or("plane");
            regions.push(if absent { Region::EMPTY } else { Region::claim(name, address, len)? });
        }
        let read_only = 4 + counts[0]..4 + counts[0] + counts[1];
        for (k, one) in regions.iter().enumerate() {
            for (j, other) in regions.iter().enumerate().take(k) {
                if one.overlaps(*other) && !(read_only.contains(&k) && read_only.contains(&j)) {
                    return Err(Fault::new("two planes of one tensor share memory".into()));
                }
            }
        }
        let mut rest = regions.into_iter();
        let mut next = || rest.next().unwrap_or(Region::EMPTY);
        let (params, backup, first, kept) = (next(), next(), next(), next());
        let [memory, inputs, state] = counts.map(|count| (0..count).map(|_| next()).collect());
        Ok(Self { params, backup, first, kept, memory, inputs, state })
    }

    pub const fn len(&self) -> usize {
        self.params.len()
    }

    /// The parameters' memory.
    pub const fn params(&self) -> Region<R> {
        self.params
    }

    /// For an ascent along `grads`.
    pub fn ascent(&mut self, grads: Region<R>) -> Result<AscentSlices<'_, R>, Fault> {
        apart(grads, &[self.params, self.backup])?;
        apart(grads, &self.memory)?;
        Ok(AscentSlices {
            params: self.params.write(),
            backup: self.backup.write(),
            grads: grads.read(),
            memory: List::of(&self.memory, Region::write),
            inputs: List::of(&self.inputs, Region::read),
        })
    }

    /// For a descent along `grads`.
    pub fn descent(&mut self, grads: Region<R>) -> Result<DescentSlices<'_, R>, Fault> {
        apart(grads, &[self.params])?;
        apart(grads, &self.state)?;
        Ok(DescentSlices {
            params: self.params.write(),
            grads: grads.read(),
            state: List::of(&self.state, Region::write),
        })
    }

    /// Params to be written, backup to be read.
    pub fn restore(&mut self) -> (&mut [R], &[R]) {
        (self.params.write(), self.backup.read())
    }

    /// A gradient to be read.
    pub fn gradient(&self, grads: Region<R>) -> &[R] {
        grads.read()
    }

    /// The plane of the first gradient to be read, a gradient to be written.
    pub fn mixed(&mut self, grads: Region<R>) -> Result<(&[R], &mut [R]), Fault> {
        apart(grads, &[self.first])?;
        Ok((self.first.read(), grads.write()))
    }

    /// The plane of the first gradient, to be written, and a gradient to be copied.
    pub fn first(&mut self, grads: Region<R>) -> Result<(&mut [R], &[R]), Fault> {
        apart(grads, &[self.first])?;
        Ok((self.first.write(), grads.read()))
    }

    /// Params to be written, first gradient and second to be read.
    pub fn correction(&mut self, grads: Region<R>) -> Result<Three<'_, R>, Fault> {
        apart(grads, &[self.params])?;
        Ok((self.params.write(), self.first.read(), grads.read()))
    }

    /// The plane of the first gradient as a gradient.
    pub const fn first_region(&self) -> Region<R> {
        self.first
    }

    /// The kept plane to be written; first gradient and second to be read.
    pub fn kept(&mut self, grads: Region<R>) -> Result<Three<'_, R>, Fault> {
        apart(grads, &[self.kept])?;
        Ok((self.kept.write(), self.first.read(), grads.read()))
    }

    /// The backup as scratch to be written; kept plane and gradient to be read.
    pub fn scratch(&mut self, grads: Region<R>) -> Result<Three<'_, R>, Fault> {
        apart(grads, &[self.backup])?;
        Ok((self.backup.write(), self.kept.read(), grads.read()))
    }

    /// The backup as a gradient.
    pub const fn scratch_region(&self) -> Region<R> {
        self.backup
    }
}
