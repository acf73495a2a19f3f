//! Signed checkpoints in the form of a C2SP signed note (<https://c2sp.org/signed-note>) holding a checkpoint
//! (<https://c2sp.org/tlog-checkpoint>), so that other people's tools can read them. The third line holds the hash of the
//! last entry of the chain; this log is a chain, not a tree.
//!
//! ```text
//! latchkey/ins_0195…
//! 1042
//! nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=
//! start 3
//! at 2026-03-01T08:00:00.000000Z
//!
//! — latchkey/ins_0195… Base64(first 4 bytes of the key's hash ‖ Ed25519 signature)
//! ```

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::{InstallationId, Timestamp};
use ed25519_dalek::{
    Signature, Signer as _, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, spki::der::pem::LineEnding},
};
use sha2::{Digest, Sha256};

/// The algorithm byte of Ed25519 in signed notes.
const ED25519: u8 = 1;

/// The state of a log at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which installation's log.
    pub installation: InstallationId,
    /// How often the installation had been started.
    pub start: i64,
    /// Entries in the log.
    pub size: i64,
    /// Hash of the last of them (32 bytes).
    pub hash: Vec<u8>,
    /// When it was made, by the portal's clock.
    pub at: Timestamp,
}

/// Why a note is not a checkpoint that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not in the form of a signed checkpoint.
    #[error("it is not a signed checkpoint: {0}")]
    Form(&'static str),
    /// Signed, but not by this key, or changed afterwards.
    #[error("its signature is not valid under the given key")]
    Signature,
}

impl Checkpoint {
    /// The first line: which log this is.
    pub fn origin(&self) -> String {
        format!("latchkey/{}", self.installation)
    }

    fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\nstart {}\nat {}\n",
            self.origin(),
            self.size,
            BASE64.encode(&self.hash),
            self.start,
            self.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
        )
    }

    /// Reads a note and checks its signature.
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let (text, signatures) = note
            .split_once("\n\n")
            .ok_or(NoteError::Form("there is no signature"))?;
        let text = format!("{text}\n");
        let checkpoint = Self::parse(&text)?;
        let origin = checkpoint.origin();
        let wanted = key.id(&origin);
        for line in signatures.lines() {
            let Some((name, blob)) = line
                .strip_prefix("\u{2014} ")
                .and_then(|rest| rest.split_once(' '))
            else {
                return Err(NoteError::Form("a signature line is malformed"));
            };
            let Ok(blob) = BASE64.decode(blob) else {
                return Err(NoteError::Form("a signature is not base64"));
            };
            // Signatures of other keys may stand beside ours.
            if name != origin || blob.len() != 68 || blob[..4] != wanted {
                continue;
            }
            let signature = Signature::from_slice(&blob[4..]).map_err(|_| NoteError::Signature)?;
            return key
                .0
                .verify_strict(text.as_bytes(), &signature)
                .map(|()| checkpoint)
                .map_err(|_| NoteError::Signature);
        }
        Err(NoteError::Signature)
    }

    /// Reads the text of a note without looking at its signature: for finding out what a file claims to be.
    pub fn peek(note: &str) -> Result<Self, NoteError> {
        let (text, _) = note
            .split_once("\n\n")
            .ok_or(NoteError::Form("there is no signature"))?;
        Self::parse(&format!("{text}\n"))
    }

    fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.lines();
        let mut next = |what| lines.next().ok_or(NoteError::Form(what));
        let installation = next("the origin is missing")?
            .strip_prefix("latchkey/")
            .and_then(|id| id.parse().ok())
            .ok_or(NoteError::Form("the first line names no installation"))?;
        let size = next("the size is missing")?
            .parse()
            .map_err(|_| NoteError::Form("the size is not a number"))?;
        let hash = BASE64
            .decode(next("the hash is missing")?)
            .map_err(|_| NoteError::Form("the hash is not base64"))?;
        let start = next("the start counter is missing")?
            .strip_prefix("start ")
            .and_then(|number| number.parse().ok())
            .ok_or(NoteError::Form("the start counter is not a number"))?;
        let at = next("the time is missing")?
            .strip_prefix("at ")
            .and_then(|at| Timestamp::from_str(at).ok())
            .ok_or(NoteError::Form("the time is not a time"))?;
        if hash.len() != 32 {
            return Err(NoteError::Form("the hash does not have 32 bytes"));
        }
        Ok(Self {
            installation,
            start,
            size,
            hash,
            at,
        })
    }
}

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The file cannot be read or written.
    #[error("the signing key {0}: {1}")]
    File(PathBuf, #[source] io::Error),
    /// The file holds something else.
    #[error("the signing key {0} is not an Ed25519 key in PKCS #8 PEM form")]
    Key(PathBuf),
    /// Others may read it.
    #[error("the signing key {0} may be read by others than its owner; set its mode to 0600")]
    Mode(PathBuf),
}

/// Signs checkpoints. Its key is a file that only the portal's own user may read, and never in the database.
pub struct Signer {
    key: SigningKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public())
    }
}

