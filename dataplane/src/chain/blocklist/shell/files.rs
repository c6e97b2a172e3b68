//! Commands that remove, overwrite, move or open files and disks.
//!
//! Lives on all shards; part of the analysis in [`super`].

use super::super::builtin::Builtin;
use super::super::shell_download;
use super::super::shell_target::{self as target, Place};
use super::{Flow, Run, ToLower, is_shell, program};

/// Longest path that is put together. LIMIT: where a longer one leads is deep in something.
const PATH_BYTES_MAX: usize = 256;

impl Run<'_, '_> {
    pub(super) fn remove(&mut self, args: usize, from_list: bool) {
        if self.asks_help(args) {
            return;
        }
        let recursive = self.has_flag(args, b'r', b"recursive") || self.has_flag(args, b'R', b"");
        if self.args(args).any(|arg| arg == b"--no-preserve-root") || from_list {
            self.report(Builtin::ShellDelete);
            return;
        }
        let mut traces = false;
        let mut hit = false;
        for operand in self.operands(args) {
            traces |= target::is_trace(operand);
            // What says which resources there are.
            hit |= operand.ends_with(b".tfstate");
            // A repository without a work tree: what others push to.
            hit |= recursive && operand.ends_with(b".git") && !operand.starts_with(b"/tmp/");
            hit |= match self.place(operand) {
                Place::Root | Place::Device => true,
                Place::System => recursive || target::is_vital_file(operand) || operand.contains(&b'*'),
                Place::Home => recursive || operand.contains(&b'*') || operand.ends_with(b"authorized_keys"),
                Place::Working => recursive || operand == b"*" || operand == b"./*",
                Place::Elsewhere => recursive,
                Place::Ordinary => false,
            };
        }
        if traces {
            self.report(Builtin::ShellHistory);
        }
        if hit {
            self.report(Builtin::ShellDelete);
        }
    }

    /// What a path stands for where the command runs: a name counts with the directory that was entered before.
    fn place(&self, path: &[u8]) -> Place {
        let place = target::place(path);
        let Some(directory) = self.directory.filter(|_| place == Place::Ordinary && !path.starts_with(b"/")) else {
            return place;
        };
        let directory = self.lexer.bytes(directory);
        let mut whole = [0; PATH_BYTES_MAX];
        let mut length = 0;
        for byte in directory.iter().chain(b"/").chain(path) {
            let Some(slot) = whole.get_mut(length) else { return place };
            *slot = *byte;
            length += 1;
        }
        target::place(whole.get(..length).unwrap_or_default())
    }

    pub(super) fn windows_remove(&mut self, name: &[u8], args: usize, from_list: bool) {
        let is_switch = |arg: &[u8], letter: u8| matches!(arg, [b'/', first] if first.eq_ignore_ascii_case(&letter));
        let recursive = self.args(args).any(|arg| {
            is_switch(arg, b's')
                || arg.len() >= 2 && arg.first() == Some(&b'-') && b"-recurse".starts_with(arg.to_lower(&mut [0; 16]))
        });
        if self.args(args).any(|arg| arg.eq_ignore_ascii_case(b"-whatif")) {
            return;
        }
        if name == b"format" {
            let is_drive =
                self.args(args).any(|arg| matches!(arg, [drive, b':'] | [drive, b':', b'\\'] if drive.is_ascii_alphabetic()));
            if is_drive {
                self.report(Builtin::ShellDisk);
            }
            return;
        }
        let wide = self.args(args).any(|arg| {
            !arg.starts_with(b"-")
                && !matches!(arg, [b'/', _])
                && match target::place(arg) {
                    Place::Root | Place::System | Place::Device => true,
                    Place::Home | Place::Working => recursive || arg.contains(&b'*'),
                    Place::Elsewhere if arg.get(1) == Some(&b':') => recursive,
                    Place::Elsewhere | Place::Ordinary => {
                        recursive && (matches!(arg, b"*.*" | b"*") || arg.get(1) == Some(&b':') && arg.contains(&b'*'))
                    }
                }
        });
        if wide || from_list || (recursive && self.windows && name == b"deltree") {
            self.report(Builtin::ShellDelete);
        }
    }

