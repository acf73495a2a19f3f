//! Configuration: compiled defaults < file < environment < `*_file` for secrets; checked as a whole, every fault named.
//!
//! To add a setting: put it into `config.default.toml` with a comment (its default fixes its type), a field into the
//! section's struct in `sections.rs`, and its rule into `check.rs`.

mod check;
mod layers;
mod sections;
mod targets;

use std::path::Path;

pub use layers::{Layers, Source};
pub use sections::{
    Asking, Audit, Catalogue, Config, Credential, Database, Directory, Graph, Lifecycle, Log,
    LogFormat, Mail, Scans, Secret, Server, Sessions, SignIn,
};
pub use targets::{Target, TargetSettings};

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
    let (layers, faults) = Layers::read(file, std::env::vars_os());
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

    fn with(name: &str, value: &str) -> Result<Config, Vec<Fault>> {
        let mut vars = complete();
        vars.retain(|(known, _)| *known != name);
        vars.push((name, value));
        load_from(&vars)
    }

    #[test]
    fn an_address_is_kept_as_browsers_write_it() {
        for (typed, kept, secure) in [
            (
                "HTTPS://Access.Example.com/",
                "https://access.example.com",
                true,
            ),
            (
                "https://access.example.com:443",
                "https://access.example.com",
                true,
            ),
            (
                "https://access.example.com:8443",
                "https://access.example.com:8443",
                true,
            ),
            ("HTTP://LOCALHOST:3000/", "http://localhost:3000", false),
        ] {
            let config = with("LATCHKEY_SERVER__PUBLIC_URL", typed).expect("it is complete");
            assert_eq!(config.server.public_url, kept);
            assert_eq!(config.server.secure(), secure, "{typed}");
        }
        let config = with("LATCHKEY_GRAPH__URL", "https://Graph.Microsoft.us/v1.0/");
        assert_eq!(
            config.expect("it is complete").graph.url,
            "https://graph.microsoft.us/v1.0"
        );
        for wrong in [
            "https://:pw@access.example.com",
            "https://user@access.example.com",
            "https://access.example.com/portal",
            "https://access.example.com/?x",
            "http://access.example.com",
        ] {
            let faults = with("LATCHKEY_SERVER__PUBLIC_URL", wrong).expect_err("it cannot be used");
            assert_eq!(faults[0].setting, "server.public_url", "{wrong}");
        }
    }

    fn with_targets(text: &str) -> Result<Config, Vec<Fault>> {
        let name = format!(
            "latchkey-targets-{}-{}.toml",
            std::process::id(),
            text.len()
        );
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, text).expect("it can be written");
        let vars = complete();
        let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let (layers, faults) = Layers::read(Some(&file), vars);
        std::fs::remove_file(&file).expect("it is ours");
        layers.config(faults)
    }

    #[test]
    fn targets_are_sections_of_their_own_and_every_fault_of_each_is_named() {
        let config = with_targets(
            "[[target]]\nkey = \"facilities\"\nname = \"Facilities\"\nkind = \"manual\"\n",
        )
        .expect("it is right");
        assert_eq!(config.targets.len(), 1);
        let faults = with_targets(
            "[[target]]\nkey = \"Facilities\"\nkind = \"manual\"\nsecret = \"x\"\n[[target]]\nname = 7\nkind = \"fax\"\n[[target]]\nkey = \"entra\"\nname = \"E\"\nkind = \"manual\"\n",
        )
        .expect_err("hardly anything is right");
        let named: Vec<&str> = faults.iter().map(|fault| fault.setting.as_str()).collect();
        assert_eq!(
            named,
            [
                "target Facilities.key",
                "target Facilities.name",
                "target Facilities.secret",
                "target 2.key",
                "target 2.name",
                "target 2.kind",
                "target entra.key",
            ]
        );
    }

    #[test]
    fn a_target_is_live_unless_it_says_shadow_and_nothing_else_is_a_mode() {
        let with = |directory: &str, target: &str| {
            with_targets(&format!(
                "[graph]\nmode = \"{directory}\"\n[[target]]\nkey = \"doors\"\nname = \"Doors\"\nkind = \"manual\"\n{target}"
            ))
        };
        let config = with("shadow", "").expect("it is right");
        assert!(config.graph.shadow && !config.targets[0].shadow);
        let config = with("live", "mode = \"shadow\"\n").expect("it is right");
        assert!(!config.graph.shadow && config.targets[0].shadow);
        // A word that means nothing must not leave a target live.
        let faults = with("dry", "mode = \"Shadow\"\n").expect_err("neither is a mode");
        let named: Vec<&str> = faults.iter().map(|fault| fault.setting.as_str()).collect();
        assert_eq!(named, ["graph.mode", "target doors.mode"]);
    }

    #[test]
    fn an_ldap_directory_is_read_with_its_password_and_its_faults_are_named() {
        let secret = std::env::temp_dir().join(format!("latchkey-ldap-{}", std::process::id()));
        std::fs::write(&secret, "a bind password\n").expect("it can be written");
        let section = |more: &str| {
            format!(
                "[[target]]\nkey = \"unix\"\nname = \"Unix\"\nkind = \"ldap\"\nbase = \"dc=x\"\ndialect = \"openldap\"\nbind_dn = \"cn=portal,dc=x\"\npassword_file = \"{}\"\n{more}",
                secret.display()
            )
        };
        let config = with_targets(&section(
            "address = \"ldaps://ldap.example.com\"\nleaver = \"disable\"\n",
        ))
        .expect("it is right");
        assert_eq!(
            config.targets[0].settings.kind(),
            domain::catalogue::TargetKind::Ldap
        );
        assert!(!format!("{config:?}").contains("a bind password"));
        let faults = with_targets(&section(
            "address = \"ldap://ldap.example.com\"\nclear_text = true\nleaver = \"sack\"\npeople = \"people\"\nca_file = \"/nowhere/ca.pem\"\ndisable_value = \"TRUE\"\nfax = \"1\"\n",
        ))
        .expect_err("hardly anything is right");
        std::fs::remove_file(&secret).expect("it is ours");
        let named: Vec<&str> = faults.iter().map(|fault| fault.setting.as_str()).collect();
        assert_eq!(
            named,
            [
                "target unix.fax",
                "target unix.ca_file",
                "target unix.leaver",
                "target unix.disable_attribute",
                "target unix.clear_text",
                "target unix.people",
            ]
        );
    }

    #[test]
    fn secrets_of_targets_come_from_files_or_the_environment_and_are_never_shown() {
        let text = "[[target]]\nkey = \"the-doors\"\nname = \"Doors\"\nkind = \"webhook\"\naddress = \"https://doors.example.com\"\n[[target]]\nkey = \"jira\"\nname = \"Jira\"\nkind = \"scim\"\naddress = \"http://jira.example.com/scim\"\nleaver = \"shoot\"\nmatch_by = \"mail\"\nsecret = \"s3cret\"\n";
        let faults = with_targets(text).expect_err("there are no secrets");
        let named: Vec<&str> = faults.iter().map(|fault| fault.setting.as_str()).collect();
        assert_eq!(
            named,
            [
                "target the-doors.secret_file",
                "target jira.secret",
                "target jira.address",
                "target jira.secret_file",
                "target jira.leaver",
                "target jira.match_by",
            ]
        );
        assert!(faults[0].why.contains("LATCHKEY_TARGET__THE_DOORS__SECRET"));

        let file = std::env::temp_dir().join(format!("latchkey-doors-{}.toml", std::process::id()));
        std::fs::write(
            &file,
            &text[..text
                .find("[[target]]\nkey = \"jira\"")
                .expect("it is there")],
        )
        .expect("it can be written");
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let mut vars = complete();
        vars.push(("LATCHKEY_TARGET__THE_DOORS__SECRET", secret));
        let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let (layers, faults) = Layers::read(Some(&file), vars);
        std::fs::remove_file(&file).expect("it is ours");
        assert!(!layers.show().contains("whsec_"));
        let config = layers.config(faults).expect("it is right");
        assert!(!format!("{config:?}").contains("MfKQ9"));
    }

    #[test]
    fn a_variable_that_sets_nothing_is_a_fault() {
        let faults = with("LATCHKEY_SIGN_IN_TENANT", "x").expect_err("it has no section");
        assert!(
            faults[0].why.contains("LATCHKEY_SIGN_IN__TENANT?"),
            "{}",
            faults[0]
        );
        let faults = with("LATCHKEY_NONSENSE", "x").expect_err("there is no such setting");
        assert_eq!(faults[0].setting, "LATCHKEY_NONSENSE");
        for other in [
            "LATCHKEY_CONFIG",
            "LATCHKEY_BY",
            "LATCHKEY_TEST_POSTGRES",
            "LATCHKEY_SERVICE_HOST",
            "LATCHKEY_PORT_3000_TCP",
            "PATH",
        ] {
            assert!(with(other, "x").is_ok(), "{other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_stops_nothing_but_our_own() {
        use std::{ffi::OsString, os::unix::ffi::OsStringExt};
        let broken = || OsString::from_vec(vec![0x66, 0xff]);
        let (_, faults) = Layers::read(None, [(broken(), broken()), ("EDITOR".into(), broken())]);
        assert!(faults.is_empty(), "{faults:?}");
        let (_, faults) = Layers::read(None, [("LATCHKEY_MAIL__FROM".into(), broken())]);
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    #[test]
    fn a_fault_in_a_file_names_the_line_and_shows_nothing_of_it() {
        let file = std::env::temp_dir().join(format!("latchkey-line-{}.toml", std::process::id()));
        std::fs::write(
            &file,
            "[sign_in]\nclient_id = \"x\"\nclient_secret = \"hunter2\n",
        )
        .expect("it can be written");
        let (_, faults) = Layers::read(Some(&file), Vec::<(String, String)>::new());
        std::fs::remove_file(&file).expect("it is ours");
        let said = faults[0].to_string();
        assert!(said.contains("line 3"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn files_that_cannot_be_used_are_faults() {
        let mut vars = complete();
        vars.retain(|(name, _)| *name != "LATCHKEY_SIGN_IN__CLIENT_SECRET");
        vars.push((
            "LATCHKEY_SIGN_IN__CERTIFICATE_FILE",
            "/nowhere/latchkey.pem",
        ));
        vars.push(("LATCHKEY_SIGN_IN__KEY_FILE", "/nowhere/latchkey.key"));
        let faults = load_from(&vars).expect_err("there is no certificate");
        assert_eq!(faults[0].setting, "sign_in.certificate_file");
        assert!(
            faults[0].why.contains("/nowhere/latchkey.pem"),
            "{}",
            faults[0]
        );
    }

    #[test]
    fn mail_in_clear_text_is_said_outright() {
        let mail = |url: &str| {
            let mut vars = complete();
            vars.push(("LATCHKEY_MAIL__SMTP_URL", url));
            vars.push(("LATCHKEY_MAIL__FROM", "Latchkey <access@example.com>"));
            load_from(&vars)
        };
        assert!(mail("smtp://mail.example.com:587").is_ok());
        assert!(mail("smtp://mail.example.com?tls=none").is_ok());
        let faults = mail("smtp://mail.example.com?tls=maybe").expect_err("it means nothing");
        assert_eq!(faults[0].setting, "mail.smtp_url");
    }

    #[test]
    fn a_chat_is_reached_through_tls_and_its_address_is_never_said() {
        let chat = |url: &str| {
            let mut vars = complete();
            vars.push(("LATCHKEY_CHAT__TEAMS_URL", url));
            load_from(&vars)
        };
        let config = chat("https://chat.example.com/hook/s3cret").expect("it is right");
        assert_eq!(config.chats.len(), 1);
        assert!(!format!("{config:?}").contains("s3cret"));
        let faults = chat("http://chat.example.com/hook/s3cret").expect_err("in clear text");
        assert_eq!(faults[0].setting, "chat.teams_url");
        assert!(!faults[0].to_string().contains("s3cret"));
    }

    #[test]
    fn a_time_of_day_is_hours_and_minutes() {
        for (text, right) in [("07:30", true), ("7", false), ("25:00", false)] {
            let mut vars = complete();
            vars.push(("LATCHKEY_MAIL__DIGEST_AT", text));
            assert_eq!(load_from(&vars).is_ok(), right, "{text}");
        }
    }

    #[test]
    fn an_unreadable_file_is_a_fault() {
        let nowhere = Path::new("/nowhere/latchkey.toml");
        let (layers, faults) = Layers::read(Some(nowhere), Vec::<(String, String)>::new());
        assert!(faults[0].setting.contains("/nowhere/latchkey.toml"));
        assert!(layers.config(faults).is_err());
    }
}
