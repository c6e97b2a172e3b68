//! Conditions on the arguments of a call, and on the time of day: what a grant says under `when`.
//!
//! Lives in a compiled policy and is shared by all shards. Pure: no I/O, no clock, no allocation; time is an argument.
//!
//! A condition holds, does not hold, or *cannot be judged*: an argument is missing or of another type, a path or URL can
//! be read in two ways that disagree. The last is a value of its own, [`Fault`], and the caller denies on it, whether the
//! grant gives or takes; a condition that cannot be judged must never let a call through.
//!
//! Conditions are judged in the order in which they are written: `all` ends with the first that does not hold, `any` with
//! the first that does, both with the first that cannot be judged. So `any: [{arg: /n, exists: false}, {arg: /n, le: 9}]`
//! is how an optional argument is bounded.

mod daytime;
mod host;
mod number;
mod path;
mod pointer;
mod source;

use simd_json::{Node, StaticNode};
use wire::jsonrpc::{Nodes, span};

use crate::chain::glob::Glob;
use daytime::Window;
use host::{HostPattern, Network};
use number::Number;
use path::Root;
use pointer::Pointer;

pub use source::{ConditionError, Wrong};
pub use wire::condition::{ConditionSource, Kind};

/// The arguments of a call that has none.
const NOTHING: &[Node<'static>] = &[Node::Object { len: 0, count: 0 }];

/// Everything a grant asks of the arguments; all of it must hold.
#[derive(Debug, Clone, Default)]
pub struct Conditions(Box<[Condition]>);

/// One condition.
#[derive(Debug, Clone)]
pub struct Condition {
    /// As it was declared, in one line of JSON, to be named in explanations.
    text: Box<str>,
    test: Test,
}

/// Why a call is not within a grant's conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet<'c> {
    /// This condition does not hold.
    Failed {
        /// As it was declared.
        condition: &'c str,
    },
    /// This condition cannot be judged.
    Faulty {
        /// As it was declared.
        condition: &'c str,
        /// Why not.
        fault: Fault,
    },
}

/// How one condition was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged<'c> {
    /// As it was declared.
    pub condition: &'c str,
    /// Whether it holds, or why that cannot be said. Nothing here tells the argument's value.
    pub holds: Result<bool, Fault>,
}

/// Why a condition cannot be judged. Says nothing of the argument's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such argument.
    #[error("the argument is missing")]
    Missing,
    /// Not a text.
    #[error("the argument is not a text")]
    NotText,
    /// Not a number.
    #[error("the argument is not a number")]
    NotNumber,
    /// Not of the type it is compared with.
    #[error("the argument has another type than the value it is compared with")]
    OtherType,
    /// Neither text nor array nor object.
    #[error("the argument has no length")]
    NoLength,
    /// `*` in a pointer stands for an array's items.
    #[error("the argument is not an array")]
    NotArray,
    /// Nothing that can be a path, or one that is encoded over and over.
    #[error("the argument cannot be read as a path")]
    PathUnreadable,
    /// More than [`path::PATH_BYTES_MAX`], or deeper than [`path::PATH_PARTS_MAX`].
    #[error("the path is too long to be judged")]
    PathTooLong,
    /// Relative to what only the tool knows, or absolute where the declared folders are relative.
    #[error("the path starts from another place than the folders it is compared with")]
    PathBase,
    /// Within or not, depending on who reads its percent signs, backslashes and capitals.
    #[error("the path lies within the folders to some readers and outside to others")]
    PathAmbiguous,
    /// Not a URL with a host, nor a host.
    #[error("the argument cannot be read as a URL or host")]
    UrlUnreadable,
    /// `user@host`, which readers disagree on.
    #[error("the URL carries credentials")]
    UrlCredentials,
    /// A number that some readers take for an address: `2130706433`, `0x7f.1`, `010.0.0.1`.
    #[error("the host is an address in a form that readers disagree on")]
    AddressOdd,
    /// A name, where a network is asked for.
    #[error("the host is a name, whose address is not known here")]
    NotAddress,
}

