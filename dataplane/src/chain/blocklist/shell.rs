//! Understands commands: unwraps what wraps them, and judges each simple command by what it would do.
//!
//! Lives on all shards, immutable; the lexer's buffers live in each shard's scratch.

use super::builtin::Builtin;
use super::detect::{Sink, Words};
use super::shell_lex::{Lexer, Next, Redirect, Span, UNKNOWN, Unit};
use super::shell_table::Table;
use super::shell_target::{self as target, Place};
use super::sql::{self, Certainty};
use super::{Node, operation, recipe, shell_code, shell_download};

mod code;
mod fetched;
mod files;
mod output;
mod unwrap;

/// How sure it is that a value is run as a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Its key or tool says so.
    Command,
    /// It may as well be a sentence.
    Unknown,
}

/// Buffers of the analysis on one shard.
#[derive(Debug)]
pub(super) struct Scratch {
    lexer: Lexer,
    text: String,
    sql: sql::Scratch,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self { lexer: Lexer::default(), text: String::with_capacity(1024), sql: sql::Scratch::default() }
    }
}

/// The compiled shell detector.
#[derive(Debug)]
pub(super) struct Shell {
    table: Table,
    bare: shell_code::Bare,
}

/// What reads the here-document of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Nobody,
    Shell,
    Database,
    Program,
    /// What makes pods of manifests.
    Cluster,
}

/// What a command's output carries into the next of its pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Nothing,
    /// Fetched from the network.
    Download,
    /// The result of decoding.
    Decoded,
    /// Text that stands in the command itself.
    Literal(Span),
    /// The names of everything below a broad directory.
    BroadList,
    /// Credentials or account files.
    Secret,
    /// A connection to another host.
    Socket,
    /// What a shell prints that runs what it reads.
    Session,
}

impl Shell {
    pub(super) fn new() -> Self {
        Self { table: Table::new(), bare: shell_code::Bare::new() }
    }

    /// Whether a value of unknown use is itself a command line: it begins with a program people run, and goes on like one.
    pub(super) fn is_command_line(&self, text: &[u8]) -> bool {
        let mut text = text.trim_ascii_start();
        if text.starts_with(b">") || text.starts_with(b": >") || text.starts_with(b":>") {
            return true;
        }
        // A group: `(cd x && y)`, `{ x; y; }`.
        text = text.strip_prefix(b"(").or_else(|| text.strip_prefix(b"{ ")).unwrap_or(text);
        // `NAME=value; …`, with a name as shells' variables have it; `name="$(program …)"` with any.
        if let Some((name, value)) = assigned(text) {
            if !name.iter().any(u8::is_ascii_lowercase) {
                return true;
            }
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let Some(inner) = value.strip_prefix(b"$(").or_else(|| value.strip_prefix(b"`")) else { return false };
            text = inner;
        }
        let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let mut buffer = [0; 32];
        self.table.is_typed(program(text.get(..end).unwrap_or_default(), &mut buffer))
    }

    /// Whether a text of many lines begins as a script does: with a command, a function, PowerShell's assignment or cmdlet.
    pub(super) fn begins_script(&self, text: &[u8]) -> bool {
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
        let end =
            first.iter().position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-')).unwrap_or(first.len());
        let (name, rest) = first.split_at_checked(end).unwrap_or_default();
        let is_function = !name.is_empty() && matches!(rest, b"() {" | b"(){");
        let is_cmdlet = || {
            let mut parts = name.split(|byte| *byte == b'-');
            let is_capital = |part: &[u8]| part.first().is_some_and(u8::is_ascii_uppercase);
            parts.next().is_some_and(is_capital) && parts.next().is_some_and(is_capital) && parts.next().is_none()
        };
        let is_assignment = || first.starts_with(b"$") && memchr::memmem::find(first, b" = ").is_some();
        self.is_command_line(text) || is_function || is_cmdlet() || is_assignment()
    }

    /// Looks at a whole command text.
    pub(super) fn check(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, text: &str, trust: Trust) {
        scratch.lexer.begin(text.as_bytes());
        let is_command = self.is_command_line(text.as_bytes());
        self.begin(scratch, sink, trust, is_command).run();
    }

    /// Looks at a program in another language, or in a shell's.
    pub(super) fn check_program(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, text: &str) {
        // `!command` is how notebooks have it; `export default` and its kin are JavaScript.
        let command = text.trim_start_matches(['!', '%']);
        if self.begins_script(command.as_bytes()) && !shell_code::is_program(text.as_bytes()) {
            self.check(scratch, sink, command, Trust::Unknown);
        }
        let code = scratch.lexer.take(text.as_bytes());
        let mut run = self.begin(scratch, sink, Trust::Unknown, false);
        run.program(code, false);
        run.run();
    }

