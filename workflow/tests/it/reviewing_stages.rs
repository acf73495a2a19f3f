//! Reviews in stages and the second look, on both engines.

use chrono::Duration;
use domain::{
    CampaignId, GrantId, PersonId, Refusal,
    certification::{
        Answer, CampaignState, Enforce, ItemState, LaterStage, Passes, ReviewerBar, ReviewerRule,
        Silence, draw,
    },
    grant::{EndReason, GrantState},
};
use sha2::{Digest, Sha256};
use store::certification::CampaignItemRow;
use workflow::{
    Error,
    reviews::{self, Draft},
    views,
};

use crate::{
    reviewing::{about, campaign, decide, draft, held, items, refused, sign_off, started},
    support::{ASTRID, ELIN, House, JOHAN, KARIN, OLLE, TOMAS, person},
};

/// A stage of three days after the four of the first.
fn then(reviewers: ReviewerRule) -> Vec<LaterStage> {
    vec![LaterStage {
        reviewers,
        named: None,
        days: 3,
    }]
}

/// Managers, and security after them.
fn two() -> Draft {
    Draft {
        later: then(ReviewerRule::Security),
        ..draft()
    }
}

/// Which of these is somebody.
fn which(of: &[u128], id: Option<PersonId>) -> u128 {
    *of.iter()
        .find(|n| Some(person(**n)) == id)
        .unwrap_or_else(|| panic!("it is with one of {of:?}: {id:?}"))
}

async fn say(house: &House, id: CampaignId, grant: GrantId, n: u128, answer: Answer) {
    let item = about(house, id, grant).await;
    decide(house, n, &item, answer).await.unwrap();
}

/// The rules of stages hold around the application.
async fn not_around(house: &House, item: &CampaignItemRow) {
    let (id, holder) = (house.id(item.id.0), house.id(item.person_id.0));
    for change in [
        format!("UPDATE campaign_items SET stage = 1 WHERE id = {id}"),
        format!("UPDATE campaign_items SET stage = 3 WHERE id = {id}"),
        format!("UPDATE campaign_items SET stood = TRUE WHERE id = {id}"),
        "UPDATE campaigns SET stage = 1 WHERE stage = 2".into(),
        "UPDATE campaigns SET stage = 3 WHERE stage = 2".into(),
        "UPDATE campaigns SET later = '[]'".into(),
        "UPDATE campaigns SET passes = 'all'".into(),
        "UPDATE campaigns SET second_look = 7".into(),
        "UPDATE campaign_answers SET reason = 'another'".into(),
        "DELETE FROM campaign_answers".into(),
        // What nobody said, and in the name of whoever holds it.
        format!(
            "INSERT INTO campaign_answers (item_id, stage, campaign_id, reason, by_id, answer, at, together)
             SELECT id, 2, campaign_id, '', {holder}, 'keep', decided_at, FALSE FROM campaign_items WHERE id = {id}"
        ),
        // A stage that is over is not opened again.
        "UPDATE campaign_items SET state = 'open', answer = NULL, decided_by = NULL, decided_at = NULL, enforce_at = NULL
           WHERE stage = 1 AND state = 'decided'"
            .into(),
    ] {
        let result = house.raw(&change).await;
        assert!(
            matches!(result, Err(store::Error::Conflict(_))),
            "{:?}: {change}: {result:?}",
            house.engine
        );
    }
}