#[derive(Debug, Clone)]
enum Test {
    /// One argument, or all or some of several.
    Argument {
        pointer: Pointer,
        quantifier: Quantifier,
        check: Check,
    },
    Exists {
        pointer: Pointer,
        expect: bool,
    },
    Time(Window),
    All(Box<[Test]>),
    Any(Box<[Test]>),
    Not(Box<Test>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    Every,
    Some,
}

/// What is asked of one value.
#[derive(Debug, Clone)]
enum Check {
    In { values: Box<[Value]>, expect: bool },
    Less { than: Number, or_equal: bool, expect: bool },
    Prefix(Box<[Box<str>]>),
    Suffix(Box<[Box<str>]>),
    Glob(Box<[Glob]>),
    Within(Box<[Root]>),
    Host(Box<[HostPattern]>),
    Cidr(Box<[Network]>),
    Length { min: u64, max: u64 },
    Is(Kind),
}

#[derive(Debug, Clone)]
enum Value {
    Bool(bool),
    Number(Number),
    Text(Box<str>),
}

impl Conditions {
    /// Judges the arguments of a call; none at all are an empty object. Units: `now_us` is µs since 1970.
    ///
    /// Cost: some 10 to 100 ns for each condition; linear in the arguments it looks at; no allocation.
    ///
    /// # Errors
    /// [`Unmet`] names the first condition that does not hold or cannot be judged. Deny the call.
    pub fn check(&self, arguments: Option<Nodes<'_, '_>>, now_us: u64) -> Result<(), Unmet<'_>> {
        let arguments = arguments.unwrap_or(NOTHING);
        for Condition { text, test } in &self.0 {
            match test.holds(arguments, now_us) {
                Ok(true) => {}
                Ok(false) => return Err(Unmet::Failed { condition: text }),
                Err(fault) => return Err(Unmet::Faulty { condition: text, fault }),
            }
        }
        Ok(())
    }

