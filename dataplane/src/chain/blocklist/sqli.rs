//! Finds fragments that break out of a value into SQL: tautologies, unions, stacked statements, probes.
//!
//! Lives on one shard. The value is read three times, as if it stood bare, in single and in double
//! quotes; what remains after the break-out must go on like SQL does.

use super::builtin::Builtin;
use super::detect::Sink;
use super::sql_lex::{DoubleQuotes, Kind, Token, tokenise};

/// Looks at a value that is no whole statement.
pub(super) fn check(tokens: &mut Vec<Token>, sink: &mut Sink<'_>, text: &[u8]) {
    if only_breaks_out(text.trim_ascii()) {
        sink.report(Builtin::SqlInjection);
    }
    fragment(tokens, sink, text, false, false);
    for quote in [b'\'', b'"'] {
        if sink.is_final() {
            return;
        }
        // LIMIT: a payload breaks out within its first few quotes.
        let mut from = 0;
        for _ in 0..3 {
            let Some(open) = memchr::memchr(quote, text.get(from..).unwrap_or_default()) else { break };
            from += open + 1;
            let rest = text.get(from..).unwrap_or_default();
            // A part that closes with the quote it began with is quoted, not broken out of.
            let quoted =
                rest.trim_ascii_end().last() == Some(&quote) && memchr::memchr_iter(quote, rest).count() == 1 && from > 1;
            if !quoted {
                // A value that begins with a quote, or leaves one open, is no expression of its own.
                let opens = from == 1 || memchr::memchr_iter(quote, text).count() % 2 == 1;
                fragment(tokens, sink, rest, true, opens);
            }
        }
    }
}

/// `'-'`, `'='`, `'LIKE'`, `'||x||'`: what turns a quoted value into an operation, and nothing else.
fn only_breaks_out(text: &[u8]) -> bool {
    let Some((quote @ (b'\'' | b'"'), rest)) = text.split_first() else {
        // `1'||'x'||'`
        let joins = memchr::memmem::find(text, b"'||").is_some_and(|at| at > 0 && at + 6 < text.len());
        return joins && text.ends_with(b"||'");
    };
    let Some(inner) = rest.strip_suffix(&[*quote]).map(<[u8]>::trim_ascii) else { return false };
    matches!(inner, [b'-' | b'&' | b'^' | b'*' | b'=' | b'|' | b'+'])
        || inner.eq_ignore_ascii_case(b"like")
        || inner.len() > 4 && inner.starts_with(b"||") && inner.ends_with(b"||")
}

/// Looks at a whole statement in a place where nobody expects SQL: functions and tables that only a probe asks for.
pub(super) fn check_statement(tokens: &mut Vec<Token>, sink: &mut Sink<'_>, text: &[u8]) {
    tokenise(text, DoubleQuotes::Strings, tokens);
    for (at, token) in tokens.iter().enumerate() {
        let is_call = tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Symbol(b'('));
        let found = if token.kind == Kind::Word && is_call { called(text, token, at, false) } else { None };
        if found.is_some() || token.is_any(text, &["pg_shadow", "pg_authid", "sysobjects", "syscolumns", "@@version"]) {
            sink.report(found.unwrap_or(Builtin::SqlProbe));
        }
    }
}

fn fragment(tokens: &mut Vec<Token>, sink: &mut Sink<'_>, text: &[u8], breaks_out: bool, opens: bool) {
    tokenise(text, DoubleQuotes::Strings, tokens);
    let skip = tokens.iter().take_while(|token| matches!(token.kind, Kind::Symbol(b')' | b';' | b'+' | b',' | b'%'))).count();
    let rest = tokens.get(skip..).unwrap_or_default();
    if breaks_out && tail_only(text, tokens.get(..skip).unwrap_or_default(), rest) {
        sink.report(Builtin::SqlInjection);
    }
    let tailed = rest.last().is_some_and(|token| token.kind == Kind::Tail);
    if (opens || tailed) && compares_names(text, rest) {
        sink.report(Builtin::SqlInjection);
    }
    let by_word = rest.first().is_some_and(|token| token.kind == Kind::Word);
    let doubled = matches!(rest, [a, b, ..] if a.kind == b.kind && matches!(a.kind, Kind::Symbol(b'|' | b'&')));
    if rest.first().is_some_and(|token| joins(text, token))
        && (opens || !breaks_out && (by_word || doubled))
        && (constants_follow(text, rest) || opens && only_text_follows(text, rest))
    {
        sink.report(Builtin::SqlInjection);
    }
    if breaks_out && begins_statement(text, rest) {
        sink.report(Builtin::SqlInjection);
    }
    for (at, _) in rest.iter().enumerate() {
        let here = rest.get(at..).unwrap_or_default();
        if let Some(found) = anywhere(text, here, at, breaks_out) {
            sink.report(found);
        }
        if sink.is_final() {
            return;
        }
    }
}

