//! Globs over names and over text in arguments: `*` any run of characters, `?` one character, `[a-z]` and `[!a-z]` one
//! of a set, `{a,b}` either, `\` takes the next character as it is. A glob covers the whole text; case counts; `*` also
//! runs over `/` (containment of paths is a condition of its own, because it must normalise first).
//!
//! Lives in a compiled policy and is shared by all shards. Pure.
//!
//! INVARIANT: no backtracking. What stands between two stars is looked for once, leftmost, so a match costs at most
//! text × longest such stretch, and text + pattern where the stretch is plain characters.

use memchr::memmem::Finder;

/// Longest glob. LIMIT: four times the longest tool name, for braces. Units: bytes.
pub const GLOB_BYTES_MAX: usize = 1024;

/// Most globs that one with braces may stand for. LIMIT: each is tried in turn.
pub const ALTERNATIVES_MAX: usize = 64;

/// A text is not a glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{glob}` is not a glob: {fault}")]
pub struct GlobError {
    /// What was given, cut short if it is long.
    pub glob: String,
    /// What is wrong with it.
    pub fault: GlobFault,
}

/// What is wrong with a glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GlobFault {
    /// Nothing at all.
    #[error("it is empty; write `*` for anything")]
    Empty,
    /// More than [`GLOB_BYTES_MAX`].
    #[error("it is longer than {GLOB_BYTES_MAX} bytes; use several")]
    TooLong,
    /// Braces that multiply to more than [`ALTERNATIVES_MAX`].
    #[error("its braces stand for more than {ALTERNATIVES_MAX} globs; use several")]
    TooMany,
    /// `[` without `]`.
    #[error("`[` has no `]`; write `\\[` for the character")]
    OpenSet,
    /// `[]` or `[!]`.
    #[error("`[]` is empty; name the characters between the brackets")]
    EmptySet,
    /// `[z-a]`.
    #[error("`{0}-{1}` runs backwards; write `{1}-{0}`")]
    Backwards(char, char),
    /// `{` without `}`.
    #[error("`{{` has no `}}`; write `\\{{` for the character")]
    OpenBrace,
    /// `{` within `{}`.
    #[error("braces within braces; write the alternatives out")]
    Nested,
    /// `\` at the end.
    #[error("it ends with `\\`; write `\\\\` for the character")]
    Escape,
}

/// A compiled glob.
#[derive(Debug, Clone)]
pub struct Glob(Box<[Pattern]>);

/// One alternative: stretches with a star between each two.
#[derive(Debug, Clone)]
struct Pattern {
    first: Stretch,
    middle: Box<[Stretch]>,
    /// `None` where there is no star: `first` is then all.
    last: Option<Stretch>,
}

#[derive(Debug, Clone)]
enum Stretch {
    /// Characters that mean themselves.
    Plain(Box<Finder<'static>>),
    /// Characters of which some mean others.
    Mixed(Box<[One]>),
}

/// What matches one character.
#[derive(Debug, Clone, PartialEq, Eq)]
enum One {
    Any,
    Is(char),
    In { negated: bool, ranges: Box<[(char, char)]> },
}

impl Glob {
    /// Compiles a glob.
    ///
    /// # Errors
    /// [`GlobError`] says what is wrong and how to write it.
    pub fn compile(text: &str) -> Result<Glob, GlobError> {
        let compiled = if text.is_empty() {
            Err(GlobFault::Empty)
        } else if text.len() > GLOB_BYTES_MAX {
            Err(GlobFault::TooLong)
        } else {
            alternatives(text).and_then(|texts| texts.iter().map(|text| Pattern::compile(text)).collect())
        };
        compiled.map(Glob).map_err(|fault| GlobError { glob: text.chars().take(80).collect(), fault })
    }

    /// Whether the glob covers the whole text.
    ///
    /// Cost: see the module; no allocation.
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(text))
    }

    /// The one text that the glob covers, if there is only one: such globs may be looked up instead of tried.
    pub fn literal(&self) -> Option<&str> {
        match &*self.0 {
            [Pattern { first: Stretch::Plain(finder), last: None, .. }] => std::str::from_utf8(finder.needle()).ok(),
            _ => None,
        }
    }

    /// Whether the glob covers every text.
    pub fn is_any(&self) -> bool {
        let empty = |stretch: &Stretch| matches!(stretch, Stretch::Plain(finder) if finder.needle().is_empty());
        self.0
            .iter()
            .any(|pattern| empty(&pattern.first) && pattern.middle.iter().all(empty) && pattern.last.as_ref().is_some_and(empty))
    }
}

