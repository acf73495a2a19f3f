//! Two at once over HTTP, many rounds on both engines: exactly one takes effect, and the loser is told how things stand.

use axum::http::StatusCode;
use chrono::{DateTime, Duration, Utc};
use domain::{
    LineId, PersonId, RequestId, StageId,
    approval::{StageState, Verdict},
    audit::Actor,
    person::PortalRole,
    request::LineState,
};
use store::{Engine, jobs::Priority, requests::DecisionRow};
use uuid::Uuid;
use workflow::{Clock, deadlines, leave};

use crate::{
    objects::ask,
    support::{Answer, Browser, House, PUBLIC, Setup, filled},
    town::{self, ASKED, ASKERS, MANAGER, SECURITY, asker},
};

/// Rounds of each race on each engine.
const ROUNDS: usize = 6;

/// A line that waits for its next decision.
struct Waiting {
    asker: Browser,
    request: RequestId,
    line: LineId,
    stage: StageId,
}

/// How things are after a race.
struct After {
    state: LineState,
    decisions: Vec<DecisionRow>,
    granted: bool,
}

/// The town, and whose turn it is to ask.
struct Races {
    house: House,
    asked: u128,
}

impl Races {
    async fn new(engine: Engine) -> Self {
        let sandbox = benches::portal::sandbox(PUBLIC, town::TENANT, town::company())
            .await
            .expect("a free port is there");
        let start = DateTime::<Utc>::from_timestamp(Clock::system().now().timestamp(), 0)
            .expect("it is now");
        let setup = Setup {
            engine,
            clock: Clock::simulated(start),
            ..Setup::default()
        };
        let house = House::new(sandbox.url(), setup).await;
        town::fill(&house.workflow, &sandbox).await;
        Self { house, asked: 0 }
    }

    /// The next asker asks for the next package.
    async fn waits(&mut self) -> Waiting {
        let n = self.asked;
        assert!(n < ASKERS * ASKED, "everybody has asked for everything");
        self.asked += 1;
        let browser = self.house.signed_in(asker(n % ASKERS), &[]).await;
        let package = format!("asked-{}", n / ASKERS);
        let (request, line) = ask(&self.house, &browser, &package).await;
        let stage = self.open(line).await;
        Waiting {
            asker: browser,
            request,
            line,
            stage,
        }
    }

    /// As [`Self::waits`], with the manager's yes: now security decides.
    async fn waits_for_security(&mut self) -> Waiting {
        let mut waiting = self.waits().await;
        let manager = self.house.signed_in(MANAGER, &[]).await;
        self.form(&manager, &waiting, Verdict::Approve)
            .await
            .send()
            .await
            .expect(StatusCode::SEE_OTHER);
        waiting.stage = self.open(waiting.line).await;
        waiting
    }

    async fn open(&self, line: LineId) -> StageId {
        let mut tx = self.house.workflow.store().read().await.expect("it opens");
        let stages = tx.stages(line).await.expect("it works");
        stages
            .iter()
            .find(|stage| stage.state == StageState::Open)
            .expect("somebody has to decide")
            .id
    }

    /// A decision's form as its page gives it, filled in and not sent yet.
    async fn form(&self, browser: &Browser, waiting: &Waiting, verdict: Verdict) -> Form {
        let path = format!("/approvals/{}", waiting.stage);
        let page = browser.get(&path).await.expect(StatusCode::OK);
        let note = match verdict {
            Verdict::Approve => "",
            Verdict::Deny => "Not this week",
        };
        let typed = [("verdict", verdict.as_str()), ("note", note)];
        Form {
            browser: browser.clone(),
            body: filled(&page.body, &typed),
            path,
        }
    }

    async fn security(&self, n: usize) -> Browser {
        self.house
            .signed_in(SECURITY[n], &[PortalRole::Security])
            .await
    }

