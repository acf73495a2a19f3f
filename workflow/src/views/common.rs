//! The small things that several screens show.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    ApplicationId, AssignmentId, EntitlementId, GrantId, PackageId, PersonId, RequestId, Timestamp,
    approval::{Verdict, Via},
    assignment::{Closed, Observed, Phase},
    grant::{End, EndReason, GrantSource, Health, SuspendCause},
    policy::ApproverRule,
};
use serde::Serialize;
use uuid::Uuid;

use super::StandingWord;
use crate::assignments::Problem;

/// Somebody named on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonTag {
    /// Who.
    pub id: PersonId,
    /// Name as shown.
    pub name: String,
    /// One or two letters for the avatar.
    pub initials: String,
}

/// An application named on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppTag {
    /// Which.
    pub id: ApplicationId,
    /// Its key in the catalogue files.
    pub key: String,
    /// Its name.
    pub name: String,
    /// One to three letters for its tile.
    pub initials: String,
    /// The word of its tile's colour.
    pub tint: String,
    /// Its address, for the Open button; empty if it has none.
    pub url: String,
}

/// A package named on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackageTag {
    /// Which.
    pub id: PackageId,
    /// Its name.
    pub name: String,
    /// The application that it belongs to.
    pub app: AppTag,
    /// Whether it is privileged.
    pub privileged: bool,
}

/// A thing named beside its printed id, in the audit log and in evidence. `name` is empty for what is not known any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Name {
    /// The printed id, with its prefix.
    pub id: String,
    /// Its name in words.
    pub name: String,
    /// The page that shows it, from `/`, if there is one.
    pub path: Option<String>,
}

/// A count that stops at a limit, so that no page counts everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Capped {
    /// How many, at most the limit.
    pub count: i64,
    /// Whether there are more than that: shown as `100+`.
    pub more: bool,
}

impl Capped {
    /// From a count that was made over at most `limit + 1` rows.
    pub fn of(counted: i64, limit: i64) -> Self {
        Self {
            count: counted.min(limit),
            more: counted > limit,
        }
    }
}

/// Where a page of a list ended: opaque text for a URL, made and read here only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cursor(String);

impl Cursor {
    /// From the text of a URL. Whether it makes sense shows when the list reads it: nonsense begins at the first page.
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// For a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn by_text(key: &str, id: Uuid) -> Self {
        Self(URL_SAFE_NO_PAD.encode(format!("{}{key}", id.simple())))
    }

    pub(crate) fn by_time(at: Timestamp, id: Uuid) -> Self {
        Self::by_text(&at.timestamp_micros().to_string(), id)
    }

    pub(crate) fn text(&self) -> Option<(String, Uuid)> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(&self.0).ok()?).ok()?;
        let (id, key) = plain.split_at_checked(32)?;
        Some((key.to_owned(), Uuid::try_parse(id).ok()?))
    }

    pub(crate) fn time(&self) -> Option<(Timestamp, Uuid)> {
        let (micros, id) = self.text()?;
        Some((Timestamp::from_timestamp_micros(micros.parse().ok()?)?, id))
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// In one word.
    pub word: StandingWord,
    /// Since when.
    pub since: Timestamp,
    /// Who decides next, while it waits.
    pub next: Option<Deciders>,
    /// The end of access, once there is a grant.
    pub end: Option<End>,
}

/// Who can decide in an open stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deciders {
    /// The rule.
    pub rule: ApproverRule,
    /// The first few of those seated, by name.
    pub who: Vec<PersonTag>,
    /// How many more are seated.
    pub more: i64,
    /// How many must say yes.
    pub needed: i64,
    /// Whether the fallback chain is seated instead of those whom the rule names.
    pub fallback: bool,
    /// Whether only subordinates were left.
    pub by_subordinates: bool,
    /// Whether nobody can decide.
    pub stuck: bool,
    /// Since when.
    pub since: Timestamp,
}

/// Somebody seated, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeatView {
    /// Who.
    pub person: PersonTag,
    /// By which rule: theirs, or that of whom they stand in for.
    pub via: Via,
    /// Whom they stand in for.
    pub behalf: Option<PersonTag>,
}

/// A stage of a route before it opens: who would decide if it opened now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StagePreview {
    /// The rule.
    pub rule: ApproverRule,
    /// What the group is called whose members decide, where that is the rule and the name is known.
    pub group: Option<String>,
    /// Whether it opens together with the one before it.
    pub together: bool,
    /// How many must say yes.
    pub needed: usize,
    /// Who would be seated.
    pub seats: Vec<SeatView>,
    /// Whether the fallback chain would be seated.
    pub fallback: bool,
    /// Whether only subordinates would be left.
    pub by_subordinates: bool,
    /// Whether nobody could decide.
    pub stuck: bool,
}

/// One vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vote {
    /// Whose.
    pub by: PersonTag,
    /// For whom they decided, as a deputy.
    pub behalf: Option<PersonTag>,
    /// By which rule they were seated.
    pub via: Via,
    /// Yes or no.
    pub verdict: Verdict,
    /// What they wrote; may be empty.
    pub note: String,
    /// For at most so many seconds, if they said less.
    pub cap_seconds: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// When they signed in anew for it, if it wanted a fresh sign-in; by the provider's clock.
    pub fresh_at: Option<Timestamp>,
}

/// A question of the package with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The question in words.
    pub ask: String,
    /// What was answered, in words; empty if nothing.
    pub answer: String,
    /// The page of a ticket, where the policy knows it: its own address, never one that was typed.
    pub link: Option<String>,
}

