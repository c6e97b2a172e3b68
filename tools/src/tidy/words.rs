//! What no committed file may contain: paths that exist on one machine only, and places outside the repository.

use super::Finding;
use std::path::Path;

/// A banned text and what to do instead. It counts only where no letter, digit or one of `.-_/}` stands before it.
struct Banned {
    text: &'static str,
    instead: &'static str,
}

const BANNED: &[Banned] = &[
    Banned {
        text: "/work/",
        instead: "a path of one machine: use one relative to the repository, a temporary directory, or an option",
    },
    Banned { text: "../shared", instead: "the repository stands alone: bring in what is needed, or make the place an option" },
];

/// Files that may name them: this list, and the two that look for suites which are optional.
const MAY_NAME: &[&str] = &["tools/src/tidy/words.rs", "tools/test", "tools/up"];

/// Checks the text of one file.
pub(super) fn check(file: &Path, text: &str) -> Vec<Finding> {
    if MAY_NAME.iter().any(|name| Path::new(name) == file) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for banned in BANNED {
            if contains(line, banned.text) {
                let at = format!("{}:{}", file.display(), index + 1);
                findings.push(Finding::new(at, format!("contains `{}`: {}", banned.text, banned.instead)));
            }
        }
    }
    findings
}

fn contains(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || ".-_/}".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let check =
            |file: &str, text: &str, expect: usize| assert_eq!(super::check(Path::new(file), text).len(), expect, "{text}");
        check("a.md", "fine", 0);
        check("a.md", "see /work/x\nand `/work/y`", 2);
        check("a.md", "home/work/x and ./work/ and $DIR/work/", 0);
        check("a.md", "cd ../shared/conformance", 1);
        check("tools/test", "cd ../shared/conformance", 0);
    }
}
