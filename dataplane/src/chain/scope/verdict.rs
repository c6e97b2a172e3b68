//! What the grants for the same principals say of every method and tool, before any argument is known.
//! Lives in a compiled policy and is shared by all shards.
//!
//! Methods and tools of a server are its actions. Sixty-four of them make a block, the first of a server that of its
//! methods. What thousands of principals may do is made of what a few groups of grants say, a cache line for each group
//! and block: all of it stays in a core's cache, and a call takes the strictest word of the groups that its principal is
//! in.

mod compile;

use wire::decision::Reason;
use wire::ids::ServerIx;

use super::grants::{METHODS, SESSION_METHODS_COUNT};
use super::groups::{Groups, Servers};

pub(super) use self::compile::VerdictsBuilder;

/// What is said of an action: its kind, and which grant or list of grants says so. The smallest of several groups' verdicts
/// is the one of all of them.
///
/// LIMIT: 2^29 grants; fewer fit into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Verdict(u32);

/// What kind of verdict, the strictest first. The even ones leave something to be asked: see
/// [`Verdict::is_conditional`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not of an action, but of a whole block: its verdicts are in this row of [`Verdicts::wide`].
    Wide,
    /// Taken by one grant, whatever the arguments.
    Denied,
    /// One of the grants of a list may take; others may give.
    MayTake,
    /// Given by one grant, whatever the arguments.
    Allowed,
    /// The grants of a list may give, with the right arguments or scopes.
    MayGive,
    Nothing,
}

impl Verdict {
    const IX_BITS: u32 = 29;
    const NOTHING: Verdict = Verdict::new(Kind::Nothing, 0);

    const fn new(kind: Kind, ix: u32) -> Verdict {
        Verdict((kind as u32) << Verdict::IX_BITS | ix & !(u32::MAX << Verdict::IX_BITS))
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        match self.0 >> Verdict::IX_BITS {
            0 => Kind::Wide,
            1 => Kind::Denied,
            2 => Kind::MayTake,
            3 => Kind::Allowed,
            4 => Kind::MayGive,
            _ => Kind::Nothing,
        }
    }

    /// The number of the grant or list; of nothing, one that says nothing.
    #[inline]
    pub(super) fn ix(self) -> u32 {
        self.0 & !(u32::MAX << Verdict::IX_BITS)
    }

    /// Whether the arguments or the scopes held decide; never of a wide one.
    #[inline]
    pub(super) fn is_conditional(self) -> bool {
        (self.0 >> Verdict::IX_BITS).is_multiple_of(2)
    }

    /// What one that is not conditional says. A table, since nobody foresees which it is.
    #[inline]
    pub(super) fn reason(self) -> Reason {
        const REASONS: [Reason; 1 << (u32::BITS - Verdict::IX_BITS)] = {
            let mut reasons = [Reason::NotGranted; _];
            reasons[Kind::Denied as usize] = Reason::GrantDenies;
            reasons[Kind::Allowed as usize] = Reason::Permitted;
            reasons
        };
        REASONS[(self.0 >> Verdict::IX_BITS) as usize]
    }
}

/// A method or a tool of a server. Two numbers, so that it stays in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Action {
    block: u32,
    /// Its number in the block; of what is no tool that was discovered, with [`BLOCK`] added.
    at: u32,
}

impl Action {
    /// A method that a session needs whatever it is used for.
    pub(super) fn is_session(self) -> bool {
        (BLOCK..BLOCK + SESSION_METHODS_COUNT as u32).contains(&self.at)
    }

    /// A tool of which only the name is known.
    pub(super) fn is_undiscovered(self) -> bool {
        self.at == BLOCK + UNDISCOVERED
    }
}

/// Actions in one block.
const BLOCK: u32 = 64;

/// Where in the block of methods stands what is said of tools that were not discovered.
const UNDISCOVERED: u32 = BLOCK - 1;

const _: () = assert!(METHODS <= UNDISCOVERED as usize, "every method has its place in the first block");

/// What one group says of the actions of one block: hardly ever more than three things. Which of them, or nothing, say two
/// bits for each action.
#[derive(Debug)]
struct Block {
    codes: [u64; 2],
    verdicts: [Verdict; 4],
}

/// Blocks that lie beside each other make a page.
const PAGE: u32 = 16;

/// One page of a group.
#[derive(Debug, Clone, Copy)]
struct Page {
    /// Where it begins in [`Verdicts::blocks_on`].
    at: u32,
    /// The first block of the group.
    blocks: u32,
}

