//! Goes through the tape of a call's arguments and hands out each string with the role of its key.
//!
//! Lives on one shard; its stack is kept in the shard's scratch, so that a walk allocates only when
//! arguments are nested deeper than any before.

use std::fmt::Write;

use simd_json::{Node, StaticNode};

use super::operation::{self, Name};
use super::role::{self, Role};
use super::{to_usize, written};

/// Marks the absence of a node.
pub(super) const NO_NODE: u32 = u32::MAX;

/// How many objects may stand around what is asked for, and how many members may stand beside it. LIMIT: what is deeper, or
/// one of more, describes calls: the interface of a service, a schema.
const NEAR: usize = 2;
const FEW: usize = 8;

#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    remaining: usize,
    object: bool,
    /// What it says is to be done, and not what was or could be.
    is_call: bool,
    role: Role,
    key: u32,
    index: usize,
    pointer_len: usize,
    /// A string under a command key, and the words or text that belong to it.
    command: u32,
    argv: u32,
    /// Where a request would go, and whether it would delete.
    url: u32,
    deletes: bool,
    /// The object itself, and what it says is to be done.
    start: u32,
    operation: u32,
    /// That is a deletion by its name.
    is_deletion: bool,
    /// The file that is meant, and what would be written into it.
    path: u32,
    content: u32,
}

impl Frame {
    /// Remembers what is judged together with other members.
    fn note(&mut self, (key, name): (u32, &str), role: Role, value: &Node<'_>, node: u32) {
        self.note_operation((key, name), value, node);
        match (role, value) {
            // `{"git":["push","--force"]}`: the member is the program.
            (_, Node::Array { .. }) if self.command == NO_NODE && is_program(name) => {
                self.command = key;
                self.argv = node;
            }
            (Role::Command, Node::String(_)) => self.command = node,
            (Role::Url, Node::String(_)) => self.url = node,
            (_, Node::String(text)) if text.starts_with('/') && matches!(name, "route" | "resource") => self.url = node,
            (Role::Path, Node::String(_)) if self.path == NO_NODE => self.path = node,
            (Role::Content, Node::String(_)) if written::is_content(name) => self.content = node,
            (_, Node::String(method)) if method.eq_ignore_ascii_case("delete") && operation::is_request_method(name) => {
                self.deletes = true;
            }
            (_, Node::String(_)) if self.command == NO_NODE && name == "tool" => self.command = node,
            (Role::Argv, Node::String(_)) | (Role::Argv | Role::Command, Node::Array { .. }) => self.argv = node,
            _ => {}
        }
    }

    /// Remembers what the object says is to be done: the value of a member, or the member itself.
    fn note_operation(&mut self, (key, name): (u32, &str), value: &Node<'_>, node: u32) {
        let is_unsaid = self.operation == NO_NODE;
        match value {
            Node::String(text) if name == "state" && is_unsaid && operation::may_name(text) => self.operation = node,
            Node::Static(StaticNode::Bool(false)) if is_unsaid && operation::is_protection(name) => self.operation = key,
            Node::Object { .. } | Node::Array { .. } if is_unsaid && operation::is_lifecycle(name) => self.operation = key,
            _ if self.is_call => self.note_call((key, &Name::of(name)), value, node),
            _ => {}
        }
    }

