//! Fills a migrated database with a company of a given size, in SQL that each engine runs by itself.

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use benches::portal::{self, Portal, Setup};
use sandbox::{AppRole, AppRoleAssignment, Directory, ServicePrincipal, User};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use store::Engine;
use uuid::Uuid;

/// How much there is of everything.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// 1 or 10.
    pub times: i64,
}

impl Size {
    pub const fn people(self) -> i64 {
        2_000 * self.times
    }
    pub const fn entitlements(self) -> i64 {
        500 * self.times
    }
    pub const fn packages(self) -> i64 {
        200 * self.times
    }
    pub const fn grants(self) -> i64 {
        50_000 * self.times
    }
    pub const fn requests(self) -> i64 {
        5_000 * self.times
    }
    pub const fn waiting(self) -> i64 {
        500 * self.times
    }
    pub const fn events(self) -> i64 {
        100_000 * self.times
    }
}

/// What an id names; the first half of a seeded id.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Person = 1,
    Account = 2,
    Object = 3,
    Entitlement = 4,
    Package = 5,
    Version = 6,
    Request = 7,
    Line = 8,
    Stage = 9,
    Grant = 10,
    Assignment = 11,
    Application = 13,
    Target = 14,
    Catalogue = 15,
    Decision = 16,
}

/// The tenant of the seeded company.
pub const TENANT: Uuid = Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0001);

/// A seeded id.
pub fn id(kind: Kind, n: i64) -> Uuid {
    Uuid::from_u128(((kind as u128) << 96) | n as u128)
}

/// One engine's way to say what the statements below need.
struct Words {
    engine: Engine,
    now: i64,
}

impl Words {
    fn id(&self, kind: Kind, n: &str) -> String {
        match self.engine {
            Engine::Sqlite => format!("unhex(printf('%08x%024x', {}, {n}))", kind as i64),
            Engine::Postgres => format!(
                "(lpad(to_hex({}), 8, '0') || lpad(to_hex(({n})::bigint), 24, '0'))::uuid",
                kind as i64
            ),
        }
    }

    fn at(&self, seconds: &str) -> String {
        match self.engine {
            Engine::Sqlite => format!("({} + ({seconds}) * 1000000)", self.now),
            Engine::Postgres => format!("to_timestamp({} + ({seconds}))", self.now / 1_000_000),
        }
    }

    fn series(&self, n: i64) -> String {
        match self.engine {
            Engine::Sqlite => {
                format!(
                    "(WITH RECURSIVE t(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM t WHERE i < {}) SELECT i FROM t)",
                    n - 1
                )
            }
            Engine::Postgres => format!("generate_series(0::bigint, {}) AS t(i)", n - 1),
        }
    }

    fn uuid(&self, id: Uuid) -> String {
        match self.engine {
            Engine::Sqlite => format!("x'{}'", id.simple()),
            Engine::Postgres => format!("'{id}'::uuid"),
        }
    }

    fn text(value: &str) -> String {
        format!("CAST({value} AS TEXT)")
    }

    fn hash(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite => "zeroblob(32)",
            Engine::Postgres => "decode(repeat('00', 32), 'hex')",
        }
    }
}

