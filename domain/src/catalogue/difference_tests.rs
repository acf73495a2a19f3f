use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    asking::{ForOthers, Ticket},
    break_glass::BreakGlass,
    catalogue::{Application, Right, TargetKind},
    policy::{Attribute, Policy},
    request::tests::policy,
};

type Edit = Box<dyn FnOnce(&mut Package)>;

fn stage(approvers: ApproverRule) -> StageRule {
    StageRule::of(approvers, Quorum::Count(1))
}

fn named(people: &[u128], quorum: Quorum) -> StageRule {
    StageRule {
        named: people
            .iter()
            .map(|n| PersonId(Uuid::from_u128(*n)))
            .collect(),
        ..StageRule::of(ApproverRule::Named, quorum)
    }
}

fn condition(any_of: &[&str], none_of: &[&str]) -> Condition {
    Condition {
        attribute: Attribute::Department,
        any_of: any_of.iter().map(ToString::to_string).collect(),
        none_of: none_of.iter().map(ToString::to_string).collect(),
        explain: "for some".into(),
    }
}

fn content() -> Content {
    let mut content = Content::default();
    content.applications.insert(
        "orders".into(),
        Application {
            name: "Orders".into(),
            summary: String::new(),
            url: String::new(),
            initials: "OR".into(),
            tint: "a".into(),
        },
    );
    for (n, key) in (0_u128..).zip(["read", "write"]) {
        content.entitlements.insert(
            key.into(),
            Entitlement {
                application: "orders".into(),
                right: Right::Group {
                    id: Uuid::from_u128(n),
                },
                name: format!("sg-{key}"),
                summary: String::new(),
                privileged: key == "write",
                control_scope: None,
                effective_within_seconds: 0,
                owner: None,
                drift: Drift::Report,
                instructions: String::new(),
                due_within_seconds: 0,
            },
        );
    }
    content.packages.insert(
        "orders-read".into(),
        Package {
            application: "orders".into(),
            name: "Orders, read".into(),
            summary: String::new(),
            opens: vec!["Look up orders.".into()],
            entitlements: ["read".to_owned()].into(),
            owners: [PersonId(Uuid::from_u128(1))].into(),
            synonyms: vec![],
            policy: Policy {
                route: vec![stage(ApproverRule::Manager), stage(ApproverRule::Security)],
                ..policy()
            },
        },
    );
    content
}

fn edited(edit: impl FnOnce(&mut Package)) -> Content {
    let mut content = content();
    edit(
        content
            .packages
            .get_mut("orders-read")
            .expect("it is there"),
    );
    content
}

fn reasons(edit: impl FnOnce(&mut Package)) -> Vec<String> {
    let facts = Facts {
        holders: [("orders-read".to_owned(), 17)].into(),
        ..Facts::default()
    };
    let difference = compare(&content(), &edited(edit), &facts);
    assert!(!difference.is_empty(), "the edit changes something");
    difference.reasons()
}

#[test]
fn every_widening_is_seen() {
    let widening: Vec<(&str, Edit)> = vec![
        (
            "opens more",
            Box::new(|p| {
                p.entitlements.insert("write".into());
            }),
        ),
        ("fewer stages", Box::new(|p| p.policy.route.truncate(1))),
        ("nobody decides", Box::new(|p| p.policy.route.clear())),
        (
            "other people decide",
            Box::new(|p| p.policy.route[1] = stage(ApproverRule::PackageOwner)),
        ),
        (
            "longest time grows",
            Box::new(|p| p.policy.limits.longest_seconds += 60),
        ),
        (
            "without a break grows",
            Box::new(|p| p.policy.limits.continuous_seconds += 60),
        ),
        (
            "without end",
            Box::new(|p| p.policy.limits.permanent = true),
        ),
        ("several stages", Box::new(|p| p.policy.collapse = true)),
        (
            "asked for others",
            Box::new(|p| p.policy.asking.for_others = ForOthers::Reports),
        ),
        (
            "other people decide",
            Box::new(|p| p.policy.route[0].fallback.push(ApproverRule::Sponsor)),
        ),
    ];
    for (part, edit) in widening {
        let why = reasons(edit);
        assert!(why.iter().any(|why| why.contains(part)), "{part}: {why:?}");
    }
}

