//! What is shown before access is taken away, held back or given back; why something is held; the kill switch.

use chrono::Duration;
use domain::{
    Refusal,
    grant::{GrantSource, SuspendCause},
    hands::ActBar,
};
use workflow::{
    Error, grants,
    kill_switch::{self, Holdings},
    views::{
        access,
        change::{self, Act},
        kill_switch as switch, owned, person as page, renewals, team,
        why::{self, About},
    },
};

use crate::{
    support::{ASTRID, ELIN, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, person},
    world::{ADMIN, AUDITOR, HR, OPERATOR, STRANGER, answers, approved, worlds},
};

const WHY: &str = "Not needed for this work";

#[tokio::test]
async fn what_goes_and_what_stays_is_shown_before() {
    for house in worlds().await {
        let request = approved(&house, "a").await;
        let grant = house.grant_of(house.line(request).await.id).await;
        let wf = &house.workflow;
        let astrid = house.viewer(ASTRID).await;
        let ids = [grant.id];
        let change = change::load(wf, &astrid, Act::TakeAway, &ids, true)
            .await
            .unwrap();
        let effect = &change.effects[0];
        assert_eq!(
            (effect.person.id, effect.falls(), change.left),
            (person(JOHAN), 1, 0)
        );
        // Found at the target as well: then it stays.
        let found = house.import(JOHAN, house.entitlement).await;
        let change = change::load(wf, &astrid, Act::TakeAway, &ids, true)
            .await
            .unwrap();
        let effect = &change.effects[0];
        assert_eq!(effect.falls(), 0);
        assert_eq!(effect.rights[0].remains[0].source, GrantSource::Import);
        // Both together: nothing stays; each alone: the other keeps it.
        let both = [grant.id, found];
        for (together, falls) in [(true, 1), (false, 0)] {
            let elin = house.viewer(ELIN).await;
            let change = change::load(wf, &elin, Act::TakeAway, &both, together)
                .await
                .unwrap();
            assert!(change.effects.iter().all(|one| one.falls() == falls));
        }
    }
}