/// Every statement, in order. `object` gives the object ids of the first people, who can sign in.
pub fn statements(engine: Engine, size: Size, now: i64) -> Vec<String> {
    let w = Words { engine, now };
    let (people, packages, entitlements) = (size.people(), size.packages(), size.entitlements());
    let created = w.at("-31536000");
    let policy = r#"{"eligibility":[],"route":[{"approvers":"manager","named":[],"quorum":{"count":1}},{"approvers":"security","named":[],"quorum":{"count":1}}],"collapse":false,"limits":{"default_seconds":28800,"longest_seconds":2592000,"continuous_seconds":10368000,"permanent":false,"furthest_start_seconds":2592000,"pending_seconds":604800},"questions":[]}"#;
    let manager_rule = r#"{"approvers":"manager","named":[],"quorum":{"count":1}}"#;
    let security_rule = r#"{"approvers":"security","named":[],"quorum":{"count":1}}"#;
    let mut all = vec![
        format!(
            "INSERT INTO persons (id, name, given_name, mail, department, job_title, country, office, company, employee_type, state, search_key, created_at, updated_at)
             SELECT {}, 'Person ' || {n}, 'Person', 'p' || {n} || '@contoso.example', 'Department ' || {d}, 'Engineer', 'SE', 'Gothenburg', 'Contoso AB', 'employee', 'active', 'person ' || {n}, {created}, {created} FROM {}",
            w.id(Kind::Person, "i"), w.series(people), n = Words::text("i"), d = Words::text("i % 40")),
        format!("UPDATE persons SET manager_id = m.manager FROM (SELECT {} AS person, {} AS manager FROM {} WHERE i > 0) AS m WHERE persons.id = m.person",
            w.id(Kind::Person, "i"), w.id(Kind::Person, "(i - 1) / 10"), w.series(people)),
        format!(
            "INSERT INTO accounts (id, person_id, tenant_id, object_id, kind, user_name, enabled, deleted, created_at, updated_at)
             SELECT {}, {}, {}, {}, 'normal', 'p' || {}, TRUE, FALSE, {created}, {created} FROM {}",
            w.id(Kind::Account, "i"), w.id(Kind::Person, "i"), w.uuid(TENANT), w.id(Kind::Object, "i"), Words::text("i"), w.series(people)),
        format!("INSERT INTO portal_roles (account_id, role, source, since) SELECT {}, CASE WHEN i < 6 THEN 'security' ELSE 'auditor' END, 'directory', {created} FROM {} WHERE i BETWEEN 1 AND 6",
            w.id(Kind::Account, "i"), w.series(7)),
        format!("INSERT INTO applications (id, key, name, initials, tint) SELECT {}, 'app' || {n}, 'Application ' || {n}, 'AP', 'a' FROM {}",
            w.id(Kind::Application, "i"), w.series(40), n = Words::text("i")),
        format!("INSERT INTO targets (id, key, kind, name, tenant_id, paused) SELECT {}, 'entra', 'graph', 'Entra ID', {}, FALSE FROM {}",
            w.id(Kind::Target, "i"), w.uuid(TENANT), w.series(1)),
        format!(
            "INSERT INTO entitlements (id, key, target_id, application_id, kind, external_id, name, lane, privileged, manageable)
             SELECT {}, 'ent' || {n}, {}, {}, 'group', {}, 'Group ' || {n}, 'group:' || {n}, FALSE, TRUE FROM {}",
            w.id(Kind::Entitlement, "i"), w.id(Kind::Target, "0"), w.id(Kind::Application, "i % 40"), group(engine), w.series(entitlements), n = Words::text("i")),
        format!("INSERT INTO catalogue_versions (id, number, state, file_hash, content, difference, widens, created_at) SELECT {}, 1, 'published', 'seed', '{{}}', '{{\"changes\":[]}}', FALSE, {created} FROM {}",
            w.id(Kind::Catalogue, "i"), w.series(1)),
        format!(
            "INSERT INTO packages (id, key, application_id, name, summary, state, version_id, default_seconds, longest_seconds, search_key, updated_at)
             SELECT {}, 'pkg' || {n}, {}, 'Package ' || {n}, 'What package ' || {n} || ' opens.', 'offered', {}, 28800, 2592000, 'package ' || {n} || ' application ' || {a}, {created} FROM {}",
            w.id(Kind::Package, "i"), w.id(Kind::Application, "i % 40"), w.id(Kind::Version, "i"), w.series(packages), n = Words::text("i"), a = Words::text("i % 40")),
        format!("INSERT INTO package_versions (id, package_id, number, catalogue_version_id, policy, opens, created_at) SELECT {}, {}, 1, {}, '{policy}', '[\"Opens it.\"]', {created} FROM {}",
            w.id(Kind::Version, "i"), w.id(Kind::Package, "i"), w.id(Kind::Catalogue, "0"), w.series(packages)),
        format!("INSERT INTO package_version_entitlements (package_version_id, entitlement_id) SELECT {}, {} FROM {}",
            w.id(Kind::Version, "i"), w.id(Kind::Entitlement, &format!("(i * 2) % {entitlements}")), w.series(packages)),
        format!("INSERT INTO package_owners (package_id, person_id) SELECT {}, {} FROM {}",
            w.id(Kind::Package, "i"), w.id(Kind::Person, &format!("(i * 13 + 7) % {people}")), w.series(packages)),
        format!(
            "INSERT INTO grants (id, person_id, account_id, package_id, package_version_id, source, state, valid_from, end_kind, end_at, ready_at, ended_at, end_reason, gone_at, created_at)
             SELECT {grant}, {person}, {account}, {package}, {version}, 'rule',
               CASE WHEN i % 2 = 0 THEN 'active' ELSE 'ended' END, {from}, 'at', {end}, {from},
               CASE WHEN i % 2 = 0 THEN NULL ELSE {over} END, CASE WHEN i % 2 = 0 THEN NULL ELSE 'expired' END, CASE WHEN i % 2 = 0 THEN NULL ELSE {over} END, {from}
             FROM {series}",
            grant = w.id(Kind::Grant, "i"), person = w.id(Kind::Person, &format!("i % {people}")), account = w.id(Kind::Account, &format!("i % {people}")),
            package = w.id(Kind::Package, &format!("(i * 7) % {packages}")), version = w.id(Kind::Version, &format!("(i * 7) % {packages}")),
            from = w.at("-(i % 8000000) - 86400"), end = w.at("CASE WHEN i % 2 = 0 THEN 3600 + (i * 37) % 7776000 ELSE -3600 END"),
            over = w.at("-3600"), series = w.series(size.grants())),
        format!("INSERT INTO grant_entitlements (grant_id, entitlement_id, account_id) SELECT g.id, v.entitlement_id, g.account_id FROM grants g JOIN package_version_entitlements v ON v.package_version_id = g.package_version_id"),
        format!(
            "INSERT INTO assignments (id, account_id, person_id, entitlement_id, target_id, lane, desired, desired_since, observed, observed_at, origin, phase, updated_at)
             SELECT {}, a.account_id, p.person_id, a.entitlement_id, {}, e.lane, a.wanted, {created},
               CASE WHEN a.wanted THEN 'present' ELSE 'absent' END, {created}, 'ours', 'settled', {created}
             FROM (SELECT ROW_NUMBER() OVER (ORDER BY c.account_id, c.entitlement_id) AS n, c.account_id, c.entitlement_id, MAX(CASE WHEN g.state = 'active' THEN 1 ELSE 0 END) = 1 AS wanted
                   FROM grant_entitlements c JOIN grants g ON g.id = c.grant_id GROUP BY c.account_id, c.entitlement_id) a
             JOIN accounts p ON p.id = a.account_id JOIN entitlements e ON e.id = a.entitlement_id",
            w.id(Kind::Assignment, "a.n"), w.id(Kind::Target, "0")),
        format!("INSERT INTO jobs (key, kind, subject, priority, due_at) SELECT 'end:' || {}, 'grant_end', {}, 0, {} FROM {} WHERE i % 2 = 0",
            Words::text("i"), w.id(Kind::Grant, "i"), w.at("3600 + (i * 37) % 7776000"), w.series(size.grants())),
        format!("INSERT INTO requests (id, number, asker_id, idempotency_key, created_at) SELECT {}, 2000 + i, {}, 'k' || {}, {} FROM {}",
            w.id(Kind::Request, "i"), w.id(Kind::Person, &asker(people)), Words::text("i"), w.at("-i * 60"), w.series(size.requests())),
        format!(
            "INSERT INTO lines (id, request_id, number, kind, package_id, package_version_id, asker_id, beneficiary_id, account_id, state, reason, answers, length_kind, length_seconds, frozen_hash, screening, submitted_at, lapse_at)
             SELECT {}, {}, 2000 + i, 'new', {}, {}, {asker}, {asker}, {}, 'awaiting_approval', 'Incident ' || {}, '{{}}', 'seconds', 28800, 'seed', '{{}}', {}, {} FROM {}",
            w.id(Kind::Line, "i"), w.id(Kind::Request, "i"), w.id(Kind::Package, &format!("i % {packages}")), w.id(Kind::Version, &format!("i % {packages}")),
            w.id(Kind::Account, &asker(people)), Words::text("i"), w.at("-i * 60"), w.at("604800"), w.series(size.requests()),
            asker = w.id(Kind::Person, &asker(people))),
    ];
    all.extend(decided(
        &w,
        size,
        &[(manager_rule, "manager"), (security_rule, "security")],
    ));
    all.push(format!("INSERT INTO seats (stage_id, person_id, via, opened_at) SELECT {}, {}, 'manager', {} FROM {} WHERE i % 2 = 0",
        w.id(Kind::Stage, "i * 2"), w.id(Kind::Person, &format!("({} - 1) / 10", asker(people))), w.at("-i * 60"), w.series(size.waiting())));
    for member in 1..6 {
        all.push(format!("INSERT INTO seats (stage_id, person_id, via, opened_at) SELECT {}, {}, 'security', {} FROM {} WHERE i % 2 = 1",
            w.id(Kind::Stage, "i * 2 + 1"), w.id(Kind::Person, &member.to_string()), w.at("-i * 60"), w.series(size.waiting())));
    }
    // Where they sit as the manager they are seated already.
    all.push(format!(
        "INSERT INTO seats (stage_id, person_id, via, opened_at) SELECT {}, {}, 'named', {} FROM {} WHERE TRUE ON CONFLICT DO NOTHING",
        w.id(Kind::Stage, "i * 2 + i % 2"),
        w.id(Kind::Person, &EVERYTHING.to_string()),
        w.at("-i * 60"),
        w.series(size.waiting())
    ));
    all.push(format!(
        "INSERT INTO audit_events (seq, at, kind, actor, actor_id, entry, hash) SELECT i + 1, {}, CASE WHEN i % 3 = 0 THEN 'grant_ended' ELSE 'line_decided' END, 'person', {}, '{{\"seq\":' || {} || '}}', {} FROM {}",
        w.at(&format!("i - {}", size.events())), w.id(Kind::Person, &format!("i % {people}")), Words::text("i + 1"), w.hash(), w.series(size.events())));
    all.push(format!(
        "INSERT INTO audit_subjects (subject, seq) SELECT 'lin_' || {}, i + 1 FROM {}",
        Words::text("i % 5000"),
        w.series(size.events())
    ));
    all.push(format!("UPDATE audit_head SET seq = {}", size.events()));
    all.push("UPDATE counters SET value = 9000000 WHERE name = 'request'".into());
    all.push("ANALYZE".into());
    all
}