    fn begin<'r, 'm>(&'r self, scratch: &'r mut Scratch, sink: &'r mut Sink<'m>, trust: Trust, is_command: bool) -> Run<'r, 'm> {
        let Scratch { lexer, text, sql } = scratch;
        Run {
            shell: self,
            lexer,
            text,
            sql,
            sink,
            trust,
            depth: 0,
            windows: false,
            is_command,
            reader: Reader::Nobody,
            directory: None,
            fetched: None,
        }
    }

    /// Looks at a command whose words come separately: they are quoted so that they stay words.
    pub(super) fn check_argv(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, name: &str, words: Words<'_>) {
        let text = &mut scratch.text;
        text.clear();
        let name = if name.is_empty() { unwrap::likely_program(words) } else { name };
        // `{"tool":"run_gcloud","args":"compute …"}`
        let name = name.strip_prefix("run_").or_else(|| name.strip_prefix("exec_")).unwrap_or(name);
        let name = if name == "redis" { "redis-cli" } else { name };
        text.push_str(name);
        // What these are given they read as one line.
        let joins = ["cmd", "cmd.exe", "powershell", "powershell.exe"].iter().any(|shell| name.eq_ignore_ascii_case(shell));
        match words {
            Words::Text(rest) => {
                text.push(' ');
                text.push_str(rest);
            }
            Words::List(nodes) => {
                for node in nodes {
                    let Node::String(word) = node else { continue };
                    text.push(' ');
                    if joins {
                        text.push_str(word);
                    } else {
                        recipe::push_word(text, word.chars());
                    }
                }
            }
        }
        scratch.lexer.begin(scratch.text.as_bytes());
        self.begin(scratch, sink, Trust::Command, true).run();
    }
}

/// One analysis of one text.
struct Run<'r, 'm> {
    shell: &'r Shell,
    lexer: &'r mut Lexer,
    /// For text that is put together.
    text: &'r mut String,
    sql: &'r mut sql::Scratch,
    sink: &'r mut Sink<'m>,
    trust: Trust,
    depth: u8,
    windows: bool,
    /// The text begins like a command line, whatever its key.
    is_command: bool,
    /// What reads the here-document of the last command.
    reader: Reader,
    /// Where the commands before have gone.
    directory: Option<Span>,
    /// What the commands before have fetched.
    fetched: Option<fetched::Fetched>,
}

impl Run<'_, '_> {
    fn run(&mut self) {
        while !self.sink.is_final()
            && let Some(unit) = self.lexer.work.pop()
        {
            self.unit(unit);
        }
        if self.lexer.is_too_deep && self.trust == Trust::Command {
            self.sink.report(Builtin::ShellTooDeep);
        }
    }

    fn unit(&mut self, unit: Unit) {
        self.depth = unit.depth;
        self.windows = unit.windows;
        if is_fork_bomb(self.lexer.bytes(unit.text)) {
            self.sink.report(Builtin::ShellForkBomb);
        }
        if unit.windows
            && let Some(found) = shell_code::powershell(self.lexer.bytes(unit.text))
        {
            self.report(found);
        }
        self.lexer.open(unit);
        self.reader = Reader::Nobody;
        self.directory = None;
        let mut input = Flow::Nothing;
        loop {
            let next = self.lexer.next_command();
            // It was read on the way to this command, and is fed to the one before.
            if let Some(body) = self.lexer.heredoc.take() {
                self.feed_reader(body);
            }
            let Some(next) = next else { return };
            let output = self.command(input);
            input = if next == Next::Pipe { output } else { Flow::Nothing };
            if self.sink.is_final() {
                return;
            }
            self.lexer.skip_heredocs();
        }
    }

    fn report(&mut self, builtin: Builtin) {
        self.sink.report(builtin);
    }

    fn word(&self, index: usize) -> &[u8] {
        self.lexer.word(index)
    }

    fn count(&self) -> usize {
        self.lexer.words.len()
    }

    fn args(&self, from: usize) -> impl Iterator<Item = &[u8]> + Clone {
        let lexer: &Lexer = self.lexer;
        (from..lexer.words.len()).map(move |index| lexer.word(index))
    }

    /// Whether the text has this anywhere. LIMIT: what a command is about stands close by, at the beginning of a text.
    fn says(&self, part: &[u8]) -> bool {
        let arena = &self.lexer.arena;
        memchr::memmem::find(arena.get(..arena.len().min(4096)).unwrap_or_default(), part).is_some()
    }

