//! The keys that tokens are signed with change, and nobody notices.

use std::time::{Duration, Instant};

use super::*;
use crate::people::{call_until_refused, connection_for_each_shard};

/// The name of the key that signed a token.
fn kid(token: &str) -> String {
    let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&head).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_signs_at_once_and_the_one_before_goes_on_to_verify() {
    let scene = Scene::start().await;
    let before = scene.tokens(&[]).await;
    let old = before["access_token"].as_str().unwrap();
    assert_eq!(scene.call(old).await, "");

    let made: Value = serde_json::from_str(&scene.gateway.sp(&["--json", "admin", "signing", "rotate"])).unwrap();
    let after = scene.tokens(&[]).await;
    let new = after["access_token"].as_str().unwrap();
    assert_ne!(kid(old), kid(new));
    assert_eq!(made["kid"], kid(new));
    // Every shard takes both, at the first try; connections are new ones.
    for _ in 0..12 {
        assert_eq!(scene.call(new).await, "");
        assert_eq!(scene.call(old).await, "");
    }
    let published = scene.get("/.well-known/jwks.json", None).await.json();
    let published: Vec<&str> = published["keys"].as_array().unwrap().iter().filter_map(|key| key["kid"].as_str()).collect();
    assert!(published.contains(&kid(old).as_str()) && published.contains(&kid(new).as_str()), "{published:?}");
    // What was issued before is renewed with the new key.
    let renewed = scene.refresh(before["refresh_token"].as_str().unwrap()).await.json();
    assert_eq!(kid(renewed["access_token"].as_str().unwrap()), kid(new));

    let list: Value = serde_json::from_str(&scene.gateway.sp(&["--json", "admin", "signing", "list"])).unwrap();
    let state = |kid: &str| {
        let keys = list["keys"].as_array().unwrap();
        keys.iter().find(|key| key["kid"] == kid).map(|key| key["state"].as_str().unwrap().to_owned())
    };
    assert_eq!((state(&kid(old)).as_deref(), state(&kid(new)).as_deref()), (Some("verifies"), Some("signs")));
    assert!(list["keys"][0].get("sealed").is_none(), "{list}");

    // A start later the new key is still the one, and the old token still holds.
    let mut scene = scene;
    scene.gateway.stop();
    scene.gateway.run();
    assert_eq!(scene.call(old).await, "");
    let again = scene.tokens(&[]).await;
    assert_eq!(kid(again["access_token"].as_str().unwrap()), kid(new));
    // Who may not operate may not change keys.
    let ann = scene.gateway.token(&["--user", "ann", "--role", "developer"]);
    assert_eq!(scene.gateway.try_sp(&["--token", &ann, "admin", "signing", "rotate"]).0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_verifies_nothing_on_any_shard_within_200_ms() {
    const SHARDS: usize = 8;
    let mut scene = Scene::start_with(&["--cores", &SHARDS.to_string()]).await;
    let connections = connection_for_each_shard(&scene.gateway, SHARDS).await;
    let before = scene.tokens(&[]).await;
    let old = before["access_token"].as_str().unwrap().to_owned();
    assert_eq!(scene.call(&old).await, "");
    let operator = scene.gateway.token(&["--user", "ops", "--role", "operator"]);

    // Nobody does it by mistake: what it would do is said first, to people and to agents.
    let (code, _, err) = scene.gateway.try_sp(&["admin", "signing", "rotate", "--revoke-old"]);
    assert!(code == 1 && err.contains("nothing was done") && err.contains("--yes"), "{err}");
    let hesitant = tool_call("admin_signing_rotate", json!({ "revoke_old": true }));
    let answer = post(&scene.gateway.endpoint("sp"), Some(&operator), &hesitant).await;
    assert_eq!(answer.body["result"]["isError"], true, "{answer:?}");
    let (code, _, err) = scene.gateway.try_sp(&["admin", "signing", "rotate", "--yes"]);
    assert!(code == 2 && err.contains("--revoke-old"), "{err}");
    assert_eq!(scene.call(&old).await, "");
    assert_eq!(kid(scene.tokens(&[]).await["access_token"].as_str().unwrap()), kid(&old));

    let url = scene.gateway.endpoint("echo");
    let caller = {
        let (url, old) = (url.clone(), old.clone());
        tokio::spawn(async move { call_until_refused(&connections, &url, &old).await })
    };
    tokio::time::sleep(Duration::from_millis(500)).await;
    let rotate = tool_call("admin_signing_rotate", json!({ "revoke_old": true, "yes": true }));
    let sent = Instant::now();
    let answer = post(&scene.gateway.endpoint("sp"), Some(&operator), &rotate).await;
    let replied = Instant::now();
    let done = &answer.body["result"]["structuredContent"];
    assert_eq!(done["revoked"], json!([kid(&old)]), "{answer:?}");
    let (last_allowed, refused) = caller.await.unwrap();
    let after = last_allowed.saturating_duration_since(replied);
    println!(
        "the command took {:?}; the last call that was carried out was sent {after:?} after its reply, the last first refusal came {:?} after it",
        replied - sent,
        refused.saturating_duration_since(replied)
    );
    assert!(after <= Duration::from_millis(200), "a token of the old key was taken {after:?} after the command's reply");

    // The reason says what to do; nobody finds the key any more, and what was issued before is renewed with the new one.
    assert_eq!(scene.call(&old).await, "token_key_unknown");
    let published = scene.get("/.well-known/jwks.json", None).await.text;
    assert!(!published.contains(&kid(&old)) && published.contains(done["kid"].as_str().unwrap()), "{published}");
    let list = scene.gateway.sp(&["--json", "admin", "signing", "list"]);
    assert!(!list.contains(&kid(&old)), "{list}");
    let seen = scene.send("GET", "/oauth/userinfo", &[("authorization", &format!("Bearer {old}"))], "").await;
    assert_eq!(seen.status, StatusCode::UNAUTHORIZED, "{seen:?}");
    let renewed = scene.refresh(before["refresh_token"].as_str().unwrap()).await.json();
    let new = renewed["access_token"].as_str().unwrap().to_owned();
    assert_eq!(kid(&new), done["kid"].as_str().unwrap());
    assert_eq!(scene.call(&new).await, "");

    // It stays so after a start.
    scene.gateway.stop();
    scene.gateway.run();
    assert_eq!(scene.call(&old).await, "token_key_unknown");
    assert_eq!(scene.call(&new).await, "");
}
