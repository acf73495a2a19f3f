//! Against the sandbox, over a database of its own.

use std::fs;

use sandbox::{Client, Directory, Running, Sandbox, User};
use store::{Engine, Options, Store, testing};
use uuid::Uuid;
use workflow::installation;

use super::*;
use crate::{checkpoints::Keeper, config::Layers};

const TENANT: Uuid = Uuid::from_u128(0x1111_1111_2222_4333_8444_5555_5555_5555);

struct Office {
    sandbox: Running,
    url: String,
    folder: PathBuf,
}

impl Office {
    async fn new(name: &str, permissions: &[&str]) -> Self {
        let folder =
            std::env::temp_dir().join(format!("latchkey-doctor-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a temporary folder can be made");
        let mut provisioner = Client::provisioner("provisioner", "provisioner-secret");
        provisioner.permissions = permissions.iter().map(ToString::to_string).collect();
        let anna = User::new(Uuid::from_u128(0xa), "Anna Ask", "anna@sample.example");
        let directory = Directory {
            users: vec![anna],
            ..Directory::default()
        };
        let config = sandbox::Config::new(TENANT, directory)
            .client(Client::portal(
                "portal",
                "portal-secret",
                "http://localhost/x",
                "http://localhost/y",
            ))
            .client(provisioner);
        Self {
            sandbox: Sandbox::start(config).await.expect("a free port is there"),
            url: testing::url(Engine::Sqlite).await,
            folder,
        }
    }

    fn config(&self, more: &[(&str, &str)]) -> Config {
        let path = |name: &str| self.folder.join(name).display().to_string();
        let settings = [
            (
                "SERVER__PUBLIC_URL",
                "https://access.example.com".to_owned(),
            ),
            ("DATABASE__URL", self.url.clone()),
            ("SIGN_IN__AUTHORITY", self.sandbox.url().to_owned()),
            ("SIGN_IN__TENANT", TENANT.to_string()),
            ("SIGN_IN__CLIENT_ID", "portal".to_owned()),
            ("SIGN_IN__CLIENT_SECRET", "portal-secret".to_owned()),
            ("GRAPH__URL", self.sandbox.graph_url()),
            ("GRAPH__CLIENT_ID", "provisioner".to_owned()),
            ("GRAPH__CLIENT_SECRET", "provisioner-secret".to_owned()),
            ("AUDIT__KEY_FILE", path("audit.key")),
            ("AUDIT__CHECKPOINT_FILE", path("checkpoint")),
        ];
        let more = more
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let vars = settings
            .into_iter()
            .chain(more)
            .map(|(name, value)| (format!("LATCHKEY_{name}"), value));
        let (layers, faults) = Layers::read(None, vars);
        layers.config(faults).expect("it is complete")
    }

    /// What it says of this.
    async fn of(&self, what: &str, more: &[(&str, &str)]) -> Option<(Grade, String)> {
        let report = examine(&self.config(more)).await;
        let start = format!("{what}: ");
        report
            .0
            .into_iter()
            .find(|(_, line)| line.starts_with(&start))
    }

    async fn grade(&self, what: &str) -> Option<Grade> {
        self.of(what, &[]).await.map(|(grade, _)| grade)
    }
}

const ALL: [&str; 4] = [
    "User.Read.All",
    "User-LifeCycleInfo.Read.All",
    "GroupMember.ReadWrite.All",
    "Application.Read.All",
];

#[tokio::test]
async fn it_makes_no_database_and_says_that_there_is_none() {
    let office = Office::new("new", &ALL).await;
    assert_eq!(office.grade("database").await, Some(Grade::Warn));
    let file = database::file(&office.url).expect("it is a file");
    assert!(!file.exists());
    let nowhere = office.of(
        "database",
        &[("DATABASE__URL", "sqlite:/nowhere/latchkey.db")],
    );
    assert_eq!(nowhere.await.map(|(grade, _)| grade), Some(Grade::Bad));
    // Made, but by something else: it stays as it is.
    let store = Store::open(&Options::new(&office.url))
        .await
        .expect("it can be made");
    assert_eq!(office.grade("database").await, Some(Grade::Warn));
    assert_eq!(
        store.schema().await.expect("it answers"),
        store::Schema::Missing
    );
}

#[tokio::test]
async fn everything_right_is_all_right() {
    let office = Office::new("right", &ALL).await;
    let report = examine(&office.config(&[])).await;
    let warned: Vec<&str> = report
        .0
        .iter()
        .filter(|(grade, _)| *grade != Grade::Ok)
        .filter_map(|(_, line)| line.split(':').next())
        .collect();
    assert_eq!(
        warned,
        ["database", "fresh sign-in", "first administrator", "mail"],
        "{report:?}"
    );
    for what in [
        "sign-in credential",
        "tenant",
        "Graph",
        "clock",
        "User.Read.All",
    ] {
        assert_eq!(office.grade(what).await, Some(Grade::Ok), "{what}");
    }
}

#[tokio::test]
async fn a_context_for_fresh_sign_ins_is_seen() {
    let office = Office::new("context", &ALL).await;
    let (grade, line) = office
        .of("fresh sign-in", &[("SIGN_IN__STEP_UP", "c3")])
        .await
        .expect("it is said");
    assert_eq!(grade, Grade::Ok);
    assert!(line.contains("context c3"), "{line}");
}

#[tokio::test]
async fn what_is_optional_is_a_warning_and_what_is_needed_is_not() {
    let office = Office::new(
        "less",
        &[
            "GroupMember.ReadWrite.All",
            "RoleManagement.ReadWrite.Directory",
        ],
    )
    .await;
    assert_eq!(
        office.grade("User-LifeCycleInfo.Read.All").await,
        Some(Grade::Warn)
    );
    assert_eq!(
        office.grade("RoleManagement.ReadWrite.Directory").await,
        Some(Grade::Warn)
    );
    assert_eq!(office.grade("User.Read.All").await, Some(Grade::Bad));
    assert_eq!(office.grade("Graph").await, Some(Grade::Bad));
}

#[tokio::test]
async fn what_is_switched_on_needs_its_permission_and_what_is_off_does_not() {
    let (role, licence) = (
        "AppRoleAssignment.ReadWrite.All",
        "LicenseAssignment.ReadWrite.All",
    );
    let on = [("GRAPH__APP_ROLES", "true"), ("GRAPH__LICENCES", "true")];
    let without = Office::new("off", &ALL).await;
    let with = Office::new("on", &[&ALL[..], &[role, licence]].concat()).await;
    for (name, switch, granted) in [
        (role, "graph.app_roles", Grade::Warn),
        (licence, "graph.licences", Grade::Ok),
    ] {
        assert!(without.of(name, &[]).await.is_none());
        let (grade, line) = without.of(name, &on).await.expect("it is said");
        assert!(grade == Grade::Bad && line.contains(switch), "{line}");
        let (grade, line) = with.of(name, &on).await.expect("it is said");
        assert!(grade == granted, "{line}");
        let (grade, line) = with.of(name, &[]).await.expect("it is said");
        assert!(grade == Grade::Warn && line.contains("remove it"), "{line}");
    }
}

#[tokio::test]
async fn a_wrong_credential_of_the_portal_is_found() {
    let office = Office::new("credential", &ALL).await;
    let wrong = office
        .of("sign-in credential", &[("SIGN_IN__CLIENT_SECRET", "guess")])
        .await;
    let (grade, line) = wrong.expect("it is tried");
    assert_eq!(grade, Grade::Bad, "{line}");
    assert!(
        line.contains("AADSTS7000215") && !line.contains("guess"),
        "{line}"
    );
    // The provisioner's registration in its place works, but holds too much.
    let more = [
        ("SIGN_IN__CLIENT_ID", "provisioner"),
        ("SIGN_IN__CLIENT_SECRET", "provisioner-secret"),
        ("GRAPH__CLIENT_ID", "portal"),
        ("GRAPH__CLIENT_SECRET", "portal-secret"),
    ];
    let much = office.of("sign-in registration", &more).await;
    assert_eq!(much.map(|(grade, _)| grade), Some(Grade::Warn));
}

#[tokio::test]
async fn the_checkpoint_is_compared_to_the_last_byte() {
    let office = Office::new("checkpoint", &ALL).await;
    let config = office.config(&[]);
    let workflow = serve::workflow(&config).await.expect("it is new");
    installation::start(&workflow, "1")
        .await
        .expect("it starts");
    assert_eq!(
        office.grade("checkpoint").await,
        Some(Grade::Warn),
        "no key yet"
    );
    let keeper = Keeper::open(
        workflow.clone(),
        &config.audit.key_file,
        &config.audit.checkpoint_file,
    )
    .await
    .expect("it opens");
    assert_eq!(
        office.grade("checkpoint").await,
        Some(Grade::Warn),
        "no checkpoint yet"
    );
    keeper.write().await.expect("it is written");
    assert_eq!(office.grade("checkpoint").await, Some(Grade::Ok));
    // The same length with another entry in it.
    testing::raw(workflow.store(), "DROP TRIGGER audit_events_fixed")
        .await
        .expect("there is such a trigger");
    testing::raw(
        workflow.store(),
        "UPDATE audit_events SET hash = zeroblob(32)",
    )
    .await
    .expect("nothing keeps it from being written");
    let (grade, line) = office.of("checkpoint", &[]).await.expect("it is compared");
    assert_eq!(grade, Grade::Bad, "{line}");
    assert!(line.contains("another one now"), "{line}");
}

#[tokio::test]
async fn what_lies_in_the_databases_folder_is_said() {
    let office = Office::new("places", &ALL).await;
    assert_eq!(office.grade("audit.key_file").await, None);
    let url = format!("sqlite:{}", office.folder.join("latchkey.db").display());
    let said = office
        .of("audit.checkpoint_file", &[("DATABASE__URL", &url)])
        .await;
    assert_eq!(said.map(|(grade, _)| grade), Some(Grade::Warn));
}

#[tokio::test]
async fn mail_in_clear_text_is_warned_of() {
    let office = Office::new("mail", &ALL).await;
    let mail = |url| {
        [
            ("MAIL__SMTP_URL", url),
            ("MAIL__FROM", "Latchkey <access@example.com>"),
        ]
    };
    let report = examine(&office.config(&mail("smtp://mail.invalid:25?tls=none"))).await;
    assert!(
        report
            .0
            .iter()
            .any(|(grade, line)| *grade == Grade::Warn && line.contains("?tls=none")),
        "{report:?}"
    );
    let report = examine(&office.config(&mail("smtp://mail.invalid:25"))).await;
    assert!(!report.0.iter().any(|(_, line)| line.contains("?tls=none")));
}
