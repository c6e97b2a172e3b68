//! The keyring of the desktop (the freedesktop Secret Service: GNOME Keyring, KWallet, KeePassXC), by libsecret's own program
//! `secret-tool`. A library for it would bring D-Bus and a second stack of cryptography into every build, for machines that
//! mostly have no keyring; where the program or the session bus is absent, there is none.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const PROGRAM: &str = "secret-tool";

/// LIMIT: how long a person may take to unlock it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether there is one to ask.
pub(super) fn is_there() -> bool {
    let bus = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|bus| !bus.is_empty())
        || std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|dir| std::path::Path::new(&dir).join("bus").exists());
    let path = std::env::var_os("PATH").unwrap_or_default();
    bus && std::env::split_paths(&path).any(|dir| dir.join(PROGRAM).is_file())
}

/// Keeps a secret under this name; `label` is what people see of it.
///
/// # Errors
/// The keyring is locked, or refuses.
pub(super) async fn put(name: &str, label: &str, secret: &str) -> anyhow::Result<()> {
    let label = format!("--label={label}");
    let (done, _) = run(&["store", &label, "service", "sp", "session", name], Some(secret)).await?;
    ensure!(done, "the keyring did not take the tokens");
    Ok(())
}

/// The secret of this name.
///
/// # Errors
/// It is not there, or the keyring is locked.
pub(super) async fn get(name: &str) -> anyhow::Result<String> {
    let (done, secret) = run(&["lookup", "service", "sp", "session", name], None).await?;
    ensure!(done && !secret.is_empty(), "the keyring does not give the tokens; unlock it, or log in again");
    Ok(secret)
}

/// Forgets the secret of this name.
///
/// # Errors
/// The keyring refuses.
pub(super) async fn forget(name: &str) -> anyhow::Result<()> {
    let (done, _) = run(&["clear", "service", "sp", "session", name], None).await?;
    ensure!(done, "the keyring did not forget the tokens");
    Ok(())
}

/// Secrets go over pipes, never over the command line, which others can read.
async fn run(args: &[&str], secret: Option<&str>) -> anyhow::Result<(bool, String)> {
    let piped = if secret.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = Command::new(PROGRAM)
        .args(args)
        .stdin(piped)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("`{PROGRAM}` cannot be started"))?;
    if let (Some(mut stdin), Some(secret)) = (child.stdin.take(), secret) {
        stdin.write_all(secret.as_bytes()).await.with_context(|| format!("`{PROGRAM}` does not listen"))?;
    }
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = ended.context("the keyring does not answer")??;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).trim_end().to_owned()))
}
