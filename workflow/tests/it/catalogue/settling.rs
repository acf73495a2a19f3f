//! Editions come to rest, the sample company's among them.

use std::path::Path;

use domain::catalogue::{ChangeKind, TargetKind};
use workflow::targets::{self, Configured};

use super::*;

/// Whatever the edit: once applied (and confirmed), planning finds nothing, applying does nothing, and no key is lost.
#[tokio::test]
async fn any_edition_settles() {
    for house in houses().await {
        let mut state = 17_u64;
        let mut pick = |of: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap_or(0) % of
        };
        for round in 0..12 {
            let routes = [
                "\"none\"",
                "[\"manager\"]",
                "[\"manager\", \"security\"]",
                "[\"owner\"]",
            ];
            let rights: Vec<u128> = (1..=4).filter(|_| pick(2) == 0).collect();
            let rights = if rights.is_empty() { vec![1] } else { rights };
            let longest = ["8 hours", "9 days", "1 year"][pick(3)];
            let mut text = orders(routes[pick(4)], longest, &rights);
            if pick(3) == 0 {
                // Two rights swap their keys.
                text = text
                    .replace("key = \"right-1\"", "key = \"right-x\"")
                    .replace("key = \"right-2\"", "key = \"right-1\"")
                    .replace("key = \"right-x\"", "key = \"right-2\"");
            }
            let plan = catalogue::plan(&house.workflow, TENANT, &files(&text))
                .await
                .unwrap();
            match house.apply(&text, Some(FREJA)).await {
                Applied::Unchanged => assert!(plan.difference.is_empty(), "round {round}"),
                Applied::Published { .. } => assert!(!plan.waits, "round {round}"),
                Applied::Pending { id, .. } => {
                    catalogue::confirm(&house.workflow, &house.viewer(NILS).await, id)
                        .await
                        .unwrap();
                }
            }
            let after = catalogue::plan(&house.workflow, TENANT, &files(&text))
                .await
                .unwrap();
            assert!(after.difference.is_empty(), "round {round}: {after}");
            assert_eq!(house.apply(&text, Some(FREJA)).await, Applied::Unchanged);
        }
    }
}

/// The sample company's own files have no fault, and are forty-four packages over fourteen applications.
#[tokio::test]
async fn the_sample_company_applies() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sandbox/company/applications");
    let files = catalogue::read_folder(&folder).unwrap();
    for house in houses().await {
        let mut groups: Vec<GroupFacts> = (1..=6).map(plain).collect();
        let mut people = BTreeMap::new();
        for line in files.iter().flat_map(|file| file.text.lines()) {
            if let Some(id) = line.strip_prefix("group = \"") {
                groups.push(GroupFacts {
                    id: id.trim_end_matches('"').parse().unwrap(),
                    ..plain(0)
                });
            }
            for part in line.split(", group = \"").skip(1) {
                groups.push(GroupFacts {
                    id: part[..36].parse().unwrap(),
                    ..plain(0)
                });
            }
            for part in line.split("{ id = \"").skip(1) {
                people.insert(
                    part[..36].parse::<Uuid>().unwrap(),
                    part[47..].split('"').next().unwrap().to_owned(),
                );
            }
        }
        for (n, (id, name)) in (100..).zip(people) {
            house.person(n, id, &name, None).await;
        }
        house.import(groups).await;
        let facilities = Configured {
            key: "facilities".into(),
            kind: TargetKind::Manual,
            name: "Facilities".into(),
            shadow: false,
        };
        targets::configure(&house.workflow, &[facilities])
            .await
            .unwrap();
        let applied = catalogue::apply(&house.workflow, TENANT, &files, None)
            .await
            .unwrap();
        let Applied::Published { plan, .. } = applied else {
            panic!("the first edition is published");
        };
        let added = |thing: &str| {
            plan.difference
                .changes
                .iter()
                .filter(|change| change.kind == ChangeKind::Added && change.thing.as_str() == thing)
                .count()
        };
        assert_eq!((added("application"), added("package")), (14, 44));
        assert_eq!(
            catalogue::apply(&house.workflow, TENANT, &files, None)
                .await
                .unwrap(),
            Applied::Unchanged
        );
    }
}

#[tokio::test]
async fn a_right_is_at_a_target_that_is_configured_and_named_as_it_speaks() {
    let entitlement = |target: &str, named: &str| {
        format!(
            "[[entitlement]]\nkey = \"badge\"\ntarget = \"{target}\"\n{named}\nname = \"Badge\"\n"
        )
    };
    let application = "[application]\nkey = \"doors\"\nname = \"Doors\"\n";
    for house in houses().await {
        let manual = Configured {
            key: "facilities".into(),
            kind: TargetKind::Manual,
            name: "Facilities".into(),
            shadow: false,
        };
        targets::configure(&house.workflow, std::slice::from_ref(&manual))
            .await
            .unwrap();
        // Twice is nothing; another kind under the same key is refused.
        targets::configure(&house.workflow, std::slice::from_ref(&manual))
            .await
            .unwrap();
        let other = Configured {
            kind: TargetKind::Scim,
            ..manual
        };
        assert!(targets::configure(&house.workflow, &[other]).await.is_err());

        let plan = |text: String| {
            let files = vec![SourceFile {
                path: "doors.toml".into(),
                text: format!("{application}{text}"),
            }];
            let workflow = house.workflow.clone();
            async move { catalogue::plan(&workflow, TENANT, &files).await }
        };
        let by_hand = "instructions = \"Programme it.\"";
        let good = plan(entitlement("facilities", by_hand)).await.unwrap();
        assert_eq!(good.difference.changes.len(), 2);
        for (text, said) in [
            (
                entitlement("facilitys", by_hand),
                "did you mean `facilities`",
            ),
            (
                entitlement("facilities", "scim_group = \"7\""),
                "of kind manual",
            ),
            (entitlement("facilities", ""), "add one of"),
            (
                entitlement("facilities", &format!("{by_hand}\ndrift = \"adopt\"")),
                "what a program can list",
            ),
            (
                "[[entitlement]]\nkey = \"badge\"\ngroup = \"7694f744-25df-4bde-a55b-824c448dcc6f\"\nname = \"Badge\"\ndrift = \"ignore\"\n"
                    .to_owned(),
                "write `report`, `adopt` or `repair`",
            ),
            (
                entitlement("facilities", "right = \"x\"\nscim_group = \"7\""),
                "add one of",
            ),
        ] {
            let error = plan(text).await.unwrap_err();
            let faults = format!("{:?}", error.refusals());
            assert!(faults.contains(said), "{faults}");
        }
    }
}
