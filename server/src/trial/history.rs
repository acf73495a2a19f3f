//! A year of the sample company, played through the same doors as everything else: people ask, the right people decide,
//! the worker makes the sandbox match over HTTP, time passes, and some work is left waiting for each persona.
//!
//! What happens is drawn from a seed; the clock walks from one act to the next, and everything that falls due in between
//! (starts, ends, warnings, lapses) is done at its time.

mod actors;
mod by_hand;
mod chance;
mod duties;
pub(super) mod editions;
mod everyday;
mod holding;
mod reviews;
mod script;
mod talk;

use std::collections::BTreeMap;

use chrono::Duration;
use domain::{
    CampaignId, ExceptionId, GrantId, LineId, Refusal, Timestamp,
    approval::{StageState, Verdict},
    deputy::Scope,
    request::{LineState, Window},
};
use provisioner::directory;
use sandbox::company;
use workflow::{
    access::Viewer,
    decide::{self, Vote},
    deputies::{self, NewDeputy},
    grants,
    requests::{self, MoreTime},
};

use self::{actors::Actors, chance::Chance, everyday::Mood};
use super::Past;

/// The same year every time.
const SEED: u64 = 11;
/// A safety net: nothing that is played goes on for ever.
const MOST_ACTS: usize = 20_000;

