//! Holding back and letting go on, and what the databases refuse of it.

use domain::grant::{EndReason, SuspendCause};

use crate::{
    company::{account, at, entitlement, grant, person},
    script::{Script, ask, say},
};

pub async fn play(script: &mut Script) {
    let (cause, note) = (SuspendCause::Security, "lost laptop");
    let both = [grant(1), grant(3)];
    // Nobody holds back their own.
    say!(
        script,
        suspend_grants(&[grant(1)], at(60), person(3), cause, note)
    );
    say!(
        script,
        suspend_grants(&both, at(60), person(6), cause, note)
    );
    // What is over stays over.
    say!(
        script,
        suspend_grants(&[grant(2)], at(60), person(6), cause, note)
    );
    say!(script, set_not_renewed(grant(1), Some(at(61))));
    say!(script, set_end_cause(grant(1), Some(EndReason::Mover)));
    ask!(script, marks_of_grants(&[grant(1), grant(2), grant(9)]));
    ask!(
        script,
        ways(&[
            (account(3), entitlement(1)),
            (account(4), entitlement(2)),
            (account(9), entitlement(1))
        ])
    );
    ask!(
        script,
        claims(&[(account(3), entitlement(1)), (account(4), entitlement(2))])
    );
    // Nor lets it go on.
    say!(script, resume_grants(&[grant(1)], person(3)));
    say!(script, resume_grants(&both, person(6)));
    say!(script, set_not_renewed(grant(1), None));
    say!(script, set_end_cause(grant(1), None));
    ask!(script, marks_of_grants(&both));
    // Nobody takes away their own: they give it back.
    say!(
        script,
        end_grants(
            &[grant(1)],
            at(62),
            EndReason::Revoked,
            Some(person(3)),
            Some("no")
        )
    );
    ask!(
        script,
        rights_owned_by(person(5), &[entitlement(1), entitlement(2), entitlement(3)])
    );
    say!(script, suspend_person(person(3), at(63), person(3), note));
    say!(script, suspend_person(person(3), at(63), person(6), note));
    say!(script, suspend_person(person(3), at(64), person(6), note));
    ask!(script, held_back(person(3)));
    ask!(script, person(person(3)));
    say!(script, resume_person(person(3), person(3)));
    say!(script, resume_person(person(3), person(6)));
    say!(script, resume_person(person(3), person(6)));
    ask!(script, held_back(person(3)));
    ask!(script, removals_of(person(3), at(-1000)));
    ask!(script, reach_of(person(3)));
}
