//! A disk that fills up: calls are denied with a reason while it is full, go on by themselves when there is space again, and
//! nothing that was acknowledged is lost.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::{ACCESS, Gateway, Upstream, echo_server, eventually, post, readiness, tool_call};

/// LIMIT: smaller than one segment, so that it is the disk that ends and not the journal's own budget.
const DISK: &str = "size=6m";

/// A file system of its own for a directory, while this value lives.
struct Mount(std::path::PathBuf);

impl Mount {
    /// `None` where this process may not mount.
    fn over(dir: &Path) -> Option<Mount> {
        std::fs::create_dir_all(dir).unwrap();
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(dir).status();
        mounted.is_ok_and(|status| status.success()).then(|| Mount(dir.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: the process may still be ending.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Takes all the space there is.
fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).unwrap();
    for part in [vec![7; 64 << 10], vec![7; 256], vec![7; 1]] {
        while file.write_all(&part).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_denies_with_a_reason_and_recovers_by_itself() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
    let mut gateway = Gateway::new(&services, &["--cores", "1"]);
    let Some(_mount) = Mount::over(&gateway.data_dir().join("journal")) else {
        println!("skipped: a size-limited file system cannot be mounted here; run this test as root");
        return;
    };
    gateway.run();
    let token = gateway.token(&["--user", "ann", "--role", "developer"]);
    let endpoint = gateway.endpoint("echo");
    let call = async |message: String| post(&endpoint, Some(&token), &tool_call("echo", json!({ "message": message }))).await;
    let mut done = 0;
    for n in 0..50 {
        let answer = call(format!("before {n}")).await;
        assert_eq!(answer.body["result"]["content"][0]["text"], format!("before {n}"), "{answer:?}");
        done += 1;
    }
    for round in 0..2 {
        let filler = gateway.data_dir().join("journal/filler");
        fill(&filler);
        // What is left of the last page takes a few more.
        let mut denied = 0;
        for n in 0..400 {
            let answer = call(format!("full {n} {}", "x".repeat(200))).await;
            if answer.body["result"].is_object() {
                assert_eq!(denied, 0, "it went on while the disk was full: {answer:?}");
                done += 1;
                continue;
            }
            assert!(answer.body.to_string().contains("journal_unavailable"), "{answer:?}");
            denied += 1;
            if denied == 20 {
                break;
            }
        }
        assert_eq!(denied, 20, "round {round}: the disk was never full");
        assert_eq!(readiness(&gateway)["status"], "degraded", "{}", readiness(&gateway));

        std::fs::remove_file(&filler).unwrap();
        // By itself: nobody restarts anything.
        let recovered = async {
            loop {
                let answer = call("after".to_owned()).await;
                if answer.body["result"].is_object() {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(crate::harness::PATIENCE, recovered).await.expect("calls go on");
        done += 1;
        eventually("readiness says ready", || (readiness(&gateway)["status"] == "ready").then_some(()));
    }
    gateway.wait_until_shipped();
    let client = gateway.postgres().await;
    let sql = "SELECT count(*), count(DISTINCT call) FROM audit_event d WHERE kind = 'decision' AND server = 'echo' AND tool = 'echo' \
               AND verdict = 'allow' AND EXISTS (SELECT FROM audit_event o WHERE o.call = d.call AND o.kind = 'outcome')";
    let row = client.query_one(sql, &[]).await.unwrap();
    let (stored, calls): (i64, i64) = (row.get(0), row.get(1));
    println!("acknowledged {done} stored {stored}");
    // A call may have been recorded and then denied because its outcome found no space; it was never acknowledged.
    assert!(stored >= done && stored == calls, "acknowledged {done}, stored {stored}, distinct {calls}");
    assert!(gateway.sp(&["infra", "logs", "verify"]).contains("verified:"));
}