    fn has_flag(&self, from: usize, short: u8, long: &[u8]) -> bool {
        self.args(from).take_while(|arg| *arg != b"--").any(|arg| match arg {
            [b'-', b'-', rest @ ..] => {
                !long.is_empty() && rest.len() >= 3 && long.starts_with(rest.split(|byte| *byte == b'=').next().unwrap_or(rest))
            }
            [b'-', cluster @ ..] => short != 0 && cluster.contains(&short),
            _ => false,
        })
    }

    /// The arguments that are no flags.
    fn operands(&self, from: usize) -> impl Iterator<Item = &[u8]> + Clone {
        let mut all = false;
        self.args(from).filter(move |arg| {
            if *arg == b"--" && !all {
                all = true;
                return false;
            }
            all || !(arg.len() > 1 && arg.starts_with(b"-"))
        })
    }

    fn command(&mut self, input: Flow) -> Flow {
        let first = self.skip_prelude();
        // In a text that may be anything, `a > /b` is no redirection.
        if self.trust == Trust::Command || self.is_command {
            self.redirections();
        }
        self.reader = Reader::Nobody;
        if first >= self.count() {
            return Flow::Nothing;
        }
        if self.trust == Trust::Unknown && self.is_sentence(first) {
            return Flow::Nothing;
        }
        // `` `echo rm -rf /` ``: what a substitution prints is a whole command.
        let word = self.lexer.words.get(first).copied().unwrap_or_default();
        // `K='kubectl -n db'; $K delete pvc --all`: so is what a variable holds.
        let is_put_in = word.substitution != Span::default() || word.disguised;
        if !word.quoted && is_put_in && memchr::memchr(b' ', self.word(first)).is_some() {
            let text = self.lexer.join(first);
            self.lexer.push_unit(text, self.depth + 1, self.windows);
            return Flow::Nothing;
        }
        let output = self.unwrapped(first, input);
        self.writes_script(output);
        output
    }

    /// Skips keywords and assignments; assignments are remembered.
    fn skip_prelude(&mut self) -> usize {
        let mut at = 0;
        while at < self.count() {
            let Some(word) = self.lexer.words.get(at).copied() else { break };
            let text = self.lexer.bytes(word.text);
            if matches!(
                text,
                b"if"
                    | b"then"
                    | b"elif"
                    | b"else"
                    | b"do"
                    | b"DO"
                    | b"while"
                    | b"until"
                    | b"!"
                    | b"{"
                    | b"}"
                    | b"time"
                    | b"coproc"
                    | b"fi"
                    | b"done"
                    | b"esac"
                    | b"@"
            ) {
                at += 1;
                continue;
            }
            let name = text.iter().position(|byte| *byte == b'=').unwrap_or(0);
            let is_assignment = name > 0
                && text.get(..name).is_some_and(|name| {
                    !name.first().is_some_and(u8::is_ascii_digit)
                        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                });
            if !is_assignment {
                break;
            }
            self.watch_assignment(at);
            self.lexer.assign(word, name);
            at += 1;
        }
        at
    }

    fn watch_assignment(&mut self, at: usize) {
        // What is set here is run by others: an editor, a pager, a prompt.
        let runs = [b"GIT_SSH_COMMAND=".as_slice(), b"GIT_EDITOR=", b"GIT_PAGER=", b"EDITOR=", b"PAGER=", b"PROMPT_COMMAND="];
        self.push_setting(at, &runs);
        let text = self.word(at);
        let hides = [b"HISTFILE=/dev/null".as_slice(), b"HISTSIZE=0", b"HISTFILESIZE=0", b"HISTFILE="];
        let destroys = text.starts_with(b"TF_CLI_ARGS") && memchr::memmem::find(text, b"-destroy").is_some();
        if hides.contains(&text) {
            self.report(Builtin::ShellHistory);
        } else if destroys {
            self.report(Builtin::ClusterDestroy);
        }
    }

    /// Prose that happens to begin with the name of a command.
    fn is_sentence(&self, first: usize) -> bool {
        let mut function_words = 0;
        let mut plain = 0;
        for index in first + 1..self.count() {
            let Some(word) = self.lexer.words.get(index) else { break };
            if word.quoted {
                continue;
            }
            let text = self.lexer.bytes(word.text);
            plain += usize::from(text.iter().all(u8::is_ascii_alphabetic));
            function_words += usize::from(matches!(
                text,
                b"is"
                    | b"are"
                    | b"was"
                    | b"were"
                    | b"the"
                    | b"a"
                    | b"an"
                    | b"to"
                    | b"of"
                    | b"that"
                    | b"which"
                    | b"and"
                    | b"or"
                    | b"would"
                    | b"will"
                    | b"should"
                    | b"can"
                    | b"may"
                    | b"must"
                    | b"does"
                    | b"do"
                    | b"not"
                    | b"for"
                    | b"with"
                    | b"when"
                    | b"if"
                    | b"because"
                    | b"from"
                    | b"in"
                    | b"on"
                    | b"it"
                    | b"this"
                    | b"my"
                    | b"your"
                    | b"our"
                    | b"by"
                    | b"as"
                    | b"at"
            ));
        }
        function_words >= 2 || (function_words >= 1 && plain >= 3)
    }

