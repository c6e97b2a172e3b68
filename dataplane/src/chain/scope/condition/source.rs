//! From conditions as they are declared to what is judged.

use wire::condition::{ConditionSource, LengthSource, OneOrMany, Scalar, TimeSource, Which};

use super::daytime::Window;
use super::host::{HostPattern, Network};
use super::number::Number;
use super::path::Root;
use super::pointer::Pointer;
use super::{Check, Condition, Conditions, Quantifier, Test, Value};
use crate::chain::glob::{Glob, GlobError};

/// Most conditions of one grant, those within others included. LIMIT: at 100 ns each, a few microseconds a call.
const CONDITIONS_MAX: usize = 64;

/// How deep conditions may stand within conditions. LIMIT: judging them recurses.
const DEPTH_MAX: usize = 8;

/// Most values that one condition may list. LIMIT: they are tried in turn.
const VALUES_MAX: usize = 256;

/// A condition that cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("condition {place} cannot be used")]
pub struct ConditionError {
    /// Where it stands: `1`, or `1.any.2` within others; counted from 1.
    pub place: String,
    /// What is wrong with it.
    #[source]
    pub wrong: Wrong,
}

/// What is wrong with a condition.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Wrong {
    /// Not a condition at all.
    #[error("{0}")]
    Shape(String),
    /// No question, or more than one.
    #[error("expected exactly one of {}, found {found}", ConditionSource::QUESTIONS.join(", "))]
    Questions {
        /// Which there are.
        found: String,
    },
    /// A question without an argument to ask it of.
    #[error("`{0}` is asked of an argument; add `arg` with a JSON pointer such as `/path`")]
    ArgMissing(&'static str),
    /// An argument where none is asked.
    #[error("`{0}` is not asked of an argument; remove `arg`")]
    ArgNeedless(&'static str),
    /// `items` where there is one value.
    #[error("`items` belongs to an `arg` with a `*` in it; remove it")]
    ItemsNeedless,
    /// Not a JSON pointer.
    #[error("`{0}` is not a JSON pointer; expected `/name`, `/outer/inner` or `/list/*` (`~1` for `/`, `~0` for `~`)")]
    Pointer(String),
    /// Whether many are there.
    #[error("`exists` is asked of one argument; write `arg` without `*`, or ask for a `length`")]
    ExistsOfMany,
    /// Compared with what is not a number.
    #[error("`{0}` compares numbers; write a number")]
    NotNumber(&'static str),
    /// An empty list, or an empty text in one.
    #[error("`{0}` is empty; list what may match, or remove the condition")]
    Empty(&'static str),
    /// More than [`VALUES_MAX`].
    #[error("`{0}` lists more than {VALUES_MAX} values; use several conditions")]
    TooManyValues(&'static str),
    /// More than [`CONDITIONS_MAX`].
    #[error("a grant has at most {CONDITIONS_MAX} conditions; use several grants")]
    TooMany,
    /// Deeper than [`DEPTH_MAX`].
    #[error("conditions stand within conditions more than {DEPTH_MAX} deep; write them flatter")]
    TooDeep,
    /// Not a glob.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// Not a folder.
    #[error("`{0}` is not a folder; expected `/srv/data`, `docs` or `C:/data`, without `..` out of it, `~` and `%xx`")]
    Folder(String),
    /// Not a host.
    #[error("`{0}` is not a host; expected `example.com`, `*.example.com` or an address, in ASCII, without port")]
    Host(String),
    /// Not a network.
    #[error("`{0}` is not a network; expected `10.0.0.0/8`, `fd00::/8` or an address, with no bits behind the length")]
    Network(String),
    /// Bounds that nothing is within, or that bound nothing.
    #[error("`length` needs `min`, `max` or both, and `min` must not be above `max`")]
    Length,
    /// Not a time of day.
    #[error("`{0}` is not a time of day; expected `00:00` to `24:00`")]
    TimeOfDay(String),
    /// Not an offset.
    #[error("`{0}` is not an offset from UTC; expected `+00:00` to `+14:00` or `-00:00` to `-12:00`")]
    Offset(String),
}

impl Conditions {
    /// Compiles what a grant declares.
    ///
    /// # Errors
    /// [`ConditionError`] says which condition is wrong, and what was expected.
    pub fn compile(sources: &[ConditionSource]) -> Result<Conditions, ConditionError> {
        let mut compiler = Compiler { count: 0, place: Vec::new() };
        let compiled = sources.iter().enumerate().map(|(i, source)| {
            compiler.place = vec![(i + 1).to_string()];
            let test = compiler.test(source, 1)?;
            Ok(Condition { text: source.to_string().into(), test })
        });
        compiled.collect::<Result<_, _>>().map(Conditions)
    }

    /// Compiles what a snapshot carries: one condition or a list of them, as JSON; an empty text is none.
    ///
    /// # Errors
    /// [`ConditionError`] says which condition is wrong, and what was expected.
    pub fn from_json(json: &str) -> Result<Conditions, ConditionError> {
        if json.is_empty() {
            return Ok(Conditions::default());
        }
        let shape = |place: usize| {
            move |e: serde_json::Error| ConditionError { place: place.to_string(), wrong: Wrong::Shape(e.to_string()) }
        };
        let list = match serde_json::from_str(json).map_err(shape(1))? {
            serde_json::Value::Array(list) => list,
            one => vec![one],
        };
        let sources = list.into_iter().enumerate().map(|(i, source)| serde_json::from_value(source).map_err(shape(i + 1)));
        Conditions::compile(&sources.collect::<Result<Vec<_>, _>>()?)
    }
}

impl Condition {
    /// Compiles one condition.
    ///
    /// # Errors
    /// [`ConditionError`] says what was expected.
    pub fn compile(source: &ConditionSource) -> Result<Condition, ConditionError> {
        let mut compiler = Compiler { count: 0, place: vec!["1".to_owned()] };
        Ok(Condition { test: compiler.test(source, 1)?, text: source.to_string().into() })
    }
}

struct Compiler {
    count: usize,
    place: Vec<String>,
}

impl Compiler {
    fn test(&mut self, source: &ConditionSource, depth: usize) -> Result<Test, ConditionError> {
        self.count += 1;
        let question = self.question(source, depth).map_err(|wrong| self.error(wrong))?;
        match (question, &source.all, &source.any, &source.not) {
            ("all", Some(list), ..) => self.list("all", list, depth).map(Test::All),
            ("any", _, Some(list), _) => self.list("any", list, depth).map(Test::Any),
            ("not", .., Some(inner)) => {
                self.place.push("not".to_owned());
                let test = self.test(inner, depth + 1)?;
                self.place.pop();
                Ok(Test::Not(Box::new(test)))
            }
            _ => leaf(source, question).map_err(|wrong| self.error(wrong)),
        }
    }

    /// The one question that is asked, once it is clear that it may be.
    fn question(&self, source: &ConditionSource, depth: usize) -> Result<&'static str, Wrong> {
        if self.count > CONDITIONS_MAX {
            return Err(Wrong::TooMany);
        }
        if depth > DEPTH_MAX {
            return Err(Wrong::TooDeep);
        }
        let asked = source.questions();
        let [question] = asked[..] else {
            let found = if asked.is_empty() { "none".to_owned() } else { asked.join(" and ") };
            return Err(Wrong::Questions { found });
        };
        let needs_arg = !matches!(question, "time" | "all" | "any" | "not");
        match (&source.arg, needs_arg) {
            (None, true) => Err(Wrong::ArgMissing(question)),
            (Some(_), false) => Err(Wrong::ArgNeedless(question)),
            _ if source.items.is_some() && !needs_arg => Err(Wrong::ItemsNeedless),
            _ => Ok(question),
        }
    }

    fn list(&mut self, word: &'static str, list: &[ConditionSource], depth: usize) -> Result<Box<[Test]>, ConditionError> {
        if list.is_empty() {
            return Err(self.error(Wrong::Empty(word)));
        }
        let mut tests = Vec::with_capacity(list.len().min(CONDITIONS_MAX));
        for (i, source) in list.iter().enumerate() {
            self.place.push(format!("{word}.{}", i + 1));
            tests.push(self.test(source, depth + 1)?);
            self.place.pop();
        }
        Ok(tests.into_boxed_slice())
    }

    fn error(&self, wrong: Wrong) -> ConditionError {
        ConditionError { place: self.place.join("."), wrong }
    }
}

/// A condition that has no others within.
fn leaf(source: &ConditionSource, question: &'static str) -> Result<Test, Wrong> {
    if let Some(time) = &source.time {
        return window(time).map(Test::Time);
    }
    let arg = source.arg.as_deref().unwrap_or("");
    let pointer = Pointer::parse(arg).ok_or_else(|| Wrong::Pointer(arg.to_owned()))?;
    if source.items.is_some() && !pointer.is_plural() {
        return Err(Wrong::ItemsNeedless);
    }
    if let Some(expect) = source.exists {
        if pointer.is_plural() {
            return Err(Wrong::ExistsOfMany);
        }
        return Ok(Test::Exists { pointer, expect });
    }
    let quantifier = match source.items {
        None | Some(Which::Every) => Quantifier::Every,
        Some(Which::Some) => Quantifier::Some,
    };
    Ok(Test::Argument { pointer, quantifier, check: check(source, question)? })
}

fn check(source: &ConditionSource, question: &'static str) -> Result<Check, Wrong> {
    let one = |scalar: &Scalar, expect| Ok(Check::In { values: [value(scalar)].into(), expect });
    let many =
        |scalars: &[Scalar], expect| Ok(Check::In { values: bounded(question, scalars)?.iter().map(value).collect(), expect });
    let less = |scalar: &Scalar, or_equal, expect| match value(scalar) {
        Value::Number(than) => Ok(Check::Less { than, or_equal, expect }),
        Value::Bool(_) | Value::Text(_) => Err(Wrong::NotNumber(question)),
    };
    match source {
        ConditionSource { eq: Some(scalar), .. } => one(scalar, true),
        ConditionSource { ne: Some(scalar), .. } => one(scalar, false),
        ConditionSource { one_of: Some(scalars), .. } => many(scalars, true),
        ConditionSource { not_in: Some(scalars), .. } => many(scalars, false),
        ConditionSource { lt: Some(scalar), .. } => less(scalar, false, true),
        ConditionSource { le: Some(scalar), .. } => less(scalar, true, true),
        ConditionSource { gt: Some(scalar), .. } => less(scalar, true, false),
        ConditionSource { ge: Some(scalar), .. } => less(scalar, false, false),
        ConditionSource { prefix: Some(texts), .. } => each(question, texts, |text| Ok(Box::from(text))).map(Check::Prefix),
        ConditionSource { suffix: Some(texts), .. } => each(question, texts, |text| Ok(Box::from(text))).map(Check::Suffix),
        ConditionSource { glob: Some(texts), .. } => each(question, texts, |text| Ok(Glob::compile(text)?)).map(Check::Glob),
        ConditionSource { within: Some(texts), .. } => {
            each(question, texts, |text| Root::parse(text).ok_or_else(|| Wrong::Folder(text.to_owned()))).map(Check::Within)
        }
        ConditionSource { host: Some(texts), .. } => {
            each(question, texts, |text| HostPattern::parse(text).ok_or_else(|| Wrong::Host(text.to_owned()))).map(Check::Host)
        }
        ConditionSource { cidr: Some(texts), .. } => {
            each(question, texts, |text| Network::parse(text).ok_or_else(|| Wrong::Network(text.to_owned()))).map(Check::Cidr)
        }
        ConditionSource { length: Some(LengthSource { min, max }), .. } => {
            let (from, to) = (min.unwrap_or(0), max.unwrap_or(u64::MAX));
            if from > to || (min.is_none() && max.is_none()) {
                return Err(Wrong::Length);
            }
            Ok(Check::Length { min: from, max: to })
        }
        ConditionSource { is: Some(kind), .. } => Ok(Check::Is(*kind)),
        _ => Err(Wrong::Questions { found: question.to_owned() }),
    }
}

fn value(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Int(value) => Value::Number(Number::Whole(i128::from(*value))),
        Scalar::Uint(value) => Value::Number(Number::Whole(i128::from(*value))),
        Scalar::Float(value) => Value::Number(Number::Float(*value)),
        Scalar::Text(value) => Value::Text(value.as_str().into()),
    }
}

fn bounded<'v, T>(question: &'static str, values: &'v [T]) -> Result<&'v [T], Wrong> {
    match values.len() {
        0 => Err(Wrong::Empty(question)),
        1..=VALUES_MAX => Ok(values),
        _ => Err(Wrong::TooManyValues(question)),
    }
}

fn each<T>(
    question: &'static str,
    texts: &OneOrMany<String>,
    read: impl Fn(&str) -> Result<T, Wrong>,
) -> Result<Box<[T]>, Wrong> {
    let texts = match texts {
        OneOrMany::One(text) => std::slice::from_ref(text),
        OneOrMany::Many(texts) => bounded(question, texts)?,
    };
    if texts.iter().any(String::is_empty) {
        return Err(Wrong::Empty(question));
    }
    texts.iter().map(|text| read(text)).collect()
}

fn window(source: &TimeSource) -> Result<Window, Wrong> {
    let offset_s = match source.utc_offset.as_deref() {
        None => 0,
        Some(text) => offset(text).ok_or_else(|| Wrong::Offset(text.to_owned()))?,
    };
    let time = |text: &str| clock(text).filter(|s| *s <= 86_400).ok_or_else(|| Wrong::TimeOfDay(text.to_owned()));
    let (from_s, to_s) = (time(&source.from)?, time(&source.to)?);
    if from_s == 86_400 {
        return Err(Wrong::TimeOfDay(source.from.clone()));
    }
    let days = match &source.days {
        None => 0x7f,
        Some(days) if days.is_empty() => return Err(Wrong::Empty("days")),
        Some(days) => days.iter().fold(0, |bits, day| bits | 1 << *day as u8),
    };
    Ok(Window { from_s, to_s, days, offset_s })
}

/// `hh:mm` in seconds.
fn clock(text: &str) -> Option<i64> {
    let two =
        |digits: &str| (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse::<i64>().ok());
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two(hours)??, two(minutes)??);
    (minutes < 60).then_some(hours * 3600 + minutes * 60)
}

fn offset(text: &str) -> Option<i64> {
    match text.split_at_checked(1)? {
        ("+", rest) => clock(rest).filter(|s| *s <= 14 * 3600),
        ("-", rest) => clock(rest).filter(|s| *s <= 12 * 3600).map(|s| -s),
        _ => None,
    }
}
