//! The end-to-end tests are in `tests/e2e`: one binary over the real processes and real servers.
