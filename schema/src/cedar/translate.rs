//! From policies to grants: heads become subjects, servers, tools and methods; clauses become conditions.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::json;
use wire::condition::ConditionSource;
use wire::ids::RuleId;
use wire::tool_name::split_prefixed;

use super::CedarProblem;
use super::condition::{Polarity, condition};
use super::lex::Place;
use super::parse::{Asks, Clause, Entity, Expr, Head, Kind, Policy};

type Result<T> = std::result::Result<T, CedarProblem>;

/// What a policy becomes.
#[derive(Default)]
struct Grant {
    subjects: Vec<(&'static str, Vec<String>)>,
    servers: Vec<String>,
    tools: Vec<String>,
    methods: Vec<String>,
    when: Vec<ConditionSource>,
}

/// The file of all policies.
pub(super) fn access_file(policies: &[Policy]) -> Result<String> {
    let mut out = String::from("# Translated from Cedar by `sp admin policy import cedar`.\ngrants:");
    if policies.is_empty() {
        out.push_str(" []\n");
        return Ok(out);
    }
    out.push('\n');
    let mut ids = HashSet::new();
    for (ix, policy) in policies.iter().enumerate() {
        let id = id(policy, ix)?;
        if !ids.insert(id.clone()) {
            return policy.at.problem(format!("another policy is called `{id}` too; give each its own `@id`"));
        }
        write_grant(&mut out, &id, policy, &grant(policy)?);
    }
    Ok(out)
}

fn id(policy: &Policy, ix: usize) -> Result<String> {
    let mut named = policy.annotations.iter().filter(|(name, ..)| name == "id");
    let Some((_, id, at)) = named.next() else { return Ok(format!("cedar-{}", ix + 1)) };
    if let Some((_, _, second)) = named.next() {
        return second.problem("the policy has two `@id`; keep one");
    }
    match id.parse::<RuleId>() {
        Ok(_) => Ok(id.clone()),
        Err(error) => at.problem(error.to_string()),
    }
}

fn write_grant(out: &mut String, id: &str, policy: &Policy, grant: &Grant) {
    // JSON is YAML, and quoted text means itself in both.
    let mut line = |key: &str, value: serde_json::Value| {
        let _ = writeln!(out, "{key}: {value}");
    };
    line("  - id", json!(id));
    for (name, value, _) in policy.annotations.iter().filter(|(name, ..)| name != "id") {
        line(&format!("    # @{name}"), json!(value));
    }
    line("    effect", json!(if policy.permits { "allow" } else { "deny" }));
    if !grant.subjects.is_empty() {
        let subjects: serde_json::Map<String, serde_json::Value> =
            grant.subjects.iter().map(|(list, names)| ((*list).to_owned(), json!(names))).collect();
        line("    subjects", subjects.into());
    }
    line("    servers", json!(grant.servers));
    for (key, list) in [("    tools", &grant.tools), ("    methods", &grant.methods)] {
        if !list.is_empty() {
            line(key, json!(list));
        }
    }
    if !grant.when.is_empty() {
        line("    when", json!(grant.when));
    }
}

fn grant(policy: &Policy) -> Result<Grant> {
    let mut grant = Grant::default();
    grant.principal(&policy.principal)?;
    grant.action(&policy.action)?;
    grant.resource(&policy.resource)?;
    for clause in &policy.clauses {
        grant.clause(policy, clause)?;
    }
    let looks = grant.when.iter().any(ConditionSource::looks_at_arguments);
    let calls = grant.methods == ["tools/call"];
    if !grant.tools.is_empty() && !calls && !grant.methods.is_empty() {
        return policy.action.at.problem("tools are called: write `action == Action::\"tools/call\"`");
    }
    if !grant.tools.is_empty() && grant.methods.is_empty() {
        return policy.action.at.problem("the resource is a tool, so the action is `action == Action::\"tools/call\"`; write it");
    }
    if looks && grant.methods.is_empty() {
        let message = "a policy over `context.arguments` must name its action, such as `action == Action::\"tools/call\"`";
        return policy.action.at.problem(message);
    }
    Ok(grant)
}

impl Grant {
    fn principal(&mut self, head: &Head) -> Result<()> {
        match &head.asks {
            Asks::Nothing => Ok(()),
            Asks::Is(entity) => self.is_principal(entity),
            Asks::In(entity) => self.within(std::slice::from_ref(entity), head.at),
            Asks::InOneOf(entities) => self.within(entities, head.at),
            Asks::Type { .. } => head.at.problem(
                "`principal is …` is not translated: grants know principals by name, role, department, tenant and agent",
            ),
        }
    }

