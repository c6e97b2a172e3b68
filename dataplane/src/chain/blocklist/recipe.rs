//! Documents that say which commands others are to run: manifests of Kubernetes, workflows, playbooks, Makefiles, scripts
//! of packages, jobs of launchd. What they hold is written down as one script, so that it is judged like any other.
//!
//! Only what holds commands is understood of each form, line by line; what is written in a way nobody uses is passed over.

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Yaml,
    Makefile,
    /// The scripts of a package, the tasks of an editor.
    Json,
    /// A property list.
    Plist,
}

/// How a file of this name is written, if it may hold commands.
pub(super) fn form_of(path: &str) -> Option<Form> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match name {
        "Makefile" | "makefile" | "GNUmakefile" => Some(Form::Makefile),
        "package.json" | "composer.json" | "tasks.json" | "devcontainer.json" => Some(Form::Json),
        _ => match name.rsplit_once('.')?.1 {
            "yml" | "yaml" => Some(Form::Yaml),
            "mk" => Some(Form::Makefile),
            "plist" => Some(Form::Plist),
            _ => None,
        },
    }
}

/// Whether a text is a manifest of Kubernetes: it begins like one.
pub(super) fn is_manifest(text: &str) -> bool {
    let is_said = |line: &&str| !line.is_empty() && *line != "---" && !line.starts_with('#');
    // LIMIT: nobody puts more comments before it.
    let first = text.lines().map(str::trim_end).take(8).find(is_said);
    first.is_some_and(|line| line.starts_with("apiVersion:") || line.starts_with("kind:"))
}

/// Whether a manifest makes everybody who reaches the cluster its administrator.
pub(super) fn opens_cluster(manifest: &str) -> bool {
    manifest.contains("cluster-admin")
        && ["system:anonymous", "system:unauthenticated"].iter().any(|everybody| manifest.contains(everybody))
}

/// Appends the commands of a document, one to a line.
pub(super) fn write_commands(form: Form, text: &str, script: &mut String) {
    match form {
        Form::Yaml => yaml(text, script),
        Form::Makefile => makefile(text, script),
        Form::Json => json(text, script),
        Form::Plist => plist(text, script),
    }
    script.push('\n');
}

/// What is named so in YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// A command, or the words of one.
    Command,
    /// Words that follow those of the command.
    Arguments,
    /// Command lines.
    Script,
}

/// What the items of a value are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Items {
    /// Words of one command.
    Words,
    /// Command lines.
    Lines,
    /// Words of a command that is not known; those of several words may be command lines.
    LongLines,
}

impl Named {
    fn by(key: &str) -> Option<Named> {
        match key.rsplit('.').next().unwrap_or(key) {
            "command" | "entrypoint" | "cmd" => Some(Named::Command),
            "args" => Some(Named::Arguments),
            "run" | "script" | "before_script" | "after_script" | "shell" | "raw" => Some(Named::Script),
            _ => None,
        }
    }
}

fn yaml(text: &str, script: &mut String) {
    let mut last = None;
    let mut at = 0;
    let mut line = 0;
    let mut searched = 0;
    while let Some((key, value)) = next_key(text, at) {
        at = value;
        if let Some(end) = text.get(searched..key.start).and_then(|passed| passed.rfind('\n')) {
            line = searched + end + 1;
        }
        searched = key.start;
        let column = key.start - line;
        let Some(named) = text.get(key).and_then(Named::by) else { continue };
        // `command` and `args` beside each other are one command.
        let goes_on = named == Named::Arguments && last == Some(Named::Command);
        if goes_on && script.ends_with('\n') {
            script.pop();
            script.push(' ');
        }
        let items = match named {
            Named::Script => Items::Lines,
            Named::Arguments if !goes_on => Items::LongLines,
            Named::Command | Named::Arguments => Items::Words,
        };
        at = yaml_value(text, value, column, items, script);
        last = Some(named);
    }
}

/// The next `key:`, and where its value begins.
fn next_key(text: &str, from: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        let colon = at + memchr::memchr(b':', bytes.get(at..)?)?;
        at = colon + 1;
        let ends = bytes.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'[' | b'"'));
        let before = bytes.get(from..colon).unwrap_or_default();
        let before = before.strip_suffix(b"\"").unwrap_or(before);
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let length = before.iter().rev().take_while(|byte| is_name(byte)).count();
        if ends && length > 0 {
            let end = from + before.len();
            return Some((end - length..end, at));
        }
    }
}

