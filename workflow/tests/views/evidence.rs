//! The log, evidence, holds and catalogue versions.

use chrono::Duration;
use domain::{ApplicationId, PersonId, audit::EventKind};
use uuid::Uuid;
use workflow::{
    Error,
    views::{ChangeKind, audit, evidence, holds, request, versions},
};

use crate::{
    support::{ASTRID, ELIN, JOHAN, MAYA, TOMAS, account, hours, person},
    world::{ADMIN, AUDITOR, HR, OPERATOR, STRANGER, answers, approved, worlds},
};

#[tokio::test]
async fn the_log_is_filtered_and_named() {
    for house in worlds().await {
        let wf = &house.workflow;
        let request = approved(&house, "a").await;
        let number = house.line(request).await.number;
        let auditor = house.viewer(AUDITOR).await;
        let load = async |filter: audit::Filter| audit::load(wf, &auditor, &filter).await.unwrap();
        let all = load(audit::Filter::default()).await;
        assert_eq!(all.entries[0].seq, all.length);
        assert!(
            all.entries
                .windows(2)
                .all(|pair| pair[0].seq == pair[1].seq + 1)
        );
        let about = load(audit::Filter {
            subject: Some(format!("AR-{number}")),
            ..audit::Filter::default()
        })
        .await;
        assert!(about.entries.iter().all(|entry| {
            entry
                .subjects
                .iter()
                .any(|one| one.id == request.to_string())
        }));
        let decided = load(audit::Filter {
            kind: Some(EventKind::LineDecided),
            actor: Some(person(ASTRID)),
            ..audit::Filter::default()
        })
        .await;
        assert_eq!(decided.entries.len(), 1);
        assert_eq!(
            decided.entries[0].actor_name.as_ref().unwrap().name,
            "Astrid Lindqvist"
        );
        assert!(
            decided.entries[0]
                .subjects
                .iter()
                .any(|one| one.name == format!("AR-{number}"))
        );
        let later = load(audit::Filter {
            from: Some(house.clock.now()),
            ..audit::Filter::default()
        })
        .await;
        let earlier = load(audit::Filter {
            until: Some(house.clock.now()),
            ..audit::Filter::default()
        })
        .await;
        assert_eq!(
            later.entries.len() + earlier.entries.len(),
            all.entries.len()
        );
        let page = audit::entry(wf, &auditor, 2).await.unwrap();
        assert!(page.whole && page.older == Some(1) && page.newer == Some(3));
        assert!(matches!(
            audit::entry(wf, &auditor, 0).await,
            Err(Error::Missing)
        ));
        let nobody = load(audit::Filter {
            actor: Some(PersonId(Uuid::from_u128(0xfff))),
            ..audit::Filter::default()
        })
        .await;
        assert!(nobody.entries.is_empty() && nobody.next.is_none());
        for n in [JOHAN, OPERATOR, HR, STRANGER] {
            let viewer = house.viewer(n).await;
            assert!(matches!(
                audit::load(wf, &viewer, &audit::Filter::default()).await,
                Err(Error::Forbidden)
            ));
            assert!(matches!(
                audit::entry(wf, &viewer, 1).await,
                Err(Error::Forbidden)
            ));
        }
    }
}

#[tokio::test]
async fn whoever_did_it_is_found_by_name_or_id() {
    for house in worlds().await {
        let wf = &house.workflow;
        let auditor = house.viewer(AUDITOR).await;
        let meant = async |text: &str| -> Vec<String> {
            audit::meant(wf, &auditor, text)
                .await
                .unwrap()
                .into_iter()
                .map(|one| one.person.name)
                .collect()
        };
        assert_eq!(meant("astrid lindqvist").await, ["Astrid Lindqvist"]);
        assert_eq!(meant("lindq").await, ["Astrid Lindqvist"]);
        assert!(meant("a").await.len() > 1);
        assert!(meant("nobody at all").await.is_empty() && meant(" ").await.is_empty());
        let id = person(ASTRID);
        assert_eq!(meant(&format!("Whoever, {id}")).await, ["Astrid Lindqvist"]);
        let unknown = PersonId(Uuid::from_u128(0xfff));
        let found = audit::meant(wf, &auditor, &unknown.to_string())
            .await
            .unwrap();
        assert_eq!(found[0].person.id, unknown);
        for n in [JOHAN, OPERATOR, HR, STRANGER] {
            assert!(matches!(
                audit::meant(wf, &house.viewer(n).await, "astrid").await,
                Err(Error::Forbidden)
            ));
        }
    }
}

