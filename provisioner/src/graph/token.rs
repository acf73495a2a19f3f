//! Proving who we are to Entra: a client secret, or an assertion signed with a certificate (RFC 7523), and the token of
//! the client-credentials grant (RFC 6749, 4.4), kept until shortly before its end.

use std::{fmt, sync::Arc};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::Timestamp;
use ring::{digest, rand::SystemRandom, signature};
use serde_json::json;
use uuid::Uuid;

/// Value of `client_assertion_type`.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How we prove who we are. Printing it shows nothing secret.
#[derive(Clone)]
pub enum Credential {
    /// A client secret, sent in the body.
    Secret(String),
    /// A certificate whose public part is known to Entra.
    Certificate(Certificate),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.write_str("Secret(…)"),
            Self::Certificate(certificate) => certificate.fmt(f),
        }
    }
}

impl Credential {
    /// What goes into the body of a request to the token endpoint `audience`, besides the grant itself.
    pub fn fields(
        &self,
        client_id: &str,
        audience: &str,
        now: Timestamp,
        id: Uuid,
    ) -> Result<Vec<(&'static str, String)>, BadCertificate> {
        let mut fields = vec![("client_id", client_id.to_owned())];
        match self {
            Self::Secret(secret) => fields.push(("client_secret", secret.clone())),
            Self::Certificate(certificate) => {
                fields.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
                fields.push((
                    "client_assertion",
                    certificate.assertion(client_id, audience, now, id)?,
                ));
            }
        }
        Ok(fields)
    }
}

/// A certificate with its private key.
#[derive(Clone)]
pub struct Certificate {
    thumbprint: String,
    key: Arc<signature::RsaKeyPair>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("x5t#S256", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

/// Why a certificate or its key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be used: {0}")]
pub struct BadCertificate(String);

impl Certificate {
    /// Reads a certificate and its RSA private key (2048 bits or more; PKCS#8 or PKCS#1), both PEM. The text of the
    /// certificate may hold the key as well, and a chain: the first certificate counts.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, BadCertificate> {
        let der = block(certificate, "CERTIFICATE")?
            .ok_or_else(|| BadCertificate("no CERTIFICATE block was found".into()))?;
        let rejected =
            |error: ring::error::KeyRejected| BadCertificate(format!("its key: {error}"));
        let key = if let Some(key) = block(key, "PRIVATE KEY")? {
            signature::RsaKeyPair::from_pkcs8(&key).map_err(rejected)?
        } else if let Some(key) = block(key, "RSA PRIVATE KEY")? {
            signature::RsaKeyPair::from_der(&key).map_err(rejected)?
        } else {
            return Err(BadCertificate(
                "no unencrypted PRIVATE KEY or RSA PRIVATE KEY block was found".into(),
            ));
        };
        Ok(Self {
            thumbprint: URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &der)),
            key: Arc::new(key),
        })
    }

    /// A signed statement that we are `client_id`, for the token endpoint `audience`, good for ten minutes and once.
    ///
    /// PS256 with the SHA-256 thumbprint in the header, as Entra asks.
    pub fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: Timestamp,
        id: Uuid,
    ) -> Result<String, BadCertificate> {
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": audience, "iss": client_id, "sub": client_id, "jti": id,
            "nbf": now.timestamp(), "iat": now.timestamp(), "exp": now.timestamp() + 600,
        });
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &signature::RSA_PSS_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| BadCertificate("signing failed".into()))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The bytes of the first PEM block of this name.
fn block(pem: &str, name: &str) -> Result<Option<Vec<u8>>, BadCertificate> {
    let Some((_, rest)) = pem.split_once(&format!("-----BEGIN {name}-----")) else {
        return Ok(None);
    };
    let (body, _) = rest
        .split_once(&format!("-----END {name}-----"))
        .ok_or_else(|| BadCertificate(format!("the {name} block has no end")))?;
    let text: String = body.split_whitespace().collect();
    STANDARD
        .decode(text)
        .map(Some)
        .map_err(|error| BadCertificate(format!("the {name} block is not base64: {error}")))
}

/// An access token with its end.
#[derive(Clone)]
pub(crate) struct Token {
    pub value: Arc<str>,
    /// From when on a new one is fetched.
    renew_at: Timestamp,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(… until {})", self.renew_at)
    }
}

impl Token {
    /// A token that was issued at `now` for so many seconds. It is renewed five minutes before its end, or at half its
    /// life if that is short.
    pub fn new(value: &str, now: Timestamp, seconds: i64) -> Self {
        let early = 300.min(seconds / 2);
        Self {
            value: value.into(),
            renew_at: now + chrono::Duration::seconds(seconds - early),
        }
    }

    pub fn fresh(&self, now: Timestamp) -> bool {
        now < self.renew_at
    }
}
