//! What a message of an upstream goes through before the client gets it: a listing is cut to what the caller may see, and
//! the obligations on results are met.
//! Lives on: one shard, for as long as one answer lasts.

use std::rc::Rc;

use bytes::Bytes;
use wire::decision::{OutcomeStatus, Reason};
use wire::ids::{ServerIx, TraceId};

use crate::chain::Denial;
use crate::chain::results::{self, Checked, Duties, Origin, Rules};
use crate::chain::scope::Standing;
use crate::outcome::Answer;
use crate::policy::Policy;
use crate::reply::refusal;
use crate::shard::{PolicyRef, Shard};

/// The way of one call's answer.
pub struct Passage {
    /// Where it runs.
    pub shard: Rc<Shard>,
    /// What it was decided by.
    pub policy: PolicyRef,
    /// The server that answers.
    pub server: ServerIx,
    /// Its name.
    pub server_name: String,
    /// The tool that was called; empty where none was.
    pub tool: String,
    /// The request's id; `None` where no answer is waited for.
    pub id: Option<serde_json::Value>,
    /// Of `tools/list`: what the caller may see.
    pub listed: Option<Rc<Standing>>,
    /// What results have to fulfil; `None` where nothing is asked of them.
    pub duties: Option<Duties>,
    /// Links everything of this request.
    pub trace: TraceId,
}

/// What became of a message.
#[derive(Debug, Default)]
pub struct Passed {
    /// What leaves; `None` when nothing does.
    pub message: Option<Bytes>,
    /// How many stretches were taken out of it.
    pub redactions: u32,
    /// Why it was kept back, if it was.
    pub denial: Option<Denial>,
    /// How the call ended, if this was its answer.
    pub answer: Option<Answer>,
    /// It stands where the answer does: it is one, or nobody can say what it is.
    is_answer: bool,
}

impl Passed {
    /// Something that nothing was asked of.
    pub fn open(answer: Option<Answer>) -> Passed {
        Passed { answer, ..Passed::default() }
    }
}

/// The rules of a policy whose finds oblige.
pub fn rules(policy: &Policy) -> Rules<'_> {
    Rules { secrets: &policy.secrets, blocklist: &policy.blocklist, key: &policy.fingerprint_key }
}

impl Passage {
    /// Whether messages may pass as they come, unread.
    pub fn is_open(&self) -> bool {
        self.listed.is_none() && self.duties.is_none()
    }

    /// Most bytes of a message; `None` where any size may pass.
    pub fn bytes_max(&self) -> Option<usize> {
        let listing = self.listed.is_some().then_some(crate::limits::LISTING_BYTES_MAX);
        let declared = self.duties.map(|duties| duties.bytes_max);
        listing.into_iter().chain(declared).min()
    }

    /// Takes one JSON message through.
    pub async fn message(&self, message: Bytes) -> Passed {
        let answer = Answer::of_message(&message);
        // What is no message at all may have been meant as the answer; a request or notification is not.
        let is_answer = answer.is_some() || !crate::outcome::is_message(&message);
        let passed = match self.listing(message, answer.as_ref()) {
            Ok(message) => self.checked(message).await,
            Err(denial) => Passed { denial: Some(denial), ..Passed::default() },
        };
        self.or_refused(Passed { answer, is_answer, ..passed })
    }

    /// Takes a body through that is no JSON.
    pub async fn plain(&self, body: Bytes) -> Passed {
        let Some(duties) = self.duties else { return Passed { message: Some(body), ..Passed::default() } };
        let mut scratch = self.shard.take_results(&self.policy);
        let checked = results::check_plain(rules(&self.policy), &duties, self.origin(), &mut scratch, &body, pause).await;
        self.shard.give_results(scratch);
        self.or_refused(Passed { is_answer: true, ..passed(body, checked) })
    }

    /// Fields of an event beside its data: what is not clean is left out.
    pub async fn heading(&self, heading: Vec<u8>) -> Vec<u8> {
        let Some(duties) = self.duties.filter(|_| !heading.is_empty()) else { return heading };
        let mut scratch = self.shard.take_results(&self.policy);
        let checked = results::check_plain(rules(&self.policy), &duties, self.origin(), &mut scratch, &heading, pause).await;
        self.shard.give_results(scratch);
        if matches!(checked, Checked::Unchanged) { heading } else { Vec::new() }
    }

    /// What the client gets for a message that is too large to be read.
    pub fn too_large(&self, bytes: usize) -> Passed {
        let denial = Denial::new(Reason::ResultTooLarge).seen(&format!("more than {bytes} bytes"));
        self.or_refused(Passed { denial: Some(denial), is_answer: true, ..Passed::default() })
    }

    /// What the client gets for an answer that cannot be read.
    pub fn unreadable(&self, why: &str) -> Passed {
        let denial = Denial::new(Reason::ResultUncheckable).seen(why);
        self.or_refused(Passed { denial: Some(denial), is_answer: true, ..Passed::default() })
    }

    fn origin(&self) -> Origin<'_> {
        Origin { server: &self.server_name, tool: &self.tool, is_listing: self.listed.is_some() }
    }

    /// The listing as the caller may see it; what is no listing stays as it is.
    fn listing(&self, message: Bytes, answer: Option<&Answer>) -> Result<Bytes, Denial> {
        let has_result = answer.is_some_and(|answer| matches!(answer.status(), OutcomeStatus::Ok | OutcomeStatus::ToolError));
        let Some(standing) = self.listed.as_ref().filter(|_| has_result) else { return Ok(message) };
        let cut = crate::listing::filter(&message, |tool| standing.lists(&self.policy, self.server, tool));
        let unread = || Denial::new(Reason::ResultUncheckable).seen("the listing cannot be read");
        cut.map(Bytes::from).ok_or_else(unread)
    }

    async fn checked(&self, message: Bytes) -> Passed {
        let Some(duties) = self.duties else { return Passed { message: Some(message), ..Passed::default() } };
        let mut scratch = self.shard.take_results(&self.policy);
        let checked = results::check(rules(&self.policy), &duties, self.origin(), &mut scratch, &message, pause).await;
        self.shard.give_results(scratch);
        passed(message, checked)
    }

    /// Instead of an answer that was kept back the client gets an error; instead of anything else, nothing.
    fn or_refused(&self, mut passed: Passed) -> Passed {
        let Some(denial) = &passed.denial else { return passed };
        if let Some(id) = self.id.as_ref().filter(|_| passed.is_answer) {
            let (status, code) = (OutcomeStatus::Refused, crate::reply::rpc_code(denial.reason));
            passed.message = Some(refusal(denial, id, self.trace).to_string().into());
            passed.answer = Some(Answer::failed(status, denial.to_string()).with_code(code));
        } else {
            // A notification that is dropped counts as one stretch that went.
            passed.redactions = 1;
        }
        passed
    }
}

fn passed(before: Bytes, checked: Checked) -> Passed {
    match checked {
        Checked::Unchanged => Passed { message: Some(before), ..Passed::default() },
        Checked::Changed { message, redactions } => Passed { message: Some(message.into()), redactions, ..Passed::default() },
        Checked::Denied(denial) => Passed { denial: Some(*denial), ..Passed::default() },
    }
}

/// Lets others of the shard run when this check has had its time.
async fn pause() {
    glommio::yield_if_needed().await;
}
