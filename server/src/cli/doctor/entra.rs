//! What Entra and Graph say of our two registrations.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;
use workflow::{Clock, Ids};

use super::{Grade, Report};
use crate::{
    config::{Config, Credential},
    credential, serve,
};

/// What the provisioner needs on Graph, and what for.
const NEEDED: [(&str, &str); 3] = [
    ("User.Read.All", "reading people and managers"),
    (
        "GroupMember.ReadWrite.All",
        "reading groups and changing memberships",
    ),
    ("Application.Read.All", "reading app roles"),
];
/// What each switch of `[graph]` needs besides: the switch, the permission, what for, and whether it could take over the tenant.
const SWITCHED: [(&str, &str, &str, bool); 2] = [
    (
        "graph.app_roles",
        "AppRoleAssignment.ReadWrite.All",
        "assigning app roles",
        true,
    ),
    (
        "graph.licences",
        "LicenseAssignment.ReadWrite.All",
        "giving licences",
        false,
    ),
];
/// Without it the portal serves, and knows less.
const OPTIONAL: (&str, &str) = (
    "User-LifeCycleInfo.Read.All",
    "last working days are not known then",
);
/// More than it needs: each is enough to take over the tenant.
const TOO_MUCH: [&str; 3] = [
    "Application.ReadWrite.All",
    "Directory.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
];
/// Tokens and one-time codes fail beyond this.
const MOST_SKEW_SECONDS: i64 = 60;

/// Asks for a token as the provisioner does, and reads its permissions and the server's clock.
pub(super) async fn provisioner(config: &Config, report: &mut Report) {
    let token = match token(config, &config.graph.client_id, &config.graph.credential).await {
        Ok(token) => token,
        Err(refused) => return report.tell("Graph token", Err(refused.why)),
    };
    report.tell("Graph token", Ok("given".into()));
    clock(&token, report);
    match &token.claims {
        None => report.warn(
            "permissions",
            "the token does not tell its tenant and permissions",
        ),
        Some(claims) => {
            report.tell("tenant", tenant(claims, config.sign_in.tenant));
            permissions(config, claims, report);
        }
    }
    report.tell("Graph", reads(config, &token).await);
}

/// Proves who the portal is, as at the end of every sign-in. Its registration needs nothing on Graph, but gets a token for it
/// all the same: one that permits nothing.
pub(super) async fn portal(config: &Config, report: &mut Report) {
    let what = "sign-in credential";
    match token(
        config,
        &config.sign_in.client_id,
        &config.sign_in.credential,
    )
    .await
    {
        Ok(token) => {
            report.tell(what, Ok("accepted".into()));
            let roles = token.claims.as_ref().map(roles).unwrap_or_default();
            if !roles.is_empty() && config.sign_in.client_id != config.graph.client_id {
                report.warn(
                    "sign-in registration",
                    &format!(
                        "holds {}, but needs no permission: remove them",
                        roles.join(", ")
                    ),
                );
            }
        }
        Err(refused) => {
            // Entra's word for a wrong or expired secret or certificate; anything else may be about tokens for Graph.
            let grade = if refused.credential {
                Grade::Bad
            } else {
                Grade::Warn
            };
            report.say(grade, what, &refused.why);
        }
    }
}

