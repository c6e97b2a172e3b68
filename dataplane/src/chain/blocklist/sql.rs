//! Understands SQL statements by their grammar: what they drop, empty, overwrite, grant or reach.
//!
//! Lives on one shard; tokens are kept in the shard's scratch. A sentence that begins with `drop` or
//! `delete` does not go on like a statement, and is left alone.

use super::builtin::Builtin;
use super::decode;
use super::detect::Sink;
use super::sql_lex::{DoubleQuotes, Kind, Token, tokenise};

/// Deepest nesting of statements inside strings. LIMIT: each level reads its text again.
const DEPTH_MAX: u8 = 3;

/// Buffers of one shard: one token list per level.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    levels: [Level; DEPTH_MAX as usize + 1],
}

#[derive(Debug, Default)]
struct Level {
    tokens: Vec<Token>,
    /// The statements that strings of these tokens make up.
    made: Vec<u8>,
}

/// Whether the text can only be SQL, or might be a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    Sql,
    Perhaps,
}

/// Looks at a text of statements.
pub(super) fn check(scratch: &mut Scratch, sink: &mut Sink<'_>, text: &[u8], certainty: Certainty) {
    level(&mut scratch.levels, sink, text, certainty);
    // `DR/**/OP`: some filters take comments out before the database reads on.
    if let [first, deeper @ ..] = &mut scratch.levels
        && unsplit(text, &mut first.made)
    {
        level(deeper, sink, &first.made, certainty);
    }
    let start = text.trim_ascii_start();
    if certainty == Certainty::Sql || start.starts_with(b"db.") {
        documents(sink, text);
    }
    if certainty == Certainty::Sql && memchr::memmem::find(text, b"pg_drop_replication_slot(").is_some() {
        sink.report(Builtin::SqlDrop);
    }
    if start.starts_with(b"g.V()")
        || start.starts_with(b"CALL apoc.periodic")
        || matches!(text.trim_ascii(), b"DROP ALL" | b"CLEAR ALL")
    {
        graphs(sink, text);
    }
    // What a search engine's console takes.
    let by_query = start.starts_with(b"POST /") && memchr::memmem::find(text, b"_delete_by_query").is_some();
    let whole = start.starts_with(b"DELETE /") && memchr::memmem::find(text, b"/_doc/").is_none();
    if (by_query && memchr::memmem::find(text, b"match_all").is_some()) || whole {
        sink.report(Builtin::SqlDrop);
    }
}

/// Writes a text without the empty comments that stand within its words; answers whether there are any.
fn unsplit(text: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut from = 0;
    let is_comment = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(b"/**/"));
    for at in memchr::memchr_iter(b'/', text).filter(is_comment) {
        let within = at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(u8::is_ascii_alphabetic)
            && text.get(at + 4).is_some_and(u8::is_ascii_alphabetic);
        if within {
            out.extend_from_slice(text.get(from..at).unwrap_or_default());
            from = at + 4;
        }
    }
    out.extend_from_slice(text.get(from..).filter(|_| from > 0).unwrap_or_default());
    from > 0
}

/// Whether one of the first parts of the text begins like a whole statement.
pub(super) fn is_statement(text: &[u8]) -> bool {
    let starts = std::iter::once(0).chain(memchr::memchr_iter(b';', text).map(|end| end + 1));
    // LIMIT: what hides a statement behind others does not need more.
    starts.take(4).any(|start| begins_statement(text.get(start..).unwrap_or_default()))
}

/// Whether the text begins like a whole statement.
pub(super) fn begins_statement(text: &[u8]) -> bool {
    let mut text = text.trim_ascii_start();
    // LIMIT: nobody writes more comments before a statement.
    for _ in 0..4 {
        let length = match text {
            [b'/', b'*', inner @ ..] if !inner.starts_with(b"!") => memchr::memmem::find(inner, b"*/").map(|at| at + 4),
            [b'-', b'-', ..] => memchr::memchr(b'\n', text),
            _ => break,
        };
        text = length.and_then(|length| text.get(length..)).unwrap_or_default().trim_ascii_start();
    }
    let end = text.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len());
    let word = text.get(..end).unwrap_or_default();
    let rest = text.get(end..).unwrap_or_default();
    [
        "select", "with", "insert", "update", "delete", "create", "alter", "drop", "truncate", "grant", "revoke", "merge",
        "explain", "show", "describe", "exec", "execute", "call", "begin", "set", "use", "declare", "replace", "copy", "do",
        "prepare", "purge", "reset", "match", "post",
    ]
    .iter()
    .any(|keyword| word.eq_ignore_ascii_case(keyword.as_bytes()))
        && rest.first().is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'*' | b'(' | b';'))
        || text.starts_with(b"db.")
        // A word that a comment splits is meant to be read as one.
        || !word.is_empty() && matches!(rest, [b'/', b'*', b'*', b'/', next, ..] if next.is_ascii_alphabetic())
}

