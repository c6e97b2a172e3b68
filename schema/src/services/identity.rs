//! `services/identity/<name>.yaml`: an OpenID provider whose people log in here. Its name is the name of the file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use wire::ids::{DepartmentId, RoleName, TenantId};

use super::decode::At;
use super::words::Reference;

/// An OpenID provider whose people log in here.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Identity provider")]
pub struct IdentityFile {
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// What stands on the button: `Log in with …`. Left out: the name of the file.
    #[serde(default)]
    pub title: Option<String>,
    /// Its issuer, exactly as it calls itself: `https://login.example`.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub issuer: At<String>,
    /// What it calls us. The address to come back to is `<public URL>/login/callback/<name>`.
    #[schemars(with = "String")]
    pub client_id: At<String>,
    /// The secret it gave us: `env:NAME`. Left out for a public client.
    #[serde(default)]
    pub client_secret: Option<Reference>,
    /// What is asked for besides `openid`. Default: `profile` and `email`.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// A file with the certificates to trust instead of the system's.
    #[serde(default)]
    pub ca: Option<String>,
    /// Who of its people may log in.
    #[serde(default)]
    pub accounts: FederatedAccounts,
    /// Which of its groups have which roles here. Left out: it gives none and takes none.
    #[serde(default)]
    pub groups: Option<FederatedGroups>,
}

/// Who of a provider's people may log in. Those whose identity is connected already may in any case.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FederatedAccounts {
    /// Whoever it knows gets an account at the first log-in. Default: false.
    #[serde(default)]
    pub create: bool,
    /// Whoever has the e-mail address of an account here, and the provider says that it verified it, is that account.
    /// Only for a provider that you trust with every account. Default: false.
    #[serde(default)]
    pub by_email: bool,
    /// The claim that names a new account. Default: `preferred_username`, else `email`, else `sub`.
    #[serde(default)]
    pub id_claim: Option<String>,
    /// The tenant of new accounts.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub tenant: Option<TenantId>,
    /// The department of new accounts.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub department: Option<DepartmentId>,
}

/// Which groups have which roles. They are given and taken at every log-in; roles that were given here stay.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FederatedGroups {
    /// The claim that lists them. Default: `groups`.
    #[serde(default)]
    pub claim: Option<String>,
    /// Roles of each group.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub roles: BTreeMap<String, Vec<At<RoleName>>>,
}
