//! What people ask for on ordinary days, and what becomes of it.

use std::collections::BTreeMap;

use chrono::{Datelike, Duration, Weekday};
use domain::{
    Timestamp,
    approval::Verdict,
    asking::Ticket,
    policy::{Policy, QuestionKind},
    request::{Length, Start, Window},
};
use sandbox::company;
use uuid::Uuid;

use super::{
    Asking, Then,
    actors::{Actor, Actors, Offer},
    chance::Chance,
    script,
};

/// As many decisions as it takes.
pub(super) const ALL: u32 = u32::MAX;

/// What those who decide make of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// Yes.
    Approve,
    /// Yes, for half the time.
    Less,
    /// No.
    Deny,
    /// Nobody says anything.
    Silence,
    /// The asker takes it back.
    Cancel,
}

/// People whose own pages are looked at first, so they ask more often than others.
const BUSY: &[&str] = &[
    "johan.nyberg",
    "maya.rao",
    "sara.blom",
    "viktor.nystrom",
    "ye-jin.park",
    "tuomas.korhonen",
    "liam.oconnor",
    "arjun.krishnamurthy",
    "astrid.lindqvist",
    "fredrik.sjoberg",
];

/// Nobody of the script begins something by chance in the last days: what is left waiting is written there.
const QUIET: Duration = Duration::days(4);

/// Asks on working days, in office hours.
pub(super) fn plan(
    chance: &mut Chance,
    actors: &Actors,
    from: Timestamp,
    until: Timestamp,
) -> Vec<(Timestamp, Asking)> {
    let busy: Vec<Uuid> = BUSY.iter().map(|name| company::user(name)).collect();
    let mut planned = Vec::new();
    let mut day = from.date_naive() + Duration::days(1);
    while day < (until - QUIET).date_naive() {
        let count = match day.weekday() {
            Weekday::Sat | Weekday::Sun => 0,
            Weekday::Mon | Weekday::Tue => 1 + i64::from(chance.in_hundred(40)),
            Weekday::Wed | Weekday::Thu | Weekday::Fri => i64::from(chance.in_hundred(85)),
        };
        for _ in 0..count {
            let minutes = 7 * 60 + chance.up_to(9 * 60);
            let at = day.and_time(chrono::NaiveTime::MIN).and_utc() + Duration::minutes(minutes);
            let object = chance.in_hundred(35).then(|| *chance.one(&busy));
            if let Some(asking) = one(chance, actors, object, at) {
                planned.push((at, asking));
            }
        }
        day += Duration::days(1);
    }
    planned
}

fn one(
    chance: &mut Chance,
    actors: &Actors,
    object: Option<Uuid>,
    at: Timestamp,
) -> Option<Asking> {
    let actor = match object {
        Some(object) => actors.all.iter().find(|actor| actor.object == object)?,
        None => chance.one(&actors.all),
    };
    if !actor.facts.works_at(at) || actor.hired_at.is_some_and(|hired| hired > at) {
        return None;
    }
    let offers: Vec<&Offer> = actors
        .offers
        .iter()
        .filter(|offer| offer.suits(actor) && !script::keeps(actor.object, &offer.key))
        .collect();
    if offers.is_empty() {
        return None;
    }
    let offer = *chance.one(&offers);
    let mood = match chance.up_to(100) {
        0..=76 => Mood::Approve,
        77..=83 => Mood::Less,
        84..=91 => Mood::Deny,
        92..=95 => Mood::Silence,
        _ => Mood::Cancel,
    };
    let then = match chance.up_to(100) {
        0..=17 => Then::GiveBack,
        18..=32 => Then::Extend,
        _ => Then::Hold,
    };
    Some(Asking {
        user: actor.object,
        package: offer.key.clone(),
        window: window(chance, &offer.policy, at),
        reason: reason(chance, actor, &offer.key).to_owned(),
        mood,
        left: ALL,
        then,
    })
}

fn window(chance: &mut Chance, policy: &Policy, at: Timestamp) -> Window {
    let limits = &policy.limits;
    if limits.permanent && chance.in_hundred(35) {
        return Window {
            start: Start::OnActivation,
            length: Length::Permanent,
        };
    }
    let seconds = match chance.up_to(10) {
        0..=5 => limits.default_seconds,
        6..=7 => limits.default_seconds / 2,
        _ => limits.longest_seconds,
    };
    let start = if chance.in_hundred(8) {
        Start::At(at + Duration::days(1 + chance.up_to(5)))
    } else {
        Start::OnActivation
    };
    Window {
        start,
        length: Length::Seconds(seconds.max(3600)),
    }
}

/// What a decider says, and with which words.
pub(super) fn word(chance: &mut Chance, mood: Mood) -> (Verdict, &'static str) {
    if mood == Mood::Deny {
        let notes = [
            "Not needed for this task, I think. Come by and we look at it together.",
            "Please ask for the read-only package first.",
            "The project ended last week.",
            "Too long for what it is for; ask again for a few days.",
        ];
        return (Verdict::Deny, chance.one::<&str>(&notes));
    }
    let notes = [
        "",
        "",
        "",
        "Go ahead.",
        "Fine, keep it to your own team.",
        "As agreed this morning.",
    ];
    (Verdict::Approve, chance.one::<&str>(&notes))
}

