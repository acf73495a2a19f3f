//! Going around the application: what the database itself refuses, on both engines.

use domain::{
    GrantId,
    approval::Verdict,
    policy::{ApproverRule, Quorum, StageRule},
};
use store::Engine;
use uuid::Uuid;

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, account, hours, houses, person, policy,
    stage,
};

async fn refuses(house: &House, text: &str) {
    let result = house.raw(text).await;
    assert!(
        matches!(result, Err(store::Error::Conflict(_))),
        "{:?} let through: {text}: {result:?}",
        house.engine
    );
}

/// As [`refuses`], and by the trigger that says so: a foreign key may refuse as well, but only while there is one.
async fn refuses_saying(house: &House, says: &str, text: &str) {
    let result = house.raw(text).await;
    let said = matches!(&result, Err(error @ store::Error::Conflict(_)) if error.to_string().contains(says));
    assert!(said, "{:?}: {text}: {result:?}", house.engine);
}

async fn takes(house: &House, text: &str) {
    let result = house.raw(text).await;
    assert!(
        matches!(result, Ok(changed) if changed > 0),
        "{:?} refused: {text}: {result:?}",
        house.engine
    );
}

/// A vote as a statement.
fn vote(
    house: &House,
    stage: Uuid,
    line: Uuid,
    decider: u128,
    (slot, verdict): (i64, &str),
) -> String {
    format!(
        "INSERT INTO decisions (id, stage_id, line_id, decider_id, slot, verdict, via, note, signed_hash, decided_at)
         VALUES ({}, {}, {}, {}, {slot}, '{verdict}', 'manager', '', 'x', {})",
        house.id(Uuid::from_u128(0xd00d_0000 + decider)), house.id(stage), house.id(line),
        house.id(person(decider).0), house.now_literal()
    )
}

#[tokio::test]
async fn votes() {
    for house in houses(&policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::Security),
    ]))
    .await
    {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let (open, _) = house.open(line.id).await;
        let stages = {
            let mut tx = house.workflow.store().read().await.unwrap();
            tx.stages(line.id).await.unwrap()
        };
        let (open, line) = (open.0, line.id.0);
        let yes = (1, "approve");
        refuses(&house, &vote(&house, open, line, JOHAN, yes)).await;
        refuses(&house, &vote(&house, stages[1].id.0, line, ASTRID, yes)).await;
        // A no has no slot among the yeses, nor a yes beside them.
        refuses(&house, &vote(&house, open, line, ASTRID, (1, "deny"))).await;
        refuses(&house, &vote(&house, open, line, ASTRID, (0, "approve"))).await;
        refuses(&house, &vote(&house, open, line, ASTRID, (2, "approve"))).await;
        takes(&house, &vote(&house, open, line, ASTRID, yes)).await;
        // One decision for each slot.
        refuses(&house, &vote(&house, open, line, ELIN, yes)).await;
        refuses(&house, &vote(&house, open, line, ELIN, (2, "approve"))).await;
        refuses(&house, "UPDATE decisions SET note = 'another'").await;
        refuses(&house, "UPDATE stages SET rule = '{}'").await;
        refuses(&house, "UPDATE stages SET approvers = 'sponsor'").await;
    }
}

#[tokio::test]
async fn what_is_asked() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        house.ask(JOHAN, hours(8), "a").await.unwrap();
        let now = house.now_literal();
        let other = house.id(person(ASTRID).0);
        for change in [
            "reason = 'another'".to_owned(),
            format!("beneficiary_id = {other}"),
            format!("asker_id = {other}"),
            format!("account_id = {}", house.id(account(ASTRID).0)),
            "answers = '{\"why\":\"more\"}'".into(),
            "length_seconds = 900000".into(),
            "length_kind = 'permanent', length_seconds = NULL".into(),
            format!("length_kind = 'until', length_seconds = NULL, until_at = {now}"),
            format!("start_at = {now}"),
            format!("lapse_at = {now}"),
            format!("kind = 'extension', extends_grant_id = {other}"),
            "frozen_hash = 'x'".into(),
            "screening = '{}'".into(),
            "number = 1".into(),
        ] {
            refuses(&house, &format!("UPDATE lines SET {change}")).await;
        }
    }
}

