//! Rules, exceptions with what was attested, and findings.

use domain::{
    AttestationId, ConflictId, ExceptionId, FindingId, LineId,
    conflict::{Severity, Side},
    exception::{ExceptionEnd, ExceptionState},
    finding::{FindingKind, FindingState},
};
use store::{
    conflicts::ConflictRow,
    exceptions::{AttestationRow, ExceptionQuery, ExceptionRow},
    findings::{FindingQuery, FindingRow},
};

use crate::{
    company::{account, at, edition, entitlement, package, person, uuid, version},
    script::{Script, ask, say},
};

fn rule(n: u128) -> ConflictId {
    ConflictId(uuid(0xd00 + n))
}

pub async fn play(script: &mut Script) {
    rules(script).await;
    exceptions(script).await;
    findings(script).await;
    ask!(script, people_to_scan(None, 10));
    ask!(script, people_to_scan(Some(person(3)), 10));
}

async fn rules(script: &mut Script) {
    let row = |n: u128, name: &str| ConflictRow {
        id: rule(n),
        key: format!("rule-{n}"),
        name: name.into(),
        explain: "Nobody does both.".into(),
        severity: Severity::High,
        owner_id: person(5),
        catalogue_version_id: edition(1),
        retired: false,
    };
    say!(script, save_conflict(&row(1, "Prepare and pay")));
    say!(script, save_conflict(&row(2, "Build and run")));
    say!(
        script,
        save_conflict(&ConflictRow {
            retired: true,
            ..row(2, "Build and run")
        })
    );
    let sides = [(entitlement(1), Side::Left), (entitlement(2), Side::Right)];
    say!(
        script,
        set_conflict_rights(rule(1), &[(entitlement(1), Side::Left)])
    );
    say!(script, set_conflict_rights(rule(1), &sides));
    say!(script, set_conflict_rights(rule(2), &sides));
    ask!(script, all_conflicts());
    ask!(script, conflict(rule(1)));
    ask!(script, conflict_rights(&[rule(1), rule(2)]));
    ask!(script, rules_about(&[entitlement(2)]));
    ask!(
        script,
        wishes(&[(account(3), entitlement(1)), (account(4), entitlement(3))])
    );
    ask!(script, wishes(&[]));
    ask!(script, terms(version(1)));
    ask!(script, held_rights(&[person(3), person(4)], at(0)));
    ask!(script, asked_rights(person(3), None));
    ask!(script, asked_rights(person(4), Some(LineId(uuid(0x11)))));
    ask!(script, team_holding(person(3), package(1)));
}

async fn exceptions(script: &mut Script) {
    let id = |n: u128| ExceptionId(uuid(0xe00 + n));
    let row = |n: u128| ExceptionRow {
        id: id(n),
        number: i64::try_from(n).unwrap(),
        conflict_id: rule(1),
        person_id: person(3),
        proposed_by: person(2),
        proposed_at: at(40),
        reason: "A colleague is away".into(),
        control: "Somebody looks at it".into(),
        control_owner_id: person(4),
        cadence_seconds: 7 * 86_400,
        falls: Side::Right,
        renewals: 0,
        state: ExceptionState::Proposed,
        ends_at: at(40 + 90 * 86_400),
        accepted_by: None,
        accepted_at: None,
        confirmed_by: None,
        confirmed_at: None,
        attest_by: None,
        missed_at: None,
        ended_at: None,
        end_reason: None,
        ended_by: None,
        end_note: String::new(),
        version: 0,
    };
    say!(script, insert_exception(&row(1)));
    say!(script, insert_exception(&row(2)));
    say!(script, accept_exception(id(1), person(3), at(41)));
    say!(script, confirm_exception(id(1), person(6), at(41), at(42)));
    say!(script, accept_exception(id(1), person(5), at(41)));
    say!(script, confirm_exception(id(1), person(5), at(42), at(43)));
    say!(script, confirm_exception(id(1), person(6), at(42), at(43)));
    ask!(script, exception(id(1)));
    let attested = |by| AttestationRow {
        id: AttestationId(uuid(0xe50)),
        exception_id: id(1),
        by_id: by,
        text: "Looked at twelve".into(),
        due_at: at(43),
        attested_at: at(44),
    };
    say!(script, insert_attestation(&attested(person(3))));
    say!(script, insert_attestation(&attested(person(4))));
    ask!(script, attestations_of(id(1)));
    say!(script, set_attestation_due(id(1), at(50), Some(at(51))));
    ask!(script, open_exceptions_of(&[person(3)]));
    let page = |over| ExceptionQuery {
        person: Some(person(3)),
        conflict: Some(rule(1)),
        over,
        limit: 5,
    };
    ask!(script, exceptions_page(&page(false)));
    say!(
        script,
        end_exception(
            id(1),
            ExceptionEnd::Revoked,
            Some(person(6)),
            "enough",
            at(60)
        )
    );
    say!(
        script,
        end_exception(id(1), ExceptionEnd::Expired, None, "", at(61))
    );
    ask!(script, exceptions_page(&page(true)));
}

async fn findings(script: &mut Script) {
    let row = |n: u128, state| FindingRow {
        id: FindingId(uuid(0xf00 + n)),
        kind: FindingKind::Conflict,
        subject: "Johan both".into(),
        person_id: Some(person(3)),
        account_id: None,
        entitlement_id: None,
        conflict_id: Some(rule(1)),
        owner_id: Some(person(5)),
        state,
        opened_at: at(70),
        due_at: at(80),
        closed_at: None,
        noted_by: None,
        note: String::new(),
        version: 0,
        grant_id: None,
        conclusion: None,
        holder: None,
    };
    ask!(
        script,
        break_glass_before(person(3), package(1), at(0), at(90))
    );
    ask!(script, reviews_overdue(at(90), 5));
    say!(script, insert_finding(&row(1, FindingState::Open)));
    say!(script, insert_finding(&row(2, FindingState::Open)));
    ask!(script, finding(FindingId(uuid(0xf01))));
    ask!(script, open_findings_of(&[person(3)]));
    let noted = FindingRow {
        noted_by: Some(person(5)),
        note: "by Friday".into(),
        ..row(1, FindingState::BeingRemoved)
    };
    ask!(script, open_findings_owned(person(5)));
    say!(script, update_finding(&noted));
    ask!(script, conflict_standing(rule(1)));
    let page = FindingQuery {
        kind: Some(FindingKind::Conflict),
        owner: Some(person(5)),
        conflict: Some(rule(1)),
        after: Some((at(79), FindingId(uuid(0)))),
        limit: 5,
        ..FindingQuery::default()
    };
    ask!(script, findings_page(&page));
    let closed = FindingRow {
        closed_at: Some(at(90)),
        ..row(1, FindingState::Closed)
    };
    say!(script, update_finding(&closed));
    say!(script, update_finding(&noted));
    let one = FindingQuery {
        id: Some(FindingId(uuid(0xf01))),
        state: Some(FindingState::Closed),
        limit: 1,
        ..FindingQuery::default()
    };
    ask!(script, findings_page(&one));
}
