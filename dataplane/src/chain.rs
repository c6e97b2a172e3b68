//! The four checks, in the order in which a security reviewer reads them aloud: scope, secrets, block list, rate.
//! Lives on: one shard; the rules are shared and never change, the rate state is the shard's own.
//!
//! INVARIANT: pure. No I/O, no clock, no lock, and on the way to an allow no allocation.

use std::fmt::{self, Write as _};

use arrayvec::ArrayString;
use wire::decision::{Channel, Layer, Reason};
use wire::ids::ServerIx;
use wire::jsonrpc::Nodes;

use crate::approval::Waited;
use crate::policy::Policy;

pub mod blocklist;
pub mod glob;
pub mod rate;
pub mod results;
pub mod scope;
pub mod secrets;
pub mod tool;

use blocklist::{BlockScratch, Target};
use rate::{Admitted, Charge, Charges, RateState, Refused};
use scope::{Access, Lacks, Standing};
use secrets::{Blanks, ScanScratch, Side, Subject, Unscannable, Verdict};

/// What is about to be done, as the request's body says. Never taken from a header.
pub struct Call<'a> {
    /// On which server.
    pub server: ServerIx,
    /// The server's name.
    pub server_name: &'a str,
    /// The JSON-RPC method, or what stands for it (`stream/open`, `session/delete`, `response`, a hook's event).
    pub method: &'a str,
    /// The tool of a `tools/call`; otherwise the prompt or resource; otherwise empty.
    pub name: &'a str,
    /// Whether `name` is a tool's.
    pub is_tool: bool,
    /// How it came in.
    pub channel: Channel,
    /// The arguments.
    pub arguments: Option<Nodes<'a, 'a>>,
    /// What else of the parameters reaches the upstream, such as `_meta`.
    pub beside: &'a [Nodes<'a, 'a>],
    /// What a person said about it, where it has waited for one.
    pub waited: Option<&'a Waited>,
}

/// The operator's command that asks what the chain would say to a call. The arguments of that call are its own arguments:
/// looked at for the answer, and not before, or nobody could ask why something is blocked. It reaches nothing, and its row
/// shows nothing of them.
pub const EXPLAIN_TOOL: &str = "admin_policy_explain";

/// LIMIT: what is scanned for secrets at once; at most some 50 µs, on a slow core 100.
const SLICE_BYTES: usize = 32 << 10;

impl<'a> Call<'a> {
    /// The arguments and what is beside them: all that is looked at.
    pub fn parts(&self) -> impl Iterator<Item = Nodes<'a, 'a>> {
        self.arguments.into_iter().chain(self.beside.iter().copied())
    }

    /// Whether this process passes the call on, so that what it passes on may differ from what came.
    fn is_forwarded(&self) -> bool {
        !matches!(self.channel, Channel::Hook | Channel::Decide)
    }

    /// Whether it only asks about another call: see [`EXPLAIN_TOOL`].
    pub fn only_asks(&self) -> bool {
        self.channel == Channel::Command && self.is_tool && self.name == EXPLAIN_TOOL
    }

    /// Whether the texts are so many that other calls must not wait for all of them to be scanned.
    pub fn is_large(&self) -> bool {
        let mut bytes = 0;
        self.parts().flatten().any(|node| {
            if let simd_json::Node::String(text) = node {
                bytes += text.len();
            }
            bytes > 2 * SLICE_BYTES
        })
    }
}

/// What one shard's checks write into while they look; kept from call to call so that nothing is allocated.
pub struct Scratch {
    pub(crate) secrets: ScanScratch,
    pub(crate) blocklist: BlockScratch,
}

impl Scratch {
    /// Buffers for this policy. Make new ones when the policy changes.
    pub fn new(policy: &Policy) -> Scratch {
        Scratch { secrets: ScanScratch::new(&policy.secrets), blocklist: policy.blocklist.scratch() }
    }
}

/// Why a call is refused, with what the row and the reply say about it. Never holds the secret itself.
#[derive(Debug, Clone)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// Which grant, rule or limit.
    pub rule: ArrayString<64>,
    /// What it saw: a JSON pointer, a fingerprint, the scopes that are missing.
    pub evidence: ArrayString<256>,
    /// When to try again, in milliseconds; 0 where that does not apply.
    pub retry_after_ms: u64,
    /// A person may allow it.
    pub ask: bool,
    /// Something in the call must not be shown: a secret that did not deny it.
    pub holds_secret: bool,
}

impl Denial {
    /// A denial that needs no rule to be explained.
    pub fn new(reason: Reason) -> Denial {
        Denial {
            reason,
            rule: ArrayString::new(),
            evidence: ArrayString::new(),
            retry_after_ms: 0,
            ask: false,
            holds_secret: false,
        }
    }

