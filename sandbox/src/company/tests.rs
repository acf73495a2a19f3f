use std::collections::BTreeSet;

use chrono::TimeZone;

use super::*;

fn today() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 29, 9, 0, 0)
        .single()
        .expect("a fixed instant")
}

#[test]
fn the_same_seed_gives_the_same_company() {
    assert_eq!(directory(7, today()), directory(7, today()));
    assert_ne!(directory(7, today()).users, directory(8, today()).users);
}

#[test]
fn it_is_a_believable_company() {
    let company = directory(1, today());
    let ids: BTreeSet<Uuid> = company.users.iter().map(|user| user.id).collect();
    assert!((285..=320).contains(&ids.len()), "{} people", ids.len());
    assert_eq!(ids.len(), company.users.len(), "object ids are unique");
    let names: BTreeSet<&str> = company
        .users
        .iter()
        .map(|user| user.user_principal_name.as_str())
        .collect();
    assert_eq!(names.len(), company.users.len(), "user names are unique");
    assert!(names.iter().all(|name| name.is_ascii()), "{names:?}");
    for user in &company.users {
        for above in user.manager.iter().chain(&user.sponsors) {
            assert!(
                ids.contains(above),
                "{} has somebody above who is not there",
                user.display_name
            );
        }
    }
    let countries: BTreeSet<_> = company
        .users
        .iter()
        .filter_map(|user| user.usage_location.clone())
        .collect();
    assert!(countries.len() >= 9, "{countries:?}");
}

#[test]
fn everybody_reports_to_the_top_without_circles() {
    let company = directory(1, today());
    for user in &company.users {
        let mut seen = BTreeSet::new();
        let mut at = user.manager;
        while let Some(id) = at {
            assert!(seen.insert(id), "{} reports in a circle", user.display_name);
            at = company
                .users
                .iter()
                .find(|other| other.id == id)
                .and_then(|other| other.manager);
        }
    }
}

#[test]
fn every_group_and_person_that_the_catalogue_names_is_there() {
    let company = directory(1, today());
    let groups: BTreeSet<Uuid> = company.groups.iter().map(|group| group.id).collect();
    let users: BTreeSet<Uuid> = company
        .users
        .iter()
        .filter(|user| user.account_enabled)
        .map(|user| user.id)
        .collect();
    let mut packages = 0;
    let files = catalogue();
    for (path, text) in &files {
        packages += text.lines().filter(|line| *line == "[[package]]").count();
        for (number, line) in text.lines().enumerate() {
            if let Some(id) = line.strip_prefix("group = \"") {
                let id: Uuid = id.trim_end_matches('"').parse().expect("an object id");
                assert!(groups.contains(&id), "{path} line {}", number + 1);
            }
            for part in line.split(", group = \"").skip(1) {
                let id: Uuid = part[..36].parse().expect("an object id");
                assert!(groups.contains(&id), "{path} line {}: {part}", number + 1);
            }
            for part in line.split("{ id = \"").skip(1) {
                let id: Uuid = part[..36].parse().expect("an object id");
                assert!(users.contains(&id), "{path} line {}: {part}", number + 1);
            }
        }
    }
    assert_eq!((files.len(), packages), (16, 44));
}

#[test]
fn the_hard_cases_are_there() {
    let company = directory(1, today());
    let find = |name: &str| {
        let id = user(name);
        company
            .users
            .iter()
            .find(|user| user.id == id)
            .expect("in the cast")
    };
    for persona in PERSONAS {
        assert!(find(persona.user).account_enabled, "{}", persona.user);
    }
    let groups_of = |id: Uuid| {
        company
            .memberships
            .values()
            .filter(|members| members.contains(&id))
            .count()
    };
    assert!(groups_of(user("guest.menon")) > 200);
    assert!(find("stranger.other").foreign_tid.is_some());
    assert!(find("broken.token").no_oid);
    assert!(find("ingrid.solberg").manager.is_none());
    assert!(!find("erik.sandberg").account_enabled);
    assert!(find("liam.oconnor").employee_leave_date_time > Some(today()));
    assert_eq!(find("elin.berg").manager, Some(user("karin.holm")));
    let security = object("app-role", "Portal.Security");
    let held = company
        .app_role_assignments
        .iter()
        .filter(|one| one.app_role_id == security)
        .count();
    assert_eq!(held, 2);
}
