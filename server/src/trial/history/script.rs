//! What is certain to happen: the traces that a newcomer looks for, and the work that waits for each persona today.

use chrono::Duration;
use domain::{
    Timestamp,
    request::{Length, Start, Window},
};
use sandbox::company;
use uuid::Uuid;

use super::{
    Act, Asking, Then, duties,
    editions::Edition,
    everyday::{ALL, Mood},
    holding, reviews,
    talk::{About, Talk},
};

/// Who leaves in the year, and how many days before today.
pub(super) const LEAVERS: &[(&str, i64)] = &[
    ("magnus.fors", 200),
    ("julia.neumann", 120),
    ("erik.sandberg", 40),
];

/// How long something is asked for.
#[derive(Clone, Copy)]
enum For {
    Hours(i64),
    Days(i64),
    /// Until so many minutes after today.
    Until(i64),
    Ever,
    /// From so many days after today on, for so many days.
    From(i64, i64),
}

/// One line of the script.
struct Entry {
    /// Minutes before today.
    ago: i64,
    user: &'static str,
    package: &'static str,
    length: For,
    reason: &'static str,
    mood: Mood,
    /// Decisions that are taken.
    left: u32,
    then: Then,
}

/// Somebody who stands in for somebody else: from so many days ahead on, for so many days.
#[derive(Clone, Copy, Debug)]
pub(super) struct StandIn {
    pub of: &'static str,
    pub who: &'static str,
    pub ahead: i64,
    pub days: i64,
}

/// One is away now, one will be.
const STAND_INS: [StandIn; 2] = [
    StandIn {
        of: "gunilla.akesson",
        who: "beatrix.kruger",
        ahead: 0,
        days: 6,
    },
    StandIn {
        of: "karin.holm",
        who: "astrid.lindqvist",
        ahead: 4,
        days: 14,
    },
];

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

const fn entry(
    ago: i64,
    user: &'static str,
    package: &'static str,
    length: For,
    reason: &'static str,
    left: u32,
) -> Entry {
    Entry {
        ago,
        user,
        package,
        length,
        reason,
        mood: Mood::Approve,
        left,
        then: Then::Hold,
    }
}

