//! What every page of an employee keeps: one heading, hostile text stays text, no inline style, each state said in words.

use domain::{
    grant::{End, Health},
    policy::ApproverRule,
};
use leptos::prelude::*;
use workflow::views::{
    Capped, StandingWord,
    access::Access,
    catalog::Catalog,
    home::Home,
    request_form::{Extended, Notice},
    requests::Requests,
    search::{Found, FoundPerson},
};

use super::{sample::*, *};
use crate::render::{html, plain};

/// One `h1`, headings that skip no level, every field labelled, ids once.
fn well_made(out: &str) {
    assert_eq!(out.matches("<h1").count(), 1, "{out}");
    let mut last = 0;
    let mut rest = out;
    while let Some(at) = rest.find("<h") {
        rest = &rest[at + 2..];
        if let Some(level) = rest.chars().next().and_then(|c| c.to_digit(10)) {
            assert!(level <= last + 1, "h{level} after h{last} in {out}");
            last = level;
        }
    }
    let mut ids: Vec<&str> = out
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice in {out}");
}

pub(super) fn checked(view: impl FnOnce() -> AnyView) -> String {
    let out = html(view);
    assert!(is_inert(&out), "{out}");
    well_made(&out);
    out
}

fn home_with(text: &str) -> Home {
    Home {
        now: now(),
        given_name: text.into(),
        decisions: vec![],
        decisions_count: Capped {
            count: 3,
            more: false,
        },
        answers: vec![asked_back(text)],
        requests: vec![item(text, StandingWord::Waiting)],
        requests_count: Capped {
            count: 1,
            more: false,
        },
        ending: vec![grant(text, Health::Ready)],
        ends_soon: 1,
        held: 5,
        exceptions: 1,
        reviews: Capped {
            count: 12,
            more: false,
        },
        asked: 0,
        findings: 2,
        restored: true,
    }
}

#[test]
fn home_says_what_waits_and_what_ends() {
    let out = checked(|| home::page(home_with("Maya")).into_any());
    let read = plain(&out);
    for part in [
        "Hello, Maya",
        "The database was restored: nothing is given until the targets were compared.",
        "3 decisions wait for you.",
        "1 question waits for your answer.",
        "Answers wait for you",
        "Maya ends in 6 h",
        "Maya, Tomas Ek or 1 other can decide",
        "6 h left",
        "All your access, 4 more",
    ] {
        assert!(read.contains(part), "{part} is missing in {read}");
    }
    // What is not there yet has a place to come to.
    assert!(out.contains("data-live=\"decisions\""), "{out}");
    assert!(out.contains("data-live=\"lead\""), "{out}");
    let many = Home {
        ends_soon: 3,
        ..home_with("Maya")
    };
    let read = plain(&html(|| home::page(many)));
    assert!(
        read.contains("Maya and 2 more end within seven days."),
        "{read}"
    );
    checked(|| home::page(home_with(HOSTILE)).into_any());
}

#[test]
fn an_empty_home_teaches() {
    let empty = Home {
        answers: vec![],
        requests: vec![],
        ending: vec![],
        held: 0,
        exceptions: 0,
        reviews: Capped::default(),
        asked: 0,
        findings: 0,
        restored: false,
        ends_soon: 0,
        decisions_count: Capped::default(),
        requests_count: Capped::default(),
        ..home_with("Maya")
    };
    let out = checked(|| home::page(empty).into_any());
    assert!(
        out.contains("Nothing waits for you.")
            && out.contains("Look in the catalogue")
            && out.contains("You hold nothing yet"),
        "{out}"
    );
}

fn catalog_with(cards: Vec<workflow::views::catalog::Card>) -> Catalog {
    Catalog {
        now: now(),
        applications: vec![],
        offered: Capped {
            count: 40,
            more: false,
        },
        recent: vec![],
        usual: vec![],
        like_you: vec![],
        cards,
        next: None,
        pasted: false,
    }
}

#[test]
fn cards_say_whether_one_may_ask() {
    let cards = vec![
        card("Open"),
        workflow::views::catalog::Card {
            held: Some(held_card()),
            ..card("Held")
        },
        workflow::views::catalog::Card {
            waiting: Some(id(40)),
            ..card("Asked")
        },
        workflow::views::catalog::Card {
            unmet: vec!["only for Finance".into()],
            ..card("Barred")
        },
    ];
    let out =
        checked(|| catalog::page(&catalog_with(cards), &catalog::Asked::default()).into_any());
    for part in [
        "Ask for Open",
        "you have it",
        "you asked",
        "Why not me? Barred",
        "up to 24 hours",
        "ready in 25 min",
        "data-live=\"results\"",
        "data-said=\"4 packages\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    checked(|| {
        catalog::page(
            &Catalog {
                recent: vec![card(HOSTILE)],
                like_you: vec![card(HOSTILE)],
                ..catalog_with(vec![card(HOSTILE)])
            },
            &catalog::Asked::default(),
        )
        .into_any()
    });
}

