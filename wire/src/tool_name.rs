//! The two names of a tool: its own on its server (`read_file`), and the one that says whose it is (`files__read_file`).
//! Claude Code puts `mcp__` before the second.
//!
//! INVARIANT: the name of a server neither holds `__` nor ends with `_`, so the first `__` is where a name falls apart.

/// What stands between server and tool.
pub const SEPARATOR: &str = "__";

/// What Claude Code calls a tool of an MCP server by.
const HOST_PREFIX: &str = "mcp__";

/// Server and tool of a prefixed name, if what stands before the first `__` is the name of a server. A tool may have
/// `__` in its own name: it is then not split unless its beginning happens to be a server's name, and rules can address
/// it without doubt by its prefixed name. The tool's part may be a glob.
pub fn split_prefixed(name: &str, is_server: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
    let (server, tool) = name.split_once(SEPARATOR)?;
    (!tool.is_empty() && is_server(server)).then_some((server, tool))
}

/// Server and tool of what Claude Code calls a tool: `mcp__server__tool`.
pub fn split_host(name: &str, is_server: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
    split_prefixed(name.strip_prefix(HOST_PREFIX)?, is_server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_falls_apart_at_the_first_separator_after_a_server() {
        let is_server = |name: &str| matches!(name, "files" | "my_git");
        for (name, expect) in [
            ("files__read", Some(("files", "read"))),
            ("files__read__all", Some(("files", "read__all"))),
            ("files___read", Some(("files", "_read"))),
            ("my_git__*", Some(("my_git", "*"))),
            ("other__read", None),
            ("read", None),
            ("files__", None),
            ("__read", None),
            ("files_read", None),
            ("Files__read", None),
        ] {
            assert_eq!(split_prefixed(name, is_server), expect, "{name}");
            assert_eq!(split_host(&format!("mcp__{name}"), is_server), expect, "{name}");
            assert_eq!(split_host(name, is_server), None, "{name}");
        }
    }
}
