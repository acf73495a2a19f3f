//! Requests, decisions, grants, and what the database itself refuses.

use domain::{
    DecisionId, FreshId, HandOnId, HoldId, RemarkId,
    approval::{Seat, StageState, Verdict, Via},
    fresh::FreshAct,
    grant::{End, EndReason, GrantSource, GrantState},
    policy::ApproverRule,
    request::{LineKind, LineState},
    waiting::RemarkKind,
};
use store::{
    conversation::{HandOnRow, RemarkRow},
    deciding::Closing,
    fresh::FreshRow,
    grants::GrantRow,
    requests::{DecisionRow, LineRow, StageRow},
};

use crate::{
    catalogue,
    company::{
        account, at, edition, entitlement, grant, line, package, person, request, stage, uuid,
        version,
    },
    script::{Script, ask, say},
};

pub async fn play(script: &mut Script) {
    asking(script).await;
    deciding(script).await;
    ending(script).await;
    grants(script).await;
}

fn asked(n: u128) -> LineRow {
    LineRow {
        id: line(n),
        request_id: request(n),
        number: 1000 + i64::try_from(n).unwrap(),
        kind: LineKind::New,
        package_id: package(1),
        package_version_id: version(1),
        asker_id: person(3),
        beneficiary_id: person(3),
        account_id: account(3),
        extends_grant_id: None,
        state: LineState::AwaitingApproval,
        reason: "Incident <4312> & 'more'".into(),
        answers: "{}".into(),
        start_at: None,
        length_kind: "seconds".into(),
        length_seconds: Some(28_800),
        until_at: None,
        frozen_hash: "ff".into(),
        screening: "[]".into(),
        submitted_at: at(20),
        lapse_at: at(1000),
        ended_at: None,
        ended_by: None,
        version: 0,
        asked_back_at: None,
        stood_us: 0,
        nudged_at: None,
        waits_since: None,
    }
}

fn anew(id: FreshId) -> FreshRow {
    FreshRow {
        id,
        act: FreshAct::Decide,
        stage_id: Some(stage(11)),
        subject_id: None,
        person_id: person(2),
        account_id: account(2),
        cap_seconds: Some(3600),
        note: "Looked at it".into(),
        signed_hash: "ff".into(),
        context: Some("c1".into()),
        begun_at: at(21),
        signed_in_at: None,
        proven_at: None,
        refusals: None,
    }
}

fn step(n: u128, of: u128, state: StageState) -> StageRow {
    StageRow {
        id: stage(n),
        line_id: line(of),
        position: i64::try_from(n % 10).unwrap(),
        rule: "{}".into(),
        approvers: if n % 10 == 1 {
            ApproverRule::Manager
        } else {
            ApproverRule::Security
        },
        needed: 1,
        state,
        fallback: false,
        by_subordinates: false,
        stuck: false,
        escalated: false,
        fresh: false,
        opened_at: (state == StageState::Open).then(|| at(20)),
        closed_at: None,
    }
}

async fn asking(script: &mut Script) {
    for n in [1, 2] {
        say!(
            script,
            insert_request(
                request(n),
                1000 + i64::try_from(n).unwrap(),
                person(3),
                &format!("key-{n}"),
                at(20)
            )
        );
    }
    // The same form twice.
    say!(
        script,
        insert_request(request(3), 1003, person(3), "key-1", at(20))
    );
    ask!(script, request_head(request(1)));
    ask!(script, request_head(request(9)));
    say!(script, insert_line(&asked(1)));
    // Only one waits for the same package.
    say!(script, insert_line(&asked(2)));
    say!(
        script,
        insert_line(&LineRow {
            package_id: package(2),
            package_version_id: version(2),
            ..asked(2)
        })
    );
    ask!(script, line(line(1)));
    say!(script, lock_line(line(2)));
    ask!(script, lines_of_request(request(1)));
    ask!(script, waiting_lines_of_person(person(3)));
    ask!(script, waiting_lines_of_package(package(2)));
    ask!(script, asked_before(person(3), "key-1", at(0)));
    ask!(script, asked_before(person(4), "key-1", at(0)));
    ask!(script, waiting_line(person(3), package(1), account(3)));
    ask!(script, asker(person(3), "key-1", at(0)));
    ask!(script, asker(person(9), "key-1", at(0)));
    ask!(script, asked_offer(package(1), person(3), account(3)));
    ask!(script, asked_offer(package(9), person(3), account(3)));
    ask!(script, terms(version(1)));
    ask!(script, terms(version(9)));
    ask!(script, holders_besides(package(1), person(4)));
    say!(script, lock_seats(package(1)));
    say!(script, lock_seats(package(1)));
    ask!(script, line_labels(person(3), package(1)));
    say!(script, touch_line(line(1)));
}

