//! What a string is for, judged by the name of its argument and of its tool.
//!
//! The role decides which detectors look at a value: a path is not read as SQL, and the text of a
//! document is not read as a command. Names are compared by their last word, so `targetPath`,
//! `target_path` and `path` are the same.

/// What an argument is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Run by a shell.
    Command,
    /// The words of a command, or the text that follows its name.
    Argv,
    /// Run by an interpreter, or written to a file.
    Code,
    /// Run by a database.
    Sql,
    /// SQL, or what a person types into a search field.
    Query,
    /// Opened as a file.
    Path,
    /// Fetched.
    Url,
    /// A value whose use is unknown: only what is unmistakable counts.
    Neutral,
    /// A document, a message, source code: read by people and models, not run.
    Content,
}

/// Longest word that is compared. LIMIT: no word of the tables is longer.
const WORD_BYTES_MAX: usize = 16;

/// The last words of names, by what is named so.
const WORDS: &[(Role, &[&str])] = &[
    (
        Role::Command,
        &[
            "command",
            "commands",
            "cmd",
            "cmds",
            "shell",
            "bash",
            "powershell",
            "script",
            "scripts",
            "cmdline",
            "commandline",
            "cmdstring",
            "exec",
            "terminal",
            "keystrokes",
            "program",
            "executable",
            "binary",
            "cli",
        ],
    ),
    (Role::Code, &["code", "source", "python", "javascript", "ruby", "expression"]),
    (Role::Argv, &["args", "argv", "arguments", "arg"]),
    (Role::Sql, &["sql", "statement", "statements", "stmt", "queries"]),
    (Role::Query, &["query"]),
    (
        Role::Path,
        &[
            "path",
            "paths",
            "file",
            "files",
            "filename",
            "filenames",
            "filepath",
            "filepaths",
            "dir",
            "directory",
            "directories",
            "folder",
            "cwd",
            "workdir",
            "dest",
            "destination",
            "src",
        ],
    ),
    (
        Role::Url,
        &[
            "url", "urls", "uri", "uris", "href", "link", "links", "endpoint", "webhook", "callback", "redirect", "website",
            "feed",
        ],
    ),
    (
        Role::Content,
        &[
            "content",
            "contents",
            "text",
            "body",
            "message",
            "messages",
            "description",
            "prompt",
            "comment",
            "comments",
            "title",
            "summary",
            "string",
            "str",
            "newtext",
            "oldtext",
            "data",
            "note",
            "notes",
            "markdown",
            "md",
            "txt",
            "html",
            "subject",
            "document",
            "snippet",
            "patch",
            "diff",
            "log",
            "logs",
            "output",
            "reason",
            "readme",
            "manifest",
            "yaml",
            "json",
            "blob",
            "thought",
            "todo",
            "todos",
            "pattern",
            "regex",
            "glob",
            "selector",
            "explanation",
            "instructions",
            "details",
            "answer",
            "response",
            "plan",
            "edit",
            "edits",
            "blocks",
            "function",
            "template",
            "old",
            "new",
            "labels",
            "tags",
        ],
    ),
];

/// How many slots the table of words has: sparse, so that a name which is no word of ours is met by an empty one.
const SLOTS: usize = 1024;

/// The words as numbers, each in its slot or the next that was free; zero is none.
static TABLE: [(u128, Role); SLOTS] = {
    let mut table = [(0, Role::Neutral); SLOTS];
    let mut of_role = 0;
    while of_role < WORDS.len() {
        let (role, words) = WORDS[of_role];
        let mut at = 0;
        while at < words.len() {
            let word = number(words[at].as_bytes());
            let mut slot = slot(word);
            while table[slot].0 != 0 {
                slot = (slot + 1) % SLOTS;
            }
            table[slot] = (word, role);
            at += 1;
        }
        of_role += 1;
    }
    table
};

/// A word of at most [`WORD_BYTES_MAX`] bytes as a number.
const fn number(word: &[u8]) -> u128 {
    let mut bytes = [0; WORD_BYTES_MAX];
    let mut at = 0;
    while at < word.len() {
        bytes[at] = word[at];
        at += 1;
    }
    u128::from_le_bytes(bytes)
}

