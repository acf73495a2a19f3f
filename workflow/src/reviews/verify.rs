//! Checking the sealed report of a review against an export of the audit log: without the portal, without its database.

use std::io::BufRead;

use domain::{AccountId, CampaignId, GrantId, PackageId, PersonId, Timestamp, grant::GrantSource};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Listing, freeze::sealed_facts};
use crate::frozen::hex;

/// What is wrong with a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportFault {
    /// The file is no report.
    #[error("line {line} is no line of a report")]
    Unreadable {
        /// Which line, from 1.
        line: usize,
    },
    /// The log tells of no sign-off of this review.
    #[error("the log tells of no sign-off of {campaign}")]
    NotSignedOff {
        /// The review.
        campaign: CampaignId,
    },
    /// The file is not what was signed off.
    #[error("the report is not what was signed off: its SHA-256 is {found}, the log says {sealed}")]
    Differs {
        /// What the file gives.
        found: String,
        /// What the log says.
        sealed: String,
    },
    /// The items, or the listings of the targets, are not what was frozen.
    #[error(
        "the items are not what was frozen at the start: {found} of {frozen}, or with other facts"
    )]
    Population {
        /// How many items the file has.
        found: usize,
        /// How many were frozen.
        frozen: i64,
    },
}

/// A report that is what was signed off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The review.
    pub campaign: CampaignId,
    /// Its items.
    pub items: usize,
    /// Its hash.
    pub hash: String,
}

#[derive(Deserialize)]
struct Head {
    campaign: CampaignId,
    #[serde(default)]
    listings: Vec<Listing>,
}

#[derive(Deserialize)]
struct Item {
    grant: GrantId,
    person: PersonId,
    account: AccountId,
    package: Option<PackageId>,
    source: GrantSource,
    from: Timestamp,
    end: Option<Timestamp>,
}

/// Compares a report (JSON lines) with an export of the log (JSON lines): the file is byte for byte what was signed off, and
/// its items are those that were frozen when the review started. Whether the log itself is whole is for
/// [`crate::audit::verify_lines`] to say.
pub fn verify_report(
    report: &str,
    log: impl BufRead,
) -> std::io::Result<Result<Sealed, ReportFault>> {
    let mut lines = report.lines();
    let Some(head) = lines
        .next()
        .and_then(|line| serde_json::from_str::<Head>(line).ok())
    else {
        return Ok(Err(ReportFault::Unreadable { line: 1 }));
    };
    let mut items = Vec::new();
    for (index, line) in lines.enumerate() {
        match serde_json::from_str::<Item>(line) {
            Ok(item) => items.push(item),
            Err(_) => return Ok(Err(ReportFault::Unreadable { line: index + 2 })),
        }
    }
    let Some(signed) = signed_off(head.campaign, log)? else {
        let campaign = head.campaign;
        return Ok(Err(ReportFault::NotSignedOff { campaign }));
    };
    Ok(compare(&head, report, items, &signed))
}

/// What the log says of the sign-off of a review.
fn signed_off(campaign: CampaignId, log: impl BufRead) -> std::io::Result<Option<Value>> {
    let subject = Value::from(campaign.to_string());
    for line in log.lines() {
        let line = line?;
        // Cheap first: the log is long.
        if !line.contains("campaign_signed_off") {
            continue;
        }
        let Ok(line) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        let entry = &line["entry"];
        let about = entry["subjects"]
            .as_array()
            .is_some_and(|subjects| subjects.contains(&subject));
        if entry["kind"] == "campaign_signed_off" && about {
            return Ok(Some(entry["after"].clone()));
        }
    }
    Ok(None)
}

fn compare(
    head: &Head,
    report: &str,
    mut items: Vec<Item>,
    signed: &Value,
) -> Result<Sealed, ReportFault> {
    let found = hex(&Sha256::digest(report));
    let sealed = signed["report_hash"].as_str().unwrap_or_default();
    if found != sealed {
        return Err(ReportFault::Differs {
            found,
            sealed: sealed.to_owned(),
        });
    }
    items.sort_by_key(|item| item.grant);
    let mut hasher = Sha256::new();
    for item in &items {
        let who = (item.grant, item.person, item.account, item.package);
        hasher.update(sealed_facts(who, item.source, item.from, item.end));
    }
    for listing in &head.listings {
        hasher.update(listing.sealed());
    }
    let frozen = signed["population"].as_i64().unwrap_or(-1);
    let same = signed["population_hash"] == hex(&hasher.finalize());
    if !same || i64::try_from(items.len()) != Ok(frozen) {
        return Err(ReportFault::Population {
            found: items.len(),
            frozen,
        });
    }
    Ok(Sealed {
        campaign: head.campaign,
        items: items.len(),
        hash: found,
    })
}
