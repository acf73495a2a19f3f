//! Scans of targets, and what stands there that no grant explains.

use domain::{
    AssignmentId, FindingId,
    drift::Stop,
    finding::{FindingKind, FindingState},
};
use store::{
    findings::{FindingQuery, FindingRow},
    scans::{DriftRow, ScanRow, ScannedRow},
};

use crate::{
    company::{account, assignment, at, entitlement, grant, person, target, uuid},
    script::{Script, ask, say},
};

pub async fn play(script: &mut Script) {
    passes(script).await;
    drift(script).await;
    strangers(script).await;
    restores(script).await;
}

async fn restores(script: &mut Script) {
    ask!(script, newest_restore());
    ask!(script, restored_targets());
    for proof in ["checkpoint 7", "checkpoint 7", "said"] {
        say!(script, insert_restore(proof, "it is shorter", at(400)));
    }
    ask!(script, newest_restore());
    say!(script, close_targets(at(401)));
    ask!(script, closed_targets());
    ask!(script, restored_targets());
    ask!(script, held_parts(&[grant(1), grant(2)]));
    say!(script, set_target_shadow(target(), true));
    say!(script, set_target_shadow(target(), true));
    ask!(script, closed_targets());
    ask!(script, target_health(10));
    ask!(script, waiting_at(target(), None, 10));
    ask!(
        script,
        waiting_at(target(), Some((at(1), AssignmentId(uuid(0)))), 10)
    );
    ask!(script, count_waiting_at(target(), 10));
    say!(script, set_target_shadow(target(), false));
    say!(script, open_target(target()));
    say!(script, end_restores(person(5), at(402)));
    ask!(script, newest_restore());
    ask!(script, restored_targets());
}

async fn passes(script: &mut Script) {
    let begun = ScanRow {
        target_id: target(),
        begun_at: at(200),
        ended_at: None,
        problem: None,
    };
    ask!(script, scan(target()));
    say!(script, save_scan(&begun));
    ask!(script, rights_to_scan(target(), at(200), 50));
    let scanned = ScannedRow {
        entitlement_id: entitlement(1),
        scanned_at: at(201),
        listed: 3,
        believed: 2,
        given: 1,
        vanished: 0,
        changes: 1,
        stopped: None,
        detail: String::new(),
        allowed: 0,
        allowed_by: None,
        listing_hash: "abc".into(),
    };
    say!(script, save_scanned(&scanned));
    ask!(script, rights_to_scan(target(), at(200), 50));
    ask!(script, scanned(entitlement(1)));
    ask!(script, scan_target(entitlement(1)));
    ask!(script, scan_target(entitlement(99)));
    // Who lets it go on is named.
    let allowed = ScannedRow {
        stopped: Some(Stop::TooMany),
        allowed: 5,
        ..scanned.clone()
    };
    say!(script, save_scanned(&allowed));
    let named = ScannedRow {
        allowed_by: Some(person(5)),
        ..allowed.clone()
    };
    say!(script, save_scanned(&named));
    ask!(script, stopped_scans(10));
    say!(
        script,
        save_scan(&ScanRow {
            ended_at: Some(at(210)),
            problem: Some("The target did not answer.".into()),
            ..begun
        })
    );
    ask!(script, scan_health());
    say!(script, save_scanned(&scanned));
    ask!(script, stopped_scans(10));
    ask!(script, scan_health());
}

async fn drift(script: &mut Script) {
    let row = |n: u128, known: bool| DriftRow {
        entitlement_id: entitlement(1),
        holder: format!("holder-{n}"),
        account_id: known.then(|| account(n)),
        person_id: known.then(|| person(n)),
        found_at: at(202),
    };
    ask!(script, believed(entitlement(1), AssignmentId(uuid(0)), 10));
    ask!(script, accounts_by_object(None, &[uuid(1), uuid(2)]));
    ask!(script, accounts_by_object(Some(uuid(9)), &[uuid(1)]));
    ask!(
        script,
        accounts_at_target(target(), &["holder-1".into(), "holder-2".into()])
    );
    say!(script, insert_drift(&[row(4, true), row(7, false)]));
    say!(script, insert_drift(&[row(4, true)]));
    ask!(script, drift_of(entitlement(1)));
    ask!(script, drift_of_people(&[person(3), person(4)]));
    ask!(script, people_to_scan(None, 20));
    say!(
        script,
        delete_drift(entitlement(1), &["holder-4".into(), "holder-7".into()])
    );
    ask!(script, drift_of(entitlement(1)));
    say!(script, set_put_back(assignment(1), at(203)));
    say!(script, set_withheld(assignment(1), at(204)));
    ask!(script, believed(entitlement(1), AssignmentId(uuid(0)), 10));
    ask!(script, withheld_of_people(&[person(3)]));
}

async fn strangers(script: &mut Script) {
    let row = FindingRow {
        id: FindingId(uuid(0xf80)),
        kind: FindingKind::OutOfBand,
        subject: "right stranger-1".into(),
        person_id: None,
        account_id: None,
        entitlement_id: Some(entitlement(1)),
        conflict_id: None,
        owner_id: Some(person(5)),
        state: FindingState::Open,
        opened_at: at(205),
        due_at: at(305),
        closed_at: None,
        noted_by: None,
        note: String::new(),
        version: 0,
        grant_id: None,
        conclusion: None,
        holder: Some("stranger-1".into()),
    };
    // About nobody at all is no finding, nor is another kind about an account.
    let nobody = FindingRow {
        holder: None,
        ..row.clone()
    };
    say!(script, insert_finding(&nobody));
    let orphan = FindingRow {
        kind: FindingKind::Orphan,
        ..row.clone()
    };
    say!(script, insert_finding(&orphan));
    say!(script, insert_finding(&row));
    ask!(script, open_findings_of_strangers(entitlement(1)));
    let one = FindingQuery {
        id: Some(row.id),
        limit: 1,
        ..FindingQuery::default()
    };
    ask!(script, findings_page(&one));
    ask!(script, people_to_scan(None, 20));
    let closed = FindingRow {
        state: FindingState::Closed,
        closed_at: Some(at(206)),
        ..row
    };
    say!(script, update_finding(&closed));
    ask!(script, open_findings_of_strangers(entitlement(1)));
}