fn level(levels: &mut [Level], sink: &mut Sink<'_>, text: &[u8], certainty: Certainty) {
    let Some((Level { tokens, made }, deeper)) = levels.split_first_mut() else { return };
    tokenise(text, DoubleQuotes::Names, tokens);
    let mut start = 0;
    for at in 0..=tokens.len() {
        let ends = tokens.get(at).is_none_or(|token| token.kind == Kind::Symbol(b';'));
        // Inside blocks statements also begin behind these words; behind `MATCHED THEN` goes on what `MERGE` began.
        let is_merge = before(tokens, at, 1).is_some_and(|token| token.is_any(text, &["matched", "source", "target"]));
        let opens = !is_merge
            && at > start
            && tokens.get(at).is_some_and(|token| token.is_any(text, &["begin", "then", "else", "loop", "do"]));
        if ends || opens {
            let own = tokens.get(start..at).unwrap_or_default();
            if !drops_temporary(text, tokens, own) {
                statement(sink, text, own, certainty);
            }
            start = at + 1;
        }
    }
    if runs_strings(text, tokens, certainty) {
        made.clear();
        join_strings(text, tokens, made);
        if is_block(made) {
            level(deeper, sink, made, certainty);
        }
    }
    system(sink, text, tokens, certainty);
}

/// The token so many places before another.
fn before(tokens: &[Token], at: usize, back: usize) -> Option<&Token> {
    tokens.get(at.checked_sub(back)?)
}

/// Whether a statement drops a table that the same text makes for a while.
fn drops_temporary(text: &[u8], tokens: &[Token], statement: &[Token]) -> bool {
    let [drop, table, .., name] = statement else { return false };
    let is_made = |three: &[Token]| matches!(three, [kind, table, made] if kind.is_any(text, &["temp", "temporary"]) && table.is(text, "table") && made.of(text) == name.of(text));
    // LIMIT: it is made at the beginning; the rest is not searched for every table that goes.
    drop.is(text, "drop") && table.is(text, "table") && tokens.windows(3).take(256).any(is_made)
}

/// Writes what the strings say, those that are joined by `+`, `||` or as the arguments of `CONCAT` as one. What else is
/// joined stands as a name.
fn join_strings(text: &[u8], tokens: &[Token], made: &mut Vec<u8>) {
    let mut last: Option<usize> = None;
    for (at, token) in tokens.iter().enumerate() {
        let hex = hex_of(text, tokens, at);
        if token.kind != Kind::Text && hex.is_none() {
            continue;
        }
        let between = last.map(|last| tokens.get(last + 1..at).unwrap_or_default());
        let is_joint = |token: &Token| matches!(token.kind, Kind::Symbol(b'+' | b'|' | b','));
        let count = |tokens: &[Token], sign| tokens.iter().filter(|token| token.kind == Kind::Symbol(sign)).count();
        // What stands behind the call is none of its arguments.
        let closes = |between: &[Token]| count(between, b')') > count(between, b'(');
        match between {
            None => {}
            Some([first, rest @ ..]) if is_joint(first) && !closes(rest) => {
                // `N'…'` and `E'…'` are strings like any other.
                let is_mark = |token: &Token| token.is_any(text, &["n", "e"]);
                if !rest.iter().all(|token| is_joint(token) || is_mark(token)) {
                    made.push(b'x');
                }
            }
            Some(_) => made.push(b';'),
        }
        match hex {
            // What is written in two bytes a letter has NULs.
            Some(hex) => made.extend(decode::hex_pairs(hex).filter(|byte| *byte != 0)),
            None => made.extend_from_slice(token.of(text)),
        }
        last = Some(at);
    }
}

/// The digits of `0x…`, `x'…'` and `UNHEX('…')`, where a token is one.
fn hex_of<'t>(text: &'t [u8], tokens: &[Token], at: usize) -> Option<&'t [u8]> {
    let token = tokens.get(at)?;
    match token.kind {
        Kind::Number => token.of(text).strip_prefix(b"0x").or_else(|| token.of(text).strip_prefix(b"0X")),
        Kind::Text if before(tokens, at, 1).is_some_and(|mark| mark.is(text, "x") && mark.end + 1 == token.start) => {
            Some(token.of(text))
        }
        Kind::Text if before(tokens, at, 2).is_some_and(|name| name.is(text, "unhex")) => Some(token.of(text)),
        _ => None,
    }
}

/// Writes the statements that a statement puts together for another client to run.
pub(super) fn printed<'s>(scratch: &'s mut Scratch, text: &[u8]) -> &'s [u8] {
    let [Level { tokens, made }, ..] = &mut scratch.levels;
    tokenise(text, DoubleQuotes::Names, tokens);
    made.clear();
    join_strings(text, tokens, made);
    made
}

/// Whether strings in these tokens are run as statements.
fn runs_strings(text: &[u8], tokens: &[Token], certainty: Certainty) -> bool {
    let begins = ["exec", "execute", "prepare", "do", "begin", "declare", "set", "create"];
    let begins = tokens.first().is_some_and(|first| first.is_any(text, &begins));
    // psql runs what a query answers.
    let runs_answer = tokens.last().is_some_and(|last| last.is(text, "gexec"));
    runs_answer
        || (begins || certainty == Certainty::Sql)
            && tokens.iter().take(64).any(|token| {
                token.is_any(
                    text,
                    &["exec", "execute", "prepare", "do", "sp_executesql", "immediate", "eval", "function", "dblink_exec"],
                )
            })
}

fn is_block(inner: &[u8]) -> bool {
    is_statement(inner) || memchr::memchr(b';', inner).is_some()
}

struct Cursor<'t> {
    text: &'t [u8],
    tokens: &'t [Token],
    at: usize,
}

