//! A small company for tests over HTTP: a directory in a sandbox, and a catalogue, read and published through the same doors
//! as in life.
//!
//! Astrid manages the askers. Packages `asked-0` … need her yes and one of security; packages `held-0` … need nobody's.

use std::fmt::Write as _;

use benches::portal::{PORTAL, PROVISIONER, SECRET};
use domain::PackageId;
use provisioner::{directory, graph};
use sandbox::{AppRole, AppRoleAssignment, Directory, Group, Running, ServicePrincipal, User};
use uuid::Uuid;
use workflow::{
    Workflow,
    catalogue::{self, SourceFile},
};

/// The tenant.
pub const TENANT: Uuid = Uuid::from_u128(0x1111_1111_2222_4333_8444_5555_5555_5555);
/// Who manages and owns.
pub const MANAGER: Uuid = Uuid::from_u128(0xa000);
/// Who is security.
pub const SECURITY: [Uuid; 2] = [Uuid::from_u128(0xa001), Uuid::from_u128(0xa002)];
/// People who ask; all report to the manager.
pub const ASKERS: u128 = 10;
/// Packages that two people decide on.
pub const ASKED: u128 = 4;
/// Packages that nobody has to decide on.
pub const HELD: u128 = 3;
/// The object id of somebody who asks.
pub fn asker(n: u128) -> Uuid {
    Uuid::from_u128(0xb000 + n)
}

/// The group behind a package that two people decide on.
pub fn asked(n: u128) -> Uuid {
    Uuid::from_u128(0xc000 + n)
}

/// The group behind a package that nobody has to decide on.
pub fn held(n: u128) -> Uuid {
    Uuid::from_u128(0xd000 + n)
}

/// Who works there, and the groups.
pub fn company() -> Directory {
    let mut directory = Directory::default();
    let mut add = |id: Uuid, name: &str, manager: Option<Uuid>| {
        let mut user = User::new(id, name, &format!("{}@contoso.example", id.simple()));
        user.manager = manager;
        directory.users.push(user);
    };
    add(MANAGER, "Astrid Lindqvist", None);
    add(SECURITY[0], "Elin Berg", Some(MANAGER));
    add(SECURITY[1], "Tomas Ek", None);
    for n in 0..ASKERS {
        add(asker(n), &format!("Asker {n}"), Some(MANAGER));
    }
    for group in (0..ASKED).map(asked).chain((0..HELD).map(held)) {
        directory
            .groups
            .push(Group::new(group, &format!("sg-{}", group.simple())));
    }
    let (portal, role) = (Uuid::from_u128(0xe000), Uuid::from_u128(0xe001));
    directory.service_principals.push(ServicePrincipal {
        id: portal,
        app_id: PORTAL.into(),
        display_name: "Latchkey".into(),
        app_roles: vec![AppRole::new(role, "Portal.Security", "Security")],
        ..ServicePrincipal::default()
    });
    for person in SECURITY {
        directory.app_role_assignments.push(AppRoleAssignment {
            app_role_id: role,
            principal_id: person,
            resource_id: portal,
            ..AppRoleAssignment::default()
        });
    }
    directory
}

/// The catalogue's file: packages that two people decide on, and packages that nobody has to.
fn catalogue_file() -> String {
    let mut text = "[application]\nkey = \"orders\"\nname = \"Orders\"\n".to_owned();
    let mut entitlements = String::new();
    let mut packages = String::new();
    let all = (0..ASKED)
        .map(|n| (format!("asked-{n}"), asked(n), r#"["manager", "security"]"#))
        .chain((0..HELD).map(|n| (format!("held-{n}"), held(n), r#""none""#)));
    for (key, group, route) in all {
        write!(
            entitlements,
            "[[entitlement]]\nkey = \"{key}\"\ngroup = \"{group}\"\nname = \"sg-{key}\"\n"
        )
        .expect("a String takes everything");
        write!(
            packages,
            "[[package]]\nkey = \"{key}\"\nname = \"Package {key}\"\nsummary = \"Opens {key}.\"\nopens = [\"Opens it.\"]\nentitlements = [\"{key}\"]\nowners = [{{ id = \"{MANAGER}\", name = \"Astrid Lindqvist\" }}]\nroute = {route}\ndefault = \"15 minutes\"\nlongest = \"1 day\"\n"
        )
        .expect("a String takes everything");
    }
    packages += "[[package.question]]\nkey = \"ticket\"\nask = \"Which ticket?\"\n";
    text += &entitlements;
    text + &packages
}

/// Reads the directory and the groups, and publishes the catalogue.
pub async fn fill(workflow: &Workflow, sandbox: &Running) {
    let http = provisioner::http::client(&provisioner::http::Options::default())
        .expect("loopback needs no roots");
    let options = graph::Options {
        authority: sandbox.url().to_owned(),
        base: sandbox.graph_url(),
        scope: format!("{}/.default", sandbox.url()),
        tenant: TENANT,
        client_id: PROVISIONER.into(),
        credential: graph::Credential::Secret(SECRET.into()),
    };
    let graph = graph::Graph::new(
        http,
        workflow.clock().clone(),
        workflow.ids().clone(),
        options,
    )
    .expect("the options fit");
    let read = directory::Options {
        tenant: TENANT,
        portal_client_id: Some(PORTAL.into()),
    };
    directory::run(workflow, &graph, &read)
        .await
        .expect("the directory is read");
    let rights = graph::import::Options {
        tenant: TENANT,
        portal_client_id: Some(PORTAL.into()),
        ..graph::import::Options::default()
    };
    graph::import::run(workflow, &graph, &rights)
        .await
        .expect("the groups are read");
    let sources = [SourceFile {
        path: "orders.toml".into(),
        text: catalogue_file(),
    }];
    catalogue::apply(workflow, TENANT, &sources, None)
        .await
        .expect("the catalogue is right");
}

/// Our id of a package.
pub async fn package(workflow: &Workflow, key: &str) -> PackageId {
    let mut tx = workflow.store().read().await.expect("it opens");
    let packages = tx.packages().await.expect("it works");
    packages
        .into_iter()
        .find(|row| row.key == key)
        .expect("the catalogue was applied")
        .id
}
