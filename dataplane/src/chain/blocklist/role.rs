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

/// The role of an argument of that name, or `None` if the name says nothing.
pub(super) fn of_key(key: &str) -> Option<Role> {
    let mut buffer = [0; WORD_BYTES_MAX];
    let role = match last_word(key, &mut buffer)? {
        b"command" | b"commands" | b"cmd" | b"cmds" | b"shell" | b"bash" | b"powershell" | b"script" | b"scripts"
        | b"cmdline" | b"commandline" | b"exec" | b"terminal" | b"keystrokes" => Role::Command,
        b"args" | b"argv" | b"arguments" | b"arg" => Role::Argv,
        b"sql" | b"statement" | b"statements" | b"stmt" | b"queries" => Role::Sql,
        b"query" => Role::Query,
        b"path" | b"paths" | b"file" | b"files" | b"filename" | b"filenames" | b"filepath" | b"filepaths" | b"dir"
        | b"directory" | b"directories" | b"folder" | b"cwd" | b"workdir" | b"dest" | b"destination" | b"src" => Role::Path,
        b"url" | b"urls" | b"uri" | b"uris" | b"href" | b"link" | b"links" | b"endpoint" | b"webhook" | b"callback"
        | b"redirect" | b"website" | b"feed" => Role::Url,
        b"content" | b"contents" | b"text" | b"body" | b"message" | b"messages" | b"description" | b"prompt" | b"comment"
        | b"comments" | b"title" | b"summary" | b"string" | b"str" | b"newtext" | b"oldtext" | b"code" | b"data" | b"note"
        | b"notes" | b"markdown" | b"html" | b"subject" | b"document" | b"snippet" | b"patch" | b"diff" | b"log" | b"logs"
        | b"output" | b"reason" | b"readme" | b"manifest" | b"yaml" | b"json" | b"blob" | b"thought" | b"todo" | b"todos"
        | b"pattern" | b"regex" | b"glob" | b"selector" | b"explanation" | b"instructions" | b"details" | b"answer"
        | b"response" | b"plan" | b"edit" | b"edits" | b"blocks" | b"source" | b"function" | b"template" | b"old" | b"new"
        | b"labels" | b"tags" => Role::Content,
        _ => return None,
    };
    Some(role)
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
        let kept = rest.get(..word_start(rest)).unwrap_or_default().trim_end_matches(is_separator);
        // A name that ends in letters we do not read has no words for us.
        if kept.is_empty() || kept.len() == rest.len() {
            return Role::Neutral;
        }
        rest = kept;
    }
}

fn is_separator(letter: char) -> bool {
    matches!(letter, '_' | '-' | '.' | ' ' | '/' | ':')
}

/// Where the last word of a name begins: behind a separator, or at a capital that follows a small letter.
fn word_start(name: &str) -> usize {
    let bytes = name.as_bytes();
    let mut start = bytes.len();
    while let Some(&byte) = start.checked_sub(1).and_then(|at| bytes.get(at)) {
        if !byte.is_ascii_alphanumeric() {
            break;
        }
        start -= 1;
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        if byte.is_ascii_uppercase() && before.is_some_and(u8::is_ascii_lowercase) {
            break;
        }
    }
    // A byte above ASCII ends the walk inside a character: such a name is no word of ours.
    if name.is_char_boundary(start) { start } else { 0 }
}

fn last_word<'b>(name: &str, buffer: &'b mut [u8; WORD_BYTES_MAX]) -> Option<&'b [u8]> {
    let name = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || is_separator(letter));
    let word = name.as_bytes().get(word_start(name)..)?;
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
