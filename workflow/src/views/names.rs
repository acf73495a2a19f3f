//! Names beside printed ids.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, AssignmentId, EntitlementId, GrantId, LineId, PackageId, PackageVersionId, PersonId,
    RequestId, TargetId,
};
use store::{
    Tx,
    views::names::{NameRow, Named},
};
use uuid::Uuid;

use super::Name;
use crate::Result;

/// What printed ids name, read together.
pub(super) struct Names(BTreeMap<String, Name>);

impl Names {
    /// Reads the names of everything that is an id among `mentioned`.
    pub(super) async fn load(tx: &mut Tx, mentioned: impl Iterator<Item = String>) -> Result<Self> {
        let mut wanted: BTreeMap<Named, BTreeSet<Uuid>> = BTreeMap::new();
        for text in mentioned {
            if let Some((kind, id)) = parse(&text) {
                wanted.entry(kind).or_default().insert(id);
            }
        }
        let mut names = BTreeMap::new();
        for (kind, ids) in wanted {
            let ids: Vec<Uuid> = ids.into_iter().collect();
            for chunk in ids.chunks(500) {
                for row in tx.names(kind, chunk).await? {
                    let id = print(kind, row.id);
                    let path = path(kind, &row);
                    let name = Name {
                        id: id.clone(),
                        name: row.name,
                        path,
                    };
                    names.insert(id, name);
                }
            }
        }
        Ok(Self(names))
    }

    /// The name of one; without a name if it is not known.
    pub(super) fn of(&self, id: &str) -> Name {
        self.0.get(id).cloned().unwrap_or_else(|| Name {
            id: id.to_owned(),
            name: String::new(),
            path: None,
        })
    }
}

fn parse(text: &str) -> Option<(Named, Uuid)> {
    let (prefix, hex) = text.split_once('_')?;
    let id = Uuid::try_parse(hex).ok()?;
    let kind = match prefix {
        PersonId::PREFIX => Named::Person,
        AccountId::PREFIX => Named::Account,
        PackageId::PREFIX => Named::Package,
        PackageVersionId::PREFIX => Named::Edition,
        RequestId::PREFIX => Named::Request,
        LineId::PREFIX => Named::Line,
        GrantId::PREFIX => Named::Grant,
        EntitlementId::PREFIX => Named::Entitlement,
        TargetId::PREFIX => Named::Target,
        AssignmentId::PREFIX => Named::Assignment,
        _ => return None,
    };
    Some((kind, id))
}

fn print(kind: Named, id: Uuid) -> String {
    match kind {
        Named::Person => PersonId(id).to_string(),
        Named::Account => AccountId(id).to_string(),
        Named::Package => PackageId(id).to_string(),
        Named::Edition => PackageVersionId(id).to_string(),
        Named::Request => RequestId(id).to_string(),
        Named::Line => LineId(id).to_string(),
        Named::Grant => GrantId(id).to_string(),
        Named::Entitlement => EntitlementId(id).to_string(),
        Named::Target => TargetId(id).to_string(),
        Named::Assignment => AssignmentId(id).to_string(),
    }
}

/// The page that shows it. Whoever reads names may open most of these; what they may not is missing there.
fn path(kind: Named, row: &NameRow) -> Option<String> {
    match kind {
        Named::Person => Some(format!("/people/{}", PersonId(row.id))),
        Named::Account | Named::Grant => row.page.map(|id| format!("/people/{}", PersonId(id))),
        Named::Package => Some(format!("/catalog/{}", PackageId(row.id))),
        Named::Edition => row.page.map(|id| format!("/catalog/{}", PackageId(id))),
        Named::Request => Some(format!("/requests/{}", RequestId(row.id))),
        Named::Line => row.page.map(|id| format!("/requests/{}", RequestId(id))),
        Named::Assignment => Some(format!("/provisioning/{}", AssignmentId(row.id))),
        Named::Entitlement | Named::Target => None,
    }
}
