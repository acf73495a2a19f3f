//! Whom seating looks at, read at once: who may come into question for a package and a person, who stands in for them, who is
//! above them, which roles they hold, and when they work.

use domain::{
    LineId, PackageId, PersonId, StageId, Timestamp, person::PortalRole, policy::ApproverRule,
    words,
};
use sqlx::QueryBuilder;

use crate::{
    deputies::StandsInRow,
    engine::{At, Error, Tx},
    people::AboveRow,
};

words! {
    /// By what somebody may come into question.
    pub enum Source {
        /// As the beneficiary's manager.
        Manager = "manager",
        /// As the manager's manager.
        ManagersManager = "managers_manager",
        /// As an owner of the package.
        Owner = "owner",
        /// As an owner of a right that the package contains now.
        Right = "right",
        /// As the beneficiary's sponsor.
        Sponsor = "sponsor",
        /// As somebody who holds a role that was asked about, on a usable account; with each role that they hold.
        Role = "role",
        /// Named.
        Named = "named",
        /// As a colleague whom a seat was handed on to.
        HandedOn = "handed_on",
    }
}

/// Somebody who may come into question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// By what.
    pub source: Source,
    /// Who.
    pub person_id: PersonId,
    /// One role that they hold, for [`Source::Role`].
    pub role: Option<PortalRole>,
}

/// A seat that is handed on now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedOnRow {
    /// In which stage.
    pub stage_id: StageId,
    /// Whose seat.
    pub from_id: PersonId,
    /// To whom.
    pub to_id: PersonId,
}

row! {
    /// One fact of several kinds: `kind` says which, and what the other columns mean.
    pub struct FactRow {
        /// A word of [`Source`], or `deputy`, `above`, `held`, `calendar`, `hand_on`.
        pub kind: String,
        /// Whom it is about.
        pub person_id: PersonId,
        /// Who stands in, who is above, or whose seat it was.
        pub other_id: Option<PersonId>,
        /// The stage of a seat.
        pub stage_id: Option<StageId>,
        /// A role, a rule that limits a deputy, or a calendar as JSON.
        pub word: Option<String>,
        /// Whether a deputy's scope covers the package.
        pub covers: bool,
        /// Orders what has an order.
        pub place: i64,
    }
}

/// What is asked about.
#[derive(Clone, Debug)]
pub struct SeatingQuery<'a> {
    /// Who asks.
    pub asker: PersonId,
    /// For whom.
    pub beneficiary: PersonId,
    /// For which package.
    pub package: PackageId,
    /// Whose holders count: security, and what the route says.
    pub roles: &'a [PortalRole],
    /// Whom the route names.
    pub named: &'a [PersonId],
    /// The line, once there is one: whose seats are handed on.
    pub line: Option<LineId>,
    /// Who stands in when.
    pub now: Timestamp,
}

/// What seating looks at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeatingFacts {
    /// Who may come into question, in a fixed order.
    pub sources: Vec<SourceRow>,
    /// Who stands in now for any of them, for the asker or for the beneficiary, in a fixed order.
    pub deputies: Vec<StandsInRow>,
    /// Everybody above any of all these, nearest first.
    pub above: Vec<AboveRow>,
    /// The roles that any of these people's usable accounts hold.
    pub held: Vec<(PersonId, PortalRole)>,
    /// The calendars of those whose country has one, as JSON.
    pub calendars: Vec<(PersonId, String)>,
    /// The line's seats that are handed on.
    pub hand_ons: Vec<HandedOnRow>,
}

