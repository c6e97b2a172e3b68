//! What a well-behaved server and any client get: the transport of 2025-11-25.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn requests_are_refused_for_what_they_are() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    let none = bench.client();
    let mut stranger = bench.client();
    stranger.session = Some("0".repeat(32));
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
    for (client, method, body, header, status, expect) in [
        (&none, "POST", ping, None, 400, "Mcp-Session-Id is missing"),
        (&none, "POST", note, None, 400, "Mcp-Session-Id is missing"),
        (&stranger, "POST", ping, None, 404, "no such session"),
        (&stranger, "POST", note, None, 404, "no such session"),
        (&stranger, "GET", "", None, 404, "no such session"),
        (&stranger, "DELETE", "", None, 404, "no such session"),
        (&none, "GET", "", None, 400, "Mcp-Session-Id is missing"),
        (&none, "DELETE", "", None, 400, "Mcp-Session-Id is missing"),
        (&client, "PUT", "", None, 405, "use POST, GET or DELETE"),
        (&client, "POST", "{", None, 400, "not JSON"),
        (&client, "POST", "\u{feff}{}", None, 400, "not JSON"),
        (&client, "POST", "[]", None, 400, "batches"),
        (&client, "POST", "{}", None, 400, "`jsonrpc`"),
        (&client, "POST", r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, None, 400, "`id` must be"),
        (&client, "POST", r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, None, 400, "initialized already"),
        (&client, "POST", ping, Some(("content-type", "text/plain")), 415, "application/json"),
        (&client, "POST", ping, Some(("accept", "text/html")), 406, "accept"),
        (&client, "GET", "", Some(("accept", "application/json")), 406, "accept text/event-stream"),
        (&client, "GET", "", Some(("last-event-id", "77-1")), 400, "Last-Event-ID is unknown"),
        (&client, "GET", "", Some(("last-event-id", "garbage")), 400, "Last-Event-ID is unknown"),
        (&client, "POST", ping, Some(("mcp-protocol-version", "1999-01-01")), 400, "unsupported MCP-Protocol-Version"),
        (&client, "POST", ping, Some(("mcp-protocol-version", "2026-07-28")), 400, "unsupported MCP-Protocol-Version"),
    ] {
        let mut request = client.request(method, body);
        if let Some((name, value)) = header {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let reply = client.send(request).await;
        let seen = reply.status.as_u16();
        let message = reply.json().await["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(seen, status, "{method} {body}: {message}");
        assert!(message.contains(expect), "{method} {body}: {message}");
    }
    let large = client.request("POST", vec![b' '; limits::REQUEST_BYTES_MAX + 1]);
    assert_eq!(client.send(large).await.status, 413);
    assert_eq!(client.text("echo", json!({"still": "there"})).await, r#"{"still":"there"}"#);
    bench.stop().await;
}

#[tokio::test]
async fn answers_come_in_the_form_that_suits_them() {
    let bench = Bench::with("ok", |_| ()).await;
    let mut client = bench.client().open().await;
    for (accept, tool, arguments, kind) in [
        ("application/json, text/event-stream", "slow", json!({"ms": 200}), "text/event-stream"),
        ("application/json, text/event-stream", "progress", json!({"steps": 1}), "text/event-stream"),
        ("application/json", "slow", json!({"ms": 200}), "application/json"),
        ("application/json", "progress", json!({"steps": 1}), "application/json"),
        ("text/event-stream", "echo", json!({}), "text/event-stream"),
        ("*/*", "slow", json!({"ms": 200}), "text/event-stream"),
    ] {
        client.accept = accept;
        let reply = client.call(tool, arguments).await;
        assert_eq!((reply.status.as_u16(), reply.kind()), (200, kind), "{accept} {tool}");
        assert!(reply.answer().await["result"].is_object(), "{accept} {tool}");
    }
    // An answer that is quick is plain JSON; on a busy machine one of several is.
    client.accept = "application/json, text/event-stream";
    let mut plain = false;
    for _ in 0..20 {
        plain |= client.call("echo", json!({})).await.kind() == "application/json";
    }
    assert!(plain);
    bench.stop().await;
}

#[tokio::test]
async fn messages_pass_as_they_are() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    // Line breaks between tokens, escapes, and an order of keys that no map would keep.
    let text = "{\r\n \"params\": {\"name\":\"echo\",\n\"arguments\":{\"z\":1e2,\"a\":\"\\u00e9\\n\"}},\n\"method\":\"tools/call\",\"jsonrpc\":\"2.0\",\"id\":\"x \\\" y\"}\n";
    let answer = client.send(client.request("POST", text)).await.answer().await;
    assert_eq!(answer["id"], "x \" y");
    let echoed: Value = serde_json::from_str(answer["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(echoed, json!({"z": 100.0, "a": "é\n"}));
    bench.stop().await;
}

#[tokio::test]
async fn progress_and_logs_precede_the_answer_of_their_call() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    let mut listening = client.get(None).await.events();
    let (one, two) = tokio::join!(
        client.call_with(1, "progress", json!({"steps": 3, "ms": 20})),
        client.call_with(2, "progress", json!({"steps": 3, "ms": 20})),
    );
    for (id, reply) in [(1, one), (2, two)] {
        let messages = reply.events().rest().await;
        let steps: Vec<_> =
            messages.iter().map(|m| (m["params"]["progressToken"].clone(), m["params"]["progress"].clone())).collect();
        let token = json!(format!("t{id}"));
        let expect: Vec<_> = (1..=3).map(|n| (token.clone(), json!(n))).chain([(Value::Null, Value::Null)]).collect();
        assert_eq!(steps, expect);
        assert_eq!(messages[3]["id"], id);
    }
    let logged = client.call("log", json!({"lines": 2})).await.events().rest().await;
    assert_eq!(logged.iter().map(|m| m["params"]["data"].clone()).collect::<Vec<_>>(), [json!(0), json!(1), Value::Null]);
    // What belongs to no call comes by GET, and nothing else did.
    client.text("change-tools", json!({})).await;
    assert_eq!(listening.next().await.unwrap().1["method"], "notifications/tools/list_changed");
    bench.stop().await;
}

#[tokio::test]
async fn questions_are_answered_through_the_client() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    let mut events = client.call("ask", json!({})).await.events();
    let (_, question) = events.next().await.unwrap();
    assert_eq!(question["method"], "elicitation/create");
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"name": "Zoë"}}});
    assert_eq!(client.post(&answer).await.status, 202);
    let (_, result) = events.next().await.unwrap();
    assert!(result["result"]["content"][0]["text"].as_str().unwrap().contains("Zoë"));
    assert!(events.next().await.is_none());
    // A second answer, or one to no question, is accepted and goes nowhere.
    assert_eq!(client.post(&answer).await.status, 202);
    assert_eq!(client.text("echo", json!({})).await, "{}");
    bench.stop().await;
}

