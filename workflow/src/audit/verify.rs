//! Reading the whole log and naming the first break. Works in steps, so a log of any length fits into memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::BufRead,
};

use domain::{Timestamp, audit::Actor};
use serde::Deserialize;
use store::{
    Store,
    audit::{AuditActor, AuditRow},
};

use super::Checkpoint;
use crate::{
    Result,
    unit::{columns, link},
};

/// Rows read at a time.
const STEP: i64 = 1000;

/// What was done to the log, as far as the first break tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tampering {
    /// An entry's text or hash was changed in place.
    Edited,
    /// Entries are missing between others.
    Deleted,
    /// An entry stands where none was.
    Inserted,
    /// Entries changed places.
    Swapped,
    /// Entries are missing at the end.
    Truncated,
    /// The chain fits itself but not the checkpoint: it was made anew from some entry on.
    Rewritten,
    /// The entry is not one of ours at all.
    Unreadable,
}

impl fmt::Display for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::Inserted => "inserted",
            Self::Swapped => "swapped",
            Self::Truncated => "truncated",
            Self::Rewritten => "rewritten",
            Self::Unreadable => "unreadable",
        })
    }
}

/// The first break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The entry's place in the log, from 1.
    pub seq: i64,
    /// What it looks like.
    pub tampering: Tampering,
    /// The same in a sentence.
    pub why: String,
}

/// What verifying found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Entries that were read and fit, up to the first break.
    pub entries: i64,
    /// Hash of the last entry that fits.
    pub hash: Vec<u8>,
    /// The first break; `None` means that the log is whole.
    pub broken: Option<Break>,
    /// Checkpoints that were compared with the log and fit.
    pub checkpoints: usize,
}

impl Verdict {
    /// Whether the log is whole and agrees with every checkpoint.
    pub const fn is_whole(&self) -> bool {
        self.broken.is_none()
    }
}

/// Takes the log entry by entry.
#[derive(Debug)]
pub struct Verifier {
    seq: i64,
    hash: Vec<u8>,
    broken: Option<Break>,
    /// A gap whose nature the next entry tells: a swap brings the missing one right afterwards.
    gap: Option<Break>,
    checkpoints: Vec<Checkpoint>,
    fitting: usize,
}

/// The part of an entry that columns and the index beside it repeat.
#[derive(Deserialize)]
struct Beside {
    actor: Actor,
    subjects: BTreeSet<String>,
}

/// The part of an entry that places it.
#[derive(Deserialize)]
struct Place {
    seq: i64,
    at: Timestamp,
    kind: String,
}

impl Verifier {
    /// For a log that must agree with these checkpoints, whose signatures were checked before.
    pub fn new(mut checkpoints: Vec<Checkpoint>) -> Self {
        checkpoints.sort_by_key(|checkpoint| checkpoint.size);
        Self {
            seq: 0,
            hash: vec![0; 32],
            broken: None,
            gap: None,
            checkpoints,
            fitting: 0,
        }
    }

    /// Takes the next entry. False once a break was found: further entries say nothing.
    pub fn take(&mut self, row: &AuditRow) -> bool {
        if let Some(mut gap) = self.gap.take() {
            if row.seq == gap.seq {
                gap.tampering = Tampering::Swapped;
                gap.why = format!("entry {} stands behind a later one", gap.seq);
            }
            self.broken = Some(gap);
        }
        if self.broken.is_none() {
            match self.check(row) {
                Err(gap) if gap.tampering == Tampering::Deleted => {
                    self.gap = Some(gap);
                    return true;
                }
                checked => self.broken = checked.err(),
            }
        }
        if self.broken.is_none() {
            self.seq = row.seq;
            self.hash.clone_from(&row.hash);
            self.compare();
        }
        self.broken.is_none()
    }

