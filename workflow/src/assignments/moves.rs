//! How one report moves one assignment. Pure: it is handed the locked row and the instant, and changes nothing else.

use chrono::Duration;
use domain::{
    Timestamp,
    assignment::{
        ATTEMPTS_BEFORE_ATTENTION, Closed, Observed, Origin, Phase, SETTLE_READS, Standing, Step,
        backoff, next_step, origin_after_read, settle_delay,
    },
};
use store::assignments::AssignmentRow;

use super::report::{Call, Evidence, Failure, Next, Problem};

/// A target may show for so long what was before a write. A read sent earlier than this after an opposite write was over
/// confirms nothing: else an addition that becomes visible late would outlive its grant.
pub const READS_MAY_LAG: Duration = Duration::seconds(30);

/// A write whose answer nobody heard, because the process died, may be under way for so long after it was noted: the
/// wait before it is sent, the call itself with all of its requests, and a margin. No connector's call may take longer.
pub const WRITES_END_WITHIN: Duration = Duration::seconds(60);

/// A right that is seen so soon after a write of ours was not there before us, whatever the reads in between said.
/// `docs/architecture.md` says why the last confirmed absence alone does not decide it.
const FOUND_NOT_WITHIN: Duration = Duration::hours(1);

/// When to look again at what cannot be mended from here.
const SLOWLY: Duration = Duration::minutes(15);

/// When to look again at what waits because changes to its whole target wait. Whoever lets them go on wakes it at once.
const CLOSED_AGAIN: Duration = Duration::hours(6);

/// What a write is bound by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    /// An addition is not sent at or after this instant, for by then nobody wants it.
    pub until: Option<Timestamp>,
    /// Why changes to the whole target wait, if they do.
    pub closed: Option<Closed>,
}

/// How a report left an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// How to go on under the same lease.
    pub next: Next,
    /// When to go on under a new one, if not now and not never.
    pub due: Option<Timestamp>,
    /// Whether the target has confirmed what is there.
    pub confirmed: bool,
    /// Whether a person must look who did not have to before.
    pub raised: bool,
}

impl Move {
    const fn on(next: Next) -> Self {
        Self {
            next,
            due: None,
            confirmed: false,
            raised: false,
        }
    }

    const fn at(due: Timestamp) -> Self {
        Self {
            due: Some(due),
            ..Self::on(Next::Rest)
        }
    }
}

/// What to do now with an assignment, by [`next_step`], except that a write of ours which nobody has confirmed yet is
/// undone at once rather than waited for.
pub fn step(row: &AssignmentRow) -> Step {
    let settling = row.settle_reads > 0;
    if row.observed == Observed::Unknown {
        let added_last = row.added_at > row.removed_at;
        let removed_last = row.removed_at > row.added_at;
        if !row.desired && added_last {
            return Step::Remove;
        }
        if row.desired && !row.only_imports && removed_last && row.origin.is_some() {
            return Step::Add;
        }
    }
    next_step(Standing {
        settling,
        ..row.standing()
    })
}

/// Begins or goes on: rests, reads, or notes that a write is about to be sent, so that nothing observed before it is
/// believed after a crash.
pub(super) fn proceed(row: &mut AssignmentRow, now: Timestamp, bounds: Bounds) -> Move {
    let step = step(row);
    if let Some(closed) = bounds.closed.filter(|closed| closed.keeps(step)) {
        return wait_closed(row, closed, now);
    }
    match step {
        Step::Rest => {
            settle(row, now);
            Move::on(Next::Rest)
        }
        Step::Read => Move::on(Next::Read),
        Step::Add => write(row, Call::Add, now, bounds),
        Step::Remove => write(row, Call::Remove, now, bounds),
    }
}

/// A write that was noted waited for its turn: if it is still the one to send it is noted anew, as of now.
pub(super) fn waited(row: &mut AssignmentRow, call: Call, now: Timestamp, bounds: Bounds) -> Move {
    let open = |step| !bounds.closed.is_some_and(|closed| closed.keeps(step));
    let still = match call {
        Call::Add => open(Step::Add) && row.desired && !row.only_imports && row.origin.is_some(),
        Call::Remove => open(Step::Remove) && !row.desired,
        Call::Read => false,
    };
    if still {
        let unanswered = sent_until(row, call) > Some(now + WRITES_END_WITHIN);
        note_write(row, call, now, bounds, unanswered)
    } else {
        proceed(row, now, bounds)
    }
}

