//! Lines in lists: what is asked, by whom, for whom, and where it stands.

use domain::{
    ApplicationId, GrantId, LineId, PackageId, PersonId, RequestId, StageId, Timestamp,
    approval::Via,
    grant::GrantState,
    policy::ApproverRule,
    request::{Length, LineKind, LineState, Start, Window},
};
use sqlx::QueryBuilder;

use crate::engine::{At, Error, Tx};

row! {
    /// One line with everything that a list says of it.
    pub struct ItemRow {
        /// The line.
        pub id: LineId,
        /// The request.
        pub request_id: RequestId,
        /// Its short number.
        pub number: i64,
        /// Something new or more time.
        pub kind: LineKind,
        /// Where it stands.
        pub state: LineState,
        /// The business reason.
        pub reason: String,
        /// The asked start.
        pub start_at: Option<Timestamp>,
        /// The asked length.
        pub length_seconds: Option<i64>,
        /// The asked end.
        pub until_at: Option<Timestamp>,
        /// When it was asked.
        pub submitted_at: Timestamp,
        /// When it lapses.
        pub lapse_at: Timestamp,
        /// When it reached its end state.
        pub ended_at: Option<Timestamp>,
        /// Since when all have said yes and it waits for its exception, or waited.
        pub waits_since: Option<Timestamp>,
        /// The package.
        pub package_id: PackageId,
        /// Its name.
        pub package_name: String,
        /// Whether it is privileged.
        pub privileged: bool,
        /// The application.
        pub app_id: ApplicationId,
        /// Its key.
        pub app_key: String,
        /// Its name.
        pub app_name: String,
        /// Its tile's letters.
        pub app_initials: String,
        /// Its tile's colour.
        pub app_tint: String,
        /// Its address.
        pub app_url: String,
        /// Who asked.
        pub asker_id: PersonId,
        /// Their name.
        pub asker_name: String,
        /// For whom.
        pub beneficiary_id: PersonId,
        /// Their name.
        pub beneficiary_name: String,
        /// The open stage, if one is.
        pub stage_id: Option<StageId>,
        /// Its rule.
        pub stage_approvers: Option<ApproverRule>,
        /// How many must say yes.
        pub stage_needed: Option<i64>,
        /// Whether the fallback chain is seated.
        pub stage_fallback: Option<bool>,
        /// Whether only subordinates were left.
        pub stage_by_subordinates: Option<bool>,
        /// Whether nobody can decide.
        pub stage_stuck: Option<bool>,
        /// Since when.
        pub stage_opened_at: Option<Timestamp>,
        /// The grant that the line led to.
        pub grant_id: Option<GrantId>,
        /// Where it stands.
        pub grant_state: Option<GrantState>,
        /// Begins.
        pub grant_from: Option<Timestamp>,
        /// Ends; none for without end.
        pub grant_end: Option<Timestamp>,
        /// When every target first confirmed it.
        pub grant_ready_at: Option<Timestamp>,
        /// When it ended.
        pub grant_ended_at: Option<Timestamp>,
        /// When it was confirmed as gone.
        pub grant_gone_at: Option<Timestamp>,
    }

    /// Somebody seated in an open stage.
    pub struct NamedSeatRow {
        /// The stage.
        pub stage_id: StageId,
        /// Who.
        pub person_id: PersonId,
        /// Their name.
        pub name: String,
        /// By which rule.
        pub via: Via,
        /// Whom they stand in for.
        pub for_id: Option<PersonId>,
        /// That person's name.
        pub for_name: Option<String>,
        /// How many are seated in the stage.
        pub seated: i64,
    }
}

impl ItemRow {
    /// The asked window.
    pub fn window(&self) -> Window {
        window(self.start_at, self.length_seconds, self.until_at)
    }
}

/// A window from its columns.
pub(crate) fn window(
    start: Option<Timestamp>,
    seconds: Option<i64>,
    until: Option<Timestamp>,
) -> Window {
    Window {
        start: start.map_or(Start::OnActivation, Start::At),
        length: match (seconds, until) {
            (Some(seconds), _) => Length::Seconds(seconds),
            (None, Some(at)) => Length::Until(at),
            (None, None) => Length::Permanent,
        },
    }
}

macro_rules! item_columns {
    () => {
        concat!(
            "l.id, l.request_id, l.number, l.kind, l.state, l.reason, l.start_at, l.length_seconds, l.until_at,
             l.submitted_at, l.lapse_at, l.ended_at, l.waits_since, l.package_id, p.name AS package_name, p.privileged, ",
            super::app_columns!(),
            ", l.asker_id, k.name AS asker_name, l.beneficiary_id, b.name AS beneficiary_name,
             t.id AS stage_id, t.approvers AS stage_approvers, t.needed AS stage_needed, t.fallback AS stage_fallback,
             t.by_subordinates AS stage_by_subordinates, t.stuck AS stage_stuck, t.opened_at AS stage_opened_at,
             g.id AS grant_id, g.state AS grant_state, g.valid_from AS grant_from, g.end_at AS grant_end,
             g.ready_at AS grant_ready_at, g.ended_at AS grant_ended_at, g.gone_at AS grant_gone_at"
        )
    };
}
macro_rules! item_joins {
    () => {
        " JOIN packages p ON p.id = l.package_id JOIN applications a ON a.id = p.application_id
          JOIN persons k ON k.id = l.asker_id JOIN persons b ON b.id = l.beneficiary_id
          LEFT JOIN stages t ON t.id = (SELECT o.id FROM stages o WHERE o.line_id = l.id AND o.state = 'open'
            ORDER BY o.stuck DESC, o.position LIMIT 1)
          LEFT JOIN grants g ON g.line_id = l.id"
    };
}