#[tokio::test]
async fn the_log_pages_without_gaps() {
    for house in worlds().await {
        for index in 0..40 {
            house
                .ask(JOHAN, hours(8), &format!("k{index}"))
                .await
                .unwrap();
        }
        let auditor = house.viewer(AUDITOR).await;
        let mut before = None;
        let mut seen = Vec::new();
        loop {
            let filter = audit::Filter {
                subject: Some(person(JOHAN).to_string()),
                before,
                ..audit::Filter::default()
            };
            let page = audit::load(&house.workflow, &auditor, &filter)
                .await
                .unwrap();
            seen.extend(page.entries.iter().map(|entry| entry.seq));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert!(seen.len() > 50 && seen.windows(2).all(|pair| pair[0] > pair[1]));
    }
}

#[tokio::test]
async fn one_request_prints_its_whole_evidence() {
    for house in worlds().await {
        let request = approved(&house, "a").await;
        answers(&house, JOHAN, "present").await;
        house.pass(Duration::hours(2)).await;
        answers(&house, JOHAN, "absent").await;
        let view = request::evidence(&house.workflow, &house.viewer(AUDITOR).await, request)
            .await
            .unwrap();
        let kinds: Vec<_> = view.trail.iter().map(|entry| entry.kind.as_str()).collect();
        for kind in [
            "line_submitted",
            "stage_opened",
            "line_decided",
            "line_ended",
            "grant_made",
            "assignment_desired",
            "grant_ended",
        ] {
            assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
        }
        assert!(view.trail.windows(2).all(|pair| pair[0].seq < pair[1].seq));
        assert_eq!(view.head.1.len(), 64);
        let stranger =
            request::evidence(&house.workflow, &house.viewer(STRANGER).await, request).await;
        assert!(matches!(stranger, Err(Error::Missing)));
    }
}

#[tokio::test]
async fn who_held_what_on_a_date_and_what_changed() {
    for house in worlds().await {
        let wf = &house.workflow;
        let app = ApplicationId(Uuid::from_u128(0x6000));
        let before = house.clock.now();
        approved(&house, "a").await;
        answers(&house, JOHAN, "present").await;
        house.held(MAYA, hours(8), "m", &[ASTRID, TOMAS]).await;
        let during = house.clock.now();
        house.pass(Duration::hours(3)).await;
        answers(&house, JOHAN, "absent").await;
        let denied = house
            .line(house.ask(JOHAN, hours(8), "d").await.unwrap())
            .await;
        house
            .vote(ASTRID, denied.id, domain::approval::Verdict::Deny, None)
            .await
            .unwrap();
        let after = house.clock.now() + Duration::seconds(1);

        let auditor = house.viewer(AUDITOR).await;
        let at = async |instant| {
            evidence::population(wf, &auditor, app, instant, None, 100)
                .await
                .unwrap()
        };
        let none = at(before).await;
        assert_eq!((none.count, none.rows.len()), (0, 0));
        let both = at(during).await;
        assert_eq!((both.count, both.people), (2, 2));
        assert_eq!(both.rows[0].name, "Johan Nyberg");
        assert_eq!(both.rows[0].approvers, ["Astrid Lindqvist", "Elin Berg"]);
        assert!(both.rows[0].gone_at.is_some());
        let one = at(after).await;
        assert_eq!((one.count, one.rows[0].name.as_str()), (1, "Maya Rao"));
        assert_eq!(
            (
                one.reconciled.desired,
                one.reconciled.missing,
                one.reconciled.surplus
            ),
            (1, 1, 0)
        );
        let first = evidence::population(wf, &auditor, app, during, None, 1)
            .await
            .unwrap();
        let second = evidence::population(wf, &auditor, app, during, first.next.as_ref(), 1)
            .await
            .unwrap();
        assert_eq!(
            (second.rows[0].name.as_str(), second.next),
            ("Maya Rao", None)
        );

        let changes = evidence::changes(wf, &auditor, Some(app), before, after, None, 100)
            .await
            .unwrap();
        let count = |kind| changes.counts.iter().find(|one| one.0 == kind).unwrap().1;
        assert_eq!(
            (
                count(ChangeKind::Granted),
                count(ChangeKind::Ended),
                count(ChangeKind::Denied)
            ),
            (2, 1, 1)
        );
        assert_eq!(changes.rows.len(), 4);
        assert!(changes.rows.windows(2).all(|pair| pair[0].at >= pair[1].at));
        let page = evidence::changes(wf, &auditor, None, before, after, None, 3)
            .await
            .unwrap();
        let rest = evidence::changes(wf, &auditor, None, before, after, page.next.as_ref(), 3)
            .await
            .unwrap();
        assert_eq!((page.rows.len(), rest.rows.len()), (3, 1));
        for n in [JOHAN, OPERATOR, HR, ADMIN, STRANGER] {
            let viewer = house.viewer(n).await;
            assert!(matches!(
                evidence::load(wf, &viewer).await,
                Err(Error::Forbidden)
            ));
            assert!(matches!(
                evidence::population(wf, &viewer, app, during, None, 1).await,
                Err(Error::Forbidden)
            ));
            assert!(matches!(
                evidence::changes(wf, &viewer, None, before, after, None, 1).await,
                Err(Error::Forbidden)
            ));
        }
        assert_eq!(
            evidence::load(wf, &house.viewer(ELIN).await)
                .await
                .unwrap()
                .applications
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn what_waits_for_a_second_person() {
    for house in worlds().await {
        let wf = &house.workflow;
        let now = house.now_literal();
        let hold = house.id(Uuid::from_u128(0xb01d));
        house.raw(&format!("INSERT INTO holds (id, kind, state, placed_at, counted, allowed) VALUES ({hold}, 'mass_leave', 'waiting', {now}, 2, 1)")).await.unwrap();
        for n in [JOHAN, HR] {
            house.raw(&format!("INSERT INTO hold_people (hold_id, person_id, account_id, cause) VALUES ({hold}, {}, {}, 'disabled')",
                house.id(person(n).0), house.id(account(n).0))).await.unwrap();
        }
        let admin = holds::load(wf, &house.viewer(ADMIN).await).await.unwrap();
        assert!(admin.holds[0].may_decide);
        assert_eq!(admin.holds[0].people.len(), 2);
        let hr = holds::load(wf, &house.viewer(HR).await).await.unwrap();
        assert!(!hr.holds[0].may_decide, "they are among them");
        assert!(matches!(
            holds::load(wf, &house.viewer(JOHAN).await).await,
            Err(Error::Forbidden)
        ));

        house.raw(&format!("INSERT INTO catalogue_versions (id, number, state, drafted_by, file_hash, content, difference, widens, created_at)
            VALUES ({}, 2, 'pending', {}, 'y', '{{}}', '{{\"changes\":[]}}', TRUE, {now})", house.id(Uuid::from_u128(0x7001)), house.id(person(ADMIN).0))).await.unwrap();
        let drafter = versions::load(wf, &house.viewer(ADMIN).await, None)
            .await
            .unwrap();
        assert_eq!((drafter.versions.len(), drafter.versions[0].number), (2, 2));
        assert!(
            !drafter.versions[0].may_decide,
            "whoever drafts does not confirm"
        );
        let edition = Uuid::from_u128(0x7002);
        house.raw(&format!("INSERT INTO catalogue_versions (id, number, state, drafted_by, file_hash, content, difference, widens, created_at)
            VALUES ({}, 3, 'pending', {}, 'z', '{{}}', '{{\"changes\":[]}}', TRUE, {now})", house.id(edition), house.id(person(JOHAN).0))).await.unwrap();
        let one = versions::one(wf, &house.viewer(ADMIN).await, edition.into())
            .await
            .unwrap();
        assert!(one.may_decide && one.difference.is_empty());
        assert!(
            !versions::one(wf, &house.viewer(AUDITOR).await, one.id)
                .await
                .unwrap()
                .may_decide
        );
        assert!(matches!(
            versions::load(wf, &house.viewer(OPERATOR).await, None).await,
            Err(Error::Forbidden)
        ));
    }
}
