//! Frame, home, catalogue, package, form, my requests, one request.

use chrono::Duration;
use domain::{
    approval::{StageState, Via},
    grant::{End, EndReason},
    policy::ApproverRule,
    request::LineState,
};
use workflow::views::{
    Mark, StandingWord, catalog, home, package,
    request::{self, What},
    request_form, requests, search, shell,
};

use crate::{
    support::{ASTRID, ELIN, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, person},
    world::{ADMIN, AUDITOR, OPERATOR, answers, approved, worlds},
};

#[tokio::test]
async fn the_frame_counts_what_waits() {
    for house in worlds().await {
        house.ask(JOHAN, hours(8), "a").await.unwrap();
        let wf = &house.workflow;
        let johan = shell::load(wf, &house.viewer(JOHAN).await).await.unwrap();
        assert_eq!((johan.requests.count, johan.decisions.count), (1, 0));
        assert_eq!(johan.me.initials, "JN");
        assert!(!johan.has_team && !johan.owns && johan.attention.is_none());
        let astrid = shell::load(wf, &house.viewer(ASTRID).await).await.unwrap();
        assert_eq!(astrid.decisions.count, 1);
        assert!(astrid.has_team);
        assert!(
            shell::load(wf, &house.viewer(OLLE).await)
                .await
                .unwrap()
                .owns
        );
        let operator = shell::load(wf, &house.viewer(OPERATOR).await)
            .await
            .unwrap();
        assert_eq!(operator.attention.unwrap().count, 0);
        assert!(operator.holds.is_none() && operator.versions.is_none());
        assert_eq!(
            operator.title, "Office",
            "who has no title is told by department"
        );
        let admin = shell::load(wf, &house.viewer(ADMIN).await).await.unwrap();
        assert_eq!((admin.holds, admin.versions), (Some(0), Some(0)));
    }
}

#[tokio::test]
async fn home_says_who_decides_and_what_ends() {
    for house in worlds().await {
        house.ask(JOHAN, hours(8), "a").await.unwrap();
        let wf = &house.workflow;
        let johan = house.viewer(JOHAN).await;
        let view = home::load(wf, &johan).await.unwrap();
        let next = view.requests[0].standing.next.as_ref().unwrap();
        assert_eq!(view.requests[0].standing.word, StandingWord::Waiting);
        assert_eq!(
            (next.rule, next.who[0].name.as_str()),
            (ApproverRule::Manager, "Astrid Lindqvist")
        );
        let astrid = home::load(wf, &house.viewer(ASTRID).await).await.unwrap();
        assert_eq!(astrid.decisions[0].beneficiary.name, "Johan Nyberg");
        assert_eq!(astrid.decisions_count.count, 1);

        let line = house.line(view.requests[0].request).await;
        house
            .vote(ASTRID, line.id, domain::approval::Verdict::Approve, None)
            .await
            .unwrap();
        house
            .vote(TOMAS, line.id, domain::approval::Verdict::Approve, None)
            .await
            .unwrap();
        let view = home::load(wf, &johan).await.unwrap();
        assert_eq!(view.requests[0].standing.word, StandingWord::BeingSetUp);
        assert_eq!((view.held, view.ends_soon), (1, 1));
        assert_eq!(view.ending[0].name, "Production database, read");
        answers(&house, JOHAN, "present").await;
        assert!(home::load(wf, &johan).await.unwrap().requests.is_empty());
    }
}

