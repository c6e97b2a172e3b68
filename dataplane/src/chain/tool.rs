//! Tools as rules name them: by a glob over the tool's own name, or over `server__tool`, which speaks of that server's
//! tools alone.
//!
//! Lives in a compiled policy and is shared by all shards. Pure.

use wire::tool_name::split_prefixed;

use super::glob::{Glob, GlobError};

/// A glob over tools.
#[derive(Debug, Clone)]
pub struct ToolGlob {
    /// Whose tools alone are meant.
    server: Option<Box<str>>,
    glob: Glob,
}

impl ToolGlob {
    /// Compiles a glob; `is_server` knows the names that may stand before `__`.
    ///
    /// # Errors
    /// [`GlobError`] says what is wrong and how to write it.
    pub fn compile(text: &str, is_server: impl Fn(&str) -> bool) -> Result<ToolGlob, GlobError> {
        let (server, tool) = split_prefixed(text, is_server).map_or((None, text), |(server, tool)| (Some(server), tool));
        Ok(ToolGlob { server: server.map(Box::from), glob: Glob::compile(tool)? })
    }

    /// Whether any tool of the server may be meant.
    pub fn speaks_of(&self, server: &str) -> bool {
        self.server.as_deref().is_none_or(|only| only == server)
    }

    /// Whether a tool of a server is meant.
    pub fn matches(&self, server: &str, tool: &str) -> bool {
        self.speaks_of(server) && self.glob.matches(tool)
    }

    /// The glob over the tool's own name.
    pub fn glob(&self) -> &Glob {
        &self.glob
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_tool_has_two_names() {
        let is_server = |name: &str| matches!(name, "files" | "git");
        for (glob, server, tool, expect) in [
            ("read", "files", "read", true),
            ("read", "git", "read", true),
            ("files__read", "files", "read", true),
            ("files__read", "git", "read", false),
            // A foreign server gains nothing by giving its tool the name of another's.
            ("files__read", "git", "files__read", false),
            ("files__files__read", "files", "files__read", true),
            ("files__*", "files", "anything", true),
            ("files__*", "git", "anything", false),
            ("*", "git", "files__read", true),
            ("other__read", "git", "other__read", true),
            ("other__read", "other", "read", false),
            ("*__read", "git", "x__read", true),
            ("*__read", "files", "read", false),
        ] {
            assert_eq!(ToolGlob::compile(glob, is_server).unwrap().matches(server, tool), expect, "{glob} {server} {tool}");
        }
        assert!(ToolGlob::compile("files__", is_server).unwrap().matches("git", "files__"));
    }
}
