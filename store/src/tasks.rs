//! What people do by hand, and what they last said is so.

use domain::{
    AssignmentId, EntitlementId, PersonId, TargetId, TaskId, Timestamp,
    task::{TaskCall, TaskState},
};
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

row! {
    /// Something to be done by hand.
    pub struct TaskRow {
        /// Its id.
        pub id: TaskId,
        /// The assignment that it is for.
        pub assignment_id: AssignmentId,
        /// Whose access it is.
        pub person_id: PersonId,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// What has to be done.
        pub call: TaskCall,
        /// Where it stands.
        pub state: TaskState,
        /// When it should be done.
        pub due_at: Timestamp,
        /// How often somebody was reminded.
        pub reminders: i64,
        /// When it was opened.
        pub created_at: Timestamp,
        /// When somebody last said what came of it, or when it was dropped.
        pub closed_at: Option<Timestamp>,
        /// Who said it.
        pub closed_by: Option<PersonId>,
        /// What they wrote.
        pub note: String,
    }

    /// A task with what a list shows of it.
    pub struct NamedTaskRow {
        /// Its id.
        pub id: TaskId,
        /// The assignment that it is for.
        pub assignment_id: AssignmentId,
        /// Whose access it is.
        pub person_id: PersonId,
        /// Their name.
        pub person_name: String,
        /// The account's sign-in name.
        pub account_name: String,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Its name.
        pub entitlement_name: String,
        /// What holding it means.
        pub entitlement_summary: String,
        /// Whether it is privileged.
        pub privileged: bool,
        /// What is to be done.
        pub instructions: String,
        /// Who owns the right.
        pub owner_id: Option<PersonId>,
        /// The target.
        pub target_id: TargetId,
        /// Its name.
        pub target_name: String,
        /// What has to be done.
        pub call: TaskCall,
        /// Where it stands.
        pub state: TaskState,
        /// When it should be done.
        pub due_at: Timestamp,
        /// When it was opened.
        pub created_at: Timestamp,
        /// When somebody last said what came of it, or when it was dropped.
        pub closed_at: Option<Timestamp>,
        /// Who said it.
        pub closed_by: Option<PersonId>,
        /// Their name.
        pub closer_name: Option<String>,
        /// What they wrote.
        pub note: String,
    }

    /// What a right that is given by hand asks for.
    pub struct ByHandRow {
        /// Who owns the right.
        pub owner_id: Option<PersonId>,
        /// Within which time it is to be done, in seconds.
        pub due_within_seconds: i64,
    }

    /// What somebody last said is so.
    pub struct ConfirmationRow {
        /// Of which assignment.
        pub assignment_id: AssignmentId,
        /// Whose access it is.
        pub person_id: PersonId,
        /// Whether they hold it.
        pub present: bool,
        /// `task` or `listing`.
        pub via: String,
        /// Who said it.
        pub said_by: PersonId,
        /// When.
        pub said_at: Timestamp,
    }
}

macro_rules! select_task {
    ($rest:literal) => {
        concat!(
            "SELECT id, assignment_id, person_id, entitlement_id, call, state, due_at, reminders, created_at, closed_at,
               closed_by, note FROM tasks",
            $rest
        )
    };
}

macro_rules! select_named {
    ($rest:literal) => {
        concat!(
            "SELECT k.id, k.assignment_id, k.person_id, n.name AS person_name, c.user_name AS account_name, k.entitlement_id,
               e.name AS entitlement_name, e.summary AS entitlement_summary, e.privileged, e.instructions, e.owner_id,
               e.target_id, t.name AS target_name, k.call, k.state, k.due_at, k.created_at, k.closed_at, k.closed_by,
               b.name AS closer_name, k.note
             FROM tasks k JOIN assignments s ON s.id = k.assignment_id JOIN persons n ON n.id = k.person_id
             JOIN accounts c ON c.id = s.account_id JOIN entitlements e ON e.id = k.entitlement_id
             JOIN targets t ON t.id = e.target_id LEFT JOIN persons b ON b.id = k.closed_by",
            $rest
        )
    };
}

