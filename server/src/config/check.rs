//! From merged layers to settings in force, or the list of everything that is wrong.

use std::{collections::BTreeMap, path::PathBuf};

use chrono::{Duration, NaiveTime};
use domain::{certification::Cause, drift::Limit, risk::Weights};
use provisioner::graph::Switches;
use workflow::{chat::Chat, reviews::SmallReviews};

use super::{
    Asking, Audit, Catalogue, Config, Credential, Database, Directory, Fault, Graph, Layers,
    Lifecycle, Log, LogFormat, Mail, Scans, Secret, Server, Sessions, SignIn, targets,
};
use crate::{credential, mail};

/// Why an address that is called cannot be used; none if it can.
pub(super) fn unfit_address(text: &str) -> Option<&'static str> {
    let Ok(url) = reqwest::Url::parse(text) else {
        return Some("must be an address, as https://jira.example.com/scim/v2");
    };
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Some("must begin with https:// (http:// on loopback only)");
    }
    let user = !url.username().is_empty() || url.password().is_some();
    (url.query().is_some() || url.fragment().is_some() || user)
        .then_some("must have no query, fragment, user or password")
}

/// Collects faults, so that one run names them all.
struct Check<'a> {
    layers: &'a Layers,
    faults: Vec<Fault>,
}

impl Layers {
    /// The settings, if `faults` is empty and nothing more is wrong.
    pub fn config(&self, faults: Vec<Fault>) -> Result<Config, Vec<Fault>> {
        let mut check = Check {
            layers: self,
            faults,
        };
        let config = check.config();
        match config {
            Some(config) if check.faults.is_empty() => Ok(config),
            _ => Err(check.faults),
        }
    }
}

