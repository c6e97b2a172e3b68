//! A stdio MCP server that does wrong whatever one can do wrong, on demand: the tests of the supervisor run it.
//!
//! The first argument says how it starts, the name of the tool that is called says what it does then. Run it by hand
//! with `cargo run -p control --example misbehaving_mcp_server -- ok`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program may stop at any surprise")]

use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map_or("ok", String::as_str) {
        "ok" => {}
        "banner" => {
            println!("Misbehaving MCP server v1.0 running on stdio\n\n{{\"not\": \"a message\"}}\r\n[]");
        }
        "die-at-start" => {
            eprintln!("fatal: no configuration");
            std::process::exit(3);
        }
        "flaky" => {
            // Dies as often as there are lines in the file, one line fewer each time.
            let lines = std::fs::read_to_string(&args[1]).unwrap_or_default();
            if let Some((_, rest)) = lines.split_once('\n') {
                std::fs::write(&args[1], rest).unwrap();
                std::process::exit(4);
            }
        }
        "mute" => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        "babble" => loop {
            println!("I am not a server");
        },
        mode => panic!("unknown mode {mode}"),
    }
    serve();
}

/// Answers of the client to our questions, in the order they come.
type Answers = Arc<Mutex<Receiver<Value>>>;

fn serve() {
    let (sender, receiver) = channel();
    let answers: Answers = Arc::new(Mutex::new(receiver));
    let cancelled = Arc::new(Mutex::new(Vec::new()));
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let message: Value = serde_json::from_str(&line).expect("the supervisor sends JSON only");
        handle(message, &sender, &answers, &cancelled);
    }
}

fn handle(message: Value, to_answers: &Sender<Value>, answers: &Answers, cancelled: &Arc<Mutex<Vec<Value>>>) {
    let Some(method) = message["method"].as_str() else {
        to_answers.send(message).unwrap();
        return;
    };
    let id = message["id"].clone();
    match method {
        "initialize" => {
            let version = message["params"]["protocolVersion"].clone();
            let info = json!({"name": "misbehaving", "version": "1"});
            let capabilities = json!({"tools": {"listChanged": true}, "logging": {}});
            result(&id, json!({"protocolVersion": version, "capabilities": capabilities, "serverInfo": info}));
        }
        "notifications/cancelled" => cancelled.lock().unwrap().push(message["params"].clone()),
        "tools/list" if message["params"]["cursor"].is_null() => {
            let tools: Vec<Value> = ["echo", "slow"].into_iter().map(tool).collect();
            result(&id, json!({"tools": tools, "nextCursor": "more"}));
        }
        "tools/list" => {
            let extra = std::env::var("TOOLS_FILE").ok().and_then(|file| std::fs::read_to_string(file).ok());
            let names = extra.unwrap_or_default();
            let tools: Vec<Value> = std::iter::once("die").chain(names.split_whitespace()).map(tool).collect();
            result(&id, json!({"tools": tools}));
        }
        "tools/call" => call(&id, &message["params"], answers, cancelled),
        _ if id.is_null() => {}
        _ => say(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "no such method"}})),
    }
}

fn tool(name: &str) -> Value {
    json!({"name": name, "description": format!("does {name}"), "inputSchema": {"type": "object"}})
}

