//! The pages of people in a real Chromium, with an authenticator that the browser plays. What people do there stands in the
//! scripts of `tools/browser`; each prints a line for every check, and how many there were.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::{ACCESS, Gateway, OPERATORS, Upstream, echo_server, eventually, first_link, free_port};

/// Where `tools/test` installed Chromium and what drives it. Without them these tests fail: a check that is left out
/// unseen is none.
fn tools() -> PathBuf {
    let cache = || {
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or(home).unwrap().join("sp/tools-1")
    };
    let tools = std::env::var_os("SP_TOOLS_DIR").map_or_else(cache, PathBuf::from);
    let has_browser = tools.join("browser/installed").exists();
    assert!(
        has_browser,
        "no browser in {}: `tools/test` installs one; so does `bash -c '. tools/need; need_browser'`",
        tools.display()
    );
    tools
}

/// Runs a script; every check of it must have passed.
fn script(name: &str, args: &[&str]) -> String {
    let tools = tools();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tools/browser").join(name);
    let mut node = Command::new(tools.join("browser/node"));
    let Output { status, stdout, stderr } = node.arg(path).args(args).env("SP_TOOLS_DIR", &tools).output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success() && text.contains(" 0 failed"), "{text}{}", String::from_utf8_lossy(&stderr));
    text
}

fn address(gateway: &Gateway) -> String {
    format!("http://localhost:{}", gateway.port)
}

/// A link with which this account logs in once.
fn link(gateway: &Gateway, user: &str) -> String {
    let made: Value = serde_json::from_str(&gateway.sp(&["--json", "admin", "users", "link", user])).unwrap();
    made["link"].as_str().unwrap().to_owned()
}

#[test]
fn passkeys_codes_and_passwords_work_in_a_browser() {
    let gateway = Gateway::start(&[("access/access.yaml", OPERATORS)], &["--cores", "2"]);
    script("pages.mjs", &[&address(&gateway), &first_link(&gateway)]);
}

/// From a client that nobody knows to a governed call, and what the audit trail has of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_and_its_person_dance() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
    let gateway = Gateway::start(&services, &["--cores", "2"]);
    gateway.sp(&["admin", "users", "create", "ann", "--role", "developer", "--name", "Ann"]);
    script("dance.mjs", &[&address(&gateway), &link(&gateway, "ann")]);
    gateway.wait_until_shipped();
    let sql = "SELECT count(*) FILTER (WHERE kind = 'decision' AND tool = 'echo' AND verdict = 'allow'),
            count(*) FILTER (WHERE kind = 'login' AND action = 'consent' AND verdict = 'deny'),
            count(*) FILTER (WHERE kind = 'login' AND action = 'consent' AND verdict = 'allow'),
            count(*) FILTER (WHERE kind = 'login' AND action = 'device_answered' AND verdict = 'allow')
        FROM audit_event WHERE user_id = 'ann'";
    let row = gateway.postgres().await.query_one(sql, &[]).await.unwrap();
    assert_eq!([0, 1, 2, 3].map(|column| row.get::<_, i64>(column)), [1, 1, 1, 1], "called, refused, agreed, connected");
}

/// Barriers, widths, both colour schemes. `SP_SCREENSHOTS` is a folder for pictures of every page.
#[test]
fn every_page_is_for_everybody() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let access =
        ACCESS.replace("scopes: [gateway:operate] }\ngrants", "scopes: [gateway:operate, audit:read, tools:call] }\ngrants");
    let provider = "title: Example Company\nissuer: http://127.0.0.1:9\nclient_id: sp\n";
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", &access), ("identity/company.yaml", provider)];
    let gateway = Gateway::start(&services, &["--cores", "2"]);
    gateway.sp(&["admin", "users", "create", "bob", "--role", "developer", "--name", "Bob"]);
    let (first, other) = (first_link(&gateway), link(&gateway, "bob"));
    let folder = std::env::var("SP_SCREENSHOTS").unwrap_or_default();
    let mut args = vec![address(&gateway), first, other];
    args.extend((!folder.is_empty()).then_some(folder));
    script("tour.mjs", &args.iter().map(String::as_str).collect::<Vec<_>>());
}

/// A provider that others wrote; it ends with the test.
struct Provider(std::process::Child);

impl Provider {
    fn start(port: u16, redirect_uri: &str, groups: &std::path::Path) -> Provider {
        let tools = tools();
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tools/browser/provider.mjs");
        let mut node = Command::new(tools.join("browser/node"));
        node.arg(path).args([&port.to_string(), redirect_uri]).arg(groups).env("SP_TOOLS_DIR", &tools);
        let child = node.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        eventually("the provider listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Provider(child)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Groups become roles, at every log-in anew, and the audit trail says who logged in how and who did not.
#[tokio::test(flavor = "multi_thread")]
async fn people_log_in_at_their_provider_and_get_the_roles_of_their_groups() {
    let port = free_port();
    let company = format!(
        "title: Example Company\nissuer: http://127.0.0.1:{port}\nclient_id: sp\nclient_secret: env:COMPANY_SECRET\n\
         scopes: [profile, email, groups]\naccounts: {{ create: true, id_claim: preferred_username }}\n\
         groups: {{ claim: groups, roles: {{ engineering: [developer], platform: [operator] }} }}\n"
    );
    let access = OPERATORS.replace("roles:\n", "roles:\n  developer: { description: Works, scopes: [tools:call] }\n");
    let services = [("access/access.yaml", access.as_str()), ("identity/company.yaml", company.as_str())];
    let mut gateway = Gateway::new(&services, &["--cores", "2"]).with_env("COMPANY_SECRET", "a secret");
    gateway.run();
    let url = address(&gateway);
    let groups = gateway.path("groups.json");
    std::fs::write(&groups, r#"{ "ann": ["engineering", "chess"] }"#).unwrap();
    let _provider = Provider::start(port, &format!("{url}/login/callback/company"), &groups);
    let roles = || {
        let ann: Value = serde_json::from_str(&gateway.sp(&["--json", "admin", "users", "show", "ann"])).unwrap();
        ann["roles"].clone()
    };
    script("federated.mjs", &[&url, "company", "ann"]);
    assert_eq!(roles(), serde_json::json!(["developer"]));
    std::fs::write(&groups, r#"{ "ann": ["platform"] }"#).unwrap();
    script("federated.mjs", &[&url, "company", "ann"]);
    assert_eq!(roles(), serde_json::json!(["operator"]));

    gateway.wait_until_shipped();
    let sql = "SELECT count(*) FILTER (WHERE verdict = 'allow' AND user_id = 'ann' AND detail::text LIKE '%oidc:company%'),
            count(*) FILTER (WHERE verdict = 'deny' AND reason = 'credential_wrong') FROM audit_event WHERE kind = 'login'";
    let row = gateway.postgres().await.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (2, 2), "logged in twice, believed no other issuer twice");
}