    pub(super) fn find(&mut self, args: usize) -> Flow {
        let mut broad = false;
        let mut any_root = false;
        let mut narrowed = false;
        let mut is_aged = false;
        let mut deletes = false;
        let mut exec = None;
        for (index, arg) in self.args(args).enumerate() {
            if !arg.starts_with(b"-") && !any_root && index < 4 {
                any_root = true;
                broad = matches!(target::place(arg), Place::Root | Place::System | Place::Home | Place::Working);
            }
            narrowed |= matches!(
                arg,
                b"-name"
                    | b"-iname"
                    | b"-path"
                    | b"-ipath"
                    | b"-regex"
                    | b"-newer"
                    | b"-size"
                    | b"-empty"
                    | b"-wholename"
                    | b"-perm"
                    | b"-user"
            );
            // Older than nothing is whatever is there.
            let is_age = matches!(arg, b"-mtime" | b"-mmin" | b"-ctime" | b"-atime");
            is_aged |= is_age && self.word(args + index + 1) != b"+0";
            deletes |= arg == b"-delete" && exec.is_none();
            if matches!(arg, b"-exec" | b"-execdir" | b"-ok" | b"-okdir" | b"-x" | b"-X" | b"--exec") {
                exec = exec.or(Some(args + index + 1));
                deletes |= matches!(self.word(args + index + 1), b"shred" | b"rm");
            }
        }
        let root_is_system = self.args(args).find(|arg| !arg.starts_with(b"-")).is_some_and(|arg| {
            matches!(target::place(arg), Place::Root | Place::Home)
                || matches!(arg, b"/etc" | b"/usr" | b"/var" | b"/home" | b"/boot" | b"/lib")
                || target::is_store(arg)
                // Backups of a certain age are let go everywhere.
                || target::is_backup(arg) && !is_aged
        });
        // Every file, or the repositories themselves.
        let everything = self.args(args).any(|arg| matches!(arg, b"*" | b".git" | b"*.git") || arg.starts_with(b"*.tfstate"));
        let wide = (broad || !any_root) && (!(narrowed || is_aged) || everything) || root_is_system;
        if deletes && wide {
            self.report(Builtin::ShellDelete);
        }
        if let Some(at) = exec {
            self.executes(at, wide, root_is_system);
        }
        if wide { Flow::BroadList } else { Flow::Nothing }
    }

    /// What `find` runs for each file.
    fn executes(&mut self, mut at: usize, wide: bool, root_is_system: bool) {
        while matches!(self.word(at), b"env" | b"sudo" | b"command" | b"busybox" | b"nice" | b"doas") {
            at += 1;
        }
        let mut buffer = [0; 32];
        let name = program(self.word(at), &mut buffer);
        if matches!(name, b"rm" | b"shred" | b"unlink" | b"truncate") && wide {
            self.report(Builtin::ShellDelete);
        }
        if is_shell(name)
            && let Some(code) = self.option_value(at + 1, b'c')
        {
            let has = |parts: &[&[u8]]| parts.iter().any(|part| memchr::memmem::find(self.word(code), part).is_some());
            if wide && has(&[b"$", b"{}"]) && has(&[b"rm ", b"shred ", b"unlink "]) {
                self.report(Builtin::ShellDelete);
            }
            self.push_word(code);
        }
        if matches!(name, b"chmod" | b"chown") && root_is_system {
            self.report(Builtin::ShellPermission);
        }
    }

    /// `tar --remove-files`: what is packed goes.
    pub(super) fn packs(&mut self, args: usize) {
        let wide = |path: &[u8]| matches!(self.place(path), Place::Root | Place::System | Place::Home | Place::Working);
        if self.args(args).any(|arg| arg == b"--remove-files") && self.operands(args).any(wide) {
            self.report(Builtin::ShellDelete);
        }
    }

    /// What comes and goes: the database of a test run, one object by its name.
    pub(super) fn is_passing(&self, name: &[u8], args: usize) -> bool {
        match name {
            b"rails" | b"rake" | b"mix" | b"artisan" | b"prisma" | b"knex" => {
                let environments: [&[u8]; 4] = [b"RAILS_ENV", b"RACK_ENV", b"NODE_ENV", b"MIX_ENV"];
                // Where a database is named, it is that one.
                self.lexer.value_of(b"DATABASE_URL").is_none()
                    && environments.iter().any(|name| self.lexer.value_of(name) == Some(b"test"))
            }
            b"gsutil" | b"gcloud" => {
                let removes = self.operands(args).any(|word| word == b"rm");
                let mut objects = self.operands(args).filter(|word| word.starts_with(b"gs://"));
                let is_object = |url: &[u8]| url.iter().filter(|byte| **byte == b'/').count() > 2 && !url.ends_with(b"/");
                let is_one = objects.next().is_some_and(|url| is_object(url) && !url.iter().any(|byte| b"*?$".contains(byte)));
                let recurses = self.has_flag(args, b'r', b"recursive") || self.has_flag(args, b'R', b"");
                let all = self.has_flag(args, b'a', b"all-versions") || self.args(args).any(|arg| arg == b"-I");
                removes && is_one && objects.next().is_none() && !recurses && !all
            }
            _ => false,
        }
    }