#[tokio::test]
async fn the_catalogue_finds_by_word_and_by_pasted_text() {
    for house in worlds().await {
        let wf = &house.workflow;
        let johan = house.viewer(JOHAN).await;
        let find = async |text: &str| {
            let filter = catalog::Filter {
                text: text.into(),
                ..catalog::Filter::default()
            };
            catalog::load(wf, &johan, &filter).await.unwrap()
        };
        let all = find("").await;
        assert_eq!((all.cards.len(), all.offered.count), (1, 1));
        assert_eq!(all.applications[0].name, "Orders");
        assert!(all.cards[0].unmet.is_empty());
        for text in ["PostGres", "olle ström", "orders read", "  Production  "] {
            assert_eq!(find(text).await.cards.len(), 1, "{text}");
        }
        for pasted in [
            "https://orders.contoso.example/db/rows?id=7",
            "Access denied. You do not have permission to open orders.contoso.example, contact your administrator",
            "postgres zzz",
        ] {
            let found = find(pasted).await;
            assert!(found.pasted && found.cards.len() == 1, "{pasted}");
        }
        assert!(find("100%_").await.cards.is_empty());
        let stranger = house.viewer(AUDITOR).await;
        let seen = catalog::load(wf, &stranger, &catalog::Filter::default())
            .await
            .unwrap();
        assert_eq!(seen.cards[0].unmet, ["for people in Orders"]);

        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        assert_eq!(find("").await.cards[0].waiting, Some(request));
    }
}

#[tokio::test]
async fn cards_say_how_long_it_takes_and_what_colleagues_have() {
    for house in worlds().await {
        for (n, manager) in [(JOHAN, ASTRID), (MAYA, ASTRID), (OLLE, KARIN)] {
            house.held(n, hours(8), "a", &[manager, TOMAS]).await;
            house.pass(Duration::seconds(40)).await;
            answers(&house, n, "present").await;
        }
        let view = catalog::load(
            &house.workflow,
            &house.viewer(ASTRID).await,
            &catalog::Filter::default(),
        )
        .await
        .unwrap();
        assert_eq!(view.cards[0].usual_seconds, Some(40));
        assert_eq!(view.like_you[0].held_nearby, Some(3));
        let held = catalog::load(
            &house.workflow,
            &house.viewer(JOHAN).await,
            &catalog::Filter::default(),
        )
        .await
        .unwrap();
        assert!(held.cards[0].held.is_some() && held.like_you.is_empty());
        assert!(held.recent.is_empty(), "what one has is not offered again");
        house.pass(Duration::hours(9)).await;
        let after = async |filter: catalog::Filter| {
            let johan = house.viewer(JOHAN).await;
            catalog::load(&house.workflow, &johan, &filter)
                .await
                .unwrap()
        };
        let again = after(catalog::Filter::default()).await;
        assert_eq!(again.recent.len(), 1);
        assert_eq!(again.recent[0].id, house.package);
        let narrowed = catalog::Filter {
            privileged: Some(again.cards[0].privileged),
            ..catalog::Filter::default()
        };
        let narrowed = after(narrowed).await;
        assert!(narrowed.recent.is_empty() && narrowed.cards.len() == 1);
    }
}

#[tokio::test]
async fn what_a_few_colleagues_have_or_what_is_privileged_is_not_told() {
    for house in worlds().await {
        let like_astrid = async || {
            let astrid = house.viewer(ASTRID).await;
            let all = catalog::Filter::default();
            let view = catalog::load(&house.workflow, &astrid, &all).await;
            view.unwrap().like_you
        };
        for (n, manager) in [(JOHAN, ASTRID), (MAYA, ASTRID), (OLLE, KARIN)] {
            assert!(like_astrid().await.is_empty(), "fewer than three have it");
            house.held(n, hours(8), "a", &[manager, TOMAS]).await;
        }
        assert_eq!(like_astrid().await[0].held_nearby, Some(3));
        house
            .raw("UPDATE packages SET privileged = TRUE")
            .await
            .unwrap();
        assert!(like_astrid().await.is_empty(), "it is privileged");
    }
}