/// The person for whom everything waits that waits.
pub const EVERYTHING: i64 = 8;

/// Of the waiting lines half stand at the manager, half at security; the rest were denied by the manager. In the order in
/// which the database takes it: everything begins by waiting, and only a vote decides a stage.
fn decided(w: &Words, size: Size, route: &[(&str, &str); 2]) -> Vec<String> {
    let mut all = Vec::new();
    for (position, (rule, word)) in route.iter().enumerate() {
        let state = if position == 0 { "open" } else { "waiting" };
        all.push(format!(
            "INSERT INTO stages (id, line_id, position, rule, approvers, needed, state, opened_at) SELECT {}, {}, {position}, '{rule}', '{word}', 1, '{state}', {} FROM {}",
            w.id(Kind::Stage, &format!("i * 2 + {position}")), w.id(Kind::Line, "i"), w.at("-i * 60"), w.series(size.requests())));
    }
    let denied = format!("i >= {}", size.waiting());
    all.push(format!(
        "INSERT INTO decisions (id, stage_id, line_id, decider_id, slot, verdict, via, note, signed_hash, decided_at)
         SELECT {}, {}, {}, {}, CASE WHEN {denied} THEN 0 ELSE 1 END, CASE WHEN {denied} THEN 'deny' ELSE 'approve' END, 'manager', '', 'seed', {}
         FROM {} WHERE {denied} OR i % 2 = 1",
        w.id(Kind::Decision, "i"), w.id(Kind::Stage, "i * 2"), w.id(Kind::Line, "i"),
        w.id(Kind::Person, &format!("({} - 1) / 10", asker(size.people()))), w.at("-i * 60 + 30"), w.series(size.requests())));
    for (state, verdict, next) in [("met", "approve", "open"), ("denied", "deny", "closed")] {
        all.push(format!("UPDATE stages SET state = '{state}' WHERE id IN (SELECT stage_id FROM decisions WHERE verdict = '{verdict}')"));
        all.push(format!("UPDATE stages SET state = '{next}' WHERE position = 1 AND line_id IN (SELECT line_id FROM decisions WHERE verdict = '{verdict}')"));
    }
    all.push(format!(
        "UPDATE lines SET state = 'denied', ended_at = {} WHERE id IN (SELECT line_id FROM decisions WHERE verdict = 'deny')",
        w.at("(2000 - number) * 60 + 30")));
    all
}