const SCRIPT: &[Entry] = &[
    // Both sides of a rule, held before it was said: that stands. And both sides of another, with an exception.
    entry(
        60 * DAY,
        "emil.ostberg",
        "order-desk-change",
        For::Days(150),
        "Customers call about wrong addresses",
        ALL,
    ),
    entry(
        50 * DAY,
        "emil.ostberg",
        "refund-approval",
        For::Days(80),
        "Standing in for the team lead",
        ALL,
    ),
    entry(
        16 * DAY,
        "maximiliane.hohenstein",
        "sap-payment-run-prepare",
        For::Days(90),
        "Payments of the group companies",
        ALL,
    ),
    entry(
        15 * DAY,
        "maximiliane.hohenstein",
        "sap-vendor-master-change",
        For::Days(28),
        "Covers the supplier desk",
        ALL,
    ),
    // Held outside the portal before anybody asked: found at the target, kept as imports.
    entry(
        300 * DAY,
        "johan.nyberg",
        "jira-read-all",
        For::Days(365),
        "Following what the other teams do",
        ALL,
    ),
    entry(
        250 * DAY,
        "viktor.nystrom",
        "production-database-read",
        For::Hours(8),
        "Incident 3871, stuck orders",
        ALL,
    ),
    entry(
        240 * DAY,
        "gunilla.akesson",
        "sap-ledger-read",
        For::Days(300),
        "Closing the books",
        ALL,
    ),
    entry(
        230 * DAY,
        "yael.cohen",
        "github-developer",
        For::Ever,
        "My team's repositories",
        ALL,
    ),
    entry(
        220 * DAY,
        "erik.sandberg",
        "github-developer",
        For::Ever,
        "My team's repositories",
        ALL,
    ),
    entry(
        90 * DAY,
        "erik.sandberg",
        "analytics-explore",
        For::Days(180),
        "Returns by region",
        ALL,
    ),
    entry(
        210 * DAY,
        "julia.neumann",
        "salesforce-seat",
        For::Ever,
        "Campaign lists",
        ALL,
    ),
    // What the personas hold.
    entry(
        200 * DAY,
        "johan.nyberg",
        "github-developer",
        For::Ever,
        "My team's repositories",
        ALL,
    ),
    entry(
        150 * DAY,
        "johan.nyberg",
        "figma-viewer",
        For::Ever,
        "Looking at the designs I build",
        ALL,
    ),
    entry(
        130 * DAY,
        "astrid.lindqvist",
        "github-developer",
        For::Ever,
        "Reviews for my team",
        ALL,
    ),
    Entry {
        then: Then::ExtendWaiting {
            minutes: 25 * DAY + 20 * HOUR,
        },
        ..entry(
            27 * DAY,
            "johan.nyberg",
            "azure-production-read",
            For::Days(30),
            "Finding out why the queue restarts",
            ALL,
        )
    },
    entry(
        13 * DAY + 2 * HOUR,
        "johan.nyberg",
        "vpn-abroad",
        For::Days(14),
        "Two weeks at my family's place",
        ALL,
    ),
    entry(
        19 * DAY,
        "astrid.lindqvist",
        "jira-project-admin",
        For::Days(30),
        "New board for the team",
        ALL,
    ),
    entry(
        3 * DAY,
        "astrid.lindqvist",
        "warehouse-dashboards",
        For::Until(6 * HOUR + 12),
        "Stock for the campaign",
        ALL,
    ),
    entry(
        40 * DAY,
        "maya.rao",
        "order-desk-look-up",
        For::Days(90),
        "How customers see their orders",
        ALL,
    ),
    entry(
        15 * DAY,
        "olle.strom",
        "azure-production-read",
        For::Days(30),
        "Capacity of the data platform",
        ALL,
    ),
    entry(
        30 * DAY,
        "olle.strom",
        "github-developer",
        For::Ever,
        "My team's repositories",
        ALL,
    ),
    entry(
        35 * DAY,
        "liam.oconnor",
        "jira-read-all",
        For::Days(365),
        "Tickets of the integration project",
        ALL,
    ),
    entry(
        33 * DAY,
        "liam.oconnor",
        "github-developer",
        For::Days(180),
        "Building the supplier interface",
        ALL,
    ),
    entry(
        2 * DAY,
        "elin.berg",
        "security-logs-read",
        For::Days(7),
        "Investigation of odd sign-ins from a hotel",
        ALL,
    ),
    entry(
        60 * DAY,
        "tomas.ek",
        "github-developer",
        For::Days(180),
        "Scanning for secrets",
        ALL,
    ),
    entry(
        50 * DAY,
        "piotr.zielinski",
        "azure-production-read",
        For::Days(90),
        "Watching the directory connection",
        ALL,
    ),
    entry(
        45 * DAY,
        "helena.virtanen",
        "sap-ledger-read",
        For::Days(90),
        "Audit of supplier payments",
        ALL,
    ),
    entry(
        70 * DAY,
        "nils.aberg",
        "azure-cost-reports",
        For::Ever,
        "Cost of the identity services",
        ALL,
    ),
    entry(
        70 * DAY,
        "freja.madsen",
        "jira-read-all",
        For::Days(365),
        "Wishes for the catalogue",
        ALL,
    ),
    // What ended in the last weeks.
    Entry {
        mood: Mood::Deny,
        ..entry(
            6 * DAY,
            "johan.nyberg",
            "salesforce-forecast-viewer",
            For::Days(90),
            "Curious about the forecast",
            ALL,
        )
    },
    Entry {
        mood: Mood::Silence,
        ..entry(
            16 * DAY,
            "maya.rao",
            "analytics-explore",
            For::Days(180),
            "How people use the checkout",
            ALL,
        )
    },
    Entry {
        then: Then::GiveBack,
        ..entry(
            60 * DAY,
            "johan.nyberg",
            "production-database-read",
            For::Hours(8),
            "Orders from the app miss their discount",
            ALL,
        )
    },
    entry(
        25 * DAY,
        "johan.nyberg",
        "production-database-read",
        For::Hours(4),
        "Checking the migration of yesterday evening",
        ALL,
    ),
    // Begins in some days.
    entry(
        28 * HOUR,
        "sara.blom",
        "vpn-abroad",
        For::From(5, 10),
        "Conference in Oslo",
        ALL,
    ),
    // Waiting today: for the manager …
    entry(
        12,
        "johan.nyberg",
        "production-database-read",
        For::Hours(8),
        "Incident 4312, order totals are wrong since 06:40. I need to compare ledger rows.",
        0,
    ),
    entry(
        3 * HOUR,
        "maya.rao",
        "figma-editor",
        For::Days(120),
        "Prototype of the new checkout",
        0,
    ),
    entry(
        26 * HOUR,
        "viktor.nystrom",
        "github-release-manager",
        For::Days(7),
        "Release 24.4 of the shop",
        0,
    ),
    // … for the owner …
    // Done by hand: it waits for whoever owns the right.
    entry(
        8 * HOUR,
        "arjun.krishnamurthy",
        "server-room",
        For::Days(30),
        "A disk of the order database has to be changed",
        ALL,
    ),
    entry(
        DAY,
        "arjun.krishnamurthy",
        "customer-data-raw",
        For::Days(7),
        "Model for returns needs the raw addresses",
        0,
    ),
    entry(
        5 * HOUR,
        "sara.blom",
        "dashboard-publisher",
        For::Days(90),
        "A dashboard on flaky tests for everybody",
        1,
    ),
    entry(
        6 * HOUR,
        "maya.rao",
        "model-training",
        For::Days(30),
        "Sorting customer photos of damaged parcels",
        0,
    ),
    // … for security …
    entry(
        4 * HOUR,
        "astrid.lindqvist",
        "salesforce-forecast-viewer",
        For::Days(90),
        "Planning capacity from the pipeline",
        1,
    ),
    entry(
        7 * HOUR,
        "liam.oconnor",
        "vpn-partner",
        For::Days(30),
        "Remote access for the integration project",
        1,
    ),
    entry(
        2 * HOUR,
        "nils.aberg",
        "azure-production-change",
        For::Hours(4),
        "Planned change CHG-131, new sign-in settings",
        1,
    ),
    entry(
        35,
        "piotr.zielinski",
        "incident-responder",
        For::Hours(8),
        "On duty tonight",
        0,
    ),
    // … and for the operator.
    entry(
        2 * HOUR + 10,
        "ye-jin.park",
        "azure-playground",
        For::Days(30),
        "Trying the new database tier",
        ALL_SOON,
    ),
    entry(
        HOUR,
        "astrid.lindqvist",
        "azure-cost-reports",
        For::Days(365),
        "Cost of our staging clusters",
        ALL,
    ),
];