    async fn after(&self, waiting: &Waiting) -> After {
        let mut tx = self.house.workflow.store().read().await.expect("it opens");
        let line = tx.line(waiting.line).await.expect("it works");
        let mut decisions = tx.decisions(waiting.line).await.expect("it works");
        decisions.retain(|vote| vote.stage_id == waiting.stage);
        let grant = tx.grant_of_line(waiting.line).await.expect("it works");
        let state = line.expect("a line stays").state;
        assert_eq!(
            grant.is_some(),
            state == LineState::Approved,
            "access is given for a yes and for nothing else"
        );
        After {
            state,
            decisions,
            granted: grant.is_some(),
        }
    }

    /// Runs what is due, as the worker does.
    async fn run_due(&self) {
        let workflow = &self.house.workflow;
        let now = workflow.clock().now();
        let mut tx = workflow.store().begin().await.expect("it opens");
        let jobs = tx
            .claim_jobs(
                Priority::Normal,
                deadlines::KINDS,
                now,
                now + Duration::seconds(60),
                Uuid::nil(),
                100,
            )
            .await
            .expect("it works");
        tx.commit().await.expect("it works");
        deadlines::run(workflow, &jobs).await.expect("it works");
    }
}

/// Somebody leaves, as the directory says it.
async fn leaves(house: &House, person: PersonId) -> workflow::Result<()> {
    let mut unit = house.workflow.unit().await?;
    leave::leave(&mut unit, person, Actor::Portal, "left").await?;
    unit.commit().await
}

struct Form {
    browser: Browser,
    path: String,
    body: String,
}

impl Form {
    async fn send(self) -> Answer {
        self.browser.post(&self.path, &self.body).await
    }
}

/// Both as tasks of their own, so that they truly run at once.
async fn at_once(one: Form, other: Form) -> [Answer; 2] {
    let (one, other) = (tokio::spawn(one.send()), tokio::spawn(other.send()));
    [
        one.await.expect("no answer panics"),
        other.await.expect("no answer panics"),
    ]
}

