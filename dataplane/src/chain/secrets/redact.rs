//! Blanks what a scan found: in the JSON text that is passed on, byte for byte the same elsewhere, and in the tape
//! that a preview and a digest are made of.
//!
//! *Lives on* one shard; runs only for texts in which something was found, so it may allocate.

use std::collections::BTreeMap;
use std::ops::Range;

use simd_json::Node;

use super::scan::NOTED_MAX;
use super::{Finding, Mode, ScanScratch, SecretScanner, Subject, Unscannable, Verdict};

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// What was found. [`Verdict::Denied`] and [`Verdict::Unscannable`]
    /// come with no text: what was not cleared is not passed on.
    pub verdict: Verdict,
    /// The text with every stretch blanked whose rule says so; `None` when it stays as it was.
    pub text: Option<Vec<u8>>,
    /// How many secrets were blanked.
    pub redactions: u32,
}

impl SecretScanner {
    /// Scans a JSON text, such as a message or the data of a server-sent event, and blanks what rules in
    /// redact mode find. All outside the blanked strings stays byte for byte. What is not JSON is looked at as
    /// plain text. Of a JSON-RPC message `id` and `method` are never changed, since the answer could not be matched.
    ///
    /// Cost: a copy and a parse of the text beside the scan. For texts beyond some 64 KiB, scan in steps
    /// ([`SecretScanner::start`]) and blank with [`Blanks`] instead.
    pub fn redact_json(&self, scratch: &mut ScanScratch, subject: Subject<'_>, json: &[u8]) -> Redacted {
        self.until_clean(json, |json| {
            let mut bytes = json.to_vec();
            let Ok(tape) = simd_json::to_tape(&mut bytes) else {
                return self.blank_text(scratch, subject, &String::from_utf8_lossy(json));
            };
            let verdict = self.scan(scratch, subject, &tape.0);
            let mut blanks = Blanks::default();
            blanks.add(self, scratch.findings());
            blanks.list.retain(|blank| !is_envelope(&tape.0, blank.node));
            Redacted::new(verdict, blanks.redactions(), || blanks.json(&tape.0, json))
        })
    }

    /// The same for plain text.
    pub fn redact_text(&self, scratch: &mut ScanScratch, subject: Subject<'_>, text: &str) -> Redacted {
        self.until_clean(text.as_bytes(), |text| self.blank_text(scratch, subject, &String::from_utf8_lossy(text)))
    }

    fn blank_text(&self, scratch: &mut ScanScratch, subject: Subject<'_>, text: &str) -> Redacted {
        let nodes = [Node::String(text)];
        let verdict = self.scan(scratch, subject, &nodes);
        let mut blanks = Blanks::default();
        blanks.add(self, scratch.findings());
        Redacted::new(verdict, blanks.redactions(), || {
            blanks.texts(&nodes, Shown::ToTools).remove(&0).unwrap_or_default().into_bytes()
        })
    }

    /// Blanks again what blanking left: a secret may stand beside its own encoded form.
    fn until_clean(&self, text: &[u8], mut blank: impl FnMut(&[u8]) -> Redacted) -> Redacted {
        let mut done = blank(text);
        for _ in 0..PASSES_MAX {
            let Some(text) = &done.text else { return done };
            let again = blank(text);
            match again {
                Redacted { verdict: Verdict::Denied(_) | Verdict::Unscannable(_), .. } => return again,
                Redacted { text: None, .. } => return done,
                Redacted { text, redactions, .. } => done = Redacted { text, redactions: done.redactions + redactions, ..done },
            }
        }
        Redacted { verdict: Verdict::Unscannable(Unscannable::Findings), text: None, redactions: 0 }
    }
}

impl Redacted {
    fn new(verdict: Verdict, redactions: u32, text: impl FnOnce() -> Vec<u8>) -> Redacted {
        let passes = verdict == Verdict::Noted && redactions > 0;
        Redacted { verdict, text: passes.then(text), redactions: if passes { redactions } else { 0 } }
    }
}

/// LIMIT: how often a text is blanked before it is refused.
const PASSES_MAX: usize = 4;