/// What is said about what waits, so many minutes before today: whose ask, for which package.
const TALK: &[(i64, &str, &str, Talk)] = &[
    (
        22 * HOUR,
        "viktor.nystrom",
        "github-release-manager",
        Talk::Ask(
            "Which repositories does the release touch, and who stands in for you on Friday?",
        ),
    ),
    (
        2 * HOUR,
        "maya.rao",
        "figma-editor",
        Talk::Ask("Is this for the whole team, or only for the checkout?"),
    ),
    (
        HOUR,
        "maya.rao",
        "figma-editor",
        Talk::Answer("Only for the checkout. The icons are in a file of their own."),
    ),
    (
        5 * HOUR - 5,
        "sara.blom",
        "dashboard-publisher",
        Talk::HandOn("viktor.nystrom", "Viktor runs the dashboards of our team."),
    ),
];

/// All decisions, a few minutes after one another.
const ALL_SOON: u32 = 9;

/// The group behind `azure-playground`.
const BROKEN: &str = "sg-azure-playground";

/// Everything that is certain, with how long before today it happens.
pub(super) fn acts(until: Timestamp) -> Vec<(Duration, Act)> {
    let mut acts: Vec<(Duration, Act)> = SCRIPT
        .iter()
        .map(|entry| {
            let start = |days| until + Duration::days(days);
            let window = match entry.length {
                For::Hours(hours) => (Start::OnActivation, Length::Seconds(hours * 3600)),
                For::Days(days) => (Start::OnActivation, Length::Seconds(days * 86_400)),
                For::Until(minutes) => (
                    Start::OnActivation,
                    Length::Until(until + Duration::minutes(minutes)),
                ),
                For::Ever => (Start::OnActivation, Length::Permanent),
                For::From(from, days) => (Start::At(start(from)), Length::Seconds(days * 86_400)),
            };
            let asking = Asking {
                user: company::user(entry.user),
                package: entry.package.to_owned(),
                window: Window {
                    start: window.0,
                    length: window.1,
                },
                reason: entry.reason.to_owned(),
                mood: entry.mood,
                left: entry.left,
                then: entry.then,
            };
            (Duration::minutes(entry.ago), Act::Ask(asking))
        })
        .collect();
    acts.extend(LEAVERS.iter().map(|(name, days)| {
        (
            Duration::days(*days) - Duration::hours(17),
            Act::Leave(name),
        )
    }));
    for (ago, user, package, what) in TALK {
        let about = About { user, package };
        acts.push((Duration::minutes(*ago), Act::Talk(about, *what)));
    }
    acts.extend(STAND_INS.map(|wanted| (Duration::minutes(50), Act::StandIn(wanted))));
    acts.push((Duration::days(260), Act::Edition(Edition::Narrow)));
    acts.push((Duration::days(140), Act::Edition(Edition::WidenAgain)));
    acts.push((Duration::days(25), Act::Edition(Edition::Rules)));
    acts.extend(
        duties::TOLERATED
            .iter()
            .map(|(before, tolerated)| (*before, Act::Tolerate(tolerated))),
    );
    acts.extend(
        reviews::REVIEWED
            .iter()
            .map(|(before, reviewed)| (*before, Act::Review(reviewed))),
    );
    acts.extend(
        holding::HANDLED
            .iter()
            .map(|(before, handled)| (*before, Act::Handle(handled))),
    );
    acts.push((Duration::hours(3), Act::Edition(Edition::Waiting)));
    // The group was turned over to the on-premises directory without telling anybody, so Graph refuses to change it.
    acts.push((Duration::minutes(2 * HOUR + 5), Act::TurnOver(BROKEN)));
    acts
}

/// Whether the script needs this person's way to a package free, or everybody's.
pub(super) fn keeps(object: Uuid, package: &str) -> bool {
    matches!(package, "azure-playground" | "latchkey-duty")
        || SCRIPT
            .iter()
            .any(|entry| entry.package == package && company::user(entry.user) == object)
}