    /// Judges every condition, also behind one that does not hold: for explanations. Cost: allocates; never on a shard's
    /// path.
    pub fn judge_all(&self, arguments: Option<Nodes<'_, '_>>, now_us: u64) -> Vec<Judged<'_>> {
        let arguments = arguments.unwrap_or(NOTHING);
        let judge = |condition: &'_ Condition| condition.test.holds(arguments, now_us);
        self.0.iter().map(|condition| Judged { condition: &condition.text, holds: judge(condition) }).collect()
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Condition {
    /// Whether the condition holds for these arguments at this time.
    ///
    /// # Errors
    /// [`Fault`]: it cannot be judged. Deny the call.
    pub fn holds(&self, arguments: Nodes<'_, '_>, now_us: u64) -> Result<bool, Fault> {
        self.test.holds(arguments, now_us)
    }
}

impl Test {
    fn holds(&self, arguments: Nodes<'_, '_>, now_us: u64) -> Result<bool, Fault> {
        match self {
            Test::Argument { pointer, quantifier, check } => {
                pointer.find(arguments, *quantifier == Quantifier::Some, &mut |value| check.holds(value))
            }
            Test::Exists { pointer, expect } => match pointer.find(arguments, true, &mut |_| Ok(true)) {
                Ok(found) => Ok(found == *expect),
                Err(Fault::Missing | Fault::NotArray) => Ok(!*expect),
                Err(fault) => Err(fault),
            },
            Test::Time(window) => Ok(window.contains(now_us)),
            Test::All(tests) => {
                for test in tests {
                    if !test.holds(arguments, now_us)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Test::Any(tests) => {
                for test in tests {
                    if test.holds(arguments, now_us)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::Not(test) => test.holds(arguments, now_us).map(|holds| !holds),
        }
    }
}

impl Check {
    fn holds(&self, value: Nodes<'_, '_>) -> Result<bool, Fault> {
        let node = value.first().ok_or(Fault::Missing)?;
        match self {
            Check::In { values, expect } => is_one_of(node, values).map(|found| found == *expect),
            Check::Less { than, or_equal, expect } => {
                let order = Number::of(node).ok_or(Fault::NotNumber)?.cmp(*than);
                Ok((order.is_lt() || (*or_equal && order.is_eq())) == *expect)
            }
            Check::Prefix(all) => text(node).map(|text| all.iter().any(|prefix| text.starts_with(&**prefix))),
            Check::Suffix(all) => text(node).map(|text| all.iter().any(|suffix| text.ends_with(&**suffix))),
            Check::Glob(all) => text(node).map(|text| all.iter().any(|glob| glob.matches(text))),
            Check::Within(roots) => path::within(text(node)?, roots),
            Check::Host(patterns) => {
                let host = host::read(text(node)?)?;
                Ok(patterns.iter().any(|pattern| pattern.matches(host)))
            }
            Check::Cidr(networks) => {
                let address = host::read(text(node)?)?.address()?;
                Ok(networks.iter().any(|network| network.contains(address)))
            }
            Check::Length { min, max } => length(node).map(|length| (*min..=*max).contains(&length)),
            Check::Is(kind) => Ok(is_of(*kind, node)),
        }
    }
}

fn text<'i>(node: &Node<'i>) -> Result<&'i str, Fault> {
    if let Node::String(text) = node { Ok(text) } else { Err(Fault::NotText) }
}

/// Whether some byte is of a kind. Without an early end, so that it is done on many bytes at once.
fn has(text: &[u8], kind: impl Fn(u8) -> bool) -> bool {
    text.iter().fold(false, |found, byte| found | kind(*byte))
}

/// Characters of a text, items of an array, members of an object.
fn length(node: &Node<'_>) -> Result<u64, Fault> {
    match node {
        Node::String(text) => Ok(text.chars().count() as u64),
        Node::Array { len, .. } | Node::Object { len, .. } => Ok(*len as u64),
        Node::Static(_) => Err(Fault::NoLength),
    }
}

/// A value that has the type of none of those it is compared with cannot be judged: `"5"` is neither 5 nor not 5.
fn is_one_of(node: &Node<'_>, values: &[Value]) -> Result<bool, Fault> {
    let mut comparable = false;
    for value in values {
        let equal = match (node, value) {
            (Node::String(have), Value::Text(want)) => **have == **want,
            (Node::Static(StaticNode::Bool(have)), Value::Bool(want)) => have == want,
            (node, Value::Number(want)) => match Number::of(node) {
                Some(have) => have.cmp(*want).is_eq(),
                None => continue,
            },
            (_, Value::Text(_) | Value::Bool(_)) => continue,
        };
        if equal {
            return Ok(true);
        }
        comparable = true;
    }
    if comparable { Ok(false) } else { Err(Fault::OtherType) }
}

/// Whether a value is of a type.
fn is_of(kind: Kind, node: &Node<'_>) -> bool {
    match (kind, node) {
        (Kind::Null, Node::Static(StaticNode::Null))
        | (Kind::Boolean, Node::Static(StaticNode::Bool(_)))
        | (Kind::String, Node::String(_))
        | (Kind::Array, Node::Array { .. })
        | (Kind::Object, Node::Object { .. }) => true,
        (Kind::Number, node) => Number::of(node).is_some(),
        (Kind::Integer, node) => Number::of(node).is_some_and(Number::is_integer),
        _ => false,
    }
}

/// The items of the array at the front; `None` when it is not an array.
fn items<'t, 'i>(nodes: Nodes<'t, 'i>) -> Option<impl Iterator<Item = Nodes<'t, 'i>>> {
    let (Node::Array { len, .. }, mut rest) = nodes.split_first()? else { return None };
    Some((0..*len).map_while(move |_| {
        let (item, next) = rest.split_at_checked(span(rest))?;
        rest = next;
        (!item.is_empty()).then_some(item)
    }))
}

#[cfg(test)]
mod tests;
