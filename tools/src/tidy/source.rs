//! What is inside the files: their first line, their length, the length of their functions, and names of modules in
//! them.
//!
//! Length is a ratchet: what is longer than the rule allows stands in `ratchet.txt` with its length, may shrink, and
//! may not grow.

use super::{Finding, names};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// LIMIT: what one can still take in by scrolling.
const FILE_LINES_MAX: usize = 1000;
/// LIMIT: about one screen.
const FUNCTION_LINES_MAX: usize = 70;

/// Where the ratchet stands, relative to the root.
pub(super) const RATCHET: &str = "tools/src/tidy/ratchet.txt";

/// Something longer than the rule allows: a file, or a function in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Long {
    file: String,
    /// Nothing for the file itself.
    function: Option<String>,
    lines: usize,
    line: usize,
}

/// What one file gave.
#[derive(Debug, Default)]
pub(super) struct Inspected {
    pub(super) findings: Vec<Finding>,
    pub(super) long: Vec<Long>,
}

/// Reads one Rust file.
pub(super) fn inspect(file: &Path, text: &str) -> Inspected {
    let at = file.display().to_string();
    if is_generated(file, text) {
        return Inspected::default();
    }
    let mut inspected = Inspected::default();
    if !text.trim_start_matches('\u{feff}').starts_with("//!") {
        inspected.findings.push(Finding::new(&at, "does not begin with `//!`: say in a sentence why this file exists"));
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        inspected.long.push(Long { file: at.clone(), function: None, lines, line: 1 });
    }
    let parsed = match syn::parse_file(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = error.span().start().line;
            inspected.findings.push(Finding::new(format!("{at}:{line}"), format!("does not parse: {error}")));
            return inspected;
        }
    };
    let mut visitor = Visitor { at, is_for_tests: has_part(file, "tests"), inside: Vec::new(), inspected };
    visitor.visit_file(&parsed);
    visitor.inspected
}

/// What a generator writes has the shape that the generator gives it: marked, or below a module called `generated`.
fn is_generated(file: &Path, text: &str) -> bool {
    has_part(file, "generated") || text.lines().take(5).any(|line| line.contains("@generated"))
}

/// Whether `word` is the name of the file or of a folder it is in.
fn has_part(file: &Path, word: &str) -> bool {
    file.components().any(|part| Path::new(&part).file_stem().is_some_and(|stem| stem == word))
}

struct Visitor {
    at: String,
    is_for_tests: bool,
    /// The modules, types and functions around, for the name of a function.
    inside: Vec<String>,
    inspected: Inspected,
}

