//! Fails the build when `services/` does not hold together, with file, line and what was expected.
//!
//! `SP_SERVICES_DIR` names another tree, for those who build their own binary from this library.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-env-changed=SP_SERVICES_DIR");
    let other = std::env::var_os("SP_SERVICES_DIR");
    // From the root of the workspace, so that paths in messages are the ones that editors open.
    if other.is_none() && std::env::set_current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).is_err() {
        println!("cargo::error=the root of the workspace cannot be entered");
        return;
    }
    let dir = other.as_deref().map_or(Path::new("services"), Path::new);
    match dir.canonicalize() {
        Ok(dir) => println!("cargo::rerun-if-changed={}", dir.display()),
        Err(error) => println!("cargo::error=`{}` cannot be read: {error}", dir.display()),
    }
    for problem in schema::services::load(dir).err().unwrap_or_default() {
        println!("cargo::error={}", problem.to_string().replace('\n', " "));
    }
}