#[tokio::test]
async fn what_was_kept_or_not_answered_goes_on_and_the_last_stage_decides() {
    for (house, [johan, maya, found]) in held().await {
        let at_close = Draft {
            enforce: Enforce::AtClose,
            ..two()
        };
        let id = started(&house, &at_close).await;
        let row = campaign(&house, id).await;
        let begun = row.started_at.unwrap();
        assert_eq!(row.due_at, Some(begun + Duration::days(4)));
        say(&house, id, johan, ASTRID, Answer::Keep).await;
        say(&house, id, maya, ASTRID, Answer::Revoke).await;
        house.pass(Duration::days(4) + Duration::seconds(1)).await;

        let row = campaign(&house, id).await;
        assert_eq!((row.state, row.stage), (CampaignState::Running, 2));
        assert!(row.due_at > Some(begun + Duration::days(7)));
        // What was said no to is decided; nobody is asked again.
        let no = about(&house, id, maya).await;
        assert_eq!((no.stage, no.state), (1, ItemState::Decided));
        let security = [ELIN, TOMAS];
        for grant in [johan, found] {
            let item = about(&house, id, grant).await;
            assert_eq!((item.stage, item.state), (2, ItemState::Open));
            which(&security, item.reviewer_id);
        }
        let item = about(&house, id, johan).await;
        not_around(&house, &item).await;

        // Whoever is asked now sees what was said; whoever said it reads it still, and changes nothing.
        let n = which(&security, item.reviewer_id);
        let page = views::reviews::item(&house.workflow, &house.viewer(n).await, item.id)
            .await
            .unwrap();
        let [said] = &page.item.said[..] else {
            panic!("one stage is over: {:?}", page.item.said);
        };
        assert_eq!((said.stage, said.answer), (1, Some(Answer::Keep)));
        assert!(said.by.is_some() && page.may_answer);
        let astrid = house.viewer(ASTRID).await;
        let page = views::reviews::item(&house.workflow, &astrid, item.id)
            .await
            .unwrap();
        assert!(!page.may_answer && !page.may_undo);
        let list = views::reviews::worklist(&house.workflow, &astrid, id, false, false, None)
            .await
            .unwrap();
        assert_eq!((list.items.len(), list.open, list.answered), (2, 0, 2));
        let late = decide(&house, ASTRID, &item, Answer::Revoke).await;
        assert!(matches!(late, Err(Error::Missing)));
        let undone = reviews::undo(&house.workflow, &astrid, no.id, no.version).await;
        assert!(matches!(refused(undone), Refusal::WrongState { .. }));

        decide(&house, n, &item, Answer::Revoke).await.unwrap();
        house.pass(Duration::days(3)).await;
        assert_eq!(campaign(&house, id).await.state, CampaignState::Closed);
        let ended = house.grant(johan).await;
        assert_eq!(ended.ended_by, Some(person(n)));
        let ended = house.grant(maya).await;
        assert_eq!(ended.ended_by, Some(person(ASTRID)));
        let silent = about(&house, id, found).await;
        assert_eq!(
            (silent.state, silent.answer),
            (ItemState::Defaulted, Some(Answer::Revoke))
        );
        // Elin made it, so Tomas signs it off; the report says what each stage said and is what its hash says.
        sign_off(&house, TOMAS, id, true).await.unwrap();
        let tomas = house.viewer(TOMAS).await;
        let (text, _) = views::reviews::json_lines(&house.workflow, &tomas, id, None)
            .await
            .unwrap();
        let hash = campaign(&house, id).await.report_hash.unwrap();
        assert_eq!(format!("{:x}", Sha256::digest(&text)), hash);
        assert!(text.contains("\"goes_on\":\"kept\""), "{text}");
        assert_eq!(text.matches("\"stages\":[{\"stage\":1,").count(), 2);
        assert!(text.contains("\"answer\":\"keep\""), "{text}");
    }
}

