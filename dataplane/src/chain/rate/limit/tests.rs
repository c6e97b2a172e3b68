//! What `limit` promises, as rows and properties.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use wire::snapshot::key_part;

use super::*;

const SEED: KeySeed = KeySeed::new([1; 16]);

fn limit(id: &str, algorithm: Algorithm, count: u64, period_us: u64) -> snapshot::Limit {
    snapshot::Limit {
        id: id.to_owned(),
        key: key_part::PRINCIPAL,
        algorithm,
        count,
        period_us,
        burst: 0,
        class: CallClass::Calls,
        subject: Subject::default(),
        servers: Vec::new(),
        tools: Vec::new(),
        costs: Vec::new(),
        observe: false,
    }
}

fn costs(rows: &[(&str, u32)]) -> Vec<(String, u32)> {
    rows.iter().map(|(tool, cost)| ((*tool).to_owned(), *cost)).collect()
}

#[test]
fn a_limit_that_cannot_hold_is_refused_with_the_reason() {
    use Algorithm::{Budget, Concurrency, Gcra, Window};
    const DAY_US: u64 = 86_400_000_000;
    let base = |algorithm, count, period_us| limit("calls", algorithm, count, period_us);
    let glob = |text: &str| Glob::compile(text).map(|_| ()).unwrap_err();
    let rows = [
        (base(Gcra, 0, 1), LimitFault::Pace(PaceError::Zero("count"))),
        (base(Gcra, 1, 0), LimitFault::Pace(PaceError::Zero("period"))),
        (base(Gcra, 1 << 32, 1), LimitFault::Pace(PaceError::TooMany("count"))),
        (base(Window, 0, 1), LimitFault::Pace(PaceError::Zero("count"))),
        (base(Window, 1, 41 * DAY_US), LimitFault::Pace(PaceError::TooLong("period"))),
        (
            snapshot::Limit { burst: 41, ..base(Gcra, 1, DAY_US) },
            LimitFault::Pace(PaceError::TooLong("burst, which takes burst × period / count to come back,")),
        ),
        (base(Concurrency, 0, 0), LimitFault::Pace(PaceError::Zero("count"))),
        (base(Budget, 0, 1), LimitFault::Pace(PaceError::Zero("amount"))),
        (
            snapshot::Limit { costs: costs(&[("*", 2)]), ..base(Budget, 1, 1) },
            LimitFault::NeverFits { tool: "*".to_owned(), cost: 2, most: 1 },
        ),
        (snapshot::Limit { costs: costs(&[("*", 1)]), class: CallClass::Listings, ..base(Gcra, 1, 1) }, LimitFault::Costs),
        (
            snapshot::Limit { costs: costs(&[("x", 8), ("y*", 9)]), ..base(Window, 8, 1) },
            LimitFault::NeverFits { tool: "y*".to_owned(), cost: 9, most: 8 },
        ),
        (snapshot::Limit { tools: vec!["[".to_owned()], ..base(Window, 8, 1) }, LimitFault::Glob(glob("["))),
        (snapshot::Limit { servers: vec![String::new()], ..base(Window, 8, 1) }, LimitFault::Glob(glob(""))),
        (snapshot::Limit { key: 128, ..base(Window, 8, 1) }, LimitFault::Key(128)),
    ];
    for (limit, why) in rows {
        let found = Limits::compile(std::slice::from_ref(&limit), SEED, |_| false).map(|_| ()).unwrap_err();
        assert_eq!((found.limit.as_str(), found.why), ("calls", why));
    }
    let twice = [base(Gcra, 1, 1), base(Window, 1, 1)];
    assert_eq!(Limits::compile(&twice, SEED, |_| false).map(|_| ()).unwrap_err().why, LimitFault::Twice);
    let many: Vec<_> = (0..=LIMITS_MAX).map(|i| limit(&i.to_string(), Gcra, 1, 1)).collect();
    assert!(Limits::compile(&many[..LIMITS_MAX], SEED, |_| false).is_ok());
    assert_eq!(Limits::compile(&many, SEED, |_| false).map(|_| ()).unwrap_err().why, LimitFault::TooMany);
}

