//! What has to be done about what tools return, before it leaves: a part of the snapshot.

use rkyv::{Archive, Deserialize, Serialize};

/// Something that results are searched for.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[rkyv(derive(Debug, Clone, Copy, PartialEq, Eq))]
pub enum Class {
    /// Credentials, by the rules of the secret layer.
    Secrets,
    /// Orders to the model, in anything that a tool returns.
    Injection,
    /// Orders to the model in the names, descriptions and schemas of `tools/list`.
    Descriptions,
    /// Mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Numbers of payment cards; their check digit is right.
    Card,
    /// International bank account numbers; their check digits are right.
    Iban,
    /// Numbers that states give to people.
    NationalId,
}

/// What is done about a find. Ordered: the stronger wins.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[rkyv(derive(Debug, Clone, Copy, PartialEq, Eq))]
pub enum Duty {
    /// Not looked for.
    Off,
    /// What the rule that finds it says: only the rules of the secret layer have modes of their own.
    Ruled,
    /// Left as it is, and named in `_meta` of what the client gets.
    Tag,
    /// Taken out.
    Redact,
    /// The client gets an error instead; of a listing, the list without the tool.
    Deny,
}

impl Class {
    /// Every class, in the order of its declaration.
    pub const ALL: [Class; 8] = [
        Class::Secrets,
        Class::Injection,
        Class::Descriptions,
        Class::Email,
        Class::Phone,
        Class::Card,
        Class::Iban,
        Class::NationalId,
    ];

    /// The word in configuration, rows and tags.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Secrets => "secrets",
            Class::Injection => "injection",
            Class::Descriptions => "descriptions",
            Class::Email => "email",
            Class::Phone => "phone",
            Class::Card => "card",
            Class::Iban => "iban",
            Class::NationalId => "national_id",
        }
    }

    /// What is done about it where nothing is declared.
    pub const fn usual(self) -> Duty {
        match self {
            Class::Secrets => Duty::Ruled,
            Class::Injection | Class::Descriptions => Duty::Tag,
            Class::Email | Class::Phone | Class::Card | Class::Iban | Class::NationalId => Duty::Off,
        }
    }
}

/// The obligations on results.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// What is declared of each class; the others have their [`Class::usual`] duty.
    pub duties: Vec<(Class, Duty)>,
    /// Most bytes of one message; 0 where nothing is declared.
    pub bytes_max: u64,
    /// Where something else holds; the first that speaks of a class counts.
    pub exceptions: Vec<Exception>,
}

/// Other duties for some servers and tools.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Exception {
    /// Globs over server names; empty for all.
    pub servers: Vec<String>,
    /// Globs over tool names; empty for all, and for what is no tool call.
    pub tools: Vec<String>,
    /// Which classes; empty for all.
    pub classes: Vec<Class>,
    /// What is done about them there; nothing leaves it as it is.
    pub duty: Option<Duty>,
    /// Most bytes of one message there; 0 leaves it as it is.
    pub bytes_max: u64,
}
