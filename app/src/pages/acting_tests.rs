//! The pages on which access is taken away, held back, given back, renewed and explained; and the kill switch.

use domain::{
    GrantId,
    grant::{End, GrantSource, Health, SuspendCause},
};
use workflow::views::{
    HeldBack, Marks,
    change::{Act, Change},
    effect::{Effect, RightEffect, WayTag},
    kill_switch::{Reach, Stopped, Switch},
    renewals::{Renewal, Renewals},
    why::{RightWhy, Way, WhyPage},
};

use super::{
    approvals::tests::{HOSTILE, now, person},
    sample::{grant, id, right},
    tests::checked,
    *,
};

fn effect(n: u128, text: &str, stays: bool) -> Effect {
    let remains = stays.then(|| WayTag {
        grant: id(77),
        package: Some(text.into()),
        source: GrantSource::Request,
        end: End::Permanent,
    });
    Effect {
        grant: workflow::views::HeldGrant {
            id: id(n),
            ..grant(text, Health::Ready)
        },
        person: person(4, text),
        rights: vec![RightEffect {
            right: right(text),
            remains: remains.into_iter().collect(),
        }],
    }
}

fn change_of(act: Act, text: &str, several: bool) -> Change {
    let mut effects = vec![effect(100, text, false)];
    if several {
        effects.push(effect(101, text, true));
    }
    Change {
        now: now(),
        act,
        effects,
        left: 1,
    }
}

fn typed(act: Act, grants: &[GrantId], pick: bool) -> change::Typed {
    let mut pairs = vec![
        ("act".to_owned(), act.as_str().to_owned()),
        ("pick".to_owned(), if pick { "some" } else { "" }.to_owned()),
        ("from".to_owned(), person(4, "x").id.to_string()),
    ];
    pairs.extend(
        grants
            .iter()
            .map(|grant| ("grant".to_owned(), grant.to_string())),
    );
    change::Typed::of(&pairs, false).expect("something is chosen")
}

#[test]
fn before_access_is_taken_away_one_sees_what_goes_and_what_stays() {
    let ids: Vec<GrantId> = vec![id(100), id(101)];
    let page = |act, text: &'static str, pick| {
        let (change, typed) = (change_of(act, text, true), typed(act, &ids, pick));
        checked(move || change::page(&change, &typed, None, vec![]))
    };
    let out = page(Act::TakeAway, "Orders", false);
    for part in [
        "Take access away",
        "Take away what is ticked",
        "stays, held also through Orders (no end)",
        "Why is it taken away?",
        "/people/per_",
        "name=\"of\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    assert_eq!(out.matches("checked").count(), 2, "{out}");
    // Where one picks, nothing is ticked before.
    assert!(!page(Act::HoldBack, "Orders", true).contains("checked"));
    for act in Act::ALL {
        page(*act, HOSTILE, false);
    }
    // One alone needs no tick.
    let (one, mine) = (
        change_of(Act::TakeAway, "Orders", false),
        typed(Act::TakeAway, &ids[..1], false),
    );
    let why = Some("Say in a few words why.".to_owned());
    let out = checked(move || change::page(&one, &mine, why, vec![]));
    assert!(!out.contains("type=\"checkbox\"") && out.contains("reason-error"));
}

#[test]
fn an_address_leads_to_what_it_names_and_back_to_ours_only() {
    let ids: Vec<GrantId> = vec![id(100)];
    let address = change::address(Act::TakeAway, &ids, "", true);
    assert!(address.starts_with("/access/change?act=take_away&pick=some&grant=gra_"));
    for pairs in [vec![], vec![("act", "take_away")], vec![("grant", "gra_x")]] {
        let pairs: Vec<(String, String)> = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(change::Typed::of(&pairs, false), None);
    }
    let (change, mut evil) = (
        change_of(Act::TakeAway, "Orders", false),
        typed(Act::TakeAway, &ids, false),
    );
    evil.set_from("https://evil.example");
    let out = checked(move || change::page(&change, &evil, None, vec![]));
    assert!(out.contains("href=\"/team\""), "{out}");
}

