//! The wire schema: code generated from `proto/towpath/v1`, and conversions between wire and domain types.

/// Version 1 of the schema.
#[expect(clippy::all, clippy::too_many_lines, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("towpath.v1");
}

pub mod convert;
#[cfg(test)]
mod golden;

/// The encoded descriptors, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/towpath.bin"));
