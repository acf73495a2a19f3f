//! Membership of groups in a directory, as a [`Connector`].

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use domain::assignment::Observed;
use uuid::Uuid;
use workflow::Clock;

use super::{
    account::Locked,
    client::Client,
    diagnose,
    directory::{Change, Found, Group, Person},
    error::{Error, Kind},
    settings::{Dialect, Leaver, MatchBy},
};
use crate::connector::{
    Connector, Evidence, Failure, Finding, Listing, Outcome, Place, Reply, TargetAccount,
};

/// All requests of one call together end within this.
const ONE_CALL: Duration = Duration::from_secs(40);

/// Membership of groups in one directory.
#[derive(Clone, Debug)]
pub struct Groups {
    client: Client,
    clock: Clock,
}

/// What a call is about, as the directory has it now.
struct Spot {
    group: Group,
    person: Option<Person>,
    /// Whom we looked for.
    sought: String,
}

impl Groups {
    /// Over a client. The clock says when an account expires that is closed now.
    pub const fn new(client: Client, clock: Clock) -> Self {
        Self { client, clock }
    }

    async fn spot(&self, place: &Place) -> Result<Spot, Failure> {
        let group = self.group(&place.kind, &place.external_id).await?;
        let known = place
            .target_account
            .as_deref()
            .and_then(|id| Uuid::try_parse(id).ok());
        if let Some(id) = known {
            let person = self.client.person_with_id(id).await;
            if let Some(person) = person.map_err(|error| self.failed(&error, "read accounts"))? {
                return Ok(Spot {
                    group,
                    person: Some(person),
                    sought: format!("the account {id}"),
                });
            }
        }
        let (attribute, value) = (
            &self.client.settings().person_attribute,
            matched(self.client.settings().match_by, place),
        );
        if value.is_empty() {
            return Err(Failure::Never {
                why: format!(
                    "Nothing is known of {} that could be looked for in {attribute}.",
                    place.person_name
                ),
                fix: "Fill it in in the directory of the tenant, or match accounts by something else (match_by)."
                    .into(),
            });
        }
        let found = self.client.person_called(&value).await;
        let person = match found.map_err(|error| self.failed(&error, "read accounts"))? {
            Found::One(person) => Some(person),
            Found::Nobody => {
                self.nobody_is_believable().await?;
                None
            }
            Found::Several => {
                return Err(Failure::Never {
                    why: format!(
                        "Several accounts have {attribute}={value}: which one is meant cannot be told."
                    ),
                    fix: format!(
                        "Give each account its own {attribute}, or narrow `people` or `person_filter`."
                    ),
                });
            }
        };
        Ok(Spot {
            group,
            person,
            sought: format!("an account with {attribute}={value}"),
        })
    }

    /// That somebody is missing is believed only where somebody else can be seen: an account of ours that lost its right to read
    /// finds nobody either, and would confirm every removal.
    async fn nobody_is_believable(&self) -> Result<(), Failure> {
        let seen = self.client.sees_people().await;
        if seen.map_err(|error| self.failed(&error, "read accounts"))? {
            return Ok(());
        }
        let settings = self.client.settings();
        Err(Failure::Misconfigured {
            what: format!("No account at all can be seen below {}.", settings.people),
            fix: format!(
                "Let {} read the entries there, or correct `people` and `person_filter`.",
                settings.bind_dn
            ),
            everywhere: true,
        })
    }

    async fn group(&self, kind: &str, named: &str) -> Result<Group, Failure> {
        if kind != "ldap_group" {
            return Err(Failure::Never {
                why: format!("{named:?} is no group of an LDAP directory."),
                fix: "Name the group by `ldap_group` in the catalogue.".into(),
            });
        }
        let found = self.client.group(named).await;
        let group = found.map_err(|error| self.failed(&error, "read groups"))?;
        let Some(group) = group else {
            return Err(Failure::Never {
                why: format!(
                    "There is no group {named} in the directory, or none that the portal may see."
                ),
                fix: format!(
                    "Correct `ldap_group` in the catalogue, or let {} read the group.",
                    self.client.settings().bind_dn
                ),
            });
        };
        if group.supported() {
            return Ok(group);
        }
        Err(Failure::Never {
            why: format!(
                "{} is no group whose members are accounts by their names, but {}.",
                group.dn,
                group.classes.join(", ")
            ),
            fix: "Use a groupOfNames, a groupOfUniqueNames or a group of Active Directory.".into(),
        })
    }

    fn failed(&self, error: &Error, doing: &str) -> Failure {
        failure(&self.client, error, doing)
    }

