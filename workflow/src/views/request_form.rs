//! What the form for asking needs: limits, questions, who will decide, and what to know before sending it.

use chrono::Duration;
use domain::{
    GrantId, PackageId, Refusal, RequestId, Timestamp,
    grant::{End, GrantState},
    request::{Length, Start, Window},
    risk::Risk,
};
use serde::Serialize;
use store::Tx;

use super::{
    PersonTag, Vote,
    package::{self, PackagePage},
};
use crate::{
    Error, Result, Workflow,
    access::Viewer,
    checks::{self, Asked},
    conflicts::Clash,
    requests::policy_of,
    screening::{self, Subject},
};

/// The form for one package, or for more time on a grant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestForm {
    /// The package with policy, questions and the stages as they would be seated now.
    pub package: PackagePage,
    /// The grant that is to last longer; none for a new ask.
    pub extends: Option<Extended>,
    /// For whom it is; none for the viewer.
    pub whom: Option<PersonTag>,
    /// Sent back with the form, so that the same form sent many times is one request.
    pub key: String,
    /// The length to offer first, in seconds, after all limits that are known now.
    pub default_seconds: i64,
    /// The longest that would be given, in seconds: the policy's limit, or less because of the last working day or of
    /// what may be held without a break.
    pub longest_seconds: i64,
    /// Whether an ask without an end would stay without one.
    pub permanent: bool,
    /// The latest start that may be asked for.
    pub latest_start: Timestamp,
    /// When a request that nobody decides lapses, if it is sent now.
    pub lapses: Timestamp,
    /// What to know before sending.
    pub notices: Vec<Notice>,
    /// How risky this counts, asked for its usual time, with the parts of the sum.
    pub risk: Risk,
    /// Whether security decides as well, because of a broken rule or the risk.
    pub adds_security: bool,
}

/// The grant that more time is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Extended {
    /// Which.
    pub grant: GrantId,
    /// Held since.
    pub from: Timestamp,
    /// Today's end.
    pub end: End,
    /// Time held at that end, in seconds.
    pub held_seconds: i64,
}

/// Something to know before asking.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The last working day comes first: access ends then.
    LastDay {
        /// Its end.
        at: Timestamp,
    },
    /// They hold it until then: what is asked for before its end becomes more time.
    Held {
        /// Until.
        end: End,
    },
    /// Parts of it are held already, found at the target and not approved here.
    Found {
        /// Names of those rights.
        rights: Vec<String>,
    },
    /// It may not be held for as long as one ask otherwise gives.
    HeldAsLong {
        /// Until when it may be held without a break.
        latest: Timestamp,
    },
    /// A request for it waits; another takes its place.
    Waiting {
        /// Which.
        request: RequestId,
    },
    /// It was denied before; the next decider sees that.
    Denied {
        /// By whom, why, when.
        vote: Vote,
    },
    /// The viewer is not eligible, in the policy's words: the form is refused.
    NotEligible {
        /// Unmet conditions.
        because: Vec<String>,
    },
    /// A part of it cannot be managed by us: the form is refused.
    NotManageable {
        /// Name of the entitlement.
        entitlement: String,
        /// Why not.
        why: String,
    },
    /// Something else stands against it: the form is refused.
    Refused {
        /// What.
        refusal: Refusal,
    },
    /// Together with another line of the same cart a rule would be broken.
    BreaksTogether {
        /// The rule's name.
        rule: String,
        /// Why one person must not hold both.
        explain: String,
        /// The other line's package.
        other: String,
    },
    /// It breaks a rule together with what is held: only an exception lets it be given.
    Breaks {
        /// Which, and what is held on the other side.
        clash: Clash,
    },
    /// Nobody could decide a stage: the request would be held and somebody alerted.
    NobodyDecides,
    /// The grant has no end: more time cannot be asked for.
    Permanent,
}

impl RequestForm {
    /// Whether sending it would be refused whatever is typed.
    pub fn refused(&self) -> bool {
        self.notices.iter().any(|notice| {
            matches!(
                notice,
                Notice::NotEligible { .. }
                    | Notice::NotManageable { .. }
                    | Notice::Refused { .. }
                    | Notice::Permanent
            )
        })
    }
}

/// The form for a package.
pub async fn load(workflow: &Workflow, viewer: &Viewer, package: PackageId) -> Result<RequestForm> {
    let mut tx = workflow.store().read().await?;
    for_whom(&mut tx, workflow, viewer, viewer, package).await
}

