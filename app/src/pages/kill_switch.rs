//! `/people/{id}/suspend`: the kill switch for a person: what it stops, in numbers, before and while it runs.

use axum::{
    Form,
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use domain::{
    PersonId, Refusal,
    request::{REASON_LEAST, TEXT_MOST},
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error,
    fresh::Act,
    kill_switch::{self as switch, Holdings},
    views::kill_switch::{self, Reach, Stopped, Switch},
};

use super::{fresh, kit};
use crate::{
    frame::About,
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
    words,
};

/// What the forms send.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    /// `hold` or `end`.
    #[serde(default)]
    holdings: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// What is wrong with a form.
#[derive(Clone, Debug, Default)]
pub(super) struct Wrong {
    reason: Option<String>,
    holdings: Option<String>,
    whole: Vec<String>,
}

impl Wrong {
    fn of(refused: &[Refusal]) -> Self {
        let mut wrong = Self::default();
        for refusal in refused {
            let said = refusals::sentence(refusal);
            if refusals::field(refusal) == "reason" {
                wrong.reason = Some(said);
            } else {
                wrong.whole.push(said);
            }
        }
        wrong
    }
}

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Whom the reader wanted to stop before they were asked to sign in once more.
    #[serde(default)]
    again: String,
}

/// The page.
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let id: PersonId = kit::id(&id)?;
    let (mut typed, mut wrong) = (Typed::default(), Wrong::default());
    if let Some(kept) = fresh::kept(&visit, &asked.again).await?
        && let Act::Stop {
            person,
            holdings,
            reason,
        } = kept.act
        && person == id
    {
        let choice = match holdings {
            Holdings::HeldBack => "hold",
            Holdings::End => "end",
        };
        choice.clone_into(&mut typed.holdings);
        typed.reason = reason;
        wrong = Wrong::of(&kept.refusals);
    }
    framed(&visit, StatusCode::OK, id, typed, wrong).await
}

/// Stops them.
pub async fn stop(
    visit: Visit,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    let id: PersonId = kit::id(&id)?;
    // Whether there is such a person is for security to know.
    kill_switch::load(visit.workflow(), &visit.viewer, id).await?;
    let holdings = match typed.holdings.as_str() {
        "hold" => Holdings::HeldBack,
        "end" => Holdings::End,
        _ => {
            let wrong = Wrong {
                holdings: Some("Choose what becomes of what they hold.".into()),
                ..Wrong::default()
            };
            return framed(&visit, StatusCode::UNPROCESSABLE_ENTITY, id, typed, wrong).await;
        }
    };
    let result = switch::stop(visit.workflow(), &visit.viewer, id, holdings, &typed.reason).await;
    if let Err(Error::Refused(refused)) = &result
        && refused[..] == [Refusal::WantsFreshSignIn]
    {
        let act = Act::Stop {
            person: id,
            holdings,
            reason: typed.reason,
        };
        return fresh::leave(&visit, act).await;
    }
    answer(
        &visit,
        id,
        typed,
        result,
        &format!("/people/{id}/suspend"),
        "stopped",
    )
    .await
}

/// Lets them go on.
pub async fn go_on(
    visit: Visit,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    let id: PersonId = kit::id(&id)?;
    let result = switch::let_go_on(visit.workflow(), &visit.viewer, id, &typed.reason).await;
    answer(
        &visit,
        id,
        typed,
        result,
        &format!("/people/{id}"),
        "person-goes-on",
    )
    .await
}