/// One was taken; the other is a plain no that says how things stand.
#[track_caller]
fn one_of_two(answers: &[Answer; 2], said: &str) -> usize {
    let taken: Vec<usize> = (0..2)
        .filter(|n| answers[*n].status == StatusCode::SEE_OTHER)
        .collect();
    assert_eq!(taken.len(), 1, "{said}: {answers:?}");
    let lost = &answers[1 - taken[0]];
    assert!(lost.status.is_client_error(), "{said}: {}", lost.status);
    assert!(lost.body.contains("<h1"), "{said}: the loser gets a page");
    taken[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_of_security_decide_at_once() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut races = Races::new(engine).await;
        for (round, other) in [Verdict::Approve, Verdict::Deny]
            .into_iter()
            .cycle()
            .take(2 * ROUNDS)
            .enumerate()
        {
            let waiting = races.waits_for_security().await;
            let (elin, tomas) = (races.security(0).await, races.security(1).await);
            let one = races.form(&elin, &waiting, Verdict::Approve).await;
            let two = races.form(&tomas, &waiting, other).await;
            let answers = at_once(one, two).await;
            let said = format!("{engine:?}, round {round}, {other}");
            let won = one_of_two(&answers, &said);
            let after = races.after(&waiting).await;
            assert_eq!(after.decisions.len(), 1, "{said}");
            let verdict = if won == 0 { Verdict::Approve } else { other };
            assert_eq!(after.decisions[0].verdict, verdict, "{said}");
            let state = match verdict {
                Verdict::Approve => LineState::Approved,
                Verdict::Deny => LineState::Denied,
            };
            assert_eq!(after.state, state, "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_yes_against_taking_back() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut races = Races::new(engine).await;
        for round in 0..ROUNDS {
            let waiting = races.waits_for_security().await;
            let elin = races.security(0).await;
            let yes = races.form(&elin, &waiting, Verdict::Approve).await;
            let back = Form {
                browser: waiting.asker.clone(),
                path: format!("/requests/{}/cancel", waiting.request),
                body: format!("line={}", waiting.line),
            };
            let said = format!("{engine:?}, round {round}");
            let won = one_of_two(&at_once(yes, back).await, &said);
            let after = races.after(&waiting).await;
            assert_eq!(after.decisions.len(), 1 - won, "{said}");
            let state = [LineState::Approved, LineState::Cancelled][won];
            assert_eq!(after.state, state, "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_yes_against_handing_on() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut races = Races::new(engine).await;
        let manager = races.house.signed_in(MANAGER, &[]).await;
        let (tomas, _) = races.house.session(SECURITY[1], &[]).await;
        for round in 0..ROUNDS {
            let waiting = races.waits().await;
            let yes = races.form(&manager, &waiting, Verdict::Approve).await;
            let on = Form {
                browser: manager.clone(),
                path: format!("/approvals/{}/hand-on", waiting.stage),
                body: format!("to={tomas}&reason=On+leave&find=Tomas"),
            };
            let said = format!("{engine:?}, round {round}");
            let won = one_of_two(&at_once(yes, on).await, &said);
            let after = races.after(&waiting).await;
            assert_eq!(after.decisions.len(), 1 - won, "{said}");
            assert!(!after.granted, "{said}: security has not decided");
            let mut tx = races.house.workflow.store().read().await.expect("it opens");
            let handed = tx.hand_ons(waiting.stage).await.expect("it works");
            assert_eq!(handed.len(), won, "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_yes_against_the_pending_deadline() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut races = Races::new(engine).await;
        for round in 0..ROUNDS {
            let waiting = races.waits_for_security().await;
            let elin = races.security(0).await;
            let yes = races.form(&elin, &waiting, Verdict::Approve).await;
            let mut tx = races.house.workflow.store().read().await.expect("it opens");
            let line = tx.line(waiting.line).await.expect("it works");
            drop(tx);
            let lapses = line.expect("a line stays").lapse_at;
            let yes = tokio::spawn(yes.send());
            // Sometimes before the vote has begun, sometimes in the midst of it, sometimes after it.
            tokio::time::sleep(std::time::Duration::from_millis(4 * round as u64)).await;
            races.house.workflow.clock().move_to(lapses);
            races.run_due().await;
            let answer = yes.await.expect("no answer panics");
            let after = races.after(&waiting).await;
            let said = format!("{engine:?}, round {round}: {}", answer.status);
            if answer.status == StatusCode::SEE_OTHER {
                assert_eq!(after.state, LineState::Approved, "{said}");
                assert_eq!(after.decisions.len(), 1, "{said}");
            } else {
                assert!(answer.status.is_client_error(), "{said}");
                assert_eq!(after.state, LineState::Lapsed, "{said}");
                assert!(after.decisions.is_empty(), "{said}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_yes_against_the_leave_of_whoever_says_it() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut races = Races::new(engine).await;
        for (n, object) in SECURITY.into_iter().enumerate() {
            let waiting = races.waits_for_security().await;
            let browser = races.security(n).await;
            let (person, _) = races.house.session(object, &[PortalRole::Security]).await;
            let yes = races.form(&browser, &waiting, Verdict::Approve).await;
            let yes = tokio::spawn(yes.send());
            // Again after a deadlock, as the directory's next read would.
            let mut tries = 0;
            while let Err(error) = leaves(&races.house, person).await {
                tries += 1;
                assert!(tries < 5, "they leave in any case: {error:?}");
            }
            let answer = yes.await.expect("no answer panics");
            let after = races.after(&waiting).await;
            let said = format!("{engine:?}, {n}: {} {}", answer.status, answer.location());
            match after.decisions.len() {
                1 => assert_eq!(after.state, LineState::Approved, "{said}"),
                0 => {
                    // Nobody is taken for somebody who is still here.
                    assert_eq!(after.state, LineState::AwaitingApproval, "{said}");
                    assert!(!answer.location().contains("done"), "{said}");
                    let mut tx = races.house.workflow.store().read().await.expect("it opens");
                    let seats = tx.seats_of_line(waiting.line).await.expect("it works");
                    assert!(seats.iter().all(|seat| seat.person_id != person), "{said}");
                }
                more => panic!("{more} decisions; {said}"),
            }
        }
    }
}
