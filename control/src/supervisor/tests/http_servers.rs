//! Discovery over HTTP, against the official Rust SDK in both eras and against what is no MCP server.

use axum::http::StatusCode;
use axum::response::IntoResponse;
use rmcp::ServerHandler;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{tool, tool_handler, tool_router};

use super::*;

#[derive(Clone)]
struct Greeter;

#[tool_router]
impl Greeter {
    #[tool(description = "Greets")]
    fn greet(&self) -> String {
        "hello".into()
    }
}

#[tool_handler]
impl ServerHandler for Greeter {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/mcp")
}

#[tokio::test]
async fn both_eras_of_a_real_server_are_found() {
    for (sessions, json) in [(true, false), (false, true), (false, false)] {
        let config = StreamableHttpServerConfig::default().with_legacy_session_mode(sessions).with_json_response(json);
        let service: StreamableHttpService<Greeter, LocalSessionManager> =
            StreamableHttpService::new(|| Ok(Greeter), Arc::default(), config);
        let url = serve(axum::Router::new().nest_service("/mcp", service)).await;
        let found = discover_http(&url, &[], None, Duration::from_secs(10)).await.unwrap();
        assert_eq!(found.eras, Eras { legacy: true, modern: true }, "sessions {sessions} json {json}");
        assert_eq!(found.tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(), ["greet"]);
        assert_eq!(&*found.version, "2025-11-25");
        assert!(found.server_info.unwrap().get().contains("\"name\""));
    }
}

#[tokio::test]
async fn what_is_no_mcp_server_is_told_apart() {
    for (status, body, expect) in [
        (401, "who are you", "it answered `initialize` with HTTP status 401"),
        (404, "where", "it answered `server/discover` with HTTP status 404"),
        (500, "oops", "it answered `initialize` with HTTP status 500"),
        (200, "hello", "no JSON-RPC response to it"),
        (200, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"what?"}}"#, "with error -32601: what?"),
    ] {
        let answer = move || async move { (StatusCode::from_u16(status).unwrap(), body).into_response() };
        let url = serve(axum::Router::new().route("/mcp", axum::routing::post(answer))).await;
        let error = discover_http(&url, &[], None, Duration::from_secs(10)).await.unwrap_err().to_string();
        assert!(error.contains(expect), "{status} {body}: {error}");
    }
    let stuck = axum::Router::new().route("/mcp", axum::routing::post(std::future::pending::<()>));
    let error = discover_http(&serve(stuck).await, &[], None, Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(error, DiscoverError::TimedOut(method) if method == "initialize"));
}

#[tokio::test]
async fn headers_are_sent_and_never_shown() {
    let check = |headers: axum::http::HeaderMap| async move {
        let right = headers.get("authorization").is_some_and(|value| value == "Bearer s3cret");
        StatusCode::from_u16(if right { 418 } else { 401 }).unwrap()
    };
    let url = serve(axum::Router::new().route("/mcp", axum::routing::post(check))).await;
    let headers = [("Authorization".to_owned(), "Bearer s3cret".to_owned())];
    let error = discover_http(&url, &headers, None, Duration::from_secs(10)).await.unwrap_err();
    assert!(error.to_string().contains("418") && !format!("{error:?}").contains("s3cret"), "{error:?}");
    let mut server = HttpServer::new("x", url);
    server.headers = headers.to_vec();
    assert!(!format!("{server:?}").contains("s3cret"), "{server:?}");
}