/// Where the numbers of a storm's own rows begin.
const STORM: i64 = 50_000_000;

/// The groups of a storm, and how many people are in each.
pub const GROUPS: i64 = 100;
/// People in each group of a storm.
pub const MEMBERS: i64 = 100;

/// Adds grants that all end at one instant: every one of the first people in every group of the storm.
pub fn storm(engine: Engine, now: i64, due_in_seconds: i64) -> Vec<String> {
    let w = Words { engine, now };
    let count = GROUPS * MEMBERS;
    let (from, end) = (w.at("-3600"), w.at(&due_in_seconds.to_string()));
    let (account, person) = (
        w.id(Kind::Account, &format!("i % {MEMBERS}")),
        w.id(Kind::Person, &format!("i % {MEMBERS}")),
    );
    let entitlement = w.id(Kind::Entitlement, &format!("{STORM} + i / {MEMBERS}"));
    let grant = w.id(Kind::Grant, &format!("{STORM} + i"));
    vec![
        format!(
            "INSERT INTO entitlements (id, key, target_id, kind, external_id, name, lane, privileged, manageable)
             SELECT {}, 'storm' || {n}, {}, 'group', {}, 'Storm ' || {n}, 'group:storm' || {n}, FALSE, TRUE FROM {}",
            w.id(Kind::Entitlement, &format!("{STORM} + i")), w.id(Kind::Target, "0"), group_from(engine), w.series(GROUPS), n = Words::text("i")),
        format!(
            "INSERT INTO grants (id, person_id, account_id, package_id, package_version_id, source, state, valid_from, end_kind, end_at, ready_at, created_at)
             SELECT {grant}, {person}, {account}, {}, {}, 'rule', 'active', {from}, 'at', {end}, {from}, {from} FROM {}",
            w.id(Kind::Package, "0"), w.id(Kind::Version, "0"), w.series(count)),
        format!("INSERT INTO grant_entitlements (grant_id, entitlement_id, account_id) SELECT {grant}, {entitlement}, {account} FROM {}", w.series(count)),
        format!(
            "INSERT INTO assignments (id, account_id, person_id, entitlement_id, target_id, lane, desired, desired_since, observed, observed_at, origin, phase, updated_at)
             SELECT {}, {account}, {person}, {entitlement}, {}, 'group:storm' || {}, TRUE, {from}, 'present', {from}, 'ours', 'settled', {from} FROM {}",
            w.id(Kind::Assignment, &format!("{STORM} + i")), w.id(Kind::Target, "0"), Words::text(&format!("i / {MEMBERS}")), w.series(count)),
        format!("INSERT INTO jobs (key, kind, subject, priority, due_at) SELECT 'end:storm' || {}, 'grant_end', {grant}, 0, {end} FROM {}",
            Words::text("i"), w.series(count)),
    ]
}

