//! Applications, entitlements, packages and their editions.

use store::catalogue::{
    ApplicationRow, CatalogueVersionRow, EntitlementRow, NewPackageVersion, PackageRow,
    VersionState,
};

use crate::{
    company::{
        application, at, edition, entitlement, grant, package, person, target, tenant, uuid,
        version,
    },
    script::{Script, ask, say},
};

pub async fn play(script: &mut Script) {
    say!(script, lock_catalogue());
    ask!(script, portal_target());
    let powers = domain::TargetId(uuid(0x302));
    say!(script, ensure_portal_target(powers));
    say!(script, ensure_portal_target(domain::TargetId(uuid(0x303))));
    ask!(script, portal_target());
    ask!(script, entra_target(tenant()));
    say!(script, ensure_entra_target(target(), tenant()));
    say!(
        script,
        ensure_entra_target(domain::TargetId(uuid(0x301)), tenant())
    );
    ask!(script, entra_target(tenant()));
    let app = ApplicationRow {
        id: application(1),
        key: "orders".into(),
        name: "Orders".into(),
        summary: "What is ordered".into(),
        url: "https://orders.example".into(),
        tint: "a".into(),
        initials: "Or".into(),
        retired: false,
    };
    say!(script, save_application(&app));
    say!(
        script,
        save_application(&ApplicationRow {
            name: "Order desk".into(),
            ..app
        })
    );
    ask!(script, applications());

    let right = |n: u128| EntitlementRow {
        id: entitlement(n),
        key: format!("right-{n}"),
        target_id: target(),
        application_id: Some(application(1)),
        kind: "group".into(),
        external_id: uuid(0x8800 + n).to_string(),
        name: format!("Right {n}"),
        summary: "Lets people".into(),
        lane: format!("group:{n}"),
        privileged: n == 2,
        control_scope: (n == 2).then(|| "SOX".into()),
        manageable: n != 3,
        unmanageable_reason: (n == 3).then(|| "mastered on-premises".into()),
        effective_within_seconds: 3600,
        owner_id: Some(person(5)),
        drift: domain::drift::Drift::Report,
        instructions: String::new(),
        due_within_seconds: 0,
        facts: "{}".into(),
    };
    say!(script, save_entitlements(&[right(1), right(2), right(3)]));
    say!(
        script,
        save_entitlements(&[EntitlementRow {
            name: "Right one".into(),
            ..right(1)
        }])
    );
    ask!(script, entitlements(target()));

    say!(script, next_catalogue_number());
    let draft = |n: u128, state| CatalogueVersionRow {
        id: edition(n),
        number: i64::try_from(n).unwrap(),
        state,
        drafted_by: Some(person(5)),
        file_hash: "00ff".into(),
        content: "{}".into(),
        difference: "[]".into(),
        widens: n == 2,
        created_at: at(10),
        decided_by: None,
        decided_at: None,
    };
    say!(
        script,
        insert_catalogue_version(&draft(1, VersionState::Published))
    );
    say!(
        script,
        insert_catalogue_version(&draft(2, VersionState::Pending))
    );
    say!(
        script,
        insert_catalogue_version(&draft(3, VersionState::Published))
    );
    ask!(script, published_catalogue());
    ask!(script, pending_catalogues());
    // Who drafts does not confirm.
    say!(
        script,
        move_catalogue_version(
            edition(2),
            VersionState::Pending,
            VersionState::Refused,
            Some(person(5)),
            at(11)
        )
    );
    say!(
        script,
        move_catalogue_version(
            edition(2),
            VersionState::Pending,
            VersionState::Refused,
            Some(person(6)),
            at(11)
        )
    );
    say!(
        script,
        move_catalogue_version(
            edition(2),
            VersionState::Pending,
            VersionState::Refused,
            Some(person(6)),
            at(12)
        )
    );
    ask!(script, catalogue_version(edition(2)));
    ask!(script, catalogue_versions(None, 5));
    ask!(script, catalogue_versions(Some(2), 5));

    let offer = |n: u128| PackageRow {
        id: package(n),
        key: format!("package-{n}"),
        application_id: application(1),
        name: format!("Package {n}"),
        summary: "Orders, read".into(),
        state: "offered".into(),
        version_id: None,
        privileged: n == 2,
        control_scope: (n == 2).then(|| "SOX".into()),
        default_seconds: 28_800,
        longest_seconds: 86_400,
        permanent: n == 1,
        search_key: format!("package {n} orders"),
        updated_at: at(12),
    };
    for n in [1, 2] {
        say!(script, save_package(&offer(n)));
        say!(script, last_package_number(package(n)));
        let new = NewPackageVersion {
            id: version(n),
            package: package(n),
            number: 1,
            catalogue: edition(1),
            policy: "{}".into(),
            opens: "[]".into(),
            content: vec![entitlement(n), entitlement(3)],
        };
        say!(script, insert_package_version(&new, at(12)));
        say!(script, insert_package_version(&new, at(12)));
        say!(
            script,
            save_package(&PackageRow {
                version_id: Some(version(n)),
                ..offer(n)
            })
        );
        say!(script, last_package_number(package(n)));
        say!(script, set_owners(package(n), &[person(5), person(1)]));
        say!(script, set_owners(package(n), &[person(5)]));
    }
    ask!(script, packages());
    ask!(script, owners_of_package(package(1)));
    ask!(script, offer(package(1)));
    ask!(script, offer(package(9)));
    ask!(script, pinned_offer(version(2)));
    ask!(script, offered(version(2)));
    say!(script, hold_package(package(1)));
    say!(script, lock_packages());
}

/// Once somebody holds something.
pub async fn play_with_holders(script: &mut Script) {
    ask!(script, package_holders());
    ask!(script, found_rights(person(3), version(1)));
    ask!(script, people_with_content(package(1), &[entitlement(1)]));
    ask!(script, content_to_drop(package(1), &[entitlement(3)]));
    say!(script, drop_content(grant(1), entitlement(3), at(30)));
    ask!(script, content_to_drop(package(1), &[entitlement(3)]));
}
