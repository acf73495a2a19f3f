//! The catalogue: find a package, see at a glance what it is, how long it lasts, and whether one may have it.

use chrono::Duration;
use domain::{ApplicationId, GrantId, PackageId, RequestId, Timestamp, grant::End, policy::Policy};
use serde::Serialize;
use store::{
    Tx,
    views::catalog::{CardQuery, CardRow, MineRow, ReadyRow},
};

use super::{AppTag, Capped, Cursor, make, suggest};
use crate::{Result, Workflow, access::Viewer, eligibility::unmet, fold::fold};

/// Packages on a page.
const PAGE: usize = 24;
/// Where counting what is offered stops.
const OFFERED: i64 = 200;
/// Suggestions on the first page.
const NEARBY: usize = 6;
/// How many colleagues are looked at for them.
const COLLEAGUES: i64 = 30;
/// What the viewer had within this time is offered again on the first page.
const LATELY: Duration = Duration::days(90);
/// At most so much of it.
const RECENT: usize = 3;
/// How many of a package's latest grants say how long it takes.
const LATEST: i64 = 5;
/// How many packages a pasted text may find before they are put in order.
const PASTED: i64 = 200;
/// Words of error pages that say nothing about what is missing.
const COMMON: &[&str] = &[
    "access",
    "account",
    "administrator",
    "and",
    "are",
    "ask",
    "cannot",
    "com",
    "contact",
    "denied",
    "error",
    "for",
    "forbidden",
    "have",
    "http",
    "https",
    "needed",
    "need",
    "not",
    "permission",
    "permissions",
    "please",
    "request",
    "sorry",
    "the",
    "this",
    "to",
    "unauthorized",
    "www",
    "you",
    "your",
];

/// What somebody looks for. All given conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What was typed or pasted: a name, a synonym, an owner, an address, a whole "access denied" text.
    pub text: String,
    /// Only this application.
    pub application: Option<ApplicationId>,
    /// Only packages that may be held for at least so many seconds (or permanently).
    pub at_least_seconds: Option<i64>,
    /// Only privileged ones, or only others.
    pub privileged: Option<bool>,
    /// Where the last page ended.
    pub after: Option<Cursor>,
}

/// A page of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Catalog {
    /// Now, for relative times.
    pub now: Timestamp,
    /// All applications, by name, for the filter.
    pub applications: Vec<AppTag>,
    /// How many packages are offered in all.
    pub offered: Capped,
    /// What the viewer had lately and may ask for again, latest first, at most three; only on the first page without text
    /// and filters.
    pub recent: Vec<Card>,
    /// What is usual in the viewer's team ([`super::suggest`]), without those; only on the first page without text and filters.
    pub usual: Vec<Card>,
    /// What people of the viewer's department hold most, at most six, without those; only on the first page without text and filters.
    pub like_you: Vec<Card>,
    /// The packages found: by name, or by fit for a pasted text.
    pub cards: Vec<Card>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// Whether `text` was read as pasted text: any of its words counts, the best fit first, one page only.
    pub pasted: bool,
}

/// A package on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Which.
    pub id: PackageId,
    /// Its key in the catalogue files.
    pub key: String,
    /// Its application.
    pub app: AppTag,
    /// Its name.
    pub name: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// `SOX`, `GDPR`, …
    pub control_scope: Option<String>,
    /// Offered first in the form, in seconds.
    pub default_seconds: i64,
    /// The longest that may be asked for, in seconds.
    pub longest_seconds: i64,
    /// Whether it may be asked for without an end.
    pub permanent: bool,
    /// Whether it is opened without asking anybody, in an emergency.
    pub break_glass: bool,
    /// How long it usually takes from asking to ready, in seconds: the median of the latest, if there are three or more.
    pub usual_seconds: Option<i64>,
    /// What the viewer holds of it.
    pub held: Option<HeldCard>,
    /// The viewer's request that waits.
    pub waiting: Option<RequestId>,
    /// Why the viewer may not have it, in the policy's words; empty means eligible.
    pub unmet: Vec<String>,
    /// How many of the viewer's department hold it, or of the team; only under "people like you have" and "usual in your team".
    pub held_nearby: Option<i64>,
}