impl<'t> Cursor<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn word(&mut self, words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|token| token.is_any(self.text, words));
        self.at += usize::from(found);
        found
    }

    /// `name`, `schema.name`, `"name"`; also `*.*`.
    fn name(&mut self) -> bool {
        let mut any = false;
        while let Some(token) = self.peek() {
            match token.kind {
                Kind::Word | Kind::Quoted => {}
                Kind::Text | Kind::Number => {}
                _ => return any,
            }
            any = true;
            self.at += 1;
            if self.peek().is_none_or(|token| token.kind != Kind::Symbol(b'.')) {
                return true;
            }
            self.at += 1;
        }
        any
    }

    fn names(&mut self) -> bool {
        loop {
            if !self.name() {
                return false;
            }
            if self.peek().is_none_or(|token| token.kind != Kind::Symbol(b',')) {
                return true;
            }
            self.at += 1;
        }
    }

    fn is_done(&self) -> bool {
        self.peek().is_none_or(|token| token.kind == Kind::Tail)
    }

    /// Nothing follows, or one of these words.
    fn ends_or(&self, words: &[&str]) -> bool {
        self.is_done() || self.peek().is_some_and(|token| token.is_any(self.text, words))
    }
}

/// What the statements that are judged begin with; most texts begin with none of these.
const STATEMENTS: &[&str] = &[
    "with", "explain", "analyze", "drop", "truncate", "delete", "update", "alter", "grant", "revoke", "create", "shutdown",
    "purge", "reset", "merge", "match",
];

fn statement(sink: &mut Sink<'_>, text: &[u8], tokens: &[Token], certainty: Certainty) {
    let skip = tokens
        .iter()
        .take_while(|token| {
            matches!(token.kind, Kind::Symbol(b'(' | b')'))
                || token.is_any(text, &["begin", "then", "else", "as", "commit", "go"])
        })
        .count();
    if !tokens.get(skip).is_some_and(|first| first.is_any(text, STATEMENTS)) {
        return;
    }
    let mut cursor = Cursor { text, tokens, at: skip };
    if cursor.word(&["with"]) {
        // Those that write; more of this kind in there would nest without an end.
        let writes = |inner: &&[Token]| inner.first().is_some_and(|first| first.is_any(text, &["delete", "update"]));
        for inner in nested(tokens).filter(writes) {
            statement(sink, text, inner, certainty);
        }
        let Some(at) = main_of_cte(text, tokens, cursor.at) else { return };
        cursor.at = at;
    }
    if cursor.word(&["explain"]) && !tokens.iter().any(|token| token.is(text, "analyze")) {
        return;
    }
    cursor.word(&["analyze"]);
    let strict = certainty == Certainty::Perhaps;
    let found = if cursor.word(&["drop"]) {
        dropped(&mut cursor, strict)
    } else if cursor.word(&["truncate"]) {
        let named = cursor.word(&["table"]);
        let asks = cursor.word(&["if"]) && cursor.word(&["exists"]);
        cursor.word(&["only"]);
        let ok =
            cursor.names() && cursor.ends_or(&["restart", "continue", "cascade", "restrict", "reuse", "drop", "partition", "on"]);
        (ok && (named || asks || !strict || cursor.ends_or(&["restart", "cascade"]))).then_some(Builtin::SqlTruncate)
    } else if cursor.word(&["delete"]) {
        let all = deletes_all_it_selects(&cursor);
        deleted(&mut cursor, strict).or(all.then_some(Builtin::SqlUnbounded))
    } else if cursor.word(&["update"]) {
        updated(&mut cursor, strict)
    } else if cursor.word(&["match"]) {
        matched(&cursor)
    } else if cursor.word(&["merge"]) {
        merged(&cursor)
    } else if cursor.word(&["alter"]) {
        altered(&mut cursor)
    } else if cursor.word(&["grant"]) {
        granted(&cursor)
    } else if cursor.word(&["revoke"]) {
        (cursor.word(&["all"]) && tokens.iter().any(|token| token.is(text, "from"))).then_some(Builtin::SqlGrant)
    } else if cursor.word(&["create"]) {
        created(&mut cursor)
    } else if cursor.word(&["shutdown"]) {
        cursor.ends_or(&["with", "immediate", "abort", "normal", "transactional"]).then_some(Builtin::SqlStop).filter(|_| !strict)
    } else if cursor.word(&["purge", "reset"]) {
        cursor.word(&["binary", "master", "slave", "recyclebin", "dba_recyclebin"]).then_some(Builtin::SqlTruncate)
    } else {
        None
    };
    if let Some(found) = found {
        sink.report(found);
    }
}

/// What stands in parentheses, on the first level.
fn nested(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0_usize;
    let mut start = 0;
    tokens.iter().enumerate().filter_map(move |(at, token)| {
        match token.kind {
            Kind::Symbol(b'(') => {
                depth += 1;
                if depth == 1 {
                    start = at + 1;
                }
            }
            Kind::Symbol(b')') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return tokens.get(start..at);
                }
            }
            _ => {}
        }
        None
    })
}