/// The actions of one server.
#[derive(Debug)]
struct Actions {
    first_block: u32,
    tools: u32,
    /// Tools may exist that were not discovered.
    open: bool,
}

/// What every group says of every action.
#[derive(Debug)]
pub(super) struct Verdicts {
    servers: Box<[Actions]>,
    /// By page, then by group.
    pages: Box<[Vec<Page>]>,
    /// Which of its group's blocks lie on a page; groups that say the same of the same things share it.
    blocks_on: Vec<u32>,
    /// By group.
    servers_of: Vec<Servers>,
    /// Those of each group beside each other; its first says nothing.
    blocks: Vec<Block>,
    /// Of blocks of which a group says more than three things.
    wide: Vec<[Verdict; BLOCK as usize]>,
    /// Grants that must be asked, in the order of the policy.
    lists: Box<[Box<[u32]>]>,
}

impl Verdicts {
    /// A tool of a server, by its number there.
    #[inline]
    pub(super) fn tool(&self, server: ServerIx, tool: u32) -> Option<Action> {
        let of = self.servers.get(server.index()).filter(|of| tool < of.tools)?;
        Some(Action { block: of.first_block.wrapping_add(1 + tool / BLOCK), at: tool % BLOCK })
    }

    /// A method of a server, by its number.
    pub(super) fn method(&self, server: ServerIx, method: usize) -> Option<Action> {
        Some(Action { block: self.servers.get(server.index())?.first_block, at: BLOCK + method as u32 })
    }

    /// A tool of a server that nobody has listed.
    pub(super) fn undiscovered(&self, server: ServerIx) -> Option<Action> {
        let of = self.servers.get(server.index()).filter(|of| of.open)?;
        Some(Action { block: of.first_block, at: BLOCK + UNDISCOVERED })
    }

    /// What groups say of an action: the strictest word.
    #[inline]
    pub(super) fn of_all(&self, groups: &Groups, server: ServerIx, action: Action) -> Verdict {
        let pages = self.pages_of(action);
        let word = |group| self.on_page(pages, group, action).unwrap_or(Verdict::NOTHING);
        let mut on_server = groups.on(server);
        // Hardly ever more than one speaks of a server, and whether one does no processor foresees: one is asked in any case.
        let first = word(on_server.next_or_silent());
        let verdict = on_server.map(word).fold(first, Verdict::min);
        if verdict.kind() == Kind::Wide { self.of_all_wide(groups, server, action) } else { verdict }
    }

    #[cold]
    fn of_all_wide(&self, groups: &Groups, server: ServerIx, action: Action) -> Verdict {
        groups.on(server).map(|group| self.of(group, action)).fold(Verdict::NOTHING, Verdict::min)
    }

    /// The servers of which one group speaks.
    pub(super) fn servers_of(&self, group: u32) -> Servers {
        self.servers_of.get(group as usize).copied().unwrap_or_default()
    }

    /// What one group says of it.
    #[inline]
    fn of(&self, group: u32, action: Action) -> Verdict {
        let verdict = self.on_page(self.pages_of(action), group, action).unwrap_or(Verdict::NOTHING);
        match self.wide.get(verdict.ix() as usize) {
            Some(row) if verdict.kind() == Kind::Wide => row[(action.at % BLOCK) as usize],
            _ => verdict,
        }
    }

    /// The page on which the action's block is, of every group.
    #[inline]
    fn pages_of(&self, action: Action) -> &[Page] {
        self.pages.get((action.block / PAGE) as usize).map_or(&[], |pages| pages)
    }

    #[inline]
    fn on_page(&self, pages: &[Page], group: u32, action: Action) -> Option<Verdict> {
        let page = pages.get(group as usize)?;
        let block = self.blocks_on.get((page.at | (action.block % PAGE)) as usize)?;
        let Block { codes, verdicts } = self.blocks.get(page.blocks.wrapping_add(*block) as usize)?;
        let code = codes[(action.at / 32 % 2) as usize] >> (action.at % 32 * 2) & 3;
        Some(verdicts[code as usize])
    }

    /// Every grant that what a group says of an action comes from, in the order of the policy.
    #[inline]
    pub(super) fn grants(&self, group: u32, action: Action) -> impl Iterator<Item = u32> {
        let verdict = self.of(group, action);
        let (one, list) = match verdict.kind() {
            Kind::Denied | Kind::Allowed => (Some(verdict.ix()), None),
            Kind::MayTake | Kind::MayGive => (None, self.lists.get(verdict.ix() as usize)),
            Kind::Wide | Kind::Nothing => (None, None),
        };
        one.into_iter().chain(list.map_or(&[][..], |list| list).iter().copied())
    }
}
