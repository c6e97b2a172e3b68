//! Following the audit trail: asks again and again for what came after the last answer. An answer that fails is asked for
//! again, so nothing is left out when the gateway or its database goes away for a while.

use std::io::Write;
use std::time::Duration;

use clap::ArgMatches;
use serde_json::Value;

use super::client::{Client, ClientError};
use super::{Exit, ended, unwritten};
use crate::operator::Entry;

/// How soon a gateway that is away is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Prints events until it is interrupted, or nobody reads them any more.
pub(super) async fn follow(entry: &Entry, mut client: Client, mut arguments: Value, leaf: &ArgMatches) -> Exit {
    // What fails at the first time, before anything was seen, is the command line's fault more often than not.
    let (mut was_answered, mut was_denied, mut is_lost) = (false, false, false);
    loop {
        let error = match client.call_tool(&entry.tool(), &arguments).await {
            Ok(result) => {
                (was_answered, was_denied, is_lost) = (true, false, false);
                arguments["after"] = result["next"].clone();
                if let Err(error) = print(entry, &result, leaf.get_flag("json")) {
                    return unwritten(&error);
                }
                continue;
            }
            Err(error) => error,
        };
        match error {
            // Our own token lives for some minutes; a new one shows whether that was the reason.
            ClientError::Denied(_) | ClientError::Unidentified(_) if was_answered && !was_denied => {
                was_denied = true;
                match Client::from_args(leaf).await {
                    Ok(renewed) => client = renewed,
                    Err(error) => return ended(&error),
                }
            }
            ClientError::Unreachable { .. } | ClientError::Failed(_) | ClientError::Protocol(_) if was_answered => {
                if !is_lost {
                    let _ = writeln!(std::io::stderr(), "sp: {error}; trying again");
                }
                is_lost = true;
                tokio::time::sleep(RETRY).await;
            }
            error => return ended(&error),
        }
    }
}

fn print(entry: &Entry, result: &Value, as_json: bool) -> std::io::Result<()> {
    let events = result["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    if events.is_empty() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    if as_json {
        for event in events {
            writeln!(out, "{event}")?;
        }
    } else {
        (entry.show)(result, &mut out)?;
    }
    out.flush()
}