#[tokio::test]
async fn stages_and_lines_are_decided_by_votes_alone() {
    let two = StageRule::of(ApproverRule::Security, Quorum::Count(2));
    for house in houses(&policy(vec![stage(ApproverRule::Manager), two])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let now = house.now_literal();
        let ends = |state: &str| {
            format!(
                "UPDATE lines SET state = '{state}', ended_at = {now} WHERE state = 'awaiting_approval'"
            )
        };
        let moves = |position: i64, state: &str| {
            format!("UPDATE stages SET state = '{state}' WHERE position = {position}")
        };
        for state in ["met", "denied", "collapsed", "met_by_asking", "waiting"] {
            refuses(&house, &moves(0, state)).await;
        }
        for state in ["met", "denied", "collapsed", "met_by_asking"] {
            refuses(&house, &moves(1, state)).await;
        }
        refuses(&house, &ends("approved")).await;
        refuses(&house, &ends("denied")).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        // One yes of two is not met, nor is the first stage worth less afterwards.
        refuses(&house, &moves(1, "met")).await;
        refuses(&house, "UPDATE stages SET needed = 5 WHERE position = 0").await;
        refuses(&house, &ends("approved")).await;
        // Nothing begins where it should end.
        let columns = "request_id, number, kind, package_id, package_version_id, asker_id, beneficiary_id, account_id,
             reason, answers, length_kind, length_seconds, frozen_hash, screening, submitted_at, lapse_at";
        let fresh = house.id(Uuid::from_u128(0xf1));
        refuses_saying(&house, "begins by waiting", &format!(
            "INSERT INTO lines (id, state, ended_at, {columns}) SELECT {fresh}, 'approved', {now}, {} FROM lines",
            columns.replace("beneficiary_id", &house.id(person(MAYA).0)))).await;
        for state in ["met", "denied", "collapsed", "closed", "met_by_asking"] {
            refuses(&house, &format!(
                "INSERT INTO stages (id, line_id, position, rule, approvers, needed, state) VALUES ({fresh}, {}, 7, '{{}}', 'manager', 1, '{state}')",
                house.id(line.id.0))).await;
        }
        house
            .vote(TOMAS, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        refuses(&house, &moves(1, "open")).await;
        refuses(
            &house,
            "UPDATE lines SET state = 'awaiting_approval', ended_at = NULL",
        )
        .await;
        refuses(
            &house,
            &format!("UPDATE lines SET ended_by = {}", house.id(person(MAYA).0)),
        )
        .await;
    }
}

#[tokio::test]
async fn grants_follow_lines() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let now = house.now_literal();
        let grant = |who: u128, to: u128, line: Uuid, end: &str| {
            format!(
                "INSERT INTO grants (id, person_id, account_id, package_id, package_version_id, line_id, source, state, valid_from, end_kind, end_at, created_at)
                 VALUES ({}, {}, {}, {}, {}, {}, 'request', 'active', {now}, 'at', {end}, {now})",
                house.id(Uuid::from_u128(0xabc)), house.id(person(who).0), house.id(account(to).0), house.id(house.package.0),
                house.id(house.version.0), house.id(line)
            )
        };
        let waiting = line.id.0;
        refuses(&house, &grant(JOHAN, JOHAN, waiting, &now)).await;
        // Approved past the application, so that no grant is made.
        let (open, _) = house.open(line.id).await;
        takes(
            &house,
            &vote(&house, open.0, waiting, ASTRID, (1, "approve")),
        )
        .await;
        takes(&house, "UPDATE stages SET state = 'met'").await;
        takes(
            &house,
            &format!("UPDATE lines SET state = 'approved', ended_at = {now}"),
        )
        .await;
        refuses(&house, &grant(MAYA, JOHAN, waiting, &now)).await;
        refuses(&house, &grant(JOHAN, MAYA, waiting, &now)).await;
        refuses(&house, &grant(JOHAN, JOHAN, Uuid::from_u128(1), &now)).await;
        // An end that comes before the beginning.
        let earlier = match house.engine {
            Engine::Sqlite => "0",
            Engine::Postgres => "'2020-01-01T00:00:00Z'",
        };
        refuses(&house, &grant(JOHAN, JOHAN, waiting, earlier)).await;
        takes(&house, &grant(JOHAN, JOHAN, waiting, &now)).await;
        refuses(&house, &format!("UPDATE grants SET end_at = {earlier}")).await;
    }
}

