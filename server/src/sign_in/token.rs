//! Whether an ID token counts. Signature, `aud`, `exp`, `iat` and `nonce` are openidconnect's business; what Entra adds to
//! it (key bound to an issuer, tenant, object id, `nbf`, a key id that must be there) is checked here.

use chrono::{DateTime, Duration, Utc};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, IdToken, IdTokenVerifier, IssuerUrl,
    JsonWebKeySet, Nonce, SignatureVerificationError,
    core::{
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// How far two clocks may be apart.
pub(super) const SKEW: Duration = Duration::minutes(5);

/// Why an ID token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not a token of the expected form, or none at all.
    Unreadable,
    /// Signed otherwise than with RS256, or not at all.
    Algorithm,
    /// It does not say which key signed it.
    NoKeyId,
    /// The key that it names is not among the provider's.
    UnknownKey,
    /// The key is there, but not for this issuer.
    KeyOfOtherIssuer,
    /// The signature is wrong.
    Signature,
    /// Issued by somebody else.
    Issuer,
    /// Meant for another application.
    Audience,
    /// Too old.
    Expired,
    /// Not valid yet, or issued in the future.
    NotYet,
    /// Not the answer to this sign-in.
    Nonce,
    /// Of another tenant.
    Tenant,
    /// Without an object id.
    NoObjectId,
}

impl Fault {
    /// The word for the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "token_unreadable",
            Self::Algorithm => "token_algorithm",
            Self::NoKeyId => "token_without_key_id",
            Self::UnknownKey => "token_key_unknown",
            Self::KeyOfOtherIssuer => "token_key_of_other_issuer",
            Self::Signature => "token_signature",
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::Expired => "token_expired",
            Self::NotYet => "token_not_yet_valid",
            Self::Nonce => "token_nonce",
            Self::Tenant => "wrong_tenant",
            Self::NoObjectId => "no_object_id",
        }
    }
}

/// What a token says of groups. A missing claim never means "no groups".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Groups {
    /// The list was in the token.
    Known(Vec<String>),
    /// Too many for a token, or not asked for: only Graph can tell.
    Unknown,
}

/// Who signed in, as a token that counts says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Tenant.
    pub tenant: Uuid,
    /// Object id, equal to Graph's `user.id`.
    pub object: Uuid,
    /// For showing only.
    pub name: String,
    /// For showing only.
    pub user_name: String,
    /// For showing only.
    pub mail: Option<String>,
    /// App roles; Entra leaves the claim out where none is assigned.
    pub roles: Vec<String>,
    /// Groups, for which the portal has no use besides not misreading them.
    pub groups: Groups,
    /// Homed in another organisation.
    pub guest: bool,
    /// Saves the account picker at sign-out.
    pub login_hint: Option<String>,
    /// When they last proved who they are, if the token says so.
    pub signed_in_at: Option<DateTime<Utc>>,
    /// The authentication contexts that are satisfied.
    pub contexts: Vec<String>,
}

/// Satisfied authentication contexts: Entra says one as a text, several as a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Contexts {
    One(String),
    Many(Vec<String>),
}

/// The claims of Entra beside the standard ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct EntraClaims {
    tid: Option<String>,
    oid: Option<String>,
    nbf: Option<i64>,
    roles: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    hasgroups: Option<Value>,
    #[serde(rename = "_claim_names")]
    claim_names: Option<Value>,
    acct: Option<Value>,
    login_hint: Option<String>,
    acrs: Option<Contexts>,
}

impl AdditionalClaims for EntraClaims {}

type EntraToken = IdToken<
    EntraClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// A key of the provider, with the issuer that it may sign for.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub id: String,
    pub issuer: Option<String>,
    pub public: CoreJsonWebKey,
}

impl Key {
    /// Reads one key of a key set; `None` for keys that sign no ID tokens.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if text("kty") != Some("RSA") || text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        Some(Self {
            id: text("kid")?.to_owned(),
            issuer: text("issuer").map(ToOwned::to_owned),
            public: serde_json::from_value(value.clone()).ok()?,
        })
    }

    /// Whether the key may sign for `issuer`: Entra marks keys with a template of the tenant or with one issuer.
    fn signs_for(&self, issuer: &str, tenant: Uuid) -> bool {
        let Some(own) = &self.issuer else {
            return true;
        };
        // The placeholder's casing varies between documents.
        let lower = own.to_ascii_lowercase();
        match lower.find("{tenantid}") {
            Some(at) => {
                let end = at + "{tenantid}".len();
                format!("{}{tenant}{}", &own[..at], &own[end..]) == issuer
            }
            None => own == issuer,
        }
    }
}

/// The key id that a token names, if the token is signed in a way that can count.
pub(super) fn key_id(token: &str) -> Result<String, Fault> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    #[derive(Deserialize)]
    struct Header {
        alg: String,
        kid: Option<String>,
    }
    let header = token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| Fault::Unreadable)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| Fault::Unreadable)?;
    if header.alg != "RS256" {
        return Err(Fault::Algorithm);
    }
    header.kid.filter(|id| !id.is_empty()).ok_or(Fault::NoKeyId)
}

/// What a token is checked against.
pub(super) struct Expected<'a> {
    pub issuer: &'a IssuerUrl,
    pub tenant: Uuid,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: DateTime<Utc>,
}

