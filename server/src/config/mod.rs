//! Configuration: compiled defaults < file < environment < `*_file` for secrets; checked as a whole, every fault named.
//!
//! To add a setting: put it into `config.default.toml` with a comment (its default fixes its type), a field into the
//! section's struct in `sections.rs`, and its rule into `check.rs`.

mod check;
mod layers;
mod sections;

use std::path::Path;

pub use layers::{Layers, Source};
pub use sections::{
    Asking, Audit, Catalogue, Config, Credential, Database, Directory, Graph, Log, LogFormat, Mail,
    Secret, Server, Sessions, SignIn,
};

/// The annotated defaults, as compiled in.
pub const DEFAULTS: &str = include_str!("../../config.default.toml");

/// Something wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `section.name`, or the file.
    pub setting: String,
    /// What is wrong and how to mend it.
    pub why: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.setting, self.why)
    }
}

/// Reads all layers and checks them.
pub fn load(file: Option<&Path>) -> Result<Config, Vec<Fault>> {
    let (layers, faults) = Layers::read(file, std::env::vars());
    layers.config(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Vec<(&'static str, &'static str)> {
        vec![
            ("LATCHKEY_SERVER__PUBLIC_URL", "https://access.example.com"),
            (
                "LATCHKEY_DATABASE__URL",
                "sqlite:/var/lib/latchkey/latchkey.db",
            ),
            (
                "LATCHKEY_SIGN_IN__TENANT",
                "11111111-2222-4333-8444-555555555555",
            ),
            ("LATCHKEY_SIGN_IN__CLIENT_ID", "portal"),
            ("LATCHKEY_SIGN_IN__CLIENT_SECRET", "0123"),
            ("LATCHKEY_GRAPH__CLIENT_ID", "daemon"),
            ("LATCHKEY_GRAPH__CLIENT_SECRET", "s3cret"),
            ("LATCHKEY_AUDIT__KEY_FILE", "/etc/latchkey/audit.key"),
            (
                "LATCHKEY_AUDIT__CHECKPOINT_FILE",
                "/var/log/latchkey/checkpoint",
            ),
        ]
    }

    fn load_from(vars: &[(&str, &str)]) -> Result<Config, Vec<Fault>> {
        let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let (layers, faults) = Layers::read(None, vars);
        layers.config(faults)
    }

    #[test]
    fn the_defaults_with_what_is_needed_are_enough() {
        let config = load_from(&complete()).expect("it is complete");
        assert_eq!(config.server.public_url, "https://access.example.com");
        assert_eq!(config.sessions.idle.num_minutes(), 45);
        assert_eq!(
            config.sign_in.credential,
            Credential::Secret("0123".to_owned().into()),
            "a secret of digits stays a text"
        );
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = load_from(&[
            ("LATCHKEY_SERVER__LISTEN", "nowhere"),
            ("LATCHKEY_DATABASE__CONNECTIONS", "many"),
            ("LATCHKEY_SIGN_IN__TENNANT", "x"),
            ("LATCHKEY_SIGN_IN__TENANT", "contoso"),
        ])
        .expect_err("hardly anything is right");
        let named: Vec<&str> = faults.iter().map(|fault| fault.setting.as_str()).collect();
        for setting in [
            "server.listen",
            "server.public_url",
            "database.url",
            "database.connections",
            "sign_in.tennant",
            "sign_in.tenant",
            "sign_in.client_id",
            "sign_in.client_secret",
            "graph.client_id",
            "graph.client_secret",
            "audit.key_file",
            "audit.checkpoint_file",
        ] {
            assert!(named.contains(&setting), "{setting} is not among {named:?}");
        }
    }

    #[test]
    fn a_file_lies_between_defaults_and_environment_and_secrets_may_be_files() {
        let folder = std::env::temp_dir().join(format!("latchkey-config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        let secret = folder.join("secret");
        std::fs::write(&secret, "from a file\n").expect("it can be written");
        let file = folder.join("latchkey.toml");
        std::fs::write(
            &file,
            "[server]\nlisten = \"127.0.0.1:8080\"\ntrusted_proxies = 1\n[sessions]\nidle_minutes = 10\n",
        )
        .expect("it can be written");
        let mut vars = complete();
        vars.retain(|(name, _)| *name != "LATCHKEY_SIGN_IN__CLIENT_SECRET");
        let secret_path = secret.display().to_string();
        vars.push(("LATCHKEY_SIGN_IN__CLIENT_SECRET_FILE", &secret_path));
        vars.push(("LATCHKEY_SERVER__LISTEN", "127.0.0.1:9090"));
        let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let (layers, faults) = Layers::read(Some(&file), vars);
        let shown = layers.show();
        let config = layers.config(faults).expect("it is complete");
        assert_eq!(config.server.listen.port(), 9090);
        assert_eq!(config.server.trusted_proxies, 1);
        assert_eq!(config.sessions.idle.num_minutes(), 10);
        assert_eq!(
            config.sign_in.credential,
            Credential::Secret("from a file".to_owned().into())
        );
        assert!(shown.contains("idle_minutes = 10"), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(!shown.contains("from a file"), "{shown}");
        std::fs::remove_dir_all(&folder).expect("it is ours");
    }

    #[test]
    fn an_unreadable_file_is_a_fault() {
        let (layers, faults) = Layers::read(Some(Path::new("/nowhere/latchkey.toml")), Vec::new());
        assert!(faults[0].setting.contains("/nowhere/latchkey.toml"));
        assert!(layers.config(faults).is_err());
    }
}