#[tokio::test]
async fn states() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let grant = house.held(JOHAN, hours(1), "a", &[ASTRID]).await;
        let now = house.now_literal();
        refuses(
            &house,
            &format!(
                "UPDATE lines SET state = 'awaiting_approval', ended_at = NULL WHERE id = {}",
                house.id(grant.line_id.unwrap().0)
            ),
        )
        .await;
        refuses(&house, "UPDATE grants SET end_at = NULL").await;
        refuses(&house, "UPDATE grants SET end_kind = 'permanent'").await;
        refuses(&house, "UPDATE grants SET state = 'scheduled'").await;
        refuses(&house, "UPDATE grants SET state = 'ended'").await;
        for change in [
            format!("person_id = {}", house.id(person(ASTRID).0)),
            format!("account_id = {}", house.id(account(ASTRID).0)),
            "line_id = NULL, source = 'rule'".into(),
            "package_id = NULL".into(),
            "package_version_id = NULL".into(),
        ] {
            refuses(&house, &format!("UPDATE grants SET {change}")).await;
        }
        refuses(
            &house,
            &format!(
                "UPDATE grant_entitlements SET account_id = {}",
                house.id(account(MAYA).0)
            ),
        )
        .await;
        takes(
            &house,
            &format!("UPDATE grant_entitlements SET removed_at = {now}"),
        )
        .await;
        refuses(&house, "UPDATE grant_entitlements SET removed_at = NULL").await;
        house
            .raw(&format!(
                "UPDATE grants SET state = 'ended', ended_at = {now}, end_reason = 'revoked'"
            ))
            .await
            .unwrap();
        refuses(
            &house,
            "UPDATE grants SET state = 'active', ended_at = NULL, end_reason = NULL",
        )
        .await;
        refuses(&house, "UPDATE grants SET end_reason = 'expired'").await;
        refuses(
            &house,
            "UPDATE grants SET end_kind = 'permanent', end_at = NULL",
        )
        .await;
        refuses(&house, "UPDATE grants SET end_note = 'as they wished'").await;
        assert_eq!(grant.account_id, account(JOHAN));
    }
}

#[tokio::test]
async fn the_audit_log() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        house.ask(JOHAN, hours(1), "a").await.unwrap();
        refuses(&house, "UPDATE audit_events SET entry = 'x' WHERE seq = 1").await;
        for change in ["subject = subject || 'x'", "seq = seq"] {
            let text = format!("UPDATE audit_subjects SET {change}");
            refuses_saying(&house, "append-only", &text).await;
        }
        refuses(&house, "UPDATE audit_head SET seq = 0").await;
        refuses(
            &house,
            "UPDATE audit_head SET hash = (SELECT hash FROM audit_events WHERE seq = 1)",
        )
        .await;
        // Forward, but to nothing.
        refuses(&house, "UPDATE audit_head SET seq = seq + 1").await;
        let entries = |which: &str| {
            format!(
                "INSERT INTO audit_events (seq, at, kind, actor, entry, hash) SELECT {which}, at, kind, actor, entry, hash FROM audit_events"
            )
        };
        refuses(&house, &entries("seq + 1000")).await;
        refuses(&house, &entries("-seq")).await;
        refuses(
            &house,
            &entries("(SELECT MAX(seq) FROM audit_events) + 2 * seq - 1"),
        )
        .await;
        takes(
            &house,
            &entries("(SELECT MAX(seq) FROM audit_events) + seq"),
        )
        .await;
    }
}