/// A grant as a card says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeldCard {
    /// Which.
    pub grant: GrantId,
    /// Begins.
    pub from: Timestamp,
    /// Ends.
    pub end: End,
}

/// Reads a page of the catalogue, 24 packages long.
pub async fn load(workflow: &Workflow, viewer: &Viewer, filter: &Filter) -> Result<Catalog> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let applications = tx.application_tags().await?;
    let offered = tx.count_offered(OFFERED + 1).await?;
    let wanted = CardQuery {
        application: filter.application,
        at_least_seconds: filter.at_least_seconds,
        privileged: filter.privileged,
        ..CardQuery::default()
    };
    let (mut rows, pasted) = find(&mut tx, &filter.text, &wanted, filter.after.as_ref()).await?;
    let more = rows.len() > PAGE && !pasted;
    rows.truncate(PAGE);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| Cursor::by_text(&row.name, row.id.0));
    let first = *filter == Filter::default();
    let nearby = if first && !viewer.person.department.is_empty() {
        tx.held_nearby(
            &viewer.person.department,
            viewer.id(),
            COLLEAGUES,
            NEARBY as i64 * 2,
        )
        .await?
    } else {
        Vec::new()
    };
    let had = if first {
        tx.had_lately(viewer.id(), now - LATELY, RECENT as i64 * 4)
            .await?
    } else {
        Vec::new()
    };
    let ids: Vec<PackageId> = nearby
        .iter()
        .map(|row| row.package_id)
        .chain(had.iter().map(|row| row.package_id))
        .collect();
    let count = rows.len();
    let others = tx.cards_by_ids(&ids).await?;
    rows.extend(others.into_iter().filter(|row| row.offered));
    let mut cards = cards(&mut tx, viewer, rows).await?;
    let mut others = cards.split_off(count);
    // What one has already, waits for, or may not have, is no suggestion.
    others.retain(|card| card.held.is_none() && card.waiting.is_none() && card.unmet.is_empty());
    let recent: Vec<Card> = had
        .iter()
        .filter_map(|row| others.iter().find(|card| card.id == row.package_id))
        .take(RECENT)
        .cloned()
        .collect();
    let mut usual = if first {
        suggest::usual_for(&mut tx, viewer, viewer).await?
    } else {
        Vec::new()
    };
    usual.retain(|card| !recent.iter().any(|had| had.id == card.id));
    let mut like_you: Vec<Card> = others
        .into_iter()
        .filter(|card| !recent.iter().chain(&usual).any(|above| above.id == card.id))
        .filter_map(|card| {
            let near = nearby.iter().find(|row| row.package_id == card.id)?;
            Some(Card {
                held_nearby: Some(near.holders),
                ..card
            })
        })
        .collect();
    like_you.sort_by_key(|card| std::cmp::Reverse(card.held_nearby));
    like_you.truncate(NEARBY);
    Ok(Catalog {
        now,
        applications: applications.into_iter().map(AppTag::from).collect(),
        offered: Capped::of(offered, OFFERED),
        recent,
        usual,
        like_you,
        cards,
        next,
        pasted,
    })
}

