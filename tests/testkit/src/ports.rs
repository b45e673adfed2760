//! Ports for processes that a test starts itself. The servers of `tests/services` choose theirs on their own.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range that Linux gives to outgoing connections, so that none of them takes the port of a process that is
/// down for a moment; and below the range of `tests/services`.
const LOWEST: u16 = 10_000;
const COUNT: u16 = 10_000;

/// How far this process has got through the range: what was handed out is not handed out again.
static HANDED_OUT: AtomicU16 = AtomicU16::new(0);

/// No port of the range is free.
#[derive(Debug, thiserror::Error)]
#[error("could not find a free port on 127.0.0.1: all from {LOWEST} to {} are taken", LOWEST + COUNT - 1)]
pub struct NoFreePort;

/// A port on 127.0.0.1 that nobody listens on, and that this process was not given before.
pub fn free_port() -> Result<u16, NoFreePort> {
    // Test binaries that run at the same time begin at different places.
    let start = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let step = u32::from(HANDED_OUT.fetch_add(1, Ordering::Relaxed));
        let index = start.wrapping_add(step) % u32::from(COUNT);
        let port = LOWEST + u16::try_from(index).expect("less than COUNT, which is a u16");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(NoFreePort)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_handed_out_once_and_can_be_listened_on() {
        let (first, second) = (free_port().unwrap(), free_port().unwrap());
        assert_ne!(first, second);
        for port in [first, second] {
            assert!((LOWEST..LOWEST + COUNT).contains(&port));
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }
}
