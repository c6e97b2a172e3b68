//! The cells of one shard: a chained hash table over a slab, threaded by a timing wheel.
//!
//! Everything is reserved when the table is made and nothing moves afterwards, so no call ever pays for growth, for a
//! rehash or for tombstones (an open-addressing table that deletes must now and then rehash in place: 20 ms at a
//! million keys). Pages that hold no cell are never touched and cost no memory.
//!
//! The wheel is lazy: a cell stays in the bucket it was first put in; when that bucket is due, cells that were charged
//! since go to a later one, the others are removed. Removal work is bounded per call, see [`Table::sweep`].
//!
//! INVARIANT: a cell is in exactly one chain, and in exactly one bucket unless nothing but a release ends it.

use std::num::NonZeroU32;
use std::ops::Range;

use super::key::RateKey;
use super::pace::Cell;

/// Most cells of one shard. LIMIT: 50 bytes each; slots are numbered in 32 bits with room to spare.
pub const CELLS_MAX: usize = 1 << 24;

/// How long after its end a cell is kept. LIMIT: clocks of shards differ by
/// less than this, and a step back that is shorter is waited out.
pub const GRACE_US: u64 = 2_000_000;

/// How far ahead a cell may end. LIMIT: a month and some days; what lies further ahead is the work of a broken clock.
pub const SPAN_US_MAX: u64 = 40 * 86_400 * 1_000_000;

/// One tick of the wheel is 2^20 µs, about a second.
const TICK_SHIFT: u32 = 20;
/// Buckets of the wheel: 72 minutes. Cells that end later come around again.
const BUCKETS: u64 = 4096;

/// No slot: the end of a chain. Slots are numbered from 1, so that fresh pages are empty chains.
const NIL: u32 = 0;

/// A cell's place; valid until the cell is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(NonZeroU32);

impl Slot {
    fn index(self) -> usize {
        self.0.get() as usize
    }
}

#[derive(Clone, Copy)]
#[repr(align(32))]
struct Entry {
    key: RateKey,
    cell: Cell,
}

#[derive(Clone, Copy)]
struct Links {
    /// The next slot of the chain, or of the free list.
    chain: u32,
    /// The next slot of the bucket.
    bucket: u32,
}

const _: () = assert!(size_of::<Entry>() == 32 && size_of::<Links>() == 8);

pub(crate) struct Table {
    heads: Box<[u32]>,
    entries: Vec<Entry>,
    links: Vec<Links>,
    buckets: Box<[u32]>,
    free: u32,
    live: usize,
    cells_max: usize,
    /// The first tick that was not swept to the end.
    cursor: u64,
}

