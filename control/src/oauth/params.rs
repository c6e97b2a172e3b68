//! Parameters of a request, as OAuth has them: each at most once, but for the few that may be repeated; without a value
//! is as if it were not there (OAuth 2.1 section 3.1).

use super::refusal::{Code, Refusal};

/// LIMIT: bytes of all parameters; a token exchange carries two tokens.
pub const BYTES_MAX: usize = 64 << 10;

/// LIMIT: no request has more.
const COUNT_MAX: usize = 64;

/// LIMIT: resources of one request.
pub const RESOURCES_MAX: usize = 16;

/// What may be there more than once (RFC 8707 section 2, RFC 8693 section 2.1).
const REPEATABLE: &[&str] = &["resource", "audience"];

/// The parameters of one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query or a form.
    ///
    /// # Errors
    /// `invalid_request`: too many, too long, or one of them twice.
    pub fn parse(text: &str) -> Result<Params, Refusal> {
        let refuse = |why: &'static str| Refusal::new(Code::InvalidRequest, why);
        if text.len() > BYTES_MAX {
            return Err(refuse("the request is too long"));
        }
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if all.len() >= COUNT_MAX {
                return Err(refuse("the request has too many parameters"));
            }
            let is_there = all.iter().any(|(known, _)| *known == name);
            if is_there && !REPEATABLE.contains(&&*name) {
                return Err(Refusal::new(Code::InvalidRequest, format!("parameter `{}` is there twice", printable(&name))));
            }
            all.push((name.into_owned(), value.into_owned()));
        }
        let params = Params(all);
        let resources = params.all("resource").count().max(params.all("audience").count());
        if resources > RESOURCES_MAX { Err(refuse("the request names too many resources")) } else { Ok(params) }
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of one that may be repeated.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0.iter().filter(move |(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The value of one that must be there.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::new(Code::InvalidRequest, format!("`{name}` is missing")))
    }

    /// All of them, as they came.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// Without the named ones.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Params {
        Params(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Params {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As a query.
    pub fn to_query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// What of a foreign text may stand in an error's description (RFC 6749 section 5.2).
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).take(80).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn each_is_there_once() {
        let params = Params::parse("a=1&b=&resource=x&resource=y&c=%20+z").unwrap();
        assert_eq!(params.get("a"), Some("1"));
        assert_eq!(params.get("b"), None);
        assert_eq!(params.get("c"), Some("  z"));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["x", "y"]);
        assert!(params.need("d").is_err());
        for wrong in ["a=1&a=1", "client_id=x&client_id=y", "a=&a=1"] {
            assert_eq!(Params::parse(wrong).unwrap_err().code, Code::InvalidRequest, "{wrong}");
        }
        assert!(Params::parse(&"a&".repeat(100)).is_err());
        assert!(Params::parse(&"a".repeat(BYTES_MAX + 1)).is_err());
        assert!(Params::parse(&"resource=x&".repeat(RESOURCES_MAX + 1)).is_err());
    }
}