/// `admin'--`, `'#`, `')/*`: a quote, then a comment that swallows the rest.
fn tail_only(text: &[u8], closers: &[Token], rest: &[Token]) -> bool {
    let [first] = rest else { return false };
    if first.kind != Kind::Tail {
        return false;
    }
    let tail = first.of(text);
    let marked =
        tail.strip_prefix(b"--").or_else(|| tail.strip_prefix(b"/*")).or_else(|| tail.strip_prefix(b"#")).unwrap_or(tail);
    closers.len() <= 8 && (marked.trim_ascii().len() <= 2 || marked == b" -")
}

fn joins(text: &[u8], token: &Token) -> bool {
    token.is_any(text, &["or", "and", "xor", "having", "rlike", "like", "div"])
        || matches!(token.kind, Kind::Symbol(b'|' | b'&' | b'^' | b'=' | b'-' | b'*'))
}

fn is_constant(text: &[u8], token: &Token) -> bool {
    matches!(token.kind, Kind::Number | Kind::Text) || token.is_any(text, &["null", "true", "false"])
}

fn is_comparison(text: &[u8], token: &Token) -> bool {
    matches!(token.kind, Kind::Symbol(b'=' | b'<' | b'>' | b'^' | b'!' | b'~' | b'|' | b'&'))
        || token.is_any(text, &["like", "is", "in", "between", "rlike", "regexp", "sounds"])
}

/// `or x=y`, `and uid like '%`: a connective and a comparison right behind the break-out.
fn compares_names(text: &[u8], rest: &[Token]) -> bool {
    let Some(first) = rest.first().filter(|token| token.is_any(text, &["or", "and", "xor", "||", "&&"])) else { return false };
    let open = rest.iter().skip(1).take_while(|token| matches!(token.kind, Kind::Symbol(b'('))).count();
    let [left, operator, ..] = rest.get(1 + open..).unwrap_or_default() else { return false };
    let _ = first;
    matches!(left.kind, Kind::Word | Kind::Number | Kind::Text | Kind::Quoted)
        && (matches!(operator.kind, Kind::Symbol(b'=' | b'<' | b'>' | b')' | b'('))
            || operator.is_any(text, &["like", "is", "in", "between"]))
        && rest.len() > 3
}

/// Behind the first connective: constants compared, or only constants up to the end.
fn constants_follow(text: &[u8], rest: &[Token]) -> bool {
    let is_word = rest.first().is_some_and(|token| token.kind == Kind::Word);
    let mut at = 1;
    while rest.get(at).is_some_and(|token| {
        matches!(token.kind, Kind::Symbol(b'(' | b'|' | b'&' | b'!' | b'-' | b'+')) || token.is_any(text, &["not"])
    }) {
        at += 1;
    }
    let Some(first) = rest.get(at) else { return false };
    if !is_constant(text, first) {
        return false;
    }
    let second = rest.get(at + 1);
    let third = rest.get(at + 2);
    match second {
        Some(second) if is_comparison(text, second) => true,
        Some(second) if second.kind == Kind::Tail || second.kind == Kind::Text => is_word && third.is_none(),
        Some(second) => is_word && second.kind == Kind::Symbol(b')') && third.is_none_or(|token| token.kind == Kind::Tail),
        None => false,
    }
}

/// `' OR '1`, `' or ''-'`: a connective and texts that only the rest of the statement closes.
fn only_text_follows(text: &[u8], rest: &[Token]) -> bool {
    let by_word = rest.first().is_some_and(|token| token.is_any(text, &["or", "and", "xor"]));
    let [_, first, behind @ ..] = rest else { return false };
    let is_operation = match behind {
        [] => true,
        [sign, ..] => matches!(sign.kind, Kind::Symbol(b'-' | b'*' | b'+' | b'/' | b'&' | b'^')),
    };
    by_word && first.kind == Kind::Text && first.end - first.start <= 8 && is_operation
}

