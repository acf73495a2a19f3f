//! A small tenant with one of everything, and a client that holds a token for it.

use sandbox::{
    AppRole, AppRoleAssignment, Client, Config, Directory, Group, Running, Sandbox,
    ServicePrincipal, SubscribedSku, User,
};
use serde_json::Value;
use uuid::Uuid;

use crate::http::{self, Reply};

pub const PORTAL: &str = "3b9a1c52-0000-4000-8000-0000000000a1";
pub const PROVISIONER: &str = "3b9a1c52-0000-4000-8000-0000000000a2";
pub const SECRET: &str = "not-a-real-secret";
pub const CALLBACK: &str = "http://127.0.0.1:3000/auth/callback";
pub const SIGNED_OUT: &str = "http://127.0.0.1:3000/signed-out";

pub const TENANT: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0001);
pub const FOREIGN: Uuid = Uuid::from_u128(0x2000_0000_0000_4000_8000_0000_0000_0001);

/// People, by a number of their own.
pub const fn user(number: u128) -> Uuid {
    Uuid::from_u128(0xA000_0000_0000_4000_8000_0000_0000_0000 + number)
}

/// Groups, by a number of their own.
pub const fn group(number: u128) -> Uuid {
    Uuid::from_u128(0xB000_0000_0000_4000_8000_0000_0000_0000 + number)
}

pub const ADA: Uuid = user(1);
pub const BOB: Uuid = user(2);
pub const CEM: Uuid = user(3);
pub const GUEST: Uuid = user(4);
pub const DISABLED: Uuid = user(5);
pub const STRANGER: Uuid = user(6);
pub const NAMELESS: Uuid = user(7);
pub const CROWDED: Uuid = user(8);
pub const SYNCED: Uuid = user(9);

pub const READERS: Uuid = group(1);
pub const ALL_STAFF: Uuid = group(2);
pub const DYNAMIC: Uuid = group(3);
pub const MAIL: Uuid = group(4);
pub const FROM_AD: Uuid = group(5);
pub const ADMINS: Uuid = group(6);

pub const PORTAL_APP: Uuid = Uuid::from_u128(0xC000_0000_0000_4000_8000_0000_0000_0001);
pub const AUDITOR: Uuid = Uuid::from_u128(0xD000_0000_0000_4000_8000_0000_0000_0001);
pub const OPERATOR: Uuid = Uuid::from_u128(0xD000_0000_0000_4000_8000_0000_0000_0002);

/// A licence of which there is one seat.
pub const OFFICE: Uuid = Uuid::from_u128(0xE000_0000_0000_4000_8000_0000_0000_0001);

/// How many users Graph lists.
pub const LISTED: usize = 158;

pub fn directory() -> Directory {
    let person = |id, name: &str, upn: &str| User::new(id, name, upn);
    let mut users = vec![
        User {
            job_title: Some("Head of Finance".into()),
            department: Some("Finance".into()),
            employee_id: Some("E-1".into()),
            employee_hire_date: Some("2019-03-01T00:00:00Z".parse().unwrap()),
            ..person(ADA, "Ada Ng", "ada@contoso.example")
        },
        User {
            manager: Some(ADA),
            employee_id: Some("E-2".into()),
            employee_leave_date_time: Some("2027-01-31T17:00:00Z".parse().unwrap()),
            ..person(BOB, "Bob <b>Okoro</b>", "bob@contoso.example")
        },
        User {
            manager: Some(BOB),
            employee_type: Some("Contractor".into()),
            sponsors: vec![ADA, BOB],
            ..person(CEM, "Cem Aydın", "cem@contoso.example")
        },
        User {
            user_type: Some("Guest".into()),
            ..person(GUEST, "Gus Guest", "gus@partner.example")
        },
        User {
            account_enabled: false,
            ..person(DISABLED, "Dee Disabled", "dee@contoso.example")
        },
        User {
            foreign_tid: Some(FOREIGN),
            ..person(STRANGER, "Sam Stranger", "sam@elsewhere.example")
        },
        User {
            no_oid: true,
            ..person(NAMELESS, "Nia Nameless", "nia@contoso.example")
        },
        User {
            overage: true,
            ..person(CROWDED, "Cro Crowded", "cro@contoso.example")
        },
        User {
            on_premises_sync_enabled: Some(true),
            ..person(SYNCED, "Syd Synced", "syd@contoso.example")
        },
    ];
    let fillers = 100..100 + 150_u128;
    users.extend(fillers.clone().map(|n| {
        person(
            user(n),
            &format!("Person {n}"),
            &format!("p{n}@contoso.example"),
        )
    }));
    let group_of = |id, name: &str| Group::new(id, name);
    let groups = vec![
        group_of(READERS, "Ledger readers"),
        group_of(ALL_STAFF, "All staff"),
        Group {
            group_types: vec!["DynamicMembership".into()],
            membership_rule: Some("user.department -eq \"Finance\"".into()),
            ..group_of(DYNAMIC, "Finance, by rule")
        },
        Group {
            mail_enabled: true,
            mail: Some("news@contoso.example".into()),
            ..group_of(MAIL, "News")
        },
        Group {
            on_premises_sync_enabled: Some(true),
            ..group_of(FROM_AD, "From AD")
        },
        Group {
            is_assignable_to_role: Some(true),
            ..group_of(ADMINS, "Role admins")
        },
    ];
    let app = ServicePrincipal {
        id: PORTAL_APP,
        app_id: PORTAL.into(),
        display_name: "Latchkey".into(),
        app_role_assignment_required: false,
        app_roles: vec![
            AppRole::new(AUDITOR, "auditor", "Auditor"),
            AppRole::new(OPERATOR, "operator", "Operator"),
        ],
    };
    let assigned = |role, principal| AppRoleAssignment {
        app_role_id: role,
        principal_id: principal,
        resource_id: PORTAL_APP,
        ..AppRoleAssignment::default()
    };
    Directory {
        users,
        groups,
        memberships: [
            (READERS, [ADA].into()),
            // Larger than a page, and with a group in it.
            (ALL_STAFF, fillers.map(user).chain([READERS, BOB]).collect()),
        ]
        .into(),
        service_principals: vec![app],
        app_role_assignments: vec![assigned(AUDITOR, ADA), assigned(OPERATOR, READERS)],
        subscribed_skus: vec![SubscribedSku::new(OFFICE, "OFFICE", 1)],
        ..Directory::default()
    }
}