/// Something that somebody does at an instant.
#[derive(Clone, Debug)]
enum Act {
    /// Somebody asks.
    Ask(Asking),
    /// Whoever may decide a line does so, as often as is left.
    Decide {
        line: LineId,
        left: u32,
        mood: Mood,
        then: Then,
    },
    /// The asker takes a line back.
    Cancel(LineId),
    /// The holder gives a grant back.
    GiveBack(GrantId),
    /// Somebody names who stands in for them.
    StandIn(script::StandIn),
    /// The holder asks for more time; so many decisions follow.
    Extend {
        grant: GrantId,
        seconds: i64,
        left: u32,
    },
    /// Somebody's account is disabled in the directory.
    Leave(&'static str),
    /// A group is turned over to the on-premises directory.
    TurnOver(&'static str),
    /// Something is said about a line that waits.
    Talk(talk::About, talk::Talk),
    /// A catalogue edition.
    Edition(editions::Edition),
    /// Somebody does something with what somebody holds.
    Handle(&'static holding::Handled),
    /// Security begins a review.
    Review(&'static reviews::Reviewed),
    /// Somebody takes a step of one.
    Step(CampaignId, reviews::Step),
    /// What waits to be done by hand is done.
    ByHand,
    /// Somebody proposes an exception from a rule.
    Tolerate(&'static duties::Tolerated),
    /// Somebody says a word about one.
    Say(ExceptionId, duties::Said),
}

/// What follows when a line has been approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It is held to its end.
    Hold,
    /// It is given back after a part of its time.
    GiveBack,
    /// More time is asked for shortly before the end.
    Extend,
    /// More time is asked for after so many minutes, and nobody has decided yet.
    ExtendWaiting { minutes: i64 },
}

/// One ask with what becomes of it.
#[derive(Clone, Debug)]
struct Asking {
    user: uuid::Uuid,
    package: String,
    window: Window,
    reason: String,
    mood: Mood,
    /// How many decisions are taken; the rest is left waiting.
    left: u32,
    then: Then,
}

/// Plays the year.
pub(super) async fn play(past: &Past<'_>) -> Result<(), String> {
    let mut year = Year::begin(past).await?;
    let mut acts = 0;
    while let Some(((at, _), act)) = year.acts.pop_first() {
        if at >= past.until || acts >= MOST_ACTS {
            break;
        }
        acts += 1;
        past.worker
            .walk(at, std::time::Duration::ZERO, &|_| {})
            .await
            .map_err(|error| error.to_string())?;
        match year.act(act.clone()).await {
            Ok(()) => {}
            // A rule said no, or the moment has passed: as in any year.
            Err(
                workflow::Error::Refused(_)
                | workflow::Error::Missing
                | workflow::Error::Forbidden
                | workflow::Error::Stale,
            ) => tracing::debug!(?act, "did not happen"),
            Err(error) => return Err(format!("{act:?}: {error}")),
        }
    }
    Ok(())
}

struct Year<'a> {
    past: &'a Past<'a>,
    actors: Actors,
    chance: Chance,
    acts: BTreeMap<(Timestamp, usize), Act>,
    planned: usize,
}

impl<'a> Year<'a> {
    async fn begin(past: &'a Past<'a>) -> Result<Self, String> {
        // Those who have left since were still here a year ago.
        for (name, _) in script::LEAVERS {
            set_enabled(past, name, true);
        }
        read_directory(past).await?;
        let from = past.workflow.clock().now();
        let actors = Actors::load(past)
            .await
            .map_err(|error| error.to_string())?;
        let mut year = Self {
            past,
            actors,
            chance: Chance::new(SEED),
            acts: BTreeMap::new(),
            planned: 0,
        };
        for (at, asking) in everyday::plan(&mut year.chance, &year.actors, from, past.until) {
            year.plan(at, Act::Ask(asking));
        }
        for (before, act) in script::acts(past.until) {
            year.plan(past.until - before, act);
        }
        for (at, act) in by_hand::acts(from, past.until) {
            year.plan(at, act);
        }
        Ok(year)
    }

    fn plan(&mut self, at: Timestamp, act: Act) {
        self.planned += 1;
        self.acts.insert((at, self.planned), act);
    }

    fn soon(&mut self, minutes: i64, act: Act) {
        let at = self.past.workflow.clock().now() + Duration::minutes(minutes);
        self.plan(at, act);
    }

    async fn act(&mut self, act: Act) -> workflow::Result<()> {
        let workflow = self.past.workflow;
        match act {
            Act::Ask(asking) => self.ask(asking).await,
            Act::Decide {
                line,
                left,
                mood,
                then,
            } => self.decide(line, left, mood, then).await,
            Act::Cancel(line) => {
                let row = self.line(line).await?;
                let viewer = self.actors.viewer(workflow, row.asker_id).await?;
                requests::cancel(workflow, &viewer, line).await
            }
            Act::GiveBack(grant) => {
                let mut tx = workflow.store().read().await?;
                let row = tx.grant(grant).await?.ok_or(workflow::Error::Missing)?;
                drop(tx);
                let viewer = self.actors.viewer(workflow, row.person_id).await?;
                grants::give_back(workflow, &viewer, grant).await
            }
            Act::StandIn(wanted) => self.stand_in(wanted).await,
            Act::Extend {
                grant,
                seconds,
                left,
            } => self.extend(grant, seconds, left).await,
            Act::Talk(about, what) => self.talk(about, what).await,
            Act::Leave(name) => {
                set_enabled(self.past, name, false);
                read_directory(self.past)
                    .await
                    .map_err(workflow::Error::internal)
            }
            Act::TurnOver(group) => {
                let id = company::group(group);
                let known = self.past.sandbox.directory();
                if let Some(mut found) = known.groups.into_iter().find(|one| one.id == id) {
                    found.on_premises_sync_enabled = Some(true);
                    self.past.sandbox.put_group(found);
                }
                Ok(())
            }
            Act::Handle(handled) => holding::handle(self.past, &self.actors, handled).await,
            Act::Tolerate(tolerated) => {
                let (id, says) = duties::propose(self.past, &self.actors, tolerated).await?;
                for said in says {
                    self.soon(said.minutes, Act::Say(id, *said));
                }
                Ok(())
            }
            Act::Review(reviewed) => {
                let (id, steps) = reviews::begin(self.past, &self.actors, reviewed).await?;
                for (minutes, step) in steps {
                    self.soon(*minutes, Act::Step(id, *step));
                }
                Ok(())
            }
            Act::ByHand => by_hand::look(self.past, &self.actors).await,
            Act::Step(id, step) => reviews::step(self.past, &self.actors, id, step).await,
            Act::Say(id, said) => duties::say(self.past, &self.actors, id, said).await,
            Act::Edition(edition) => {
                if let Some((minutes, next)) =
                    editions::hand_in(self.past, &self.actors, edition).await?
                {
                    self.soon(minutes, Act::Edition(next));
                }
                Ok(())
            }
        }
    }

    async fn ask(&mut self, asking: Asking) -> workflow::Result<()> {
        let workflow = self.past.workflow;
        let person = self
            .actors
            .person(asking.user)
            .ok_or(workflow::Error::Missing)?;
        let offer = self
            .actors
            .offer(&asking.package)
            .ok_or(workflow::Error::Missing)?;
        let answers = everyday::answers(&mut self.chance, &offer.policy);
        let ask = requests::NewAsk {
            confirmed: false,
            package: offer.id,
            window: asking.window,
            reason: asking.reason,
            answers,
            key: format!(
                "year-{}-{}",
                self.planned,
                workflow.clock().now().timestamp_micros()
            ),
        };
        let viewer = self.actors.viewer(workflow, person).await?;
        let request = requests::ask(workflow, &viewer, ask).await?;
        let mut tx = workflow.store().read().await?;
        let lines = tx.lines_of_request(request).await?;
        drop(tx);
        for line in lines {
            self.follow(line.id, asking.left, asking.mood, asking.then)
                .await?;
        }
        Ok(())
    }

    /// What comes next of a line: another decision, a change of mind, silence, or the use of what was approved.
    async fn follow(
        &mut self,
        line: LineId,
        left: u32,
        mood: Mood,
        then: Then,
    ) -> workflow::Result<()> {
        let row = self.line(line).await?;
        match row.state {
            LineState::AwaitingApproval => match mood {
                Mood::Cancel => {
                    let minutes = 30 + self.chance.up_to(600);
                    self.soon(minutes, Act::Cancel(line));
                }
                Mood::Approve | Mood::Less | Mood::Deny if left > 0 => {
                    // Some decide at once, some tomorrow.
                    let hours = if self.chance.in_hundred(70) { 4 } else { 26 };
                    let minutes = if left < everyday::ALL {
                        11
                    } else {
                        5 + self.chance.up_to(hours * 60)
                    };
                    self.soon(
                        minutes,
                        Act::Decide {
                            line,
                            left,
                            mood,
                            then,
                        },
                    );
                }
                Mood::Silence | Mood::Approve | Mood::Less | Mood::Deny => {}
            },
            LineState::Approved => self.use_it(line, then).await?,
            LineState::Denied
            | LineState::Cancelled
            | LineState::Lapsed
            | LineState::Superseded
            | LineState::Withdrawn => {}
        }
        Ok(())
    }

    async fn use_it(&mut self, line: LineId, then: Then) -> workflow::Result<()> {
        let mut tx = self.past.workflow.store().read().await?;
        let Some(grant) = tx.grant_of_line(line).await? else {
            return Ok(());
        };
        drop(tx);
        let now = self.past.workflow.clock().now();
        let Some(end) = grant.end().at() else {
            return Ok(());
        };
        let minutes = (end - grant.valid_from.max(now)).num_minutes();
        match then {
            Then::GiveBack => self.soon(minutes / 3 + 1, Act::GiveBack(grant.id)),
            Then::Extend => {
                let seconds = minutes * 60 / 2;
                self.soon(
                    minutes - minutes / 8,
                    Act::Extend {
                        grant: grant.id,
                        seconds,
                        left: everyday::ALL,
                    },
                );
            }
            Then::ExtendWaiting { minutes } => {
                self.soon(
                    minutes,
                    Act::Extend {
                        grant: grant.id,
                        seconds: 14 * 86_400,
                        left: 0,
                    },
                );
            }
            Then::Hold => {}
        }
        Ok(())
    }

    async fn extend(&mut self, grant: GrantId, seconds: i64, left: u32) -> workflow::Result<()> {
        let workflow = self.past.workflow;
        let mut tx = workflow.store().read().await?;
        let row = tx.grant(grant).await?.ok_or(workflow::Error::Missing)?;
        drop(tx);
        let viewer = self.actors.viewer(workflow, row.person_id).await?;
        let ask = MoreTime {
            grant,
            seconds: Some(seconds),
            reason: "The work takes longer than planned.".into(),
            key: format!("more-{grant}-{}", workflow.clock().now().timestamp_micros()),
        };
        let request = requests::extend(workflow, &viewer, ask).await?;
        let mut tx = workflow.store().read().await?;
        let lines = tx.lines_of_request(request).await?;
        drop(tx);
        for line in lines {
            self.follow(line.id, left, Mood::Approve, Then::Hold)
                .await?;
        }
        Ok(())
    }

    /// Votes; where it takes a fresh sign-in, as somebody who did that at once.
    async fn cast(&self, viewer: &Viewer, vote: Vote) -> workflow::Result<()> {
        let workflow = self.past.workflow;
        match decide::decide(workflow, viewer, vote.clone()).await {
            Err(workflow::Error::Refused(refusals)) if refusals == [Refusal::WantsFreshSignIn] => {
                actors::signed_in_again(workflow, viewer, vote.into()).await
            }
            other => other,
        }
    }

    async fn decide(
        &mut self,
        line: LineId,
        left: u32,
        mood: Mood,
        then: Then,
    ) -> workflow::Result<()> {
        let workflow = self.past.workflow;
        let mut tx = workflow.store().read().await?;
        let row = tx.line(line).await?.ok_or(workflow::Error::Missing)?;
        let decisions = tx.decisions(line).await?;
        let stages = tx.stages(line).await?;
        let seats = tx.seats_of_line(line).await?;
        drop(tx);
        let Some(stage) = stages.iter().find(|stage| stage.state == StageState::Open) else {
            return Ok(());
        };
        let free: Vec<_> = seats
            .iter()
            .filter(|seat| seat.stage_id == stage.id)
            .filter(|seat| {
                !decisions
                    .iter()
                    .any(|done| done.stage_id == stage.id && done.decider_id == seat.person_id)
            })
            .collect();
        if free.is_empty() {
            return Ok(());
        }
        let seat = self.chance.one(&free).person_id;
        let (verdict, note) = everyday::word(&mut self.chance, mood);
        let cap_seconds = match (mood, row.length_seconds) {
            (Mood::Less, Some(seconds)) if verdict == Verdict::Approve => {
                Some((seconds / 2).max(3600))
            }
            _ => None,
        };
        let vote = Vote {
            stage: stage.id,
            verdict,
            note: note.to_owned(),
            cap_seconds,
            signed_hash: decide::to_sign(&row, &decisions),
        };
        let viewer = self.actors.viewer(workflow, seat).await?;
        self.cast(&viewer, vote).await?;
        // Only the first decider shortens.
        let mood = if mood == Mood::Less {
            Mood::Approve
        } else {
            mood
        };
        self.follow(line, left.saturating_sub(1), mood, then).await
    }

    async fn stand_in(&self, wanted: script::StandIn) -> workflow::Result<()> {
        let known = |name| {
            self.actors
                .person(company::user(name))
                .ok_or(workflow::Error::Missing)
        };
        let (person, deputy) = (known(wanted.of)?, known(wanted.who)?);
        let workflow = self.past.workflow;
        let viewer = self.actors.viewer(workflow, person).await?;
        let from = workflow.clock().now() + Duration::days(wanted.ahead);
        let new = NewDeputy {
            person,
            deputy: Some(deputy),
            from,
            until: from + Duration::days(wanted.days),
            scope: Scope::Everything,
        };
        deputies::arrange(workflow, &viewer, new).await.map(drop)
    }

    async fn line(&self, line: LineId) -> workflow::Result<store::requests::LineRow> {
        let mut tx = self.past.workflow.store().read().await?;
        tx.line(line).await?.ok_or(workflow::Error::Missing)
    }
}

fn set_enabled(past: &Past<'_>, name: &str, enabled: bool) {
    if let Some(mut user) = past.sandbox.user(company::user(name)) {
        user.account_enabled = enabled;
        past.sandbox.put_user(user);
    }
}

async fn read_directory(past: &Past<'_>) -> Result<(), String> {
    directory::run(past.workflow, &past.target.graph, &past.target.directory)
        .await
        .map(drop)
        .map_err(|error| format!("reading the directory: {error}"))
}
