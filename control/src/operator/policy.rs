//! `sp admin policy`: why a call is judged as it is, what another policy would change, and trying one on live traffic.
//! `sp admin policy test` needs no gateway and stands in [`crate::cli::test`].

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};
use dataplane::inbox::Asked;
use dataplane::trial::{Question, Trial};
use jiff::Timestamp;
use schema::queries::operate as sql;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::decision::{Channel, EventKind, Tier};
use wire::ids::{AgentId, McpServerId, RoleName, ScopeName, SessionId, UserId};

use super::admin::{self, connect, refused};
use super::services::place;
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::app::candidate::{Standing, TrialError};
use crate::cli::table::{self, printable};
use crate::logs::event::AuditEvent;
use crate::logs::{self, Filter};
use crate::policy::HOST_SERVER;
use crate::trial::{self, diff};

/// LIMIT: calls of the past that are looked at; they are held in memory.
const LAST_MAX: u32 = 50_000;

/// Says what every layer thinks of a call.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// The user; roles, tenant and department are those of its account
    #[arg(long = "as", value_name = "USER")]
    #[schemars(with = "String")]
    user: UserId,
    /// The MCP server that is called
    #[schemars(with = "String")]
    server: McpServerId,
    /// The tool that is called
    #[arg(required_unless_present = "method")]
    #[serde(default)]
    tool: Option<String>,
    /// Another method than tools/call, such as tools/list
    #[arg(long, value_name = "METHOD", conflicts_with = "tool")]
    #[serde(default)]
    method: Option<String>,
    /// The arguments, as JSON
    #[arg(long, value_name = "JSON")]
    #[serde(default)]
    arguments: Option<String>,
    /// A role beyond those of its account; may be repeated
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    roles: Vec<RoleName>,
    /// A scope that the token carries beyond those of the roles; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    scopes: Vec<ScopeName>,
    /// The department, where the user has no account
    #[arg(long, value_name = "ID")]
    #[serde(default)]
    department: Option<String>,
    /// The organisation, where the user has no account
    #[arg(long, value_name = "ID")]
    #[serde(default)]
    tenant: Option<String>,
    /// The agent that acts
    #[arg(long, value_name = "ID")]
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    agent: Option<AgentId>,
    /// The log-in session, for limits per session
    #[arg(long, value_name = "ID")]
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    session: Option<SessionId>,
    /// The address that is called from
    #[arg(long, value_name = "ADDRESS")]
    #[serde(default)]
    address: Option<String>,
    /// When, for conditions on the time of day [default: now]
    #[arg(long, value_name = "TIME")]
    #[serde(default)]
    at: Option<String>,
}

impl Explain {
    async fn question(self, app: &App) -> Result<Question, CommandError> {
        let client = connect(app).await?;
        let account = sql::user().bind(&**client, &self.user.as_str()).opt().await.map_err(refused)?;
        let (mut tier, mut roles) = (Tier::User, admin::texts(&self.roles));
        let (mut tenant, mut department) = (self.tenant, self.department);
        if let Some(account) = account {
            roles.extend(account.roles);
            tier = Tier::from_word(&account.tier).unwrap_or(Tier::User);
            tenant = account.tenant.or(tenant);
            department = account.department.or(department);
        }
        let mut claims = trial::claims(self.user.as_str(), tier, roles, &admin::texts(&self.scopes));
        claims.tenant = tenant.unwrap_or_default();
        claims.department = department.unwrap_or_default();
        claims.agent = self.agent.map(String::from).unwrap_or_default();
        claims.sid = self.session.map(String::from).unwrap_or_default();
        let at = match &self.at {
            None => Timestamp::now(),
            Some(at) => {
                at.parse().map_err(|_| CommandError::Usage(format!("`{at}` is not a time such as 2026-03-02T09:00:00Z")))?
            }
        };
        if let Some(text) = &self.arguments
            && !serde_json::from_str::<Value>(text).is_ok_and(|arguments| arguments.is_object())
        {
            return Err(CommandError::Usage("`--arguments` is not a JSON object".to_owned()));
        }
        Ok(Question {
            claims,
            address: self.address.unwrap_or_default(),
            channel: if self.server.as_str() == HOST_SERVER { Channel::Hook } else { Channel::Mcp },
            server: self.server.to_string(),
            method: self.method.unwrap_or_else(|| "tools/call".to_owned()),
            name: self.tool.unwrap_or_default(),
            arguments: self.arguments,
            at_us: u64::try_from(at.as_microsecond()).unwrap_or(0),
        })
    }
}

impl Command for Explain {
    const PATH: &'static [&'static str] = &["admin", "policy", "explain"];
    const ABOUT: &'static str = "Explain what every layer says to a call: grants, secrets, block list, limits";
    const READ_ONLY: bool = true;
    const EXAMPLES: &'static str = "\
Examples:
  sp admin policy explain --as ann files read_file --arguments '{\"path\":\"/srv/x\"}'
  sp admin policy explain --as ann --agent coder --role developer git git_push
  sp admin policy explain --as ann files --method tools/list

