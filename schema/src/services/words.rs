//! The small languages inside YAML values: times, sizes, rates, references to the environment, globs.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Visitor};

/// LIMIT: the longest glob; matching costs at most text × pattern.
const GLOB_BYTES_MAX: usize = 256;

/// LIMIT: a year; whatever waits or counts longer than that was mistyped.
const PERIOD_MAX: Duration = Duration::from_secs(366 * 86_400);

/// LIMIT: a century.
const DAYS_MAX: u32 = 36_525;

/// Why a text is not a word of one of these languages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// Not a time.
    #[error("`{0}` is not a time: write a number and `ms`, `s`, `m`, `h` or `d`, such as `30s`")]
    Period(String),
    /// A time that nobody means.
    #[error("`{0}` is out of range: times are longer than nothing and at most `366d`")]
    PeriodRange(String),
    /// Not a number of days.
    #[error("`{0}` is not a number of days: write `1d` to `{DAYS_MAX}d`, such as `90d`")]
    Days(String),
    /// Not a size.
    #[error("`{0}` is not a size: write a number and `B`, `KiB`, `MiB` or `GiB`, such as `64KiB`")]
    Size(String),
    /// Not a rate.
    #[error("`{0}` is not a rate: write a number, `/` and a time, such as `100/min`, `5/s` or `1000/12h`")]
    Rate(String),
    /// Not an amount of money.
    #[error("`{0}` is not an amount: write `$` and US dollars with at most six decimals, such as `$50` or `$0.0025`")]
    Usd(String),
    /// Not a reference to the environment.
    #[error("expected `env:NAME`, the environment variable that holds the value; secrets never stand in these files")]
    Reference,
    /// A `$` that begins nothing.
    #[error("`{0}` has a `$` that is not `${{NAME}}` or `${{NAME:-otherwise}}`; write `$$` for the sign itself")]
    Template(String),
    /// Not a glob.
    #[error(
        "`{0}` is not a glob: 1 to {GLOB_BYTES_MAX} bytes; `*` is any run, `?` any character, `\\` takes the next as it is; \
         instead of `[…]` and `{{…}}` write several"
    )]
    Glob(String),
    /// Not a name of an environment variable.
    #[error("`{0}` is not the name of an environment variable: use letters, digits and `_`, not beginning with a digit")]
    Variable(String),
}

/// A length of time: `30s`, `5m`, `12h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

impl FromStr for Period {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Period, WordError> {
        let refused = || WordError::Period(text.to_owned());
        let (number, unit) = split_number(text).ok_or_else(refused)?;
        let unit_ms = unit_ms(unit).filter(|_| !unit.is_empty()).ok_or_else(refused)?;
        let period = number.checked_mul(unit_ms).map(Duration::from_millis);
        period
            .filter(|period| !period.is_zero() && *period <= PERIOD_MAX)
            .map(Period)
            .ok_or_else(|| WordError::PeriodRange(text.to_owned()))
    }
}

/// Milliseconds in a unit of time.
fn unit_ms(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" | "sec" | "second" => 1000,
        "m" | "min" | "minute" => 60_000,
        "h" | "hour" => 3_600_000,
        "d" | "day" => 86_400_000,
        _ => return None,
    })
}

/// The digits at the beginning as a number, and the rest.
fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

/// Whole days: `90d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(pub u32);

impl FromStr for Days {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Days, WordError> {
        let days = text.strip_suffix('d').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let days = days.and_then(|digits| digits.parse().ok()).filter(|days| (1..=DAYS_MAX).contains(days));
        days.map(Days).ok_or_else(|| WordError::Days(text.to_owned()))
    }
}

/// A number of bytes: `64KiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Size, WordError> {
        let refused = || WordError::Size(text.to_owned());
        let (number, unit) = split_number(text).ok_or_else(refused)?;
        let shift = match unit {
            "B" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            _ => return Err(refused()),
        };
        number.checked_mul(1 << shift).map(Size).ok_or_else(refused)
    }
}

/// So many in so long: `100/min`, `1000/12h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In how long.
    pub period: Duration,
}