impl Check<'_> {
    /// `None` exactly when a fault was noted; no section keeps another from being looked at.
    fn config(&mut self) -> Option<Config> {
        let server = self.server();
        let database = self.database();
        let sign_in = self.sign_in();
        let graph = self.graph();
        let directory = self.directory();
        let scans = self.scans();
        let mail = self.mail();
        let digest_at = self.digest_at();
        let chats = self.chats();
        let sessions = self.sessions();
        let audit = self.audit();
        let asking = self.number("asking", "per_ten_minutes", 1, 10_000);
        let risk = self.risk();
        let grace = self.number("lifecycle", "mover_grace_days", 0, 30);
        let small_reviews = self.small_reviews();
        let log = self.log();
        let targets = super::targets::read(self.layers, &mut self.faults);
        Some(Config {
            server: server?,
            database: database?,
            sign_in: sign_in?,
            graph: graph?,
            directory: directory?,
            scans: scans?,
            mail: mail?,
            digest_at: digest_at?,
            chats: chats?,
            sessions: sessions?,
            audit: audit?,
            catalogue: Catalogue {
                folder: self.optional_path("catalogue", "folder"),
            },
            asking: Asking {
                per_ten_minutes: asking?,
            },
            risk: risk?,
            lifecycle: Lifecycle {
                mover_grace_days: grace?,
            },
            small_reviews: small_reviews?,
            log: log?,
            targets,
        })
    }

    fn server(&mut self) -> Option<Server> {
        let listen = self.text("server", "listen");
        let listen = match listen.parse() {
            Ok(listen) => Some(listen),
            Err(_) => self.fault(
                "server",
                "listen",
                "must be address:port, as 127.0.0.1:3000",
            ),
        };
        let public_url = self.address("server", "public_url");
        let trusted_proxies = self.number("server", "trusted_proxies", 0, 16);
        Some(Server {
            listen: listen?,
            public_url: public_url?,
            trusted_proxies: trusted_proxies? as usize,
        })
    }

    fn database(&mut self) -> Option<Database> {
        let url = self.needed("database", "url");
        let url = match url {
            Some(url)
                if !["sqlite:", "postgres://", "postgresql://"]
                    .iter()
                    .any(|start| url.starts_with(start)) =>
            {
                self.fault("database", "url", "must begin with sqlite: or postgres://")
            }
            other => other,
        };
        let connections = self.number("database", "connections", 2, 1000);
        Some(Database {
            url: url?.into(),
            connections: connections?,
        })
    }

    fn sign_in(&mut self) -> Option<SignIn> {
        let authority = self.address("sign_in", "authority");
        let tenant = self.needed("sign_in", "tenant");
        let tenant = tenant.and_then(|tenant| match tenant.parse() {
            Ok(tenant) => Some(tenant),
            Err(_) => self.fault(
                "sign_in",
                "tenant",
                "must be the tenant's id (a GUID), not a domain: it is what tokens carry",
            ),
        });
        let client_id = self.needed("sign_in", "client_id");
        let credential = self.credential("sign_in");
        let first = self.text("sign_in", "first_administrator");
        let first = if first.is_empty() {
            Some(None)
        } else {
            match first.parse() {
                Ok(first) => Some(Some(first)),
                Err(_) => self.fault(
                    "sign_in",
                    "first_administrator",
                    "must be an object id (a GUID), as the account's page in Entra shows it",
                ),
            }
        };
        let context = self.text("sign_in", "step_up");
        let step_up = if context.is_empty() {
            Some(None)
        } else if is_context(&context) {
            Some(Some(context))
        } else {
            self.fault(
                "sign_in",
                "step_up",
                "must be the id of an authentication context: c1 to c99",
            )
        };
        let attempts = self.number("sign_in", "attempts_per_minute", 1, 100_000);
        Some(SignIn {
            authority: authority?,
            tenant: tenant?,
            client_id: client_id?,
            credential: credential?,
            first_administrator: first?,
            step_up: step_up?,
            attempts_per_minute: attempts?,
        })
    }

    fn graph(&mut self) -> Option<Graph> {
        let url = self.address("graph", "url");
        let client_id = self.needed("graph", "client_id");
        let credential = self.credential("graph");
        let switches = Switches {
            app_roles: self.layers.flag("graph", "app_roles"),
            licences: self.layers.flag("graph", "licences"),
        };
        let shadow = targets::is_shadow(&self.text("graph", "mode"));
        if shadow.is_none() {
            self.fault::<()>("graph", "mode", targets::MODES);
        }
        Some(Graph {
            url: url?,
            client_id: client_id?,
            credential: credential?,
            switches,
            shadow: shadow?,
        })
    }

    fn directory(&mut self) -> Option<Directory> {
        let every = self.number("directory", "every_minutes", 1, 1440);
        let least = self.number("directory", "mass_leave_least", 1, 1_000_000);
        let percent = self.number("directory", "mass_leave_percent", 0, 100);
        Some(Directory {
            every: Duration::minutes(i64::from(every?)),
            mass_leave_least: least?,
            mass_leave_percent: percent?,
        })
    }

    fn scans(&mut self) -> Option<Scans> {
        let every = self.number("scans", "every_hours", 1, 720);
        let least = self.number("scans", "most_changes", 1, 1_000_000);
        let percent = self.number("scans", "most_changes_percent", 0, 100);
        Some(Scans {
            every: Duration::hours(i64::from(every?)),
            limit: Limit {
                least: least?,
                percent: percent?,
            },
        })
    }

    fn small_reviews(&mut self) -> Option<SmallReviews> {
        let days = self.number("reviews", "small_days", 1, 90);
        let text = self.text("reviews", "small_on");
        let causes: Result<Vec<Cause>, _> = text.split_whitespace().map(str::parse).collect();
        let Ok(causes) = causes else {
            let words: Vec<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
            let why = format!("must be some of these words: {}", words.join(" "));
            return self.fault("reviews", "small_on", &why);
        };
        Some(SmallReviews {
            moved: causes.contains(&Cause::Moved),
            exception_ends: causes.contains(&Cause::ExceptionEnds),
            found: causes.contains(&Cause::Found),
            days: days?,
        })
    }

    #[expect(
        clippy::option_option,
        reason = "outside: whether it could be read; inside: whether mail is sent at all"
    )]
    fn mail(&mut self) -> Option<Option<Mail>> {
        let smtp_url = self.text("mail", "smtp_url");
        if smtp_url.is_empty() {
            return Some(None);
        }
        let from = self.needed("mail", "from");
        if let Err(why) = mail::travel(&smtp_url) {
            return self.fault("mail", "smtp_url", why);
        }
        let from = from?;
        if from.parse::<lettre::message::Mailbox>().is_err() {
            return self.fault("mail", "from", "must be as Latchkey <access@example.com>");
        }
        Some(Some(Mail {
            smtp_url: smtp_url.into(),
            from,
        }))
    }

    fn digest_at(&mut self) -> Option<NaiveTime> {
        let text = self.text("mail", "digest_at");
        match NaiveTime::parse_from_str(&text, "%H:%M") {
            Ok(at) => Some(at),
            Err(_) => self.fault("mail", "digest_at", "must be hours and minutes, as 06:00"),
        }
    }

    fn chats(&mut self) -> Option<BTreeMap<Chat, Secret>> {
        let mut chats = BTreeMap::new();
        let faults = self.faults.len();
        for &chat in Chat::ALL {
            let key = format!("{chat}_url");
            let url = self.text("chat", &key);
            if url.is_empty() {
                continue;
            }
            // Not said what it is: whoever knows it can post.
            let fit = reqwest::Url::parse(&url).is_ok_and(|url| {
                let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
                url.scheme() == "https" || (url.scheme() == "http" && loopback)
            });
            if fit {
                chats.insert(chat, url.into());
            } else {
                self.fault::<()>(
                    "chat",
                    &key,
                    "must be an address that begins with https:// (http:// on loopback only)",
                );
            }
        }
        (self.faults.len() == faults).then_some(chats)
    }

    fn risk(&mut self) -> Option<Weights> {
        let points = |own: &mut Self, key| own.number("risk", key, 0, 1000);
        let level = points(self, "level");
        let privileged = points(self, "privileged");
        let control_scope = points(self, "control_scope");
        let permanent = points(self, "permanent");
        let not_employee = points(self, "not_employee");
        let outlier = points(self, "outlier");
        let conflict = points(self, "conflict");
        let high = self.number("risk", "high", 1, 10_000);
        Some(Weights {
            level: level?,
            privileged: privileged?,
            control_scope: control_scope?,
            permanent: permanent?,
            not_employee: not_employee?,
            outlier: outlier?,
            conflict: conflict?,
            high: high?,
        })
    }

    fn sessions(&mut self) -> Option<Sessions> {
        let idle = self.number("sessions", "idle_minutes", 1, 1440);
        let absolute = self.number("sessions", "absolute_hours", 1, 168);
        Some(Sessions {
            idle: Duration::minutes(i64::from(idle?)),
            absolute: Duration::hours(i64::from(absolute?)),
        })
    }

    fn audit(&mut self) -> Option<Audit> {
        let key_file = self.needed("audit", "key_file");
        let checkpoint_file = self.needed("audit", "checkpoint_file");
        Some(Audit {
            key_file: key_file?.into(),
            checkpoint_file: checkpoint_file?.into(),
        })
    }

    fn log(&mut self) -> Option<Log> {
        let filter = self.text("log", "filter");
        let filter = match filter.parse::<tracing_subscriber::EnvFilter>() {
            Ok(_) => Some(filter),
            Err(error) => self.fault("log", "filter", &format!("cannot be read: {error}")),
        };
        let format = match self.text("log", "format").as_str() {
            "auto" => Some(LogFormat::Auto),
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => self.fault("log", "format", "must be auto, text or json"),
        };
        Some(Log {
            filter: filter?,
            format: format?,
        })
    }

    fn credential(&mut self, section: &str) -> Option<Credential> {
        let secret = self.text(section, "client_secret");
        let certificate = self.optional_path(section, "certificate_file");
        let key = self.optional_path(section, "key_file");
        match (secret.is_empty(), certificate, key) {
            (false, None, None) => Some(Credential::Secret(secret.into())),
            (true, Some(certificate_file), Some(key_file)) => {
                let found = Credential::Certificate {
                    certificate_file,
                    key_file,
                };
                // Read here already: a file that cannot be used is a fault of the configuration, not of the first sign-in.
                match credential::load(&found) {
                    Ok(_) => Some(found),
                    Err(why) => self.fault(section, "certificate_file", &why),
                }
            }
            (true, None, None) => self.fault(
                section,
                "client_secret",
                "needed (as client_secret_file), or certificate_file with key_file",
            ),
            (true, Some(_), None) => {
                self.fault(section, "key_file", "needed with certificate_file")
            }
            (true, None, Some(_)) => {
                self.fault(section, "certificate_file", "needed with key_file")
            }
            (false, _, _) => self.fault(
                section,
                "client_secret",
                "either a secret or a certificate, not both",
            ),
        }
    }

    fn text(&self, section: &str, key: &str) -> String {
        self.layers.text(section, key)
    }

    fn needed(&mut self, section: &str, key: &str) -> Option<String> {
        let text = self.text(section, key);
        if text.is_empty() {
            return self.fault(section, key, "needed");
        }
        Some(text)
    }

    fn optional_path(&self, section: &str, key: &str) -> Option<PathBuf> {
        let text = self.text(section, key);
        (!text.is_empty()).then(|| text.into())
    }

    fn number(&mut self, section: &str, key: &str, least: u32, most: u32) -> Option<u32> {
        let number = self.layers.number(section, key);
        match u32::try_from(number) {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => self.fault(
                section,
                key,
                &format!("must lie between {least} and {most}"),
            ),
        }
    }

    /// An https address without a slash at the end; http only where nobody else can listen in. Given back as browsers
    /// write it (scheme and host in small letters, no default port), for it is compared with what they send.
    fn address(&mut self, section: &str, key: &str) -> Option<String> {
        let text = self.needed(section, key)?;
        let Ok(url) = reqwest::Url::parse(&text) else {
            return self.fault(
                section,
                key,
                "must be an address, as https://access.example.com",
            );
        };
        let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return self.fault(
                section,
                key,
                "must begin with https:// (http:// on loopback only)",
            );
        }
        let user = !url.username().is_empty() || url.password().is_some();
        if url.query().is_some() || url.fragment().is_some() || user {
            return self.fault(
                section,
                key,
                "must have no query, fragment, user or password",
            );
        }
        if key != "public_url" {
            return Some(url.as_str().trim_end_matches('/').to_owned());
        }
        if url.path() != "/" {
            return self.fault(
                section,
                key,
                "must have no path: cookies are bound to the host",
            );
        }
        Some(url.origin().ascii_serialization())
    }

    fn fault<T>(&mut self, section: &str, key: &str, why: &str) -> Option<T> {
        self.faults.push(Fault {
            setting: format!("{section}.{key}"),
            why: why.to_owned(),
        });
        None
    }
}

/// Whether a text is the id of an authentication context: `c1` to `c99`.
fn is_context(text: &str) -> bool {
    text.strip_prefix('c').is_some_and(|number| {
        !number.starts_with('0')
            && number
                .parse::<u8>()
                .is_ok_and(|number| (1..=99).contains(&number))
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_c1_to_c99() {
        for id in ["c1", "c25", "c99"] {
            assert!(is_context(id), "{id}");
        }
        for other in ["", "c", "c0", "c01", "c100", "C1", "1", "c+1", "c1 "] {
            assert!(!is_context(other), "{other:?}");
        }
    }
}
