//! `sp infra services`: what runs, and putting another policy into force.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::app::publish::PublishError;
use crate::cli::table;

/// Lists the MCP servers with their health and tools.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

impl Command for List {
    const PATH: &'static [&'static str] = &["infra", "services", "list"];
    const ABOUT: &'static str = "List the MCP servers with their health and number of tools";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp infra services list";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        Ok(json!({ "servers": app.server_list() }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = result["servers"].as_array().cloned().unwrap_or_default();
        let columns = ["name", "transport", "health", "tools", "protocol_version", "restarts"];
        write!(out, "{}", table::of(&columns, &rows))
    }
}

/// Reads `services/` again and puts it into force.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reload {}

impl Command for Reload {
    const PATH: &'static [&'static str] = &["infra", "services", "reload"];
    const ABOUT: &'static str = "Read services/ again and put it into force; a broken file leaves the running policy";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp infra services reload";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        match app.reload(&caller.claims.sub, caller.trace).await {
            Ok(published) => Ok(json!({ "generation": published.generation, "changed": published.changed })),
            Err(PublishError::Problems(problems)) => Err(CommandError::Problems(problems.iter().map(place).collect())),
            Err(error) => Err(CommandError::Failed(error.to_string())),
        }
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        match result["changed"].as_bool() {
            Some(false) => writeln!(out, "nothing has changed; generation {} stays in force", result["generation"]),
            _ => writeln!(out, "generation {} is in force", result["generation"]),
        }
    }
}

/// A problem of `services/`, as the command line shows it.
pub(super) fn place(problem: &schema::services::Problem) -> Value {
    json!({
        "file": problem.file.display().to_string(), "line": problem.line, "column": problem.column, "message": problem.message,
    })
}

/// Stops the processes of an MCP server and starts fresh ones.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Name of the MCP server.
    pub server: String,
}

impl Command for Restart {
    const PATH: &'static [&'static str] = &["infra", "services", "restart"];
    const ABOUT: &'static str = "Stop the processes of an MCP server, start fresh ones and discover its tools again";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp infra services restart files";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        app.supervisor.restart(&self.server).await.map_err(|error| CommandError::NotFound(error.to_string()))?;
        Ok(json!({ "restarted": self.server }))
    }
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Reload>() }
inventory::submit! { Entry::of::<Restart>() }