/// Answers to a package's questions.
pub(super) fn answers(chance: &mut Chance, policy: &Policy) -> BTreeMap<String, String> {
    let ticket = policy.asking.ticket.as_ref().map(|_| {
        (
            Ticket::KEY.to_owned(),
            format!("CHG-{}", 2000 + chance.up_to(900)),
        )
    });
    policy
        .questions
        .iter()
        .map(|question| {
            let answer = match (question.kind, question.key.as_str()) {
                (QuestionKind::Choice, _) => chance.one(&question.choices).clone(),
                (QuestionKind::Text, "ticket") => format!("INC-{}", 4000 + chance.up_to(900)),
                (QuestionKind::Text, "case") => format!("CASE-{}", 200 + chance.up_to(300)),
                (QuestionKind::Text, "country") => {
                    (*chance.one(&["Norway", "Spain", "Japan", "Canada", "Kenya"])).to_owned()
                }
                (QuestionKind::Text, "rollback") => "The previous release is kept and can be put back.".to_owned(),
                (QuestionKind::Text, "deleted") => "At the end of the week, with the notebook.".to_owned(),
                (QuestionKind::Text, "change") => "A field on the account page, tried in the test tenant.".to_owned(),
                (QuestionKind::YesNo, _) => "no".to_owned(),
                (QuestionKind::Number, _) => {
                    let least = question.least.unwrap_or(1);
                    let span = question.most.unwrap_or(least + 9) - least;
                    (least + chance.up_to(span)).to_string()
                }
                // Optional in the sample company.
                (QuestionKind::Date | QuestionKind::Person, _) => String::new(),
                (QuestionKind::Text | QuestionKind::LongText, _) => "Compare last month's orders with what was invoiced; tables orders and invoices.".to_owned(),
            };
            (question.key.clone(), answer)
        })
        .chain(ticket)
        .collect()
}

/// Reasons as people write them, by the beginning of the package's key.
const REASONS: &[(&str, &[&str])] = &[
    (
        "production-database",
        &[
            "Incident 4288, payments are stuck in review",
            "Customer says the total is wrong, I need to see the rows",
            "Checking the migration of yesterday evening",
            "Orders from the app miss their discount",
        ],
    ),
    (
        "order-desk",
        &[
            "I cover for the care team this week",
            "Shipping dates of the autumn campaign",
            "Complaints about split deliveries",
        ],
    ),
    (
        "refund",
        &[
            "Refunds of the recalled lamps",
            "Covering for Claire during her leave",
        ],
    ),
    (
        "azure",
        &[
            "Cost of our staging clusters",
            "Planned change CHG-118, new node pool",
            "Finding out why the queue restarts",
            "Trying the new database tier",
        ],
    ),
    (
        "github",
        &[
            "New in the team",
            "Release 24.3 of the shop",
            "Yearly review of the repositories",
            "Helping the storefront team with the checkout",
        ],
    ),
    (
        "salesforce",
        &[
            "Forecast for the board meeting",
            "New region from next month",
            "Planning capacity from the pipeline",
        ],
    ),
    (
        "figma",
        &[
            "Prototype of the new checkout",
            "Comments on the icons",
            "Workshop with care on Thursday",
        ],
    ),
    (
        "sap",
        &[
            "Month-end closing",
            "New supplier for packaging",
            "Invoices of the logistics partner",
            "Questions of the external auditors",
        ],
    ),
    (
        "payroll",
        &[
            "October payroll for the bank",
            "Reconciling pay with the ledger",
        ],
    ),
    (
        "salary",
        &["Offer for a new colleague", "Preparing the talks of spring"],
    ),
    (
        "personnel",
        &["Case of a colleague, spoken about with Rosa"],
    ),
    ("organisation", &["Planning the team for next year"]),
    (
        "jira",
        &[
            "New board for the orders team",
            "I take over the service desk on Mondays",
            "Following what the platform team does",
        ],
    ),
    (
        "warehouse",
        &["Late deliveries from Malmö", "Stock for the campaign"],
    ),
    (
        "stock",
        &[
            "Counting after the stock-taking in Warsaw",
            "Two pallets were booked twice",
        ],
    ),
    (
        "analytics",
        &["Weekly report on returns", "How customers find the outlet"],
    ),
    (
        "customer-data",
        &["Model for returns needs the raw addresses"],
    ),
    ("model", &["Training the delivery forecast"]),
    (
        "dashboard",
        &["A dashboard on response times for everybody"],
    ),
    (
        "vpn",
        &[
            "Visiting a supplier next week",
            "Working from my family's place for two weeks",
            "Remote access for the integration project",
        ],
    ),
    (
        "server-room",
        &[
            "Changing a disk in rack 4",
            "Moving cables with the electrician",
        ],
    ),
    (
        "incident",
        &["On duty this week", "Alarm on two laptops in Lisbon"],
    ),
    (
        "security-logs",
        &[
            "Investigation of odd sign-ins from a hotel",
            "Follow-up of the phishing mails",
        ],
    ),
    ("weakness", &["Working through the list for our services"]),
];

fn reason(chance: &mut Chance, actor: &Actor, key: &str) -> &'static str {
    let found = REASONS
        .iter()
        .find(|(start, _)| key.starts_with(start))
        .map(|(_, reasons)| *reasons);
    match found {
        Some(reasons) => chance.one::<&str>(reasons),
        None if actor.facts.is_employee() => "Needed for my work this week",
        None => "Agreed with my sponsor for the project",
    }
}
