//! Any cells as what a journal kept of limits, then calls at any time under limits whose declaration changes: no limit
//! holds more than it allows, and what is kept can be taken in again.
#![no_main]

use std::collections::BTreeMap;

use dataplane::chain::rate::{Align, Charge, GRACE_US, Mode, Pace, RateKey, RateState};
use wire::frame::RateCell;
use wire::ids::LimitIx;

/// How the limit of a key is declared, now and after a reload. Calls in flight, every fourth, are never kept.
fn pace(key: u8, count: u64, is_longer: bool) -> Pace {
    let period_us = if is_longer { 3_600_000_000 } else { 60_000_000 };
    match key % 4 {
        0 => Pace::window(count, period_us, Align::FirstCall),
        1 => Pace::budget(count, period_us, Align::Utc),
        2 => Pace::gcra(count, period_us, count.min(10)),
        _ => Pace::concurrency(count),
    }
    .unwrap()
}

fn kept(state: &RateState) -> BTreeMap<u128, [u64; 2]> {
    let from_us = state.clock().0.saturating_sub(GRACE_US);
    state.kept().filter(|cell| cell.state[0] > from_us).map(|cell| (cell.key, cell.state)).collect()
}

libfuzzer_sys::fuzz_target!(|input: (u64, Vec<(u8, [u64; 2])>, Vec<(u8, u8, bool, u8, u64)>)| {
    let (mut now_us, cells, calls) = input;
    let mut state = RateState::new(64);
    state.resume(now_us, now_us);
    for (key, words) in cells.into_iter().filter(|(key, _)| key % 4 < 3) {
        let _ = state.restore(&RateCell { key: key.into(), state: words }, now_us);
    }
    for (key, count, is_longer, cost, later_us) in calls {
        now_us = now_us.saturating_add(later_us >> 20);
        let pace = pace(key, u64::from(count) + 1, is_longer);
        let charge = Charge { key: RateKey(key.into()), pace, limit: LimitIx(0), cost: cost.into(), mode: Mode::Enforce };
        let fits = state.peek(&[charge], now_us).is_ok();
        let Ok(admitted) = state.check_and_charge(&[charge], now_us) else { continue };
        assert!(fits, "{charge:?} was admitted, and a look said otherwise");
        let (used, of, _) = state.used(&charge, now_us);
        assert!(used <= of || matches!(pace, Pace::Gcra { .. }), "{charge:?} holds {used} of {of}");
        match cost % 3 {
            0 => state.refund(&[charge], &admitted, now_us),
            1 => state.release(&[charge], &admitted),
            _ => {}
        }
    }
    let (time_us, _) = state.clock();
    let mut again = RateState::new(64);
    again.resume(time_us, time_us);
    for cell in state.kept() {
        again.restore(&cell, time_us).expect("there was room for it");
    }
    assert_eq!(kept(&again), kept(&state));
});