#[tokio::test]
async fn nothing_stays_by_silence_against_what_a_stage_said() {
    for (house, [johan, maya, found]) in held().await {
        let quiet = Draft {
            passes: Passes::All,
            silence: Silence::Keep,
            ..two()
        };
        let id = started(&house, &quiet).await;
        say(&house, id, johan, ASTRID, Answer::Revoke).await;
        say(&house, id, maya, ASTRID, Answer::Keep).await;
        say(&house, id, found, ASTRID, Answer::Shorten).await;
        // It takes no effect before the last stage was asked.
        house.pass(Duration::days(2)).await;
        assert_eq!(house.grant(johan).await.state, GrantState::Active);
        let asked = about(&house, id, johan).await;
        assert_eq!((asked.stage, asked.state), (2, ItemState::Open));
        let until = about(&house, id, found).await;
        assert_eq!(until.until_at, None);

        house.pass(Duration::days(4)).await;
        let stood = about(&house, id, johan).await;
        assert_eq!(
            (stood.state, stood.answer, stood.decided_by, stood.stood),
            (
                ItemState::Decided,
                Some(Answer::Revoke),
                Some(person(ASTRID)),
                true
            )
        );
        assert_eq!(house.grant(johan).await.end_reason, Some(EndReason::Review));
        let shorter = about(&house, id, found).await;
        assert_eq!(
            (shorter.answer, shorter.stood),
            (Some(Answer::Shorten), true)
        );
        // A yes that the last stage said nothing to is what silence means here: kept, and not reviewed.
        let kept = about(&house, id, maya).await;
        assert_eq!(
            (kept.state, kept.answer),
            (ItemState::Defaulted, Some(Answer::Keep))
        );
        assert_eq!(house.grant(maya).await.state, GrantState::Active);
    }
}

#[tokio::test]
async fn a_stage_is_over_a_day_after_its_last_answer_unless_that_is_taken_back() {
    for (house, [johan, maya, found]) in held().await {
        let id = started(&house, &two()).await;
        for grant in [johan, maya, found] {
            say(&house, id, grant, ASTRID, Answer::Keep).await;
        }
        house.pass(Duration::hours(20)).await;
        let item = about(&house, id, johan).await;
        let astrid = house.viewer(ASTRID).await;
        reviews::undo(&house.workflow, &astrid, item.id, item.version)
            .await
            .unwrap();
        house.pass(Duration::hours(10)).await;
        assert_eq!(campaign(&house, id).await.stage, 1);
        say(&house, id, johan, ASTRID, Answer::Keep).await;
        house.pass(Duration::hours(23)).await;
        assert_eq!(campaign(&house, id).await.stage, 1);
        house.pass(Duration::hours(2)).await;
        let row = campaign(&house, id).await;
        assert_eq!(row.stage, 2);
        for item in items(&house, id).await {
            assert_eq!((item.stage, item.state), (2, ItemState::Open));
        }
        // Security need not wait where everything is said.
        for item in items(&house, id).await {
            let n = which(&[ELIN, TOMAS], item.reviewer_id);
            decide(&house, n, &item, Answer::Keep).await.unwrap();
        }
        let tomas = house.viewer(TOMAS).await;
        let closed = reviews::close(&house.workflow, &tomas, id).await.unwrap();
        assert!(closed);
        assert_eq!(campaign(&house, id).await.state, CampaignState::Closed);
    }
}