pub fn config() -> Config {
    let mut portal = Client::portal(PORTAL, SECRET, CALLBACK, SIGNED_OUT);
    portal
        .certificates
        .push(include_str!("../fixtures/client.cert.pem").into());
    let mut provisioner = Client::provisioner(PROVISIONER, SECRET);
    for more in [
        "User.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
        "LicenseAssignment.ReadWrite.All",
    ] {
        provisioner.permissions.push(more.into());
    }
    let mut config = Config::new(TENANT, directory())
        .client(portal)
        .client(provisioner);
    config.featured.push(sandbox::Featured {
        oid: ADA,
        label: "Manager".into(),
    });
    config
}

/// A running sandbox and a bearer token of the provisioner.
pub struct Tenant {
    pub sandbox: Running,
    pub token: String,
}

impl Tenant {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: Config) -> Self {
        let sandbox = Sandbox::start(config).await.unwrap();
        let token = token(&sandbox, PROVISIONER).await;
        Self { sandbox, token }
    }

    /// A call below `/v1.0`, or to a whole address such as a next link.
    pub async fn call(&self, method: &str, target: &str, body: Option<Value>) -> Reply {
        self.try_call(method, target, body)
            .await
            .expect("an answer")
    }

    pub async fn try_call(
        &self,
        method: &str,
        target: &str,
        body: Option<Value>,
    ) -> std::io::Result<Reply> {
        let target = match target.strip_prefix(self.sandbox.url()) {
            Some(rest) => rest.to_owned(),
            None => format!("/v1.0{target}"),
        };
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("Authorization", bearer.as_str()),
            ("client-request-id", "test-request"),
        ];
        if body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        if target.contains("$count") || target.contains("$levels") {
            headers.push(("ConsistencyLevel", "eventual"));
        }
        let body = body.map(|body| body.to_string());
        http::send(
            self.sandbox.address(),
            method,
            &target,
            &headers,
            body.as_deref(),
        )
        .await
    }

    pub async fn get(&self, target: &str) -> Reply {
        self.call("GET", target, None).await
    }

    /// Adds a member as a connector does.
    pub async fn add(&self, group: Uuid, member: Uuid) -> Reply {
        let reference = format!("{}/directoryObjects/{member}", self.sandbox.graph_url());
        let body = serde_json::json!({ "@odata.id": reference });
        self.call("POST", &format!("/groups/{group}/members/$ref"), Some(body))
            .await
    }

    /// Removes a member as a connector does.
    pub async fn remove(&self, group: Uuid, member: Uuid) -> Reply {
        self.call(
            "DELETE",
            &format!("/groups/{group}/members/{member}/$ref"),
            None,
        )
        .await
    }
}

/// A post of a form to the token endpoint.
pub async fn post_token(sandbox: &Running, form: &str) -> Reply {
    let target = format!("/{TENANT}/oauth2/v2.0/token");
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    http::send(sandbox.address(), "POST", &target, &headers, Some(form))
        .await
        .unwrap()
}

/// A bearer token for Graph by client secret.
pub async fn token(sandbox: &Running, client: &str) -> String {
    let scope = format!("{}/.default", sandbox.url());
    let form = format!(
        "grant_type=client_credentials&client_id={client}&client_secret={SECRET}&scope={scope}"
    );
    let reply = post_token(sandbox, &form).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}
