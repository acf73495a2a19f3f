//! The Graph connector over real HTTP, against the sandbox and its faults.

use std::{sync::Arc, time::Duration};

use domain::assignment::Observed;
use provisioner::{
    connector::{Connector, Failure, Outcome, Place, Reply},
    graph::{Credential, Entra, Graph, Options, Switches},
    http,
};
use sandbox::{Client, Config, Directory, Fault, FaultKind, Group, Lost, Running, Sandbox, User};
use uuid::Uuid;
use workflow::{Clock, Ids};

use crate::house::{TENANT, group, user};

/// A sandbox with `people` people and `groups` empty groups, and a connector to it.
pub async fn target(people: usize, groups: usize) -> (Running, Arc<Entra>) {
    allowed(people, groups, &[], Switches::default()).await
}

/// The same with more permissions, and with these switches.
pub async fn allowed(
    people: usize,
    groups: usize,
    permissions: &[&str],
    switches: Switches,
) -> (Running, Arc<Entra>) {
    let mut seed = Directory::default();
    for n in 0..people {
        seed.users.push(User::new(
            user(n),
            &format!("Person {n}"),
            &format!("person{n}@contoso.example"),
        ));
    }
    for n in 0..groups {
        seed.groups
            .push(Group::new(group(n), &format!("Group {n}")));
    }
    let mut client = Client::provisioner("provisioner", "hush");
    client
        .permissions
        .extend(permissions.iter().map(ToString::to_string));
    let config = Config::new(TENANT, seed).client(client);
    let running = Sandbox::start(config).await.unwrap();
    let connector = Arc::new(Entra::new(calls(&running, "hush"), switches));
    (running, connector)
}

fn connect(running: &Running, secret: &str) -> Arc<Entra> {
    Arc::new(Entra::new(calls(running, secret), Switches::default()))
}

/// A client of the sandbox.
pub fn calls(running: &Running, secret: &str) -> Graph {
    Graph::new(
        http::client(&http::Options {
            connect: Duration::from_secs(2),
            total: Duration::from_secs(2),
        })
        .unwrap(),
        Clock::system(),
        Ids::seeded(1),
        Options {
            authority: running.url().to_owned(),
            base: running.graph_url(),
            scope: format!("{}/.default", running.url()),
            tenant: TENANT,
            client_id: "provisioner".into(),
            credential: Credential::Secret(secret.into()),
        },
    )
    .unwrap()
}

fn place(group: Uuid, user: Uuid) -> Place {
    Place {
        external_id: group.to_string(),
        ..crate::fake::place(TENANT, user)
    }
}

pub fn later(reply: &Reply) -> (Option<chrono::Duration>, bool) {
    match &reply.outcome {
        Outcome::Failed(Failure::Later {
            after, throttled, ..
        }) => (*after, *throttled),
        other => panic!("not later: {other:?}"),
    }
}

pub fn never(reply: &Reply) -> String {
    match &reply.outcome {
        Outcome::Failed(Failure::Never { why, fix }) => format!("{why} {fix}"),
        other => panic!("not never: {other:?}"),
    }
}

pub fn misconfigured(reply: &Reply) -> (String, bool) {
    match &reply.outcome {
        Outcome::Failed(Failure::Misconfigured {
            what,
            fix,
            everywhere,
        }) => (format!("{what} {fix}"), *everywhere),
        other => panic!("not misconfigured: {other:?}"),
    }
}

#[tokio::test]
async fn a_removal_is_tried_whatever_the_last_import_said() {
    let (sandbox, groups) = target(1, 1).await;
    let here = place(group(0), user(0));
    assert_eq!(groups.ensure_present(&here).await.outcome, Outcome::Done);
    let unmanageable = Place {
        manageable: false,
        unmanageable_reason: Some("it is no longer in the directory".into()),
        ..here.clone()
    };
    let added = never(&groups.ensure_present(&unmanageable).await);
    assert!(added.contains("no longer in the directory"), "{added}");
    let removed = groups.ensure_absent(&unmanageable).await;
    assert_eq!(removed.outcome, Outcome::Done);
    assert!(!sandbox.members(group(0)).contains(&user(0)));
}

