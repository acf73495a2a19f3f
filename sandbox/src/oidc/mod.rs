//! Microsoft Entra ID v2.0: discovery, keys, a page to pick who to be, tokens and sign-out.

mod assertion;
mod authorize;
mod claims;
mod discovery;
mod logout;
mod page;
mod refusal;
mod token;

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use rand::RngCore;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use self::{
    assertion::check_certificates,
    authorize::authorize,
    discovery::{discovery, keys},
    logout::logout,
    page::{error_page, front_page},
    token::{token, user_info},
};
use crate::running::Shared;

/// How long an authorization code is good.
const CODE_LIFE: Duration = Duration::minutes(10);
/// How long bearer tokens and ID tokens are good.
const TOKEN_LIFE: Duration = Duration::seconds(3599);

/// A sign-in that was made and not yet redeemed.
#[derive(Clone, Debug)]
struct Grant {
    client: String,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    scope: String,
    /// Authentication context that the request asked for.
    acrs: Option<String>,
    oid: Uuid,
    sid: Uuid,
    expires: DateTime<Utc>,
}

/// Codes and tokens that were issued; all end with the process.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Issued>);

#[derive(Debug, Default)]
struct Issued {
    codes: HashMap<String, Grant>,
    redeemed: HashSet<String>,
    /// Bearer tokens for Graph: client and end.
    bearers: HashMap<String, (String, DateTime<Utc>)>,
    /// Access tokens of people, for the user info endpoint.
    people: HashMap<String, (String, Uuid)>,
}

/// How redeeming a code failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CodeError {
    Unknown,
    Redeemed,
    Expired,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, Issued> {
        self.0
            .lock()
            .expect("no code panics while it holds the sessions")
    }

    fn put_code(&self, grant: Grant) -> String {
        let code = secret();
        self.lock().codes.insert(code.clone(), grant);
        code
    }

    /// A code is good once, however its redemption ends.
    fn take_code(&self, code: &str, now: DateTime<Utc>) -> Result<Grant, CodeError> {
        let mut issued = self.lock();
        let Some(grant) = issued.codes.remove(code) else {
            return Err(if issued.redeemed.contains(code) {
                CodeError::Redeemed
            } else {
                CodeError::Unknown
            });
        };
        issued.redeemed.insert(code.to_owned());
        if grant.expires < now {
            Err(CodeError::Expired)
        } else {
            Ok(grant)
        }
    }

    /// A token in the shape of Entra's: whoever gets it may read what it says, but only we know whether it is one.
    fn put_bearer(&self, client: &str, claims: &Value, now: DateTime<Utc>) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "typ": "JWT", "alg": "RS256" });
        let token = format!("{}.{}.{}", part(&header), part(claims), secret());
        let mut issued = self.lock();
        issued.bearers.retain(|_, (_, expires)| *expires > now);
        issued
            .bearers
            .insert(token.clone(), (client.to_owned(), now + TOKEN_LIFE));
        token
    }

    fn put_person(&self, client: &str, oid: Uuid) -> String {
        let token = secret();
        self.lock()
            .people
            .insert(token.clone(), (client.to_owned(), oid));
        token
    }

    fn person(&self, token: &str) -> Option<(String, Uuid)> {
        self.lock().people.get(token).cloned()
    }

    /// The client that holds a bearer token for Graph.
    pub fn bearer(&self, token: &str, now: DateTime<Utc>) -> Option<String> {
        let issued = self.lock();
        issued
            .bearers
            .get(token)
            .filter(|(_, expires)| *expires > now)
            .map(|(client, _)| client.clone())
    }

    /// Voids all bearer tokens.
    pub fn revoke_tokens(&self) {
        let mut issued = self.lock();
        issued.bearers.clear();
        issued.people.clear();
    }
}

/// 256 bits of chance as text.
fn secret() -> String {
    let mut bytes = [0; 32];
    rand::thread_rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn random_id() -> Uuid {
    let mut bytes = [0; 16];
    rand::thread_rng().fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// How an address names the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tenant {
    /// By id or domain.
    Ours,
    /// `common` or `organizations`.
    Any,
    Unknown,
}

fn tenant(shared: &Shared, name: &str) -> Tenant {
    if Uuid::parse_str(name).is_ok_and(|id| id == shared.tenant)
        || name.eq_ignore_ascii_case(&shared.world().organization.domain)
    {
        Tenant::Ours
    } else if ["common", "organizations"].contains(&name) {
        Tenant::Any
    } else {
        Tenant::Unknown
    }
}