impl Tx {
    /// A page of the lines that a person asked for, or that others asked for them, newest first.
    pub async fn items_of(
        &mut self,
        person: PersonId,
        only_waiting: bool,
        before: Option<(Timestamp, LineId)>,
        limit: i64,
    ) -> Result<Vec<ItemRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(concat!(
                "SELECT ", item_columns!(), " FROM (SELECT id FROM lines WHERE asker_id = "));
            page(&mut query, person, only_waiting, before, limit);
            // Few of a person's lines were asked for by others; both halves come in order from an index.
            query.push(") AS mine JOIN lines l ON l.id = mine.id").push(item_joins!());
            query.push(" ORDER BY l.submitted_at DESC, l.id DESC");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// A page of the lines that others asked for this person, newest first.
    pub async fn items_for(
        &mut self,
        person: PersonId,
        only_waiting: bool,
        before: Option<(Timestamp, LineId)>,
        limit: i64,
    ) -> Result<Vec<ItemRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(concat!(
                "SELECT ", item_columns!(), " FROM (SELECT id FROM lines WHERE asker_id <> "));
            query.push_bind(person.0).push(" AND beneficiary_id = ");
            page(&mut query, person, only_waiting, before, limit);
            query.push(") AS mine JOIN lines l ON l.id = mine.id").push(item_joins!());
            query.push(" ORDER BY l.submitted_at DESC, l.id DESC");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// A person's newest lines that are under way: waiting, or with a grant that is not confirmed yet.
    pub async fn items_under_way(
        &mut self,
        person: PersonId,
        limit: i64,
    ) -> Result<Vec<ItemRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT ", item_columns!(), " FROM (
               SELECT id FROM lines WHERE asker_id = $1 AND state = 'awaiting_approval'
               UNION SELECT id FROM lines WHERE beneficiary_id = $1 AND state = 'awaiting_approval'
               UNION SELECT line_id FROM grants WHERE person_id = $1 AND state = 'active' AND ready_at IS NULL
               UNION SELECT line_id FROM grants WHERE person_id = $1 AND state = 'scheduled'
             ) AS mine JOIN lines l ON l.id = mine.id", item_joins!(),
            " ORDER BY l.submitted_at DESC, l.id DESC LIMIT $2"))
            .bind(person.0).bind(limit).fetch_all(c).await)?)
    }

    /// The lines that nobody can decide, longest first.
    pub async fn stuck_items(&mut self, limit: i64) -> Result<Vec<ItemRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT ", item_columns!(), " FROM (SELECT line_id AS id, MIN(opened_at) AS since FROM stages
               WHERE state = 'open' AND stuck = TRUE GROUP BY line_id ORDER BY 2, 1 LIMIT $1) AS mine JOIN lines l ON l.id = mine.id",
            item_joins!(), " ORDER BY mine.since, l.id"))
            .bind(limit).fetch_all(c).await)?)
    }

    /// The lines of these requests.
    pub async fn items_of_requests(
        &mut self,
        requests: &[RequestId],
    ) -> Result<Vec<ItemRow>, Error> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(concat!(
                "SELECT ", item_columns!(), " FROM lines l", item_joins!(), " WHERE l.request_id IN ("));
            ids_in!(query, requests);
            query.push(") ORDER BY l.submitted_at DESC, l.id DESC");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Who is seated in these stages: the first `each` of every stage by name, with how many there are.
    pub async fn named_seats(
        &mut self,
        stages: &[StageId],
        each: i64,
    ) -> Result<Vec<NamedSeatRow>, Error> {
        if stages.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT stage_id, person_id, name, via, for_id, for_name, seated FROM (
                   SELECT s.stage_id, s.person_id, n.name, s.via, s.for_id, f.name AS for_name, COUNT(*) OVER (PARTITION BY s.stage_id) AS seated,
                     ROW_NUMBER() OVER (PARTITION BY s.stage_id ORDER BY n.name, s.person_id) AS place
                   FROM seats s JOIN persons n ON n.id = s.person_id LEFT JOIN persons f ON f.id = s.for_id
                   WHERE s.stage_id IN (");
            ids_in!(query, stages);
            query.push(")) AS ranked WHERE place <= ").push_bind(each).push(" ORDER BY stage_id, place");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The request with this short number.
    pub async fn request_by_number(&mut self, number: i64) -> Result<Option<RequestId>, Error> {
        let id: Option<uuid::Uuid> = on!(self, c => sqlx::query_scalar("SELECT id FROM requests WHERE number = $1")
            .bind(number).fetch_optional(c).await)?;
        Ok(id.map(RequestId))
    }
}

/// The end of a subquery that picks a page of line ids: `… = person AND …`.
fn page<DB: sqlx::Database>(
    query: &mut QueryBuilder<DB>,
    person: PersonId,
    only_waiting: bool,
    before: Option<(Timestamp, LineId)>,
    limit: i64,
) where
    uuid::Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    At: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    i64: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    query.push_bind(person.0);
    if only_waiting {
        query.push(" AND state = 'awaiting_approval'");
    }
    if let Some((at, id)) = before {
        query
            .push(" AND (submitted_at, id) < (")
            .push_bind(At(at))
            .push(", ")
            .push_bind(id.0)
            .push(")");
    }
    query
        .push(" ORDER BY submitted_at DESC, id DESC LIMIT ")
        .push_bind(limit);
}
