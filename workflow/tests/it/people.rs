//! Signing in, portal roles, sessions: who somebody is, and what counts.

use domain::{
    audit::EventKind,
    person::{AccountKey, PersonState, PortalRole},
};
use store::{audit::AuditQuery, roles::RoleSource, sessions::SessionRow, testing};
use uuid::Uuid;
use workflow::{
    Clock, Error, Ids, Settings, Workflow, access,
    people::{self, SignIn, SignInRefusal, SignedIn},
    roles,
};

use crate::support::{ELIN, House, JOHAN, KARIN, TOMAS, account, houses, person, policy, start};

fn tenant() -> Uuid {
    Uuid::from_u128(9)
}

fn token(object: u128, roles: &[&str]) -> SignedIn {
    SignedIn {
        tenant: tenant(),
        object: Uuid::from_u128(object),
        name: "Nils Öberg".into(),
        user_name: "nils@contoso.example".into(),
        mail: Some("p3@contoso.example".into()),
        roles: Some(roles.iter().map(|role| (*role).to_owned()).collect()),
        guest: false,
    }
}

async fn events(workflow: &Workflow, kind: EventKind) -> Vec<serde_json::Value> {
    let mut tx = workflow.store().read().await.unwrap();
    let query = AuditQuery {
        kind: Some(kind.to_string()),
        limit: 100,
        ..AuditQuery::default()
    };
    let page = tx.audit_page(&query).await.unwrap();
    page.iter()
        .rev()
        .map(|row| serde_json::from_str(&row.entry).unwrap())
        .collect()
}

async fn save_session(house: &House, id: &[u8], n: u128) {
    let mut tx = house.workflow.store().begin().await.unwrap();
    let row = SessionRow {
        person_id: Some(person(n)),
        account_id: Some(account(n)),
        data: vec![],
        created_at: start(),
        seen_at: start(),
        expires_at: start() + chrono::Duration::hours(8),
    };
    tx.save_session(id, &row).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_unknown_account_becomes_a_person_of_its_own_whatever_its_mail_says() {
    for house in houses(&policy(vec![])).await {
        // The mail is Johan's.
        let signed = people::sign_in(&house.workflow, token(77, &[]))
            .await
            .unwrap();
        let SignIn::Welcome {
            person: nils,
            account,
        } = signed
        else {
            panic!("{signed:?}")
        };
        assert_ne!(nils, person(JOHAN));
        let viewer = access::viewer(&house.workflow, nils, account)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (viewer.person.name.as_str(), viewer.roles.len()),
            ("Nils Öberg", 0)
        );
        let again = people::sign_in(&house.workflow, token(77, &[]))
            .await
            .unwrap();
        assert_eq!(again, signed);
        // The same object id in another tenant is another account; the server never lets it come this far.
        let elsewhere = SignedIn {
            tenant: Uuid::from_u128(10),
            ..token(77, &[])
        };
        assert_ne!(
            people::sign_in(&house.workflow, elsewhere).await.unwrap(),
            signed
        );
        assert_eq!(events(&house.workflow, EventKind::SignedIn).await.len(), 3);
        assert_eq!(
            events(&house.workflow, EventKind::PersonAdded).await.len(),
            2
        );
    }
}

#[tokio::test]
async fn two_first_sign_ins_at_once_make_one_person() {
    for house in houses(&policy(vec![])).await {
        let (one, two) = tokio::join!(
            people::sign_in(&house.workflow, token(78, &[])),
            people::sign_in(&house.workflow, token(78, &[]))
        );
        assert_eq!(one.unwrap(), two.unwrap());
        assert_eq!(
            events(&house.workflow, EventKind::PersonAdded).await.len(),
            1
        );
    }
}

#[tokio::test]
async fn who_has_left_or_is_disabled_does_not_come_in() {
    for house in houses(&policy(vec![])).await {
        house
            .raw(&format!(
                "UPDATE accounts SET enabled = FALSE WHERE id = {}",
                house.id(account(JOHAN).0)
            ))
            .await
            .unwrap();
        let mut unit = house.workflow.unit().await.unwrap();
        workflow::leave::leave(
            &mut unit,
            person(TOMAS),
            domain::audit::Actor::Portal,
            "test",
        )
        .await
        .unwrap();
        unit.commit().await.unwrap();
        for (n, why) in [
            (JOHAN, SignInRefusal::Disabled),
            (TOMAS, SignInRefusal::Left),
        ] {
            let refused = people::sign_in(&house.workflow, token(0x9000 + n, &["Portal.Security"]))
                .await
                .unwrap();
            assert_eq!(refused, SignIn::Refused(why));
            assert_eq!(
                access::viewer(&house.workflow, person(n), account(n))
                    .await
                    .unwrap(),
                None
            );
        }
        let refused = events(&house.workflow, EventKind::SignInRefused).await;
        assert_eq!(refused.len(), 2);
        assert!(
            refused
                .iter()
                .all(|event| event["actor"]["person"].is_string())
        );
        assert_eq!(events(&house.workflow, EventKind::SignedIn).await.len(), 0);
    }
}

