//! Judges URLs by where they lead, however the host is spelled.
//!
//! Lives on one shard; the decoded host is kept in the shard's scratch. Hosts are read like browsers
//! and C libraries read them: octal, hexadecimal, short and overflowing IPv4, mapped IPv6, look-alike
//! digits, and names that resolve to what stands in them.

use std::net::{Ipv4Addr, Ipv6Addr};

use memchr::memmem::find;

use super::bans::embedded_v4;
use super::builtin::Builtin;
use super::decode;
use super::detect::Sink;
use super::present::Marks;

/// Longest host that is read. LIMIT: names are at most 253 bytes.
const HOST_BYTES_MAX: usize = 512;

/// Whether the value is known to be a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Url,
    Perhaps,
}

/// Looks at one value.
pub(super) fn check(buffer: &mut Vec<u8>, sink: &mut Sink<'_>, text: &[u8], used: Use) {
    let text = text.trim_ascii();
    let Some((scheme, rest)) = split_scheme(text) else {
        redirect(sink, text, used);
        if memchr::memchr(b'%', text).is_some() && text.len() < 512 {
            // `/%09/host`, `/%5chost`, `%68%74…`: what remains when control characters are dropped.
            decode::percent(text, b"", buffer);
            buffer.retain(|byte| *byte > b' ');
            let decoded = std::mem::take(buffer);
            redirect(sink, &decoded, used);
            let absolute =
                [b"http://".as_slice(), b"https://", b"/http:", b"/https:"].iter().any(|head| decoded.starts_with(head));
            if absolute && !text.starts_with(b"http") {
                sink.report(Builtin::SsrfRedirect);
            }
            *buffer = decoded;
        }
        return;
    };
    let mut lower = [0; 16];
    let Some(slot) = lower.get_mut(..scheme.len()) else { return };
    slot.copy_from_slice(scheme);
    slot.make_ascii_lowercase();
    match &*slot {
        b"http" | b"https" | b"ws" | b"wss" | b"ftp" | b"ftps" => authority(buffer, sink, rest),
        b"gopher" | b"dict" | b"ldap" | b"ldaps" | b"ldapi" | b"tftp" | b"jar" | b"netdoc" | b"expect" | b"phar" | b"sftp"
        | b"rmi" | b"jndi" | b"imap" | b"smb"
            if rest.starts_with(b"/") || rest.starts_with(b"http") =>
        {
            sink.report(Builtin::SsrfScheme);
        }
        b"file" => file(sink, rest),
        b"local_file" | b"local-file" | b"view-source" => sink.report(Builtin::SsrfScheme),
        _ => {}
    }
    nested(buffer, sink, rest);
}

/// The scheme and what follows the colon.
fn split_scheme(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length =
        text.iter().take(16).position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.' | b'_'))?;
    let (scheme, rest) = text.split_at_checked(length)?;
    (length > 1 && scheme.first().is_some_and(u8::is_ascii_alphabetic)).then_some(())?;
    Some((scheme, rest.strip_prefix(b":")?))
}

