//! Measures `sp` from outside: a load generator that checks every reply, the baselines that give its numbers a
//! meaning, and the suite that runs both in turn and keeps dated results.

pub mod executors;
pub mod load;
pub mod pass;
pub mod process;
pub mod stream;
pub mod suite;
pub mod upstream;