/// The table holds as many cells as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Table {
    pub(crate) fn new(cells_max: usize) -> Table {
        let cells_max = cells_max.clamp(1, CELLS_MAX);
        Table {
            heads: vec![NIL; cells_max.next_power_of_two() * 2].into_boxed_slice(),
            entries: with_first(cells_max, Entry { key: RateKey(0), cell: Cell::EMPTY }),
            links: with_first(cells_max, Links { chain: NIL, bucket: NIL }),
            buckets: vec![NIL; BUCKETS as usize].into_boxed_slice(),
            free: NIL,
            live: 0,
            cells_max,
            cursor: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.heads)
            + self.entries.capacity() * size_of::<Entry>()
            + self.links.capacity() * size_of::<Links>()
            + size_of_val(&*self.buckets)
    }

    /// Slots that were ever used.
    pub(crate) fn slots(&self) -> usize {
        self.entries.len()
    }

    /// Every cell in some of the slots that says something at this time.
    pub(crate) fn iter_among(&self, slots: Range<usize>, now_us: u64) -> impl Iterator<Item = (RateKey, Cell)> + '_ {
        let some = self.entries.get(slots.start..slots.end.min(self.entries.len())).unwrap_or_default();
        some.iter().filter(move |entry| entry.cell.is_live(now_us)).map(|entry| (entry.key, entry.cell))
    }

    #[inline]
    pub(crate) fn find(&self, key: RateKey) -> Option<Slot> {
        let mut at = self.heads[self.head(key)];
        while let Some(slot) = NonZeroU32::new(at) {
            if self.entries[at as usize].key == key {
                return Some(Slot(slot));
            }
            at = self.links[at as usize].chain;
        }
        None
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Cell {
        self.entries[slot.index()].cell
    }

    #[inline]
    pub(crate) fn set(&mut self, slot: Slot, cell: Cell) {
        self.entries[slot.index()].cell = cell;
    }

    /// Puts in a key that is not there.
    pub(crate) fn insert(&mut self, key: RateKey, cell: Cell, now_us: u64) -> Result<Slot, Full> {
        if self.live == self.cells_max {
            return Err(Full);
        }
        if self.live == 0 {
            self.cursor = now_us >> TICK_SHIFT;
        }
        let head = self.head(key);
        let links = Links { chain: self.heads[head], bucket: NIL };
        let slot = if self.free == NIL {
            self.entries.push(Entry { key, cell });
            self.links.push(links);
            (self.entries.len() - 1) as u32
        } else {
            let slot = self.free;
            self.free = self.links[slot as usize].chain;
            self.entries[slot as usize] = Entry { key, cell };
            self.links[slot as usize] = links;
            slot
        };
        self.heads[head] = slot;
        self.live += 1;
        self.schedule(slot, cell.at_us);
        NonZeroU32::new(slot).map(Slot).ok_or(Full)
    }

    /// Takes out the cell that was put in last, or one that is in no bucket.
    pub(crate) fn remove_newest(&mut self, slot: Slot) {
        let at_us = self.get(slot).at_us;
        let number = slot.0.get();
        if at_us != u64::MAX {
            let bucket = self.bucket_of(at_us);
            if self.buckets[bucket] == number {
                self.buckets[bucket] = self.links[slot.index()].bucket;
            } else {
                // Not the newest after all: left to the wheel, as a cell that says nothing.
                self.set(slot, Cell::EMPTY);
                return;
            }
        }
        self.unlink(number);
    }

    /// Goes on with the buckets that are due: looks at no more than `steps` cells and at 64 empty buckets.
    #[inline]
    pub(crate) fn sweep(&mut self, now_us: u64, steps: u32) {
        if now_us >> TICK_SHIFT >= self.cursor {
            self.sweep_due(now_us, steps);
        }
    }

    #[cold]
    fn sweep_due(&mut self, now_us: u64, steps: u32) {
        let now = now_us >> TICK_SHIFT;
        // After a pause one turn of the wheel reaches every bucket.
        self.cursor = self.cursor.max(now.saturating_sub(BUCKETS));
        let (mut cells, mut empty) = (steps, 64);
        while self.cursor <= now {
            let bucket = (self.cursor % BUCKETS) as usize;
            let slot = self.buckets[bucket];
            if slot == NIL {
                self.cursor += 1;
                empty -= 1;
                if empty == 0 {
                    return;
                }
                continue;
            }
            if cells == 0 {
                return;
            }
            cells -= 1;
            self.buckets[bucket] = self.links[slot as usize].bucket;
            let cell = &mut self.entries[slot as usize].cell;
            cell.at_us = cell.at_us.min(now_us.saturating_add(SPAN_US_MAX));
            let at_us = cell.at_us;
            if at_us.saturating_add(GRACE_US) <= now_us {
                self.unlink(slot);
            } else {
                self.schedule(slot, at_us);
            }
        }
    }

    fn head(&self, key: RateKey) -> usize {
        key.slot_hash() as usize & (self.heads.len() - 1)
    }

    /// The bucket in whose turn the cell is certainly over, or the last one before the wheel comes around.
    fn bucket_of(&self, at_us: u64) -> usize {
        let due = (at_us.saturating_add(GRACE_US) >> TICK_SHIFT) + 1;
        (due.clamp(self.cursor, self.cursor + BUCKETS - 1) % BUCKETS) as usize
    }

    fn schedule(&mut self, slot: u32, at_us: u64) {
        if at_us != u64::MAX {
            let bucket = self.bucket_of(at_us);
            self.links[slot as usize].bucket = self.buckets[bucket];
            self.buckets[bucket] = slot;
        }
    }

    fn unlink(&mut self, slot: u32) {
        let head = self.head(self.entries[slot as usize].key);
        let after = self.links[slot as usize].chain;
        if self.heads[head] == slot {
            self.heads[head] = after;
        } else {
            let mut at = self.heads[head];
            while at != NIL {
                let next = self.links[at as usize].chain;
                if next == slot {
                    self.links[at as usize].chain = after;
                    break;
                }
                at = next;
            }
        }
        self.entries[slot as usize].cell = Cell::EMPTY;
        self.links[slot as usize].chain = self.free;
        self.free = slot;
        self.live -= 1;
    }
}

/// A vector with room for so many, behind one that is never used.
fn with_first<T>(count: usize, first: T) -> Vec<T> {
    let mut all = Vec::with_capacity(count + 1);
    all.push(first);
    all
}

#[cfg(test)]
mod tests;
