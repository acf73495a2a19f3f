//! A small company with one package, over a fresh database of each engine and a clock that stands.

use std::collections::BTreeMap;

use chrono::{Duration, TimeZone, Utc};
use domain::{
    AccountId, CampaignId, EntitlementId, GrantId, LineId, PackageId, PackageVersionId, PersonId,
    Refusal, RequestId, StageId, TargetId, Timestamp,
    approval::{StageState, Verdict},
    grant::{GrantSource, GrantState},
    policy::{About, ApproverRule, Limits, Policy, Quorum, RiskRule, StageRule},
    request::{Length, Start, Window},
};
use store::{
    Engine,
    certification::{CampaignItemRow, SmallTagRow},
    jobs::Priority,
    testing,
};
use uuid::Uuid;
use workflow::{
    Clock, Error, Ids, Settings, Workflow,
    access::Viewer,
    deadlines, decide, fresh,
    people::{self, DirectoryUser, Seen},
    requests,
    reviews::SmallReviews,
};

/// One company on one engine.
pub struct House {
    pub engine: Engine,
    pub workflow: Workflow,
    pub clock: Clock,
    pub package: PackageId,
    pub version: PackageVersionId,
    pub entitlement: EntitlementId,
    pub target: TargetId,
}

/// Who works there, by number: Karin leads; Astrid manages Johan and Maya; Olle owns; Elin and Tomas are security.
pub const KARIN: u128 = 1;
pub const ASTRID: u128 = 2;
pub const JOHAN: u128 = 3;
pub const MAYA: u128 = 4;
pub const OLLE: u128 = 5;
pub const ELIN: u128 = 6;
pub const TOMAS: u128 = 7;

/// Waits until so many transactions of this database wait for a lock; two seconds at most. PostgreSQL only.
pub async fn until_waiting(store: &store::Store, transactions: u64) {
    for _ in 0..200 {
        let text = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        if testing::raw(store, text).await.unwrap() >= transactions {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

pub fn start() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 10, 25, 0, 30, 0).unwrap()
}

pub fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

pub fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(0x1000 + n))
}

pub fn stage(approvers: ApproverRule) -> StageRule {
    StageRule::of(approvers, Quorum::Count(1))
}

pub fn policy(route: Vec<StageRule>) -> Policy {
    Policy {
        eligibility: vec![],
        cedar: String::new(),
        about: About::default(),
        route,
        collapse: false,
        limits: Limits {
            default_seconds: 8 * 3600,
            longest_seconds: 30 * 86_400,
            continuous_seconds: 120 * 86_400,
            permanent: true,
            furthest_start_seconds: 30 * 86_400,
            pending_seconds: 7 * 86_400,
        },
        questions: vec![],
        risk: RiskRule::default(),
        asking: domain::asking::Asking::default(),
    }
}

pub fn hours(hours: i64) -> Window {
    Window {
        start: Start::OnActivation,
        length: Length::Seconds(hours * 3600),
    }
}

/// A house on each engine, whose package has this policy.
pub async fn houses(policy: &Policy) -> Vec<House> {
    houses_with(policy, SmallReviews::OFF).await
}

/// As [`houses`], with small reviews.
pub async fn houses_with(policy: &Policy, small_reviews: SmallReviews) -> Vec<House> {
    let mut houses = Vec::new();
    for (engine, store) in testing::stores().await {
        houses.push(House::build(engine, store, policy, small_reviews).await);
    }
    houses
}

impl House {
    async fn build(
        engine: Engine,
        store: store::Store,
        policy: &Policy,
        small_reviews: SmallReviews,
    ) -> Self {
        let clock = Clock::simulated(start());
        let settings = Settings {
            asks_per_ten_minutes: 1000,
            step_up: Some("c1".into()),
            small_reviews,
            ..Settings::default()
        };
        let workflow = Workflow::new(store, clock.clone(), Ids::seeded(7), settings);
        let house = Self {
            engine,
            workflow,
            clock,
            package: PackageId(Uuid::from_u128(0x2000)),
            version: PackageVersionId(Uuid::from_u128(0x3000)),
            entitlement: EntitlementId(Uuid::from_u128(0x4000)),
            target: TargetId(Uuid::from_u128(0x5000)),
        };
        house.people().await;
        house.catalogue().await;
        house
            .add_package(
                house.package,
                house.version,
                "Production database, read",
                policy,
                &[house.entitlement],
            )
            .await;
        house
    }

    pub fn id(&self, id: Uuid) -> String {
        testing::literal(self.engine, id)
    }