#[tokio::test]
async fn a_package_says_who_would_decide_for_me() {
    for house in worlds().await {
        let wf = &house.workflow;
        let view = package::load(wf, &house.viewer(JOHAN).await, house.package)
            .await
            .unwrap();
        assert_eq!(view.contents[0].name, "sg-prod-orders-ro");
        let names = |stage: usize| {
            view.stages[stage]
                .seats
                .iter()
                .map(|seat| seat.person.name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (names(0), names(1)),
            (
                vec!["Astrid Lindqvist".into()],
                vec!["Elin Berg".into(), "Tomas Ek".into()]
            )
        );
        assert_eq!(view.stages[0].seats[0].via, Via::Manager);
        assert!(view.may_ask && view.holders.is_none() && view.eligibility[0].met);
        assert_eq!(view.owners[0].name, "Olle Ström");
        let owner = package::load(wf, &house.viewer(OLLE).await, house.package)
            .await
            .unwrap();
        assert_eq!(owner.holders.unwrap().count, 0);
        // Elin is security: her own ask needs the other one.
        let elin = package::load(wf, &house.viewer(ELIN).await, house.package)
            .await
            .unwrap();
        assert_eq!(elin.stages[1].seats.len(), 1);
        let outside = package::load(wf, &house.viewer(AUDITOR).await, house.package)
            .await
            .unwrap();
        assert!(!outside.may_ask);
        // The preview seats exactly those whom asking seats.
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let page = request::load(wf, &house.viewer(JOHAN).await, request)
            .await
            .unwrap();
        let What::Stage(first) = &page.lines[0].steps[2].what else {
            panic!("a stage")
        };
        assert_eq!(first.seats, view.stages[0].seats);
    }
}

#[tokio::test]
async fn a_retired_package_is_for_those_who_have_to_do_with_it() {
    for house in worlds().await {
        approved(&house, "a").await;
        house
            .raw("UPDATE packages SET state = 'retired'")
            .await
            .unwrap();
        let wf = &house.workflow;
        for n in [JOHAN, OLLE, AUDITOR] {
            assert!(
                package::load(wf, &house.viewer(n).await, house.package)
                    .await
                    .unwrap()
                    .retired
            );
        }
        let other = house.viewer(MAYA).await;
        assert!(matches!(
            package::load(wf, &other, house.package).await,
            Err(workflow::Error::Missing)
        ));
        assert!(matches!(
            request_form::load(wf, &other, house.package).await,
            Err(workflow::Error::Missing)
        ));
        assert!(
            catalog::load(wf, &other, &catalog::Filter::default())
                .await
                .unwrap()
                .cards
                .is_empty()
        );
    }
}

#[tokio::test]
async fn the_form_knows_the_last_day_and_what_is_held() {
    for house in worlds().await {
        let wf = &house.workflow;
        let last = house.clock.now() + Duration::days(3);
        house
            .raw(&format!(
                "UPDATE persons SET last_day_at = {} WHERE id = {}",
                crate::world::at(&house, last),
                house.id(person(JOHAN).0)
            ))
            .await
            .unwrap();
        let form = request_form::load(wf, &house.viewer(JOHAN).await, house.package)
            .await
            .unwrap();
        assert_eq!(form.longest_seconds, 3 * 86_400);
        assert!(!form.permanent && !form.refused() && form.extends.is_none());
        assert!(
            form.notices
                .contains(&request_form::Notice::LastDay { at: last })
        );
        let another = request_form::load(wf, &house.viewer(JOHAN).await, house.package)
            .await
            .unwrap();
        assert_ne!(form.key, another.key);

        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID, ELIN]).await;
        let form = request_form::load(wf, &house.viewer(JOHAN).await, house.package)
            .await
            .unwrap();
        assert!(
            form.notices
                .iter()
                .any(|notice| matches!(notice, request_form::Notice::Held { .. }))
        );
        let more = request_form::load_extension(wf, &house.viewer(JOHAN).await, grant.id)
            .await
            .unwrap();
        assert_eq!(more.extends.unwrap().held_seconds, 8 * 3600);
        assert_eq!(more.longest_seconds, 3 * 86_400 - 8 * 3600);
        let other = request_form::load_extension(wf, &house.viewer(ASTRID).await, grant.id).await;
        assert!(matches!(other, Err(workflow::Error::Missing)));
    }
}

