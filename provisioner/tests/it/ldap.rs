//! The LDAP connector against a running OpenLDAP.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use async_trait::async_trait;
use domain::assignment::Observed;
use provisioner::{
    connector::{Connector as _, Failure, Outcome, Place, Reply},
    ldap::{
        Change, Client, Disable, Found, Groups, Kind, Leaver, Locked, MatchBy, Password, Person,
        Settings, below,
    },
};
use uuid::Uuid;
use workflow::Clock;

use crate::{
    contract::{Peer, keeps_its_promises},
    fake::place,
    house::TENANT,
    ldap_proxy::{Proxy, Way},
    slapd::{
        BASE, BLIND, PEOPLE, PLACEHOLDER, READER, SECRET, Slapd, group_dn, group_id, person_id,
    },
};

/// What stands in a name or a value and must not be read as a part of a filter or of a name.
const HOSTILE: [&str; 9] = [
    "*",
    "*)(uid=*",
    "a\\2a(b)",
    "Berg, Johan",
    "#number",
    "\"quoted\" + <more>;=",
    " blanks around ",
    "Łukasz Żółć 漢字",
    "back\\slash",
];

fn client(settings: Settings) -> Client {
    Client::new(settings).unwrap()
}

fn groups(settings: Settings) -> Groups {
    Groups::new(client(settings), Clock::system())
}

/// The place of the person with this uid in a group.
fn spot(uid: &str, group: &str) -> Place {
    Place {
        user_name: format!("{uid}@contoso.example"),
        kind: "ldap_group".into(),
        external_id: group.into(),
        ..place(TENANT, Uuid::nil())
    }
}

fn first(uid: &str) -> Place {
    spot(uid, &group_id(0).to_string())
}

/// By the raw uid, for those that are no names of mailboxes.
async fn person(client: &Client, uid: &str) -> Person {
    match client.person_called(uid).await.unwrap() {
        Found::One(person) => person,
        other => panic!("{uid}: {other:?}"),
    }
}

fn misconfigured(reply: Reply) -> (String, String, bool) {
    match reply.outcome {
        Outcome::Failed(Failure::Misconfigured {
            what,
            fix,
            everywhere,
        }) => (what, fix, everywhere),
        other => panic!("{other:?}"),
    }
}

fn later(reply: &Reply) -> bool {
    matches!(
        &reply.outcome,
        Outcome::Failed(Failure::Later {
            throttled: false,
            ..
        })
    )
}

struct Directory {
    slapd: Slapd,
    proxy: Proxy,
    people: usize,
}

#[async_trait]
impl Peer for Directory {
    fn place(&self, account: usize) -> Place {
        first(&format!("p{account}"))
    }

    fn people(&self) -> usize {
        self.people
    }

    fn nowhere(&self) -> Place {
        spot("p0", &group_dn(77))
    }

    async fn holds(&self, account: usize) -> bool {
        let members = self.slapd.values(&group_dn(0), "member");
        members.contains(&below("uid", &format!("p{account}"), PEOPLE))
    }

    async fn own_id(&self, account: usize) -> String {
        person_id(account).to_string()
    }

    async fn lose_the_next_reply(&self) {
        self.proxy.set(Way::LosesAnswersToChanges);
    }

    async fn mend(&self) {
        self.proxy.set(Way::Open);
    }

    async fn break_down(&self) {
        self.proxy.set(Way::Closed);
    }
}

#[tokio::test]
async fn ldap_keeps_its_promises() {
    // More than a page of 500.
    let people = 520;
    let uids: Vec<String> = (0..people).map(|number| format!("p{number}")).collect();
    let uids: Vec<&str> = uids.iter().map(String::as_str).collect();
    let slapd = Slapd::start(&uids);
    let proxy = Proxy::to(slapd.port).await;
    let settings = Settings {
        address: format!("ldap://127.0.0.1:{}", proxy.port),
        clear_text: true,
        ..slapd.settings()
    };
    let peer = Directory {
        slapd,
        proxy,
        people,
    };
    keeps_its_promises(&groups(settings), &peer).await;
}

