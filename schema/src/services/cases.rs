//! Files of `sp admin policy test`: calls, and what a policy must say to each of them.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use wire::decision::{Layer, Reason, Tier, Verdict};

use super::decode::{self, At};
use super::node::{Mark, Node};
use super::{Place, Problem};

/// LIMIT: a case that is repeated more often than this tests patience.
const TIMES_MAX: u32 = 100_000;

/// Calls, and what a policy must say to each of them.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Policy tests")]
pub struct CasesFile {
    /// The calls. Each begins with limits of which nothing is used.
    #[schemars(length(min = 1))]
    pub cases: Vec<At<Case>>,
}

/// One call, and what the policy must say to it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Who calls.
    #[serde(rename = "as")]
    pub caller: Caller,
    /// What is called.
    pub call: Call,
    /// When, for conditions on the time of day: RFC 3339. Left out: now.
    #[serde(default)]
    pub at: Option<At<String>>,
    /// The call is made so often; the last one must be judged as expected. Default: 1.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub times: Option<At<u32>>,
    /// What the policy must say.
    pub expect: Expect,
}

/// Who calls, as a verified token would say it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// The user.
    pub user: String,
    /// Its roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Scopes of the token besides those of the roles.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The organisation.
    #[serde(default)]
    pub tenant: String,
    /// The department.
    #[serde(default)]
    pub department: String,
    /// The agent that acts.
    #[serde(default)]
    pub agent: String,
    /// The log-in session.
    #[serde(default)]
    pub session: String,
    /// The address that it calls from.
    #[serde(default)]
    pub address: String,
    /// What kind of caller. Default: `user`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub tier: Option<Tier>,
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// On which MCP server.
    pub server: String,
    /// Which tool. It counts as one that the server has, unless the server's file names its tools.
    #[serde(default)]
    pub tool: Option<String>,
    /// Another method than `tools/call`, such as `tools/list`.
    #[serde(default)]
    pub method: Option<String>,
    /// With which arguments.
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub arguments: Option<serde_json::Value>,
}

/// What the policy must say; what is left out may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// `allow`, `deny` or `ask`.
    #[schemars(with = "String")]
    pub verdict: Verdict,
    /// The layer that refuses.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub layer: Option<Layer>,
    /// Why it refuses.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub reason: Option<Reason>,
    /// The grant that allows, or the rule or limit that refuses.
    #[serde(default)]
    pub rule: Option<String>,
    /// Rules in observe mode that would have refused, among others.
    #[serde(default)]
    pub observed: Vec<String>,
}

/// Reads a file of cases.
///
/// # Errors
/// Every fault, with its line.
pub fn parse(file: &Path, text: &str) -> Result<CasesFile, Vec<Problem>> {
    let place = Place { file: file.into(), mark: Mark::default() };
    let node = Node::parse(text).map_err(|fault| vec![place.problem_at(fault.mark, fault.message)])?;
    let cases: CasesFile = decode::decode(&node)
        .map_err(|faults| faults.into_iter().map(|fault| place.problem_at(fault.mark, fault.message)).collect::<Vec<_>>())?;
    let mut problems = Vec::new();
    if cases.cases.is_empty() {
        problems.push(place.problem_at(node.mark, "there are no `cases`"));
    }
    for case in &cases.cases {
        let call = &case.value.call;
        let method = call.method.as_deref().unwrap_or("tools/call");
        if (method == "tools/call") != call.tool.is_some() {
            problems.push(place.problem_at(case.mark(), "expected a `tool`, or a `method` that is not `tools/call`"));
        }
        if let Some(times) = &case.value.times
            && !(1..=TIMES_MAX).contains(&times.value)
        {
            problems.push(place.problem_at(times.mark(), format!("1 to {TIMES_MAX} times are possible")));
        }
    }
    if problems.is_empty() { Ok(cases) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        parse(Path::new("t.yaml"), text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_of_cases_is_read_and_its_faults_have_lines() {
        let good = "cases:\n  - name: a\n    as: { user: ann, roles: [dev] }\n    call: { server: files, tool: read, arguments: { path: /x, n: [1, 2.5, null] } }\n    expect: { verdict: deny, reason: not_granted, layer: scope }\n";
        let read = parse(Path::new("t.yaml"), good).ok();
        let case = read.as_ref().and_then(|file| file.cases.first()).map(|case| &case.value);
        assert_eq!(case.map(|case| case.expect.reason), Some(Some(Reason::NotGranted)));
        let arguments = case.and_then(|case| case.call.arguments.clone());
        assert_eq!(arguments, Some(serde_json::json!({ "path": "/x", "n": [1, 2.5, null] })));
        for (text, line, mentions) in [
            (good.replace("not_granted", "because"), "t.yaml:5:", "because"),
            (good.replace("tool: read, ", ""), "t.yaml:2:", "expected a `tool`"),
            (good.replace("verdict: deny", "verdict: no"), "t.yaml:5:", "no"),
            (good.replace("roles:", "role:"), "t.yaml:3:", "role"),
            (good.replace("    expect", "    times: 0\n    expect"), "t.yaml:5:", "times are possible"),
            ("cases: []\n".to_owned(), "t.yaml:1:", "no `cases`"),
        ] {
            let found = messages(&text);
            assert!(found.iter().any(|found| found.contains(line) && found.contains(mentions)), "{mentions}: {found:?}");
        }
    }
}