fn write(row: &mut AssignmentRow, call: Call, now: Timestamp, bounds: Bounds) -> Move {
    let unanswered = sent_until(row, call) > Some(now);
    note_write(row, call, now, bounds, unanswered)
}

/// Notes a write. If an earlier one of its kind may be under way still, whose answer nobody heard, the note lasts twice
/// as long: the answer of the later one then takes only its own half away.
fn note_write(
    row: &mut AssignmentRow,
    call: Call,
    now: Timestamp,
    bounds: Bounds,
    unanswered: bool,
) -> Move {
    let lasts = WRITES_END_WITHIN * if unanswered { 2 } else { 1 };
    under_way_until(row, call, now + lasts);
    about_to_write(row, now);
    Move::on(Next::Write {
        call,
        until: bounds.until.filter(|_| call == Call::Add),
    })
}

const fn sent_until(row: &AssignmentRow, call: Call) -> Option<Timestamp> {
    match call {
        Call::Add => row.added_at,
        Call::Remove => row.removed_at,
        Call::Read => None,
    }
}

/// A call was answered, well or badly. `sent` is when it was sent.
pub(super) fn answered(row: &mut AssignmentRow, call: Call, sent: Timestamp, now: Timestamp) {
    let over = match sent_until(row, call) {
        Some(noted) if noted > sent + WRITES_END_WITHIN => now.max(noted - WRITES_END_WITHIN),
        _ => now,
    };
    under_way_until(row, call, over);
}

/// Notes until when a write may have been under way: from then on reads begin to be believed. When it was answered, well
/// or badly, that is the answer's instant; before, the longest that it may take.
fn under_way_until(row: &mut AssignmentRow, call: Call, at: Timestamp) {
    // What was sent later stays the later one, also after a write whose answer nobody heard.
    let after = |other: Option<Timestamp>| {
        Some(other.map_or(at, |other| at.max(other + Duration::microseconds(1))))
    };
    match call {
        Call::Add => row.added_at = after(row.removed_at),
        Call::Remove => row.removed_at = after(row.added_at),
        Call::Read => {}
    }
}

fn about_to_write(row: &mut AssignmentRow, now: Timestamp) {
    if row.attempts == 0 && row.phase != Phase::Attention {
        // Nothing failed: it waited for its target, and does no longer.
        row.problem = None;
    }
    row.observed = Observed::Unknown;
    row.settle_reads = 0;
    row.next_at = None;
    row.updated_at = now;
    if row.phase != Phase::Attention {
        row.phase = Phase::Due;
    }
}

fn settle(row: &mut AssignmentRow, now: Timestamp) {
    row.phase = Phase::Settled;
    row.settle_reads = 0;
    row.attempts = 0;
    row.problem = None;
    row.next_at = None;
    row.updated_at = now;
}

/// Whether a right that is seen for the first time was there before us.
pub(super) fn found(row: &AssignmentRow, seen: Observed, now: Timestamp) -> bool {
    let wrote = row.added_at.max(row.removed_at);
    row.origin.is_none()
        && seen == Observed::Present
        && wrote.is_none_or(|at| now - at >= FOUND_NOT_WITHIN)
}

