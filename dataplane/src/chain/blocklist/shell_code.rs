//! One-liners of other languages inside a command: what they start, open and delete.
//!
//! Pure functions over code text. Only calls that need no knowledge of the surrounding program count.

use aho_corasick::packed;
use memchr::memmem::find;

use super::builtin::Builtin;
use super::shell_target::Place;

mod libraries;

pub(super) use self::libraries::calls;

/// A language whose interpreter takes a program on its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// `python -c`
    Python,
    /// `perl -e`, `ruby -e`, `lua -e`
    Perl,
    /// `node -e`
    Node,
    /// `php -r`
    Php,
    /// `awk 'program'`
    Awk,
}

impl Language {
    /// The options in front of a program.
    pub(super) fn inline_flags(self) -> &'static [u8] {
        match self {
            Self::Python => b"c",
            Self::Perl | Self::Awk => b"e",
            Self::Node => b"ep",
            Self::Php => b"r",
        }
    }
}

/// The language an interpreter of that name runs.
pub(super) fn language(name: &[u8]) -> Option<Language> {
    match name {
        b"perl" | b"ruby" | b"lua" | b"jruby" | b"elixir" | b"groovy" | b"rscript" | b"osascript" => Some(Language::Perl),
        b"node" | b"nodejs" | b"deno" | b"bun" => Some(Language::Node),
        b"php" => Some(Language::Php),
        b"awk" | b"gawk" | b"mawk" => Some(Language::Awk),
        _ if name.starts_with(b"python") || name.starts_with(b"pypy") || name == b"ipython" => Some(Language::Python),
        _ => None,
    }
}

fn has(code: &[u8], parts: &[&[u8]]) -> bool {
    parts.iter().any(|part| find(code, part).is_some())
}

/// Whether the code hands strings to a shell.
fn starts_processes(code: &[u8]) -> bool {
    has(
        code,
        &[
            b"system(",
            b"system ",
            b"popen",
            b"subprocess",
            b"exec(",
            b"exec ",
            b"execSync",
            b"Open3",
            b"shell script",
            b"local-exec",
            b"spawn",
            b"shell_exec",
            b"passthru",
            b"proc_open",
            b"`",
            b"qx",
        ],
    )
}

/// Whether the text begins like a program in a language that is no shell's.
pub(super) fn is_program(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    [
        b"import ".as_slice(),
        b"from ",
        b"require ",
        b"require(",
        b"const ",
        b"let ",
        b"var ",
        b"async ",
        b"def ",
        b"class ",
        b"<?php",
        b"export default",
        b"export const",
        b"export function",
        b"export class",
        b"export {",
        b"export *",
        b"use strict",
        b"#!/usr/bin/env python",
        b"#!/usr/bin/python",
        b"#!/usr/bin/env node",
        b"#!/usr/bin/env ruby",
        b"#!/usr/bin/perl",
        b"using ",
        b"package main",
        b"fn main",
        b"resource \"",
    ]
    .iter()
    .any(|start| text.starts_with(start))
}

/// What kinds of calls a program makes, so that of the searches below only those are made that may find something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acts(u8);

impl Acts {
    /// Files and trees go.
    const FILES: u8 = 1;
    /// Processes or code that is made up are started.
    const PROCESS: u8 = 1 << 1;
    /// Statements are sent.
    const STATEMENT: u8 = 1 << 2;
    /// What a service keeps goes.
    const KEPT: u8 = 1 << 3;

