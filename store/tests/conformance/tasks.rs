//! What people do by hand, and what they said is so.

use domain::{
    TaskId,
    task::{TaskCall, TaskState},
};
use store::tasks::{ConfirmationRow, TaskRow};

use crate::{
    company::{assignment, at, entitlement, person, uuid},
    script::{Script, ask, say},
};

fn task(n: u128, call: TaskCall) -> TaskRow {
    TaskRow {
        id: TaskId(uuid(0x1900 + n)),
        assignment_id: assignment(1),
        person_id: person(3),
        entitlement_id: entitlement(1),
        call,
        state: TaskState::Open,
        due_at: at(7200),
        reminders: 0,
        created_at: at(60),
        closed_at: None,
        closed_by: None,
        note: String::new(),
    }
}

pub async fn play(script: &mut Script) {
    let (add, remove) = (task(1, TaskCall::Add), task(2, TaskCall::Remove));
    ask!(script, right_by_hand(entitlement(1)));
    ask!(script, owners_of_packages_with(entitlement(1)));
    say!(script, insert_task(&add));
    // One at a time for each assignment.
    say!(script, insert_task(&remove));
    ask!(script, live_task(assignment(1)));
    say!(script, count_task_reminder(add.id));
    ask!(script, tasks_near(person(5), false, 10));
    ask!(script, tasks_near(person(4), false, 10));
    ask!(script, tasks_near(person(4), true, 10));
    // Nobody says it of themselves.
    let mine = Some(person(3));
    say!(
        script,
        close_task(add.id, TaskState::Done, mine, "", at(70))
    );
    let owner = Some(person(5));
    // Why it cannot be done is said.
    say!(
        script,
        close_task(add.id, TaskState::Cannot, owner, "", at(70))
    );
    say!(
        script,
        close_task(add.id, TaskState::Cannot, owner, "No badges left", at(71))
    );
    ask!(script, task(add.id));
    say!(
        script,
        close_task(add.id, TaskState::Done, owner, "Badge 7", at(72))
    );
    // Once is enough.
    say!(
        script,
        close_task(add.id, TaskState::Done, owner, "Badge 8", at(73))
    );
    ask!(script, live_task(assignment(1)));
    ask!(script, named_task(add.id));
    ask!(script, tasks_closed_by(person(5), 10));
    say!(script, insert_task(&remove));
    say!(
        script,
        close_task(remove.id, TaskState::Dropped, None, "", at(74))
    );
    let said = ConfirmationRow {
        assignment_id: assignment(1),
        person_id: person(3),
        present: true,
        via: "task".into(),
        said_by: person(5),
        said_at: at(72),
    };
    say!(script, save_confirmation(&said));
    let gone = ConfirmationRow {
        present: false,
        ..said.clone()
    };
    say!(script, save_confirmation(&gone));
    ask!(script, confirmation(assignment(1)));
    say!(script, forget_confirmation(assignment(1)));
    ask!(script, confirmation(assignment(1)));
    say!(
        script,
        save_confirmation(&ConfirmationRow {
            said_by: person(3),
            ..said
        })
    );
}