    async fn look(&self, place: &Place) -> Result<(Outcome, Evidence), Failure> {
        let spot = self.spot(place).await?;
        let Some(person) = &spot.person else {
            // Who has no account is in no group.
            let detail = format!("there is not {}", spot.sought);
            return Ok((Outcome::Seen(Observed::Absent), said(detail, None)));
        };
        let member = self.client.is_member(&spot.group, &person.dn).await;
        let member = member.map_err(|error| self.failed(&error, "compare members"))?;
        let seen = if member {
            Observed::Present
        } else {
            Observed::Absent
        };
        let detail = format!("compared with the members of {}", spot.group.dn);
        Ok((Outcome::Seen(seen), said(detail, Some(person))))
    }

    async fn add(&self, place: &Place) -> Result<(Outcome, Evidence), Failure> {
        let spot = self.spot(place).await?;
        let Some(person) = &spot.person else {
            return Err(Failure::Never {
                why: format!("There is not {} in the directory.", spot.sought),
                fix: format!(
                    "Make the account there, or correct what names it; the portal makes none ({}).",
                    place.person_name
                ),
            });
        };
        let added = self.client.add_member(&spot.group, &person.dn).await;
        let change = added.map_err(|error| self.failed(&error, "add members"))?;
        let detail = format!("member added to {}", spot.group.dn);
        Ok((outcome(change), said(detail, Some(person))))
    }

    async fn remove(&self, place: &Place) -> Result<(Outcome, Evidence), Failure> {
        let spot = self.spot(place).await?;
        let Some(person) = &spot.person else {
            let detail = format!("there is not {}", spot.sought);
            return Ok((Outcome::Already, said(detail, None)));
        };
        let removed = self.client.remove_member(&spot.group, &person.dn).await;
        let change = removed.map_err(|error| match error.kind {
            Kind::Schema => Failure::Never {
                why: format!(
                    "{} is the last member of {}, and a group of this kind may not be empty: {error}.",
                    person.dn, spot.group.dn
                ),
                fix: "Set `placeholder` of the target to the name of an entry that stays in such groups, or add another member."
                    .into(),
            },
            _ => self.failed(&error, "remove members"),
        })?;
        let mut detail = format!("member removed from {}", spot.group.dn);
        if !place.enabled {
            self.close(person, &mut detail).await;
        }
        Ok((outcome(change), said(detail, Some(person))))
    }

    /// Closes the account of somebody who may not work any more, where the configuration asks for it. The membership is gone
    /// already, and stays gone if this fails: that it did is kept with the call.
    async fn close(&self, person: &Person, detail: &mut String) {
        let closed = match self.client.settings().leaver {
            Leaver::Keep => return,
            Leaver::Disable => self.client.lock(person, Locked::Yes).await.map(drop),
            Leaver::Expire => self.client.expire(person, Some(self.clock.now())).await,
        };
        match closed {
            Ok(()) => detail.push_str("; the account was closed"),
            Err(error) => {
                tracing::warn!(error = %error, "the account of a leaver could not be closed in a directory");
                // Writing to a text cannot fail.
                let _ = write!(detail, "; the account could not be closed: {error}");
            }
        }
    }
}

#[async_trait]
impl Connector for Groups {
    async fn observe(&self, place: &Place) -> Reply {
        within(Box::pin(self.look(place))).await
    }

    async fn ensure_present(&self, place: &Place) -> Reply {
        within(Box::pin(self.add(place))).await
    }

    async fn ensure_absent(&self, place: &Place) -> Reply {
        within(Box::pin(self.remove(place))).await
    }

    async fn list(&self, kind: &str, external_id: &str) -> Result<Listing, Failure> {
        let group = self.group(kind, external_id).await?;
        let people = self.client.people_in(&group).await;
        let people = people.map_err(|error| failure(&self.client, &error, "list people"))?;
        Ok(Listing {
            holders: people.iter().map(Uuid::to_string).collect(),
            ..Listing::default()
        })
    }

    async fn diagnose(&self) -> Vec<Finding> {
        diagnose::diagnose(&self.client, self.clock.now()).await
    }

    fn longest(&self) -> Duration {
        Duration::from_secs(45)
    }
}