    fn redirections(&mut self) {
        for index in 0..self.lexer.redirects.len() {
            let Some((kind, word)) = self.lexer.redirects.get(index).copied() else { break };
            let path = self.lexer.bytes(word.text);
            let found = match kind {
                _ if path.starts_with(b"/dev/tcp/") || path.starts_with(b"/dev/udp/") => Some(Builtin::ShellReverse),
                Redirect::Write | Redirect::Append if path.starts_with(b"/proc/sysrq") => Some(Builtin::ShellPower),
                Redirect::Write | Redirect::Append if target::place(path) == Place::Device => Some(Builtin::ShellDisk),
                Redirect::Write if target::is_trace(path) => Some(Builtin::ShellHistory),
                // What is added there is read.
                Redirect::Append if target::is_startup(path) => None,
                Redirect::Write | Redirect::Append if target::is_persistence(path) => Some(Builtin::ShellPersistence),
                Redirect::Write if target::is_system_file(path) || target::is_store(path) => Some(Builtin::ShellOverwrite),
                Redirect::Write if target::is_database_file(path) && self.prints_nothing() => Some(Builtin::ShellOverwrite),
                Redirect::Append if path == b"/etc/hosts" => None,
                _ => None,
            };
            if let Some(found) = found {
                self.report(found);
            }
        }
    }

    /// `: > app.db`, `cat /dev/null > app.db`.
    fn prints_nothing(&self) -> bool {
        matches!((self.count(), self.word(0), self.word(1)), (0, ..) | (1, b":" | b"true", _) | (2, b"cat", b"/dev/null"))
    }

    /// Judges one command without wrappers.
    fn judge(&mut self, at: usize, input: Flow, from_list: bool) -> Flow {
        let mut buffer = [0; 32];
        let raw = self.word(at);
        let hidden = raw.contains(&UNKNOWN);
        let globbed = is_globbed(raw) && !self.lexer.words.get(at).is_some_and(|word| word.quoted);
        let name = program(raw, &mut buffer);
        if self.runs_unseen(name, at) {
            self.report(Builtin::ShellRemoteCode);
        }
        if hidden || globbed {
            return self.hidden_name(at, hidden);
        }
        self.remember_fetched(name, at + 1);
        let disguised = self.lexer.words.get(at).is_some_and(|word| word.disguised);
        let before = self.sink.is_final();
        let flow = self.by_name(name, at, input, from_list);
        if disguised && !before && !self.sink.is_final() && is_dangerous_name(name) && self.trust == Trust::Command {
            self.report(Builtin::ShellObfuscated);
        }
        flow
    }

    /// A command whose name only a shell run would tell.
    fn hidden_name(&mut self, at: usize, substituted: bool) -> Flow {
        let Some(word) = self.lexer.words.get(at).copied() else { return Flow::Nothing };
        if substituted {
            match shell_download::kind(self.lexer.bytes(word.substitution)) {
                Flow::Download => self.report(Builtin::ShellRemoteCode),
                Flow::Decoded => self.report(Builtin::ShellEncodedCode),
                _ => {}
            }
        } else if self.trust == Trust::Command && word.text.end > word.text.start {
            self.report(Builtin::ShellObfuscated);
        }
        Flow::Nothing
    }

