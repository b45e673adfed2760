//! A node of the control plane.
