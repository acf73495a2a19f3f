//! Rendered from views made by hand.

use domain::catalogue::Difference;
use uuid::Uuid;

use super::{
    super::approvals::tests::{HOSTILE, is_inert, now, person},
    *,
};
use crate::render::html;

fn version(text: &str, state: &str, may_decide: bool) -> VersionView {
    VersionView {
        id: Uuid::from_u128(1).into(),
        number: 14,
        state: state.into(),
        drafted_by: Some(person(2, text)),
        fresh: may_decide,
        file_hash: "abcd".into(),
        difference: Difference {
            changes: vec![Part {
                kind: ChangeKind::Changed,
                thing: Thing::Package,
                key: text.into(),
                name: text.into(),
                fields: vec![FieldChange {
                    field: "longest".into(),
                    before: "8 hours".into(),
                    after: text.into(),
                }],
                effect: vec!["17 people gain a right".into()],
                widens: vec!["it may be held longer".into()],
            }],
        },
        widens: true,
        created_at: now(),
        decided_by: Some(person(3, text)),
        decided_at: Some(now()),
        may_decide,
    }
}

#[test]
fn a_version_says_what_changes_what_widens_and_its_effect() {
    let out = html(|| page(version("Orders", "pending", true), vec![], now()));
    for part in [
        "It widens",
        "Orders: it may be held longer",
        "8 hours",
        "17 people gain",
        "Publish this version",
        "sign in once more",
        "Refuse this version",
        "1 package",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    let out = html(|| page(version("Orders", "pending", false), vec![], now()));
    assert!(
        out.contains("A second person decides") && !out.contains("<form"),
        "{out}"
    );
    let out = html(|| page(version("Orders", "published", false), vec![], now()));
    assert!(out.contains("in force") && !out.contains("<form"), "{out}");
}

#[test]
fn hostile_names_stay_names() {
    let out = html(|| page(version(HOSTILE, "pending", true), vec![], now()));
    assert!(is_inert(&out), "{out}");
    let versions = Versions {
        now: now(),
        versions: vec![version(HOSTILE, "refused", false)],
        next: Some(Cursor::from_text(HOSTILE)),
    };
    let out = html(|| list(versions, true));
    assert!(is_inert(&out), "{out}");
}
