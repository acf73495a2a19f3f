//! Certification campaigns: drafted, frozen, answered, closed and sealed.

use domain::{
    ActId, CampaignId, ItemId,
    certification::{
        Act, Answer, CampaignState, Cause, Enforce, ItemState, Passes, Reasons, ReviewerRule,
        Scope, Silence, Suggestion, Via, VoidCause,
    },
    grant::{GrantSource, GrantState},
};
use store::{
    certification::{
        CampaignItemRow, CampaignRow, Decided, FrozenListingRow, NewAct, SmallReviewRow,
    },
    grants::GrantRow,
};

use crate::{
    company::{account, application, at, entitlement, grant, package, person, target, uuid},
    script::{Script, ask, say},
};

fn campaign(n: u128) -> CampaignId {
    CampaignId(uuid(0x1100 + n))
}

fn item(n: u128) -> ItemId {
    ItemId(uuid(0x1200 + n))
}

fn draft(n: u128) -> CampaignRow {
    CampaignRow {
        id: campaign(n),
        number: i64::try_from(n).unwrap(),
        name: format!("Review {n}"),
        state: CampaignState::Draft,
        scope: "{}".into(),
        reviewers: ReviewerRule::Manager,
        named_id: Some(person(5)),
        silence: Silence::Revoke,
        reasons: Reasons::Removals,
        enforce: Enforce::AtOnce,
        most_each: Some(100),
        days: 14,
        later: r#"[{"reviewers":"security","named":null,"days":5}]"#.into(),
        passes: Passes::All,
        second_look: 10,
        stage: 1,
        repeat_months: 3,
        previous_id: (n > 1).then(|| campaign(1)),
        made_by: Some(person(6)),
        made_at: at(200),
        started_by: None,
        started_at: None,
        due_at: None,
        escalated_at: None,
        population: 0,
        population_hash: None,
        closed_at: None,
        signed_by: None,
        signed_at: None,
        sign_note: String::new(),
        report_hash: None,
        version: 0,
    }
}

fn held(n: u128, holder: u128) -> GrantRow {
    GrantRow {
        id: grant(n),
        person_id: person(holder),
        account_id: account(holder),
        package_id: None,
        package_version_id: None,
        line_id: None,
        source: GrantSource::Import,
        state: GrantState::Active,
        valid_from: at(100),
        end_at: None,
        ready_at: Some(at(100)),
        ended_at: None,
        end_reason: None,
        ended_by: None,
        end_note: None,
        gone_at: None,
        version: 0,
        created_at: at(100),
    }
}

fn frozen(n: u128, holder: u128, reviewer: u128) -> CampaignItemRow {
    CampaignItemRow {
        id: item(n),
        campaign_id: campaign(1),
        grant_id: grant(0x50 + n),
        person_id: person(holder),
        account_id: account(holder),
        package_id: None,
        right_name: format!("right {n}"),
        source: GrantSource::Import,
        privileged: n == 1,
        control_scope: (n == 1).then(|| "SOX".into()),
        valid_from: at(100),
        end_at: None,
        peers_holding: Some(1),
        peers: Some(4),
        suggestion: Suggestion::Look,
        why: "{\"why\":\"found\"}".into(),
        reviewer_id: Some(person(reviewer)),
        via: Some(Via::Manager),
        stage: 1,
        state: ItemState::Open,
        answer: None,
        until_at: None,
        reason: String::new(),
        decided_by: None,
        decided_at: None,
        together: false,
        stood: false,
        void_cause: None,
        enforce_at: None,
        enforced_at: None,
        proof: None,
        proof_at: None,
        question: String::new(),
        reply: String::new(),
        version: 0,
    }
}

fn done(n: u128, act: Act, by: u128) -> NewAct {
    NewAct {
        id: ActId(uuid(0x1300 + n)),
        campaign: campaign(1),
        item: item(1),
        act,
        by: Some(person(by)),
        to: None,
        note: "looked".into(),
        at: at(230),
    }
}

pub async fn play(script: &mut Script) {
    for n in 1..=3 {
        say!(
            script,
            insert_grant(&held(0x50 + n, 2 + n), &[entitlement(1)])
        );
    }
    drafts(script).await;
    say!(script, insert_items(&[frozen(1, 3, 3)]));
    let items = [frozen(1, 3, 2), frozen(2, 4, 2), frozen(3, 5, 1)];
    say!(script, insert_items(&items));
    listings(script).await;
    small(script).await;
    say!(script, freeze_targets(campaign(1)));
    say!(script, decide_item(item(1), 0, &revoked()));
    say!(
        script,
        start_campaign(campaign(1), Some(person(6)), at(210), at(400), 3, "abc")
    );
    say!(script, insert_items(&[frozen(4, 4, 2)]));
    say!(script, insert_listings(campaign(1), &[listing(2)]));
    say!(script, say_small_review(campaign(1), "another manager"));
    answers(script).await;
    stages(script).await;
    pages(script).await;
    ends(script).await;
}

