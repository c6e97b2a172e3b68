//! The bounds of the data plane, with the reason for each.

use std::time::Duration;

/// Longest request head. LIMIT: tokens are at most 8 KiB; browsers and proxies stop at 8 to 16 KiB.
pub const HEAD_BYTES_MAX: usize = 32 << 10;

/// Most header lines of one request. LIMIT: real clients send 10 to 30.
pub const HEADERS_MAX: usize = 100;

/// Largest body of a governed request; larger ones get 413.
pub const BODY_BYTES_MAX: usize = wire::limits::MESSAGE_BYTES_MAX;

/// Largest JSON answer that is read whole before it is passed on; larger ones stream.
/// LIMIT: tool results are mostly below 64 KiB; a shard with 1,000 of these in flight holds 256 MiB at worst.
pub const REPLY_BUFFER_BYTES_MAX: usize = 256 << 10;

/// Largest `tools/list` answer, which has to be read whole to be filtered.
/// LIMIT: 1,000 tools with generous schemas.
pub const LISTING_BYTES_MAX: usize = 8 << 20;

/// Largest event of a server-sent stream. LIMIT: one JSON-RPC message with a picture in it.
pub const EVENT_BYTES_MAX: usize = 16 << 20;

/// Largest message of an upstream that is checked; larger ones are kept back.
/// LIMIT: the largest event; what is checked is held as a whole.
pub const RESULT_BYTES_MAX: usize = EVENT_BYTES_MAX;

/// How long a client may take to send a request's head.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// How long a client may take to send a request's body.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// How long a connection may stay idle between requests. LIMIT: longer than the keep-alive of common clients (60 s).
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(75);

/// How long connecting to an upstream may take.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// How long the rate limiter of another shard may take to answer. LIMIT: a thousand times what it needs.
pub const MESH_TIME_MAX: Duration = Duration::from_secs(2);

/// Places of the limiter that are looked at in one turn for a note of its state. LIMIT: some 100 µs.
pub const RATE_NOTE_PLACES: usize = 16_384;

/// Principals and addresses that one shard keeps shut out. LIMIT: some 300 bytes each; beyond it denials are recorded one by one.
pub const THROTTLED_MAX: usize = 4_096;

/// How often a row says how many calls of somebody were refused unread.
pub const THROTTLE_ROW_EVERY: Duration = Duration::from_secs(10);

/// Keys of a candidate's limits on one shard. LIMIT: 56 bytes each, reserved while a candidate is on trial.
pub const SHADOW_RATE_KEYS: usize = 1 << 16;

/// Principals that a candidate remembers on one shard. LIMIT: about 1 KB each.
pub const SHADOW_PRINCIPALS_MAX: usize = 8_192;

/// Connections one shard holds. LIMIT: 11.5 KB each; 16,384 are 190 MB.
pub const CONNECTIONS_MAX: usize = 16_384;

/// Idle connections kept to one upstream.
pub const UPSTREAM_IDLE_MAX: usize = 256;

/// How long an idle connection to an upstream is trusted. LIMIT: below the 5 s that Node's servers keep it.
pub const UPSTREAM_IDLE_TIME_MAX: Duration = Duration::from_secs(4);

/// Verified tokens that one shard remembers. LIMIT: about 1 KB each.
pub const TOKEN_CACHE_MAX: usize = 32_768;

/// Calls of one shard that wait for a person. LIMIT: more than people can read; each holds its message and a task.
pub const WAITING_MAX: usize = 1_024;

/// Calls of one principal on one shard that wait for a person. LIMIT: an agent that asks in a loop buries what others ask.
pub const WAITING_OF_ONE_MAX: usize = 32;

/// Bytes of the messages of all calls that wait on one shard. LIMIT: a shard's share of memory for what nobody may ever answer.
pub const WAITING_BYTES_MAX: usize = 64 << 20;

/// How much of the arguments an approver is shown. LIMIT: a screen or two.
pub const APPROVAL_PREVIEW_BYTES_MAX: usize = 4 << 10;

const _: () = assert!(WAITING_BYTES_MAX >= 4 * BODY_BYTES_MAX);
const _: () = assert!(HEAD_BYTES_MAX > wire::limits::TOKEN_BYTES_MAX * 2);
const _: () = assert!(REPLY_BUFFER_BYTES_MAX < LISTING_BYTES_MAX);
