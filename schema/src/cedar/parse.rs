//! From words to policies. The grammar of Cedar as far as it is translated; the rest is refused here, by name.

use super::CedarProblem;
use super::lex::{PatternChar, Place, Token, What, text, unescape};

/// LIMIT: expressions within expressions.
const DEPTH_MAX: usize = 24;

/// LIMIT: attributes within attributes.
const MEMBERS_MAX: usize = 32;

/// LIMIT: policies of one file.
const POLICIES_MAX: usize = 10_000;

type Result<T> = std::result::Result<T, CedarProblem>;

/// One policy.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) at: Place,
    pub(super) annotations: Vec<(String, String, Place)>,
    pub(super) permits: bool,
    pub(super) principal: Head,
    pub(super) action: Head,
    pub(super) resource: Head,
    pub(super) clauses: Vec<Clause>,
}

/// What a head asks of its variable.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) at: Place,
    pub(super) asks: Asks,
}

#[derive(Debug)]
pub(super) enum Asks {
    Nothing,
    Is(Entity),
    In(Entity),
    InOneOf(Vec<Entity>),
    Type { name: String, within: Option<Entity> },
}

/// `Type::"id"`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entity {
    pub(super) at: Place,
    pub(super) kind: String,
    pub(super) id: String,
}

/// `when { … }` or `unless { … }`.
#[derive(Debug)]
pub(super) struct Clause {
    pub(super) at: Place,
    pub(super) unless: bool,
    pub(super) body: Expr,
}

/// An expression and where it begins.
#[derive(Debug)]
pub(super) struct Expr {
    pub(super) at: Place,
    pub(super) what: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Bool(bool),
    Number(i64),
    Text(String),
    Entity(Entity),
    /// `principal`, `action`, `resource`, `context`.
    Variable(String),
    Member(Box<Expr>, String),
    Set(Vec<Expr>),
    /// A function such as `ip("…")`.
    Call(String, Vec<Expr>),
    Method(Box<Expr>, String, Vec<Expr>),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(&'static str, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    Has(Box<Expr>, Vec<String>),
    Like(Box<Expr>, Vec<PatternChar>),
}

/// Reads all policies of a file.
pub(super) fn policies(tokens: &[Token<'_>]) -> Result<Vec<Policy>> {
    let mut reader = Reader { tokens, at: 0, depth: 0 };
    let mut policies = Vec::new();
    while reader.what() != What::End {
        if policies.len() == POLICIES_MAX {
            return reader.place().problem(format!("a file has at most {POLICIES_MAX} policies; split it"));
        }
        policies.push(reader.policy()?);
    }
    Ok(policies)
}

struct Reader<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn what(&self) -> What<'t> {
        self.tokens.get(self.at).map_or(What::End, |token| token.what)
    }

    fn place(&self) -> Place {
        self.tokens.get(self.at.min(self.tokens.len().saturating_sub(1))).map(|token| token.at).unwrap_or_default()
    }

    fn take(&mut self, what: What<'_>) -> bool {
        let taken = self.what() == what;
        self.at += usize::from(taken);
        taken
    }

    fn sign(&mut self, sign: &'static str) -> bool {
        self.take(What::Sign(sign))
    }

    fn expect(&mut self, sign: &'static str) -> Result<()> {
        if self.sign(sign) { Ok(()) } else { self.expected(&format!("`{sign}`")) }
    }

    fn expected<T>(&self, what: &str) -> Result<T> {
        let found = match self.what() {
            What::Word(word) => format!("`{word}`"),
            What::Number(number) => format!("`{number}`"),
            What::Text(_) => "a text".to_owned(),
            What::Sign(sign) => format!("`{sign}`"),
            What::End => "the end of the file".to_owned(),
        };
        self.place().problem(format!("expected {what}, found {found}"))
    }

