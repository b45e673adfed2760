//! The rules of this repository that a compiler cannot check: who may depend on whom, and how source files look.
//! (`cfg(test)` tells the lints that these modules are tests, helpers included.)

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod workspace;