    fn is_principal(&mut self, entity: &Entity) -> Result<()> {
        let list = match entity.kind.as_str() {
            "User" => "users",
            "Agent" => "agents",
            kind => {
                return entity.at.problem(format!("`principal == {kind}::…` is not translated; expected `User` or `Agent`"));
            }
        };
        self.subject(list, vec![entity.id.clone()], entity.at)
    }

    fn within(&mut self, entities: &[Entity], at: Place) -> Result<()> {
        let Some(first) = entities.first() else { return at.problem("an empty list names nobody; remove the policy") };
        let list = match first.kind.as_str() {
            "Role" => "roles",
            "Department" => "departments",
            "Tenant" => "tenants",
            kind => {
                let message = format!("`principal in {kind}::…` is not translated; expected `Role`, `Department` or `Tenant`");
                return first.at.problem(message);
            }
        };
        if let Some(other) = entities.iter().find(|entity| entity.kind != first.kind) {
            return other.at.problem(format!("`{}` and `{}` in one list; write a policy for each", first.kind, other.kind));
        }
        self.subject(list, entities.iter().map(|entity| entity.id.clone()).collect(), at)
    }

    /// A list is for principals with one of its names, so a second condition on the same thing cannot be added to it.
    fn subject(&mut self, list: &'static str, names: Vec<String>, at: Place) -> Result<()> {
        if self.subjects.iter().any(|(given, _)| *given == list) {
            return at.problem(format!("a second condition on {list}, which a grant cannot have; keep one"));
        }
        if names.is_empty() || names.iter().any(String::is_empty) {
            return at.problem(format!("no name in {list}; a policy for nobody has no effect"));
        }
        self.subjects.push((list, names));
        Ok(())
    }

    fn action(&mut self, head: &Head) -> Result<()> {
        let actions = match &head.asks {
            Asks::Nothing => return Ok(()),
            Asks::Is(entity) => std::slice::from_ref(entity),
            Asks::InOneOf(entities) if entities.is_empty() => {
                return head.at.problem("an empty list of actions; remove the policy");
            }
            Asks::InOneOf(entities) => entities,
            Asks::In(entity) => {
                return entity
                    .at
                    .problem("groups of actions are not translated; list the actions: `action in [Action::\"tools/call\"]`");
            }
            Asks::Type { .. } => {
                return head.at.problem("`action is …` is not translated; expected `action == Action::\"tools/call\"`");
            }
        };
        for action in actions {
            if action.kind != "Action" {
                return action.at.problem(format!("`{}` is no action; expected `Action::\"tools/call\"`", action.kind));
            }
            self.methods.push(escape_glob(&action.id));
        }
        Ok(())
    }

    fn resource(&mut self, head: &Head) -> Result<()> {
        let server = |entity: &Entity| match entity.kind.as_str() {
            "Server" => Ok(escape_glob(&entity.id)),
            kind => entity.at.problem(format!("a resource lies in a `Server`, not in a `{kind}`")),
        };
        match &head.asks {
            Asks::Nothing => self.servers.push("*".to_owned()),
            Asks::Is(entity) if entity.kind == "Tool" => {
                let Some((of, tool)) = split_prefixed(&entity.id, |_| true) else {
                    return entity.at.problem("a tool is named with its server: `Tool::\"server__tool\"`");
                };
                self.servers.push(escape_glob(of));
                self.tools.push(escape_glob(tool));
            }
            Asks::Is(entity) | Asks::In(entity) => self.servers.push(server(entity)?),
            Asks::InOneOf(entities) if entities.is_empty() => {
                return head.at.problem("an empty list of resources; remove the policy");
            }
            Asks::InOneOf(entities) => self.servers = entities.iter().map(server).collect::<Result<_>>()?,
            Asks::Type { name, within } if name == "Tool" => {
                self.servers.push(within.as_ref().map(server).transpose()?.unwrap_or_else(|| "*".to_owned()));
                self.tools.push("*".to_owned());
            }
            Asks::Type { name, .. } => {
                return head.at.problem(format!("`resource is {name}` is not translated; expected `Tool`"));
            }
        }
        if let Some(at) = self.servers.iter().chain(&self.tools).any(String::is_empty).then_some(head.at) {
            return at.problem("a resource without a name");
        }
        Ok(())
    }