async fn deciding(script: &mut Script) {
    let stages = [
        step(11, 1, StageState::Open),
        step(12, 1, StageState::Waiting),
        step(21, 2, StageState::Open),
    ];
    say!(script, insert_stages(&stages));
    ask!(script, stages(line(1)));
    ask!(script, line_of_stage(stage(21)));
    say!(
        script,
        hold_and_lock(&[package(1), package(2)], &[person(3), person(2)])
    );
    say!(script, hold_line_of_stage(stage(21), &[person(2)]));
    say!(script, hold_line_of_stage(stage(99), &[person(2)]));
    ask!(script, voted(line(1)));
    let swedish = r#"{"zone":"Europe/Stockholm"}"#.to_owned();
    say!(
        script,
        set_calendars(edition(1), &[("SE".to_owned(), swedish)])
    );
    ask!(script, calendars_of_stage(stage(11)));
    ask!(script, job_due("stage_reminder:none"));
    let seat = |n: u128, via| Seat::own(person(n), via);
    say!(
        script,
        insert_seats(
            stage(11),
            &[seat(2, Via::Manager), seat(1, Via::ManagersManager)],
            at(20)
        )
    );
    say!(
        script,
        insert_seats(stage(21), &[seat(2, Via::Manager)], at(21))
    );
    ask!(script, seats_of_line(line(1)));
    ask!(script, lines_with_seat(person(2)));
    ask!(script, lines_around(person(2)));
    ask!(script, lines_around(person(6)));
    talking(script).await;
    let hold = HoldId(uuid(0xd01));
    say!(script, lock_hold(hold));
    say!(script, dismiss_empty_hold(hold, at(26)));
    ask!(script, lines_open_for(ApproverRule::Manager));
    ask!(script, lines_open_for(ApproverRule::Security));
    let vote = |n: u128, by: u128, verdict| DecisionRow {
        id: DecisionId(uuid(0xf00 + n)),
        stage_id: stage(11),
        line_id: line(1),
        decider_id: person(by),
        for_id: None,
        slot: i64::from(verdict == Verdict::Approve),
        verdict,
        via: Via::Manager,
        note: "Looked at it".into(),
        cap_seconds: Some(3600),
        signed_hash: "ff".into(),
        decided_at: at(25),
        fresh_id: None,
    };
    let (counts, in_vain) = (FreshId(uuid(0xf81)), FreshId(uuid(0xf82)));
    for id in [counts, in_vain] {
        say!(script, insert_fresh(&anew(id)));
        ask!(script, fresh(id));
    }
    say!(script, prove_fresh(counts, at(22), at(23)));
    say!(script, prove_fresh(counts, at(24), at(25)));
    say!(script, refuse_fresh(in_vain, "[]"));
    say!(script, prove_fresh(in_vain, at(24), at(25)));
    ask!(script, fresh(counts));
    ask!(script, fresh(in_vain));
    // Of a person's stop it must be by whoever stops them.
    let stops = FreshRow {
        act: FreshAct::Stop,
        stage_id: None,
        subject_id: Some(person(4).0),
        cap_seconds: None,
        ..anew(FreshId(uuid(0xf83)))
    };
    say!(script, insert_fresh(&stops));
    ask!(script, fresh(stops.id));
    for act in FreshAct::ALL {
        say!(script, want_fresh(*act, uuid(0xfff)));
        ask!(script, wants_fresh(*act, uuid(0xfff)));
        say!(script, use_fresh(*act, uuid(0xfff), counts));
    }
    ask!(script, any_privileged(&[]));
    ask!(script, any_privileged(&[entitlement(1), entitlement(2)]));
    ask!(script, policies_giving(&[entitlement(1), entitlement(2)]));
    // Nobody decides on their own access, nor in a stage that waits, nor with a sign-in that did not count.
    say!(script, insert_decision(&vote(1, 3, Verdict::Approve)));
    say!(
        script,
        insert_decision(&DecisionRow {
            stage_id: stage(12),
            ..vote(1, 2, Verdict::Approve)
        })
    );
    say!(
        script,
        insert_decision(&DecisionRow {
            fresh_id: Some(in_vain),
            ..vote(1, 2, Verdict::Approve)
        })
    );
    say!(
        script,
        insert_decision(&DecisionRow {
            fresh_id: Some(counts),
            ..vote(1, 2, Verdict::Approve)
        })
    );
    say!(script, insert_decision(&vote(2, 2, Verdict::Deny)));
    // The slot is taken, and the stage has no other.
    say!(script, insert_decision(&vote(2, 6, Verdict::Approve)));
    say!(
        script,
        insert_decision(&DecisionRow {
            slot: 2,
            ..vote(2, 6, Verdict::Approve)
        })
    );
    ask!(script, decisions(line(1)));
    // Not without a vote.
    say!(
        script,
        update_stage(&StageRow {
            state: StageState::Denied,
            ..step(11, 1, StageState::Open)
        })
    );
    say!(
        script,
        update_stage(&StageRow {
            state: StageState::Met,
            closed_at: Some(at(25)),
            ..step(11, 1, StageState::Open)
        })
    );
    say!(
        script,
        update_stage(&StageRow {
            fallback: true,
            stuck: true,
            ..step(12, 1, StageState::Open)
        })
    );
    say!(script, clear_seats(stage(11)));
    say!(
        script,
        insert_seats(stage(12), &[seat(6, Via::Security)], at(25))
    );
    ask!(script, lines_open_for(ApproverRule::Sponsor));
    ask!(script, sits_as_security_over(person(6), person(3)));
    ask!(script, sits_as_security_over(person(2), person(3)));
    say!(
        script,
        insert_decision(&DecisionRow {
            stage_id: stage(21),
            line_id: line(2),
            ..vote(3, 2, Verdict::Deny)
        })
    );
    ask!(script, last_denial(person(3), package(2)));
}