    fn by_name(&mut self, name: &[u8], at: usize, input: Flow, from_list: bool) -> Flow {
        let args = at + 1;
        let input = self.given(input);
        match name {
            b"rmdir" if self.windows || self.args(args).any(|arg| matches!(arg, b"/s" | b"/S")) => {
                self.windows_remove(name, args, from_list)
            }
            b"rm" | b"rmdir" | b"unlink" | b"srm" | b"trash" | b"rimraf" | b"del-cli" => self.remove(args, from_list),
            b"del" | b"erase" | b"rd" | b"remove-item" | b"ri" | b"deltree" | b"format" => {
                self.windows_remove(name, args, from_list);
            }
            b"find" | b"fd" | b"gfind" => return self.find(args),
            b"ls" | b"dir" | b"get-childitem" | b"gci" => return self.lists(args),
            b"shred" | b"wipe" | b"scrub" | b"sdelete" | b"nwipe" => self.wipes(name, args),
            b"dd" | b"dcfldd" | b"dc3dd" => self.dd(args),
            b"chmod" | b"chown" | b"chgrp" | b"chattr" | b"setfacl" | b"icacls" | b"cacls" => self.permissions(name, args),
            b"tee" | b"sponge" => {
                self.writes(name, args);
                return input;
            }
            b"truncate" if from_list => self.report(Builtin::ShellOverwrite),
            b"mv" | b"cp" | b"ln" | b"install" | b"rsync" | b"truncate" => self.writes(name, args),
            b"docker" | b"podman" | b"nerdctl" => self.removes_listed(args),
            b"kubectl" | b"oc" | b"k" => {
                self.table(name, args);
                return self.kubectl(args, input);
            }
            b"git" => self.git_alias(args),
            b"alias" | b"npm" | b"pnpm" => self.push_kept(name, args),
            b"aws" if self.args(args).any(operation::expires_at_once) => self.report(Builtin::CloudStorage),
            b"aws" if self.starves(args) => self.report(Builtin::ClusterStop),
            b"vim" | b"vi" | b"nvim" | b"ex" => self.editor(args),
            b"cd" | b"pushd" => self.enter(args),
            b"rails" | b"gitlab-rails" | b"wp" | b"drush" | b"artisan" => self.evaluates(args),
            b"tar" => {
                self.packs(args);
                return self.networked(name, at, input);
            }
            b"diskpart" => self.partitions(args),
            b"sed" => {
                self.empties_lines(args);
                return input;
            }
            b"shutdown" | b"reboot" | b"halt" | b"poweroff" => self.power(args),
            b"kill" => self.kill(args),
            b"unset" => self.unset(args),
            b"export" | b"declare" | b"typeset" | b"local" | b"readonly" | b"set" => self.assignments(name, args),
            b"echo" | b"printf" | b"cat" | b"head" | b"tail" | b"less" | b"more" | b"strings" | b"tac" | b"nl" => {
                return self.prints(name, args);
            }
            b"for" | b"select" => self.bind_each(args),
            b"case" | b"function" => {}
            b"ansible" => {
                // The module's argument, which for most is a command.
                if let Some(code) = self.option_value(args, b'a') {
                    self.push_word(code);
                }
                self.table(name, args);
            }
            b"crontab" => {
                if matches!(input, Flow::Literal(_) | Flow::Download) || self.operands(args).any(|arg| arg == b"-") {
                    self.report(Builtin::ShellPersistence);
                }
                self.table(name, args);
            }
            _ => return self.networked(name, at, input),
        }
        self.table(name, args);
        Flow::Nothing
    }

    /// Interpreters, downloads and connections; everything else is left to the table.
    fn networked(&mut self, name: &[u8], at: usize, input: Flow) -> Flow {
        let args = at + 1;
        if self.aliased(at) || self.called(at) {
            return Flow::Nothing;
        }
        if is_shell(name) || matches!(name, b"source" | b"." | b"eval" | b"iex" | b"invoke-expression") {
            return self.shell_call(name, args, input);
        }
        if let Some(language) = shell_code::language(name) {
            self.language(language, name, args, input);
            return Flow::Nothing;
        }
        let is_question = || self.args(args).any(|arg| arg.eq_ignore_ascii_case(b"-whatif"));
        if removes_hosted(name) && !is_question() {
            self.report(Builtin::CloudDelete);
        }
        if name.starts_with(b"mkfs") {
            // An image is a file like any other, and `-n` of the ext family only shows what would be done.
            let formats = self.operands(args).last().is_some_and(|last| !target::is_image(last));
            let shows = name.starts_with(b"mkfs.ext") && self.has_flag(args, b'n', b"");
            if formats && !shows && !self.asks_help(args) {
                self.report(Builtin::ShellDisk);
            }
            return Flow::Nothing;
        }
        self.table(name, args);
        if is_database_client(name) {
            self.database(args, input);
            return self.answers(args);
        }
        let lexer: &Lexer = self.lexer;
        let words = (args..lexer.words.len()).map(|index| lexer.word(index));
        let (found, flow) = shell_download::judge(name, words, input);
        if let Some(found) = found {
            self.report(found);
        }
        flow
    }

