//! The wire schema: generated code and conversions.
