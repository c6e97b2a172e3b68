//! `sp admin policy diff`: which of the last calls another policy would have judged otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;

use dataplane::policy::Policy;
use dataplane::trial::{ByName, Judgement, Question, Trial};
use serde_json::{Value, json};
use wire::decision::{Channel, Layer, Tier, Verdict};

use super::{claims, tally};
use crate::logs::event::AuditEvent;

/// LIMIT: changed calls that are listed; all of them are counted.
const LISTED_MAX: usize = 200;

/// What a call of the past comes to under another policy.
enum Compared {
    /// The same.
    Same,
    /// Something else. `is_replayed` for limits, which are judged by the calls that are looked at alone.
    Changed { to: Judgement, is_replayed: bool },
    /// It cannot be said, and why.
    Unjudged(&'static str),
    /// No policy had a say in it.
    Outside,
}

/// Two policies and what of them is the same.
struct Comparison {
    running: Trial,
    candidate: Trial,
    /// The layers that look into arguments say the same under both.
    same_content: bool,
    /// What a role stands for in either, so that a recorded scope can be told from one that the token carried itself.
    from_roles: BTreeSet<(String, String)>,
}

/// Compares every decision, the oldest first, and sums up.
pub fn compare(running: Arc<Policy>, candidate: Arc<Policy>, events: &[AuditEvent]) -> Value {
    let (of_running, of_candidate) = (running.snapshot(), candidate.snapshot());
    let same_content = of_running.secrets == of_candidate.secrets && of_running.blocklist == of_candidate.blocklist;
    let from_roles = [of_running, of_candidate]
        .iter()
        .flat_map(|snapshot| snapshot.roles.iter())
        .flat_map(|(role, scopes)| scopes.iter().map(|scope| (role.as_str().to_owned(), scope.as_str().to_owned())))
        .collect();
    let mut comparison = Comparison { running: Trial::new(running), candidate: Trial::new(candidate), same_content, from_roles };
    let (mut same, mut outside) = (0, 0);
    let (mut changed, mut unjudged, mut listed) = (Vec::new(), Vec::new(), Vec::new());
    for event in events {
        match comparison.one(event) {
            Compared::Same => same += 1,
            Compared::Outside => outside += 1,
            Compared::Unjudged(why) => unjudged.push(why),
            Compared::Changed { to, is_replayed } => {
                let from = event.verdict.as_deref().unwrap_or_default();
                changed.push(format!("{from} -> {} ({})", to.verdict, to.reason));
                if listed.len() < LISTED_MAX {
                    listed.push(row(event, &to, is_replayed));
                }
            }
        }
    }
    let counted = |what: &str, counts: Vec<(String, usize)>| -> Vec<Value> {
        counts.into_iter().map(|(word, count)| json!({ what: word, "calls": count })).collect()
    };
    json!({
        "calls": events.len(), "same": same, "changed": changed.len(), "unjudged": unjudged.len(), "not_of_policy": outside,
        "changes": listed,
        "by_change": counted("change", tally(changed.iter().map(String::as_str))),
        "by_reason_unjudged": counted("why", tally(unjudged.into_iter())),
    })
}

fn row(event: &AuditEvent, to: &Judgement, is_replayed: bool) -> Value {
    json!({
        "at": event.at, "trace": event.trace, "user": event.user, "server": event.server, "tool": event.tool,
        "was": event.verdict, "was_reason": event.reason, "was_rule": event.rule,
        "would_be": to.verdict.as_str(), "reason": to.reason.as_str(), "layer": to.layer().as_str(), "rule": to.rule,
        "evidence": to.evidence, "replayed": is_replayed,
    })
}

impl Comparison {
    fn one(&mut self, event: &AuditEvent) -> Compared {
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        let was = Layer::from_word(&word(&event.layer)).unwrap_or(Layer::None);
        let is_ours = !matches!(was, Layer::Identity | Layer::System | Layer::Results);
        let Some(question) = self.question(event).filter(|_| is_ours) else { return Compared::Outside };
        let recorded = Verdict::from_word(&word(&event.verdict)).unwrap_or(Verdict::Deny);
        let first_three = match &question.arguments {
            Some(_) => self.candidate.inspect(&question),
            None => match self.by_name(event, &question, was) {
                Ok(found) => found,
                Err(why) => return Compared::Unjudged(why),
            },
        };
        let changed = |to| Compared::Changed { to, is_replayed: false };
        match (first_three, was) {
            // Who was refused by a limit had passed the others, so that both limiters go on from the same calls.
            (Some(refused), Layer::None | Layer::Rate) => changed(refused),
            (Some(refused), _) if refused.verdict == recorded => Compared::Same,
            (Some(refused), _) => changed(refused),
            (None, was) => self.by_limits(&question, was, recorded),
        }
    }