/// A read told what is there. `asked` is when it was sent.
pub(super) fn seen(
    row: &mut AssignmentRow,
    seen: Observed,
    asked: Timestamp,
    now: Timestamp,
    bounds: Bounds,
) -> Move {
    let agrees = (seen == Observed::Present) == row.desired;
    let opposite = match seen {
        Observed::Present => row.removed_at,
        Observed::Absent | Observed::Unknown => row.added_at,
    };
    let believable_at = opposite.map_or(asked, |at| at + READS_MAY_LAG);
    row.updated_at = now;
    if agrees {
        if asked < believable_at {
            // It may still show what was before our write: look again, at the latest when it no longer can.
            let left = believable_at - now;
            let wait = if left > Duration::seconds(1) {
                left / 2
            } else {
                left
            };
            return wait_until(row, now + wait.max(Duration::milliseconds(10)));
        }
        row.origin = origin_of(row, seen, now);
        row.observed = seen;
        row.observed_at = Some(asked);
        settle(row, now);
        return Move {
            confirmed: true,
            ..Move::on(Next::Rest)
        };
    }
    if row.settle_reads > 0 {
        row.settle_reads += 1;
        if row.settle_reads <= i64::from(SETTLE_READS) {
            let delay = settle_delay(u32::try_from(row.settle_reads - 1).unwrap_or(u32::MAX));
            return wait_until(row, now + delay);
        }
        row.settle_reads = 0;
        row.attempts += 1;
        let raised = row.attempts >= i64::from(ATTEMPTS_BEFORE_ATTENTION) && raise(
            row,
            Problem {
                what: "The target accepts the change every time, but does not show it afterwards.".into(),
                fix: "Look at the group and the account at the target: something else may change them back, or the target may have a fault.".into(),
                call: if row.desired { Call::Add } else { Call::Remove },
                status: None,
                request_id: None,
                attempts: row.attempts,
                since: now,
            },
        );
        return Move {
            raised,
            ..write_after(row, seen, asked, now, bounds)
        };
    }
    write_after(row, seen, asked, now, bounds)
}

fn write_after(
    row: &mut AssignmentRow,
    seen: Observed,
    asked: Timestamp,
    now: Timestamp,
    bounds: Bounds,
) -> Move {
    row.origin = origin_of(row, seen, now);
    row.observed = seen;
    row.observed_at = Some(asked);
    let rests = step(row) == Step::Rest;
    Move {
        confirmed: rests,
        ..proceed(row, now, bounds)
    }
}

fn origin_of(row: &AssignmentRow, seen: Observed, now: Timestamp) -> Option<Origin> {
    let after = origin_after_read(row.origin, seen, row.desired);
    if after == Some(Origin::Found) && row.origin.is_none() && !found(row, seen, now) {
        return Some(Origin::Ours);
    }
    after
}

fn wait_until(row: &mut AssignmentRow, due: Timestamp) -> Move {
    row.next_at = Some(due);
    if row.phase != Phase::Attention {
        row.phase = Phase::Settling;
    }
    Move::at(due)
}

/// The target accepted a write, or said that it is so already: either way a read must agree.
pub(super) fn accepted(
    row: &mut AssignmentRow,
    now: Timestamp,
    bounds: Bounds,
    call: Call,
) -> Move {
    row.updated_at = now;
    if (call == Call::Add) != row.desired {
        // It is no longer wanted: undone at once.
        return proceed(row, now, bounds);
    }
    row.settle_reads = 1;
    if row.phase == Phase::Attention && row.attempts < i64::from(ATTEMPTS_BEFORE_ATTENTION) {
        row.phase = Phase::Settling;
    }
    wait_until(row, now + settle_delay(0))
}

/// The target took a write on and does it later. It is asked again after a while, and at once when somebody says that it is
/// done; what is asked for meanwhile is asked for again, which is harmless.
pub(super) fn pending(
    row: &mut AssignmentRow,
    now: Timestamp,
    bounds: Bounds,
    call: Call,
    after: Duration,
) -> Move {
    row.updated_at = now;
    if (call == Call::Add) != row.desired {
        return proceed(row, now, bounds);
    }
    row.settle_reads = 0;
    if row.phase == Phase::Attention {
        // Somebody is at it again.
        row.phase = Phase::Settling;
        row.problem = None;
        row.attempts = 0;
    }
    wait_until(row, now + after)
}

