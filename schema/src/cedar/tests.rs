//! What is translated, to the letter, and what is refused, with its place.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::services::{SourceFile, parse};

const POLICIES: &str = r#"
// Developers read, but only below the project.
@id("dev-read")
@description("Reading is harmless")
permit (
    principal in Role::"dev",
    action == Action::"tools/call",
    resource == Tool::"files__read_file"
)
when { context.arguments.path like "/srv/data/*" && !(context.arguments.path like "*\*secret*") }
unless { context.arguments has hidden && context.arguments.hidden };

@id("eng")
permit (principal, action in [Action::"tools/call", Action::"tools/list"], resource in Server::"git")
when { principal.department == "eng" && ["acme", "bolt"].contains(principal.tenant) && principal in Role::"dev" };

permit (principal == User::"ann", action == Action::"tools/call", resource is Tool in Server::"db")
when {
    (10 > context.arguments.limit && context.arguments.limit >= -1 || context.arguments.dry_run == true)
    && ["eu", "us"].contains(context.arguments.region)
    && context.arguments.tags.containsAny(["a", "b"])
    && context.arguments["odd name"].inner != "x"
    && ip(context.arguments.host).isInRange(ip("10.0.0.0/8"))
};

forbid (principal, action == Action::"tools/call", resource)
unless { ip(context.arguments.host).isInRange(ip("10.0.0.0/8")) };

@id("nobody")
forbid (principal == Agent::"rogue", action, resource);
"#;

#[test]
fn the_subset_is_translated_to_the_letter() {
    let text = translate(POLICIES).unwrap();
    insta::assert_snapshot!(text);
    let files = ["files", "git", "db"].map(|server| SourceFile {
        path: PathBuf::from(format!("mcp/{server}.yaml")),
        text: "transport: {http: {url: 'http://h/'}}\n".to_owned(),
    });
    let roles = SourceFile { path: "access/roles.yaml".into(), text: "roles: {dev: {}}\n".to_owned() };
    let grants = SourceFile { path: "access/cedar.yaml".into(), text };
    let mut all = files.to_vec();
    all.extend([roles, grants]);
    assert_eq!(parse(Path::new("s"), &all).map(|services| services.grants.len()), Ok(5));
}