async fn talking(script: &mut Script) {
    let remark = |n: u128, by: u128, kind| RemarkRow {
        id: RemarkId(uuid(0x1100 + n)),
        line_id: line(1),
        stage_id: stage(11),
        author_id: person(by),
        kind,
        text: "Which <incident>?".into(),
        at: at(21),
    };
    // Only deciders ask, only whom it is about answers.
    say!(script, insert_remark(&remark(1, 3, RemarkKind::Question)));
    say!(script, insert_remark(&remark(1, 2, RemarkKind::Answer)));
    say!(script, insert_remark(&remark(1, 2, RemarkKind::Question)));
    say!(
        script,
        set_line_clock(&LineRow {
            asked_back_at: Some(at(21)),
            ..asked(1)
        })
    );
    ask!(script, asked_back(person(3), 5));
    ask!(script, ticked(&[stage(11), stage(21)]));
    say!(script, insert_remark(&remark(2, 3, RemarkKind::Answer)));
    // By what it stood, and by nothing else.
    say!(
        script,
        set_line_clock(&LineRow {
            lapse_at: at(1003),
            stood_us: 1,
            ..asked(1)
        })
    );
    say!(
        script,
        set_line_clock(&LineRow {
            lapse_at: at(1003),
            stood_us: 3_000_000,
            ..asked(1)
        })
    );
    ask!(script, remarks(line(1)));
    ask!(script, named_remarks(&[line(1), line(2)], 10));
    ask!(script, asked_back(person(3), 5));
    say!(script, note_nudge(line(1), at(22)));
    ask!(script, line(line(1)));
    let handed = |n: u128, from: u128, to: u128| HandOnRow {
        id: HandOnId(uuid(0x1200 + n)),
        line_id: line(1),
        stage_id: stage(11),
        from_id: person(from),
        to_id: person(to),
        reason: "On leave".into(),
        at: at(22),
        returned_at: None,
    };
    say!(script, insert_hand_on(&handed(1, 2, 3)));
    say!(script, insert_hand_on(&handed(1, 2, 6)));
    say!(script, insert_hand_on(&handed(2, 6, 5)));
    ask!(script, hand_ons(stage(11)));
    say!(script, return_hand_on(handed(1, 2, 6).id, at(23)));
    say!(script, return_hand_on(handed(1, 2, 6).id, at(23)));
    ask!(script, hand_ons(stage(11)));
    ask!(script, named_hand_ons(&[line(1)], 10));
}

fn closing<'a>(line: &'a LineRow, state: LineState, decided: &'a [StageRow]) -> Closing<'a> {
    Closing {
        line,
        state,
        by: Some(person(2)),
        decided,
        job: "lapse:none",
        now: at(26),
    }
}

