//! Which duties hold for which tool.

use wire::results::{Class, Duty, Results};

use crate::chain::glob::{Glob, GlobError};
use crate::limits::RESULT_BYTES_MAX;

/// What has to be done about one call's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duties {
    of: [Duty; Class::ALL.len()],
    /// Most bytes of one message.
    pub bytes_max: usize,
    /// Whether a size was declared.
    is_sized: bool,
}

impl Duties {
    /// The duty of a class.
    pub fn of(&self, class: Class) -> Duty {
        self.of.get(class as usize).copied().unwrap_or(Duty::Deny)
    }

    /// Whether results may pass unseen.
    pub fn is_idle(&self) -> bool {
        !self.is_sized && self.of.iter().all(|duty| *duty == Duty::Off)
    }

    fn set(&mut self, class: Class, duty: Duty) {
        if let Some(slot) = self.of.get_mut(class as usize) {
            *slot = duty;
        }
    }

    fn limit(&mut self, bytes_max: u64) {
        if bytes_max > 0 {
            self.bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX).min(RESULT_BYTES_MAX);
            self.is_sized = true;
        }
    }
}

/// The compiled obligations.
#[derive(Debug)]
pub struct Obligations {
    usual: Duties,
    exceptions: Vec<Exception>,
}

#[derive(Debug)]
struct Exception {
    servers: Vec<Glob>,
    tools: Vec<Glob>,
    classes: Vec<Class>,
    duty: Option<Duty>,
    bytes_max: u64,
}

/// Why obligations cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("exception {number} of `results` has the bad pattern `{glob}`")]
pub struct ObligationsError {
    /// Counted from 1.
    pub number: usize,
    /// As written.
    pub glob: String,
    /// What is wrong.
    #[source]
    pub source: GlobError,
}

impl Obligations {
    /// Compiles what was declared.
    ///
    /// # Errors
    /// A pattern that is none. The policy that runs goes on.
    pub fn compile(results: &Results) -> Result<Obligations, ObligationsError> {
        let mut usual = Duties { of: Class::ALL.map(Class::usual), bytes_max: RESULT_BYTES_MAX, is_sized: false };
        for (class, duty) in &results.duties {
            usual.set(*class, *duty);
        }
        usual.limit(results.bytes_max);
        let exceptions = (1..).zip(&results.exceptions).map(|(number, exception)| {
            let globs = |patterns: &[String]| {
                let compile = |pattern: &String| {
                    Glob::compile(pattern).map_err(|source| ObligationsError { number, glob: pattern.clone(), source })
                };
                patterns.iter().map(compile).collect::<Result<Vec<_>, _>>()
            };
            Ok(Exception {
                servers: globs(&exception.servers)?,
                tools: globs(&exception.tools)?,
                classes: if exception.classes.is_empty() { Class::ALL.to_vec() } else { exception.classes.clone() },
                duty: exception.duty,
                bytes_max: exception.bytes_max,
            })
        });
        Ok(Obligations { usual, exceptions: exceptions.collect::<Result<_, _>>()? })
    }

    /// The duties of what this tool returns; of any other answer of the server, where `tool` is empty.
    pub fn of(&self, server: &str, tool: &str) -> Duties {
        let mut duties = self.usual;
        // The first that speaks of a class counts, so the later ones are laid first.
        for exception in self.exceptions.iter().rev() {
            let fits = |globs: &[Glob], name: &str| globs.is_empty() || globs.iter().any(|glob| glob.matches(name));
            if !fits(&exception.servers, server) || !fits(&exception.tools, tool) {
                continue;
            }
            if let Some(duty) = exception.duty {
                exception.classes.iter().for_each(|class| duties.set(*class, duty));
            }
            duties.limit(exception.bytes_max);
        }
        duties
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(servers: &[&str], tools: &[&str], classes: &[Class], duty: Duty, bytes_max: u64) -> wire::results::Exception {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        wire::results::Exception {
            servers: texts(servers),
            tools: texts(tools),
            classes: classes.to_vec(),
            duty: Some(duty),
            bytes_max,
        }
    }

    #[test]
    fn the_first_exception_that_speaks_of_a_class_counts() {
        let results = Results {
            duties: vec![(Class::Email, Duty::Redact), (Class::Card, Duty::Deny)],
            bytes_max: 0,
            exceptions: vec![
                exception(&["crm"], &["get_*"], &[Class::Email], Duty::Off, 1024),
                exception(&["crm"], &[], &[Class::Email, Class::Card], Duty::Tag, 2048),
                exception(&["open"], &[], &[], Duty::Off, 0),
            ],
        };
        let obligations = Obligations::compile(&results).unwrap();
        let of = |server, tool| obligations.of(server, tool);
        assert_eq!((of("x", "y").of(Class::Email), of("x", "y").of(Class::Secrets)), (Duty::Redact, Duty::Ruled));
        assert_eq!((of("crm", "get_one").of(Class::Email), of("crm", "get_one").of(Class::Card)), (Duty::Off, Duty::Tag));
        assert_eq!((of("crm", "get_one").bytes_max, of("crm", "").bytes_max), (1024, 2048));
        assert_eq!((of("crm", "").of(Class::Email), of("x", "").bytes_max), (Duty::Tag, RESULT_BYTES_MAX));
        assert!(of("open", "t").is_idle() && !of("x", "").is_idle());
        assert!(!Obligations::compile(&Results::default()).unwrap().of("x", "").is_idle());
    }

    #[test]
    fn a_pattern_that_is_none_is_named() {
        let results = Results { exceptions: vec![exception(&["a["], &[], &[], Duty::Off, 0)], ..Results::default() };
        let error = Obligations::compile(&results).unwrap_err();
        assert_eq!(error.to_string(), "exception 1 of `results` has the bad pattern `a[`");
    }
}
