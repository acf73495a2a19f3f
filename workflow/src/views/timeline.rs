//! The timeline of a line: what happened and what will, in order.

use domain::{
    Timestamp,
    approval::StageState,
    assignment::{Observed, Phase},
    deadline::warnings,
    grant::{End, EndReason, GrantState, Health},
    policy::ApproverRule,
    request::{Length, LineKind, LineState, Start},
};
use serde::Deserialize;
use store::views::{
    grants::{HeldPartRow, HeldRow},
    request::FullLineRow,
};

use super::{
    Mark, PersonTag,
    make::health_of,
    request::{StageView, Step, What},
};

/// What screening found, as the line keeps it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Screening {
    eligible: Vec<String>,
    department: String,
    employee_type: String,
    stages: Vec<ApproverRule>,
}

/// The grant behind a line, with its parts.
pub(super) struct Given<'a> {
    pub grant: &'a HeldRow,
    pub parts: &'a [&'a HeldPartRow],
}

/// All steps of a line. `rights` is how many rights the edition contains; `extended` the end now of the grant that an
/// extension is for.
pub(super) fn steps(
    line: &FullLineRow,
    stages: &[StageView],
    given: Option<&Given<'_>>,
    rights: usize,
    extended: Option<End>,
    now: Timestamp,
) -> Vec<Step> {
    let mut steps = vec![asked(line), checked(line)];
    steps.extend(stages.iter().filter_map(stage));
    after_open(line, stages, now, &mut steps);
    if let Some(since) = line.waits_since {
        let waits = line.state == LineState::AwaitingApproval;
        steps.push(Step {
            mark: if waits { Mark::Now } else { Mark::Done },
            at: Some(since),
            what: What::WaitsForException {
                until: waits.then(|| line.pending().latest()),
            },
        });
    }
    match (line.state, given) {
        (LineState::AwaitingApproval, _) => ahead(line, rights, &mut steps),
        // The stage that said no, or nothing, tells it.
        (LineState::Denied, _) => {}
        (
            LineState::Cancelled | LineState::Lapsed | LineState::Superseded | LineState::Withdrawn,
            _,
        ) => {
            let by = line
                .ended_by
                .map(|by| PersonTag::new(by, line.ended_by_name.clone().unwrap_or_default()));
            steps.push(Step {
                mark: Mark::Bad,
                at: line.ended_at,
                what: What::Closed {
                    state: line.state,
                    by,
                    why: line.ended_why.clone(),
                },
            });
        }
        (LineState::Approved, given) => {
            steps.push(done(
                line.ended_at,
                What::Approved {
                    by_policy: stages.is_empty(),
                },
            ));
            match given {
                Some(given) => holding(given, now, &mut steps),
                None if line.kind == LineKind::Extension && line.ended_why.is_none() => {
                    steps.push(done(line.ended_at, What::Extended { end: extended }));
                }
                None => steps.push(Step {
                    mark: Mark::Bad,
                    at: line.ended_at,
                    what: What::NothingGiven {
                        why: line.ended_why.clone(),
                    },
                }),
            }
        }
    }
    steps
}

fn done(at: Option<Timestamp>, what: What) -> Step {
    Step {
        mark: Mark::Done,
        at,
        what,
    }
}

fn later(at: Option<Timestamp>, what: What) -> Step {
    Step {
        mark: Mark::Ahead,
        at,
        what,
    }
}

fn asked(line: &FullLineRow) -> Step {
    let by = PersonTag::new(line.asker_id, line.asker_name.clone());
    let reason = line.reason.clone();
    done(Some(line.submitted_at), What::Asked { by, reason })
}

fn checked(line: &FullLineRow) -> Step {
    // Of an older version's screening only what is understood is shown.
    let found: Screening = serde_json::from_str(&line.screening).unwrap_or_default();
    done(
        Some(line.submitted_at),
        What::Checked {
            eligible: found.eligible,
            department: found.department,
            employee_type: found.employee_type,
            stages: found.stages,
        },
    )
}

fn stage(stage: &StageView) -> Option<Step> {
    let (mark, at) = match stage.state {
        StageState::Met | StageState::MetByAsking | StageState::Collapsed => {
            (Mark::Done, stage.closed_at)
        }
        StageState::Open if stage.stuck => (Mark::Bad, stage.opened_at),
        StageState::Open => (Mark::Now, stage.opened_at),
        StageState::Waiting => (Mark::Ahead, None),
        StageState::Denied | StageState::Unanswered => (Mark::Bad, stage.closed_at),
        StageState::PassedOn => (Mark::Done, stage.closed_at),
        // A stage that never opened says nothing once the line is over.
        StageState::Closed => (Mark::Done, Some(stage.opened_at?)),
    };
    Some(Step {
        mark,
        at,
        what: What::Stage(stage.clone()),
    })
}

