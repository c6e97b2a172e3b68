//! Cedar policies as grants: a documented subset is translated, everything else refused with its place and the reason.
//! Nothing is half understood: what is written comes out as policies that give no more, and take no less, than Cedar does.
//!
//! | Cedar | becomes |
//! |---|---|
//! | `@id("x") permit (…);`, `forbid` | a grant `x` that allows, denies |
//! | `principal == User::"ann"`, `== Agent::"coder"`, `in Role::"dev"`, `in Department::"eng"`, `in Tenant::"acme"` | `subjects` |
//! | `action == Action::"tools/call"`, `action in [Action::"…", …]` | `methods` |
//! | `resource == Tool::"files__read"`, `in Server::"files"`, `is Tool`, `is Tool in Server::"files"` | `servers` and `tools` |
//! | `when { … }`, `unless { … }` over `context.arguments` | `when` |
//! | in a `when`: `principal in Role::"dev" && …`, `principal.department == "eng"`, `["a"].contains(principal.tenant)` | `subjects` |
//!
//! Expressions may use `&&`, `||`, `!`, `==`, `!=`, `<`, `<=`, `>`, `>=`, `has`, `like`, `.contains`, `.containsAny`,
//! `.containsAll`, `.isEmpty` and `ip(…).isInRange(ip("…"))`. Where Cedar skips a policy whose evaluation fails, and so
//! lets a `forbid` pass, the grant denies.

mod condition;
mod lex;
mod parse;
#[cfg(test)]
mod tests;
mod translate;

/// LIMIT: bytes of one file, as of one file of `services/`.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// What cannot be translated, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct CedarProblem {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What it is, and what to write instead.
    pub message: String,
}

/// Translates a set of policies into the text of a file for `services/access/`.
///
/// # Errors
/// The first thing that is not Cedar or not of the subset. Nothing of the file is translated then.
pub fn translate(text: &str) -> Result<String, CedarProblem> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the file is larger than {} MiB; split it", TEXT_BYTES_MAX >> 20);
        return Err(CedarProblem { line: 1, column: 1, message });
    }
    let tokens = lex::tokens(text)?;
    let policies = parse::policies(&tokens)?;
    translate::access_file(&policies)
}