#[tokio::test]
async fn the_catalogue() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let now = house.now_literal();
        let version = |n: u128, state: &str, widens: &str| {
            format!(
                "INSERT INTO catalogue_versions (id, number, state, drafted_by, file_hash, content, difference, widens, created_at)
                 VALUES ({}, {n}, '{state}', {}, 'x', '{{}}', '[]', {widens}, {now})",
                house.id(Uuid::from_u128(0x7000 + n)), house.id(person(OLLE).0)
            )
        };
        refuses(&house, "UPDATE package_versions SET policy = '{}'").await;
        refuses(
            &house,
            "UPDATE package_version_entitlements SET entitlement_id = entitlement_id",
        )
        .await;
        refuses(&house, "UPDATE catalogue_versions SET state = 'refused'").await;
        takes(&house, "UPDATE catalogue_versions SET state = 'superseded'").await;
        refuses(&house, "UPDATE catalogue_versions SET state = 'published'").await;
        // What widens waits for a second person.
        refuses(&house, &version(2, "published", "TRUE")).await;
        takes(&house, &version(2, "pending", "TRUE")).await;
        let pending =
            |change: &str| format!("UPDATE catalogue_versions SET {change} WHERE number = 2");
        for change in [
            "drafted_by = NULL",
            "widens = FALSE",
            "difference = '{}'",
            "content = '[]'",
            "file_hash = 'y'",
            "number = 9",
            "state = 'published'",
        ] {
            refuses(&house, &pending(change)).await;
        }
        let decided = |n: u128| {
            format!(
                "state = 'published', decided_at = {now}, decided_by = {}",
                house.id(person(n).0)
            )
        };
        refuses(&house, &pending(&decided(OLLE))).await;
        refuses(
            &house,
            &pending(&format!("decided_by = {}", house.id(person(ELIN).0))),
        )
        .await;
        takes(&house, &pending(&decided(ELIN))).await;
        refuses(&house, &pending("decided_by = NULL, decided_at = NULL")).await;
        refuses(&house, &pending("state = 'pending'")).await;
    }
}

/// Everything that is kept, with a row in each table.
async fn kept(house: &House) -> GrantId {
    let held = house
        .held(JOHAN, hours(1), "a", &[ASTRID, ELIN, TOMAS])
        .await;
    let waits = house
        .line(house.ask(MAYA, hours(1), "b").await.unwrap())
        .await;
    house
        .vote(ASTRID, waits.id, Verdict::Approve, None)
        .await
        .unwrap();
    house
        .vote(ELIN, waits.id, Verdict::Approve, None)
        .await
        .unwrap();
    takes(house, &format!(
        "INSERT INTO operations (id, assignment_id, kind, outcome, at) SELECT {}, id, 'read', 'absent', {} FROM assignments",
        house.id(Uuid::from_u128(0xabd)), house.now_literal())).await;
    held.id
}

/// What is never deleted, and what is said to whoever tries.
const KEPT: [(&str, &str); 12] = [
    ("audit_events", "append-only"),
    ("audit_head", "never deleted"),
    ("audit_subjects", "append-only"),
    ("catalogue_versions", "never deleted"),
    ("decisions", "never deleted"),
    ("grant_entitlements", "never deleted"),
    ("grants", "never deleted"),
    ("lines", "never deleted"),
    ("operations", "never deleted"),
    ("package_version_entitlements", "never deleted"),
    ("package_versions", "never deleted"),
    ("stages", "never deleted"),
];