    /// `aws autoscaling update-auto-scaling-group … --max-size 0`: nothing is left that runs.
    pub(super) fn starves(&self, args: usize) -> bool {
        let sizes: [&[u8]; 3] = [b"--max-size", b"--desired-capacity", b"--desired-count"];
        (args..self.count()).any(|index| sizes.contains(&self.word(index)) && self.word(index + 1) == b"0")
    }

    /// `shred` and its kin.
    pub(super) fn wipes(&mut self, name: &[u8], args: usize) {
        // `wipe` is also a word of the language.
        let is_path = |word: &[u8]| name != b"wipe" || word.iter().any(|byte| b"/.$~*".contains(byte));
        if self.operands(args).any(is_path) && !self.asks_help(args) {
            self.report(Builtin::ShellDisk);
        }
    }

    /// `diskpart`, with a script or a text that wipes.
    pub(super) fn partitions(&mut self, args: usize) {
        let wipes = [b"clean".as_slice(), b"format", b"delete"];
        if wipes.iter().any(|word| self.says(word)) || self.args(args).any(|arg| arg.eq_ignore_ascii_case(b"/s")) {
            self.report(Builtin::ShellDisk);
        }
    }

    /// `cd /srv`: what later commands name is in there.
    pub(super) fn enter(&mut self, args: usize) {
        let word = self.lexer.words.get(args).copied().unwrap_or_default();
        let is_known = matches!(self.lexer.bytes(word.text), [b'/' | b'~' | b'$', ..] | b".git");
        self.directory = is_known.then_some(word.text);
    }

    /// `sed -i d /etc/passwd`: every line goes.
    pub(super) fn empties_lines(&mut self, args: usize) {
        let in_place = self.has_flag(args, b'i', b"in-place");
        let empties = self.args(args).any(|arg| matches!(arg, b"d" | b"1,$d"));
        if in_place && empties {
            self.report(Builtin::ShellOverwrite);
        }
    }

    pub(super) fn dd(&mut self, args: usize) {
        let output = self.args(args).find_map(|arg| arg.strip_prefix(b"of="));
        let found = match output {
            Some(path) if target::place(path) == Place::Device => Some(Builtin::ShellDisk),
            Some(path) if target::is_system_file(path) => Some(Builtin::ShellOverwrite),
            _ => None,
        };
        if let Some(found) = found {
            self.report(found);
        }
    }

    pub(super) fn permissions(&mut self, name: &[u8], args: usize) {
        let recursive = self.has_flag(args, b'R', b"recursive") || self.args(args).any(|arg| arg.eq_ignore_ascii_case(b"/t"));
        let mut operands = self.operands(args);
        // `chmod -x file`: a mode that looks like a flag.
        let is_less = |arg: &&[u8]| matches!(arg, [b'-', rest @ ..] if rest.iter().all(|flag| b"rwxXst".contains(flag)));
        let less = self.args(args).find(is_less).filter(|_| name == b"chmod");
        let mode = less.or_else(|| operands.next()).unwrap_or_default();
        let open = name == b"chmod"
            && (matches!(
                mode,
                b"777"
                    | b"0777"
                    | b"a+rwx"
                    | b"ugo+rwx"
                    | b"666"
                    | b"a+rw"
                    | b"o+w"
                    | b"a+w"
                    | b"+w"
                    | b"o+rwx"
                    | b"1777"
                    | b"a=rwx"
            ) || mode.ends_with(b"777"));
        let shut =
            name == b"chmod" && matches!(mode, b"000" | b"0" | b"a-rwx" | b"-x" | b"-r" | b"0000" | b"ugo-rwx" | b"a-r" | b"a-x");
        let suid = name == b"chmod" && (mode.ends_with(b"+s") || mode.len() == 4 && matches!(mode, [b'4' | b'6' | b'2', ..]));
        let mut hit = false;
        for path in operands {
            let place = target::place(path);
            // Services' own directories change their owners with every installation.
            let alters = recursive && target::is_core(path) || open || shut || suid;
            hit |= match place {
                Place::Root | Place::Device => recursive || alters || path == b"/",
                Place::System => alters || matches!(path, b"/etc" | b"/usr" | b"/bin" | b"/lib"),
                Place::Home => recursive && (open || shut),
                Place::Working => recursive && (open || shut),
                Place::Elsewhere | Place::Ordinary => suid && name == b"chmod",
            };
            hit |= matches!(path, b"/etc/shadow" | b"/etc/passwd" | b"/etc/sudoers");
            hit |= place == Place::Home && path.ends_with(b".ssh") && open;
        }
        hit |= name == b"chattr"
            && (mode == b"+i" || self.args(args).any(|arg| arg == b"-i"))
            && self.args(args).any(|arg| arg.starts_with(b"/etc"));
        hit |= matches!(name, b"icacls" | b"cacls") && self.args(args).any(|arg| memchr::memmem::find(arg, b"veryone").is_some());
        if hit {
            self.report(Builtin::ShellPermission);
        }
    }

