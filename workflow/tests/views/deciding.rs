//! The queue and the page on which somebody decides.

use chrono::Duration;
use domain::{
    Refusal,
    approval::{Verdict, Via},
    grant::EndReason,
    refusal::DeciderBar,
    request::LineState,
};
use workflow::{
    Error, decide,
    views::{approvals, decision},
};

use crate::{
    support::{ASTRID, ELIN, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours},
    world::{STRANGER, approved, worlds},
};

#[tokio::test]
async fn the_queue_pages_without_gaps() {
    for house in worlds().await {
        // Maya and Johan ask for many packages; Astrid decides on all of them.
        let mut made = Vec::new();
        for index in 0..20_u128 {
            let package = domain::PackageId(uuid::Uuid::from_u128(0x2100 + index));
            let version = domain::PackageVersionId(uuid::Uuid::from_u128(0x3100 + index));
            house
                .add_package(
                    package,
                    version,
                    &format!("Package {index}"),
                    &crate::world::two_stages(),
                    &[],
                )
                .await;
            for n in [JOHAN, MAYA] {
                made.push(
                    house
                        .ask_for(n, package, hours(8), &format!("k{index}"))
                        .await
                        .unwrap(),
                );
            }
        }
        let astrid = house.viewer(ASTRID).await;
        let first = approvals::load(&house.workflow, &astrid, None)
            .await
            .unwrap();
        let second = approvals::load(&house.workflow, &astrid, first.next.as_ref())
            .await
            .unwrap();
        assert_eq!(
            (first.items.len(), second.items.len(), second.next),
            (30, 10, None)
        );
        assert_eq!(first.waiting.count, 40);
        let mut seen: Vec<_> = first
            .items
            .iter()
            .chain(&second.items)
            .map(|item| item.request)
            .collect();
        seen.sort_unstable();
        made.sort_unstable();
        assert_eq!(seen, made);
        let nonsense = workflow::views::Cursor::from_text("%%%");
        assert_eq!(
            approvals::load(&house.workflow, &astrid, Some(&nonsense))
                .await
                .unwrap()
                .items
                .len(),
            30
        );
        assert!(
            approvals::load(&house.workflow, &house.viewer(JOHAN).await, None)
                .await
                .unwrap()
                .items
                .is_empty()
        );

        let page = decision::load(&house.workflow, &astrid, first.items[2].stage)
            .await
            .unwrap();
        assert_eq!(
            (page.position, page.waiting.count, page.next),
            (Some(3), 40, Some(first.items[3].stage))
        );
        let last = decision::load(&house.workflow, &astrid, second.items[9].stage)
            .await
            .unwrap();
        assert_eq!(
            (last.position, last.next),
            (Some(40), Some(first.items[0].stage))
        );
    }
}

