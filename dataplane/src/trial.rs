//! Deciding calls that nobody makes: to explain a verdict, to test a policy, to compare two of them on calls of the past.
//! The same chain as everywhere, with a limiter of its own that begins empty; nothing is recorded.
//! Lives on: its caller's thread; never on the path of a call.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use simd_json::Tape;
use wire::decision::{Channel, Layer, Reason, Verdict};
use wire::jsonrpc::{Nodes, Parser};
use wire::token::Claims;

use crate::chain::blocklist::Target;
use crate::chain::rate::{Charge, Mode, Pace, RateState};
use crate::chain::scope::explain::{self, Considered, Says};
use crate::chain::scope::{Access, condition};
use crate::chain::secrets::{self, Side};
use crate::chain::{Call, Denial, Scratch, charge_rate, inspect, let_through};
use crate::identity::{Principal, refuse_shut_out};
use crate::inbox::Count;
use crate::policy::Policy;

/// Keys that a trial's limiter holds. LIMIT: more calls than anybody tries at once.
const RATE_KEYS: usize = 1 << 16;

/// A call to be judged.
#[derive(Debug, Clone)]
pub struct Question {
    /// Who makes it.
    pub claims: Claims,
    /// From which address; empty where it is not known.
    pub address: String,
    /// On which server.
    pub server: String,
    /// The JSON-RPC method.
    pub method: String,
    /// The tool of a `tools/call`, or the prompt or resource.
    pub name: String,
    /// The arguments as JSON.
    pub arguments: Option<String>,
    /// How it comes in.
    pub channel: Channel,
    /// When. Units: µs since 1970.
    pub at_us: u64,
}

/// What the chain says to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Allowed, denied, or to be asked.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The grant that allows it, or the rule that refuses it.
    pub rule: String,
    /// What was seen.
    pub evidence: String,
    /// Rules in observe mode that would have refused, separated by spaces.
    pub observed: String,
    /// When to try again, in milliseconds; 0 where that does not apply.
    pub retry_after_ms: u64,
}

impl Judgement {
    fn of(denial: &Denial) -> Judgement {
        Judgement {
            verdict: if denial.ask { Verdict::Ask } else { Verdict::Deny },
            reason: denial.reason,
            rule: denial.rule.to_string(),
            evidence: denial.evidence.to_string(),
            observed: String::new(),
            retry_after_ms: denial.retry_after_ms,
        }
    }

    /// Nothing to object to.
    pub fn allowed() -> Judgement {
        let nothing = Judgement::of(&Denial::new(Reason::Permitted));
        Judgement { verdict: Verdict::Allow, ..nothing }
    }

    /// The layer that gives the verdict.
    pub fn layer(&self) -> Layer {
        self.reason.layer()
    }

    /// For people and programs.
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "verdict": self.verdict.as_str(), "layer": self.layer().as_str(), "reason": self.reason.as_str(),
        });
        for (key, text) in [("rule", &self.rule), ("evidence", &self.evidence), ("observed", &self.observed)] {
            if !text.is_empty() {
                value[key] = text.as_str().into();
            }
        }
        if self.retry_after_ms > 0 {
            value["retry_after_ms"] = self.retry_after_ms.into();
        }
        value
    }
}

/// What the grants say to a call whose arguments are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByName {
    /// The same whatever the arguments are.
    Certain(Judgement),
    /// It depends on them.
    DependsOnArguments,
}

/// A policy on trial.
pub struct Trial {
    policy: Arc<Policy>,
    scratch: Scratch,
    parser: Parser,
    rates: RateState,
}

