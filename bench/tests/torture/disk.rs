//! A disk that fails now and then, stops at a given operation, and can then be looked at as a crash of the process or
//! of the machine would leave it.
//!
//! Every operation is done for real in a directory and, beside that, in a model that knows what is durable: the bytes of a
//! file as of its last sync, the names of a directory as of its last sync. What the machine's crash leaves is anything
//! between durable and done: pages and names are drawn by lot.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dataplane::journal::{Fault, Faults, Op, Progress};
use wire::ids::SeqNo;

use crate::lot::Lot;

/// Pages are smaller than real ones, so that short runs have many.
const PAGE: usize = 256;

/// A file that is no longer than this is within one sector, which is written whole or not at all.
const ATOM: usize = 64;

/// What one run does to the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Stop at this operation.
    pub(crate) cut_at: u64,
    /// How many of a thousand operations fail.
    pub(crate) fail_per_mille: u64,
    /// How long a sync takes, in which others write, and which a cut can fall into.
    pub(crate) sync_time: Duration,
    /// Syncs that are claimed and not done: what a build that forgot one of them would do.
    pub(crate) forget: Option<Forget>,
}

/// Which sync is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Forget {
    /// Of a segment's records.
    Records,
    /// Of a new segment, before it gets its name.
    Segment,
    /// Of the directory, after a new segment got its name.
    Name,
}

/// A directory as a crash left it: what each file holds.
pub(crate) type Left = BTreeMap<PathBuf, Vec<u8>>;

/// What was found at the cut.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    /// After a crash of the process.
    pub(crate) process: Left,
    /// After a crash of the machine.
    pub(crate) machine: Left,
    /// What had been acknowledged: number and call.
    pub(crate) acknowledged: Vec<(SeqNo, u64)>,
    /// What had been synced.
    pub(crate) synced: SeqNo,
    /// The operation that it came at, for the report.
    pub(crate) at: String,
}

#[derive(Default)]
struct Inode {
    data: Vec<u8>,
    durable: Vec<u8>,
    /// What a sync that has begun will make durable: not what is written meanwhile.
    syncing: Vec<u8>,
}

struct Model {
    plan: Plan,
    lot: Lot,
    op_count: u64,
    inodes: Vec<Inode>,
    /// Which file a name was last made for: an open file is known by the name it was made with.
    made: BTreeMap<PathBuf, usize>,
    /// Names as they are, and as they were when their directory was last synced, with what happened since.
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    name_steps: Vec<BTreeMap<PathBuf, usize>>,
    acknowledged: Vec<(SeqNo, u64)>,
    progress: Option<Arc<Progress>>,
    cut: Option<Cut>,
}

/// The disk. Lives on the shard and its keeper.
pub(crate) struct Disk(Mutex<Model>);

impl Disk {
    /// A disk that holds what `left` says, all of it durable.
    pub(crate) fn new(left: &Left, plan: Plan, seed: u64) -> Arc<Disk> {
        let mut model = Model {
            plan,
            lot: Lot::new(seed),
            op_count: 0,
            inodes: Vec::new(),
            made: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            name_steps: Vec::new(),
            acknowledged: Vec::new(),
            progress: None,
            cut: None,
        };
        for (path, bytes) in left {
            let inode = model.make(path);
            model.inodes[inode] = Inode { data: bytes.clone(), durable: bytes.clone(), syncing: Vec::new() };
        }
        model.durable_names = model.names.clone();
        model.name_steps.clear();
        Arc::new(Disk(Mutex::new(model)))
    }

    /// Whose progress says what is synced.
    pub(crate) fn watch(&self, progress: &Arc<Progress>) {
        self.model().progress = Some(Arc::clone(progress));
    }

    /// An append was answered.
    pub(crate) fn acknowledge(&self, seq: SeqNo, call: u64) {
        self.model().acknowledged.push((seq, call));
    }

    /// What the shipper may hear of as synced. A sync that was under way at the cut ends without error and is on no disk:
    /// whoever would have told the shipper of it is dead by then.
    pub(crate) fn synced(&self) -> SeqNo {
        let model = self.model();
        model.cut.as_ref().map_or_else(|| model.synced(), |cut| cut.synced)
    }

    /// Whether the cut has come.
    pub(crate) fn is_cut(&self) -> bool {
        self.model().cut.is_some()
    }

