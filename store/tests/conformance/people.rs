//! The store itself, people, roles, sessions, directory, holds, installation, audit.

use domain::{
    HoldId, InstallationId,
    person::{AccountKey, AccountKind, PersonState, PortalRole},
};
use store::{
    Engine, Error, Options, Schema, Store,
    approver_groups::ApproverGroupRow,
    audit::{AuditQuery, AuditRow, NewAuditRow},
    directory::{DirectoryRow, HeldRow, HoldRow, HoldState, LeaveCause},
    people::{AccountRow, PeopleQuery, PersonRow},
    roles::RoleSource,
    seating::SeatingQuery,
    sessions::{SessionRow, SignInRow},
    testing,
};

use crate::{
    company::{account, at, entitlement, human, identity, package, person, tenant, uuid},
    script::{Script, ask, say},
};

pub async fn play(script: &mut Script) {
    the_store(script).await;
    people(script).await;
    roles(script).await;
    sessions(script).await;
    directory(script).await;
    installation(script).await;
    audit(script).await;
}

async fn the_store(script: &mut Script) {
    // Opened a second time, migrated a second time: nothing happens.
    let again = Store::open(&Options::new(testing::url(script.engine).await))
        .await
        .unwrap();
    // PostgreSQL's is copied from one that is migrated already.
    let before = match script.engine {
        Engine::Sqlite => Schema::Missing,
        Engine::Postgres => Schema::Current,
    };
    assert_eq!(again.schema().await.unwrap(), before);
    again.migrate().await.unwrap();
    again.migrate().await.unwrap();
    assert_eq!(again.schema().await.unwrap(), Schema::Current);
    assert_eq!(again.engine(), script.engine);
    // What is not committed never was; what one says the others hear, where there are others.
    let mut listener = again.listen().await.unwrap();
    let mut tx = again.begin().await.unwrap();
    tx.insert_persons(&[human(1, "Karin", None)]).await.unwrap();
    drop(tx);
    let mut tx = again.begin().await.unwrap();
    let unknown = tx.person(person(1)).await;
    script.note("rolled back", unknown);
    tx.notify("something changed").await.unwrap();
    tx.commit().await.unwrap();
    if let Some(listener) = &mut listener {
        assert_eq!(listener.next().await.unwrap(), "something changed");
    }
    drop(listener);
    // A reading transaction refuses to write.
    let mut tx = again.read().await.unwrap();
    assert!(tx.insert_persons(&[human(1, "Karin", None)]).await.is_err());
    drop(tx);
    // A schema of a later version is refused, by looking as by migrating.
    let bytes = match script.engine {
        Engine::Sqlite => "x'00'",
        Engine::Postgres => "'\\x00'",
    };
    let later = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, {bytes}, 0)"
    );
    testing::raw(&again, &later).await.unwrap();
    assert!(matches!(again.schema().await, Err(Error::Schema(_))));
    assert!(matches!(again.migrate().await, Err(Error::Schema(_))));
    again.close().await;
    assert!(Store::open(&Options::new("mysql://nowhere")).await.is_err());
}

async fn people(script: &mut Script) {
    say!(script, lock_persons(&[person(3), person(1), person(3)]));
    ask!(script, person(person(3)));
    ask!(script, person(person(99)));
    ask!(
        script,
        persons(&[person(4), person(1), person(4), person(99)])
    );
    ask!(script, count_active_people());
    for text in ["a", "ö", "100%_n", "%", "nobody"] {
        let query = PeopleQuery {
            text: Some(text.into()),
            limit: 10,
            ..PeopleQuery::default()
        };
        ask!(script, people_page(&query));
    }
    let first = PeopleQuery {
        manager: Some(person(1)),
        department: Some("Orders".into()),
        state: Some(PersonState::Active),
        limit: 2,
        ..PeopleQuery::default()
    };
    let page: Vec<PersonRow> = ask!(script, people_page(&first));
    let second = PeopleQuery {
        after: page.last().map(|row| (row.search_key.clone(), row.id)),
        ..first
    };
    ask!(script, people_page(&second));
    say!(script, insert_persons(&[human(1, "Karin again", None)]));
    let changed = PersonRow {
        last_day_at: Some(at(50)),
        name: "Tomas Ek'; --".into(),
        updated_at: at(1),
        ..human(7, "Tomas Ek", Some(1))
    };
    say!(script, update_person(&changed));
    ask!(script, person(person(7)));
    ask!(script, people_past_last_day(at(50), 10));
    ask!(script, people_past_last_day(at(49), 10));

    ask!(script, account(account(3)));
    for object in [0x9003, 0x9999] {
        let key = AccountKey {
            tenant: tenant(),
            object: uuid(object),
        };
        ask!(script, account_by_key(key));
    }
    ask!(
        script,
        accounts_by_objects(tenant(), &[uuid(0x9004), uuid(0x9001), uuid(1)])
    );
    let second = AccountRow {
        id: account(30),
        object_id: uuid(0x9930),
        kind: AccountKind::Normal,
        created_at: at(9),
        ..identity(3)
    };
    say!(script, insert_accounts(std::slice::from_ref(&second)));
    say!(
        script,
        insert_accounts(&[AccountRow {
            id: account(31),
            ..identity(3)
        }])
    );
    ask!(script, primary_account_of(person(3)));
    say!(
        script,
        update_account(&AccountRow {
            enabled: false,
            user_name: "gone".into(),
            ..second
        })
    );
    ask!(script, primary_account_of(person(3)));
    ask!(script, primary_account_of(person(99)));
    ask!(script, accounts_of(person(3)));
    ask!(script, accounts_after(tenant(), None, 3));
    ask!(script, accounts_after(tenant(), Some(account(3)), 10));

    ask!(script, managers_above(&[person(4), person(1), person(6)]));
    ask!(script, managers_above(&[]));
    // A circle ends.
    say!(script, update_person(&human(1, "Karin Holm", Some(4))));
    let above = ask!(script, managers_above(&[person(3)]));
    assert_eq!(above.len(), 64);
    say!(script, update_person(&human(1, "Karin Holm", None)));
    say!(script, set_sponsors(person(4), &[person(5), person(6)]));
    say!(script, set_sponsors(person(4), &[person(6)]));
    ask!(script, sponsors_of(&[person(4), person(3)]));
    say!(script, set_sponsors(person(4), &[]));
    ask!(script, sponsors_of(&[person(4)]));
    ask!(script, owners_of_package(package(1)));
}