/// CASCADE reaches tables whose rules refuse as well: here all such rules but the table's own are switched off.
async fn each_is_kept_by_its_own_rule(house: &House) {
    let switch = async |to: &str, own: &str| {
        let others = format!(
            "DO $$ DECLARE rule record; BEGIN
               FOR rule IN SELECT tgrelid::regclass AS of, tgname FROM pg_trigger WHERE tgname LIKE '%_whole' AND tgname <> '{own}_whole' LOOP
                 EXECUTE format('ALTER TABLE %s {to} TRIGGER %I', rule.of, rule.tgname);
               END LOOP; END $$"
        );
        house.raw(&others).await.unwrap();
    };
    for (table, says) in KEPT {
        switch("DISABLE", table).await;
        refuses_saying(house, says, &format!("TRUNCATE {table} CASCADE")).await;
        switch("ENABLE", table).await;
    }
}

/// Each engine has a way to delete that runs no delete trigger: REPLACE on SQLite, TRUNCATE on PostgreSQL.
#[tokio::test]
async fn nothing_is_deleted_by_any_way() {
    let two = StageRule::of(ApproverRule::Security, Quorum::Count(2));
    for house in houses(&policy(vec![stage(ApproverRule::Manager), two])).await {
        let grant = house.id(kept(&house).await.0);
        refuses(&house, "UPDATE operations SET detail = 'another'").await;
        for (table, says) in KEPT {
            refuses_saying(&house, says, &format!("DELETE FROM {table}")).await;
        }
        if house.engine == Engine::Postgres {
            for (table, says) in KEPT {
                refuses_saying(&house, says, &format!("TRUNCATE {table} CASCADE")).await;
            }
            each_is_kept_by_its_own_rule(&house).await;
            refuses(&house, "TRUNCATE persons CASCADE").await;
            continue;
        }
        // Two tables are all key, so that nothing of them can be replaced; the log takes only the next entry.
        for (table, says) in KEPT {
            let replaces = format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}");
            match table {
                "audit_subjects" | "package_version_entitlements" => takes(&house, &replaces).await,
                "audit_events" => refuses_saying(&house, "no gaps", &replaces).await,
                // Others of its rules refuse first.
                "lines" | "stages" | "grants" | "decisions" => refuses(&house, &replaces).await,
                _ => refuses_saying(&house, says, &replaces).await,
            }
        }
        refuses(&house, "INSERT OR REPLACE INTO audit_events SELECT seq, at, kind, actor, actor_id, '{}', hash FROM audit_events WHERE seq = 2").await;
        // By another key than the first.
        let fresh = "randomblob(16)";
        let now = house.now_literal();
        for (table, columns, values, which) in [
            (
                "decisions",
                "id, stage_id, line_id, decider_id, slot, verdict, via, note, signed_hash, decided_at",
                "stage_id, line_id, decider_id, 2, verdict, via, note, signed_hash, decided_at".to_owned(),
                "stage_id IN (SELECT id FROM stages WHERE state = 'open')",
            ),
            (
                "decisions",
                "id, stage_id, line_id, decider_id, slot, verdict, via, note, signed_hash, decided_at",
                format!("stage_id, line_id, {}, slot, verdict, via, note, signed_hash, decided_at", house.id(person(TOMAS).0)),
                "stage_id IN (SELECT id FROM stages WHERE state = 'open')",
            ),
            (
                "stages",
                "id, line_id, position, rule, approvers, needed, state",
                "line_id, position, rule, approvers, 1, 'open'".into(),
                "state = 'open'",
            ),
            (
                "lines",
                "id, request_id, number, kind, package_id, package_version_id, asker_id, beneficiary_id, account_id, state, reason, answers, length_kind, length_seconds, frozen_hash, screening, submitted_at, lapse_at",
                "request_id, number, kind, package_id, package_version_id, asker_id, beneficiary_id, account_id, state, reason, answers, length_kind, 1, frozen_hash, screening, submitted_at, lapse_at".into(),
                "state = 'awaiting_approval'",
            ),
            (
                "grants",
                "id, person_id, account_id, package_version_id, line_id, source, state, valid_from, end_kind, created_at",
                "person_id, account_id, package_version_id, line_id, source, 'active', valid_from, 'permanent', created_at".into(),
                "TRUE",
            ),
            (
                "catalogue_versions",
                "id, number, state, file_hash, content, difference, widens, created_at",
                format!("9, 'published', 'x', '{{}}', '[]', FALSE, {now}"),
                "TRUE",
            ),
            (
                "package_versions",
                "id, package_id, number, catalogue_version_id, policy, opens, created_at",
                "package_id, number, catalogue_version_id, '{}', opens, created_at".into(),
                "TRUE",
            ),
        ] {
            refuses_saying(&house, "never deleted", &format!("INSERT OR REPLACE INTO {table} ({columns}) SELECT {fresh}, {values} FROM {table} WHERE {which}")).await;
        }
        // A row moved onto another one.
        for change in [
            format!("lines SET id = (SELECT line_id FROM grants WHERE id = {grant}) WHERE state = 'awaiting_approval'"),
            "stages SET id = (SELECT id FROM stages WHERE state = 'met' LIMIT 1) WHERE state = 'open'".into(),
            "decisions SET slot = 1".into(),
            "audit_events SET seq = 1 WHERE seq = 2".into(),
        ] {
            refuses(&house, &format!("UPDATE OR REPLACE {change}")).await;
        }
        // What ended stays so, whatever a row of the same id says.
        takes(
            &house,
            &format!("UPDATE grants SET state = 'ended', ended_at = {now}, end_reason = 'revoked'"),
        )
        .await;
        refuses(&house, "INSERT OR REPLACE INTO grants (id, person_id, account_id, package_version_id, line_id, source, state, valid_from, end_kind, created_at)
             SELECT id, person_id, account_id, package_version_id, line_id, source, 'active', valid_from, 'permanent', created_at FROM grants").await;
    }
}