#[test]
fn a_call_is_charged_under_the_limits_that_are_for_it() {
    let all = [
        snapshot::Limit { costs: costs(&[("dear*", 5), ("free", 0), ("dearest", 9)]), ..limit("calls", Algorithm::Gcra, 9, 9) },
        snapshot::Limit {
            class: CallClass::Listings,
            servers: vec!["files".to_owned()],
            ..limit("lists", Algorithm::Gcra, 2, 9)
        },
        snapshot::Limit {
            servers: vec!["git*".to_owned(), "files".to_owned()],
            tools: vec!["dear*".to_owned()],
            ..limit("dear", Algorithm::Window, 1, 9)
        },
        snapshot::Limit { costs: costs(&[("free", 0), ("*", 3)]), ..limit("money", Algorithm::Budget, 5, 9) },
        snapshot::Limit {
            subject: Subject { users: vec!["bob".to_owned()], ..Subject::default() },
            ..limit("bob", Algorithm::Concurrency, 5, 0)
        },
        snapshot::Limit { class: CallClass::Denials, ..limit("denials", Algorithm::Gcra, 2, 9) },
    ];
    let limits = Limits::compile(&all, SEED, |_| false).unwrap();
    let charged = |user: &str, costs: &Costs| {
        let set = limits.for_subject(|subject| subject.users.is_empty() || subject.users.iter().any(|u| u == user));
        let mut charges = Charges::new();
        limits.charges(&set, costs, &Parts::UNKNOWN, &mut charges).unwrap();
        charges.iter().map(|charge| (all[charge.limit.index()].id.as_str(), charge.cost)).collect::<Vec<_>>()
    };
    type Charged = [(&'static str, u32)];
    let rows: [(&str, Costs, &Charged); 9] = [
        ("ann", limits.for_call("files", "dear"), &[("calls", 5), ("dear", 1), ("money", 3)]),
        ("ann", limits.for_call("files", "dearest"), &[("calls", 5), ("dear", 1), ("money", 3)]),
        ("ann", limits.for_call("github", "dear-x"), &[("calls", 5), ("dear", 1), ("money", 3)]),
        ("ann", limits.for_call("mail", "dear"), &[("calls", 5), ("money", 3)]),
        ("bob", limits.for_call("mail", "free"), &[("bob", 1)]),
        ("bob", limits.for_call("mail", "other"), &[("calls", 1), ("money", 3), ("bob", 1)]),
        ("bob", limits.for_listing("files"), &[("lists", 1)]),
        ("bob", limits.for_listing("mail"), &[]),
        ("bob", limits.for_denial(), &[("denials", 1)]),
    ];
    for (user, costs, expect) in rows {
        assert_eq!(charged(user, &costs), expect);
    }
}

#[test]
fn a_call_under_more_limits_than_are_kept_for_one_call_is_refused() {
    let all: Vec<_> = (0..=CHARGES_MAX).map(|i| limit(&i.to_string(), Algorithm::Gcra, 1, 1)).collect();
    for (count, fits) in [(CHARGES_MAX, true), (CHARGES_MAX + 1, false)] {
        let limits = Limits::compile(&all[..count], SEED, |_| false).unwrap();
        let mut charges = Charges::new();
        let found = limits.charges(&limits.for_subject(|_| true), &limits.for_call("s", "t"), &Parts::UNKNOWN, &mut charges);
        assert_eq!(found.is_ok(), fits);
        assert!(fits || found.unwrap_err().reason == Reason::RateStateFull);
    }
}

#[test]
fn a_limit_keeps_its_cells_by_name_and_kind() {
    let key = |limits: &[snapshot::Limit], at: usize| {
        let limits = Limits::compile(limits, SEED, |_| false).unwrap();
        let mut charges = Charges::new();
        limits.charges(&limits.for_subject(|_| true), &limits.for_call("s", "t"), &Parts::UNKNOWN, &mut charges).unwrap();
        charges[at].key
    };
    let (a, b) = (limit("a", Algorithm::Gcra, 1, 1), limit("b", Algorithm::Gcra, 1, 1));
    let before = key(&[a.clone(), b.clone()], 1);
    assert_eq!(key(std::slice::from_ref(&b), 0), before, "another place, the same cells");
    assert_eq!(key(&[snapshot::Limit { count: 7, ..b.clone() }], 0), before, "another pace, the same cells");
    assert_ne!(key(&[a], 0), before);
    assert_ne!(key(&[snapshot::Limit { algorithm: Algorithm::Window, ..b }], 0), before, "another kind reads cells otherwise");
}

#[test]
fn what_has_no_price_is_refused_by_a_budget_and_by_nothing_else() {
    let budget = snapshot::Limit { costs: costs(&[("dear", 3), ("free", 0)]), ..limit("money", Algorithm::Budget, 5, 9) };
    let quiet = snapshot::Limit { observe: true, ..budget.clone() };
    for (limit, tool, expect) in [
        (&budget, "dear", Ok(1)),
        (&budget, "free", Ok(0)),
        (&budget, "other", Err(Reason::PriceUnknown)),
        (&quiet, "other", Ok(1)),
    ] {
        let limits = Limits::compile(std::slice::from_ref(limit), SEED, |_| false).unwrap();
        let (set, mut charges) = (limits.for_subject(|_| true), Charges::new());
        let found = limits.charges(&set, &limits.for_call("s", tool), &Parts::UNKNOWN, &mut charges);
        assert_eq!(found.map(|()| charges.len()).map_err(|refused| refused.reason), expect, "{tool}");
        let found = limits.charges_undiscovered(&set, "s", tool, &Parts::UNKNOWN, &mut charges);
        assert_eq!(found.map(|()| charges.len()).map_err(|refused| refused.reason), expect, "{tool}");
        let admitted = crate::chain::rate::RateState::new(9).check_and_charge(&charges, 1).unwrap();
        assert_eq!(admitted.observed(&charges).count(), usize::from(tool == "other" && expect.is_ok()), "{tool}");
    }
}
