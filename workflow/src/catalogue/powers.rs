//! What a package that holds one of the portal's own powers must be: timed, and approved by enough people.

use domain::{
    catalogue::{Content, Package},
    person::{PortalRole, first_clash},
    policy::{ApproverRule, Quorum},
};

use super::{parse::DraftPackage, resolve::Known};

/// The longest that a portal role may be asked for: half a year, then somebody decides anew.
const LONGEST_SECONDS: i64 = 180 * 86_400;

/// Checks a package that holds portal roles.
pub(super) fn check(known: &mut Known, draft: &DraftPackage, content: &Content, package: &Package) {
    let roles: Vec<PortalRole> = content
        .rights(package)
        .into_iter()
        .filter_map(|right| right.portal_role())
        .collect();
    if roles.is_empty() {
        return;
    }
    let mut fault = |what: String| known.fault(&draft.file, draft.line, what);
    if let Some((one, other)) = first_clash(&roles, &[]) {
        fault(format!(
            "the portal roles `{one}` and `{other}` are never held together: put them in two packages"
        ));
    }
    let limits = &package.policy.limits;
    if limits.permanent {
        fault("a portal role is never permanent: take `permanent` out".into());
    }
    if limits.longest_seconds > LONGEST_SECONDS {
        fault("a portal role is lent for 180 days at most: shorten `longest`".into());
    }
    let strong = roles
        .iter()
        .any(|role| matches!(role, PortalRole::Administrator | PortalRole::Security));
    if !strong {
        return;
    }
    let route = &package.policy.route;
    let people: u32 = route
        .iter()
        .map(|stage| match stage.quorum {
            Quorum::Count(count) => u32::from(count),
            Quorum::All => 1,
        })
        .sum();
    let security = route
        .iter()
        .any(|stage| stage.approvers == ApproverRule::Security);
    if !security || people < 2 {
        fault("administrators and security are approved by security and by a second person: add a stage of security, and another stage or a quorum of 2".into());
    }
}
