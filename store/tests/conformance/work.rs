//! Assignments, targets, the evidence of calls, jobs and mails.

use domain::{
    AssignmentId, MessageId, OperationId, PostId,
    assignment::{Observed, Origin, Phase},
    deadline::JobKind,
    telling::{Delivery, Topic},
};
use store::{
    assignments::{AssignmentRow, OperationRow},
    jobs::{Job, NewJob, Priority, PutBack},
    messages::NewMessage,
    posts::NewPost,
};
use uuid::Uuid;

use crate::{
    company::{account, assignment, at, entitlement, grant, person, target, uuid},
    script::{Script, ask, say},
};

pub async fn play(script: &mut Script) {
    assignments(script).await;
    targets(script).await;
    jobs(script).await;
    messages(script).await;
    posts(script).await;
}

async fn assignments(script: &mut Script) {
    let pairs = [(account(3), entitlement(1)), (account(4), entitlement(2))];
    let row = |n: u128, (account_id, entitlement_id), phase| AssignmentRow {
        id: assignment(n),
        account_id,
        person_id: person(n + 2),
        entitlement_id,
        target_id: target(),
        lane: format!("group:{n}"),
        desired: true,
        only_imports: n == 2,
        desired_since: at(30),
        observed: Observed::Unknown,
        observed_at: None,
        origin: None,
        phase,
        settle_reads: 0,
        attempts: 0,
        next_at: Some(at(31)),
        problem: None,
        added_at: None,
        removed_at: None,
        updated_at: at(30),
        version: 0,
    };
    ask!(script, pairs(&pairs));
    let rows = [
        row(1, pairs[0], Phase::Due),
        row(2, pairs[1], Phase::Attention),
    ];
    say!(script, save_assignments(&rows));
    let seen = AssignmentRow {
        observed: Observed::Present,
        observed_at: Some(at(32)),
        origin: Some(Origin::Ours),
        phase: Phase::Settling,
        added_at: Some(at(31)),
        ..row(1, pairs[0], Phase::Due)
    };
    say!(script, save_assignments(&[seen]));
    say!(script, lock_pairs(&pairs));
    ask!(script, pairs(&pairs));
    say!(script, lock_assignments(&[assignment(2), assignment(1)]));
    ask!(script, assignment(assignment(1)));
    ask!(
        script,
        assignments(&[assignment(1), assignment(2), assignment(9)])
    );
    ask!(script, places(&[assignment(1), assignment(2)]));
    say!(
        script,
        save_target_account(target(), account(3), "u-3", "johan", at(31))
    );
    say!(
        script,
        save_target_account(target(), account(3), "u-3", "johan.berg", at(32))
    );
    // Nobody else's.
    say!(
        script,
        save_target_account(target(), account(4), "u-3", "maya", at(32))
    );
    ask!(script, places(&[assignment(1), assignment(2)]));
    ask!(script, unsettled_without_job(AssignmentId(Uuid::nil()), 10));
    ask!(
        script,
        unsettled_of_target(target(), AssignmentId(Uuid::nil()), 10)
    );
    ask!(script, unsettled_counts());
    ask!(script, parts_of_grants(&[grant(1), grant(3)]));
    let call = |n: u128, kind: &str| OperationRow {
        id: OperationId(uuid(0x1100 + n)),
        assignment_id: assignment(1),
        kind: kind.into(),
        outcome: if kind == "read" { "present" } else { "done" }.into(),
        status: Some(204),
        request_id: Some(format!("graph-{n}")),
        client_request_id: None,
        detail: "Fine".into(),
        at: at(31 + i64::try_from(n).unwrap()),
        took_us: 1234,
    };
    say!(
        script,
        insert_operations(&[call(1, "add"), call(2, "read")])
    );
    ask!(script, assignments_of_account(account(3)));
    ask!(script, operations_of(assignment(1), 1));
    ask!(script, operations_of(assignment(1), 10));
}