    /// The same for an object that may be a call.
    fn note_call(&mut self, (key, name): (u32, &Name<'_>), value: &Node<'_>, node: u32) {
        let is_unsaid = self.operation == NO_NODE;
        match value {
            // `{"operator":"DeleteNamespace"}`: whatever the member is called, none says better what is to be done.
            Node::String(text) if operation::takes_kept(text) && name.may_hold_operation() => {
                (self.operation, self.is_deletion) = (node, true);
            }
            Node::String(text) if self.is_said_best(name) && operation::may_name(text) && name.is_operation() => {
                (self.operation, self.is_deletion) = (node, Name::of(text).is_deletion());
            }
            // `{"cosmos":{"deleteDatabase":"orders"}}`
            Node::String(text) if is_unsaid && !text.is_empty() && name.takes_kept() => self.operation = key,
            Node::Array { len: 2.., .. } if is_unsaid && name.is_verb() => self.operation = key,
            // `{"dropDatabase":1}`, `{"delete_zone":true}`, `{"delete_jobs":"all"}`, `{"delete_branches":["main"]}`.
            _ if is_unsaid && is_all(value) && name.is_switch() => self.operation = key,
            _ => {}
        }
    }

    /// Whether nothing so far says better what is to be done than a member of this name.
    fn is_said_best(&self, name: &Name<'_>) -> bool {
        self.operation == NO_NODE || !name.says_weakly() && !self.is_deletion
    }

    /// What is to be looked at once all members are known, one after the other.
    fn whole(&mut self) -> Option<Visit> {
        let take = |node: &mut u32| Some(std::mem::replace(node, NO_NODE)).filter(|node| *node != NO_NODE);
        if let Some(argv) = take(&mut self.argv) {
            return Some(Visit::Argv { command: self.command, argv });
        }
        if !self.object {
            return None;
        }
        if let Some(operation) = take(&mut self.operation) {
            return Some(Visit::Operation { object: self.start, operation });
        }
        if self.path != NO_NODE
            && let Some(content) = take(&mut self.content)
        {
            return Some(Visit::Write { path: self.path, content });
        }
        if !self.deletes {
            return None;
        }
        // `{"method":"DELETE","path":"/_all"}`: the host is the tool's, or stands beside it.
        take(&mut self.url).or_else(|| take(&mut self.path)).map(|url| Visit::Delete { url })
    }
}

/// One thing to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// The string at `node`.
    Value { node: u32, key: u32, role: Role },
    /// A command given in pieces: a string (or `NO_NODE`) and the node of its words.
    Argv { command: u32, argv: u32 },
    /// A request that deletes what the string at `url` names.
    Delete { url: u32 },
    /// A file and what would be written into it.
    Write { path: u32, content: u32 },
    /// An object and the string in it that says what is to be done.
    Operation { object: u32, operation: u32 },
}

/// The state of one walk.
pub(super) struct Walk<'s> {
    frames: &'s mut Vec<Frame>,
    /// The pointer of the current value, kept only when asked for.
    pointer: Option<&'s mut String>,
    tool: &'s str,
    /// What the tool's name says of values whose own names say nothing; worked out for the first of them.
    base: Option<Role>,
    at: usize,
}

impl<'s> Walk<'s> {
    pub(super) fn new(frames: &'s mut Vec<Frame>, mut pointer: Option<&'s mut String>, tool: &'s str) -> Self {
        frames.clear();
        if let Some(pointer) = pointer.as_deref_mut() {
            pointer.clear();
        }
        Self { frames, pointer, tool, base: None, at: 0 }
    }

    /// The pointer of the value that was handed out last; empty if pointers are not kept.
    pub(super) fn pointer(&self) -> &str {
        self.pointer.as_deref().map_or("", String::as_str)
    }

    fn base(&mut self) -> Role {
        *self.base.get_or_insert_with(|| role::of_tool(self.tool))
    }

