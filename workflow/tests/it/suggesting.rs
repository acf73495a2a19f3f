//! What the team has: what of it one is told, and what goes into the cart.

use domain::{
    PackageId, PackageVersionId, PersonId,
    asking::{Asking, ForOthers},
    break_glass::BreakGlass,
    policy::{Attribute, Condition, Policy},
};
use uuid::Uuid;
use workflow::{
    Error, carts,
    views::{
        catalog,
        suggest::{self, Suggested},
    },
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, person, policy,
};

fn second() -> (PackageId, PackageVersionId) {
    (
        PackageId(Uuid::from_u128(0x2001)),
        PackageVersionId(Uuid::from_u128(0x3001)),
    )
}

/// Everybody but Karin reports to Astrid.
async fn one_team(house: &House) {
    for n in [OLLE, ELIN, TOMAS] {
        house
            .raw(&format!(
                "UPDATE persons SET manager_id = {} WHERE id = {}",
                house.id(person(ASTRID).0),
                house.id(person(n).0)
            ))
            .await
            .unwrap();
    }
}

async fn look(
    house: &House,
    n: u128,
    whom: Option<PersonId>,
    like: Option<PersonId>,
) -> workflow::Result<Suggested> {
    suggest::load(&house.workflow, &house.viewer(n).await, whom, like).await
}

async fn usual(house: &House, n: u128) -> Vec<PackageId> {
    let found = look(house, n, None, None).await.unwrap();
    found.usual.into_iter().map(|card| card.id).collect()
}

/// What is proposed when `n` wants to be like somebody.
async fn like(house: &House, n: u128, colleague: u128) -> workflow::Result<Vec<PackageId>> {
    let found = look(house, n, None, Some(person(colleague))).await?;
    let like = found.like.expect("somebody was chosen");
    Ok(like.cards.into_iter().map(|card| card.id).collect())
}

