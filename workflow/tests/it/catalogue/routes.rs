//! What a file may say of who decides.

use domain::{
    calendar::WorkingSpan,
    policy::{ApproverRule, Policy, Quorum, Silence, SilenceEnd, StageRule},
};

use super::*;

#[tokio::test]
async fn a_route_is_read_with_roles_fallbacks_and_stages_that_open_together() {
    let route = r#"["entitlement_owner", { approvers = "role", role = "auditor", together = true, quorum = 2 },
        { approvers = "manager", fallback = ["owner"] }, { approvers = "security", fallback = [], on_silence = "deny", silent_after = "3 working days" }]"#;
    for house in houses().await {
        house.apply(&orders(route, "9 days", &[1]), None).await;
        let package = house.package("orders-read").await;
        let mut tx = house.workflow.store().read().await.unwrap();
        let offer = tx.offer(package.id).await.unwrap().unwrap();
        let policy: Policy = serde_json::from_str(&offer.policy).unwrap();
        let one = Quorum::Count(1);
        assert_eq!(
            policy.route,
            [
                StageRule::of(ApproverRule::EntitlementOwner, one),
                StageRule {
                    role: Some(domain::person::PortalRole::Auditor),
                    together: true,
                    ..StageRule::of(ApproverRule::Role, Quorum::Count(2))
                },
                StageRule {
                    fallback: vec![ApproverRule::PackageOwner],
                    ..StageRule::of(ApproverRule::Manager, one)
                },
                StageRule {
                    fallback: vec![],
                    silence: Some(Silence {
                        after: WorkingSpan::Days(3),
                        end: SilenceEnd::Deny,
                    }),
                    ..StageRule::of(ApproverRule::Security, one)
                },
            ]
        );
    }
}

#[tokio::test]
async fn a_route_that_cannot_be_followed_is_a_fault() {
    let house = houses().await.remove(0);
    for (route, fault) in [
        (
            r#"["manager", "owner", "security", "sponsor", "managers_manager", "entitlement_owner"]"#,
            "the route has 6 stages: leave 5 at most",
        ),
        (r#"["role"]"#, "no role is said"),
        (r#"[{ approvers = "role" }]"#, "`role` is missing"),
        (
            r#"[{ approvers = "role", role = "administrator" }]"#,
            "`administrator` is not a role that decides",
        ),
        (
            r#"[{ approvers = "role", role = "security" }]"#,
            "`security` is not a role that decides",
        ),
        (
            r#"[{ approvers = "owner", role = "hr" }]"#,
            "`role` goes with approvers = \"role\"",
        ),
        (r#"["group"]"#, "no group is said"),
        (r#"[{ approvers = "group" }]"#, "`group` is missing"),
        (
            r#"[{ approvers = "group", group = "treasury" }]"#,
            "is no object id",
        ),
        (
            r#"[{ approvers = "group", group = "00000000-0000-0000-0000-000000000bad" }]"#,
            "is not in the directory",
        ),
        (
            r#"[{ approvers = "owner", group = "00000000-0000-0000-0000-000000090006" }]"#,
            "`group` goes with approvers = \"group\"",
        ),
        (
            r#"[{ approvers = "owner", fallback = ["group"] }]"#,
            "a fallback names nobody by itself",
        ),
        (
            r#"[{ approvers = "owner", together = true }]"#,
            "`together` is said of the first stage",
        ),
        (
            r#"[{ approvers = "owner", fallback = ["secrity"] }]"#,
            "did you mean `security`?",
        ),
        (
            r#"[{ approvers = "owner", fallback = ["named"] }]"#,
            "a fallback names nobody by itself",
        ),
        (
            r#"[{ approvers = "owner", fallback = ["security", "security"] }]"#,
            "stands twice in `fallback`",
        ),
        (
            r#"[{ approvers = "owner", on_silence = "deny" }]"#,
            "`on_silence` says what but not when",
        ),
        (
            r#"[{ approvers = "owner", silent_after = "2 working days" }]"#,
            "`silent_after` says when but not what",
        ),
        (
            r#"[{ approvers = "owner", on_silence = "approve", silent_after = "2 working days" }]"#,
            "it never approves",
        ),
        (
            r#"[{ approvers = "owner", on_silence = "pass_on", silent_after = "2 working days" }]"#,
            "has nobody to pass on to",
        ),
        (
            r#"[{ approvers = "owner", on_silence = "pass_on", silent_after = "2 working days" }, { approvers = "security", together = true }]"#,
            "has nobody to pass on to",
        ),
    ] {
        let faults = house.faults(&orders(route, "9 days", &[1])).await;
        assert!(
            faults
                .iter()
                .any(|found| found.contains(fault) && found.contains("orders.toml line ")),
            "{route}: {faults:?}"
        );
    }
}

#[tokio::test]
async fn a_group_is_named_in_the_plan_and_read_before_anybody_confirms() {
    let route = |n: u128| {
        format!(
            r#"[{{ approvers = "group", group = "{}", quorum = "all" }}]"#,
            group(n)
        )
    };
    for house in houses().await {
        house.apply(&orders(&route(6), "9 days", &[1]), None).await;
        let wanted = async || {
            workflow::approver_groups::wanted(&house.workflow)
                .await
                .unwrap()
        };
        assert_eq!(wanted().await, BTreeSet::from([group(6)]));
        let other = orders(&route(5), "9 days", &[1]);
        let plan = catalogue::plan(&house.workflow, TENANT, &files(&other))
            .await
            .unwrap();
        assert!(plan.waits, "others decide");
        let said = plan.to_string();
        let (was, is) = (group(6), group(5));
        assert!(
            said.contains(&format!(
                "route: all of members of sg-6 ({was}) → all of members of sg-5 ({is})"
            )),
            "{said}"
        );
        house.apply(&other, Some(FREJA)).await;
        assert_eq!(wanted().await, BTreeSet::from([group(5), group(6)]));
    }
}

#[tokio::test]
async fn another_owner_of_a_right_is_asked_at_once() {
    let owned = |n: u128| {
        orders("[\"entitlement_owner\"]", "9 days", &[1]).replacen(
            "name = \"sg-1\"\n",
            &format!("name = \"sg-1\"\nowner = {}\n", person(n)),
            1,
        )
    };
    for house in houses().await {
        house.apply(&owned(FREJA), None).await;
        let package = house.package("orders-read").await;
        let request = house.ask(package.id).await.unwrap();
        let seated = async || {
            let mut tx = house.workflow.store().read().await.unwrap();
            let line = tx.lines_of_request(request).await.unwrap().remove(0);
            tx.seats_of_line(line.id).await.unwrap()[0].person_id
        };
        assert_eq!(seated().await, PersonId(Uuid::from_u128(FREJA)));
        let freja = PersonId(Uuid::from_u128(FREJA));
        let applied = house.apply(&owned(ASTRID), Some(FREJA)).await;
        let Applied::Pending { id, .. } = applied else {
            panic!("more people may decide: {applied:?}");
        };
        assert_eq!(seated().await, freja);
        catalogue::confirm(&house.workflow, &house.viewer(NILS).await, id)
            .await
            .unwrap();
        assert_eq!(seated().await, PersonId(Uuid::from_u128(ASTRID)));
    }
}