fn file(sink: &mut Sink<'_>, rest: &[u8]) {
    let path = rest.strip_prefix(b"//").unwrap_or(rest);
    let host = path.split(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
    let is_odd = path.contains(&b'\\') || !host.is_empty() && host != b"localhost" && !host.contains(&b':');
    let inside = path.get(host.len()..).unwrap_or_default();
    let is_system = [b"/etc".as_slice(), b"/proc", b"/sys", b"/root", b"/var", b"/c:/win", b"/C:/Win", b"///"]
        .iter()
        .any(|root| inside.starts_with(root));
    if is_odd || is_system || super::path::names_secret(inside) {
        sink.report(Builtin::SsrfScheme);
    }
}

/// `//host`, `/\host`, `///host`, `/https://host`: paths that browsers read as another host.
fn redirect(sink: &mut Sink<'_>, text: &[u8], used: Use) {
    if memchr::memchr2(b' ', b'\n', text).is_some() {
        return;
    }
    let may_lead = |byte: u8| matches!(byte, b'/' | b'\\' | b'%' | b'h' | b'.' | b'j') || !byte.is_ascii();
    if text.first().is_some_and(|first| !first.is_ascii()) || text.get(1).is_some_and(|second| may_lead(*second)) {
        leading(sink, text, used);
    }
    parameters(sink, text);
}

/// The same, of a text without spaces whose first two bytes may lead elsewhere.
fn leading(sink: &mut Sink<'_>, text: &[u8], used: Use) {
    let starts = matches!(text, [b'/' | b'\\', b'/' | b'\\', ..])
        || [
            b"/%09/".as_slice(),
            b"/%5c",
            b"/%5C",
            b"/%0d",
            b"/%2f",
            b"/%2F",
            b"/http:",
            b"/https:",
            b"/.example",
            b"/javascript:",
            b"/%68%74",
            b"//%",
        ]
        .iter()
        .any(|head| text.starts_with(head));
    if starts {
        let host_start = text.iter().position(|byte| !matches!(byte, b'/' | b'\\')).unwrap_or(text.len());
        let rest = text.get(host_start..).unwrap_or_default();
        let host_end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b' ' | b'\\')).unwrap_or(rest.len());
        let host = rest.get(..host_end).unwrap_or_default();
        let dotted = host.iter().enumerate().any(|(at, byte)| *byte == b'.' && at > 0 && at + 1 < host.len());
        let is_host = dotted
            && host.iter().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'@' | b'%' | b'_' | b';' | b'(' | b')')
            });
        let odd = host_start != 2
            || text.starts_with(b"/\\")
            || text.starts_with(b"\\\\")
            || host.contains(&b'@')
            || host.contains(&b'%')
            || rest.contains(&b'%');
        let scheme = [b"http:".as_slice(), b"https:", b"javascript:"].iter().any(|scheme| rest.starts_with(scheme));
        let share = text.starts_with(b"\\\\") && rest.get(host_end) == Some(&b'\\');
        if !share
            && (scheme || is_host && (odd || used == Use::Url || host_end == rest.len() || rest.get(host_end) == Some(&b'/')))
        {
            sink.report(Builtin::SsrfRedirect);
        }
    }
    // Ideographic marks that some parsers turn into slashes or dots.
    let marks = ["〱", "〵", "ゝ", "ー", "ｰ", "。"];
    let is_short = text.len() < 64 && memchr::memchr(b' ', text).is_none();
    if is_short
        && marks.iter().any(|mark| {
            text.starts_with(mark.as_bytes())
                || text.starts_with(b"/") && text.get(1..).is_some_and(|rest| rest.starts_with(mark.as_bytes()))
        })
    {
        sink.report(Builtin::SsrfRedirect);
    }
}

/// `/login?next=//evil.example`: a redirect parameter that names a host.
fn parameters(sink: &mut Sink<'_>, text: &[u8]) {
    let Some(query) = memchr::memchr(b'?', text) else { return };
    for pair in text.get(query + 1..).unwrap_or_default().split(|byte| *byte == b'&') {
        let Some(equals) = memchr::memchr(b'=', pair) else { continue };
        let (name, value) = pair.split_at(equals);
        let named = [
            b"url".as_slice(),
            b"next",
            b"redirect",
            b"redir",
            b"rurl",
            b"redirect_uri",
            b"redirect_url",
            b"dest",
            b"destination",
            b"return",
            b"returnto",
            b"return_to",
            b"return_path",
            b"continue",
            b"goto",
            b"target",
            b"checkout_url",
            b"image_url",
            b"go",
            b"view",
            b"out",
            b"to",
            b"forward",
            b"returnurl",
            b"success",
            b"data",
            b"link",
            b"file",
            b"val",
            b"domain",
            b"callback",
            b"callback_url",
            b"uri",
            b"page",
            b"jump",
            b"u",
            b"src",
            b"r",
            b"load",
            b"ref",
        ]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known));
        let value = value.get(1..).unwrap_or_default();
        let leads =
            value.starts_with(b"//") || value.starts_with(b"/\\") || value.starts_with(b"/%5c") || value.starts_with(b"\\");
        let odd = value.starts_with(b"https:") && !value.starts_with(b"https://") || value.starts_with(b"Https://");
        if named && (leads || odd || text.starts_with(b"/") && value.starts_with(b"http")) {
            sink.report(Builtin::SsrfRedirect);
            return;
        }
    }
}

