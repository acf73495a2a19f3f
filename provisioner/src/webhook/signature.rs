//! Signatures as Standard Webhooks describes them: HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`; several by spaces.

use std::fmt;

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use chrono::Duration;
use domain::Timestamp;
use ring::hmac;

/// A message whose timestamp lies further from now than this is not taken, whoever signed it.
pub const TOLERANCE: Duration = Duration::minutes(5);

/// The shortest key that is taken, in bytes (Standard Webhooks: 24 to 64).
const SHORTEST_KEY: usize = 24;

/// Base64 with or without padding: both are in use for secrets.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key that both sides know. It is never shown.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Secret {
    /// Reads `whsec_` and the key in base64.
    ///
    /// # Errors
    /// In words, if it is none, or too short to be one.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let Some(encoded) = text.trim().strip_prefix("whsec_") else {
            return Err("must begin with whsec_, as Standard Webhooks writes secrets");
        };
        let bytes = LENIENT
            .decode(encoded)
            .map_err(|_| "must be base64 behind whsec_")?;
        if bytes.len() < SHORTEST_KEY {
            return Err("must hold at least 24 random bytes");
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

/// The value of `webhook-signature`.
pub fn sign(secret: &Secret, id: &str, at: Timestamp, body: &[u8]) -> String {
    let tag = hmac::sign(&secret.0, &content(id, at.timestamp(), body));
    format!("v1,{}", STANDARD.encode(tag))
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// A header is missing or no number.
    #[error("a header is missing")]
    Headers,
    /// It was signed too long ago, or in the future.
    #[error("the timestamp lies too far from now")]
    Time,
    /// No signature fits.
    #[error("the signature does not fit")]
    Signature,
}

/// Whether a message was signed with this secret about now. `seconds` is the value of `webhook-timestamp`.
///
/// # Errors
/// See [`BadSignature`].
pub fn verify(
    secret: &Secret,
    id: &str,
    seconds: &str,
    signatures: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), BadSignature> {
    let seconds: i64 = seconds.parse().map_err(|_| BadSignature::Headers)?;
    if id.is_empty() || id.len() > 200 {
        return Err(BadSignature::Headers);
    }
    if (now.timestamp() - seconds).unsigned_abs() > TOLERANCE.num_seconds().unsigned_abs() {
        return Err(BadSignature::Time);
    }
    let content = content(id, seconds, body);
    let fits = signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .filter_map(|encoded| LENIENT.decode(encoded).ok())
        .any(|tag| hmac::verify(&secret.0, &content, &tag).is_ok());
    if fits {
        Ok(())
    } else {
        Err(BadSignature::Signature)
    }
}

fn content(id: &str, seconds: i64, body: &[u8]) -> Vec<u8> {
    let mut content = format!("{id}.{seconds}.").into_bytes();
    content.extend_from_slice(body);
    content
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    /// The example of the specification's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(seconds, 0).expect("an instant")
    }

    #[test]
    fn a_signature_is_that_of_the_published_example() {
        let secret = Secret::read(SECRET).expect("it is one");
        let signed = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at(1_614_265_330),
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn nothing_else_is_taken_and_nothing_old() {
        let secret = Secret::read(SECRET).expect("it is one");
        let now = at(1_700_000_000);
        let signed = sign(&secret, "msg_1", now, b"{}");
        let check = |id: &str, seconds: &str, signatures: &str, body: &[u8], late: i64| {
            verify(
                &secret,
                id,
                seconds,
                signatures,
                body,
                now + Duration::seconds(late),
            )
        };
        let seconds = "1700000000";
        assert_eq!(check("msg_1", seconds, &signed, b"{}", 0), Ok(()));
        assert_eq!(
            check(
                "msg_1",
                seconds,
                &format!("v1,AAAA v2,x {signed}"),
                b"{}",
                299
            ),
            Ok(())
        );
        assert_eq!(
            check("msg_1", seconds, &signed, b"{}", 301),
            Err(BadSignature::Time)
        );
        assert_eq!(
            check("msg_1", seconds, &signed, b"{}", -301),
            Err(BadSignature::Time)
        );
        assert_eq!(
            check("msg_2", seconds, &signed, b"{}", 0),
            Err(BadSignature::Signature)
        );
        assert_eq!(
            check("msg_1", "1700000001", &signed, b"{}", 0),
            Err(BadSignature::Signature)
        );
        assert_eq!(
            check("msg_1", seconds, &signed, b"{ }", 0),
            Err(BadSignature::Signature)
        );
        assert_eq!(
            check("msg_1", seconds, "", b"{}", 0),
            Err(BadSignature::Signature)
        );
        assert_eq!(
            check("msg_1", "soon", &signed, b"{}", 0),
            Err(BadSignature::Headers)
        );
        assert_eq!(
            check("", seconds, &signed, b"{}", 0),
            Err(BadSignature::Headers)
        );
    }

    #[test]
    fn a_secret_is_long_and_never_shown() {
        for wrong in ["", "hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_***"] {
            assert!(Secret::read(wrong).is_err(), "{wrong}");
        }
        let secret = Secret::read(SECRET).expect("it is one");
        assert_eq!(format!("{secret:?}"), "…");
    }
}