#[test]
fn another_group_is_other_people_and_is_named_in_words() {
    let (old, new) = (Uuid::from_u128(0x71), Uuid::from_u128(0x72));
    let of = |group| StageRule {
        group: Some(group),
        ..stage(ApproverRule::Group)
    };
    let before = edited(|p| p.policy.route = vec![of(old)]);
    let after = edited(|p| p.policy.route = vec![of(new)]);
    let facts = Facts {
        groups: [(new, "Treasury approvers".to_owned())].into(),
        ..Facts::default()
    };
    let difference = compare(&before, &after, &facts);
    let why = difference.reasons();
    assert!(why[0].contains("other people decide"), "{why:?}");
    let route = &difference.changes[0].fields[0];
    assert_eq!(route.before, format!("members of a group ({old})"));
    assert_eq!(
        route.after,
        format!("members of Treasury approvers ({new})")
    );
    assert!(compare(&before, &before, &facts).is_empty());
}

#[test]
fn narrowing_and_labels_wait_for_nobody() {
    let harmless: Vec<Edit> = vec![
        Box::new(|p| p.entitlements.clear()),
        Box::new(|p| p.policy.route.push(stage(ApproverRule::PackageOwner))),
        Box::new(|p| p.policy.route[0].quorum = Quorum::Count(2)),
        Box::new(|p| p.policy.route[0].fallback.clear()),
        Box::new(|p| p.policy.route[1].together = true),
        Box::new(|p| p.policy.limits.longest_seconds -= 3600),
        Box::new(|p| p.policy.limits.continuous_seconds -= 3600),
        Box::new(|p| p.policy.eligibility.push(condition(&["Finance"], &[]))),
        Box::new(|p| p.name.push('!')),
        Box::new(|p| {
            p.owners.insert(PersonId(Uuid::from_u128(2)));
        }),
    ];
    for edit in harmless {
        assert_eq!(reasons(edit), Vec::<String>::new());
    }
}

#[test]
fn a_removed_right_says_how_many_lose_it() {
    let facts = Facts {
        holders: [("orders-read".to_owned(), 17)].into(),
        ..Facts::default()
    };
    let after = edited(|p| p.entitlements.clear());
    let difference = compare(&content(), &after, &facts);
    assert_eq!(
        difference.changes[0].effect,
        vec!["17 people hold it and lose 1 entitlement at once."]
    );
}

#[test]
fn what_is_offered_anew_or_loses_protection_widens() {
    let mut after = content();
    let twin = after.packages["orders-read"].clone();
    after.packages.insert("orders-read-2".into(), twin);
    after
        .entitlements
        .get_mut("write")
        .expect("it is there")
        .privileged = false;
    let why = compare(&content(), &after, &Facts::default()).reasons();
    assert_eq!(why.len(), 2, "{why:?}");
}

#[test]
fn pointing_a_key_at_another_group_is_more_content() {
    let mut after = content();
    after
        .entitlements
        .get_mut("read")
        .expect("it is there")
        .right = Right::Group {
        id: Uuid::from_u128(99),
    };
    assert!(compare(&content(), &after, &Facts::default()).widens());
}

#[test]
fn telling_somebody_to_do_something_else_by_hand_is_more_content() {
    let by_hand = |instructions: &str| {
        let mut content = content();
        let read = content.entitlements.get_mut("read").expect("it is there");
        read.right = Right::At {
            target: "facilities".into(),
            kind: TargetKind::Manual,
            id: "read".into(),
        };
        read.instructions = instructions.into();
        content
    };
    let before = by_hand("Open the west door for the badge.");
    let same = compare(
        &before,
        &by_hand("Open the west door for the badge."),
        &Facts::default(),
    );
    assert!(same.is_empty());
    let other = compare(
        &before,
        &by_hand("Open every door for the badge."),
        &Facts::default(),
    );
    assert!(other.widens());
}

