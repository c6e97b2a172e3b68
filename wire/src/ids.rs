//! The one list of identifier kinds. Each is a newtype, so that a user can never be passed where a session is meant.

use std::fmt;
use std::str::FromStr;

use crate::limits::ID_BYTES_MAX;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("a {0} must not be empty")]
    Empty(&'static str),
    /// More than [`ID_BYTES_MAX`] bytes.
    #[error("a {0} must have at most {ID_BYTES_MAX} bytes")]
    TooLong(&'static str),
    /// Control characters or white space at an end.
    #[error("a {0} must not contain control characters or begin or end with white space")]
    Unprintable(&'static str),
    /// The text breaks the kind's own rule.
    #[error("`{text}` is not a {kind}: {expected}")]
    Shape {
        /// The kind of identifier.
        kind: &'static str,
        /// What was given.
        text: String,
        /// What would have been accepted.
        expected: &'static str,
    },
}

fn check(kind: &'static str, text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty(kind));
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong(kind));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(IdError::Unprintable(kind));
    }
    Ok(())
}

fn shape(kind: &'static str, text: &str, expected: &'static str, ok: bool) -> Result<(), IdError> {
    if ok { Ok(()) } else { Err(IdError::Shape { kind, text: text.to_owned(), expected }) }
}

/// A name that may stand in a path or a file name without quoting.
fn is_slug(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident $kind:literal $(where $expected:expr => $rule:expr)?;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text, as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check($kind, text)?;
                $(let rule: fn(&str) -> bool = $rule; shape($kind, text, $expected, rule(text))?;)?
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

const SLUG: &str = "use lower-case letters, digits, `-`, `_` and `.`, beginning with a letter or digit";

text_ids! {
    /// A person or a machine account: the subject of a token.
    UserId "user id";
    /// A log-in of one principal, ended as a whole.
    SessionId "session id";
    /// A conversation that several calls belong to.
    ContextId "context id";
    /// An agent-to-agent task.
    TaskId "task id";
    /// An agent that acts for a principal.
    AgentId "agent id";
    /// An organisation.
    TenantId "tenant id";
    /// A department of a tenant.
    DepartmentId "department id";
    /// A registered MCP server.
    McpServerId "mcp server name" where SLUG => is_slug;
    /// One execution of a tool on an MCP server.
    McpExecutionId "mcp execution id";
    /// A request to an AI provider.
    AiRequestId "ai request id";
    /// A plugin.
    PluginId "plugin id" where SLUG => is_slug;
    /// A skill.
    SkillId "skill id" where SLUG => is_slug;
    /// Something that a tool or an agent produced.
    ArtifactId "artifact id";
    /// A stored file.
    FileId "file id";
    /// A piece of content.
    ContentId "content id";
    /// A message of a conversation.
    MessageId "message id";
    /// The `jti` of a token.
    TokenId "token id";
    /// An OAuth client.
    ClientId "client id";
    /// A role: a named bundle of scopes.
    RoleName "role name" where SLUG => is_slug;
    /// A rule of a grant, limit, secret or block list.
    RuleId "rule id";
    /// A scope as OAuth writes it.
    ScopeName "scope" where "scopes are visible ASCII without space, `\"` and `\\` (RFC 6749 section 3.3)" => |text| {
        text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
    };
    /// The public part of an API key.
    ApiKeyId "api key id" where "expected 16 lower-case hex digits" => |text| {
        text.len() == crate::api_key::ID_DIGITS && crate::api_key::is_hex(text)
    };
    /// A profile of the operator's command.
    ProfileName "profile name" where SLUG => is_slug;
    /// A mail address.
    Email "e-mail address" where "expected `name@host`" => |text| {
        text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(char::is_whitespace)
        })
    };
    /// A path below a root: relative, without `..`.
    RelativePath "file path" where "expected a relative path without `..` or a NUL" => |text| {
        !text.starts_with('/') && !text.contains('\\') && text.split('/').all(|part| !part.is_empty() && part != ".." && part != ".")
    };
}

macro_rules! index_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into the snapshot's table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

index_ids! {
    /// A server's place in the snapshot.
    ServerIx;
    /// A tool's place in the snapshot.
    ToolIx;
    /// A grant's place in the snapshot.
    GrantIx;
    /// A limit's place in the snapshot.
    LimitIx;
}

/// Links everything that one request caused: 16 bytes, as W3C Trace Context has them; printed as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub [u8; 16]);

/// One governed call: unique, made by the gateway and never taken from a client.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub [u8; 16]);

/// One data directory, so that two processes on one database never mix their streams.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub [u8; 16]);

macro_rules! hex_ids {
    ($($name:ident $kind:literal;)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            /// Takes 32 hex digits; hyphens between them are allowed, as in a UUID.
            fn from_str(text: &str) -> Result<Self, IdError> {
                let refused = || IdError::Shape { kind: $kind, text: text.to_owned(), expected: "expected 32 hex digits" };
                if text.len() > 36 {
                    return Err(refused());
                }
                let digits: arrayvec::ArrayVec<u8, 36> = text.bytes().filter(|b| *b != b'-').collect();
                if digits.len() != 32 {
                    return Err(refused());
                }
                let mut bytes = [0; 16];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    let high = char::from(pair[0]).to_digit(16).ok_or_else(refused)?;
                    let low = char::from(pair[1]).to_digit(16).ok_or_else(refused)?;
                    *byte = (high * 16 + low) as u8;
                }
                Ok(Self(bytes))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

hex_ids! {
    TraceId "trace id";
    CallId "call id";
    NodeId "node id";
}

/// A record's place in its shard's stream: the first is 1 and there are no gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub struct SeqNo(pub u64);

/// Money in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub struct MicroUsd(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_their_rules() {
        for (ok, text) in
            [(true, "files"), (true, "a-b_c.2"), (false, ""), (false, "A"), (false, "-a"), (false, "a b"), (false, "ä")]
        {
            assert_eq!(text.parse::<McpServerId>().is_ok(), ok, "{text}");
        }
        for (ok, text) in [(true, "a/b.txt"), (false, "/a"), (false, "a/../b"), (false, "a//b"), (false, "a\\b")] {
            assert_eq!(text.parse::<RelativePath>().is_ok(), ok, "{text}");
        }
        for (ok, text) in [(true, "a@b.example"), (false, "a"), (false, "@b.c"), (false, "a@b"), (false, "a b@c.d")] {
            assert_eq!(text.parse::<Email>().is_ok(), ok, "{text}");
        }
        assert_eq!("x".repeat(ID_BYTES_MAX + 1).parse::<UserId>(), Err(IdError::TooLong("user id")));
        assert_eq!("a\nb".parse::<UserId>(), Err(IdError::Unprintable("user id")));
    }

    #[test]
    fn hex_ids_print_what_they_parse() {
        let text = "0123456789abcdef0123456789abcdef";
        assert_eq!(text.parse::<TraceId>().map(|id| id.to_string()), Ok(text.to_owned()));
        assert!("01234567-89ab-cdef-0123-456789abcdef".parse::<TraceId>().is_ok());
        for bad in ["", "0", "0123456789abcdef0123456789abcdeg", "0123456789abcdef0123456789abcdef0"] {
            assert!(bad.parse::<TraceId>().is_err(), "{bad}");
        }
    }
}