fn authority(buffer: &mut Vec<u8>, sink: &mut Sink<'_>, rest: &[u8]) {
    let slashes = rest.iter().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
    let lead = rest.get(..slashes).unwrap_or_default();
    let rest = rest.get(slashes..).unwrap_or_default();
    let name_end = rest.iter().position(|byte| !is_host_byte(*byte)).unwrap_or(rest.len());
    let end =
        name_end + rest.get(name_end..).unwrap_or_default().iter().position(is_authority_end).unwrap_or(rest.len() - name_end);
    let behind = rest.get(end..).unwrap_or_default();
    // Nearly every host is a name in small letters: what everybody reads alike.
    let is_odd = lead != b"//" || matches!(behind, [b'#', b'@' | b'\\', ..] | [b'?', b'@', ..]);
    if name_end == end && end <= HOST_BYTES_MAX && !is_odd {
        let host = rest.get(..end).unwrap_or_default();
        if Marks::of(host).is_literal(host) {
            if !lower_host_is_bad(sink, host) {
                paths_behind(sink, host, behind);
            }
            return;
        }
    }
    let authority = rest.get(..end.min(HOST_BYTES_MAX)).unwrap_or_default();
    // Words that follow a URL are a sentence, unless they go on as a URL would.
    let (host_part, words) = authority.split_at(memchr::memchr(b' ', authority).unwrap_or(authority.len()));
    let authority = if memchr::memchr2(b'@', b'\\', words).is_none() { host_part } else { authority };
    // Parsers disagree on these: what one reads as the path, another reads as the host.
    let confusing = authority.contains(&b'\\')
        || memchr::memchr_iter(b'@', authority).count() > 1
        || memchr::memchr(b' ', authority).is_some()
        || matches!(behind, [b'#', b'@' | b'\\', ..] | [b'?', b'@', ..])
        || memchr::memchr(b'!', authority).is_some();
    let mut credentials = None;
    let host = match memchr::memrchr(b'@', authority) {
        Some(at) => {
            let user = authority.get(..at).unwrap_or_default();
            let with_password = user.contains(&b':') && !user.starts_with(b":");
            let looks_like_host = user.contains(&b'.') || user.contains(&b'/');
            credentials = Some(if looks_like_host && !with_password { Builtin::SsrfObscured } else { Builtin::SsrfCredentials });
            authority.get(at + 1..).unwrap_or_default()
        }
        None => authority,
    };
    let first = authority.split(|byte| matches!(byte, b'\\' | b'#' | b'@')).next().unwrap_or(authority);
    let revealed = decode::percent(host, b"\\/\t@.:0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", buffer);
    let wide = enclosed(host, buffer);
    let host_end = buffer.iter().position(|byte| matches!(byte, b'/' | b'\\' | b'?' | b'#')).unwrap_or(buffer.len());
    buffer.truncate(host_end);
    if host_is_bad(sink, buffer) || first != buffer.as_slice() && host_is_bad(sink, first) {
        return;
    }
    // A proxy's path, or a variable in place of the host.
    let named = [b"aws_lambda_runtime_api".as_slice(), b"container_metadata_uri", b"container_credentials"];
    let variable = authority.starts_with(b"$") || authority.starts_with(b"{");
    let is_named = variable && named.iter().any(|name| find(&authority.to_ascii_lowercase(), name).is_some());
    if is_named {
        sink.report(Builtin::SsrfMetadata);
    }
    paths_behind(sink, host, behind);
    if let Some(found) = credentials {
        sink.report(found);
    }
    let glued = (lead.len() < 2 || lead.len() > 2 || lead.contains(&b'\\')) && buffer.contains(&b'.');
    if confusing || revealed || wide || glued {
        sink.report(Builtin::SsrfObscured);
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

fn is_authority_end(byte: &u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#')
}

/// Paths that lead inside from a host that does not.
fn paths_behind(sink: &mut Sink<'_>, host: &[u8], behind: &[u8]) {
    let metadata = b"169.254.169.254";
    if memchr::memchr_iter(metadata[1], behind)
        .any(|at| behind.get(at.saturating_sub(1)..).is_some_and(|rest| rest.starts_with(metadata)))
    {
        sink.report(Builtin::SsrfMetadata);
    }
    let is_engine = || [b"/containers/json".as_slice(), b"/images/json"].contains(&behind);
    if !host.contains(&b'.') && is_engine() {
        sink.report(Builtin::SsrfPrivate);
    }
}

/// Letters and digits in circles, and wide dots, as ASCII. True if there were any.
fn enclosed(host: &[u8], out: &mut Vec<u8>) -> bool {
    if host.is_ascii() {
        return false;
    }
    let Ok(text) = std::str::from_utf8(host) else { return false };
    let mut any = false;
    out.clear();
    for letter in text.chars() {
        let code = u32::from(letter);
        let plain = match code {
            0x2460..=0x2468 => code - 0x2460 + u32::from(b'1'),
            0x24ea => u32::from(b'0'),
            0x24b6..=0x24cf => code - 0x24b6 + u32::from(b'a'),
            0x24d0..=0x24e9 => code - 0x24d0 + u32::from(b'a'),
            0xff01..=0xff5e => code - 0xfee0,
            0x3002 | 0xff61 => u32::from(b'.'),
            0x1d7ce..=0x1d7ff => (code - 0x1d7ce) % 10 + u32::from(b'0'),
            other => other,
        };
        any |= plain != code;
        match u8::try_from(plain) {
            Ok(byte) if byte.is_ascii() => out.push(byte),
            _ => out.push(b'?'),
        }
    }
    any
}

/// Reports a host that leads inside. The argument may carry a port.
fn host_is_bad(sink: &mut Sink<'_>, host: &[u8]) -> bool {
    let mut lower = [0; HOST_BYTES_MAX];
    let Some(slot) = lower.get_mut(..host.len()) else { return false };
    slot.copy_from_slice(host);
    slot.make_ascii_lowercase();
    lower_host_is_bad(sink, slot)
}

/// The same of a host in small letters.
fn lower_host_is_bad(sink: &mut Sink<'_>, host: &[u8]) -> bool {
    if let Some(inner) = host.strip_prefix(b"[") {
        let end = inner.iter().position(|byte| matches!(byte, b']' | b'%')).unwrap_or(inner.len());
        let text = std::str::from_utf8(inner.get(..end).unwrap_or_default()).unwrap_or_default();
        return text.parse::<Ipv6Addr>().is_ok_and(|address| report_v6(sink, address));
    }
    let name = host.split(|byte| *byte == b':').next().unwrap_or(host);
    let name = name.strip_suffix(b".").unwrap_or(name);
    if let Some((address, is_plain)) = v4(name) {
        if report_v4(sink, address) {
            return true;
        }
        if !is_plain {
            sink.report(Builtin::SsrfObscured);
            return true;
        }
        return false;
    }
    name_is_bad(sink, name)
}

fn report_v6(sink: &mut Sink<'_>, address: Ipv6Addr) -> bool {
    if let Some(inner) = embedded_v4(address) {
        if !report_v4(sink, inner) {
            sink.report(Builtin::SsrfObscured);
        }
        return true;
    }
    let first = address.segments().first().copied().unwrap_or(0);
    let metadata = address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let private = address.is_loopback()
        || address.is_unspecified()
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || address.is_multicast();
    if metadata {
        sink.report(Builtin::SsrfMetadata);
    } else if private {
        sink.report(Builtin::SsrfPrivate);
    }
    metadata || private
}

fn report_v4(sink: &mut Sink<'_>, address: Ipv4Addr) -> bool {
    let octets = address.octets();
    let metadata = matches!(
        octets,
        [169, 254, 169, 253 | 254] | [169, 254, 170, 2 | 23] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16]
    );
    let private = matches!(
        octets,
        [0 | 10 | 127, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0, _]
            | [198, 18 | 19, ..]
            | [224..=255, ..]
    );
    if metadata {
        sink.report(Builtin::SsrfMetadata);
    } else if private {
        sink.report(Builtin::SsrfPrivate);
    }
    metadata || private
}

/// Reads a host as `inet_aton` does. The flag tells whether it was plain dotted decimal.
fn v4(name: &[u8]) -> Option<(Ipv4Addr, bool)> {
    if !name.last().is_some_and(u8::is_ascii_hexdigit) || !name.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'o')
    {
        return None;
    }
    let mut parts = [0_u64; 4];
    let mut count = 0;
    let mut plain = true;
    for part in name.split(|byte| *byte == b'.') {
        let slot = parts.get_mut(count)?;
        let (digits, radix) = match part {
            [b'0', b'x' | b'X', rest @ ..] => (rest, 16),
            [b'0', b'o' | b'O', rest @ ..] => (rest, 8),
            [b'o', rest @ ..] if !rest.is_empty() => (rest, 8),
            [b'0', rest @ ..] if !rest.is_empty() => (rest, 8),
            _ => (part, 10),
        };
        plain &= radix == 10;
        if digits.is_empty() && radix != 16 || digits.len() > 24 {
            return None;
        }
        let mut value = 0_u64;
        for digit in digits {
            value = value.wrapping_mul(u64::from(radix)).wrapping_add(u64::from(char::from(*digit).to_digit(radix)?));
        }
        *slot = value;
        count += 1;
    }
    plain &= count == 4 && parts.iter().all(|part| *part < 256);
    // Parts that are too large wrap, as they do in lenient parsers.
    let mut address = 0_u64;
    for (at, part) in parts.iter().take(count).enumerate() {
        if at + 1 == count {
            let bits = 8 * (4 - at);
            address = address << bits | part & ((1_u64 << bits) - 1);
        } else {
            address = address << 8 | part & 0xff;
        }
    }
    u32::try_from(address).ok().map(|address| (Ipv4Addr::from(address), plain))
}