#[test]
fn keeping_what_is_given_out_of_band_widens_and_the_rest_does_not() {
    let with = |drift: Drift| {
        let mut content = content();
        let read = content.entitlements.get_mut("read").expect("it is there");
        read.drift = drift;
        content
    };
    let compared = |from: Drift, to: Drift| compare(&with(from), &with(to), &Facts::default());
    assert!(compared(Drift::Report, Drift::Report).is_empty());
    assert!(compared(Drift::Report, Drift::Adopt).widens());
    let repaired = compared(Drift::Report, Drift::Repair);
    assert!(!repaired.widens() && !repaired.is_empty());
    let field = &repaired.changes[0].fields[0];
    assert_eq!(
        (field.field.as_str(), field.after.as_str()),
        ("drift", "repair")
    );
    assert!(!compared(Drift::Adopt, Drift::Report).widens());
}

#[test]
fn named_approvers_may_become_fewer_but_not_others() {
    let one = Quorum::Count(1);
    assert_eq!(
        weaker_route(&[named(&[1, 2], one)], &[named(&[1], one)]),
        None
    );
    assert!(weaker_route(&[named(&[1], one)], &[named(&[1, 2], one)]).is_some());
    assert!(weaker_route(&[named(&[1, 2], Quorum::Count(2))], &[named(&[1, 2], one)]).is_some());
    assert!(weaker_route(&[named(&[1, 2], Quorum::All)], &[named(&[1], Quorum::All)]).is_some());
}

#[test]
fn eligibility_is_compared_by_what_it_allows() {
    let sales = condition(&["Sales"], &[]);
    let both = condition(&["sales", "Finance"], &[]);
    let not_it = condition(&[], &["IT"]);
    assert!(narrower(
        std::slice::from_ref(&both),
        std::slice::from_ref(&sales)
    ));
    assert!(!narrower(
        std::slice::from_ref(&sales),
        std::slice::from_ref(&both)
    ));
    assert!(narrower(std::slice::from_ref(&not_it), &[both]));
    assert!(!narrower(
        std::slice::from_ref(&not_it),
        &[condition(&[], &["HR"])]
    ));
    assert!(!narrower(&[sales], &[]));
    assert!(narrower(&[], &[not_it]));
}

proptest! {
    /// Where comparing says that nobody more may ask, it is so: for every department.
    #[test]
    fn nobody_gains_unseen(
        old_any in proptest::collection::vec(0_usize..4, 0..3), old_none in proptest::collection::vec(0_usize..4, 0..3),
        new_any in proptest::collection::vec(0_usize..4, 0..3), new_none in proptest::collection::vec(0_usize..4, 0..3),
    ) {
        const NAMES: [&str; 4] = ["Sales", "Finance", "IT", "HR"];
        let pick = |list: &[usize]| list.iter().map(|i| NAMES[*i]).collect::<Vec<_>>();
        let old = vec![condition(&pick(&old_any), &pick(&old_none))];
        let new = vec![condition(&pick(&new_any), &pick(&new_none))];
        if narrower(&old, &new) {
            for name in NAMES {
                let person = crate::request::tests::person(name);
                prop_assert!(!new[0].met_by(&person) || old[0].met_by(&person), "{} gains", name);
            }
        }
    }
}

#[test]
fn fewer_seats_and_a_ticket_wait_for_nobody_and_the_way_back_does() {
    let strict = edited(|p| {
        p.policy.asking.most_holders = Some(3);
        p.policy.asking.ticket = Some(Ticket {
            required: true,
            ..Ticket::default()
        });
    });
    assert!(!compare(&content(), &strict, &Facts::default()).widens());
    let why = compare(&strict, &content(), &Facts::default()).reasons();
    assert!(
        why.iter().any(|why| why.contains("as many as like"))
            && why.iter().any(|why| why.contains("no ticket")),
        "{why:?}"
    );
}

#[test]
fn break_glass_and_more_of_it_wait_for_a_second_person() {
    let glass = |uses| {
        edited(move |p| {
            p.policy.asking.break_glass = Some(BreakGlass {
                uses_per_week: uses,
            });
        })
    };
    let why = compare(&content(), &glass(1), &Facts::default()).reasons();
    assert!(why.iter().any(|why| why.contains("break-glass")), "{why:?}");
    assert!(compare(&glass(1), &glass(2), &Facts::default()).widens());
    assert!(!compare(&glass(2), &glass(1), &Facts::default()).widens());
}
