//! From what the files say to content with our own ids, checked against the directory and what has been imported.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PersonId, Timestamp,
    catalogue::{Content, Entitlement, Package, Right},
    eligibility::Rules,
    person::AccountKey,
    policy::{About, Policy, StageRule},
};
use store::{Tx, assignments::TargetRow, catalogue::EntitlementRow, people::PersonRow};
use uuid::Uuid;

use super::{
    SourceFile, conflict,
    import::GONE,
    parse::{self, Draft, DraftEntitlement, DraftPackage, DraftStage, Mention},
    powers,
    sheet::{Fault, nearest},
};
use crate::Result;

/// What the files say, with the names of the people that they mention.
pub(super) struct Resolved {
    pub content: Content,
    pub names: BTreeMap<PersonId, String>,
    /// What is offered already and can no longer be lent.
    pub doubts: Vec<Fault>,
}

/// Reads and resolves the files. Gives every fault, or the content. What is `offered` already may have become one that
/// cannot be lent: that is a doubt and no fault, so that it stops no other change.
pub(super) async fn resolve(
    tx: &mut Tx,
    now: Timestamp,
    tenant: Uuid,
    files: &[SourceFile],
    offered: &BTreeSet<Right>,
) -> Result<std::result::Result<Resolved, Vec<Fault>>> {
    let mut faults = Vec::new();
    let draft = parse::parse(files, &mut faults);
    if files.is_empty() {
        faults.push(Fault {
            file: "the folder".into(),
            line: 1,
            what: "there is no .toml file: add one for each application".into(),
        });
    }
    let mut known = Known {
        people: BTreeMap::new(),
        rights: rights(tx, tenant).await?,
        targets: tx.targets().await?,
        now,
        offered: offered.clone(),
        faults,
        doubts: Vec::new(),
    };
    for object in draft.people.iter().map(|(_, mention, _)| mention.object) {
        let key = AccountKey { tenant, object };
        if let Some(account) = tx.account_by_key(key).await?
            && let Some(person) = tx.person(account.person_id).await?
        {
            known.people.insert(object, person);
        }
    }
    for (file, mention, part) in &draft.people {
        known.check_person(file, mention, part);
    }
    known.check_references(&draft);
    let content = known.content(&draft);
    if !known.faults.is_empty() {
        known.faults.sort();
        known.faults.dedup();
        return Ok(Err(known.faults));
    }
    let doubts = std::mem::take(&mut known.doubts);
    let names = known
        .people
        .into_values()
        .map(|person| (person.id, person.name))
        .collect();
    Ok(Ok(Resolved {
        content,
        names,
        doubts,
    }))
}

async fn rights(tx: &mut Tx, tenant: Uuid) -> Result<BTreeMap<(String, String), EntitlementRow>> {
    let Some(target) = tx.entra_target(tenant).await? else {
        return Ok(BTreeMap::new());
    };
    let rows = tx.entitlements(target).await?;
    Ok(rows
        .into_iter()
        .map(|row| ((row.kind.clone(), row.external_id.clone()), row))
        .collect())
}

pub(super) struct Known {
    people: BTreeMap<Uuid, PersonRow>,
    rights: BTreeMap<(String, String), EntitlementRow>,
    targets: Vec<TargetRow>,
    now: Timestamp,
    offered: BTreeSet<Right>,
    faults: Vec<Fault>,
    doubts: Vec<Fault>,
}

impl Known {
    pub(super) fn fault(&mut self, file: &str, line: usize, what: String) {
        self.faults.push(Fault {
            file: file.to_owned(),
            line,
            what,
        });
    }

    /// Whoever a file names must be known and work here.
    fn check_person(&mut self, file: &str, mention: &Mention, part: &str) {
        let object = mention.object;
        let called = mention
            .called
            .as_ref()
            .map_or_else(|| object.to_string(), |name| format!("{name} ({object})"));
        let what = match self.people.get(&object) {
            None => format!(
                "{part} {called} is not in the directory: check the object id, or read the directory first"
            ),
            Some(row) if !row.clone().into_domain().works_at(self.now) => {
                format!("{part} {called} no longer works here: name somebody else")
            }
            Some(_) => return,
        };
        self.fault(file, mention.line, what);
    }

