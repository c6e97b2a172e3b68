//! Finds active script in markup, script URLs, and XML that reaches out.
//!
//! Lives on one shard; the decoded, lower-cased form is kept in the shard's scratch. Tags are read as a
//! browser reads them: a handler counts only inside a tag, a script URL only where a URL is expected.

use memchr::memmem::find;

use super::builtin::Builtin;
use super::decode;
use super::detect::Sink;
use super::present::Text;

/// Looks at one value of unknown use.
pub(super) fn check(buffer: &mut Vec<u8>, sink: &mut Sink<'_>, text: &[u8]) {
    decode::markup(text, buffer);
    if buffer.contains(&b'&') || buffer.contains(&b'%') {
        // Encoded twice.
        let once = std::mem::take(buffer);
        decode::markup(&once, buffer);
    }
    let buffer_was_encoded = text.len() > buffer.len() + 1;
    let text = buffer.as_slice();
    xml(sink, text);
    // An angle bracket that somebody took care to encode, and nothing else.
    if text.trim_ascii() == b"<" && buffer_was_encoded {
        sink.report(Builtin::MarkupScript);
    }
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'<', text.get(from..).unwrap_or_default()) {
        from += at + 1;
        if is_generic(text, from) {
            continue;
        }
        if tag(text.get(from..).unwrap_or_default()) {
            sink.report(Builtin::MarkupScript);
            return;
        }
    }
    let read = &Text::of(text);
    if broken_out(read) || style(read) {
        sink.report(Builtin::MarkupScript);
    }
    if script_url(text) {
        sink.report(Builtin::MarkupUrl);
    }
}

/// A URL that runs script when followed.
pub(super) fn is_script_url(buffer: &mut Vec<u8>, text: &[u8]) -> bool {
    // What begins so is no other scheme, whatever is decoded behind it.
    if text.starts_with(b"http") {
        return false;
    }
    decode::markup(text.trim_ascii(), buffer);
    buffer.retain(|byte| !byte.is_ascii_whitespace());
    let text = buffer.strip_prefix(b"//").or_else(|| buffer.strip_prefix(b"/")).unwrap_or(buffer);
    [b"javascript:".as_slice(), b"vbscript:", b"data:text/html", b"livescript:", b"mocha:"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_')
}

/// `Vec<Script>,`: a type in code, not a tag.
fn is_generic(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(2).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
    if !before.is_ascii_alphanumeric() {
        return false;
    }
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.iter().take(64).take_while(|byte| is_name(**byte)).count();
    match rest.get(length..) {
        Some([b'>', after, ..]) => matches!(after, b',' | b';' | b')' | b'>' | b'{' | b'&' | b' ' | b'(' | b':'),
        Some([b'>'] | [b',' | b'<', ..]) => true,
        _ => false,
    }
}

/// Elements whose presence in a short value is enough.
const ACTIVE: &[&[u8]] = &[
    b"script",
    b"iframe",
    b"object",
    b"embed",
    b"applet",
    b"frameset",
    b"frame",
    b"base",
    b"meta",
    b"isindex",
    b"bgsound",
    b"layer",
    b"ilayer",
    b"xss",
    b"svg:script",
    b"vmlframe",
    b"import",
];

/// Whether what follows a `<` is an active element, or an element with a handler or a script URL.
fn tag(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"/").unwrap_or(rest);
    let start =
        rest.iter().take(8).take_while(|byte| matches!(byte, b' ' | b'<' | b'%' | b'+' | b'?' | b'!' | b'\t' | b'\n')).count();
    let rest = rest.get(start..).unwrap_or_default();
    let length = rest.iter().take(32).take_while(|byte| is_name(**byte)).count();
    let (name, behind) = rest.split_at_checked(length).unwrap_or((rest, b""));
    if name.is_empty() || !name.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let separated = behind.first().is_none_or(|byte| !is_name(*byte) && !matches!(byte, b',' | b')' | b'=' | b'.' | b'<'));
    let local = name.rsplit(|byte| *byte == b':').next().unwrap_or(name);
    let is_active = ACTIVE.iter().any(|active| local == *active || active.len() > 5 && local.starts_with(active));
    // `Vec<base>` is code: an active element has attributes, a slash, or comes with a closing part.
    if is_active
        && (separated && (local == b"script" || behind.first() != Some(&b'>'))
            || local.starts_with(b"script")
            || behind.len() > 1 && local == b"iframe")
    {
        return true;
    }
    let window = behind.get(..tag_end(behind)).unwrap_or_default();
    has_handler(window) || attribute_runs(window)
}