    /// Statements in the words of a database client, or piped into it.
    fn database(&mut self, args: usize, input: Flow) {
        let is_scratch =
            |arg: &[u8]| matches!(arg, b":memory:" | b"--dry_run" | b"--dry-run") || target::is_scratch_database(arg);
        if self.args(args).any(is_scratch) {
            return;
        }
        for index in args..self.count() {
            let text = self.lexer.word(index);
            if text.len() > 7 && text.iter().any(|byte| matches!(byte, b' ' | b'.' | b';' | b'/' | b'\t' | b'\n')) {
                let text = text
                    .strip_prefix(b"--eval=")
                    .or_else(|| text.strip_prefix(b"--execute="))
                    .or_else(|| text.strip_prefix(b"--command="))
                    .unwrap_or(text);
                sql::check(self.sql, self.sink, text, Certainty::Sql);
            }
        }
        match input {
            Flow::Literal(text) => sql::check(self.sql, self.sink, self.lexer.bytes(text), Certainty::Sql),
            Flow::Decoded => self.report(Builtin::ShellEncodedCode),
            _ => {}
        }
        self.reader = Reader::Database;
        for index in 0..self.lexer.redirects.len() {
            let Some((kind, word)) = self.lexer.redirects.get(index).copied() else { break };
            if kind == Redirect::HereString {
                sql::check(self.sql, self.sink, self.lexer.bytes(word.text), Certainty::Sql);
            }
        }
    }

    /// `for d in /etc /home`: the variable stands for the item that is worst to lose.
    fn bind_each(&mut self, args: usize) {
        if self.word(args + 1) != b"in" {
            return;
        }
        let worst = (args + 2..self.count()).find(|index| target::place(self.word(*index)) != Place::Ordinary);
        if let Some(item) = worst.or_else(|| (args + 2 < self.count()).then_some(args + 2)) {
            self.lexer.bind(args, Some(item));
        }
    }

    fn table(&mut self, name: &[u8], args: usize) {
        if !self.shell.table.knows(name) || self.is_passing(name, args) {
            return;
        }
        let lexer: &Lexer = self.lexer;
        let sink = &mut *self.sink;
        let words = (args..lexer.words.len()).map(|index| lexer.word(index));
        self.shell.table.check(name, words, |builtin| sink.report(builtin));
    }

    fn asks_help(&self, args: usize) -> bool {
        self.args(args).any(|arg| matches!(arg, b"--help" | b"--version" | b"-h" | b"-V" | b"--dry-run"))
    }

    fn power(&mut self, args: usize) {
        if self.args(args).any(|arg| matches!(arg, b"--help" | b"--version" | b"-c" | b"/a" | b"-a")) {
            return;
        }
        let is_time = |arg: &[u8]| {
            arg == b"now"
                || arg.starts_with(b"+")
                || arg.starts_with(b"-")
                || arg.starts_with(b"/")
                || arg.first().is_some_and(u8::is_ascii_digit)
        };
        let first = self.args(args).next();
        let is_bare = first.is_none() && self.trust == Trust::Command;
        if is_bare || first.is_some_and(is_time) {
            self.report(Builtin::ShellPower);
        }
    }

    fn kill(&mut self, args: usize) {
        let all = self.args(args).skip(1).any(|arg| arg == b"-1" || arg == b"1")
            || self.word(args) == b"-1" && self.count() == args + 1;
        let listing = matches!(self.word(args), b"-l" | b"-L" | b"-0" | b"-HUP" | b"-USR1" | b"-USR2" | b"-CONT" | b"-SIGHUP");
        if all && !listing {
            self.report(Builtin::ShellKill);
        }
    }

    fn unset(&mut self, args: usize) {
        if self.args(args).any(|arg| arg.starts_with(b"HIST")) {
            self.report(Builtin::ShellHistory);
        }
        for index in args..self.count() {
            self.lexer.bind(index, None);
        }
    }

    fn assignments(&mut self, name: &[u8], args: usize) {
        if name == b"set" {
            if self.word(args) == b"+o" && self.word(args + 1) == b"history" {
                self.report(Builtin::ShellHistory);
            }
            return;
        }
        for index in args..self.count() {
            self.watch_assignment(index);
            let Some(word) = self.lexer.words.get(index).copied() else { break };
            if let Some(length) = memchr::memchr(b'=', self.lexer.bytes(word.text)) {
                self.lexer.assign(word, length);
            }
        }
    }