#[test]
fn a_package_says_who_decides_and_why_not() {
    let mut page = package_page("Orders");
    let out = checked(|| package::page(&page).into_any());
    for part in [
        "Ask for this",
        "1. Manager",
        "2. Security",
        "Orders or Tomas Ek",
        "24 hours",
        "Who may have it",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    page.eligibility[0].met = false;
    page.may_ask = false;
    let out = checked(|| package::page(&page).into_any());
    assert!(
        out.contains("Why not me?")
            && out.contains("You do not meet this")
            && !out.contains("Ask for this"),
        "{out}"
    );
    let mut hostile = package_page(HOSTILE);
    hostile.mine = Some(grant(HOSTILE, Health::Ready));
    hostile.denied = Some(vote(HOSTILE, domain::approval::Verdict::Deny));
    hostile.contents[0].unmanageable = Some(HOSTILE.into());
    checked(|| package::page(&hostile).into_any());
}

#[test]
fn nobody_has_to_decide_what_the_policy_gives() {
    let page = workflow::views::package::PackagePage {
        stages: vec![],
        ..package_page("Orders")
    };
    let out = html(|| package::page(&page));
    assert!(out.contains("you get it at once"), "{out}");
    let stuck = workflow::views::StagePreview {
        seats: vec![],
        stuck: true,
        ..preview("x", ApproverRule::Security)
    };
    let members = workflow::views::StagePreview {
        group: Some("Treasury Approvers".into()),
        ..preview("x", ApproverRule::Group)
    };
    let out = html(move || parts::deciders(&[members]));
    assert!(out.contains("Member of Treasury Approvers"), "{out}");
    let out = html(move || parts::deciders(&[stuck]));
    assert!(out.contains("Nobody can decide this right now"), "{out}");
}

#[test]
fn the_form_keeps_what_was_typed_and_says_faults_beside_fields() {
    let form = form("Orders");
    let out = checked(|| ask::untouched_page(&form));
    for part in [
        "name=\"key\" value=\"the-key\"",
        "Why do you need it?",
        "Send the request",
        "name=\"answer-ticket\"",
        "name=\"duration\" value=\"28800\" checked",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    let fields = [
        ("reason", "no"),
        ("duration", "other"),
        ("duration_number", "many"),
        ("duration_unit", "3600"),
        ("answer-ticket", "INC-<1>"),
        ("key", "kept"),
    ];
    let refusals = [
        domain::Refusal::ReasonTooShort { least: 5 },
        domain::Refusal::Answer {
            question: "region".into(),
            why: "an answer is needed".into(),
        },
        domain::Refusal::AlreadyHeld,
    ];
    let out = checked(|| ask::refused_page(&form, &fields, &refusals));
    for part in [
        "at least 5 characters",
        "An answer is needed.",
        "You hold this already",
        "Say how many, as a number.",
        "INC-&lt;1",
        "no</textarea>",
        "value=\"kept\"",
        "value=\"many\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    let mut hostile = sample::form(HOSTILE);
    hostile.notices = notices(HOSTILE);
    checked(|| ask::untouched_page(&hostile));
}

#[test]
fn a_form_that_cannot_succeed_says_why_instead() {
    for notice in [
        Notice::NotEligible {
            because: vec!["only for Finance".into()],
        },
        Notice::NotManageable {
            entitlement: HOSTILE.into(),
            why: HOSTILE.into(),
        },
        Notice::Permanent,
    ] {
        let form = workflow::views::request_form::RequestForm {
            notices: vec![notice],
            ..form("Orders")
        };
        let out = checked(|| ask::untouched_page(&form));
        assert!(!out.contains("Send the request"), "{out}");
    }
}

#[test]
fn faults_are_listed_above_the_form_with_ways_to_them() {
    let form = form("Orders");
    let fields = [
        ("duration", "28800"),
        ("duration_number", "3"),
        ("reason", "no"),
    ];
    let refusals = [domain::Refusal::ReasonTooShort { least: 5 }];
    let out = checked(|| ask::refused_page(&form, &fields, &refusals));
    for part in [
        "Fix 2 things, then send it again.",
        "href=\"#duration\"",
        "id=\"duration\"",
        "href=\"#reason\"",
        "role=\"alert\" tabindex=\"-1\" autofocus",
        "role=\"radiogroup\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    assert_eq!(out.matches("aria-invalid=\"true\"").count(), 2, "{out}");
    let later = [
        ("duration", "28800"),
        ("start", "now"),
        ("start_at", "2026-12-01T08:30"),
        ("reason", "A good reason"),
    ];
    let out = checked(|| ask::refused_page(&form, &later, &[]));
    assert!(
        out.contains("href=\"#start_at\"") && out.contains("value=\"2026-12-01T08:30\""),
        "{out}"
    );
}

#[test]
fn what_was_typed_is_there_though_the_form_has_closed() {
    let form = workflow::views::request_form::RequestForm {
        notices: vec![Notice::Permanent],
        ..form("Orders")
    };
    let fields = [("reason", "Written with care"), ("answer-ticket", "INC-9")];
    let out = checked(|| ask::refused_page(&form, &fields, &[]));
    assert!(
        out.contains("Written with care") && out.contains("INC-9"),
        "{out}"
    );
}

#[test]
fn more_time_is_added_to_the_current_end() {
    let end = now() + chrono::Duration::hours(3);
    let extends = Some(Extended {
        grant: id(30),
        from: ago(60),
        end: End::At(end),
        held_seconds: 14_400,
    });
    let form = workflow::views::request_form::RequestForm {
        extends,
        ..form("Orders")
    };
    let out = checked(|| ask::untouched_page(&form));
    assert!(
        out.contains("How much longer?")
            && out.contains("/extend")
            && !out.contains("answer-ticket"),
        "{out}"
    );
    let read = plain(&out);
    assert!(
        read.contains("Added to its current end, today at 13:02 UTC"),
        "{read}"
    );
    let from = format!("data-from=\"{}\"", end.timestamp_millis());
    assert!(out.contains(&from), "{from} is missing in {out}");
    // Not now leads back to where one came from.
    assert!(out.contains("href=\"/access\""), "{out}");
}

#[test]
fn requests_are_listed_with_who_decides() {
    let list = |items| Requests {
        now: now(),
        items,
        next: None,
    };
    let out = checked(|| {
        requests::page(
            &list(vec![item("Orders", StandingWord::Waiting)]),
            false,
            false,
        )
        .into_any()
    });
    let read = plain(&out);
    assert!(
        read.contains("waiting 12 min") && read.contains("AR-1042"),
        "{read}"
    );
    for word in StandingWord::ALL {
        checked(|| requests::page(&list(vec![item(HOSTILE, *word)]), true, true).into_any());
    }
    let denied = list(vec![item("Elin", StandingWord::Denied)]);
    let read = plain(&html(|| requests::page(&denied, false, false)));
    assert!(read.contains("Denied by Elin 12 min ago"), "{read}");
    let out = checked(|| requests::page(&list(vec![]), false, false).into_any());
    assert!(out.contains("You have not asked for anything yet"), "{out}");
}

#[test]
fn every_step_of_a_request_has_words() {
    for word in StandingWord::ALL {
        checked(|| request::page(&request(HOSTILE, *word)).into_any());
    }
    let out = checked(|| request::page(&sample::request("Orders", StandingWord::Ready)).into_any());
    for part in [
        "It is ready",
        "It does not work yet?",
        "You asked",
        "Take the request back",
        "data-version=\"7-ready\"",
        "data-said=\"Orders: ready\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    assert!(!out.contains("0123·cdef"), "the hash is for paper: {out}");
}

#[test]
fn what_waits_for_an_exception_says_from_whom_and_until_when() {
    let found = sample::request("Orders", StandingWord::WaitsForException);
    let out = checked(|| request::page(&found).into_any());
    let read = plain(&out);
    for part in [
        "waits for an exception",
        "With Orders it breaks the rule “Orders”.",
        "No exception is proposed yet; Orders or security can propose one.",
        "EX-9 waits for Orders, who accepts it for the business.",
        "without that the request lapses",
        "Take the request back",
    ] {
        assert!(read.contains(part), "{part} is missing in {read}");
    }
    assert!(out.contains("/exceptions/new/"), "{out}");
    assert!(read.contains("See EX-9"), "{read}");
}

#[test]
fn the_timeline_says_how_long_and_what_comes() {
    use workflow::views::{
        Mark,
        request::{Step, What},
    };
    let mut found = sample::request("Orders", StandingWord::Waiting);
    let waiting = workflow::views::request::StageView {
        votes: vec![],
        ..stage("Elin", domain::approval::StageState::Open)
    };
    let ahead = |what| Step {
        mark: Mark::Ahead,
        at: None,
        what,
    };
    found.lines[0].steps = vec![
        Step {
            mark: Mark::Done,
            at: Some(ago(12)),
            what: What::Checked {
                eligible: vec!["only for engineering and security.".into()],
                department: String::new(),
                employee_type: String::new(),
                stages: vec![],
            },
        },
        Step {
            mark: Mark::Now,
            at: Some(ago(12)),
            what: What::Stage(waiting),
        },
        ahead(What::SetUp {
            confirmed: 0,
            of: 1,
            attention: false,
        }),
        ahead(What::Ends {
            reason: None,
            by: None,
            note: None,
        }),
        ahead(What::Gone {
            health: Health::Gone,
        }),
    ];
    let read = plain(&html(|| request::page(&found)));
    for part in [
        "You meet the conditions: only for engineering and security.",
        "for 12 min",
        "1 right, usually within 15 minutes.",
        "Ends by itself 8 hours later",
        "Removed, and confirmed by Orders",
    ] {
        assert!(read.contains(part), "{part} is missing in {read}");
    }
}

#[test]
fn an_application_is_opened_only_at_a_web_address() {
    let mut one = sample::request("Orders", StandingWord::Ready);
    assert!(!html(|| request::page(&one)).contains("Open Orders"));
    one.lines[0].package.app.url = "javascript:alert(1)".into();
    assert!(!html(|| request::page(&one)).contains("javascript:"));
    one.lines[0].package.app.url = "https://orders.example".into();
    assert!(html(|| request::page(&one)).contains("href=\"https://orders.example\""));
}

#[test]
fn the_evidence_sheet_is_whole() {
    let out = checked(|| request::evidence_page(&evidence("Orders")));
    for part in [
        "Evidence of request AR-1042",
        "Access asked for",
        "add",
        "done (204)",
        &"cd".repeat(32),
        "Votes",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    checked(|| request::evidence_page(&evidence(HOSTILE)));
}

fn access_with(text: &str) -> Access {
    Access {
        now: now(),
        held: Health::ALL
            .iter()
            .enumerate()
            .map(|(n, health)| workflow::views::HeldGrant {
                id: id(100 + n as u128),
                ..grant(text, *health)
            })
            .collect(),
        found: vec![workflow::views::HeldGrant {
            package: None,
            why: None,
            end: End::Permanent,
            ..grant(text, Health::Ready)
        }],
        ended: vec![ended(text)],
        last_day_at: Some(now() + chrono::Duration::days(3)),
    }
}

#[test]
fn my_access_says_why_until_when_and_how_it_ended() {
    let out = checked(|| access::page(&access_with("Orders")).into_any());
    for part in [
        "Give it back now: Orders",
        "Why do I have this?",
        "AR-1042",
        "not asked for here",
        "Confirmed gone",
        "given back",
        "Ask again for Orders",
        "Your last working day",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    checked(|| access::page(&access_with(HOSTILE)).into_any());
    let empty = Access {
        held: vec![],
        found: vec![],
        ended: vec![],
        last_day_at: None,
        ..access_with("x")
    };
    let out = checked(|| access::page(&empty).into_any());
    assert!(out.contains("You hold nothing yet"), "{out}");
}

#[test]
fn search_shows_what_it_found_or_how_to_look() {
    let found = |text: &str| Found {
        now: now(),
        text: text.into(),
        packages: vec![card(text)],
        people: vec![FoundPerson {
            person: person(4, text),
            job_title: text.into(),
            department: text.into(),
        }],
        requests: vec![item(text, StandingWord::Waiting)],
        exactly: None,
    };
    let out = checked(|| search::page(&found("Orders")).into_any());
    assert!(
        out.contains("/people/per_") && out.contains("/requests/req_"),
        "{out}"
    );
    checked(|| search::page(&found(HOSTILE)).into_any());
    let nothing = Found {
        packages: vec![],
        people: vec![],
        requests: vec![],
        ..found("")
    };
    assert!(checked(|| search::page(&nothing).into_any()).contains("What are you looking for?"));
}

#[test]
fn the_trial_has_its_switches() {
    let faults = vec![crate::state::FaultState {
        key: HOSTILE.into(),
        label: HOSTILE.into(),
        explain: HOSTILE.into(),
        on: true,
    }];
    let out = checked(|| trial::page(now(), faults).into_any());
    assert!(
        out.contains("Skip 8 hours")
            && out.contains("Skip to the next deadline")
            && out.contains("Switch off"),
        "{out}"
    );
}
