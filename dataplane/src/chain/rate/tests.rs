//! What `rate` promises, as rows and properties.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use proptest::prelude::*;

use wire::decision::Reason;
use wire::frame::RateCell;
use wire::ids::LimitIx;
use wire::snapshot::key_part::{PRINCIPAL, TENANT, TOOL};
use wire::snapshot::{Algorithm, CallClass, Limit, Subject};

use super::table::GRACE_US;
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

/// A budget under which every call costs the same.
fn priced(id: &str, key: u16, micro_usd: u64, period_us: u64, price: u32) -> Limit {
    Limit { costs: vec![("*".to_owned(), price)], ..limit(id, key, Algorithm::Budget, micro_usd, period_us) }
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
    let before: Vec<_> = sorted(&state);
    let refused = state.check_and_charge(&policy.charges(1, 1), START_US).unwrap_err();
    assert_eq!(refused, Refused { limit: LimitIx(2), reason: Reason::RateLimited, retry_after_us: 1_000_000 });
    assert_eq!(sorted(&state), before, "nothing was charged");
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

fn sorted(state: &RateState) -> Vec<RateCell> {
    let mut all: Vec<_> = state.kept().collect();
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
fn money_is_charged_by_price_and_settled_afterwards() {
    let policy = Policy::new(&[priced("money", TENANT, 1_000, DAY_US, 400)]);
    let mut state = RateState::new(10);
    let charges = policy.charges(1, 0);
    assert!(state.check_and_charge(&charges, START_US).is_ok());
    assert!(state.check_and_charge(&charges, START_US).is_ok());
    let third = state.check_and_charge(&charges, START_US).unwrap_err();
    assert_eq!(third.reason, Reason::BudgetExhausted, "800 and 400 do not fit into 1,000");
    let settled = state.settle(&charges[0], 400, START_US + 5).unwrap();
    assert_eq!((settled.key, settled.state[1]), (charges[0].key.0, 1_200));
    let refused = state.check_and_charge(&charges, START_US + 6).unwrap_err();
    assert_eq!((refused.reason, refused.retry_after_us), (Reason::BudgetExhausted, DAY_US - (START_US + 6) % DAY_US));
    state.settle(&charges[0], -600, START_US + 7).unwrap();
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

/// What limits mean, slow and obvious: five in ten seconds, of each key, on the clock of its shard.
#[derive(Clone, Default)]
struct Model {
    /// Of each shard: its time, and how far that runs ahead of the clock.
    clocks: Vec<(u64, u64)>,
    /// Of each key: when the window ends and how many were in it; the arrival time.
    cells: std::collections::HashMap<u64, (u64, u64, u64)>,
}

impl Model {
    /// A step back of two seconds or more is a clock that was set: time goes on. A shorter one is waited out.
    fn time(&mut self, shard: usize, shown_us: u64) -> u64 {
        let (time, ahead) = &mut self.clocks[shard];
        if shown_us + *ahead + GRACE_US <= *time {
            *ahead = *time - shown_us;
        }
        *time = (*time).max(shown_us + *ahead);
        *time
    }

    fn admits(&mut self, key: u64, now_us: u64) -> bool {
        let (end, used, arrival) = self.cells.entry(key).or_default();
        if *end <= now_us {
            (*end, *used) = (now_us + 10 * SEC_US, 0);
        }
        let next = (*arrival).max(now_us) + 2 * SEC_US;
        let fits = *used < 5 && next - now_us <= 10 * SEC_US;
        if fits {
            *used += 1;
            *arrival = next;
        }
        fits
    }
}

#[derive(Debug, Clone)]
enum Happens {
    /// A call of a principal, decided on one shard; the clocks of shards differ by some µs.
    Call { principal: u64, skew_us: u64 },
    /// Time passes.
    Passes(u64),
    /// The clock is set back.
    Back(u64),
    /// State is written down, and what the journal held before goes.
    Noted,
    /// The process dies and comes back, with another number of shards; what it knows of the time is a little old.
    Restart { shards: u16, lag_us: u64 },
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        12 => (0..4_u64, 0..5_000_u64).prop_map(|(principal, skew_us)| Happens::Call { principal, skew_us }),
        3 => prop_oneof![0..300_000_u64, 0..12_000_000_u64].prop_map(Happens::Passes),
        1 => prop_oneof![1..100_u64, 1..2_000_000_u64, 0..400 * DAY_US].prop_map(Happens::Back),
        1 => Just(Happens::Noted),
        1 => (1..9_u16, 0..1_000_000_u64).prop_map(|(shards, lag_us)| Happens::Restart { shards, lag_us }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn neither_clocks_nor_restarts_admit_one_more_or_one_less(steps in prop::collection::vec(happens(), 1..400)) {
        let policy = Policy::new(&[
            limit("counted", PRINCIPAL, Algorithm::Window, 5, 10 * SEC_US),
            limit("paced", PRINCIPAL, Algorithm::Gcra, 5, 10 * SEC_US),
        ]);
        let mut shown_us = START_US + 500 * DAY_US;
        let mut states = vec![RateState::new(100)];
        let mut model = Model { clocks: vec![(0, 0)], ..Model::default() };
        let (mut journal, mut noted): (Vec<RateCell>, Vec<RateCell>) = Default::default();
        let mut noted_us = 0;
        let latest = |states: &[RateState]| states.iter().map(|state| state.clock().0).max().unwrap_or(0);
        for step in steps {
            match step {
                Happens::Passes(us) => shown_us += us,
                Happens::Back(us) => shown_us -= us.min(shown_us - START_US),
                Happens::Noted => {
                    noted = states.iter().flat_map(RateState::kept).collect();
                    noted_us = latest(&states);
                    journal.clear();
                }
                Happens::Call { principal, skew_us } => {
                    let home = usize::from(SEED.home_of(principal, states.len() as u16));
                    let charges = policy.charges(principal, 0);
                    let now_us = model.time(home, shown_us - skew_us);
                    let expected = model.admits(principal, now_us);
                    prop_assert_eq!(states[home].peek(&charges, shown_us - skew_us).is_ok(), expected);
                    let found = states[home].check_and_charge(&charges, shown_us - skew_us);
                    prop_assert_eq!(found.is_ok(), expected);
                    // Shards journal what they have decided themselves, in whatever order.
                    if let Ok(admitted) = found {
                        let at = (skew_us as usize).min(journal.len());
                        journal.splice(at..at, admitted.records(&charges));
                    }
                }
                Happens::Restart { shards, lag_us } => {
                    let time_us = latest(&states).saturating_sub(lag_us).max(noted_us);
                    states = (0..shards).map(|_| RateState::new(100)).collect();
                    model.clocks = vec![(time_us, 0); usize::from(shards)];
                    for (shard, state) in states.iter_mut().enumerate() {
                        state.resume(time_us, shown_us);
                        model.time(shard, shown_us);
                    }
                    noted_us = latest(&states);
                    for cell in journal.iter().chain(&noted) {
                        states[usize::from(home_shard(RateKey(cell.key), shards))].restore(cell, shown_us).unwrap();
                    }
                }
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_back_costs_no_key_anything(
        back_us in GRACE_US..400 * DAY_US, used in 0..6_u64, paced: bool,
    ) {
        let algorithm = if paced { Algorithm::Gcra } else { Algorithm::Window };
        let policy = Policy::new(&[limit("calls", PRINCIPAL, algorithm, 5, 10 * SEC_US)]);
        let mut state = RateState::new(100);
        let known = policy.charges(1, 0);
        for _ in 0..used {
            let _ = state.check_and_charge(&known, START_US + 500 * DAY_US);
        }
        let stepped_us = START_US + 500 * DAY_US - back_us;
        let count = |state: &mut RateState, charges: &Charges, at_us| (0..9).filter(|_| state.check_and_charge(charges, at_us).is_ok()).count();
        prop_assert_eq!(count(&mut state, &policy.charges(2, 0), stepped_us), 5, "a key that was never seen");
        prop_assert_eq!(count(&mut state, &known, stepped_us) as u64, 5 - used.min(5), "and one that was");
        prop_assert_eq!(count(&mut state, &known, stepped_us + 20 * SEC_US), 5);
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
            priced("spent", PRINCIPAL, 30, 20 * SEC_US, 2),
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
        for cell in old.kept() {
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

#[derive(Debug, Clone)]
enum Redeclares {
    Call,
    Passes(u64),
    /// The limit is declared with the other period from now on.
    Reload,
    /// State is written down, and what the journal held before goes.
    Noted,
    Killed,
}

fn redeclares() -> impl Strategy<Value = Redeclares> {
    prop_oneof![
        8 => Just(Redeclares::Call),
        3 => prop_oneof![0..2 * SEC_US, 0..2 * MIN_US, 0..90 * MIN_US].prop_map(Redeclares::Passes),
        2 => Just(Redeclares::Reload),
        1 => Just(Redeclares::Noted),
        2 => Just(Redeclares::Killed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Five an hour, five a minute, and back, with deaths in between. Beside it stands a state that never dies and is charged
    /// with the same: what it refuses, the other must refuse too.
    /// (An even pace is not among these: the cell of one that was made slower counts as used up from the first refusal on.)
    #[test]
    fn a_limit_whose_period_changes_admits_no_more_for_being_killed(
        is_money in any::<bool>(), steps in prop::collection::vec(redeclares(), 1..200),
    ) {
        let declared = |period_us| Policy::new(&[if is_money {
            priced("spent", PRINCIPAL, 5, period_us, 1)
        } else {
            limit("counted", PRINCIPAL, Algorithm::Window, 5, period_us)
        }]);
        let policies = [declared(60 * MIN_US), declared(MIN_US)];
        let (mut steady, mut state) = (RateState::new(10), RateState::new(10));
        let (mut journal, mut noted): (Vec<RateCell>, Vec<RateCell>) = Default::default();
        let (mut now_us, mut reloads) = (START_US, 0);
        for step in steps {
            match step {
                Redeclares::Passes(us) => now_us += us,
                Redeclares::Reload => reloads += 1,
                Redeclares::Noted => (noted, journal) = (state.kept().collect(), Vec::new()),
                Redeclares::Killed => {
                    state = RateState::new(10);
                    for cell in journal.iter().chain(&noted) {
                        state.restore(cell, now_us).unwrap();
                    }
                }
                Redeclares::Call => {
                    let charges = policies[reloads % 2].charges(1, 0);
                    let Ok(admitted) = state.check_and_charge(&charges, now_us) else { continue };
                    prop_assert!(steady.check_and_charge(&charges, now_us).is_ok(), "admitted only because of a restart");
                    journal.extend(admitted.records(&charges));
                }
            }
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
