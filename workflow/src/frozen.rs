//! What an approver signs off: a hash over exactly what is asked, so that an edit can never keep an approval.

use domain::{AccountId, PackageVersionId, PersonId, Timestamp, grant::plus, request::Window};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::requests::{DecisionRow, LineRow};

/// Everything that is frozen at submission.
#[derive(Debug, Serialize)]
pub(crate) struct Frozen<'a> {
    pub beneficiary: PersonId,
    pub account: AccountId,
    pub package_version: PackageVersionId,
    pub policy_version: i64,
    pub window: Window,
    pub reason: &'a str,
    pub answers: &'a str,
}

impl Frozen<'_> {
    /// SHA-256 over the JSON text, in hex.
    pub(crate) fn hash(&self) -> String {
        hex(&Sha256::digest(
            serde_json::to_vec(self).expect("plain values"),
        ))
    }
}

/// What a decider of a later stage signs: the frozen ask together with the shortest cap so far.
pub(crate) fn sign_off(line: &LineRow, decisions: &[DecisionRow]) -> String {
    capped(&line.frozen_hash, shortest_cap(decisions))
}

/// The hash of a frozen ask together with the shortest cap so far.
pub(crate) fn capped(frozen_hash: &str, cap_seconds: Option<i64>) -> String {
    match cap_seconds {
        None => frozen_hash.to_owned(),
        Some(seconds) => hex(&Sha256::digest(format!("{frozen_hash}:{seconds}"))),
    }
}

/// Whether a line is asked as it was frozen, in the edition of this number, and each yes signed off exactly that, with the
/// cap of a yes before it if there was one.
pub(crate) fn is_as_signed(line: &LineRow, edition: i64, decisions: &[DecisionRow]) -> bool {
    let frozen = Frozen {
        beneficiary: line.beneficiary_id,
        account: line.account_id,
        package_version: line.package_version_id,
        policy_version: edition,
        window: line.window(),
        reason: &line.reason,
        answers: &line.answers,
    };
    let caps = decisions.iter().map(|vote| vote.cap_seconds);
    let signed: Vec<String> = std::iter::once(None)
        .chain(caps)
        .map(|cap| capped(&line.frozen_hash, cap))
        .collect();
    frozen.hash() == line.frozen_hash
        && decisions
            .iter()
            .all(|vote| signed.contains(&vote.signed_hash))
}

/// The shortest time that any decider said, in seconds.
pub(crate) fn shortest_cap(decisions: &[DecisionRow]) -> Option<i64> {
    decisions
        .iter()
        .filter_map(|decision| decision.cap_seconds)
        .min()
}

/// The earliest end that any decider on more time said, each counted from their own decision.
pub(crate) fn earliest_cap(decisions: &[DecisionRow]) -> Option<Timestamp> {
    decisions
        .iter()
        .filter_map(|decision| Some(plus(decision.decided_at, decision.cap_seconds?)))
        .min()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes everything");
            text
        })
}