#[test]
fn all_of_it_is_given_back_after_one_question() {
    for text in ["Orders", HOSTILE] {
        let change = change_of(Act::TakeAway, text, true);
        let out = checked(move || returning::page(&change, vec![]));
        assert!(out.contains("1 right in 2 packages"), "{out}");
        assert_eq!(out.matches("checked").count(), 2, "{out}");
    }
    let none = Change {
        effects: vec![],
        ..change_of(Act::TakeAway, "x", false)
    };
    let out = checked(move || returning::page(&none, vec![]));
    assert!(out.contains("You hold nothing to give back"), "{out}");
}

#[test]
fn several_are_renewed_with_one_reason() {
    let item = |n: u128, text: &str, until: Option<domain::Timestamp>| Renewal {
        grant: workflow::views::HeldGrant {
            id: id(n),
            ..grant(text, Health::Ready)
        },
        more_seconds: 8 * 3600,
        until,
    };
    for text in ["Orders", HOSTILE] {
        let renewals = Renewals {
            now: now(),
            key: "k".into(),
            items: vec![
                item(100, text, Some(now() + chrono::Duration::hours(14))),
                item(101, text, None),
            ],
        };
        let out = checked(move || renewals::page(&renewals, &renewals::Typed::default()));
        for part in [
            "8 hours",
            "cannot be held longer",
            "Ask for what is ticked",
            "value=\"k\"",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }
    let none = Renewals {
        now: now(),
        key: "k".into(),
        items: vec![],
    };
    checked(move || renewals::page(&none, &renewals::Typed::default()));
}

#[test]
fn why_one_has_it_says_every_way() {
    for text in ["Orders", HOSTILE] {
        let way = |covers: bool, remains: &[&str]| Way {
            grant: workflow::views::HeldGrant {
                marks: Marks {
                    held_back: (!covers).then(|| HeldBack {
                        at: now(),
                        by: Some(person(5, text)),
                        note: text.into(),
                        cause: SuspendCause::Security,
                    }),
                    ..Marks::default()
                },
                ..grant(text, Health::Ready)
            },
            covers,
            remains: remains.iter().map(ToString::to_string).collect(),
        };
        let why = WhyPage {
            now: now(),
            me: false,
            person: person(4, text),
            rights: vec![
                RightWhy {
                    right: right(text),
                    account: text.into(),
                    ways: vec![way(true, &["Figma"]), way(true, &[]), way(false, &[])],
                },
                RightWhy {
                    right: right(text),
                    account: text.into(),
                    ways: vec![],
                },
            ],
            may_open_requests: true,
        };
        let out = checked(move || why::page(&why));
        for part in [
            "the right would stay through Figma",
            "the right would go",
            "It opens nothing now",
            "Nothing gives it now",
            "AR-1042",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }
}

#[test]
fn the_kill_switch_shows_numbers_before_and_while_it_runs() {
    let switch = |text: &str, stopped: Option<Stopped>| Switch {
        now: now(),
        person: person(4, text),
        job_title: text.into(),
        department: "Orders".into(),
        me: false,
        left: false,
        reach: Reach {
            grants: 7,
            rights: 12,
            targets: 3,
            sessions: 2,
            waiting: 1,
            seats: 4,
        },
        fresh: true,
        stopped,
    };
    for text in ["Johan", HOSTILE] {
        let before = switch(text, None);
        let out = checked(move || {
            kill_switch::page(
                &before,
                &kill_switch::Typed::default(),
                kill_switch::Wrong::default(),
            )
        });
        for part in [
            "Rights at the targets",
            "12",
            "Stop them now",
            "End it for good",
            "sign in once more",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
        let running = switch(
            text,
            Some(Stopped {
                at: now(),
                by: person(5, text),
                note: text.into(),
                wanted: 12,
                removed: 9,
                gone: 5,
                stuck: 1,
            }),
        );
        let out = checked(move || {
            kill_switch::page(
                &running,
                &kill_switch::Typed::default(),
                kill_switch::Wrong::default(),
            )
        });
        for part in [
            "9 of 12",
            "5 of 12",
            "part of it is stuck",
            "data-live=\"removals\"",
            "Let them go on",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }
    let mut mine = switch("Elin", None);
    mine.me = true;
    let out = checked(move || {
        kill_switch::page(
            &mine,
            &kill_switch::Typed::default(),
            kill_switch::Wrong::default(),
        )
    });
    assert!(!out.contains("<form"), "{out}");
}
