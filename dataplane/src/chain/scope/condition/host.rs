//! The host of a URL, and whether it is one of those that were declared.
//!
//! Strict on purpose: whatever two readers of URLs could take for different hosts is no host here but a fault. Names are
//! not resolved; what a name points to is known only to whoever connects.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Fault, has};

/// Longest host. LIMIT: RFC 1035. Units: bytes.
const HOST_BYTES_MAX: usize = 253;

/// Where a URL points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host<'u> {
    /// A name, without a dot at its end.
    Name(&'u str),
    /// An address; never an IPv4 address within IPv6.
    Address(IpAddr),
}

impl Host<'_> {
    pub(super) fn address(self) -> Result<IpAddr, Fault> {
        if let Host::Address(address) = self { Ok(address) } else { Err(Fault::NotAddress) }
    }
}

/// The host of `scheme://host…`, or of `host` and `host:port`.
pub(super) fn read(text: &str) -> Result<Host<'_>, Fault> {
    // White space is dropped by some readers, a backslash is a slash to some.
    if has(text.as_bytes(), |b| b <= b' ' || b == 0x7f || b == b'\\') {
        return Err(Fault::UrlUnreadable);
    }
    // A scheme has no colon.
    let scheme =
        text.bytes().position(|b| b == b':').and_then(|at| Some((text.get(..at)?, text.get(at..)?.strip_prefix("://")?)));
    let (has_scheme, authority) = match scheme {
        Some((scheme, rest)) if is_scheme(scheme) => (true, rest.get(..authority_end(rest)).unwrap_or("")),
        Some(_) => return Err(Fault::UrlUnreadable),
        None if authority_end(text) < text.len() => return Err(Fault::UrlUnreadable),
        None => (false, text),
    };
    if has(authority.as_bytes(), |b| b == b'@') {
        return Err(Fault::UrlCredentials);
    }
    if !has_scheme && let Ok(address) = authority.parse::<IpAddr>() {
        return Ok(Host::Address(address.to_canonical()));
    }
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(Fault::UrlUnreadable)?;
        let address: Ipv6Addr = address.parse().map_err(|_| Fault::UrlUnreadable)?;
        let port = port.strip_prefix(':').unwrap_or(port);
        return if is_port(port) { Ok(Host::Address(address.to_canonical())) } else { Err(Fault::UrlUnreadable) };
    }
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    if is_port(port) { name_or_address(host) } else { Err(Fault::UrlUnreadable) }
}

fn authority_end(text: &str) -> usize {
    text.bytes().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(text.len())
}

fn name_or_address(host: &str) -> Result<Host<'_>, Fault> {
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() > HOST_BYTES_MAX || !has_labels(name) {
        return Err(Fault::UrlUnreadable);
    }
    // A host whose last label is a number is an address to everyone, but not the same one: WHATWG URL, "ends in a number".
    let last = name.bytes().rposition(|b| b == b'.').and_then(|dot| name.get(dot + 1..)).unwrap_or(name);
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_number {
        return name.parse::<Ipv4Addr>().map(|address| Host::Address(address.into())).map_err(|_| Fault::AddressOdd);
    }
    Ok(Host::Name(name))
}

/// Whether it is labels of letters, digits, hyphens and underscores, none of them empty, with dots between them.
fn has_labels(name: &str) -> bool {
    let mut before = b'.';
    let each = name.bytes().all(|b| {
        let fits = b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'.' && before != b'.';
        before = b;
        fits
    });
    each && before != b'.'
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn is_port(port: &str) -> bool {
    port.is_empty() || (port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

/// A host that was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostPattern {
    /// This one.
    Is(Box<str>),
    /// Every name below this one (`*.example.com`), kept with its leading dot.
    Below(Box<str>),
    /// This address.
    Address(IpAddr),
}

impl HostPattern {
    /// Reads a declared host; `None` when it is not one.
    pub(super) fn parse(text: &str) -> Option<HostPattern> {
        if text.contains(':') {
            return text.parse::<IpAddr>().ok().map(|address| HostPattern::Address(address.to_canonical()));
        }
        if let Some(parent) = text.strip_prefix("*.") {
            return match name_or_address(parent) {
                Ok(Host::Name(name)) => Some(HostPattern::Below(format!(".{}", name.to_ascii_lowercase()).into())),
                Ok(Host::Address(_)) | Err(_) => None,
            };
        }
        match name_or_address(text) {
            Ok(Host::Name(name)) => Some(HostPattern::Is(name.to_ascii_lowercase().into())),
            Ok(Host::Address(address)) => Some(HostPattern::Address(address)),
            Err(_) => None,
        }
    }

    pub(super) fn matches(&self, host: Host<'_>) -> bool {
        match (self, host) {
            (HostPattern::Is(want), Host::Name(have)) => have.eq_ignore_ascii_case(want),
            (HostPattern::Below(suffix), Host::Name(have)) => have
                .len()
                .checked_sub(suffix.len())
                .filter(|at| *at > 0)
                .and_then(|at| have.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix)),
            (HostPattern::Address(want), Host::Address(have)) => *want == have,
            (HostPattern::Is(_) | HostPattern::Below(_), Host::Address(_)) | (HostPattern::Address(_), Host::Name(_)) => false,
        }
    }
}

/// A network: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    first: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads a network; `None` when it is not one, or has bits behind its length.
    pub(super) fn parse(text: &str) -> Option<Network> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let first: IpAddr = address.parse().ok()?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().ok().filter(|bits| *bits <= most)?,
            Some(_) => return None,
        };
        // Addresses are compared as IPv4 where they are, so a network of mapped ones would never match.
        let mapped = matches!(first, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        let network = Network { first, bits };
        (!mapped && network.contains(first)).then_some(network)
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.prefix(address) == Some(wide(self.first).0)
    }

    /// An address of the same family with the bits behind the network's length cleared.
    fn prefix(&self, address: IpAddr) -> Option<u128> {
        (address.is_ipv4() == self.first.is_ipv4()).then(|| {
            let (value, width) = wide(address);
            value.checked_shr(width - self.bits).unwrap_or(0).checked_shl(width - self.bits).unwrap_or(0)
        })
    }
}

fn wide(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}
