//! What honest clients do.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_finds_registers_asks_and_calls() {
    let scene = Scene::start().await;
    // RFC 9728 section 5.1, RFC 8414 section 3, OpenID Connect Discovery section 4.
    let refused = post(&scene.gateway.endpoint("echo"), None, &tool_call("echo", json!({}))).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("resource_metadata=") && challenge.contains(r#"scope="echo:visit tools:call""#), "{challenge}");
    let stale = post(&scene.gateway.endpoint("sp"), Some("nonsense"), &tool_call("echo", json!({}))).await;
    let challenge = stale.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"scope="audit:read gateway:operate gateway:read tools:call""#), "{challenge}");
    let resource = scene.get("/.well-known/oauth-protected-resource/api/v1/mcp/echo/mcp", None).await.json();
    assert_eq!(resource["authorization_servers"], json!([scene.issuer]));
    assert_eq!(resource["scopes_supported"], json!(["echo:visit", "tools:call"]));
    let root = scene.get("/.well-known/oauth-protected-resource", None).await.json();
    assert_eq!(
        root["scopes_supported"],
        json!(["audit:read", "echo:visit", "gateway:operate", "gateway:read", "tools:call"]),
        "no `offline_access`: that is between client and authorization server"
    );
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/api/v1/mcp/echo/mcp",
        "/.well-known/openid-configuration/api/v1/mcp/echo/mcp",
    ] {
        let document = scene.get(path, None).await.json();
        assert_eq!(document["issuer"], json!(scene.issuer), "{path}");
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]), "{path}");
    }
    // Nobody is logged in: to the page and back.
    let sent = scene.authorize(None, &[]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert!(sent.header("location").starts_with("/login?return_to=%2Foauth%2Fauthorize"), "{sent:?}");
    // Nobody has agreed: the page says who asks, and where it leads.
    let page = scene.authorize(Some(&scene.cookie), &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("127.0.0.1") && page.text.contains("tools:call") && page.text.contains("name=\"csrf\""));

    let resource = format!("{}/api/v1/mcp/echo/mcp", scene.issuer);
    let reply = scene.decide(&Scene::csrf(&scene.cookie), "allow", &[("resource", &resource), ("nonce", "n1")]).await;
    assert_eq!((reply.param("state").as_deref(), reply.param("iss")), (Some("st"), Some(scene.issuer.clone())), "RFC 9207");
    let reply = scene.redeem(&reply.param("code").unwrap(), &[]).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let tokens = reply.json();
    let access = tokens["access_token"].as_str().unwrap();
    let (access_claims, id_claims) = (claims(access), claims(tokens["id_token"].as_str().unwrap()));
    assert_eq!((&access_claims["aud"], &access_claims["sub"]), (&json!(resource), &json!("ann")));
    assert_eq!((&id_claims["aud"], &id_claims["nonce"]), (&json!(scene.client_id), &json!("n1")));
    assert_eq!(scene.call(access).await, "");

    // It agreed once: the next time there is no page, and `prompt=none` works.
    let again = scene.authorize(Some(&scene.cookie), &[("resource", &resource), ("prompt", "none")]).await;
    assert!(again.param("code").is_some(), "{again:?}");
    let user = scene.send("GET", "/oauth/userinfo", &[("authorization", &format!("Bearer {access}"))], "").await;
    assert_eq!(user.json()["sub"], "ann");

    let refreshed = scene.refresh(tokens["refresh_token"].as_str().unwrap()).await.json();
    assert_ne!(refreshed["refresh_token"], tokens["refresh_token"], "OAuth 2.1 section 4.3.1");
    assert_eq!(scene.call(refreshed["access_token"].as_str().unwrap()).await, "");

    // RFC 7009: what is revoked is dead when the answer is given.
    let pairs = [("client_id", scene.client_id.as_str()), ("token", refreshed["refresh_token"].as_str().unwrap())];
    assert_eq!(scene.form("/oauth/revoke", None, &pairs).await.status, StatusCode::OK);
    assert_eq!(scene.call(access).await, "token_revoked");
    assert_eq!(scene.call(refreshed["access_token"].as_str().unwrap()).await, "token_revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_are_what_was_agreed_to_and_no_more() {
    let scene = Scene::start().await;
    let tokens = scene.tokens(&[("scope", "openid")]).await;
    assert_eq!(tokens["scope"], "openid");
    assert_eq!(
        scene.call(tokens["access_token"].as_str().unwrap()).await,
        "scope_missing",
        "roles add nothing that was not agreed to"
    );
    let usual = scene.tokens(&[("scope", "")]).await;
    assert_eq!(usual["scope"], "tools:call");
    assert_eq!(scene.call(usual["access_token"].as_str().unwrap()).await, "");
    let refused = scene.authorize(Some(&scene.cookie), &[("scope", "gateway:operate")]).await;
    assert_eq!(refused.param("error").as_deref(), Some("invalid_scope"));
}

/// RFC 8628.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_waits_for_its_person() {
    let scene = Scene::start().await;
    let id = scene.client_id.as_str();
    let begun = scene.form("/oauth/device_authorization", None, &[("client_id", id), ("scope", "tools:call")]).await.json();
    let (device, user_code) = (begun["device_code"].as_str().unwrap(), begun["user_code"].as_str().unwrap());
    let poll = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("client_id", id), ("device_code", device)];
    assert_eq!(scene.form("/oauth/token", None, &poll).await.error(), "authorization_pending");
    assert_eq!(scene.form("/oauth/token", None, &poll).await.error(), "slow_down", "section 3.5");
    let csrf = Scene::csrf(&scene.cookie);
    let page = scene.form("/device", Some(&scene.cookie), &[("user_code", user_code), ("csrf", &csrf)]).await;
    assert!(page.text.contains(user_code) && page.text.contains("tools:call"), "{page:?}");
    let wrong = [("user_code", user_code), ("csrf", "x"), ("decision", "allow")];
    assert_eq!(scene.form("/device", Some(&scene.cookie), &wrong).await.status, StatusCode::BAD_REQUEST);
    let allow = [("user_code", user_code), ("csrf", csrf.as_str()), ("decision", "allow")];
    assert_eq!(scene.form("/device", Some(&scene.cookie), &allow).await.status, StatusCode::OK);
    let tokens = scene.form("/oauth/token", None, &poll).await.json();
    assert_eq!(scene.call(tokens["access_token"].as_str().unwrap()).await, "");
    assert_eq!(scene.form("/oauth/token", None, &poll).await.error(), "invalid_grant", "good once");
    // Section 5.1: user codes are not guessed.
    for _ in 0..10 {
        scene.form("/device", Some(&scene.cookie), &[("user_code", "BBBB-BBBB"), ("csrf", &csrf)]).await;
    }
    let locked = scene.form("/device", Some(&scene.cookie), &[("user_code", "BBBB-BBBB"), ("csrf", &csrf)]).await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
}

