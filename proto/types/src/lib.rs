//! Validated names, ids and states.