/// Whether a string is the `id` or the `method` of a JSON-RPC message.
fn is_envelope(nodes: &[Node<'_>], node: usize) -> bool {
    let Some(Node::Object { len, .. }) = nodes.first() else { return false };
    let mut at = 1;
    for _ in 0..*len {
        let Some(Node::String(key)) = nodes.get(at) else { return false };
        if at + 1 == node {
            return matches!(*key, "id" | "method" | "jsonrpc");
        }
        at += match nodes.get(at + 1) {
            Some(Node::Object { count, .. } | Node::Array { count, .. }) => count + 2,
            _ => 2,
        };
    }
    false
}

/// Who is going to see a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The tool, or the agent: only what is to be redacted is blanked.
    ToTools,
    /// Those who read audit rows: whatever was found is blanked.
    InRows,
}

#[derive(Debug, Clone)]
struct Blank {
    /// The string it begins in; a secret that was split goes on in those after it.
    node: usize,
    span: Range<usize>,
    rule: Box<str>,
    redacts: bool,
}

/// The stretches of one message that hold secrets. Empty, and without an allocation, for nearly every message.
#[derive(Debug, Clone, Default)]
pub struct Blanks {
    list: Vec<Blank>,
}

impl Blanks {
    /// Adds the findings of a scan.
    pub fn add(&mut self, scanner: &SecretScanner, findings: &[Finding]) {
        self.list.extend(findings.iter().map(|finding| Blank {
            node: finding.node as usize,
            span: finding.span.clone(),
            rule: scanner.rule(finding.rule).map_or("", |rule| rule.id).into(),
            redacts: finding.mode == Mode::Redact,
        }));
    }

    /// Whether there is nothing to blank.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many secrets are kept from the tool or the agent.
    pub fn redactions(&self) -> u32 {
        u32::try_from(self.list.iter().filter(|blank| blank.redacts).count()).unwrap_or(u32::MAX)
    }