    /// The same, naming the rule.
    #[must_use]
    pub fn by(mut self, rule: &str) -> Denial {
        self.rule = clip(rule);
        self
    }

    /// The same, saying what was seen.
    #[must_use]
    pub fn seen(mut self, evidence: &str) -> Denial {
        self.evidence = clip(evidence);
        self
    }
}

/// In one line, for the outcome of a result that was kept back.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.as_str())?;
        if !self.rule.is_empty() {
            write!(f, " by `{}`", self.rule)?;
        }
        if !self.evidence.is_empty() {
            write!(f, ": {}", self.evidence)?;
        }
        Ok(())
    }
}

/// As much of a text as fits.
pub(crate) fn clip<const N: usize>(text: &str) -> ArrayString<N> {
    let mut end = text.len().min(N);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    ArrayString::from(&text[..end]).unwrap_or_default()
}

/// A call that passed all four checks. Forwarding needs one, and only this module makes it.
pub struct Allowed {
    /// The grant that allowed it.
    pub rule: ArrayString<64>,
    /// What else there is to say, which for most calls is nothing.
    notes: Option<Box<Notes>>,
    /// What must not be forwarded, or not be shown in rows: places in the arguments, then in each part beside them.
    pub blanks: arrayvec::ArrayVec<Blanks, 3>,
    /// What would have refused it was not to be shown.
    pub hides: bool,
}

/// What a row says of an allowed call besides its grant.
#[derive(Default)]
struct Notes {
    /// Rules in observe mode that would have refused, separated by spaces.
    observed: ArrayString<256>,
    /// Secrets that were found and did not deny: by which rule, and where. As many as fit.
    seen: ArrayString<224>,
    /// Who approved it, where a person had to.
    approved: ArrayString<256>,
}

/// A policy that only observes lets a call through that it would have refused, and the row says by what. `None` where the
/// policy enforces, and for what no policy can give: a tool that is not there, a limiter that cannot count.
pub fn let_through(policy: &Policy, denial: &Denial) -> Option<Allowed> {
    let is_policys = match denial.reason.layer() {
        Layer::Scope => !matches!(denial.reason, Reason::ServerUnknown | Reason::ToolUnknown | Reason::MethodUnknown),
        Layer::Secrets | Layer::Blocklist => true,
        Layer::Rate => !matches!(denial.reason, Reason::RateStateFull | Reason::RateUnavailable | Reason::Throttled),
        Layer::None | Layer::Identity | Layer::System | Layer::Results => false,
    };
    if !policy.observes() || !is_policys {
        return None;
    }
    let mut allowed = Allowed::nothing();
    allowed.hides = denial.holds_secret || denial.reason.layer() <= Layer::Secrets;
    allowed.note(if denial.rule.is_empty() { denial.reason.as_str() } else { &denial.rule });
    allowed.say(format_args!("{}: {}; ", denial.reason.as_str(), denial.evidence));
    Some(allowed)
}

impl Allowed {
    fn nothing() -> Allowed {
        Allowed { rule: ArrayString::new(), notes: None, blanks: arrayvec::ArrayVec::new(), hides: false }
    }

    fn notes(&mut self) -> &mut Notes {
        self.notes.get_or_insert_default()
    }

    /// Rules in observe mode that would have refused, separated by spaces.
    pub fn observed(&self) -> &str {
        self.notes.as_ref().map_or("", |notes| &notes.observed)
    }

    /// How many secrets are kept from the tool.
    pub fn redactions(&self) -> u32 {
        self.blanks.iter().map(Blanks::redactions).sum()
    }

    /// What a row says of a call that was allowed: who approved it, and the secrets in it.
    pub fn evidence(&self) -> ArrayString<256> {
        let (approved, seen) = self.notes.as_ref().map_or(("", ""), |notes| (notes.approved.as_str(), notes.seen.as_str()));
        let secrets = self.secrets(seen);
        match (approved.is_empty(), secrets.is_empty()) {
            (true, _) => secrets,
            (false, true) => clip(approved),
            (false, false) => clip(&format!("{approved}; {secrets}")),
        }
    }

    fn secrets(&self, seen: &str) -> ArrayString<256> {
        let mut evidence = ArrayString::new();
        match self.redactions() {
            0 => {}
            1 => evidence.push_str("1 redaction: "),
            count => {
                let _ = write!(evidence, "{count} redactions: ");
            }
        }
        evidence.push_str(seen.strip_suffix("; ").unwrap_or(seen));
        evidence
    }
}

