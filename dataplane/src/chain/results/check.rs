//! Checks one message: looks for what its duties name, takes out, tags or keeps back, and looks again.

use std::fmt::Write as _;
use std::ops::Range;

use simd_json::Node;
use wire::decision::Reason;
use wire::results::{Class, Duty};

use super::personal::{self, Wanted};
use super::tags::{self, Tag};
use super::text::{self, Edit, NO_KEY, Walk};
use super::{Checked, Duties, Origin, Rules, Scratch};
use crate::chain::Denial;
use crate::chain::blocklist::Target;
use crate::chain::secrets::{self, Finding, Side, Subject, Unscannable, Verdict};

/// LIMIT: how often a message is looked at again after something was taken out of it. One look finds a few dozen
/// secrets; a message with more than all looks find is kept back.
const LOOKS_MAX: usize = 32;

/// LIMIT: bytes between two pauses; they take well under 200 µs.
const SLICE_BYTES: usize = 64 << 10;

/// LIMIT: what stands across two slices of one text and is longer than this is seen in neither as a whole.
const OVERLAP_BYTES: usize = 1 << 10;

/// Checks a JSON message. `pause` is awaited between slices, so that a shard can serve others meanwhile.
pub async fn check(
    rules: Rules<'_>,
    duties: &Duties,
    origin: Origin<'_>,
    scratch: &mut Scratch,
    message: &[u8],
    pause: impl AsyncFn(),
) -> Checked {
    if message.len() > duties.bytes_max {
        return Checked::Denied(Box::new(too_large(message.len(), duties)));
    }
    let mut changed: Option<Vec<u8>> = None;
    let mut redactions = 0;
    for _ in 0..LOOKS_MAX {
        let text = changed.as_deref().unwrap_or(message);
        let look = look(rules, duties, origin, scratch, text, &pause).await;
        let look = match look {
            Ok(look) => look,
            Err(denial) => return Checked::Denied(Box::new(denial)),
        };
        redactions += look.redactions;
        match (look.edits.is_empty(), look.redactions, changed) {
            (true, _, None) => return Checked::Unchanged,
            (true, _, Some(message)) => return Checked::Changed { message, redactions },
            // Tags change nothing that has to be looked at again: they name rules and places.
            (false, 0, before) => {
                let message = text::edited(before.as_deref().unwrap_or(message), look.edits);
                return Checked::Changed { message, redactions };
            }
            (false, _, before) => changed = Some(text::edited(before.as_deref().unwrap_or(message), look.edits)),
        }
    }
    Checked::Denied(Box::new(uncheckable("more has to be taken out of it than can be")))
}

/// Checks a text that is no JSON, such as the page of a proxy that stands before the server.
pub async fn check_plain(
    rules: Rules<'_>,
    duties: &Duties,
    origin: Origin<'_>,
    scratch: &mut Scratch,
    body: &[u8],
    pause: impl AsyncFn(),
) -> Checked {
    // A zero byte says that the text is written in some other way, in which we would find nothing.
    let Some(plain) = std::str::from_utf8(body).ok().filter(|plain| !plain.contains('\0')) else {
        return Checked::Denied(Box::new(uncheckable("it is neither JSON nor text in UTF-8")));
    };
    match check(rules, duties, origin, scratch, text::quoted(plain).as_bytes(), pause).await {
        Checked::Changed { message, redactions } => match serde_json::from_slice::<String>(&message) {
            Ok(text) => Checked::Changed { message: text.into_bytes(), redactions },
            Err(_) => Checked::Denied(Box::new(uncheckable("it cannot be written again"))),
        },
        other => other,
    }
}

fn too_large(bytes: usize, duties: &Duties) -> Denial {
    Denial::new(Reason::ResultTooLarge).seen(&format!("{bytes} bytes, at most {} are allowed", duties.bytes_max))
}

fn uncheckable(why: &str) -> Denial {
    Denial::new(Reason::ResultUncheckable).seen(why)
}

/// What one look at a message found to do.
struct Look {
    edits: Vec<Edit>,
    /// How many of the edits take something out.
    redactions: u32,
}

/// Something that was found, and what is done about it.
struct Find {
    class: Class,
    duty: Duty,
    rule: String,
    /// The node it is in.
    node: usize,
    /// Which bytes of the node's text; all of them where nothing is known.
    range: Option<Range<usize>>,
    /// What a denial says of it.
    seen: String,
}