#[tokio::test]
async fn who_has_no_hand_in_it_sees_nothing_of_it() {
    for house in worlds().await {
        let request = approved(&house, "a").await;
        let grant = house.grant_of(house.line(request).await.id).await;
        let wf = &house.workflow;
        for n in [STRANGER, MAYA, AUDITOR, OPERATOR, ADMIN, HR] {
            let viewer = house.viewer(n).await;
            let acts: &[Act] = if n == HR { &[Act::TakeAway] } else { Act::ALL };
            for act in acts {
                let seen = change::load(wf, &viewer, *act, &[grant.id], true).await;
                assert!(matches!(seen, Err(Error::Missing)), "{n} {act}: {seen:?}");
            }
        }
        let johan = house.viewer(JOHAN).await;
        let own = change::load(wf, &johan, Act::TakeAway, &[grant.id], true).await;
        assert_eq!(
            own.unwrap_err().refusals(),
            [Refusal::MayNotAct { why: ActBar::Own }]
        );
        let astrid = house.viewer(ASTRID).await;
        for act in [Act::HoldBack, Act::LetGoOn] {
            let seen = change::load(wf, &astrid, act, &[grant.id], true).await;
            assert!(matches!(seen, Err(Error::Missing)), "{act}: {seen:?}");
        }
        for (n, act) in [(OLLE, Act::TakeAway), (HR, Act::HoldBack)] {
            let viewer = house.viewer(n).await;
            change::load(wf, &viewer, act, &[grant.id], true)
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn pages_offer_what_may_be_done_and_say_what_was() {
    for house in worlds().await {
        let request = approved(&house, "a").await;
        let grant = house.grant_of(house.line(request).await.id).await;
        let wf = &house.workflow;
        let offers = async |n: u128| {
            let viewer = house.viewer(n).await;
            let page = page::load(wf, &viewer, person(JOHAN)).await.unwrap();
            let marks = &page.held[0].marks;
            (
                marks.may_take_away,
                marks.may_hold_back,
                marks.may_let_go_on,
                page.may_stop,
            )
        };
        assert_eq!(offers(ASTRID).await, (true, false, false, false));
        assert_eq!(offers(KARIN).await, (true, false, false, false));
        assert_eq!(offers(ELIN).await, (true, true, false, true));
        assert_eq!(offers(HR).await, (false, true, false, false));
        for n in [JOHAN, AUDITOR, OPERATOR] {
            assert_eq!(offers(n).await, (false, false, false, false), "{n}");
        }
        let elin = house.viewer(ELIN).await;
        grants::suspend(wf, &elin, &[grant.id], WHY).await.unwrap();
        assert_eq!(offers(ELIN).await, (true, false, true, true));
        assert_eq!(offers(HR).await, (false, false, false, false));
        let view = access::load(wf, &house.viewer(JOHAN).await).await.unwrap();
        let mine = &view.held[0];
        let held = mine.marks.held_back.as_ref().unwrap();
        assert_eq!(
            (held.note.as_str(), held.cause),
            (WHY, SuspendCause::Security)
        );
        assert!(!mine.may_extend && mine.may_give_back);
        let holders = owned::holders(wf, &house.viewer(OLLE).await, house.package, None)
            .await
            .unwrap();
        assert!(holders.may_take_away && !holders.may_hold_back);
        let astrid = house.viewer(ASTRID).await;
        assert!(team::load(wf, &astrid, None).await.unwrap().may_take_away);
    }
}

#[tokio::test]
async fn why_something_is_held_says_every_way_and_what_would_remain() {
    for house in worlds().await {
        let request = approved(&house, "a").await;
        let grant = house.grant_of(house.line(request).await.id).await;
        answers(&house, JOHAN, "present").await;
        let wf = &house.workflow;
        let johan = house.viewer(JOHAN).await;
        let about = About::Right(house.entitlement);
        let page = why::load(wf, &johan, about).await.unwrap();
        assert!(page.me && page.may_open_requests);
        let way = &page.rights[0].ways[0];
        assert!(way.covers && way.remains.is_empty());
        assert_eq!(way.grant.why.as_ref().unwrap().approvers.len(), 2);

        house.import(JOHAN, house.entitlement).await;
        let page = why::load(wf, &johan, about).await.unwrap();
        let ways = &page.rights[0].ways;
        assert_eq!(ways.len(), 2);
        assert_eq!(ways[0].remains, ["sg-prod-orders-ro"]);
        assert_eq!(ways[1].remains, ["Production database, read"]);
        let assignment = page.rights[0].right.at_target.as_ref().unwrap().assignment;

        // What is held back opens nothing and keeps nothing.
        let elin = house.viewer(ELIN).await;
        grants::suspend(wf, &elin, &[grant.id], WHY).await.unwrap();
        let page = why::load(wf, &johan, about).await.unwrap();
        let ways = &page.rights[0].ways;
        assert!(!ways[0].covers && ways[1].remains.is_empty());

        for about in [About::Assignment(assignment), About::Grant(grant.id)] {
            for n in [JOHAN, ASTRID, KARIN, OLLE, ELIN, AUDITOR] {
                let viewer = house.viewer(n).await;
                let page = why::load(wf, &viewer, about).await.unwrap();
                assert_eq!(page.person.id, person(JOHAN), "{n}");
                assert_eq!(page.may_open_requests, n != OLLE, "{n}");
            }
            for n in [STRANGER, MAYA, OPERATOR, HR, ADMIN] {
                let viewer = house.viewer(n).await;
                let seen = why::load(wf, &viewer, about).await;
                assert!(matches!(seen, Err(Error::Missing)), "{n}: {seen:?}");
            }
        }
        // Of the right alone one sees one's own.
        let maya = house.viewer(MAYA).await;
        let seen = why::load(wf, &maya, About::Right(house.entitlement)).await;
        assert!(matches!(seen, Err(Error::Missing)), "{seen:?}");
    }
}

#[tokio::test]
async fn what_may_be_given_back_and_renewed_is_listed() {
    for house in worlds().await {
        approved(&house, "a").await;
        house.import(JOHAN, house.entitlement).await;
        let wf = &house.workflow;
        let johan = house.viewer(JOHAN).await;
        let back = change::returning(wf, &johan).await.unwrap();
        assert_eq!(back.effects.len(), 1);
        assert_eq!(back.effects[0].falls(), 0, "what was found keeps it");
        let soon = renewals::load(wf, &johan).await.unwrap();
        let item = &soon.items[0];
        assert_eq!(soon.items.len(), 1);
        assert_eq!(item.more_seconds, 8 * 3600);
        assert_eq!(
            item.until,
            item.grant.end.at().map(|end| end + Duration::hours(8))
        );
        house.more(JOHAN, item.grant.id, 4, "more").await.unwrap();
        assert!(renewals::load(wf, &johan).await.unwrap().items.is_empty());
        let maya = house.viewer(MAYA).await;
        assert!(renewals::load(wf, &maya).await.unwrap().items.is_empty());
        assert!(
            change::returning(wf, &maya)
                .await
                .unwrap()
                .effects
                .is_empty()
        );
    }
}

#[tokio::test]
async fn the_kill_switch_says_its_effect_in_numbers_before_and_as_it_runs() {
    for house in worlds().await {
        approved(&house, "a").await;
        answers(&house, JOHAN, "present").await;
        house.ask(MAYA, hours(8), "m").await.unwrap();
        let wf = &house.workflow;
        for n in [JOHAN, ASTRID, STRANGER, AUDITOR, OPERATOR, HR, ADMIN] {
            let viewer = house.viewer(n).await;
            let seen = switch::load(wf, &viewer, person(JOHAN)).await;
            assert!(matches!(seen, Err(Error::Forbidden)), "{n}: {seen:?}");
        }
        let elin = house.viewer(ELIN).await;
        let before = switch::load(wf, &elin, person(JOHAN)).await.unwrap();
        let reach = before.reach;
        assert_eq!(
            (reach.grants, reach.rights, reach.targets, reach.waiting),
            (1, 1, 1, 0)
        );
        let astrids = switch::load(wf, &elin, person(ASTRID)).await.unwrap();
        assert_eq!(astrids.reach.seats, 1);
        assert!(before.stopped.is_none() && !before.me);
        let mine = switch::load(wf, &elin, person(ELIN)).await.unwrap();
        assert!(mine.me);

        kill_switch::stop(wf, &elin, person(JOHAN), Holdings::HeldBack, WHY)
            .await
            .unwrap();
        let tomas = house.viewer(TOMAS).await;
        let running = switch::load(wf, &tomas, person(JOHAN)).await.unwrap();
        let stopped = running.stopped.unwrap();
        assert_eq!((stopped.wanted, stopped.removed, stopped.gone), (1, 0, 0));
        assert_eq!(stopped.by.id, person(ELIN));
        assert_eq!(running.reach.rights, 0);
        house.pass(Duration::seconds(1)).await;
        answers(&house, JOHAN, "absent").await;
        let done = switch::load(wf, &tomas, person(JOHAN)).await.unwrap();
        let stopped = done.stopped.unwrap();
        assert_eq!((stopped.wanted, stopped.removed, stopped.gone), (1, 1, 1));
        let page = page::load(wf, &tomas, person(JOHAN)).await.unwrap();
        assert_eq!(page.stopped.unwrap().note, WHY);
    }
}