/// The storm's n-th group at the target.
pub fn storm_group(n: i64) -> Uuid {
    Uuid::from_u128((0x65 << 96) | n as u128)
}

fn group_from(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "lower(printf('00000065-0000-0000-0000-%012x', i))",
        Engine::Postgres => "'00000065-0000-0000-0000-' || lpad(to_hex(i), 12, '0')",
    }
}

/// Askers begin at the twelfth person, so that managers and security are others.
fn asker(people: i64) -> String {
    format!("(12 + i % ({people} - 12))")
}

/// The object id of the i-th group, as text.
fn group(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "lower(printf('00000064-0000-0000-0000-%012x', i))",
        Engine::Postgres => "'00000064-0000-0000-0000-' || lpad(to_hex(i), 12, '0')",
    }
}

/// Fills the database that `url` names. It must be migrated and empty.
pub async fn fill(url: &str, statements: &[String]) -> Result<(), sqlx::Error> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .synchronous(SqliteSynchronous::Off)
            .connect()
            .await?;
        for text in statements {
            sqlx::raw_sql(AssertSqlSafe(text.clone()))
                .execute(&mut connection)
                .await?;
        }
        connection.close().await
    } else {
        let mut connection = PgConnection::connect(url).await?;
        for text in statements {
            sqlx::raw_sql(AssertSqlSafe(text.clone()))
                .execute(&mut connection)
                .await?;
        }
        connection.close().await
    }
}