async fn look(
    rules: Rules<'_>,
    duties: &Duties,
    origin: Origin<'_>,
    scratch: &mut Scratch,
    message: &[u8],
    pause: &impl AsyncFn(),
) -> Result<Look, Denial> {
    text::places(message, &mut scratch.places).map_err(|_| uncheckable("it is nested too deep"))?;
    let mut bytes = message.to_vec();
    let tape = simd_json::to_tape(&mut bytes).map_err(|_| uncheckable("it is not valid JSON"))?;
    let nodes = tape.0.as_slice();
    if nodes.len() != scratch.places.len() {
        return Err(uncheckable("it is not valid JSON"));
    }
    pause().await;
    let shape = Shape::of(nodes, origin.is_listing);
    let mut finds = Vec::new();
    if duties.of(Class::Secrets) != Duty::Off {
        find_secrets(rules, duties, origin, scratch, nodes, pause, &mut finds).await?;
    }
    let seeker = Seeker { rules, duties, origin, nodes, shape: &shape, message };
    seeker.find_others(scratch, pause, &mut finds).await;
    finds.retain(|find| !shape.is_envelope(find.node));
    finds.iter().find(|find| find.duty == Duty::Deny && find.class != Class::Descriptions).map_or(Ok(()), |find| {
        let evidence = if find.seen.is_empty() { format!("at `{}`", text::pointer(nodes, find.node)) } else { find.seen.clone() };
        Err(Denial::new(reason(find.class)).by(&find.rule).seen(&evidence))
    })?;
    Ok(resolve(nodes, &scratch.places, message, &shape, finds))
}

fn reason(class: Class) -> Reason {
    match class {
        Class::Secrets => Reason::ResultSecret,
        Class::Injection | Class::Descriptions => Reason::ResultInjection,
        Class::Email | Class::Phone | Class::Card | Class::Iban | Class::NationalId => Reason::ResultPersonal,
    }
}

/// What parts of a message are for.
struct Shape {
    /// Nodes that the protocol needs as they are: the values of `jsonrpc`, `id` and `method`.
    envelope: Vec<Range<usize>>,
    /// The tools of a listing.
    tools: Vec<Range<usize>>,
    /// The array that holds them.
    list: Option<usize>,
    /// The object whose `_meta` carries the tags.
    tagged: Option<usize>,
}

