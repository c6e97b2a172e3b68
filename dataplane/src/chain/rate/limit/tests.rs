use proptest::prelude::*;

use super::*;

const SEED: KeySeed = KeySeed::new([1; 16]);

fn limit(allow: Allowance) -> Limit {
    Limit {
        name: "calls".to_owned(),
        key: KeySpec::of(&[Dimension::Principal]),
        class: Class::ToolCalls,
        allow,
        cost: 1,
        costs: BTreeMap::new(),
        mode: Mode::Enforce,
    }
}

fn gcra(rate: &str, burst: Option<u32>) -> Allowance {
    Allowance::Gcra { rate: rate.parse().unwrap_or(Rate { count: 0, period_us: 0 }), burst }
}

#[test]
fn rates_and_periods_parse() {
    for (text, count, period_us, printed) in [
        ("100/min", 100, 60_000_000, "100/1m"),
        ("5/s", 5, 1_000_000, "5/1s"),
        ("3000 per 24h", 3000, 86_400_000_000, "3000/1d"),
        ("1 / 500ms", 1, 500_000, "1/500ms"),
        ("7/90 minutes", 7, 5_400_000_000, "7/90m"),
        ("1/7us", 1, 7, "1/7us"),
    ] {
        assert_eq!(text.parse(), Ok(Rate { count, period_us }), "{text}");
        assert_eq!(Rate { count, period_us }.to_string(), printed);
        assert_eq!(printed.parse(), Ok(Rate { count, period_us }));
    }
    for text in ["", "100", "/min", "-1/s", "1/fortnight", "4294967296/s", "1/99999999999999999999s", "1/18446744073709551615w", "1.5/s"] {
        assert!(text.parse::<Rate>().is_err(), "{text}");
    }
}

#[test]
fn a_limit_that_cannot_hold_is_refused_with_the_reason() {
    let window = |rate: &str| Allowance::Window { rate: rate.parse().unwrap_or(Rate { count: 0, period_us: 0 }), align: Align::Utc };
    let budget = Allowance::Budget { micro_usd: 5, per: Period(1), align: Align::Utc };
    let rows = [
        (limit(gcra("0/s", None)), LimitFault::Zero("count")),
        (limit(gcra("1/0s", None)), LimitFault::Zero("period")),
        (limit(gcra("1/s", Some(0))), LimitFault::Zero("burst")),
        (limit(window("0/s")), LimitFault::Zero("count")),
        (limit(window("1/41d")), LimitFault::TooLong("period")),
        (limit(gcra("1/d", Some(41))), LimitFault::TooLong("burst × period / count")),
        (limit(Allowance::Concurrency { at_most: 0 }), LimitFault::Zero("at_most")),
        (limit(Allowance::Budget { micro_usd: 0, per: Period(1), align: Align::Utc }), LimitFault::Zero("micro_usd")),
        (Limit { cost: 2, ..limit(budget) }, LimitFault::BudgetCost),
        (Limit { cost: 6, ..limit(gcra("5/s", None)) }, LimitFault::NeverFits { tool: "*".to_owned(), cost: 6, most: 5 }),
        (
            Limit { costs: [("a/b".to_owned(), 9)].into(), ..limit(window("8/s")) },
            LimitFault::NeverFits { tool: "a/b".to_owned(), cost: 9, most: 8 },
        ),
        (
            Limit { costs: [("a/c".to_owned(), 1)].into(), ..limit(window("8/s")) },
            LimitFault::ToolUnknown("a/c".to_owned()),
        ),
    ];
    for (limit, why) in rows {
        let found = compile(std::slice::from_ref(&limit), SEED, |tool| tool == "a/b").map(|_| ());
        assert_eq!(found, Err(LimitError { limit: "calls".to_owned(), why }));
    }
    let twice = [limit(gcra("1/s", None)), limit(gcra("2/s", None))];
    assert_eq!(compile(&twice, SEED, |_| true).map(|_| ()).map_err(|e| e.why), Err(LimitFault::Twice));
    let many: Vec<Limit> = (0..17).map(|i| Limit { name: i.to_string(), ..limit(gcra("1/s", None)) }).collect();
    assert!(compile(&many[..16], SEED, |_| true).is_ok());
    assert_eq!(compile(&many, SEED, |_| true).map(|_| ()).map_err(|e| e.why), Err(LimitFault::TooMany));
}

#[test]
fn a_call_is_charged_under_the_limits_of_its_class_at_its_tools_cost() {
    let limits = [
        Limit { costs: [("s/dear".to_owned(), 5), ("s/free".to_owned(), 0)].into(), ..limit(gcra("9/s", None)) },
        Limit { name: "lists".to_owned(), class: Class::Listing, ..limit(gcra("2/s", None)) },
        Limit { name: "only-dear".to_owned(), cost: 0, costs: [("s/dear".to_owned(), 1)].into(), ..limit(gcra("1/s", None)) },
        Limit { name: "money".to_owned(), ..limit(Allowance::Budget { micro_usd: 5, per: Period(1), align: Align::Utc }) },
    ];
    let compiled = compile(&limits, SEED, |_| true).unwrap_or_else(|e| panic!("{e}"));
    let charged = |class, tool: &str| {
        let parts = Parts::UNKNOWN.with(Dimension::Tool, SEED.part(Dimension::Tool, tool.as_bytes()));
        let mut charges = Charges::new();
        compiled.charges(class, &parts, &mut charges);
        charges.iter().map(|charge| (charge.limit.0, charge.cost)).collect::<Vec<_>>()
    };
    assert_eq!(charged(Class::ToolCalls, "s/dear"), [(0, 5), (2, 1), (3, 0)]);
    assert_eq!(charged(Class::ToolCalls, "s/free"), [(3, 0)]);
    assert_eq!(charged(Class::ToolCalls, "s/other"), [(0, 1), (3, 0)]);
    assert_eq!(charged(Class::Listing, "s/dear"), [(1, 1)]);
    assert_eq!(charged(Class::Denials, "s/dear"), []);
}

#[test]
fn a_limit_is_read_as_it_is_written() {
    let text = r#"{"name": "a", "key": "principal+tool", "allow": {"gcra": {"rate": "100/min", "burst": 20}}, "costs": {"s/t": 3}}"#;
    let read: Limit = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(read.allow, gcra("100/min", Some(20)));
    assert_eq!((read.cost, read.class, read.mode), (1, Class::ToolCalls, Mode::Enforce));
    let again = serde_json::to_string(&read).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Limit>(&again).ok(), Some(read));
    for bad in [
        r#"{"name": "a", "key": "user", "allow": {"gcra": {"rate": "1/s"}}}"#,
        r#"{"name": "a", "key": "tool", "allow": {"gcra": {"rate": "1 s"}}}"#,
        r#"{"name": "a", "key": "tool", "allow": {"gcra": {"rate": "1/s", "bursts": 1}}}"#,
        r#"{"name": "a", "key": "tool", "allow": {"leaky": {"rate": "1/s"}}}"#,
        r#"{"name": "a", "key": "tool", "allow": {"gcra": {"rate": "1/s"}}, "limit": 1}"#,
    ] {
        assert!(serde_json::from_str::<Limit>(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn rates_print_what_they_parse(count: u32, period_us: u64) {
        let rate = Rate { count, period_us };
        prop_assert_eq!(rate.to_string().parse(), Ok(rate));
    }

    #[test]
    fn no_text_panics(text: String) {
        let _ = (text.parse::<Rate>(), text.parse::<Period>(), text.parse::<KeySpec>());
    }
}