/// Names under which clouds tell a machine about itself.
const METADATA_NAMES: &[&[u8]] = &[
    b"metadata",
    b"instance-data",
    b"metadata.google.internal",
    b"metadata.goog",
    b"metadata.azure.internal",
    b"instance-data.ec2.internal",
    b"metadata.tencentyun.com",
    b"metadata.packet.net",
    b"metadata.platformequinix.com",
    b"rancher-metadata",
];

/// Names of this machine and of the cluster around it.
const PRIVATE_NAMES: &[&[u8]] = &[
    b"localhost.localdomain",
    b"localhost6",
    b"ip6-localhost",
    b"ip6-loopback",
    b"loopback",
    b"broadcasthost",
    b"0",
    b"kubernetes",
    b"kubernetes.default",
    b"kubernetes.default.svc",
];

/// Domains that are never public.
const PRIVATE_DOMAINS: &[&[u8]] = &[
    b"localhost",
    b"internal",
    b"cluster.local",
    b"localdomain",
    b"intranet",
    b"docker.internal",
    b"lan",
    b"local",
    b"corp",
    b"home.arpa",
];

/// Public names made to resolve inside, or to change while they are used.
const REBINDING_DOMAINS: &[&[u8]] = &[
    b"localtest.me",
    b"lvh.me",
    b"vcap.me",
    b"lacolhost.com",
    b"1u.ms",
    b"rbndr.us",
    b"r3dir.me",
    b"rebind.network",
    b"spoofed.burpcollaborator.net",
    b"yoogle.com",
    b"fuf.me",
    b"rebinder.net",
    b"localh.st",
    b"sslip.me",
    b"bugbounty.dod.network",
];

