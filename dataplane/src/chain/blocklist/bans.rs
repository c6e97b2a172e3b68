//! Users and networks that may not call anything, looked up before any other rule.
//!
//! Lives on all shards, immutable inside the compiled blocklist.

use std::net::{IpAddr, Ipv6Addr};

use hashbrown::HashSet;

use super::config::{BanConfig, BlocklistConfigError};

/// The compiled ban list.
#[derive(Debug, Default)]
pub(crate) struct Bans {
    users: HashSet<Box<str>>,
    /// Networks as 128-bit prefixes (IPv4 mapped), sorted by prefix length so that equal lengths are neighbours.
    networks: Vec<Network>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Network {
    length: u8,
    prefix: u128,
}

impl Bans {
    pub(super) fn compile(config: &BanConfig) -> Result<Self, BlocklistConfigError> {
        let mut users = HashSet::with_capacity(config.users.len());
        for user in &config.users {
            if user.trim().is_empty() {
                return Err(BlocklistConfigError::EmptyUser);
            }
            users.insert(user.as_str().into());
        }
        let mut networks = Vec::with_capacity(config.cidrs.len());
        for cidr in &config.cidrs {
            networks.push(parse_network(cidr).ok_or_else(|| BlocklistConfigError::Cidr { cidr: cidr.clone() })?);
        }
        networks.sort_unstable();
        networks.dedup();
        Ok(Self { users, networks })
    }

    /// Networks alone.
    ///
    /// # Errors
    /// The first text that is not one.
    pub(crate) fn of_networks<'a>(networks: impl Iterator<Item = &'a str>) -> Result<Self, BlocklistConfigError> {
        Self::compile(&BanConfig { cidrs: networks.map(str::to_owned).collect(), ..BanConfig::default() })
    }

    /// Cost: one hash look-up, and one binary search per distinct prefix length.
    pub(crate) fn matches(&self, user: &str, ip: Option<IpAddr>) -> bool {
        if !self.users.is_empty() && self.users.contains(user) {
            return true;
        }
        let Some(ip) = ip else { return false };
        let bits = mapped(ip);
        let mut rest = self.networks.as_slice();
        while let Some(first) = rest.first() {
            let end = rest.partition_point(|network| network.length == first.length);
            let prefix = bits & mask(first.length);
            let (same_length, longer) = rest.split_at(end);
            if same_length.binary_search_by_key(&prefix, |network| network.prefix).is_ok() {
                return true;
            }
            rest = longer;
        }
        false
    }
}

/// Whether a text is an address, or a network as `address/bits`.
pub fn is_network(text: &str) -> bool {
    parse_network(text).is_some()
}

fn mapped(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

fn parse_network(text: &str) -> Option<Network> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let ip: IpAddr = address.parse().ok()?;
    let (offset, width) = match ip {
        IpAddr::V4(_) => (96, 32),
        IpAddr::V6(_) => (0, 128),
    };
    let length = length.unwrap_or(width);
    if length > width {
        return None;
    }
    let length = length + offset;
    Some(Network { length, prefix: mapped(ip) & mask(length) })
}

/// Whether an IPv6 address carries an IPv4 one, and which: mapped, compatible, NAT64, 6to4.
pub(super) fn embedded_v4(v6: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    let s = v6.segments();
    let [.., g, h] = s;
    let low = std::net::Ipv4Addr::from((u32::from(g) << 16) | u32::from(h));
    match s {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => Some(low),
        [0, 0, 0, 0, 0, 0, a, b] if (a, b) != (0, 0) && (a, b) != (0, 1) => Some(low),
        [0x2002, a, b, ..] => Some(std::net::Ipv4Addr::from((u32::from(a) << 16) | u32::from(b))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed fixture should stop the test")]
    use super::*;

    #[test]
    fn bans_match_users_and_networks() {
        let bans = Bans::compile(&BanConfig {
            users: vec!["mallory".into()],
            cidrs: vec!["203.0.113.0/24".into(), "198.51.100.7".into(), "2001:db8::/32".into(), "0.0.0.0/32".into()],
        })
        .unwrap();
        let rows = [
            ("mallory", None, true),
            ("alice", None, false),
            ("alice", Some("203.0.113.200"), true),
            ("alice", Some("203.0.114.1"), false),
            ("alice", Some("198.51.100.7"), true),
            ("alice", Some("198.51.100.8"), false),
            ("alice", Some("::ffff:203.0.113.4"), true),
            ("alice", Some("2001:db8:1::1"), true),
            ("alice", Some("2001:db9::1"), false),
        ];
        for (user, ip, expect) in rows {
            let ip = ip.map(|ip| ip.parse().unwrap());
            assert_eq!(bans.matches(user, ip), expect, "{user} {ip:?}");
        }
    }

    #[test]
    fn a_bad_network_is_named() {
        for cidr in ["203.0.113.0/33", "nonsense", "::/129", ""] {
            let error = Bans::compile(&BanConfig { users: vec![], cidrs: vec![cidr.into()] }).unwrap_err();
            assert_eq!(error, BlocklistConfigError::Cidr { cidr: cidr.into() });
        }
    }
}
