//! What `rate` promises, as rows and properties.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use proptest::prelude::*;

use wire::decision::Reason;
use wire::frame::RateCell;
use wire::ids::LimitIx;
use wire::snapshot::key_part::{PRINCIPAL, TENANT, TOOL};
use wire::snapshot::{Algorithm, CallClass, Limit, Subject};

use super::*;

const SEED: KeySeed = KeySeed::new([3; 16]);
const START_US: u64 = 1_700_000_000_000_000;
const SEC_US: u64 = 1_000_000;
const MIN_US: u64 = 60 * SEC_US;
const DAY_US: u64 = 1_440 * MIN_US;

fn limit(id: &str, key: u16, algorithm: Algorithm, count: u64, period_us: u64) -> Limit {
    let (id, subject) = (id.to_owned(), Subject::default());
    let (servers, tools, costs) = (Vec::new(), Vec::new(), Vec::new());
    Limit {
        id,
        key,
        algorithm,
        count,
        period_us,
        burst: 0,
        class: CallClass::Calls,
        subject,
        servers,
        tools,
        costs,
        observe: false,
    }
}

/// A policy and what its calls are charged with.
struct Policy(Limits, LimitSet, Costs);

impl Policy {
    fn new(limits: &[Limit]) -> Policy {
        let limits = Limits::compile(limits, SEED, |_| false).unwrap();
        let (set, costs) = (limits.for_subject(|_| true), limits.for_call("server", "tool"));
        Policy(limits, set, costs)
    }

    fn charges(&self, principal: u64, tool: u64) -> Charges {
        let parts = Parts::UNKNOWN.with(Dimension::Principal, principal).with(Dimension::Tool, tool);
        let mut charges = Charges::new();
        self.0.charges(&self.1, &self.2, &parts, &mut charges).unwrap();
        charges
    }
}

#[test]
fn a_window_of_100_a_minute_admits_100_for_each_principal_under_a_minute_of_load() {
    let policy = Policy::new(&[limit("calls", PRINCIPAL, Algorithm::Window, 100, MIN_US)]);
    let mut state = RateState::new(1_000);
    let mut admitted = [0; 50];
    for tick in 0..60_000_u64 {
        let principal = tick * 7 % 50;
        let charges = policy.charges(principal, 0);
        admitted[principal as usize] += usize::from(state.check_and_charge(&charges, START_US + tick * 999).is_ok());
    }
    assert_eq!(admitted, [100; 50]);
}

#[test]
fn gcra_admits_the_burst_and_then_one_each_period_by_count() {
    let policy = Policy::new(&[limit("calls", PRINCIPAL, Algorithm::Gcra, 100, MIN_US)]);
    let mut state = RateState::new(10);
    let charges = policy.charges(1, 0);
    let mut at_us = Vec::new();
    for tick in 0..60_001_u64 {
        if state.check_and_charge(&charges, START_US + tick * 1_000).is_ok() {
            at_us.push(tick * 1_000);
        }
        if tick == 0 {
            while state.check_and_charge(&charges, START_US).is_ok() {
                at_us.push(0);
            }
            assert_eq!(at_us.len(), 100);
        }
    }
    let paced: Vec<u64> = (1..=100).map(|n| n * 600_000).collect();
    assert_eq!(at_us[100..], paced);
}

#[test]
fn one_limit_that_refuses_undoes_the_others_and_the_longest_wait_is_told() {
    let policy = Policy::new(&[
        limit("all", 0, Algorithm::Window, 5, MIN_US),
        limit("each", PRINCIPAL, Algorithm::Window, 2, 60 * MIN_US),
        limit("both", PRINCIPAL | TOOL, Algorithm::Gcra, 1, SEC_US),
    ]);
    let mut state = RateState::new(100);
    assert!(state.check_and_charge(&policy.charges(1, 1), START_US).is_ok());
    let before: Vec<_> = sorted(&state, START_US);
    let refused = state.check_and_charge(&policy.charges(1, 1), START_US).unwrap_err();
    assert_eq!(refused, Refused { limit: LimitIx(2), reason: Reason::RateLimited, retry_after_us: 1_000_000 });
    assert_eq!(sorted(&state, START_US), before, "nothing was charged");
    assert!(state.check_and_charge(&policy.charges(1, 2), START_US).is_ok());
    let refused = state.check_and_charge(&policy.charges(1, 2), START_US).unwrap_err();
    assert_eq!((refused.limit, refused.retry_after_us), (LimitIx(1), 60 * MIN_US), "the longest of two");
    assert_eq!(state.peek(&policy.charges(1, 2), START_US), Err(refused));
    let cells = state.len();
    assert!(state.check_and_charge(&policy.charges(1, 3), START_US).is_err());
    assert_eq!(state.len(), cells, "a refused call leaves no cell behind");
    for principal in 2..5 {
        assert!(state.check_and_charge(&policy.charges(principal, 1), START_US).is_ok());
    }
    assert_eq!(state.check_and_charge(&policy.charges(9, 1), START_US).unwrap_err().limit, LimitIx(0));
}