/// Where the statement behind the common table expressions begins.
fn main_of_cte(text: &[u8], tokens: &[Token], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.kind {
            Kind::Symbol(b'(') => depth += 1,
            Kind::Symbol(b')') => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && token.is_any(text, &["select", "insert", "update", "delete", "merge"]) => {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}

/// `DELETE FROM t WHERE id IN (SELECT id FROM t)`, and the same by way of what `WITH` names.
fn deletes_all_it_selects(cursor: &Cursor<'_>) -> bool {
    let text = cursor.text;
    let Some([from, table, rest @ ..]) = cursor.tokens.get(cursor.at..) else { return false };
    let narrows = rest.iter().any(|token| token.is_any(text, &["and", "not", "limit"]));
    let selects_all = |inner: &[Token]| {
        let [select, .., from, name] = inner else { return false };
        select.is(text, "select") && from.is(text, "from") && name.of(text).eq_ignore_ascii_case(table.of(text))
    };
    from.is(text, "from") && !narrows && nested(cursor.tokens).any(selects_all)
}

fn dropped(cursor: &mut Cursor<'_>, strict: bool) -> Option<Builtin> {
    if cursor.word(&["temporary", "temp"]) {
        return None;
    }
    cursor.word(&["external", "foreign", "materialized", "global", "public", "pluggable"]);
    let is_object = cursor.word(&[
        "table",
        "database",
        "schema",
        "user",
        "role",
        "tablespace",
        "owned",
        "keyspace",
        "login",
        "view",
        "collection",
        "graph",
        "trigger",
        "policy",
        "extension",
        "server",
        "warehouse",
        "publication",
        "subscription",
        "column",
        "group",
        "catalog",
        "namespace",
        "tables",
    ]);
    if !is_object {
        return None;
    }
    // Oracle's `DROP DATABASE INCLUDING BACKUPS` names none.
    if cursor.word(&["including"]) {
        return cursor.word(&["backups"]).then_some(Builtin::SqlDrop);
    }
    if cursor.word(&["if"]) && !cursor.word(&["exists"]) {
        return None;
    }
    cursor.word(&["by", "audit"]);
    let temporary = cursor.peek().is_some_and(|token| {
        let name = token.of(cursor.text);
        name.starts_with(b"#") || name.starts_with(b"pg_temp") || name.starts_with(b"tmp_") || name.starts_with(b"temp_")
    }) || cursor.peek().is_some_and(|token| token.kind == Kind::Symbol(b'#'));
    if temporary || !cursor.names() || cursor.peek().is_some_and(|token| token.kind == Kind::Symbol(b':')) {
        return None;
    }
    let ends = cursor.ends_or(&["cascade", "restrict", "purge", "force", "with", "sync", "on", "no", "including"]);
    (ends || !strict).then_some(Builtin::SqlDrop)
}

fn deleted(cursor: &mut Cursor<'_>, strict: bool) -> Option<Builtin> {
    cursor.word(&["low_priority", "quick", "ignore"]);
    // Oracle's recovery manager.
    if cursor.word(&["noprompt", "force"]) && cursor.word(&["backup", "backupset", "archivelog", "copy", "obsolete", "expired"]) {
        return Some(Builtin::SqlDrop);
    }
    if !cursor.word(&["from"]) {
        // `DELETE t FROM t JOIN …`
        if !cursor.names() || !cursor.word(&["from"]) {
            return None;
        }
        let joins = cursor.tokens.iter().any(|token| token.is_any(cursor.text, &["join", "where"]));
        if !joins && strict {
            return None;
        }
        // A join that drops what does not match says which rows, like a condition.
        let keeps_all = cursor.tokens.iter().any(|token| token.is_any(cursor.text, &["left", "right", "full", "cross"]));
        if joins && !keeps_all && cursor.tokens.iter().any(|token| token.is_any(cursor.text, &["on"])) {
            return None;
        }
        return unbounded(cursor);
    }
    cursor.word(&["only"]);
    let is_accounts = cursor.word(&["mysql"]);
    cursor.at -= usize::from(is_accounts);
    if !cursor.name() {
        return None;
    }
    // Everybody but one.
    if is_accounts && cursor.tokens.iter().any(|token| matches!(token.kind, Kind::Symbol(b'!' | b'<'))) {
        return Some(Builtin::SqlDrop);
    }
    if !cursor.ends_or(&["where", "using", "limit", "order", "returning", "join", "inner", "left", "as"]) && strict {
        return None;
    }
    unbounded(cursor)
}

/// Cypher's `MATCH (n) DETACH DELETE n`: of every node, or of one with a property?
fn matched(cursor: &Cursor<'_>) -> Option<Builtin> {
    let is_graph = cursor.peek().is_some_and(|token| token.kind == Kind::Symbol(b'('));
    let has = |words: &[&str]| cursor.tokens.iter().any(|token| token.is_any(cursor.text, words));
    let has_property = cursor.tokens.iter().any(|token| token.kind == Kind::Symbol(b'{'));
    (is_graph && has(&["delete"]) && !has(&["where"]) && !has_property).then_some(Builtin::SqlUnbounded)
}

/// `MERGE … ON (1 = 1) WHEN MATCHED THEN DELETE`.
fn merged(cursor: &Cursor<'_>) -> Option<Builtin> {
    let tokens = cursor.tokens;
    // `USING (SELECT TOP 0 …) … WHEN NOT MATCHED BY SOURCE THEN DELETE`: nothing is a source.
    let says = |words: [&str; 3]| {
        tokens
            .windows(3)
            .any(|three| three.iter().zip(words).all(|(token, word)| token.of(cursor.text).eq_ignore_ascii_case(word.as_bytes())))
    };
    if says(["select", "top", "0"]) && says(["source", "then", "delete"]) {
        return Some(Builtin::SqlUnbounded);
    }
    let on = tokens.iter().position(|token| token.is(cursor.text, "on"))?;
    let condition = tokens.get(on + 1..)?;
    let opened = condition.iter().take_while(|token| token.kind == Kind::Symbol(b'(')).count();
    let condition = condition.get(opened..)?;
    let ends = |token: &Token| token.kind == Kind::Symbol(b')') || token.is(cursor.text, "when");
    let condition = condition.get(..condition.iter().position(ends)?)?;
    let deletes = tokens.iter().any(|token| token.is(cursor.text, "delete"));
    (deletes && always(cursor.text, b"", condition)).then_some(Builtin::SqlUnbounded)
}

fn updated(cursor: &mut Cursor<'_>, strict: bool) -> Option<Builtin> {
    cursor.word(&["low_priority", "ignore", "only"]);
    if !cursor.names() {
        return None;
    }
    if !cursor.word(&["set"]) {
        cursor.word(&["as"]);
        cursor.name();
        if !cursor.word(&["set"]) {
            return None;
        }
    }
    let is_assignment = cursor.name() && cursor.peek().is_some_and(|token| matches!(token.kind, Kind::Symbol(b'=' | b':')));
    let is_tuple = cursor.peek().is_some_and(|token| token.kind == Kind::Symbol(b'('));
    if !is_assignment && (strict || !is_tuple) {
        return None;
    }
    unbounded(cursor)
}

/// No `WHERE`, or one that always holds.
fn unbounded(cursor: &Cursor<'_>) -> Option<Builtin> {
    let mut depth = 0_usize;
    let rest = cursor.tokens.get(cursor.at..).unwrap_or_default();
    for (at, token) in rest.iter().enumerate() {
        match token.kind {
            Kind::Symbol(b'(') => depth += 1,
            Kind::Symbol(b')') => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && token.is_any(cursor.text, &["where", "limit", "fetch", "top"]) => {
                let condition = rest.get(at + 1..).unwrap_or_default();
                let table = before(cursor.tokens, cursor.at + at, 1).map_or(&b""[..], |table| table.of(cursor.text));
                return always(cursor.text, table, condition).then_some(Builtin::SqlUnbounded);
            }
            _ => {}
        }
    }
    Some(Builtin::SqlUnbounded)
}

/// Whether a condition holds for every row of a table: one of those that `OR` joins does.
fn always(text: &[u8], table: &[u8], condition: &[Token]) -> bool {
    condition.split(|token| token.is(text, "or")).any(|part| always_alone(text, table, part))
}

fn always_alone(text: &[u8], table: &[u8], condition: &[Token]) -> bool {
    let rest = |from: usize| {
        condition.get(from).is_none_or(|token| token.kind == Kind::Tail || token.is_any(text, &["returning", "settings"]))
    };
    match condition {
        [one, ..] if one.is(text, "true") || one.kind == Kind::Number && one.of(text) == b"1" && rest(1) => rest(1),
        // A key that is any key.
        [key, op, bound, ..] if is_key(key.of(text), table) && op.kind == Kind::Symbol(b'>') => {
            matches!(bound.of(text), b"0" | b"-") && (rest(3) || rest(4))
        }
        [key, op, equals, bound, ..]
            if is_key(key.of(text), table) && op.kind == Kind::Symbol(b'>') && equals.kind == Kind::Symbol(b'=') =>
        {
            matches!(bound.of(text), b"0" | b"1") && rest(4)
        }
        [key, is, not, null, ..] if is_key(key.of(text), table) && is.is(text, "is") && not.is(text, "not") => {
            null.is(text, "null") && rest(4)
        }
        // What was made before now: everything was.
        [when, op, now, ..] if op.kind == Kind::Symbol(b'<') && is_birth(when.of(text)) => {
            let is_now = now.is_any(text, &["now", "current_timestamp", "getdate", "sysdate", "current_date"]);
            let called = if condition.get(3).is_some_and(|token| token.kind == Kind::Symbol(b'(')) { 5 } else { 3 };
            let is_later = condition.get(called).is_some_and(|token| token.kind == Kind::Symbol(b'+'));
            is_now && (is_later || rest(called))
        }
        [_, like, pattern, ..] if like.is_any(text, &["like", "ilike"]) => pattern.of(text) == b"%" && rest(3),
        [left, op, right, ..] if op.kind == Kind::Symbol(b'=') => {
            matches!(left.kind, Kind::Number | Kind::Text | Kind::Word | Kind::Quoted)
                && left.kind == right.kind
                && left.of(text) == right.of(text)
                && rest(3)
        }
        _ => false,
    }
}

/// A column that says when a row was made.
fn is_birth(name: &[u8]) -> bool {
    [b"created_at".as_slice(), b"created", b"inserted_at", b"updated_at", b"createdat", b"timestamp"]
        .iter()
        .any(|column| name.eq_ignore_ascii_case(column))
}

/// A column that numbers the rows of a table: `id`, `order_id` of `orders`.
fn is_key(name: &[u8], table: &[u8]) -> bool {
    let is_own = |of: &[u8]| table.get(..of.len()).is_some_and(|start| start.eq_ignore_ascii_case(of));
    [b"id".as_slice(), b"uuid", b"pk", b"rowid"].iter().any(|key| name.eq_ignore_ascii_case(key))
        || name.strip_suffix(b"_id").is_some_and(|of| of.len() > 1 && is_own(of))
}

fn altered(cursor: &mut Cursor<'_>) -> Option<Builtin> {
    if cursor.word(&["user", "role", "login"]) {
        let raises =
            cursor.tokens.iter().any(|token| token.is_any(cursor.text, &["superuser", "createrole", "bypassrls", "sysadmin"]));
        return raises.then_some(Builtin::SqlGrant);
    }
    if !cursor.word(&["table"]) {
        return None;
    }
    if cursor.word(&["if"]) && !cursor.word(&["exists"]) {
        return None;
    }
    if !cursor.name() {
        return None;
    }
    if cursor.word(&["on"]) {
        cursor.word(&["cluster"]);
        cursor.name();
    }
    if cursor.word(&["delete"]) {
        return unbounded(cursor);
    }
    if cursor.word(&["disable"]) {
        return cursor.word(&["row"]).then_some(Builtin::SqlGrant);
    }
    if !cursor.word(&["drop"]) {
        return None;
    }
    if cursor
        .peek()
        .is_some_and(|token| token.is_any(cursor.text, &["constraint", "index", "default", "foreign", "check", "key"]))
    {
        return None;
    }
    Some(Builtin::SqlDrop)
}

fn granted(cursor: &Cursor<'_>) -> Option<Builtin> {
    let text = cursor.text;
    let rest = cursor.tokens.get(cursor.at..).unwrap_or_default();
    let to = rest.iter().any(|token| token.is(text, "to"));
    let first = rest.first()?;
    let to_all = rest.windows(2).any(|two| matches!(two, [a, b] if a.is(text, "to") && b.is(text, "public")));
    let of_all = rest.windows(3).any(|three| matches!(three, [a, b, c] if a.kind == Kind::Symbol(b'*') && b.kind == Kind::Symbol(b'.') && c.kind == Kind::Symbol(b'*')));
    let everything = first.is_any(text, &["super", "dba", "sysadmin", "superuser", "rds_superuser", "file", "ownership"])
        || first.is(text, "all") && (of_all || to_all)
        || rest.windows(2).any(|two| matches!(two, [a, b] if a.is_any(text, &["grant", "admin"]) && b.is(text, "option")));
    let at_end = rest
        .iter()
        .rposition(|token| token.is(text, "to"))
        .is_some_and(|to| rest.len() - to <= 6 || rest.iter().skip(to).any(|token| token.is_any(text, &["identified"])));
    let on = rest.iter().any(|token| token.is_any(text, &["on", "privileges", "option"])) || rest.len() <= 4;
    (to && at_end && on && everything).then_some(Builtin::SqlGrant)
}

fn created(cursor: &mut Cursor<'_>) -> Option<Builtin> {
    let replaces = cursor.word(&["or"]) && cursor.word(&["replace"]);
    let text = cursor.text;
    if replaces && cursor.peek().is_some_and(|token| token.is_any(text, &["database", "schema"])) {
        return Some(Builtin::SqlDrop);
    }
    // `CREATE OR REPLACE TABLE t AS SELECT * FROM t WHERE FALSE`
    if replaces && cursor.word(&["table"]) {
        let is_none = match cursor.tokens {
            [.., clause, never] if clause.is(text, "where") => never.is(text, "false"),
            [.., clause, none] if clause.is(text, "limit") => none.of(text) == b"0",
            [.., clause, one, _, other] if clause.is(text, "where") => {
                one.kind == Kind::Number && other.kind == Kind::Number && one.of(text) != other.of(text)
            }
            _ => false,
        };
        return is_none.then_some(Builtin::SqlTruncate);
    }
    let any = |words: &[&str]| cursor.tokens.iter().any(|token| token.is_any(text, words));
    if cursor.peek().is_some_and(|token| token.is_any(text, &["user", "role", "login"])) {
        return any(&["superuser", "sysadmin", "bypassrls", "createrole"]).then_some(Builtin::SqlGrant);
    }
    if cursor.peek().is_some_and(|token| token.is_any(text, &["function", "procedure", "extension", "language"])) {
        return any(&["plpythonu", "plpython3u", "plperlu", "plsh", "c", "soname", "dblink", "file_fdw", "xp_cmdshell"])
            .then_some(Builtin::SqlSystem);
    }
    None
}

/// Functions and clauses that leave the database.
fn system(sink: &mut Sink<'_>, text: &[u8], tokens: &[Token], certainty: Certainty) {
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Word || token.end - token.start < 4 {
            continue;
        }
        let next = tokens.get(at + 1);
        let is_call = next.is_some_and(|token| token.kind == Kind::Symbol(b'('));
        let found = token.is_any(
            text,
            &[
                "xp_cmdshell",
                "sp_oacreate",
                "xp_regread",
                "xp_regwrite",
                "xp_dirtree",
                "xp_fileexist",
                "sp_msforeachtable",
                "sp_msforeachdb",
            ],
        ) || is_call
            && token.is_any(
                text,
                &[
                    "load_file",
                    "pg_read_file",
                    "pg_read_binary_file",
                    "lo_import",
                    "lo_export",
                    "sys_exec",
                    "sys_eval",
                    "pg_ls_dir",
                    "load_extension",
                    "dblink_connect",
                    "readfile",
                    "writefile",
                    "edit",
                ],
            )
            || token.is(text, "into") && next.is_some_and(|token| token.is_any(text, &["outfile", "dumpfile"]))
            || token.is(text, "program") && before(tokens, at, 1).is_some_and(|before| before.is_any(text, &["from", "to"]))
            || token.is(text, "load")
                && next.is_some_and(|token| token.is(text, "data"))
                && tokens.iter().skip(at).any(|token| token.is(text, "infile"))
            || token.is(text, "sp_configure") && tokens.len() > at + 1
            || token.is_any(text, &["utl_http", "utl_file", "dbms_scheduler", "dbms_java"])
                && next.is_some_and(|token| token.kind == Kind::Symbol(b'.'));
        if found && (certainty == Certainty::Sql || is_call || at > 0 || tokens.len() > 1) {
            sink.report(Builtin::SqlSystem);
            return;
        }
    }
}

/// Graph stores: `g.V().drop()`, `DROP ALL`, `CALL apoc.periodic.iterate('MATCH (n) …','DETACH DELETE n')`.
fn graphs(sink: &mut Sink<'_>, text: &[u8]) {
    let has = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    let narrows = has(b".has(") || has(b".hasId(") || has(b".hasLabel(") || has(b"WHERE");
    let deletes = has(b".drop()") || has(b"DETACH DELETE") || text.trim_ascii().ends_with(b" ALL");
    if deletes && !narrows {
        sink.report(Builtin::SqlUnbounded);
    }
}

/// Document stores: `db.dropDatabase()`, `db.users.deleteMany({})`.
fn documents(sink: &mut Sink<'_>, text: &[u8]) {
    if memchr::memmem::find(text, b"db.").is_none() && memchr::memmem::find(text, b"getSiblingDB").is_none() {
        return;
    }
    let has = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    let drops = [b".dropDatabase(".as_slice(), b".drop()", b".dropUser(", b".dropAllUsersFromDatabase(", b".shutdownServer("]
        .iter()
        .any(|part| has(part));
    let empties = [
        b"deleteMany({})".as_slice(),
        b"remove({})",
        b"deleteMany( {} )",
        b"deleteMany()",
        b"remove()",
        b"deleteMany({}, ",
        b"updateMany({}, {$unset",
        b"updateMany({}, { $unset",
    ]
    .iter()
    .any(|part| has(part));
    if drops {
        sink.report(Builtin::SqlDrop);
    } else if empties {
        sink.report(Builtin::SqlUnbounded);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_argument;

    #[test]
    fn statements_are_judged_by_their_grammar() {
        let rows = [
            ("DROP TABLE users", Some("sql.drop")),
            ("drop/**/table users", Some("sql.drop")),
            ("DROP /* x */ TABLE IF EXISTS a.users, b CASCADE;", Some("sql.drop")),
            ("/*!50000DROP*/ TABLE users", Some("sql.drop")),
            ("-- note\nDROP DATABASE prod", Some("sql.drop")),
            ("SELECT 1; DROP SCHEMA public CASCADE", Some("sql.drop")),
            ("ALTER TABLE users DROP COLUMN email", Some("sql.drop")),
            ("ALTER TABLE users DROP CONSTRAINT fk", None),
            ("ALTER TABLE users ADD COLUMN email text", None),
            ("DROP TEMPORARY TABLE x", None),
            ("TRUNCATE TABLE orders", Some("sql.truncate")),
            ("TRUNCATE orders RESTART IDENTITY CASCADE", Some("sql.truncate")),
            ("SELECT TRUNCATE(1.5, 1)", None),
            ("DELETE FROM users", Some("sql.unbounded-write")),
            ("DELETE FROM users WHERE 1=1", Some("sql.unbounded-write")),
            ("DELETE FROM users WHERE true", Some("sql.unbounded-write")),
            ("DELETE FROM users WHERE id = 5", None),
            ("DELETE FROM users WHERE id = 1", None),
            ("DELETE FROM s USING t WHERE s.a = t.a", None),
            ("WITH x AS (SELECT 1) DELETE FROM users", Some("sql.unbounded-write")),
            ("UPDATE users SET admin = true", Some("sql.unbounded-write")),
            ("UPDATE users SET admin = true WHERE id = 3", None),
            ("UPDATE users u SET a = (SELECT 1 WHERE 2=2)", Some("sql.unbounded-write")),
            ("INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1", None),
            ("GRANT ALL PRIVILEGES ON *.* TO 'x'@'%'", Some("sql.grant")),
            ("GRANT ALL ON ALL TABLES IN SCHEMA s TO PUBLIC", Some("sql.grant")),
            ("GRANT ALL PRIVILEGES ON app.* TO 'app'@'localhost'", None),
            ("GRANT SELECT ON *.* TO 'reader'@'%'", None),
            ("GRANT SELECT ON t TO reader", None),
            ("CREATE OR REPLACE DATABASE prod", Some("sql.drop")),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", None),
            ("CREATE USER x SUPERUSER", Some("sql.grant")),
            ("EXEC xp_cmdshell 'dir'", Some("sql.system-access")),
            ("COPY t FROM PROGRAM 'id'", Some("sql.system-access")),
            ("SELECT 'x' INTO OUTFILE '/var/www/s.php'", Some("sql.system-access")),
            ("SELECT pg_read_file('/etc/passwd')", Some("sql.system-access")),
            ("EXECUTE 'DROP TABLE users'", Some("sql.drop")),
            ("DO $$ BEGIN EXECUTE 'DROP TABLE users'; END $$", Some("sql.drop")),
            ("EXEC('DR' + 'OP DATABASE crm')", Some("sql.drop")),
            ("SET @q = CONCAT('TRUNC', 'ATE TABLE ', 'users'); PREPARE s FROM @q", Some("sql.truncate")),
            ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || quote_ident(r.t) || ' CASCADE'; END $$", Some("sql.drop")),
            ("WITH gone AS (DELETE FROM users RETURNING id) SELECT count(*) FROM gone", Some("sql.unbounded-write")),
            ("WITH old AS (SELECT id FROM users WHERE x = 1) SELECT * FROM old", None),
            ("MERGE INTO c USING (SELECT 1) s ON (1 = 1) WHEN MATCHED THEN DELETE", Some("sql.unbounded-write")),
            (
                "MERGE INTO c USING (SELECT TOP 0 * FROM c) s ON c.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
                Some("sql.unbounded-write"),
            ),
            ("MERGE INTO c USING s ON (c.id = s.id) WHEN MATCHED THEN DELETE", None),
            ("DELETE u, p FROM users u LEFT JOIN profiles p ON p.user_id = u.id", Some("sql.unbounded-write")),
            ("DELETE u FROM users u JOIN banned b ON b.id = u.id", None),
            ("DELETE FROM users WHERE id IS NOT NULL", Some("sql.unbounded-write")),
            ("DELETE FROM users WHERE id > 0", Some("sql.unbounded-write")),
            ("DELETE FROM users WHERE deleted_at IS NOT NULL", None),
            ("DELETE FROM shop.orders WHERE order_id IS NOT NULL", Some("sql.unbounded-write")),
            ("DELETE FROM customers WHERE customer_id > 0", Some("sql.unbounded-write")),
            ("DELETE FROM orders WHERE customer_id > 0", None),
            ("CREATE OR REPLACE TABLE t AS SELECT * FROM t WHERE 1=0", Some("sql.truncate")),
            ("CREATE TABLE z(t text); COPY z FROM PROGRAM 'id';", Some("sql.system-access")),
            ("DROP PLUGGABLE DATABASE p INCLUDING DATAFILES", Some("sql.drop")),
            ("DELETE FROM sessions WHERE user_id IS NOT NULL", None),
            ("DELETE FROM users WHERE id > 500", None),
            ("WITH a AS (SELECT id FROM t) DELETE FROM t WHERE id IN (SELECT id FROM a)", Some("sql.unbounded-write")),
            ("DELETE FROM t WHERE id IN (SELECT id FROM t)", Some("sql.unbounded-write")),
            ("DELETE FROM t WHERE id IN (SELECT t_id FROM gone)", None),
            ("WITH a AS (SELECT id FROM t WHERE x < 3) DELETE FROM t WHERE id IN (SELECT id FROM a)", None),
            ("CREATE OR REPLACE TABLE t AS SELECT * FROM t WHERE FALSE", Some("sql.truncate")),
            ("CREATE OR REPLACE TABLE t AS SELECT * FROM u", None),
            ("TRUNCATE TABLE IF EXISTS events ON CLUSTER main SYNC", Some("sql.truncate")),
            ("DELETE FROM mysql.user WHERE User != 'root'", Some("sql.drop")),
            ("DELETE FROM mysql.user WHERE User = 'old'", None),
            ("SET @s = 0x44524F50205441424C4520757365727320; PREPARE st FROM @s; EXECUTE st;", Some("sql.drop")),
            ("PREPARE st FROM UNHEX('5452554E43415445205441424C45206F7264657273')", Some("sql.truncate")),
            ("SELECT format('DROP TABLE %I', t) FROM pg_tables WHERE s = 'public' \\gexec", Some("sql.drop")),
            ("DR/**/OP TA/**/BLE users", Some("sql.drop")),
            ("MATCH (n) DETACH DELETE n", Some("sql.unbounded-write")),
            ("MATCH (n:User {id: 7}) DETACH DELETE n", None),
            ("ALTER TABLE events ON CLUSTER main DELETE WHERE 1", Some("sql.unbounded-write")),
            ("DELETE NOPROMPT BACKUP", Some("sql.drop")),
            ("POST /logs-*/_delete_by_query {\"query\": {\"match_all\": {}}}", Some("sql.drop")),
            ("DROP TABLE $name", Some("sql.drop")),
            ("DROP TABLE {}", Some("sql.drop")),
            ("drop table {name} cascade", Some("sql.drop")),
            ("TRUNCATE TABLE events ON CLUSTER main", Some("sql.truncate")),
            ("TRUNCATE #{table} CASCADE", Some("sql.truncate")),
            ("DO $$ BEGIN EXECUTE format('DROP TABLE %I CASCADE', r.t); END $$", Some("sql.drop")),
            ("ALTER TABLE patients DISABLE ROW LEVEL SECURITY", Some("sql.grant")),
            ("CREATE TEMP TABLE t (id int); DROP TABLE t;", None),
            ("CREATE TEMP TABLE t (id int); DROP TABLE users;", Some("sql.drop")),
            ("DROP DATABASE INCLUDING BACKUPS NOPROMPT", Some("sql.drop")),
            ("SELECT 'DROP TABLE users'", None),
            ("SELECT * FROM drops WHERE note = 'truncate table x'", None),
            ("SELECT id FROM t UNION SELECT id FROM u", None),
            ("EXPLAIN DELETE FROM users", None),
            ("SHUTDOWN", Some("sql.shutdown")),
            ("db.dropDatabase()", Some("sql.drop")),
            ("db.users.find({})", None),
        ];
        for (sql, expect) in rows {
            assert_eq!(check_argument("sql", sql).as_deref(), expect, "{sql}");
        }
    }

    #[test]
    fn sentences_are_not_statements() {
        for text in [
            "drop me a note",
            "Drop table reservations for tomorrow",
            "delete from my calendar the meeting",
            "update the docs and set the flag",
            "truncate text to 80 characters",
            "grant all users to see this",
            "shutdown",
            "alter table of contents",
        ] {
            assert_eq!(check_argument("input", text), None, "{text}");
        }
    }
}