    /// The strings that change, by their index on the tape, as they are to be shown.
    pub fn texts(&self, nodes: &[Node<'_>], shown: Shown) -> BTreeMap<usize, String> {
        let mut spans: BTreeMap<usize, Vec<(Range<usize>, &str)>> = BTreeMap::new();
        for blank in self.list.iter().filter(|blank| blank.redacts || shown == Shown::InRows) {
            let (mut node, mut span) = (blank.node, blank.span.clone());
            while let Some(Node::String(text)) = nodes.get(node) {
                if span.start < text.len() {
                    spans.entry(node).or_default().push((span.start..span.end.min(text.len()), &blank.rule));
                }
                if span.end <= text.len() {
                    break;
                }
                span = span.start.saturating_sub(text.len())..span.end - text.len();
                node += 1;
            }
        }
        spans
            .into_iter()
            .filter_map(|(node, spans)| match nodes.get(node) {
                Some(Node::String(text)) => Some((node, blanked(text, spans))),
                _ => None,
            })
            .collect()
    }

    /// The JSON text whose tape `nodes` is, with the secrets blanked that are not to pass.
    pub fn json(&self, nodes: &[Node<'_>], json: &[u8]) -> Vec<u8> {
        splice(json, &self.texts(nodes, Shown::ToTools))
    }

    /// The tape with the strings of `texts` in their places.
    pub fn nodes<'t>(nodes: &[Node<'t>], texts: &'t BTreeMap<usize, String>) -> Vec<Node<'t>> {
        let mut shown = nodes.to_vec();
        for (node, text) in texts {
            if let Some(node) = shown.get_mut(*node) {
                *node = Node::String(text);
            }
        }
        shown
    }

    /// Whether everything that was found is among them.
    pub fn is_complete(&self) -> bool {
        self.list.len() < NOTED_MAX
    }

    /// The message whose tape is `message`, with the secrets blanked that are not to pass. Each of `parts` is a piece
    /// of that tape and what to blank in it.
    pub fn in_message<'m>(
        message: &[Node<'m>],
        json: &[u8],
        parts: impl Iterator<Item = (&'m [Node<'m>], &'m Blanks)>,
    ) -> Option<Vec<u8>> {
        let mut texts = BTreeMap::new();
        for (nodes, blanks) in parts.filter(|(_, blanks)| blanks.redactions() > 0) {
            let offset = offset_of(message, nodes)?;
            texts.extend(blanks.texts(nodes, Shown::ToTools).into_iter().map(|(node, text)| (offset + node, text)));
        }
        Some(splice(json, &texts))
    }

    /// Whether a secret that is to be blanked stands in this very text, not in one that is equal to it.
    pub fn touches(&self, nodes: &[Node<'_>], text: &str) -> bool {
        !text.is_empty()
            && self.list.iter().any(|blank| match nodes.get(blank.node) {
                Some(Node::String(found)) => blank.redacts && std::ptr::eq(found.as_ptr(), text.as_ptr()),
                _ => false,
            })
    }
}

/// Where a piece of a tape begins in it; `None` when it is no piece of it.
fn offset_of(tape: &[Node<'_>], piece: &[Node<'_>]) -> Option<usize> {
    let bytes = (piece.as_ptr() as usize).checked_sub(tape.as_ptr() as usize)?;
    let at = bytes / size_of::<Node<'_>>();
    (bytes % size_of::<Node<'_>>() == 0 && at + piece.len() <= tape.len()).then_some(at)
}

/// The text with each stretch replaced by the name of its rule; stretches that overlap become one.
fn blanked(text: &str, mut spans: Vec<(Range<usize>, &str)>) -> String {
    spans.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    let mut out = String::with_capacity(text.len());
    let mut shown = 0;
    for (span, rule) in spans {
        let (mut start, mut end) = (span.start.min(text.len()), span.end.min(text.len()));
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end += 1;
        }
        if start >= shown {
            out.push_str(&text[shown..start]);
            out.push_str("[redacted:");
            out.push_str(rule);
            out.push(']');
        }
        shown = shown.max(end);
    }
    out.push_str(&text[shown..]);
    out
}

/// Puts strings into a JSON text, by the index they have on its tape. The text is valid: it was parsed.
fn splice(json: &[u8], texts: &BTreeMap<usize, String>) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let (mut at, mut copied, mut node) = (0, 0, 0);
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => {
                let end = end_of_string(json, at);
                if let Some(text) = texts.get(&node) {
                    out.extend_from_slice(&json[copied..at]);
                    // Writing a string into memory cannot fail.
                    let _ = serde_json::to_writer(&mut out, text);
                    copied = end;
                }
                node += 1;
                at = end;
            }
            b'{' | b'[' => {
                node += 1;
                at += 1;
            }
            b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            _ => {
                node += 1;
                let rest = &json[at..];
                at += rest
                    .iter()
                    .position(|b| matches!(b, b'}' | b']' | b',' | b' ' | b'\t' | b'\n' | b'\r'))
                    .unwrap_or(rest.len());
            }
        }
    }
    out.extend_from_slice(&json[copied..]);
    out
}