    /// What is called without a parenthesis, or stands in one with something before it.
    const BARE: [(&'static str, u8); 17] = [
        ("system ", Self::PROCESS),
        ("exec ", Self::PROCESS),
        ("eval ", Self::PROCESS),
        ("getline", Self::PROCESS),
        ("fork", Self::PROCESS),
        ("/dev/", Self::PROCESS),
        ("local-exec", Self::PROCESS),
        ("shell script", Self::PROCESS),
        ("rm_rf", Self::FILES),
        ("rmtree", Self::FILES),
        ("rimraf", Self::FILES),
        ("unlink", Self::FILES),
        ("delete-directory", Self::FILES),
        ("_all", Self::KEPT),
        (".destroy", Self::KEPT),
        ("DestroyService", Self::KEPT),
        ("force:", Self::KEPT),
    ];

    /// Looks at what stands before each parenthesis, and for what is called without one.
    pub(super) fn of(code: &[u8], bare: &Bare) -> Self {
        let called = libraries::calls(code).fold(0, |acts, name| acts | Self::call(name));
        let quoted = if has(code, &[b"`", b"qx"]) { Self::PROCESS } else { 0 };
        Self(called | quoted | bare.acts(code))
    }

    fn call(name: &[u8]) -> u8 {
        let begins = |words: &[&[u8]]| words.iter().any(|word| name.starts_with(word));
        match name.first() {
            Some(b'b') if begins(&[b"begin"]) => Self::KEPT,
            Some(b'c') if begins(&[b"call", b"check_", b"capture", b"compile", b"connect"]) => Self::PROCESS,
            Some(b'c') if begins(&[b"clear"]) => Self::KEPT,
            Some(b'd') if begins(&[b"del", b"drop", b"destroy", b"deregister"]) => Self::KEPT | Self::FILES,
            Some(b'd') if begins(&[b"dup2"]) => Self::PROCESS,
            Some(b'D') if begins(&[b"Del"]) => Self::KEPT | Self::FILES,
            Some(b'e') if begins(&[b"encrypt"]) => Self::FILES,
            Some(b'e') if begins(&[b"exec", b"eval"]) => Self::STATEMENT | Self::PROCESS,
            Some(b'f') if begins(&[b"flush"]) => Self::KEPT,
            Some(b'F') if begins(&[b"FLUSH"]) => Self::KEPT,
            Some(b'F') if begins(&[b"Fernet"]) => Self::FILES,
            Some(b'F') if begins(&[b"Function"]) => Self::PROCESS,
            Some(b'p') if begins(&[b"popen", b"passthru", b"proc_open"]) => Self::PROCESS,
            Some(b'p') if begins(&[b"prune", b"purge"]) => Self::KEPT,
            Some(b'P') if begins(&[b"Popen"]) => Self::PROCESS,
            Some(b'g') if begins(&[b"getAll"]) => Self::KEPT,
            Some(b'q') if begins(&[b"query"]) => Self::STATEMENT,
            Some(b'r') if begins(&[b"rm", b"remove"]) => Self::FILES,
            Some(b'r') if begins(&[b"raw"]) => Self::STATEMENT,
            Some(b'r') if begins(&[b"run"]) => Self::PROCESS,
            Some(b's') if begins(&[b"system", b"spawn", b"shell_exec"]) => Self::PROCESS,
            Some(b's') if begins(&[b"sync", b"stop_logging"]) => Self::KEPT,
            Some(b'R') if begins(&[b"RemoveAll"]) => Self::FILES,
            Some(b't') if begins(&[b"terminate"]) => Self::KEPT,
            Some(b'T') if begins(&[b"Terminate"]) => Self::KEPT,
            _ => 0,
        }
    }

    fn has(self, kind: u8) -> bool {
        self.0 & kind != 0
    }

    pub(super) fn starts_processes(self, code: &[u8]) -> bool {
        self.has(Self::PROCESS) && starts_processes(code)
    }

    pub(super) fn sends_statements(self, code: &[u8]) -> bool {
        self.has(Self::STATEMENT) && sends_statements(code)
    }
}

/// Searches for all of [`Acts::BARE`] at once.
#[derive(Debug)]
pub(super) struct Bare(Option<packed::Searcher>);

impl Bare {
    pub(super) fn new() -> Self {
        Self(packed::Searcher::new(Acts::BARE.map(|(word, _)| word)))
    }