fn happened(n: u128, subject: u128, at_second: i64) -> SmallReviewRow {
    SmallReviewRow {
        id: campaign(n),
        cause: Cause::Moved,
        subject_id: uuid(subject),
        person_id: Some(person(3)),
        named_id: Some(person(5)),
        said: "another department".into(),
        happened_at: at(at_second),
        over_at: None,
        privileged: false,
    }
}

/// What happened is noted once while it is not over.
async fn small(script: &mut Script) {
    say!(script, insert_small_review(&happened(1, 3, 206)));
    say!(script, insert_small_review(&happened(8, 3, 207)));
    say!(script, insert_small_review(&happened(9, 4, 207)));
    say!(script, say_small_review(campaign(9), "another manager"));
    ask!(script, small_review(campaign(1)));
    ask!(script, small_review_of(Cause::Moved, uuid(4)));
    ask!(script, open_in_small(campaign(1)));
    ask!(script, open_in_small(campaign(2)));
    say!(script, end_small_review(campaign(9), at(208)));
    say!(script, end_small_review(campaign(9), at(209)));
    ask!(script, small_review(campaign(9)));
    ask!(script, peers_under(&[person(1), person(2)]));
    ask!(script, breaches_of(&[person(3)]));
}

fn listing(n: u128) -> FrozenListingRow {
    FrozenListingRow {
        entitlement_id: entitlement(n),
        target_id: target(),
        covered: n == 1,
        scanned_at: (n == 1).then(|| at(190)),
        listed: (n == 1).then_some(4),
        believed: (n == 1).then_some(3),
        found: (n == 1).then_some(1),
        vanished: (n == 1).then_some(0),
        listing_hash: (n == 1).then(|| "abc".into()),
    }
}

async fn listings(script: &mut Script) {
    let narrow = Scope {
        application: Some(application(1)),
        package: Some(package(1)),
        entitlement: Some(entitlement(1)),
        privileged: true,
        control_scope: "SOX".into(),
        ..Scope::default()
    };
    for scope in [&Scope::default(), &narrow] {
        ask!(script, listings_in_scope(scope));
    }
    ask!(script, listings_of_items(campaign(1)));
    ask!(script, catalogue_rights(10));
    say!(script, insert_listings(campaign(1), &[listing(1)]));
    ask!(script, listings_of(campaign(1)));
}

/// Removals that are not confirmed, and that somebody is told of once.
async fn late(script: &mut Script) {
    ask!(script, next_late(campaign(1)));
    ask!(script, late_items(campaign(1), at(301), 10));
    ask!(script, late_items(campaign(1), at(302), 10));
    say!(script, insert_late(campaign(1), &[item(1)], at(400), true));
    say!(script, insert_late(campaign(1), &[item(1)], at(401), false));
    ask!(script, late_items(campaign(1), at(302), 10));
    ask!(script, late_told(campaign(1)));
    ask!(script, answered_in(campaign(1), person(2)));
}

async fn drafts(script: &mut Script) {
    say!(script, insert_campaign(&draft(1)));
    say!(script, insert_campaign(&draft(2)));
    let renamed = CampaignRow {
        name: "Quarter".into(),
        ..draft(1)
    };
    say!(script, update_draft(&renamed));
    say!(script, lock_campaign(campaign(1)));
    say!(script, hold_campaign(campaign(1)));
    ask!(script, campaign(campaign(1)));
    let all = Scope::default();
    let narrow = Scope {
        application: Some(application(1)),
        package: Some(package(1)),
        department: "Orders".into(),
        employee_type: "employee".into(),
        privileged: true,
        control_scope: "SOX".into(),
        source: Some(GrantSource::Request),
        person: Some(person(3)),
        entitlement: Some(entitlement(1)),
    };
    for scope in [&all, &narrow] {
        ask!(script, count_in_scope(scope, at(205)));
        ask!(script, held_in_scope(scope, at(205), None, 10));
    }
    ask!(script, held_in_scope(&all, at(205), Some(grant(0x51)), 10));
    ask!(script, peers());
    ask!(script, all_owners());
    ask!(script, standing_breaches());
    ask!(script, scope_words());
}

fn revoked() -> Decided {
    Decided {
        answer: Answer::Revoke,
        until_at: None,
        reason: "not needed".into(),
        by: person(2),
        at: at(220),
        together: false,
        enforce_at: Some(at(300)),
    }
}

