//! What `glob` promises, as rows and properties.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use proptest::prelude::*;

use super::*;

fn check(glob: &str, text: &str, expect: bool) {
    let compiled = Glob::compile(glob).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(compiled.matches(text), expect, "`{glob}` on `{text}`");
}

#[test]
fn a_glob_covers_the_whole_text() {
    for (glob, text, expect) in [
        ("*", "", true),
        ("*", "anything at all", true),
        ("**", "x", true),
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("abc", "ABC", false),
        ("a*", "a", true),
        ("a*", "abc", true),
        ("a*", "ba", false),
        ("*c", "abc", true),
        ("*c", "abcd", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("*b*", "abc", true),
        ("*ab*ab*", "abab", true),
        ("*ab*ab*", "aba", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a?c", "aäc", true),
        ("?", "😀", true),
        ("??", "😀", false),
        ("*?", "", false),
        ("*?b", "xäb", true),
        ("get_*_by_?d", "get_user_by_id", true),
        ("read/*", "read/a/b", true),
        ("[a-c]x", "bx", true),
        ("[a-c]x", "dx", false),
        ("[!a-c]x", "dx", true),
        ("[^a-c]x", "ax", false),
        ("[!a]", "", false),
        ("[]]", "]", true),
        ("[]a]", "a", true),
        ("[-a]", "-", true),
        ("[a-]", "-", true),
        ("[a\\]b]", "]", true),
        ("[ä-ü]", "ö", true),
        ("[{,}]", ",", true),
        ("{a,b}c", "bc", true),
        ("{a,b}c", "ab", false),
        ("{a,b*,}c", "bxxc", true),
        ("{a,b*,}c", "c", true),
        ("{x,y}{1,2}", "y1", true),
        ("{[,],\\,}", ",", true),
        ("\\*", "*", true),
        ("\\*", "a", false),
        ("\\{a\\}", "{a}", true),
        ("a,b", "a,b", true),
        ("a}", "a}", true),
        ("a]", "a]", true),
    ] {
        check(glob, text, expect);
    }
}

#[test]
fn what_is_not_a_glob_is_said_so() {
    for (glob, fault) in [
        ("", GlobFault::Empty),
        ("[a", GlobFault::OpenSet),
        ("[", GlobFault::OpenSet),
        ("[!", GlobFault::OpenSet),
        ("[]", GlobFault::EmptySet),
        ("[!]", GlobFault::EmptySet),
        ("[z-a]", GlobFault::Backwards('z', 'a')),
        ("{a", GlobFault::OpenBrace),
        ("{a,{b}}", GlobFault::Nested),
        ("a\\", GlobFault::Escape),
        ("[a\\", GlobFault::Escape),
        ("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", GlobFault::TooMany),
    ] {
        assert_eq!(Glob::compile(glob).map(|_| ()), Err(GlobError { glob: glob.to_owned(), fault }));
    }
    assert_eq!(Glob::compile(&"a".repeat(1025)).map(|_| ()).map_err(|e| e.fault), Err(GlobFault::TooLong));
    assert_eq!(Glob::compile("[z-a]").unwrap_err().to_string(), "`[z-a]` is not a glob: `z-a` runs backwards; write `a-z`");
}

#[test]
fn plain_globs_are_known_as_such() {
    for (glob, literal, any) in [
        ("abc", Some("abc"), false),
        ("a\\*", Some("a*"), false),
        ("a?", None, false),
        ("*", None, true),
        ("**", None, true),
        ("{a,*}", None, true),
        ("*a", None, false),
    ] {
        let compiled = Glob::compile(glob).unwrap();
        assert_eq!((compiled.literal(), compiled.is_any()), (literal, any), "{glob}");
    }
}

/// The definition, word by word: try every length for every star.
fn oracle(glob: &[Piece], text: &[char]) -> bool {
    match glob {
        [] => text.is_empty(),
        [Piece::Star, rest @ ..] => (0..=text.len()).any(|n| oracle(rest, &text[n..])),
        [Piece::Any, rest @ ..] => !text.is_empty() && oracle(rest, &text[1..]),
        [Piece::Is(c), rest @ ..] => text.first() == Some(c) && oracle(rest, &text[1..]),
        [Piece::In(negated, set), rest @ ..] => {
            text.first().is_some_and(|c| set.contains(c) != *negated) && oracle(rest, &text[1..])
        }
        [Piece::Either(choices), rest @ ..] => choices.iter().any(|choice| {
            let head: Vec<Piece> = choice.iter().map(|c| Piece::Is(*c)).collect();
            oracle(&[&head, rest].concat(), text)
        }),
    }
}

#[derive(Debug, Clone)]
enum Piece {
    Star,
    Any,
    Is(char),
    In(bool, Vec<char>),
    Either(Vec<Vec<char>>),
}

impl Piece {
    fn write(&self, to: &mut String) {
        match self {
            Piece::Star => to.push('*'),
            Piece::Any => to.push('?'),
            Piece::Is(c) => to.push(*c),
            Piece::In(negated, set) => {
                to.push_str(if *negated { "[!" } else { "[" });
                to.extend(set);
                to.push(']');
            }
            Piece::Either(choices) => {
                let choices: Vec<String> = choices.iter().map(|choice| choice.iter().collect()).collect();
                to.push_str(&format!("{{{}}}", choices.join(",")));
            }
        }
    }
}

fn letter() -> impl Strategy<Value = char> {
    prop_oneof![Just('a'), Just('b'), Just('ä'), Just('/')]
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        3 => Just(Piece::Star),
        1 => Just(Piece::Any),
        5 => letter().prop_map(Piece::Is),
        1 => (any::<bool>(), prop::collection::vec(letter(), 1..3)).prop_map(|(negated, set)| Piece::In(negated, set)),
        1 => prop::collection::vec(prop::collection::vec(letter(), 0..3), 1..3).prop_map(Piece::Either),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn globs_are_their_definition(pieces in prop::collection::vec(piece(), 1..8), text in prop::collection::vec(letter(), 0..10)) {
        let mut glob = String::new();
        pieces.iter().for_each(|piece| piece.write(&mut glob));
        let compiled = Glob::compile(&glob);
        // Too many braces is the one fault that such a glob can have.
        prop_assume!(!matches!(&compiled, Err(e) if e.fault == GlobFault::TooMany || e.fault == GlobFault::Empty));
        let found = compiled.unwrap().matches(&text.iter().collect::<String>());
        prop_assert_eq!(found, oracle(&pieces, &text), "`{}`", glob);
    }

    #[test]
    fn no_glob_and_no_text_panics(glob in r"[ab*?\[\]{},!\\ä-]{0,20}", text: String) {
        if let Ok(compiled) = Glob::compile(&glob) {
            let _ = compiled.matches(&text);
        }
    }
}

#[test]
fn a_text_that_almost_matches_costs_no_more_than_its_length() {
    let hostile = "a".repeat(200_000);
    for glob in ["*a*a*a*a*a*a*a*a*a*a*a*a*b", "*aaaaaaaaaaaaaaaab*", "*?a*?a*?a*?ab*"] {
        // With backtracking none of these would end.
        check(glob, &hostile, false);
    }
}
