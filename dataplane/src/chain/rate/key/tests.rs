//! What `key` promises, as rows and properties.

use super::*;

const SEED: KeySeed = KeySeed::new([7; 16]);

fn spec(text: &str) -> KeySpec {
    let bits = text.split('+').filter_map(|word| key_part::WORDS.iter().find(|(known, _)| *known == word));
    KeySpec::from_bits(bits.fold(0, |bits, (_, bit)| bits | bit)).unwrap_or_default()
}

#[test]
fn bits_that_no_part_has_are_no_spec() {
    assert_eq!(KeySpec::from_bits(0x7f).map(|spec| ALL.iter().all(|dimension| spec.contains(*dimension))), Some(true));
    assert_eq!(KeySpec::from_bits(0).map(|spec| ALL.iter().any(|dimension| spec.contains(*dimension))), Some(false));
    assert_eq!((KeySpec::from_bits(0x80), KeySpec::from_bits(0x8001)), (None, None));
}

const ALL: [Dimension; 7] = [
    Dimension::Principal,
    Dimension::Session,
    Dimension::Agent,
    Dimension::Tool,
    Dimension::Server,
    Dimension::Department,
    Dimension::Tenant,
];

/// Keys and homes are on disk: these values may never change.
#[test]
fn keys_and_homes_are_pinned() {
    let parts = Parts::UNKNOWN.with(Dimension::Principal, 1).with(Dimension::Tool, 2).with(Dimension::Tenant, 3);
    let pinned =
        [("global", PINNED[0], 0), ("principal", PINNED[1], 0), ("principal+tool", PINNED[2], 0), ("tenant", PINNED[3], 0)];
    let found: Vec<_> = pinned
        .iter()
        .map(|(text, _, _)| {
            let key = SEED.limit(9, spec(text)).of(&parts);
            (*text, key.0, home_shard(key, 1))
        })
        .collect();
    assert_eq!(found, pinned);
    assert_eq!(SEED.part(Dimension::Principal, b"alice"), PINNED_PART);
    let homes: Vec<u16> = (0..12).map(|part| SEED.home_of(part, 8)).collect();
    assert_eq!(homes, PINNED_HOMES);
}

const PINNED: [u128; 4] = [
    38154934793712163436780581930055648449,
    30616229378011809965971432237558284902,
    30616229384993421249939508892840479126,
    28741970561447098048581632567263860325,
];
const PINNED_PART: u64 = 5344926476063500544;
const PINNED_HOMES: [u16; 12] = [2, 3, 3, 3, 1, 1, 3, 4, 1, 4, 4, 0];

#[test]
fn what_is_not_in_the_spec_does_not_matter_and_what_is_does() {
    let base = Parts::UNKNOWN;
    for dimension in ALL {
        let other = base.with(dimension, 5);
        for text in ["global", "principal", "session", "agent+tool", "tenant+department+server", "principal+session+tool"] {
            let spec = spec(text);
            let counts = spec.contains(dimension) || (dimension == Dimension::Principal && spec.contains(Dimension::Session));
            assert_eq!(SEED.limit(1, spec).of(&base) != SEED.limit(1, spec).of(&other), counts, "{text} {dimension:?}");
            assert_ne!(SEED.limit(1, spec).of(&base), SEED.limit(2, spec).of(&base));
            assert_ne!(SEED.limit(1, spec).of(&base), KeySeed::new([8; 16]).limit(1, spec).of(&base));
        }
    }
}

#[test]
fn a_part_in_one_place_is_not_the_same_part_in_another() {
    let a = Parts::UNKNOWN.with(Dimension::Agent, 5);
    let b = Parts::UNKNOWN.with(Dimension::Tenant, 5);
    let both = spec("agent+tenant");
    assert_ne!(SEED.limit(1, both).of(&a), SEED.limit(1, both).of(&b));
    assert_ne!(SEED.part(Dimension::Agent, b"x"), SEED.part(Dimension::Tenant, b"x"));
}

#[test]
fn every_key_of_a_principal_lives_with_it() {
    for principal in 0..500_u64 {
        let principal = SEED.part(Dimension::Principal, &principal.to_le_bytes());
        let parts = Parts::UNKNOWN
            .with(Dimension::Principal, principal)
            .with(Dimension::Session, principal ^ 77)
            .with(Dimension::Tool, 3);
        for text in ["principal", "session", "principal+tool", "session+agent", "principal+tenant+server"] {
            let key = SEED.limit(principal ^ 5, spec(text)).of(&parts);
            for shards in [1, 2, 3, 8, 64] {
                assert_eq!(home_shard(key, shards), SEED.home_of(principal, shards));
            }
        }
    }
}

#[test]
fn homes_are_even_and_move_only_to_the_new_shard() {
    const KEYS: u64 = 64_000;
    let anchors: Vec<u32> = (0..KEYS).map(|i| SEED.anchor(SEED.part(Dimension::Principal, &i.to_le_bytes()))).collect();
    for shards in [1_u16, 2, 3, 8, 16, 64] {
        let mut count = vec![0_u64; usize::from(shards)];
        for anchor in &anchors {
            let home = jump(*anchor, shards);
            count[usize::from(home)] += 1;
            let next = jump(*anchor, shards + 1);
            assert!(next == home || next == shards);
        }
        let mean = KEYS / u64::from(shards);
        assert!(count.iter().all(|count| count.abs_diff(mean) * 100 <= mean * 20), "{shards}: {count:?}");
    }
    assert_eq!(jump(5, 0), 0, "no shards is one shard");
}

#[test]
fn a_million_keys_of_near_equal_parts_are_all_different() {
    let spec = spec("principal+tool");
    let mut low = Vec::with_capacity(1 << 20);
    for principal in 0..1024 {
        for tool in 0..1024 {
            let parts = Parts::UNKNOWN.with(Dimension::Principal, principal).with(Dimension::Tool, tool);
            low.push(SEED.limit(1, spec).of(&parts).0 as u64);
        }
    }
    low.sort_unstable();
    low.dedup();
    assert_eq!(low.len(), 1 << 20, "64 of the 96 bits already tell them apart");
}