async fn targets(script: &mut Script) {
    ask!(script, targets());
    let jira = domain::TargetId(uuid(0x304));
    for name in ["Jira", "Jira", "Jira Cloud"] {
        say!(script, configure_target(jira, "jira", "scim", name));
    }
    ask!(script, targets());
    for message in ["m-1", "m-1", "m-2"] {
        say!(script, insert_callback(jira, message, at(50)));
    }
    say!(script, forget_callbacks(at(50)));
    say!(script, forget_callbacks(at(51)));
    say!(script, set_target_paused(target(), true));
    say!(script, set_target_paused(target(), true));
    say!(
        script,
        set_target_problem(target(), at(60), "throttled", at(40))
    );
    ask!(script, target(target()));
    say!(script, lift_target(target()));
    // A later wish, another replica's, stays.
    say!(
        script,
        set_target_problem(target(), at(90), "throttled", at(40))
    );
    say!(
        script,
        set_target_problem(target(), at(70), "throttled", at(40))
    );
    ask!(script, target(target()));
    say!(script, lift_target(target()));
    say!(script, set_target_paused(target(), false));
    say!(script, set_target_succeeded(target(), at(41)));
    ask!(script, target(target()));
}

fn job(key: &str, lane: Option<&str>, priority: Priority, due: i64) -> NewJob {
    NewJob {
        key: key.into(),
        kind: JobKind::Converge,
        subject: Some(uuid(0xc01)),
        lane: lane.map(str::to_owned),
        priority,
        due_at: at(due),
    }
}

async fn jobs(script: &mut Script) {
    let worker = uuid(0x1200);
    let kinds = [JobKind::Converge];
    ask!(script, next_due(&kinds));
    say!(
        script,
        enqueue(&[
            job("a", Some("one"), Priority::Normal, 50),
            job("b", Some("one"), Priority::Normal, 51),
            job("c", Some("two"), Priority::Normal, 52),
            job("d", None, Priority::Removal, 90),
            job("e", None, Priority::Normal, 49),
        ])
    );
    say!(script, enqueue(&[job("d", None, Priority::Removal, 60)]));
    say!(script, enqueue_and_lock_audit_head(&[]));
    say!(
        script,
        enqueue_and_lock_audit_head(&[job("d", None, Priority::Removal, 60)])
    );
    ask!(script, next_due(&kinds));
    ask!(script, next_due_of_each(&kinds));
    let claim = async |script: &mut Script, priority, now: i64| {
        let mut tx = script.store.begin().await.unwrap();
        let jobs = tx
            .claim_jobs(priority, &kinds, at(now), at(now + 10), worker, 10)
            .await
            .map(|mut jobs| {
                // A claim is a set; in which order it comes is each engine's own.
                jobs.sort_by(|one, other| one.key.cmp(&other.key));
                jobs
            });
        tx.commit().await.unwrap();
        let given = jobs.as_ref().cloned().unwrap_or_default();
        script.note("claim_jobs", jobs);
        given
    };
    let none = claim(script, Priority::Removal, 59).await;
    assert!(none.is_empty());
    let first = claim(script, Priority::Normal, 55).await;
    assert!(!first.is_empty());
    let mut tx = script.store.read().await.unwrap();
    let held = tx.held_jobs(&first).await.map(|mut keys| {
        keys.sort();
        keys
    });
    drop(tx);
    script.note("held_jobs", held);
    // Of one key with two attempts, one holds.
    let stale = Job {
        attempt: first[0].attempt - 1,
        ..first[0].clone()
    };
    ask!(script, held_jobs(&[stale, first[0].clone()]));
    say!(
        script,
        enqueue(&[job("f", Some("one"), Priority::Removal, 56)])
    );
    assert!(!ask!(script, removal_waits("one", at(55))));
    assert!(ask!(script, removal_waits("one", at(56))));
    assert!(!ask!(script, removal_waits("two", at(56))));
    say!(script, cancel_job("f"));
    ask!(script, holds_job(&first[0]));
    // Asked for again while it runs: it stays.
    say!(
        script,
        enqueue(&[job(
            &first[0].key,
            first[0].lane.as_deref(),
            Priority::Normal,
            56
        )])
    );
    say!(script, finish_job(&first[0], at(57)));
    say!(script, finish_jobs(&first[1..2], at(57)));
    let second = claim(script, Priority::Normal, 58).await;
    say!(script, release_job(&second[0], at(70), Some("later")));
    let third = claim(script, Priority::Normal, 75).await;
    let back: Vec<PutBack> = third
        .iter()
        .enumerate()
        .map(|(index, job)| PutBack {
            job: job.clone(),
            due: at(80),
            problem: (index == 0).then(|| "throttled".into()),
            priority: (index == 1).then_some(Priority::Low),
        })
        .collect();
    say!(script, put_back_jobs(&back, at(76)));
    // A lease that was lost finishes nothing.
    let fourth = claim(script, Priority::Normal, 85).await;
    let fifth = claim(script, Priority::Normal, 99).await;
    assert_eq!(fourth.len(), fifth.len());
    say!(script, finish_job(&fourth[0], at(99)));
    ask!(script, holds_job(&fourth[0]));
    say!(script, cancel_job(&fifth[0].key));
    say!(script, drop_all_leases(at(100)));
    say!(script, cancel_job(&fifth[0].key));
    claim(script, Priority::Removal, 101).await;
    ask!(script, next_due(&kinds));
}

