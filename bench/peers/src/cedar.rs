//! The question asked of `cedar-policy`, in the words in which it is meant to be used.

use std::collections::HashSet;
use std::fmt::Write as _;

use cedar_policy::{Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression};
use wire::snapshot::{Effect, Snapshot};

use crate::estate::{PRINCIPALS, SERVERS, claims};
use crate::prefixes;

fn uid(kind: &str, name: &str) -> EntityUid {
    format!("{kind}::\"{name}\"").parse().unwrap()
}

/// `cedar-policy`: one policy for each grant, principals in their roles and departments, tools in their servers.
pub(crate) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    action: EntityUid,
    principals: Vec<EntityUid>,
    tools: Vec<Vec<EntityUid>>,
}

impl Cedar {
    pub(crate) fn new(snapshot: &Snapshot, tool_names: &[String]) -> Cedar {
        let mut text = String::new();
        for grant in snapshot.grants.iter().filter(|grant| grant.when.is_empty()) {
            let (effect, group) = match grant.effect {
                Effect::Deny => ("forbid", format!("Department::\"{}\"", grant.subject.departments[0])),
                _ => ("permit", format!("Role::\"{}\"", grant.subject.roles[0])),
            };
            let server = &grant.servers[0];
            write!(text, "{effect}(principal in {group}, action == Action::\"call\", resource in Server::\"{server}\")").unwrap();
            match prefixes(&grant.tools[0]).as_slice() {
                [""] => text.push_str(";\n"),
                some => {
                    let like: Vec<_> = some.iter().map(|prefix| format!("resource.name like \"{prefix}*\"")).collect();
                    writeln!(text, " when {{ {} }};", like.join(" || ")).unwrap();
                }
            }
        }
        let principals: Vec<EntityUid> = (0..PRINCIPALS).map(|n| uid("User", &format!("user-{n}"))).collect();
        let mut entities: Vec<Entity> = principals
            .iter()
            .enumerate()
            .map(|(n, principal)| {
                let claims = claims(n);
                let roles = claims.roles.iter().map(|role| uid("Role", role));
                let parents = roles.chain([uid("Department", &claims.department)]).collect();
                Entity::new_no_attrs(principal.clone(), parents)
            })
            .collect();
        let tools: Vec<Vec<EntityUid>> = (0..SERVERS)
            .map(|server| tool_names.iter().map(|tool| uid("Tool", &format!("server-{server}/{tool}"))).collect())
            .collect();
        for (server, of_server) in tools.iter().enumerate() {
            for (tool, name) in of_server.iter().zip(tool_names) {
                let attributes = [("name".to_owned(), RestrictedExpression::new_string(name.clone()))];
                let parents = HashSet::from([uid("Server", &format!("server-{server}"))]);
                entities.push(Entity::new(tool.clone(), attributes.into(), parents).unwrap());
            }
        }
        Cedar {
            authorizer: Authorizer::new(),
            policies: text.parse().unwrap(),
            entities: Entities::from_entities(entities, None).unwrap(),
            action: uid("Action", "call"),
            principals,
            tools,
        }
    }

    pub(crate) fn allows(&self, principal: usize, server: usize, tool: usize) -> bool {
        let (principal, resource) = (self.principals[principal].clone(), self.tools[server][tool].clone());
        let request = Request::new(principal, self.action.clone(), resource, Context::empty(), None).unwrap();
        self.authorizer.is_authorized(&request, &self.policies, &self.entities).decision() == Decision::Allow
    }
}
