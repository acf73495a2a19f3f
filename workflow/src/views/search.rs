//! The search box at the head of every page: packages, people, requests.

use domain::{RequestId, Timestamp};
use serde::Serialize;

use super::{PersonTag, catalog::Card, requests::RequestItem};
use crate::{Result, Workflow, access::Viewer};

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What was looked for, trimmed.
    pub text: String,
    /// Packages, at most eight.
    pub packages: Vec<Card>,
    /// People whose page the viewer may open, at most eight.
    pub people: Vec<FoundPerson>,
    /// Requests with this short number that the viewer may see, or their own whose package fits; at most eight.
    pub requests: Vec<RequestItem>,
    /// The one request whose number was typed: go there at once.
    pub exactly: Option<RequestId>,
}

/// A person found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundPerson {
    /// Who.
    pub person: PersonTag,
    /// Job title.
    pub job_title: String,
    /// Department.
    pub department: String,
}

/// Searches. People are found by those above them, HR, security, auditors and operators only.
pub async fn load(workflow: &Workflow, viewer: &Viewer, text: &str) -> Result<Found> {
    let _ = (workflow, viewer, text);
    Err(super::common::soon())
}
