//! The provider: its discovery document, its keys, and the exchange of codes for tokens.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration as StdDuration,
};

use chrono::Duration;
use domain::Timestamp;
use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, TokenResponse as _,
    core::{CoreClient, CoreProviderMetadata, CoreResponseType},
};
use provisioner::graph::Credential;
use serde_json::{Value, json};
use uuid::Uuid;
use workflow::{Clock, Ids};

use super::{
    random::secret,
    remembered::Remembered,
    token::{self, Expected, Fault, Identity, Key},
};
use crate::http_client::{Adapted, CallError};

/// Forged key ids must not make us hammer the provider.
const BETWEEN_REFETCHES: Duration = Duration::minutes(5);

/// Why a sign-in went no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The provider does not answer: nobody's fault here, trying again helps.
    Unreachable(String),
    /// The provider answers, but not as this configuration expects.
    Misconfigured(String),
    /// The provider says no, with its own code and text.
    Denied {
        /// OAuth's word: `access_denied`, `invalid_client` …
        error: String,
        /// Entra's text with its AADSTS code, correlation id and time.
        description: String,
    },
    /// A token came that does not count.
    Token(Fault),
}

/// What the provider must know of the configuration.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Entra's base address.
    pub authority: String,
    /// The one tenant.
    pub tenant: Uuid,
    /// The registration.
    pub client_id: String,
    /// Its credential.
    pub credential: Credential,
    /// Where codes come back to.
    pub redirect_uri: String,
    /// Where people land after signing out.
    pub signed_out_uri: String,
}

impl ProviderSettings {
    /// The only issuer whose tokens count.
    pub fn issuer(&self) -> String {
        format!("{}/{}/v2.0", self.authority, self.tenant)
    }
}

/// Why somebody is sent to the provider.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// To sign in, however they are known there.
    SignIn,
    /// To sign in with another account than the one that the provider remembers.
    Switch,
    /// To prove anew who they are, for one decision.
    Fresh {
        /// The authentication context that must be satisfied, if one is configured.
        context: Option<&'a str>,
        /// Whom the provider should ask, as it told us at sign-in.
        login_hint: Option<&'a str>,
    },
}

/// A sign-in that was begun.
#[derive(Debug)]
pub struct Begun {
    /// Where to send the browser.
    pub address: String,
    /// Comes back with the code.
    pub state: String,
    /// Comes back inside the token.
    pub nonce: String,
    /// Proves at the token endpoint that it was us who began.
    pub verifier: String,
}

#[derive(Clone, Debug)]
struct Discovered {
    metadata: CoreProviderMetadata,
    end_session: Option<String>,
}

/// The provider, with what is remembered of it.
#[derive(Debug)]
pub struct Provider {
    settings: ProviderSettings,
    http: Adapted,
    clock: Clock,
    ids: Ids,
    discovered: Remembered<Discovered>,
    keys: Remembered<Arc<Vec<Key>>>,
    /// When an unknown key id last made us look again.
    looked_again: Mutex<Option<Timestamp>>,
}

type ReadyClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    /// A provider of which nothing is known yet; the first sign-in asks.
    pub fn new(settings: ProviderSettings, http: reqwest::Client, clock: Clock, ids: Ids) -> Self {
        Self {
            settings,
            http: Adapted(http),
            clock,
            ids,
            discovered: Remembered::default(),
            keys: Remembered::default(),
            looked_again: Mutex::default(),
        }
    }

    /// The settings.
    pub const fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    /// Reads the discovery document, or takes the one at hand. A stale one is used while no new one can be had.
    async fn discover(&self) -> Result<Discovered, Failure> {
        let (http, issuer) = (self.http.clone(), self.settings.issuer());
        let read = || async move { read_discovery(&http, &issuer).await };
        self.discovered.get(&self.clock, read).await
    }

    fn client(&self, metadata: CoreProviderMetadata) -> Result<ReadyClient, Failure> {
        let redirect = RedirectUrl::new(self.settings.redirect_uri.clone())
            .map_err(|error| Failure::Misconfigured(format!("the portal's address: {error}")))?;
        let secret = match &self.settings.credential {
            Credential::Secret(secret) => Some(ClientSecret::new(secret.clone())),
            Credential::Certificate(_) => None,
        };
        let client_id = ClientId::new(self.settings.client_id.clone());
        Ok(
            CoreClient::from_provider_metadata(metadata, client_id, secret)
                .set_redirect_uri(redirect)
                .set_auth_type(AuthType::RequestBody),
        )
    }

    /// Begins a sign-in.
    pub async fn begin(&self, wanted: Wanted<'_>) -> Result<Begun, Failure> {
        let client = self.client(self.discover().await?.metadata)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state, nonce) = (secret(), secret());
        let (their_state, their_nonce) = (state.clone(), nonce.clone());
        let mut request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || CsrfToken::new(their_state),
                || Nonce::new(their_nonce),
            )
            // A cross-site POST would come without our SameSite=Lax cookie.
            .add_extra_param("response_mode", "query")
            .add_scope(Scope::new("profile".into()))
            .add_scope(Scope::new("email".into()))
            .set_pkce_challenge(challenge);
        request = match wanted {
            Wanted::SignIn => request,
            Wanted::Switch => request.add_extra_param("prompt", "select_account"),
            Wanted::Fresh {
                context,
                login_hint,
            } => {
                // Entra honours `prompt`, others `max_age`; whether it is new is seen in the token whatever they do.
                let request = request
                    .add_extra_param("prompt", "login")
                    .add_extra_param("max_age", "0")
                    .add_extra_param("claims", fresh_claims(context));
                match login_hint {
                    Some(hint) => request.add_extra_param("login_hint", hint.to_owned()),
                    None => request,
                }
            }
        };
        let (address, _, _) = request.url();
        Ok(Begun {
            address: address.into(),
            state,
            nonce,
            verifier: verifier.into_secret(),
        })
    }

    /// Takes the code to the provider and checks the token that comes back.
    pub async fn redeem(
        &self,
        code: String,
        verifier: String,
        nonce: &str,
    ) -> Result<Identity, Failure> {
        let metadata = self.discover().await?.metadata;
        let issuer = metadata.issuer().clone();
        let token_endpoint = metadata
            .token_endpoint()
            .map(|url| url.as_str().to_owned())
            .unwrap_or_default();
        let client = self.client(metadata)?;
        let mut exchange = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| Failure::Misconfigured(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        if matches!(self.settings.credential, Credential::Certificate(_)) {
            for (name, value) in self.assertion(&token_endpoint)? {
                exchange = exchange.add_extra_param(name, value);
            }
        }
        let answer = exchange
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(refusal) => Failure::Denied {
                    error: refusal.error().to_string(),
                    description: refusal.error_description().cloned().unwrap_or_default(),
                },
                RequestTokenError::Request(error) => unreachable_token(&error),
                RequestTokenError::Parse(error, _) => {
                    tracing::warn!(%error, "the token endpoint's answer cannot be read");
                    Failure::Token(Fault::Unreadable)
                }
                RequestTokenError::Other(why) => Failure::Unreachable(why),
            })?;
        let token = answer
            .id_token()
            .ok_or(Failure::Token(Fault::Unreadable))?
            .to_string();
        let key = self
            .key(&token::key_id(&token).map_err(Failure::Token)?)
            .await?;
        let expected = Expected {
            issuer: &issuer,
            tenant: self.settings.tenant,
            client_id: &self.settings.client_id,
            nonce,
            now: self.clock.system_now(),
        };
        token::check(&token, &key, &expected).map_err(Failure::Token)
    }

    /// The signed statement of who we are. `client_id` is left to openidconnect, which sends it as well.
    fn assertion(&self, audience: &str) -> Result<Vec<(&'static str, String)>, Failure> {
        let now = self.clock.system_now();
        let fields = self
            .settings
            .credential
            .fields(
                &self.settings.client_id,
                audience,
                now,
                self.ids.new_id(now),
            )
            .map_err(|error| Failure::Misconfigured(error.to_string()))?;
        Ok(fields
            .into_iter()
            .filter(|(name, _)| *name != "client_id")
            .collect())
    }

    /// The key with this id. An unknown id makes us look again, but not more often than every five minutes; the last good
    /// keys stay when looking fails.
    async fn key(&self, id: &str) -> Result<Key, Failure> {
        let address = self
            .discover()
            .await?
            .metadata
            .jwks_uri()
            .as_str()
            .to_owned();
        let find = |keys: &[Key]| keys.iter().find(|key| key.id == id).cloned();
        let read = || {
            let (http, address) = (self.http.clone(), address.clone());
            async move { read_keys(&http, &address).await }
        };
        let known = self.keys.get(&self.clock, read).await?;
        if let Some(key) = find(&known) {
            return Ok(key);
        }
        let renewed = self.keys.renew(&self.clock, || self.may_look_again(), read);
        renewed
            .await
            .and_then(|keys| find(&keys))
            .ok_or(Failure::Token(Fault::UnknownKey))
    }

    fn may_look_again(&self) -> bool {
        let now = self.clock.system_now();
        let mut last = self
            .looked_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let may = last.is_none_or(|at| now - at >= BETWEEN_REFETCHES);
        if may {
            *last = Some(now);
        }
        may
    }

    /// Where to send the browser so that the provider forgets the person, too. `None` when the provider has no such place
    /// or does not answer quickly: signing out here must not wait for it.
    pub async fn end_session(&self, login_hint: Option<&str>) -> Option<String> {
        let discovered = tokio::time::timeout(StdDuration::from_secs(2), self.discover())
            .await
            .ok()?
            .ok()?;
        let mut address = reqwest::Url::parse(&discovered.end_session?).ok()?;
        {
            let mut query = address.query_pairs_mut();
            query.append_pair("client_id", &self.settings.client_id);
            query.append_pair("post_logout_redirect_uri", &self.settings.signed_out_uri);
            if let Some(hint) = login_hint {
                query.append_pair("logout_hint", hint);
            }
        }
        Some(address.into())
    }

    /// Whether the provider answers as configured, for `latchkey doctor`.
    pub async fn diagnose(&self) -> Result<(), Failure> {
        let found = self.discover().await?;
        read_keys(&self.http, found.metadata.jwks_uri().as_str())
            .await
            .map(drop)
    }
}