    /// What can be said of a call whose arguments are not at hand. `Ok(None)` is allowed by the first three layers.
    fn by_name(&mut self, event: &AuditEvent, question: &Question, was: Layer) -> Result<Option<Judgement>, &'static str> {
        let has_arguments = event.args_bytes.unwrap_or(0) > 0 && event.args_digest.is_some();
        if !has_arguments {
            return Ok(self.candidate.inspect(question));
        }
        match self.candidate.judge_by_name(question) {
            ByName::DependsOnArguments => Err("grants ask for arguments that the row does not hold whole"),
            ByName::Certain(judged) if judged.verdict != Verdict::Allow => Ok(Some(judged)),
            ByName::Certain(_) if !matches!(was, Layer::None | Layer::Rate | Layer::Secrets | Layer::Blocklist) => {
                Err("grants would let it through now, but nothing looked at its arguments then, and the row does not hold them")
            }
            ByName::Certain(_) if !self.same_content => {
                Err("secrets or block list differ, and the row does not hold the arguments whole")
            }
            // Judged by the same rules of content as then.
            ByName::Certain(_) if matches!(was, Layer::Secrets | Layer::Blocklist) => Ok(Some(recorded(event))),
            ByName::Certain(_) => Ok(None),
        }
    }

    /// Limits, replayed from the first call that is looked at: what was used before is not known to either.
    fn by_limits(&mut self, question: &Question, was: Layer, recorded: Verdict) -> Compared {
        let now = self.candidate.charge(question);
        let then = self.running.charge(question);
        match (was, then, now) {
            (Layer::None, _, Ok(())) => Compared::Same,
            (Layer::None, Err(_), Err(_)) => Compared::Same,
            (Layer::None, Ok(()), Err(to)) => Compared::Changed { to, is_replayed: true },
            (Layer::Rate, Err(_), Err(_)) => Compared::Same,
            (Layer::Rate, Err(_), Ok(())) => Compared::Changed { to: Judgement::allowed(), is_replayed: true },
            (Layer::Rate, Ok(()), _) => Compared::Unjudged("a limit refused it for calls before the first that is looked at"),
            _ if recorded == Verdict::Allow => Compared::Same,
            _ => Compared::Changed { to: Judgement::allowed(), is_replayed: false },
        }
    }

    fn question(&self, event: &AuditEvent) -> Option<Question> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let tier = Tier::from_word(event.tier.as_deref()?)?;
        // A scope that a role stands for is the role's to give; whether the token carried it as well is not recorded.
        let given = |scope: &String| event.roles.iter().any(|role| self.from_roles.contains(&(role.clone(), scope.clone())));
        let own: Vec<String> = event.scopes.iter().filter(|scope| !given(scope)).cloned().collect();
        let mut claims = claims(&text(&event.user), tier, event.roles.clone(), &own);
        claims.tenant = text(&event.tenant);
        claims.department = text(&event.department);
        claims.agent = text(&event.agent);
        claims.sid = text(&event.session);
        Some(Question {
            claims,
            address: text(&event.address),
            server: event.server.clone()?,
            method: event.method.clone()?,
            name: text(&event.tool),
            arguments: whole(event),
            channel: Channel::from_word(event.channel.as_deref()?)?,
            at_us: u64::try_from(event.at.as_microsecond()).unwrap_or(0),
        })
    }
}

/// The arguments, where the row shows all of them as they were.
fn whole(event: &AuditEvent) -> Option<String> {
    let preview = event.args_preview.as_deref()?;
    let is_whole = !preview.contains("[redacted") && serde_json::from_str::<Value>(preview).is_ok();
    is_whole.then(|| preview.to_owned())
}

fn recorded(event: &AuditEvent) -> Judgement {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Judgement {
        verdict: Verdict::from_word(&text(&event.verdict)).unwrap_or(Verdict::Deny),
        reason: wire::decision::Reason::from_word(&text(&event.reason)).unwrap_or(wire::decision::Reason::Blocked),
        rule: text(&event.rule),
        evidence: text(&event.evidence),
        observed: String::new(),
        retry_after_ms: 0,
    }
}