    /// Where the processor cannot search so, each search below is made.
    fn acts(&self, code: &[u8]) -> u8 {
        let Self(Some(words)) = self else { return u8::MAX };
        let kind = |found: usize| Acts::BARE.get(found).map_or(0, |(_, kind)| *kind);
        words.find_iter(code).fold(0, |acts, found| acts | kind(found.pattern().as_usize()))
    }
}

/// `unlink glob "/var/backups/*"`, `array_map("unlink", glob("/var/www/uploads/*"))`.
fn unlinks_all(code: &[u8]) -> bool {
    let roots: [&[u8]; 6] = [b"/var/", b"/etc/", b"/home/", b"/srv/", b"/opt/", b"/backup"];
    has(code, &[b"unlink"]) && has(code, &[b"glob"]) && has(code, &roots)
}

/// What is wrong with an inline program.
pub(super) fn inline(code: &[u8], acts: Acts, substituted: bool) -> Option<Builtin> {
    if unlinks_all(code) {
        return Some(Builtin::ShellDelete);
    }
    if acts.0 == 0 {
        return None;
    }
    let opens_socket =
        has(code, &[b"socket", b"Socket", b"fsockopen", b"/inet/tcp", b"TCPSocket", b"net.connect", b"IO::Socket"]);
    let gives_shell =
        has(code, &[b"/bin/sh", b"/bin/bash", b"dup2", b"pty.spawn", b"cmd.exe", b"subprocess", b"|getline", b"exec "]);
    if opens_socket && gives_shell {
        return Some(Builtin::ShellReverse);
    }
    if has(code, &[b"execute(base64.b64decode", b"execute(b64decode", b"execute(atob"]) {
        return Some(Builtin::ShellEncodedCode);
    }
    let runs = has(code, &[b"exec(", b"eval(", b"system(", b"exec ", b"eval ", b"compile(", b"Function("]);
    if runs && decodes(code) {
        return Some(Builtin::ShellEncodedCode);
    }
    if runs && fetches(code) {
        return Some(Builtin::ShellRemoteCode);
    }
    if has(code, &[b"os.fork()"]) && has(code, &[b"while 1:", b"while True:"]) {
        return Some(Builtin::ShellForkBomb);
    }
    if substituted && runs {
        return None;
    }
    if acts.has(Acts::FILES) && deletes_wide(code) {
        return Some(Builtin::ShellDelete);
    }
    if acts.has(Acts::FILES) && encrypts_wide(code) {
        return Some(Builtin::ShellOverwrite);
    }
    if acts.has(Acts::KEPT)
        && let Some(found) = libraries::deletes(code)
    {
        return Some(found);
    }
    has(
        code,
        &[
            b"open('/dev/sd",
            b"open(\"/dev/sd",
            b"open('/dev/nvme",
            b"os.fork() while",
            b"fork while fork",
            b"fork while 1",
            b"os.fork() for ",
            b"loop { fork }",
        ],
    )
    .then_some(if has(code, &[b"fork"]) { Builtin::ShellForkBomb } else { Builtin::ShellDisk })
}

/// Writes every file below a root or a home anew, encrypted.
fn encrypts_wide(code: &[u8]) -> bool {
    has(code, &[b"Fernet(", b".encrypt(", b"AES.new(", b"createCipher"])
        && has(
            code,
            &[
                b"os.walk('/",
                b"os.walk(\"/",
                b"glob('/home",
                b"glob(\"/home",
                b"Path('/",
                b"Path(\"/",
                b"Path.home()",
                b"expanduser(",
            ],
        )
        && has(code, &[b"'wb'", b"\"wb\"", b"'rb+'", b"\"rb+\"", b"'r+b'", b"\"r+b\"", b"write_bytes(", b"writeFileSync("])
}

fn decodes(code: &[u8]) -> bool {
    has(
        code,
        &[
            b"b64decode",
            b"base64_decode",
            b"decode_base64",
            b"fromhex",
            b"from_hex",
            b"'base64'",
            b"\"base64\"",
            b"atob",
            b"gzinflate",
            b"zlib.decompress",
            b"codecs.decode",
            b"marshal.loads",
        ],
    )
}

fn fetches(code: &[u8]) -> bool {
    has(
        code,
        &[
            b"urlopen",
            b"requests.get",
            b"requests').get",
            b"requests\").get",
            b"urllib",
            b"file_get_contents('http",
            b"file_get_contents(\"http",
            b"http.get",
            b"https.get",
            b"fetch(",
            b"open-uri",
            b"LWP::",
        ],
    )
}

/// Whether the code deletes files or trees.
fn removes(code: &[u8]) -> bool {
    has(
        code,
        &[
            b"rmtree(",
            b"rmSync(",
            b"rimraf",
            b"rm_rf",
            b"remove_tree",
            b"fs.rm(",
            b"FileUtils.rm",
            b"os.remove(",
            b"os.unlink(",
            b".unlink()",
            b"Deno.remove",
            b"unlinkSync(",
            b"File.delete(",
            b"]::Delete(",
            b"Directory.Delete(",
            b"RemoveAll(",
            b"remove_dir_all(",
            b"unlink(",
            b"delete-directory",
        ],
    )
}

/// Whether what is deleted is more than a project's own: a string on the line of the deletion, or on the lines above it
/// where loops begin, names a broad place.
fn deletes_wide(code: &[u8]) -> bool {
    let mut above: [&[u8]; 3] = [b""; 3];
    for line in code.split(|byte| *byte == b'\n') {
        if removes(line) && (names_wide(line) || above.iter().any(|line| names_wide(line))) {
            return true;
        }
        above.rotate_left(1);
        above[2] = line;
    }
    false
}

fn names_wide(line: &[u8]) -> bool {
    let mut at = 0;
    // LIMIT: a line has few strings.
    for _ in 0..16 {
        let Some((from, to)) = next_string(line, at) else { break };
        at = to + 1;
        let path = line.get(from..to).unwrap_or_default();
        let before = line.get(..from.saturating_sub(1)).unwrap_or_default();
        // `text.split('/')` names no directory, and neither does what is joined to one.
        let is_separator = [b"split(".as_slice(), b"join(", b"strip(", b"With(", b"with(", b"replace("]
            .iter()
            .any(|call| before.ends_with(call))
            || before.trim_ascii_end().ends_with(b"+");
        if !path.is_empty() && !is_separator && !matches!(super::shell_target::place(path), Place::Elsewhere | Place::Ordinary) {
            return true;
        }
    }
    has(line, &[b"Path.home()", b"os.path.expanduser", b"homedir()", b"process.env.HOME", b"Dir.home", b"UserHomeDir"])
}

/// Whether the code sends statements to a database.
fn sends_statements(code: &[u8]) -> bool {
    has(code, &[b"execute", b".query(", b">query(", b".raw(", b".exec("])
}

/// What stands between two strings that the code joins: nothing, a blank, or a word for what is not known.
pub(super) fn joint(between: &[u8]) -> Option<&'static [u8]> {
    let between = between.trim_ascii();
    if between.is_empty() || between == b"+" {
        return Some(b"");
    }
    if between == b"," {
        return Some(b" ");
    }
    let [b'+', inner @ .., b'+'] = between else { return None };
    let is_home = has(inner, &[b"HOME", b"homedir", b"expanduser", b"home()"]);
    Some(if is_home { b"$HOME" } else { b"$x" })
}

