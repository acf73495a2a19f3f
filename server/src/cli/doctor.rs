//! `latchkey doctor`: tries everything that the portal needs, and names what to mend. It changes nothing.

mod entra;

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::ExitCode,
};

use domain::assignment::Closed;
use workflow::{
    Clock, Ids, Workflow,
    audit::{Checkpoint, Signer},
};

use crate::{
    checkpoints,
    config::Config,
    database::{self, OpenError},
    mail::{self, Smtp, Travel},
    out, serve,
    sign_in::Failure,
};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grade {
    Ok,
    Warn,
    Bad,
}

/// What was found, in the order of looking. Printed as it is found: some of it takes seconds.
#[derive(Debug, Default)]
struct Report(Vec<(Grade, String)>);

impl Report {
    fn say(&mut self, grade: Grade, what: &str, text: &str) {
        let word = match grade {
            Grade::Ok => "ok   ",
            Grade::Warn => "warn ",
            Grade::Bad => "BAD  ",
        };
        let line = format!("{what}: {text}");
        out::line(format!("{word} {line}"));
        self.0.push((grade, line));
    }

    fn tell(&mut self, what: &str, found: Result<String, String>) {
        match found {
            Ok(text) => self.say(Grade::Ok, what, &text),
            Err(why) => self.say(Grade::Bad, what, &why),
        }
    }

    fn warn(&mut self, what: &str, text: &str) {
        self.say(Grade::Warn, what, text);
    }

    fn bad(&self) -> usize {
        self.0
            .iter()
            .filter(|(grade, _)| *grade == Grade::Bad)
            .count()
    }
}

/// Runs every check; ends with status 1 if one failed.
pub async fn run(config: &Config) -> ExitCode {
    let bad = examine(config).await.bad();
    if bad == 0 {
        out::line("Everything that was checked works.");
        ExitCode::SUCCESS
    } else {
        out::line(format!("{bad} to mend."));
        ExitCode::FAILURE
    }
}

async fn examine(config: &Config) -> Report {
    let mut report = Report::default();
    let workflow = open(config, &mut report).await;
    if let Some(workflow) = &workflow {
        checkpoint(config, workflow, &mut report).await;
        closed(workflow, &mut report).await;
    }
    places(config, &mut report);
    sign_in(config, &mut report).await;
    entra::provisioner(config, &mut report).await;
    targets(config, &mut report).await;
    send(config, &mut report).await;
    if config.sign_in.client_id == config.graph.client_id {
        report.warn(
            "registrations",
            "sign-in and Graph use the same one: whoever takes the web half over could then change memberships",
        );
    }
    report
}

async fn open(config: &Config, report: &mut Report) -> Option<Workflow> {
    match serve::workflow_as_it_is(config).await {
        Ok(workflow) => {
            report.tell(
                "database",
                Ok("reachable, with this version's schema".into()),
            );
            return Some(workflow);
        }
        // `serve` would fail here.
        Err(OpenError::Missing) if folder(config).is_some_and(|folder| !folder.is_dir()) => {
            report.tell("database", Err("its folder does not exist".into()));
        }
        Err(early @ (OpenError::Missing | OpenError::Older)) => {
            report.warn("database", &early.to_string());
        }
        Err(wrong @ (OpenError::Trial | OpenError::Real | OpenError::Failed(_))) => {
            report.tell("database", Err(wrong.to_string()));
        }
    }
    None
}

/// Targets at which changes wait as a whole.
async fn closed(workflow: &Workflow, report: &mut Report) {
    match workflow::targets::closed(workflow).await {
        Ok(names) => {
            for (name, closed) in names {
                let why = match closed {
                    Closed::Restored => {
                        "nothing is given there since the database was restored: Provisioner says what to look at"
                    }
                    Closed::Shadow => "it is not switched on: nothing is written there",
                };
                report.warn(&name, why);
            }
        }
        Err(error) => report.tell("targets", Err(error.to_string())),
    }
}

/// The folder of the database, if it is a file.
fn folder(config: &Config) -> Option<PathBuf> {
    let file = std::path::absolute(database::file(config.database.url.expose())?).ok()?;
    file.parent().map(Path::to_owned)
}