#[tokio::test]
async fn each_stage_asks_somebody_else_and_never_the_holder() {
    for (house, [johan, maya, _]) in held().await {
        let three = Draft {
            days: 9,
            named: Some(person(JOHAN)),
            later: [ReviewerRule::Manager, ReviewerRule::Named]
                .into_iter()
                .flat_map(then)
                .collect(),
            ..draft()
        };
        let id = started(&house, &three).await;
        let elin = house.viewer(ELIN).await;
        // Nothing goes on while something is open.
        let early = refused(reviews::close(&house.workflow, &elin, id).await.map(drop));
        assert_eq!(early, Refusal::StillOpen { open: 3 });
        for item in items(&house, id).await {
            decide(&house, ASTRID, &item, Answer::Keep).await.unwrap();
        }
        let closed = reviews::close(&house.workflow, &elin, id).await.unwrap();
        assert!(!closed);
        let second = about(&house, id, maya).await;
        assert_eq!(second.stage, 2);
        assert_eq!(second.reviewer_id, Some(person(KARIN)));
        // Nor by handing it back to whoever was asked.
        let karin = house.viewer(KARIN).await;
        let back = Some(person(ASTRID));
        let handed = reviews::hand_on(&house.workflow, &karin, second.id, back, "").await;
        let why = ReviewerBar::Answered;
        assert_eq!(refused(handed), Refusal::ReviewBarred { why });
        for item in items(&house, id).await {
            decide(&house, KARIN, &item, Answer::Keep).await.unwrap();
        }
        reviews::close(&house.workflow, &elin, id).await.unwrap();
        assert_eq!(campaign(&house, id).await.stage, 3);
        let third = about(&house, id, maya).await;
        assert_eq!(third.reviewer_id, Some(person(JOHAN)));
        for item in items(&house, id).await {
            assert_ne!(item.reviewer_id, Some(item.person_id));
            let asked = [Some(person(ASTRID)), Some(person(KARIN))];
            assert!(!asked.contains(&item.reviewer_id), "{item:?}");
        }
        let own = about(&house, id, johan).await;
        which(&[OLLE, ELIN, TOMAS], own.reviewer_id);
    }
}

#[tokio::test]
async fn a_draft_says_who_would_get_how_much_in_each_stage_and_its_days_fit() {
    for (house, _) in held().await {
        let elin = house.viewer(ELIN).await;
        let id = reviews::make(&house.workflow, &elin, reviews::Template::Everything)
            .await
            .unwrap();
        for (days, field) in [(0, "days_2"), (7, "days_2"), (-1, "days_2")] {
            let bad = Draft {
                later: vec![LaterStage {
                    days,
                    ..then(ReviewerRule::Security).remove(0)
                }],
                ..draft()
            };
            let result = reviews::save(&house.workflow, &elin, id, &bad).await;
            let Refusal::OutOfRange { field: at, .. } = refused(result.map(|_| ())) else {
                panic!("{days} days do not fit");
            };
            assert_eq!(at, field);
        }
        let nobody = Draft {
            later: then(ReviewerRule::Named),
            ..draft()
        };
        let result = reviews::save(&house.workflow, &elin, id, &nobody).await;
        assert!(matches!(
            refused(result.map(|_| ())),
            Refusal::ReviewBarred { .. }
        ));
        reviews::save(&house.workflow, &elin, id, &two())
            .await
            .unwrap();
        let page = views::reviews::campaign(&house.workflow, &elin, id)
            .await
            .unwrap();
        let preview = page.preview.unwrap();
        let of = |stage: usize| -> u32 { preview.shares[stage].iter().map(|one| one.items).sum() };
        assert_eq!((preview.shares.len(), of(0), of(1)), (2, 3, 3));
        assert_eq!(page.settings.stages[0].days, 4);
    }
}