#[tokio::test]
async fn my_requests_page_without_gaps() {
    for house in worlds().await {
        let mut made = Vec::new();
        for index in 0..35 {
            made.push(
                house
                    .ask(JOHAN, hours(8), &format!("k{index}"))
                    .await
                    .unwrap(),
            );
            house
                .clock
                .move_to(house.clock.now() + Duration::seconds(i64::from(index % 2)));
        }
        let johan = house.viewer(JOHAN).await;
        let first = requests::load(&house.workflow, &johan, false, None)
            .await
            .unwrap();
        let second = requests::load(&house.workflow, &johan, false, first.next.as_ref())
            .await
            .unwrap();
        assert_eq!(
            (first.items.len(), second.items.len(), second.next),
            (30, 5, None)
        );
        let mut seen: Vec<_> = first
            .items
            .iter()
            .chain(&second.items)
            .map(|item| item.request)
            .collect();
        seen.sort_unstable();
        made.sort_unstable();
        assert_eq!(seen, made);
        let waiting = requests::load(&house.workflow, &johan, true, None)
            .await
            .unwrap();
        assert_eq!(waiting.items.len(), 1);
        assert_eq!(first.items[1].standing.word, StandingWord::Superseded);
    }
}

#[tokio::test]
async fn a_timeline_from_ask_to_proof() {
    use Mark::{Ahead, Done, Now};
    for house in worlds().await {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let wf = &house.workflow;
        let johan = house.viewer(JOHAN).await;
        let load = async || request::load(wf, &johan, request).await.unwrap();
        let marks = |page: &request::RequestPage| {
            page.lines[0]
                .steps
                .iter()
                .map(|step| step.mark)
                .collect::<Vec<_>>()
        };
        let page = load().await;
        assert_eq!(
            marks(&page),
            [Done, Done, Now, Ahead, Ahead, Ahead, Ahead, Ahead]
        );
        assert!(page.mine && page.lines[0].may_cancel && page.lines[0].may_decide.is_none());
        assert_eq!(page.lines[0].answers[0].ask, "Which ticket?");
        let What::Checked {
            eligible,
            department,
            ..
        } = &page.lines[0].steps[1].what
        else {
            panic!()
        };
        assert_eq!(
            (eligible[0].as_str(), department.as_str()),
            ("for people in Orders", "Orders")
        );
        let What::Stage(second) = &page.lines[0].steps[3].what else {
            panic!()
        };
        assert_eq!((second.state, second.seats.len()), (StageState::Waiting, 2));
        let astrid = request::load(wf, &house.viewer(ASTRID).await, request)
            .await
            .unwrap();
        assert!(astrid.lines[0].may_decide.is_some() && !astrid.lines[0].may_cancel);

        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, domain::approval::Verdict::Approve, None)
            .await
            .unwrap();
        house
            .vote(
                ELIN,
                line.id,
                domain::approval::Verdict::Approve,
                Some(2 * 3600),
            )
            .await
            .unwrap();
        let before = page.version;
        let page = load().await;
        assert!(page.version > before);
        assert_eq!(page.lines[0].standing.word, StandingWord::BeingSetUp);
        let What::Stage(second) = &page.lines[0].steps[3].what else {
            panic!()
        };
        assert_eq!(second.votes[0].cap_seconds, Some(2 * 3600));
        assert!(matches!(
            page.lines[0].steps[5].what,
            What::SetUp {
                confirmed: 0,
                of: 1,
                ..
            }
        ));

        answers(&house, JOHAN, "present").await;
        let page = load().await;
        let line = &page.lines[0];
        assert_eq!(line.standing.word, StandingWord::Ready);
        assert_eq!(
            line.standing.end,
            Some(End::At(house.clock.now() + Duration::hours(2)))
        );
        assert!(line.may_extend && line.may_give_back && !line.may_cancel);
        assert_eq!(line.parts[0].operations.len(), 2);
        assert_eq!(
            line.parts[0].operations[0].request_id, None,
            "the target's ids are for operators and auditors"
        );
        let auditor = request::load(wf, &house.viewer(AUDITOR).await, request)
            .await
            .unwrap();
        assert_eq!(
            auditor.lines[0].parts[0].operations[0]
                .request_id
                .as_deref(),
            Some("graph-1")
        );

        house.pass(Duration::hours(2)).await;
        assert_eq!(
            load().await.lines[0].standing.word,
            StandingWord::BeingRemoved
        );
        answers(&house, JOHAN, "absent").await;
        let page = load().await;
        assert_eq!(page.lines[0].standing.word, StandingWord::Ended);
        assert!(
            marks(&page).iter().all(|mark| *mark == Done),
            "{:?}",
            page.lines[0].steps
        );
        let ends = &page.lines[0].steps[page.lines[0].steps.len() - 2];
        assert!(matches!(
            ends.what,
            What::Ends {
                reason: Some(EndReason::Expired),
                ..
            }
        ));
        assert!(page.lines[0].steps.last().unwrap().at.is_some());
    }
}

