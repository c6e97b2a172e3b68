//! Policy that comes from the database: roles, grants, bans and revocations, as they are written.

use serde_json::json;

use crate::harness::{ACCESS, Gateway, Upstream, echo_server, page, post, reason, tool_call, until_reason};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_says_comes_into_force_and_ends_by_itself() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
    let gateway = Gateway::start(&services, &["--cores", "2"]);
    let endpoint = gateway.endpoint("echo");
    let call = tool_call("echo", json!({"message": "x"}));
    let ann = gateway.token(&["--user", "ann", "--role", "developer", "--session", "s-ann"]);
    let carol = gateway.token(&["--user", "carol", "--role", "helper"]);
    let client = gateway.postgres().await;
    let sql = async |text: &str| client.batch_execute(text).await.unwrap();
    let expect = async |token: &str, wanted: &str| until_reason(&endpoint, token, &call, wanted).await;
    expect(&ann, "").await;
    expect(&carol, "not_granted").await;

    sql("INSERT INTO ban (kind, subject, created_by) VALUES ('user', 'ann', 'test')").await;
    expect(&ann, "banned").await;
    sql("DELETE FROM ban").await;
    expect(&ann, "").await;
    sql("INSERT INTO ban (kind, subject, until, created_by) VALUES ('address', '127.0.0.0/8', now() + interval '2 s', 'test')")
        .await;
    expect(&ann, "banned").await;
    expect(&ann, "").await;

    // A role and a grant that stand in no file; deny beats allow.
    sql("INSERT INTO role (name, scopes, created_by) VALUES ('helper', '{help:out}', 'test')").await;
    sql("INSERT INTO access_grant (id, principal_kind, principal, server, tool, effect, scopes, created_by)
         VALUES ('00000000-0000-4000-8000-000000000001', 'role', 'helper', 'echo', 'ec*', 'allow', '{help:out}', 'test')")
    .await;
    expect(&carol, "").await;
    sql("INSERT INTO access_grant (id, principal_kind, principal, server, effect, expires_at, created_by)
         VALUES ('00000000-0000-4000-8000-000000000002', 'user', 'carol', '*', 'deny', now() + interval '2 s', 'test')")
    .await;
    expect(&carol, "grant_denies").await;
    // What ends needs nobody to say so.
    expect(&carol, "").await;

    sql("INSERT INTO revocation (kind, subject, created_by) VALUES ('session', 's-ann', 'test')").await;
    expect(&ann, "token_revoked").await;
    let again = gateway.token(&["--user", "ann", "--role", "developer"]);
    expect(&again, "").await;
    // Policy that comes from elsewhere costs the sessions of others nothing.
    assert_eq!(reason(&post(&endpoint, Some(&carol), &call).await), "");
    assert!(page(&gateway, "/metrics").contains("sp_policy_generation"));
}