#[tokio::test]
async fn the_page_puts_the_facts_beside_the_buttons() {
    for house in worlds().await {
        let wf = &house.workflow;
        approved(&house, "earlier").await;
        house.pass(Duration::hours(3)).await;
        house.held(MAYA, hours(8), "m", &[ASTRID, TOMAS]).await;
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        let (stage, to_sign) = house.open(line.id).await;
        let page = decision::load(wf, &house.viewer(ASTRID).await, stage)
            .await
            .unwrap();
        assert_eq!(
            (page.via, page.refusal.clone(), page.to_sign.clone()),
            (Some(Via::Manager), None, to_sign.clone())
        );
        assert!(page.beneficiary.reports_to_me && page.extends.is_none());
        assert_eq!(
            (
                page.compares.team,
                page.compares.team_holding,
                page.compares.others.count
            ),
            (1, 1, 1)
        );
        assert_eq!(page.compares.team_longest_seconds, Some(8 * 3600));
        assert_eq!(
            (page.compares.had, page.compares.had_ended.clone()),
            (1, vec![(EndReason::Expired, 1)])
        );
        assert_eq!(page.route.len(), 2);
        assert_eq!(page.route[1].seats.len(), 2);
        assert_eq!(
            (page.cap_so_far, page.to_sign_short.chars().count()),
            (None, 9)
        );
        assert_eq!(page.contents[0].name, "sg-prod-orders-ro");

        // What the page gives is what deciding takes; the next decider sees the cap.
        let vote = decide::Vote {
            stage,
            verdict: Verdict::Approve,
            note: "go".into(),
            cap_seconds: Some(3600),
            signed_hash: page.to_sign,
        };
        decide::decide(wf, &house.viewer(ASTRID).await, vote)
            .await
            .unwrap();
        let (stage, _) = house.open(line.id).await;
        let page = decision::load(wf, &house.viewer(ELIN).await, stage)
            .await
            .unwrap();
        assert_eq!(
            (page.cap_so_far, page.route[0].votes[0].note.as_str()),
            (Some(3600), "go")
        );
        assert_ne!(page.to_sign, to_sign);
        let vote = decide::Vote {
            stage,
            verdict: Verdict::Approve,
            note: String::new(),
            cap_seconds: None,
            signed_hash: page.to_sign,
        };
        decide::decide(wf, &house.viewer(ELIN).await, vote)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn whoever_may_not_decide_reads_why() {
    for house in worlds().await {
        let wf = &house.workflow;
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let (stage, _) = house.open(line.id).await;
        let refusal = async |n: u128| {
            decision::load(wf, &house.viewer(n).await, stage)
                .await
                .map(|page| (page.via, page.refusal))
        };
        let barred = |why| (None, Some(Refusal::MayNotDecide { why }));
        assert_eq!(refusal(JOHAN).await.unwrap(), barred(DeciderBar::Asker));
        for n in [KARIN, OLLE, ELIN] {
            assert_eq!(refusal(n).await.unwrap(), barred(DeciderBar::NoSeat));
        }
        for n in [MAYA, STRANGER] {
            assert!(matches!(refusal(n).await, Err(Error::Missing)));
        }
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(
            refusal(ASTRID).await.unwrap(),
            (None, Some(Refusal::DecidedAlready))
        );
        assert_eq!(
            refusal(ELIN).await.unwrap(),
            (
                None,
                Some(Refusal::WrongState {
                    state: "met".into()
                })
            )
        );
        let (second, _) = house.open(line.id).await;
        let astrid = decision::load(wf, &house.viewer(ASTRID).await, second)
            .await
            .unwrap();
        assert_eq!(astrid.refusal, Some(Refusal::DecidedAlready));
        house
            .vote(TOMAS, line.id, Verdict::Deny, None)
            .await
            .unwrap();
        let page = decision::load(wf, &house.viewer(ELIN).await, second)
            .await
            .unwrap();
        assert_eq!(
            (page.state, page.refusal),
            (
                LineState::Denied,
                Some(Refusal::WrongState {
                    state: "denied".into()
                })
            )
        );
    }
}

#[tokio::test]
async fn an_extension_shows_the_time_held_in_all() {
    for house in worlds().await {
        let wf = &house.workflow;
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID, ELIN]).await;
        house.pass(Duration::hours(4)).await;
        let ask = workflow::requests::MoreTime {
            grant: grant.id,
            seconds: Some(4 * 3600),
            reason: "not done yet".into(),
            key: "x".into(),
        };
        let request = workflow::requests::extend(wf, &house.viewer(JOHAN).await, ask)
            .await
            .unwrap();
        let line = house.line(request).await;
        let (stage, _) = house.open(line.id).await;
        let page = decision::load(wf, &house.viewer(ASTRID).await, stage)
            .await
            .unwrap();
        let extends = page.extends.unwrap();
        assert_eq!(
            (extends.held_seconds, extends.total_seconds, extends.ended),
            (4 * 3600, Some(12 * 3600), false)
        );
        let mine = workflow::views::access::load(wf, &house.viewer(JOHAN).await)
            .await
            .unwrap();
        assert_eq!(mine.held[0].extension, Some(request));
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        house
            .vote(TOMAS, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let list = workflow::views::requests::load(wf, &house.viewer(JOHAN).await, false, None)
            .await
            .unwrap();
        assert_eq!(
            list.items[0].standing.word,
            workflow::views::StandingWord::Extended
        );
    }
}

#[tokio::test]
async fn what_nobody_can_decide_is_shown_to_security() {
    for house in worlds().await {
        let wf = &house.workflow;
        house.ask(JOHAN, hours(8), "a").await.unwrap();
        house
            .raw("UPDATE stages SET stuck = TRUE WHERE state = 'open'")
            .await
            .unwrap();
        let items = approvals::stuck(wf, &house.viewer(ELIN).await)
            .await
            .unwrap();
        assert_eq!(items[0].standing.word, workflow::views::StandingWord::Stuck);
        assert!(
            approvals::stuck(wf, &house.viewer(ASTRID).await)
                .await
                .unwrap()
                .is_empty()
        );
        let line = house.line(items[0].request).await;
        let (stage, _) = house.open(line.id).await;
        let page = decision::load(wf, &house.viewer(ASTRID).await, stage)
            .await
            .unwrap();
        assert!(page.via.is_none() && page.refusal.is_some());
    }
}