#[tokio::test]
async fn conversations_and_the_clock_that_they_hold() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let (open, _) = house.open(line.id).await;
        let now = house.now_literal();
        let remark = |n: u128, author: u128, kind: &str| {
            format!(
                "INSERT INTO remarks (id, line_id, stage_id, author_id, kind, text, at) VALUES ({}, {}, {}, {}, '{kind}', 'x', {now})",
                house.id(Uuid::from_u128(n)),
                house.id(line.id.0),
                house.id(open.0),
                house.id(person(author).0)
            )
        };
        let asked = format!("UPDATE lines SET asked_back_at = {now}");
        // Not without a question, and nobody asks themselves or answers for another.
        refuses(&house, &asked).await;
        refuses(&house, &remark(1, JOHAN, "question")).await;
        refuses(&house, &remark(1, ASTRID, "answer")).await;
        refuses(&house, &remark(1, ASTRID, "remark")).await;
        takes(&house, &remark(1, ASTRID, "question")).await;
        refuses(&house, "UPDATE remarks SET text = 'y'").await;
        refuses(&house, "DELETE FROM remarks").await;
        takes(&house, &asked).await;
        let moved = |later: i64, stood: i64| {
            let later = match house.engine {
                Engine::Sqlite => format!("lapse_at + {later}"),
                Engine::Postgres => format!("lapse_at + interval '{later} microseconds'"),
            };
            format!("UPDATE lines SET lapse_at = {later}, stood_us = {stood}, asked_back_at = NULL")
        };
        // By exactly what it stood, never earlier, never more than fourteen days.
        let day = 86_400_000_000;
        refuses(&house, &moved(day, 0)).await;
        refuses(&house, &moved(-day, -day)).await;
        refuses(&house, &moved(day, 2 * day)).await;
        refuses(&house, &moved(15 * day, 15 * day)).await;
        takes(&house, &moved(day, day)).await;
        // Once more only for another question.
        refuses(&house, &moved(day, 2 * day)).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        refuses(&house, &remark(2, JOHAN, "remark")).await;
        refuses(&house, &asked).await;
    }
}

