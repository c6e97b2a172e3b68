//! Sinks against receivers that come and go: every event arrives, in order, under its own id.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use dataplane::journal::segment::{segment_path, stream_dir};
use schema::services::sinks::{Begin, SinkFormat, WebhookBody};
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use wire::decision::EventKind;
use wire::frame::{Chain, FrameWriter, Header};
use wire::ids::SeqNo;
use wire::record::{Identity, Notice, Record};

use super::config::{HttpConfig, TargetConfig};
use super::*;

const NODE: NodeId = NodeId([6; 16]);

/// A stream that grows when it is told to.
struct Stream {
    dir: tempfile::TempDir,
    frames: FrameWriter,
    bytes: Vec<u8>,
    synced: Arc<AtomicU64>,
}

impl Stream {
    fn new() -> Stream {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(stream_dir(dir.path(), 0)).unwrap();
        let genesis = Chain::genesis(NODE, 0);
        let bytes = Header { node: NODE, shard: 0, first: SeqNo(1), created_us: 0, previous: genesis }.encode().to_vec();
        Stream { dir, frames: FrameWriter::new(SeqNo(0), genesis), bytes, synced: Arc::default() }
    }

    fn grow(&mut self, users: &[&str]) {
        for user in users {
            let notice = Notice {
                at_us: 1_772_668_799_900_000,
                trace: [1; 16],
                identity: Identity { user, ..Identity::default() },
                verdict: 1,
                reason: 0,
                action: "login",
                subject: "s",
                generation: 1,
                detail: "",
            };
            self.frames.write(&Record::Notice(EventKind::Login, notice), &[], &mut self.bytes).unwrap();
        }
        std::fs::write(segment_path(&stream_dir(self.dir.path(), 0), SeqNo(1)), &self.bytes).unwrap();
        self.synced.store(self.frames.position().0.0, Ordering::Release);
    }

    fn sinks(&self, dir: &Path) -> Sinks {
        let synced = Arc::clone(&self.synced);
        let source = Source {
            shard: 0,
            dir: stream_dir(self.dir.path(), 0),
            synced: Arc::new(move || SeqNo(synced.load(Ordering::Acquire))),
            settled: dataplane::journal::StreamPosition::genesis(NODE, 0),
        };
        let database = Database::external("postgres://sp@127.0.0.1:1/sp").unwrap();
        Sinks::new(SinksConfig { node: NODE, dir: dir.to_owned(), database, sources: Arc::new(vec![source]) })
    }
}

fn sink(target: TargetConfig) -> SinkConfig {
    SinkConfig { name: "test".into(), target, kinds: Vec::new(), verdicts: Vec::new(), begin: Begin::Oldest }
}

fn webhook(port: u16) -> SinkConfig {
    let http = HttpConfig { url: format!("http://127.0.0.1:{port}/in"), headers: vec![("x-key".into(), "k".into())], ca: None };
    sink(TargetConfig::Http { http, body: WebhookBody::Lines, format: SinkFormat::Json })
}

fn ids(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.map(|seq| format!("{NODE}-0-{seq}")).collect()
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..2_400 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what}: not within a minute");
}

/// What an HTTP receiver does, and what it got.
#[derive(Default)]
struct Receiver {
    got: Vec<String>,
    refuse_all: Option<u16>,
    requests: u64,
}

type Shared = Arc<StdMutex<Receiver>>;

async fn take(State(receiver): State<Shared>, body: String) -> StatusCode {
    let mut receiver = receiver.lock().unwrap();
    receiver.requests += 1;
    if let Some(status) = receiver.refuse_all {
        return StatusCode::from_u16(status).unwrap();
    }
    if body.contains("poison") {
        return StatusCode::BAD_REQUEST;
    }
    let ids =
        body.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned());
    receiver.got.extend(ids);
    StatusCode::OK
}

