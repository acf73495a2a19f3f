//! The directory in memory, with a journal that delta queries read: every change takes the next sequence number, and
//! each object and each membership remembers the number of its last change.

mod rights;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::rights::RoleError;
use crate::directory::{
    AppRoleAssignment, Directory, Group, Organization, ServicePrincipal, SubscribedSku, User,
};

/// How long membership writes are remembered for reads that lag.
const LAG_MEMORY: Duration = Duration::from_mins(2);
/// And at most so many of them.
const LAG_WRITES: usize = 20_000;

#[derive(Debug, Default)]
pub(crate) struct World {
    pub organization: Organization,
    pub users: BTreeMap<Uuid, User>,
    pub groups: BTreeMap<Uuid, Group>,
    pub service_principals: BTreeMap<Uuid, ServicePrincipal>,
    pub assignments: Vec<AppRoleAssignment>,
    pub skus: Vec<SubscribedSku>,
    licences: BTreeMap<Uuid, BTreeSet<Uuid>>,
    members: BTreeMap<Uuid, BTreeSet<Uuid>>,
    member_of: BTreeMap<Uuid, BTreeSet<Uuid>>,
    /// When each thing last changed, for delta.
    pub journal: Journal,
    recent: VecDeque<RecentWrite>,
    dirty: bool,
}

/// What delta queries need beside the directory itself; kept over restarts so that delta tokens stay good.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// The number of the last change.
    pub seq: u64,
    pub users: BTreeMap<Uuid, u64>,
    pub groups: BTreeMap<Uuid, u64>,
    /// Per group and member, whether the link is there now or was taken away.
    pub links: BTreeMap<Uuid, BTreeMap<Uuid, u64>>,
    /// When the manager changed, and who it was before.
    pub managers: BTreeMap<Uuid, (u64, Option<Uuid>)>,
    pub deleted_users: BTreeMap<Uuid, u64>,
    pub deleted_groups: BTreeMap<Uuid, u64>,
}

#[derive(Clone, Copy, Debug)]
struct RecentWrite {
    at: Instant,
    group: Uuid,
    member: Uuid,
    added: bool,
}

/// Why a membership did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkError {
    NoGroup,
    NoMember,
    Already,
    NotLinked,
}

/// The whole of what is kept in the state file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub version: u32,
    pub tenant: Uuid,
    pub directory: Directory,
    pub journal: Journal,
}

impl World {
    /// Fills a world; a fault in the data is told by the object that has it.
    pub fn new(directory: Directory, journal: Journal) -> Result<Self, String> {
        let mut world = Self {
            organization: directory.organization,
            journal,
            ..Self::default()
        };
        for user in directory.users {
            if user.id.is_nil() || user.user_principal_name.is_empty() {
                return Err(format!(
                    "user {} ({}) lacks an id or a user principal name",
                    user.id, user.display_name
                ));
            }
            if let Some(twice) = world.users.insert(user.id, user) {
                return Err(format!("user {} is there twice", twice.id));
            }
        }
        for group in directory.groups {
            if let Some(twice) = world.groups.insert(group.id, group) {
                return Err(format!("group {} is there twice", twice.id));
            }
        }
        for user in world.users.values() {
            for other in user.manager.iter().chain(&user.sponsors) {
                // People who left stay named as managers for a while, as in real directories; the journal knows them.
                if !world.knew(*other) {
                    return Err(format!("user {} names the unknown user {other}", user.id));
                }
            }
        }
        for (group, members) in directory.memberships {
            if !world.groups.contains_key(&group) {
                return Err(format!("there are members of the unknown group {group}"));
            }
            for member in members {
                if !world.knew(member) {
                    return Err(format!("group {group} has the unknown member {member}"));
                }
                world.link(group, member);
            }
        }
        world.service_principals = directory
            .service_principals
            .into_iter()
            .map(|sp| (sp.id, sp))
            .collect();
        for (index, mut assignment) in directory.app_role_assignments.into_iter().enumerate() {
            if !world
                .service_principals
                .contains_key(&assignment.resource_id)
                || !world.knew(assignment.principal_id)
            {
                return Err(format!(
                    "an app role assignment joins {} and {}, of which one is unknown",
                    assignment.principal_id, assignment.resource_id
                ));
            }
            if assignment.id.is_empty() {
                assignment.id = format!("{}_{index}", assignment.principal_id.simple());
            }
            world.assignments.push(assignment);
        }
        world.skus = directory.subscribed_skus;
        for (user, skus) in directory.licences {
            let bought = |sku: &Uuid| world.skus.iter().any(|known| known.sku_id == *sku);
            if !world.knew(user) || !skus.iter().all(bought) {
                return Err(format!(
                    "user {user} is unknown, or holds a licence that was not bought"
                ));
            }
            world.licences.insert(user, skus);
        }
        Ok(world)
    }