    pub fn now_literal(&self) -> String {
        self.literal(self.clock.now())
    }

    /// An instant in the words of the engine.
    pub fn literal(&self, at: Timestamp) -> String {
        match self.engine {
            Engine::Sqlite => at.timestamp_micros().to_string(),
            Engine::Postgres => format!("'{}'", at.to_rfc3339()),
        }
    }

    pub async fn raw(&self, text: &str) -> Result<u64, store::Error> {
        testing::raw(self.workflow.store(), text).await
    }

    async fn people(&self) {
        let now = self.now_literal();
        let people = [
            (KARIN, "Karin Holm", None),
            (ASTRID, "Astrid Lindqvist", Some(KARIN)),
            (JOHAN, "Johan Nyberg", Some(ASTRID)),
            (MAYA, "Maya Rao", Some(ASTRID)),
            (OLLE, "Olle Ström", Some(KARIN)),
            (ELIN, "Elin Berg", Some(KARIN)),
            (TOMAS, "Tomas Ek", Some(KARIN)),
        ];
        for (n, name, manager) in people {
            let manager = manager.map_or("NULL".to_owned(), |n| self.id(person(n).0));
            self.raw(&format!(
                "INSERT INTO persons (id, name, mail, department, employee_type, manager_id, state, search_key, created_at, updated_at)
                 VALUES ({}, '{name}', 'p{n}@contoso.example', 'Orders', 'employee', {manager}, 'active', '', {now}, {now})",
                self.id(person(n).0))).await.unwrap();
            self.raw(&format!(
                "INSERT INTO accounts (id, person_id, tenant_id, object_id, kind, enabled, deleted, created_at, updated_at)
                 VALUES ({}, {}, {}, {}, 'normal', TRUE, FALSE, {now}, {now})",
                self.id(account(n).0), self.id(person(n).0), self.id(Uuid::from_u128(9)), self.id(Uuid::from_u128(0x9000 + n))))
                .await.unwrap();
        }
        for n in [ELIN, TOMAS] {
            self.raw(&format!("INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, 'security', 'directory', {now})",
                self.id(account(n).0))).await.unwrap();
        }
    }

