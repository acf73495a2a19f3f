//! Everything that pages read.

use domain::HoldId;
use domain::approval::Via;
use store::views::{audit::TrailQuery, catalog::CardQuery, names::Named};

use crate::{
    company::{
        account, application, assignment, at, edition, entitlement, grant, line, package, person,
        request, stage, target, uuid, version,
    },
    script::{Script, ask},
};

pub async fn play(script: &mut Script) {
    deciding(script).await;
    catalogue(script).await;
    holding(script).await;
    people(script).await;
    evidence(script).await;
}

async fn deciding(script: &mut Script) {
    ask!(script, queue(person(6), None, None, 10));
    ask!(
        script,
        queue(person(6), Some(Via::Security), Some((at(20), stage(1))), 10)
    );
    ask!(script, count_queue(person(6), 100));
    ask!(script, place_in_queue(person(6), stage(12), at(25), 100));
    ask!(script, full_lines(request(1)));
    ask!(script, full_line_of_stage(stage(12)));
    ask!(script, stages_of(&[line(1), line(2)]));
    ask!(script, named_votes(&[line(1), line(2)]));
    ask!(script, standing_denial(person(3), package(2)));
    ask!(script, sight(person(6), line(1)));
    ask!(script, named_seats(&[stage(12), stage(11)], 2));
    for only_waiting in [true, false] {
        ask!(script, items_of(person(3), only_waiting, None, 10));
        ask!(
            script,
            items_for(person(3), only_waiting, Some((at(21), line(9))), 10)
        );
    }
    ask!(script, items_under_way(person(3), 10));
    ask!(script, stuck_items(10));
    ask!(script, items_of_requests(&[request(1), request(2)]));
    ask!(script, request_by_number(1001));
    ask!(script, compare(person(3), Some(person(2)), package(1), 100));
    ask!(script, compare(person(1), None, package(1), 100));
    ask!(script, held_in_team(person(2), person(3), 100, 10));
    ask!(script, held_openly(person(4), 10));
    ask!(script, had_since(person(4), package(1), at(0)));
    ask!(script, held_beside(person(4), package(2), 10));
    ask!(script, team_spans(person(3), person(2), package(1), 10));
    ask!(script, team_holders(person(3), person(2), package(1), 10));
    ask!(script, earlier_asks(person(3), package(2), request(9), 10));
    ask!(script, earlier_asks(person(3), package(1), request(1), 10));
    ask!(script, spans_held(person(4), package(1), 10));
    ask!(script, held_of_application(person(4), package(1), 10));
}

async fn catalogue(script: &mut Script) {
    ask!(script, application_tags());
    ask!(script, application_tag(application(1)));
    ask!(script, count_offered(100));
    let everything = CardQuery {
        limit: 10,
        ..CardQuery::default()
    };
    ask!(script, cards(&everything));
    let narrow = CardQuery {
        all_of: vec!["orders".into()],
        any_of: vec!["package".into(), "x%".into()],
        application: Some(application(1)),
        at_least_seconds: Some(3600),
        privileged: Some(true),
        after: Some(("package 1 orders".into(), package(1))),
        limit: 10,
    };
    ask!(script, cards(&narrow));
    ask!(script, cards_by_ids(&[package(2), package(1)]));
    ask!(script, latest_ready(&[package(1)], 5));
    ask!(script, mine(person(3)));
    ask!(script, held_nearby("Orders", person(3), 100, 10));
    ask!(script, had_lately(person(4), at(0), 10));
    ask!(script, contents(version(1)));
    ask!(script, named_owners(package(1)));
    ask!(script, count_holders(package(1), 100));
    ask!(script, ever_held(person(4), package(1)));
    ask!(script, versions_page(None, 10));
    ask!(script, versions_page(Some(2), 10));
    ask!(script, named_version(edition(2)));
    ask!(script, named_holds(10));
    ask!(script, held_people(&[HoldId(uuid(0xd01))], 10));
}

async fn holding(script: &mut Script) {
    ask!(script, held_by(person(4), 10));
    ask!(script, ending_of(person(3), 10));
    ask!(script, ended_of(person(4), at(0), 10));
    ask!(script, held_by_ids(&[grant(1), grant(2)]));
    ask!(script, held_by_lines(&[line(1)]));
    ask!(script, held_of_pair(account(3), entitlement(1), 10));
    ask!(script, held_parts(&[grant(1), grant(3)]));
    ask!(script, approvers_of(&[line(1)]));
    ask!(script, count_held(person(4), at(9999)));
    ask!(script, calls_since(&[assignment(1)], at(0), 10));
    ask!(script, newest_calls(assignment(1), 1));
    ask!(script, target_health(100));
    ask!(script, attention(None, 10));
    ask!(script, attention(Some((at(1), assignment(1))), 10));
    ask!(script, under_way(target(), 10));
    ask!(script, named_assignment(assignment(1)));
    ask!(script, recent_calls(10));
}

async fn people(script: &mut Script) {
    ask!(script, reports_of(person(1), None, 2));
    ask!(
        script,
        reports_of(person(1), Some(("elin berg", person(6))), 10)
    );
    ask!(script, holdings(&[person(3), person(4)], at(9999)));
    ask!(script, held_by_each(&[person(3), person(4)], 2));
    ask!(script, waiting_for(&[person(3), person(4)]));
    ask!(script, count_sessions_of(person(3), at(0)));
    ask!(script, holders(package(1), None, 10));
    ask!(script, holders(package(1), Some((at(28), grant(2))), 10));
    ask!(script, owned_by(person(5), 100, 10));
    ask!(script, owns(person(5), package(1)));
    ask!(script, shell(person(6), 100, true, true, true));
    ask!(script, shell(person(3), 100, false, false, false));
    for (kind, id) in [
        (Named::Person, person(3).0),
        (Named::Account, account(3).0),
        (Named::Package, package(1).0),
        (Named::Edition, edition(1).0),
        (Named::Request, request(1).0),
        (Named::Line, line(1).0),
        (Named::Grant, grant(1).0),
        (Named::Entitlement, entitlement(1).0),
        (Named::Target, target().0),
        (Named::Assignment, assignment(1).0),
    ] {
        ask!(script, names(kind, &[id, uuid(1 << 100)]));
    }
}

async fn evidence(script: &mut Script) {
    let query = TrailQuery {
        subject: Some(person(3).to_string()),
        limit: 2,
        ..TrailQuery::default()
    };
    ask!(script, trail_page(&query));
    let query = TrailQuery {
        kind: Some("signed_in".into()),
        actor: Some(person(3).0),
        from: Some(at(0)),
        until: Some(at(9)),
        before: Some(9),
        limit: 9,
        ..TrailQuery::default()
    };
    ask!(script, trail_page(&query));
    ask!(
        script,
        trail_about(&[person(3).to_string()], at(0), Some(at(3)), 10)
    );
    ask!(script, trail_around(2));
    ask!(script, count_population(application(1), at(29)));
    ask!(script, population(application(1), at(29), None, 10));
    ask!(script, reconcile(application(1)));
    ask!(script, count_changes(None, at(0), at(9999)));
    ask!(script, count_changes(Some(application(1)), at(0), at(9999)));
    ask!(script, changes(None, at(0), at(9999), None, 10));
    ask!(
        script,
        changes(
            Some(application(1)),
            at(0),
            at(9999),
            Some((at(31), grant(2).0)),
            10
        )
    );
}