impl Trial {
    /// Of this policy. Nobody has called yet.
    pub fn new(policy: Arc<Policy>) -> Trial {
        let scratch = Scratch::new(&policy);
        Trial { policy, scratch, parser: Parser::default(), rates: RateState::new(RATE_KEYS) }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Decides a call as if it were made, and charges it. Calls in flight end at once, so limits of concurrency never refuse.
    pub fn judge(&mut self, asked: &Question) -> Judgement {
        self.with_call(asked, |policy, scratch, rates, principal, call| {
            let standing = principal.standing(policy);
            let decided = inspect(policy, scratch, &standing, call, asked.at_us).and_then(|cleared| {
                let admitted = charge_rate(policy, rates, &cleared.charges, asked.at_us)?;
                rates.release(&cleared.charges, &admitted);
                let observed: Vec<&str> = admitted.observed(&cleared.charges).map(|limit| policy.limit_name(limit)).collect();
                Ok(cleared.admitted(observed.into_iter()))
            });
            match decided.or_else(|denial| let_through(policy, &denial).ok_or(denial)) {
                Ok(allowed) => Judgement {
                    verdict: Verdict::Allow,
                    reason: Reason::Permitted,
                    rule: allowed.rule.to_string(),
                    evidence: allowed.evidence().to_string(),
                    observed: allowed.observed().to_owned(),
                    retry_after_ms: 0,
                },
                Err(denial) => Judgement::of(&denial),
            }
        })
        .unwrap_or_else(|denial| Judgement::of(&denial))
    }

    /// What grants, secrets and block list say to a call; `None` where they let it through. Charges nothing.
    pub fn inspect(&mut self, asked: &Question) -> Option<Judgement> {
        let inspected = self.with_call(asked, |policy, scratch, _, principal, call| {
            inspect(policy, scratch, &principal.standing(policy), call, asked.at_us).map(drop)
        });
        let denial = inspected.and_then(|inspected| inspected).err()?;
        let_through(&self.policy, &denial).is_none().then(|| Judgement::of(&denial))
    }

    /// What the limits alone say to a call that the other layers have let through.
    pub fn charge(&mut self, asked: &Question) -> Result<(), Judgement> {
        let charged = self.with_call(asked, |policy, _, rates, principal, call| {
            let charges = charges(policy, principal, call)?;
            let admitted = charge_rate(policy, rates, &charges, asked.at_us)?;
            rates.release(&charges, &admitted);
            Ok(())
        });
        charged.and_then(|charged| charged).map_err(|denial| Judgement::of(&denial))
    }

    /// What identity and grants say to a call of which no arguments are known.
    pub fn judge_by_name(&mut self, asked: &Question) -> ByName {
        let found = self.with_call(asked, |policy, _, _, principal, call| {
            let explained = explain::explain(policy, principal, call, asked.at_us);
            let depends = |considered: &Considered<'_>| {
                matches!(considered.says, Says::ConditionFailed { .. } | Says::ConditionFaulty { .. })
            };
            let Access { reason, grant, .. } = explained.access;
            match reason {
                Reason::Permitted => match explained.considered.iter().any(depends) {
                    // Another grant that depends on them may take it, not give it.
                    true if explained.considered.iter().any(|one| depends(one) && one.effect == wire::snapshot::Effect::Deny) => {
                        ByName::DependsOnArguments
                    }
                    _ => ByName::Certain(Judgement {
                        verdict: Verdict::Allow,
                        reason: Reason::Permitted,
                        rule: grant.to_owned(),
                        evidence: String::new(),
                        observed: String::new(),
                        retry_after_ms: 0,
                    }),
                },
                Reason::ConditionFailed | Reason::ConditionError => ByName::DependsOnArguments,
                Reason::ScopeMissing if explained.considered.iter().any(depends) => ByName::DependsOnArguments,
                _ => ByName::Certain(Judgement::of(&Denial::new(reason).by(grant))),
            }
        });
        found.unwrap_or_else(|denial| ByName::Certain(Judgement::of(&denial)))
    }

    /// Every layer's reasoning, those behind the one that decides too. `counts` is what is used of the limits right now.
    pub fn explain(&mut self, asked: &Question, counts: &[Count]) -> Value {
        let identity = self.with_call(asked, |_, _, _, principal, _| {
            json!({ "layer": "identity", "says": "allow", "roles": principal.claims.roles, "scopes": principal.scopes.split(' ').collect::<Vec<_>>() })
        });
        let identity = identity.unwrap_or_else(|denial| layer("identity", Some(&denial)));
        let layers = self.with_call(asked, |policy, scratch, _, principal, call| {
            vec![
                scope(policy, principal, call, asked.at_us),
                secrets_layer(policy, scratch, principal, call, asked.at_us),
                blocklist_layer(policy, scratch, principal, call, asked.at_us),
                rate(policy, principal, call, counts),
            ]
        });
        let layers = layers.unwrap_or_default();
        // Ours is a limiter that nobody has used; what the running one says stands in the layer.
        let mut judged = self.judge(asked).to_json();
        let full = layers.iter().find(|layer| layer["layer"] == "rate" && layer["says"] == "deny");
        if let Some(full) = full.filter(|_| judged["verdict"] == "allow") {
            judged = json!({ "verdict": "deny", "layer": "rate", "reason": full["reason"], "rule": full["rule"] });
        }
        judged["layers"] = std::iter::once(identity).chain(layers).collect();
        judged["policy_generation"] = self.policy.generation().into();
        judged
    }