async fn set(house: &House, package: PackageId, what: &str) {
    house
        .raw(&format!(
            "UPDATE packages SET {what} WHERE id = {}",
            house.id(package.0)
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn usual_is_what_three_and_half_of_the_team_hold_and_one_lacks() {
    for house in houses(&policy(vec![])).await {
        one_team(&house).await;
        for (n, before) in [(JOHAN, 0), (OLLE, 0), (ELIN, 0), (TOMAS, 1)] {
            assert_eq!(usual(&house, MAYA).await.len(), before, "before {n}");
            house.ask(n, hours(8), "a").await.unwrap();
        }
        let found = look(&house, MAYA, None, None).await.unwrap();
        assert_eq!(found.usual[0].held_nearby, Some(4));
        let names: Vec<&str> = found
            .colleagues
            .iter()
            .map(|one| one.person.name.as_str())
            .collect();
        assert_eq!(names.len(), 4, "{names:?}");
        // Whoever has it, or is of another team, sees nothing of it.
        assert!(usual(&house, JOHAN).await.is_empty());
        assert!(usual(&house, ASTRID).await.is_empty());
        assert!(
            usual(&house, KARIN).await.is_empty(),
            "nobody above, no team"
        );
        // It stands in the catalogue, once.
        let maya = house.viewer(MAYA).await;
        let all = catalog::load(&house.workflow, &maya, &catalog::Filter::default())
            .await
            .unwrap();
        assert_eq!(all.usual.len(), 1);
        assert!(all.like_you.is_empty());
        // In the cart it is not proposed any more.
        let added = carts::add_several(&house.workflow, &maya, &[house.package], maya.id())
            .await
            .unwrap();
        assert!(added.iter().all(|one| one.result.is_ok()));
        assert!(usual(&house, MAYA).await.is_empty());
    }
}

#[tokio::test]
async fn nothing_is_proposed_that_is_protected_or_could_not_be_asked_for() {
    let narrow = Policy {
        eligibility: vec![Condition {
            attribute: Attribute::Department,
            any_of: vec!["Orders".into()],
            none_of: vec![],
            explain: "only for Orders".into(),
        }],
        ..policy(vec![])
    };
    for house in houses(&narrow).await {
        one_team(&house).await;
        for n in [JOHAN, OLLE, ELIN] {
            house.ask(n, hours(8), "a").await.unwrap();
        }
        let both = async || {
            let like = like(&house, MAYA, JOHAN).await.unwrap();
            (usual(&house, MAYA).await.len(), like.len())
        };
        assert_eq!(both().await, (1, 1));
        for (hidden, shown) in [
            ("privileged = TRUE", "privileged = FALSE"),
            ("control_scope = 'SOX'", "control_scope = NULL"),
            ("state = 'retired'", "state = 'offered'"),
        ] {
            set(&house, house.package, hidden).await;
            assert_eq!(both().await, (0, 0), "{hidden}");
            set(&house, house.package, shown).await;
        }
        house
            .raw(&format!(
                "UPDATE entitlements SET manageable = FALSE, unmanageable_reason = 'x' WHERE id = {}",
                house.id(house.entitlement.0)
            ))
            .await
            .unwrap();
        assert_eq!(both().await, (0, 0), "it cannot be given");
        house
            .raw("UPDATE entitlements SET manageable = TRUE")
            .await
            .unwrap();
        house
            .raw(&format!(
                "UPDATE persons SET department = 'Office' WHERE id = {}",
                house.id(person(MAYA).0)
            ))
            .await
            .unwrap();
        assert_eq!(both().await, (0, 0), "not eligible");
    }
    let emergency = Policy {
        asking: Asking {
            break_glass: Some(BreakGlass { uses_per_week: 3 }),
            ..Asking::default()
        },
        ..policy(vec![])
    };
    for house in houses(&policy(vec![])).await {
        one_team(&house).await;
        for n in [JOHAN, OLLE, ELIN] {
            house.ask(n, hours(8), "a").await.unwrap();
        }
        let (other, version) = second();
        house
            .add_package(
                other,
                version,
                "Emergency",
                &emergency,
                &[house.entitlement],
            )
            .await;
        set(
            &house,
            house.package,
            &format!("version_id = {}", house.id(version.0)),
        )
        .await;
        assert!(usual(&house, MAYA).await.is_empty(), "break-glass");
        assert!(like(&house, MAYA, JOHAN).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn like_a_colleague_is_for_the_own_team_and_for_those_below() {
    for house in houses(&policy(vec![])).await {
        for n in [JOHAN, OLLE] {
            house.ask(n, hours(8), "a").await.unwrap();
        }
        assert_eq!(like(&house, MAYA, JOHAN).await.unwrap(), [house.package]);
        assert_eq!(like(&house, ASTRID, JOHAN).await.unwrap(), [house.package]);
        // Of another team, above, oneself, unknown: there is no such person.
        for (n, colleague) in [
            (MAYA, OLLE),
            (JOHAN, ASTRID),
            (JOHAN, KARIN),
            (KARIN, 99),
            (MAYA, MAYA),
        ] {
            let tried = like(&house, n, colleague).await;
            assert!(
                matches!(tried, Err(Error::Missing)),
                "{n} like {colleague}: {tried:?}"
            );
        }
        // What is found at a target is nobody's business.
        house.import(MAYA, house.entitlement).await;
        assert!(like(&house, JOHAN, MAYA).await.unwrap().is_empty());
        // What ended is not held.
        house.pass(chrono::Duration::hours(9)).await;
        assert!(like(&house, MAYA, JOHAN).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_manager_asks_for_one_report_to_be_like_another() {
    for scope in [ForOthers::Nobody, ForOthers::Reports] {
        let policy = Policy {
            asking: Asking {
                for_others: scope,
                ..Asking::default()
            },
            ..policy(vec![])
        };
        for house in houses(&policy).await {
            house.ask(JOHAN, hours(8), "a").await.unwrap();
            let (maya, johan) = (Some(person(MAYA)), Some(person(JOHAN)));
            let found = look(&house, ASTRID, maya, johan).await.unwrap();
            let allowed = scope == ForOthers::Reports;
            let cards = found.like.unwrap().cards;
            assert_eq!(!cards.is_empty(), allowed, "{scope}");
            let astrid = house.viewer(ASTRID).await;
            let added =
                carts::add_several(&house.workflow, &astrid, &[house.package], person(MAYA))
                    .await
                    .unwrap();
            assert_eq!(added[0].result.is_ok(), allowed);
            for (n, whom, like) in [
                (MAYA, johan, None),
                (MAYA, johan, Some(person(OLLE))),
                (ASTRID, Some(person(OLLE)), None),
                (ASTRID, maya, Some(person(OLLE))),
                (ASTRID, maya, Some(person(ASTRID))),
            ] {
                let tried = look(&house, n, whom, like).await;
                assert!(matches!(tried, Err(Error::Missing)), "{n} for {whom:?}");
            }
        }
    }
}

#[tokio::test]
async fn each_package_goes_into_the_cart_by_itself() {
    for house in houses(&policy(vec![])).await {
        let (other, version) = second();
        house
            .add_package(
                other,
                version,
                "Gone",
                &policy(vec![]),
                &[house.entitlement],
            )
            .await;
        set(&house, other, "state = 'retired'").await;
        let maya = house.viewer(MAYA).await;
        let both = [other, house.package];
        let outcomes = carts::add_several(&house.workflow, &maya, &both, maya.id())
            .await
            .unwrap();
        assert_eq!(outcomes[0].name, "Gone");
        assert!(outcomes[0].result.is_err() && outcomes[1].result.is_ok());
        let cart = workflow::views::cart::load(&house.workflow, &maya)
            .await
            .unwrap();
        assert_eq!(cart.lines.len(), 1);
        let unknown = [PackageId(Uuid::from_u128(0xdead))];
        let tried = carts::add_several(&house.workflow, &maya, &unknown, maya.id()).await;
        assert!(matches!(tried, Err(Error::Missing)));
    }
}