fn sorted(state: &RateState, now_us: u64) -> Vec<RateCell> {
    let mut all: Vec<_> = state.kept(now_us).collect();
    all.sort_unstable_by_key(|cell| cell.key);
    all
}

#[test]
fn the_same_limit_twice_in_one_call_counts_twice() {
    let policy = Policy::new(&[limit("calls", PRINCIPAL, Algorithm::Window, 3, MIN_US)]);
    let mut state = RateState::new(10);
    let one = policy.charges(1, 0)[0];
    assert!(state.check_and_charge(&[one, one], START_US).is_ok());
    assert!(state.check_and_charge(&[one, one], START_US).is_err());
    assert!(state.check_and_charge(&[one], START_US).is_ok());
    assert!(state.check_and_charge(&[one], START_US).is_err());
    let wide = Policy::new(&[limit("wide", 0, Algorithm::Window, 30, MIN_US)]).charges(1, 0)[0];
    assert_eq!(state.check_and_charge(&[wide; CHARGES_MAX + 1], START_US).unwrap_err().reason, Reason::RateStateFull);
    assert!(state.check_and_charge(&[wide; CHARGES_MAX], START_US).is_ok(), "nothing was charged before");
}

#[test]
fn a_limit_that_only_observes_never_refuses_but_says_so() {
    let mut quiet = limit("quiet", PRINCIPAL, Algorithm::Window, 1, MIN_US);
    quiet.observe = true;
    let policy = Policy::new(&[quiet, limit("loud", PRINCIPAL, Algorithm::Window, 3, MIN_US)]);
    let mut state = RateState::new(10);
    let charges = policy.charges(1, 0);
    let observed: Vec<Vec<LimitIx>> =
        (0..3).map(|_| state.check_and_charge(&charges, START_US).unwrap().observed(&charges).collect()).collect();
    assert_eq!(observed, [vec![], vec![LimitIx(0)], vec![LimitIx(0)]]);
    let refused = state.check_and_charge(&charges, START_US).unwrap_err();
    assert_eq!(refused.limit, LimitIx(1));
    let admitted = state.check_and_charge(&policy.charges(2, 0), START_US).unwrap();
    assert_eq!(admitted.records(&charges).count(), 2);
}

#[test]
fn calls_in_flight_are_counted_until_they_end() {
    let policy = Policy::new(&[limit("at-once", PRINCIPAL, Algorithm::Concurrency, 2, 0)]);
    let mut state = RateState::new(10);
    let charges = policy.charges(1, 0);
    let first = state.check_and_charge(&charges, START_US).unwrap();
    let second = state.check_and_charge(&charges, START_US).unwrap();
    assert_eq!(first.records(&charges).count(), 0, "calls in flight do not outlive the process");
    let refused = state.check_and_charge(&charges, START_US + 1_000 * MIN_US).unwrap_err();
    assert_eq!((refused.reason, refused.retry_after_us), (Reason::ConcurrencyLimited, state::RETRY_US));
    state.release(&charges, &first);
    let third = state.check_and_charge(&charges, START_US).unwrap();
    assert!(state.check_and_charge(&charges, START_US).is_err());
    state.release(&charges, &second);
    state.release(&charges, &third);
    assert!(state.is_empty());
}

#[test]
fn money_is_settled_afterwards() {
    let policy = Policy::new(&[limit("money", TENANT, Algorithm::Budget, 1_000, DAY_US)]);
    let mut state = RateState::new(10);
    let charges = policy.charges(1, 0);
    assert!(state.check_and_charge(&charges, START_US).is_ok());
    let settled = state.settle(&charges[0], 1_200, START_US + 5).unwrap();
    assert_eq!((settled.key, settled.state[1]), (charges[0].key.0, 1_200));
    let refused = state.check_and_charge(&charges, START_US + 6).unwrap_err();
    assert_eq!((refused.reason, refused.retry_after_us), (Reason::BudgetExhausted, DAY_US - (START_US + 6) % DAY_US));
    state.settle(&charges[0], -300, START_US + 7).unwrap();
    assert!(state.check_and_charge(&charges, START_US + 8).is_ok());
}

