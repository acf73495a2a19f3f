//! What `doctor` says of a directory: whether it lets us in, whether we see what we need, and whether we may write.

use chrono::TimeDelta;
use domain::Timestamp;

use super::{
    client::{Client, Edit, Search},
    connector::failure,
    directory::Group,
    error::{Error, Kind},
    name,
    settings::{Dialect, Encryption},
};
use crate::connector::{Failure, Finding};

/// Simple paged results (RFC 2696).
const PAGED: &str = "1.2.840.113556.1.4.319";
/// What Active Directory says of itself (MS-ADTS, section 3.1.1.3.4.3).
const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";
/// A clock that is off by more makes accounts expire at a wrong time.
const CLOCK: TimeDelta = TimeDelta::minutes(5);

fn fine(what: String) -> Finding {
    Finding {
        fine: true,
        what,
        fix: String::new(),
    }
}

fn wrong(what: String, fix: impl Into<String>) -> Finding {
    Finding {
        fine: false,
        what,
        fix: fix.into(),
    }
}

fn failed(client: &Client, error: &Error, doing: &str) -> Finding {
    match failure(client, error, doing) {
        Failure::Later { why, .. } => wrong(
            format!("The directory did not answer: {why}"),
            "Look whether the server runs and can be reached from here.",
        ),
        Failure::Never { why, fix } => wrong(why, fix),
        Failure::Misconfigured { what, fix, .. } => wrong(what, fix),
    }
}

/// Everything that is looked at. Nothing is changed.
pub(super) async fn diagnose(client: &Client, now: Timestamp) -> Vec<Finding> {
    let settings = client.settings();
    if let Err(error) = client.reach().await {
        return vec![failed(client, &error, "connect")];
    }
    let how = match settings.encryption() {
        Encryption::Ldaps => "over TLS",
        Encryption::StartTls => "over TLS (StartTLS)",
        Encryption::Clear => "in clear text on this machine",
    };
    let mut findings = vec![fine(format!(
        "{} lets {} in, {how}.",
        settings.address, settings.bind_dn
    ))];
    findings.extend(root(client, now).await);
    findings.push(people(client).await);
    match client.some_group().await {
        Ok(Some(group)) if group.supported() => {
            findings.push(fine(format!(
                "Groups with members can be read below {}.",
                settings.groups
            )));
            findings.push(writing(client, &group).await);
        }
        Ok(Some(group)) => findings.push(wrong(
            format!("{} is no group whose members are names of accounts.", group.dn),
            "Name groups that are a groupOfNames, a groupOfUniqueNames or a group of Active Directory.",
        )),
        Ok(None) => findings.push(wrong(
            format!(
                "No group with {} can be seen below {}.",
                settings.member_attribute, settings.groups
            ),
            format!(
                "Correct `groups` or `member_attribute`, or let {} read the groups.",
                settings.bind_dn
            ),
        )),
        Err(error) => findings.push(failed(client, &error, "read groups")),
    }
    findings
}