async fn answer(
    visit: &Visit,
    id: PersonId,
    typed: Typed,
    result: workflow::Result<()>,
    next: &str,
    key: &str,
) -> Result<Response, Fault> {
    match result {
        Ok(()) => Ok(done(next, key)),
        Err(Error::Refused(refused)) => {
            let wrong = Wrong::of(&refused);
            framed(visit, StatusCode::UNPROCESSABLE_ENTITY, id, typed, wrong).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn framed(
    visit: &Visit,
    status: StatusCode,
    id: PersonId,
    typed: Typed,
    wrong: Wrong,
) -> Result<Response, Fault> {
    let switch = kill_switch::load(visit.workflow(), &visit.viewer, id).await?;
    let title = title(&switch);
    let about = About {
        topics: vec![id.to_string()],
        narrow: true,
        ..About::default()
    };
    visit
        .framed(status, &title, about, move || page(&switch, &typed, wrong))
        .await
}

fn title(switch: &Switch) -> String {
    if switch.stopped.is_some() {
        format!("{} is stopped", switch.person.name)
    } else {
        format!("Stop {}", switch.person.name)
    }
}

pub(super) fn page(switch: &Switch, typed: &Typed, wrong: Wrong) -> AnyView {
    let id = switch.person.id;
    let crumbs = vec![
        crumb(switch.person.name.clone(), format!("/people/{id}")),
        here("Kill switch"),
    ];
    let lead = [switch.job_title.as_str(), switch.department.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let mark = view! { <Avatar name=switch.person.name.clone() size=Size::Large/> }.into_any();
    let fields = wrong
        .reason
        .iter()
        .map(|why| FieldFault {
            id: "reason".into(),
            label: "Why?".into(),
            why: why.clone(),
        })
        .chain(wrong.holdings.iter().map(|why| FieldFault {
            id: "holdings".into(),
            label: HOLDINGS.into(),
            why: why.clone(),
        }))
        .collect();
    let body = match &switch.stopped {
        Some(stopped) => running(switch, stopped, typed, &wrong),
        None => before(switch, typed, &wrong),
    };
    view! {
        <PageHead title=title(switch) lead=lead crumbs=crumbs mark=mark/>
        <Faults faults=wrong.whole fields=fields/>
        {body}
    }
    .into_any()
}

const HOLDINGS: &str = "What becomes of what they hold?";

fn before(switch: &Switch, typed: &Typed, wrong: &Wrong) -> AnyView {
    if switch.me || switch.left {
        let said = if switch.me {
            "This is you. Somebody else of security stops you, if that is needed."
        } else {
            "They have left: all of it has ended already."
        };
        return view! { <Note>{said}</Note> }.into_any();
    }
    let action = format!("/people/{}/suspend", switch.person.id);
    let options = vec![
        Choice {
            value: "hold".into(),
            label: "Hold it back".into(),
            detail: Some(
                "It is removed now. Each part may go on later, as long as its end has not come."
                    .into(),
            ),
        },
        Choice {
            value: "end".into(),
            label: "End it for good".into(),
            detail: Some("It is removed now, and has to be asked for again.".into()),
        },
    ];
    let fresh = switch.fresh.then(|| {
        view! { <p class="small dim">"This asks you to sign in once more, as they hold what is privileged or what its package says so of. What you type is kept meanwhile."</p> }
    });
    let facts = numbers(&switch.reach);
    let version = kit::version(&format!("{:?}", switch.reach));
    view! {
        <Card title="What stops at once" live="reach" version=version><Body><Facts items=facts/></Body></Card>
        <form method="post" action=action class="fields">
            <RadioCards name="holdings" label=HOLDINGS options=options value=typed.holdings.clone() required=true error=wrong.holdings.clone()/>
            {reason(typed, wrong)}
            <p class="small dim">"They cannot sign in here until security lets them go on. Their account in the directory is not touched: disable it there as well, if it is in the wrong hands."</p>
            {fresh}
            <div class="btns"><Button look=Look::DangerSure>"Stop them now"</Button><LinkButton href=format!("/people/{}", switch.person.id) look=Look::Quiet>"Not now"</LinkButton></div>
        </form>
    }
    .into_any()
}

fn reason(typed: &Typed, wrong: &Wrong) -> AnyView {
    view! {
        <TextArea name="reason" label="Why?" hint="It stays on record; their manager is told that they are stopped." required=true
            shortest=REASON_LEAST as u32 longest=TEXT_MOST as u32 value=typed.reason.clone() error=wrong.reason.clone()/>
    }
    .into_any()
}

/// What it stops, in numbers.
fn numbers(reach: &Reach) -> Vec<Fact> {
    let fact_of = |name: &str, count: i64| fact(name, words::number(count));
    vec![
        fact_of("Grants", reach.grants),
        fact_of("Rights at the targets", reach.rights),
        fact_of("Targets", reach.targets),
        fact_of("Sessions here", reach.sessions),
        fact_of("Requests that wait", reach.waiting),
        fact_of("Decisions that wait for them", reach.seats),
    ]
}

fn running(switch: &Switch, stopped: &Stopped, typed: &Typed, wrong: &Wrong) -> AnyView {
    let now = switch.now;
    let id = switch.person.id;
    let of = |count: i64| {
        format!(
            "{} of {}",
            words::number(count),
            words::number(stopped.wanted)
        )
    };
    let (state, words_now) = if stopped.gone == stopped.wanted {
        (State::Ended, "all confirmed gone")
    } else if stopped.stuck > 0 {
        (State::Attention, "part of it is stuck")
    } else {
        (State::SettingUp, "being removed")
    };
    let mut items = vec![
        fact("Removed", of(stopped.removed)),
        fact("Confirmed gone", of(stopped.gone)),
    ];
    if stopped.stuck > 0 {
        items.push(fact("Stuck", of(stopped.stuck)));
    }
    let version = kit::version(&format!("{stopped:?}"));
    let said = format!("Confirmed gone: {}", of(stopped.gone));
    let badge = view! { <Badge state=state words=words_now/> }.into_any();
    let (at, by, note) = (stopped.at, stopped.by.name.clone(), stopped.note.clone());
    let end = (switch.reach.grants > 0).then(|| {
        let action = format!("/people/{id}/suspend");
        let fields = vec![("holdings", "end".to_owned()), ("reason", stopped.note.clone())];
        let said = format!(
            "{} for good, and must be asked for again.",
            words::count(switch.reach.grants, "grant ends", "grants end")
        );
        view! {
            <Ask summary="End what is held back" look=Look::Danger><p>{said}</p><PostButton action=action fields=fields look=Look::DangerSure>"End it for good"</PostButton></Ask>
        }
    });
    let go_on = (!switch.me).then(|| {
        let action = format!("/people/{id}/resume");
        let open = wrong.reason.is_some();
        let reason = reason(typed, wrong);
        view! {
            <Ask summary="Let them go on" open=open>
                <p>"They may sign in, ask and decide again. What they hold stays held back until you let it go on from their page."</p>
                <form method="post" action=action class="fields">{reason}<div class="btns"><Button look=Look::Primary>"Let them go on"</Button></div></form>
            </Ask>
        }
    });
    view! {
        <Card title="At the targets" aside=badge live="removals" version=version said=said><Body><Facts items=items/></Body></Card>
        <Card title="Stopped"><Body>
            <p>"Stopped "<Moment at=at now=now say=Say::Moment/>" by "<bdi>{by}</bdi>". Their sessions ended, their requests were withdrawn, others decide in their place."</p>
            <Quote words=note/>
        </Body></Card>
        <div class="decide" role="group" aria-label="What comes next">{go_on}{end}<LinkButton href=format!("/people/{id}")>"See what they hold"</LinkButton></div>
    }
    .into_any()
}
