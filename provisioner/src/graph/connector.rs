//! Rights in Microsoft Entra ID through Microsoft Graph, as a [`Connector`]: membership of groups always, and what the
//! configuration switches on besides.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::catalogue::Right;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Graph, Priority,
    address::{Ask, call},
    app_role::{self, AppRole},
    failure::{finding, never},
    licence, membership,
};
use crate::connector::{Connector, Failure, Finding, Listing, Outcome, Place, Reply};

/// A listing of what one person holds with more pages than this is no such listing.
pub(super) const MOST_PAGES: usize = 50;

/// An object that no tenant has: a write to it is refused with 403 if we may not write, with 404 if we may.
const NOTHING: Uuid = Uuid::from_u128(0x5f0c_2f0e_7b1d_4a6e_9c3b_1d2e_3f4a_5b6c);

/// What may be given besides membership of groups. Each takes a permission of its own, so each is switched on by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// App roles of enterprise applications: takes `AppRoleAssignment.ReadWrite.All`, which could take over the tenant.
    pub app_roles: bool,
    /// Licences: takes `LicenseAssignment.ReadWrite.All`.
    pub licences: bool,
}

/// Rights of the directory through Microsoft Graph.
#[derive(Clone, Debug)]
pub struct Entra {
    graph: Graph,
    switches: Switches,
}

impl Entra {
    /// Over a client.
    pub const fn new(graph: Graph, switches: Switches) -> Self {
        Self { graph, switches }
    }

    /// What a place names, if it may be given at all. Only for additions: a right that is due to go is tried whatever the
    /// last import or the configuration says, for it must not stay for want of a call. Graph says no soon enough.
    fn addable(&self, place: &Place) -> Result<Named, Box<Reply>> {
        if !place.manageable {
            let reason = place
                .unmanageable_reason
                .as_deref()
                .unwrap_or("no reason is known");
            return Err(refused(never(
                format!(
                    "{} cannot be given through Microsoft Graph: {reason}.",
                    place.name
                ),
                "Change it by hand where it is managed; the portal sees the change by itself.",
            )));
        }
        let named = named_by(place)?;
        let (on, switch, permission) = match named {
            Named::Group(_) => return Ok(named),
            Named::AppRole(_) => (
                self.switches.app_roles,
                "graph.app_roles",
                "AppRoleAssignment.ReadWrite.All",
            ),
            Named::Licence(_) => (
                self.switches.licences,
                "graph.licences",
                "LicenseAssignment.ReadWrite.All",
            ),
        };
        if on {
            return Ok(named);
        }
        Err(refused(never(
            format!(
                "{} cannot be given, for {switch} is off in the configuration.",
                place.name
            ),
            format!("Switch it on and consent to {permission}, or end this access."),
        )))
    }
}

/// What a right is, by its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Group(Uuid),
    AppRole(AppRole),
    Licence(Uuid),
}

fn named(kind: &str, external_id: &str) -> Result<Named, Failure> {
    match Right::of_directory(kind, external_id) {
        Some(Right::Group { id }) => Ok(Named::Group(id)),
        Some(Right::AppRole { role, resource }) => Ok(Named::AppRole(AppRole {
            application: resource,
            role,
        })),
        Some(Right::Licence { sku }) => Ok(Named::Licence(sku)),
        Some(Right::At { .. } | Right::PortalRole { .. }) | None => Err(never(
            format!("{external_id:?} names no {kind} of the directory."),
            "Correct the entitlement's id in the catalogue.",
        )),
    }
}

fn named_by(place: &Place) -> Result<Named, Box<Reply>> {
    named(&place.kind, &place.external_id).map_err(refused)
}

fn refused(failure: Failure) -> Box<Reply> {
    Box::new(Reply::unasked(Outcome::Failed(failure), "not asked"))
}

#[async_trait]
impl Connector for Entra {
    async fn observe(&self, place: &Place) -> Reply {
        let (graph, started) = (&self.graph, Instant::now());
        match named_by(place) {
            Err(reply) => *reply,
            Ok(Named::Group(group)) => membership::observe(graph, place, group, started).await,
            Ok(Named::AppRole(role)) => app_role::observe(graph, place, role, started).await,
            Ok(Named::Licence(sku)) => licence::observe(graph, place, sku, started).await,
        }
    }