impl FromStr for Rate {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Rate, WordError> {
        let refused = || WordError::Rate(text.to_owned());
        let (count, period) = text.split_once('/').ok_or_else(refused)?;
        let count = count.trim().parse().map_err(|_| refused())?;
        let period = period.trim();
        let period = match unit_ms(period) {
            Some(ms) => Duration::from_millis(ms),
            None => period.parse::<Period>().map_err(|_| refused())?.0,
        };
        Ok(Rate { count, period })
    }
}

/// An amount of money: `$0.0025`. Held in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(pub u64);

impl FromStr for Usd {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Usd, WordError> {
        let refused = || WordError::Usd(text.to_owned());
        let amount = text.strip_prefix('$').ok_or_else(refused)?;
        let (whole, decimals) = amount.split_once('.').unwrap_or((amount, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 6 {
            return Err(refused());
        }
        let millionths: u64 = format!("{decimals:0<6}").parse().map_err(|_| refused())?;
        let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(1_000_000));
        whole.and_then(|whole| whole.checked_add(millionths)).map(Usd).ok_or_else(refused)
    }
}

/// `env:NAME`: the value is read from our environment when it is needed, and stands in no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    name: String,
}

impl Reference {
    /// The environment variable.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "env:{}", self.name)
    }
}

impl FromStr for Reference {
    type Err = WordError;
    /// The refused text may be a secret and is not repeated.
    fn from_str(text: &str) -> Result<Reference, WordError> {
        let name = text.strip_prefix("env:").ok_or(WordError::Reference)?;
        if is_variable(name) { Ok(Reference { name: name.to_owned() }) } else { Err(WordError::Reference) }
    }
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// The name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable(String);

impl Variable {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Variable {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Variable, WordError> {
        if is_variable(text) { Ok(Variable(text.to_owned())) } else { Err(WordError::Variable(text.to_owned())) }
    }
}

/// What a child's environment variable is set to: a text with `${NAME}` in it, or `env:NAME` for a variable of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// As it stands, filled in.
    Text(Template),
    /// From our environment.
    Reference(Reference),
}

impl FromStr for Setting {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Setting, WordError> {
        if text.starts_with("env:") {
            return text.parse().map(Setting::Reference);
        }
        text.parse().map(Setting::Text)
    }
}

/// A text in which `${NAME}` stands for a variable of our environment, and `${NAME:-otherwise}` for one that may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable { name: String, otherwise: Option<String> },
}

impl Template {
    /// The text with every variable filled in.
    ///
    /// # Errors
    /// The name of a variable that is not set and has no `:-otherwise`.
    pub fn fill(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<String, &str> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Variable { name, otherwise } => {
                    let value = lookup(name).filter(|value| !value.is_empty()).or_else(|| otherwise.clone());
                    out.push_str(&value.ok_or(name.as_str())?);
                }
            }
        }
        Ok(out)
    }
}

impl FromStr for Template {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Template, WordError> {
        let refused = || WordError::Template(text.to_owned());
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            plain.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                plain.push('$');
                rest = after;
                continue;
            }
            let (inner, after) = after.strip_prefix('{').and_then(|after| after.split_once('}')).ok_or_else(refused)?;
            let (name, otherwise) = match inner.split_once(":-") {
                Some((name, otherwise)) => (name, Some(otherwise.to_owned())),
                None => (inner, None),
            };
            if !is_variable(name) {
                return Err(refused());
            }
            parts.push(Part::Text(std::mem::take(&mut plain)));
            parts.push(Part::Variable { name: name.to_owned(), otherwise });
            rest = after;
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Template { parts })
    }
}

/// A glob over names: `*` is any run, `?` any character, `\` takes the next as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
}

impl Glob {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it can match more than one name.
    pub fn is_literal(&self) -> bool {
        !self.text.contains(['*', '?', '\\'])
    }