fn call(id: &Value, params: &Value, answers: &Answers, cancelled: &Arc<Mutex<Vec<Value>>>) {
    let (id, params) = (id.clone(), params.clone());
    let arguments = params["arguments"].clone();
    let number = |key: &str| arguments[key].as_u64().unwrap_or(0);
    match params["name"].as_str().unwrap() {
        "echo" => text(&id, &arguments.to_string()),
        "pid" => text(&id, &std::process::id().to_string()),
        "die" => {
            eprintln!("dying as told");
            std::process::exit(i32::try_from(number("status")).unwrap());
        }
        "abort" => std::process::abort(),
        "never" => {}
        "cancelled" => text(&id, &json!(*cancelled.lock().unwrap()).to_string()),
        "deaf" => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        "long-line" => {
            let (mut out, chunk) = (std::io::stdout().lock(), vec![b'x'; 1 << 16]);
            for _ in 0..number("bytes").div_ceil(1 << 16) {
                out.write_all(&chunk).unwrap();
            }
            writeln!(out).unwrap();
            text(&id, "done");
        }
        "large" => text(&id, &"y".repeat(usize::try_from(number("bytes")).unwrap())),
        "stderr" => {
            for line in 0..number("lines") {
                eprintln!("complaint {line} {}", "z".repeat(20_000));
            }
            text(&id, "done");
        }
        "unknown-answer" => {
            text(&json!("nobody asked"), "surprise");
            text(&id, "done");
        }
        "environment" => {
            let all: serde_json::Map<String, Value> = std::env::vars().map(|(k, v)| (k, v.into())).collect();
            let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
            let open: Vec<String> = files
                .filter_map(|f| Some(format!("{} {}", f.file_name().display(), std::fs::read_link(f.path()).ok()?.display())))
                .collect();
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
            let cwd = std::env::current_dir().unwrap();
            text(&id, &json!({"env": all, "open": open, "status": status, "limits": limits, "cwd": cwd}).to_string());
        }
        "change-tools" => {
            say(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
            text(&id, "done");
        }
        "swarm" => swarm(&id, number("processes")),
        "close-stdout" => {
            // The only safe way to give the descriptor up is to let a program without it replace us.
            use std::os::unix::process::CommandExt;
            panic!("{}", Command::new("sleep").arg("3600").stdout(Stdio::null()).exec());
        }
        name @ ("slow" | "progress" | "log" | "ask" | "flood" | "late" | "ping") => {
            let (name, answers) = (name.to_owned(), Arc::clone(answers));
            std::thread::spawn(move || take_time(&name, &id, &params, &answers));
        }
        _ => say(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32602, "message": "no such tool"}})),
    }
}

fn take_time(name: &str, id: &Value, params: &Value, answers: &Answers) {
    let number = |key: &str| params["arguments"][key].as_u64().unwrap_or(0);
    let pause = Duration::from_millis(number("ms"));
    match name {
        "slow" => std::thread::sleep(pause),
        "progress" => {
            for step in 1..=number("steps") {
                let progress = json!({"progressToken": params["_meta"]["progressToken"], "progress": step});
                say(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress}));
                std::thread::sleep(pause);
            }
        }
        "log" | "flood" => {
            let filler = "f".repeat(usize::try_from(number("bytes")).unwrap());
            for line in 0..number("lines") {
                let log = json!({"level": "info", "data": line, "filler": filler});
                say(&json!({"jsonrpc": "2.0", "method": "notifications/message", "params": log}));
            }
        }
        "ask" | "ping" => {
            let method = if name == "ask" { "elicitation/create" } else { "ping" };
            std::thread::sleep(pause);
            say(&json!({"jsonrpc": "2.0", "id": format!("q{id}"), "method": method, "params": {"message": "name?"}}));
            let answer = answers.lock().unwrap().recv().unwrap();
            return text(id, &answer.to_string());
        }
        "late" => {
            std::thread::sleep(pause);
            return text(id, "too late");
        }
        _ => unreachable!(),
    }
    text(id, "done");
}

/// Starts many processes: half in our group, half in sessions of their own.
fn swarm(id: &Value, processes: u64) {
    let spawn = |program: &str, args: &[&str]| Command::new(program).args(args).stdin(Stdio::null()).spawn().unwrap().id();
    let pids: Vec<u32> = (0..processes)
        .map(|n| if n % 2 == 0 { spawn("sleep", &["3600"]) } else { spawn("setsid", &["sleep", "3600"]) })
        .collect();
    text(id, &json!(pids).to_string());
}

fn text(id: &Value, text: &str) {
    result(id, json!({"content": [{"type": "text", "text": text}]}));
}

fn result(id: &Value, result: Value) {
    say(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
}

/// One line at a time, whichever thread it comes from.
fn say(message: &Value) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{message}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