async fn roles(script: &mut Script) {
    for (n, role) in [
        (6, PortalRole::Security),
        (6, PortalRole::Operator),
        (30, PortalRole::Auditor),
        (5, PortalRole::Security),
    ] {
        say!(
            script,
            insert_role(account(n), role, RoleSource::Directory, at(2))
        );
    }
    // Each source has its own.
    say!(
        script,
        insert_role(
            account(6),
            PortalRole::Security,
            RoleSource::Configuration,
            at(3)
        )
    );
    ask!(script, roles_of(&[person(3), person(6)]));
    ask!(script, roles_of(&[]));
    ask!(script, roles_of_holders(PortalRole::Security));
    ask!(script, roles_of_account(account(30)));
    say!(
        script,
        delete_role(account(5), PortalRole::Security, RoleSource::Configuration)
    );
    say!(
        script,
        delete_role(account(5), PortalRole::Security, RoleSource::Directory)
    );
    // No grant covers it.
    say!(
        script,
        insert_role(account(30), PortalRole::Auditor, RoleSource::Grant, at(3))
    );
    ask!(script, roles_of_person(person(6)));
    ask!(script, portal_roles_of(&[]));
    ask!(script, portal_roles_of(&[entitlement(1)]));
    ask!(script, offered_portal_roles());
    ask!(script, unsettled_powers(person(6)));
    ask!(script, all_roles());
    let wanted = SeatingQuery {
        asker: person(4),
        beneficiary: person(3),
        package: package(1),
        roles: &[PortalRole::Security],
        named: &[person(5), person(9)],
        line: None,
        now: at(3),
    };
    ask!(script, seating_facts(&wanted));
}

async fn sessions(script: &mut Script) {
    let session = SessionRow {
        person_id: Some(person(3)),
        account_id: Some(account(3)),
        data: vec![0, 255, 7],
        created_at: at(0),
        seen_at: at(0),
        expires_at: at(100),
    };
    for id in [b"one", b"two"] {
        say!(script, save_session(id, &session));
    }
    let anonymous = SessionRow {
        person_id: None,
        account_id: None,
        ..session.clone()
    };
    say!(script, save_session(b"three", &anonymous));
    say!(
        script,
        save_session(
            b"three",
            &SessionRow {
                data: vec![],
                created_at: at(77),
                ..session
            }
        )
    );
    say!(script, touch_session(b"one", at(5), at(105)));
    ask!(script, session(b"one"));
    ask!(script, session(b"three"));
    say!(script, delete_session(b"three"));
    say!(script, delete_expired_sessions(at(100)));
    say!(script, delete_sessions_of(person(3)));
    ask!(script, session(b"one"));
    let sign_in = SignInRow {
        browser_hash: vec![1, 2],
        nonce: "n".into(),
        verifier: "v".into(),
        return_to: "/requests".into(),
        expires_at: at(10),
        fresh_id: None,
        session_hash: Some(vec![3]),
    };
    say!(script, save_sign_in(b"state", &sign_in));
    say!(script, save_sign_in(b"state", &sign_in));
    ask!(script, sign_in(b"state"));
    say!(script, take_sign_in(b"state"));
    say!(script, take_sign_in(b"state"));
}

