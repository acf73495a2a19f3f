//! Drives a running portal from outside, as many browsers would: starts the real binary over a database and a sandbox,
//! signs people in through the provider, reads and sends forms, measures. The benchmarks are made of it, and so are the
//! tests that kill the process.

pub mod forms;
pub mod load;
pub mod portal;