#[tokio::test]
async fn a_ping_of_the_child_is_answered_though_no_client_listens() {
    let bench = Bench::with("ok", |_| ()).await;
    let mut client = bench.client().open().await;
    client.accept = "application/json";
    let answer: Value = serde_json::from_str(&client.text("ping", json!({})).await).unwrap();
    assert_eq!(answer["result"], json!({}));
    // With a stream open, the question is the client's.
    client.accept = "application/json, text/event-stream";
    let mut events = client.call("ping", json!({})).await.events();
    let (_, ping) = events.next().await.unwrap();
    assert_eq!(ping["method"], "ping");
    let pong = json!({"jsonrpc": "2.0", "id": ping["id"], "result": {"from": "client"}});
    assert_eq!(client.post(&pong).await.status, 202);
    let (_, answer) = events.next().await.unwrap();
    assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("from"));
    bench.stop().await;
}

#[tokio::test]
async fn a_lost_stream_is_resumed_where_it_broke() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    let mut events = client.call("progress", json!({"steps": 10, "ms": 30})).await.events();
    let opening = events.raw().await.unwrap();
    assert_eq!((opening.data.as_deref(), opening.retry), (Some(""), Some(limits::RETRY_MS)));
    let first_id = opening.id.unwrap();
    let (_, first) = events.next().await.unwrap();
    let (second_id, second) = events.next().await.unwrap();
    assert_eq!((&first["params"]["progress"], &second["params"]["progress"]), (&json!(1), &json!(2)));
    drop(events); // no cancellation

    let rest = client.get(Some(&second_id)).await.events().rest().await;
    let steps: Vec<_> = rest.iter().map(|m| m["params"]["progress"].clone()).collect();
    assert_eq!(steps, [3, 4, 5, 6, 7, 8, 9, 10].into_iter().map(Value::from).chain([Value::Null]).collect::<Vec<_>>());
    assert!(rest.last().unwrap()["result"].is_object());
    // The call is over; its stream can still be read again from the start.
    assert_eq!(client.get(Some(&first_id)).await.events().rest().await.len(), 11);
    bench.stop().await;
}