/// A question that waits, and the last nudge: beside the stage that is open.
fn after_open(line: &FullLineRow, stages: &[StageView], now: Timestamp, steps: &mut Vec<Step>) {
    let open = |stage: &StageView| stage.state == StageState::Open;
    let Some(opened) = stages.iter().find(|stage| open(stage)) else {
        return;
    };
    let at = steps
        .iter()
        .position(|step| matches!(&step.what, What::Stage(stage) if stage.id == opened.id))
        .map_or(steps.len(), |at| at + 1);
    if let Some(asked) = line.asked_back_at {
        let clock = line.pending();
        let step = Step {
            mark: Mark::Now,
            at: Some(asked),
            what: What::AskedBack {
                stands_until: clock.stands_until().filter(|_| clock.is_still(now)),
            },
        };
        steps.insert(at, step);
    }
    if let Some(nudged) = line.nudged_at.filter(|at| opened.opened_at <= Some(*at)) {
        steps.insert(at, done(Some(nudged), What::Nudged));
    }
}

/// What will happen if everybody says yes.
fn ahead(line: &FullLineRow, rights: usize, steps: &mut Vec<Step>) {
    let window = line.window();
    let until = match window.length {
        Length::Until(at) => Some(at),
        Length::Seconds(_) | Length::Permanent => None,
    };
    if line.kind == LineKind::Extension {
        let end = until.map_or(End::Permanent, End::At);
        steps.push(later(None, What::Extended { end: Some(end) }));
        return;
    }
    if let Start::At(at) = window.start {
        steps.push(later(Some(at), What::Starts));
    }
    let set_up = What::SetUp {
        confirmed: 0,
        of: rights,
        attention: false,
    };
    steps.push(later(None, set_up));
    steps.push(later(None, What::Ready));
    if window.length != Length::Permanent {
        let ends = What::Ends {
            reason: None,
            by: None,
            note: None,
        };
        steps.push(later(until, ends));
        steps.push(later(
            None,
            What::Gone {
                health: Health::Gone,
            },
        ));
    }
}

/// From the start of a grant to the proof of its end.
fn holding(given: &Given<'_>, now: Timestamp, steps: &mut Vec<Step>) {
    let grant = given.grant;
    let over = grant.state == GrantState::Ended;
    let begun = grant.state != GrantState::Scheduled
        && grant.ended_at.is_none_or(|at| at > grant.valid_from);
    if !begun || grant.valid_from > steps.last().and_then(|step| step.at).unwrap_or(now) {
        let mark = if begun { Mark::Done } else { Mark::Ahead };
        if begun || !over {
            steps.push(Step {
                mark,
                at: Some(grant.valid_from),
                what: What::Starts,
            });
        }
    }
    if begun || !over {
        set_up(given, begun, over, steps);
    }
    for (warning, at) in warnings(grant.valid_from, grant.end()) {
        let sent = at <= grant.ended_at.unwrap_or(now) && begun;
        if sent || !over {
            let mark = if sent { Mark::Done } else { Mark::Ahead };
            steps.push(Step {
                mark,
                at: Some(at),
                what: What::Warned { warning },
            });
        }
    }
    end(given, over, steps);
}

fn set_up(given: &Given<'_>, begun: bool, over: bool, steps: &mut Vec<Step>) {
    let grant = given.grant;
    let there = |part: &&&HeldPartRow| part.observed == Some(Observed::Present);
    let confirmed = given.parts.iter().filter(there).count();
    let attention = given
        .parts
        .iter()
        .any(|part| part.phase == Some(Phase::Attention));
    let of = given.parts.len();
    let mark = match (begun, grant.ready_at) {
        (false, _) => Mark::Ahead,
        (true, Some(_)) => Mark::Done,
        (true, None) if attention || over => Mark::Bad,
        (true, None) => Mark::Now,
    };
    let what = What::SetUp {
        // What was once confirmed everywhere was; what the target says now is told beside it.
        confirmed: if grant.ready_at.is_some() {
            of
        } else {
            confirmed
        },
        of,
        attention,
    };
    steps.push(Step {
        mark,
        at: begun.then_some(grant.valid_from),
        what,
    });
    match grant.ready_at {
        Some(at) => steps.push(done(Some(at), What::Ready)),
        None if !over => steps.push(later(None, What::Ready)),
        None => {}
    }
}

fn end(given: &Given<'_>, over: bool, steps: &mut Vec<Step>) {
    let grant = given.grant;
    if !over {
        if let Some(at) = grant.end_at {
            let ends = What::Ends {
                reason: None,
                by: None,
                note: None,
            };
            steps.push(later(Some(at), ends));
            let gone = What::Gone {
                health: Health::Gone,
            };
            steps.push(later(None, gone));
        }
        return;
    }
    let by = grant
        .ended_by
        .map(|by| PersonTag::new(by, grant.ended_by_name.clone().unwrap_or_default()));
    let planned = matches!(
        grant.end_reason,
        Some(EndReason::Expired | EndReason::Returned)
    );
    steps.push(Step {
        mark: if planned { Mark::Done } else { Mark::Bad },
        at: grant.ended_at,
        what: What::Ends {
            reason: grant.end_reason,
            by,
            note: grant.end_note.clone(),
        },
    });
    let health = health_of(grant.state, grant.gone_at, given.parts);
    steps.push(Step {
        mark: match health {
            Health::Gone => Mark::Done,
            Health::Attention => Mark::Bad,
            _ => Mark::Now,
        },
        at: grant.gone_at,
        what: What::Gone { health },
    });
}
