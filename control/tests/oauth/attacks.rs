//! What attackers do, and the section that says why it must not work.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_browser_is_made_to_ask() {
    let scene = Scene::start().await;
    let cookie = Some(scene.cookie.as_str());
    // RFC 9700 section 4.1, OAuth 2.1 section 7.5.3: redirect tricks and open redirects.
    for uri in [
        "https://evil.example/cb",
        "http://127.0.0.1:3121/callback/..",
        "http://127.0.0.1:3121/callback?x=1",
        "http://127.0.0.1:3121/callback#x",
        "http://127.0.0.1.evil.example:3121/callback",
        "http://127.0.0.1:3121@evil.example/callback",
        "//evil.example",
        "javascript:alert(1)",
    ] {
        let reply = scene.authorize(cookie, &[("redirect_uri", uri)]).await;
        assert_eq!((reply.status, reply.header("location")), (StatusCode::BAD_REQUEST, ""), "{uri}");
    }
    // RFC 9700 section 2.1.1: no PKCE downgrade.
    for changes in [&[("code_challenge", "")][..], &[("code_challenge_method", "plain")], &[("code_challenge_method", "")]] {
        assert_eq!(scene.authorize(cookie, changes).await.param("error").as_deref(), Some("invalid_request"), "{changes:?}");
    }
    // RFC 9207: mix-up. Errors carry the issuer too.
    let reply = scene.authorize(cookie, &[("response_type", "token")]).await;
    assert_eq!(reply.param("error").as_deref(), Some("unsupported_response_type"));
    assert_eq!(reply.param("iss").as_deref(), Some(scene.issuer.as_str()));
    // RFC 8707 section 2.
    let reply = scene.authorize(cookie, &[("resource", "https://other.example/mcp")]).await;
    assert_eq!(reply.param("error").as_deref(), Some("invalid_target"));
    // OAuth 2.1 section 3.1: no parameter twice.
    let twice = format!("/oauth/authorize?client_id={0}&client_id={0}&response_type=code", scene.client_id);
    assert_eq!(scene.get(&twice, cookie).await.status, StatusCode::BAD_REQUEST);
    // RFC 9700 section 4.7, 4.16: CSRF on consent, clickjacking.
    let page = scene.authorize(cookie, &[]).await;
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), ("DENY", "no-store"));
    for csrf in ["", "x", &Scene::csrf("another cookie")] {
        let reply = scene.decide(csrf, "allow", &[]).await;
        assert_eq!((reply.status, reply.header("location")), (StatusCode::BAD_REQUEST, ""));
    }
    let denied = scene.decide(&Scene::csrf(&scene.cookie), "deny", &[]).await;
    assert_eq!((denied.param("error").as_deref(), denied.param("code")), (Some("access_denied"), None));
    assert_eq!(scene.authorize(cookie, &[("prompt", "none")]).await.param("error").as_deref(), Some("consent_required"));
    // Session fixation: a cookie that we did not set is nobody's; two cookies are nobody's.
    let fixed = scene.authorize(Some("chosen-by-somebody-else"), &[]).await;
    assert!(fixed.header("location").starts_with("/login"));
    let both = format!("{}; sp-session=other", scene.cookie);
    assert!(scene.authorize(Some(&both), &[]).await.header("location").starts_with("/login"));
    // OpenID Connect RP-Initiated Logout section 6: nobody is logged out, or sent elsewhere, by a link.
    let link = scene.get("/oauth/logout?post_logout_redirect_uri=https://evil.example", cookie).await;
    assert_eq!((link.status, link.header("location")), (StatusCode::BAD_REQUEST, ""));
    let page = scene.get("/oauth/logout", cookie).await;
    assert!(page.status == StatusCode::OK && page.text.contains("Log out?"), "{page:?}");
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{page:?}");
    let forged = scene.form("/oauth/logout", cookie, &[("csrf", "x")]).await;
    assert!(forged.text.contains("Log out?"), "asked again: {forged:?}");
    assert_eq!(scene.authorize(cookie, &[]).await.status, StatusCode::OK, "still logged in");
}

