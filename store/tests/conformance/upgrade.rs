//! A database of an earlier release, with live timers and queued work in it, keeps all of them.

use store::{
    Engine, Schema,
    jobs::Priority,
    testing::{self, counted, literal, raw, released},
};

use domain::deadline::JobKind;

use crate::company::{
    account, application, at, edition, entitlement, grant, line, package, person, request, stage,
    target, uuid, version,
};

/// What the first release had in its tables: a request that waits, access that ends, a right to take away, a mail to send.
fn released_rows(engine: Engine) -> Vec<String> {
    let id = |id| literal(engine, id);
    let time = |seconds| match engine {
        Engine::Sqlite => at(seconds).timestamp_micros().to_string(),
        Engine::Postgres => format!("'{}'", at(seconds).to_rfc3339()),
    };
    let (now, end, lapse) = (time(0), time(3600), time(7200));
    let [johan, astrid] = [3, 2].map(|n| id(person(n).0));
    let his = id(account(3).0);
    let tenant = id(uuid(0xabc));
    let mut rows = Vec::new();
    for (n, manager) in [(2_u128, "NULL".to_owned()), (3, astrid.clone())] {
        rows.push(format!(
            "INSERT INTO persons (id, name, mail, manager_id, state, search_key, created_at, updated_at)
             VALUES ({}, 'Person {n}', 'p{n}@contoso.example', {manager}, 'active', 'p{n}', {now}, {now})",
            id(person(n).0)
        ));
        rows.push(format!(
            "INSERT INTO accounts (id, person_id, tenant_id, object_id, kind, enabled, deleted, created_at, updated_at)
             VALUES ({}, {}, {tenant}, {}, 'normal', TRUE, FALSE, {now}, {now})",
            id(account(n).0), id(person(n).0), id(uuid(0x9000 + n))
        ));
    }
    let [app, to, right, edition, package, version] = [
        application(1).0,
        target().0,
        entitlement(1).0,
        edition(1).0,
        package(1).0,
        version(1).0,
    ]
    .map(id);
    rows.push(format!(
        "INSERT INTO applications (id, key, name) VALUES ({app}, 'orders', 'Orders')"
    ));
    rows.push(format!(
        "INSERT INTO targets (id, key, kind, name) VALUES ({to}, 'entra', 'graph', 'Entra ID')"
    ));
    rows.push(format!(
        "INSERT INTO entitlements (id, key, target_id, application_id, kind, external_id, name, lane, privileged, manageable)
         VALUES ({right}, 'orders-read', {to}, {app}, 'group', 'g', 'sg-orders', 'group:g', FALSE, TRUE)"
    ));
    rows.push(format!(
        "INSERT INTO catalogue_versions (id, number, state, file_hash, content, difference, widens, created_at)
         VALUES ({edition}, 1, 'published', 'x', '{{}}', '[]', FALSE, {now})"
    ));
    rows.push(format!(
        "INSERT INTO packages (id, key, application_id, name, state, version_id, search_key, updated_at)
         VALUES ({package}, 'orders', {app}, 'Orders', 'offered', {version}, 'orders', {now})"
    ));
    rows.push(format!(
        "INSERT INTO package_versions (id, package_id, number, catalogue_version_id, policy, opens, created_at)
         VALUES ({version}, {package}, 1, {edition}, '{{}}', '[]', {now})"
    ));
    rows.push(format!(
        "INSERT INTO package_version_entitlements (package_version_id, entitlement_id) VALUES ({version}, {right})"
    ));
    let [asked, waits, step, holds, pair] =
        [request(1).0, line(1).0, stage(1).0, grant(1).0, uuid(0xc01)].map(id);
    rows.push(format!(
        "INSERT INTO requests (id, number, asker_id, idempotency_key, created_at) VALUES ({asked}, 1001, {johan}, 'k', {now})"
    ));
    rows.push(format!(
        "INSERT INTO lines (id, request_id, number, kind, package_id, package_version_id, asker_id, beneficiary_id, account_id,
           state, reason, answers, length_kind, length_seconds, frozen_hash, screening, submitted_at, lapse_at)
         VALUES ({waits}, {asked}, 1001, 'new', {package}, {version}, {johan}, {johan}, {his},
           'awaiting_approval', 'Incident', '{{}}', 'seconds', 3600, 'h', '{{}}', {now}, {lapse})"
    ));
    rows.push(format!(
        "INSERT INTO stages (id, line_id, position, rule, approvers, needed, state, opened_at)
         VALUES ({step}, {waits}, 0, '{{}}', 'manager', 1, 'open', {now})"
    ));
    rows.push(format!(
        "INSERT INTO seats (stage_id, person_id, via, opened_at) VALUES ({step}, {astrid}, 'manager', {now})"
    ));
    rows.push(format!(
        "INSERT INTO grants (id, person_id, account_id, package_id, package_version_id, source, state, valid_from, end_kind, end_at, created_at)
         VALUES ({holds}, {johan}, {his}, {package}, {version}, 'rule', 'active', {now}, 'at', {end}, {now})"
    ));
    rows.push(format!(
        "INSERT INTO grant_entitlements (grant_id, entitlement_id, account_id) VALUES ({holds}, {right}, {his})"
    ));
    rows.push(format!(
        "INSERT INTO assignments (id, account_id, person_id, entitlement_id, target_id, lane, desired, desired_since, observed, phase, updated_at)
         VALUES ({pair}, {his}, {johan}, {right}, {to}, 'group:g', TRUE, {now}, 'absent', 'due', {now})"
    ));
    let mail = id(uuid(0x1301));
    rows.push(format!(
        "INSERT INTO messages (id, key, person_id, kind, subject, body, state, created_at)
         VALUES ({mail}, 'needed', {astrid}, 'decision_needed', 'Your decision is needed', 'See https://…', 'queued', {now})"
    ));
    for (key, kind, subject, priority, due) in [
        ("end", "grant_end", &holds, 0, &end),
        ("lapse", "line_lapse", &waits, 1, &lapse),
        ("converge", "converge", &pair, 1, &now),
        ("mail", "mail", &mail, 2, &now),
    ] {
        rows.push(format!(
            "INSERT INTO jobs (key, kind, subject, priority, due_at) VALUES ('{key}', '{kind}', {subject}, {priority}, {due})"
        ));
    }
    rows
}

