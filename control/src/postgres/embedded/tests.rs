//! Real clusters. Some tests start this test binary again, so that a process can be killed or run as somebody else.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User};

use super::super::Database;
use super::*;

/// A data directory that the server's account can reach, as `sp-dataplane` makes it.
fn data_dir() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("sp-test-").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// Starts one of the `child_…` tests below in a process of its own.
fn child(test: &str, dir: &Path, uid: Option<u32>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("postgres::embedded::tests::{test}"), "--ignored", "--nocapture"]);
    command.env("SP_TEST_DATA_DIR", dir).stdout(Stdio::null());
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    command.spawn().unwrap()
}

fn child_dir() -> PathBuf {
    PathBuf::from(std::env::var_os("SP_TEST_DATA_DIR").unwrap())
}

fn pid_of(state: &EmbeddedState) -> u32 {
    match state {
        EmbeddedState::Running { pid } => *pid,
        state => panic!("{state:?}"),
    }
}

fn alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

async fn one(embedded: &Embedded, sql: &str) -> Result<i64, tokio_postgres::Error> {
    let (client, connection) = embedded.config().connect(NoTls).await?;
    let (row, _) = tokio::join!(async move { client.query_one(sql, &[]).await }, connection);
    row.map(|row| row.get(0))
}

#[tokio::test]
async fn starts_once_keeps_its_data_and_stops() {
    let dir = data_dir();
    let embedded = Embedded::start(dir.path()).await.unwrap();
    let pid = pid_of(&embedded.state().borrow());
    let database = Database::embedded(&embedded).unwrap();
    database.migrate().await.unwrap();
    Database::embedded(&embedded).unwrap().migrate().await.unwrap();
    let client = database.get().await.unwrap();
    client.execute("INSERT INTO role (name, created_by) VALUES ('reader', 'test')", &[]).await.unwrap();
    drop(client);
    let state = embedded.state();
    embedded.stop().await;
    assert_eq!(*state.borrow(), EmbeddedState::Stopped);
    assert!(!alive(pid) && !dir.path().join("postgres/postmaster.pid").exists());

    let embedded = Embedded::start(dir.path()).await.unwrap();
    assert_eq!(one(&embedded, "SELECT count(*) FROM role").await.unwrap(), 1);
    assert!(one(&embedded, "SELECT count(*) FROM pg_roles WHERE rolname = current_user AND rolsuper").await.unwrap() == 0);
    for (path, mode) in [("postgres", 0o700), ("postgres.run", 0o700)] {
        assert_eq!(std::fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777, mode, "{path}");
    }
    embedded.stop().await;
}

#[tokio::test]
async fn a_server_that_is_killed_comes_back() {
    let dir = data_dir();
    let embedded = Embedded::start(dir.path()).await.unwrap();
    let mut state = embedded.state();
    for _ in 0..2 {
        let pid = pid_of(&state.borrow_and_update());
        kill(Pid::from_raw(pid as i32), Signal::SIGKILL).unwrap();
        state.wait_for(|state| matches!(state, EmbeddedState::Running { pid: new } if *new != pid)).await.unwrap();
        assert_eq!(one(&embedded, "SELECT 1::bigint").await.unwrap(), 1);
    }
    embedded.stop().await;
}

