//! Conditions on the arguments of a call as they are declared: what stands under `when` in a grant, in files, in the
//! snapshot and in the database. The data plane compiles and judges them.

use std::fmt;

/// One value or a list of them.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged, expecting = "expected a value or a list of values")]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several; any of them will do.
    Many(Vec<T>),
}

/// A value that arguments are compared with.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged, expecting = "expected text, a number, true or false")]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number beyond `i64`.
    Uint(u64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(String),
}

/// How long an argument may be: characters of a text, items of an array, members of an object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LengthSource {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// When calls may be made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSource {
    /// `09:00`; included.
    pub from: String,
    /// `17:30`; not included. Before `from`: on the next day.
    pub to: String,
    /// `mon` to `sun`; on which the window begins. Left out: every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<Day>>,
    /// `+02:00`. Left out: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_offset: Option<String>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "there is nothing to add to the names of the days")]
pub enum Day {
    Mon = 0,
    Tue = 1,
    Wed = 2,
    Thu = 3,
    Fri = 4,
    Sat = 5,
    Sun = 6,
}

/// Whether all of several values must pass, or one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// All of them; also where there are none.
    Every,
    /// At least one.
    Some,
}

macro_rules! source {
    ($($(#[$doc:meta])* $field:ident $word:literal: $type:ty,)*) => {
        /// One condition, as declared: `{arg: /path, within: /srv/data}`. Exactly one question is asked of `arg`, or it
        /// is one of `time`, `all`, `any` and `not`, which have no `arg`.
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct ConditionSource {
            /// A JSON pointer into the arguments; a step `*` is every item of an array.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub arg: Option<String>,
            /// With a `*` in `arg`: whether every item must pass (the default), or some.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub items: Option<Which>,
            $($(#[$doc])* #[serde(default, rename = $word, skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }

        impl ConditionSource {
            /// Every question there is.
            pub const QUESTIONS: &[&str] = &[$($word,)*];

            /// The questions that are asked.
            pub fn questions(&self) -> Vec<&'static str> {
                let mut asked = Vec::new();
                $(if self.$field.is_some() { asked.push($word); })*
                asked
            }
        }
    };
}

source! {
    /// Is this value. Another type cannot be judged.
    eq "eq": Scalar,
    /// Is another value of the same type.
    ne "ne": Scalar,
    /// Is a smaller number.
    lt "lt": Scalar,
    /// Is a number at most this.
    le "le": Scalar,
    /// Is a greater number.
    gt "gt": Scalar,
    /// Is a number at least this.
    ge "ge": Scalar,
    /// Is one of these values.
    one_of "in": Vec<Scalar>,
    /// Is none of these values, but has the type of one.
    not_in "not_in": Vec<Scalar>,
    /// Is a text that begins so.
    prefix "prefix": OneOrMany<String>,
    /// Is a text that ends so.
    suffix "suffix": OneOrMany<String>,
    /// Is a text that a glob covers.
    glob "glob": OneOrMany<String>,
    /// Is a path that lies in one of these folders, however it is written.
    within "within": OneOrMany<String>,
    /// Is a URL or host with one of these hosts; `*.example.com` is every name below.
    host "host": OneOrMany<String>,
    /// Is a URL or host whose host is an address in one of these networks.
    cidr "cidr": OneOrMany<String>,
    /// Is so long.
    length "length": LengthSource,
    /// Is of this type.
    is "is": Kind,
    /// Is there at all, or is not.
    exists "exists": bool,
    /// The call is made in this window of the day.
    time "time": TimeSource,
    /// All of these hold.
    all "all": Vec<ConditionSource>,
    /// One of these holds.
    any "any": Vec<ConditionSource>,
    /// This does not hold.
    not "not": Box<ConditionSource>,
}

/// The type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// Any number.
    Number,
    /// A number without a fraction.
    Integer,
    /// A text.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl ConditionSource {
    /// Whether this condition, or one within it, looks at an argument.
    pub fn looks_at_arguments(&self) -> bool {
        let within = self.all.iter().flatten().chain(self.any.iter().flatten()).chain(self.not.as_deref());
        self.arg.is_some() || within.into_iter().any(ConditionSource::looks_at_arguments)
    }
}

impl fmt::Display for ConditionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}