#[tokio::test]
async fn what_nobody_listens_to_waits_for_the_next_get() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    for _ in 0..3 {
        client.text("change-tools", json!({})).await;
    }
    let mut events = client.get(None).await.events();
    for _ in 0..3 {
        assert_eq!(events.next().await.unwrap().1["method"], "notifications/tools/list_changed");
    }
    // A newer GET takes the stream over.
    let mut newer = client.get(None).await.events();
    assert!(events.next().await.is_none());
    client.text("change-tools", json!({})).await;
    let (id, _) = newer.next().await.unwrap();
    drop(newer);
    client.text("change-tools", json!({})).await;
    let mut again = client.get(Some(&id)).await.events();
    assert_ne!(again.next().await.unwrap().0, id);
    bench.stop().await;
}

#[tokio::test]
async fn an_id_in_use_is_refused_and_free_afterwards() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    let (first, second) = tokio::join!(client.call_with(7, "slow", json!({"ms": 300})), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        client.call_with(7, "echo", json!({})).await
    });
    assert!(second.error(400).await.contains("still running"));
    assert!(first.answer().await["result"].is_object());
    assert!(client.call_with(7, "echo", json!({})).await.answer().await["result"].is_object());
    bench.stop().await;
}

#[tokio::test]
async fn a_cancelled_call_is_answered_and_the_child_told() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5, "reason": "enough"}});
    let events = client.call_with(5, "never", json!({})).await.events();
    assert_eq!(client.post(&cancel).await.status, 202);
    let messages = events.rest().await;
    assert_eq!(messages.last().unwrap()["error"]["message"], "cancelled by the client");
    let told: Value = serde_json::from_str(&client.text("cancelled", json!({})).await).unwrap();
    assert_eq!(told, json!([{"requestId": 5, "reason": "enough"}]));
    assert!(client.call_with(5, "echo", json!({})).await.error(400).await.contains("still running"));
    bench.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_its_child_and_no_other() {
    let bench = Bench::with("ok", |_| ()).await;
    let (slow, quick) = (bench.client().open().await, bench.client().open().await);
    let pid: u32 = slow.text("pid", json!({})).await.parse().unwrap();
    // 30 MB of notifications for somebody who does not read them.
    let reply = slow.call("flood", json!({"lines": 3_000, "bytes": 10_000})).await;
    let written = || {
        let io = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
        let line = io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().to_owned();
        line.parse::<u64>().unwrap()
    };
    let mut before = 0;
    eventually("stopped writing", || {
        std::thread::sleep(Duration::from_millis(500));
        std::mem::replace(&mut before, written()) == written() && before > 100_000
    })
    .await;
    assert!(written() < 5_000_000, "the child wrote {} bytes ahead", written());
    assert_eq!(quick.text("echo", json!({"a": 1})).await, r#"{"a":1}"#);
    // All of it is there for when the client does read.
    let messages = reply.events().rest().await;
    assert_eq!(messages.len(), 3_001);
    bench.stop().await;
}

#[tokio::test]
async fn a_long_silence_is_bridged_by_comments() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    let ms = u64::try_from(limits::KEEP_ALIVE.as_millis()).unwrap() + 500;
    let reply = client.call("slow", json!({"ms": ms})).await;
    let text = String::from_utf8(reply.bytes().await.to_vec()).unwrap();
    let (before, after) = text.split_once(": keep-alive\n\n").unwrap_or_else(|| panic!("{text}"));
    assert!(before.starts_with("id: 2-0\nretry: 1000\ndata: \n\n"), "{before}");
    assert!(after.starts_with("id: 2-1\nevent: message\ndata: {") && after.ends_with("}\n\n"), "{after}");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_calls_of_many_sessions_find_their_answers() {
    let bench = Bench::with("ok", |_| ()).await;
    let mut sessions = Vec::new();
    for number in 0..8 {
        let client = bench.client().open().await;
        sessions.push(tokio::spawn(async move {
            for round in 0..5 {
                let calls = (0..20).map(|call| {
                    let (arguments, tool) =
                        (json!({"from": [number, round, call]}), if call % 4 == 0 { "progress" } else { "echo" });
                    let mut arguments = arguments;
                    arguments["steps"] = json!(call);
                    let client = &client;
                    async move {
                        let id = client.next_id();
                        let answer = client.call_with(id, tool, arguments.clone()).await.answer().await;
                        assert_eq!(answer["id"], id);
                        let text = answer["result"]["content"][0]["text"].as_str().unwrap().to_owned();
                        match tool {
                            "echo" => assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), arguments),
                            _ => assert_eq!(text, "done"),
                        }
                    }
                });
                join_all(calls).await;
            }
        }));
    }
    for session in sessions {
        session.await.unwrap();
    }
    assert_eq!(bench.healthy().await.restarts, 0);
    bench.stop().await;
}