#[tokio::test]
async fn a_server_whose_parent_was_killed_is_adopted() {
    let dir = data_dir();
    let mut parent = child("child_starts_and_waits", dir.path(), None);
    let ready = dir.path().join("ready");
    while !ready.exists() {
        assert!(parent.try_wait().unwrap().is_none(), "the child ended");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    parent.kill().unwrap();
    parent.wait().unwrap();

    let embedded = Embedded::start(dir.path()).await.unwrap();
    let pid = pid_of(&embedded.state().borrow());
    assert_eq!(std::fs::read_to_string(&ready).unwrap(), pid.to_string());
    assert_eq!(one(&embedded, "SELECT 1::bigint").await.unwrap(), 1);
    // It is supervised like a child of our own.
    let mut state = embedded.state();
    kill(Pid::from_raw(pid as i32), Signal::SIGKILL).unwrap();
    state.wait_for(|state| matches!(state, EmbeddedState::Running { pid: new } if *new != pid)).await.unwrap();
    let pid = pid_of(&embedded.state().borrow());
    embedded.stop().await;
    assert!(!alive(pid));
}

#[tokio::test]
#[ignore = "started by a_server_whose_parent_was_killed_is_adopted"]
async fn child_starts_and_waits() {
    let dir = child_dir();
    let embedded = Embedded::start(&dir).await.unwrap();
    let temporary = dir.join("ready.new");
    std::fs::write(&temporary, pid_of(&embedded.state().borrow()).to_string()).unwrap();
    std::fs::rename(temporary, dir.join("ready")).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn an_initdb_that_was_cut_short_is_done_again() {
    let dir = data_dir();
    let unfinished = || {
        std::fs::read_dir(dir.path())
            .unwrap()
            .flatten()
            .filter(|e| e.file_name().to_string_lossy().contains("unfinished"))
            .count()
    };
    let mut parent = child("child_starts_and_waits", dir.path(), None);
    while unfinished() == 0 {
        assert!(parent.try_wait().unwrap().is_none(), "the child ended");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert!(!dir.path().join("postgres").exists());

    let embedded = Embedded::start(dir.path()).await.unwrap();
    assert_eq!(one(&embedded, "SELECT 1::bigint").await.unwrap(), 1);
    embedded.stop().await;
    // The killed parent's initdb may have written a little more after its directory went; the next start takes that too.
    let embedded = Embedded::start(dir.path()).await.unwrap();
    embedded.stop().await;
}

#[tokio::test]
async fn long_data_directories_work() {
    let dir = data_dir();
    let long = dir.path().join("d".repeat(60)).join("e".repeat(60));
    std::fs::create_dir_all(&long).unwrap();
    let embedded = Embedded::start(&long).await.unwrap();
    assert_eq!(one(&embedded, "SELECT 1::bigint").await.unwrap(), 1);
    assert!(!embedded.url().contains("eee"), "{}", embedded.url());
    embedded.stop().await;
}

#[tokio::test]
async fn a_directory_that_is_something_else_is_left_alone() {
    let dir = data_dir();
    std::fs::create_dir(dir.path().join("postgres")).unwrap();
    if Uid::effective().is_root() {
        let postgres = User::from_name("nobody").unwrap().unwrap();
        chown(dir.path().join("postgres"), Some(postgres.uid.as_raw()), None).unwrap();
    }
    std::fs::write(dir.path().join("postgres/notes.txt"), "mine").unwrap();
    let error = Embedded::start(dir.path()).await.unwrap_err();
    assert!(matches!(error, PostgresError::NotACluster { .. }), "{error}");
    assert!(dir.path().join("postgres/notes.txt").exists());
}

#[tokio::test]
async fn root_is_told_which_directory_is_closed() {
    if !Uid::effective().is_root() {
        return;
    }
    let dir = data_dir();
    let closed = dir.path().join("closed");
    let data = closed.join("deep/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let error = Embedded::start(&data).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&format!("may not enter `{}`; run `chmod o+x", closed.display())), "{text}");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn runs_as_an_ordinary_user() {
    if !Uid::effective().is_root() {
        return; // Then every other test here does.
    }
    let dir = data_dir();
    let user = User::from_name("nobody").unwrap().unwrap();
    chown(dir.path(), Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    let status = child("child_starts_and_stops", dir.path(), Some(user.uid.as_raw())).wait().unwrap();
    assert!(status.success());
    // Root takes over what an ordinary user made, and runs it as that user.
    let embedded = Embedded::start(dir.path()).await.unwrap();
    assert_eq!(one(&embedded, "SELECT 1::bigint").await.unwrap(), 1);
    embedded.stop().await;
    assert!(child("child_starts_and_stops", dir.path(), Some(user.uid.as_raw())).wait().unwrap().success());
}

#[tokio::test]
#[ignore = "started by runs_as_an_ordinary_user"]
async fn child_starts_and_stops() {
    let embedded = Embedded::start(&child_dir()).await.unwrap();
    assert_eq!(one(&embedded, "SELECT 1::bigint").await.unwrap(), 1);
    embedded.stop().await;
}