/// Whoever restores or changes the database's folder should not restore or change with it what it is compared with.
fn places(config: &Config, report: &mut Report) {
    let Some(folder) = folder(config) else {
        return;
    };
    for (setting, path) in [
        ("audit.key_file", &config.audit.key_file),
        ("audit.checkpoint_file", &config.audit.checkpoint_file),
    ] {
        if std::path::absolute(path).is_ok_and(|path| path.starts_with(&folder)) {
            report.warn(
                setting,
                "lies in the database's folder: a backup of that folder, or whoever can write there, takes both together; keep it elsewhere",
            );
        }
    }
}

async fn sign_in(config: &Config, report: &mut Report) {
    let found = match serve::provider(config, Clock::system(), Ids::system()) {
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
    entra::portal(config, report).await;
    match &config.sign_in.step_up {
        Some(context) => report.say(
            Grade::Ok,
            "fresh sign-in",
            &format!(
                "must satisfy the authentication context {context}; that a Conditional Access policy protects it is not seen from here, and without one Entra lets everybody satisfy it"
            ),
        ),
        None => report.warn(
            "fresh sign-in",
            "sign_in.step_up is empty: for decisions of high risk people sign in anew, with no more than they usually need",
        ),
    }
    if config.sign_in.first_administrator.is_none() {
        report.warn(
            "first administrator",
            "none is set: somebody must hold the app role Portal.Administrator",
        );
    }
}

async fn targets(config: &Config, report: &mut Report) {
    let connectors = match crate::targets::connectors(config, &Clock::system()) {
        Ok(connectors) => connectors,
        Err(why) => return report.tell("targets", Err(why)),
    };
    for (key, connector) in connectors {
        for finding in connector.diagnose().await {
            let found = if finding.fine {
                Ok(finding.what)
            } else {
                Err(format!("{} {}", finding.what, finding.fix))
            };
            report.tell(&format!("target {key}"), found);
        }
    }
}

async fn send(config: &Config, report: &mut Report) {
    let Some(mail) = &config.mail else {
        return report.warn("mail", "mail.smtp_url is empty: no mail is sent");
    };
    let tried = match Smtp::new(mail) {
        Ok(smtp) => smtp.diagnose().await,
        Err(error) => Err(error.to_string()),
    };
    report.tell(
        "mail",
        tried.map(|()| "the server takes connections".into()),
    );
    if matches!(mail::travel(mail.smtp_url.expose()), Ok((Travel::Clear, _))) {
        report.warn(
            "mail",
            "?tls=none: anybody between here and the server reads every mail, and the password",
        );
    }
}

async fn checkpoint(config: &Config, workflow: &Workflow, report: &mut Report) {
    let path = config.audit.checkpoint_file.display();
    if !config.audit.key_file.exists() {
        return report.warn(
            "checkpoint",
            "there is no signing key yet; the first start makes it",
        );
    }
    let found = match (
        Signer::load_or_create(&config.audit.key_file),
        std::fs::read_to_string(&config.audit.checkpoint_file),
    ) {
        (Err(error), _) => Err(error.to_string()),
        (_, Err(error)) if error.kind() == ErrorKind::NotFound => {
            return report.warn(
                "checkpoint",
                &format!(
                    "there is no {path}: nothing outside the database says how far the audit log had come; it is written when the portal serves"
                ),
            );
        }
        (_, Err(error)) => Err(format!("{path}: {error}")),
        (Ok(signer), Ok(note)) => match Checkpoint::open(&note, &signer.public()) {
            Err(error) => Err(format!("{path}: {error}")),
            Ok(checkpoint) => compare(workflow, &checkpoint).await,
        },
    };
    report.tell("checkpoint", found);
}

async fn compare(workflow: &Workflow, checkpoint: &Checkpoint) -> Result<String, String> {
    let now = workflow::audit::checkpoint(workflow)
        .await
        .map_err(|error| error.to_string())?;
    if checkpoint.installation != now.installation {
        return Err(format!(
            "it is of {}, the database of {}",
            checkpoint.installation, now.installation
        ));
    }
    if let Some(doubt) = checkpoints::contradiction(workflow, checkpoint, &now).await? {
        return Err(format!(
            "{doubt}: the database was restored from a backup or changed behind the portal's back; run latchkey audit verify"
        ));
    }
    Ok(format!(
        "signed, {} of {} entries, made {}",
        checkpoint.size,
        now.size,
        checkpoint.at.format("%Y-%m-%d %H:%M UTC")
    ))
}

#[cfg(test)]
mod tests;