    pub(super) fn writes(&mut self, name: &[u8], args: usize) {
        let found = match name {
            b"truncate" => self.truncates(args),
            b"tee" | b"sponge" => self.pours(args),
            _ => {
                if self.operands(args).nth(1).is_none() {
                    return;
                }
                let copies = matches!(name, b"cp" | b"rsync" | b"install") && self.copies_shell(args);
                self.moves(name, args).or(copies.then_some(Builtin::ShellPermission))
            }
        };
        if let Some(found) = found {
            self.report(found);
        }
        if name == b"rsync"
            && self.operands(args).next().is_some_and(shell_download::is_secret_file)
            && self.operands(args).last().is_some_and(|last| last.contains(&b':'))
        {
            self.report(Builtin::ShellExfiltration);
        }
    }

    /// `truncate -s 0 …`: of a system file, a log or a database.
    fn truncates(&self, args: usize) -> Option<Builtin> {
        if !self.args(args).any(|arg| matches!(arg, b"0" | b"--size=0" | b"-s0")) {
            return None;
        }
        let mut found = None;
        for path in self.operands(args) {
            if target::is_system_file(path) || target::is_trace(path) || target::place(path) == Place::System {
                found = Some(if target::is_trace(path) { Builtin::ShellHistory } else { Builtin::ShellOverwrite });
            }
            if target::is_database_file(path) {
                found = Some(Builtin::ShellOverwrite);
            }
        }
        found
    }

    /// `tee` and its kin: what they pour their input into.
    fn pours(&self, args: usize) -> Option<Builtin> {
        let into = |path: &[u8]| {
            if target::is_persistence(path) {
                Some(Builtin::ShellPersistence)
            } else if path.starts_with(b"/proc/sysrq") {
                Some(Builtin::ShellPower)
            } else if target::place(path) == Place::Device {
                Some(Builtin::ShellDisk)
            } else if target::is_system_file(path) && !target::is_site(path) {
                Some(Builtin::ShellOverwrite)
            } else {
                None
            }
        };
        self.operands(args).filter_map(into).last()
    }

    /// `mv`, `cp`, `rsync`, `ln`, `install`: from the first operand to the last.
    fn moves(&self, name: &[u8], args: usize) -> Option<Builtin> {
        let last = self.operands(args).last().unwrap_or_default();
        let first = self.operands(args).next().unwrap_or_default();
        let wide = |path: &[u8]| matches!(target::place(path), Place::Root | Place::System | Place::Home | Place::Working);
        let away = last == b"/dev/null"
            || target::place(first) == Place::Root
            || target::is_whole_home(first)
            || matches!(first, b"/etc" | b"/usr" | b"/var" | b"/boot" | b"/lib" | b"/bin" | b"/sbin" | b"/home");
        // `rsync -a --delete /var/empty/ host:/srv/projects/`
        let is_empty = |path: &[u8]| path.strip_suffix(b"/").unwrap_or(path).ends_with(b"empty");
        let from_nothing = matches!(first, b"/dev/null" | b"/dev/zero" | b"/dev/urandom");
        let is_account_file = matches!(last, b"/etc/passwd" | b"/etc/shadow" | b"/etc/sudoers" | b"/etc/fstab");
        let is_data = target::is_store(first) && last.starts_with(b"/tmp/");
        if name == b"mv" && (away || is_data) {
            Some(Builtin::ShellDelete)
        } else if name == b"mv" && target::is_system_file(first) {
            Some(Builtin::ShellOverwrite)
        } else if name == b"rsync" && self.args(args).any(|arg| arg.starts_with(b"--delete")) && wide(last) {
            let shows = self.asks_help(args) || self.has_flag(args, b'n', b"");
            (!shows).then_some(Builtin::ShellDelete)
        } else if name == b"rsync" && self.args(args).any(|arg| arg.starts_with(b"--delete")) && is_empty(first) {
            Some(Builtin::ShellDelete)
        } else if target::place(last) == Place::Device {
            Some(Builtin::ShellDisk)
        } else if target::is_trace(last) && first == b"/dev/null" {
            Some(Builtin::ShellHistory)
        } else if target::is_persistence(last) {
            Some(Builtin::ShellPersistence)
        } else if from_nothing && (wide(last) || target::is_system_file(last) || target::is_database_file(last))
            || is_account_file && target::is_system_file(last)
        {
            Some(Builtin::ShellOverwrite)
        } else {
            None
        }
    }

    fn copies_shell(&self, args: usize) -> bool {
        self.operands(args).next().is_some_and(|first| matches!(first, b"/bin/bash" | b"/bin/sh"))
            && self.operands(args).last().is_some_and(|last| last.starts_with(b"/tmp"))
    }
}