#[test]
fn a_full_state_refuses_new_keys_and_forgets_no_old_ones() {
    let policy = Policy::new(&[limit("calls", PRINCIPAL, Algorithm::Window, 2, MIN_US)]);
    let mut state = RateState::new(100);
    for principal in 0..100 {
        assert!(state.check_and_charge(&policy.charges(principal, 0), START_US).is_ok());
    }
    let refused = state.check_and_charge(&policy.charges(100, 0), START_US).unwrap_err();
    assert_eq!(refused.reason, Reason::RateStateFull);
    for principal in 0..100 {
        let charges = policy.charges(principal, 0);
        assert!(state.check_and_charge(&charges, START_US + 1).is_ok());
        assert_eq!(state.check_and_charge(&charges, START_US + 2).unwrap_err().reason, Reason::RateLimited);
    }
    // Once their windows and the grace are over there is room again, at once and for all of them.
    let later_us = START_US + MIN_US + 4_000_000;
    for principal in 200..300 {
        assert!(state.check_and_charge(&policy.charges(principal, 0), later_us).is_ok());
    }
    assert_eq!(state.check_and_charge(&policy.charges(300, 0), later_us).unwrap_err().reason, Reason::RateStateFull);
}

#[test]
fn a_refund_makes_room_again_and_only_once() {
    for algorithm in [Algorithm::Gcra, Algorithm::Window] {
        let policy = Policy::new(&[limit("calls", PRINCIPAL, algorithm, 3, MIN_US)]);
        let mut state = RateState::new(10);
        let charges = policy.charges(1, 0);
        let admitted = [(); 3].map(|()| state.check_and_charge(&charges, START_US).unwrap());
        assert!(state.check_and_charge(&charges, START_US).is_err());
        state.refund(&charges, &admitted[1], START_US);
        assert!(state.check_and_charge(&charges, START_US).is_ok());
        assert!(state.check_and_charge(&charges, START_US).is_err());
        // By then the charge holds nothing any more.
        let later_us = START_US + 2 * MIN_US;
        assert!(state.check_and_charge(&charges, later_us).is_ok());
        state.refund(&charges, &admitted[0], later_us);
        let more = (0..9).filter(|_| state.check_and_charge(&charges, later_us).is_ok()).count();
        assert_eq!(more, 2);
    }
}