/// A call failed.
pub(super) fn failed(
    row: &mut AssignmentRow,
    call: Call,
    failure: &Failure,
    evidence: &Evidence,
    now: Timestamp,
    jitter: f64,
) -> Move {
    row.updated_at = now;
    let problem = |what: &str, fix: &str, attempts: i64| Problem {
        what: what.to_owned(),
        fix: fix.to_owned(),
        call,
        status: evidence.status,
        request_id: evidence.request_id.clone(),
        attempts,
        since: now,
    };
    let (due, raised) = match failure {
        Failure::Later {
            after,
            throttled,
            why,
        } => {
            if !throttled {
                row.attempts += 1;
            }
            let tries = u32::try_from(row.attempts.max(1)).unwrap_or(u32::MAX);
            let raised = row.attempts >= i64::from(ATTEMPTS_BEFORE_ATTENTION)
                && raise(
                    row,
                    problem(
                        &format!(
                            "The target did not do it in {} tries. It last said: {why}",
                            row.attempts
                        ),
                        "It is tried again by itself. If it goes on, look at the target's own status page, and quote the request id to its support.",
                        row.attempts,
                    ),
                );
            (now + backoff(tries, jitter, *after), raised)
        }
        Failure::Never { why, fix } => {
            row.attempts += 1;
            let raised = raise(row, problem(why, fix, row.attempts));
            (now + SLOWLY, raised)
        }
        Failure::Misconfigured { what, fix, .. } => {
            row.attempts += 1;
            let raised = raise(row, problem(what, fix, row.attempts));
            (now + Duration::minutes(5), raised)
        }
    };
    row.next_at = Some(due);
    if row.phase == Phase::Settled {
        row.phase = Phase::Due;
    }
    Move {
        raised,
        ..Move::at(due)
    }
}

/// Changes to the whole target wait. Whose the right is, is decided anew before the first write, for somebody may give it there
/// meanwhile.
fn wait_closed(row: &mut AssignmentRow, closed: Closed, now: Timestamp) -> Move {
    if row.desired && row.added_at.is_none() {
        row.origin = None;
    }
    let since = row
        .problem
        .as_deref()
        .and_then(Problem::read)
        .map_or(now, |before| before.since);
    row.problem = serde_json::to_string(&Problem::closed(closed, row.desired, since)).ok();
    row.phase = Phase::Due;
    row.attempts = 0;
    row.settle_reads = 0;
    row.updated_at = now;
    blocked(row, now + CLOSED_AGAIN)
}

/// The target may not be called yet.
pub(super) fn blocked(row: &mut AssignmentRow, until: Timestamp) -> Move {
    row.next_at = Some(until);
    Move::at(until)
}

