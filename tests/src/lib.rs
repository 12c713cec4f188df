//! The suite of presam, poured over every backend.
