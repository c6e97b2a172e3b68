//! Every bound of the supervisor in one place, each with the reason for its size.
//!
//! What an operator may tune lives in [`super::StdioServer`]; what protects this process from a child or a client
//! whatever the configuration says lives here.

use std::time::Duration;

/// LIMIT: a `tools/call` that carries more than this is a file upload; the data plane refuses it earlier.
pub(super) const REQUEST_BYTES_MAX: usize = 4 << 20;

/// LIMIT: a client behind a Unix socket sends its body at once; what takes longer is stuck.
pub(super) const REQUEST_BODY_WAIT: Duration = Duration::from_secs(30);

/// LIMIT: for the next request head, so also how long a connection may be idle; longer than any client keeps one.
pub(super) const REQUEST_HEAD_WAIT: Duration = Duration::from_secs(120);

/// LIMIT: one connection per running call and per GET stream; the shards keep a few idle ones.
pub(super) const CONNECTIONS_MAX: usize = 8192;

/// LIMIT: calls of one session that wait for their answer, those given up but unanswered included.
pub(super) const CALLS_PER_SESSION_MAX: usize = 256;

/// LIMIT: calls a child may leave unanswered after their time before it counts as stuck and its session ends.
pub(super) const UNANSWERED_MAX: usize = 32;

/// LIMIT: questions (elicitation, sampling, roots) a child may have open with its client.
pub(super) const QUESTIONS_PER_SESSION_MAX: usize = 64;

/// LIMIT: messages between the reader of a child and one HTTP stream; when full, the child is not read.
pub(super) const STREAM_QUEUE: usize = 16;

/// LIMIT: messages on their way to a child; small because each may be [`REQUEST_BYTES_MAX`] long.
pub(super) const STDIN_QUEUE: usize = 4;

/// LIMIT: events kept for `Last-Event-ID` on one stream.
pub(super) const REPLAY_EVENTS_MAX: usize = 256;

/// LIMIT: bytes kept for `Last-Event-ID` on one stream; the newest event is kept whatever its size.
pub(super) const REPLAY_BYTES_MAX: usize = 1 << 20;

/// LIMIT: finished streams a client may still come back for.
pub(super) const FINISHED_STREAMS_MAX: usize = 16;

/// LIMIT: a client that takes nothing for this long loses the stream (it can resume), so that it cannot
/// hold up the other calls of its session for ever.
pub(super) const STREAM_STALL: Duration = Duration::from_secs(30);

/// LIMIT: an answer that comes first and within this time is sent as plain JSON, later ones as an event stream.
pub(super) const JSON_ANSWER_WITHIN: Duration = Duration::from_millis(50);

/// LIMIT: silence on an event stream before a comment is sent, well under the 60 s after which proxies give up.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Units: milliseconds. What clients are told to wait before they resume a stream.
pub(super) const RETRY_MS: u64 = 1000;

/// LIMIT: lines of a child that are no JSON-RPC before it is taken for something else than an MCP server.
pub(super) const JUNK_LINES_MAX: u32 = 1000;

/// LIMIT: junk lines that are logged word for word; the rest is only counted.
pub(super) const JUNK_LINES_LOGGED: u32 = 10;

/// LIMIT: characters of a child's line that reach the log.
pub(super) const LOGGED_CHARS: usize = 300;

/// LIMIT: a stderr line is cut here.
pub(super) const STDERR_LINE_BYTES_MAX: usize = 8 << 10;

/// LIMIT: stderr lines per second that reach the log; the rest is counted.
pub(super) const STDERR_LINES_PER_SECOND: u32 = 50;

/// LIMIT: what a child still has in its pipe may be read for this long after it died.
pub(super) const DRAIN_AFTER_EXIT: Duration = Duration::from_millis(500);

/// LIMIT: pages of `tools/list` followed; a cursor that never ends is a fault of the server.
pub(super) const TOOL_PAGES_MAX: usize = 100;

/// LIMIT: tools of one server.
pub(super) const TOOLS_MAX: usize = 4096;

/// LIMIT: bytes of all tool definitions of one server.
pub(super) const TOOL_BYTES_MAX: usize = 8 << 20;

/// LIMIT: answers to discovery over HTTP.
pub(super) const DISCOVERY_BODY_BYTES_MAX: usize = 8 << 20;

/// LIMIT: list-changed notifications start at most one discovery in this time.
pub(super) const REDISCOVER_EVERY: Duration = Duration::from_secs(1);

/// LIMIT: a path of a Unix socket holds 107 bytes and a zero on Linux.
pub(super) const SOCKET_PATH_BYTES_MAX: usize = 107;

/// LIMIT: the name of a server is part of a file name, a URL and a tool prefix.
pub(super) const NAME_BYTES_MAX: usize = 64;

const _: () = assert!(REPLAY_EVENTS_MAX > STREAM_QUEUE, "what is queued must still be replayable");
const _: () = assert!(DISCOVERY_BODY_BYTES_MAX >= TOOL_BYTES_MAX, "a full tool list must fit an answer");
const _: () = assert!(UNANSWERED_MAX < CALLS_PER_SESSION_MAX, "a stuck child is noticed before its session is full");