/// Where the string that opens at `at` ends, its quote included.
fn end_of_string(json: &[u8], at: usize) -> usize {
    let mut to = at + 1;
    while let Some(found) = json.get(to..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if json[to + found] == b'"' {
            return to + found + 1;
        }
        to += found + 2;
    }
    json.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::super::{SecretsConfig, Side};
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const PAT: &str = "ghp_R2mK9vQ4xT7nW1pL5sB8dF3hJ6gC0aEyZ2uX";

    fn scanner() -> SecretScanner {
        SecretScanner::compile(&SecretsConfig::default()).unwrap()
    }

    fn subject() -> Subject<'static> {
        Subject { side: Side::Results, tool: "t", key: &KEY }
    }

    fn check(scanner: &SecretScanner, json: &str, expect: &str) {
        let mut scratch = ScanScratch::new(scanner);
        let redacted = scanner.redact_json(&mut scratch, subject(), json.as_bytes());
        let text = redacted.text.map(|text| String::from_utf8(text).unwrap());
        assert_eq!(text.as_deref(), Some(expect), "of {json}, {:?}", scratch.findings());
        // What was blanked is clean, and stays as it is.
        let again = scanner.redact_json(&mut scratch, subject(), expect.as_bytes());
        assert_eq!(again, Redacted { verdict: Verdict::Clean, text: None, redactions: 0 }, "{:?}", scratch.findings());
    }

    #[test]
    fn blanks_the_secret_and_nothing_else() {
        let scanner = scanner();
        let mark = "[redacted:github-pat]";
        for (json, expect) in [
            (format!(r#"{{"a" : 1.50, "t":"x {PAT} y"}}"#), format!(r#"{{"a" : 1.50, "t":"x {mark} y"}}"#)),
            (format!(r#"["{PAT}", "{PAT}"]"#), format!(r#"["{mark}", "{mark}"]"#)),
            (format!(r#"["{PAT} and {PAT}\n\u00e9"]"#), format!(r#"["{mark} and {mark}\né"]"#)),
            (format!(r#"{{"{PAT}":null,"b":[{{}},[],"\"",true]}}"#), format!(r#"{{"{mark}":null,"b":[{{}},[],"\"",true]}}"#)),
            (format!("not JSON: {PAT}"), format!("not JSON: {mark}")),
        ] {
            check(&scanner, &json, &expect);
        }
    }

    #[test]
    fn blanks_every_part_of_a_split_secret() {
        let scanner = scanner();
        let json = format!(r#"{{"parts":["see {}","{} there"]}}"#, &PAT[..20], &PAT[20..]);
        check(&scanner, &json, r#"{"parts":["see [redacted:github-pat]","[redacted:github-pat] there"]}"#);
    }

    #[test]
    fn blanks_the_whole_of_an_encoded_secret() {
        use base64::Engine as _;
        let scanner = scanner();
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("token = {PAT}"));
        check(&scanner, &format!(r#"["run {encoded} now"]"#), r#"["run [redacted:github-pat] now"]"#);
    }

    #[test]
    fn blanks_more_secrets_than_a_denial_lists() {
        let scanner = scanner();
        let tokens: Vec<String> = (10..99).map(|n| format!("ghp_R2mK9vQ4xT7nW1pL5sB8dF3hJ6gC0aEyZ2{n}")).collect();
        let marks = vec!["[redacted:github-pat]"; tokens.len()];
        check(&scanner, &serde_json::to_string(&tokens).unwrap(), &serde_json::to_string(&marks).unwrap());
        check(&scanner, &serde_json::to_string(&tokens.join(" ")).unwrap(), &serde_json::to_string(&marks.join(" ")).unwrap());
    }

    #[test]
    fn leaves_the_envelope_of_a_message_alone() {
        let scanner = scanner();
        let mut scratch = ScanScratch::new(&scanner);
        let json = format!(r#"{{"jsonrpc":"2.0","id":"{PAT}","result":{{"t":"{PAT}"}}}}"#);
        let redacted = scanner.redact_json(&mut scratch, subject(), json.as_bytes());
        let expect = format!(r#"{{"jsonrpc":"2.0","id":"{PAT}","result":{{"t":"[redacted:github-pat]"}}}}"#);
        assert_eq!(redacted.text.map(|text| String::from_utf8(text).unwrap()), Some(expect));
        assert_eq!(redacted.redactions, 1);
    }

    #[test]
    fn gives_no_text_that_is_to_be_denied() {
        let scanner = scanner();
        let mut scratch = ScanScratch::new(&scanner);
        let subject = Subject { side: Side::Arguments, ..subject() };
        let redacted = scanner.redact_json(&mut scratch, subject, format!(r#"["{PAT}"]"#).as_bytes());
        assert!(matches!(redacted, Redacted { verdict: Verdict::Denied(0), text: None, redactions: 0 }), "{redacted:?}");
    }

    proptest::proptest! {
        #[test]
        fn keeps_whatever_it_does_not_blank(value in "[ -~é\u{1F600}]{0,24}", key in "[a-z\"\\\\]{0,6}", n in proptest::num::i64::ANY) {
            let json = serde_json::json!({ key: [value.clone(), n, null, true], "x": {"y": value} }).to_string();
            let mut bytes = json.clone().into_bytes();
            let tape = simd_json::to_tape(&mut bytes).unwrap();
            let texts: BTreeMap<usize, String> = tape.0.iter().enumerate().filter_map(|(at, node)| match node {
                Node::String(text) => Some((at, (*text).to_owned())),
                _ => None,
            }).collect();
            let spliced: serde_json::Value = serde_json::from_slice(&splice(json.as_bytes(), &texts)).unwrap();
            proptest::prop_assert_eq!(spliced, serde_json::from_str::<serde_json::Value>(&json).unwrap());
        }
    }
}