#[tokio::test]
async fn seats_that_are_handed_on() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let (open, _) = house.open(line.id).await;
        let now = house.now_literal();
        let handed = |n: u128, from: u128, to: u128| {
            format!(
                "INSERT INTO hand_ons (id, line_id, stage_id, from_id, to_id, reason, at) VALUES ({}, {}, {}, {}, {}, 'x', {now})",
                house.id(Uuid::from_u128(n)),
                house.id(line.id.0),
                house.id(open.0),
                house.id(person(from).0),
                house.id(person(to).0)
            )
        };
        refuses(&house, &handed(1, ASTRID, JOHAN)).await;
        refuses(&house, &handed(1, JOHAN, OLLE)).await;
        refuses(&house, &handed(1, ASTRID, ASTRID)).await;
        takes(&house, &handed(1, ASTRID, OLLE)).await;
        // One level, one taker, one giver.
        refuses(&house, &handed(2, OLLE, ELIN)).await;
        refuses(&house, &handed(2, ELIN, ASTRID)).await;
        refuses(&house, &handed(2, ASTRID, ELIN)).await;
        refuses(&house, &handed(2, TOMAS, OLLE)).await;
        refuses(&house, "UPDATE hand_ons SET reason = 'y'").await;
        refuses(&house, "DELETE FROM hand_ons").await;
        takes(&house, &format!("UPDATE hand_ons SET returned_at = {now}")).await;
        refuses(&house, "UPDATE hand_ons SET returned_at = NULL").await;
        takes(&house, &handed(2, ASTRID, ELIN)).await;
    }
}

#[tokio::test]
async fn holding_back_and_taking_away() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let (id, now) = (house.id(grant.id.0), house.now_literal());
        let (johan, elin) = (house.id(person(JOHAN).0), house.id(person(ELIN).0));
        let update = |set: &str| format!("UPDATE grants SET {set} WHERE id = {id}");
        let held = |by: &str| {
            update(&format!(
                "state = 'suspended', suspended_at = {now}, suspended_by = {by}, suspend_cause = 'security'"
            ))
        };
        refuses_saying(
            &house,
            "somebody holds a grant back",
            &update("state = 'suspended'"),
        )
        .await;
        refuses(&house, &held(&johan)).await;
        refuses_saying(
            &house,
            "somebody holds a grant back",
            &update(&format!("suspended_at = {now}, suspended_by = {elin}")),
        )
        .await;
        takes(&house, &held(&elin)).await;
        let on = |by: &str| {
            update(&format!(
                "state = 'active', suspended_at = NULL, suspended_by = NULL, suspend_cause = NULL, resumed_by = {by}"
            ))
        };
        refuses_saying(&house, "somebody holds a grant back", &on("NULL")).await;
        refuses(&house, &on(&johan)).await;
        takes(&house, &on(&elin)).await;
        let gone = |by: &str| {
            update(&format!(
                "state = 'ended', ended_at = {now}, end_reason = 'revoked', ended_by = {by}"
            ))
        };
        refuses_saying(&house, "nobody takes away their own access", &gone(&johan)).await;
        takes(&house, &gone(&elin)).await;
        let person = |set: &str| format!("UPDATE persons SET {set} WHERE id = {johan}");
        let stop = |by: &str| person(&format!("suspended_at = {now}, suspended_by = {by}"));
        refuses_saying(&house, "somebody holds a person back", &stop("NULL")).await;
        refuses(&house, &stop(&johan)).await;
        takes(&house, &stop(&elin)).await;
        let on = |by: &str| {
            person(&format!(
                "suspended_at = NULL, suspended_by = NULL, resumed_by = {by}"
            ))
        };
        refuses_saying(&house, "somebody holds a person back", &on("NULL")).await;
        refuses(&house, &on(&johan)).await;
        takes(&house, &on(&elin)).await;
    }
}

/// A vote for somebody else as a statement.
fn vote_for(house: &House, stage: Uuid, line: Uuid, decider: u128, principal: u128) -> String {
    format!(
        "INSERT INTO decisions (id, stage_id, line_id, decider_id, for_id, slot, verdict, via, note, signed_hash, decided_at)
         VALUES ({}, {}, {}, {}, {}, 1, 'approve', 'manager', '', 'x', {})",
        house.id(Uuid::from_u128(0xd00e_0000 + decider)), house.id(stage), house.id(line),
        house.id(person(decider).0), house.id(person(principal).0), house.now_literal()
    )
}