/// A call that passed the three checks that need no state.
pub struct Cleared {
    /// What it costs, and under which limits.
    pub charges: Charges,
    allowed: Allowed,
}

/// The chain. Units: `now_us` is µs since 1970. Cost: a few nanoseconds, the grant's conditions, and the scan of the
/// arguments.
pub fn decide(
    policy: &Policy,
    scratch: &mut Scratch,
    rates: &mut RateState,
    standing: &Standing,
    call: &Call<'_>,
    now_us: u64,
) -> Result<(Allowed, Admitted), Denial> {
    let mut cleared = Cleared::nothing();
    clear(policy, scratch, standing, call, now_us, &mut cleared)?;
    let admitted = charge_rate(policy, rates, &cleared.charges, now_us)?;
    Ok((cleared.allowed, admitted))
}

/// The three checks that need no state: what [`decide`] does before it charges.
pub fn inspect(
    policy: &Policy,
    scratch: &mut Scratch,
    standing: &Standing,
    call: &Call<'_>,
    now_us: u64,
) -> Result<Cleared, Denial> {
    let mut cleared = Cleared::nothing();
    clear(policy, scratch, standing, call, now_us, &mut cleared)?;
    Ok(cleared)
}

/// The same, into what was made for it: some kilobytes, which are not handed from one to the other for nothing.
fn clear(
    policy: &Policy,
    scratch: &mut Scratch,
    standing: &Standing,
    call: &Call<'_>,
    now_us: u64,
    cleared: &mut Cleared,
) -> Result<(), Denial> {
    check_scope(policy, standing, call, now_us, cleared)?;
    if call.only_asks() {
        return Ok(());
    }
    check_secrets(policy, scratch, call, &mut cleared.allowed)?;
    check_blocklist(policy, scratch, call, &mut cleared.allowed).map_err(|denial| cleared.hiding(denial))
}

/// The same for a large call, whose scan for secrets gives way to other calls between its slices.
pub async fn inspect_in_slices(
    policy: &Policy,
    scratch: &std::cell::RefCell<Scratch>,
    standing: &Standing,
    call: &Call<'_>,
    now_us: u64,
) -> Result<Cleared, Denial> {
    let mut cleared = Cleared::nothing();
    check_scope(policy, standing, call, now_us, &mut cleared)?;
    if call.only_asks() {
        return Ok(cleared);
    }
    // The shard's own scratch serves the calls that come meanwhile.
    let mut spare = ScanScratch::new(&policy.secrets);
    for (part, nodes) in call.parts().enumerate() {
        let mut scan = policy.secrets.start(&mut spare, subject(policy, call), nodes);
        let verdict = loop {
            match scan.step(SLICE_BYTES) {
                Some(verdict) => break verdict,
                None => futures_lite::future::yield_now().await,
            }
        };
        secrets_verdict(policy, &mut spare, call, (part, nodes, verdict), &mut cleared.allowed)?;
    }
    let checked = check_blocklist(policy, &mut scratch.borrow_mut(), call, &mut cleared.allowed);
    checked.map_err(|denial| cleared.hiding(denial))?;
    Ok(cleared)
}

impl Cleared {
    fn nothing() -> Cleared {
        Cleared { charges: Charges::new(), allowed: Allowed::nothing() }
    }

    /// A later layer's denial, which must not show what the secret layer has found.
    pub fn hiding(&self, denial: Denial) -> Denial {
        Denial { holds_secret: self.allowed.blanks.iter().any(|blanks| !blanks.is_empty()), ..denial }
    }

    /// The permit, once the limits that other shards keep have admitted the call too.
    pub fn admitted(self, observed_limits: impl Iterator<Item = impl AsRef<str>>) -> Allowed {
        let mut allowed = self.allowed;
        for limit in observed_limits {
            allowed.note(limit.as_ref());
        }
        allowed
    }
}

impl Allowed {
    fn say(&mut self, what: std::fmt::Arguments<'_>) {
        let mut text = ArrayString::<224>::new();
        if write!(text, "{what}").is_ok() {
            let _ = self.notes().seen.try_push_str(&text);
        }
    }

    fn note(&mut self, rule: &str) {
        push_word(&mut self.notes().observed, rule);
    }
}