    /// Whether it matches the whole of `name`.
    pub fn matches(&self, name: &str) -> bool {
        let glob: Vec<char> = self.text.chars().collect();
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut pos) = (0, 0);
        // Where to go on when a later character fails: behind the last `*`, one character further in the name.
        let mut back: Option<(usize, usize)> = None;
        loop {
            let step = match (glob.get(at), name.get(pos)) {
                (None, None) => return true,
                (Some('*'), _) => {
                    back = Some((at + 1, pos));
                    Some((1, 0))
                }
                (Some('?'), Some(_)) => Some((1, 1)),
                (Some('\\'), Some(have)) if glob.get(at + 1) == Some(have) => Some((2, 1)),
                (Some(want), Some(have)) if want == have && *want != '\\' => Some((1, 1)),
                _ => None,
            };
            (at, pos) = match (step, back) {
                (Some((glob_step, name_step)), _) => (at + glob_step, pos + name_step),
                (None, Some((to, from))) if from < name.len() => {
                    back = Some((to, from + 1));
                    (to, from + 1)
                }
                _ => return false,
            };
        }
    }
}

impl FromStr for Glob {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Glob, WordError> {
        let mut escaped = false;
        let mut foreign = false;
        for letter in text.chars() {
            foreign |= !escaped && matches!(letter, '[' | ']' | '{' | '}');
            escaped = !escaped && letter == '\\';
        }
        if text.is_empty() || text.len() > GLOB_BYTES_MAX || text.chars().any(char::is_control) || escaped || foreign {
            return Err(WordError::Glob(text.chars().take(64).collect()));
        }
        Ok(Glob { text: text.to_owned() })
    }
}

macro_rules! words {
    ($($name:ident $title:literal $pattern:literal;)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                struct Word;

                impl Visitor<'_> for Word {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($title)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }

                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$name, E> {
                        number.to_string().parse().map_err(E::custom)
                    }
                }

                from.deserialize_any(Word)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )*};
}

