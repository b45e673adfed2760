//! The sink against a real search engine, driven as the runtime drives it: put until it is taken, commit what is
//! written.

#[cfg(test)]
mod failures;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod secure;
#[cfg(test)]
mod validation;
#[cfg(test)]
mod writing;