/// Says that a person must look. True if nobody was told before.
fn raise(row: &mut AssignmentRow, mut problem: Problem) -> bool {
    let fresh = row.phase != Phase::Attention;
    if let Some(before) = row
        .problem
        .as_deref()
        .and_then(Problem::read)
        .filter(|_| !fresh)
    {
        problem.since = before.since;
    }
    row.phase = Phase::Attention;
    row.problem = serde_json::to_string(&problem).ok();
    fresh
}

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use domain::{AccountId, AssignmentId, EntitlementId, PersonId, TargetId};
    use uuid::Uuid;

    use super::*;

    const FREE: Bounds = Bounds {
        until: None,
        closed: None,
    };

    fn at(seconds: i64) -> Timestamp {
        chrono::Utc
            .timestamp_opt(1_800_000_000 + seconds, 0)
            .single()
            .expect("an instant")
    }

    fn wanted(desired: bool) -> AssignmentRow {
        AssignmentRow {
            id: AssignmentId(Uuid::nil()),
            account_id: AccountId(Uuid::nil()),
            person_id: PersonId(Uuid::nil()),
            entitlement_id: EntitlementId(Uuid::nil()),
            target_id: TargetId(Uuid::nil()),
            lane: String::new(),
            desired,
            only_imports: false,
            desired_since: at(0),
            observed: Observed::Unknown,
            observed_at: None,
            origin: None,
            phase: Phase::Due,
            settle_reads: 0,
            attempts: 0,
            next_at: None,
            problem: None,
            added_at: None,
            removed_at: None,
            updated_at: at(0),
            version: 0,
        }
    }

    #[test]
    fn what_is_done_later_is_no_failure_and_is_undone_when_nobody_wants_it() {
        let mut row = wanted(true);
        seen(&mut row, Observed::Absent, at(1), at(1), FREE);
        answered(&mut row, Call::Add, at(1), at(2));
        let moved = pending(&mut row, at(2), FREE, Call::Add, Duration::hours(6));
        assert_eq!(moved.due, Some(at(2) + Duration::hours(6)));
        assert_eq!((row.attempts, row.phase), (0, Phase::Settling));
        // Nobody has done it yet: it is asked for again, without counting as a failure.
        let moved = seen(&mut row, Observed::Absent, at(30_000), at(30_000), FREE);
        assert!(matches!(
            moved.next,
            Next::Write {
                call: Call::Add,
                ..
            }
        ));
        answered(&mut row, Call::Add, at(30_000), at(30_001));
        pending(&mut row, at(30_001), FREE, Call::Add, Duration::hours(6));
        assert_eq!(row.attempts, 0);
        // The grant ends before anybody has done it: it may be half done, so it is taken away.
        row.desired = false;
        assert_eq!(step(&row), Step::Remove);
    }

    #[test]
    fn what_waits_for_its_target_is_not_written_and_whose_it_is_stays_open() {
        let closed = |closed| Bounds {
            closed: Some(closed),
            ..FREE
        };
        for why in Closed::ALL {
            let mut row = wanted(true);
            let moved = seen(&mut row, Observed::Absent, at(1), at(1), closed(*why));
            assert_eq!((moved.next, moved.raised), (Next::Rest, false));
            assert!(moved.due.is_some(), "it is looked at again");
            assert_eq!(
                (row.phase, row.added_at, row.origin),
                (Phase::Due, None, None)
            );
            assert!(row.problem.is_some(), "with its reason");
            // Somebody gave it there meanwhile: it was there before us.
            let moved = seen(&mut row, Observed::Present, at(9), at(9), closed(*why));
            assert!(moved.confirmed && row.origin == Some(Origin::Found));

            // A turn that was waited for while the target was closed is not used.
            let mut row = wanted(true);
            seen(&mut row, Observed::Absent, at(1), at(1), FREE);
            let moved = waited(&mut row, Call::Add, at(2), closed(*why));
            assert!(!matches!(moved.next, Next::Write { .. }), "{moved:?}");

            let mut row = wanted(false);
            let moved = seen(&mut row, Observed::Present, at(1), at(1), closed(*why));
            let taken = matches!(moved.next, Next::Write { .. });
            assert_eq!(
                taken,
                *why == Closed::Restored,
                "removals go on after a restore"
            );
        }
        // Let go on, it is asked once more before it is given.
        let mut row = wanted(true);
        seen(
            &mut row,
            Observed::Absent,
            at(1),
            at(1),
            closed(Closed::Shadow),
        );
        assert_eq!(proceed(&mut row, at(5), FREE).next, Next::Read);
        seen(&mut row, Observed::Absent, at(6), at(6), FREE);
        assert_eq!((row.origin, row.problem), (Some(Origin::Ours), None));
    }

    #[test]
    fn what_was_observed_before_a_write_is_not_believed_after_it() {
        let mut row = wanted(true);
        let moved = seen(&mut row, Observed::Absent, at(1), at(1), FREE);
        assert!(matches!(
            moved.next,
            Next::Write {
                call: Call::Add,
                ..
            }
        ));
        assert_eq!(
            (row.observed, row.origin),
            (Observed::Unknown, Some(Origin::Ours))
        );
        // Nobody wants it any more, and the process died: the addition may be there, so it is undone without asking.
        row.desired = false;
        assert_eq!(step(&row), Step::Remove);
    }

    #[test]
    fn a_read_soon_after_the_opposite_write_confirms_nothing() {
        let mut row = wanted(false);
        (row.added_at, row.removed_at) = (Some(at(0)), Some(at(1)));
        let early = seen(&mut row, Observed::Absent, at(2), at(2), FREE);
        assert!(!early.confirmed && early.due.is_some_and(|due| due > at(2)));
        assert_eq!(row.observed, Observed::Unknown);
        let late = seen(&mut row, Observed::Absent, at(30), at(30), FREE);
        assert!(late.confirmed);
        assert_eq!(
            (row.observed, row.phase, row.origin),
            (Observed::Absent, Phase::Settled, None)
        );
    }

    #[test]
    fn a_write_is_doubted_from_its_answer_and_before_that_as_long_as_it_may_take() {
        let mut row = wanted(true);
        let Next::Write { call, .. } = seen(&mut row, Observed::Absent, at(0), at(0), FREE).next
        else {
            panic!("it is added")
        };
        assert_eq!(row.added_at, Some(at(0) + WRITES_END_WITHIN));
        // It waited for its turn and is noted anew.
        let again = waited(&mut row, call, at(47), FREE).next;
        assert!(matches!(
            again,
            Next::Write {
                call: Call::Add,
                ..
            }
        ));
        assert_eq!(row.added_at, Some(at(47) + WRITES_END_WITHIN));
        // Answered, well or badly: from then on.
        under_way_until(&mut row, call, at(57));
        assert_eq!(row.added_at, Some(at(57)));
        row.desired = false;
        assert_eq!(step(&row), Step::Remove);
        let gone = proceed(&mut row, at(58), FREE).next;
        assert!(matches!(
            gone,
            Next::Write {
                call: Call::Remove,
                ..
            }
        ));
        under_way_until(&mut row, Call::Remove, at(58));
        // The late addition could still show up.
        let early = seen(&mut row, Observed::Absent, at(59), at(59), FREE);
        assert!(!early.confirmed);
        // Nobody wants to wait with what is not to be sent any more.
        let nothing = waited(&mut row, Call::Add, at(60), FREE).next;
        assert_eq!(nothing, Next::Read);
    }

    #[test]
    fn of_two_writes_the_one_sent_later_stays_the_later_one() {
        let mut row = wanted(true);
        row.origin = Some(Origin::Ours);
        row.observed = Observed::Absent;
        proceed(&mut row, at(0), FREE);
        // Nobody heard the answer; the removal is answered at once.
        row.desired = false;
        proceed(&mut row, at(1), FREE);
        under_way_until(&mut row, Call::Remove, at(2));
        assert!(row.removed_at > row.added_at);
        assert_eq!(step(&row), Step::Read);
        let read = at(0) + WRITES_END_WITHIN;
        assert!(!seen(&mut row, Observed::Absent, read, read, FREE).confirmed);
    }

    #[test]
    fn ours_never_becomes_found() {
        let mut row = wanted(true);
        row.removed_at = Some(at(0));
        assert!(!found(&row, Observed::Present, at(1800)));
        assert_eq!(
            origin_of(&row, Observed::Present, at(1800)),
            Some(Origin::Ours)
        );
        row.origin = Some(Origin::Ours);
        assert_eq!(
            origin_of(&row, Observed::Present, at(90_000)),
            Some(Origin::Ours)
        );
        let fresh = wanted(true);
        assert_eq!(
            origin_of(&fresh, Observed::Present, at(1)),
            Some(Origin::Found)
        );
    }

    #[test]
    fn a_write_that_never_shows_ends_in_attention_and_goes_on() {
        let mut row = wanted(true);
        let mut now = at(0);
        let mut next = seen(&mut row, Observed::Absent, now, now, FREE).next;
        let (mut writes, mut raised) = (0, 0);
        for _ in 0..200 {
            match next {
                Next::Write { call, .. } => {
                    writes += 1;
                    let moved = accepted(&mut row, now, FREE, call);
                    now = moved.due.expect("a read is due");
                    next = Next::Read;
                }
                Next::Read => {
                    let moved = seen(&mut row, Observed::Absent, now, now, FREE);
                    raised += usize::from(moved.raised);
                    next = if moved.next == Next::Rest {
                        Next::Read
                    } else {
                        moved.next
                    };
                    now = moved.due.unwrap_or(now);
                }
                Next::Rest | Next::Lost => panic!("it rests although it is not there"),
            }
        }
        assert!(
            writes > 10 && raised == 1,
            "{writes} writes, raised {raised} times"
        );
        assert_eq!(row.phase, Phase::Attention);
        let problem = row
            .problem
            .as_deref()
            .and_then(Problem::read)
            .expect("it is explained");
        assert!(problem.what.contains("does not show it"));
    }

    #[test]
    fn patience_does_not_count_as_failure() {
        let mut row = wanted(true);
        let failure = Failure::Later {
            after: Some(Duration::seconds(2)),
            throttled: true,
            why: "429".into(),
        };
        for _ in 0..50 {
            let moved = failed(
                &mut row,
                Call::Add,
                &failure,
                &Evidence::default(),
                at(0),
                0.5,
            );
            assert!(!moved.raised && moved.due >= Some(at(2)));
        }
        assert_eq!((row.attempts, row.phase), (0, Phase::Due));
    }
}