impl Shape {
    fn of(nodes: &[Node<'_>], is_listing: bool) -> Shape {
        let mut shape = Shape { envelope: Vec::new(), tools: Vec::new(), list: None, tagged: None };
        for (key, value) in text::members(nodes, 0) {
            match key {
                "jsonrpc" | "id" | "method" => shape.envelope.push(value..value + text::span(nodes, value)),
                "result" | "params" if matches!(nodes.get(value), Some(Node::Object { .. })) => {
                    shape.tagged = Some(value);
                    let list = text::members(nodes, value).find(|(key, _)| is_listing && *key == "tools");
                    shape.list = list.map(|(_, list)| list);
                }
                _ => {}
            }
        }
        if let Some(list) = shape.list {
            shape.tools = text::items(nodes, list).map(|item| item..item + text::span(nodes, item)).collect();
        }
        shape
    }

    fn is_envelope(&self, node: usize) -> bool {
        self.envelope.iter().any(|range| range.contains(&node))
    }

    /// The tool of the listing that a node belongs to.
    fn tool(&self, node: usize) -> Option<&Range<usize>> {
        let after = self.tools.partition_point(|tool| tool.end <= node);
        self.tools.get(after).filter(|tool| tool.contains(&node))
    }
}

async fn find_secrets(
    rules: Rules<'_>,
    duties: &Duties,
    origin: Origin<'_>,
    scratch: &mut Scratch,
    nodes: &[Node<'_>],
    pause: &impl AsyncFn(),
    finds: &mut Vec<Find>,
) -> Result<(), Denial> {
    let subject = Subject { side: Side::Results, tool: origin.tool, key: rules.key };
    let verdict = {
        let mut scan = rules.secrets.start(&mut scratch.secrets, subject, nodes);
        loop {
            match scan.step(SLICE_BYTES) {
                Some(verdict) => break verdict,
                None => pause().await,
            }
        }
    };
    // More than are kept track of at once: the next look finds those that are left.
    let is_whole = !matches!(verdict, Verdict::Unscannable(why) if why != Unscannable::Findings);
    if !is_whole {
        return Err(uncheckable("what it hides behind encodings is more than is undone"));
    }
    finds.extend(scratch.secrets.findings().iter().filter_map(|finding| {
        if is_picture(string(nodes, usize::try_from(finding.node).unwrap_or(usize::MAX))) {
            return None;
        }
        let duty = match (duties.of(Class::Secrets), finding.mode) {
            (Duty::Ruled, secrets::Mode::Deny) => Duty::Deny,
            (Duty::Ruled, secrets::Mode::Redact) => Duty::Redact,
            (Duty::Ruled, secrets::Mode::Observe) => return None,
            (declared, _) => declared,
        };
        Some(Find {
            class: Class::Secrets,
            duty,
            rule: rules.secrets.rule(finding.rule).map_or_else(String::new, |rule| rule.id.to_owned()),
            node: usize::try_from(finding.node).unwrap_or(usize::MAX),
            range: Some(finding.span.clone()),
            seen: seen(finding),
        })
    }));
    Ok(())
}

/// LIMIT: fewer bytes are no picture, sound or archive.
const PICTURE_BYTES_MIN: usize = 1 << 10;

/// Whether a text is base64 of something that is no text: what looks like a secret in it does so by chance. Base64 of
/// a text is none, and was read as what it is.
fn is_picture(text: &str) -> bool {
    use base64::Engine as _;
    let bytes = text.as_bytes();
    let mut head = [0; 192];
    let decoded = bytes.get(..256).map(|quads| base64::engine::general_purpose::STANDARD.decode_slice(quads, &mut head));
    // Packed text and wide characters are read as the text they are.
    let is_packed = matches!(head, [0x1f, 0x8b, ..] | [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]);
    let is_wide = head.iter().filter(|byte| **byte == 0).count() >= head.len() / 4;
    let is_binary = matches!(decoded, Some(Ok(192))) && head.iter().any(|byte| *byte < 0x09) && !is_packed && !is_wide;
    let is_whole = || bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    bytes.len() >= PICTURE_BYTES_MIN && is_binary && is_whole()
}

fn seen(finding: &Finding) -> String {
    let mut evidence = "fingerprint ".to_owned();
    for byte in finding.fingerprint {
        let _ = write!(evidence, "{byte:02x}");
    }
    let _ = write!(evidence, " at `{}`", finding.pointer);
    evidence
}

/// Looks for everything but secrets.
struct Seeker<'a> {
    rules: Rules<'a>,
    duties: &'a Duties,
    origin: Origin<'a>,
    nodes: &'a [Node<'a>],
    shape: &'a Shape,
    message: &'a [u8],
}

impl Seeker<'_> {
    async fn find_others(&self, scratch: &mut Scratch, pause: &impl AsyncFn(), finds: &mut Vec<Find>) {
        let duty = |class| self.duties.of(class) != Duty::Off;
        let wanted = Wanted {
            email: duty(Class::Email),
            phone: duty(Class::Phone),
            card: duty(Class::Card),
            iban: duty(Class::Iban),
            national: duty(Class::NationalId),
        };
        if !wanted.any() && !duty(Class::Injection) && !duty(Class::Descriptions) {
            return;
        }
        let mut walk = Walk::new();
        let mut spent = 0;
        for (at, node) in self.nodes.iter().enumerate() {
            let (_, key) = walk.next(at, node);
            let label = if key == NO_KEY { "" } else { string(self.nodes, key) };
            match node {
                Node::String(text) => {
                    for (from, part) in slices(text) {
                        self.find_personal(wanted, label, at, from, part, finds);
                        self.find_injection(scratch, at, part, finds);
                        spent += part.len() + 16;
                        if spent > SLICE_BYTES {
                            spent = 0;
                            pause().await;
                        }
                    }
                }
                Node::Static(_) => {
                    let place = scratch.places.get(at).cloned().unwrap_or_default();
                    let number = self.message.get(place).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default();
                    self.find_personal(wanted, label, at, 0, number, finds);
                }
                _ => {}
            }
        }
    }

    fn find_personal(&self, wanted: Wanted, label: &str, node: usize, from: usize, text: &str, finds: &mut Vec<Find>) {
        if !wanted.any() {
            return;
        }
        personal::find(wanted, label, text, |class, range| {
            finds.push(Find {
                class,
                duty: self.duties.of(class),
                rule: class.as_str().to_owned(),
                node,
                range: Some(from + range.start..from + range.end),
                seen: String::new(),
            });
        });
    }

    fn find_injection(&self, scratch: &mut Scratch, node: usize, text: &str, finds: &mut Vec<Find>) {
        let class = if self.shape.tool(node).is_some() { Class::Descriptions } else { Class::Injection };
        if self.duties.of(class) == Duty::Off {
            return;
        }
        let target = Target { server: self.origin.server, tool: self.origin.tool, method: "" };
        let Some(hit) = self.rules.blocklist.check_text(&mut scratch.blocklist, target, text) else { return };
        finds.push(Find {
            class,
            duty: self.duties.of(class),
            rule: self.rules.blocklist.rule(hit.rule).map_or_else(String::new, |rule| rule.id.to_string()),
            node,
            range: None,
            seen: String::new(),
        });
    }
}