#[tokio::test]
async fn anonymous_refusals_are_summed_and_known_ones_named() {
    for house in houses(&policy(vec![])).await {
        let known = AccountKey {
            tenant: tenant(),
            object: Uuid::from_u128(0x9000 + JOHAN),
        };
        let stranger = AccountKey {
            object: Uuid::from_u128(1),
            ..known
        };
        people::sign_in_refused(&house.workflow, Some(known), "wrong_audience")
            .await
            .unwrap();
        for _ in 0..3 {
            people::sign_in_refused(&house.workflow, None, "bad_state")
                .await
                .unwrap();
        }
        people::sign_in_refused(&house.workflow, Some(stranger), "wrong_tenant")
            .await
            .unwrap();
        assert_eq!(
            events(&house.workflow, EventKind::SignInRefused)
                .await
                .len(),
            1
        );
        people::flush_refusals(&house.workflow).await.unwrap();
        people::flush_refusals(&house.workflow).await.unwrap();
        let summed = events(&house.workflow, EventKind::RefusalsSummed).await;
        assert_eq!(summed.len(), 1);
        assert_eq!(
            summed[0]["after"],
            serde_json::json!({"bad_state": 3, "wrong_tenant": 1})
        );
    }
}

#[tokio::test]
async fn roles_follow_the_token_and_incompatible_ones_do_not_count() {
    for house in houses(&policy(vec![])).await {
        let sign_in = |roles: &'static [&'static str]| {
            people::sign_in(&house.workflow, token(0x9000 + JOHAN, roles))
        };
        sign_in(&["Portal.Auditor", "Portal.Unknown"])
            .await
            .unwrap();
        assert_eq!(house.viewer(JOHAN).await.roles, [PortalRole::Auditor]);
        sign_in(&[
            "Portal.Security",
            "Portal.Operator",
            "Portal.CatalogueOwner",
        ])
        .await
        .unwrap();
        assert_eq!(
            house.viewer(JOHAN).await.roles,
            [PortalRole::CatalogueOwner]
        );
        let mut tx = house.workflow.store().read().await.unwrap();
        let clashes = roles::clashes(&mut tx).await.unwrap();
        assert_eq!(
            clashes,
            [(
                person(JOHAN),
                vec![(PortalRole::Security, PortalRole::Operator)]
            )]
        );
        drop(tx);
        let unknown = SignedIn {
            roles: None,
            ..token(0x9000 + JOHAN, &[])
        };
        people::sign_in(&house.workflow, unknown).await.unwrap();
        assert_eq!(
            house.viewer(JOHAN).await.roles,
            [PortalRole::CatalogueOwner]
        );
        sign_in(&[]).await.unwrap();
        assert_eq!(house.viewer(JOHAN).await.roles, []);
        let changed = events(&house.workflow, EventKind::RolesChanged).await;
        assert_eq!(changed.len(), 3);
        assert_eq!(
            changed[1]["after"]["never_together"],
            serde_json::json!([["security", "operator"]])
        );
    }
}

#[tokio::test]
async fn the_first_administrator_is_one_by_configuration_until_it_says_otherwise() {
    for (_, store) in testing::stores().await {
        let key = |object: u128| AccountKey {
            tenant: tenant(),
            object: Uuid::from_u128(object),
        };
        let started = |first: Option<AccountKey>| {
            let settings = Settings {
                first_administrator: first,
                ..Settings::default()
            };
            Workflow::new(
                store.clone(),
                Clock::simulated(start()),
                Ids::seeded(5),
                settings,
            )
        };
        let workflow = started(Some(key(77)));
        roles::set_first_administrator(&workflow).await.unwrap();
        let SignIn::Welcome { person, account } =
            people::sign_in(&workflow, token(77, &[])).await.unwrap()
        else {
            panic!("refused")
        };
        let held = async |workflow: &Workflow| {
            access::viewer(workflow, person, account)
                .await
                .unwrap()
                .unwrap()
                .roles
        };
        assert_eq!(held(&workflow).await, [PortalRole::Administrator]);
        // Neither a token nor a reading of the directory takes it.
        people::sign_in(&workflow, token(77, &[])).await.unwrap();
        roles::apply_directory(&workflow, tenant(), &std::collections::BTreeMap::new())
            .await
            .unwrap();
        assert_eq!(held(&workflow).await, [PortalRole::Administrator]);
        let mut tx = workflow.store().read().await.unwrap();
        assert_eq!(
            tx.all_roles().await.unwrap()[0].source,
            RoleSource::Configuration
        );
        drop(tx);
        let later = Workflow::new(
            store.clone(),
            Clock::simulated(start()),
            Ids::seeded(6),
            Settings::default(),
        );
        roles::set_first_administrator(&later).await.unwrap();
        assert_eq!(held(&later).await, []);
    }
}

#[tokio::test]
async fn ones_own_sessions_and_as_security_anybodys_can_be_ended() {
    for house in houses(&policy(vec![])).await {
        save_session(&house, b"one", JOHAN).await;
        save_session(&house, b"two", JOHAN).await;
        save_session(&house, b"three", KARIN).await;
        let johan = house.viewer(JOHAN).await;
        let elin = house.viewer(ELIN).await;
        assert!(matches!(
            people::end_sessions(&house.workflow, &johan, person(KARIN)).await,
            Err(Error::Forbidden)
        ));
        assert_eq!(
            people::end_sessions(&house.workflow, &johan, person(JOHAN))
                .await
                .unwrap(),
            2
        );
        assert_eq!(
            people::end_sessions(&house.workflow, &elin, person(KARIN))
                .await
                .unwrap(),
            1
        );
        assert_eq!(
            events(&house.workflow, EventKind::SessionsEnded)
                .await
                .len(),
            2
        );
        let mut tx = house.workflow.store().read().await.unwrap();
        assert_eq!(tx.session(b"three").await.unwrap(), None);
        assert_eq!(
            tx.person(person(JOHAN)).await.unwrap().unwrap().state,
            PersonState::Active
        );
    }
}