    pub(super) fn person(&self, mention: &Mention) -> Option<PersonId> {
        self.people.get(&mention.object).map(|row| row.id)
    }

    /// Whatever a package names must be defined.
    fn check_references(&mut self, draft: &Draft) {
        for (file, key) in &draft.references {
            if draft.defined.contains(&key.value) {
                continue;
            }
            let fix = nearest(&key.value, draft.defined.iter().map(String::as_str)).map_or_else(
                || "add an [[entitlement]] with that key".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let what = format!("the entitlement `{}` is not defined: {fix}", key.value);
            self.fault(file, key.line, what);
        }
    }

    fn content(&mut self, draft: &Draft) -> Content {
        let mut content = Content {
            applications: draft.applications.clone(),
            ..Content::default()
        };
        let mut seen: BTreeMap<Right, &DraftEntitlement> = BTreeMap::new();
        for entitlement in &draft.entitlements {
            if let Some(first) = seen.insert(entitlement.right.value.clone(), entitlement) {
                let what = format!(
                    "{} is the same right as `{}` in {} line {}: use that key in both packages",
                    entitlement.right.value.external_id(),
                    first.key,
                    first.file,
                    first.line
                );
                self.fault(&entitlement.file, entitlement.right.line, what);
            }
            let owner = entitlement
                .owner
                .as_ref()
                .and_then(|owner| self.person(owner));
            content.entitlements.insert(
                entitlement.key.clone(),
                Entitlement {
                    application: entitlement.application.clone(),
                    right: entitlement.right.value.clone(),
                    name: entitlement.name.clone(),
                    summary: entitlement.summary.clone(),
                    privileged: entitlement.privileged,
                    control_scope: entitlement.control_scope.clone(),
                    effective_within_seconds: entitlement.effective_within_seconds,
                    owner,
                    drift: entitlement.drift,
                    instructions: entitlement.instructions.clone(),
                    due_within_seconds: entitlement.due_within_seconds,
                },
            );
        }
        let used: BTreeSet<&str> = draft
            .references
            .iter()
            .map(|(_, key)| key.value.as_str())
            .collect();
        for entitlement in &draft.entitlements {
            self.right(entitlement, used.contains(entitlement.key.as_str()));
        }
        for package in &draft.packages {
            for stage in &package.route {
                self.group(package, stage);
            }
            let resolved = self.package(package, &content);
            content.packages.insert(package.key.clone(), resolved);
        }
        conflict::resolve(self, draft, &mut content);
        content.calendars.clone_from(&draft.calendars);
        content
    }

    /// An entitlement must exist at the target; one that a package offers must be manageable, too.
    fn right(&mut self, entitlement: &DraftEntitlement, offered: bool) {
        let right = &entitlement.right.value;
        if let Right::At { target, kind, .. } = right {
            return self.right_at(entitlement, target, kind.as_str());
        }
        if right.portal_role().is_some() {
            return;
        }
        let id = (right.kind().to_owned(), right.external_id());
        let what = match self.rights.get(&id) {
            None if matches!(right, Right::Licence { .. }) => format!(
                "`{}` ({}) is not among the licences of the tenant: check the id (skuId); they are read only while graph.licences is on in the configuration",
                entitlement.key, id.1
            ),
            None => format!(
                "`{}` ({}) is not in the directory: check the object id, or import the directory's groups and roles first",
                entitlement.key, id.1
            ),
            Some(row) if offered && !row.manageable => format!(
                "`{}` cannot be lent: {}. Take it out of the packages, or name another right",
                entitlement.key,
                row.unmanageable_reason
                    .as_deref()
                    .unwrap_or("the directory does not let us")
            ),
            Some(_) => return,
        };
        if self.offered.contains(right) {
            self.doubts.push(Fault {
                file: entitlement.file.clone(),
                line: entitlement.right.line,
                what,
            });
            return;
        }
        self.fault(&entitlement.file, entitlement.right.line, what);
    }

    /// A target that a right is at must be configured, and speak what the right is named for.
    fn right_at(&mut self, entitlement: &DraftEntitlement, key: &str, kind: &str) {
        let what = match self.targets.iter().find(|target| target.key == key) {
            Some(target) if target.kind == kind => return,
            Some(target) => format!(
                "the target `{key}` is of kind {}, and this names something of kind {kind}: name it as such a target does",
                target.kind
            ),
            None => {
                let known = self.targets.iter().map(|target| target.key.as_str());
                let fix = nearest(key, known).map_or_else(
                    || "add a [[target]] with that key to the configuration".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                format!("the target `{key}` is not configured: {fix}")
            }
        };
        self.fault(&entitlement.file, entitlement.right.line, what);
    }

    /// A group whose members decide must be known. Where it is gone from the directory, those decide who are asked instead.
    fn group(&mut self, draft: &DraftPackage, stage: &DraftStage) {
        let (Some(group), Some(line)) = (stage.rule.group, stage.group) else {
            return;
        };
        let id = (
            Right::Group { id: group }.kind().to_owned(),
            group.to_string(),
        );
        match self.rights.get(&id) {
            None => self.fault(
                &draft.file,
                line,
                format!(
                    "the group {group} is not in the directory: check the object id, or import the directory's groups first"
                ),
            ),
            Some(row) if row.unmanageable_reason.as_deref() == Some(GONE) => {
                self.doubts.push(Fault {
                    file: draft.file.clone(),
                    line,
                    what: format!(
                        "the group {group} (`{}`) is gone from the directory, so the stage's fallback decides: name another",
                        row.name
                    ),
                });
            }
            Some(_) => {}
        }
    }

    fn package(&mut self, draft: &DraftPackage, content: &Content) -> Package {
        let mut entitlements = BTreeSet::new();
        for key in &draft.entitlements {
            if !entitlements.insert(key.value.clone()) {
                let what = format!("the entitlement `{}` stands twice: take one out", key.value);
                self.fault(&draft.file, key.line, what);
            }
        }
        let owners = draft
            .owners
            .iter()
            .filter_map(|owner| self.person(owner))
            .collect();
        let route = draft
            .route
            .iter()
            .map(|stage| StageRule {
                named: stage
                    .named
                    .iter()
                    .filter_map(|person| self.person(person))
                    .collect(),
                ..stage.rule.clone()
            })
            .collect();
        let mut package = Package {
            application: draft.application.clone(),
            name: draft.name.clone(),
            summary: draft.summary.clone(),
            opens: draft.opens.clone(),
            entitlements,
            owners,
            synonyms: draft.synonyms.clone(),
            policy: Policy {
                eligibility: draft.eligibility.clone(),
                cedar: draft
                    .cedar
                    .as_ref()
                    .map_or_else(String::new, |cedar| cedar.value.clone()),
                about: About::default(),
                route,
                collapse: draft.collapse.is_some(),
                limits: draft.limits,
                questions: draft.questions.clone(),
                risk: draft.risk,
                asking: draft.asking.clone(),
            },
        };
        package.policy.about = About {
            key: draft.key.clone(),
            application: draft.application.clone(),
            privileged: content.privileged(&package),
            control_scope: content.control_scope(&package).unwrap_or_default(),
        };
        if let Err(faults) = Rules::read(&package.policy) {
            let line = draft.cedar.as_ref().map_or(draft.line, |cedar| cedar.line);
            for what in faults {
                self.fault(&draft.file, line, format!("`cedar`: {what}"));
            }
        }
        self.risky(draft, content, &package);
        powers::check(self, draft, content, &package);
        package
    }

    /// What a privileged right must not be: approved by policy alone, decided by one person for all, or without end.
    fn risky(&mut self, draft: &DraftPackage, content: &Content, package: &Package) {
        let scope = content.control_scope(package);
        if !content.privileged(package) && scope.is_none() {
            return;
        }
        let why = scope.map_or_else(
            || "it holds a privileged right".to_owned(),
            |scope| format!("it falls under {scope}"),
        );
        // Break-glass is for just that, and reviewed each time.
        if package.policy.route.is_empty() && package.policy.asking.break_glass.is_none() {
            let what = format!("`route` is \"none\" but {why}: say who decides");
            self.fault(&draft.file, draft.line, what);
        }
        if package.policy.risk.auto_approve_below.is_some() {
            let what = format!("`auto_approve_below` says nothing here, for {why}: take it out");
            self.fault(&draft.file, draft.line, what);
        }
        if let Some(line) = draft.collapse {
            let what = format!("`collapse` is for low risk only, but {why}: take it out");
            self.fault(&draft.file, line, what);
        }
    }
}