/// The next quoted string from `at` on: where its text begins and ends.
pub(super) fn next_string(code: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = code.get(at..)?;
    let open = rest.iter().position(|byte| matches!(byte, b'\'' | b'"' | b'`'))?;
    let quote = rest.get(open).copied()?;
    let body = rest.get(open + 1..)?;
    let mut end = 0;
    while let Some(&byte) = body.get(end) {
        if byte == quote {
            return Some((at + open + 1, at + open + 1 + end));
        }
        end += if byte == b'\\' { 2 } else { 1 };
    }
    None
}

/// What is wrong with a PowerShell command line.
pub(super) fn powershell(code: &[u8]) -> Option<Builtin> {
    let downloads = has(
        code,
        &[
            b"DownloadString",
            b"downloadstring",
            b"DownloadFile",
            b"Invoke-WebRequest",
            b"iwr ",
            b"irm ",
            b"Net.WebClient",
            b"Invoke-RestMethod",
            b"curl ",
        ],
    );
    let runs = has(code, &[b"IEX", b"iex", b"Invoke-Expression", b"invoke-expression", b"Start-Process"]);
    if has(code, &[b"TCPClient", b"TcpClient"]) {
        return Some(Builtin::ShellReverse);
    }
    if has(code, &[b"Win32_Shadowcopy", b"Win32_ShadowCopy"]) && has(code, &[b"elete", b"Remove-"]) {
        return Some(Builtin::ShellDisk);
    }
    if has(code, &[b"]::Delete("]) && deletes_wide(code) {
        return Some(Builtin::ShellDelete);
    }
    // A command whose name is put together.
    if code.trim_ascii_start().starts_with(b"& (") && has(code, &[b"'+'"]) {
        return Some(Builtin::ShellObfuscated);
    }
    if downloads && runs {
        return Some(Builtin::ShellRemoteCode);
    }
    (has(code, &[b"FromBase64String"]) && runs).then_some(Builtin::ShellEncodedCode)
}