/// Where a tag ends: at a `>` outside quotes. LIMIT: attributes beyond two kilobytes are not read.
fn tag_end(attributes: &[u8]) -> usize {
    let mut quote = 0_u8;
    for (at, byte) in attributes.iter().enumerate().take(2048) {
        match byte {
            b'\'' | b'"' | b'`' if quote == 0 => quote = *byte,
            byte if *byte == quote => quote = 0,
            b'>' if quote == 0 => return at,
            _ => {}
        }
    }
    attributes.len().min(2048)
}

/// `onload=`, behind a space, a slash or a quote.
fn has_handler(attributes: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = find(attributes.get(from..).unwrap_or_default(), b"on") {
        let start = from + at;
        from = start + 2;
        let before = start.checked_sub(1).and_then(|at| attributes.get(at)).copied().unwrap_or(b'x');
        if before.is_ascii_alphanumeric() || matches!(before, b'_' | b'-' | b'.') && !attributes.starts_with(b"\\x") {
            continue;
        }
        let rest = attributes.get(from..).unwrap_or_default();
        let length = rest.iter().take(32).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let behind = rest.get(length..).unwrap_or_default();
        let equals = behind.iter().take(16).find(|byte| {
            !byte.is_ascii_whitespace() && **byte >= 0x20 && **byte < 0x7f && !matches!(byte, b'\\' | b'x' | b'0'..=b'9')
        });
        if length >= 3 && equals == Some(&b'=') {
            return true;
        }
    }
    false
}

/// Attributes whose value runs: script URLs, style expressions, data documents.
fn attribute_runs(attributes: &[u8]) -> bool {
    script_url(attributes)
        || find(attributes, b"style").is_some() && style(&Text::of(attributes))
        || find(attributes, b"srcdoc").is_some()
        || find(attributes, b"data:text/html").is_some()
        || find(attributes, b"data:image/svg+xml").is_some()
        || find(attributes, b"attributename").is_some() && find(attributes, b"href").is_some()
        || find(attributes, b"formaction").is_some()
}

/// `javascript:` behind `=`, a quote, a parenthesis or at the start; spaces and controls inside do not count.
fn script_url(text: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b':', text.get(from..).unwrap_or_default()) {
        let colon = from + at;
        from = colon + 1;
        let before = text.get(colon.saturating_sub(48)..colon).unwrap_or_default();
        for scheme in [b"javascript".as_slice(), b"vbscript", b"livescript", b"jscript", b"mocha"] {
            if let Some(start) = ends_with_spaced(before, scheme) {
                let prefix = before.get(..start).unwrap_or_default().trim_ascii_end();
                let opens = prefix
                    .last()
                    .is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.' | b'_') || *byte >= 0x80);
                let call = text.get(colon + 1..).unwrap_or_default();
                let runs = call.iter().take(256).any(|byte| matches!(byte, b'(' | b'`' | b'=' | b'/' | b'['));
                if opens && runs {
                    return true;
                }
            }
        }
    }
    false
}

/// Where `word` begins at the end of `text`, spaces and controls inside it ignored.
fn ends_with_spaced(text: &[u8], word: &[u8]) -> Option<usize> {
    let mut at = text.len();
    for wanted in word.iter().rev() {
        loop {
            at = at.checked_sub(1)?;
            let byte = text.get(at)?;
            if byte == wanted {
                break;
            }
            if !byte.is_ascii_whitespace() && *byte >= 0x20 {
                return None;
            }
        }
    }
    Some(at)
}

fn style(read: &Text<'_>) -> bool {
    let text = read.bytes();
    [
        b"expression(".as_slice(),
        b"-moz-binding",
        b"behavior:",
        b"behaviour:",
        b"url(javascript",
        b"url('javascript",
        b"url(\"javascript",
        b"-o-link",
        b"xss:expr",
    ]
    .iter()
    .any(|part| {
        read.find(part).is_some_and(|at| {
            *part != b"expression("
                || at > 0 && text.get(at - 1).is_some_and(|byte| matches!(byte, b':' | b' ' | b'/' | b'\\' | 0x80..))
        })
    })
}