/// One condition of eligibility, for this person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// In the policy's words.
    pub explain: String,
    /// Whether the person meets it.
    pub met: bool,
}

/// One concrete right, and, where it is part of a grant, what the target says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntitlementTag {
    /// Which.
    pub id: EntitlementId,
    /// Its name at the target.
    pub name: String,
    /// What it lets somebody do; may be empty.
    pub summary: String,
    /// `group`, `app_role`, `licence` or `portal_role`.
    pub kind: String,
    /// The target's name.
    pub target: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// `SOX`, `GDPR`, …
    pub control_scope: Option<String>,
    /// How long a change takes to bite, in seconds.
    pub effective_within_seconds: i64,
    /// Why it cannot be managed, if so.
    pub unmanageable: Option<String>,
    /// What the target says, where this is part of a grant.
    pub at_target: Option<AtTarget>,
}

/// What the target says of one right of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AtTarget {
    /// The assignment.
    pub assignment: AssignmentId,
    /// Whether it should be there.
    pub desired: bool,
    /// What the target last told us.
    pub observed: Observed,
    /// When it told us.
    pub observed_at: Option<Timestamp>,
    /// Where converging stands.
    pub phase: Phase,
    /// What is wrong and what to do; for operators, security and auditors only.
    pub problem: Option<Problem>,
    /// Why what is still to be changed there waits, if it does.
    pub closed: Option<Closed>,
}

/// Why somebody holds something: the request that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// The request.
    pub request: RequestId,
    /// Its short number.
    pub number: i64,
    /// The business reason.
    pub reason: String,
    /// Who asked, if not the holder.
    pub asker: Option<PersonTag>,
    /// Who said yes, in order.
    pub approvers: Vec<PersonTag>,
}

/// How a grant ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantOver {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
    /// By whom, if a person.
    pub by: Option<PersonTag>,
    /// What they wrote.
    pub note: Option<String>,
    /// When every target had confirmed that it is gone.
    pub gone_at: Option<Timestamp>,
}

/// A grant as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldGrant {
    /// Which.
    pub id: GrantId,
    /// The package; none for what was found at the target.
    pub package: Option<PackageTag>,
    /// The package's name, or the entitlement's for what was found at the target.
    pub name: String,
    /// Where it comes from. `Import` is shown as found at the target, not approved here.
    pub source: GrantSource,
    /// Begins.
    pub from: Timestamp,
    /// Ends.
    pub end: End,
    /// State and targets together.
    pub health: Health,
    /// When every target first confirmed it.
    pub ready_at: Option<Timestamp>,
    /// How it ended, if it has.
    pub over: Option<GrantOver>,
    /// The request behind it, if there is one.
    pub why: Option<Why>,
    /// What it opens at the targets.
    pub parts: Vec<EntitlementTag>,
    /// The request for more time that waits, if one does.
    pub extension: Option<RequestId>,
    /// Whether the viewer may ask for more time now.
    pub may_extend: bool,
    /// Whether the viewer may give it back now.
    pub may_give_back: bool,
    /// What stands on it, and what the viewer may do about that.
    pub marks: Marks,
}

/// What stands on a grant beside its state and its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Marks {
    /// Who holds it back, if somebody does.
    pub held_back: Option<HeldBack>,
    /// Whether the holder does not want it renewed.
    pub not_renewed: bool,
    /// Whether its end lies where it lies because the holder moved.
    pub moved: bool,
    /// Whether the viewer may say that it is, or is not, to be renewed.
    pub may_set_renewal: bool,
    /// Whether the viewer may take it away.
    pub may_take_away: bool,
    /// Whether the viewer may hold it back now.
    pub may_hold_back: bool,
    /// Whether the viewer may let it go on now.
    pub may_let_go_on: bool,
}

/// Who holds something back, since when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldBack {
    /// Since when.
    pub at: Timestamp,
    /// By whom.
    pub by: Option<PersonTag>,
    /// What they wrote.
    pub note: String,
    /// For which kind of reason.
    pub cause: SuspendCause,
}

/// One entry of the audit log, for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Position in the log.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What happened; the word of [`domain::audit::EventKind`].
    pub kind: String,
    /// `person`, `portal`, `provisioner`, `operator` or `anonymous`.
    pub actor: String,
    /// The person who did it, if one.
    pub actor_name: Option<Name>,
    /// On whose behalf, if not their own.
    pub behalf: Option<Name>,
    /// What it is about.
    pub subjects: Vec<Name>,
    /// What caused it, as an id or a short word.
    pub cause: Option<Name>,
    /// The policy version that applied, printed.
    pub policy: Option<String>,
    /// The state before; null if none.
    pub before: serde_json::Value,
    /// The state after; null if none.
    pub after: serde_json::Value,
    /// The hash of this entry, hex.
    pub hash: String,
}

/// One or two letters for an avatar: of the first and the last word of a name.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

impl PersonTag {
    pub(crate) fn new(id: PersonId, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id,
            initials: initials(&name),
            name,
        }
    }
}

/// The first and last four digits of a hash.
pub(crate) fn short_hash(hash: &str) -> String {
    match (
        hash.get(..4),
        hash.len().checked_sub(4).and_then(|from| hash.get(from..)),
    ) {
        (Some(first), Some(last)) if hash.len() > 8 => format!("{first}·{last}"),
        _ => hash.to_owned(),
    }
}
