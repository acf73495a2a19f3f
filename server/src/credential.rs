//! How the portal proves to Entra who it is, from the configured secret or files.

use std::{fs, path::Path};

use provisioner::graph::{Certificate, Credential};

use crate::config;

/// Reads what the configuration names.
pub fn load(configured: &config::Credential) -> Result<Credential, String> {
    match configured {
        config::Credential::Secret(secret) => Ok(Credential::Secret(secret.expose().to_owned())),
        config::Credential::Certificate {
            certificate_file,
            key_file,
        } => Certificate::from_pem(&read(certificate_file)?, &read(key_file)?)
            .map(Credential::Certificate)
            .map_err(|error| format!("{}: {error}", certificate_file.display())),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