/// What a token of a fresh sign-in must say (OpenID Connect Core 5.5; `acrs` is Entra's).
fn fresh_claims(context: Option<&str>) -> String {
    let mut claims = json!({"auth_time": {"essential": true}});
    if let Some(context) = context {
        claims["acrs"] = json!({"essential": true, "value": context});
    }
    json!({"id_token": claims}).to_string()
}

async fn read_discovery(http: &Adapted, issuer: &str) -> Result<Discovered, Failure> {
    let address = format!("{issuer}/.well-known/openid-configuration");
    let document = get_json(http, &address).await?;
    let end_session = document
        .get("end_session_endpoint")
        .and_then(Value::as_str)
        .map(ToOwned::to_owned);
    let metadata: CoreProviderMetadata = serde_json::from_value(document).map_err(|error| {
        Failure::Misconfigured(format!("{address} is no discovery document: {error}"))
    })?;
    if metadata.issuer().as_str() != issuer {
        return Err(Failure::Misconfigured(format!(
            "{address} speaks for issuer {}, not for {issuer}",
            metadata.issuer().as_str()
        )));
    }
    Ok(Discovered {
        metadata,
        end_session,
    })
}

async fn read_keys(http: &Adapted, address: &str) -> Result<Arc<Vec<Key>>, Failure> {
    let document = get_json(http, address).await?;
    let keys: Vec<Key> = document
        .get("keys")
        .and_then(Value::as_array)
        .map(|keys| keys.iter().filter_map(Key::read).collect())
        .unwrap_or_default();
    if keys.is_empty() {
        return Err(Failure::Misconfigured(format!(
            "{address} holds no key for signing"
        )));
    }
    Ok(Arc::new(keys))
}

async fn get_json(http: &Adapted, address: &str) -> Result<Value, Failure> {
    let unreachable =
        |error: &dyn std::fmt::Display| Failure::Unreachable(format!("{address}: {error}"));
    let answer = http
        .0
        .get(address)
        .send()
        .await
        .map_err(|error| unreachable(&error))?;
    let status = answer.status();
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(unreachable(&status));
    }
    if !status.is_success() {
        return Err(Failure::Misconfigured(format!(
            "{address} answers {status}"
        )));
    }
    answer.json().await.map_err(|error| unreachable(&error))
}

fn unreachable_token(error: &CallError) -> Failure {
    Failure::Unreachable(format!("the token endpoint: {error}"))
}
