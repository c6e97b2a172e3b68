//! `sp cloud auth` and `sp admin session` as somebody uses them at a terminal that is elsewhere: without the data directory.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::harness::eventually;

/// A machine of somebody who operates the gateway from elsewhere.
struct Terminal {
    home: tempfile::TempDir,
}

impl Terminal {
    fn new() -> Terminal {
        Terminal { home: tempfile::tempdir().unwrap() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sp"));
        command.args(args).env_clear().env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin").env("BROWSER", "true");
        // Nobody's gateway runs from there.
        command.env("XDG_DATA_HOME", self.home.path().join("data")).stdin(Stdio::null());
        command
    }

    fn sp(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.command(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }

    fn json(&self, args: &[&str]) -> Value {
        let (code, out, err) = self.sp(&[&["--json"], args].concat());
        assert_eq!(code, 0, "{args:?}: {err}");
        serde_json::from_str(&out).unwrap()
    }

    /// Begins, and gives what is printed for the person up to the line that this finds something in.
    fn begin<T>(&self, args: &[&str], find: impl Fn(&str) -> Option<T>) -> (Child, T) {
        let mut child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let found = lines.map_while(Result::ok).find_map(|line| find(&line));
        (child, found.expect("what a person needs is printed"))
    }

    fn profile(&self, name: &str, text: &str) {
        let dir = self.home.path().join(".config/sp/profiles");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(format!("{name}.yaml")), text).unwrap();
    }

    /// The tokens as they are kept where there is no keyring.
    fn kept(&self) -> Value {
        use std::os::unix::fs::MetadataExt as _;
        let entries = std::fs::read_dir(self.home.path().join(".config/sp/sessions")).unwrap();
        let files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        let file = files.iter().find(|path| path.extension().is_some_and(|extension| extension == "json")).unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }
}

/// A scene with somebody who may operate, whose tokens live so long.
async fn scene(life_s: &str) -> (Scene, String) {
    let scene = Scene::start_with(&["--access-token-life", life_s]).await;
    scene.gateway.sp(&["admin", "users", "create", "ops", "--role", "operator"]);
    let (cookie, _) = scene.log_in("ops").await;
    (scene, cookie)
}

fn ended(mut child: Child) -> (i32, String) {
    let status = eventually("the log-in ends", || child.try_wait().unwrap());
    let out = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
    (status.code().unwrap_or(-1), out)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_browser_logs_in_stays_so_and_logs_out() {
    let (scene, cookie) = scene("2").await;
    let terminal = Terminal::new();
    let (code, _, err) = terminal.sp(&["--url", &scene.issuer, "infra", "services", "list"]);
    assert!(code == 3 && err.contains("sp cloud auth login"), "{err}");

    let find = |line: &str| line.split_once("type the code ").map(|(_, code)| code.trim().to_owned());
    let (child, user_code) = terminal.begin(&["cloud", "auth", "login", "--device", "--url", &scene.issuer], find);
    let csrf = Scene::csrf(&cookie);
    let page = scene.form("/device", Some(&cookie), &[("user_code", &user_code), ("csrf", &csrf)]).await;
    assert!(page.text.contains(&user_code) && page.text.contains("gateway:operate"), "{page:?}");
    let allow = [("user_code", user_code.as_str()), ("csrf", csrf.as_str()), ("decision", "allow")];
    assert_eq!(scene.form("/device", Some(&cookie), &allow).await.status, StatusCode::OK);
    let (code, out) = ended(child);
    assert!(code == 0 && out.contains("ops at "), "{out}");

    // What was logged in to is what commands mean now, and `show` says why.
    let shown = terminal.json(&["admin", "session", "show"]);
    assert_eq!((&shown["case"], &shown["user"], &shown["issuer"]), (&json!("session"), &json!("ops"), &json!(scene.issuer)));
    assert_eq!(shown["kept_in"], "file");
    let first = terminal.kept();
    let (access, refresh) =
        (first["tokens"]["access_token"].as_str().unwrap(), first["tokens"]["refresh_token"].as_str().unwrap());
    // The token is over; commands go on without a word.
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    crate::harness::until_reason(&scene.gateway.endpoint("sp"), access, &list, "token_expired").await;
    let (code, out, err) = terminal.sp(&["infra", "services", "list"]);
    assert!(code == 0 && out.contains("echo") && err.is_empty(), "{err}");
    assert_ne!(terminal.kept()["tokens"]["refresh_token"], refresh, "it is good once");
    // Two at once do not show the same refresh token.
    let both: Vec<Child> = (0..4)
        .map(|_| terminal.command(&["cloud", "auth", "whoami"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
        .collect();
    assert!(both.into_iter().map(ended).all(|(code, out)| code == 0 && out.starts_with("ops at ")));

    let last = terminal.kept()["tokens"].clone();
    let (code, _, err) = terminal.sp(&["cloud", "auth", "logout"]);
    assert_eq!(code, 0, "{err}");
    let answer = post(&scene.gateway.endpoint("sp"), last["access_token"].as_str(), &list).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    let (client_id, refresh) = (first["client_id"].as_str().unwrap(), last["refresh_token"].as_str().unwrap());
    let pairs = [("grant_type", "refresh_token"), ("client_id", client_id), ("refresh_token", refresh)];
    assert_eq!(scene.form("/oauth/token", None, &pairs).await.error(), "invalid_grant");
    assert_eq!(terminal.json(&["admin", "session", "show"])["case"], "bootstrap", "nothing is left");
    assert_eq!(terminal.sp(&["cloud", "auth", "whoami", "--url", &scene.issuer]).0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_logs_in_and_profiles_are_switched() {
    let (scene, cookie) = scene("3600").await;
    let terminal = Terminal::new();
    terminal.profile("prod", &format!("gateway: {}/\n", scene.issuer));
    terminal.profile("broken", "gateway: http://localhost\nlissten: 127.0.0.1:1\n");

    let find = |line: &str| line.starts_with("http").then(|| line.trim().to_owned());
    let (child, address) = terminal.begin(&["cloud", "auth", "login", "--profile", "prod"], find);
    let asked = url::Url::parse(&address).unwrap();
    let param = |name: &str| asked.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap();
    assert_eq!(param("code_challenge_method"), "S256");
    let redirect = param("redirect_uri");
    assert!(redirect.starts_with("http://127.0.0.1:"), "RFC 8252 section 7.3: {redirect}");
    // What is not the answer to what was asked changes nothing (RFC 9700 section 4.7).
    let stray = client().get(format!("{redirect}?code=stolen&state=other").parse().unwrap()).await.unwrap();
    assert_eq!(stray.status(), StatusCode::NOT_FOUND);
    let path = format!("{}?{}", asked.path(), asked.query().unwrap());
    let page = scene.get(&path, Some(&cookie)).await;
    assert!(page.status == StatusCode::OK && page.text.contains("name=\"csrf\""), "{page:?}");
    let csrf = Scene::csrf(&cookie);
    let mut pairs: Vec<(String, String)> = asked.query_pairs().into_owned().collect();
    pairs.extend([("csrf".to_owned(), csrf), ("decision".to_owned(), "allow".to_owned())]);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let agreed = scene.form("/oauth/consent", Some(&cookie), &pairs).await;
    assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{agreed:?}");
    let answer = client().get(agreed.header("location").parse().unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let (code, out) = ended(child);
    assert!(code == 0 && out.contains("ops at "), "{out}");
    assert_eq!(terminal.kept()["profile"], "prod");

    // The four cases, and which of them won.
    let case = |args: &[&str], variable: Option<&str>| -> String {
        let mut command = terminal.command(&[&["--json", "admin", "session", "show"], args].concat());
        command.envs(variable.map(|name| ("SP_PROFILE", name)));
        let shown: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        format!("{} {}", shown["case"].as_str().unwrap(), shown["name"].as_str().unwrap())
    };
    terminal.profile("other", "gateway: http://localhost:1\n");
    assert_eq!(case(&["--profile", "other"], Some("prod")), "flag other");
    assert_eq!(case(&[], Some("other")), "environment other");
    assert_eq!(case(&[], None), "session prod");
    assert_eq!(terminal.json(&["admin", "session", "switch", "other"])["active"], "other");
    assert_eq!(case(&[], None), "session other");
    let (code, _, err) = terminal.sp(&["infra", "services", "list"]);
    assert!(code == 3 && err.contains("sp cloud auth login --profile other"), "tokens are for their profile alone: {err}");
    assert_eq!(terminal.json(&["admin", "session", "switch", "--local"])["active"], "local");
    assert_eq!(case(&[], None), "bootstrap local");
    assert_eq!(case(&["--profile", "prod"], None), "flag prod");
    assert_eq!(terminal.sp(&["--profile", "prod", "infra", "services", "list"]).0, 0);
    let (code, _, err) = terminal.sp(&["admin", "session", "switch", "broken"]);
    assert!(code == 1 && err.contains("broken.yaml:2:1: `lissten` is not known here"), "{err}");
    let (code, _, err) = terminal.sp(&["--profile", "nosuch", "infra", "services", "list"]);
    assert!(code == 4 && err.contains("there are: broken, other, prod"), "{err}");

    let list = terminal.json(&["admin", "session", "list"]);
    let names: Vec<&str> = list["sessions"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["local", "broken", "other", "prod"]);
    assert_eq!((&list["sessions"][0]["active"], &list["sessions"][3]["user"]), (&json!("*"), &json!("ops")));

    // The key of its token is revoked long before the token is over; commands go on without a word.
    let refused = terminal.kept()["tokens"]["access_token"].clone();
    scene.gateway.sp(&["admin", "signing", "rotate", "--revoke-old", "--yes"]);
    let (code, out, err) = terminal.sp(&["--profile", "prod", "infra", "services", "list"]);
    assert!(code == 0 && out.contains("echo") && err.is_empty(), "{err}");
    assert_ne!(terminal.kept()["tokens"]["access_token"], refused);

    // A log-in that an operator ended is over here too.
    scene.gateway.sp(&["admin", "sessions", "revoke", "--user", "ops"]);
    let (code, _, err) = terminal.sp(&["--profile", "prod", "infra", "services", "list"]);
    assert!(code == 3 && err.contains("sp cloud auth login --profile prod"), "{err}");
    let (code, _, err) = terminal.sp(&["cloud", "auth", "whoami", "--profile", "prod"]);
    assert!(code == 1 && err.contains("sp cloud auth login --profile prod"), "{err}");
}

/// A program that shows the code to its person may stop to listen then.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_goes_on_when_nobody_reads_what_it_says() {
    let (scene, cookie) = scene("3600").await;
    let terminal = Terminal::new();
    let mut login = terminal.command(&["cloud", "auth", "login", "--device", "--url", &scene.issuer]);
    let mut child = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let database = scene.gateway.postgres().await;
    let user_code = loop {
        if let Some(row) = database.query_opt("SELECT user_code FROM device_authorization", &[]).await.unwrap() {
            break row.get::<_, String>(0);
        }
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it asked");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let csrf = Scene::csrf(&cookie);
    let allow = [("user_code", user_code.as_str()), ("csrf", csrf.as_str()), ("decision", "allow")];
    assert_eq!(scene.form("/device", Some(&cookie), &allow).await.status, StatusCode::OK);
    let (code, out) = ended(child);
    assert!(code == 0 && out.contains("ops at "), "{code}: {out}");
}

/// The keyring of a desktop, as `secret-tool` speaks to it; this one keeps secrets in a folder.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_in_the_keyring_where_there_is_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let (scene, cookie) = scene("3600").await;
    let terminal = Terminal::new();
    let bin = terminal.home.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let tool = bin.join("secret-tool");
    let script = "#!/bin/sh\nset -e\nfor last; do :; done\nfile=$HOME/secret-$last\ncase $1 in\n  store) cat > $file;;\n  \
                  lookup) cat $file;;\n  clear) rm $file;;\nesac\n";
    std::fs::write(&tool, script).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let with_keyring = |mut command: Command| {
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
        command
    };
    let login = terminal.command(&["cloud", "auth", "login", "--device", "--url", &scene.issuer]);
    let mut child = with_keyring(login).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let user_code = lines.filter_map(|line| Some(line.split_once("type the code ")?.1.trim().to_owned())).next().unwrap();
    let csrf = Scene::csrf(&cookie);
    let allow = [("user_code", user_code.as_str()), ("csrf", csrf.as_str()), ("decision", "allow")];
    assert_eq!(scene.form("/device", Some(&cookie), &allow).await.status, StatusCode::OK);
    assert_eq!(ended(child).0, 0);
    assert_eq!(terminal.kept()["tokens"], Value::Null, "no token in the file");
    let run = |args: &[&str]| with_keyring(terminal.command(args)).output().unwrap();
    assert!(run(&["infra", "services", "list"]).status.success());
    assert!(run(&["cloud", "auth", "logout"]).status.success());
    let left = std::fs::read_dir(terminal.home.path()).unwrap();
    assert!(!left.filter_map(Result::ok).any(|entry| entry.file_name().to_string_lossy().starts_with("secret-")), "forgotten");
}