    fn with_call<T>(
        &mut self,
        asked: &Question,
        then: impl FnOnce(&Policy, &mut Scratch, &mut RateState, &Principal, &Call<'_>) -> T,
    ) -> Result<T, Denial> {
        let Trial { policy, scratch, parser, rates } = self;
        let address: Option<IpAddr> = asked.address.parse().ok();
        refuse_shut_out(policy, &asked.claims.sub, asked.at_us / 1_000_000).map_err(Denial::new)?;
        if policy.blocklist.is_banned(&asked.claims.sub, address) || policy.networks.matches("", address) {
            return Err(Denial::new(Reason::Banned));
        }
        let server = policy.server(&asked.server).ok_or_else(|| Denial::new(Reason::ServerUnknown))?;
        let mut bytes = asked.arguments.clone().unwrap_or_default().into_bytes();
        let mut tape = Tape::null();
        let arguments: Option<Nodes<'_, '_>> = match bytes.is_empty() {
            true => None,
            false => {
                let parsed = parser.json(&mut bytes, &mut tape);
                parsed.map_err(|error| Denial::new(Reason::RequestMalformed).seen(&error.to_string()))?;
                Some(&tape.0)
            }
        };
        let call = Call {
            server,
            server_name: &asked.server,
            method: &asked.method,
            name: &asked.name,
            is_tool: asked.method == "tools/call",
            channel: asked.channel,
            arguments,
            beside: &[],
            waited: None,
        };
        let principal = Principal::of_claims(asked.claims.clone(), policy);
        Ok(then(policy, scratch, rates, &principal, &call))
    }
}

fn charges(policy: &Policy, principal: &Principal, call: &Call<'_>) -> Result<crate::chain::rate::Charges, Denial> {
    let tool = if call.is_tool { policy.grants.tool(call.server, call.name) } else { None };
    let mut charges = crate::chain::rate::Charges::new();
    policy.charges(&principal.standing(policy), tool, call, &mut charges)?;
    Ok(charges)
}

fn layer(name: &str, denial: Option<&Denial>) -> Value {
    let Some(denial) = denial else { return json!({ "layer": name, "says": "allow" }) };
    let mut says = Judgement::of(denial).to_json();
    says["layer"] = name.into();
    says["says"] = says["verdict"].take();
    says
}

/// The denial of the whole chain, if this layer gives it.
fn denial_of(
    policy: &Policy,
    scratch: &mut Scratch,
    principal: &Principal,
    call: &Call<'_>,
    (now_us, of): (u64, Layer),
) -> Option<Denial> {
    let standing = principal.standing(policy);
    inspect(policy, scratch, &standing, call, now_us).err().filter(|denial| denial.reason.layer() == of)
}

fn scope(policy: &Policy, principal: &Principal, call: &Call<'_>, now_us: u64) -> Value {
    let explained = explain::explain(policy, principal, call, now_us);
    let Access { reason, grant: rule, .. } = explained.access;
    let says = if reason == Reason::Permitted { "allow" } else { "deny" };
    let grants: Vec<Value> = explained.considered.iter().map(considered).collect();
    json!({ "layer": "scope", "says": says, "reason": reason.as_str(), "rule": rule, "grants": grants })
}

fn considered(one: &Considered<'_>) -> Value {
    let effect = match one.effect {
        wire::snapshot::Effect::Allow => "allow",
        wire::snapshot::Effect::Deny => "deny",
        wire::snapshot::Effect::Observe => "observe",
    };
    let judged = |conditions: &[condition::Judged<'_>]| -> Vec<Value> {
        let one = |judged: &condition::Judged<'_>| match judged.holds {
            Ok(holds) => json!({ "condition": judged.condition, "holds": holds }),
            Err(fault) => json!({ "condition": judged.condition, "fault": fault.to_string() }),
        };
        conditions.iter().map(one).collect()
    };
    let mut value = json!({ "grant": one.grant, "effect": effect });
    match &one.says {
        Says::Applies => value["says"] = "applies".into(),
        Says::ForOthers { differs } => {
            value["says"] = "for others".into();
            value["differs"] = (*differs).into();
        }
        Says::ScopesMissing { missing } => {
            value["says"] = "scopes missing".into();
            value["missing"] = missing.clone().into();
        }
        Says::ConditionFailed { conditions } => {
            value["says"] = "a condition does not hold".into();
            value["conditions"] = judged(conditions).into();
        }
        Says::ConditionFaulty { fault, conditions } => {
            value["says"] = format!("cannot be judged: {fault}").into();
            value["conditions"] = judged(conditions).into();
        }
    }
    value
}

