//! A Unix socket between the shipper and Postgres that knows where messages begin, and breaks the connection at a chosen
//! one.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// How much of the chosen message still arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Before,
    Within,
    After,
}

#[derive(Debug, Default)]
struct Plan {
    seen: AtomicU64,
    refusing: AtomicBool,
    /// The message to cut at, of all that pass either way, and how; 0 for none.
    at: AtomicU64,
    how: std::sync::Mutex<Option<Cut>>,
    /// After a cut, this many messages later comes the next; 0 for never.
    again_after: AtomicU64,
    cut_count: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Proxy {
    dir: tempfile::TempDir,
    plan: Arc<Plan>,
    accept: tokio::task::AbortHandle,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

impl Proxy {
    /// Stands before the server that `config` names.
    pub(super) fn before(config: &Config) -> Proxy {
        let [Host::Unix(server_dir)] = config.get_hosts() else { panic!("not a Unix socket") };
        let server: PathBuf = server_dir.join(".s.PGSQL.5432");
        let dir = tempfile::Builder::new().prefix("sp-proxy-").tempdir_in("/tmp").unwrap();
        let listener = UnixListener::bind(dir.path().join(".s.PGSQL.5432")).unwrap();
        let plan = Arc::new(Plan::default());
        let accept = tokio::spawn({
            let plan = Arc::clone(&plan);
            async move {
                loop {
                    let (client, _) = listener.accept().await.unwrap();
                    if !plan.refusing.load(Ordering::Relaxed) {
                        tokio::spawn(relay(client, server.clone(), Arc::clone(&plan)));
                    }
                }
            }
        });
        Proxy { dir, plan, accept: accept.abort_handle() }
    }

    /// The same server, through here.
    pub(super) fn config(&self, config: &Config) -> Config {
        let mut through = Config::new();
        through.host_path(self.dir.path()).user(config.get_user().unwrap()).dbname(config.get_dbname().unwrap());
        // A socket on this machine is not encrypted, and the relay reads the protocol.
        through.ssl_mode(tokio_postgres::config::SslMode::Disable);
        through
    }

    pub(super) fn cut_at(&self, message: u64, how: Cut) {
        *self.plan.how.lock().unwrap() = Some(how);
        self.plan.at.store(message, Ordering::Relaxed);
    }

    /// Cuts again and again, each time after as many messages.
    pub(super) fn cut_every(&self, messages: u64, how: Cut) {
        self.plan.again_after.store(messages, Ordering::Relaxed);
        self.cut_at(messages, how);
    }

    pub(super) fn refuse(&self, refusing: bool) {
        self.plan.refusing.store(refusing, Ordering::Relaxed);
        if refusing {
            // Whatever passes next is the end of its connection.
            self.plan.again_after.store(1, Ordering::Relaxed);
            self.cut_at(self.seen() + 1, Cut::Before);
        } else {
            self.plan.again_after.store(0, Ordering::Relaxed);
            self.plan.at.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn seen(&self) -> u64 {
        self.plan.seen.load(Ordering::Relaxed)
    }

    pub(super) fn cut_count(&self) -> u64 {
        self.plan.cut_count.load(Ordering::Relaxed)
    }
}

async fn relay(mut client: UnixStream, server: PathBuf, plan: Arc<Plan>) {
    let Ok(mut upstream) = UnixStream::connect(server).await else { return };
    let mut length = [0; 4];
    if client.read_exact(&mut length).await.is_err() {
        return;
    }
    let mut start = vec![0; u32::from_be_bytes(length) as usize];
    start[..4].copy_from_slice(&length);
    if client.read_exact(&mut start[4..]).await.is_err() {
        return;
    }
    // The handle's own ping comes when it likes; counting it would make every run different.
    if start.windows(7).any(|window| window == b"sp ping") {
        if upstream.write_all(&start).await.is_ok() {
            let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
        }
        return;
    }
    let (from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = upstream.into_split();
    if !pass(&start, &mut to_server, &plan).await {
        return;
    }
    tokio::select! {
        () = pump(from_client, &mut to_server, &plan) => {}
        () = pump(from_server, &mut to_client, &plan) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, to: &mut OwnedWriteHalf, plan: &Plan) {
    let mut message = vec![0; 5];
    loop {
        message.resize(5, 0);
        if from.read_exact(&mut message).await.is_err() {
            return;
        }
        let length = u32::from_be_bytes([message[1], message[2], message[3], message[4]]) as usize;
        message.resize(1 + length, 0);
        if from.read_exact(&mut message[5..]).await.is_err() || !pass(&message, to, plan).await {
            return;
        }
    }
}

/// Hands a message on, unless it is the chosen one. `false` ends the connection.
async fn pass(message: &[u8], to: &mut OwnedWriteHalf, plan: &Plan) -> bool {
    let number = plan.seen.fetch_add(1, Ordering::Relaxed) + 1;
    let at = plan.at.load(Ordering::Relaxed);
    if at == 0 || number < at {
        return to.write_all(message).await.is_ok();
    }
    let again_after = plan.again_after.load(Ordering::Relaxed);
    plan.at.store(if again_after == 0 { 0 } else { number + again_after }, Ordering::Relaxed);
    plan.cut_count.fetch_add(1, Ordering::Relaxed);
    let arrives = match plan.how.lock().unwrap().unwrap() {
        Cut::Before => 0,
        Cut::Within => message.len() / 2,
        Cut::After => message.len(),
    };
    let _ = to.write_all(&message[..arrives]).await;
    false
}
