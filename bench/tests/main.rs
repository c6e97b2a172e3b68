//! The programs of this crate against each other, as users run them.

mod load;
mod upstream;
