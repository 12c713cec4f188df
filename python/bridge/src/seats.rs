//! [`Seats`]: whether the parameters of an optimizer are still those, where they were and as they were, and
//! where their gradients are now: the short way through a step. Whatever it does not know, it leaves to
//! the long one.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};

use crate::exchange::{Exchange, Place, Where};

/// The parameters of all groups in their order, by identity: whoever makes the list keeps them alive.
pub struct Seats {
    exchange: Exchange,
    /// The type that a gradient must have, itself and no heir of it.
    plain: usize,
    sizes: Vec<usize>,
    seats: Vec<Seat>,
}

struct Seat {
    parameter: usize,
    /// `None` for one that has no part in the step as long as it has no gradient.
    place: Option<Place>,
}

fn identity(object: &Bound<'_, PyAny>) -> usize {
    object.as_ptr().addr()
}

fn params<'py>(group: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let params = group.cast::<PyDict>()?.as_any().get_item(intern!(group.py(), "params"))?;
    Ok(params.cast_into::<PyList>()?)
}

impl Seats {
    /// `None` where one of them cannot be looked at so. `there`: which of them have a part in the step.
    ///
    /// # Errors
    /// Of Python, for what are no groups of parameters.
    pub fn of(
        on: Where,
        table: &Bound<'_, PyCapsule>,
        plain: &Bound<'_, PyAny>,
        groups: &Bound<'_, PyList>,
        there: &[bool],
    ) -> PyResult<Option<Self>> {
        let Some(exchange) = Exchange::of(on, table)? else { return Ok(None) };
        let (mut sizes, mut seats, mut there) = (Vec::new(), Vec::new(), there.iter());
        for group in groups {
            let params = params(&group)?;
            sizes.push(params.len());
            for (p, &there) in params.iter().zip(there.by_ref()) {
                let place = if there { exchange.place(&p) } else { None };
                if there && place.is_none() {
                    return Ok(None);
                }
                seats.push(Seat { parameter: identity(&p), place });
            }
        }
        Ok(Some(Self { exchange, plain: identity(plain), sizes, seats }))
    }

    /// The addresses of the gradients: those that are `given`, or where the seats find them; `None` where anything is not
    /// as it was but the gradients, and where there are no seats.
    ///
    /// # Errors
    /// As [`of`](Seats::of).
    pub fn found(
        seats: Option<&Self>,
        given: Option<Vec<usize>>,
        groups: &Bound<'_, PyList>,
    ) -> PyResult<Option<Vec<usize>>> {
        match (given, seats) {
            (Some(given), _) => Ok(Some(given)),
            (None, Some(seats)) => seats.gradients(groups),
            (None, None) => Ok(None),
        }
    }

    /// The addresses of the gradients, 0 for none, of those that have a part; `None` where anything is
    /// not as it was and must be looked at closely.
    fn gradients(&self, groups: &Bound<'_, PyList>) -> PyResult<Option<Vec<usize>>> {
        let (mut found, mut seats) = (Vec::with_capacity(self.seats.len()), self.seats.iter());
        if groups.len() != self.sizes.len() {
            return Ok(None);
        }
        for (group, &size) in groups.iter().zip(&self.sizes) {
            let params = params(&group)?;
            if params.len() != size {
                return Ok(None);
            }
            for (p, seat) in params.iter().zip(seats.by_ref()) {
                match self.gradient(&p, seat) {
                    Some(address) if seat.place.is_some() => found.push(address),
                    Some(_) => {}
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(found))
    }

    fn gradient(&self, p: &Bound<'_, PyAny>, seat: &Seat) -> Option<usize> {
        if identity(p) != seat.parameter {
            return None;
        }
        let grad = p.getattr(intern!(p.py(), "grad")).ok()?;
        let Some(place) = &seat.place else { return grad.is_none().then_some(0) };
        if self.exchange.alike(p, place)? != place.address {
            return None;
        }
        if grad.is_none() {
            return Some(0);
        }
        let negated = |grad: &Bound<'_, PyAny>| {
            grad.call_method0(intern!(grad.py(), "is_neg")).and_then(|is| is.is_truthy())
        };
        if grad.get_type().as_ptr().addr() != self.plain
            || (place.is_single() && negated(&grad).unwrap_or(true))
        {
            return None;
        }
        self.exchange.alike(&grad, place)
    }
}