#[tokio::test]
async fn a_membership_comes_and_goes_and_is_read_back() {
    let (sandbox, groups) = target(2, 2).await;
    let here = place(group(0), user(0));
    assert_eq!(
        groups.observe(&here).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    let added = groups.ensure_present(&here).await;
    assert_eq!(
        (added.outcome, added.evidence.status),
        (Outcome::Done, Some(204))
    );
    assert!(added.evidence.request_id.is_some() && added.evidence.client_request_id.is_some());
    assert!(sandbox.members(group(0)).contains(&user(0)));
    assert_eq!(
        groups.observe(&here).await.outcome,
        Outcome::Seen(Observed::Present)
    );
    assert_eq!(
        groups.observe(&place(group(1), user(0))).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    assert_eq!(
        groups.observe(&place(group(0), user(1))).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    let listing = groups.list("group", &group(0).to_string()).await.unwrap();
    assert_eq!(listing.holders, [user(0).to_string()].into());

    assert_eq!(groups.ensure_present(&here).await.outcome, Outcome::Already);
    assert_eq!(groups.ensure_absent(&here).await.outcome, Outcome::Done);
    assert_eq!(groups.ensure_absent(&here).await.outcome, Outcome::Already);
    sandbox.fail(FaultKind::RemovedReferenceText);
    assert_eq!(groups.ensure_absent(&here).await.outcome, Outcome::Already);
    assert_eq!(
        groups.observe(&here).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    // Never a DELETE of the account itself.
    assert!(sandbox.user(user(0)).is_some());
    let deletes = sandbox
        .requests()
        .into_iter()
        .filter(|request| request.method == "DELETE");
    assert!(
        deletes
            .into_iter()
            .all(|request| request.path.ends_with("/$ref"))
    );
}

#[tokio::test]
async fn what_404_means_is_read_back() {
    let (sandbox, groups) = target(1, 1).await;
    let no_group = place(Uuid::from_u128(0xdead), user(0));
    assert!(never(&groups.ensure_present(&no_group).await).contains("group"));
    assert!(never(&groups.ensure_absent(&no_group).await).contains("group"));
    let no_user = place(group(0), Uuid::from_u128(0xdead));
    assert!(never(&groups.ensure_present(&no_user).await).contains("account"));
    assert_eq!(
        groups.ensure_absent(&no_user).await.outcome,
        Outcome::Already
    );
    assert_eq!(
        groups.observe(&no_user).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    sandbox.stop().await;
}

#[tokio::test]
async fn somebody_in_more_groups_than_a_page_holds_is_found() {
    let (sandbox, groups) = target(1, 1100).await;
    for n in 0..1100 {
        sandbox.add_member(group(n), user(0));
    }
    for n in [0, 1099] {
        assert_eq!(
            groups.observe(&place(group(n), user(0))).await.outcome,
            Outcome::Seen(Observed::Present)
        );
    }
    assert_eq!(
        groups
            .observe(&place(Uuid::from_u128(5), user(0)))
            .await
            .outcome,
        Outcome::Seen(Observed::Absent)
    );
}

#[tokio::test]
async fn patience_is_asked_for_in_fractions() {
    let (sandbox, groups) = target(1, 1).await;
    let here = place(group(0), user(0));
    assert_eq!(
        groups.observe(&here).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    sandbox.fail(FaultKind::Throttle {
        every: Some(1),
        percent: None,
        retry_after: Some(2.128),
    });
    let (after, throttled) = later(&groups.ensure_present(&here).await);
    assert_eq!(
        (after, throttled),
        (Some(chrono::Duration::milliseconds(2128)), true)
    );
    sandbox.faults().clear();
    assert_eq!(groups.ensure_present(&here).await.outcome, Outcome::Done);
}

#[tokio::test]
async fn a_lost_reply_is_later_and_a_read_tells() {
    for how in [Lost::Close, Lost::GatewayTimeout] {
        let (sandbox, groups) = target(1, 1).await;
        let here = place(group(0), user(0));
        assert_eq!(
            groups.observe(&here).await.outcome,
            Outcome::Seen(Observed::Absent)
        );
        sandbox.fail(
            Fault::from(FaultKind::LostReply {
                percent: 100.0,
                how,
            })
            .method("POST")
            .path_prefix("/v1.0/groups"),
        );
        assert!(!later(&groups.ensure_present(&here).await).1);
        assert_eq!(
            groups.observe(&here).await.outcome,
            Outcome::Seen(Observed::Present)
        );
        sandbox.faults().clear();
        assert_eq!(groups.ensure_present(&here).await.outcome, Outcome::Already);
    }
}

#[tokio::test]
async fn reads_may_lag_behind_writes() {
    let (sandbox, groups) = target(1, 1).await;
    let here = place(group(0), user(0));
    sandbox.fail(FaultKind::Lag { ms: 400 });
    assert_eq!(groups.ensure_present(&here).await.outcome, Outcome::Done);
    assert_eq!(
        groups.observe(&here).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(
        groups.observe(&here).await.outcome,
        Outcome::Seen(Observed::Present)
    );
}

#[tokio::test]
async fn refusals_are_told_apart_in_words() {
    let (sandbox, groups) = target(1, 0).await;
    let id = |n: u128| Uuid::from_u128(0xc000 + n);
    let mut mail = Group::new(id(1), "Mail");
    mail.mail_enabled = true;
    let mut synchronised = Group::new(id(2), "Synchronised");
    synchronised.on_premises_sync_enabled = Some(true);
    let mut computed = Group::new(id(3), "Computed");
    computed.group_types = vec!["DynamicMembership".into()];
    let mut roles = Group::new(id(4), "Roles");
    roles.is_assignable_to_role = Some(true);
    for group in [mail, synchronised, computed, roles] {
        sandbox.put_group(group);
    }
    for (n, word) in [(1, "Exchange"), (2, "on-premises"), (3, "rule")] {
        let said = never(&groups.ensure_present(&place(id(n), user(0))).await);
        assert!(said.contains(word), "{said}");
    }
    let (said, everywhere) = misconfigured(&groups.ensure_present(&place(id(4), user(0))).await);
    assert!(
        said.contains("RoleManagement.ReadWrite.Directory") && !everywhere,
        "{said}"
    );

    let before = sandbox.requests().len();
    let mut by_hand = place(id(1), user(0));
    by_hand.manageable = false;
    by_hand.unmanageable_reason = Some("it is managed in Exchange".into());
    assert!(never(&groups.ensure_present(&by_hand).await).contains("managed in Exchange"));
    let mut role = place(id(1), user(0));
    role.kind = "app_role".into();
    assert!(never(&groups.observe(&role).await).contains("names no app_role"));
    assert_eq!(
        sandbox.requests().len(),
        before,
        "what cannot work is not asked"
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_whole_connection_is_said_so() {
    let (sandbox, groups) = target(1, 1).await;
    let here = place(group(0), user(0));
    assert!(groups.diagnose().await.iter().all(|finding| finding.fine));
    sandbox.revoke_tokens();
    assert_eq!(
        groups.observe(&here).await.outcome,
        Outcome::Seen(Observed::Absent),
        "a new token is fetched"
    );
    sandbox.fail(FaultKind::Deny);
    assert!(misconfigured(&groups.observe(&here).await).1);
    assert!(
        groups
            .diagnose()
            .await
            .iter()
            .all(|finding| !finding.fine && !finding.fix.is_empty())
    );
    sandbox.faults().clear();
    let wrong = connect(&sandbox, "guess");
    assert!(misconfigured(&wrong.ensure_present(&here).await).1);
    sandbox.stop().await;
    assert_eq!(later(&groups.observe(&here).await), (None, false));
}
