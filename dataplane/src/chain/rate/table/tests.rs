//! What `table` promises, as rows and properties.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// Keys whose chains collide: the low bits take few values.
fn key(n: u8) -> RateKey {
    RateKey(u128::from(n) << 64 | u128::from(n % 3))
}

proptest! {
    #[test]
    fn the_table_is_a_map_that_forgets_only_what_is_over(
        steps in prop::collection::vec((any::<u8>(), 0..30_000_000_u64, 0..8_000_000_u64, 0..4_u8), 1..400),
    ) {
        let mut table = Table::new(64);
        let mut model: HashMap<RateKey, Cell> = HashMap::new();
        let mut now_us = 1_000_000_000;
        for (n, ahead_us, pass_us, what) in steps {
            now_us += pass_us;
            let key = key(n % 100);
            match what {
                0 => table.sweep(now_us, 3),
                1 => {
                    if let Some(slot) = table.find(key) {
                        table.set(slot, Cell::EMPTY);
                        model.remove(&key);
                    }
                }
                _ => {
                    let cell = Cell { at_us: now_us + ahead_us + 1, used: u64::from(n) };
                    let put = match table.find(key) {
                        Some(slot) => {
                            table.set(slot, cell);
                            Ok(slot)
                        }
                        None => table.insert(key, cell, now_us),
                    };
                    match put {
                        Ok(slot) => {
                            prop_assert_eq!(table.get(slot), cell);
                            model.insert(key, cell);
                        }
                        Err(Full) => prop_assert_eq!(table.len(), 64),
                    }
                }
            }
            for (key, cell) in &model {
                match table.find(*key) {
                    Some(slot) => prop_assert_eq!(table.get(slot), *cell),
                    None => prop_assert!(cell.at_us + GRACE_US <= now_us, "{:?} was forgotten too early", key),
                }
            }
            let live: HashMap<RateKey, Cell> = table.iter_among(0..table.slots(), now_us).collect();
            prop_assert!(live.iter().all(|(key, cell)| model.get(key) == Some(cell)));
            prop_assert_eq!(live.len(), model.values().filter(|cell| cell.is_live(now_us)).count());
        }
        // Everything goes in the end, within two turns of the wheel.
        for _ in 0..2 * BUCKETS {
            now_us += 1 << TICK_SHIFT;
            table.sweep(now_us, 3);
        }
        prop_assert_eq!(table.len(), 0);
    }
}

#[test]
fn a_cell_that_is_charged_again_stays() {
    let mut table = Table::new(4);
    let Ok(slot) = table.insert(key(1), Cell { at_us: 5_000_000, used: 0 }, 0) else { panic!("an empty table is full") };
    for second in 1..10_000_u64 {
        let now_us = second * 1_000_000;
        table.set(slot, Cell { at_us: now_us + 5_000_000, used: 0 });
        table.sweep(now_us, 2);
        assert_eq!(table.find(key(1)), Some(slot));
    }
    table.sweep(10_010_000_000, 2);
    assert_eq!(table.find(key(1)), None);
}

#[test]
fn a_sweep_looks_at_no_more_than_it_may() {
    let mut table = Table::new(1_000);
    for n in 0..1_000_u128 {
        assert!(table.insert(RateKey(n), Cell { at_us: 1_000, used: 0 }, 0).is_ok());
    }
    let mut sweeps = 0;
    while table.len() > 0 {
        let before = table.len();
        table.sweep(1 << 40, 7);
        assert!(before - table.len() <= 7);
        sweeps += 1;
        assert!(sweeps < 1_000);
    }
}

#[test]
fn a_million_keys_fit_in_64_megabytes() {
    for keys in [1_000_000, 1 << 20] {
        let table = Table::new(keys);
        assert!(table.bytes() <= 64_000_000, "{keys} keys take {} bytes", table.bytes());
    }
}

#[test]
fn what_was_put_in_last_can_be_taken_out_again() {
    let mut table = Table::new(3);
    let cell = Cell { at_us: 9_000_000, used: 0 };
    let slots: Vec<_> = (0..3).filter_map(|n| table.insert(key(n), cell, 0).ok()).collect();
    assert_eq!(table.insert(key(9), cell, 0), Err(Full));
    for (left, slot) in slots.into_iter().enumerate().rev() {
        table.remove_newest(slot);
        assert_eq!(table.len(), left);
    }
    assert!((0..3).all(|n| table.find(key(n)).is_none()));
    table.sweep(1 << 40, 100);
    assert!((0..3).all(|n| table.insert(key(n), cell, 1 << 40).is_ok()));
}