/// What stands in the arguments, whatever the grants say: each find with its rule, its mode and its place, never the secret.
fn secrets_layer(policy: &Policy, scratch: &mut Scratch, principal: &Principal, call: &Call<'_>, now_us: u64) -> Value {
    let denial = denial_of(policy, scratch, principal, call, (now_us, Layer::Secrets));
    let mut value = layer("secrets", denial.as_ref());
    let Some(nodes) = call.arguments else { return value };
    let subject = secrets::Subject { side: Side::Arguments, tool: call.name, key: &policy.fingerprint_key };
    policy.secrets.scan(&mut scratch.secrets, subject, nodes);
    let findings = scratch.secrets.findings().iter().map(|finding| {
        let mode = match finding.mode {
            secrets::Mode::Deny => "deny",
            secrets::Mode::Redact => "redact",
            secrets::Mode::Observe => "observe",
        };
        json!({ "rule": policy.secrets.rule(finding.rule).map_or("", |rule| rule.id), "mode": mode, "at": finding.pointer })
    });
    let findings: Vec<Value> = findings.collect();
    if value["says"] == "allow" && findings.iter().any(|finding| finding["mode"] == "deny") {
        value["says"] = "deny".into();
    }
    value["findings"] = findings.into();
    value
}

/// The hit that weighs most, whatever the layers before it say.
fn blocklist_layer(policy: &Policy, scratch: &mut Scratch, principal: &Principal, call: &Call<'_>, now_us: u64) -> Value {
    let denial = denial_of(policy, scratch, principal, call, (now_us, Layer::Blocklist));
    let mut value = layer("blocklist", denial.as_ref());
    let nothing = &[simd_json::Node::Static(simd_json::StaticNode::Null)][..];
    let nodes = call.arguments.unwrap_or(nothing);
    let target = Target { server: call.server_name, tool: call.name, method: call.method };
    let Some(hit) = policy.blocklist.check(&mut scratch.blocklist, target, nodes) else { return value };
    let Some(rule) = policy.blocklist.rule(hit.rule) else { return value };
    let mode = match hit.mode {
        crate::chain::blocklist::Mode::Deny => "deny",
        crate::chain::blocklist::Mode::Ask => "ask",
        crate::chain::blocklist::Mode::Observe => "observe",
    };
    if value["says"] == "allow" && mode != "observe" {
        value["says"] = mode.into();
    }
    let mut pointer = String::new();
    hit.write_pointer(nodes, &mut pointer);
    value["hit"] = json!({
        "rule": rule.id, "mode": mode, "at": pointer, "why": rule.reason, "severity": rule.severity.as_str(), "owasp": rule.owasp,
    });
    value
}

/// Every limit that counts the call, what it costs under it, and how much is used.
fn rate(policy: &Policy, principal: &Principal, call: &Call<'_>, counts: &[Count]) -> Value {
    let charges = match charges(policy, principal, call) {
        Ok(charges) => charges,
        Err(denial) => return layer("rate", Some(&denial)),
    };
    let limits: Vec<Value> = charges.iter().map(|charge| one_limit(policy, charge, counts)).collect();
    let full = limits.iter().find(|limit| limit["fits"] == false && limit["mode"] == "enforce");
    let mut value = json!({ "layer": "rate", "says": if full.is_some() { "deny" } else { "allow" } });
    if let Some(full) = full {
        value["rule"] = full["limit"].clone();
        value["reason"] = match full["algorithm"].as_str() {
            Some("concurrency") => Reason::ConcurrencyLimited,
            Some("budget") => Reason::BudgetExhausted,
            _ => Reason::RateLimited,
        }
        .as_str()
        .into();
    }
    value["limits"] = limits.into();
    value
}

fn one_limit(policy: &Policy, charge: &Charge, counts: &[Count]) -> Value {
    let name = policy.limit_name(charge.limit);
    let algorithm = match charge.pace {
        Pace::Gcra { .. } => "gcra",
        Pace::Window { .. } => "window",
        Pace::Concurrency { .. } => "concurrency",
        Pace::Budget { .. } => "budget",
    };
    let mode = if charge.mode == Mode::Observe { "observe" } else { "enforce" };
    let mut value = json!({ "limit": name, "algorithm": algorithm, "mode": mode, "cost": charge.cost });
    if let Some(count) = counts.iter().find(|count| count.limit == name) {
        value["used"] = count.used.into();
        value["of"] = count.of.into();
        value["fits"] = (count.used + u64::from(charge.cost) <= count.of).into();
    }
    value
}