/// Public names that resolve to the address that stands in them.
const SPELLING_DOMAINS: &[&[u8]] = &[b"nip.io", b"sslip.io", b"xip.io", b"traefik.me", b"ip.dns"];

fn name_is_bad(sink: &mut Sink<'_>, name: &[u8]) -> bool {
    let under = |domains: &[&[u8]]| {
        domains.iter().any(|domain| {
            name.last() == domain.last()
                && name
                    .strip_suffix(*domain)
                    .is_some_and(|before| before.is_empty() || before.len() > 1 && before.ends_with(b"."))
        })
    };
    if METADATA_NAMES.contains(&name) {
        sink.report(Builtin::SsrfMetadata);
        return true;
    }
    let is_inside = PRIVATE_NAMES.contains(&name) || under(PRIVATE_DOMAINS);
    if is_inside || under(REBINDING_DOMAINS) || under(SPELLING_DOMAINS) && embeds_private(name) {
        sink.report(Builtin::SsrfPrivate);
        return true;
    }
    false
}

/// Whether a name such as `app-10-0-0-1.nip.io` or `7f000001.nip.io` spells a private address.
fn embeds_private(name: &[u8]) -> bool {
    let mut octets = [0_u32; 4];
    let mut count = 0;
    for label in name.split(|byte| matches!(byte, b'.' | b'-')) {
        if label.len() == 8 && label.iter().all(u8::is_ascii_hexdigit) && count == 0 {
            return true;
        }
        let value = std::str::from_utf8(label).ok().and_then(|label| label.parse::<u8>().ok());
        match (value, octets.get_mut(count)) {
            (Some(value), Some(slot)) => {
                *slot = u32::from(value);
                count += 1;
            }
            (None, _) if count < 4 => count = 0,
            _ => {}
        }
    }
    count == 4 && matches!(octets, [0 | 10 | 127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..])
}

