//! Noting the state of rate limits beside the journal, so that limits outlive the segments that hold their charges.
//! Lives on: one shard, which collects in small turns; a thread of its own writes and syncs.

use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use wire::frame::RateCell;

use crate::journal::ReadError;
use crate::journal::rates::RateNote;
use crate::limits::RATE_NOTE_PLACES;
use crate::shard::Shard;

/// How often it is looked whether a note is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How soon a note that failed is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Notes the limiter's state again and again: at the latest after `every`, and as soon as the clock was set back, for then
/// what was noted of the time no longer holds.
pub async fn keep(shard: Rc<Shard>, every: Duration) {
    let mut due = Instant::now() + every;
    let mut ahead_us = shard.rates.borrow().clock().1;
    loop {
        glommio::timer::Timer::new(LOOK_EVERY.min(every)).await;
        if !shard.started.get() {
            // Others may still have to note what they took over from here.
            continue;
        }
        let now_ahead_us = shard.rates.borrow().clock().1;
        if Instant::now() < due && now_ahead_us == ahead_us {
            continue;
        }
        ahead_us = now_ahead_us;
        let noted = note(&shard).await;
        due = Instant::now() + if noted.is_ok() { every } else { AGAIN_AFTER };
        if let Err(error) = noted {
            tracing::error!(shard = shard.ix, %error, "the state of rate limits could not be noted; segments stay until it is");
        }
    }
}

/// One note, in turns: charges that are made meanwhile are in the journal too.
async fn note(shard: &Rc<Shard>) -> Result<(), ReadError> {
    let begun_us = shard.now_us();
    let mut cells = Vec::new();
    let mut from = 0;
    while from < shard.rates.borrow().places() {
        cells.extend(shard.rates.borrow().kept_among(from..from + RATE_NOTE_PLACES));
        from += RATE_NOTE_PLACES;
        glommio::executor().yield_now().await;
    }
    let (time_us, ahead_us) = shard.rates.borrow().clock();
    let note = RateNote { noted_at_us: begun_us, time_us, ahead_us, cells };
    let (told, written) = oneshot::channel();
    let dir = shard.journal.dir().to_owned();
    let spawned = std::thread::Builder::new().name(format!("sp-rates-{}", shard.ix)).spawn(move || {
        let _ = told.send(note.store(&dir));
    });
    let failed = |source| ReadError::Io { doing: "write", path: shard.journal.dir().to_owned(), source };
    spawned.map_err(failed)?;
    written.await.unwrap_or_else(|_| Err(failed(std::io::Error::other("the thread that writes it ended"))))?;
    shard.journal.progress().set_rates_noted_us(begun_us);
    Ok(())
}

/// The first note of a run: before it serves, so that what an earlier run noted of the time is superseded. Cells that were
/// `known` here and live on other shards now stay in it, for those may not have noted them yet.
///
/// # Errors
/// The disk refuses.
pub fn first(shard: &Shard, known: &[RateCell]) -> Result<(), ReadError> {
    let rates = shard.rates.borrow();
    let (time_us, ahead_us) = rates.clock();
    let noted_at_us = shard.now_us();
    RateNote { noted_at_us, time_us, ahead_us, cells: rates.kept().chain(known.iter().copied()).collect() }
        .store(shard.journal.dir())?;
    shard.journal.progress().set_rates_noted_us(noted_at_us);
    Ok(())
}
