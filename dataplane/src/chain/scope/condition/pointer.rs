//! JSON pointers (RFC 6901) into arguments, with `*` for every item of an array.

use wire::jsonrpc::{Nodes, member};

use super::{Fault, items};

/// A compiled pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(Box<[Step]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A member of this name; of an array, the item of this number.
    Key(Box<str>, Option<usize>),
    /// Every item.
    Each,
}

impl Pointer {
    /// Reads a pointer; `None` when it is not one.
    pub(super) fn parse(text: &str) -> Option<Pointer> {
        if text.is_empty() {
            return Some(Pointer(Box::default()));
        }
        let steps = text.strip_prefix('/')?.split('/').map(|step| {
            if step == "*" {
                return Some(Step::Each);
            }
            // `~` only stands before 0 or 1.
            let mut escapes = step.split('~').skip(1);
            if !escapes.all(|after| after.starts_with(['0', '1'])) {
                return None;
            }
            let key = step.replace("~1", "/").replace("~0", "~");
            // RFC 6901: no sign, no leading zero.
            let canonical = key == "0" || (!key.starts_with('0') && key.bytes().all(|b| b.is_ascii_digit()));
            let number = if canonical { key.parse().ok() } else { None };
            Some(Step::Key(key.into_boxed_str(), number))
        });
        steps.collect::<Option<_>>().map(Pointer)
    }

    /// Whether it may stand for more than one value.
    pub(super) fn is_plural(&self) -> bool {
        self.0.contains(&Step::Each)
    }

    /// Gives every value that is meant to `judge`, until one is judged `stop_at` or cannot be judged. Says how the last
    /// one was judged; `!stop_at` where there is none, because an array on the way is empty.
    pub(super) fn find<'t, 'i>(
        &self,
        arguments: Nodes<'t, 'i>,
        stop_at: bool,
        judge: &mut impl FnMut(Nodes<'t, 'i>) -> Result<bool, Fault>,
    ) -> Result<bool, Fault> {
        follow(&self.0, arguments, stop_at, judge)
    }
}

fn follow<'t, 'i>(
    steps: &[Step],
    mut at: Nodes<'t, 'i>,
    stop_at: bool,
    judge: &mut impl FnMut(Nodes<'t, 'i>) -> Result<bool, Fault>,
) -> Result<bool, Fault> {
    for (i, step) in steps.iter().enumerate() {
        match step {
            Step::Key(key, number) => {
                at = match (items(at), number) {
                    (Some(mut items), Some(number)) => items.nth(*number).ok_or(Fault::Missing)?,
                    (Some(_), None) => return Err(Fault::Missing),
                    (None, _) => member(at, key).ok_or(Fault::Missing)?,
                }
            }
            Step::Each => {
                for item in items(at).ok_or(Fault::NotArray)? {
                    if follow(steps.get(i + 1..).unwrap_or(&[]), item, stop_at, judge)? == stop_at {
                        return Ok(stop_at);
                    }
                }
                return Ok(!stop_at);
            }
        }
    }
    judge(at)
}
