//! A PostgreSQL to try things on, with an up-to-date schema, until Enter, Ctrl-C or the end of input. Nothing stays.

use control::postgres::throwaway::ThrowawayCluster;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cluster = ThrowawayCluster::start().await?;
    let database = cluster.database().await?;
    drop(database.migrated().await?);
    println!("{}", database.url());
    eprintln!("psql '{}'\npress Enter to end and remove it", database.url());
    let (entered, enter) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Enter, the end of input or an error: each ends it.
        let _ = std::io::stdin().read_line(&mut String::new());
        let _ = entered.send(());
    });
    tokio::select! {
        _ = enter => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
