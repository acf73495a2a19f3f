//! Both engines against one script: every method of the store is called on each, in the same order with the same
//! values, and what they answer must be the same text. What the script leaves out is found by reading the sources.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod access;
mod catalogue;
mod company;
mod coverage;
mod deputies;
mod drafts;
mod duties;
mod holding;
mod people;
mod reviews;
mod scans;
mod schema;
mod script;
mod tasks;
mod upgrade;
mod views;
mod work;

use script::Script;
use store::testing;

/// What the databases themselves refuse, in the order of the script: the same id, key or state twice, a role without its grant, another sign-in
/// with the same state, a clock that goes back, a fork of the audit log, a second published edition, a drafter who
/// confirms, a second waiting line, a question by whom it is about, an answer by whom it is not, a deadline that moves by
/// more than it stood, a seat handed to whom it is about and one handed on twice, a vote on one's own access, in a closed
/// stage, with a sign-in that did not count, twice, for a slot that is taken or for
/// one too many, a stage denied without a no, a line denied, approved or waiting for its exception before its stages say so, a second grant of a line, a
/// second draft of a person, a second exception that waits, one accepted by whom it is about and confirmed by who accepted it, an attestation by somebody
/// else than the control's owner, a second finding of one thing,
/// one's own grant held back, let go on, taken away, oneself stopped, oneself let go on,
/// somebody who stands in for themselves, or for too long,
/// a second task of one right, one that is done by whom it is for, one that cannot be done without a why, a word about oneself,
/// a review by whom it is about, an answer before a campaign starts, an item after it, something done by whom it is about,
/// a listing after it, what happened said otherwise after it, a second alarm for one removal,
/// a sign-off by the maker.
const REFUSED: [&str; 60] = [
    "insert_persons",
    "insert_accounts",
    "insert_role",
    "save_sign_in",
    "insert_hold",
    "create_installation",
    "set_clock_offset",
    "append_audit",
    "insert_catalogue_version",
    "move_catalogue_version",
    "insert_package_version",
    "insert_package_version",
    "insert_request",
    "insert_line",
    "insert_remark",
    "insert_remark",
    "set_line_clock",
    "insert_hand_on",
    "insert_hand_on",
    "insert_decision",
    "insert_decision",
    "insert_decision",
    "insert_decision",
    "insert_decision",
    "insert_decision",
    "update_stage",
    "close_line",
    "close_line",
    "let_line_wait",
    "insert_grant",
    "insert_draft",
    "insert_deputy",
    "insert_deputy",
    "insert_exception",
    "accept_exception",
    "confirm_exception",
    "insert_attestation",
    "insert_finding",
    "suspend_grants",
    "resume_grants",
    "end_grants",
    "suspend_person",
    "resume_person",
    "insert_task",
    "close_task",
    "close_task",
    "save_confirmation",
    "insert_items",
    "decide_item",
    "insert_items",
    "insert_listings",
    "say_small_review",
    "insert_acts",
    "pass_items_on",
    "stand_items",
    "insert_late",
    "sign_off_campaign",
    "save_scanned",
    "insert_finding",
    "insert_finding",
];

#[tokio::test]
async fn both_engines_answer_the_same() {
    let mut transcripts = Vec::new();
    for (engine, store) in testing::stores().await {
        let mut script = Script::new(engine, store);
        company::lay(&mut script).await;
        people::play(&mut script).await;
        catalogue::play(&mut script).await;
        access::play(&mut script).await;
        drafts::play(&mut script).await;
        deputies::play(&mut script).await;
        work::play(&mut script).await;
        duties::play(&mut script).await;
        views::play(&mut script).await;
        holding::play(&mut script).await;
        tasks::play(&mut script).await;
        reviews::play(&mut script).await;
        scans::play(&mut script).await;
        transcripts.push(script.log);
    }
    let (sqlite, postgres) = (&transcripts[0], &transcripts[1]);
    for (one, other) in sqlite.iter().zip(postgres) {
        assert_eq!(one, other, "SQLite on the left, PostgreSQL on the right");
    }
    assert_eq!(sqlite.len(), postgres.len());
    assert!(
        sqlite.len() > 150,
        "the script is {} calls long",
        sqlite.len()
    );
    let refused: Vec<&str> = sqlite
        .iter()
        .filter_map(|line| line.strip_suffix(": refused"))
        .collect();
    assert_eq!(refused, REFUSED);
    let failed: Vec<&String> = sqlite
        .iter()
        .filter(|line| line.contains(": failed: "))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
