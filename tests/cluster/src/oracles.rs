//! What must hold after a run, whatever was broken in it. Each of these is a function of what was seen; it returns what is
//! wrong with it, in words.

pub mod delivered;
pub mod overlaps;