/// The form with which `viewer` asks for `whom`: everything in it is as it is for them.
pub(super) async fn for_whom(
    tx: &mut Tx,
    workflow: &Workflow,
    viewer: &Viewer,
    whom: &Viewer,
    package: PackageId,
) -> Result<RequestForm> {
    let now = workflow.clock().now();
    let page = package::page_for(tx, whom, viewer.id(), package, now).await?;
    if page.retired {
        return Err(Error::Missing);
    }
    let mut notices = faults(&page);
    let held = match page.card.held {
        Some(held) => {
            notices.push(Notice::Held { end: held.end });
            tx.grant(held.grant).await?
        }
        None => None,
    };
    let offer = tx.offer(package).await?.ok_or(Error::Missing)?;
    let policy = policy_of(&offer)?;
    let parts = tx.offered(offer.version_id).await?;
    let subject = Subject {
        asker: &viewer.person,
        beneficiary: &whom.person,
        offer: &offer,
        policy: &policy,
        parts: &parts,
        asked: None,
        extends: held.as_ref(),
    };
    for refusal in screening::screen(tx, now, &subject).await?.refusals {
        match refusal {
            // These two are among the notices already, unless eligibility looks at who asks.
            Refusal::NotEligible { because } if page.card.unmet.is_empty() => {
                notices.push(Notice::NotEligible { because });
            }
            Refusal::NotEligible { .. } | Refusal::NotManageable { .. } => {}
            refusal => notices.push(Notice::Refused { refusal }),
        }
    }
    let rights = tx.found_rights(whom.id(), page.version).await?;
    if !rights.is_empty() {
        notices.push(Notice::Found { rights });
    }
    let asked = Asked {
        beneficiary: &whom.person,
        offer: &offer,
        policy: &policy,
        parts: &parts,
        team: None,
        window: Window {
            start: Start::OnActivation,
            length: Length::Seconds(policy.limits.default_seconds),
        },
        extends: held.as_ref().map(|grant| grant.id),
        line: None,
    };
    let found = checks::look(tx, &workflow.settings().risk, &asked, now).await?;
    let breaks = found.conflicts.into_iter();
    notices.extend(breaks.map(|clash| Notice::Breaks { clash }));
    let mut form = form(workflow, whom, page, None, now, notices);
    form.risk = found.risk;
    form.adds_security = found.adds_security;
    if whom.id() != viewer.id() {
        form.whom = Some(PersonTag::new(whom.id(), whom.person.name.clone()));
    }
    Ok(form)
}

/// The form for more time on a grant that the viewer holds.
pub async fn load_extension(
    workflow: &Workflow,
    viewer: &Viewer,
    grant: GrantId,
) -> Result<RequestForm> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let row = tx
        .grant(grant)
        .await?
        .filter(|row| row.person_id == viewer.id() && row.state != GrantState::Ended)
        .ok_or(Error::Missing)?;
    let package = row.package_id.ok_or(Error::Missing)?;
    let page = package::page(&mut tx, viewer, package, now).await?;
    if page.retired {
        return Err(Error::Missing);
    }
    let mut notices = faults(&page);
    let end = row.end();
    if end == End::Permanent {
        notices.push(Notice::Permanent);
    }
    let extends = Extended {
        grant,
        from: row.valid_from,
        end,
        held_seconds: end.at().map_or(0, |at| (at - row.valid_from).num_seconds()),
    };
    Ok(form(workflow, viewer, page, Some(extends), now, notices))
}

/// What the form would be refused for, and what was said before.
fn faults(page: &PackagePage) -> Vec<Notice> {
    let mut notices = Vec::new();
    if !page.card.unmet.is_empty() {
        notices.push(Notice::NotEligible {
            because: page.card.unmet.clone(),
        });
    }
    for part in &page.contents {
        if let Some(why) = &part.unmanageable {
            notices.push(Notice::NotManageable {
                entitlement: part.name.clone(),
                why: why.clone(),
            });
        }
    }
    if page.stages.iter().any(|stage| stage.stuck) {
        notices.push(Notice::NobodyDecides);
    }
    if let Some(request) = page.card.waiting {
        notices.push(Notice::Waiting { request });
    }
    if let Some(vote) = &page.denied {
        notices.push(Notice::Denied { vote: vote.clone() });
    }
    notices
}

fn form(
    workflow: &Workflow,
    viewer: &Viewer,
    package: PackagePage,
    extends: Option<Extended>,
    now: Timestamp,
    mut notices: Vec<Notice>,
) -> RequestForm {
    let limits = package.limits;
    let from = extends
        .and_then(|extended| extended.end.at())
        .map_or(now, |end| end.max(now));
    let mut longest = limits.longest_seconds;
    if let Some(at) = viewer.person.last_day_at {
        let left = (at - from).num_seconds().max(0);
        if left < longest || limits.permanent {
            notices.push(Notice::LastDay { at });
        }
        longest = longest.min(left);
    }
    if let Some(latest) = extends.and_then(|extended| limits.latest_end(extended.from)) {
        let left = (latest - from).num_seconds().max(0);
        if left < longest {
            notices.push(Notice::HeldAsLong { latest });
            longest = left;
        }
    }
    RequestForm {
        key: workflow
            .ids()
            .new_id::<uuid::Uuid>(now)
            .simple()
            .to_string(),
        default_seconds: limits.default_seconds.min(longest),
        longest_seconds: longest,
        permanent: limits.permanent && viewer.person.last_day_at.is_none(),
        latest_start: now + Duration::seconds(limits.furthest_start_seconds),
        lapses: now + Duration::seconds(limits.pending_seconds),
        package,
        extends,
        whom: None,
        notices,
        risk: Risk::default(),
        adds_security: false,
    }
}