async fn approver_groups(script: &mut Script) {
    let group = uuid(0xd07);
    ask!(script, waiting_group_rules());
    ask!(script, group_policies());
    ask!(script, approver_group(group));
    let row = ApproverGroupRow {
        group_id: group,
        read_at: Some(at(1)),
        unread_since: None,
    };
    say!(script, save_approver_group(&row));
    for n in [3, 4, 4] {
        say!(script, insert_group_account(group, account(n)));
    }
    ask!(script, group_accounts(group));
    ask!(script, group_members(&[group, uuid(0xd08)], at(1)));
    say!(
        script,
        save_approver_group(&ApproverGroupRow {
            unread_since: Some(at(5)),
            ..row
        })
    );
    ask!(script, approver_group(group));
    // Unreadable since then, or longer: nobody.
    for since in [4, 5] {
        ask!(script, group_members(&[group], at(since)));
    }
    say!(script, delete_group_account(group, account(3)));
    ask!(script, group_accounts(group));
    ask!(script, group_names(&[group]));
}

async fn directory(script: &mut Script) {
    ask!(script, directory_state(tenant()));
    let state = DirectoryRow {
        tenant_id: tenant(),
        delta_link: Some("https://graph.example/delta?x=1".into()),
        full_at: Some(at(1)),
        delta_at: None,
        people: 7,
        problem: None,
        problem_at: None,
    };
    say!(script, save_directory_state(&state));
    say!(
        script,
        save_directory_state(&DirectoryRow {
            people: 8,
            problem: Some("down".into()),
            ..state
        })
    );
    ask!(script, directory_state(tenant()));

    approver_groups(script).await;

    let hold = HoldId(uuid(0xd01));
    let row = HoldRow {
        id: hold,
        kind: "mass_leave".into(),
        state: HoldState::Waiting,
        placed_at: at(3),
        counted: 2,
        allowed: 1,
        decided_by: None,
        decided_at: None,
    };
    say!(script, insert_hold(&row));
    // Only one waits.
    say!(
        script,
        insert_hold(&HoldRow {
            id: HoldId(uuid(0xd02)),
            ..row
        })
    );
    let held = |n: u128, cause| HeldRow {
        hold_id: hold,
        person_id: person(n),
        account_id: account(n),
        cause,
        last_day_at: Some(at(4)),
        applied_at: None,
    };
    let people = [held(3, LeaveCause::Disabled), held(4, LeaveCause::LastDay)];
    say!(script, insert_hold_people(&people));
    say!(script, insert_hold_people(&people[..1]));
    say!(script, recount_hold(hold, 3, 1));
    ask!(script, hold(hold));
    ask!(script, waiting_hold());
    ask!(script, hold_people(hold));
    ask!(script, unapplied_hold_people());
    say!(script, delete_hold_person(hold, person(4)));
    say!(
        script,
        decide_hold(hold, HoldState::Confirmed, person(6), at(5))
    );
    say!(
        script,
        decide_hold(hold, HoldState::Dismissed, person(6), at(6))
    );
    say!(script, recount_hold(hold, 9, 9));
    ask!(script, unapplied_hold_people());
    say!(script, mark_hold_applied(hold, person(3), at(6)));
    ask!(script, unapplied_hold_people());
    ask!(script, newest_holds(5));
}

async fn installation(script: &mut Script) {
    ask!(script, installation());
    ask!(script, installation_mode());
    let id = InstallationId(uuid(0xe01));
    say!(script, create_installation(id, "trial", at(0)));
    say!(script, create_installation(id, "trial", at(0)));
    say!(script, count_start());
    say!(script, count_start());
    say!(script, set_clock_offset(5_000_000));
    say!(script, set_clock_offset(-1));
    ask!(script, installation());
    say!(script, count("request"));
    say!(script, count("request"));
}

async fn audit(script: &mut Script) {
    let entry = |seq: i64| NewAuditRow {
        row: AuditRow {
            seq,
            at: at(seq),
            kind: if seq % 2 == 0 {
                "signed_in"
            } else {
                "person_left"
            }
            .into(),
            entry: format!("{{\"seq\":{seq}}}"),
            hash: vec![u8::try_from(seq).unwrap(); 32],
        },
        actor: "person",
        actor_id: Some(person(3).0),
        subjects: vec![person(3).to_string(), person(3).to_string()],
    };
    say!(script, lock_audit_head());
    say!(
        script,
        append_audit(&[entry(1), entry(2), entry(3)], Some("changed"))
    );
    say!(script, append_audit(&[], Some("changed")));
    say!(script, append_audit(&[entry(3)], None));
    ask!(script, audit_head());
    ask!(script, audit_after(1, 10));
    ask!(script, audit_actors(0, 2));
    ask!(script, audit_subjects(0, 2));
    for query in [
        AuditQuery {
            limit: 2,
            ..AuditQuery::default()
        },
        AuditQuery {
            subject: Some(person(3).to_string()),
            before: Some(3),
            limit: 9,
            ..AuditQuery::default()
        },
        AuditQuery {
            kind: Some("signed_in".into()),
            actor: Some(person(3).0),
            limit: 9,
            ..AuditQuery::default()
        },
        AuditQuery {
            from: Some(at(2)),
            until: Some(at(3)),
            limit: 9,
            ..AuditQuery::default()
        },
    ] {
        ask!(script, audit_page(&query));
    }
}
