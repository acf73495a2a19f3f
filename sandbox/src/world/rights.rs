//! What people hold besides memberships: app roles of applications, and licences of the tenant.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::World;
use crate::directory::AppRoleAssignment;

/// Why an app role was not assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoleError {
    /// There is no such application, user or group.
    Missing,
    /// The application declares no such role.
    NoRole,
    /// It is assigned already.
    Already,
}

impl World {
    /// Assigns an app role, or default access where the application declares no role.
    pub fn assign_role(
        &mut self,
        resource: Uuid,
        principal: Uuid,
        role: Uuid,
        now: DateTime<Utc>,
    ) -> Result<AppRoleAssignment, RoleError> {
        let app = self
            .service_principals
            .get(&resource)
            .ok_or(RoleError::Missing)?;
        let declared = app
            .app_roles
            .iter()
            .any(|known| known.id == role && known.is_enabled);
        let default = role.is_nil() && app.app_roles.is_empty();
        if !declared && !default {
            return Err(RoleError::NoRole);
        }
        if !self.is_principal(principal) {
            return Err(RoleError::Missing);
        }
        let same = |held: &AppRoleAssignment| {
            (held.resource_id, held.principal_id, held.app_role_id) == (resource, principal, role)
        };
        if self.assignments.iter().any(same) {
            return Err(RoleError::Already);
        }
        let seq = self.next();
        let made = AppRoleAssignment {
            id: format!("{}_n{seq}", principal.simple()),
            app_role_id: role,
            principal_id: principal,
            resource_id: resource,
            created_date_time: Some(now),
        };
        self.assignments.push(made.clone());
        Ok(made)
    }

    /// Ends an assignment of an application. False when there is none of that id.
    pub fn unassign_role(&mut self, resource: Uuid, id: &str) -> bool {
        let before = self.assignments.len();
        self.assignments
            .retain(|held| held.resource_id != resource || held.id != id);
        let ended = self.assignments.len() < before;
        if ended {
            self.next();
        }
        ended
    }

    /// The licences that a user holds directly.
    pub fn direct_licences(&self, user: Uuid) -> BTreeSet<Uuid> {
        self.licences.get(&user).cloned().unwrap_or_default()
    }

    /// The licences that reach a user through groups, with the groups.
    pub fn inherited_licences(&self, user: Uuid) -> BTreeMap<Uuid, BTreeSet<Uuid>> {
        let mut inherited: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
        for id in self.groups_of(user, Duration::ZERO) {
            let Some(group) = self.groups.get(&id) else {
                continue;
            };
            let skus = group.assigned_licenses.iter();
            for sku in skus.filter_map(|entry| entry["skuId"].as_str()?.parse().ok()) {
                inherited.entry(sku).or_default().insert(id);
            }
        }
        inherited
    }

    /// How many people hold a licence, by whichever way; nobody takes two seats.
    pub fn seats_taken(&self, sku: Uuid) -> usize {
        self.users
            .keys()
            .filter(|user| {
                self.direct_licences(**user).contains(&sku)
                    || self.inherited_licences(**user).contains_key(&sku)
            })
            .count()
    }

    /// Sets what a user holds directly.
    pub fn set_licences(&mut self, user: Uuid, skus: BTreeSet<Uuid>) {
        let seq = self.next();
        self.journal.users.insert(user, seq);
        self.licences.insert(user, skus);
    }
}
