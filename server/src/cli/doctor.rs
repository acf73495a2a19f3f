//! `latchkey doctor`: tries everything that the portal needs, and names what to mend.

use std::{process::ExitCode, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::Value;
use workflow::{
    Clock, Workflow,
    audit::{Checkpoint, Signer},
};

use crate::{config::Config, credential, mail::Smtp, out, serve, sign_in::Failure};

/// What the provisioner needs on Graph, and what for.
const PERMISSIONS: [(&str, &str); 4] = [
    ("User.Read.All", "reading people and managers"),
    ("User-LifeCycleInfo.Read.All", "reading last days"),
    (
        "GroupMember.ReadWrite.All",
        "reading groups and changing memberships",
    ),
    ("Application.Read.All", "reading app roles"),
];
/// More than it needs: each is enough to take over the tenant.
const TOO_MUCH: [&str; 4] = [
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "Directory.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
];
/// Tokens and one-time codes fail beyond this.
const MOST_SKEW_SECONDS: i64 = 60;

/// Collects what was found.
#[derive(Default)]
struct Report {
    bad: usize,
}

impl Report {
    fn tell(&mut self, what: &str, found: Result<String, String>) {
        match found {
            Ok(text) => out::line(format!("ok    {what}: {text}")),
            Err(why) => {
                self.bad += 1;
                out::line(format!("BAD   {what}: {why}"));
            }
        }
    }

    fn warn(what: &str, text: &str) {
        out::line(format!("warn  {what}: {text}"));
    }
}

/// Runs every check; ends with status 1 if one failed.
pub async fn run(config: &Config) -> ExitCode {
    let mut report = Report::default();
    let workflow = match serve::workflow(config).await {
        Ok(workflow) => {
            report.tell(
                "database",
                Ok("reachable, with this version's schema".into()),
            );
            Some(workflow)
        }
        Err(why) => {
            report.tell("database", Err(why));
            None
        }
    };
    if let Some(workflow) = &workflow {
        sign_in(config, workflow, &mut report).await;
        checkpoint(config, workflow, &mut report).await;
    }
    graph(config, &mut report).await;
    match &config.mail {
        None => Report::warn("mail", "mail.smtp_url is empty: no mail is sent"),
        Some(mail) => {
            let tried = match Smtp::new(mail) {
                Ok(smtp) => smtp.diagnose().await,
                Err(error) => Err(error.to_string()),
            };
            report.tell(
                "mail",
                tried.map(|()| "the server takes connections".into()),
            );
        }
    }
    if config.sign_in.client_id == config.graph.client_id {
        Report::warn(
            "registrations",
            "sign-in and Graph use the same one: whoever takes the web half over could then change memberships",
        );
    }
    if report.bad == 0 {
        out::line("Everything that was checked works.");
        ExitCode::SUCCESS
    } else {
        out::line(format!("{} to mend.", report.bad));
        ExitCode::FAILURE
    }
}

async fn sign_in(config: &Config, workflow: &Workflow, report: &mut Report) {
    let found = match serve::provider(config, workflow) {
        Ok(provider) => match provider.diagnose().await {
            Ok(()) => Ok(format!(
                "{} answers, its keys can be read",
                provider.settings().issuer()
            )),
            Err(Failure::Unreachable(why) | Failure::Misconfigured(why)) => Err(why),
            Err(other) => Err(format!("{other:?}")),
        },
        Err(why) => Err(why),
    };
    report.tell("sign-in", found);
    if config.sign_in.first_administrator.is_none() {
        Report::warn(
            "first administrator",
            "none is set: somebody must hold the app role Portal.Administrator",
        );
    }
}

/// Asks for a token as the provisioner does, and reads its permissions and the server's clock.
async fn graph(config: &Config, report: &mut Report) {
    match token(config).await {
        Err(why) => report.tell("Graph token", Err(why)),
        Ok((token, date)) => {
            report.tell("Graph token", Ok("given".into()));
            permissions(&token, report);
            if let Some(date) = date {
                let skew = (Clock::system().now() - date).num_seconds();
                let found = if skew.abs() <= MOST_SKEW_SECONDS {
                    Ok(format!("within {} s of Entra's", skew.abs().max(1)))
                } else {
                    Err(format!(
                        "differs by {skew} s from Entra's: sign-ins and assertions will fail; set the machine's clock"
                    ))
                };
                report.tell("clock", found);
            }
            let organisation = organisation(config, &token).await;
            report.tell("Graph", organisation);
        }
    }
}

fn permissions(token: &str, report: &mut Report) {
    // Not validated, for it is not ours: read only to say what was granted.
    let roles = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .and_then(|claims| claims.get("roles")?.as_array().cloned());
    let Some(roles) = roles else {
        return Report::warn("permissions", "the token does not tell which it carries");
    };
    let has = |name: &str| roles.iter().any(|role| role == name);
    for (name, purpose) in PERMISSIONS {
        let found = if has(name) {
            Ok("granted".into())
        } else {
            Err(format!(
                "missing; needed for {purpose}: grant it as an application permission and consent"
            ))
        };
        report.tell(name, found);
    }
    for name in TOO_MUCH {
        if has(name) {
            Report::warn(
                name,
                "granted, but not needed, and enough to take over the tenant: remove it",
            );
        }
    }
}

type Given = (String, Option<DateTime<Utc>>);

async fn token(config: &Config) -> Result<Given, String> {
    let options = serve::graph_options(config)?;
    let endpoint = format!("{}/{}/oauth2/v2.0/token", options.authority, options.tenant);
    let clock = Clock::system();
    let id = workflow::Ids::system().new_id(clock.now());
    let mut form = credential::load(&config.graph.credential)?
        .fields(&options.client_id, &endpoint, clock.now(), id)
        .map_err(|error| error.to_string())?;
    form.push(("grant_type", "client_credentials".into()));
    form.push(("scope", options.scope));
    let answer = client()?
        .post(&endpoint)
        .form(&form)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let date = answer
        .headers()
        .get("date")
        .and_then(|date| date.to_str().ok())
        .and_then(|date| DateTime::parse_from_rfc2822(date).ok())
        .map(|date| date.with_timezone(&Utc));
    let body: Value = answer.json().await.map_err(|error| error.to_string())?;
    match body.get("access_token").and_then(Value::as_str) {
        Some(token) => Ok((token.to_owned(), date)),
        None => Err(body
            .get("error_description")
            .and_then(Value::as_str)
            .unwrap_or("the answer holds no token")
            .to_owned()),
    }
}

async fn organisation(config: &Config, token: &str) -> Result<String, String> {
    let body: Value = client()?
        .get(format!("{}/organization", config.graph.url))
        .bearer_auth(token)
        .send()
        .await
        .map_err(|error| error.to_string())?
        .json()
        .await
        .map_err(|error| error.to_string())?;
    let found = body.pointer("/value/0");
    let text = |name: &str| {
        found
            .and_then(|organisation| organisation.get(name))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if text("id").eq_ignore_ascii_case(&config.sign_in.tenant.to_string()) {
        Ok(format!("speaks for {}", text("displayName")))
    } else if let Some(message) = body.pointer("/error/message").and_then(Value::as_str) {
        Err(message.to_owned())
    } else {
        Err(format!(
            "speaks for tenant {}, not for {}",
            text("id"),
            config.sign_in.tenant
        ))
    }
}

fn client() -> Result<reqwest::Client, String> {
    let options = provisioner::http::Options {
        total: Duration::from_secs(15),
        ..provisioner::http::Options::default()
    };
    provisioner::http::client(&options).map_err(|error| error.to_string())
}

async fn checkpoint(config: &Config, workflow: &Workflow, report: &mut Report) {
    let path = config.audit.checkpoint_file.display();
    if !config.audit.key_file.exists() {
        return Report::warn(
            "checkpoint",
            "there is no signing key yet; the first start makes it",
        );
    }
    let found = match (
        Signer::load_or_create(&config.audit.key_file),
        std::fs::read_to_string(&config.audit.checkpoint_file),
    ) {
        (Err(error), _) => Err(error.to_string()),
        (_, Err(error)) => Err(format!(
            "{path}: {error}; it is written when the portal serves"
        )),
        (Ok(signer), Ok(note)) => match Checkpoint::open(&note, &signer.public()) {
            Err(error) => Err(format!("{path}: {error}")),
            Ok(checkpoint) => compare(workflow, checkpoint).await,
        },
    };
    report.tell("checkpoint", found);
}

async fn compare(workflow: &Workflow, checkpoint: Checkpoint) -> Result<String, String> {
    let now = workflow::audit::checkpoint(workflow)
        .await
        .map_err(|error| error.to_string())?;
    if checkpoint.installation != now.installation {
        return Err(format!(
            "it is of {}, the database of {}",
            checkpoint.installation, now.installation
        ));
    }
    if checkpoint.size > now.size {
        return Err(format!(
            "it counts {} entries, the log {}: the database was restored from a backup, or entries are missing",
            checkpoint.size, now.size
        ));
    }
    Ok(format!(
        "signed, {} of {} entries, made {}",
        checkpoint.size,
        now.size,
        checkpoint.at.format("%Y-%m-%d %H:%M UTC")
    ))
}