The arguments are looked at for the answer alone; the audit row of this question does not show them.";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let question = self.question(&app).await?;
        let policy = app.publishing.publisher().await.policy().map(Arc::clone);
        let policy = policy.ok_or_else(|| CommandError::Failed("there is no policy in force".to_owned()))?;
        let counts = match question.method.as_str() {
            "tools/call" => {
                let (server, tool) = (question.server.clone(), question.name.clone());
                app.plane.counts(Asked { claims: question.claims.clone(), server, tool, resets: false }).await
            }
            _ => Vec::new(),
        };
        let mut says = Trial::new(policy).explain(&question, &counts);
        says["call"] =
            json!({ "user": question.claims.sub, "server": question.server, "tool": question.name, "method": question.method });
        Ok(says)
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        let text = |value: &Value| value.as_str().map(printable).unwrap_or_default();
        writeln!(out, "{}: {}{}", text(&result["verdict"]), text(&result["reason"]), named(result))?;
        for layer in result["layers"].as_array().into_iter().flatten() {
            writeln!(out, "\n{:<10} {}{}", text(&layer["layer"]), text(&layer["says"]), named(layer))?;
            for grant in layer["grants"].as_array().into_iter().flatten() {
                let more = grant["differs"].as_str().map(|list| format!(" ({list})")).unwrap_or_default();
                let more = match grant["missing"].as_array() {
                    Some(missing) => format!(" ({})", missing.iter().map(text).collect::<Vec<_>>().join(" ")),
                    None => more,
                };
                writeln!(out, "  {:<5} {}: {}{more}", text(&grant["effect"]), text(&grant["grant"]), text(&grant["says"]))?;
                for condition in grant["conditions"].as_array().into_iter().flatten() {
                    let holds = match (&condition["holds"], condition["fault"].as_str()) {
                        (_, Some(fault)) => printable(fault),
                        (Value::Bool(true), None) => "holds".to_owned(),
                        _ => "does not hold".to_owned(),
                    };
                    writeln!(out, "        {}: {holds}", text(&condition["condition"]))?;
                }
            }
            for finding in layer["findings"].as_array().into_iter().flatten() {
                writeln!(out, "  {} at `{}` ({})", text(&finding["rule"]), text(&finding["at"]), text(&finding["mode"]))?;
            }
            if let Value::Object(hit) = &layer["hit"] {
                writeln!(
                    out,
                    "  {} at `{}` ({}): {}",
                    text(&hit["rule"]),
                    text(&hit["at"]),
                    text(&hit["mode"]),
                    text(&hit["why"])
                )?;
            }
            for limit in layer["limits"].as_array().into_iter().flatten() {
                let used =
                    if limit["of"].is_null() { String::new() } else { format!(", {} of {} used", limit["used"], limit["of"]) };
                writeln!(
                    out,
                    "  {} ({}, {}): costs {}{used}",
                    text(&limit["limit"]),
                    text(&limit["algorithm"]),
                    text(&limit["mode"]),
                    limit["cost"]
                )?;
            }
        }
        Ok(())
    }
}

fn named(says: &Value) -> String {
    let text = |key: &str| says[key].as_str().filter(|text| !text.is_empty()).map(printable);
    let rule = text("rule").map(|rule| format!(" by `{rule}`")).unwrap_or_default();
    let evidence = text("evidence").map(|evidence| format!(": {evidence}")).unwrap_or_default();
    format!("{rule}{evidence}")
}

/// Compares another policy with what was decided.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// The tree of the other policy: a directory of the gateway's machine that it may read
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = absolute)]
    tree: PathBuf,
    /// How many of the last calls
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=i64::from(LAST_MAX)))]
    #[serde(default = "thousand")]
    last: u32,
}

fn thousand() -> u32 {
    1000
}

/// The gateway has another working directory.
fn absolute(text: &str) -> Result<PathBuf, std::io::Error> {
    std::path::absolute(text)
}

impl Command for Diff {
    const PATH: &'static [&'static str] = &["admin", "policy", "diff"];
    const ABOUT: &'static str = "Show which of the last calls another policy would have judged otherwise";
    const READ_ONLY: bool = false;
    const EXAMPLES: &'static str = "\
Examples:
  sp admin policy diff ./services --last 5000        what this tree would change
  sp admin policy diff ./services --json | jq .changes