const fn slot(word: u128) -> usize {
    let folded = (word as u64 ^ (word >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (folded >> (64 - SLOTS.trailing_zeros())) as usize
}

/// The role of an argument of that name, or `None` if the name says nothing. Cost: some nanoseconds.
pub(super) fn of_key(key: &str) -> Option<Role> {
    let mut buffer = [0; WORD_BYTES_MAX];
    // Most names are one small word.
    match buffer.get_mut(..key.len()) {
        Some(slot) if key.bytes().all(|byte| byte.is_ascii_lowercase()) => slot.copy_from_slice(key.as_bytes()),
        _ => drop(last_word(key, &mut buffer)?),
    }
    let word = u128::from_le_bytes(buffer);
    let mut at = slot(word);
    loop {
        match TABLE.get(at)? {
            (0, _) => return None,
            (known, role) if *known == word => return Some(*role),
            _ => at = (at + 1) % SLOTS,
        }
    }
}

/// What a tool's name says about arguments whose own names say nothing.
pub(super) fn of_tool(tool: &str) -> Role {
    let mut rest = tool;
    loop {
        let mut buffer = [0; WORD_BYTES_MAX];
        let word = last_word(rest, &mut buffer);
        match word.unwrap_or_default() {
            b"bash" | b"shell" | b"terminal" | b"command" | b"commands" | b"powershell" | b"exec" | b"cmd" => {
                return Role::Command;
            }
            b"sql" | b"postgres" | b"mysql" | b"sqlite" | b"database" | b"db" | b"bigquery" | b"snowflake" => {
                return Role::Query;
            }
            _ => {}
        }
        let kept = rest
            .get(..word_start(rest.as_bytes()))
            .unwrap_or_default()
            .trim_end_matches(|letter| u8::try_from(letter).is_ok_and(is_separator));
        // A name that ends in letters we do not read has no words for us.
        if kept.is_empty() || kept.len() == rest.len() {
            return Role::Neutral;
        }
        rest = kept;
    }
}

fn is_separator(letter: u8) -> bool {
    matches!(letter, b'_' | b'-' | b'.' | b' ' | b'/' | b':')
}

/// Where the last word of a name begins: behind a separator, or at a capital that follows a small letter. Only ASCII is
/// walked over, so that it begins a character.
fn word_start(name: &[u8]) -> usize {
    let mut start = name.len();
    while let Some(&byte) = start.checked_sub(1).and_then(|at| name.get(at)) {
        if !byte.is_ascii_alphanumeric() {
            break;
        }
        start -= 1;
        let before = start.checked_sub(1).and_then(|at| name.get(at));
        if byte.is_ascii_uppercase() && before.is_some_and(u8::is_ascii_lowercase) {
            break;
        }
    }
    start
}

fn last_word<'b>(name: &str, buffer: &'b mut [u8; WORD_BYTES_MAX]) -> Option<&'b [u8]> {
    let name = name.as_bytes();
    let ends = |byte: &u8| !byte.is_ascii_digit() && !is_separator(*byte);
    let name = name.get(..name.iter().rposition(ends)? + 1)?;
    let word = name.get(word_start(name)..)?;
    let slot = buffer.get_mut(..word.len())?;
    slot.copy_from_slice(word);
    slot.make_ascii_lowercase();
    Some(slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_last_word() {
        let rows = [
            ("command", Some(Role::Command)),
            ("bashCommand", Some(Role::Command)),
            ("BASH_CMD", Some(Role::Command)),
            ("target_path", Some(Role::Path)),
            ("targetPath2", Some(Role::Path)),
            ("file_text", Some(Role::Content)),
            ("newText", Some(Role::Content)),
            ("imageURL", Some(Role::Url)),
            ("image_url", Some(Role::Url)),
            ("über_path", Some(Role::Path)),
            ("ü", None),
            ("", None),
            ("a_very_long_name_without_a_word_we_know_xxxxxxxxxxxxxxxxxxxxxxx", None),
        ];
        for (key, expect) in rows {
            assert_eq!(of_key(key), expect, "{key}");
        }
        for (tool, expect) in [
            ("run_shell_command", Role::Command),
            ("Bash", Role::Command),
            ("execute-sql", Role::Query),
            ("read_file", Role::Neutral),
            ("", Role::Neutral),
            ("日本", Role::Neutral),
        ] {
            assert_eq!(of_tool(tool), expect, "{tool}");
        }
    }
}