/// What the server says of itself: whether it lists by pages, whether it is what we take it for, and what time it has.
async fn root(client: &Client, now: Timestamp) -> Vec<Finding> {
    let found = client
        .search(Search {
            base: "",
            whole: false,
            filter: "(objectClass=*)",
            attributes: &["supportedControl", "supportedCapabilities", "currentTime"],
            most: 0,
        })
        .await;
    let entry = match found {
        Ok(mut found) if !found.is_empty() => found.remove(0),
        Ok(_) => {
            return vec![wrong(
                "The server does not say what it can do (its root entry cannot be read).".into(),
                "Let the portal's account read the root DSE.",
            )];
        }
        Err(error) => return vec![failed(client, &error, "read the root entry")],
    };
    let mut findings = Vec::new();
    if !entry
        .texts("supportedControl")
        .any(|control| control == PAGED)
    {
        findings.push(wrong(
            "The server does not list by pages (RFC 2696), so that large groups cannot be listed."
                .into(),
            "Allow simple paged results on the server.",
        ));
    }
    let is_microsoft = entry
        .texts("supportedCapabilities")
        .any(|capability| capability == ACTIVE_DIRECTORY);
    let dialect = client.settings().dialect;
    if is_microsoft != (dialect == Dialect::ActiveDirectory) {
        let (is, word) = if is_microsoft {
            ("Active Directory", "active_directory")
        } else {
            ("no Active Directory", "openldap")
        };
        findings.push(wrong(
            format!("The server says that it is {is}."),
            format!("Set `dialect = \"{word}\"`."),
        ));
    }
    if let Some(theirs) = entry.text("currentTime").and_then(generalized) {
        let apart = (now - theirs).abs();
        if apart > CLOCK {
            findings.push(wrong(
                format!(
                    "The server's clock and ours are {} seconds apart.",
                    apart.num_seconds()
                ),
                "Set both by the same time server.",
            ));
        }
    }
    findings
}

/// A time as LDAP writes it in UTC: `20261127183000.0Z` (RFC 4517, section 3.3.13).
fn generalized(text: &str) -> Option<Timestamp> {
    let digits = text.get(..14)?;
    let at = chrono::NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S").ok()?;
    text.ends_with('Z').then(|| at.and_utc())
}

async fn people(client: &Client) -> Finding {
    let settings = client.settings();
    match client.sees_people().await {
        Ok(true) => fine(format!("Accounts can be read below {}.", settings.people)),
        Ok(false) => wrong(
            format!("No account can be seen below {}.", settings.people),
            format!(
                "Correct `people` or `person_filter`, or let {} read the accounts.",
                settings.bind_dn
            ),
        ),
        Err(error) => failed(client, &error, "read accounts"),
    }
}

/// Whether members can be changed, found out without changing any: Active Directory says so itself, others are asked to remove a
/// member that no group has, which they refuse in one way to whoever may write and in another to whoever may not.
async fn writing(client: &Client, group: &Group) -> Finding {
    let settings = client.settings();
    let attribute = settings.member_attribute.as_str();
    let may = match settings.dialect {
        Dialect::OpenLdap => {
            let nobody = name::below("cn", "latchkey asks whether it may write", &settings.base);
            match client
                .modify(&group.dn, &[Edit::Delete(attribute, &nobody)])
                .await
            {
                Ok(()) => Ok(()),
                Err(error) if matches!(error.kind, Kind::NotThere | Kind::Schema) => Ok(()),
                Err(error) => Err(error),
            }
        }
        Dialect::ActiveDirectory => effective(client, group, attribute).await,
    };
    match may {
        Ok(()) => fine(format!("Members of groups can be changed ({}).", group.dn)),
        Err(error) => failed(client, &error, "change members"),
    }
}

/// What we may write to an entry, by Active Directory's own account (MS-ADTS, section 3.1.1.4.5.16).
async fn effective(client: &Client, group: &Group, attribute: &str) -> Result<(), Error> {
    let found = client
        .search(Search {
            base: &group.dn,
            whole: false,
            filter: "(objectClass=*)",
            attributes: &["allowedAttributesEffective"],
            most: 0,
        })
        .await?;
    let may = found.first().is_some_and(|entry| {
        entry
            .texts("allowedAttributesEffective")
            .any(|allowed| allowed.eq_ignore_ascii_case(attribute))
    });
    if may {
        Ok(())
    } else {
        Err(Error::plain(
            Kind::Denied,
            format!("{attribute} is not among the attributes that may be written"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_ldap_writes_it() {
        let expected: Timestamp = "2026-11-27T18:30:05Z".parse().expect("it is a time");
        assert_eq!(generalized("20261127183005.0Z"), Some(expected));
        assert_eq!(generalized("20261127183005Z"), Some(expected));
        assert_eq!(generalized("20261127183005.0+0100"), None);
        assert_eq!(generalized("now"), None);
    }
}
