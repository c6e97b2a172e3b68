//! `sp admin policy test`: the calls of a file, judged by the policy of a tree. Needs neither gateway nor database.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dataplane::policy::Policy;
use dataplane::trial::{Judgement, Question, Trial};
use jiff::Timestamp;
use schema::services::cases::{Case, CasesFile};
use schema::services::mcp::Tools;
use schema::services::{Problem, Services};
use serde_json::{Value, json};
use wire::decision::{Channel, Tier};

use super::claims;
use crate::app::publish::{compile_for_trial, no_keys};
use crate::operator;
use crate::policy::{COMMAND_SERVER, Context, Dynamic, HOST_SERVER, Known};

/// How one case ended.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub line: u32,
    /// What the policy says.
    pub found: Judgement,
    /// In what that differs from what was expected; empty where it does not.
    pub differs: Vec<String>,
}

impl Tried {
    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({ "name": self.name, "line": self.line, "ok": self.differs.is_empty(), "found": self.found.to_json(), "differs": self.differs })
    }
}

/// Judges every case. Each begins with limits of which nothing is used.
///
/// # Errors
/// What does not hold together in the tree or in the file.
pub fn run(services_dir: &Path, file: &Path, text: &str) -> Result<Vec<Tried>, Vec<Problem>> {
    let services = schema::services::load(services_dir)?;
    let cases = schema::services::cases::parse(file, text)?;
    let policy = Arc::new(compile(&services, &cases)?);
    let problem = |line, message: String| vec![Problem { file: file.to_path_buf(), line, column: 0, message }];
    let mut tried = Vec::new();
    for at in &cases.cases {
        let case = &at.value;
        let question = question(case).map_err(|message| problem(at.line, message))?;
        let mut trial = Trial::new(Arc::clone(&policy));
        let mut found = trial.judge(&question);
        for _ in 1..case.times.map_or(1, |times| times.value) {
            found = trial.judge(&question);
        }
        let differs = differs(case, &found);
        tried.push(Tried { name: case.name.clone(), line: at.line, found, differs });
    }
    Ok(tried)
}

/// The policy of a tree. Tools are discovered only where servers run, so the tools that cases name are taken for those of
/// their servers.
fn compile(services: &Services, cases: &CasesFile) -> Result<Policy, Vec<Problem>> {
    let mut tools: BTreeMap<String, Known> = BTreeMap::new();
    for case in &cases.cases {
        let call = &case.value.call;
        let named = call.tool.as_ref().filter(|_| ![COMMAND_SERVER, HOST_SERVER].contains(&call.server.as_str()));
        tools.entry(call.server.clone()).or_default().tools.extend(named.cloned());
    }
    let mut commands = Known::default();
    for entry in operator::commands() {
        commands.demands.insert(entry.tool(), entry.scopes.iter().map(ToString::to_string).collect());
        commands.tools.push(entry.tool());
    }
    tools.insert(COMMAND_SERVER.to_owned(), commands);
    let only = |name: &str| services.mcp.iter().find(|(known, _)| known.as_str() == name);
    tools.retain(|name, _| !only(name).is_some_and(|(_, server)| matches!(server.what.tools, Tools::Only(_))));
    let dynamic = Dynamic { servers: tools, ..Dynamic::default() };
    let context = Context {
        generation: 1,
        issuer: "http://localhost",
        base_url: "http://localhost",
        keys: &[],
        control_socket: Path::new("control.sock"),
        now_us: 0,
    };
    compile_for_trial(services, &dynamic, &context, &no_keys(), None)
}

fn question(case: &Case) -> Result<Question, String> {
    let (caller, call) = (&case.caller, &case.call);
    let mut claims = claims(&caller.user, caller.tier.unwrap_or(Tier::User), caller.roles.clone(), &caller.scopes);
    claims.tenant.clone_from(&caller.tenant);
    claims.department.clone_from(&caller.department);
    claims.agent.clone_from(&caller.agent);
    claims.sid.clone_from(&caller.session);
    let at: Timestamp = match &case.at {
        None => Timestamp::now(),
        Some(at) => at.value.parse().map_err(|_| format!("`{}` is not a time such as `2026-03-02T09:00:00Z`", at.value))?,
    };
    let method = call.method.clone().unwrap_or_else(|| "tools/call".to_owned());
    let named = |key: &str| call.arguments.as_ref().and_then(|all| all[key].as_str()).unwrap_or_default().to_owned();
    let (name, arguments) = match method.as_str() {
        "tools/call" => (call.tool.clone().unwrap_or_default(), call.arguments.clone()),
        "prompts/get" => {
            (named("name"), call.arguments.as_ref().map(|all| all["arguments"].clone()).filter(|all| !all.is_null()))
        }
        _ => (named("uri"), call.arguments.clone()),
    };
    Ok(Question {
        claims,
        address: caller.address.clone(),
        server: call.server.clone(),
        method,
        name,
        arguments: arguments.map(|arguments| arguments.to_string()),
        channel: if call.server == HOST_SERVER { Channel::Hook } else { Channel::Mcp },
        at_us: u64::try_from(at.as_microsecond()).unwrap_or(0),
    })
}

fn differs(case: &Case, found: &Judgement) -> Vec<String> {
    let expect = &case.expect;
    let mut differs = Vec::new();
    let mut compare = |what: &str, expected: Option<&str>, found: &str| {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            differs.push(format!("{what} is `{found}`, not `{expected}`"));
        }
    };
    compare("verdict", Some(expect.verdict.as_str()), found.verdict.as_str());
    compare("layer", expect.layer.map(|layer| layer.as_str()), found.layer().as_str());
    compare("reason", expect.reason.map(|reason| reason.as_str()), found.reason.as_str());
    compare("rule", expect.rule.as_deref(), &found.rule);
    for rule in expect.observed.iter().filter(|rule| !found.observed.split(' ').any(|seen| seen == **rule)) {
        differs.push(format!("`{rule}` is not among the observed rules `{}`", found.observed));
    }
    differs
}