    /// `sh -c text`, `bash <(curl …)`, `… | sh`, `eval text`, `source <(…)`.
    fn shell_call(&mut self, name: &[u8], args: usize, input: Flow) -> Flow {
        let evaluates = matches!(name, b"eval" | b"iex" | b"invoke-expression");
        for index in args..self.count() {
            let Some(word) = self.lexer.words.get(index).copied() else { break };
            if word.substitution == Span::default() {
                continue;
            }
            // `source <(echo text)`: the text is known.
            if !word.quoted && !self.lexer.bytes(word.text).contains(&UNKNOWN) {
                self.push_word(index);
            }
            match shell_download::kind(self.lexer.bytes(word.substitution)) {
                Flow::Download => self.report(Builtin::ShellRemoteCode),
                Flow::Decoded => self.report(Builtin::ShellEncodedCode),
                _ => {}
            }
        }
        if matches!(name, b"powershell" | b"pwsh") {
            self.powershell(args);
            return Flow::Nothing;
        }
        if name == b"cmd" {
            if let Some(at) = (args..self.count()).find(|index| matches!(self.word(*index), [b'/', b'c' | b'C' | b'k' | b'K'])) {
                let text = self.lexer.join(at + 1);
                self.lexer.push_unit(text, self.depth + 1, true);
            }
            return Flow::Nothing;
        }
        if evaluates {
            let text = self.lexer.join(args);
            self.lexer.push_unit(text, self.depth + 1, self.windows);
            self.piped(input);
            return Flow::Nothing;
        }
        if let Some(code) = self.option_value(args, b'c') {
            self.push_word(code);
            self.lexer.bind_positions(code + 1);
            return Flow::Nothing;
        }
        for index in 0..self.lexer.redirects.len() {
            let Some((kind, word)) = self.lexer.redirects.get(index).copied() else { break };
            if kind == Redirect::HereString {
                self.lexer.push_unit(word.text, self.depth + 1, self.windows);
                if word.substitution != Span::default()
                    && shell_download::kind(self.lexer.bytes(word.substitution)) == Flow::Decoded
                {
                    self.report(Builtin::ShellEncodedCode);
                }
            }
        }
        let reads_input = self.operands(args).next().is_none_or(|arg| matches!(arg, b"-" | b"/dev/stdin"))
            || self.args(args).any(|arg| arg == b"-s");
        let runs_input = reads_input && !matches!(name, b"source" | b".")
            || self.operands(args).next().is_some_and(|arg| arg == b"/dev/stdin");
        if runs_input {
            self.piped(input);
            self.reader = Reader::Shell;
        }
        if input == Flow::Socket {
            self.report(Builtin::ShellReverse);
        }
        if self.args(args).any(|arg| arg == b"-i")
            && self.lexer.redirects.iter().any(|(_, word)| self.lexer.bytes(word.text).starts_with(b"/dev/tcp"))
        {
            self.report(Builtin::ShellReverse);
        }
        if runs_input { Flow::Session } else { Flow::Nothing }
    }

    fn powershell(&mut self, args: usize) {
        let mut is_value = false;
        for index in args..self.count() {
            let mut buffer = [0; 24];
            let option = self.word(index).to_lower(&mut buffer);
            if std::mem::take(&mut is_value) {
                continue;
            }
            is_value = matches!(option, b"-ep" | b"-w")
                || option.len() > 2
                    && [b"-executionpolicy".as_slice(), b"-windowstyle"].iter().any(|name| name.starts_with(option));
            let is_option = |name: &[u8]| option.len() >= 2 && name.starts_with(option);
            if option.first() == Some(&b'-')
                && (is_option(b"-encodedcommand") || option == b"-ec" || option == b"-enc")
                && option != b"-e"
                || option == b"-e"
            {
                self.report(Builtin::ShellEncodedCode);
                return;
            }
            if is_option(b"-command") || option == b"/c" || !option.starts_with(b"-") && !option.starts_with(b"/") {
                let from = if option.starts_with(b"-") || option.starts_with(b"/") { index + 1 } else { index };
                let text = self.lexer.join(from);
                self.lexer.push_unit(text, self.depth + 1, true);
                return;
            }
        }
    }
}

/// Whether the first line of a text says that a shell is to read it.
pub(super) fn is_script(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("#!") else { return false };
    let interpreter = rest.lines().next().map(str::trim_end).unwrap_or_default();
    interpreter.ends_with("sh") || interpreter.contains("sh -")
}