/// OAuth 2.1 section 4.2 and RFC 8693: machines act for themselves, or for somebody, and the audit trail says so.
#[tokio::test(flavor = "multi_thread")]
async fn machines_act_and_the_trail_says_for_whom() {
    let scene = Scene::start().await;
    scene.gateway.sp(&["admin", "users", "create", "robot", "--tier", "service", "--role", "developer"]);
    let database = scene.gateway.postgres().await;
    let create = ["--json", "admin", "clients", "create", "robot", "--user", "robot", "--may-exchange", "--may-introspect"];
    let made: serde_json::Value = serde_json::from_str(&scene.gateway.sp(&create)).unwrap();
    assert_eq!(scene.gateway.try_sp(&create).0, 1, "the id is taken");
    assert_eq!(scene.gateway.try_sp(&["admin", "clients", "create", "other", "--user", "nobody"]).0, 1);
    let secret = made["client_secret"].as_str().unwrap();
    assert!(!scene.gateway.sp(&["--json", "admin", "clients", "list"]).contains(secret), "shown once");
    let basic = format!("Basic {}", STANDARD.encode(format!("robot:{secret}")));
    let send = async |path: &str, pairs: &[(&str, &str)]| {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic.as_str())];
        scene.send("POST", path, &headers, &encode(pairs)).await
    };
    let own = send("/oauth/token", &[("grant_type", "client_credentials")]).await.json();
    assert!(own.get("refresh_token").is_none() && own.get("id_token").is_none());
    assert_eq!(claims(own["access_token"].as_str().unwrap())["sub"], "robot");
    assert_eq!(scene.call(own["access_token"].as_str().unwrap()).await, "");

    let ann = scene.tokens(&[]).await;
    let exchange = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", ann["access_token"].as_str().unwrap()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", "tools:call"),
    ];
    let delegated = send("/oauth/token", &exchange).await.json();
    let token = delegated["access_token"].as_str().unwrap_or_else(|| panic!("{delegated}"));
    assert_eq!((&claims(token)["sub"], &claims(token)["act"]["sub"]), (&json!("ann"), &json!("robot")));
    assert_eq!(scene.call(token).await, "");
    let seen = send("/oauth/introspect", &[("token", token)]).await.json();
    assert_eq!((&seen["active"], &seen["act"]["sub"]), (&json!(true), &json!("robot")));

    let denied = scene.redeem("x", &[("grant_type", "client_credentials")]).await;
    assert_eq!(denied.error(), "unauthorized_client", "a public client proves nothing");

    scene.gateway.wait_until_shipped();
    let row = database
        .query_one("SELECT act_for FROM audit_event WHERE user_id = 'ann' AND act_for = ANY($1) LIMIT 1", &[&vec!["robot"]])
        .await;
    assert!(row.is_ok(), "{row:?}");
    // What a family led to ends with it, exchanged tokens too.
    let pairs = [("client_id", scene.client_id.as_str()), ("token", ann["refresh_token"].as_str().unwrap())];
    assert_eq!(scene.form("/oauth/revoke", None, &pairs).await.status, StatusCode::OK);
    assert_eq!(scene.call(token).await, "token_revoked");
    assert_eq!(send("/oauth/introspect", &[("token", token)]).await.json()["active"], json!(false));
    scene.gateway.sp(&["admin", "clients", "disable", "robot"]);
    assert_eq!(send("/oauth/token", &[("grant_type", "client_credentials")]).await.error(), "invalid_client");
    scene.gateway.sp(&["admin", "clients", "enable", "robot"]);
    assert!(send("/oauth/token", &[("grant_type", "client_credentials")]).await.json()["access_token"].is_string());
}