    async fn catalogue(&self) {
        let now = self.now_literal();
        let application = self.id(Uuid::from_u128(0x6000));
        self.raw(&format!(
            "INSERT INTO applications (id, key, name) VALUES ({application}, 'orders', 'Orders')"
        ))
        .await
        .unwrap();
        self.raw(&format!(
            "INSERT INTO targets (id, key, kind, name) VALUES ({}, 'entra', 'graph', 'Entra ID')",
            self.id(self.target.0)
        ))
        .await
        .unwrap();
        self.raw(&format!("INSERT INTO catalogue_versions (id, number, state, file_hash, content, difference, widens, created_at)
             VALUES ({}, 1, 'published', 'x', '{{}}', '[]', FALSE, {now})", self.id(Uuid::from_u128(0x7000)))).await.unwrap();
        self.add_entitlement(self.entitlement, "sg-prod-orders-ro")
            .await;
    }

    pub async fn add_entitlement(&self, id: EntitlementId, name: &str) {
        self.raw(&format!(
            "INSERT INTO entitlements (id, key, target_id, kind, external_id, name, lane, privileged, manageable)
             VALUES ({}, '{name}', {}, 'group', '{}', '{name}', 'group:{name}', FALSE, TRUE)",
            self.id(id.0), self.id(self.target.0), id.0)).await.unwrap();
    }

    pub async fn add_package(
        &self,
        package: PackageId,
        version: PackageVersionId,
        name: &str,
        policy: &Policy,
        content: &[EntitlementId],
    ) {
        let now = self.now_literal();
        let policy = serde_json::to_string(policy).unwrap();
        self.raw(&format!(
            "INSERT INTO packages (id, key, application_id, name, state, version_id, search_key, updated_at)
             VALUES ({}, '{name}', {}, '{name}', 'offered', {}, '', {now})",
            self.id(package.0), self.id(Uuid::from_u128(0x6000)), self.id(version.0))).await.unwrap();
        self.raw(&format!(
            "INSERT INTO package_versions (id, package_id, number, catalogue_version_id, policy, opens, created_at)
             VALUES ({}, {}, 1, {}, '{policy}', '[]', {now})",
            self.id(version.0), self.id(package.0), self.id(Uuid::from_u128(0x7000)))).await.unwrap();
        for entitlement in content {
            self.raw(&format!("INSERT INTO package_version_entitlements (package_version_id, entitlement_id) VALUES ({}, {})",
                self.id(version.0), self.id(entitlement.0))).await.unwrap();
        }
        self.raw(&format!(
            "INSERT INTO package_owners (package_id, person_id) VALUES ({}, {})",
            self.id(package.0),
            self.id(person(OLLE).0)
        ))
        .await
        .unwrap();
    }

    /// Somebody signed in.
    pub async fn viewer(&self, n: u128) -> Viewer {
        workflow::access::viewer(&self.workflow, person(n), account(n))
            .await
            .unwrap()
            .expect("works here")
    }

    /// Asks for the package and gives the request.
    pub async fn ask(&self, n: u128, window: Window, key: &str) -> workflow::Result<RequestId> {
        self.ask_for(n, self.package, window, key).await
    }

    pub async fn ask_for(
        &self,
        n: u128,
        package: PackageId,
        window: Window,
        key: &str,
    ) -> workflow::Result<RequestId> {
        let ask = requests::NewAsk {
            confirmed: false,
            package,
            window,
            reason: "Incident 4312".into(),
            answers: BTreeMap::new(),
            key: key.into(),
        };
        requests::ask(&self.workflow, &self.viewer(n).await, ask).await
    }

    /// Asks for more time on a grant.
    pub async fn more(
        &self,
        n: u128,
        grant: GrantId,
        hours: i64,
        key: &str,
    ) -> workflow::Result<RequestId> {
        let ask = requests::MoreTime {
            grant,
            seconds: Some(hours * 3600),
            reason: "Not finished yet".into(),
            key: key.into(),
        };
        requests::extend(&self.workflow, &self.viewer(n).await, ask).await
    }

    /// A right that was found at the target and became an import.
    pub async fn import(&self, n: u128, entitlement: EntitlementId) -> GrantId {
        let id = GrantId(Uuid::from_u128(0x8000 + n));
        let now = self.clock.now();
        let grant = store::grants::GrantRow {
            id,
            person_id: person(n),
            account_id: account(n),
            package_id: None,
            package_version_id: None,
            line_id: None,
            source: GrantSource::Import,
            state: GrantState::Active,
            valid_from: now,
            end_at: None,
            ready_at: Some(now),
            ended_at: None,
            end_reason: None,
            ended_by: None,
            end_note: None,
            gone_at: None,
            version: 0,
            created_at: now,
        };
        let mut tx = self.workflow.store().begin().await.unwrap();
        tx.insert_grant(&grant, &[entitlement]).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// The small reviews that there are.
    pub async fn small_reviews(&self) -> Vec<SmallTagRow> {
        let mut tx = self.workflow.store().read().await.unwrap();
        tx.small_reviews_page(50).await.unwrap()
    }

    /// The items of a review.
    pub async fn items(&self, id: CampaignId) -> Vec<CampaignItemRow> {
        let mut tx = self.workflow.store().read().await.unwrap();
        tx.items_of_campaign(id, None, None, 100).await.unwrap()
    }

    /// The directory says that somebody works elsewhere now.
    pub async fn moves(&self, n: u128, department: &str, manager: u128) {
        let seen = Seen::User(Box::new(DirectoryUser {
            object: Uuid::from_u128(0x9000 + n),
            name: format!("Person {n}"),
            department: department.into(),
            employee_type: "employee".into(),
            user_type: "member".into(),
            enabled: true,
            tells_last_day: true,
            manager: Some(Uuid::from_u128(0x9000 + manager)),
            ..DirectoryUser::default()
        }));
        people::apply_directory(&self.workflow, Uuid::from_u128(9), &[seen])
            .await
            .unwrap();
    }

    /// How many mails of a kind somebody has got.
    pub async fn mails(&self, n: u128, kind: &str) -> u64 {
        self.raw(&format!(
            "UPDATE messages SET kind = kind WHERE kind = '{kind}' AND person_id = {}",
            self.id(person(n).0)
        ))
        .await
        .unwrap()
    }

    /// A grant by its id.
    pub async fn grant(&self, id: GrantId) -> store::grants::GrantRow {
        let mut tx = self.workflow.store().read().await.unwrap();
        tx.grant(id).await.unwrap().expect("a grant")
    }

    /// Whether the audit log holds an entry about this with these words.
    pub async fn logged(&self, subject: impl ToString, words: &str) -> bool {
        let query = store::audit::AuditQuery {
            subject: Some(subject.to_string()),
            limit: 500,
            ..store::audit::AuditQuery::default()
        };
        let mut tx = self.workflow.store().read().await.unwrap();
        let page = tx.audit_page(&query).await.unwrap();
        page.iter().any(|row| row.entry.contains(words))
    }

    /// The only line of a request.
    pub async fn line(&self, request: RequestId) -> store::requests::LineRow {
        let mut tx = self.workflow.store().read().await.unwrap();
        tx.lines_of_request(request).await.unwrap().remove(0)
    }

    /// The open stage of a line and what its decider signs.
    pub async fn open(&self, line: LineId) -> (StageId, String) {
        let mut tx = self.workflow.store().read().await.unwrap();
        let row = tx.line(line).await.unwrap().unwrap();
        let decisions = tx.decisions(line).await.unwrap();
        let stage = tx
            .stages(line)
            .await
            .unwrap()
            .into_iter()
            .find(|stage| stage.state == StageState::Open)
            .expect("open");
        (stage.id, decide::to_sign(&row, &decisions))
    }

    /// Votes on whatever stage is open.
    pub async fn vote(
        &self,
        n: u128,
        line: LineId,
        verdict: Verdict,
        cap: Option<i64>,
    ) -> workflow::Result<()> {
        let open = self.open(line).await;
        self.vote_in(n, open, verdict, cap).await
    }

    /// Votes on a stage that was seen open before: for races.
    pub async fn vote_in(
        &self,
        n: u128,
        (stage, signed_hash): (StageId, String),
        verdict: Verdict,
        cap_seconds: Option<i64>,
    ) -> workflow::Result<()> {
        let vote = decide::Vote {
            stage,
            verdict,
            note: "I looked at it".into(),
            cap_seconds,
            signed_hash,
        };
        self.cast(n, vote).await
    }

    /// Casts a vote; where it takes a fresh sign-in, with one.
    pub async fn cast(&self, n: u128, vote: decide::Vote) -> workflow::Result<()> {
        let viewer = self.viewer(n).await;
        match decide::decide(&self.workflow, &viewer, vote.clone()).await {
            Err(Error::Refused(refusals)) if refusals == [Refusal::WantsFreshSignIn] => {
                let id = fresh::keep(&self.workflow, &viewer, vote).await?;
                let stands =
                    fresh::carry_out(&self.workflow, &viewer, id, &self.again(n).await).await?;
                if stands.is_empty() {
                    Ok(())
                } else {
                    Err(Error::Refused(stands))
                }
            }
            other => other,
        }
    }

    /// A sign-in of this person, now.
    pub async fn again(&self, n: u128) -> fresh::SignedInAgain {
        let mut tx = self.workflow.store().read().await.unwrap();
        let account = tx.account(account(n)).await.unwrap().unwrap();
        fresh::SignedInAgain {
            account: account.into_domain().key,
            at: Some(self.workflow.clock().system_now()),
            contexts: self.workflow.settings().step_up.iter().cloned().collect(),
        }
    }

    /// Asks and lets these people approve in order; gives the grant.
    pub async fn held(
        &self,
        n: u128,
        window: Window,
        key: &str,
        deciders: &[u128],
    ) -> store::grants::GrantRow {
        let request = self.ask(n, window, key).await.unwrap();
        let line = self.line(request).await;
        for decider in deciders {
            self.vote(*decider, line.id, Verdict::Approve, None)
                .await
                .unwrap();
        }
        self.grant_of(line.id).await
    }

    pub async fn grant_of(&self, line: LineId) -> store::grants::GrantRow {
        let mut tx = self.workflow.store().read().await.unwrap();
        tx.grant_of_line(line).await.unwrap().expect("a grant")
    }

    /// Whether anything wants the entitlement on this person's account now.
    pub async fn desired(&self, n: u128, entitlement: EntitlementId) -> bool {
        let mut tx = self.workflow.store().begin().await.unwrap();
        tx.lock_pairs(&[(account(n), entitlement)])
            .await
            .unwrap()
            .first()
            .is_some_and(|row| row.desired)
    }

    /// Moves the clock and does every deadline that has come due.
    pub async fn pass(&self, span: Duration) {
        self.clock.move_to(self.clock.now() + span);
        loop {
            let mut due = Vec::new();
            let mut tx = self.workflow.store().begin().await.unwrap();
            let now = self.clock.now();
            for priority in Priority::ALL {
                due.extend(
                    tx.claim_jobs(
                        priority,
                        deadlines::KINDS,
                        now,
                        now + Duration::seconds(60),
                        Uuid::nil(),
                        100,
                    )
                    .await
                    .unwrap(),
                );
            }
            tx.commit().await.unwrap();
            if due.is_empty() {
                return;
            }
            deadlines::run(&self.workflow, &due).await.unwrap();
        }
    }
}