/// RFC 9700 sections 4.5 and 4.14; OAuth 2.1 sections 4.1.3 and 4.3.1.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_used_twice_ends_what_it_led_to() {
    let scene = Scene::start().await;
    let code = scene.code(&[]).await;
    let other = scene.register(&json!({})).await["client_id"].as_str().unwrap().to_owned();
    assert_eq!(scene.redeem(&code, &[("client_id", &other)]).await.error(), "invalid_grant", "injected into another client");
    let tokens = scene.redeem(&code, &[]).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(scene.call(access).await, "");
    assert_eq!(scene.redeem(&code, &[]).await.error(), "invalid_grant");
    assert_eq!(scene.call(access).await, "token_revoked");
    assert_eq!(scene.refresh(tokens["refresh_token"].as_str().unwrap()).await.error(), "invalid_grant");

    let tokens = scene.tokens(&[]).await;
    let first = tokens["refresh_token"].as_str().unwrap();
    let second = scene.refresh(first).await.json();
    assert_eq!(scene.call(second["access_token"].as_str().unwrap()).await, "");
    assert_eq!(scene.refresh(first).await.error(), "invalid_grant");
    assert_eq!(scene.refresh(second["refresh_token"].as_str().unwrap()).await.error(), "invalid_grant", "the whole family");
    assert_eq!(scene.call(second["access_token"].as_str().unwrap()).await, "token_revoked");

    for changes in
        [&[("code_verifier", CHALLENGE)][..], &[("code_verifier", "")], &[("redirect_uri", "http://127.0.0.1:3121/callbackx")]]
    {
        let code = scene.code(&[]).await;
        assert_eq!(scene.redeem(&code, changes).await.error(), "invalid_grant", "{changes:?}");
    }
    // A log-in that ended gives nothing more.
    let tokens = scene.tokens(&[]).await;
    let code = scene.code(&[]).await;
    scene.gateway.sp(&["admin", "sessions", "revoke", &scene.session]);
    assert_eq!(scene.call(tokens["access_token"].as_str().unwrap()).await, "token_revoked");
    assert_eq!(scene.refresh(tokens["refresh_token"].as_str().unwrap()).await.error(), "invalid_grant");
    assert_eq!(scene.redeem(&code, &[]).await.error(), "invalid_grant");
}

