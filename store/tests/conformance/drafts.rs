//! Carts: begun once a person, filled without doubles, emptied line by line, forgotten when nobody touches them.

use domain::{DraftId, DraftLineId};
use store::drafts::{DraftLineRow, DraftRow};
use uuid::Uuid;

use crate::{
    company::{at, package, person},
    script::{Script, ask, say},
};

fn draft(n: u128) -> DraftId {
    DraftId(Uuid::from_u128(0xD00 + n))
}

fn draft_line(n: u128) -> DraftLineId {
    DraftLineId(Uuid::from_u128(0xD10 + n))
}

fn begun(n: u128, whose: u128) -> DraftRow {
    DraftRow {
        id: draft(n),
        person_id: person(whose),
        reason: String::new(),
        created_at: at(1),
        updated_at: at(1),
    }
}

fn wanted(n: u128, what: u128, whom: u128) -> DraftLineRow {
    DraftLineRow {
        id: draft_line(n),
        draft_id: draft(1),
        package_id: package(what),
        beneficiary_id: person(whom),
        typed: String::new(),
        created_at: at(n as i64),
    }
}

pub async fn play(script: &mut Script) {
    say!(script, insert_draft(&begun(1, 3)));
    say!(script, insert_draft(&begun(2, 3)));
    say!(script, insert_draft(&begun(3, 4)));
    say!(script, insert_draft_line(&wanted(1, 1, 3)));
    say!(script, insert_draft_line(&wanted(2, 1, 4)));
    say!(script, insert_draft_line(&wanted(3, 1, 3)));
    say!(
        script,
        update_draft_line(draft_line(2), "{\"reason\":\"Öl & <b>\"}")
    );
    say!(script, touch_draft(draft(1), "For the audit", at(9)));
    ask!(script, draft_of(person(3)));
    ask!(script, draft_lines(draft(1)));
    ask!(script, draft_line(person(3), draft_line(2)));
    ask!(script, draft_line(person(4), draft_line(2)));
    ask!(script, count_draft_lines(person(3)));
    say!(script, delete_draft_line(draft_line(1)));
    ask!(script, count_draft_lines(person(3)));
    say!(script, delete_stale_drafts(at(5)));
    ask!(script, draft_of(person(4)));
    say!(script, delete_stale_drafts(at(99)));
    ask!(script, count_draft_lines(person(3)));
}