fn check_scope(policy: &Policy, standing: &Standing, call: &Call<'_>, now_us: u64, cleared: &mut Cleared) -> Result<(), Denial> {
    let tool = if call.is_tool { policy.grants.tool(call.server, call.name) } else { None };
    let Access { reason, grant, lacks } = standing.access_to(policy, tool, call, now_us);
    if reason == Reason::Permitted {
        cleared.allowed.rule = clip(grant);
        standing.observed(policy, call, now_us).for_each(|grant| cleared.allowed.note(grant));
        return policy.charges(standing, tool, call, &mut cleared.charges);
    }
    let mut denial = Denial::new(reason).by(grant);
    match lacks {
        Lacks::Nothing => {}
        Lacks::Scopes(scopes) => scopes.iter().for_each(|scope| push_word(&mut denial.evidence, scope)),
        Lacks::Condition(condition) => denial = denial.seen(condition),
        Lacks::Judgement { condition, fault } => {
            // As much as fits; why comes first.
            let _ = write!(denial.evidence, "{fault}: ");
            let rest: ArrayString<256> = clip(condition);
            let fits = rest.floor_char_boundary(denial.evidence.remaining_capacity());
            denial.evidence.push_str(&rest[..fits]);
        }
    }
    Err(denial)
}

/// Adds a word to a list that is separated by spaces, whole or not at all.
fn push_word<const N: usize>(list: &mut ArrayString<N>, word: &str) {
    if list.remaining_capacity() > word.len() {
        if !list.is_empty() {
            list.push(' ');
        }
        list.push_str(word);
    }
}

fn subject<'a>(policy: &'a Policy, call: &Call<'a>) -> Subject<'a> {
    Subject { side: Side::Arguments, tool: call.name, key: &policy.fingerprint_key }
}

fn check_secrets(policy: &Policy, scratch: &mut Scratch, call: &Call<'_>, allowed: &mut Allowed) -> Result<(), Denial> {
    for (part, nodes) in call.parts().enumerate() {
        let verdict = policy.secrets.scan(&mut scratch.secrets, subject(policy, call), nodes);
        secrets_verdict(policy, &mut scratch.secrets, call, (part, nodes, verdict), allowed)?;
    }
    Ok(())
}

fn secrets_verdict(
    policy: &Policy,
    scratch: &mut ScanScratch,
    call: &Call<'_>,
    (part, nodes, verdict): (usize, Nodes<'_, '_>, Verdict),
    allowed: &mut Allowed,
) -> Result<(), Denial> {
    match verdict {
        Verdict::Clean => Ok(()),
        Verdict::Noted => note_secrets(policy, scratch, call, (part, nodes), allowed),
        Verdict::Denied(index) => {
            let found = scratch.findings().get(index);
            Err(found.map_or_else(|| Denial::new(Reason::SecretFound), |finding| secret_denial(policy, finding)))
        }
        Verdict::Unscannable(why) => Err(Denial::new(Reason::Unscannable).seen(match why {
            Unscannable::Depth => "encodings are nested too deep",
            Unscannable::Work => "too many candidates for the size of the text",
            Unscannable::Expansion => "decoded text is much larger than the text itself",
            Unscannable::Nesting => "the arguments are nested too deep",
            Unscannable::Findings => "more secrets are to be redacted than are kept track of",
        })),
    }
}

/// Notes what is to be blanked, and what is only observed.
fn note_secrets(
    policy: &Policy,
    scratch: &mut ScanScratch,
    call: &Call<'_>,
    (part, nodes): (usize, Nodes<'_, '_>),
    allowed: &mut Allowed,
) -> Result<(), Denial> {
    let mut blanks = Blanks::default();
    blanks.add(&policy.secrets, scratch.findings());
    let redacted = scratch.findings().iter().find(|finding| finding.mode == secrets::Mode::Redact);
    // Who only asks has the message in their own hands, and what was decided by its name is not to change it.
    if let Some(finding) = redacted
        && (!call.is_forwarded() || blanks.touches(nodes, call.name))
    {
        return Err(secret_denial(policy, finding));
    }
    let findings = scratch.findings().to_vec();
    if blanks.redactions() > 0 {
        // A secret may stand beside its own encoded form: what is left after blanking is refused.
        let texts = blanks.texts(nodes, secrets::Shown::ToTools);
        let again = policy.secrets.scan(scratch, subject(policy, call), &Blanks::nodes(nodes, &texts));
        let left = scratch.findings().iter().any(|left| left.mode != secrets::Mode::Observe);
        if let Some(finding) = findings.iter().find(|finding| finding.mode == secrets::Mode::Redact)
            && (left || matches!(again, Verdict::Unscannable(_)))
        {
            return Err(secret_denial(policy, finding));
        }
    }
    for finding in &findings {
        let rule = policy.secrets.rule(finding.rule).map_or("", |rule| rule.id);
        let done = match finding.mode {
            secrets::Mode::Redact => "redacted",
            secrets::Mode::Observe | secrets::Mode::Deny => "observed",
        };
        if finding.mode != secrets::Mode::Redact {
            allowed.note(rule);
        }
        allowed.say(format_args!("{done} {rule} {}; ", Seen(finding)));
    }
    while allowed.blanks.len() < part {
        allowed.blanks.push(Blanks::default());
    }
    allowed.blanks.push(blanks);
    Ok(())
}