    pub(super) fn next(&mut self, nodes: &[Node<'_>]) -> Option<Visit> {
        loop {
            // The members of an object have roles of their own.
            let mut role = Role::Neutral;
            let mut key = NO_NODE;
            let mut in_object = false;
            if let Some(frame) = self.frames.last_mut() {
                if frame.remaining == 0 {
                    if let Some(visit) = frame.whole() {
                        return Some(visit);
                    }
                    self.frames.pop();
                    continue;
                }
                frame.remaining -= 1;
                role = frame.role;
                key = frame.key;
                in_object = frame.object;
                let index = frame.index;
                frame.index += 1;
                if let Some(pointer) = self.pointer.as_deref_mut() {
                    pointer.truncate(frame.pointer_len);
                    if !in_object {
                        // Writing to a string cannot fail.
                        let _ = write!(pointer, "/{index}");
                    }
                }
            } else if self.at > 0 {
                return None;
            } else if !matches!(nodes.first(), Some(Node::Object { .. })) {
                role = self.base();
            }
            if in_object {
                let Some(Node::String(name)) = nodes.get(self.at) else { return None };
                key = u32::try_from(self.at).unwrap_or(NO_NODE);
                // What is no text and holds none needs no role.
                if !matches!(nodes.get(self.at + 1), Some(Node::Static(_))) {
                    role = role::of_key(name).unwrap_or_else(|| self.base());
                }
                if let Some(pointer) = self.pointer.as_deref_mut() {
                    push_segment(pointer, name);
                }
                self.at += 1;
            }
            let node = u32::try_from(self.at).unwrap_or(NO_NODE);
            let value = nodes.get(self.at)?;
            self.at += 1;
            if in_object && let Some(frame) = self.frames.last_mut() {
                frame.note((key, name_at(nodes, key)), role, value, node);
            }
            match value {
                Node::String(_) => return Some(Visit::Value { node, key, role }),
                Node::Static(_) => {}
                Node::Array { len, .. } => {
                    // `{"commands":[["kubectl","delete",…],…]}`
                    let is_command = !in_object && role == Role::Command;
                    self.push(*len, false, role, key);
                    if let Some(frame) = self.frames.last_mut().filter(|_| is_command) {
                        frame.argv = node;
                    }
                }
                Node::Object { len, .. } => self.enter(nodes, (*len, !in_object), role, key),
            }
        }
    }

    /// Goes into an object, which may be what an operation of its name is called with: `{"efs":{"DeleteFileSystem":{…}}}`.
    fn enter(&mut self, nodes: &[Node<'_>], (len, is_item): (usize, bool), role: Role, key: u32) {
        let (name, holder) = (name_at(nodes, key), self.frames.last().map_or("", |frame| name_at(nodes, frame.key)));
        let is_one = !is_item && !self.is_one_of_many();
        let (is_operation, may_be) = if is_one {
            let name = Name::of(name);
            (name.is_deletion_of() && !Name::of(holder).tells_of_calls(), !name.tells_of_calls())
        } else {
            (false, operation::holds_calls(name))
        };
        self.push(len, true, role, key);
        if let Some(frame) = self.frames.last_mut() {
            frame.is_call = key == NO_NODE || may_be;
            frame.operation = if is_operation { key } else { NO_NODE };
        }
    }

    /// Whether what comes next is too deep, or has too much beside it, to be asked for.
    fn is_one_of_many(&self) -> bool {
        self.frames.len() > NEAR
            || self.frames.last().is_some_and(|holder| holder.index + holder.remaining > FEW && self.frames.len() > 1)
    }

    fn push(&mut self, remaining: usize, object: bool, role: Role, key: u32) {
        let pointer_len = self.pointer().len();
        self.frames.push(Frame {
            remaining,
            object,
            is_call: false,
            role,
            key,
            index: 0,
            pointer_len,
            command: NO_NODE,
            argv: NO_NODE,
            url: NO_NODE,
            deletes: false,
            start: u32::try_from(self.at.saturating_sub(1)).unwrap_or(NO_NODE),
            operation: NO_NODE,
            is_deletion: false,
            path: NO_NODE,
            content: NO_NODE,
        });
    }
}

/// Whether a value switches something on, or says which or that all are meant.
fn is_all(value: &Node<'_>) -> bool {
    let is_on = matches!(value, Node::Static(StaticNode::Bool(true) | StaticNode::I64(1) | StaticNode::U64(1)));
    is_on || matches!(value, Node::String("all" | "*") | Node::Array { .. })
}

/// Whether a member is called like a program that takes its words as an array.
fn is_program(name: &str) -> bool {
    matches!(name, "git" | "redis" | "kubectl" | "docker" | "helm" | "terraform" | "aws" | "gcloud" | "az" | "gh" | "psql" | "rm")
}

/// The name at `key`; empty where there is none.
fn name_at<'n>(nodes: &[Node<'n>], key: u32) -> &'n str {
    match nodes.get(to_usize(key)) {
        Some(Node::String(name)) => name,
        _ => "",
    }
}

/// Appends `/segment` with the escapes of RFC 6901.
fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for letter in segment.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Writes the JSON pointer of the string at `node`; leaves `out` empty if there is no such string.
pub(super) fn write_pointer(nodes: &[Node<'_>], node: u32, out: &mut String) {
    let mut frames = Vec::new();
    let mut walk = Walk::new(&mut frames, Some(out), "");
    while let Some(visit) = walk.next(nodes) {
        if matches!(visit, Visit::Value { node: at, .. } if at == node) {
            return;
        }
    }
    out.clear();
}
