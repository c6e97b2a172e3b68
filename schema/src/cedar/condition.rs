//! From Cedar's expressions over `context.arguments` to conditions.
//!
//! INVARIANT: where the two languages differ, a permit gives no more and a forbid takes no less than in Cedar. What would
//! break that is refused.

use wire::condition::{ConditionSource, LengthSource, OneOrMany, Scalar, Which};

use super::CedarProblem;
use super::lex::PatternChar;
use super::parse::{Expr, Kind};

type Result<T> = std::result::Result<T, CedarProblem>;

/// What an answer leads to: in which direction the languages may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    /// Yes gives.
    Permits,
    /// Yes, or no within a negation, takes.
    Forbids,
    /// Within a negation of what gives.
    Negated,
}

impl Polarity {
    pub(super) fn negated(self) -> Polarity {
        match self {
            Polarity::Forbids => Polarity::Forbids,
            Polarity::Permits | Polarity::Negated => Polarity::Negated,
        }
    }
}

/// One expression as one condition.
pub(super) fn condition(expr: &Expr, polarity: Polarity) -> Result<ConditionSource> {
    let of = |parts: &[Expr]| parts.iter().map(|part| condition(part, polarity)).collect::<Result<Vec<_>>>();
    let empty = ConditionSource::default;
    match &expr.what {
        Kind::And(parts) => Ok(ConditionSource { all: Some(of(parts)?), ..empty() }),
        Kind::Or(parts) => Ok(ConditionSource { any: Some(of(parts)?), ..empty() }),
        Kind::Not(inner) => Ok(ConditionSource { not: Some(Box::new(condition(inner, polarity.negated())?)), ..empty() }),
        Kind::Compare(sign, left, right) => compare(sign, left, right),
        Kind::Has(of, names) => {
            let mut pointer = pointer(of)?;
            for name in names {
                push_step(&mut pointer, name, expr)?;
            }
            Ok(ConditionSource { arg: Some(pointer), exists: Some(true), ..empty() })
        }
        Kind::Like(of, pattern) => Ok(ConditionSource { glob: Some(OneOrMany::One(glob(pattern, expr)?)), ..argument(of)? }),
        Kind::Method(of, name, arguments) => method(expr, of, name, arguments, polarity),
        // A truth value by itself.
        Kind::Member(..) => Ok(ConditionSource { eq: Some(Scalar::Bool(true)), ..argument(expr)? }),
        Kind::Bool(_) => expr.at.problem("a condition that always or never holds; remove it"),
        Kind::In(..) => {
            expr.at.problem("`in` is translated in heads, and for `principal` at the top of a `when`; write it there")
        }
        Kind::Call(name, _) => {
            expr.at.problem(format!("`{name}(…)` is not translated here; expected `ip(…).isInRange(ip(\"10.0.0.0/8\"))`"))
        }
        Kind::Variable(_) | Kind::Number(_) | Kind::Text(_) | Kind::Entity(_) | Kind::Set(_) => {
            expr.at.problem("expected a condition, such as `context.arguments.n < 5`")
        }
    }
}

fn argument(expr: &Expr) -> Result<ConditionSource> {
    Ok(ConditionSource { arg: Some(pointer(expr)?), ..ConditionSource::default() })
}

/// `context.arguments.a.b` as a JSON pointer.
fn pointer(expr: &Expr) -> Result<String> {
    let mut steps = Vec::new();
    let mut at = expr;
    while let Kind::Member(of, name) = &at.what {
        steps.push(name.as_str());
        at = of;
    }
    let Kind::Variable(variable) = &at.what else {
        return expr.at.problem("expected an argument of the call, such as `context.arguments.path`");
    };
    match (variable.as_str(), steps.pop()) {
        ("context", Some("arguments")) => {
            let mut pointer = String::new();
            for step in steps.iter().rev() {
                push_step(&mut pointer, step, expr)?;
            }
            Ok(pointer)
        }
        ("context", _) => {
            expr.at.problem("of the context only `context.arguments` is translated: a condition sees the arguments of the call")
        }
        ("principal", Some(name)) => expr.at.problem(format!(
            "`principal.{name}` is not translated here; `department`, `tenant` and `agent` may be compared at the top of a `when`"
        )),
        (variable, _) => expr.at.problem(format!("`{variable}` is not translated in conditions; say it in the head")),
    }
}

/// A pointer takes `*` for every item and a number for one of an array; Cedar takes both for names.
fn push_step(pointer: &mut String, step: &str, expr: &Expr) -> Result<()> {
    if step == "*" || (!step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())) {
        return expr.at.problem(format!("an attribute called `{step}` cannot be named in a condition"));
    }
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    Ok(())
}

fn compare(sign: &str, left: &Expr, right: &Expr) -> Result<ConditionSource> {
    // `5 < x` is `x > 5`.
    let (of, value, sign) = match (scalar(left), scalar(right)) {
        (None, Some(value)) => (left, value, sign),
        (Some(value), None) => (right, value, mirrored(sign)),
        (Some(_), Some(_)) => {
            return left.at.problem("two constants are compared; what does not depend on a call is no condition");
        }
        (None, None) => return right.at.problem("expected a text, a number, `true` or `false` to compare with"),
    };
    let argument = argument(of)?;
    let ordered = !matches!(sign, "==" | "!=");
    if ordered && !matches!(value, Scalar::Int(_)) {
        return right.at.problem(format!("`{sign}` compares numbers"));
    }
    let value = Some(value);
    Ok(match sign {
        "==" => ConditionSource { eq: value, ..argument },
        "!=" => ConditionSource { ne: value, ..argument },
        "<" => ConditionSource { lt: value, ..argument },
        "<=" => ConditionSource { le: value, ..argument },
        ">" => ConditionSource { gt: value, ..argument },
        _ => ConditionSource { ge: value, ..argument },
    })
}

