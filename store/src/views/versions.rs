//! Catalogue versions and holds, for those who confirm them.

use domain::{CatalogueVersionId, HoldId, PersonId, Timestamp};
use sqlx::QueryBuilder;

use crate::{
    directory::HoldState,
    engine::{Error, Tx},
};

row! {
    /// One catalogue version with names, without its content.
    pub struct VersionRow {
        /// Which.
        pub id: CatalogueVersionId,
        /// From 1.
        pub number: i64,
        /// `pending`, `published`, `superseded` or `refused`.
        pub state: String,
        /// Who drafted it.
        pub drafted_by: Option<PersonId>,
        /// Their name.
        pub drafted_by_name: Option<String>,
        /// SHA-256 of the files.
        pub file_hash: String,
        /// What changed.
        pub difference: String,
        /// Whether it widens.
        pub widens: bool,
        /// When it was handed in.
        pub created_at: Timestamp,
        /// Who decided.
        pub decided_by: Option<PersonId>,
        /// Their name.
        pub decided_by_name: Option<String>,
        /// When.
        pub decided_at: Option<Timestamp>,
    }

    /// One hold with the name of who decided.
    pub struct NamedHoldRow {
        /// Which.
        pub id: HoldId,
        /// `mass_leave`.
        pub kind: String,
        /// Where it stands.
        pub state: HoldState,
        /// When it was placed.
        pub placed_at: Timestamp,
        /// Counts changes of whom it is about.
        pub version: i64,
        /// How many people it is about.
        pub counted: i64,
        /// How many would have been applied without asking.
        pub allowed: i64,
        /// Who decided.
        pub decided_by: Option<PersonId>,
        /// Their name.
        pub decided_by_name: Option<String>,
        /// When.
        pub decided_at: Option<Timestamp>,
    }

    /// Somebody whom a hold is about.
    pub struct HeldPersonRow {
        /// The hold.
        pub hold_id: HoldId,
        /// Who.
        pub person_id: PersonId,
        /// Their name.
        pub name: String,
        /// Their department.
        pub department: String,
        /// The last day that the directory gives.
        pub last_day_at: Option<Timestamp>,
        /// How many grants they hold.
        pub grants: i64,
    }
}

macro_rules! version_select {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.number, v.state, v.drafted_by, d.name AS drafted_by_name, v.file_hash, v.difference, v.widens,
               v.created_at, v.decided_by, e.name AS decided_by_name, v.decided_at
             FROM catalogue_versions v LEFT JOIN persons d ON d.id = v.drafted_by LEFT JOIN persons e ON e.id = v.decided_by",
            $rest
        )
    };
}

impl Tx {
    /// A page of the catalogue versions, newest first.
    pub async fn versions_page(
        &mut self,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<VersionRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(version_select!(" WHERE v.number < $1 ORDER BY v.number DESC LIMIT $2"))
            .bind(before.unwrap_or(i64::MAX)).bind(limit).fetch_all(c).await)?,
        )
    }

    /// One catalogue version.
    pub async fn named_version(
        &mut self,
        id: CatalogueVersionId,
    ) -> Result<Option<VersionRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(version_select!(" WHERE v.id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The newest holds, those that wait first.
    pub async fn named_holds(&mut self, limit: i64) -> Result<Vec<NamedHoldRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT h.id, h.kind, h.state, h.placed_at, h.version, h.counted, h.allowed, h.decided_by, e.name AS decided_by_name, h.decided_at
             FROM holds h LEFT JOIN persons e ON e.id = h.decided_by
             ORDER BY CASE WHEN h.state = 'waiting' THEN 0 ELSE 1 END, h.placed_at DESC, h.id DESC LIMIT $1")
            .bind(limit).fetch_all(c).await)?)
    }

    /// Whom these holds are about, the first `each` by name, with how much they hold.
    pub async fn held_people(
        &mut self,
        holds: &[HoldId],
        each: i64,
    ) -> Result<Vec<HeldPersonRow>, Error> {
        if holds.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT r.hold_id, r.person_id, r.name, r.department, r.last_day_at,
                   (SELECT COUNT(*) FROM grants g WHERE g.person_id = r.person_id AND g.state IN ('scheduled', 'active', 'suspended')) AS grants
                 FROM (SELECT h.hold_id, h.person_id, n.name, n.department, h.last_day_at,
                     ROW_NUMBER() OVER (PARTITION BY h.hold_id ORDER BY n.name, n.id) AS place
                   FROM hold_people h JOIN persons n ON n.id = h.person_id WHERE h.hold_id IN (");
            ids_in!(query, holds);
            query.push(")) AS r WHERE r.place <= ").push_bind(each).push(" ORDER BY r.hold_id, r.place");
            query.build_query_as().fetch_all(c).await
        })?)
    }
}
