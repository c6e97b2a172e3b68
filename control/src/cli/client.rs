//! Calls the tools of the built-in MCP server `sp`, over HTTP like any other client.

use clap::ArgMatches;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::cli::target::Target;
use crate::cli::{auth, local};

/// Largest answer that is read. LIMIT: 10,000 audit rows.
const REPLY_BYTES_MAX: usize = 64 << 20;

/// Why a command brought no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is nothing to talk to.
    #[error("{0}")]
    NoGateway(String),
    /// No credential.
    #[error("{0}")]
    NoToken(String),
    /// The gateway does not answer.
    #[error("the gateway at {url} does not answer: {why}; see that sp-dataplane runs, or name another with --url")]
    Unreachable {
        /// Where.
        url: String,
        /// Why not.
        why: String,
    },
    /// It says no.
    #[error("{0}")]
    Denied(String),
    /// It does not take the credential.
    #[error("{0}")]
    Unidentified(String),
    /// The command failed there.
    #[error("{0}")]
    Failed(String),
    /// What came back is not MCP.
    #[error("the gateway's answer cannot be read: {0}")]
    Protocol(String),
}

/// Sends requests, with TLS where the address says so.
pub(super) type Http = HttpClient<hyper_rustls::HttpsConnector<HttpConnector>, Full<bytes::Bytes>>;

/// A client that trusts the certificates that this machine trusts.
pub(super) fn http() -> std::io::Result<Http> {
    let https = hyper_rustls::HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().build();
    Ok(HttpClient::builder(TokioExecutor::new()).build(https))
}

/// A client of one gateway.
pub struct Client {
    url: String,
    token: String,
    /// The profile of the log-in that the token is of, if it is of one.
    login: Option<String>,
    http: Http,
}

impl Client {
    /// The gateway that is meant, and the credential that the command line, the environment, its profile, the data directory
    /// or a log-in give, in this order. The key in the data directory makes tokens for the gateway that runs from it, and they
    /// are sent nowhere else; nor is a log-in sent anywhere but to its gateway.
    ///
    /// # Errors
    /// None of them names one.
    pub async fn from_args(matches: &ArgMatches) -> Result<Client, ClientError> {
        let no_gateway = |error: anyhow::Error| ClientError::NoGateway(format!("{error:#}"));
        let no_token = |error: anyhow::Error| ClientError::NoToken(format!("{error:#}"));
        let target = Target::of(matches).map_err(no_gateway)?;
        let address = target.address().map_err(no_gateway)?;
        let of_profile = target.chosen.profile().map_or(Ok(None), |profile| profile.token());
        let (token, login) = match (matches.get_one::<String>("token"), of_profile.map_err(no_token)?) {
            (Some(token), _) => (token.clone(), None),
            (None, Some(token)) => (token, None),
            (None, None) if address.is_ours => (local::operator_token(&target.data_dir).map_err(no_token)?, None),
            (None, None) => {
                let profile = target.profile();
                (auth::token_for(profile, &address.url).await.map_err(no_token)?, Some(profile.to_owned()))
            }
        };
        let http = http().map_err(|error| ClientError::NoGateway(error.to_string()))?;
        Ok(Client { url: address.url, token, login, http })
    }

    /// Calls a tool and gives its structured result. A log-in whose token is refused before its time, because its signing key
    /// was revoked or its account was changed, is renewed once.
    ///
    /// # Errors
    /// [`ClientError`], with the gateway's own words where it has some.
    pub async fn call_tool(&mut self, tool: &str, arguments: &Value) -> Result<Value, ClientError> {
        let why = match (self.send(tool, arguments).await, &self.login) {
            (Err(ClientError::Unidentified(why)), Some(_)) => why,
            (answered, _) => return answered,
        };
        let profile = self.login.as_deref().unwrap_or_default();
        let renewed = auth::token_after(&self.token, profile, &self.url).await;
        self.token = renewed.map_err(|error| ClientError::Unidentified(format!("{why}; {error:#}")))?;
        self.send(tool, arguments).await
    }

    async fn send(&self, tool: &str, arguments: &Value) -> Result<Value, ClientError> {
        let message = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": tool, "arguments": arguments },
        });
        let request = Request::post(format!("{}/api/v1/mcp/sp/mcp", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .body(Full::from(message.to_string()))
            .map_err(|error| ClientError::NoGateway(format!("`{}` is not a URL: {error}", self.url)))?;
        let unreachable = |why: String| ClientError::Unreachable { url: self.url.clone(), why };
        let response = self.http.request(request).await.map_err(|error| unreachable(chain(&error)))?;
        let status = response.status();
        let body = http_body_util::Limited::new(response.into_body(), REPLY_BYTES_MAX);
        let body = body.collect().await.map_err(|error| unreachable(error.to_string()))?.to_bytes();
        let answer: Value = serde_json::from_slice(&body).map_err(|_| {
            let shown = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
            ClientError::Protocol(format!("HTTP {status}: {shown}"))
        })?;
        result_of(&answer)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// The structured result of a tool's answer, or what went wrong in words.
fn result_of(answer: &Value) -> Result<Value, ClientError> {
    if let Some(error) = answer.get("error") {
        let message = error["message"].as_str().unwrap_or("no reason given");
        let trace = error["data"]["trace_id"].as_str().map(|trace| format!(" (trace {trace})")).unwrap_or_default();
        return Err(match error["data"]["layer"].as_str() {
            // What the gateway cannot do at the moment says nothing about who asks.
            Some("system") | None => ClientError::Failed(format!("{message}{trace}")),
            Some("identity") => ClientError::Unidentified(format!("{message}{trace}")),
            Some(_) => ClientError::Denied(format!("{message}{trace}")),
        });
    }
    let result = &answer["result"];
    let text = || result["content"][0]["text"].as_str().unwrap_or("no reason given").to_owned();
    if result["isError"] == json!(true) {
        let problems = result["structuredContent"]["problems"].as_array();
        let Some(problems) = problems else { return Err(ClientError::Failed(text())) };
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| {
                let field = |name: &str| problem[name].as_str().unwrap_or("").to_owned();
                format!("\n  {}:{}:{}: {}", field("file"), problem["line"], problem["column"], field("message"))
            })
            .collect();
        let head = result["structuredContent"]["error"].as_str().unwrap_or("failed");
        return Err(ClientError::Failed(format!("{head}{}", lines.concat())));
    }
    match result.get("structuredContent") {
        Some(value) => Ok(value.clone()),
        None => Err(ClientError::Protocol(answer.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_become_results_or_words() {
        assert_eq!(result_of(&json!({"result": {"structuredContent": {"a": 1}}})).ok(), Some(json!({"a": 1})));
        let denied = json!({"error": {"message": "no", "data": {"layer": "scope", "trace_id": "t"}}});
        assert!(matches!(result_of(&denied), Err(ClientError::Denied(text)) if text == "no (trace t)"));
        let unknown = json!({"error": {"message": "who", "data": {"layer": "identity"}}});
        assert!(matches!(result_of(&unknown), Err(ClientError::Unidentified(text)) if text == "who"));
        let failed = json!({"result": {"isError": true, "content": [{"type": "text", "text": "broken"}]}});
        assert!(matches!(result_of(&failed), Err(ClientError::Failed(text)) if text == "broken"));
    }
}