/// Calls of the functions that payloads prove themselves with, behind a break-out or as the whole value.
fn broken_out(read: &Text<'_>) -> bool {
    let text = read.bytes();
    let calls = [
        b"alert(".as_slice(),
        b"alert`",
        b"prompt(",
        b"prompt`",
        b"confirm(",
        b"confirm`",
        b"eval(",
        b"document.cookie",
        b"document.location",
        b"document.write(",
        b"string.fromcharcode(",
        b"window.location=",
        b"location=",
        b"location.href=",
        b"window[",
        b"top[",
        b"self[",
        b"settimeout(",
        b"constructor(",
        b"innerhtml=",
        b"javascript:",
        b"import(",
    ];
    for call in calls {
        let Some(at) = read.find(call) else { continue };
        let before = text.get(..at).unwrap_or_default();
        let is_name = before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'.');
        let proves = matches!(call, b"alert(" | b"alert`" | b"prompt(" | b"confirm(" | b"prompt`" | b"confirm`");
        // The `prompt` of a sentence: the mark ends what another one began.
        let is_odd = memchr::memchr_iter(b'`', before).count() % 2 == 1;
        let ends_code = call.ends_with(b"`") && is_odd && (before == b"`" || !before.starts_with(b"`"));
        // Spaces: a sentence or a program around the call; a payload is one breath.
        let is_short = text.len() < 160;
        if !is_name && !ends_code && (proves && is_short && before.len() < 48 || breaks(before)) {
            return true;
        }
    }
    let whole = text.trim_ascii();
    // `top['al\145rt'](1)`: a function of the window, called by a name put together.
    let computed = [b"top[".as_slice(), b"self[", b"parent[", b"window[", b"frames[", b"this[", b"globalthis[", b"document["];
    if whole.len() < 160 && computed.iter().any(|window| whole.starts_with(window)) && find(whole, b"](").is_some() {
        return true;
    }
    // `alert` handed around rather than called.
    whole.len() < 96
        && [b"=alert".as_slice(), b"(alert)", b"[alert]", b"=confirm", b"=prompt"].iter().any(|part| find(whole, part).is_some())
        && memchr::memchr(b' ', whole).is_none()
}

/// Text that ends a string, a tag or a script before it goes on.
fn breaks(before: &[u8]) -> bool {
    let head = before.get(..before.len().min(64)).unwrap_or_default();
    head.starts_with(b"'")
        || head.starts_with(b"\"")
        || head.starts_with(b"`")
        || head.starts_with(b"</")
        || head.starts_with(b"-->")
        || head.starts_with(b"\\'")
        || head.starts_with(b"\\\"")
        || head.starts_with(b"{{")
}

/// XML that declares entities which reach out or multiply, or includes other documents.
fn xml(sink: &mut Sink<'_>, text: &[u8]) {
    if memchr::memchr(b'<', text).is_none() {
        return;
    }
    let has = |part: &[u8]| find(text, part).is_some();
    let reaches = has(b"system") || has(b"public");
    let entity = has(b"<!entity");
    let declares =
        has(b"<!doctype") && (has(b"[") && (entity || reaches) || reaches && has(b"://") && !has(b"//dtd") && !has(b"//w3c"));
    let includes = has(b"xi:include")
        || has(b"<!--#exec")
        || has(b"<!--#include")
        || has(b"<xsl:value-of") && has(b"system-property")
        || has(b"<xsl:") && (has(b"document(") || has(b"php.net/xsl") || has(b"xalan") || has(b"system-property"))
        || has(b"msxsl:script")
        || has(b"<methodname>pingback.ping");
    if entity || declares || includes {
        sink.report(Builtin::MarkupXxe);
    }
    let data_island = has(b"<xml") && (has(b"src=") || has(b"datasrc") || has(b"<![cdata[") && has(b"script"));
    if data_island || has(b"<![cdata[<]]>") {
        sink.report(Builtin::MarkupScript);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_argument;

    #[test]
    fn markup_is_read_like_a_browser_reads_it() {
        let script = Some("markup.script");
        let rows = [
            ("<script>alert(1)</script>", script),
            ("<ScRiPt src=//evil.example/x.js></sCrIpT>", script),
            ("&lt;script&gt;alert(1)&lt;/script&gt;", script),
            ("%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", script),
            ("<img src=x onerror=alert(1)>", script),
            ("<svg/onload=alert(1)>", script),
            ("\"><svg onload=alert(1)>", script),
            ("<a href=\"java\tscript:alert(1)\">x</a>", script),
            ("<div style=\"width:expression(alert(1))\">", script),
            ("'-alert(1)-'", script),
            ("</title><img src=1 onerror=alert(1)>", script),
            ("javascript:alert(1)", script),
            ("<!DOCTYPE foo [<!ENTITY xxe SYSTEM \"file:///etc/passwd\">]><foo>&xxe;</foo>", Some("markup.xml-entity")),
            ("<b>bold</b>", None),
            ("<p class=\"note\">Turn on=off</p>", None),
            ("a < b and c > d", None),
            ("Vec<Option<T>>", None),
            ("<img src=\"logo.png\" alt=\"on the left\">", None),
            ("<?xml version=\"1.0\"?><a>b</a>", None),
            ("<!DOCTYPE html>", None),
            ("https://example.com/javascript:intro", None),
            ("learn javascript: the good parts", None),
        ];
        for (text, expect) in rows {
            let got = check_argument("input", text);
            assert_eq!(got.as_deref(), expect, "{text}");
        }
    }
}
