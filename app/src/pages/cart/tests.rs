//! Rendered from views made by hand: lines for oneself and for others, what is wrong beside each, hostile words.

use domain::{asking::ForOthers, policy::QuestionKind};
use leptos::prelude::*;
use workflow::views::{
    cart::{Cart, Choosing},
    search::FoundPerson,
};

use super::{
    super::{
        approvals::tests::{HOSTILE, is_inert, now, person},
        sample,
    },
    *,
};
use crate::render::{html, plain};

fn line(n: u128, text: &str, mine: bool) -> CartLine {
    CartLine {
        id: sample::id(n),
        package: sample::id(3),
        name: text.into(),
        whom: person(if mine { 4 } else { 5 }, text),
        mine,
        typed: String::new(),
        form: Some(sample::form(text)),
        closed: None,
    }
}

fn cart(text: &str) -> Cart {
    Cart {
        now: now(),
        key: "the-key".into(),
        reason: text.into(),
        lines: vec![
            line(1, text, true),
            line(2, text, false),
            CartLine {
                form: None,
                closed: Some(Refusal::Retired),
                ..line(3, text, true)
            },
        ],
    }
}

fn shown(cart: &Cart, refusals: Vec<Refusal>) -> String {
    let mut wrong = list::Wrong::default();
    wrong.take(refusals);
    html(|| list::page(cart, &wrong).into_any())
}

#[test]
fn each_line_says_for_whom_who_decides_and_what_is_missing() {
    let out = shown(&cart("Figma"), vec![]);
    let read = plain(&out);
    for part in [
        "3 requests. Each is decided on its own.",
        "Figma for Figma",
        "1 answer is needed",
        "8 hours",
        "no longer offered",
        "Send 3 requests",
    ] {
        assert!(read.contains(part), "{part} is missing in {read}");
    }
    assert!(out.contains("value=\"the-key\""), "{out}");
    assert!(!read.contains("To put right"), "{read}");
}

#[test]
fn faults_stand_beside_their_line_and_nothing_is_lost() {
    let wrong = vec![
        Refusal::InLine {
            line: 2,
            what: Box::new(Refusal::NoSeats { most: 5 }),
        },
        Refusal::TooMany { after_seconds: 600 },
    ];
    let out = shown(&cart("For the audit"), wrong);
    let read = plain(&out);
    assert!(
        read.contains("At most 5 people may hold this at once"),
        "{read}"
    );
    assert!(read.contains("wrong in 1 request"), "{read}");
    assert!(read.contains("That was a lot in a short time"), "{read}");
    assert!(out.contains("For the audit</textarea>"), "{out}");
}

#[test]
fn an_empty_cart_teaches_and_hostile_words_stay_words() {
    let empty = Cart {
        lines: vec![],
        ..cart("")
    };
    assert!(shown(&empty, vec![]).contains("Look in the catalogue"));
    assert!(is_inert(&shown(&cart(HOSTILE), vec![])));
    let choosing = Choosing {
        package: sample::id(3),
        name: HOSTILE.into(),
        scope: ForOthers::Reports,
    };
    let found = vec![FoundPerson {
        person: person(7, HOSTILE),
        job_title: HOSTILE.into(),
        department: HOSTILE.into(),
    }];
    let out = html(|| choose::page(&choosing, HOSTILE, &found, None).into_any());
    assert!(is_inert(&out), "{out}");
    assert!(out.contains("name=\"person\""), "ids are sent, not names");
}