    fn clause(&mut self, policy: &Policy, clause: &Clause) -> Result<()> {
        let polarity = if policy.permits { Polarity::Permits } else { Polarity::Forbids };
        if clause.unless {
            let not = condition(&clause.body, polarity.negated())?;
            self.when.push(ConditionSource { not: Some(Box::new(not)), ..ConditionSource::default() });
            return Ok(());
        }
        let parts = match &clause.body.what {
            Kind::And(parts) => parts.as_slice(),
            _ => std::slice::from_ref(&clause.body),
        };
        for part in parts {
            match &part.what {
                Kind::Bool(true) => {}
                Kind::Bool(false) => return clause.at.problem("this never holds; remove the policy"),
                _ if !self.principal_clause(part)? => self.when.push(condition(part, polarity)?),
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes a condition on the principal into the subjects; whether it was one.
    fn principal_clause(&mut self, part: &Expr) -> Result<bool> {
        let is_principal = |expr: &Expr| matches!(&expr.what, Kind::Variable(name) if name == "principal");
        match &part.what {
            Kind::In(left, right) if is_principal(left) => match &right.what {
                Kind::Entity(entity) => self.within(std::slice::from_ref(entity), part.at)?,
                Kind::Set(items) => {
                    let entities = items.iter().map(|item| match &item.what {
                        Kind::Entity(entity) => Ok(entity.clone()),
                        _ => item.at.problem("expected an entity such as `Role::\"dev\"`"),
                    });
                    self.within(&entities.collect::<Result<Vec<_>>>()?, part.at)?;
                }
                _ => return right.at.problem("expected an entity such as `Role::\"dev\"`"),
            },
            Kind::Compare("==", left, right) if is_principal(left) => match &right.what {
                Kind::Entity(entity) => self.is_principal(entity)?,
                _ => return right.at.problem("expected an entity such as `User::\"ann\"`"),
            },
            Kind::Compare("==", left, right) => {
                let (Some(list), Kind::Text(name)) = (claim(left), &right.what) else { return Ok(false) };
                self.subject(list, vec![name.clone()], part.at)?;
            }
            Kind::Method(set, name, arguments) if name == "contains" => {
                let (Kind::Set(items), [of]) = (&set.what, arguments.as_slice()) else { return Ok(false) };
                let Some(list) = claim(of) else { return Ok(false) };
                let names = items.iter().map(|item| match &item.what {
                    Kind::Text(name) => Ok(name.clone()),
                    _ => item.at.problem("expected a text"),
                });
                self.subject(list, names.collect::<Result<_>>()?, part.at)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The list that speaks of `principal.department` and its like.
fn claim(expr: &Expr) -> Option<&'static str> {
    let Kind::Member(of, name) = &expr.what else { return None };
    match (&of.what, name.as_str()) {
        (Kind::Variable(variable), "department") if variable == "principal" => Some("departments"),
        (Kind::Variable(variable), "tenant") if variable == "principal" => Some("tenants"),
        (Kind::Variable(variable), "agent") if variable == "principal" => Some("agents"),
        _ => None,
    }
}

/// A glob that covers this name alone.
pub(super) fn escape_glob(name: &str) -> String {
    let mut glob = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '*' | '?' | '\\' | '[' | ']' | '{' | '}') {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}