impl Tx {
    /// Whom seating looks at, in one statement.
    pub async fn seating_facts(
        &mut self,
        wanted: &SeatingQuery<'_>,
    ) -> Result<SeatingFacts, Error> {
        let (package, beneficiary) = (wanted.package.0, wanted.beneficiary.0);
        let line = wanted.line.map(|id| id.0);
        let rows: Vec<FactRow> = on!(self, c => {
            let mut query = QueryBuilder::new(
                "WITH RECURSIVE source (kind, person_id, role) AS (
                   SELECT 'owner', o.person_id, CAST(NULL AS TEXT) FROM package_owners o WHERE o.package_id = ");
            query.push_bind(package).push(
                " UNION ALL SELECT DISTINCT 'right', e.owner_id, CAST(NULL AS TEXT) FROM packages p
                    JOIN package_version_entitlements v ON v.package_version_id = p.version_id
                    JOIN entitlements e ON e.id = v.entitlement_id WHERE e.owner_id IS NOT NULL AND p.id = ")
                .push_bind(package).push(
                " UNION ALL SELECT 'sponsor', s.sponsor_id, CAST(NULL AS TEXT) FROM person_sponsors s WHERE s.person_id = ")
                .push_bind(beneficiary).push(
                " UNION ALL SELECT 'manager', p.manager_id, CAST(NULL AS TEXT) FROM persons p
                    WHERE p.manager_id IS NOT NULL AND p.id = ").push_bind(beneficiary).push(
                " UNION ALL SELECT 'managers_manager', m.manager_id, CAST(NULL AS TEXT) FROM persons p
                    JOIN persons m ON m.id = p.manager_id WHERE m.manager_id IS NOT NULL AND p.id = ").push_bind(beneficiary)
                .push(
                " UNION ALL SELECT DISTINCT 'role', a.person_id, r.role FROM portal_roles r JOIN accounts a ON a.id = r.account_id
                    WHERE a.enabled = TRUE AND a.deleted = FALSE AND a.person_id IN (
                      SELECT h.person_id FROM accounts h JOIN portal_roles q ON q.account_id = h.id
                      WHERE h.enabled = TRUE AND h.deleted = FALSE AND q.role IN (''");
            for role in wanted.roles {
                query.push(", ").push_bind(role.as_str());
            }
            query.push("))");
            if !wanted.named.is_empty() {
                query.push(" UNION ALL SELECT DISTINCT 'named', p.id, CAST(NULL AS TEXT) FROM persons p WHERE p.id IN (");
                let mut list = query.separated(", ");
                for id in wanted.named {
                    list.push_bind(id.0);
                }
                query.push(")");
            }
            if let Some(line) = line {
                query.push(" UNION ALL SELECT 'handed_on', h.to_id, CAST(NULL AS TEXT) FROM hand_ons h
                    WHERE h.returned_at IS NULL AND h.line_id = ").push_bind(line);
            }
            query.push(
                "), party (id) AS (SELECT p.id FROM persons p WHERE p.id IN (").push_bind(wanted.asker.0).push(", ")
                .push_bind(beneficiary).push(
                ")), deputy (person_id, deputy_id, approvers, covers, place) AS (
                   SELECT d.person_id, d.deputy_id, d.approvers, (d.application_id IS NULL OR EXISTS (
                     SELECT 1 FROM packages p WHERE p.application_id = d.application_id AND p.id = ").push_bind(package)
                .push(")), ROW_NUMBER() OVER (ORDER BY d.person_id, d.from_at, d.id)
                   FROM deputies d WHERE d.ended_at IS NULL AND d.from_at <= ").push_bind(At(wanted.now))
                .push(" AND d.until_at > ").push_bind(At(wanted.now)).push(
                " AND d.person_id IN (SELECT s.person_id FROM source s UNION SELECT y.id FROM party y)
                 ), everybody (id) AS (
                   SELECT s.person_id FROM source s UNION SELECT y.id FROM party y UNION SELECT d.deputy_id FROM deputy d
                 ), up (person_id, above_id, depth) AS (
                   SELECT p.id, p.manager_id, CAST(1 AS BIGINT) FROM persons p
                   WHERE p.manager_id IS NOT NULL AND p.id IN (SELECT w.id FROM everybody w)
                   UNION ALL
                   SELECT u.person_id, p.manager_id, u.depth + 1 FROM up u JOIN persons p ON p.id = u.above_id
                   WHERE p.manager_id IS NOT NULL AND u.depth < 64)
                 SELECT s.kind AS kind, s.person_id AS person_id, CAST(NULL AS UUID) AS other_id, CAST(NULL AS UUID) AS stage_id,
                   s.role AS word, FALSE AS covers, CAST(0 AS BIGINT) AS place FROM source s
                 UNION ALL
                 SELECT 'deputy', d.person_id, d.deputy_id, CAST(NULL AS UUID), d.approvers, d.covers, d.place FROM deputy d
                 UNION ALL
                 SELECT 'above', u.person_id, u.above_id, CAST(NULL AS UUID), CAST(NULL AS TEXT), FALSE, u.depth FROM up u
                 UNION ALL
                 SELECT DISTINCT 'held', a.person_id, CAST(NULL AS UUID), CAST(NULL AS UUID), r.role, FALSE, CAST(0 AS BIGINT)
                 FROM portal_roles r JOIN accounts a ON a.id = r.account_id
                 WHERE a.enabled = TRUE AND a.deleted = FALSE AND a.person_id IN (SELECT w.id FROM everybody w)
                 UNION ALL
                 SELECT 'calendar', p.id, CAST(NULL AS UUID), CAST(NULL AS UUID), k.calendar, FALSE, CAST(0 AS BIGINT)
                 FROM persons p JOIN calendars k ON k.country = p.country WHERE p.id IN (SELECT w.id FROM everybody w)");
            if let Some(line) = line {
                query.push(
                    " UNION ALL
                     SELECT 'hand_on', h.to_id, h.from_id, h.stage_id, CAST(NULL AS TEXT), FALSE, CAST(0 AS BIGINT)
                     FROM hand_ons h WHERE h.returned_at IS NULL AND h.line_id = ").push_bind(line);
            }
            query.push(" ORDER BY kind, place, person_id, other_id NULLS FIRST, word NULLS FIRST");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut facts = SeatingFacts::default();
        for row in rows {
            facts.add(row)?;
        }
        Ok(facts)
    }
}

impl SeatingFacts {
    fn add(&mut self, row: FactRow) -> Result<(), Error> {
        let person_id = row.person_id;
        match (row.kind.as_str(), row.other_id, row.word, row.stage_id) {
            ("deputy", Some(deputy_id), approvers, _) => self.deputies.push(StandsInRow {
                person_id,
                deputy_id,
                approvers: approvers.map(read::<ApproverRule>).transpose()?,
                covers: row.covers,
            }),
            ("above", Some(above_id), ..) => self.above.push(AboveRow {
                person_id,
                above_id,
            }),
            ("held", _, Some(role), _) => self.held.push((person_id, read(role)?)),
            ("calendar", _, Some(calendar), _) => self.calendars.push((person_id, calendar)),
            ("hand_on", Some(from_id), _, Some(stage_id)) => self.hand_ons.push(HandedOnRow {
                stage_id,
                from_id,
                to_id: person_id,
            }),
            (_, _, role, _) => self.sources.push(SourceRow {
                source: read(row.kind)?,
                person_id,
                role: role.map(read).transpose()?,
            }),
        }
        Ok(())
    }
}

fn read<T: std::str::FromStr>(value: String) -> Result<T, Error> {
    value.parse().map_err(|_| Error::Unreadable {
        column: "kind".to_owned(),
        value,
    })
}