/// Writes one value; answers where it ends.
fn yaml_value(text: &str, from: usize, column: usize, items: Items, script: &mut String) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let begins = from + rest.len() - rest.trim_start_matches(' ').len();
    let end = line_end(text, begins);
    let line = text.get(begins..end).unwrap_or_default().trim_end();
    let mut item = |item: &str| match items {
        Items::Words => {
            push_word(script, letters(item));
            script.push(' ');
        }
        Items::LongLines if !item.contains(' ') => {}
        Items::Lines | Items::LongLines => line_of(script, item),
    };
    let at = if line.starts_with('[') {
        flow(text, begins, &mut item)
    } else if line.is_empty() || line.starts_with('#') {
        sequence(text, end, column, &mut item)
    } else if line.starts_with(['|', '>']) {
        let end = block(text, end, column);
        line_of(script, text.get(line.len() + begins..end).unwrap_or_default());
        end
    } else {
        line_of(script, line);
        end
    };
    if !script.ends_with('\n') {
        script.push('\n');
    }
    at
}

fn line_end(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| from + length)
}

/// `[a, "b", 'c']`.
fn flow(text: &str, from: usize, item: &mut impl FnMut(&str)) -> usize {
    let mut at = from + 1;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let begins = rest.trim_start_matches([' ', ',', '\n', '\r', '\t']);
        at += rest.len() - begins.len();
        let length = match begins.as_bytes().first() {
            None => return text.len(),
            Some(b']') => return at + 1,
            Some(quote @ (b'"' | b'\'')) => quoted_length(begins, char::from(*quote)),
            Some(_) => begins.find([',', ']', '\n']).unwrap_or(begins.len()),
        };
        item(begins.get(..length).unwrap_or_default().trim_end());
        at += length.max(1);
    }
}

/// How long a text in quotes is, with them. In single quotes two of them stand for one.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        let doubled = quote == '\'' && letters.peek().is_some_and(|(_, next)| *next == quote);
        if letter == '\\' && quote == '"' || letter == quote && doubled {
            letters.next();
        } else if letter == quote {
            return at + 1;
        }
    }
    text.len()
}

/// Lines that begin with `- `, as far in as the key or further.
fn sequence(text: &str, from: usize, column: usize, item: &mut impl FnMut(&str)) -> usize {
    let mut at = from;
    while at < text.len() {
        let begins = at + 1;
        let end = line_end(text, begins);
        let line = text.get(begins..end).unwrap_or_default();
        let entry = line.trim_start_matches(' ');
        let indent = line.len() - entry.len();
        if entry.trim().is_empty() {
            at = end;
            continue;
        }
        let Some(entry) = entry.strip_prefix("- ").filter(|_| indent >= column).map(str::trim) else { break };
        at = end;
        if entry.starts_with(['|', '>']) {
            at = block(text, end, indent);
            item(text.get(end..at).unwrap_or_default().trim());
        } else {
            item(entry);
        }
    }
    at
}

/// Where the lines end that stand further in than a column.
fn block(text: &str, from: usize, column: usize) -> usize {
    let mut at = from;
    while at < text.len() {
        let end = line_end(text, at + 1);
        let line = text.get(at + 1..end).unwrap_or_default();
        let inside = line.len() - line.trim_start_matches(' ').len() > column;
        if !inside && !line.trim().is_empty() {
            break;
        }
        at = end;
    }
    at
}

/// The letters of a scalar without its quotes, and with what it escapes.
fn letters(scalar: &str) -> impl Iterator<Item = char> + Clone {
    let inner = |quote: char| scalar.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let (text, escape) = match (inner('\''), inner('"')) {
        (Some(inner), _) => (inner, Some('\'')),
        (_, Some(inner)) => (inner, Some('\\')),
        _ => (scalar, None),
    };
    let mut letters = text.chars();
    std::iter::from_fn(move || match letters.next() {
        letter if letter.is_none() || letter != escape => letter,
        _ => match letters.next() {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            other => other,
        },
    })
}

fn line_of(script: &mut String, line: &str) {
    script.extend(letters(line));
    script.push('\n');
}

/// A word, quoted so that it stays one.
pub(super) fn push_word(script: &mut String, letters: impl Iterator<Item = char> + Clone) {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,+@%~*".contains(letter);
    if letters.clone().all(is_plain) {
        script.extend(letters);
    } else {
        script.push('\'');
        for letter in letters {
            script.push_str(if letter == '\'' { "'\\'" } else { "" });
            script.push(letter);
        }
        script.push('\'');
    }
}

/// Lines that begin with a tab, or stand behind the colon of a rule.
fn makefile(text: &str, script: &mut String) {
    for line in text.lines().filter_map(|line| line.strip_prefix('\t')) {
        // `$(HOME)` is a variable there; what a shell is to expand is written `$$`.
        let mut line = line.trim_start_matches(['@', '-', '+', ' ']);
        while let Some((before, rest)) = line.split_once('$') {
            script.push_str(before);
            script.push('$');
            line = rest.strip_prefix('$').unwrap_or(rest);
            if line.len() == rest.len()
                && let Some((name, after)) = line.strip_prefix('(').and_then(|rest| rest.split_once(')'))
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                script.push_str(name);
                line = after;
            }
        }
        line_of(script, line);
    }
}

