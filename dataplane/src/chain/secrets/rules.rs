//! The built-in pack, as data: what each provider's credentials look like, and the words that lead to them.
//!
//! *Lives on* nothing: constants, compiled by the control plane. The shapes are facts from the providers'
//! own documentation. To add a provider, add a row to the file of its family; a row's words must each stand
//! in every secret (`token`, `run`) or name the provider (`named`, `near`).

mod ai;
mod cloud;
mod code;
mod commerce;
mod content;
mod messaging;
mod operations;
mod prefixed;
mod services;
pub(super) mod vendors;

/// How a shape relates to its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The secret begins with the word.
    Token,
    /// The word stands somewhere in the secret.
    Run,
    /// The word names the provider; the secret is what is assigned to the name.
    Named,
    /// The secret stands near the word, within [`NEAR`] bytes either side.
    Near,
    /// The match begins with the word and ends with the secret.
    Tail,
}

/// LIMIT: how far from a provider's name its secret is looked for.
pub(super) const NEAR: usize = 140;

/// One row of the pack.
#[derive(Debug)]
pub(super) struct Builtin {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) words: &'static [&'static str],
    pub(super) shape: &'static str,
    pub(super) how: How,
    pub(super) entropy: f32,
    pub(super) stop: &'static [&'static str],
}

const fn row(id: &'static str, name: &'static str, words: &'static [&'static str], shape: &'static str, how: How) -> Builtin {
    Builtin { id, name, words, shape, how, entropy: 0.0, stop: &[] }
}

const fn token(id: &'static str, name: &'static str, words: &'static [&'static str], shape: &'static str) -> Builtin {
    row(id, name, words, shape, How::Token)
}

const fn run(id: &'static str, name: &'static str, words: &'static [&'static str], shape: &'static str) -> Builtin {
    row(id, name, words, shape, How::Run)
}

const fn named(id: &'static str, name: &'static str, words: &'static [&'static str], shape: &'static str) -> Builtin {
    row(id, name, words, shape, How::Named)
}

const fn near(id: &'static str, name: &'static str, words: &'static [&'static str], shape: &'static str) -> Builtin {
    row(id, name, words, shape, How::Near)
}

const fn tail(id: &'static str, name: &'static str, words: &'static [&'static str], shape: &'static str) -> Builtin {
    row(id, name, words, shape, How::Tail)
}

impl Builtin {
    /// Only values at least this random count (bits per byte). For `named` rows: below 0, whatever is assigned
    /// counts; from 2.8 on the shape says little, so the name must promise a secret and the value look random.
    const fn entropy(mut self, bits: f32) -> Builtin {
        self.entropy = bits;
        self
    }

    /// Values that contain one of these are the provider's own examples.
    const fn except(mut self, stop: &'static [&'static str]) -> Builtin {
        self.stop = stop;
        self
    }
}

const HEX32: &str = "[0-9a-fA-F]{32}";
const HEX40: &str = "[0-9a-fA-F]{40}";
const HEX64: &str = "[0-9a-fA-F]{64}";
const UUID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
const WORD16: &str = "[0-9A-Za-z]{16}";
const WORD20: &str = "[0-9A-Za-z]{20}";
const WORD24: &str = "[0-9A-Za-z]{24}";
const WORD32: &str = "[0-9A-Za-z]{32}";
const WORD40: &str = "[0-9A-Za-z]{40}";
const WORD64: &str = "[0-9A-Za-z]{64}";

/// Every row of every family.
pub(super) fn all() -> impl Iterator<Item = &'static Builtin> {
    [
        ai::RULES,
        cloud::RULES,
        code::RULES,
        commerce::RULES,
        content::RULES,
        messaging::RULES,
        operations::RULES,
        services::RULES,
        prefixed::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The hand-written rules, in the order of their indexes.
pub(super) const CONTEXT_RULES: &[(&str, &str)] = &[
    ("generic-password", "a password by its name"),
    ("generic-secret", "a random value under the name of a secret, token or key"),
    ("url-credentials", "a user name and password in a URL"),
    ("http-basic", "HTTP basic credentials"),
    ("http-bearer", "an HTTP bearer token"),
    ("private-key", "a private key in PEM"),
];

/// Which hand-written rule a word leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Assignment,
    Url,
    Basic,
    Bearer,
    PrivateKey,
    /// Not a rule: a literal that is put together from parts.
    Joint,
}

impl Context {
    /// The rule that [`CONTEXT_RULES`] has for it; assignments choose between the first two.
    pub(super) const fn rule(self) -> u32 {
        match self {
            Context::Assignment => GENERIC_SECRET,
            Context::Url => 2,
            Context::Basic => 3,
            Context::Bearer => 4,
            Context::PrivateKey => 5,
            Context::Joint => u32::MAX,
        }
    }
}

pub(super) const GENERIC_PASSWORD: u32 = 0;
pub(super) const GENERIC_SECRET: u32 = 1;

/// Words of the context rules, matched in any case.
pub(super) const CONTEXT_WORDS: &[(&str, Context)] = &[
    ("pass", Context::Assignment),
    ("pwd", Context::Assignment),
    ("secret", Context::Assignment),
    ("token", Context::Assignment),
    ("key", Context::Assignment),
    ("auth", Context::Assignment),
    ("credential", Context::Assignment),
    ("psk", Context::Assignment),
    ("://", Context::Url),
    ("basic ", Context::Basic),
    ("bearer ", Context::Bearer),
    ("private key", Context::PrivateKey),
    ("\" +", Context::Joint),
    ("' +", Context::Joint),
    ("\"+\"", Context::Joint),
    ("'+'", Context::Joint),
    ("\" .", Context::Joint),
    ("' .", Context::Joint),
    ("\".\"", Context::Joint),
    ("'.'", Context::Joint),
    ("\" &", Context::Joint),
    ("\"&\"", Context::Joint),
    ("\" ~", Context::Joint),
    ("\" ||", Context::Joint),
    ("' ||", Context::Joint),
    ("\" <<", Context::Joint),
    ("\" \\", Context::Joint),
    ("' \\", Context::Joint),
    ("\"\n ", Context::Joint),
    ("'\n ", Context::Joint),
    ("\"\n\"", Context::Joint),
    ("'\n'", Context::Joint),
    ("\"\n\t", Context::Joint),
    ("` +", Context::Joint),
];