/// The packages that fit a text: all words found, by name; or, for a pasted text and where nothing fits wholly, any word
/// found, the best fit first.
pub(super) async fn find(
    tx: &mut Tx,
    text: &str,
    wanted: &CardQuery,
    after: Option<&Cursor>,
) -> Result<(Vec<CardRow>, bool)> {
    let words = words(text);
    let long = text.contains("://") || text.contains('\n') || words.len() > 6;
    if !long {
        let query = CardQuery {
            all_of: words.clone(),
            after: after
                .and_then(Cursor::text)
                .map(|(name, id)| (name, PackageId(id))),
            limit: PAGE as i64 + 1,
            ..wanted.clone()
        };
        let rows = tx.cards(&query).await?;
        if !rows.is_empty() || words.len() < 2 || after.is_some() {
            return Ok((rows, false));
        }
    }
    let any_of: Vec<String> = telling(words);
    if any_of.is_empty() {
        return Ok((Vec::new(), true));
    }
    let query = CardQuery {
        any_of: any_of.clone(),
        limit: PASTED,
        ..wanted.clone()
    };
    let mut rows = tx.cards(&query).await?;
    let fit = |row: &CardRow| {
        let name = fold(&row.name);
        any_of
            .iter()
            .filter(|word| row.search_key.contains(word.as_str()))
            .map(|word| word.len() * if name.contains(word.as_str()) { 3 } else { 1 })
            .sum::<usize>()
    };
    rows.sort_by_key(|row| std::cmp::Reverse(fit(row)));
    rows.truncate(PAGE);
    Ok((rows, true))
}

/// The words of a text, folded, each once. Host names and keys stay whole.
pub(super) fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut words: Vec<String> = Vec::new();
    for word in folded.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@')))
    {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() && !words.iter().any(|known| known == word) && words.len() < 64 {
            words.push(word.to_owned());
        }
    }
    words
}

/// The words of a pasted text that tell something, the longest first.
fn telling(words: Vec<String>) -> Vec<String> {
    let mut telling: Vec<String> = words
        .into_iter()
        .filter(|word| word.chars().count() >= 3 && !COMMON.contains(&word.as_str()))
        .collect();
    telling.sort_by_key(|word| std::cmp::Reverse(word.len()));
    telling.truncate(12);
    telling
}

/// Cards from rows: what the viewer has of each, how long each takes, in two more statements for all of them.
pub(super) async fn cards(tx: &mut Tx, viewer: &Viewer, rows: Vec<CardRow>) -> Result<Vec<Card>> {
    let mut ids: Vec<PackageId> = rows.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let ready = tx.latest_ready(&ids, LATEST).await?;
    let mine = if ids.is_empty() {
        Vec::new()
    } else {
        tx.mine(viewer.id()).await?
    };
    rows.into_iter()
        .map(|row| card(viewer, row, &ready, &mine))
        .collect()
}

fn card(viewer: &Viewer, row: CardRow, ready: &[ReadyRow], mine: &[MineRow]) -> Result<Card> {
    let policy: Policy = serde_json::from_str(&row.policy)?;
    let own = || mine.iter().filter(|own| own.package_id == row.id);
    let held = own()
        .filter_map(|own| {
            Some(HeldCard {
                grant: own.grant_id?,
                from: own.valid_from?,
                end: own.end_at.map_or(End::Permanent, End::At),
            })
        })
        .max_by_key(|held| held.end.at().map_or(Timestamp::MAX_UTC, |at| at));
    let mut took: Vec<i64> = ready
        .iter()
        .filter(|one| one.package_id == row.id)
        .map(|one| (one.ready_at - one.submitted_at).num_seconds().max(0))
        .collect();
    took.sort_unstable();
    Ok(Card {
        id: row.id,
        app: make::app_tag!(row),
        usual_seconds: (took.len() >= 3).then(|| took[took.len() / 2]),
        held,
        waiting: own().find_map(|own| own.request_id),
        unmet: unmet(&policy, &viewer.person, &viewer.person),
        held_nearby: None,
        key: row.key,
        name: row.name,
        summary: row.summary,
        privileged: row.privileged,
        control_scope: row.control_scope,
        default_seconds: row.default_seconds,
        longest_seconds: row.longest_seconds,
        permanent: row.permanent,
        break_glass: policy.asking.break_glass.is_some(),
    })
}
