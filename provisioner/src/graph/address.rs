//! Everything that the connector asks of Graph: method and path of each call, put together in one place.

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::{Answer, Error, Graph, Kind, Priority};

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask<'a> {
    /// The groups that an account is a direct member of.
    GroupsOf(Uuid),
    /// The people who are direct members.
    MembersOf(Uuid),
    /// Whether a group exists, and its name.
    Group(Uuid),
    /// Whether an account exists.
    User(Uuid),
    /// Make an account a member.
    Add { group: Uuid },
    /// End a membership.
    Remove { group: Uuid, user: Uuid },
    /// Whether an application exists.
    Application(Uuid),
    /// What of an application's roles reaches an account: its own assignments, and those of groups that it is in.
    RolesOf { user: Uuid, application: Uuid },
    /// Who is assigned to an application, people and groups.
    AssignedTo(Uuid),
    /// Assign an app role.
    Assign { application: Uuid },
    /// End an assignment of an app role.
    Unassign {
        application: Uuid,
        assignment: &'a str,
    },
    /// What the tenant has bought.
    Bought,
    /// The licences of an account, with the way that each came by.
    LicencesOf(Uuid),
    /// Everybody who holds a licence, with the way that it came by.
    HoldersOf { licence: Uuid },
    /// Give licences to an account, or take them away.
    License { user: Uuid },
}

/// Method and path of a call. A DELETE ends in `/$ref`, for without it Graph deletes the account itself, or names an
/// assignment, for without one it would name the application.
fn address(ask: Ask<'_>) -> Result<(Method, String), Error> {
    Ok(match ask {
        Ask::GroupsOf(user) => (
            Method::GET,
            format!("/users/{user}/memberOf/microsoft.graph.group?$select=id&$top=999"),
        ),
        Ask::MembersOf(group) => (
            Method::GET,
            format!("/groups/{group}/members/microsoft.graph.user?$select=id&$top=999"),
        ),
        Ask::Group(group) => (
            Method::GET,
            format!("/groups/{group}?$select=id,displayName"),
        ),
        Ask::User(user) => (Method::GET, format!("/users/{user}?$select=id")),
        Ask::Add { group } => (Method::POST, format!("/groups/{group}/members/$ref")),
        Ask::Remove { group, user } => (
            Method::DELETE,
            format!("/groups/{group}/members/{user}/$ref"),
        ),
        Ask::Application(id) => (Method::GET, format!("/servicePrincipals/{id}?$select=id")),
        Ask::RolesOf { user, application } => (
            Method::GET,
            format!(
                "/users/{user}/appRoleAssignments?$filter=resourceId eq {application}&$top=999"
            ),
        ),
        Ask::AssignedTo(application) => (
            Method::GET,
            format!("/servicePrincipals/{application}/appRoleAssignedTo?$top=999"),
        ),
        Ask::Assign { application } => (
            Method::POST,
            format!("/servicePrincipals/{application}/appRoleAssignedTo"),
        ),
        Ask::Unassign {
            application,
            assignment,
        } => (
            Method::DELETE,
            format!(
                "/servicePrincipals/{application}/appRoleAssignedTo/{}",
                segment(assignment)?
            ),
        ),
        Ask::Bought => (Method::GET, "/subscribedSkus".to_owned()),
        Ask::LicencesOf(user) => (
            Method::GET,
            format!("/users/{user}?$select=id,usageLocation,licenseAssignmentStates"),
        ),
        Ask::HoldersOf { licence } => (
            Method::GET,
            format!(
                "/users?$filter=assignedLicenses/any(x:x/skuId eq {licence})&$select=id,licenseAssignmentStates&$top=999"
            ),
        ),
        Ask::License { user } => (Method::POST, format!("/users/{user}/assignLicense")),
    })
}

/// An id that Graph gave, fit to stand in a path: with a slash or dots in it the call would be about something else.
fn segment(id: &str) -> Result<&str, Error> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !id.is_empty() && id.bytes().all(fit) {
        Ok(id)
    } else {
        Err(Error::plain(
            Kind::Nonsense,
            format!("an assignment has the id {id:?}, which cannot stand in an address"),
        ))
    }
}

/// Makes a call that somebody waits for.
pub(super) async fn call(
    graph: &Graph,
    ask: Ask<'_>,
    body: Option<&Value>,
) -> Result<Answer, Error> {
    let (method, path) = address(ask)?;
    graph.call(method, &path, body, Priority::High).await
}

/// All pages of a listing, for a scan.
pub(super) async fn list(graph: &Graph, ask: Ask<'_>) -> Result<Vec<Value>, Error> {
    let (_, path) = address(ask)?;
    graph.list(&path, Priority::Low).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_never_names_what_must_stay() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let asks = [
            Ask::GroupsOf(two),
            Ask::MembersOf(one),
            Ask::Group(one),
            Ask::User(two),
            Ask::Add { group: one },
            Ask::Remove {
                group: one,
                user: two,
            },
            Ask::Application(one),
            Ask::RolesOf {
                user: two,
                application: one,
            },
            Ask::AssignedTo(one),
            Ask::Assign { application: one },
            Ask::Unassign {
                application: one,
                assignment: "a-1_B",
            },
            Ask::Bought,
            Ask::LicencesOf(two),
            Ask::HoldersOf { licence: one },
            Ask::License { user: two },
        ];
        let mut deletes = Vec::new();
        for ask in asks {
            let (method, path) = address(ask).expect("it has an address");
            if method == Method::DELETE {
                deletes.push(path);
            }
        }
        assert_eq!(
            deletes,
            [
                format!("/groups/{one}/members/{two}/$ref"),
                format!("/servicePrincipals/{one}/appRoleAssignedTo/a-1_B"),
            ]
        );
        for id in ["", "..", "../x", "a/b", "a?b", "a%2Fb"] {
            let ask = Ask::Unassign {
                application: one,
                assignment: id,
            };
            assert!(address(ask).is_err(), "{id:?}");
        }
    }
}
