//! Random lives of requests and grants against a model that was written without looking at the code: a list of asks
//! and a list of spans. After every step both engines must agree with it on every state and on who should hold what.

use chrono::Duration;
use domain::{
    EntitlementId, GrantId, LineId, PackageId, PackageVersionId, RequestId, Timestamp,
    approval::Verdict, policy::ApproverRule, request::LineState,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;
use workflow::{grants, requests};

use crate::support::{ASTRID, ELIN, House, JOHAN, MAYA, hours, houses, policy, stage};

/// One ask as the model sees it.
struct Asked {
    who: u128,
    package: usize,
    request: RequestId,
    line: LineId,
    hours: i64,
    extends: Option<usize>,
    yes: usize,
    lapses: Timestamp,
    state: LineState,
}

/// One span of access as the model sees it.
struct Span {
    who: u128,
    package: usize,
    id: GrantId,
    from: Timestamp,
    end: Timestamp,
    over: bool,
    held_back: bool,
}

struct Model {
    asked: Vec<Asked>,
    spans: Vec<Span>,
}

const SEEDS: u64 = 50;
const STEPS: usize = 40;

#[tokio::test]
async fn simulation_of_random_lives_agrees_with_the_model() {
    let read = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds: Vec<u64> = if let Some(seed) = read("LATCHKEY_SEED") {
        vec![seed]
    } else {
        (1..=read("LATCHKEY_SEEDS").unwrap_or(SEEDS)).collect()
    };
    let route = policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::Security),
    ]);
    for seed in seeds {
        for house in houses(&route).await {
            let other = PackageId(Uuid::from_u128(0x2001));
            let second = EntitlementId(Uuid::from_u128(0x4001));
            house.add_entitlement(second, "sg-orders-tools").await;
            house
                .add_package(
                    other,
                    PackageVersionId(Uuid::from_u128(0x3001)),
                    "Orders analyst",
                    &route,
                    &[house.entitlement, second],
                )
                .await;
            let packages = [house.package, other];
            let mut rng = StdRng::seed_from_u64(seed);
            let mut model = Model {
                asked: vec![],
                spans: vec![],
            };
            for step in 0..STEPS {
                one_step(&house, &packages, &mut model, &mut rng, step).await;
                check(&house, &model, second, seed, step).await;
            }
            house.workflow.store().close().await;
        }
    }
}

