//! `private_key_jwt`: a client proves who it is with its certificate.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Utc};
use ring::{
    digest,
    signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
    },
};
use serde_json::Value;

use super::refusal::Refusal;
use crate::config::Client;

/// Clocks may differ by so many seconds.
const SKEW: i64 = 300;

/// A certificate as far as it is needed: its bytes and the RSA key in it.
#[derive(Debug)]
struct Certificate {
    der: Vec<u8>,
    /// PKCS#1 `RSAPublicKey`.
    key: Vec<u8>,
}

/// Says whether all certificates of a client can be read.
pub(crate) fn check_certificates(client: &Client) -> Result<(), String> {
    client
        .certificates
        .iter()
        .try_for_each(|pem| Certificate::read(pem).map(drop))
}

impl Certificate {
    fn read(pem: &str) -> Result<Self, String> {
        let begin = "-----BEGIN CERTIFICATE-----";
        let body = pem
            .split_once(begin)
            .and_then(|(_, rest)| rest.split_once("-----END CERTIFICATE-----"));
        let text: String = body
            .ok_or("a certificate is not PEM")?
            .0
            .split_whitespace()
            .collect();
        let der = STANDARD
            .decode(text)
            .map_err(|error| format!("a certificate is not base64: {error}"))?;
        let key = public_key(&der)
            .ok_or("a certificate has no RSA key that can be read")?
            .to_vec();
        Ok(Self { der, key })
    }
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const VERSION: u8 = 0xA0;

/// One element: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7F);
        if count == 0 || count > 4 || rest.len() < count {
            return None;
        }
        let (bytes, rest) = rest.split_at(count);
        (
            bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte)),
            rest,
        )
    };
    (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
}

/// The subject's key of an X.509 certificate: certificate, to-be-signed part, and in it, after an optional version and
/// five more elements (serial, algorithm, issuer, validity, subject), the key info with the key as a bit string.
fn public_key(der: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, certificate, _) = element(der)? else {
        return None;
    };
    let (SEQUENCE, mut rest, _) = element(certificate)? else {
        return None;
    };
    if element(rest)?.0 == VERSION {
        rest = element(rest)?.2;
    }
    for _ in 0..5 {
        rest = element(rest)?.2;
    }
    let (SEQUENCE, info, _) = element(rest)? else {
        return None;
    };
    let (SEQUENCE, _, after_algorithm) = element(info)? else {
        return None;
    };
    let (BIT_STRING, bits, _) = element(after_algorithm)? else {
        return None;
    };
    let (0, key) = bits.split_first()? else {
        return None;
    };
    Some(key)
}

/// Holds a client assertion to Entra's rules.
pub(crate) fn verify(
    client: &Client,
    assertion: &str,
    audience: &str,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let refuse = |code, why: &str| Refusal::new("invalid_client", code, why);
    let malformed = || refuse(50_027, "JWT token is invalid or malformed.");
    let mut parts = assertion.rsplitn(2, '.');
    let (signature, signed) = parts.next().zip(parts.next()).ok_or_else(malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
    let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
    let (header, claims) = json(header).zip(json(claims)).ok_or_else(malformed)?;

    let parameters: &'static RsaParameters = match header["alg"].as_str() {
        Some("PS256") => &RSA_PSS_2048_8192_SHA256,
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        _ => {
            return Err(refuse(
                5_002_727,
                "Invalid JWT header algorithm. Allowed: RS256, PS256.",
            ));
        }
    };
    let certificates = client
        .certificates
        .iter()
        .filter_map(|pem| Certificate::read(pem).ok());
    let named = |certificate: &Certificate| {
        let thumbprint =
            |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &certificate.der));
        header["x5t#S256"] == *thumbprint(&digest::SHA256)
            || header["x5t"] == *thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY)
    };
    let certificate = certificates.into_iter().find(named).ok_or_else(|| {
        refuse(700_027, "The certificate with the identifier used to sign the client assertion is not registered on application.")
    })?;
    UnparsedPublicKey::new(parameters, &certificate.key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| refuse(700_027, "Client assertion failed signature validation."))?;

    if claims["iss"] != client.id.as_str() || claims["sub"] != client.id.as_str() {
        return Err(refuse(
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        ));
    }
    if claims["aud"] != audience {
        return Err(refuse(
            700_023,
            "Client assertion audience claim does not match Realm issuer.",
        ));
    }
    let now = now.timestamp();
    let starts = claims["nbf"].as_i64().is_none_or(|nbf| nbf <= now + SKEW);
    let ends = claims["exp"].as_i64().is_some_and(|exp| exp > now - SKEW);
    if !starts || !ends {
        return Err(refuse(
            700_024,
            "Client assertion is not within its valid time range.",
        ));
    }
    if claims["jti"].as_str().is_none_or(str::is_empty) {
        return Err(refuse(
            50_027,
            "JWT token is invalid or malformed: it has no 'jti'.",
        ));
    }
    Ok(())
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