/// The release binary over a filled database, with a directory in which the first people can sign in.
pub async fn start(
    database: &str,
    folder: &Path,
    port: u16,
    mut directory: Directory,
) -> Result<Portal, Box<dyn Error>> {
    for n in 0..64 {
        directory.users.push(User::new(
            id(Kind::Object, n),
            &format!("Person {n}"),
            &format!("p{n}@contoso.example"),
        ));
    }
    // Roles are what the directory says at sign-in: the first five are security, the sixth reads.
    let application = id(Kind::Application, 0);
    let (security, auditor) = (Uuid::from_u128(0x71), Uuid::from_u128(0x72));
    directory.service_principals.push(ServicePrincipal {
        id: application,
        app_id: portal::PORTAL.into(),
        display_name: "Latchkey".into(),
        app_roles: vec![
            AppRole::new(security, "Portal.Security", "Security"),
            AppRole::new(auditor, "Portal.Auditor", "Auditor"),
        ],
        ..ServicePrincipal::default()
    });
    for n in 1..7 {
        directory.app_role_assignments.push(AppRoleAssignment {
            app_role_id: if n < 6 { security } else { auditor },
            principal_id: id(Kind::Object, n),
            resource_id: application,
            ..AppRoleAssignment::default()
        });
    }
    let url = format!("http://127.0.0.1:{port}");
    let sandbox = portal::sandbox(&url, TENANT, directory).await?;
    let setup = Setup {
        binary: std::env::var_os("LATCHKEY_BIN")
            .map_or_else(|| "target/release/latchkey".into(), PathBuf::from),
        database: database.to_owned(),
        folder: folder.to_owned(),
        url,
        tenant: TENANT,
    };
    Portal::start(setup, sandbox).await
}