/// Listens at this port, or a free one, until it is aborted.
async fn receive(receiver: &Shared, port: u16) -> (u16, tokio::task::JoinHandle<()>) {
    let listener = until("the port is free", async || TcpListener::bind(("127.0.0.1", port)).await.ok()).await;
    let port = listener.local_addr().unwrap().port();
    let router = axum::Router::new().route("/in", axum::routing::post(take)).with_state(Arc::clone(receiver));
    (port, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

#[tokio::test]
async fn every_event_arrives_across_a_restart_of_either_side() {
    let (mut stream, dir) = (Stream::new(), tempfile::tempdir().unwrap());
    let receiver = Shared::default();
    let (port, serving) = receive(&receiver, 0).await;
    let sinks = stream.sinks(dir.path());
    stream.grow(&["ann"; 700]);
    sinks.apply(vec![webhook(port)]).await;
    let got = async || receiver.lock().unwrap().got.clone();
    until("700 events arrive", async || (got().await.len() >= 700).then_some(())).await;

    serving.abort();
    let _ = serving.await;
    receiver.lock().unwrap().refuse_all = Some(503);
    stream.grow(&["bob"; 5]);
    let waiting = until("the sink waits", async || sinks.status().await.pop().filter(|sink| sink.failures > 0)).await;
    assert!(waiting.state != "shipping" && waiting.reason.is_some() && waiting.behind == 5, "{waiting:?}");
    assert!(page(&sinks.status().await).contains("sp_sink_behind{sink=\"test\",kind=\"http\"} 5"));
    let (_, serving) = receive(&receiver, port).await;
    let before = receiver.lock().unwrap().requests;
    until("it is tried again", async || (receiver.lock().unwrap().requests > before).then_some(())).await;
    receiver.lock().unwrap().refuse_all = None;
    until("the rest arrives", async || (got().await.len() >= 705).then_some(())).await;
    sinks.drain(Duration::from_secs(30)).await;
    assert_eq!(got().await, ids(1..=705));

    // Another run of ours goes on behind the watermark.
    stream.grow(&["cy"; 3]);
    let sinks = stream.sinks(dir.path());
    sinks.apply(vec![webhook(port)]).await;
    until("the new ones arrive", async || (got().await.len() >= 708).then_some(())).await;
    sinks.drain(Duration::from_secs(30)).await;
    assert_eq!(got().await, ids(1..=708));
    serving.abort();
}

#[tokio::test]
async fn a_credential_that_does_not_hold_loses_nothing_and_a_bad_event_is_kept() {
    let (mut stream, dir) = (Stream::new(), tempfile::tempdir().unwrap());
    let receiver = Shared::default();
    receiver.lock().unwrap().refuse_all = Some(401);
    let (port, serving) = receive(&receiver, 0).await;
    let sinks = stream.sinks(dir.path());
    stream.grow(&["ann", "bob", "poison", "cy", "dan"]);
    sinks.apply(vec![webhook(port)]).await;
    let blocked = until("the sink is blocked", async || sinks.status().await.pop().filter(|sink| sink.state == "blocked")).await;
    assert_eq!((blocked.delivered, blocked.refused, blocked.behind), (0, 0, 5));
    receiver.lock().unwrap().refuse_all = None;
    let done = until("all is sent", async || sinks.status().await.pop().filter(|sink| sink.behind == 0)).await;
    assert_eq!((done.delivered, done.refused, done.lost), (4, 1, 0));
    let mut expected = ids(1..=5);
    let refused = expected.remove(2);
    assert_eq!(receiver.lock().unwrap().got, expected);
    let kept = std::fs::read_to_string(dir.path().join("test.refused.jsonl")).unwrap();
    assert!(kept.contains(&refused) && kept.lines().count() == 1, "{kept}");
    sinks.drain(Duration::from_secs(30)).await;
    serving.abort();
}

#[tokio::test]
async fn a_new_sink_begins_now_and_a_changed_one_where_it_was() {
    let (mut stream, dir) = (Stream::new(), tempfile::tempdir().unwrap());
    let receiver = Shared::default();
    let (port, serving) = receive(&receiver, 0).await;
    stream.grow(&["before"; 10]);
    let sinks = stream.sinks(dir.path());
    let config = SinkConfig { begin: Begin::Now, ..webhook(port) };
    sinks.apply(vec![config.clone()]).await;
    until("it has begun", async || sinks.status().await.pop().filter(|sink| sink.state == "shipping")).await;
    stream.grow(&["ann"; 2]);
    until("two arrive", async || (receiver.lock().unwrap().got.len() == 2).then_some(())).await;
    until("and are noted", async || sinks.status().await.pop().filter(|sink| sink.behind == 0)).await;
    sinks.drain(Duration::from_secs(30)).await;
    let sinks = stream.sinks(dir.path());
    sinks.apply(vec![SinkConfig { kinds: vec![EventKind::Job], ..config.clone() }]).await;
    stream.grow(&["nobody wants logins now"]);
    until("it is passed over", async || sinks.status().await.pop().filter(|sink| sink.state == "shipping" && sink.behind == 0))
        .await;
    sinks.drain(Duration::from_secs(30)).await;
    let sinks = stream.sinks(dir.path());
    sinks.apply(vec![config]).await;
    stream.grow(&["bob"]);
    until("the last arrives", async || (receiver.lock().unwrap().got.len() == 3).then_some(())).await;
    sinks.apply(Vec::new()).await;
    assert!(sinks.status().await.is_empty());
    let mut expected = ids(11..=12);
    expected.extend(ids(14..=14));
    assert_eq!(receiver.lock().unwrap().got, expected);
    serving.abort();
}

/// Reads RFC 5424 messages in frames counted by octets, until the end or `stop` of them, and gives their ids.
async fn read_syslog(stream: impl AsyncRead + Unpin, got: Arc<StdMutex<Vec<String>>>, stop: usize) {
    let mut stream = BufReader::new(stream);
    for _ in 0..stop {
        let mut length = 0;
        loop {
            match stream.read_u8().await {
                Ok(b' ') => break,
                Ok(digit) if digit.is_ascii_digit() => length = length * 10 + usize::from(digit - b'0'),
                Ok(other) => panic!("`{other}` in a frame's length"),
                Err(_) => return,
            }
        }
        let mut message = vec![0; length];
        if stream.read_exact(&mut message).await.is_err() {
            return;
        }
        let message = String::from_utf8(message).unwrap();
        let parts: Vec<&str> = message.splitn(8, ' ').collect();
        // PRI and version, time, host, name, process, kind, structured data.
        assert_eq!((parts[0], parts[3], parts[4], parts[5]), ("<110>1", "sp", "-", "login"), "{message}");
        assert!(parts[1].parse::<jiff::Timestamp>().is_ok() && parts[2] == NODE.to_string(), "{message}");
        let id = message.split_once("[sp@32473 id=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        got.lock().unwrap().push(id);
    }
}

#[tokio::test]
async fn syslog_over_tls_gets_every_event_across_a_restart_of_the_receiver() {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (mut stream, dir) = (Stream::new(), tempfile::tempdir().unwrap());
    let ca = dir.path().join("ca.pem");
    let der = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, certified.cert.der());
    std::fs::write(&ca, format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let got: Arc<StdMutex<Vec<String>>> = Arc::default();

    let sinks = stream.sinks(dir.path());
    stream.grow(&["a]\"\\nn"; 600]);
    let target = |settle| TargetConfig::Syslog {
        address: format!("localhost:{port}"),
        is_tls: true,
        ca: Some(ca.clone()),
        format: SinkFormat::Cef,
        facility: 13,
        settle,
    };
    // Long enough that nothing settles before the receiver dies, however slow the machine is.
    sinks.apply(vec![sink(target(Duration::from_secs(3_600)))]).await;
    // The first one takes some and dies with the rest in its socket.
    let first = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
    read_syslog(first, Arc::clone(&got), 130).await;
    assert_eq!(got.lock().unwrap().len(), 130);
    drop(listener);
    stream.grow(&["bob"; 40]);
    let listener = until("the port is free", async || TcpListener::bind(("127.0.0.1", port)).await.ok()).await;
    let reading = tokio::spawn({
        let (got, acceptor) = (Arc::clone(&got), acceptor.clone());
        async move {
            loop {
                let Ok(second) = acceptor.accept(listener.accept().await.unwrap().0).await else { continue };
                read_syslog(second, Arc::clone(&got), usize::MAX).await;
            }
        }
    });
    let all: BTreeSet<String> = ids(1..=640).into_iter().collect();
    until("every event arrives", async || {
        let seen: BTreeSet<String> = got.lock().unwrap().iter().cloned().collect();
        (seen == all).then_some(())
    })
    .await;
    // Not settled, so not behind us: who starts again sends it again rather than lose it.
    assert_eq!(sinks.status().await[0].behind, 640);
    sinks.drain(Duration::from_secs(30)).await;
    let sinks = stream.sinks(dir.path());
    sinks.apply(vec![sink(target(Duration::from_millis(100)))]).await;
    until("it settles", async || sinks.status().await.pop().filter(|sink| sink.behind == 0 && sink.delivered == 640)).await;
    sinks.drain(Duration::from_secs(30)).await;
    reading.abort();
}

#[tokio::test]
async fn what_the_journal_no_longer_holds_comes_from_postgres() {
    let server = crate::postgres::throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let (mut stream, dir) = (Stream::new(), tempfile::tempdir().unwrap());
    stream.grow(&["ann"; 1_200]);
    let source = |stream: &Stream| {
        let synced = Arc::clone(&stream.synced);
        let dir = stream_dir(stream.dir.path(), 0);
        Source {
            shard: 0,
            dir,
            synced: Arc::new(move || SeqNo(synced.load(Ordering::Acquire))),
            settled: dataplane::journal::StreamPosition::genesis(NODE, 0),
        }
    };
    let shipper = crate::shipper::ShipperConfig::new(NODE, Duration::ZERO);
    let ended = crate::shipper::Shipper::start(&database, &shipper, vec![source(&stream)]).drain(Duration::from_secs(60)).await;
    assert_eq!(ended[0].shipped, SeqNo(1_200));
    // The journal goes on in another segment, and the one before is reclaimed.
    let (seq, chain) = stream.frames.position();
    let old = segment_path(&stream_dir(stream.dir.path(), 0), SeqNo(1));
    let header = Header { node: NODE, shard: 0, first: SeqNo(seq.0 + 1), created_us: 0, previous: chain };
    let mut bytes = header.encode().to_vec();
    let notice = Notice {
        at_us: 1_772_668_799_900_001,
        trace: [2; 16],
        identity: Identity { user: "late", ..Identity::default() },
        verdict: 1,
        reason: 0,
        action: "login",
        subject: "s",
        generation: 1,
        detail: "",
    };
    stream.frames.write(&Record::Notice(EventKind::Login, notice), &[], &mut bytes).unwrap();
    std::fs::write(segment_path(&stream_dir(stream.dir.path(), 0), SeqNo(seq.0 + 1)), bytes).unwrap();
    std::fs::remove_file(old).unwrap();
    stream.synced.store(1_201, Ordering::Release);

    let path = dir.path().join("audit.jsonl");
    let target = TargetConfig::File { path: path.clone(), format: SinkFormat::Ocsf, bytes_max: 1 << 30, keep: 1 };
    let sinks =
        Sinks::new(SinksConfig { node: NODE, dir: dir.path().to_owned(), database, sources: Arc::new(vec![source(&stream)]) });
    sinks.apply(vec![sink(target)]).await;
    let done = until("all is written", async || {
        sinks.status().await.pop().filter(|sink| sink.state == "shipping" && sink.behind == 0 && sink.delivered > 0)
    })
    .await;
    assert_eq!((done.delivered, done.lost, done.state), (1_201, 0, "shipping"));
    sinks.drain(Duration::from_secs(30)).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let found: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(found, ids(1..=1_201));
}

/// What arrived: path, headers that matter, body.
type Requests = Arc<StdMutex<Vec<(String, Option<String>, String)>>>;

/// Answers as each system does.
async fn answer(State(requests): State<Requests>, request: axum::extract::Request) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    let path = request.uri().path().to_owned();
    let key = ["authorization", "dd-api-key"].into_iter().find_map(|name| request.headers().get(name));
    let key = key.map(|value| value.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 16 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let lines = body.lines().count();
    requests.lock().unwrap().push((path.clone(), key, body));
    match path.as_str() {
        "/splunk" => axum::Json(serde_json::json!({ "text": "Success", "code": 0 })).into_response(),
        "/elastic/_bulk" => {
            let item = serde_json::json!({ "create": { "status": 201 } });
            axum::Json(serde_json::json!({ "errors": true, "items": vec![item; lines / 2] })).into_response()
        }
        "/datadog" => (StatusCode::ACCEPTED, "{}").into_response(),
        _ => axum::Json(serde_json::json!({ "partialSuccess": {} })).into_response(),
    }
}

#[tokio::test]
async fn every_system_is_spoken_to_in_its_own_way() {
    let (mut stream, dir) = (Stream::new(), tempfile::tempdir().unwrap());
    stream.grow(&["ann", "bob"]);
    let requests = Requests::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&requests));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let http = |path: &str, header: &str, value: &str| HttpConfig {
        url: format!("http://127.0.0.1:{port}/{path}"),
        headers: vec![(header.to_owned(), value.to_owned())],
        ca: None,
    };
    let targets = [
        TargetConfig::Splunk {
            http: http("splunk", "authorization", "Splunk t"),
            index: Some("main".into()),
            sourcetype: "sp:audit".into(),
            format: SinkFormat::Json,
        },
        TargetConfig::Elastic {
            http: http("elastic/_bulk", "authorization", "ApiKey k"),
            index: "logs-x".into(),
            format: SinkFormat::Ecs,
        },
        TargetConfig::Datadog { http: http("datadog", "dd-api-key", "d"), tags: Some("env:test".into()) },
        TargetConfig::Otlp { http: http("v1/logs", "authorization", "Bearer o") },
    ];
    let sinks = stream.sinks(dir.path());
    let all: Vec<SinkConfig> =
        targets.into_iter().map(|target| SinkConfig { name: target.kind().to_owned(), ..sink(target) }).collect();
    sinks.apply(all).await;
    until("each has both", async || sinks.status().await.iter().all(|sink| sink.delivered == 2).then_some(())).await;
    sinks.drain(Duration::from_secs(30)).await;
    serving.abort();
    let requests = requests.lock().unwrap().clone();
    let body = |path: &str, key: &str| {
        let (_, found, body) = requests.iter().find(|(found, _, _)| found == path).unwrap();
        assert_eq!(found.as_deref(), Some(key));
        body.clone()
    };
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let expected = ids(1..=2);

    let splunk: Vec<_> = body("/splunk", "Splunk t").lines().map(json).collect();
    assert_eq!((&splunk[0]["time"], &splunk[1]["event"]["id"]), (&"1772668799.900".into(), &expected[1].as_str().into()));
    assert_eq!((&splunk[0]["index"], &splunk[0]["sourcetype"]), (&"main".into(), &"sp:audit".into()));

    let elastic: Vec<_> = body("/elastic/_bulk", "ApiKey k").lines().map(json).collect();
    assert_eq!(elastic[2]["create"], serde_json::json!({ "_index": "logs-x", "_id": expected[1] }));
    assert_eq!((&elastic[1]["user"]["id"], &elastic[3]["user"]["id"]), (&"ann".into(), &"bob".into()));

    let datadog = json(&body("/datadog", "d"));
    assert_eq!((&datadog[1]["sp"]["id"], &datadog[1]["ddtags"]), (&expected[1].as_str().into(), &"env:test".into()));

    let otlp = json(&body("/v1/logs", "Bearer o"));
    let records = otlp["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap();
    assert_eq!(records[0]["timeUnixNano"], "1772668799900000000");
    assert_eq!(records[0]["traceId"], "01".repeat(16));
    let id = serde_json::json!({ "key": "sp.id", "value": { "stringValue": expected[1] } });
    let seq = serde_json::json!({ "key": "sp.seq", "value": { "intValue": "2" } });
    let attributes = records[1]["attributes"].as_array().unwrap();
    assert!(attributes.contains(&id) && attributes.contains(&seq), "{attributes:?}");
}