#[test]
fn every_kind_of_question_has_its_field() {
    let mut form = sample::form("Figma");
    form.package.questions = QuestionKind::ALL
        .iter()
        .map(|kind| domain::policy::Question {
            key: format!("q-{kind}"),
            ask: "What?".into(),
            kind: *kind,
            choices: vec!["a".into(), "b".into()],
            help: "Help.".into(),
            ..domain::policy::Question::default()
        })
        .collect();
    form.package.asking.ticket = Some(domain::asking::Ticket {
        example: "INC-7".into(),
        ..domain::asking::Ticket::default()
    });
    let page = |picks: &Picks| {
        html(|| {
            form::page(
                &form,
                Sending::now(&form),
                &Typed::fresh(&form),
                &Faults::default(),
                picks,
            )
            .into_any()
        })
    };
    let out = page(&Picks::new());
    for part in [
        "name=\"answer-q-long_text\"",
        "type=\"number\"",
        "type=\"date\"",
        "value=\"yes\"",
        "name=\"find-q-person\"",
        "name=\"answer-_ticket\"",
        "Such as INC-7.",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    let somebody = FoundPerson {
        person: person(7, "Maya Rao"),
        job_title: "Analyst".into(),
        department: "Orders".into(),
    };
    let out = page(&Picks::from([("q-person".into(), vec![somebody])]));
    assert!(out.contains("name=\"answer-q-person\""), "{out}");
    assert!(out.contains("Analyst, Orders"), "{out}");
}

fn suggested(text: &str) -> workflow::views::suggest::Suggested {
    let offer = |n: u128| workflow::views::catalog::Card {
        id: sample::id(n),
        held_nearby: Some(4),
        ..sample::card(text)
    };
    workflow::views::suggest::Suggested {
        now: now(),
        whom: person(4, text),
        mine: true,
        usual: vec![offer(3), offer(9)],
        colleagues: vec![FoundPerson {
            person: person(7, text),
            job_title: text.into(),
            department: "Orders".into(),
        }],
        like: None,
    }
}

#[test]
fn what_is_usual_comes_ticked_and_what_was_unticked_stays_so() {
    let found = suggested("Figma");
    let fresh = html(|| like::page(&found, &like::Back::default()));
    assert_eq!(fresh.matches("name=\"package\"").count(), 2, "{fresh}");
    assert_eq!(fresh.matches(" checked").count(), 2, "{fresh}");
    assert!(plain(&fresh).contains("4 have it."), "{fresh}");
    assert!(fresh.contains("action=\"/request/like\""), "{fresh}");
    let back = like::Back {
        ticked: Some([sample::id(9)].into()),
        added: vec!["Miro".into()],
        refused: vec![("Figma".into(), "No longer offered.".into())],
        ..like::Back::default()
    };
    let out = html(|| like::page(&found, &back));
    assert_eq!(out.matches(" checked").count(), 1, "{out}");
    let read = plain(&out);
    for part in ["Miro", "Not put in", "Figma: No longer offered."] {
        assert!(read.contains(part), "{part} is missing in {read}");
    }
}

#[test]
fn like_a_colleague_for_a_report_keeps_whom_it_is_for() {
    let found = workflow::views::suggest::Suggested {
        mine: false,
        like: Some(workflow::views::suggest::Like {
            person: person(7, "Maya"),
            cards: suggested("Figma").usual,
        }),
        ..suggested("Johan")
    };
    let out = html(|| like::page(&found, &like::Back::default()));
    for (name, value) in [("for", person(4, "").id), ("like", person(7, "").id)] {
        let field = format!("name=\"{name}\" value=\"{value}\"");
        assert!(out.contains(&field), "{field} is missing in {out}");
    }
    assert!(plain(&out).contains("What the team of Johan has"), "{out}");
    let hostile = workflow::views::suggest::Suggested {
        like: Some(workflow::views::suggest::Like {
            person: person(7, HOSTILE),
            cards: vec![],
        }),
        ..suggested(HOSTILE)
    };
    assert!(is_inert(&html(|| like::page(
        &hostile,
        &like::Back::default()
    ))));
    assert!(is_inert(&html(|| like::page(
        &suggested(HOSTILE),
        &like::Back::default()
    ))));
    assert!(is_inert(&html(|| {
        like::in_catalogue(&suggested(HOSTILE).usual).expect("there is something")
    })));
}