fn clock(token: &Token, report: &mut Report) {
    let Some(date) = token.date else {
        return;
    };
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

fn tenant(claims: &Value, ours: Uuid) -> Result<String, String> {
    let theirs = claims.get("tid").and_then(Value::as_str).unwrap_or("none");
    if theirs.parse() == Ok(ours) {
        Ok(format!("the token speaks for {ours}"))
    } else {
        Err(format!(
            "the token speaks for tenant {theirs}, not for {ours}"
        ))
    }
}

fn roles(claims: &Value) -> Vec<&str> {
    claims
        .get("roles")
        .and_then(Value::as_array)
        .map(|roles| roles.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

fn permissions(config: &Config, claims: &Value, report: &mut Report) {
    let roles = roles(claims);
    for (name, purpose) in NEEDED {
        let found = if roles.contains(&name) {
            Ok("granted".into())
        } else {
            Err(format!(
                "missing; needed for {purpose}: grant it as an application permission and consent"
            ))
        };
        report.tell(name, found);
    }
    let (name, without) = OPTIONAL;
    if roles.contains(&name) {
        report.tell(name, Ok("granted".into()));
    } else {
        report.warn(name, &format!("not granted, which is allowed: {without}"));
    }
    let switches = config.graph.switches;
    for ((switch, name, purpose, takes_over), on) in SWITCHED
        .into_iter()
        .zip([switches.app_roles, switches.licences])
    {
        let granted = roles.contains(&name);
        match (on, granted) {
            (true, true) if takes_over => report.warn(
                name,
                &format!(
                    "granted, as {switch} wants it for {purpose}: enough to take over the tenant, so guard the provisioner's credential as you guard an administrator"
                ),
            ),
            (true, true) => report.tell(name, Ok("granted".into())),
            (true, false) => report.tell(
                name,
                Err(format!(
                    "missing; needed for {purpose}, which {switch} switches on: grant it as an application permission and consent, or switch that off"
                )),
            ),
            (false, true) => report.warn(
                name,
                &format!(
                    "granted, but {switch} is off{}: remove it",
                    if takes_over {
                        ", and it is enough to take over the tenant"
                    } else {
                        ""
                    }
                ),
            ),
            (false, false) => {}
        }
    }
    for name in TOO_MUCH {
        if roles.contains(&name) {
            report.warn(
                name,
                "granted, but not needed, and enough to take over the tenant: remove it",
            );
        }
    }
}

/// Reads one person, which `User.Read.All` allows.
async fn reads(config: &Config, token: &Token) -> Result<String, String> {
    let answer = client()?
        .get(format!("{}/users?$top=1&$select=id", config.graph.url))
        .bearer_auth(&token.text)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let status = answer.status();
    if status.is_success() {
        return Ok("answers".into());
    }
    let body: Value = answer.json().await.unwrap_or_default();
    let said = body
        .pointer("/error/message")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Err(format!("answers {status} {said}"))
}

struct Token {
    text: String,
    /// What it says of itself. Not validated, for it is not ours: read only to say what was granted.
    claims: Option<Value>,
    /// The server's clock.
    date: Option<DateTime<Utc>>,
}

/// Why there is no token.
struct Refused {
    why: String,
    /// Whether the credential itself was not believed, or cannot be read.
    credential: bool,
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self {
            why,
            credential: false,
        }
    }
}

async fn token(
    config: &Config,
    client_id: &str,
    configured: &Credential,
) -> Result<Token, Refused> {
    let unreadable = |why: String| Refused {
        why,
        credential: true,
    };
    let credential = credential::load(configured).map_err(unreadable)?;
    let endpoint = format!(
        "{}/{}/oauth2/v2.0/token",
        config.sign_in.authority, config.sign_in.tenant
    );
    let now = Clock::system().now();
    let mut form = credential
        .fields(client_id, &endpoint, now, Ids::system().new_id(now))
        .map_err(|error| unreadable(error.to_string()))?;
    form.push(("grant_type", "client_credentials".into()));
    form.push(("scope", serve::graph_scope(config)?));
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
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    match text("access_token") {
        Some(token) => Ok(Token {
            claims: token
                .split('.')
                .nth(1)
                .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
                .and_then(|bytes| serde_json::from_slice(&bytes).ok()),
            text: token.to_owned(),
            date,
        }),
        None => Err(Refused {
            why: text("error_description")
                .unwrap_or("the answer holds no token")
                .to_owned(),
            credential: text("error") == Some("invalid_client"),
        }),
    }
}

fn client() -> Result<reqwest::Client, String> {
    let options = provisioner::http::Options {
        total: Duration::from_secs(15),
        ..provisioner::http::Options::default()
    };
    provisioner::http::client(&options).map_err(|error| error.to_string())
}