impl Visitor {
    fn function(&mut self, name: &str, attributes: &[syn::Attribute], from: usize, to: usize) {
        let lines = to + 1 - from;
        // A test may be a long table of rows.
        let is_test =
            attributes.iter().any(|attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "test"));
        if lines > FUNCTION_LINES_MAX && !is_test && !self.is_for_tests {
            let mut path = self.inside.clone();
            path.push(name.to_owned());
            self.inspected.long.push(Long { file: self.at.clone(), function: Some(path.join("::")), lines, line: from });
        }
    }

    fn within(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.inside.push(name);
        visit(self);
        self.inside.pop();
    }
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        if let Some(message) = names::check_module(&name) {
            let line = item.ident.span().start().line;
            self.inspected.findings.push(Finding::new(format!("{}:{line}", self.at), message));
        }
        if is_for_tests(&item.attrs) {
            return;
        }
        self.within(name, |visitor| visit::visit_item_mod(visitor, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.within(type_name(&item.self_ty), |visitor| visit::visit_item_impl(visitor, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(item.ident.to_string(), |visitor| visit::visit_item_trait(visitor, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let name = item.sig.ident.to_string();
        self.function(&name, &item.attrs, item.sig.span().start().line, item.block.span().end().line);
        self.within(name, |visitor| visit::visit_item_fn(visitor, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let name = item.sig.ident.to_string();
        self.function(&name, &item.attrs, item.sig.span().start().line, item.block.span().end().line);
        self.within(name, |visitor| visit::visit_impl_item_fn(visitor, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let name = item.sig.ident.to_string();
        if let Some(body) = &item.default {
            self.function(&name, &item.attrs, item.sig.span().start().line, body.span().end().line);
        }
        self.within(name, |visitor| visit::visit_trait_item_fn(visitor, item));
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
    })
}

fn type_name(of: &syn::Type) -> String {
    match of {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => "impl".to_owned(),
    }
}

/// The lengths that are put up with, by file and function.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ratchet {
    entries: BTreeMap<(String, Option<String>), usize>,
}

impl Ratchet {
    /// Reads lines of the form `file lines` or `file function lines`.
    ///
    /// # Errors
    /// A line that is neither; fix or remove it.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut entries = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (file, function, lines) = match words.as_slice() {
                [] => continue,
                [first, ..] if first.starts_with('#') => continue,
                [file, lines] => (*file, None, *lines),
                [file, function, lines] => (*file, Some((*function).to_owned()), *lines),
                _ => bail!("{RATCHET}:{}: `{line}`: write `file [function] lines`", index + 1),
            };
            let lines = lines.parse().with_context(|| format!("{RATCHET}:{}: `{lines}` is not a number", index + 1))?;
            entries.insert((file.to_owned(), function), lines);
        }
        Ok(Self { entries })
    }

    /// What is longer than both the rule and the ratchet allow, and what the ratchet allows without need.
    pub(super) fn check(&self, long: &[Long]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for long in long {
            let allowed = self.entries.get(&(long.file.clone(), long.function.clone())).copied();
            if let Some(message) = judge(long, allowed) {
                findings.push(Finding::new(format!("{}:{}", long.file, long.line), message));
            }
        }
        for (file, function) in self.entries.keys() {
            if !long.iter().any(|long| long.file == *file && long.function == *function) {
                let what = function.as_ref().map_or("it".to_owned(), |function| format!("`{function}`"));
                findings.push(Finding::new(RATCHET, format!("{what} in `{file}` is within the rule now: remove its line")));
            }
        }
        findings
    }

    /// The ratchet as it would have to be for `long`.
    pub(super) fn write(long: &[Long]) -> String {
        let mut text = String::from(
            "# What is longer than the rule allows, with its number of lines. Shorten, then lower the number or remove the line.\n",
        );
        let mut long = long.to_vec();
        long.sort();
        for long in long {
            let function = long.function.map(|function| format!(" {function}")).unwrap_or_default();
            let _ = writeln!(text, "{}{function} {}", long.file, long.lines);
        }
        text
    }
}

fn judge(long: &Long, allowed: Option<usize>) -> Option<String> {
    let lines = long.lines;
    let what = match &long.function {
        Some(function) => format!("`{function}` has {lines} lines"),
        None => format!("has {lines} lines"),
    };
    match (allowed, &long.function) {
        (Some(allowed), _) if lines == allowed => None,
        (Some(allowed), _) if lines < allowed => {
            Some(format!("{what}, good: lower its line in {RATCHET} from {allowed} to {lines}"))
        }
        (Some(allowed), _) => {
            Some(format!("{what}, and {allowed} were already too many: take the addition out into a place of its own"))
        }
        (None, Some(_)) => Some(format!(
            "{what}, at most {FUNCTION_LINES_MAX} fit on a screen: leave the branches here and move straight-line parts into functions with a name of their own"
        )),
        (None, None) => Some(format!(
            "{what}, at most {FILE_LINES_MAX}: give each of its nouns a file (`foo/bar.rs` beside `foo.rs`), and tests a `foo/tests.rs`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(text: &str) -> Vec<(Option<String>, usize, usize)> {
        let inspected = inspect(Path::new("a/src/b.rs"), text);
        inspected.long.into_iter().map(|long| (long.function, long.lines, long.line)).collect()
    }

    fn function(name: &str, lines: usize) -> String {
        format!("fn {name}() {{\n{}}}\n", "    x();\n".repeat(lines - 2))
    }

    #[test]
    fn functions_are_measured() {
        let check = |text: String, expect: &[(&str, usize, usize)]| {
            let expect: Vec<_> = expect.iter().map(|(name, lines, line)| (Some((*name).to_owned()), *lines, *line)).collect();
            assert_eq!(long(&text), expect, "{text}");
        };
        check(format!("//! x\n{}", function("f", 70)), &[]);
        check(format!("//! x\n{}", function("f", 71)), &[("f", 71, 2)]);
        check(format!("//! x\n/// doc\n#[inline]\n{}", function("f", 71)), &[("f", 71, 4)]);
        check(format!("//! x\nimpl A for B<C> {{\n{}}}", function("f", 80)), &[("B::f", 80, 3)]);
        check(format!("//! x\nmod m {{ impl B {{\n{}}} }}", function("f", 80)), &[("m::B::f", 80, 3)]);
        check(format!("//! x\ntrait T {{\n{}}}", function("f", 80)), &[("T::f", 80, 3)]);
        check(format!("//! x\n#[test]\n{}", function("f", 80)), &[]);
        check(format!("//! x\n#[cfg(test)]\nmod tests {{\n{}}}", function("f", 80)), &[]);
        check(format!("//! x\n// @generated by y\n{}", function("f", 80)), &[]);
    }

    #[test]
    fn some_files_are_let_be() {
        let check = |file: &str, expect: usize| {
            let inspected = inspect(Path::new(file), &function("f", 80));
            assert_eq!(inspected.findings.len() + inspected.long.len(), expect, "{file}");
        };
        check("a/src/b.rs", 2);
        check("a/src/generated.rs", 0);
        check("a/src/generated/c.rs", 0);
        // They say why they exist, but may be long tables.
        check("a/src/b/tests.rs", 1);
        check("a/tests/users.rs", 1);
    }

    #[test]
    fn files_are_measured() {
        assert_eq!(long(&format!("//! x\n{}", "\n".repeat(1000))), [(None, 1001, 1)]);
        assert_eq!(long(&format!("//! x\n{}", "\n".repeat(999))), []);
    }

    #[test]
    fn findings() {
        let check = |text: &str, expect: &str| {
            let found = inspect(Path::new("b.rs"), text).findings;
            assert!(found.iter().any(|finding| finding.to_string().contains(expect)), "{text}: {found:?}");
        };
        check("use x;\n", "b.rs: does not begin with `//!`");
        check("//! x\n\nmod helpers {}\n", "b.rs:3: `helpers` says nothing");
        check("//! x\nfn (", "b.rs:2: does not parse");
        assert_eq!(inspect(Path::new("b.rs"), "//! x\nmod fine;\n").findings, []);
    }

    #[test]
    fn the_ratchet_only_turns_one_way() {
        let long = |lines| [Long { file: "a.rs".into(), function: Some("T::f".into()), lines, line: 5 }];
        let check = |text: &str, lines: usize, expect: Option<&str>| {
            let found = Ratchet::parse(text).unwrap().check(&long(lines));
            match expect {
                None => assert_eq!(found, [], "{text} {lines}"),
                Some(expect) => {
                    assert!(found.iter().any(|finding| finding.to_string().contains(expect)), "{text} {lines}: {found:?}")
                }
            }
        };
        check("a.rs T::f 80", 80, None);
        check("# why\n\na.rs T::f 80", 79, Some("from 80 to 79"));
        check("a.rs T::f 80", 81, Some("a.rs:5: `T::f` has 81 lines, and 80 were already too many"));
        check("", 80, Some("at most 70 fit"));
        check("a.rs T::f 80\nb.rs 2000", 80, Some("it in `b.rs` is within the rule now"));
        assert_eq!(Ratchet::parse(&Ratchet::write(&long(80))).unwrap().check(&long(80)), []);
        assert!(Ratchet::parse("a b c d").is_err());
        assert!(Ratchet::parse("a many").is_err());
    }
}