Judged is what the rows hold. Where arguments are kept only as a digest or a beginning (audit.preview_bytes), calls whose
verdict depends on them are counted as unjudged, with the reason. Limits are replayed from the first call that is looked
at. Who may log in, results, and calls that a person answered are not compared.";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let problems = |problems: Vec<schema::services::Problem>| CommandError::Problems(problems.iter().map(place).collect());
        let services = schema::services::load(&self.tree).map_err(problems)?;
        let candidate = Arc::new(app.publishing.compile_candidate(&services).await.map_err(problems)?);
        let running = app.publishing.publisher().await.policy().map(Arc::clone);
        let running = running.ok_or_else(|| CommandError::Failed("there is no policy in force".to_owned()))?;
        let events = last_decisions(&app, self.last.min(LAST_MAX) as usize).await?;
        let mut result = tokio::task::block_in_place(|| diff::compare(running, candidate, &events));
        result["from"] = json!(events.first().map(|event| event.at));
        result["to"] = json!(events.last().map(|event| event.at));
        Ok(result)
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = |key: &str| result[key].as_array().cloned().unwrap_or_default();
        writeln!(
            out,
            "{} calls: {} the same, {} changed, {} unjudged, {} not of policy",
            result["calls"], result["same"], result["changed"], result["unjudged"], result["not_of_policy"]
        )?;
        write!(out, "{}", table::of(&["change", "calls"], &rows("by_change")))?;
        if !rows("by_reason_unjudged").is_empty() {
            write!(out, "{}", table::of(&["why", "calls"], &rows("by_reason_unjudged")))?;
        }
        let columns = ["at", "user", "server", "tool", "was", "was_rule", "would_be", "reason", "rule", "replayed", "trace"];
        write!(out, "{}", table::of(&columns, &rows("changes")))
    }
}

/// The newest decisions, the oldest of them first.
async fn last_decisions(app: &App, count: usize) -> Result<Vec<AuditEvent>, CommandError> {
    let failed = |error: logs::LogsError| CommandError::Failed(error.to_string());
    let mut filter = Filter { kind: Some(EventKind::Decision), ..Filter::default() };
    let (mut before, mut left, mut oldest) = (None, count, None);
    while left > 0 {
        let page = logs::search(&app.database, &filter, before, left).await.map_err(failed)?;
        left -= page.events.len().min(left);
        oldest = page.events.last().map(|event| event.at).or(oldest);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let Some(oldest) = oldest else { return Ok(Vec::new()) };
    filter.since = Some(oldest);
    filter.until = Some(Timestamp::now());
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let page = logs::export(&app.database, &filter, after, logs::EXPORT_PAGE_MAX).await.map_err(failed)?;
        events.extend(page.events);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let more = events.len().saturating_sub(count);
    events.drain(..more);
    Ok(events)
}

/// Puts another policy on trial beside the one in force.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The tree of the candidate: a directory of the gateway's machine that it may read
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = absolute)]
    tree: PathBuf,
}

fn trouble(error: TrialError) -> CommandError {
    match error {
        TrialError::Problems(problems) => CommandError::Problems(problems.iter().map(place).collect()),
        other @ TrialError::Record(_) => CommandError::Failed(other.to_string()),
    }
}

fn shown(standing: Option<Standing>) -> Value {
    match standing {
        None => json!({ "on_trial": false }),
        Some(of) => json!({
            "on_trial": true, "tree": of.tree.display().to_string(), "since": of.since, "user": of.user,
            "compared": of.compared, "differed": of.differed, "skipped": of.skipped,
        }),
    }
}

fn show_standing(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    if result["on_trial"] == false {
        return writeln!(out, "no candidate is on trial");
    }
    admin::lines(result, out)?;
    writeln!(out, "what differs: sp infra logs search --kind shadow")
}

impl Command for Start {
    const PATH: &'static [&'static str] = &["admin", "policy", "shadow", "start"];
    const ABOUT: &'static str = "Judge live calls by another policy too, and record where its verdict would differ";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin policy shadow start ./services";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        app.publishing.candidate.start(&app, self.tree, &caller).await.map(|standing| shown(Some(standing))).map_err(trouble)
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        show_standing(result, out)
    }
}

/// Ends the trial.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {}

impl Command for Stop {
    const PATH: &'static [&'static str] = &["admin", "policy", "shadow", "stop"];
    const ABOUT: &'static str = "End the trial of another policy";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin policy shadow stop";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        app.publishing.candidate.stop(&app, &caller).await.map(shown).map_err(trouble)
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        show_standing(result, out)
    }
}

/// Shows how the trial goes.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {}

impl Command for Status {
    const PATH: &'static [&'static str] = &["admin", "policy", "shadow", "status"];
    const ABOUT: &'static str = "Show which policy is on trial, and how often it differs";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin policy shadow status";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        Ok(shown(app.publishing.candidate.standing(&app).await))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        show_standing(result, out)
    }
}

inventory::submit! { Entry::of::<Explain>() }
inventory::submit! { Entry::of::<Diff>() }
inventory::submit! { Entry::of::<Start>() }
inventory::submit! { Entry::of::<Stop>() }
inventory::submit! { Entry::of::<Status>() }