fn string<'n>(nodes: &'n [Node<'n>], node: usize) -> &'n str {
    match nodes.get(node) {
        Some(Node::String(text)) => text,
        _ => "",
    }
}

/// A text in slices that overlap, each with its place.
fn slices(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let from = next?;
        let end = text.ceil_char_boundary(from + SLICE_BYTES);
        next = (end < text.len()).then(|| text.floor_char_boundary(end - OVERLAP_BYTES));
        Some((from, text.get(from..end)?))
    })
}

/// The edits that do what the finds oblige to.
fn resolve(nodes: &[Node<'_>], places: &[Range<usize>], message: &[u8], shape: &Shape, finds: Vec<Find>) -> Look {
    if let Some(look) = without_tools(places, message, shape, &finds) {
        return look;
    }
    let mut tags = Vec::new();
    let mut cuts: Vec<(usize, Range<usize>, String)> = Vec::new();
    for find in finds {
        let tool = shape.tool(find.node).filter(|_| find.class == Class::Descriptions).map(|tool| tool.start);
        match (find.duty, tool.or(shape.tagged)) {
            (Duty::Tag, Some(object)) => {
                let pointer = text::pointer(nodes, find.node);
                let tag = Tag { object, class: find.class.as_str(), rule: find.rule, pointer };
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
            }
            // An error has no place for a tag: what would be tagged is taken out.
            _ => cuts.push((find.node, find.range.unwrap_or(0..usize::MAX), format!("[redacted:{}]", find.rule))),
        }
    }
    if cuts.is_empty() {
        return Look { edits: tags::write(nodes, places, &tags), redactions: 0 };
    }
    cuts.sort_by_key(|(node, range, _)| (*node, range.start));
    let mut look = Look { edits: Vec::new(), redactions: 0 };
    for of_node in cuts.chunk_by(|a, b| a.0 == b.0) {
        let Some((node, _, mark)) = of_node.first() else { continue };
        let Some(place) = places.get(*node) else { continue };
        let (with, count) = match nodes.get(*node) {
            Some(Node::String(text)) => {
                text::without(text, of_node.iter().map(|(_, range, mark)| (range.clone(), mark.clone())).collect())
            }
            // A number goes as a whole; so does an object or array that is one secret in pieces.
            _ => (text::quoted(mark), 1),
        };
        // What stands inside of something that goes as a whole went with it.
        if look.edits.last().is_none_or(|last: &Edit| last.at.end <= place.start) {
            look.edits.push(Edit { at: place.clone(), with });
            look.redactions += count;
        }
    }
    look
}

/// A listing without the tools whose descriptions are denied; nothing where there are none.
fn without_tools(places: &[Range<usize>], message: &[u8], shape: &Shape, finds: &[Find]) -> Option<Look> {
    let denied = |tool: &Range<usize>| {
        finds.iter().any(|find| find.class == Class::Descriptions && find.duty == Duty::Deny && tool.contains(&find.node))
    };
    let kept: Vec<&[u8]> =
        shape.tools.iter().filter(|tool| !denied(tool)).filter_map(|tool| message.get(places.get(tool.start)?.clone())).collect();
    let gone = shape.tools.len() - kept.len();
    if gone == 0 {
        return None;
    }
    let list = places.get(shape.list?)?.clone();
    let with = format!("[{}]", String::from_utf8_lossy(&kept.join(&b',')));
    Some(Look { edits: vec![Edit { at: list, with }], redactions: u32::try_from(gone).unwrap_or(u32::MAX) })
}