    fn check(&self, row: &AuditRow) -> std::result::Result<(), Break> {
        let expected = self.seq + 1;
        let broken = |seq, tampering, why: String| {
            Err(Break {
                seq,
                tampering,
                why,
            })
        };
        if row.seq > expected {
            let why = if row.seq == expected + 1 {
                format!("entry {expected} is missing")
            } else {
                format!("entries {expected} to {} are missing", row.seq - 1)
            };
            return broken(expected, Tampering::Deleted, why);
        }
        if row.seq < expected {
            let why = format!("after entry {} another entry {} follows", self.seq, row.seq);
            return broken(expected, Tampering::Inserted, why);
        }
        let Ok(place) = serde_json::from_str::<Place>(&row.entry) else {
            let why = format!("the text of entry {expected} is not an entry");
            return broken(expected, Tampering::Unreadable, why);
        };
        if place.seq != row.seq {
            let why = format!("in place of entry {expected} stands entry {}", place.seq);
            return broken(expected, Tampering::Swapped, why);
        }
        if link(&self.hash, &row.entry) != row.hash {
            let why = format!("the text of entry {expected} does not fit its hash");
            return broken(expected, Tampering::Edited, why);
        }
        // The columns beside the text are what lists and searches read.
        if place.at != row.at || place.kind != row.kind {
            let why = format!("the columns of entry {expected} do not fit its text");
            return broken(expected, Tampering::Edited, why);
        }
        Ok(())
    }

    /// Takes what stands beside the entry that was taken last: the columns and the index that lists and searches read.
    fn beside(&mut self, row: &AuditRow, column: Option<&AuditActor>, index: &BTreeSet<String>) {
        let fits = serde_json::from_str::<Beside>(&row.entry).is_ok_and(|text| {
            let named = column.is_some_and(|column| {
                (column.actor.as_str(), column.actor_id) == columns(text.actor)
            });
            named && text.subjects == *index
        });
        if self.broken.is_none() && self.gap.is_none() && !fits {
            self.broken = Some(Break {
                seq: row.seq,
                tampering: Tampering::Edited,
                why: format!(
                    "who did entry {} or what it is about stands otherwise beside its text",
                    row.seq
                ),
            });
        }
    }

    fn compare(&mut self) {
        while let Some(checkpoint) = self.checkpoints.get(self.fitting) {
            if checkpoint.size > self.seq {
                return;
            }
            // Of an empty log nothing can differ; sizes below the entry just taken cannot occur.
            if checkpoint.size == self.seq && checkpoint.hash != self.hash {
                self.broken = Some(Break {
                    seq: self.seq,
                    tampering: Tampering::Rewritten,
                    why: format!(
                        "the chain was made anew: entry {} is not the one that the checkpoint of {} signed",
                        self.seq,
                        checkpoint
                            .at
                            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
                    ),
                });
                return;
            }
            self.fitting += 1;
        }
    }

    /// The log is over. `head` is where the database says that it ends.
    pub fn finish(mut self, head: Option<(i64, &[u8])>) -> Verdict {
        self.broken = self.broken.or(self.gap.take());
        if self.broken.is_none() {
            self.compare();
        }
        let beyond = self.checkpoints.last().map(|checkpoint| checkpoint.size);
        let longest = beyond.max(head.map(|(seq, _)| seq)).unwrap_or(0);
        if self.broken.is_none() && longest > self.seq {
            let by = if beyond == Some(longest) {
                "the checkpoint"
            } else {
                "the head of the log"
            };
            self.broken = Some(Break {
                seq: self.seq + 1,
                tampering: Tampering::Truncated,
                why: format!(
                    "the log ends with entry {}, but {by} says that it had {longest}",
                    self.seq
                ),
            });
        }
        if let (None, Some((seq, hash))) = (&self.broken, head)
            && (seq != self.seq || hash != self.hash)
        {
            self.broken = Some(Break {
                seq: seq.min(self.seq) + 1,
                tampering: Tampering::Inserted,
                why: format!(
                    "the log ends with entry {}, but its head says {seq}",
                    self.seq
                ),
            });
        }
        Verdict {
            entries: self.seq,
            hash: self.hash,
            broken: self.broken,
            checkpoints: self.fitting,
        }
    }
}

