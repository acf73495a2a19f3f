//! What somebody with the database's own password can do to the audit log, on both engines, and that verifying finds it.

use domain::audit::{Actor, Event, EventKind};
use store::{Engine, Store, testing};
use workflow::{
    Clock, Ids, Settings, Workflow,
    audit::{self, Checkpoint, Tampering, verify_store},
    installation,
};

use crate::support::start;

/// Takes the guards off, as the owner of the database may.
async fn defenceless(store: &Store) {
    let triggers = [
        ("audit_events", ["next", "fixed", "kept"].as_slice()),
        ("audit_subjects", ["fixed", "kept"].as_slice()),
        ("audit_head", ["forward", "kept", "whole"].as_slice()),
    ];
    for (table, names) in triggers {
        match store.engine() {
            Engine::Sqlite => {
                for name in names {
                    let text = format!("DROP TRIGGER IF EXISTS {table}_{name}");
                    testing::raw(store, &text).await.unwrap();
                }
            }
            Engine::Postgres => {
                let text = format!("ALTER TABLE {table} DISABLE TRIGGER USER");
                testing::raw(store, &text).await.unwrap();
            }
        }
    }
}

async fn logs() -> Vec<(Store, Checkpoint)> {
    let mut logs = Vec::new();
    for (_, store) in testing::stores().await {
        let workflow = Workflow::new(
            store.clone(),
            Clock::simulated(start()),
            Ids::seeded(1),
            Settings::default(),
        );
        installation::prepare(&workflow, installation::Mode::Production)
            .await
            .unwrap();
        for n in 1..=9 {
            let mut unit = workflow.unit().await.unwrap();
            unit.record(
                Event::new(EventKind::SignedIn, unit.now, Actor::Portal).about(format!("per_{n}")),
            );
            unit.commit().await.unwrap();
        }
        let signed = audit::checkpoint(&workflow).await.unwrap();
        defenceless(&store).await;
        logs.push((store, signed));
    }
    logs
}

async fn found(what: &str, texts: &[&str], expected: Option<(i64, Tampering)>) {
    for (store, signed) in logs().await {
        for text in texts {
            testing::raw(&store, text).await.unwrap();
        }
        let verdict = verify_store(&store, vec![signed]).await.unwrap();
        let broken = verdict.broken.map(|broken| (broken.seq, broken.tampering));
        assert_eq!(broken, expected, "{what} on {:?}", store.engine());
    }
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_whole() {
    found("nothing", &[], None).await;
}

#[tokio::test]
async fn edits_are_found() {
    let edited = |seq| Some((seq, Tampering::Edited));
    found(
        "an edited text",
        &["UPDATE audit_events SET entry = REPLACE(entry, 'per_4', 'per_5') WHERE seq = 4"],
        edited(4),
    )
    .await;
    found(
        "an edited kind",
        &["UPDATE audit_events SET kind = 'signed_out' WHERE seq = 4"],
        edited(4),
    )
    .await;
    found(
        "an edited actor",
        &["UPDATE audit_events SET actor = 'operator' WHERE seq = 4"],
        edited(4),
    )
    .await;
    found(
        "an entry that searches no longer find",
        &["DELETE FROM audit_subjects WHERE seq = 4"],
        edited(4),
    )
    .await;
    found(
        "an entry that searches find under another id",
        &["UPDATE audit_subjects SET subject = 'per_99' WHERE seq = 4"],
        edited(4),
    )
    .await;
}

#[tokio::test]
async fn deletions_swaps_and_truncation_are_found() {
    found(
        "a deletion",
        &[
            "DELETE FROM audit_subjects WHERE seq = 4",
            "DELETE FROM audit_events WHERE seq = 4",
        ],
        Some((4, Tampering::Deleted)),
    )
    .await;
    found(
        "a swap",
        &[
            "UPDATE audit_events SET entry = CASE seq WHEN 4 THEN (SELECT entry FROM audit_events WHERE seq = 5)
               ELSE (SELECT entry FROM audit_events WHERE seq = 4) END WHERE seq IN (4, 5)",
        ],
        Some((4, Tampering::Swapped)),
    )
    .await;
    found(
        "a truncation with a head that fits",
        &[
            "DELETE FROM audit_subjects WHERE seq > 6",
            "DELETE FROM audit_events WHERE seq > 6",
            "UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit_events WHERE seq = 6)",
        ],
        Some((7, Tampering::Truncated)),
    )
    .await;
}

#[tokio::test]
async fn insertions_are_found_and_before_the_first_refused() {
    let copy = |seq: i64| {
        format!(
            "INSERT INTO audit_events (seq, at, kind, actor, entry, hash)
             SELECT {seq}, at, kind, actor, entry, hash FROM audit_events WHERE seq = 9"
        )
    };
    found(
        "one after the head",
        &[&copy(10)],
        Some((10, Tampering::Swapped)),
    )
    .await;
    for (store, _) in logs().await {
        let refused = testing::raw(&store, &copy(0)).await;
        assert!(
            matches!(refused, Err(store::Error::Conflict(_))),
            "{refused:?}"
        );
    }
}