#[tokio::test]
async fn a_second_look_is_drawn_by_lot_and_only_takes_away() {
    for (house, grants) in held().await {
        let looks = Draft {
            second_look: 50,
            ..draft()
        };
        let id = started(&house, &looks).await;
        for grant in grants {
            say(&house, id, grant, ASTRID, Answer::Keep).await;
        }
        let elin = house.viewer(ELIN).await;
        reviews::close(&house.workflow, &elin, id).await.unwrap();
        let row = campaign(&house, id).await;
        assert_eq!((row.state, row.stage), (CampaignState::Running, 2));

        // Whoever has the report draws the same.
        let hash = row.population_hash.clone().unwrap();
        let lots = grants
            .iter()
            .map(|grant| (Sha256::digest(format!("{hash}|{grant}")).into(), *grant))
            .collect();
        let drawn: Vec<GrantId> = draw(50, lots);
        assert_eq!(drawn.len(), 2);
        for grant in grants {
            let item = about(&house, id, grant).await;
            let again = drawn.contains(&grant);
            assert_eq!(item.state == ItemState::Open, again, "{item:?}");
        }
        let item = about(&house, id, drawn[0]).await;
        let n = which(&[ELIN, TOMAS], item.reviewer_id);
        let viewer = house.viewer(n).await;
        for (to, why) in [
            (ASTRID, ReviewerBar::Answered),
            (OLLE, ReviewerBar::NotSecurity),
        ] {
            let to = Some(person(to));
            let handed = reviews::hand_on(&house.workflow, &viewer, item.id, to, "").await;
            assert_eq!(refused(handed), Refusal::ReviewBarred { why });
        }
        decide(&house, n, &item, Answer::Revoke).await.unwrap();
        house.pass(Duration::days(6)).await;
        assert_eq!(campaign(&house, id).await.state, CampaignState::Closed);
        let gone = house.grant(drawn[0]).await;
        assert_eq!(
            (gone.end_reason, gone.ended_by),
            (Some(EndReason::Review), Some(person(n)))
        );
        // Nobody looked at the other: the first answer stands, and the report says so.
        let other = about(&house, id, drawn[1]).await;
        assert_eq!(
            (other.answer, other.decided_by, other.stood),
            (Some(Answer::Keep), Some(person(ASTRID)), true)
        );
        assert_eq!(house.grant(drawn[1]).await.state, GrantState::Active);
        let page = views::reviews::campaign(&house.workflow, &elin, id)
            .await
            .unwrap();
        let looked = page.looked.unwrap();
        assert_eq!(
            (looked.drawn, looked.done, looked.differed, looked.stood),
            (2, 1, 1, 1)
        );
        assert!(page.must_acknowledge);
        sign_off(&house, TOMAS, id, true).await.unwrap();
        let tomas = house.viewer(TOMAS).await;
        let (text, _) = views::reviews::json_lines(&house.workflow, &tomas, id, None)
            .await
            .unwrap();
        assert!(text.contains("\"drawn\":2"), "{text}");
        assert!(text.contains("\"stood\":true"), "{text}");
    }
}

#[tokio::test]
async fn where_nothing_was_kept_nothing_goes_on() {
    for (house, grants) in held().await {
        let looks = Draft {
            second_look: 100,
            ..two()
        };
        let id = started(&house, &looks).await;
        for grant in grants {
            say(&house, id, grant, ASTRID, Answer::Revoke).await;
        }
        house.pass(Duration::hours(25)).await;
        let row = campaign(&house, id).await;
        assert_eq!((row.state, row.stage), (CampaignState::Closed, 1));
        for grant in grants {
            assert_eq!(house.grant(grant).await.end_reason, Some(EndReason::Review));
        }
    }
}

#[tokio::test]
async fn a_reviewer_of_a_later_stage_who_leaves_is_replaced_by_its_rule() {
    for (house, [johan, maya, _]) in held().await {
        let id = started(&house, &two()).await;
        say(&house, id, johan, ASTRID, Answer::Revoke).await;
        house.pass(Duration::days(4) + Duration::seconds(1)).await;
        // What is decided takes effect while the next stage is asked about the rest.
        assert_eq!(house.grant(johan).await.end_reason, Some(EndReason::Review));
        assert_eq!(campaign(&house, id).await.state, CampaignState::Running);
        let item = about(&house, id, maya).await;
        let n = which(&[ELIN, TOMAS], item.reviewer_id);
        let mut unit = house.workflow.unit().await.unwrap();
        let actor = domain::audit::Actor::Portal;
        workflow::leave::leave(&mut unit, person(n), actor, "test")
            .await
            .unwrap();
        unit.commit().await.unwrap();
        let item = about(&house, id, maya).await;
        assert_eq!(item.stage, 2);
        assert_eq!(
            which(&[ELIN, TOMAS], item.reviewer_id),
            if n == ELIN { TOMAS } else { ELIN }
        );
    }
}
