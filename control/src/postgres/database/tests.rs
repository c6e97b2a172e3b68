use super::super::throwaway;
use super::*;

#[test]
fn urls_are_refused_with_reasons_and_without_their_text() {
    let check = |url: &str, want: &str| match Database::external(url) {
        Ok(_) => panic!("{url} is accepted"),
        Err(error) => {
            let text = error_chain(&error);
            assert!(text.contains(want), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    };
    check("postgresql:///sp", "names no host");
    check("postgresql://sp:hunter2@db.internal/sp", "sslmode=disable");
    check("postgresql://sp:hunter2@db.internal/sp?sslmode=require", "TLS");
    check("postgresql://sp:hunter2@127.0.0.1/sp?sslmode=require", "TLS");
    check("postgresql://sp:hunter2@127.0.0.1/sp?nonsense=1", "nonsense");
    check("mysql://sp:hunter2@db.internal/sp", "invalid");
}

#[tokio::test]
async fn a_server_that_goes_away_is_seen() {
    let cluster = throwaway::ThrowawayCluster::start().await.unwrap();
    let database = cluster.database().await.unwrap();
    let handle = Database::external(database.url()).unwrap();
    handle.up().await;
    let one: i32 = handle.get().await.unwrap().query_one("SELECT 1", &[]).await.unwrap().get(0);
    assert_eq!(one, 1);

    drop(cluster);
    let mut state = handle.state();
    let down = state.wait_for(|state| matches!(state, DatabaseState::Down { .. })).await.unwrap().clone();
    let DatabaseState::Down { reason } = down else { panic!("not down") };
    assert!(!reason.is_empty());
    assert!(handle.get().await.is_err());
}
