//! How the portal proves to Entra who it is, from the configured files.

use std::{fs, path::Path};

use domain::Timestamp;
use uuid::Uuid;

use crate::config::Credential;

/// A `private_key_jwt` assertion for the sign-in registration. The files are read anew each time, so that a renewed
/// certificate needs no restart.
pub fn assertion(
    certificate_file: &Path,
    key_file: &Path,
    audience: &str,
    client_id: &str,
    now: Timestamp,
    id: Uuid,
) -> Result<String, String> {
    let _ = (
        read(certificate_file)?,
        read(key_file)?,
        audience,
        client_id,
        now,
        id,
        Credential::Secret(String::new().into()),
    );
    Err("not there".into())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
