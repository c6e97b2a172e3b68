//! Numbers as JSON has them, compared exactly: 2^53 + 1 is not 2^53, whatever a float makes of it.

use std::cmp::Ordering;

use simd_json::{Node, StaticNode};

/// A JSON number. A float is finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    /// The number, if it is one; JSON has no infinities, so what is not finite is none.
    #[inline]
    pub(super) fn of(node: &Node<'_>) -> Option<Number> {
        match node {
            Node::Static(StaticNode::I64(n)) => Some(Number::Whole(i128::from(*n))),
            Node::Static(StaticNode::U64(n)) => Some(Number::Whole(i128::from(*n))),
            Node::Static(StaticNode::F64(n)) if n.is_finite() => Some(Number::Float(*n)),
            _ => None,
        }
    }

    pub(super) fn is_integer(self) -> bool {
        match self {
            Number::Whole(_) => true,
            Number::Float(n) => n.fract() == 0.0,
        }
    }

    #[inline]
    pub(super) fn cmp(self, other: Number) -> Ordering {
        match (self, other) {
            (Number::Whole(a), Number::Whole(b)) => a.cmp(&b),
            (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Number::Whole(a), Number::Float(b)) => whole_and_float(a, b),
            (Number::Float(a), Number::Whole(b)) => whole_and_float(b, a).reverse(),
        }
    }
}

/// Exact: the whole part of a float is a whole number (or beyond all that JSON integers reach), and its fraction only
/// matters when the whole parts are equal.
fn whole_and_float(a: i128, b: f64) -> Ordering {
    // `as` saturates, far beyond 64 bits.
    a.cmp(&(b.trunc() as i128)).then(0.0_f64.partial_cmp(&b.fract()).unwrap_or(Ordering::Equal))
}