async fn ending(script: &mut Script) {
    let denied = LineRow {
        package_id: package(2),
        ..asked(2)
    };
    // Not before a stage says so.
    say!(
        script,
        close_line(&closing(&denied, LineState::Denied, &[]))
    );
    let no = StageRow {
        state: StageState::Denied,
        closed_at: Some(at(26)),
        ..step(21, 2, StageState::Open)
    };
    say!(
        script,
        close_line(&closing(
            &denied,
            LineState::Denied,
            std::slice::from_ref(&no)
        ))
    );
    ask!(script, seats_of_line(line(2)));
    // An end is final.
    say!(
        script,
        close_line(&closing(&denied, LineState::Approved, &[]))
    );
    ask!(script, last_denial(person(3), package(2)));
    ask!(script, line(line(2)));
    ask!(script, stages(line(2)));
    let waiting = LineRow {
        version: 2,
        ..asked(1)
    };
    // Not while a stage is open.
    say!(
        script,
        close_line(&closing(&waiting, LineState::Approved, &[]))
    );
    say!(script, let_line_wait(&waiting, at(27)));
    say!(
        script,
        insert_decision(&DecisionRow {
            id: DecisionId(uuid(0xf04)),
            stage_id: stage(12),
            line_id: line(1),
            decider_id: person(6),
            for_id: None,
            slot: 1,
            verdict: Verdict::Approve,
            via: Via::Security,
            note: String::new(),
            cap_seconds: None,
            signed_hash: "ff".into(),
            decided_at: at(27),
            fresh_id: None,
        })
    );
    let yes = StageRow {
        state: StageState::Met,
        closed_at: Some(at(27)),
        ..step(12, 1, StageState::Open)
    };
    say!(script, update_stages(&[]));
    say!(script, update_stages(&[yes]));
    ask!(script, voted(line(1)));
    // For its exception, once.
    say!(script, let_line_wait(&waiting, at(27)));
    say!(script, let_line_wait(&waiting, at(28)));
    ask!(script, lines_that_wait(None));
    ask!(script, lines_that_wait(Some(person(3))));
    ask!(script, lines_that_wait(Some(person(4))));
    say!(script, say_why(line(1), "No seat is left."));
    let waiting = LineRow {
        version: 3,
        ..waiting
    };
    say!(
        script,
        close_line(&closing(&waiting, LineState::Approved, &[]))
    );
}

async fn grants(script: &mut Script) {
    let held = |n: u128, who: u128| GrantRow {
        id: grant(n),
        person_id: person(who),
        account_id: account(who),
        package_id: Some(package(1)),
        package_version_id: Some(version(1)),
        line_id: (n == 1).then(|| line(1)),
        source: if n == 1 {
            GrantSource::Request
        } else {
            GrantSource::Import
        },
        state: if n == 1 {
            GrantState::Scheduled
        } else {
            GrantState::Active
        },
        valid_from: at(28),
        end_at: Some(at(5000)),
        ready_at: None,
        ended_at: None,
        end_reason: None,
        ended_by: None,
        end_note: None,
        gone_at: None,
        version: 0,
        created_at: at(28),
    };
    say!(
        script,
        insert_grant(&held(1, 3), &[entitlement(1), entitlement(3)])
    );
    // One line, one grant.
    say!(
        script,
        insert_grant(
            &GrantRow {
                id: grant(9),
                ..held(1, 3)
            },
            &[entitlement(1)]
        )
    );
    say!(script, insert_grant(&held(2, 4), &[entitlement(1)]));
    say!(
        script,
        insert_grant(
            &GrantRow {
                end_at: None,
                ..held(3, 4)
            },
            &[entitlement(2)]
        )
    );
    ask!(script, grant(grant(3)));
    ask!(script, grant_of_line(line(1)));
    ask!(script, grants_by_ids(&[grant(2), grant(1), grant(9)]));
    say!(script, start_grants(&[grant(1), grant(2)]));
    ask!(script, live_grants_of_person(person(4)));
    ask!(script, live_grants_with(account(3), entitlement(1)));
    ask!(
        script,
        grants_awaiting(&[(account(3), entitlement(1)), (account(4), entitlement(2))])
    );
    ask!(script, content_of_grants(&[grant(1), grant(3)]));
    say!(script, set_grant_end(grant(1), End::At(at(4000))));
    say!(script, set_grant_end(grant(3), End::Permanent));
    ask!(
        script,
        claims(&[(account(3), entitlement(1)), (account(4), entitlement(1))])
    );
    catalogue::play_with_holders(script).await;
    say!(
        script,
        end_grants(
            &[grant(2)],
            at(31),
            EndReason::Revoked,
            Some(person(6)),
            Some("not needed")
        )
    );
    // Twice is once.
    say!(
        script,
        end_grants(&[grant(2)], at(32), EndReason::Expired, None, None)
    );
    ask!(script, last_ended_grant(account(4), entitlement(1)));
    say!(script, mark_ready(&[grant(1)], at(33)));
    say!(script, mark_gone(&[grant(2)], at(34)));
    ask!(script, grants_by_ids(&[grant(1), grant(2), grant(3)]));
}
