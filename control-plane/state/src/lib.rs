//! The replicated state of the control plane, pure.