async fn messages(script: &mut Script) {
    let mail = |n: u128, key: &str| NewMessage {
        id: MessageId(uuid(0x1300 + n)),
        key: key.into(),
        person_id: person(3),
        kind: "decided",
        topic: (n > 1).then_some(Topic::Requests),
        subject: "Decided".into(),
        body: "Yes".into(),
        path: "/requests".into(),
    };
    say!(
        script,
        insert_messages(&[mail(1, "one"), mail(2, "two")], at(35))
    );
    // Each once.
    say!(
        script,
        insert_messages(&[mail(3, "one"), mail(4, "four")], at(36))
    );
    say!(
        script,
        set_message(MessageId(uuid(0x1301)), "sent", None, Some(at(37)))
    );
    say!(
        script,
        set_message(MessageId(uuid(0x1302)), "failed", Some("no such box"), None)
    );
    ask!(script, mail_problems(10));
    say!(script, requeue_message(MessageId(uuid(0x1301))));
    say!(script, requeue_message(MessageId(uuid(0x1302))));
    ask!(script, mail_problems(10));
    ask!(script, job_problems(10));
    ask!(script, directory_problems());
    ask!(script, message(MessageId(uuid(0x1301))));
    ask!(script, message(MessageId(uuid(0x1399))));
    ask!(script, undelivered(person(3)));

    // As somebody wants to be told: what has no topic is told at once all the same.
    ask!(script, notification_settings(person(3)));
    for delivery in [Delivery::Never, Delivery::AtOnce, Delivery::Daily] {
        say!(
            script,
            set_notification(person(3), Topic::Requests, delivery)
        );
        let n = 0x10 + delivery as u128 * 2;
        let (one, other) = (format!("new {n}"), format!("new {}", n + 1));
        say!(
            script,
            insert_messages(&[mail(n, &one), mail(n + 1, &other)], at(40))
        );
    }
    ask!(script, notification_settings(person(3)));
    say!(script, insert_messages(&[mail(0x30, "six")], at(41)));
    ask!(script, gathered(person(3), 10));
    say!(
        script,
        stand_in_digest(
            &[MessageId(uuid(0x1330)), MessageId(uuid(0x1312))],
            MessageId(uuid(0x1301))
        )
    );
    ask!(script, gathered(person(3), 10));
    ask!(script, gathered(person(2), 10));
}

async fn posts(script: &mut Script) {
    let post = |n: u128, key: &str| NewPost {
        id: PostId(uuid(0x1500 + n)),
        key: key.into(),
        chat: "teams",
        title: "A decision waits".into(),
        body: "For security".into(),
        path: "/approvals".into(),
    };
    let (one, two) = (PostId(uuid(0x1501)), PostId(uuid(0x1502)));
    say!(
        script,
        insert_posts(&[post(1, "one"), post(2, "two"), post(3, "one")], at(42))
    );
    say!(script, set_post(one, "sent", None, Some(at(43))));
    say!(
        script,
        set_post(two, "failed", Some("no such channel"), None)
    );
    ask!(script, post_problems(10));
    say!(script, requeue_post(one));
    say!(script, requeue_post(two));
    ask!(script, post(one));
    ask!(script, post(two));
}