/// One call with its time.
async fn within(doing: impl Future<Output = Result<(Outcome, Evidence), Failure>> + Send) -> Reply {
    let started = Instant::now();
    let done = tokio::time::timeout(ONE_CALL, doing).await;
    let took = started.elapsed();
    match done {
        Ok(Ok((outcome, evidence))) => Reply {
            outcome,
            evidence: Evidence { took, ..evidence },
        },
        Ok(Err(failure)) => {
            let detail = match &failure {
                Failure::Later { why, .. } | Failure::Never { why, .. } => why.clone(),
                Failure::Misconfigured { what, .. } => what.clone(),
            };
            Reply {
                outcome: Outcome::Failed(failure),
                evidence: Evidence {
                    took,
                    ..said(detail, None)
                },
            }
        }
        Err(_) => {
            let why = "the directory took too long";
            Reply::unasked(
                Outcome::Failed(Failure::Later {
                    after: None,
                    throttled: false,
                    why: why.into(),
                }),
                why,
            )
        }
    }
}

fn outcome(change: Change) -> Outcome {
    match change {
        Change::Done => Outcome::Done,
        Change::Already => Outcome::Already,
    }
}

fn said(detail: String, person: Option<&Person>) -> Evidence {
    Evidence {
        detail,
        account: person.map(|person| {
            Box::new(TargetAccount {
                id: person.id.to_string(),
                user_name: person.called.clone(),
            })
        }),
        ..Evidence::default()
    }
}

/// What of a person is looked for; empty if it is not known.
fn matched(by: MatchBy, place: &Place) -> String {
    match by {
        MatchBy::UserName => place.user_name.clone(),
        MatchBy::Alias => place
            .user_name
            .split('@')
            .next()
            .unwrap_or_default()
            .to_owned(),
        MatchBy::Mail => place.mail.clone(),
        MatchBy::EmployeeId => place.employee_id.clone(),
        MatchBy::ObjectId => place.object_id.to_string(),
    }
}

/// What an error means for what was being done, in an operator's words, with the server's own.
pub(super) fn failure(client: &Client, error: &Error, doing: &str) -> Failure {
    let settings = client.settings();
    let (address, we) = (&settings.address, &settings.bind_dn);
    let misconfigured = |what: String, fix: String, everywhere: bool| Failure::Misconfigured {
        what,
        fix,
        everywhere,
    };
    match error.kind {
        Kind::Unreachable | Kind::Lost | Kind::Busy | Kind::Nonsense => Failure::Later {
            after: None,
            throttled: error.code == Some(51),
            why: format!("{address}: {error}"),
        },
        Kind::Untrusted => misconfigured(
            format!("No trusted connection to {address} can be made: {error}."),
            "Put the certificate of the authority that signed the server's into `ca_file`, and use the name in the server's certificate as the address."
                .into(),
            true,
        ),
        Kind::Credential => misconfigured(
            format!("The directory does not let {we} in: {error}."),
            "Check `bind_dn` and `password_file`; the password may have expired or been changed.".into(),
            true,
        ),
        Kind::Denied => misconfigured(
            format!("{we} may not {doing}: {error}."),
            match settings.dialect {
                Dialect::OpenLdap => format!(
                    "Grant it in the server's rules: `access to dn.subtree=\"{}\" attrs={} by dn.exact=\"{we}\" write`, and `read` below {}.",
                    settings.groups, settings.member_attribute, settings.people
                ),
                Dialect::ActiveDirectory => format!(
                    "Delegate Read Members and Write Members of the groups below {} to it, and reading of the accounts below {}.",
                    settings.groups, settings.people
                ),
            },
            false,
        ),
        Kind::TooMuch => misconfigured(
            format!("The directory does not give {we} all that it has to read to {doing}: {error}."),
            match settings.dialect {
                Dialect::OpenLdap => {
                    format!("Raise its limit: `limits dn.exact=\"{we}\" size.prtotal=unlimited`.")
                }
                Dialect::ActiveDirectory => "Raise MaxPageSize or MaxResultSetSize of the domain's query policy, or narrow `people`.".into(),
            },
            false,
        ),
        Kind::Unwilling => misconfigured(
            format!("The directory does not {doing}: {error}."),
            "Look whether it is a read-only copy, or whether this group is managed by something else.".into(),
            false,
        ),
        Kind::Elsewhere => misconfigured(
            format!("Another server is responsible: {error}. The portal does not follow it there."),
            "Use the address of the server that holds these entries and takes changes.".into(),
            true,
        ),
        Kind::NoEntry => misconfigured(
            format!("To {doing} something is missing, or {we} may not see it: {error}."),
            format!(
                "Check `base`, `people` ({}) and `groups` ({}), and what it may read.",
                settings.people, settings.groups
            ),
            false,
        ),
        Kind::Already | Kind::NotThere | Kind::Schema | Kind::Refused => Failure::Never {
            why: format!("The directory refuses to {doing}: {error}."),
            fix: "Look at the entry in the directory; what it says about itself is in its answer.".into(),
        },
    }
}