/// Checks a token in full.
pub(super) fn check(token: &str, key: &Key, expected: &Expected<'_>) -> Result<Identity, Fault> {
    if !key.signs_for(expected.issuer, expected.tenant) {
        return Err(Fault::KeyOfOtherIssuer);
    }
    let token: EntraToken = token.parse().map_err(|_| Fault::Unreadable)?;
    let now = expected.now;
    let verifier = IdTokenVerifier::new_public_client(
        ClientId::new(expected.client_id.to_owned()),
        expected.issuer.clone(),
        JsonWebKeySet::new(vec![key.public.clone()]),
    )
    .set_allowed_algs([CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256])
    .set_time_fn(move || now - SKEW)
    .set_issue_time_verifier_fn(move |issued| {
        if issued > now + SKEW {
            Err(ISSUED_LATER.to_owned())
        } else {
            Ok(())
        }
    });
    let claims = token
        .claims(&verifier, &Nonce::new(expected.nonce.to_owned()))
        .map_err(|error| fault(&error))?;
    let entra = claims.additional_claims();
    if entra.nbf.is_some_and(|nbf| nbf > (now + SKEW).timestamp()) {
        return Err(Fault::NotYet);
    }
    let tenant: Uuid = entra
        .tid
        .as_deref()
        .and_then(|tid| tid.parse().ok())
        .filter(|tid| *tid == expected.tenant)
        .ok_or(Fault::Tenant)?;
    let object = entra
        .oid
        .as_deref()
        .and_then(|oid| oid.parse().ok())
        .ok_or(Fault::NoObjectId)?;
    let user_name = claims
        .preferred_username()
        .map(|name| name.as_str().to_owned())
        .unwrap_or_default();
    let name = claims
        .name()
        .and_then(|names| names.get(None))
        .map_or_else(|| user_name.clone(), |name| name.as_str().to_owned());
    let overage = entra.claim_names.is_some() || entra.hasgroups.is_some();
    Ok(Identity {
        tenant,
        object,
        name,
        user_name,
        mail: claims.email().map(|mail| mail.as_str().to_owned()),
        roles: entra.roles.clone().unwrap_or_default(),
        groups: match &entra.groups {
            Some(groups) if !overage => Groups::Known(groups.clone()),
            _ => Groups::Unknown,
        },
        guest: entra
            .acct
            .as_ref()
            .is_some_and(|acct| acct.as_i64() == Some(1) || acct.as_str() == Some("1")),
        login_hint: entra.login_hint.clone(),
        signed_in_at: claims.auth_time(),
        contexts: match &entra.acrs {
            Some(Contexts::One(one)) => vec![one.clone()],
            Some(Contexts::Many(all)) => all.clone(),
            None => Vec::new(),
        },
    })
}

const ISSUED_LATER: &str = "issued in the future";

fn fault(error: &ClaimsVerificationError) -> Fault {
    match error {
        ClaimsVerificationError::Expired(why) if why == ISSUED_LATER => Fault::NotYet,
        ClaimsVerificationError::Expired(_) => Fault::Expired,
        ClaimsVerificationError::InvalidAudience(_) => Fault::Audience,
        ClaimsVerificationError::InvalidIssuer(_) => Fault::Issuer,
        ClaimsVerificationError::InvalidNonce(_) => Fault::Nonce,
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::DisallowedAlg(_)
            | SignatureVerificationError::NoSignature
            | SignatureVerificationError::UnsupportedAlg(_),
        ) => Fault::Algorithm,
        ClaimsVerificationError::SignatureVerification(_) => Fault::Signature,
        _ => Fault::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: Uuid = Uuid::from_u128(0x1111_1111_2222_4333_8444_5555_5555_5555);

    fn key(issuer: Option<&str>) -> Key {
        Key {
            id: "k".into(),
            issuer: issuer.map(ToOwned::to_owned),
            public: CoreJsonWebKey::new_rsa(vec![1], vec![1, 0, 1], None),
        }
    }

    #[test]
    fn a_key_signs_for_the_issuer_that_it_is_marked_with() {
        let ours = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        let signs = |mark: Option<&str>| key(mark).signs_for(&ours, TENANT);
        assert!(signs(None));
        assert!(signs(Some(&ours)));
        assert!(signs(Some(
            "https://login.microsoftonline.com/{tenantid}/v2.0"
        )));
        assert!(signs(Some(
            "https://login.microsoftonline.com/{tenantId}/v2.0"
        )));
        assert!(!signs(Some(
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
        )));
        assert!(!signs(Some("https://evil.example/{tenantid}/v2.0")));
    }

    #[test]
    fn a_header_without_key_id_or_with_another_algorithm_is_refused() {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let with = |header: &str| key_id(&format!("{}.e30.x", URL_SAFE_NO_PAD.encode(header)));
        assert_eq!(with(r#"{"alg":"RS256","kid":"a"}"#), Ok("a".into()));
        assert_eq!(with(r#"{"alg":"RS256"}"#), Err(Fault::NoKeyId));
        assert_eq!(with(r#"{"alg":"RS256","kid":""}"#), Err(Fault::NoKeyId));
        for alg in ["none", "None", "HS256", "PS256", "ES256", "RS384"] {
            let header = format!(r#"{{"alg":"{alg}","kid":"a"}}"#);
            assert_eq!(with(&header), Err(Fault::Algorithm), "{alg}");
        }
        assert_eq!(key_id("not a token"), Err(Fault::Unreadable));
        assert_eq!(key_id(""), Err(Fault::Unreadable));
    }
}
