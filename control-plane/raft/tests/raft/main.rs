//! The store as the server uses it, on real files and sockets.

#[cfg(test)]
mod damage;
#[cfg(test)]
mod election;
#[cfg(test)]
mod group;
#[cfg(test)]
mod handover;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod members;
#[cfg(test)]
mod restoring;
#[cfg(test)]
mod single;
#[cfg(test)]
mod support;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod wiped;
