//! Rows of the audit trail about log-ins: who came in and how, who did not and why.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, header};
use dataplane::inbox::OwnedNotice;
use serde_json::json;
use wire::decision::{EventKind, Reason, Verdict};

use super::{Account, Error, peer};
use crate::app::App;

/// LIMIT: characters of a browser's name that are kept.
const USER_AGENT_CHARS: usize = 200;

/// How a browser calls itself.
pub(super) fn user_agent(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.chars().take(USER_AGENT_CHARS).collect()
}

/// Somebody comes in or goes.
pub(super) async fn allowed(
    app: &App,
    headers: &HeaderMap,
    account: &Account,
    action: &str,
    detail: serde_json::Value,
) -> Result<(), Error> {
    let row = notice(headers, Some(account), action, Verdict::Allow, Reason::Permitted, detail);
    app.plane.append(row).await.map(drop).map_err(Error::Record)
}

/// Somebody changes what they log in with, or what acts for them.
pub(super) async fn changed(
    app: &App,
    headers: &HeaderMap,
    account: &Account,
    action: &str,
    detail: serde_json::Value,
) -> Result<(), Error> {
    let row = notice(headers, Some(account), action, Verdict::Allow, Reason::Permitted, detail);
    app.plane.append(OwnedNotice { kind: Some(EventKind::Command), ..row }).await.map(drop).map_err(Error::Record)
}

/// Somebody does not come in. `account` is whose log-in it would have been; what was typed instead is not kept: people type
/// passwords into the wrong field.
pub(super) async fn refused(app: &App, headers: &HeaderMap, account: Option<&Account>, method: &str, reason: Reason) {
    let detail = json!({ "method": method });
    let row = notice(headers, account, "login", Verdict::Deny, reason, detail);
    if let Err(reason) = app.plane.append(row).await {
        tracing::error!(reason = reason.as_str(), "a refused log-in could not be recorded");
    }
}

fn notice(
    headers: &HeaderMap,
    account: Option<&Account>,
    action: &str,
    verdict: Verdict,
    reason: Reason,
    mut detail: serde_json::Value,
) -> OwnedNotice {
    detail["address"] = json!(peer(headers));
    detail["user_agent"] = json!(user_agent(headers));
    OwnedNotice {
        kind: Some(EventKind::Login),
        at_us: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64),
        trace: *uuid::Uuid::now_v7().as_bytes(),
        user: account.map(|account| account.id.clone()).unwrap_or_default(),
        tenant: account.and_then(|account| account.tenant.clone()).unwrap_or_default(),
        tier: account.map_or(0, |account| account.tier.code()),
        verdict: Some(verdict),
        reason: Some(reason),
        action: action.to_owned(),
        subject: account.map(|account| account.id.clone()).unwrap_or_default(),
        detail: detail.to_string(),
        ..OwnedNotice::default()
    }
}
