//! What is stored and what is declared: SQL, and every kind of file below `services/`, with their validators.

pub mod services;