    async fn ensure_present(&self, place: &Place) -> Reply {
        let (graph, started) = (&self.graph, Instant::now());
        match self.addable(place) {
            Err(reply) => *reply,
            Ok(Named::Group(group)) => membership::add(graph, place, group, started).await,
            Ok(Named::AppRole(role)) => app_role::assign(graph, place, role, started).await,
            Ok(Named::Licence(sku)) => licence::give(graph, place, sku, started).await,
        }
    }

    async fn ensure_absent(&self, place: &Place) -> Reply {
        let (graph, started) = (&self.graph, Instant::now());
        match named_by(place) {
            Err(reply) => *reply,
            Ok(Named::Group(group)) => membership::remove(graph, place, group, started).await,
            Ok(Named::AppRole(role)) => app_role::unassign(graph, place, role, started).await,
            Ok(Named::Licence(sku)) => licence::take(graph, place, sku, started).await,
        }
    }

    async fn list(&self, kind: &str, external_id: &str) -> Result<Listing, Failure> {
        match named(kind, external_id)? {
            Named::Group(group) => membership::list(&self.graph, group).await,
            Named::AppRole(role) => app_role::list(&self.graph, role).await,
            Named::Licence(sku) => licence::list(&self.graph, sku).await,
        }
    }

    fn tenant(&self) -> Option<Uuid> {
        Some(self.graph.tenant())
    }

    async fn diagnose(&self) -> Vec<Finding> {
        let graph = &self.graph;
        let mut findings = Vec::new();
        let mut reads = vec![
            (
                "Accounts can be read",
                "/users?$select=id&$top=1",
                "User.Read.All",
            ),
            (
                "Groups can be read",
                "/groups?$select=id&$top=1",
                "GroupMember.Read.All",
            ),
        ];
        if self.switches.licences {
            reads.push((
                "Licences and their seats can be read",
                "/subscribedSkus",
                "LicenseAssignment.ReadWrite.All",
            ));
        }
        for (what, path, permission) in reads {
            let tried = graph.get(path, Priority::High).await;
            findings.push(finding(what, tried, false, permission));
        }
        for (on, what, ask, body, permission) in self.probes() {
            if on {
                let tried = call(graph, ask, Some(&body)).await;
                findings.push(finding(what, tried, true, permission));
            }
        }
        findings
    }

    fn longest(&self) -> Duration {
        Duration::from_secs(45)
    }
}

impl Entra {
    /// Writes to nothing, which show whether we may write: whether it is switched on, what it is, the call, and what it takes.
    fn probes(&self) -> [(bool, &'static str, Ask<'static>, Value, &'static str); 3] {
        [
            (
                true,
                "Members of groups can be changed",
                Ask::Add { group: NOTHING },
                json!({"@odata.id": format!("{}/directoryObjects/{NOTHING}", self.graph.base())}),
                "GroupMember.ReadWrite.All",
            ),
            (
                self.switches.app_roles,
                "App roles can be assigned",
                Ask::Assign {
                    application: NOTHING,
                },
                json!({"principalId": NOTHING, "resourceId": NOTHING, "appRoleId": NOTHING}),
                "AppRoleAssignment.ReadWrite.All",
            ),
            (
                self.switches.licences,
                "Licences can be given",
                Ask::License { user: NOTHING },
                json!({"addLicenses": [], "removeLicenses": []}),
                "LicenseAssignment.ReadWrite.All",
            ),
        ]
    }
}

pub(super) fn uuid_of(value: &Value, name: &str) -> Option<Uuid> {
    Uuid::try_parse(value[name].as_str()?).ok()
}

pub(super) fn id_of(value: &Value) -> Option<Uuid> {
    uuid_of(value, "id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_nothing_is_never_asked_for() {
        for (kind, id) in [
            ("group", "../users/1"),
            ("group", ""),
            ("app_role", "00000000-0000-0000-0000-000000000001"),
            ("licence", "ENTERPRISEPACK"),
            ("portal_role", "auditor"),
        ] {
            assert!(matches!(named(kind, id), Err(Failure::Never { .. })));
        }
    }
}
