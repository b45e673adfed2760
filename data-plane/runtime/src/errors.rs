//! Errors of units: what a kind leads to, and how an error is shown in a status.

pub mod disposition;
pub mod trace;

pub use disposition::{Disposition, Stage, Tolerance, begins_again, decide};
