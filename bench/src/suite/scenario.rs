//! The four things that are compared, and the load that is put on each.

use super::Options;
use super::stack::Stack;
use crate::load::{Expect, Pace, Plan, tool_call};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// glommio and hyper answer with the request's body
    Echo,
    /// A proxy without any check in front of the upstream
    Pass,
    /// The gateway refuses the call
    Deny,
    /// The gateway allows and forwards the call
    Allow,
}

/// How the load is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Every connection sends as fast as it is answered: for the rate and the CPU time of a request.
    Saturating,
    /// At a fixed rate: for the latency.
    Open,
}

impl Mode {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Saturating => "saturating",
            Self::Open => "fixed rate",
        }
    }
}

impl Scenario {
    /// All of them, baselines first.
    pub const ALL: [Self; 4] = [Self::Echo, Self::Pass, Self::Deny, Self::Allow];

    /// Its name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Echo => "raw echo",
            Self::Pass => "ungoverned pass-through",
            Self::Deny => "governed deny",
            Self::Allow => "governed allow",
        }
    }

    /// Its name in file names and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Pass => "pass",
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }

    /// The process it is about.
    pub(super) fn process(self) -> &'static str {
        match self {
            Self::Echo => "sp-echo",
            Self::Pass => "sp-pass",
            Self::Deny | Self::Allow => "sp-dataplane",
        }
    }

    /// Whether it is about the gateway.
    pub(super) fn is_governed(self) -> bool {
        matches!(self, Self::Deny | Self::Allow)
    }

    /// The load of this scenario against the running processes.
    pub(super) fn plan(self, stack: &Stack, mode: Mode, options: &Options) -> Result<Plan> {
        let (target, path) = stack.address(self)?;
        let (body, expect) = match self {
            Self::Echo => (stack.allowed_call(), Expect::Echo),
            Self::Pass | Self::Allow => (stack.allowed_call(), Expect::Allow),
            Self::Deny => (stack.denied_call(), Expect::Deny),
        };
        let warmup = options.duration / 5;
        Ok(Plan {
            target,
            host: target.to_string(),
            path: path.to_owned(),
            headers: Vec::new(),
            body,
            tokens: stack.tokens(self).to_vec(),
            connections: options.connections,
            workers: options.threads,
            mix: false,
            session: false,
            pace: match mode {
                Mode::Saturating => Pace::Saturating,
                Mode::Open => Pace::Open(options.rate),
            },
            duration: Some(options.duration + warmup),
            requests: None,
            warmup,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(20),
            expect,
            echoed: expect == Expect::Allow,
            reconnect: false,
            record: None,
            watch: stack.watched(self),
        })
    }
}

/// The call that goes through: a kilobyte of ordinary arguments would measure the scanner, a bare one nothing; this is
/// about what an agent sends.
pub(super) const ALLOWED_ARGUMENTS: &str = r#"{"message":"request {n}: summarise the open issues of the last sprint, newest first, and list who is waiting for a review"}"#;

/// The body of a call to `tool`.
pub(super) fn call(tool: &str, arguments: &str) -> String {
    tool_call(tool, arguments)
}