    fn word(&mut self, what: &str) -> Result<&'t str> {
        let What::Word(word) = self.what() else { return self.expected(what) };
        self.at += 1;
        Ok(word)
    }

    fn text(&mut self) -> Result<String> {
        let at = self.place();
        let What::Text(written) = self.what() else { return self.expected("a text") };
        self.at += 1;
        text(written, at)
    }

    fn policy(&mut self) -> Result<Policy> {
        let mut annotations = Vec::new();
        let at = self.place();
        while self.sign("@") {
            let at = self.place();
            let name = self.word("the name of an annotation")?.to_owned();
            let value = if self.sign("(") {
                let value = self.text()?;
                self.expect(")")?;
                value
            } else {
                String::new()
            };
            annotations.push((name, value, at));
        }
        let permits = match self.what() {
            What::Word("permit") => true,
            What::Word("forbid") => false,
            _ => return self.expected("`permit` or `forbid`"),
        };
        self.at += 1;
        self.expect("(")?;
        let principal = self.head("principal")?;
        self.expect(",")?;
        let action = self.head("action")?;
        self.expect(",")?;
        let resource = self.head("resource")?;
        self.sign(",");
        self.expect(")")?;
        let mut clauses = Vec::new();
        while let What::Word(word @ ("when" | "unless")) = self.what() {
            let at = self.place();
            self.at += 1;
            self.expect("{")?;
            let body = self.expr()?;
            self.expect("}")?;
            clauses.push(Clause { at, unless: word == "unless", body });
        }
        self.expect(";")?;
        Ok(Policy { at, annotations, permits, principal, action, resource, clauses })
    }

    fn head(&mut self, variable: &'static str) -> Result<Head> {
        let at = self.place();
        if !self.take(What::Word(variable)) {
            return self.expected(&format!("`{variable}`"));
        }
        let asks = if self.sign("==") {
            Asks::Is(self.entity()?)
        } else if self.take(What::Word("in")) {
            if self.sign("[") { Asks::InOneOf(self.list("]", Reader::entity)?) } else { Asks::In(self.entity()?) }
        } else if self.take(What::Word("is")) {
            let name = self.path()?;
            let within = if self.take(What::Word("in")) { Some(self.entity()?) } else { None };
            Asks::Type { name, within }
        } else {
            Asks::Nothing
        };
        Ok(Head { at, asks })
    }

    fn list<T>(&mut self, end: &'static str, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while !self.sign(end) {
            items.push(item(self)?);
            if !self.sign(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(items)
    }

    /// `A::B`; the last part before a text belongs to an entity.
    fn path(&mut self) -> Result<String> {
        let mut path = self.word("the name of a type")?.to_owned();
        while self.sign("::") {
            path.push_str("::");
            path.push_str(self.word("the name of a type")?);
        }
        Ok(path)
    }

    fn entity(&mut self) -> Result<Entity> {
        let at = self.place();
        if self.what() == What::Sign("?") {
            return at.problem("templates are not translated; write the policy out for each principal and resource");
        }
        let mut kind = self.word("an entity such as `Role::\"dev\"`")?.to_owned();
        loop {
            self.expect("::")?;
            match self.what() {
                What::Text(_) => return Ok(Entity { at, kind, id: self.text()? }),
                _ => kind = format!("{kind}::{}", self.word("a text")?),
            }
        }
    }

    fn expr(&mut self) -> Result<Expr> {
        let at = self.place();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return at.problem(format!("expressions stand within expressions more than {DEPTH_MAX} deep; write them flatter"));
        }
        if self.what() == What::Word("if") {
            return at.problem("`if … then … else` is not translated; write it with `&&`, `||` and `!`");
        }
        let or = self.chain("||", |reader| reader.chain("&&", Reader::relation, Kind::And), Kind::Or);
        self.depth -= 1;
        or
    }

    fn chain(
        &mut self,
        sign: &'static str,
        item: impl Fn(&mut Self) -> Result<Expr>,
        all: impl Fn(Vec<Expr>) -> Kind,
    ) -> Result<Expr> {
        let at = self.place();
        let first = item(self)?;
        if self.what() != What::Sign(sign) {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.sign(sign) {
            items.push(item(self)?);
        }
        Ok(Expr { at, what: all(items) })
    }

    fn relation(&mut self) -> Result<Expr> {
        let at = self.place();
        let left = self.unary()?;
        if let What::Sign(sign @ ("+" | "-" | "*" | "%")) = self.what() {
            return self.place().problem(format!("arithmetic (`{sign}`) is not translated; compare with a number"));
        }
        let what = match self.what() {
            What::Sign(sign @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => {
                self.at += 1;
                Kind::Compare(sign, Box::new(left), Box::new(self.unary()?))
            }
            What::Word("in") => {
                self.at += 1;
                Kind::In(Box::new(left), Box::new(self.unary()?))
            }
            What::Word("has") => {
                self.at += 1;
                Kind::Has(Box::new(left), self.attributes()?)
            }
            What::Word("like") => {
                self.at += 1;
                let at = self.place();
                let What::Text(written) = self.what() else { return self.expected("a pattern") };
                self.at += 1;
                Kind::Like(Box::new(left), unescape(written, at, true)?)
            }
            What::Word("is") => return self.place().problem("`is` is translated in heads only; write it there"),
            _ => return Ok(left),
        };
        if let What::Sign(sign @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) = self.what() {
            return self.expected(&format!("`&&`, `||` or the end of the expression; `{sign}` compares two values"));
        }
        Ok(Expr { at, what })
    }

    fn attributes(&mut self) -> Result<Vec<String>> {
        if matches!(self.what(), What::Text(_)) {
            return Ok(vec![self.text()?]);
        }
        let mut names = vec![self.word("the name of an attribute")?.to_owned()];
        while self.sign(".") {
            names.push(self.word("the name of an attribute")?.to_owned());
        }
        Ok(names)
    }

    fn unary(&mut self) -> Result<Expr> {
        let at = self.place();
        if self.sign("!") {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return at.problem("too many `!` one after the other; two of them are none");
            }
            let inner = self.unary()?;
            self.depth -= 1;
            return Ok(Expr { at, what: Kind::Not(Box::new(inner)) });
        }
        if self.sign("-") {
            let What::Number(digits) = self.what() else {
                return self.expected("a number; nothing else is translated behind `-`");
            };
            self.at += 1;
            let number = format!("-{digits}").parse().or_else(|_| at.problem("the number is too small"))?;
            return self.members(Expr { at, what: Kind::Number(number) });
        }
        let primary = self.primary()?;
        self.members(primary)
    }

    fn members(&mut self, mut of: Expr) -> Result<Expr> {
        for _ in 0..MEMBERS_MAX {
            let at = of.at;
            if self.sign(".") {
                let name = self.word("the name of an attribute")?.to_owned();
                let what = if self.sign("(") {
                    Kind::Method(Box::new(of), name, self.list(")", Reader::expr)?)
                } else {
                    Kind::Member(Box::new(of), name)
                };
                of = Expr { at, what };
            } else if self.sign("[") {
                let name = self.text()?;
                self.expect("]")?;
                of = Expr { at, what: Kind::Member(Box::new(of), name) };
            } else {
                return Ok(of);
            }
        }
        of.at.problem(format!("more than {MEMBERS_MAX} attributes one within the other"))
    }

    fn primary(&mut self) -> Result<Expr> {
        let at = self.place();
        let what = match self.what() {
            What::Number(digits) => {
                self.at += 1;
                Kind::Number(digits.parse().or_else(|_| at.problem("the number is too large"))?)
            }
            What::Text(_) => Kind::Text(self.text()?),
            What::Sign("(") => {
                self.at += 1;
                let inner = self.expr()?;
                self.expect(")")?;
                return Ok(inner);
            }
            What::Sign("[") => {
                self.at += 1;
                Kind::Set(self.list("]", Reader::expr)?)
            }
            What::Sign("{") => return at.problem("records are not translated; compare their parts"),
            What::Sign("?") => return at.problem("templates are not translated; write the policy out"),
            What::Word(word @ ("true" | "false")) => {
                self.at += 1;
                Kind::Bool(word == "true")
            }
            What::Word(word @ ("principal" | "action" | "resource" | "context")) => {
                self.at += 1;
                Kind::Variable(word.to_owned())
            }
            What::Word(word) => {
                if self.tokens.get(self.at + 1).is_some_and(|token| token.what == What::Sign("(")) {
                    self.at += 2;
                    Kind::Call(word.to_owned(), self.list(")", Reader::expr)?)
                } else {
                    Kind::Entity(self.entity()?)
                }
            }
            What::Sign(_) | What::End => return self.expected("a value"),
        };
        Ok(Expr { at, what })
    }
}