/// Verifies the log of a database, and that it belongs to the installation that the checkpoints name.
pub async fn verify_store(store: &Store, checkpoints: Vec<Checkpoint>) -> Result<Verdict> {
    let mut verifier = Verifier::new(checkpoints);
    // One snapshot: entries that are appended meanwhile are not looked at.
    let mut tx = store.read().await?;
    let head = tx.audit_head().await?;
    // Also what stands before the first entry: pages would show it.
    let mut after = i64::MIN;
    while verifier.broken.is_none() {
        let rows = tx.audit_after(after, STEP).await?;
        let Some(last) = rows.last() else { break };
        let actors = tx.audit_actors(after, last.seq).await?;
        let mut index: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for line in tx.audit_subjects(after, last.seq).await? {
            index.entry(line.seq).or_default().insert(line.subject);
        }
        after = last.seq;
        for row in &rows {
            if !verifier.take(row) {
                break;
            }
            let column = actors
                .binary_search_by_key(&row.seq, |column| column.seq)
                .ok()
                .map(|at| &actors[at]);
            verifier.beside(row, column, &index.remove(&row.seq).unwrap_or_default());
        }
        if let (None, Some(seq)) = (&verifier.broken, index.keys().next()) {
            verifier.broken = Some(Break {
                seq: *seq,
                tampering: Tampering::Inserted,
                why: format!("the index names an entry {seq} that is not there"),
            });
        }
    }
    Ok(verifier.finish(Some((head.seq, &head.hash))))
}

/// Verifies an export as JSON lines. The file must be the whole log from its first entry.
pub fn verify_lines(file: impl BufRead, checkpoints: Vec<Checkpoint>) -> std::io::Result<Verdict> {
    let mut verifier = Verifier::new(checkpoints);
    for line in file.lines() {
        let line = line?;
        if line.is_empty() {
            continue;
        }
        let row = super::export::read_line(&line).unwrap_or_else(|| AuditRow {
            seq: verifier.seq + 1,
            at: domain::Timestamp::UNIX_EPOCH,
            kind: String::new(),
            entry: line,
            hash: Vec::new(),
        });
        if !verifier.take(&row) {
            break;
        }
    }
    Ok(verifier.finish(None))
}

#[cfg(test)]
mod tests {
    use domain::{
        InstallationId,
        audit::{Actor, Event, EventKind},
    };

    use super::*;
    use crate::audit::{Format, export};

    fn log(length: i64) -> Vec<AuditRow> {
        let mut hash = vec![0; 32];
        (1..=length)
            .map(|seq| {
                let at = Timestamp::from_timestamp(1_772_000_000 + seq, 0).expect("it is a time");
                let entry = Event::new(EventKind::GrantEnded, at, Actor::Portal)
                    .about(format!("gra_{seq}"))
                    .canonical(seq);
                hash = link(&hash, &entry);
                AuditRow {
                    seq,
                    at,
                    kind: "grant_ended".into(),
                    entry,
                    hash: hash.clone(),
                }
            })
            .collect()
    }

    /// Chains the rows anew, as somebody with the database would.
    fn rehash(rows: &mut [AuditRow]) {
        let mut hash = vec![0; 32];
        for row in rows {
            row.hash = link(&hash, &row.entry);
            hash.clone_from(&row.hash);
        }
    }

    fn signed(rows: &[AuditRow]) -> Checkpoint {
        let last = rows.last().expect("the log is not empty");
        Checkpoint {
            installation: InstallationId(uuid::Uuid::from_u128(1)),
            start: 1,
            size: last.seq,
            hash: last.hash.clone(),
            at: last.at,
        }
    }

    fn found(rows: &[AuditRow], checkpoints: &[Checkpoint]) -> Option<(i64, Tampering)> {
        let text: String = rows
            .iter()
            .map(|row| export::line(row, Format::JsonLines))
            .collect();
        verify_lines(text.as_bytes(), checkpoints.to_vec())
            .expect("a string can be read")
            .broken
            .map(|broken| (broken.seq, broken.tampering))
    }