impl Pattern {
    fn compile(text: &str) -> Result<Pattern, GlobFault> {
        let mut stretches = vec![Vec::new()];
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let one = match c {
                '*' => {
                    stretches.push(Vec::new());
                    continue;
                }
                '?' => One::Any,
                '[' => set(&mut chars)?,
                '\\' => One::Is(chars.next().ok_or(GlobFault::Escape)?),
                c => One::Is(c),
            };
            if let Some(stretch) = stretches.last_mut() {
                stretch.push(one);
            }
        }
        let mut stretches = stretches.into_iter().map(Stretch::new);
        let first = stretches.next().unwrap_or_else(|| Stretch::new(Vec::new()));
        let last = stretches.next_back();
        Ok(Pattern { first, middle: stretches.filter(|stretch| stretch.chars() > 0).collect(), last })
    }

    fn matches(&self, text: &str) -> bool {
        let Some(mut rest) = self.first.strip_from_start(text) else { return false };
        let Some(last) = &self.last else { return rest.is_empty() };
        let Some(head) = last.strip_from_end(rest) else { return false };
        rest = head;
        for stretch in &self.middle {
            match stretch.strip_first(rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        true
    }
}

impl Stretch {
    fn new(ones: Vec<One>) -> Stretch {
        let plain: Option<String> = ones.iter().map(|one| if let One::Is(c) = one { Some(*c) } else { None }).collect();
        match plain {
            Some(plain) => Stretch::Plain(Box::new(Finder::new(&plain).into_owned())),
            None => Stretch::Mixed(ones.into_boxed_slice()),
        }
    }

    fn chars(&self) -> usize {
        match self {
            Stretch::Plain(finder) => finder.needle().len(),
            Stretch::Mixed(ones) => ones.len(),
        }
    }

    fn strip_from_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Stretch::Plain(finder) if text.as_bytes().starts_with(finder.needle()) => text.get(finder.needle().len()..),
            Stretch::Plain(_) => None,
            Stretch::Mixed(ones) => {
                let mut chars = text.chars();
                ones.iter().all(|one| chars.next().is_some_and(|c| one.matches(c))).then_some(chars.as_str())
            }
        }
    }

    fn strip_from_end<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Stretch::Plain(finder) if text.as_bytes().ends_with(finder.needle()) => {
                text.get(..text.len() - finder.needle().len())
            }
            Stretch::Plain(_) => None,
            Stretch::Mixed(ones) => {
                let mut chars = text.chars();
                ones.iter().rev().all(|one| chars.next_back().is_some_and(|c| one.matches(c))).then_some(chars.as_str())
            }
        }
    }

    /// What follows the leftmost place where the stretch matches. Leftmost is right: it leaves most for those after it.
    fn strip_first<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Stretch::Plain(finder) => finder.find(text.as_bytes()).and_then(|at| text.get(at + finder.needle().len()..)),
            Stretch::Mixed(_) => {
                let mut rest = text;
                loop {
                    if let Some(after) = self.strip_from_start(rest) {
                        return Some(after);
                    }
                    let mut chars = rest.chars();
                    chars.next()?;
                    rest = chars.as_str();
                }
            }
        }
    }
}

impl One {
    fn matches(&self, c: char) -> bool {
        match self {
            One::Any => true,
            One::Is(is) => *is == c,
            One::In { negated, ranges } => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated,
        }
    }
}

/// Reads a set up to its `]`. A `]` right at the beginning is a member, as in a shell; so is a `-` at either end.
fn set(chars: &mut std::str::Chars<'_>) -> Result<One, GlobFault> {
    let mut rest = chars.clone();
    let negated = matches!(rest.next(), Some('!' | '^'));
    if negated {
        chars.next();
    }
    let mut ranges: Vec<(char, char)> = Vec::new();
    loop {
        let from = match chars.next().ok_or(GlobFault::OpenSet)? {
            ']' if ranges.is_empty() && chars.as_str().contains(']') => ']',
            ']' if ranges.is_empty() => return Err(GlobFault::EmptySet),
            ']' => return Ok(One::In { negated, ranges: ranges.into_boxed_slice() }),
            '\\' => chars.next().ok_or(GlobFault::Escape)?,
            c => c,
        };
        let mut ahead = chars.clone();
        let to = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(to)) if to != ']' => {
                *chars = ahead;
                if to == '\\' { chars.next().ok_or(GlobFault::Escape)? } else { to }
            }
            _ => from,
        };
        if from > to {
            return Err(GlobFault::Backwards(from, to));
        }
        ranges.push((from, to));
    }
}

/// Writes the braces out.
fn alternatives(text: &str) -> Result<Vec<String>, GlobFault> {
    let mut done = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let choices = match c {
            '{' => braces(&mut chars)?,
            '\\' => vec![['\\', chars.next().ok_or(GlobFault::Escape)?].iter().collect()],
            '[' => vec![bracketed(&mut chars)],
            c => vec![c.to_string()],
        };
        if done.len() * choices.len() > ALTERNATIVES_MAX {
            return Err(GlobFault::TooMany);
        }
        done = done.iter().flat_map(|head| choices.iter().map(move |choice| format!("{head}{choice}"))).collect();
    }
    Ok(done)
}

/// A set as it is written, so that braces and commas in it mean themselves. Faults are found when it is compiled.
fn bracketed(chars: &mut std::str::Chars<'_>) -> String {
    let before = chars.as_str();
    let _ = set(chars);
    let taken = before.len() - chars.as_str().len();
    format!("[{}", before.get(..taken).unwrap_or(before))
}

fn braces(chars: &mut std::str::Chars<'_>) -> Result<Vec<String>, GlobFault> {
    let mut choices = vec![String::new()];
    loop {
        let piece = match chars.next().ok_or(GlobFault::OpenBrace)? {
            '}' => return Ok(choices),
            '{' => return Err(GlobFault::Nested),
            ',' => {
                choices.push(String::new());
                continue;
            }
            '\\' => ['\\', chars.next().ok_or(GlobFault::Escape)?].iter().collect(),
            '[' => bracketed(chars),
            c => c.to_string(),
        };
        if let Some(choice) = choices.last_mut() {
            choice.push_str(&piece);
        }
    }
}

#[cfg(test)]
mod tests;
