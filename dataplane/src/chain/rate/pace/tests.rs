//! What `pace` promises, as rows and properties.

use proptest::prelude::*;

use super::*;

/// GCRA by its definition: a call fits if, counted from any earlier call, what was admitted since stays within the burst
/// and the time that has passed at the rate's pace. Slow and obvious.
struct Oracle {
    count: u64,
    period_us: u64,
    burst: u64,
    admitted: Vec<(u64, u64)>,
}

impl Oracle {
    fn fits(&self, cost: u64, now_us: u64) -> bool {
        let mut sum = u128::from(cost);
        if sum > u128::from(self.burst) {
            return false;
        }
        self.admitted.iter().rev().all(|(at_us, cost)| {
            sum += u128::from(*cost);
            let over = sum.saturating_sub(u128::from(self.burst));
            over * u128::from(self.period_us) <= u128::from(now_us - at_us) * u128::from(self.count)
        })
    }
}

fn gcra(count: u64, period_us: u64, burst: u64) -> Pace {
    let depth = burst * period_us;
    Pace::Gcra {
        step_us: period_us / count,
        step_rem: (period_us % count) as u32,
        count: count as u32,
        depth_us: depth / count,
        depth_rem: (depth % count) as u32,
    }
}

const START_US: u64 = 1_700_000_000_000_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn gcra_is_its_definition_and_says_when_to_retry(
        count in 1..200_u64, period_us in 1..5_000_u64, burst in 1..40_u64,
        calls in prop::collection::vec((0..60_u64, 1..4_u32), 1..300),
    ) {
        let pace = gcra(count, period_us, burst);
        let mut oracle = Oracle { count, period_us, burst, admitted: Vec::new() };
        let (mut now_us, mut cell) = (START_US, Cell::EMPTY);
        for (step_us, cost) in calls {
            now_us += step_us;
            let wide = u64::from(cost);
            match pace.admit(cell, cost, now_us) {
                Fit::Yes(next) => {
                    prop_assert!(oracle.fits(wide, now_us));
                    oracle.admitted.push((now_us, wide));
                    prop_assert!(next > cell, "later states are greater");
                    cell = next;
                }
                Fit::No(next, wait_us) => {
                    prop_assert!(!oracle.fits(wide, now_us));
                    let wait_us = wait_us.unwrap_or(0);
                    if wide <= burst {
                        prop_assert!(oracle.fits(wide, now_us + wait_us));
                        prop_assert!(!oracle.fits(wide, now_us + wait_us - 1));
                    }
                    // What it leaves behind answers as what was there.
                    prop_assert_eq!(pace.admit(next, cost, now_us), pace.admit(cell, cost, now_us));
                }
            }
        }
    }

    #[test]
    fn a_refund_never_gives_back_more_than_the_charge_still_holds(
        count in 1..50_u64, period_us in 1..5_000_u64, burst in 1..20_u64, given_back in 0..50_usize,
        calls in prop::collection::vec(0..80_u64, 1..60), late_us in 0..200_u64,
    ) {
        // One charge is taken back; had it never been made, at least as much must still be admitted as we do.
        let pace = gcra(count, period_us, burst);
        let mut oracle = Oracle { count, period_us, burst, admitted: Vec::new() };
        let (mut now_us, mut cell, mut charged) = (START_US, Cell::EMPTY, None);
        for (i, step_us) in calls.iter().enumerate() {
            now_us += step_us;
            if let Fit::Yes(next) = pace.admit(cell, 1, now_us) {
                cell = next;
                if i >= given_back && charged.is_none() {
                    charged = Some((now_us, next));
                } else {
                    oracle.admitted.push((now_us, 1));
                }
            }
        }
        now_us += late_us;
        if let Some((charged_us, charged)) = charged {
            let mut after = pace.refund(cell, 1, charged, charged_us, now_us);
            prop_assert!(after <= cell);
            if late_us == 0 && charged_us == now_us && cell == charged {
                prop_assert!(matches!(pace.admit(after, 1, now_us), Fit::Yes(next) if next == charged), "all of it at once");
            }
            while let Fit::Yes(next) = pace.admit(after, 1, now_us) {
                prop_assert!(oracle.fits(1, now_us));
                oracle.admitted.push((now_us, 1));
                after = next;
            }
        }
    }

    #[test]
    fn a_window_is_a_list_of_its_calls(
        quota in 1..30_u64, period_us in 1..1_000_u64, utc: bool,
        calls in prop::collection::vec((0..200_u64, 1..4_u32), 1..300),
    ) {
        let align = if utc { Align::Utc } else { Align::FirstCall };
        let pace = Pace::Window { period_us, quota, align };
        let (mut now_us, mut cell) = (START_US, Cell::EMPTY);
        let (mut window, mut in_window): (u64, Vec<u64>) = (0, Vec::new());
        for (step_us, cost) in calls {
            now_us += step_us;
            let begins_us = match align {
                Align::Utc => now_us / period_us * period_us,
                Align::FirstCall if in_window.is_empty() || now_us - window >= period_us => now_us,
                Align::FirstCall => window,
            };
            if begins_us != window {
                window = begins_us;
                in_window.clear();
            }
            let fits = in_window.len() as u64 + u64::from(cost) <= quota;
            match pace.admit(cell, cost, now_us) {
                Fit::Yes(next) => {
                    prop_assert!(fits);
                    in_window.extend((0..cost).map(|_| now_us));
                    cell = next;
                }
                Fit::No(_, wait_us) => {
                    prop_assert!(!fits);
                    prop_assert_eq!(wait_us, Some(window + period_us - now_us));
                }
            }
        }
    }

    #[test]
    fn no_input_panics(at_us: u64, used: u64, cost: u32, now_us: u64, charged_us: u64, micro_usd: i64, kind in 0..4_u8, utc: bool) {
        let align = if utc { Align::Utc } else { Align::FirstCall };
        let pace = match kind {
            0 => gcra(7, 60_000_000, 7),
            1 => Pace::Window { period_us: 60_000_000, quota: 7, align },
            2 => Pace::Concurrency { at_most: 7 },
            _ => Pace::Budget { period_us: 60_000_000, micro_usd: 7, align },
        };
        let cell = Cell { at_us, used };
        let fit = pace.admit(cell, cost, now_us);
        if let Fit::Yes(charged) = fit {
            prop_assert!(pace.is_kept() || charged.used <= 7);
            let _ = pace.refund(charged, cost, charged, charged_us, now_us);
        }
        let _ = (pace.refund(cell, cost, cell, charged_us, now_us), pace.settle(cell, micro_usd, now_us));
    }
}

#[test]
fn a_budget_may_be_overdrawn_by_what_was_let_in_before() {
    let pace = Pace::Budget { period_us: 1_000, micro_usd: 50, align: Align::FirstCall };
    let Fit::Yes(open) = pace.admit(Cell::EMPTY, 0, START_US) else { panic!("an unused budget refused") };
    let at_49 = pace.settle(open, 49, START_US + 1);
    assert!(matches!(pace.admit(at_49, 0, START_US + 2), Fit::Yes(_)));
    let overdrawn = pace.settle(at_49, 500, START_US + 3);
    assert_eq!(overdrawn.used, 549);
    assert_eq!(pace.admit(overdrawn, 0, START_US + 4), Fit::No(overdrawn, Some(996)));
    let returned = pace.settle(overdrawn, -500, START_US + 5);
    assert!(matches!(pace.admit(returned, 0, START_US + 6), Fit::Yes(_)));
    let Fit::Yes(next) = pace.admit(overdrawn, 0, START_US + 1_000) else { panic!("a new period refused") };
    assert_eq!(next, Cell { at_us: START_US + 2_000, used: 0 });
}
