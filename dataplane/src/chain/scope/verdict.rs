//! What the grants for the same principals say of every method and tool, before any argument is known.
//! Lives in a compiled policy and is shared by all shards.
//!
//! Methods and tools of a server are its actions. Sixty-four of them make a block, the first of a server that of its
//! methods. What thousands of principals may do is made of what a few groups of grants say, a cache line for each group
//! and block: all of it stays in a core's cache, and a call takes the strictest word of the groups that its principal is
//! in.

use std::collections::HashMap;

use wire::ids::ServerIx;
use wire::snapshot::Effect;

use super::grants::{Cover, Grant, METHODS, SESSION_METHODS_COUNT, ServerTools};

/// What is said of an action: its kind, and which grant or list of grants says so. The smallest of several groups' verdicts
/// is the one of all of them.
///
/// LIMIT: 2^29 grants; fewer fit into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Verdict(u32);

/// What kind of verdict, the strictest first.
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

    /// Whether the arguments or the scopes held decide.
    #[inline]
    pub(super) fn is_conditional(self) -> bool {
        matches!(self.kind(), Kind::MayTake | Kind::MayGive)
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
    /// By page, then by group: where in `blocks_on` that page of the group begins. Groups that say nothing there share one.
    pages: Box<[Vec<u32>]>,
    /// Where the blocks of each page are.
    blocks_on: Vec<u32>,
    /// The first says nothing.
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
    pub(super) fn of_all(&self, groups: &[u32], action: Action) -> Verdict {
        let pages = self.pages_of(action);
        let said = groups.iter().filter_map(|group| self.on_page(pages, *group, action));
        let verdict = said.fold(Verdict::NOTHING, Verdict::min);
        if verdict.kind() == Kind::Wide { self.of_all_wide(groups, action) } else { verdict }
    }

    #[cold]
    fn of_all_wide(&self, groups: &[u32], action: Action) -> Verdict {
        groups.iter().map(|group| self.of(*group, action)).fold(Verdict::NOTHING, Verdict::min)
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
    fn pages_of(&self, action: Action) -> &[u32] {
        self.pages.get((action.block / PAGE) as usize).map_or(&[], |pages| pages)
    }

    #[inline]
    fn on_page(&self, pages: &[u32], group: u32, action: Action) -> Option<Verdict> {
        let page = pages.get(group as usize)?;
        let block = self.blocks_on.get((page | (action.block % PAGE)) as usize)?;
        let Block { codes, verdicts } = self.blocks.get(*block as usize)?;
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

/// Compiles what groups say, one after the other.
pub(super) struct VerdictsBuilder {
    verdicts: Verdicts,
    lists: Lists,
}

/// Lists of grants, each once.
#[derive(Default)]
struct Lists {
    all: Vec<Box<[u32]>>,
    known: HashMap<Box<[u32]>, u32>,
}

impl Lists {
    fn intern(&mut self, list: Vec<u32>) -> u32 {
        let list = list.into_boxed_slice();
        *self.known.entry(list).or_insert_with_key(|list| {
            self.all.push(list.clone());
            self.all.len() as u32 - 1
        })
    }
}

/// A grant of a group, by its number, and its tools on one server.
type OnServer<'g> = (u32, &'g Grant, &'g Cover);

/// What one grant says of the actions of one block.
struct Word {
    grant: u32,
    takes: bool,
    /// Whatever the arguments are.
    certain: u64,
    /// Depending on them, or on the scopes held.
    asked: u64,
}

impl Word {
    /// Of the methods of a server. Whoever is allowed anything on it may open a session, whatever the arguments of the
    /// calls to come.
    fn of_methods(ix: u32, grant: &Grant, open: bool) -> Word {
        let session = (1 << SESSION_METHODS_COUNT) - 1;
        let named = grant.methods.actions();
        // Which of them are meant, only the name will say.
        let undiscovered = u64::from(open && grant.methods.covers_calls()) << UNDISCOVERED;
        let takes = grant.effect == Effect::Deny;
        let all = if takes { named } else { named | session };
        let certain = match (grant.is_certain(), takes || !grant.scopes.is_empty()) {
            (true, _) => all,
            (false, true) => 0,
            (false, false) => session,
        };
        Word { grant: ix, takes, certain, asked: all & !certain | undiscovered }
    }

    fn of_tools(ix: u32, grant: &Grant, covered: u64) -> Word {
        let covered = if grant.methods.covers_calls() { covered } else { 0 };
        let (certain, asked) = if grant.is_certain() { (covered, 0) } else { (0, covered) };
        Word { grant: ix, takes: grant.effect == Effect::Deny, certain, asked }
    }

    fn speaks(&self) -> u64 {
        self.certain | self.asked
    }
}

impl VerdictsBuilder {
    /// For these servers.
    pub(super) fn new(servers: &[ServerTools]) -> VerdictsBuilder {
        let mut blocks = 0;
        let servers: Box<[Actions]> = servers
            .iter()
            .map(|server| {
                let (first_block, tools) = (blocks, server.names.len());
                blocks += 1 + tools.div_ceil(BLOCK as usize) as u32;
                Actions { first_block, tools: tools as u32, open: server.open }
            })
            .collect();
        let pages = (0..blocks.div_ceil(PAGE)).map(|_| Vec::new()).collect();
        let silent = Block { codes: [0; 2], verdicts: [Verdict::NOTHING; 4] };
        let (blocks_on, blocks) = (vec![0; PAGE as usize], vec![silent]);
        let verdicts = Verdicts { servers, pages, blocks_on, blocks, wide: Vec::new(), lists: Box::default() };
        VerdictsBuilder { verdicts, lists: Lists::default() }
    }

    /// The next group: its grants, in the order of the policy, each on every server of which it speaks.
    /// Cost: for each block the grants that speak of it, and once more for each different set of those to be asked.
    pub(super) fn group<'g>(&mut self, grants: impl Iterator<Item = (ServerIx, OnServer<'g>)>) {
        self.verdicts.pages.iter_mut().for_each(|groups| groups.push(0));
        let mut grants: Vec<_> = grants.collect();
        grants.sort_by_key(|(server, _)| *server);
        for of_server in grants.chunk_by(|(a, _), (b, _)| a == b) {
            let Some(&Actions { first_block, tools, open }) = self.verdicts.servers.get(of_server[0].0.index()) else { continue };
            let words = |of: &dyn Fn(&OnServer<'g>) -> Word| of_server.iter().map(|(_, grant)| of(grant)).collect::<Vec<_>>();
            self.block(first_block, &words(&|(ix, grant, _)| Word::of_methods(*ix, grant, open)));
            for block in 0..tools.div_ceil(BLOCK) {
                let words = words(&|(ix, grant, cover)| Word::of_tools(*ix, grant, cover.word(block as usize)));
                self.block(first_block + 1 + block, &words);
            }
        }
    }

    /// What the group says of one block.
    fn block(&mut self, block: u32, words: &[Word]) {
        let said = self.verdicts_of(words);
        let Verdicts { pages, blocks_on, blocks, wide, .. } = &mut self.verdicts;
        let Some(page) = pages[(block / PAGE) as usize].last_mut().filter(|_| !said.is_empty()) else { return };
        if *page == 0 {
            *page = blocks_on.len() as u32;
            blocks_on.resize(blocks_on.len() + PAGE as usize, 0);
        }
        blocks_on[(*page | (block % PAGE)) as usize] = blocks.len() as u32;
        blocks.push(Block::of(&said).unwrap_or_else(|| {
            let of = |action: usize| said.iter().find(|(actions, _)| actions >> action & 1 == 1);
            wide.push(std::array::from_fn(|action| of(action).map_or(Verdict::NOTHING, |(_, verdict)| *verdict)));
            Block { codes: [0; 2], verdicts: [Verdict::new(Kind::Wide, wide.len() as u32 - 1); 4] }
        }));
    }

    /// The verdicts of one group on the actions of one block, each action in at most one.
    fn verdicts_of(&mut self, words: &[Word]) -> Vec<(u64, Verdict)> {
        let mut found = Vec::new();
        let mut left = u64::MAX;
        let mut decide = |left: &mut u64, actions: u64, verdict: Verdict| {
            if actions & *left != 0 {
                found.push((actions & *left, verdict));
                *left &= !actions;
            }
        };
        for word in words.iter().filter(|word| word.takes) {
            decide(&mut left, word.certain, Verdict::new(Kind::Denied, word.grant));
        }
        // What a grant gives for certain, another may still take.
        let taken = words.iter().filter(|word| word.takes).fold(0, |taken, word| taken | word.asked) & left;
        left &= !taken;
        for word in words.iter().filter(|word| !word.takes) {
            decide(&mut left, word.certain, Verdict::new(Kind::Allowed, word.grant));
        }
        let mut judged = words.iter().fold(0, |judged, word| judged | word.asked) & left | taken;
        while judged != 0 {
            // All of which the same grants speak.
            let first = judged & judged.wrapping_neg();
            let speaking = |word: &&Word| word.speaks() & first != 0;
            let same = |same: u64, word: &Word| same & if speaking(&word) { word.speaks() } else { !word.speaks() };
            let alike = words.iter().fold(judged, same);
            let list = self.lists.intern(words.iter().filter(speaking).map(|word| word.grant).collect());
            let may_take = words.iter().filter(speaking).any(|word| word.takes);
            found.push((alike, Verdict::new(if may_take { Kind::MayTake } else { Kind::MayGive }, list)));
            judged &= !alike;
        }
        found
    }

    pub(super) fn build(self) -> Verdicts {
        Verdicts { lists: self.lists.all.into(), ..self.verdicts }
    }
}

impl Block {
    /// `None` for more verdicts than it holds.
    fn of(verdicts: &[(u64, Verdict)]) -> Option<Block> {
        let mut block = Block { codes: [0; 2], verdicts: [Verdict::NOTHING; 4] };
        for (code, (actions, verdict)) in (1..).zip(verdicts) {
            *block.verdicts.get_mut(code)? = *verdict;
            let of_word = |word: usize| (0..32).filter(move |at| actions >> (word * 32 + at) & 1 == 1);
            for (word, codes) in block.codes.iter_mut().enumerate() {
                *codes |= of_word(word).fold(0, |codes, at| codes | (code as u64) << (at * 2));
            }
        }
        Some(block)
    }
}
