//! The question asked of `regorus`, in the words in which it is meant to be used.

use std::collections::BTreeMap;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};
use serde_json::json;
use wire::snapshot::{Effect, Snapshot};

use crate::estate::{PRINCIPALS, claims};
use crate::prefixes;

/// `regorus`: what roles give and departments take as data, one rule over them, compiled for its virtual machine.
pub(crate) struct Rego {
    machine: RegoVM,
    inputs: Vec<(String, String, String)>,
}

const RULE: &str = r#"
package calls
default allow := false
allow if { given; not taken }
given if {
    some role in data.users[input.user].roles
    some prefix in data.gives[role][input.server]
    startswith(input.tool, prefix)
}
taken if {
    some prefix in data.takes[data.users[input.user].department][input.server]
    startswith(input.tool, prefix)
}
"#;

impl Rego {
    /// `inputs` are the questions that will be asked, in turn.
    pub(crate) fn new(snapshot: &Snapshot, inputs: Vec<(String, String, String)>) -> Rego {
        let mut data = json!({ "users": {}, "gives": {}, "takes": {} });
        for n in 0..PRINCIPALS {
            let claims = claims(n);
            data["users"][&claims.sub] = json!({ "roles": claims.roles, "department": claims.department });
        }
        for grant in snapshot.grants.iter().filter(|grant| grant.when.is_empty()) {
            let (table, group) = match grant.effect {
                Effect::Deny => ("takes", &grant.subject.departments[0]),
                _ => ("gives", &grant.subject.roles[0]),
            };
            let slot = &mut data[table][group][&grant.servers[0]];
            let known = slot.as_array().cloned().unwrap_or_default();
            let more = prefixes(&grant.tools[0]).into_iter().map(Into::into);
            *slot = known.into_iter().chain(more).collect();
        }
        let entry: regorus::Rc<str> = regorus::Rc::from("data.calls.allow");
        let mut engine = Engine::new();
        engine.add_policy("calls.rego".to_owned(), RULE.to_owned()).unwrap();
        let compiled = engine.compile_with_entrypoint(&entry).unwrap();
        let program = Compiler::compile_from_policy(&compiled, &[&*entry]).unwrap();
        let mut machine = RegoVM::new();
        machine.load_program(program);
        machine.set_data(Value::from_json_str(&data.to_string()).unwrap()).unwrap();
        Rego { machine, inputs }
    }

    pub(crate) fn allows(&mut self, check: usize) -> bool {
        let (user, server, tool) = &self.inputs[check % self.inputs.len()];
        let input = [("user", user), ("server", server), ("tool", tool)];
        let members: BTreeMap<Value, Value> =
            input.into_iter().map(|(key, value)| (Value::from(key), Value::from(value.as_str()))).collect();
        self.machine.set_input(Value::from(members));
        self.machine.execute().unwrap() == Value::from(true)
    }
}