#[tokio::test]
async fn the_connection_is_encrypted_and_the_server_is_who_it_says() {
    let slapd = Slapd::start(&["johan"]);
    let start_tls = slapd.settings();
    let ldaps = Settings {
        address: format!("ldaps://localhost:{}", slapd.tls_port),
        ..slapd.settings()
    };
    for settings in [&start_tls, &ldaps] {
        person(&client(settings.clone()), "johan").await;
    }
    // Another authority, the system's authorities, a name that is not in the certificate.
    let other = Slapd::start(&["johan"]);
    for settings in [start_tls, ldaps] {
        let named = settings.address.replace("localhost", "127.0.0.1");
        for wrong in [
            Settings {
                ca: Some(other.ca()),
                ..settings.clone()
            },
            Settings {
                ca: None,
                ..settings.clone()
            },
            Settings {
                address: named.clone(),
                ..settings.clone()
            },
        ] {
            let error = client(wrong.clone())
                .person_called("johan")
                .await
                .unwrap_err();
            assert_eq!(error.kind, Kind::Untrusted, "{error}");
            let (what, fix, everywhere) =
                misconfigured(groups(wrong).observe(&first("johan")).await);
            assert!(
                everywhere && what.contains("certificate") && fix.contains("ca_file"),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_from_a_missing_right() {
    let slapd = Slapd::start(&["johan"]);
    let wrong = Settings {
        password: Password::new("wrong"),
        ..slapd.settings()
    };
    let (what, fix, everywhere) =
        misconfigured(groups(wrong).ensure_present(&first("johan")).await);
    assert!(
        everywhere && what.contains("result 49") && fix.contains("password_file"),
        "{what}"
    );

    let reader = groups(Settings {
        bind_dn: READER.into(),
        ..slapd.settings()
    });
    let seen = reader.observe(&first("johan")).await;
    assert_eq!(seen.outcome, Outcome::Seen(Observed::Absent));
    let (what, fix, everywhere) = misconfigured(reader.ensure_present(&first("johan")).await);
    assert!(!everywhere && what.contains("result 50"), "{what}");
    assert!(fix.contains(READER) && fix.contains("write"), "{fix}");
    assert_eq!(slapd.values(&group_dn(0), "member"), [PLACEHOLDER]);
    let findings = reader.diagnose().await;
    let wrong: Vec<_> = findings.iter().filter(|finding| !finding.fine).collect();
    assert_eq!(wrong.len(), 1, "{findings:?}");
    assert!(
        wrong[0].what.contains("may not change members"),
        "{findings:?}"
    );
    assert_eq!(slapd.values(&group_dn(0), "member"), [PLACEHOLDER]);
}

/// Somebody whom we may not see is not somebody who is gone: that would confirm every removal.
#[tokio::test]
async fn who_sees_nobody_confirms_nothing() {
    let slapd = Slapd::start(&["johan"]);
    slapd.change(&format!(
        "dn: {}\nchangetype: modify\nadd: member\nmember: {}\n",
        group_dn(0),
        below("uid", "johan", PEOPLE)
    ));
    let blind = groups(Settings {
        bind_dn: BLIND.into(),
        ..slapd.settings()
    });
    let known = Place {
        target_account: Some(person_id(0).to_string()),
        ..first("johan")
    };
    for reply in [
        blind.observe(&first("johan")).await,
        blind.observe(&known).await,
        blind.ensure_absent(&known).await,
    ] {
        let (what, _, everywhere) = misconfigured(reply);
        assert!(everywhere && what.contains("No account at all"), "{what}");
    }
}

#[tokio::test]
async fn hostile_names_are_names_and_nothing_else() {
    let slapd = Slapd::start(&HOSTILE);
    let client = client(slapd.settings());
    let group = client.group(&group_dn(0)).await.unwrap().unwrap();
    for (number, uid) in HOSTILE.into_iter().enumerate() {
        let found = person(&client, uid).await;
        assert_eq!(found.id, person_id(number), "{uid}");
        assert!(!client.is_member(&group, &found.dn).await.unwrap());
        assert_eq!(
            client.add_member(&group, &found.dn).await.unwrap(),
            Change::Done
        );
        assert_eq!(
            client.add_member(&group, &found.dn).await.unwrap(),
            Change::Already
        );
        assert!(client.is_member(&group, &found.dn).await.unwrap());
        assert_eq!(slapd.values(&group_dn(0), "member").len(), number + 2);
    }
    let everybody: BTreeSet<Uuid> = (0..HOSTILE.len()).map(person_id).collect();
    assert_eq!(client.people_in(&group).await.unwrap(), everybody);
    for uid in ["nobody", "**", "*)(objectClass=*", "a\0b", "\0", ")", "\\"] {
        assert_eq!(
            client.person_called(uid).await.unwrap(),
            Found::Nobody,
            "{uid:?}"
        );
    }
    for uid in HOSTILE {
        let found = person(&client, uid).await;
        assert_eq!(
            client.remove_member(&group, &found.dn).await.unwrap(),
            Change::Done
        );
        assert_eq!(
            client.remove_member(&group, &found.dn).await.unwrap(),
            Change::Already
        );
    }
    assert_eq!(slapd.values(&group_dn(0), "member"), [PLACEHOLDER]);
}

#[tokio::test]
async fn the_last_member_goes_only_where_somebody_stays() {
    let slapd = Slapd::start(&["johan"]);
    let last = spot("johan", &group_id(2).to_string());
    match groups(slapd.settings()).ensure_absent(&last).await.outcome {
        Outcome::Failed(Failure::Never { why, fix }) => {
            assert!(
                why.contains("last member") && why.contains("result 65"),
                "{why}"
            );
            assert!(fix.contains("placeholder"), "{fix}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(slapd.values(&group_dn(2), "member").len(), 1);

    let staying = groups(Settings {
        placeholder: Some(PLACEHOLDER.into()),
        ..slapd.settings()
    });
    assert_eq!(staying.ensure_absent(&last).await.outcome, Outcome::Done);
    assert_eq!(slapd.values(&group_dn(2), "member"), [PLACEHOLDER]);
    assert_eq!(staying.ensure_absent(&last).await.outcome, Outcome::Already);
    let listing = staying.list("ldap_group", &last.external_id).await.unwrap();
    assert!(listing.holders.is_empty());
}

#[tokio::test]
async fn who_was_renamed_or_moved_is_found_again() {
    let slapd = Slapd::start(&["johan", "astrid"]);
    let groups = groups(slapd.settings());
    let added = groups.ensure_present(&first("johan")).await;
    let account = added.evidence.account.expect("the account was found");
    assert_eq!(
        (account.id.as_str(), account.user_name.as_str()),
        (person_id(0).to_string().as_str(), "johan")
    );
    slapd.change(&format!(
        "dn: {}\nchangetype: modrdn\nnewrdn: uid=johan.berg\ndeleteoldrdn: 1\nnewsuperior: ou=left,{BASE}\n",
        below("uid", "johan", PEOPLE)
    ));
    // Somebody else has the old name now.
    slapd.change(&format!(
        "dn: {}\nchangetype: modrdn\nnewrdn: uid=johan\ndeleteoldrdn: 1\n",
        below("uid", "astrid", PEOPLE)
    ));
    let known = Place {
        target_account: Some(account.id),
        ..first("johan")
    };
    assert_eq!(
        groups.observe(&known).await.outcome,
        Outcome::Seen(Observed::Present)
    );
    assert_eq!(groups.ensure_absent(&known).await.outcome, Outcome::Done);
    assert_eq!(
        groups.observe(&known).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    assert_eq!(slapd.values(&group_dn(0), "member"), [PLACEHOLDER]);
}

#[tokio::test]
async fn what_is_not_there_or_not_clear_is_said() {
    let slapd = Slapd::start(&["johan", "astrid"]);
    let both = groups(Settings {
        person_attribute: "objectClass".into(),
        match_by: MatchBy::EmployeeId,
        ..slapd.settings()
    });
    let mut place = first("johan");
    place.employee_id = "inetOrgPerson".into();
    for (groups, place, words) in [
        (&both, place.clone(), "Several accounts"),
        (
            &both,
            Place {
                employee_id: String::new(),
                ..place
            },
            "Nothing is known",
        ),
        (&groups(slapd.settings()), first("nobody"), "uid=nobody"),
        (
            &groups(slapd.settings()),
            spot("johan", "no name at all"),
            "invalidDNSyntax",
        ),
        (
            &groups(slapd.settings()),
            spot("johan", &group_dn(8)),
            "There is no group",
        ),
        (
            &groups(slapd.settings()),
            spot("johan", &group_id(9).to_string()),
            "posixgroup",
        ),
        (
            &groups(slapd.settings()),
            Place {
                kind: "group".into(),
                ..first("johan")
            },
            "no group of an LDAP",
        ),
    ] {
        match groups.ensure_present(&place).await.outcome {
            Outcome::Failed(Failure::Never { why, .. }) => assert!(why.contains(words), "{why}"),
            other => panic!("{words}: {other:?}"),
        }
    }
    let groups = groups(slapd.settings());
    let nobody = first("nobody");
    assert_eq!(
        groups.observe(&nobody).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    assert_eq!(
        groups.ensure_absent(&nobody).await.outcome,
        Outcome::Already
    );
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_is_found_again() {
    let mut slapd = Slapd::start(&["johan"]);
    let groups = groups(slapd.settings());
    assert_eq!(
        groups.observe(&first("johan")).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    slapd.stop();
    assert!(later(&groups.observe(&first("johan")).await));
    assert!(later(&groups.ensure_present(&first("johan")).await));
    let findings = groups.diagnose().await;
    assert!(findings.len() == 1 && !findings[0].fine, "{findings:?}");
    slapd.go_on();
    assert_eq!(
        groups.ensure_present(&first("johan")).await.outcome,
        Outcome::Done
    );
    // A restart that nobody noticed: the connection of before is gone, and nothing fails by it.
    slapd.stop();
    slapd.go_on();
    assert_eq!(
        groups.observe(&first("johan")).await.outcome,
        Outcome::Seen(Observed::Present)
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let slapd = Slapd::start(&["johan"]);
    let proxy = Proxy::to(slapd.port).await;
    let groups = groups(Settings {
        address: format!("ldap://127.0.0.1:{}", proxy.port),
        clear_text: true,
        connect: Duration::from_millis(200),
        request: Duration::from_millis(200),
        ..slapd.settings()
    });
    assert_eq!(
        groups.observe(&first("johan")).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    proxy.set(Way::Silent);
    let reply = groups.ensure_present(&first("johan")).await;
    assert!(later(&reply), "{reply:?}");
    assert!(reply.evidence.took < Duration::from_secs(3), "{reply:?}");
    proxy.set(Way::Open);
    assert_eq!(
        groups.ensure_present(&first("johan")).await.outcome,
        Outcome::Done
    );
}

#[tokio::test]
async fn thousands_are_listed_by_pages_and_a_small_limit_is_explained() {
    let uids: Vec<String> = (0..2100).map(|number| format!("p{number}")).collect();
    let slapd = Slapd::start(&uids.iter().map(String::as_str).collect::<Vec<_>>());
    let mut ldif = format!("dn: {}\nchangetype: modify\nadd: member\n", group_dn(0));
    for uid in &uids[..2000] {
        writeln!(ldif, "member: {}", below("uid", uid, PEOPLE)).unwrap();
    }
    slapd.change(&ldif);
    let named = group_id(0).to_string();
    let listing = groups(slapd.settings())
        .list("ldap_group", &named)
        .await
        .unwrap();
    let expected: BTreeSet<String> = (0..2000)
        .map(|number| person_id(number).to_string())
        .collect();
    assert_eq!(listing.holders, expected);

    let reader = groups(Settings {
        bind_dn: READER.into(),
        ..slapd.settings()
    });
    match reader.list("ldap_group", &named).await {
        Err(Failure::Misconfigured {
            what,
            fix,
            everywhere: false,
        }) => {
            assert!(
                what.contains("result 4") && fix.contains("size.prtotal"),
                "{what} {fix}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_account_is_disabled_let_in_again_and_expires() {
    let slapd = Slapd::start(&["johan"]);
    let portal = client(slapd.settings());
    let johan = person(&portal, "johan").await;
    let signs_in = || async {
        let own = Settings {
            bind_dn: johan.dn.clone(),
            password: Password::new(SECRET),
            ..slapd.settings()
        };
        client(own).person_called("johan").await.map(drop)
    };
    signs_in().await.unwrap();
    assert_eq!(portal.locked(&johan).await.unwrap(), Locked::No);
    assert_eq!(
        portal.lock(&johan, Locked::Yes).await.unwrap(),
        Change::Done
    );
    assert_eq!(
        portal.lock(&johan, Locked::Yes).await.unwrap(),
        Change::Already
    );
    assert_eq!(signs_in().await.unwrap_err().kind, Kind::Credential);
    assert_eq!(portal.lock(&johan, Locked::No).await.unwrap(), Change::Done);
    assert_eq!(
        portal.lock(&johan, Locked::No).await.unwrap(),
        Change::Already
    );
    signs_in().await.unwrap();

    let end = "2026-12-24T12:00:00Z".parse().unwrap();
    portal.expire(&johan, Some(end)).await.unwrap();
    assert_eq!(slapd.values(&johan.dn, "shadowExpire"), ["20812"]);
    let kept = portal.expires(&johan).await.unwrap();
    assert_eq!(kept, Some("2026-12-25T00:00:00Z".parse().unwrap()));
    portal.expire(&johan, None).await.unwrap();
    assert_eq!(portal.expires(&johan).await.unwrap(), None);

    let by_attribute = client(Settings {
        disable: Disable::Attribute("shadowExpire".into(), "1".into()),
        ..slapd.settings()
    });
    assert_eq!(
        by_attribute.lock(&johan, Locked::Yes).await.unwrap(),
        Change::Done
    );
    assert_eq!(slapd.values(&johan.dn, "shadowExpire"), ["1"]);
    assert_eq!(by_attribute.locked(&johan).await.unwrap(), Locked::Yes);
    assert_eq!(
        by_attribute.lock(&johan, Locked::No).await.unwrap(),
        Change::Done
    );
    assert!(slapd.values(&johan.dn, "shadowExpire").is_empty());
}

#[tokio::test]
async fn the_account_of_a_leaver_is_closed_with_what_is_taken_away() {
    let slapd = Slapd::start(&["johan"]);
    let johan = below("uid", "johan", PEOPLE);
    let locked = || slapd.values(&johan, "pwdAccountLockedTime");
    let groups_with = |leaver| {
        groups(Settings {
            leaver,
            ..slapd.settings()
        })
    };
    let left = Place {
        enabled: false,
        ..first("johan")
    };
    let disabling = groups_with(Leaver::Disable);
    assert_eq!(
        disabling.ensure_present(&first("johan")).await.outcome,
        Outcome::Done
    );
    assert_eq!(
        disabling.ensure_absent(&first("johan")).await.outcome,
        Outcome::Done
    );
    assert!(locked().is_empty(), "who still works is left alone");
    assert_eq!(
        disabling.ensure_present(&first("johan")).await.outcome,
        Outcome::Done
    );
    assert_eq!(
        groups_with(Leaver::Keep).ensure_absent(&left).await.outcome,
        Outcome::Done
    );
    assert!(locked().is_empty(), "nobody asked for it");
    assert_eq!(
        disabling.ensure_absent(&left).await.outcome,
        Outcome::Already
    );
    assert_eq!(locked(), ["000001010000Z"]);
    let expiring = groups_with(Leaver::Expire).ensure_absent(&left).await;
    assert!(expiring.evidence.detail.contains("closed"), "{expiring:?}");
    assert_eq!(slapd.values(&johan, "shadowExpire").len(), 1);

    // The membership goes even where the account cannot be closed.
    let reader = groups(Settings {
        leaver: Leaver::Disable,
        disable: Disable::Attribute("description".into(), "gone".into()),
        ..slapd.settings()
    });
    assert_eq!(
        reader.ensure_present(&first("johan")).await.outcome,
        Outcome::Done
    );
    let gone = reader.ensure_absent(&left).await;
    assert_eq!(gone.outcome, Outcome::Done);
    assert!(
        gone.evidence.detail.contains("could not be closed"),
        "{gone:?}"
    );
    assert_eq!(slapd.values(&group_dn(0), "member"), [PLACEHOLDER]);
}