/// Somebody stands in from an hour ago on, as a statement.
fn stand_in(house: &House, n: u128, principal: u128, deputy: u128, until: &str) -> String {
    let from = house.literal(house.clock.now() - chrono::Duration::hours(1));
    format!(
        "INSERT INTO deputies (id, person_id, deputy_id, from_at, until_at, made_by, made_at)
         VALUES ({}, {}, {}, {from}, {until}, {}, {from})",
        house.id(Uuid::from_u128(0xdee0 + n)),
        house.id(person(principal).0),
        house.id(person(deputy).0),
        house.id(person(principal).0)
    )
}

#[tokio::test]
async fn four_eyes_hold_for_a_deputy_and_for_whom_they_decide() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let (open, line) = (house.open(line.id).await.0.0, line.id.0);
        let later = house.literal(house.clock.now() + chrono::Duration::hours(1));
        // Nobody decides for somebody whom they do not stand in for, nor for themselves.
        let only = "only a deputy decides";
        refuses_saying(&house, only, &vote_for(&house, open, line, OLLE, ASTRID)).await;
        refuses(&house, &vote_for(&house, open, line, ASTRID, ASTRID)).await;
        // Nor once it is over.
        let now = house.now_literal();
        takes(&house, &stand_in(&house, 1, ASTRID, OLLE, &now)).await;
        refuses_saying(&house, only, &vote_for(&house, open, line, OLLE, ASTRID)).await;
        // Nobody decides for the asker, and whoever stands in for the asker decides nothing of theirs.
        takes(&house, &stand_in(&house, 2, JOHAN, ELIN, &later)).await;
        let own = "nobody decides on their own access";
        refuses_saying(&house, own, &vote_for(&house, open, line, ELIN, JOHAN)).await;
        refuses_saying(&house, own, &vote(&house, open, line, ELIN, (1, "approve"))).await;
        takes(&house, &stand_in(&house, 3, ASTRID, ELIN, &later)).await;
        refuses_saying(&house, own, &vote_for(&house, open, line, ELIN, ASTRID)).await;
        takes(&house, &stand_in(&house, 4, ASTRID, TOMAS, &later)).await;
        takes(&house, &stand_in(&house, 5, JOHAN, ASTRID, &now)).await;
        takes(&house, &vote_for(&house, open, line, TOMAS, ASTRID)).await;
        // Theirs and that of their deputy are one voice.
        house
            .raw(&format!(
                "UPDATE stages SET needed = 2 WHERE id = {}",
                house.id(open)
            ))
            .await
            .unwrap();
        refuses(&house, &vote(&house, open, line, ASTRID, (2, "approve"))).await;
        takes(&house, &vote(&house, open, line, KARIN, (2, "approve"))).await;
    }
}

#[tokio::test]
async fn deputyships_are_only_ever_ended_once() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let hours = |hours| house.literal(house.clock.now() + chrono::Duration::hours(hours));
        let (later, long) = (hours(1), hours(60 * 24));
        refuses(&house, &stand_in(&house, 1, ASTRID, OLLE, &long)).await;
        refuses(&house, &stand_in(&house, 1, ASTRID, ASTRID, &later)).await;
        takes(&house, &stand_in(&house, 1, ASTRID, OLLE, &later)).await;
        let fixed = "only ever ended, once";
        let longer = format!("UPDATE deputies SET until_at = {long}");
        refuses_saying(&house, fixed, &longer).await;
        let other = format!(
            "UPDATE deputies SET deputy_id = {}",
            house.id(person(ELIN).0)
        );
        refuses_saying(&house, fixed, &other).await;
        takes(&house, &format!("UPDATE deputies SET ended_at = {later}")).await;
        refuses_saying(&house, fixed, "UPDATE deputies SET ended_at = NULL").await;
        refuses_saying(&house, "never deleted", "DELETE FROM deputies").await;
    }
}
