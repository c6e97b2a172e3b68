//! The keys that tokens are signed with change, and nobody notices.

use super::*;

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
