//! Names beside ids, for the log and for evidence: one statement for each kind of thing on a page.

use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{Error, Tx};

row! {
    /// A thing and its name.
    pub struct NameRow {
        /// Which.
        pub id: Uuid,
        /// Its name.
        pub name: String,
        /// The id of the page that shows it, where that is another thing: the request of a line.
        pub page: Option<Uuid>,
    }
}

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// A person.
    Person,
    /// An account, by its sign-in name.
    Account,
    /// A package.
    Package,
    /// A package's edition, by name and number.
    Edition,
    /// A request, by its short number.
    Request,
    /// A line, by its request's short number.
    Line,
    /// A grant, by its package.
    Grant,
    /// A right at a target.
    Entitlement,
    /// A target.
    Target,
    /// An assignment, by its right.
    Assignment,
}

impl Tx {
    /// The names of these things.
    pub async fn names(&mut self, kind: Named, ids: &[Uuid]) -> Result<Vec<NameRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let text = match kind {
            Named::Person => "SELECT x.id, x.name, NULL AS page FROM persons x WHERE x.id IN (",
            Named::Account => {
                "SELECT x.id, x.user_name AS name, x.person_id AS page FROM accounts x WHERE x.id IN ("
            }
            Named::Package => "SELECT x.id, x.name, NULL AS page FROM packages x WHERE x.id IN (",
            Named::Edition => {
                "SELECT x.id, p.name || ', edition ' || CAST(x.number AS TEXT) AS name, x.package_id AS page
                 FROM package_versions x JOIN packages p ON p.id = x.package_id WHERE x.id IN ("
            }
            Named::Request => {
                "SELECT x.id, 'AR-' || CAST(x.number AS TEXT) AS name, NULL AS page FROM requests x WHERE x.id IN ("
            }
            Named::Line => {
                "SELECT x.id, 'AR-' || CAST(x.number AS TEXT) AS name, x.request_id AS page FROM lines x WHERE x.id IN ("
            }
            Named::Grant => {
                "SELECT x.id, COALESCE(p.name, 'found at the target') AS name, x.person_id AS page
                 FROM grants x LEFT JOIN packages p ON p.id = x.package_id WHERE x.id IN ("
            }
            Named::Entitlement => {
                "SELECT x.id, x.name, NULL AS page FROM entitlements x WHERE x.id IN ("
            }
            Named::Target => "SELECT x.id, x.name, NULL AS page FROM targets x WHERE x.id IN (",
            Named::Assignment => {
                "SELECT x.id, e.name, NULL AS page FROM assignments x JOIN entitlements e ON e.id = x.entitlement_id WHERE x.id IN ("
            }
        };
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(text);
            let last = ids.len() - 1;
            let mut list = query.separated(", ");
            for index in 0..ids.len().next_power_of_two() {
                list.push_bind(ids[index.min(last)]);
            }
            query.push(")");
            query.build_query_as().fetch_all(c).await
        })?)
    }
}