/// Time as it would have been had the clock stood still instead of stepping back.
fn standing(steps: &[(bool, u64)]) -> Vec<(u64, u64)> {
    let (mut shown, mut stood) = (START_US, START_US);
    let mut both = Vec::new();
    for (back, us) in steps {
        if *back {
            shown -= us;
        } else {
            shown += us;
            stood += us;
        }
        both.push((shown, stood));
    }
    both
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_clock_that_steps_back_admits_nothing_extra(
        steps in prop::collection::vec((prop::bool::weighted(0.1), prop_oneof![0..300_000_u64, 0..10_000_000_u64, 0..200_000_000_u64], 0..4_u64), 1..300),
        paced: bool,
    ) {
        let algorithm = if paced { Algorithm::Gcra } else { Algorithm::Window };
        let policy = Policy::new(&[limit("calls", PRINCIPAL, algorithm, 5, 10 * SEC_US)]);
        let mut state = RateState::new(100);
        // The same calls at the time that stood still: whatever we admit must fit there.
        let (mut admitted, mut latest_us): ([Vec<u64>; 4], u64) = (Default::default(), 0);
        let clock: Vec<(bool, u64)> = steps.iter().map(|(back, us, _)| (*back, *us)).collect();
        for ((shown_us, stood_us), (_, _, principal)) in standing(&clock).into_iter().zip(&steps) {
            let charges = policy.charges(*principal, 0);
            let peeked = state.peek(&charges, shown_us).is_ok();
            let result = state.check_and_charge(&charges, shown_us);
            // Until the clock steps back the two agree; afterwards a cell that was swept is assumed to be used up.
            prop_assert!(peeked == result.is_ok() || shown_us < latest_us);
            latest_us = latest_us.max(shown_us);
            if result.is_err() { continue }
            let calls = &mut admitted[*principal as usize];
            calls.push(stood_us);
            if paced {
                for (i, since) in calls.iter().enumerate() {
                    let over = (calls.len() - i).saturating_sub(5) as u64;
                    prop_assert!(over * 2_000_000 <= stood_us - since);
                }
            } else {
                let windows = 1 + (stood_us - calls[0]) / 10_000_000;
                prop_assert!(calls.len() as u64 <= 5 * windows);
            }
        }
    }

    #[test]
    fn after_any_step_back_every_key_is_whole_again_within_one_period(
        back_us in 1..400 * 86_400_000_000_u64, used in 0..6_u64, paced: bool,
    ) {
        let algorithm = if paced { Algorithm::Gcra } else { Algorithm::Window };
        let policy = Policy::new(&[limit("calls", PRINCIPAL, algorithm, 5, 10 * SEC_US)]);
        let mut state = RateState::new(100);
        let known = policy.charges(1, 0);
        for _ in 0..used {
            let _ = state.check_and_charge(&known, START_US);
        }
        let stepped_us = START_US - back_us;
        // The key is seen at the step and then left alone.
        let _ = state.check_and_charge(&known, stepped_us);
        let later_us = stepped_us + 20_000_000;
        for charges in [known, policy.charges(2, 0)] {
            prop_assert_eq!((0..9).filter(|_| state.check_and_charge(&charges, later_us).is_ok()).count(), 5);
        }
    }

    #[test]
    fn a_restart_on_any_number_of_shards_changes_nothing(
        before in prop::collection::vec((0..20_u64, 0..3_u64, 0..400_000_u64), 1..300),
        after in prop::collection::vec((0..20_u64, 0..3_u64, 0..400_000_u64), 1..100),
        shards in 1..9_u16, pause_us in 0..30_000_000_u64, order: u64,
    ) {
        let policy = Policy::new(&[
            limit("paced", PRINCIPAL, Algorithm::Gcra, 7, 10 * SEC_US),
            limit("counted", PRINCIPAL | TOOL, Algorithm::Window, 4, 9 * SEC_US),
            limit("spent", PRINCIPAL, Algorithm::Budget, 30, 20 * SEC_US),
        ]);
        let mut steady = RateState::new(1_000);
        let mut journal = Vec::new();
        let mut now_us = START_US;
        for (principal, tool, pass_us) in before {
            now_us += pass_us;
            let charges = policy.charges(principal, tool);
            if let Ok(admitted) = steady.check_and_charge(&charges, now_us) {
                journal.extend(admitted.records(&charges));
                journal.push(steady.settle(&charges[2], 3, now_us).unwrap());
            }
        }
        now_us += pause_us;
        // In an order that is none of ours.
        journal.sort_by_key(|cell| (cell.key ^ u128::from(cell.state[0])).wrapping_mul(u128::from(order | 1)));
        let mut restarted: Vec<RateState> = (0..shards).map(|_| RateState::new(1_000)).collect();
        for cell in &journal {
            restarted[usize::from(home_shard(RateKey(cell.key), shards))].restore(cell, now_us).unwrap();
        }
        for (principal, tool, pass_us) in after {
            now_us += pass_us;
            let charges = policy.charges(principal, tool);
            let home = &mut restarted[usize::from(SEED.home_of(principal, shards))];
            let (expected, found) = (steady.check_and_charge(&charges, now_us), home.check_and_charge(&charges, now_us));
            prop_assert_eq!(expected.as_ref().err(), found.as_ref().err());
            if let (Ok(expected), Ok(found)) = (expected, found) {
                prop_assert!(expected.records(&charges).eq(found.records(&charges)));
                prop_assert_eq!(home.settle(&charges[2], 3, now_us), steady.settle(&charges[2], 3, now_us));
            }
        }
    }

    #[test]
    fn what_is_kept_is_enough_to_go_on_from(
        calls in prop::collection::vec((0..20_u64, 0..3_u64, 0..3_000_000_u64), 1..200),
    ) {
        let policy = Policy::new(&[limit("paced", PRINCIPAL, Algorithm::Gcra, 7, 10 * SEC_US), limit("counted", TOOL, Algorithm::Window, 40, 9 * SEC_US)]);
        let (mut old, mut now_us) = (RateState::new(1_000), START_US);
        for (principal, tool, pass_us) in calls {
            now_us += pass_us;
            let _ = old.check_and_charge(&policy.charges(principal, tool), now_us);
        }
        let mut new = RateState::new(1_000);
        for cell in old.kept(now_us) {
            new.restore(&cell, now_us).unwrap();
        }
        for principal in 0..20 {
            let charges = policy.charges(principal, principal % 3);
            while let Ok(admitted) = old.check_and_charge(&charges, now_us) {
                prop_assert!(new.check_and_charge(&charges, now_us).is_ok_and(|new| new.records(&charges).eq(admitted.records(&charges))));
            }
            prop_assert_eq!(new.check_and_charge(&charges, now_us).err(), old.check_and_charge(&charges, now_us).err());
        }
    }
}

#[test]
fn a_journal_that_does_not_fit_is_said_so() {
    let mut state = RateState::new(1);
    let cell = |key, at_us| RateCell { key, state: [at_us, 1] };
    assert_eq!(state.restore(&cell(1, START_US + MIN_US), START_US), Ok(()));
    assert_eq!(state.restore(&cell(2, START_US - MIN_US), START_US), Ok(()), "over, so not needed");
    assert_eq!(state.restore(&cell(2, START_US + MIN_US), START_US), Err(RestoreError::Full { keys: 1 }));
}
