//! The bounds of every format in this crate, with the reason for each and the arithmetic that ties them together.

/// Longest identifier, in bytes. LIMIT: fits a UUID, a mail address or a host name with room; keeps audit rows small.
pub const ID_BYTES_MAX: usize = 256;

/// Largest JSON-RPC message that is read for a decision. LIMIT: file contents travel in arguments; more than this is
/// not a tool call but an upload.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// Deepest nesting of a JSON-RPC message. LIMIT: real arguments stay below 20; walkers keep fixed stacks of this size.
pub const JSON_DEPTH_MAX: usize = 128;

/// Longest tool, server or method name, in bytes. LIMIT: the MCP specification recommends at most 128 for tools.
pub const NAME_BYTES_MAX: usize = 256;

/// Longest access token, in bytes. LIMIT: many proxies stop at 8 KiB of one header.
pub const TOKEN_BYTES_MAX: usize = 8 << 10;

/// Longest free text in a record (previews, messages, details), in bytes. LIMIT: the journal carries facts, not bodies.
pub const RECORD_TEXT_BYTES_MAX: usize = 4 << 10;

/// Largest frame in a journal segment. LIMIT: some 30 texts, most of them short, with room for four long ones.
pub const FRAME_BYTES_MAX: usize = 64 << 10;

/// Most scopes that one authorization request may ask for, and so that a challenge may name. LIMIT: real servers ask for a few.
pub const SCOPES_MAX: usize = 64;

/// Most rate cells that one decision may change. LIMIT: one per limit that can apply to one call.
pub const RATE_CELLS_MAX: usize = 32;

const _: () = assert!(ID_BYTES_MAX * 20 + RECORD_TEXT_BYTES_MAX * 4 + RATE_CELLS_MAX * 32 < FRAME_BYTES_MAX);