/// A URL inside the query of another.
fn nested(buffer: &mut Vec<u8>, sink: &mut Sink<'_>, rest: &[u8]) {
    let inner = memchr::memchr_iter(b'=', rest).filter_map(|at| rest.get(at + 1..)).filter(|inner| inner.starts_with(b"http"));
    // LIMIT: a handful of parameters.
    for (_, rest) in inner.take(4).filter_map(split_scheme) {
        authority(buffer, sink, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_argument;

    #[test]
    fn urls_are_judged_by_where_they_lead() {
        let private = Some("ssrf.private-address");
        let metadata = Some("ssrf.metadata");
        let rows = [
            ("https://example.com/a?b=c", None),
            ("https://api.github.com:443/repos", None),
            ("http://1.1.1.1/", None),
            ("https://en.wikipedia.org/wiki/Foo_(bar)#x", None),
            ("https://10.example.com", None),
            ("file:///workspace/a.txt", None),
            ("https://example.com/@user/post", None),
            ("https://example.com is good", None),
            ("http://0o177.0.0.1/", Some("ssrf.private-address")),
            ("http://x.example/proxy/169.254.169.254/latest", Some("ssrf.metadata")),
            ("http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime", Some("ssrf.metadata")),
            ("https://example.com/?email=a@b.c", None),
            ("mailto:a@b.c", None),
            ("http://127.0.0.1:8080/", private),
            ("http://1270x2e0.0.1/", private),
            ("http://x0x2ey.example/", Some("ssrf.obscured-host")),
            ("http://docker/containers/json", private),
            ("http://localhost", private),
            ("http://2130706433/", private),
            ("http://0x7f000001/", private),
            ("http://0177.0.0.1/", private),
            ("http://127.1/", private),
            ("http://[::1]/", private),
            ("http://[::ffff:10.0.0.1]/", private),
            ("http://[fe80::1%25eth0]/", private),
            ("http://192.168.1.1", private),
            ("http://172.16.0.1", private),
            ("http://172.32.0.1", None),
            ("http://10.0.0.1.nip.io", private),
            ("http://app-127-0-0-1.sslip.io", private),
            ("http://localtest.me", private),
            ("http://kubernetes.default.svc/api", private),
            ("http://①②⑦.⓪.⓪.①/", private),
            ("http://169.254.169.254/latest/meta-data/", metadata),
            ("http://[::ffff:a9fe:a9fe]/", metadata),
            ("http://2852039166/", metadata),
            ("http://0xA9FEA9FE", metadata),
            ("http://7147006462", metadata),
            ("http://metadata.google.internal/", metadata),
            ("http://[fd00:ec2::254]/", metadata),
            ("http://%6c%6f%63%61%6c%68%6f%73%74/", private),
            ("http://127.0.0.1%2f@example.com", Some("ssrf.obscured-host")),
            ("http://0xd8.0x3a.0xd6.0xce", Some("ssrf.obscured-host")),
            ("http://example.com\\@127.0.0.1/", private),
            ("https://user:pass@example.com/", Some("ssrf.url-credentials")),
            ("gopher://127.0.0.1:25/_x", Some("ssrf.scheme")),
            ("file:///etc/passwd", Some("ssrf.scheme")),
            ("dict://localhost:11211/", Some("ssrf.scheme")),
            ("https://example.com/r?url=http://127.0.0.1/", private),
            ("//evil.example/a", Some("ssrf.open-redirect")),
        ];
        for (url, expect) in rows {
            assert_eq!(check_argument("url", url).as_deref(), expect, "{url}");
        }
    }
}
