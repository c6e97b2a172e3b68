//! Compiles what each group of grants says: the masks of its grants, sixty-four actions at a time.
//! Off the shards.

use hashbrown::HashMap;
use wire::ids::ServerIx;
use wire::snapshot::Effect;

use super::super::grants::{Cover, Grant, Methods, Place, SESSION_METHODS_COUNT, ServerTools};
use super::super::groups::Servers;
use super::{Actions, BLOCK, Block, Kind, PAGE, Page, UNDISCOVERED, Verdict, Verdicts};

/// Compiles what groups say, one after the other.
pub(in super::super) struct VerdictsBuilder<'p> {
    places: &'p [Place],
    verdicts: Verdicts,
    known_pages: HashMap<Vec<u32>, u32>,
    /// What groups say whose grants differ in nothing but their numbers: there may be one for each user.
    shapes: HashMap<Vec<Likeness>, Shape>,
    lists: Lists,
}

/// What of a grant decides where it speaks, and in what way.
#[derive(PartialEq, Eq, Hash)]
struct Likeness {
    place: u32,
    methods: Methods,
    takes: bool,
    is_certain: bool,
    is_scoped: bool,
}

/// What a group says of everything, its grants and lists of grants numbered from 0.
struct Shape {
    /// Where each page begins in [`Verdicts::blocks_on`].
    pages: Vec<u32>,
    servers: Servers,
    blocks: Vec<Block>,
    wide: Vec<[Verdict; BLOCK as usize]>,
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

impl<'p> VerdictsBuilder<'p> {
    /// For these servers, and grants on these places.
    pub(in super::super) fn new(servers: &[ServerTools], places: &'p [Place]) -> VerdictsBuilder<'p> {
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
        let verdicts = Verdicts {
            servers,
            pages,
            blocks_on: Vec::new(),
            servers_of: Vec::new(),
            blocks: Vec::new(),
            wide: Vec::new(),
            lists: Box::default(),
        };
        VerdictsBuilder { places, verdicts, known_pages: HashMap::new(), shapes: HashMap::new(), lists: Lists::default() }
    }

    /// The next group: its grants, in the order of the policy, with their numbers.
    /// Cost: the first of its shape pays for every block of which it speaks, the others for every different block.
    pub(in super::super) fn group(&mut self, grants: &[(u32, &Grant)]) {
        let alike = grants.iter().map(|(_, grant)| Likeness::of(grant)).collect();
        let VerdictsBuilder { places, verdicts, known_pages, shapes, lists } = self;
        let shape = shapes.entry(alike).or_insert_with(|| Shape::of(grants, places, verdicts, known_pages));
        let ours = |ix: &u32| grants[*ix as usize].0;
        let list_of: Vec<u32> = shape.lists.all.iter().map(|list| lists.intern(list.iter().map(ours).collect())).collect();
        let first_wide = verdicts.wide.len() as u32;
        let numbered = |verdict: Verdict| match verdict.kind() {
            Kind::Denied | Kind::Allowed => Verdict::new(verdict.kind(), ours(&verdict.ix())),
            Kind::MayTake | Kind::MayGive => Verdict::new(verdict.kind(), list_of[verdict.ix() as usize]),
            Kind::Wide => Verdict::new(Kind::Wide, first_wide + verdict.ix()),
            Kind::Nothing => verdict,
        };
        let blocks = verdicts.blocks.len() as u32;
        for (pages, at) in verdicts.pages.iter_mut().zip(&shape.pages) {
            pages.push(Page { at: *at, blocks });
        }
        verdicts.servers_of.push(shape.servers);
        let block = |block: &Block| Block { verdicts: block.verdicts.map(numbered), ..*block };
        verdicts.blocks.extend(shape.blocks.iter().map(block));
        verdicts.wide.extend(shape.wide.iter().map(|row| row.map(numbered)));
    }

    pub(in super::super) fn build(self) -> Verdicts {
        Verdicts { lists: self.lists.all.into(), ..self.verdicts }
    }
}

impl Likeness {
    fn of(grant: &Grant) -> Likeness {
        Likeness {
            place: grant.place,
            methods: grant.methods,
            takes: grant.effect == Effect::Deny,
            is_certain: grant.is_certain(),
            is_scoped: !grant.scopes.is_empty(),
        }
    }
}

impl Shape {
    fn of(grants: &[(u32, &Grant)], places: &[Place], verdicts: &mut Verdicts, known: &mut HashMap<Vec<u32>, u32>) -> Shape {
        let silent = Block { codes: [0; 2], verdicts: [Verdict::NOTHING; 4] };
        let mut shape = Shape {
            pages: Vec::new(),
            servers: Servers::default(),
            blocks: vec![silent],
            wide: Vec::new(),
            lists: Lists::default(),
        };
        let mut said = HashMap::new();
        let mut on_servers: Vec<(u32, (u32, &Grant, &Cover))> = Vec::new();
        for (ix, (_, grant)) in (0..).zip(grants) {
            let covers = places.get(grant.place as usize).map_or(&[][..], |place| &place.covers);
            on_servers.extend(covers.iter().map(|(server, cover)| (*server, (ix, *grant, cover))));
        }
        on_servers.sort_by_key(|(server, _)| *server);
        let mut blocks = vec![0; verdicts.pages.len() * PAGE as usize];
        for of_server in on_servers.chunk_by(|(a, _), (b, _)| a == b) {
            let server = ServerIx(of_server[0].0);
            let Some(&Actions { first_block, tools, open }) = verdicts.servers.get(server.index()) else { continue };
            shape.servers.add(server);
            let methods = of_server.iter().map(|(_, (ix, grant, _))| Word::of_methods(*ix, grant, open)).collect();
            blocks[first_block as usize] = shape.block(&mut said, methods);
            for block in 0..tools.div_ceil(BLOCK) {
                let word = |(ix, grant, cover): &(u32, &Grant, &Cover)| Word::of_tools(*ix, grant, cover.word(block as usize));
                let tools = of_server.iter().map(|(_, of)| word(of)).collect();
                blocks[(first_block + 1 + block) as usize] = shape.block(&mut said, tools);
            }
        }
        let page = |blocks: &[u32]| {
            *known.entry(blocks.to_vec()).or_insert_with(|| {
                verdicts.blocks_on.extend(blocks);
                (verdicts.blocks_on.len() - blocks.len()) as u32
            })
        };
        shape.pages = blocks.chunks(PAGE as usize).map(page).collect();
        shape
    }

    /// The number of the block that says this.
    fn block(&mut self, known: &mut HashMap<Vec<(u64, Verdict)>, u32>, words: Vec<Word>) -> u32 {
        let said = self.verdicts_of(&words);
        if said.is_empty() {
            return 0;
        }
        let Shape { blocks, wide, .. } = self;
        *known.entry(said).or_insert_with_key(|said| {
            blocks.push(Block::of(said).unwrap_or_else(|| {
                let of = |action: usize| said.iter().find(|(actions, _)| actions >> action & 1 == 1);
                wide.push(std::array::from_fn(|action| of(action).map_or(Verdict::NOTHING, |(_, verdict)| *verdict)));
                Block { codes: [0; 2], verdicts: [Verdict::new(Kind::Wide, wide.len() as u32 - 1); 4] }
            }));
            blocks.len() as u32 - 1
        })
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