async fn one_step(
    house: &House,
    packages: &[PackageId; 2],
    model: &mut Model,
    rng: &mut StdRng,
    step: usize,
) {
    let now = house.clock.now();
    let who = if rng.r#gen::<bool>() { JOHAN } else { MAYA };
    let package = rng.gen_range(0..2);
    match rng.gen_range(0..12) {
        0..=2 => {
            let length = rng.gen_range(1..30);
            // What is held already becomes more time.
            let held = model
                .spans
                .iter()
                .position(|span| span.who == who && span.package == package && !span.over);
            let request = house
                .ask_for(who, packages[package], hours(length), &format!("s{step}"))
                .await;
            // What is held back goes on or ends first.
            if held.is_some_and(|at| model.spans[at].held_back) {
                let state = "suspended".to_owned();
                let refused = request.unwrap_err();
                assert_eq!(refused.refusals(), [domain::Refusal::WrongState { state }]);
                return;
            }
            let request = request.unwrap();
            asked(house, model, who, package, request, length, held, now).await;
        }
        3..=5 => {
            let waiting: Vec<usize> = positions(model);
            if let Some(&index) = waiting.get(rng.gen_range(0..waiting.len().max(1))) {
                vote(house, model, index, rng.gen_range(0..5) != 0, now).await;
            }
        }
        6 => {
            let waiting = positions(model);
            if let Some(&index) = waiting.first() {
                let asker = house.viewer(model.asked[index].who).await;
                requests::cancel(&house.workflow, &asker, model.asked[index].line)
                    .await
                    .unwrap();
                model.asked[index].state = LineState::Cancelled;
            }
        }
        7 => {
            if let Some(index) = model
                .spans
                .iter()
                .position(|span| span.who == who && !span.over)
            {
                let holder = house.viewer(who).await;
                grants::give_back(&house.workflow, &holder, model.spans[index].id)
                    .await
                    .unwrap();
                model.spans[index].over = true;
            }
        }
        8 => {
            if let Some(index) = model
                .spans
                .iter()
                .position(|span| span.who == who && !span.over && !span.held_back)
            {
                let length = rng.gen_range(1..20);
                let ask = requests::MoreTime {
                    grant: model.spans[index].id,
                    seconds: Some(length * 3600),
                    reason: "Not finished yet".into(),
                    key: format!("e{step}"),
                };
                let request = requests::extend(&house.workflow, &house.viewer(who).await, ask)
                    .await
                    .unwrap();
                let package = model.spans[index].package;
                asked(
                    house,
                    model,
                    who,
                    package,
                    request,
                    length,
                    Some(index),
                    now,
                )
                .await;
            }
        }
        9 => {
            // Security holds something back, or lets it go on.
            if let Some(span) = model
                .spans
                .iter_mut()
                .find(|span| span.who == who && !span.over)
            {
                let security = house.viewer(ELIN).await;
                let ids = [span.id];
                let acted = if span.held_back {
                    grants::resume(&house.workflow, &security, &ids, "It is cleared").await
                } else {
                    grants::suspend(&house.workflow, &security, &ids, "To be looked at").await
                };
                assert_eq!(acted.unwrap().done, ids);
                span.held_back = !span.held_back;
            }
        }
        10 => {
            if let Some(span) = model
                .spans
                .iter_mut()
                .find(|span| span.who == who && !span.over)
            {
                let manager = house.viewer(ASTRID).await;
                grants::revoke(&house.workflow, &manager, &[span.id], "Not needed")
                    .await
                    .unwrap();
                span.over = true;
            }
        }
        _ => {
            let span = Duration::minutes([1, 59, 60, 61, 600, 1440, 10_081][rng.gen_range(0..7)]);
            house.pass(span).await;
            let now = house.clock.now();
            for ask in model
                .asked
                .iter_mut()
                .filter(|ask| ask.state == LineState::AwaitingApproval && ask.lapses <= now)
            {
                ask.state = LineState::Lapsed;
            }
            for span in model.spans.iter_mut().filter(|span| span.end <= now) {
                span.over = true;
            }
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "a test's own note of what was asked"
)]
async fn asked(
    house: &House,
    model: &mut Model,
    who: u128,
    package: usize,
    request: RequestId,
    hours: i64,
    extends: Option<usize>,
    now: Timestamp,
) {
    for earlier in &mut model.asked {
        if earlier.who == who
            && earlier.package == package
            && earlier.state == LineState::AwaitingApproval
        {
            earlier.state = LineState::Superseded;
        }
    }
    let line = house.line(request).await.id;
    let lapses = now + Duration::days(7);
    let state = LineState::AwaitingApproval;
    model.asked.push(Asked {
        who,
        package,
        request,
        line,
        hours,
        extends,
        yes: 0,
        lapses,
        state,
    });
}

fn positions(model: &Model) -> Vec<usize> {
    (0..model.asked.len())
        .filter(|index| model.asked[*index].state == LineState::AwaitingApproval)
        .collect()
}

async fn vote(house: &House, model: &mut Model, index: usize, yes: bool, now: Timestamp) {
    let ask = &mut model.asked[index];
    let decider = if ask.yes == 0 { ASTRID } else { ELIN };
    let verdict = if yes { Verdict::Approve } else { Verdict::Deny };
    house.vote(decider, ask.line, verdict, None).await.unwrap();
    if !yes {
        ask.state = LineState::Denied;
        return;
    }
    ask.yes += 1;
    if ask.yes < 2 {
        return;
    }
    ask.state = LineState::Approved;
    let length = Duration::hours(ask.hours);
    if let Some(held) = ask.extends.filter(|held| !model.spans[*held].over) {
        model.spans[held].end += length;
        return;
    }
    // An extension's end was fixed when it was asked for: the held end then, plus the added time.
    let line = house.line(ask.request).await;
    let end = line.until_at.unwrap_or(now + length);
    if end <= now {
        return;
    }
    let id = house.grant_of(ask.line).await.id;
    model.spans.push(Span {
        who: ask.who,
        package: ask.package,
        id,
        from: now,
        end,
        over: false,
        held_back: false,
    });
}

async fn check(house: &House, model: &Model, second: EntitlementId, seed: u64, step: usize) {
    let now = house.clock.now();
    let place = format!(
        "seed {seed}, step {step}, {:?}; repeat with LATCHKEY_SEED={seed}",
        house.engine
    );
    for ask in &model.asked {
        assert_eq!(house.line(ask.request).await.state, ask.state, "{place}");
    }
    for who in [JOHAN, MAYA] {
        let covers = |span: &&Span| {
            span.who == who && !span.over && !span.held_back && span.from <= now && now < span.end
        };
        let first = model.spans.iter().any(|span| covers(&span));
        let tools = model
            .spans
            .iter()
            .any(|span| covers(&span) && span.package == 1);
        assert_eq!(
            house.desired(who, house.entitlement).await,
            first,
            "{place}"
        );
        assert_eq!(house.desired(who, second).await, tools, "{place}");
    }
}