/// What stands under `scripts` and `command`.
fn json(text: &str, script: &mut String) {
    let mut at = 0;
    let mut depth = 0_usize;
    let mut scripts = None;
    let mut is_command = false;
    while let Some(length) = text.get(at..).and_then(|rest| rest.find(['"', '{', '}'])) {
        at += length;
        let rest = text.get(at..).unwrap_or_default();
        match rest.as_bytes().first() {
            Some(b'{') => depth += 1,
            Some(b'}') => {
                scripts = scripts.filter(|outer| *outer < depth);
                depth = depth.saturating_sub(1);
            }
            _ => {
                let length = quoted_length(rest, '"');
                let string = rest.get(..length).unwrap_or_default();
                let is_key = rest.get(length..).unwrap_or_default().trim_start().starts_with(':');
                if is_key {
                    is_command = matches!(string, "\"command\"" | "\"postCreateCommand\"");
                    if string == "\"scripts\"" {
                        scripts = Some(depth);
                    }
                } else if is_command || scripts.is_some_and(|outer| outer < depth) {
                    line_of(script, string);
                }
                at += length;
                continue;
            }
        }
        at += 1;
    }
}

/// The strings of `ProgramArguments`.
fn plist(text: &str, script: &mut String) {
    const ENTITIES: [(&str, char); 4] = [("&gt;", '>'), ("&lt;", '<'), ("&quot;", '"'), ("&amp;", '&')];
    let Some((_, words)) = text.split_once("<key>ProgramArguments</key>") else { return };
    let words = words.split_once("</array>").map_or(words, |(words, _)| words);
    for (word, _) in words.split("<string>").skip(1).filter_map(|word| word.split_once("</string>")) {
        let mut rest = word;
        let letters = std::iter::from_fn(move || {
            let (length, letter) = match ENTITIES.iter().find(|(name, _)| rest.starts_with(name)) {
                Some((name, letter)) => (name.len(), *letter),
                None => rest.chars().next().map(|letter| (letter.len_utf8(), letter))?,
            };
            rest = rest.get(length..)?;
            Some(letter)
        });
        push_word(script, letters);
        script.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_out_of_documents() {
        let rows = [
            (Form::Yaml, "command: [\"sh\",\"-c\",\"rm -rf /host/*\"]\n", "sh -c 'rm -rf /host/*' \n\n"),
            (Form::Yaml, "command: [sh, -c, 'echo ''a''']", "sh -c 'echo '\\''a'\\''' \n\n"),
            (Form::Yaml, "- {name: s, command: [\"sh\",\"-c\"], args: [\"a b\"]}", "sh -c  'a b' \n\n"),
            (Form::Yaml, "  command:\n  - sh\n  - -c\n  - |\n    one\n    two\n  image: x\n", "sh -c 'one\n    two' \n\n"),
            (Form::Yaml, "- run: make\n- run: |\n    a\n    b\n  shell: bash\n", "make\n\n    a\n    b\nbash\n\n"),
            (Form::Yaml, "script:\n  - a b\n  - \"c \\\"d\\\"\"\nstage: x\n", "a b\nc \"d\"\n\n"),
            (Form::Yaml, "args: [\"--port\", \"80\", \"rm -rf /\"]\nname: x", "rm -rf /\n\n"),
            (Form::Yaml, "ansible.builtin.shell: ls\n", "ls\n\n"),
            (Form::Yaml, "name: x\nurl: http://command:80/\n", "\n"),
            (Form::Makefile, "all: x\n\t@rm -rf $(OUT) $$(pwd)\nX = y\n", "rm -rf $OUT $(pwd)\n\n"),
            (Form::Json, r#"{"name":"x","scripts":{"a":"b c","d":"e \"f\""},"command":"g","h":"i"}"#, "b c\ne \"f\"\ng\n\n"),
            (
                Form::Plist,
                "<key>ProgramArguments</key><array><string>sh</string><string>a &amp;&amp; b</string></array><string>c</string>",
                "sh 'a && b' \n",
            ),
        ];
        for (form, text, expect) in rows {
            let mut script = String::new();
            write_commands(form, text, &mut script);
            assert_eq!(script, expect, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_document_is_too_strange(text in "([ \n\t:\\-\\[\\]{}|>'\"\\\\,ä]|command|args|run|scripts|\\$\\(){0,40}") {
            for form in [Form::Yaml, Form::Makefile, Form::Json, Form::Plist] {
                let mut script = String::new();
                write_commands(form, &text, &mut script);
                proptest::prop_assert!(script.len() <= 8 * text.len() + 64);
            }
        }
    }
}
