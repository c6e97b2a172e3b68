//! Commands that run other commands: `sudo`, `env`, `xargs`, `ssh`, `docker exec` and their kin.
//!
//! Lives on all shards; part of the analysis in [`super`].

use std::ops::Range;

use super::super::Node;
use super::super::builtin::Builtin;
use super::super::detect::Words;
use super::super::shell_lex::Span;
use super::{Flow, Run, Trust, program};

/// Most wrappers around one command. LIMIT: nobody needs more, and each looks through the words that are left.
const WRAPPERS_MAX: usize = 16;

/// The program that words without one are for, where their first says enough: `["push", "--force"]`.
pub(super) fn likely_program(words: Words<'_>) -> &'static str {
    let Words::List(nodes) = words else { return "" };
    let mut words = nodes.iter().filter_map(|node| if let Node::String(word) = node { Some(*word) } else { None });
    let (first, second) = (words.next().unwrap_or_default(), words.clone().next().unwrap_or_default());
    match (first, second) {
        ("push" | "reset" | "clean" | "filter-branch" | "reflog" | "stash", _) => "git",
        ("delete", "ns" | "namespace" | "namespaces" | "crd" | "pv" | "pvc" | "node" | "deployment" | "statefulset") => "kubectl",
        ("delete", _) if words.any(|word| matches!(word, "-n" | "--namespace" | "-A" | "--all")) => "kubectl",
        ("destroy" | "apply", _) => "terraform",
        ("EVAL" | "CONFIG" | "FLUSHALL" | "FLUSHDB", _) => "redis-cli",
        ("volume" | "system", _) => "docker",
        ("repo", _) => "gh",
        ("s3" | "ec2" | "rds" | "dynamodb" | "eks", _) => "aws",
        ("group" | "aks" | "keyvault", _) | ("storage", "account") | ("sql", "db" | "server") => "az",
        ("compute" | "projects" | "storage" | "sql", _) => "gcloud",
        _ => "",
    }
}

impl Run<'_, '_> {
    /// Takes off what wraps a command, and judges what is left.
    pub(super) fn unwrapped(&mut self, first: usize, input: Flow) -> Flow {
        let mut at = first;
        let from_list = input == Flow::BroadList;
        for _ in 0..WRAPPERS_MAX {
            let mut buffer = [0; 32];
            let name = program(self.word(at), &mut buffer);
            let next = match name {
                b"sudo" => self.skip_options(at + 1, b"ugpCcDhrRtTU", true),
                b"doas" => self.skip_options(at + 1, b"uCa", false),
                b"env" if at + 1 == self.count() => return Flow::Secret,
                b"env" => self.skip_options(at + 1, b"uCSP", true),
                b"nohup" | b"setsid" | b"command" | b"builtin" | b"exec" | b"time" | b"busybox" | b"toybox" | b"stdbuf"
                | b"unbuffer" | b"rlwrap" | b"catchsegv" | b"proxychains" | b"proxychains4" | b"torsocks" | b"fakeroot"
                | b"caffeinate" | b"winpty" | b"ltrace" | b"strace" | b"systemd-run" => self.skip_options(at + 1, b"aoie", false),
                b"nice" | b"ionice" | b"chrt" | b"taskset" => self.skip_options(at + 1, b"ncp", false),
                b"at" | b"batch" if self.reads_string(input) => return Flow::Nothing,
                b"trap" => return self.push_quoted(at + 1),
                b"timeout" | b"flock" | b"chroot" | b"watch" | b"at" | b"unshare" => {
                    let skipped = self.skip_options(at + 1, b"ksnE", false);
                    if matches!(name, b"watch" | b"unshare" | b"at") { skipped } else { skipped + 1 }
                }
                b"xargs" | b"parallel" => {
                    let next = self.skip_options(at + 1, b"IEnPLdsajJ", false);
                    if self.is_fed(at, next, self.given(input)) {
                        return Flow::Nothing;
                    }
                    next
                }
                b"npx" | b"bunx" | b"pnpx" => {
                    self.judge(at, input, from_list);
                    self.skip_options(at + 1, b"p", false)
                }
                b"k3s" | b"microk8s" | b"minikube" if self.word(at + 1) == b"kubectl" => at + 1,
                b"start" | b"call" if self.windows => at + 1,
                b"foreach-object" | b"%" | b"foreach" if self.word(at + 1) == b"{" => at + 2,
                b"tmux" | b"screen" | b"salt" | b"pdsh" | b"clush" | b"pssh" | b"mussh" => return self.push_quoted(at + 1),
                b"bundle" | b"poetry" | b"uv" | b"pipenv" | b"pdm" | b"hatch" | b"rye" | b"npm" | b"pnpm" | b"yarn" | b"mise"
                | b"doppler" | b"op" | b"chamber"
                    if self.runs_another(name, at) =>
                {
                    self.skip_options(at + 2, b"", false)
                }
                b"ssh" | b"rsh" | b"dsh" | b"sshpass" => {
                    let host = self.skip_options(at + 1, b"pilFoJLRDWeBbcEIkmOQSwX", false);
                    if name == b"sshpass" { host } else { self.remote(host + 1) }
                }
                b"su" | b"runuser" => {
                    let code = self.option_value(at + 1, b'c');
                    code.into_iter().for_each(|code| self.push_word(code));
                    return Flow::Nothing;
                }
                b"docker" | b"podman" | b"nerdctl" | b"kubectl" | b"oc" | b"k" if self.is_remote_run(at) => {
                    self.judge(at, input, from_list);
                    self.after_remote(at).unwrap_or(at)
                }
                _ => return self.judge(at, input, from_list),
            };
            if next <= at || next >= self.count() {
                return Flow::Nothing;
            }
            at = next;
            // `ssh host 'text'`, `watch 'text'`: one word that holds a whole command.
            if at + 1 == self.count() && memchr::memchr(b' ', self.word(at)).is_some() {
                self.push_word(at);
                return Flow::Nothing;
            }
        }
        self.lexer.is_too_deep = true;
        Flow::Nothing
    }

    /// `ssh host a \; b`: a shell on the other side reads the words again.
    fn remote(&mut self, from: usize) -> usize {
        let from = from + usize::from(self.word(from) == b"--");
        if self.args(from).any(|word| matches!(word, b";" | b"&&" | b"|" | b"||")) {
            let text = self.lexer.join(from);
            self.lexer.push_unit(text, self.depth + 1, self.windows);
        }
        from
    }

    /// `git -c alias.x='!command' x`.
    pub(super) fn git_alias(&mut self, args: usize) {
        for index in args..self.count() {
            let Some(word) = self.lexer.words.get(index).copied() else { break };
            let text = self.lexer.bytes(word.text);
            // `submodule foreach 'command'`, `rebase --exec 'command'`.
            if matches!(text, b"foreach" | b"--exec" | b"-x" | b"--recursive") && self.word(index + 1).contains(&b' ') {
                self.push_word(index + 1);
                continue;
            }
            let runs = [b"core.sshCommand=".as_slice(), b"core.pager=", b"core.editor=", b"core.fsmonitor="];
            if !text.starts_with(b"alias.") {
                // `git config core.pager 'command'`.
                if runs.iter().any(|run| run.strip_suffix(b"=") == Some(text)) {
                    self.push_word(index + 1);
                }
                self.push_setting(index, &runs);
                continue;
            }
            let value = if self.word(index - 1) == b"-c" {
                let Some(length) = memchr::memchr(b'=', text) else { continue };
                Span { start: word.text.start + u32::try_from(length).unwrap_or(0) + 1, end: word.text.end }
            } else {
                // `git config alias.x 'command'`: for later.
                let Some(value) = self.lexer.words.get(index + 1) else { continue };
                value.text
            };
            let start = self.lexer.end();
            match self.lexer.bytes(value) {
                [b'!', ..] => self.lexer.copy(Span { start: value.start + 1, end: value.end }),
                _ => {
                    self.lexer.write(b"git ");
                    self.lexer.copy(value);
                }
            }
            let command = Span { start, end: self.lexer.end() };
            self.lexer.push_unit(command, self.depth + 1, self.windows);
        }
    }

    /// `vim -c '!command'`.
    pub(super) fn editor(&mut self, args: usize) {
        for index in args..self.count() {
            self.escape(index);
        }
    }

    /// A word whose exclamation mark hands the rest to a shell.
    fn escape(&mut self, index: usize) {
        let Some(word) = self.lexer.words.get(index).copied() else { return };
        let text = self.lexer.bytes(word.text);
        let escape = text.iter().take_while(|byte| matches!(byte, b'+' | b':' | b'!')).count();
        if text.get(..escape).is_some_and(|head| head.ends_with(b"!")) {
            self.push_tail(word.text, escape);
        }
    }

    /// `at now <<< 'command'`, `echo command | at now`.
    fn reads_string(&mut self, input: Flow) -> bool {
        let Flow::Literal(text) = self.given(input) else { return false };
        self.lexer.push_unit(text, self.depth + 1, self.windows);
        true
    }

    /// The command for a window or a minion is one word.
    fn push_quoted(&mut self, from: usize) -> Flow {
        for index in from..self.count() {
            if self.lexer.words.get(index).is_some_and(|word| word.quoted) {
                self.push_word(index);
            }
        }
        Flow::Nothing
    }

    /// `bundle exec x`, `poetry run x`: whether what follows is a command. `npm run x` names a script.
    fn runs_another(&self, name: &[u8], at: usize) -> bool {
        match self.word(at + 1) {
            b"exec" => true,
            b"run" => !matches!(name, b"npm" | b"pnpm" | b"yarn"),
            _ => false,
        }
    }

    /// `echo / | xargs rm -rf`, `parallel rm -rf ::: /`: where the text that is fed in stands in the command itself, what
    /// would be run is put together and judged. `next` is where the command begins that is fed.
    fn is_fed(&mut self, at: usize, next: usize, input: Flow) -> bool {
        let given = (at + 1..self.count()).find(|index| self.word(*index) == b":::");
        let end = given.unwrap_or(self.count());
        // What stands for the text: `{}`, or what `-I` names.
        let named = (at + 1..next.min(end)).find_map(|index| match self.word(index) {
            b"-I" | b"-J" => self.lexer.words.get(index + 1).map(|word| word.text),
            [b'-', b'I' | b'i', _, ..] => {
                self.lexer.words.get(index).map(|word| Span { start: word.text.start + 2, end: word.text.end })
            }
            _ => None,
        });
        match (given, input) {
            (Some(given), _) => {
                // LIMIT: a line lists few; one that lists more is judged by the first.
                for index in (given + 1..self.count()).take(16) {
                    let Some(word) = self.lexer.words.get(index).copied() else { break };
                    self.feed(next..end, named, word.text);
                }
            }
            (None, Flow::Literal(text)) => self.feed(next..end, named, text),
            // Refs that another command names.
            (None, _) if self.word(next) == b"git" && self.word(next + 1) == b"push" => {
                self.report(Builtin::GitPush);
                return false;
            }
            // A whole command in one word says itself where the text goes.
            (None, _) => {
                if memchr::memchr(b' ', self.word(next)).is_none() {
                    self.lexer.add_unknown();
                }
                return false;
            }
        }
        true
    }

    fn feed(&mut self, command: Range<usize>, named: Option<Span>, text: Span) {
        let command = self.lexer.fill(command, named, text);
        self.lexer.push_unit(command, self.depth + 1, self.windows);
    }

    /// `NAME=command`, where the name is one of these.
    pub(super) fn push_setting(&mut self, index: usize, names: &[&[u8]]) {
        let Some(word) = self.lexer.words.get(index).copied() else { return };
        let text = self.lexer.bytes(word.text);
        let Some(name) = names.iter().find(|name| text.starts_with(name)) else { return };
        self.push_tail(word.text, name.len());
    }

    /// What a word says behind its first bytes.
    fn push_tail(&mut self, word: Span, bytes: usize) {
        let start = word.start + u32::try_from(bytes).unwrap_or(0);
        self.lexer.push_unit(Span { start, end: word.end }, self.depth + 1, self.windows);
    }

    pub(super) fn push_word(&mut self, index: usize) {
        if let Some(word) = self.lexer.words.get(index).copied() {
            self.lexer.push_unit(word.text, self.depth + 1, self.windows);
        }
    }

    /// `npm pkg set scripts.x='command'`, `alias ls='command'`: commands for later.
    pub(super) fn push_kept(&mut self, name: &[u8], args: usize) {
        // What people shorten neither deletes by its own flags nor fetches.
        let is_odd = |command: &[u8]| {
            [b"curl ".as_slice(), b"wget ", b"rm -"].iter().any(|part| memchr::memmem::find(command, part).is_some())
        };
        for index in args..self.count() {
            let Some(word) = self.lexer.words.get(index).copied() else { break };
            let text = self.lexer.bytes(word.text);
            let is_alias = name == b"alias";
            let is_kept = if is_alias { is_odd(text) } else { self.word(args) == b"pkg" };
            let Some(length) = memchr::memchr(b'=', text) else { continue };
            if is_kept {
                self.push_tail(word.text, length + 1);
            }
            if is_alias {
                self.lexer.keep_alias(word, length);
            }
        }
    }

    /// `alias tidy='rm -rf'; tidy /var/lib/x`: whether the command is one that the text has named.
    pub(super) fn aliased(&mut self, at: usize) -> bool {
        let Some(value) = self.lexer.words.get(at).and_then(|word| self.lexer.alias(word.text)) else { return false };
        let rest = self.lexer.join(at + 1);
        let start = self.lexer.end();
        self.lexer.copy(value);
        self.lexer.write(b" ");
        self.lexer.copy(rest);
        let command = Span { start, end: self.lexer.end() };
        self.lexer.push_unit(command, self.depth + 1, self.windows);
        true
    }

    /// `drop() { rm -rf "$1"; }; drop /etc`: the body of a function that the text defines, with what it is called with.
    pub(super) fn called(&mut self, at: usize) -> bool {
        // What a function calls is defined outside of it.
        if self.depth > 0 || self.trust != Trust::Command {
            return false;
        }
        let Some(name) = self.lexer.words.get(at).map(|word| word.text) else { return false };
        let Some(body) = self.lexer.function(name) else { return false };
        self.lexer.bind_positions(at);
        self.lexer.push_unit(body, self.depth + 1, self.windows);
        true
    }

    /// The index behind options; `valued` are short options that take the next word.
    pub(super) fn skip_options(&self, from: usize, valued: &[u8], assignments: bool) -> usize {
        let mut at = from;
        while at < self.count() {
            let word = self.word(at);
            match word {
                b"--" => return at + 1,
                [b'-', b'-', ..] => at += 1,
                [b'-', cluster @ .., last] if cluster.len() < 2 && cluster.is_ascii() && valued.contains(last) => at += 2,
                [b'-', _, ..] => at += 1,
                [b'-'] if assignments => at += 1,
                _ if assignments && word.contains(&b'=') && !word.starts_with(b"/") => at += 1,
                _ => break,
            }
        }
        at
    }

    /// The index of the word behind a short option, which may end a cluster (`-lc`).
    pub(super) fn option_value(&self, from: usize, letter: u8) -> Option<usize> {
        (from..self.count())
            .find(|index| match self.word(*index) {
                [b'-', b'-', rest @ ..] => letter == b'c' && (rest == b"command" || rest == b"eval"),
                [b'-', cluster @ ..] => cluster.len() <= 6 && cluster.ends_with(&[letter]) && cluster.is_ascii(),
                _ => false,
            })
            .map(|index| index + 1)
            .filter(|index| *index < self.count())
    }

    pub(super) fn is_remote_run(&self, at: usize) -> bool {
        self.operands(at + 1).take(2).any(|word| matches!(word, b"exec" | b"run" | b"debug"))
    }

    /// `docker exec c cmd…`, `kubectl exec pod -- cmd…`: where the inner command begins.
    pub(super) fn after_remote(&self, at: usize) -> Option<usize> {
        if let Some(dashes) = (at + 1..self.count()).find(|index| self.word(*index) == b"--") {
            return Some(dashes + 1);
        }
        let verb = (at + 1..self.count()).find(|index| matches!(self.word(*index), b"exec" | b"run"))?;
        Some(self.skip_options(verb + 1, b"evupwnhlm", false) + 1)
    }
}