/// OAuth 2.1 section 4.1.3, RFC 9700 sections 4.5 and 4.14: of two who come at once, one is served.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_good_once_is_good_once_for_two_at_a_time() {
    let scene = Scene::start().await;
    let served = |replies: [Reply; 2]| replies.iter().filter(|reply| reply.status == StatusCode::OK).count();
    let code = scene.code(&[]).await;
    assert_eq!(served(tokio::join!(scene.redeem(&code, &[]), scene.redeem(&code, &[])).into()), 1);
    let tokens = scene.tokens(&[]).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(served(tokio::join!(scene.refresh(token), scene.refresh(token)).into()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pages_and_answers_give_away() {
    let scene = Scene::start().await;
    let cookie = Some(scene.cookie.as_str());
    // RFC 9700 section 4.16: clickjacking, on every page there is.
    for path in
        ["/login?again=yes", "/login/recovery", "/account", "/device", "/oauth/logout", "/enrol?code=x", "/oauth/authorize"]
    {
        let page = scene.get(path, cookie).await;
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}: {page:?}");
        assert_eq!((page.header("x-frame-options"), page.header("cache-control")), ("DENY", "no-store"), "{path}");
    }
    // RFC 9700 section 4.11.2: the log-in page is no open redirector.
    for elsewhere in ["https://evil.example", "//evil.example", "/%5Cevil.example", "%09//evil.example"] {
        let sent = scene.get(&format!("/login?return_to={elsewhere}"), cookie).await;
        assert_eq!((sent.status, sent.header("location")), (StatusCode::SEE_OTHER, "/account"), "{elsewhere}");
    }
    // RFC 9700 section 4.1: the form of consent is changed on its way.
    let csrf = Scene::csrf(&scene.cookie);
    let reply = scene.decide(&csrf, "allow", &[("redirect_uri", "https://evil.example/cb")]).await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::BAD_REQUEST, ""));
    // RFC 9700 sections 4.2.4 and 4.12: codes leak by no Referer, and what was typed is posted to nobody else.
    let reply = scene.decide(&csrf, "allow", &[]).await;
    assert_eq!((reply.status, reply.header("referrer-policy")), (StatusCode::SEE_OTHER, "no-referrer"));
    assert_eq!(reply.header("cache-control"), "no-store");
    // RFC 8414 section 3.3, RFC 9207 section 2.4: the issuer is what we say, not what somebody asks us as.
    let document =
        scene.send("GET", "/.well-known/oauth-authorization-server", &[("x-forwarded-host", "evil.example")], "").await;
    assert_eq!(document.json()["issuer"], json!(scene.issuer));
    // RFC 7591 section 5: a client's name is text.
    let name = "<script>alert(1)</script>\"onload=x";
    let client = scene.register(&json!({ "client_name": name })).await;
    let page = scene.authorize(cookie, &[("client_id", client["client_id"].as_str().unwrap())]).await;
    assert!(page.text.contains("&lt;script&gt;") && !page.text.contains("<script>alert"), "{}", page.text);
    // RFC 9700 section 4.14.2, OAuth 2.1 section 4.3.1: a refresh token is its client's, and gives no more than before.
    let tokens = scene.tokens(&[("scope", "openid")]).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let ask = async |more: (&str, &str)| {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token), more];
        scene.form("/oauth/token", None, &pairs).await
    };
    assert_eq!(ask(("client_id", client["client_id"].as_str().unwrap())).await.error(), "invalid_grant");
    let more =
        [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", &scene.client_id), ("scope", "tools:call")];
    let reply = scene.form("/oauth/token", None, &more).await;
    assert_ne!(reply.status, StatusCode::OK, "{reply:?}");
}

fn forged(head: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(head), part(claims), URL_SAFE_NO_PAD.encode(signature))
}

/// RFC 8725 sections 2.1, 3.1 and 3.9; RFC 9068 section 4; RFC 8707 section 3.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_not_ours_or_not_for_here() {
    let scene = Scene::start().await;
    let tokens = scene.tokens(&[]).await;
    let access = tokens["access_token"].as_str().unwrap();
    let good = claims(access);
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(access.split('.').next().unwrap()).unwrap()).unwrap();
    let jwks = scene.get("/.well-known/jwks.json", None).await.json();
    let kid = head["kid"].as_str().unwrap();
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone();
    assert!(["d", "k", "p"].iter().all(|member| key.get(member).is_none()), "RFC 7517 section 9.2: only public halves");
    let with = |changes: Value| {
        let mut head = head.clone();
        head.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        head
    };
    // `alg` confusion: none, and the public key as the secret of an HMAC.
    assert_eq!(scene.call(&forged(&with(json!({ "alg": "none" })), &good, b"")).await, "token_algorithm");
    let signing_input = |head: &Value| forged(head, &good, b"").trim_end_matches('.').to_owned();
    let hs = with(json!({ "alg": "HS256" }));
    let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key["x"].as_str().unwrap().as_bytes());
    let tag = aws_lc_rs::hmac::sign(&secret, signing_input(&hs).as_bytes());
    assert_eq!(scene.call(&forged(&hs, &good, tag.as_ref())).await, "token_algorithm");
    assert_eq!(
        scene.call(&forged(&with(json!({ "alg": "EdDSA" })), &good, &[0; 64])).await,
        "token_algorithm",
        "another key's algorithm"
    );
    // `kid` injection and JWKS poisoning: nothing in the token brings a key along.
    for kid in ["../../etc/passwd", "' OR 1=1 --", ""] {
        assert_eq!(scene.call(&forged(&with(json!({ "kid": kid })), &good, &[0; 64])).await, "token_key_unknown", "{kid}");
    }
    for poison in [
        json!({ "jku": "https://evil.example/jwks" }),
        json!({ "jwk": key }),
        json!({ "x5u": "https://evil.example" }),
        json!({ "crit": ["b64"] }),
    ] {
        assert_eq!(scene.call(&forged(&with(poison.clone()), &good, &[0; 64])).await, "token_malformed", "{poison}");
    }
    let mut more = good.clone();
    more["scope"] = json!("tools:call gateway:operate");
    let signature = URL_SAFE_NO_PAD.decode(access.rsplit('.').next().unwrap()).unwrap();
    assert_eq!(scene.call(&forged(&head, &more, &signature)).await, "token_signature");
    // Another kind of token, and one for another server.
    assert_ne!(scene.call(tokens["id_token"].as_str().unwrap()).await, "");
    assert_ne!(scene.call(tokens["refresh_token"].as_str().unwrap()).await, "");
    let elsewhere = scene.tokens(&[("resource", &format!("{}/api/v1/mcp/sp/mcp", scene.issuer))]).await;
    assert_eq!(scene.call(elsewhere["access_token"].as_str().unwrap()).await, "token_audience");
    let logout = scene.get(&format!("/oauth/logout?id_token_hint={access}"), Some(&scene.cookie)).await;
    assert_eq!(logout.status, StatusCode::BAD_REQUEST, "an access token is no ID token");
}

