//! Clients and servers that other people wrote, through the gateway.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::harness::{Gateway, eventually, free_port};

/// Where `tools/test` installed public MCP servers and clients.
fn tools() -> Option<PathBuf> {
    let dir = std::env::var_os("SP_TOOLS_DIR").map(PathBuf::from)?;
    dir.join("installed").exists().then_some(dir)
}

struct Everything(std::process::Child);

impl Drop for Everything {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn everything(tools: &std::path::Path, port: u16) -> Everything {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/demo/loopback.cjs");
    let child = Command::new("node")
        .args(["--require", root])
        .arg(tools.join("bin/mcp-server-everything"))
        .arg("streamableHttp")
        .env("PORT", port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("server-everything listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    Everything(child)
}

/// The sample tree of the repository, with `everything` at another port.
fn sample_services(port: u16) -> Vec<(String, String)> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../services"));
    let mut files = Vec::new();
    for folder in ["mcp", "access", "governance"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap().replace("127.0.0.1:3901", &format!("127.0.0.1:{port}"));
            files.push((format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap()), text));
        }
    }
    files
}

#[test]
fn a_public_sdk_client_calls_public_servers_and_meets_each_layer() {
    let Some(tools) = tools() else {
        println!("skipped: SP_TOOLS_DIR has no public MCP servers; tools/test installs them");
        return;
    };
    let port = free_port();
    let _everything = everything(&tools, port);
    let files = sample_services(port);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = tempfile::tempdir().unwrap();
    let repo = folder.path().join("repo");
    assert!(Command::new("git").args(["init", "-q"]).arg(&repo).status().unwrap().success());
    let mut gateway = Gateway::new(&files, &["--cores", "2"])
        .with_env("SP_FILES_DIR", folder.path().to_str().unwrap())
        .with_env("SP_GIT_DIR", repo.to_str().unwrap());
    gateway.run();
    let token = gateway.token(&["--user", "ann", "--role", "developer"]);
    let calls = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/demo/calls.py");
    let output = Command::new(tools.join("bin/python")).arg(calls).arg(gateway.url()).env("SP_TOKEN", &token).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for layer in ["scope", "secrets", "blocklist", "rate"] {
        assert!(text.contains(&format!("denied by {layer}")), "{text}");
    }
}