impl Tx {
    /// Opens a task.
    pub async fn insert_task(&mut self, row: &TaskRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO tasks (id, assignment_id, person_id, entitlement_id, call, state, due_at, reminders, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(row.id.0).bind(row.assignment_id.0).bind(row.person_id.0).bind(row.entitlement_id.0)
            .bind(row.call.as_str()).bind(row.state.as_str()).bind(At(row.due_at)).bind(row.reminders)
            .bind(At(row.created_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// A task.
    pub async fn task(&mut self, id: TaskId) -> Result<Option<TaskRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_task!(" WHERE id = $1")).bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The task of an assignment that still asks for something to be done.
    pub async fn live_task(&mut self, assignment: AssignmentId) -> Result<Option<TaskRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_task!(" WHERE assignment_id = $1 AND state IN ('open', 'cannot')"))
            .bind(assignment.0).fetch_optional(c).await)?,
        )
    }

    /// Says what came of a live task: that it is done, that it cannot be done, or that nobody needs it any more. False if it
    /// is live no longer.
    pub async fn close_task(
        &mut self,
        id: TaskId,
        state: TaskState,
        by: Option<PersonId>,
        note: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let changed = on!(self, c => sqlx::query(
            "UPDATE tasks SET state = $2, closed_by = $3, note = $4, closed_at = $5
             WHERE id = $1 AND state IN ('open', 'cannot')")
            .bind(id.0).bind(state.as_str()).bind(by.map(|by| by.0)).bind(note).bind(At(now))
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Counts a reminder of a live task.
    pub async fn count_task_reminder(&mut self, id: TaskId) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE tasks SET reminders = reminders + 1 WHERE id = $1 AND state IN ('open', 'cannot')")
            .bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What somebody last said of an assignment.
    pub async fn confirmation(
        &mut self,
        assignment: AssignmentId,
    ) -> Result<Option<ConfirmationRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT assignment_id, person_id, present, via, said_by, said_at FROM confirmations WHERE assignment_id = $1")
            .bind(assignment.0).fetch_optional(c).await)?)
    }

    /// Keeps what somebody says of an assignment, in the place of what was said before.
    pub async fn save_confirmation(&mut self, row: &ConfirmationRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO confirmations (assignment_id, person_id, present, via, said_by, said_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (assignment_id) DO UPDATE SET present = excluded.present, via = excluded.via,
               said_by = excluded.said_by, said_at = excluded.said_at")
            .bind(row.assignment_id.0).bind(row.person_id.0).bind(row.present).bind(&row.via).bind(row.said_by.0)
            .bind(At(row.said_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What was said of an assignment is true no longer, and nobody knows what is.
    pub async fn forget_confirmation(&mut self, assignment: AssignmentId) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM confirmations WHERE assignment_id = $1")
            .bind(assignment.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What a right that is given by hand asks for.
    pub async fn right_by_hand(
        &mut self,
        entitlement: EntitlementId,
    ) -> Result<Option<ByHandRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT owner_id, due_within_seconds FROM entitlements WHERE id = $1")
            .bind(entitlement.0).fetch_optional(c).await)?)
    }

    /// The owners of the packages on offer that hold a right, in id order.
    pub async fn owners_of_packages_with(
        &mut self,
        entitlement: EntitlementId,
    ) -> Result<Vec<PersonId>, Error> {
        let ids: Vec<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT DISTINCT o.person_id FROM package_version_entitlements x
             JOIN packages p ON p.version_id = x.package_version_id JOIN package_owners o ON o.package_id = p.id
             WHERE x.entitlement_id = $1 AND p.state = 'offered' ORDER BY o.person_id")
            .bind(entitlement.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(PersonId).collect())
    }

    /// A task with names.
    pub async fn named_task(&mut self, id: TaskId) -> Result<Option<NamedTaskRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_named!(" WHERE k.id = $1")).bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// Live tasks of rights that somebody owns, or that packages of theirs hold, the first due first; every live task for
    /// whom `all` is said.
    pub async fn tasks_near(
        &mut self,
        person: PersonId,
        all: bool,
        limit: i64,
    ) -> Result<Vec<NamedTaskRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_named!(
            " WHERE k.state IN ('open', 'cannot') AND ($2 OR e.owner_id = $1 OR EXISTS (
                SELECT 1 FROM package_version_entitlements x JOIN packages p ON p.version_id = x.package_version_id
                JOIN package_owners o ON o.package_id = p.id
                WHERE x.entitlement_id = k.entitlement_id AND o.person_id = $1))
              ORDER BY k.due_at, k.id LIMIT $3"))
            .bind(person.0).bind(all).bind(limit).fetch_all(c).await)?)
    }

    /// What somebody did by hand or said of it, newest first.
    pub async fn tasks_closed_by(
        &mut self,
        person: PersonId,
        limit: i64,
    ) -> Result<Vec<NamedTaskRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_named!(
            " WHERE k.closed_by = $1 AND k.state = 'done' ORDER BY k.closed_at DESC, k.id DESC LIMIT $2"))
            .bind(person.0).bind(limit).fetch_all(c).await)?)
    }
}