    /// What was found at the cut; if it has not come, it comes now.
    pub(crate) fn into_cut(self: Arc<Disk>) -> Cut {
        let mut model = self.model();
        model.cut("the end".to_owned());
        model.cut.clone().unwrap()
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faults for Disk {
    fn before(&self, op: Op<'_>) -> Fault {
        let mut model = self.model();
        model.op_count += 1;
        let dead = || io::Error::other("the disk is gone");
        if model.cut.is_some() {
            return Fault::Fail(dead());
        }
        if model.op_count >= model.plan.cut_at {
            // A write may get as far as it likes.
            if let Op::Write { path, at, bytes } = op {
                let part = model.lot.below(bytes.len() as u64 + 1) as usize;
                let part = if bytes.len() > ATOM { part } else { part / bytes.len().max(1) * bytes.len() };
                model.write(path, at, &bytes[..part]);
            }
            model.cut(format!("{op:?}").chars().take(120).collect());
            return Fault::Fail(dead());
        }
        let fail_per_mille = model.plan.fail_per_mille;
        if !model.lot.chance(fail_per_mille, 1_000) {
            if let Op::Sync(path) = op
                && let Some(inode) = model.made.get(path).copied()
            {
                model.inodes[inode].syncing = model.inodes[inode].data.clone();
            }
            return Fault::None;
        }
        match op {
            Op::Write { bytes, .. } if model.lot.chance(1, 2) => {
                Fault::Short(model.lot.below(bytes.len() as u64 + 1) as usize, io::Error::from_raw_os_error(28))
            }
            _ => Fault::Fail(io::Error::from_raw_os_error(5)),
        }
    }

    fn after(&self, op: Op<'_>) {
        if matches!(op, Op::Sync(_)) {
            // Taken first: nobody waits for the model meanwhile.
            let sync_time = self.model().plan.sync_time;
            std::thread::sleep(sync_time);
        }
        let mut model = self.model();
        if model.cut.is_some() {
            return;
        }
        match op {
            Op::CreateDir(_) => {}
            Op::Create(path) => {
                let inode = model.make(path);
                if path.extension().is_some() {
                    model.inodes[inode].data.clear();
                }
            }
            Op::Write { path, at, bytes } => model.write(path, at, bytes),
            Op::Truncate { path, bytes } => {
                if let Some(inode) = model.made.get(path).copied() {
                    model.inodes[inode].data.truncate(bytes as usize);
                }
            }
            Op::Sync(path) => model.sync(path),
            Op::Rename { from, to } => {
                if let Some(inode) = model.names.remove(from) {
                    model.names.insert(to.to_owned(), inode);
                }
                let names = model.names.clone();
                model.name_steps.push(names);
            }
            Op::SyncDir(path) => model.sync_names(path),
        }
    }
}

impl Model {
    fn make(&mut self, path: &Path) -> usize {
        let inode = self.names.get(path).copied().unwrap_or_else(|| {
            self.inodes.push(Inode::default());
            self.inodes.len() - 1
        });
        self.made.insert(path.to_owned(), inode);
        self.names.insert(path.to_owned(), inode);
        self.name_steps.push(self.names.clone());
        inode
    }

    fn write(&mut self, path: &Path, at: u64, bytes: &[u8]) {
        let Some(inode) = self.made.get(path).copied() else { return };
        let data = &mut self.inodes[inode].data;
        let at = at as usize;
        data.resize(data.len().max(at + bytes.len()), 0);
        data[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn sync(&mut self, path: &Path) {
        let Some(inode) = self.made.get(path).copied() else { return };
        let is_named = !self.names.contains_key(path);
        let forgotten = if is_named { Forget::Records } else { Forget::Segment };
        if self.plan.forget != Some(forgotten) {
            self.inodes[inode].durable = std::mem::take(&mut self.inodes[inode].syncing);
        }
    }

    fn sync_names(&mut self, _directory: &Path) {
        if self.plan.forget != Some(Forget::Name) {
            self.durable_names = self.names.clone();
            self.name_steps.clear();
        }
    }

    /// Of what is synced here the model knows already.
    fn synced(&self) -> SeqNo {
        self.progress.as_ref().map_or(SeqNo(0), |progress| progress.synced())
    }

    fn cut(&mut self, at: String) {
        if self.cut.is_some() {
            return;
        }
        let synced = self.synced();
        let process = self.names.iter().map(|(path, inode)| (path.clone(), self.inodes[*inode].data.clone())).collect();
        let step = self.lot.below(self.name_steps.len() as u64 + 1) as usize;
        let names = if step == 0 { self.durable_names.clone() } else { self.name_steps[step - 1].clone() };
        let machine = names.into_iter().map(|(path, inode)| (path, self.after_power_loss(inode))).collect();
        self.cut = Some(Cut { process, machine, acknowledged: self.acknowledged.clone(), synced, at });
    }

    /// Each page and the length are as they were when the file was synced, or as they are.
    fn after_power_loss(&mut self, inode: usize) -> Vec<u8> {
        let Model { inodes, lot, .. } = self;
        let Inode { data, durable, .. } = &inodes[inode];
        let (short, long) = (data.len().min(durable.len()), data.len().max(durable.len()));
        let length = match lot.below(4) {
            0 => durable.len(),
            1 => data.len(),
            2 if long <= ATOM => durable.len(),
            3 if long <= ATOM => data.len(),
            _ => short + lot.below((long - short) as u64 + 1) as usize,
        };
        let mut out = durable.clone();
        out.resize(length, 0);
        for from in (0..length).step_by(PAGE) {
            let to = length.min(from + PAGE).min(data.len());
            if from < to && lot.chance(1, 2) {
                out[from..to].copy_from_slice(&data[from..to]);
            }
        }
        out
    }
}