#[tokio::test]
async fn a_denial_and_a_cancel_end_the_timeline() {
    for house in worlds().await {
        let wf = &house.workflow;
        let johan = house.viewer(JOHAN).await;
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, domain::approval::Verdict::Deny, None)
            .await
            .unwrap();
        let page = request::load(wf, &johan, request).await.unwrap();
        assert_eq!(page.lines[0].state, LineState::Denied);
        assert_eq!(page.lines[0].steps.last().unwrap().mark, Mark::Bad);
        assert_eq!(
            page.lines[0].steps.len(),
            3,
            "the stage that never opened says nothing"
        );
        let view = package::load(wf, &johan, house.package).await.unwrap();
        assert_eq!(view.denied.unwrap().note, "I looked at it");
        let mine = requests::load(wf, &johan, false, None).await.unwrap();
        let denied_by = mine.items[0].denied_by.as_ref();
        assert_eq!(denied_by.map(|by| by.id), Some(person(ASTRID)));

        let request = house.ask(JOHAN, hours(8), "b").await.unwrap();
        let line = house.line(request).await;
        workflow::requests::cancel(wf, &johan, line.id)
            .await
            .unwrap();
        let page = request::load(wf, &johan, request).await.unwrap();
        assert!(matches!(
            page.lines[0].steps.last().unwrap().what,
            What::Closed {
                state: LineState::Cancelled,
                ..
            }
        ));
    }
}

#[tokio::test]
async fn search_finds_what_one_may_see() {
    for house in worlds().await {
        let wf = &house.workflow;
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let number = house.line(request).await.number;
        let find = async |n: u128, text: &str| {
            search::load(wf, &house.viewer(n).await, text)
                .await
                .unwrap()
        };
        assert_eq!(
            find(JOHAN, &format!("ar-{number}")).await.exactly,
            Some(request)
        );
        assert_eq!(
            find(crate::world::STRANGER, &format!("AR-{number}"))
                .await
                .exactly,
            None
        );
        assert_eq!(find(JOHAN, "production").await.requests.len(), 1);
        assert_eq!(find(JOHAN, "production").await.packages.len(), 1);
        assert!(find(JOHAN, "maya").await.people.is_empty());
        assert_eq!(find(ASTRID, "maya").await.people[0].person.name, "Maya Rao");
        assert!(
            find(ASTRID, "elin").await.people.is_empty(),
            "not below Astrid"
        );
        assert_eq!(find(KARIN, "maya").await.people.len(), 1, "two levels down");
        assert_eq!(find(AUDITOR, "elin").await.people.len(), 1);
        assert!(find(JOHAN, " ").await.packages.is_empty());
    }
}