const TABLES: [&str; 20] = [
    "persons",
    "accounts",
    "applications",
    "targets",
    "entitlements",
    "catalogue_versions",
    "packages",
    "package_versions",
    "package_version_entitlements",
    "requests",
    "lines",
    "stages",
    "seats",
    "decisions",
    "grants",
    "grant_entitlements",
    "assignments",
    "jobs",
    "messages",
    "audit_events",
];

#[tokio::test]
async fn an_earlier_database_keeps_its_timers_its_work_and_its_rules() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let store = released(engine, 1).await;
        assert_eq!(store.schema().await.unwrap(), Schema::Older);
        for row in released_rows(engine) {
            raw(&store, &row)
                .await
                .unwrap_or_else(|error| panic!("{error}: {row}"));
        }
        let mut before = Vec::new();
        for table in TABLES {
            before.push(counted(&store, table).await);
        }
        store.migrate().await.unwrap();
        assert_eq!(store.schema().await.unwrap(), Schema::Current);
        for (table, before) in TABLES.iter().zip(before) {
            assert_eq!(
                counted(&store, table).await,
                before,
                "{table} on {engine:?}"
            );
        }
        let fresh = testing::schema(&testing::store(engine).await).await;
        assert_eq!(testing::schema(&store).await, fresh);

        // What was due then is due now, at its old instant.
        let mut tx = store.begin().await.unwrap();
        let mut found = Vec::new();
        for priority in [Priority::Removal, Priority::Normal, Priority::Low] {
            let kinds = [
                JobKind::GrantEnd,
                JobKind::LineLapse,
                JobKind::Converge,
                JobKind::Mail,
            ];
            let jobs = tx
                .claim_jobs(priority, &kinds, at(7200), at(7300), uuid(0xeee), 10)
                .await
                .unwrap();
            found.extend(jobs.into_iter().map(|job| job.key));
        }
        found.sort();
        assert_eq!(found, ["converge", "end", "lapse", "mail"]);
        let mail = tx.message(uuid(0x1301).into()).await.unwrap().unwrap();
        assert_eq!((mail.path, mail.state.as_str()), (None, "queued"));
        assert!(tx.line(line(1)).await.unwrap().is_some());
        assert!(tx.grant(grant(1)).await.unwrap().is_some());
        assert_eq!(tx.stages(line(1)).await.unwrap().len(), 1);
        tx.commit().await.unwrap();

        // And what could not happen then cannot happen now.
        for broken in [
            "UPDATE messages SET state = 'lost'",
            "UPDATE stages SET state = 'met'",
            "UPDATE lines SET state = 'approved', ended_at = submitted_at",
            "DELETE FROM grants",
        ] {
            let refused = raw(&store, broken).await;
            assert!(
                matches!(refused, Err(store::Error::Conflict(_))),
                "{broken}: {refused:?}"
            );
        }
    }
}