words! {
    Period "a time such as `30s`" "^[0-9]+(ms|s|sec|second|m|min|minute|h|hour|d|day)$";
    Days "a number of days such as `90d`" "^[0-9]+d$";
    Size "a size such as `64KiB`" "^[0-9]+(B|KiB|MiB|GiB)$";
    Rate "a rate such as `100/min`" "^[0-9]+/[0-9]*(ms|s|sec|second|m|min|minute|h|hour|d|day)$";
    Usd "an amount such as `$0.0025`" "^\\$[0-9]+(\\.[0-9]{1,6})?$";
    Reference "`env:NAME`" "^env:[A-Za-z_][A-Za-z0-9_]*$";
    Variable "the name of an environment variable" "^[A-Za-z_][A-Za-z0-9_]*$";
    Setting "text, or `env:NAME`" "";
    Template "text" "";
    Glob "a glob" "^[^\\x00-\\x1f]{1,256}$";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_sizes_and_rates() {
        let times = [
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("250ms", Some(250)),
            ("12h", Some(43_200_000)),
            ("1d", Some(86_400_000)),
            ("366d", Some(366 * 86_400_000)),
            ("367d", None),
            ("0s", None),
            ("30", None),
            ("s", None),
            ("1.5s", None),
            ("-1s", None),
            ("1 s", None),
            ("99999999999999999999s", None),
            ("9999999999999999999d", None),
        ];
        for (text, ms) in times {
            assert_eq!(text.parse::<Period>().ok().map(|period| period.0.as_millis()), ms, "{text}");
        }
        let sizes = [
            ("64KiB", Some(65_536)),
            ("1GiB", Some(1 << 30)),
            ("7B", Some(7)),
            ("64KB", None),
            ("64", None),
            ("", None),
            ("99999999999GiB", None),
        ];
        for (text, bytes) in sizes {
            assert_eq!(text.parse::<Size>().ok().map(|size| size.0), bytes, "{text}");
        }
        let rates = [
            ("100/min", Some((100, 60))),
            ("5/s", Some((5, 1))),
            ("1000/12h", Some((1000, 43_200))),
            ("100", None),
            ("100/", None),
            ("/min", None),
            ("100/fortnight", None),
        ];
        let amounts = [
            ("$50", Some(50_000_000)),
            ("$0.0025", Some(2_500)),
            ("$0.000001", Some(1)),
            ("$0", Some(0)),
            ("$1.5", Some(1_500_000)),
            ("$0.0000001", None),
            ("50", None),
            ("$", None),
            ("$.5", None),
            ("$1.", None),
            ("$-1", None),
            ("$1e3", None),
            ("$99999999999999999", None),
        ];
        for (text, millionths) in amounts {
            assert_eq!(text.parse::<Usd>().ok().map(|usd| usd.0), millionths, "{text}");
        }
        for (text, expect) in rates {
            let have = text.parse::<Rate>().ok().map(|rate| (rate.count, rate.period.as_secs()));
            assert_eq!(have, expect, "{text}");
        }
    }

    #[test]
    fn references_never_repeat_what_might_be_a_secret() {
        assert_eq!("env:A_1".parse::<Reference>().map(|r| r.to_string()), Ok("env:A_1".to_owned()));
        for bad in ["Bearer hunter2", "env:", "env:1A", "env:A B", "A"] {
            let message = bad.parse::<Reference>().map_or_else(|error| error.to_string(), |_| String::new());
            assert!(message.starts_with("expected `env:NAME`"), "{bad}: {message}");
            assert!(!message.contains("hunter2"));
        }
        assert!(matches!("plain".parse::<Setting>(), Ok(Setting::Text(_))));
        assert!("env:9".parse::<Setting>().is_err());
    }

    #[test]
    fn templates_are_filled() {
        let lookup = |name: &str| match name {
            "DIR" => Some("/opt".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let rows = [
            ("plain", Ok("plain")),
            ("${DIR}/bin", Ok("/opt/bin")),
            ("a${DIR}b${DIR}", Ok("a/optb/opt")),
            ("${NO:-/tmp}/x", Ok("/tmp/x")),
            ("${EMPTY:-y}", Ok("y")),
            ("${NO:-}", Ok("")),
            ("cost: 5$$", Ok("cost: 5$")),
            ("${NO}", Err("NO")),
        ];
        for (text, expect) in rows {
            let template: Template = text.parse().unwrap_or(Template { parts: Vec::new() });
            assert_eq!(template.fill(lookup), expect.map(str::to_owned), "{text}");
        }
        for bad in ["$", "a$b", "${", "${}", "${a b}", "${1}"] {
            assert!(bad.parse::<Template>().is_err(), "{bad}");
        }
    }

    #[test]
    fn globs_match_whole_names() {
        let rows = [
            ("*", "", true),
            ("echo", "echo", true),
            ("echo", "echoes", false),
            ("get-*", "get-sum", true),
            ("*-sum", "get-sum", true),
            ("a*b*c", "axxbxxbc", true),
            ("a*b*c", "acb", false),
            ("?", "x", true),
            ("?", "", false),
            (r"\*", "*", true),
            (r"\*", "x", false),
            (r"a\\b", r"a\b", true),
            ("?", "ä", true),
            ("a?c*", "aäcß", true),
            (r"\[x\]", "[x]", true),
        ];
        for (glob, name, expect) in rows {
            assert_eq!(glob.parse::<Glob>().map(|glob| glob.matches(name)), Ok(expect), "{glob} {name}");
        }
        for bad in ["", r"a\", "a\nb", "[ab]", "{a,b}", "a]", &"x".repeat(257)] {
            assert!(bad.parse::<Glob>().is_err(), "{bad}");
        }
    }

    fn oracle(glob: &[u8], name: &[u8]) -> bool {
        match (glob, name) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=name.len()).any(|cut| oracle(rest, &name[cut..])),
            ([b'?', rest @ ..], [_, tail @ ..]) => oracle(rest, tail),
            ([b'\\', want, rest @ ..], [have, tail @ ..]) => want == have && oracle(rest, tail),
            ([want, rest @ ..], [have, tail @ ..]) => want == have && oracle(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn globs_agree_with_the_obvious_matcher(glob in r"[ab*?\\]{1,8}", name in r"[ab\\*]{0,10}") {
            if let Ok(compiled) = glob.parse::<Glob>() {
                prop_assert_eq!(compiled.matches(&name), oracle(glob.as_bytes(), name.as_bytes()));
            }
        }
    }
}