/// OpenID Connect RP-Initiated Logout sections 2 and 3: without an ID token of this log-in the person is asked, and then goes
/// where the client has registered.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_asks_to_log_its_person_out_and_the_person_agrees() {
    let scene = Scene::start().await;
    let after = "http://127.0.0.1:3121/bye";
    let client = scene.register(&json!({ "post_logout_redirect_uris": [after] })).await;
    let id = client["client_id"].as_str().unwrap();
    let tokens = scene.tokens(&[]).await;
    let query = encode(&[("client_id", id), ("post_logout_redirect_uri", after), ("state", "s1")]);
    let page = scene.get(&format!("/oauth/logout?{query}"), Some(&scene.cookie)).await;
    assert!(page.status == StatusCode::OK && page.text.contains(r#"value="s1""#), "{page:?}");
    assert!(page.header("content-security-policy").contains("form-action 'self' http://127.0.0.1:3121"), "{page:?}");
    let csrf = Scene::csrf(&scene.cookie);
    let agree = [("client_id", id), ("post_logout_redirect_uri", after), ("state", "s1"), ("csrf", csrf.as_str())];
    let done = scene.form("/oauth/logout", Some(&scene.cookie), &agree).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "http://127.0.0.1:3121/bye?state=s1"));
    assert!(done.header("set-cookie").contains("Max-Age=0"), "{done:?}");
    assert!(scene.authorize(Some(&scene.cookie), &[]).await.header("location").starts_with("/login"), "logged out");
    assert_eq!(
        scene.call(tokens["access_token"].as_str().unwrap()).await,
        "token_revoked",
        "and what came of the log-in is over"
    );
}
