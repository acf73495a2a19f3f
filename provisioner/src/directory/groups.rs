//! Groups whose members decide: who is in them, directly. A group in a group is one member, and no person.

use uuid::Uuid;
use workflow::{
    Workflow,
    approver_groups::{self, Read},
};

use super::{Error, map, read};
use crate::graph::{Graph, Kind};

/// What a round did.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Groups with other members than before.
    pub changed: usize,
    /// Groups that could not be read, in words.
    pub doubts: Vec<String>,
}

/// Reads every group that a stage names. One that cannot be read does not stop the others.
pub(super) async fn run(workflow: &Workflow, graph: &Graph, tenant: Uuid) -> Result<Round, Error> {
    let mut round = Round::default();
    for group in approver_groups::wanted(workflow).await? {
        let path = format!("/groups/{group}/members/microsoft.graph.user?$select=id&$top=999");
        let read = match read::list(graph, &path).await {
            Ok(members) => Read::Members(members.iter().filter_map(map::object).collect()),
            Err(error) if error.kind == Kind::NotFound => Read::Gone,
            Err(error) => {
                round.doubts.push(format!(
                    "reading the members of the group {group}, who decide: {error}"
                ));
                Read::Unreadable
            }
        };
        if approver_groups::apply_directory(workflow, tenant, group, &read).await? {
            round.changed += 1;
        }
    }
    Ok(round)
}