/// `'; DROP …`, `' UNION …`, `' INSERT INTO …`.
fn begins_statement(text: &[u8], rest: &[Token]) -> bool {
    let [first, second, ..] = rest else { return false };
    first.is(text, "insert") && second.is(text, "into")
        || first.is_any(text, &["exec", "execute"])
            && (second.kind == Kind::Word || second.kind == Kind::Symbol(b'('))
            && second.of(text).get(..3).is_none_or(|head| matches!(head, b"sp_" | b"xp_" | b"mas" | b"("))
        || first.is(text, "select") && rest.iter().any(|token| token.is(text, "from"))
        || first.is(text, "drop") && second.is_any(text, &["table", "database", "schema"])
        || first.is(text, "create") && second.is_any(text, &["table", "user"])
        || first.is(text, "update") && rest.get(2).is_some_and(|token| token.is(text, "set"))
        || first.is(text, "shutdown") && second.kind == Kind::Tail
        || first.is(text, "group") && second.is(text, "by") && rest.iter().any(|token| token.is(text, "having"))
        || first.is(text, "having") && second.kind == Kind::Number
}

/// What is SQL wherever it stands in a value.
fn anywhere(text: &[u8], here: &[Token], at: usize, breaks_out: bool) -> Option<Builtin> {
    let first = here.first()?;
    let second = here.get(1);
    let next_is = |symbol: u8| second.is_some_and(|token| token.kind == Kind::Symbol(symbol));
    if first.kind == Kind::Symbol(b';') {
        return stacked(text, here, at, breaks_out);
    }
    if first.kind != Kind::Word {
        return None;
    }
    let word = first.of(text);
    match word.first().map_or(0, u8::to_ascii_lowercase) {
        b'u' if first.is(text, "union") => union(text, here),
        b'o' | b'g' if first.is_any(text, &["order", "group"]) && second.is_some_and(|token| token.is(text, "by")) => {
            let numbered = here.get(2).is_some_and(|token| token.kind == Kind::Number)
                && here.get(3).is_none_or(|token| matches!(token.kind, Kind::Symbol(b',' | b')') | Kind::Tail));
            (numbered && at <= 3).then_some(Builtin::SqlProbe)
        }
        b'o' | b'a' | b'x' | b'h' | b'w' if first.is_any(text, &["or", "and", "xor", "having", "where"]) => {
            connective(text, here, at, breaks_out)
        }
        b'w' if first.is(text, "waitfor") && second.is_some_and(|token| token.is_any(text, &["delay", "time"])) => {
            Some(Builtin::SqlInjection)
        }
        b'p' if first.is(text, "procedure") && second.is_some_and(|token| token.is(text, "analyse")) => {
            Some(Builtin::SqlInjection)
        }
        b'i' if first.is(text, "if") && next_is(b'(') && compares_numbers(here) => Some(Builtin::SqlInjection),
        _ if next_is(b'(') => called(text, first, at, breaks_out),
        _ => system_name(text, here, at, breaks_out),
    }
}

/// `; DROP TABLE …` behind a value.
fn stacked(text: &[u8], here: &[Token], at: usize, breaks_out: bool) -> Option<Builtin> {
    const BEGINS: &[&str] = &[
        "drop", "delete", "insert", "update", "exec", "execute", "shutdown", "declare", "alter", "truncate", "waitfor", "select",
        "grant", "create", "copy",
    ];
    let begins = here.get(1).is_some_and(|token| token.is_any(text, BEGINS));
    let goes_on = here.get(2).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Symbol(b'*' | b'(')));
    (begins && goes_on && (breaks_out || at <= 1)).then_some(Builtin::SqlInjection)
}

/// `UNION ALL SELECT 1, …`.
fn union(text: &[u8], here: &[Token]) -> Option<Builtin> {
    let between = |token: &&Token| token.is_any(text, &["all", "distinct"]) || token.kind == Kind::Symbol(b'(');
    let next = 1 + here.iter().skip(1).take_while(between).count();
    let select = here.get(next)?;
    if select.kind != Kind::Word || !select.of(text).get(..6).is_some_and(|head| head.eq_ignore_ascii_case(b"select")) {
        return None;
    }
    let column = here.get(next + 1);
    let behind = here.get(next + 2);
    let listed = column.is_some_and(|token| {
        is_constant(text, token) || token.of(text).starts_with(b"@") || matches!(token.kind, Kind::Symbol(_) | Kind::Quoted)
    }) || behind
        .is_none_or(|token| matches!(token.kind, Kind::Symbol(b',' | b'(' | b'+') | Kind::Tail) || token.is(text, "from"));
    listed.then_some(Builtin::SqlInjection)
}

