//! The key that signs ID tokens: RSA with 2048 bits, made at start in the background, replaced on demand.

use std::sync::{Arc, OnceLock};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{rand::SystemRandom, signature::RsaKeyPair};
use rsa::{RsaPrivateKey, pkcs8::EncodePrivateKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::RwLock;

/// A key pair with its id.
#[derive(Debug)]
pub(crate) struct Key {
    pub id: String,
    pair: RsaKeyPair,
}

impl Key {
    fn generate() -> Self {
        let private =
            RsaPrivateKey::new(&mut rand::rngs::OsRng, 2048).expect("2048 bits are a valid size");
        let der = private.to_pkcs8_der().expect("a fresh key can be encoded");
        let pair = RsaKeyPair::from_pkcs8(der.as_bytes())
            .expect("a fresh key of 2048 bits is one that ring takes");
        let id = URL_SAFE_NO_PAD.encode(&Sha256::digest(pair.public().as_ref())[..20]);
        Self { id, pair }
    }

    /// Signs `header.payload` with RS256 and answers with the whole token.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": self.id });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(
                &ring::signature::RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .expect("the buffer has the size of the modulus");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public half as an entry of a JWKS, with Entra's `issuer`.
    pub fn jwk(&self, issuer: &str) -> Value {
        let parts = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(self.pair.public());
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(parts.n),
            "e": URL_SAFE_NO_PAD.encode(parts.e),
            "issuer": issuer,
        })
    }
}

/// The current key. Making one takes seconds in an unoptimised build, so sandboxes of one process share the first.
#[derive(Debug)]
pub(crate) struct Keys {
    rotated: RwLock<Option<Arc<Key>>>,
}

static FIRST: OnceLock<Arc<Key>> = OnceLock::new();

fn first() -> Arc<Key> {
    FIRST.get_or_init(|| Arc::new(Key::generate())).clone()
}

impl Keys {
    /// Begins to make a key; nobody waits for it before it is needed.
    pub fn start() -> Self {
        tokio::task::spawn_blocking(first);
        Self {
            rotated: RwLock::new(None),
        }
    }

    pub async fn current(&self) -> Arc<Key> {
        if let Some(key) = self.rotated.read().await.as_ref() {
            return key.clone();
        }
        tokio::task::spawn_blocking(first)
            .await
            .expect("making a key does not panic")
    }

    pub async fn rotate(&self) {
        let key = tokio::task::spawn_blocking(Key::generate)
            .await
            .expect("making a key does not panic");
        *self.rotated.write().await = Some(Arc::new(key));
    }
}
