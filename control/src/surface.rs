//! What the control plane serves on its Unix socket, behind the data plane: the built-in MCP server `sp`, key and
//! resource metadata, the registry. The socket is 0600 and the shards strip `sp-*` headers from clients, so
//! `sp-principal` says what a shard verified.

use std::path::Path;
use std::sync::Arc;

use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult, PaginatedRequestParams, Tool,
    ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, ServerHandler};
use serde_json::{Value, json};
use tokio::net::UnixListener;
use wire::ids::TraceId;
use wire::token::Claims;

use crate::app::App;
use crate::operator::{self, Caller, CommandError};
use crate::{oauth, people};

/// Serves until the task is aborted.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(socket: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;
    match std::fs::remove_file(socket) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Everything the socket serves.
pub fn router(app: Arc<App>) -> Router {
    let operator = {
        let app = Arc::clone(&app);
        let mut config = StreamableHttpServerConfig::default();
        config.legacy_session_mode = false;
        config.json_response = true;
        StreamableHttpService::new(
            move || Ok(Operator { app: Arc::clone(&app) }),
            Arc::new(NeverSessionManager::default()),
            config,
        )
    };
    Router::new()
        .route_service("/mcp/sp", operator)
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/oauth-protected-resource", get(root_resource))
        .route("/.well-known/oauth-protected-resource/api/v1/mcp/{server}/mcp", get(resource))
        .route("/api/v1/mcp/registry", get(registry))
        .merge(people::router())
        .merge(oauth::router())
        .fallback(people::page::not_found)
        .with_state(app)
}

/// RFC 7517: the keys that verify our tokens.
async fn jwks(State(app): State<Arc<App>>) -> Response {
    ([("cache-control", "public, max-age=300")], Json(app.jwks().await)).into_response()
}

/// RFC 9728 for the gateway as a whole.
async fn root_resource(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.resource_metadata(None).await)
}

/// RFC 9728 for one MCP server.
async fn resource(State(app): State<Arc<App>>, UrlPath(server): UrlPath<String>) -> Response {
    if app.servers().iter().any(|(name, _)| *name == server) {
        return Json(app.resource_metadata(Some(&server)).await).into_response();
    }
    (StatusCode::NOT_FOUND, Json(json!({ "error": "not_found" }))).into_response()
}

/// Which MCP servers there are, and how they are. Tools are listed per caller by the servers themselves.
async fn registry(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "servers": app.server_list() }))
}

/// The built-in MCP server `sp`.
struct Operator {
    app: Arc<App>,
}

impl Operator {
    fn caller(context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
        let parts = context.extensions.get::<request::Parts>();
        let header = |name: &str| parts.and_then(|parts| parts.headers.get(name)).and_then(|value| value.to_str().ok());
        let claims = header("sp-principal")
            .and_then(|text| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok())
            .and_then(|json| serde_json::from_slice::<Claims>(&json).ok())
            .ok_or_else(|| ErrorData::invalid_request("this server is reached through the gateway only", None))?;
        let trace = header("sp-trace-id").and_then(|text| text.parse().ok()).unwrap_or(TraceId([0; 16]));
        Ok(Caller { claims, trace })
    }
}

impl ServerHandler for Operator {
    fn get_info(&self) -> rmcp::model::ServerConfig {
        server_info()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(operator::commands().into_iter().map(tool).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = Self::caller(&context)?;
        let entry = operator::command(&request.name)
            .ok_or_else(|| ErrorData::invalid_params(format!("there is no command `{}`", request.name), None))?;
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let result = match (entry.run)(arguments, Arc::clone(&self.app), caller) {
            Ok(running) => running.await,
            Err(error) => Err(error),
        };
        Ok(match result {
            Ok(value) => CallToolResult::structured(value).into(),
            Err(error @ CommandError::Problems(_)) => {
                let message = error.to_string();
                let CommandError::Problems(problems) = error else { return Err(ErrorData::internal_error(message, None)) };
                CallToolResult::structured_error(json!({ "error": message, "problems": problems })).into()
            }
            Err(error) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]).into(),
        })
    }
}

fn tool(entry: &operator::Entry) -> Tool {
    let schema = match (entry.schema)() {
        Value::Object(schema) => schema,
        _ => serde_json::Map::new(),
    };
    let annotations = ToolAnnotations::new().read_only(entry.read_only);
    Tool::new(entry.tool(), entry.about, schema).with_annotations(annotations)
}

fn server_info() -> rmcp::model::ServerConfig {
    let capabilities = rmcp::model::ServerCapabilities::builder().enable_tools().build();
    rmcp::model::ServerConfig::new(capabilities)
        .with_server_info(rmcp::model::Implementation::new("sp", env!("CARGO_PKG_VERSION")))
        .with_instructions("Commands of the gateway's operators. What you may call is what you see.")
}