#[test]
fn nothing_is_half_understood() {
    let call = |when: &str| format!("permit (principal, action == Action::\"tools/call\", resource)\nwhen {{ {when} }};");
    let forbid = |clause: &str| format!("forbid (principal, action == Action::\"tools/call\", resource)\n{clause};");
    for (text, begins, mentions) in [
        ("permit", "1:7: ", "expected `(`, found the end of the file"),
        ("allow (principal, action, resource);", "1:1: ", "expected `permit` or `forbid`"),
        ("permit (principal, action, resource)", "1:37: ", "expected `;`"),
        ("permit (principal, action);", "1:26: ", "expected `,`"),
        ("permit (principal == ?principal, action, resource);", "1:22: ", "templates"),
        ("permit (principal is User, action, resource);", "1:9: ", "`principal is …`"),
        ("permit (principal == Group::\"x\", action, resource);", "1:22: ", "expected `User` or `Agent`"),
        ("permit (principal in [Role::\"x\", Tenant::\"y\"], action, resource);", "1:34: ", "in one list"),
        ("permit (principal in [], action, resource);", "1:9: ", "names nobody"),
        ("permit (principal, action in Action::\"read\", resource);", "1:30: ", "groups of actions"),
        ("permit (principal, action == Verb::\"read\", resource);", "1:30: ", "no action"),
        ("permit (principal, action, resource == Tool::\"read\");", "1:40: ", "named with its server"),
        ("permit (principal, action, resource == Tool::\"f__r\");", "1:20: ", "the action is"),
        ("permit (principal, action == Action::\"tools/list\", resource is Tool);", "1:20: ", "tools are called"),
        ("permit (principal, action, resource in Folder::\"f\");", "1:40: ", "`Folder`"),
        ("permit (principal, action, resource is Folder);", "1:28: ", "`resource is Folder`"),
        ("@id(\"\") permit (principal, action, resource);", "1:2: ", ""),
        ("@id(\"a\") @id(\"b\") permit (principal, action, resource);", "1:11: ", "two `@id`"),
        (
            "@id(\"a\") permit (principal, action, resource); @id(\"a\") forbid (principal, action, resource);",
            "1:48: ",
            "called `a` too",
        ),
        ("permit (principal, action, resource) when { context.arguments.n < 5 };", "1:20: ", "must name its action"),
        (
            "permit (principal in Role::\"a\", action, resource) when { principal in Role::\"b\" };",
            "1:58: ",
            "second condition on roles",
        ),
        ("permit (principal, action, resource) when { \"x };", "1:45: ", "no end"),
        ("permit (principal, action, resource) when { $ };", "1:45: ", "`$` means nothing"),
        (&call("if true then true else false"), "2:8: ", "`if"),
        (&call("context.arguments.n + 1 < 5"), "2:28: ", "arithmetic (`+`)"),
        (&call("context.arguments.n < \"5\""), "2:30: ", "compares numbers"),
        (&call("1 < 2 < 3"), "2:14: ", "compares two values"),
        (&call("1 < 2"), "2:8: ", "two constants"),
        (&call("context.arguments.a == context.arguments.b"), "2:31: ", "to compare with"),
        (&call("context.time > 5"), "2:8: ", "only `context.arguments`"),
        (&call("principal.level > 5"), "2:8: ", "`principal.level`"),
        (&call("resource.owner == \"x\""), "2:8: ", "`resource`"),
        (&call("false"), "2:1: ", "never holds"),
        (&call("true || context.arguments.x"), "2:8: ", "always or never"),
        (&call("resource in Server::\"x\""), "2:8: ", "`in` is translated in heads"),
        (&call("context.arguments.x is Folder"), "2:28: ", "`is` is translated in heads"),
        (&call("{a: 1} == {a: 1}"), "2:8: ", "records"),
        (&call("decimal(\"1.0\").lessThan(decimal(\"2.0\"))"), "2:8: ", "`.lessThan(…)`"),
        (&call("context.arguments.x.contains(context.arguments.y)"), "2:37: ", "expected a text"),
        (&call("[].contains(context.arguments.x)"), "2:8: ", "empty list"),
        (&call("context.arguments.x like \"\""), "2:8: ", "empty text"),
        (&call("context.arguments.x like \"\\q\""), "2:33: ", "escape means nothing"),
        (&call("context.arguments has \"0\""), "2:8: ", "called `0`"),
        (&call("context.arguments[\"*\"] == 1"), "2:8: ", "called `*`"),
        (&call("!ip(context.arguments.h).isInRange(ip(\"10.0.0.0/8\"))"), "2:9: ", "negated"),
        (&call("!context.arguments.list.isEmpty()"), "2:9: ", "negated"),
        (&call("99999999999999999999 < context.arguments.n"), "2:8: ", "too large"),
        (&call(&format!("{}context.arguments.x{}", "(".repeat(40), ")".repeat(40))), "2:", "deep"),
        (&call(&format!("{}context.arguments.x", "!".repeat(40))), "2:", "too many `!`"),
        (&call(&format!("context.arguments{}", ".x".repeat(40))), "2:", "attributes one within"),
        (&forbid("unless { principal in Role::\"x\" }"), "2:10: ", "`in` is translated in heads"),
    ] {
        let problem = translate(text).unwrap_err().to_string();
        assert!(
            problem.starts_with(begins) && problem.contains(mentions),
            "{text}\nfound {problem}\nexpected {begins}… {mentions}"
        );
    }
    assert!(translate("").unwrap().ends_with("grants: []\n"));
    assert!(translate("// nothing\n").is_ok());
    assert!(translate(&" ".repeat(TEXT_BYTES_MAX + 1)).is_err());
}

proptest! {
    #[test]
    fn any_text_is_translated_or_refused(text in r#"(permit|forbid|\(|\)|principal|action|resource|==|in|is|,|;|when|unless|\{|\}|Role::"x"|Action::"tools/call"|context\.arguments\.a|<|5|"t"|!|&&|\|\||\[|\]|\.contains|@id\("x"\)| |\n|//|\\|é){0,40}"#) {
        if let Ok(yaml) = translate(&text) {
            prop_assert!(crate::services::Node::parse(&yaml).is_ok(), "{}", yaml);
        }
    }
}
