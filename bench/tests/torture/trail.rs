//! The other end: a real Postgres, and a shipper that reaches it through a relay which breaks the connection before, within or
//! after a message of the protocol, drawn by lot.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use control::postgres::Database;
use control::postgres::throwaway::{self, ThrowawayDatabase};
use control::shipper::{Shipper, ShipperConfig, Source, StreamState};
use dataplane::journal::StreamPosition;
use rkyv::util::AlignedVec;
use schema::audit::AuditRow;
use tokio::runtime::Handle;
use wire::frame::Chain;
use wire::ids::{NodeId, SeqNo};
use wire::record::Record;

use crate::disk::Disk;
use crate::lot::Lot;
use crate::proxy::{Cut, Proxy};
use crate::run::{Owed, SHARD};

/// LIMIT: a run that hangs says so instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// The database that all runs ship to, each as another node.
#[derive(Clone)]
pub(crate) struct Postgres {
    runtime: Handle,
    server: ThrowawayDatabase,
    direct: Database,
}

/// A way to it that breaks.
pub(crate) struct Relayed {
    runtime: Handle,
    proxy: Proxy,
    database: Database,
    batch_bytes: usize,
    plan: (u64, Cut),
}

impl std::fmt::Debug for Relayed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "connection cut every {} messages, {:?}; {} bytes a batch", self.plan.0, self.plan.1, self.batch_bytes)
    }
}

impl Postgres {
    pub(crate) async fn start() -> Postgres {
        let server = throwaway::database().await.unwrap();
        let direct = server.migrated().await.unwrap();
        Postgres { runtime: Handle::current(), server, direct }
    }

    pub(crate) fn relayed(&self, lot: &mut Lot) -> Relayed {
        let _guard = self.runtime.enter();
        let proxy = Proxy::before(&self.server.config());
        // A first transaction has some forty messages.
        let plan = (1 + lot.below(60), [Cut::Before, Cut::Within, Cut::After][lot.below(3) as usize]);
        if lot.chance(4, 5) {
            proxy.cut_every(plan.0, plan.1);
        }
        let through = proxy.config(&self.server.config());
        let database = Database::with_roles(through.clone(), through).unwrap();
        let batch_bytes = 300 + lot.below(8_000) as usize;
        Relayed { runtime: self.runtime.clone(), proxy, database, batch_bytes, plan }
    }

    /// Ships all that a directory holds, over a connection that holds, and reads back every row of the node.
    pub(crate) fn ship_the_rest(&self, dir: &Path, node: NodeId, last: StreamPosition) -> Result<Owed, String> {
        self.runtime.block_on(async {
            let source = Source { shard: SHARD, dir: dir.to_owned(), synced: Arc::new(move || last.seq), settled: last };
            let shipper = Shipper::start(&self.direct, &config(node, 1 << 20), vec![source]);
            let mut stream = shipper.watch().remove(0);
            let ended = tokio::time::timeout(PATIENCE, async {
                let settled = stream.wait_for(|status| {
                    matches!(status.state, StreamState::Blocked { .. })
                        || (matches!(status.state, StreamState::Shipping) && status.shipped >= last.seq)
                });
                settled.await.map(|status| status.state.clone())
            });
            match ended.await {
                Ok(Ok(StreamState::Blocked { reason })) => return Err(format!("the shipper refuses: {reason}")),
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return Err("the shipper does not come to an end".to_owned()),
            }
            self.rows(node, last).await
        })
    }

    /// Number and call of every row, whose chain must be whole.
    async fn rows(&self, node: NodeId, last: StreamPosition) -> Result<Owed, String> {
        let client = self.direct.get().await.map_err(|error| error.to_string())?;
        let sql = "SELECT e.* FROM audit_event e JOIN stream s ON s.id = e.stream_id WHERE s.node = $1 ORDER BY e.seq";
        let rows = client.query(sql, &[&uuid::Uuid::from_bytes(node.0)]).await.map_err(|error| error.to_string())?;
        let (mut seq, mut chain) = (SeqNo(0), Chain::genesis(node, SHARD));
        let mut there = Owed::new();
        for row in &rows {
            let row = AuditRow::read(row).map_err(|error| error.to_string())?;
            let record = row.record().map_err(|error| error.to_string())?;
            let bytes = record.encode_in(AlignedVec::new()).map_err(|error| error.to_string())?;
            seq = SeqNo(seq.0 + 1);
            chain = chain.next(seq, record.kind().code(), &bytes);
            if (row.seq(), row.chain()) != (seq, chain) {
                return Err(format!("row {} does not follow the rows before it", row.seq().0));
            }
            if let Record::Notice(_, notice) = record {
                there.insert(seq, notice.generation);
            }
        }
        if (seq, chain) != (last.seq, last.chain) {
            return Err(format!("Postgres ends with record {}, the journal with {}", seq.0, last.seq.0));
        }
        Ok(there)
    }
}

impl Relayed {
    /// Ships a stream while it is written.
    pub(crate) fn ship(&self, dir: &Path, node: NodeId, start: StreamPosition, disk: &Arc<Disk>) -> Shipper {
        let _guard = self.runtime.enter();
        let disk = Arc::clone(disk);
        let source = Source { shard: SHARD, dir: dir.to_owned(), synced: Arc::new(move || disk.synced()), settled: start };
        Shipper::start(&self.database, &config(node, self.batch_bytes), vec![source])
    }

    /// Lets a shipper come to the end of what is synced, or fail as the plan says.
    pub(crate) fn drain(&self, shipper: Shipper) {
        self.runtime.block_on(shipper.drain(Duration::from_millis(300)));
    }

    pub(crate) fn cut_count(&self) -> u64 {
        self.proxy.cut_count()
    }
}

fn config(node: NodeId, batch_bytes: usize) -> ShipperConfig {
    ShipperConfig {
        batch_bytes,
        poll_busy: Duration::from_micros(300),
        poll_idle: Duration::from_millis(1),
        ..ShipperConfig::new(node, Duration::from_secs(3600))
    }
}
