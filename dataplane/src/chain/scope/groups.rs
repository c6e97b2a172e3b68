//! The groups of grants that one principal is in.
//! Lives on: one shard, one for each principal.

use wire::ids::ServerIx;

/// As many groups as nearly everybody is in.
const FIRST: usize = 8;

/// Servers whose numbers differ by a multiple of this are taken for one where the question is who speaks of them.
const SERVERS: usize = u16::BITS as usize;

/// The number of no group.
const NO_GROUP: u32 = u32::MAX;

/// Groups of grants, and which of them speak of which servers. One cache line for nearly everybody: with thousands of
/// principals it is the one that is waited for.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Groups {
    /// The first of them; [`NO_GROUP`] after the last.
    first: [u32; FIRST],
    /// By server: a bit for each of the first that may speak of it.
    speaking: [u8; SERVERS],
    /// The others.
    others: Box<[u32]>,
}

const _: () = assert!(size_of::<Groups>() == 64, "groups are one cache line");

/// Servers of which a group may speak.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Servers(u16);

impl Servers {
    pub(super) fn add(&mut self, server: ServerIx) {
        self.0 |= 1 << (server.index() % SERVERS);
    }
}

impl Groups {
    /// Of these groups; `servers` are those of which a group speaks.
    pub(super) fn new(groups: &[u32], servers: impl Fn(u32) -> Servers) -> Groups {
        let (first, others) = groups.split_at(groups.len().min(FIRST));
        let mut speaking = [0; SERVERS];
        for (bit, group) in first.iter().enumerate() {
            let Servers(of_group) = servers(*group);
            for (server, speaking) in speaking.iter_mut().enumerate() {
                *speaking |= ((of_group >> server & 1) as u8) << bit;
            }
        }
        let mut padded = [NO_GROUP; FIRST];
        padded[..first.len()].copy_from_slice(first);
        Groups { first: padded, speaking, others: others.into() }
    }

    /// Whether a group is one of them.
    pub(super) fn contains(&self, group: u32) -> bool {
        self.first.contains(&group) || self.others.contains(&group)
    }

    /// Those that may speak of a server: no other says anything there.
    #[inline]
    pub(super) fn on(&self, server: ServerIx) -> OnServer<'_> {
        OnServer { first: &self.first, speaking: self.speaking[server.index() % SERVERS], others: self.others.iter() }
    }
}

/// Groups that may speak of one server.
pub(super) struct OnServer<'g> {
    first: &'g [u32; FIRST],
    speaking: u8,
    others: std::slice::Iter<'g, u32>,
}

impl OnServer<'_> {
    /// The next of the first groups, or where no other speaks one that has nothing new to say: for whoever has sooner asked
    /// one than found out whether there is one.
    #[inline]
    pub(super) fn next_or_silent(&mut self) -> u32 {
        let group = self.first[self.speaking.trailing_zeros() as usize % FIRST];
        self.speaking &= self.speaking.wrapping_sub(1);
        group
    }
}

impl Iterator for OnServer<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.speaking == 0 { self.others.next().copied() } else { Some(self.next_or_silent()) }
    }
}
