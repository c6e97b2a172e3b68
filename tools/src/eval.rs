//! `cargo x eval`: measures what the layers of the chain find and what they leave alone, on rows of any corpus.

pub mod blocklist;
pub mod secrets;

use anyhow::Result;

/// Options of `cargo x eval`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    layer: Layer,
}

/// Which layer is measured.
#[derive(clap::Subcommand, Debug)]
enum Layer {
    /// What the blocklist catches and flags wrongly
    Blocklist(blocklist::Args),
    /// Recall, false alarms and time of the secrets layer
    Secrets(secrets::Args),
}

/// Runs the evaluation of one layer.
///
/// # Errors
/// A file cannot be read or a row is not of the documented form.
pub fn run(args: &Args) -> Result<()> {
    match &args.layer {
        Layer::Blocklist(args) => blocklist::run(args),
        Layer::Secrets(args) => secrets::run(args),
    }
}