/// `OR 1=1`, `AND (SELECT …`, `OR x=x`.
fn connective(text: &[u8], here: &[Token], at: usize, breaks_out: bool) -> Option<Builtin> {
    let open = here.iter().skip(1).take_while(|token| token.kind == Kind::Symbol(b'(') || token.is(text, "not")).count();
    let left = here.get(1 + open)?;
    let operator = here.get(2 + open);
    let right = here.get(3 + open);
    let compares = is_constant(text, left)
        && operator.is_some_and(|token| is_comparison(text, token))
        && right.is_some_and(|token| {
            is_constant(text, token)
                || token.kind == Kind::Symbol(b'=')
                || token.kind == Kind::Word && here.get(4 + open).is_some_and(|token| token.kind == Kind::Symbol(b'('))
        });
    let selects = open > 0 && left.is(text, "select");
    // Between quoted words, as in a query language, only a tautology counts.
    let same = right.is_some_and(|right| {
        right.kind == left.kind && (left.of(text) == right.of(text) || left.kind == Kind::Number || right.of(text).is_empty())
    });
    // A name that equals itself, as the whole value.
    let idle = at == 0
        && left.kind == Kind::Word
        && operator.is_some_and(|token| token.kind == Kind::Symbol(b'='))
        && right.is_some_and(|right| right.kind == Kind::Word && right.of(text) == left.of(text))
        && here.get(4 + open).is_none_or(|token| token.kind == Kind::Tail);
    (compares && (same || at <= 1 || breaks_out && left.kind != Kind::Text) || selects || idle).then_some(Builtin::SqlInjection)
}

/// `IF(7423=7424)`.
fn compares_numbers(here: &[Token]) -> bool {
    matches!(here.get(2..5), Some([left, sign, right])
        if left.kind == Kind::Number && sign.kind == Kind::Symbol(b'=') && right.kind == Kind::Number)
}

/// Names of a database's own tables, variables and packages.
fn system_name(text: &[u8], here: &[Token], at: usize, breaks_out: bool) -> Option<Builtin> {
    const VARIABLES: &[&str] = &["@@version", "@@hostname", "@@datadir", "@@servername", "@@language", "@@spid"];
    const NAMES: &[&str] = &[
        "sysobjects",
        "syscolumns",
        "sqlite_master",
        "sysusers",
        "all_tables",
        "user_tables",
        "utl_inaddr",
        "utl_http",
        "all_users",
        "dbms_pipe",
        "dbms_lock",
        "dbms_utility",
    ];
    let first = here.first()?;
    let is_dotted = here.get(1).is_some_and(|token| token.kind == Kind::Symbol(b'.'));
    match first.of(text).first().map_or(0, u8::to_ascii_lowercase) {
        b'@' if first.of(text).starts_with(b"@@") => {
            (here.len() + at <= 64 && first.is_any(text, VARIABLES)).then_some(Builtin::SqlProbe)
        }
        b'i' if first.is(text, "information_schema") && is_dotted => Some(Builtin::SqlProbe),
        b'm' if first.is(text, "master") && is_dotted && breaks_out => Some(Builtin::SqlInjection),
        b's' | b'a' | b'u' | b'd' => first.is_any(text, NAMES).then_some(Builtin::SqlProbe),
        _ => None,
    }
}

/// Functions that only a probe calls from inside a value.
fn called(text: &[u8], function: &Token, at: usize, breaks_out: bool) -> Option<Builtin> {
    let before = function.start.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
    if before == b'.' {
        return None;
    }
    if function.is_any(
        text,
        &[
            "benchmark",
            "pg_sleep",
            "extractvalue",
            "updatexml",
            "load_file",
            "randomblob",
            "xmltype",
            "sys_eval",
            "sys_exec",
            "utl_http",
            "pg_read_file",
            "pg_ls_dir",
            "current_setting",
            "current_database",
            "inet_server_addr",
            "lo_import",
        ],
    ) {
        return Some(Builtin::SqlInjection);
    }
    if function.is(text, "sleep") {
        let argument = text.get(function.end..).unwrap_or_default().trim_ascii_start();
        let counts = argument.get(1).is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'_'));
        return counts.then_some(Builtin::SqlInjection);
    }
    (breaks_out
        && at <= 2
        && function.is_any(text, &["char", "chr", "concat", "substring", "substr", "ascii", "exists", "if", "convert", "cast"]))
    .then_some(Builtin::SqlProbe)
}
