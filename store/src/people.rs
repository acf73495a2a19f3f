//! People, their accounts, who they report to, and who answers for them.

use domain::{
    AccountId, PersonId, Timestamp,
    person::{Account, AccountKey, AccountKind, Person, PersonState},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::{
    engine::{At, Error, Tx},
    requests::AskedRow,
};

/// Rows for one statement: PostgreSQL takes at most 65,535 values, and a person has 21.
const CHUNK: usize = 500;

row! {
    /// One human, as kept.
    pub struct PersonRow {
        /// Our id.
        pub id: PersonId,
        /// Name as shown.
        pub name: String,
        /// Given name, for greeting.
        pub given_name: String,
        /// Mail address; a label, never a key.
        pub mail: String,
        /// Department.
        pub department: String,
        /// Job title.
        pub job_title: String,
        /// Country, two letters where the directory has it so.
        pub country: String,
        /// Office.
        pub office: String,
        /// Company (legal entity).
        pub company: String,
        /// The employer's own number.
        pub employee_id: String,
        /// `employee`, `contractor`, …; lower case.
        pub employee_type: String,
        /// `member` or `guest`.
        pub user_type: String,
        /// Who they report to.
        pub manager_id: Option<PersonId>,
        /// First working day.
        pub hired_at: Option<Timestamp>,
        /// End of the last working day.
        pub last_day_at: Option<Timestamp>,
        /// Works here or has left.
        pub state: PersonState,
        /// When they left.
        pub left_at: Option<Timestamp>,
        /// Since when the kill switch holds them back. Written by that alone.
        pub suspended_at: Option<Timestamp>,
        /// What search compares with: lower case, without diacritics.
        pub search_key: String,
        /// Counts changes.
        pub version: i64,
        /// When they became known.
        pub created_at: Timestamp,
        /// When anything of this last changed.
        pub updated_at: Timestamp,
    }

    /// One sign-in identity, as kept.
    pub struct AccountRow {
        /// Our id.
        pub id: AccountId,
        /// Whose it is.
        pub person_id: PersonId,
        /// Entra tenant id.
        pub tenant_id: Uuid,
        /// Entra object id.
        pub object_id: Uuid,
        /// What it is used for.
        pub kind: AccountKind,
        /// User principal name; a label.
        pub user_name: String,
        /// Whether the directory lets it sign in.
        pub enabled: bool,
        /// Whether the directory has deleted it.
        pub deleted: bool,
        /// When it became known.
        pub created_at: Timestamp,
        /// When it last changed.
        pub updated_at: Timestamp,
    }

    /// Somebody above somebody else.
    pub struct AboveRow {
        /// Below.
        pub person_id: PersonId,
        /// Above.
        pub above_id: PersonId,
    }

    /// Somebody who answers for somebody else.
    pub struct SponsorRow {
        /// For whom.
        pub person_id: PersonId,
        /// Who answers.
        pub sponsor_id: PersonId,
    }
}

impl PersonRow {
    /// What rules need to know.
    pub fn into_domain(self) -> Person {
        Person {
            id: self.id,
            name: self.name,
            state: self.state,
            department: self.department,
            job_title: self.job_title,
            country: self.country,
            office: self.office,
            company: self.company,
            employee_type: self.employee_type,
            user_type: self.user_type,
            manager: self.manager_id,
            last_day_at: self.last_day_at,
            suspended: self.suspended_at.is_some(),
        }
    }
}

impl AccountRow {
    /// What rules need to know. Deleted counts as disabled.
    pub fn into_domain(self) -> Account {
        Account {
            id: self.id,
            person: self.person_id,
            key: AccountKey {
                tenant: self.tenant_id,
                object: self.object_id,
            },
            enabled: self.usable(),
        }
    }

    /// Whether the account may be used for anything.
    pub const fn usable(&self) -> bool {
        self.enabled && !self.deleted
    }
}

macro_rules! person_columns {
    ($tail:literal) => {
        concat!(
            "SELECT id, name, given_name, mail, department, job_title, country, office, company, employee_id, \
             employee_type, user_type, manager_id, hired_at, last_day_at, state, left_at, suspended_at, search_key, version, \
             created_at, updated_at FROM persons",
            $tail
        )
    };
}

/// Whoever asks, with what answers the ask already, or stands in its way whatever it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct AskerRow {
    /// Who.
    pub person: PersonRow,
    /// The request that was made with the same key, and the lines submitted of late.
    pub before: AskedRow,
}

impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for AskerRow {
    fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            person: PersonRow::from_row(row)?,
            before: AskedRow::from_row(row)?,
        })
    }
}

impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for AskerRow {
    fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            person: PersonRow::from_row(row)?,
            before: AskedRow::from_row(row)?,
        })
    }
}

macro_rules! account_columns {
    ($tail:literal) => {
        concat!(
            "SELECT id, person_id, tenant_id, object_id, kind, user_name, enabled, deleted, created_at, updated_at \
             FROM accounts",
            $tail
        )
    };
}

/// Which people a list shows. All given conditions hold.
#[derive(Clone, Debug, Default)]
pub struct PeopleQuery {
    /// Text that the search key contains; folded like the key.
    pub text: Option<String>,
    /// Only who reports to this person.
    pub manager: Option<PersonId>,
    /// Only of this department, exactly.
    pub department: Option<String>,
    /// Only those who work here or only those who have left.
    pub state: Option<PersonState>,
    /// After this search key and id: where the last page ended.
    pub after: Option<(String, PersonId)>,
    /// At most so many.
    pub limit: i64,
}

impl Tx {
    /// Locks persons until commit, in id order, so that two transactions never decide differently about one of them.
    /// Nothing on SQLite, which writes one transaction at a time.
    pub async fn lock_persons(&mut self, ids: &[PersonId]) -> Result<(), Error> {
        let Self::Postgres(tx) = self else {
            return Ok(());
        };
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        // NO KEY UPDATE lets rows that only refer to a person be inserted meanwhile.
        sqlx::query("SELECT id FROM persons WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
            .bind(ids)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// One person.
    pub async fn person(&mut self, id: PersonId) -> Result<Option<PersonRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(person_columns!(" WHERE id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// Whoever asks, with what [`Tx::asked_before`] says.
    pub async fn asker(
        &mut self,
        id: PersonId,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<AskerRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT p.*, (SELECT r.id FROM requests r WHERE r.asker_id = $1 AND r.idempotency_key = $2) AS known,
                    (SELECT COUNT(*) FROM lines l WHERE l.asker_id = $1 AND l.submitted_at > $3) AS recent
             FROM persons p WHERE p.id = $1")
            .bind(id.0).bind(key).bind(At(since)).fetch_optional(c).await)?)
    }

    /// Several persons, in id order; unknown ids are left out.
    pub async fn persons(&mut self, ids: &[PersonId]) -> Result<Vec<PersonRow>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let rows: Vec<PersonRow> = on!(self, c => {
                let mut query = QueryBuilder::new(person_columns!(" WHERE id IN ("));
                let mut list = query.separated(", ");
                for id in chunk {
                    list.push_bind(id.0);
                }
                query.push(") ORDER BY id");
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(rows);
        }
        found.sort_by_key(|person| person.id);
        found.dedup_by_key(|person| person.id);
        Ok(found)
    }

    /// A page of people by search key.
    pub async fn people_page(&mut self, wanted: &PeopleQuery) -> Result<Vec<PersonRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(person_columns!(" WHERE 1 = 1"));
            if let Some(text) = &wanted.text {
                query.push(" AND search_key LIKE ").push_bind(like_pattern(text)).push(" ESCAPE '\\'");
            }
            if let Some(manager) = wanted.manager {
                query.push(" AND manager_id = ").push_bind(manager.0);
            }
            if let Some(department) = &wanted.department {
                query.push(" AND department = ").push_bind(department.clone());
            }
            if let Some(state) = wanted.state {
                query.push(" AND state = ").push_bind(state.as_str());
            }
            if let Some((key, id)) = &wanted.after {
                query.push(" AND (search_key, id) > (").push_bind(key.clone()).push(", ").push_bind(id.0).push(")");
            }
            query.push(" ORDER BY search_key, id LIMIT ").push_bind(wanted.limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How many people work here, as far as is known.
    pub async fn count_active_people(&mut self) -> Result<i64, Error> {
        Ok(
            on!(self, c => sqlx::query_scalar("SELECT COUNT(*) FROM persons WHERE state = 'active'")
            .fetch_one(c).await)?,
        )
    }

    /// Adds people. Their managers must be there already or come in the same call after being inserted without one.
    pub async fn insert_persons(&mut self, people: &[PersonRow]) -> Result<(), Error> {
        for chunk in people.chunks(CHUNK) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO persons (id, name, given_name, mail, department, job_title, country, office, company, \
                     employee_id, employee_type, user_type, manager_id, hired_at, last_day_at, state, left_at, \
                     search_key, version, created_at, updated_at) ");
                query.push_values(chunk, |mut tuple, row| {
                    tuple.push_bind(row.id.0).push_bind(row.name.clone()).push_bind(row.given_name.clone())
                        .push_bind(row.mail.clone()).push_bind(row.department.clone()).push_bind(row.job_title.clone())
                        .push_bind(row.country.clone()).push_bind(row.office.clone()).push_bind(row.company.clone())
                        .push_bind(row.employee_id.clone()).push_bind(row.employee_type.clone())
                        .push_bind(row.user_type.clone()).push_bind(row.manager_id.map(|id| id.0))
                        .push_bind(row.hired_at.map(At)).push_bind(row.last_day_at.map(At))
                        .push_bind(row.state.as_str()).push_bind(row.left_at.map(At))
                        .push_bind(row.search_key.clone()).push_bind(row.version)
                        .push_bind(At(row.created_at)).push_bind(At(row.updated_at));
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Writes a person as given, and counts the change.
    pub async fn update_person(&mut self, row: &PersonRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE persons SET name = $2, given_name = $3, mail = $4, department = $5, job_title = $6, country = $7,
               office = $8, company = $9, employee_id = $10, employee_type = $11, user_type = $12, manager_id = $13,
               hired_at = $14, last_day_at = $15, state = $16, left_at = $17, search_key = $18, updated_at = $19,
               version = version + 1
             WHERE id = $1")
            .bind(row.id.0).bind(&row.name).bind(&row.given_name).bind(&row.mail).bind(&row.department)
            .bind(&row.job_title).bind(&row.country).bind(&row.office).bind(&row.company).bind(&row.employee_id)
            .bind(&row.employee_type).bind(&row.user_type).bind(row.manager_id.map(|id| id.0))
            .bind(row.hired_at.map(At)).bind(row.last_day_at.map(At)).bind(row.state.as_str())
            .bind(row.left_at.map(At)).bind(&row.search_key).bind(At(row.updated_at))
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// One account.
    pub async fn account(&mut self, id: AccountId) -> Result<Option<AccountRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(account_columns!(" WHERE id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The account with this tenant and object id.
    pub async fn account_by_key(&mut self, key: AccountKey) -> Result<Option<AccountRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(account_columns!(" WHERE tenant_id = $1 AND object_id = $2"))
            .bind(key.tenant).bind(key.object).fetch_optional(c).await)?,
        )
    }

    /// The accounts of a tenant with these object ids; unknown ones are left out.
    pub async fn accounts_by_objects(
        &mut self,
        tenant: Uuid,
        objects: &[Uuid],
    ) -> Result<Vec<AccountRow>, Error> {
        let mut found = Vec::with_capacity(objects.len());
        for chunk in objects.chunks(CHUNK) {
            let rows: Vec<AccountRow> = on!(self, c => {
                let mut query = QueryBuilder::new(account_columns!(" WHERE tenant_id = "));
                query.push_bind(tenant).push(" AND object_id IN (");
                let mut list = query.separated(", ");
                for object in chunk {
                    list.push_bind(*object);
                }
                query.push(") ORDER BY id");
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// All accounts of a person, oldest first.
    pub async fn accounts_of(&mut self, person: PersonId) -> Result<Vec<AccountRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(account_columns!(" WHERE person_id = $1 ORDER BY created_at, id"))
            .bind(person.0).fetch_all(c).await)?,
        )
    }

    /// The account that a person is given access on unless another is named: usable before unusable, everyday before
    /// any other kind, oldest first.
    pub async fn primary_account_of(
        &mut self,
        person: PersonId,
    ) -> Result<Option<AccountRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(account_columns!(
            " WHERE person_id = $1 ORDER BY deleted, CASE WHEN enabled = TRUE THEN 0 ELSE 1 END,
               CASE kind WHEN 'normal' THEN 0 WHEN 'directory' THEN 1 WHEN 'guest' THEN 2 ELSE 3 END, created_at, id
             LIMIT 1")).bind(person.0).fetch_optional(c).await)?)
    }

    /// The usable accounts of a tenant in id order, after one id: for comparing with a whole directory in steps.
    pub async fn accounts_after(
        &mut self,
        tenant: Uuid,
        after: Option<AccountId>,
        limit: i64,
    ) -> Result<Vec<AccountRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(account_columns!(
            " WHERE tenant_id = $1 AND enabled = TRUE AND deleted = FALSE AND id > $2 ORDER BY id LIMIT $3"))
            .bind(tenant).bind(after.map_or(Uuid::nil(), |id| id.0)).bind(limit).fetch_all(c).await)?)
    }

    /// Adds accounts; their persons must be there.
    pub async fn insert_accounts(&mut self, accounts: &[AccountRow]) -> Result<(), Error> {
        for chunk in accounts.chunks(CHUNK) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO accounts (id, person_id, tenant_id, object_id, kind, user_name, enabled, deleted, \
                     created_at, updated_at) ");
                query.push_values(chunk, |mut tuple, row| {
                    tuple.push_bind(row.id.0).push_bind(row.person_id.0).push_bind(row.tenant_id)
                        .push_bind(row.object_id).push_bind(row.kind.as_str()).push_bind(row.user_name.clone())
                        .push_bind(row.enabled).push_bind(row.deleted).push_bind(At(row.created_at))
                        .push_bind(At(row.updated_at));
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Writes what may change of an account: kind, label, enabled, deleted.
    pub async fn update_account(&mut self, row: &AccountRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE accounts SET kind = $2, user_name = $3, enabled = $4, deleted = $5, updated_at = $6 WHERE id = $1")
            .bind(row.id.0).bind(row.kind.as_str()).bind(&row.user_name).bind(row.enabled).bind(row.deleted)
            .bind(At(row.updated_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Everybody above each of these people, nearest first. Follows managers at most 64 steps, so that a circle ends.
    pub async fn managers_above(&mut self, people: &[PersonId]) -> Result<Vec<AboveRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "WITH RECURSIVE up (person_id, above_id, depth) AS (
                   SELECT id, manager_id, CAST(1 AS BIGINT) FROM persons WHERE manager_id IS NOT NULL AND id IN (");
            let mut list = query.separated(", ");
            for id in people {
                list.push_bind(id.0);
            }
            query.push(
                ") UNION ALL
                   SELECT up.person_id, p.manager_id, up.depth + 1 FROM up JOIN persons p ON p.id = up.above_id
                   WHERE p.manager_id IS NOT NULL AND up.depth < 64)
                 SELECT person_id, above_id FROM up ORDER BY person_id, depth");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The sponsors of these people.
    pub async fn sponsors_of(&mut self, people: &[PersonId]) -> Result<Vec<SponsorRow>, Error> {
        let mut found = Vec::new();
        for chunk in people.chunks(CHUNK) {
            let rows: Vec<SponsorRow> = on!(self, c => {
                let mut query = QueryBuilder::new(
                    "SELECT person_id, sponsor_id FROM person_sponsors WHERE person_id IN (");
                let mut list = query.separated(", ");
                for id in chunk {
                    list.push_bind(id.0);
                }
                query.push(") ORDER BY person_id, sponsor_id");
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// Replaces the sponsors of a person.
    pub async fn set_sponsors(
        &mut self,
        person: PersonId,
        sponsors: &[PersonId],
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM person_sponsors WHERE person_id = $1")
            .bind(person.0).execute(c).await.map(drop))?;
        if sponsors.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new("INSERT INTO person_sponsors (person_id, sponsor_id) ");
            query.push_values(sponsors, |mut tuple, sponsor| {
                tuple.push_bind(person.0).push_bind(sponsor.0);
            });
            query.push(" ON CONFLICT DO NOTHING");
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// The owners of a package.
    pub async fn owners_of_package(
        &mut self,
        package: domain::PackageId,
    ) -> Result<Vec<PersonId>, Error> {
        let ids: Vec<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT person_id FROM package_owners WHERE package_id = $1 ORDER BY person_id")
            .bind(package.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(PersonId).collect())
    }
}

/// `text` as a pattern that finds it anywhere, with its own wildcards made plain.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
