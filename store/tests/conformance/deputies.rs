//! Who stands in for whom.

use domain::{DeputyId, person::PortalRole, policy::ApproverRule};
use store::{deputies::DeputyRow, seating::SeatingQuery};

use crate::{
    company::{application, at, line, package, person, uuid},
    script::{Script, ask, say},
};

fn standing_in(n: u128, of: u128, who: u128) -> DeputyRow {
    DeputyRow {
        id: DeputyId(uuid(0xe00 + n)),
        person_id: person(of),
        deputy_id: person(who),
        from_at: at(100),
        until_at: at(100 + 60 * 86_400),
        application_id: None,
        approvers: None,
        made_by: person(of),
        made_at: at(50),
        ended_at: None,
        ended_by: None,
    }
}

pub async fn play(script: &mut Script) {
    let now = at(200);
    say!(script, insert_deputy(&standing_in(1, 2, 6)));
    say!(
        script,
        insert_deputy(&DeputyRow {
            application_id: Some(application(1)),
            ..standing_in(2, 2, 4)
        })
    );
    say!(
        script,
        insert_deputy(&DeputyRow {
            approvers: Some(ApproverRule::Manager),
            from_at: at(300),
            ..standing_in(3, 6, 4)
        })
    );
    // Nobody stands in for themselves, nor for more than sixty days.
    say!(script, insert_deputy(&standing_in(4, 2, 2)));
    say!(
        script,
        insert_deputy(&DeputyRow {
            until_at: at(101 + 60 * 86_400),
            ..standing_in(4, 2, 6)
        })
    );
    ask!(script, deputy(DeputyId(uuid(0xe01))));
    ask!(script, deputy(DeputyId(uuid(0xe09))));
    let wanted = |package, now| SeatingQuery {
        asker: person(2),
        beneficiary: person(6),
        package,
        roles: &[PortalRole::Security, PortalRole::Auditor],
        named: &[],
        line: Some(line(1)),
        now,
    };
    ask!(script, seating_facts(&wanted(package(1), now)));
    ask!(script, seating_facts(&wanted(package(2), at(300))));
    // The first instant is in, the last is not.
    ask!(script, seating_facts(&wanted(package(1), at(100))));
    ask!(
        script,
        seating_facts(&wanted(package(1), at(100 + 60 * 86_400)))
    );
    ask!(script, stands_in_for(person(6), now));
    ask!(script, stands_in_for(person(4), now));
    ask!(script, stands_in_for(person(4), at(300)));
    ask!(script, lines_of_deputy(person(2), person(6)));
    ask!(script, named_deputies(person(2), now, 10));
    ask!(script, named_deputies(person(4), now, 1));
    ask!(script, count_deputies(person(2), at(0), at(100)));
    ask!(script, count_deputies(person(2), at(0), at(101)));
    say!(script, end_deputy(DeputyId(uuid(0xe01)), person(6), now));
    say!(script, end_deputy(DeputyId(uuid(0xe01)), person(2), now));
    ask!(script, seating_facts(&wanted(package(1), now)));
    ask!(script, named_deputies(person(6), now, 10));
}
