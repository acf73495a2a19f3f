//! The two migrations describe the same tables, indexes and triggers.

use std::collections::{BTreeMap, BTreeSet};

use store::{Engine, testing};

#[tokio::test]
async fn both_engines_have_the_same_schema() {
    let sqlite = testing::schema(&testing::store(Engine::Sqlite).await).await;
    let postgres = testing::schema(&testing::store(Engine::Postgres).await).await;
    assert!(sqlite.tables.len() > 20, "the reading is wrong");
    let names = |tables: &BTreeMap<String, _>| tables.keys().cloned().collect::<BTreeSet<String>>();
    assert_eq!(names(&sqlite.tables), names(&postgres.tables));
    for (table, columns) in &sqlite.tables {
        assert_eq!(columns, &postgres.tables[table], "columns of {table}");
    }
    assert_eq!(sqlite.indexes, postgres.indexes);
    assert_eq!(sqlite.triggers, postgres.triggers);

    // What may not be deleted row by row may not be truncated or replaced either.
    let kept: BTreeSet<String> = postgres
        .triggers
        .iter()
        .filter(|(_, name)| name.ends_with("_kept"))
        .map(|(table, _)| table.clone())
        .collect();
    assert!(kept.len() > 10, "{kept:?}");
    assert_eq!(postgres.whole, kept);
    // On SQLite two need no such trigger, as all of their columns are the key, and a third takes only the next key.
    let own = [
        "audit_events",
        "audit_subjects",
        "package_version_entitlements",
    ]
    .map(str::to_owned);
    let replaceable = &kept - &BTreeSet::from(own);
    assert_eq!(sqlite.whole, replaceable);
}
