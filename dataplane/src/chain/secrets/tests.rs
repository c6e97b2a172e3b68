//! Whole-scanner tests as tables.