fn mirrored(sign: &str) -> &str {
    match sign {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

fn scalar(expr: &Expr) -> Option<Scalar> {
    match &expr.what {
        Kind::Bool(value) => Some(Scalar::Bool(*value)),
        Kind::Number(value) => Some(Scalar::Int(*value)),
        Kind::Text(value) => Some(Scalar::Text(value.clone())),
        _ => None,
    }
}

fn scalars(expr: &Expr) -> Result<Vec<Scalar>> {
    let Kind::Set(items) = &expr.what else {
        return expr.at.problem("expected a list of texts, numbers, `true` or `false`");
    };
    if items.is_empty() {
        return expr.at.problem("an empty list; what never depends on a call is no condition");
    }
    items
        .iter()
        .map(|item| scalar(item).map_or_else(|| item.at.problem("expected a text, a number, `true` or `false`"), Ok))
        .collect()
}

fn glob(pattern: &[PatternChar], expr: &Expr) -> Result<String> {
    let mut glob = String::new();
    for c in pattern {
        match c {
            PatternChar::Any => glob.push('*'),
            PatternChar::Is(c) => glob.push_str(&super::translate::escape_glob(c.encode_utf8(&mut [0; 4]))),
        }
    }
    if glob.is_empty() {
        return expr.at.problem("a pattern that only the empty text is like; write `== \"\"`");
    }
    Ok(glob)
}

fn method(expr: &Expr, of: &Expr, name: &str, arguments: &[Expr], polarity: Polarity) -> Result<ConditionSource> {
    let every_item = |of: &Expr, items: Which| {
        argument(of).map(|source| ConditionSource { arg: source.arg.map(|arg| arg + "/*"), items: Some(items), ..source })
    };
    let is_set = matches!(of.what, Kind::Set(_));
    match (name, arguments) {
        ("contains", [value]) if is_set => Ok(ConditionSource { one_of: Some(scalars(of)?), ..argument(value)? }),
        ("contains", [value]) => match scalar(value) {
            Some(value) => Ok(ConditionSource { eq: Some(value), ..every_item(of, Which::Some)? }),
            None => value.at.problem("expected a text, a number, `true` or `false`"),
        },
        ("containsAll", [items]) if is_set => {
            Ok(ConditionSource { one_of: Some(scalars(of)?), ..every_item(items, Which::Every)? })
        }
        ("containsAll", [values]) => {
            let each = scalars(values)?.into_iter();
            let each = each.map(|value| Ok(ConditionSource { eq: Some(value), ..every_item(of, Which::Some)? }));
            Ok(ConditionSource { all: Some(each.collect::<Result<_>>()?), ..ConditionSource::default() })
        }
        ("containsAny", [values]) if !is_set => {
            Ok(ConditionSource { one_of: Some(scalars(values)?), ..every_item(of, Which::Some)? })
        }
        ("containsAny", [items]) => Ok(ConditionSource { one_of: Some(scalars(of)?), ..every_item(items, Which::Some)? }),
        ("isEmpty", []) if !is_set && polarity == Polarity::Negated => {
            expr.at.problem("a negated `isEmpty` is not translated in a `permit`; write a `forbid` for the empty list")
        }
        ("isEmpty", []) if !is_set => {
            let none = LengthSource { min: None, max: Some(0) };
            let list = ConditionSource { is: Some(wire::condition::Kind::Array), ..argument(of)? };
            let empty = ConditionSource { length: Some(none), ..argument(of)? };
            Ok(ConditionSource { all: Some(vec![list, empty]), ..ConditionSource::default() })
        }
        ("isInRange", [range]) => in_range(expr, of, range, polarity),
        (name, _) => expr.at.problem(format!(
            "`.{name}(…)` is not translated; expected `contains`, `containsAny`, `containsAll`, `isEmpty` or `isInRange`"
        )),
    }
}

/// `cidr` reads a URL too, where `ip(…)` fails; a permit must not give by that.
fn in_range(expr: &Expr, of: &Expr, range: &Expr, polarity: Polarity) -> Result<ConditionSource> {
    let ip = |expr: &'_ Expr| match &expr.what {
        Kind::Call(name, arguments) if name == "ip" && arguments.len() == 1 => Some(()),
        _ => None,
    };
    let (Kind::Call(_, address), Kind::Call(_, network), Some(()), Some(())) = (&of.what, &range.what, ip(of), ip(range)) else {
        return expr.at.problem("expected `ip(context.arguments.…).isInRange(ip(\"10.0.0.0/8\"))`");
    };
    let Kind::Text(network) = &network[0].what else {
        return range.at.problem("expected a network, such as `ip(\"10.0.0.0/8\")`");
    };
    let within = ConditionSource { cidr: Some(OneOrMany::One(network.clone())), ..argument(&address[0])? };
    match polarity {
        Polarity::Forbids => Ok(within),
        Polarity::Negated => {
            expr.at.problem("a negated `isInRange` is not translated; write a `permit` or `forbid` for the range itself")
        }
        Polarity::Permits => {
            let odd = OneOrMany::Many(vec!["*[!0-9a-fA-F.:]*".to_owned(), "*.*:*".to_owned()]);
            let odd = ConditionSource { glob: Some(odd), ..argument(&address[0])? };
            let not = ConditionSource { not: Some(Box::new(odd)), ..ConditionSource::default() };
            Ok(ConditionSource { all: Some(vec![not, within]), ..ConditionSource::default() })
        }
    }
}