/// What a row says of a finding: its fingerprint and its place, never the secret.
struct Seen<'a>(&'a secrets::Finding);

impl std::fmt::Display for Seen<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "fingerprint ")?;
        for byte in self.0.fingerprint {
            write!(out, "{byte:02x}")?;
        }
        let place = if self.0.in_key { "key " } else { "" };
        write!(out, " at {place}`{}`", clip::<180>(&self.0.pointer))
    }
}

fn secret_denial(policy: &Policy, finding: &secrets::Finding) -> Denial {
    let mut evidence = ArrayString::<256>::new();
    let _ = write!(evidence, "{}", Seen(finding));
    let rule = policy.secrets.rule(finding.rule).map_or("", |rule| rule.id);
    Denial { evidence, ..Denial::new(Reason::SecretFound).by(rule) }
}

fn check_blocklist(policy: &Policy, scratch: &mut Scratch, call: &Call<'_>, allowed: &mut Allowed) -> Result<(), Denial> {
    let target = Target { server: call.server_name, tool: call.name, method: call.method };
    let nothing = &[simd_json::Node::Static(simd_json::StaticNode::Null)][..];
    for nodes in
        call.arguments.iter().copied().chain(call.arguments.is_none().then_some(nothing)).chain(call.beside.iter().copied())
    {
        if let Some(hit) = policy.blocklist.check(&mut scratch.blocklist, target, nodes) {
            blocklist_verdict(policy, call, hit, nodes, allowed)?;
        }
    }
    Ok(())
}

fn blocklist_verdict(
    policy: &Policy,
    call: &Call<'_>,
    hit: blocklist::Hit,
    nodes: Nodes<'_, '_>,
    allowed: &mut Allowed,
) -> Result<(), Denial> {
    match hit.mode {
        blocklist::Mode::Observe => {
            allowed.note(policy.blocklist.rule(hit.rule).map_or("", |rule| &rule.id));
            Ok(())
        }
        blocklist::Mode::Deny => Err(blocklist_denial(policy, hit, nodes, Reason::Blocked)),
        blocklist::Mode::Ask => {
            let rule = policy.blocklist.rule(hit.rule).map_or("", |rule| &rule.id);
            if let Some(Ok(approved)) = call.waited
                && approved.covers(rule, call.arguments)
            {
                allowed.notes().approved = approved.evidence;
                return Ok(());
            }
            Err(Denial { ask: true, ..blocklist_denial(policy, hit, nodes, Reason::ApprovalRequired) })
        }
    }
}

/// What the rule says about itself, for the row and the caller: where it hit, why, how bad it is, and whose rule it is.
fn blocklist_denial(policy: &Policy, hit: blocklist::Hit, nodes: Nodes<'_, '_>, reason: Reason) -> Denial {
    let denial = Denial::new(reason);
    let Some(rule) = policy.blocklist.rule(hit.rule) else { return denial };
    let mut pointer = String::new();
    hit.write_pointer(nodes, &mut pointer);
    let mut evidence = ArrayString::<256>::new();
    // What does not fit is the end of it. A rule about the tool itself points nowhere.
    if !pointer.is_empty() {
        let _ = write!(evidence, "at `{}`: ", clip::<80>(&pointer));
    }
    let _ = write!(evidence, "{} ({}", clip::<100>(&rule.reason), rule.severity.as_str());
    if !rule.owasp.is_empty() {
        let _ = write!(evidence, ", OWASP {}", rule.owasp);
    }
    if let Some((pack, version)) = rule.pack {
        let _ = write!(evidence, ", pack {} v{version}", pack.name());
    }
    let _ = write!(evidence, ")");
    Denial { evidence, ..denial.by(&rule.id) }
}

/// The last check: charges the call under every limit, or under none.
pub fn charge_rate(policy: &Policy, rates: &mut RateState, charges: &[Charge], now_us: u64) -> Result<Admitted, Denial> {
    rates.check_and_charge(charges, now_us).map_err(|refused| rate_denial(policy, refused))
}

/// What a refusal of the limiter says to the caller.
pub fn rate_denial(policy: &Policy, refused: Refused) -> Denial {
    let rule = policy.limit_name(refused.limit);
    Denial { retry_after_ms: refused.retry_after_us.div_ceil(1000), ..Denial::new(refused.reason).by(rule) }
}