async fn answers(script: &mut Script) {
    ask!(script, item(item(1)));
    ask!(script, items(&[item(1), item(2)]));
    ask!(
        script,
        items_of_campaign(campaign(1), Some(ItemState::Open), Some(item(1)), 5)
    );
    ask!(script, open_items_of(person(2)));
    say!(script, set_question(item(1), "still needed?", ""));
    ask!(script, questions_for(person(3)));
    say!(
        script,
        insert_acts(&[done(1, Act::NotSure, 2), done(2, Act::Answered, 3)])
    );
    say!(script, insert_acts(&[done(3, Act::Keep, 3)]));
    say!(
        script,
        give_items(&[item(3)], Some((person(6), Via::Security)))
    );
    // Somebody else's, another version, and then as it is.
    say!(script, decide_item(item(3), 1, &revoked()));
    say!(script, decide_item(item(1), 0, &revoked()));
    say!(script, decide_item(item(1), 1, &revoked()));
    say!(script, reopen_item(item(1), 2));
    say!(script, decide_item(item(1), 3, &revoked()));
    ask!(script, next_effect(campaign(1)));
    ask!(script, due_items(campaign(1), at(301), 5));
    say!(script, mark_enforced(&[item(1)], at(302)));
    say!(script, reopen_item(item(1), 5));
    say!(script, escalate_campaign(campaign(1), at(310), at(500)));
    say!(script, default_items(&[item(2)], Answer::Revoke, at(320)));
    say!(script, void_items_of_grants(&[grant(0x53)], at(321)));
    say!(
        script,
        void_items(&[item(3)], VoidCause::Cancelled, at(322))
    );
    say!(script, enforce_all(campaign(1), at(330)));
}

async fn stages(script: &mut Script) {
    let of = |n: u128, holder| CampaignItemRow {
        id: item(10 + n),
        campaign_id: campaign(3),
        ..frozen(n, holder, 2)
    };
    let said = |answer| Decided {
        answer,
        enforce_at: None,
        ..revoked()
    };
    let (id, grants) = (campaign(3), [grant(0x51), grant(0x52), grant(0x99)]);
    say!(script, insert_campaign(&draft(3)));
    say!(script, insert_items(&[of(1, 3), of(2, 4), of(3, 5)]));
    say!(
        script,
        start_campaign(id, Some(person(6)), at(210), at(400), 3, "abc")
    );
    ask!(script, last_answer(id, 1));
    say!(script, decide_item(item(11), 0, &said(Answer::Keep)));
    say!(script, decide_item(item(12), 0, &said(Answer::Revoke)));
    ask!(script, last_answer(id, 1));
    ask!(script, held_still(&grants, at(230)));
    // Not before the campaign asks the next stage, and not past one.
    let all = [item(11), item(12), item(13)];
    let to = Some((person(6), Via::Security));
    say!(script, pass_items_on(&all, to, at(400)));
    say!(script, advance_campaign(id, 2, at(500)));
    say!(script, advance_campaign(id, 1, at(500)));
    say!(script, advance_campaign(id, 1, at(500)));
    say!(script, pass_items_on(&all, to, at(400)));
    ask!(script, stage_answers(&all));
    ask!(script, items(&all));
    for who in [2, 6] {
        ask!(script, worklists_of(person(who)));
        ask!(script, reviews_in(id, person(who)));
        ask!(script, worklist(id, person(who), true, false, None, 10));
    }
    ask!(script, progress_of_reviewers(id, 10));
    // Where nobody said anything before, nothing stands.
    say!(script, stand_items(&[item(13)], at(500)));
    say!(script, stand_items(&[item(12)], at(500)));
    say!(script, reopen_item(item(12), 3));
    ask!(script, looked(id, 2));
    ask!(script, answers_given(id, 10));
    ask!(script, items(&all));
}

async fn pages(script: &mut Script) {
    ask!(script, tally(campaign(1)));
    ask!(script, progress_of_reviewers(campaign(1), 10));
    ask!(script, progress_of_departments(campaign(1), 10));
    ask!(script, worklists_of(person(2)));
    for by_right in [true, false] {
        ask!(
            script,
            worklist(campaign(1), person(2), by_right, false, None, 10)
        );
    }
    ask!(
        script,
        worklist(
            campaign(1),
            person(2),
            true,
            false,
            Some(("right 1 zz", item(1))),
            10
        )
    );
    let rows = ask!(script, items(&[item(1)]));
    ask!(script, item_names(&rows));
    ask!(script, earlier_answer(&rows[0]));
    ask!(script, acts_of(item(1)));
    ask!(script, coverage_of(campaign(1)));
    ask!(script, reviews_in(campaign(1), person(2)));
    ask!(script, enforcement(campaign(1), at(500)));
    ask!(script, campaigns_page(false, 10));
    ask!(script, small_reviews_page(10));
    late(script).await;
}

async fn ends(script: &mut Script) {
    let (running, closed) = (CampaignState::Running, CampaignState::Closed);
    say!(script, end_campaign(campaign(1), running, closed, at(600)));
    say!(script, prove_items(campaign(1)));
    let sign = |by| (campaign(1), person(by), at(610));
    let (id, by, when) = sign(6);
    say!(script, sign_off_campaign(id, by, when, "mine", "def"));
    let (id, by, when) = sign(7);
    say!(
        script,
        sign_off_campaign(id, by, when, "looked at it", "def")
    );
    let (draft, cancelled) = (CampaignState::Draft, CampaignState::Cancelled);
    say!(script, end_campaign(campaign(2), draft, cancelled, at(620)));
    ask!(script, campaigns_page(true, 10));
    ask!(script, item(item(1)));
}