impl Signer {
    /// Reads the key, or makes it (mode 0600) if there is no file.
    pub fn load_or_create(path: &Path) -> Result<Self, SignerError> {
        let failed = |error| SignerError::File(path.to_owned(), error);
        match fs::read_to_string(path) {
            Ok(pem) => {
                #[cfg(unix)]
                {
                    use std::os::unix::fs::PermissionsExt;
                    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
                    if mode & 0o077 != 0 {
                        return Err(SignerError::Mode(path.to_owned()));
                    }
                }
                let key = SigningKey::from_pkcs8_pem(&pem)
                    .map_err(|_| SignerError::Key(path.to_owned()))?;
                Ok(Self { key })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = SigningKey::generate(&mut rand::rngs::OsRng);
                let pem = key
                    .to_pkcs8_pem(LineEnding::LF)
                    .map_err(|_| SignerError::Key(path.to_owned()))?;
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).map_err(failed)?;
                }
                let mut options = OpenOptions::new();
                // Two processes that start together must not replace each other's key.
                options.write(true).create_new(true);
                #[cfg(unix)]
                {
                    use std::os::unix::fs::OpenOptionsExt;
                    options.mode(0o600);
                }
                let mut file = options.open(path).map_err(failed)?;
                file.write_all(pem.as_bytes()).map_err(failed)?;
                file.sync_all().map_err(failed)?;
                Ok(Self { key })
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The half that everybody may know.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }

    /// The checkpoint as a signed note.
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let origin = checkpoint.origin();
        let mut blob = self.public().id(&origin).to_vec();
        blob.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {origin} {}\n", BASE64.encode(blob))
    }
}

/// What checkpoints are verified with. Printed as base64 of the algorithm byte and the 32 bytes of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key's id under a name, as signed notes define it.
    fn id(&self, name: &str) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(name.as_bytes());
        hasher.update([b'\n', ED25519]);
        hasher.update(self.0.as_bytes());
        let hash = hasher.finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.0.as_bytes());
        f.write_str(&BASE64.encode(bytes))
    }
}

impl FromStr for PublicKey {
    type Err = NoteError;

    /// Reads what `Display` printed; also as the last part of a signed-note verifier key (`name+id+key`).
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::Form("the public key is not base64 of an Ed25519 key");
        // Base64 may hold a plus sign: only two of them with a hexadecimal id between make a verifier key.
        let text = text.trim();
        let encoded = match text.splitn(3, '+').collect::<Vec<_>>()[..] {
            [_, id, key] if id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => key,
            _ => text,
        };
        let bytes = BASE64.decode(encoded).map_err(|_| wrong.clone())?;
        let key: [u8; 32] = match bytes.split_first() {
            Some((&ED25519, key)) => key.try_into().map_err(|_| wrong.clone())?,
            _ => return Err(wrong),
        };
        VerifyingKey::from_bytes(&key).map(Self).map_err(|_| wrong)
    }
}

/// Writes a file so that a reader, or a crash, sees the old text or the new one and never half of it.
pub fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            installation: InstallationId(uuid::Uuid::from_u128(7)),
            start: 3,
            size: 1042,
            hash: vec![9; 32],
            at: Timestamp::from_timestamp(1_772_000_000, 0).expect("it is a time"),
        }
    }

    fn signer(name: &str) -> (Signer, PathBuf) {
        let folder =
            std::env::temp_dir().join(format!("latchkey-signer-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        let path = folder.join("audit.key");
        (
            Signer::load_or_create(&path).expect("a folder for temporary files can be written"),
            path,
        )
    }

    #[test]
    fn a_note_opens_with_its_key_only() {
        let (signer, path) = signer("note");
        let note = signer.sign(&checkpoint());
        assert_eq!(Checkpoint::open(&note, &signer.public()), Ok(checkpoint()));
        let again = Signer::load_or_create(&path).expect("the key is there");
        assert_eq!(again.public(), signer.public());
        let other = SigningKey::from_bytes(&[5; 32]);
        assert_eq!(
            Checkpoint::open(&note, &PublicKey(other.verifying_key())),
            Err(NoteError::Signature)
        );
        let longer = note.replacen("1042", "1043", 1);
        assert_eq!(
            Checkpoint::open(&longer, &signer.public()),
            Err(NoteError::Signature)
        );
        assert_eq!(Checkpoint::peek(&longer).map(|found| found.size), Ok(1043));
        assert!(Checkpoint::open("hello", &signer.public()).is_err());
    }

    #[test]
    fn the_public_key_reads_back_in_both_forms() {
        for seed in 0..64 {
            let key = PublicKey(SigningKey::from_bytes(&[seed; 32]).verifying_key());
            assert_eq!(key.to_string().parse(), Ok(key.clone()));
            let named = format!("latchkey/x+0011aaff+{key}");
            assert_eq!(named.parse(), Ok(key));
        }
        assert!("AAAA".parse::<PublicKey>().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_key_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let (_signer, path) = signer("mode");
        let mode = fs::metadata(&path).expect("it exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
        assert!(matches!(
            Signer::load_or_create(&path),
            Err(SignerError::Mode(_))
        ));
    }
}