    /// The directory as it is now.
    pub fn directory(&self) -> Directory {
        Directory {
            organization: self.organization.clone(),
            users: self.users.values().cloned().collect(),
            groups: self.groups.values().cloned().collect(),
            memberships: self.members.clone(),
            service_principals: self.service_principals.values().cloned().collect(),
            app_role_assignments: self.assignments.clone(),
            subscribed_skus: self.skus.clone(),
            licences: self.licences.clone(),
        }
    }

    fn is_principal(&self, id: Uuid) -> bool {
        self.users.contains_key(&id) || self.groups.contains_key(&id)
    }

    /// Whether someone or something is there or was deleted: links to them stay in the data.
    fn knew(&self, id: Uuid) -> bool {
        self.is_principal(id)
            || self.journal.deleted_users.contains_key(&id)
            || self.journal.deleted_groups.contains_key(&id)
    }

    fn link(&mut self, group: Uuid, member: Uuid) -> bool {
        self.member_of.entry(member).or_default().insert(group);
        self.members.entry(group).or_default().insert(member)
    }

    /// Whether something changed since the last call.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    fn next(&mut self) -> u64 {
        self.dirty = true;
        self.journal.seq += 1;
        self.journal.seq
    }

    /// By object id or user principal name; people of other tenants are not in the directory.
    pub fn user(&self, key: &str) -> Option<&User> {
        let user = match Uuid::parse_str(key) {
            Ok(id) => self.users.get(&id),
            Err(_) => self
                .users
                .values()
                .find(|user| user.user_principal_name.eq_ignore_ascii_case(key)),
        };
        user.filter(|user| user.foreign_tid.is_none())
    }

    /// Everybody whom Graph lists, ordered by id.
    pub fn listed_users(&self) -> impl Iterator<Item = &User> {
        self.users
            .values()
            .filter(|user| user.foreign_tid.is_none())
    }

    /// Adds a direct member.
    pub fn add_member(&mut self, group: Uuid, member: Uuid) -> Result<(), LinkError> {
        if !self.groups.contains_key(&group) {
            return Err(LinkError::NoGroup);
        }
        if !self.is_principal(member) {
            return Err(LinkError::NoMember);
        }
        if !self.link(group, member) {
            return Err(LinkError::Already);
        }
        self.note_link(group, member, true);
        Ok(())
    }

    /// Takes a direct member away.
    pub fn remove_member(&mut self, group: Uuid, member: Uuid) -> Result<(), LinkError> {
        if !self.groups.contains_key(&group) {
            return Err(LinkError::NoGroup);
        }
        // Who was deleted cannot be named, and keeps the links until the deletion is final.
        if !self.is_principal(member) {
            return Err(LinkError::NotLinked);
        }
        if !self
            .members
            .get_mut(&group)
            .is_some_and(|members| members.remove(&member))
        {
            return Err(LinkError::NotLinked);
        }
        if let Some(groups) = self.member_of.get_mut(&member) {
            groups.remove(&group);
        }
        self.note_link(group, member, false);
        Ok(())
    }

    fn note_link(&mut self, group: Uuid, member: Uuid, added: bool) {
        let seq = self.next();
        self.journal
            .links
            .entry(group)
            .or_default()
            .insert(member, seq);
        let at = Instant::now();
        let too_old = |write: &RecentWrite| at.duration_since(write.at) > LAG_MEMORY;
        while self.recent.len() >= LAG_WRITES || self.recent.front().is_some_and(too_old) {
            self.recent.pop_front();
        }
        self.recent.push_back(RecentWrite {
            at,
            group,
            member,
            added,
        });
    }

    /// Direct members as they were `lag` ago; deleted people are left out.
    pub fn members(&self, group: Uuid, lag: Duration) -> BTreeSet<Uuid> {
        let mut members = self.members.get(&group).cloned().unwrap_or_default();
        for write in self.writes_within(lag).filter(|write| write.group == group) {
            if write.added {
                members.remove(&write.member);
            } else {
                members.insert(write.member);
            }
        }
        members.retain(|member| self.is_principal(*member));
        members
    }

    /// Groups that someone is a direct member of, as it was `lag` ago.
    pub fn groups_of(&self, member: Uuid, lag: Duration) -> BTreeSet<Uuid> {
        let mut groups = self.member_of.get(&member).cloned().unwrap_or_default();
        for write in self
            .writes_within(lag)
            .filter(|write| write.member == member)
        {
            if write.added {
                groups.remove(&write.group);
            } else {
                groups.insert(write.group);
            }
        }
        groups.retain(|group| self.groups.contains_key(group));
        groups
    }

    /// The latest first, so that undoing them in this order gives the past.
    fn writes_within(&self, lag: Duration) -> impl Iterator<Item = &RecentWrite> {
        let now = Instant::now();
        self.recent
            .iter()
            .rev()
            .take_while(move |write| !lag.is_zero() && now.duration_since(write.at) < lag)
    }

    /// Members through any depth of nested groups, the groups themselves included.
    pub fn transitive_members(&self, group: Uuid, lag: Duration) -> BTreeSet<Uuid> {
        closure(group, |group| self.members(group, lag))
    }

    /// Groups through any depth of nesting.
    pub fn transitive_groups_of(&self, member: Uuid, lag: Duration) -> BTreeSet<Uuid> {
        closure(member, |member| self.groups_of(member, lag))
    }

    /// Makes or replaces a user.
    pub fn put_user(&mut self, user: User) {
        let seq = self.next();
        let before = self.users.get(&user.id).map(|user| user.manager);
        if before != Some(user.manager) && (before.is_some() || user.manager.is_some()) {
            self.journal
                .managers
                .insert(user.id, (seq, before.flatten()));
        }
        self.journal.deleted_users.remove(&user.id);
        self.journal.users.insert(user.id, seq);
        self.users.insert(user.id, user);
    }

    /// Soft-deletes a user. Links stay in the data, as in Entra, but no listing shows them.
    pub fn delete_user(&mut self, id: Uuid) -> bool {
        if self.users.remove(&id).is_none() {
            return false;
        }
        let seq = self.next();
        self.journal.deleted_users.insert(id, seq);
        true
    }

    /// Makes or replaces a group.
    pub fn put_group(&mut self, group: Group) {
        let seq = self.next();
        self.journal.deleted_groups.remove(&group.id);
        self.journal.groups.insert(group.id, seq);
        self.groups.insert(group.id, group);
    }

    /// Deletes a group with its memberships.
    pub fn delete_group(&mut self, id: Uuid) -> bool {
        if self.groups.remove(&id).is_none() {
            return false;
        }
        for member in self.members.remove(&id).unwrap_or_default() {
            if let Some(groups) = self.member_of.get_mut(&member) {
                groups.remove(&id);
            }
        }
        let seq = self.next();
        self.journal.links.remove(&id);
        self.journal.deleted_groups.insert(id, seq);
        true
    }

    /// Voids the tokens that a user got before `now`.
    pub fn revoke_sessions(&mut self, id: Uuid, now: DateTime<Utc>) {
        if let Some(user) = self.users.get(&id) {
            let mut user = user.clone();
            user.sign_in_sessions_valid_from_date_time = Some(now);
            self.put_user(user);
        }
    }

    /// The values of the app roles of the application `app_id` that a user holds, directly or as a direct member of a
    /// group (nested groups confer none). `None`: the application wants an assignment and there is none.
    pub fn roles(&self, user: Uuid, app_id: &str) -> Option<BTreeSet<String>> {
        let Some(app) = self
            .service_principals
            .values()
            .find(|sp| sp.app_id == app_id)
        else {
            return Some(BTreeSet::new());
        };
        let groups = self.groups_of(user, Duration::ZERO);
        let held: Vec<Uuid> = self
            .assignments
            .iter()
            .filter(|assignment| assignment.resource_id == app.id)
            .filter(|assignment| {
                assignment.principal_id == user || groups.contains(&assignment.principal_id)
            })
            .map(|assignment| assignment.app_role_id)
            .collect();
        if held.is_empty() && app.app_role_assignment_required {
            return None;
        }
        let enabled = app
            .app_roles
            .iter()
            .filter(|role| role.is_enabled && held.contains(&role.id));
        Some(enabled.filter_map(|role| role.value.clone()).collect())
    }
}

/// Everything reachable from `start`, which is itself left out unless a cycle leads back to it.
fn closure(start: Uuid, step: impl Fn(Uuid) -> BTreeSet<Uuid>) -> BTreeSet<Uuid> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        for next in step(id) {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}