/// The name and the rest of a text that begins `name=`.
fn assigned(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = text.split_at_checked(text.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')?)?;
    let value = rest.strip_prefix(b"=")?;
    name.first().is_some_and(|byte| !byte.is_ascii_digit()).then_some((name, value))
}

/// `/b?n/c[a]t`: a path that only a listing would tell, and not all that lies in a directory, nor a comment.
fn is_globbed(path: &[u8]) -> bool {
    let glob = |byte: &u8| matches!(byte, b'?' | b'*' | b'[');
    matches!(path, [b'/', next, ..] if *next != b'*')
        && path.iter().any(glob)
        && !path.last().is_some_and(|byte| matches!(byte, b'*' | b')'))
        && !path.contains(&b' ')
}

/// Lower-cases short words into a buffer; longer ones stay as they are.
trait ToLower {
    fn to_lower<'b>(&'b self, buffer: &'b mut [u8]) -> &'b [u8];
}

impl ToLower for [u8] {
    fn to_lower<'b>(&'b self, buffer: &'b mut [u8]) -> &'b [u8] {
        match buffer.get_mut(..self.len()) {
            Some(slot) => {
                slot.copy_from_slice(self);
                slot.make_ascii_lowercase();
                slot
            }
            None => self,
        }
    }
}

/// The name of a program without directory, `.exe` and capitals; empty when it is too long to be known.
fn program<'b>(word: &[u8], buffer: &'b mut [u8; 32]) -> &'b [u8] {
    let name = word.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or(word);
    let Some(slot) = buffer.get_mut(..name.len()) else { return b"" };
    slot.copy_from_slice(name);
    slot.make_ascii_lowercase();
    slot.strip_suffix(b".exe").unwrap_or(slot)
}

fn is_shell(name: &[u8]) -> bool {
    matches!(
        name,
        b"sh"
            | b"bash"
            | b"zsh"
            | b"dash"
            | b"ksh"
            | b"ash"
            | b"fish"
            | b"csh"
            | b"tcsh"
            | b"mksh"
            | b"rbash"
            | b"cmd"
            | b"powershell"
            | b"pwsh"
    )
}

fn is_database_client(name: &[u8]) -> bool {
    matches!(
        name,
        b"psql"
            | b"mysql"
            | b"mariadb"
            | b"sqlite3"
            | b"sqlite"
            | b"mongo"
            | b"mongosh"
            | b"mongos"
            | b"sqlcmd"
            | b"sqlplus"
            | b"cqlsh"
            | b"clickhouse-client"
            | b"clickhouse"
            | b"duckdb"
            | b"bq"
            | b"wrangler"
            | b"turso"
            | b"snowsql"
            | b"influx"
            | b"cockroach"
            | b"usql"
            | b"pgcli"
            | b"mycli"
            | b"osql"
            | b"isql"
            | b"hive"
            | b"beeline"
            | b"presto"
            | b"trino"
            | b"athena"
    )
}

/// `Remove-AzSqlDatabase`, `Remove-EC2Instance`: the cmdlets of clouds and stores.
fn removes_hosted(name: &[u8]) -> bool {
    let hosted = [b"az".as_slice(), b"ad", b"ec2", b"s3", b"rds", b"gc", b"sql", b"dba"];
    name.strip_prefix(b"remove-").is_some_and(|thing| hosted.iter().any(|prefix| thing.starts_with(prefix)))
}

fn is_dangerous_name(name: &[u8]) -> bool {
    is_shell(name)
        || matches!(
            name,
            b"rm"
                | b"dd"
                | b"curl"
                | b"wget"
                | b"nc"
                | b"ncat"
                | b"mkfs"
                | b"chmod"
                | b"shutdown"
                | b"reboot"
                | b"python"
                | b"perl"
                | b"whoami"
                | b"cat"
        )
}

/// `name(){ name|name& };name`, spaced in any way.
fn is_fork_bomb(text: &[u8]) -> bool {
    if memchr::memchr(b'|', text).is_none() {
        return false;
    }
    let mut from = 0;
    // LIMIT: a handful of definitions; a bomb stands at the beginning.
    for _ in 0..8 {
        let rest = text.get(from..).unwrap_or_default();
        let Some(open) = memchr::memmem::find(rest, b"()") else { return false };
        let before = rest.get(..open).unwrap_or_default().trim_ascii_end();
        let start = before.iter().rposition(|byte| matches!(byte, b' ' | b'\n' | b';' | b'\t')).map_or(0, |at| at + 1);
        let name = before.get(start..).unwrap_or_default();
        let body = rest.get(open + 2..).unwrap_or_default();
        let end = memchr::memchr(b'}', body).unwrap_or(body.len());
        let body = body.get(..end).unwrap_or_default();
        if !name.is_empty() && name.len() < 32 && body.contains(&b'|') && body.contains(&b'&') {
            let calls = memchr::memmem::find_iter(body, name).count();
            if calls >= 2 {
                return true;
            }
        }
        from += open + 2;
    }
    false
}

#[cfg(test)]
mod tests;