/// RFC 9700 section 4.2 and 2.5; RFC 7591 section 5; the client ID metadata document draft, section 6.5.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_are_not_what_they_say() {
    let scene = Scene::start().await;
    // SSRF by client metadata: nothing inside is fetched, by whatever name.
    for id in [
        "https://127.0.0.1/client.json",
        "https://localhost/client.json",
        "https://[::1]/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/client.json",
        "https://localhost.localdomain/client.json",
        "http://app.example/client.json",
        "https://user@app.example/client.json",
    ] {
        let reply = scene.authorize(Some(&scene.cookie), &[("client_id", id)]).await;
        assert_eq!((reply.status, reply.header("location")), (StatusCode::BAD_REQUEST, ""), "{id}");
    }
    let confidential = scene.register(&json!({ "token_endpoint_auth_method": "client_secret_basic" })).await;
    let id = confidential["client_id"].as_str().unwrap();
    // OAuth 2.1 section 2.4: a client with a secret shows it; no difference between a client that is not there and a wrong secret.
    let ask = async |id: &str, secret: &str| {
        let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", id)];
        if !secret.is_empty() {
            pairs.push(("client_secret", secret));
        }
        scene.form("/oauth/token", None, &pairs).await
    };
    let (none, wrong, unknown) = (ask(id, "").await, ask(id, "wrong").await, ask("nobody", "wrong").await);
    assert_eq!(none.status, StatusCode::UNAUTHORIZED);
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    assert!(wrong.header("www-authenticate").starts_with("Basic"), "section 3.2.4");
    assert_eq!(ask(id, confidential["client_secret"].as_str().unwrap()).await.error(), "invalid_grant");
    // OAuth 2.1 section 2.4.1: brute force. What is locked answers the right secret like a wrong one.
    for _ in 0..9 {
        ask(id, "wrong").await;
    }
    let locked = ask(id, confidential["client_secret"].as_str().unwrap()).await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS, "{locked:?}");
    assert!(locked.headers.contains_key("retry-after"));
    for metadata in [
        json!({ "redirect_uris": ["http://evil.example/cb"] }),
        json!({ "redirect_uris": ["javascript:alert(1)"] }),
        json!({ "redirect_uris": [CALLBACK], "grant_types": ["client_credentials"] }),
        json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://169.254.169.254/" }),
    ] {
        let reply = scene.send("POST", "/oauth/register", &[("content-type", "application/json")], &metadata.to_string()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{metadata}");
    }
    let get = scene.get("/oauth/token", None).await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    let verifier = digest(&SHA256, VERIFIER.as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(verifier), CHALLENGE);
}