    /// The same for a database, where a row's place stands beside its text.
    fn found_in_rows(rows: &[AuditRow]) -> Option<(i64, Tampering)> {
        let mut verifier = Verifier::new(Vec::new());
        for row in rows {
            verifier.take(row);
        }
        verifier
            .finish(None)
            .broken
            .map(|broken| (broken.seq, broken.tampering))
    }

    #[test]
    fn a_whole_log_is_whole_also_while_it_grows() {
        let rows = log(20);
        let checkpoints = [signed(&rows[..7]), signed(&rows[..20])];
        assert_eq!(found(&rows, &checkpoints), None);
        assert_eq!(found(&rows, &[signed(&rows[..7])]), None);
        assert_eq!(found(&[], &[]), None);
    }

    #[test]
    fn an_edit_is_named() {
        let mut rows = log(20);
        rows[6].entry = rows[6].entry.replace("gra_7", "gra_8");
        assert_eq!(found(&rows, &[]), Some((7, Tampering::Edited)));
        let mut rows = log(20);
        rows[6].hash[0] ^= 1;
        assert_eq!(found(&rows, &[]), Some((7, Tampering::Edited)));
        rows[6].entry = "not an entry".into();
        assert_eq!(found(&rows, &[]), Some((7, Tampering::Unreadable)));
        let mut verifier = Verifier::new(Vec::new());
        let mut row = log(1).remove(0);
        row.kind = "grant_made".into();
        assert!(!verifier.take(&row));
    }

    #[test]
    fn a_deletion_is_named() {
        let mut rows = log(20);
        rows.remove(6);
        assert_eq!(found(&rows, &[]), Some((7, Tampering::Deleted)));
        // Renumbering hides the gap, but the entries say where they stood.
        for row in &mut rows[6..] {
            row.seq -= 1;
        }
        assert_eq!(found_in_rows(&rows), Some((7, Tampering::Swapped)));
        assert_eq!(found(&log(20)[1..], &[]), Some((1, Tampering::Deleted)));
        let mut rows = log(20);
        rows.remove(18);
        assert_eq!(found(&rows, &[]), Some((19, Tampering::Deleted)));
    }

    #[test]
    fn a_swap_is_named() {
        let mut rows = log(20);
        rows.swap(5, 6);
        assert_eq!(found(&rows, &[]), Some((6, Tampering::Swapped)));
        rows[5].seq = 6;
        rows[6].seq = 7;
        assert_eq!(found_in_rows(&rows), Some((6, Tampering::Swapped)));
    }

    #[test]
    fn an_insertion_is_named() {
        let mut rows = log(20);
        let mut forged = rows[6].clone();
        forged.entry = forged.entry.replace("gra_7", "gra_99");
        rows.insert(7, forged);
        assert_eq!(found(&rows, &[]), Some((8, Tampering::Inserted)));
    }

    #[test]
    fn truncation_and_rewriting_show_against_a_checkpoint() {
        let rows = log(20);
        let checkpoint = [signed(&rows)];
        assert_eq!(
            found(&rows[..15], &checkpoint),
            Some((16, Tampering::Truncated))
        );
        assert_eq!(found(&[], &checkpoint), Some((1, Tampering::Truncated)));
        let mut forged = rows;
        forged[6].entry = forged[6].entry.replace("gra_7", "gra_8");
        rehash(&mut forged);
        assert_eq!(found(&forged, &[]), None, "a chain alone proves little");
        assert_eq!(
            found(&forged, &checkpoint),
            Some((20, Tampering::Rewritten))
        );
    }

    #[test]
    fn the_head_of_the_database_counts_too() {
        let rows = log(5);
        let whole = |head: i64| {
            let mut verifier = Verifier::new(Vec::new());
            for row in &rows {
                verifier.take(row);
            }
            verifier.finish(Some((head, &rows[4].hash))).broken
        };
        assert_eq!(whole(5), None);
        assert_eq!(
            whole(6).map(|broken| broken.tampering),
            Some(Tampering::Truncated)
        );
        assert_eq!(
            whole(4).map(|broken| broken.tampering),
            Some(Tampering::Inserted)
        );
    }
}
