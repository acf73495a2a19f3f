//! `/approvals/{stage}/hand-on`: gives a decision to a colleague who is found by name; and the button that gives it back.

use axum::{
    Form,
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use domain::{PersonId, StageId};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error,
    hand_on::{self, NewHandOn},
    views::hand_on::{self as view, Colleague, HandOnPage},
};

use super::{approvals::asks, kit, said};
use crate::{
    frame::About,
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
};

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Who is looked for.
    #[serde(default)]
    find: String,
}

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    /// The colleague's id.
    #[serde(default)]
    to: String,
    /// Why.
    #[serde(default)]
    reason: String,
    /// Who was looked for.
    #[serde(default)]
    find: String,
}

/// What was typed and what was wrong with it.
#[derive(Clone, Debug, Default)]
struct Back {
    typed: Typed,
    to: Option<String>,
    reason: Option<String>,
    form: Vec<String>,
}

/// The page.
pub async fn show(
    visit: Visit,
    Path(stage): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let stage: StageId = kit::id(&stage)?;
    let find: String = asked.find.chars().take(200).collect();
    let facts = view::load(visit.workflow(), &visit.viewer, stage, &find, None).await?;
    answer(&visit, StatusCode::OK, facts, Back::default()).await
}

/// Hands it on.
pub async fn post(
    visit: Visit,
    Path(stage): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    let stage: StageId = kit::id(&stage)?;
    let chosen: Option<PersonId> = typed.to.parse().ok();
    let mut back = Back {
        typed,
        ..Back::default()
    };
    let Some(to) = chosen else {
        back.to = Some("Choose somebody. Look for them by name first.".into());
        return again(&visit, stage, None, back).await;
    };
    let what = NewHandOn {
        stage,
        to,
        reason: back.typed.reason.clone(),
    };
    match hand_on::hand_on(visit.workflow(), &visit.viewer, what).await {
        Ok(()) => Ok(done("/approvals", "handed_on")),
        Err(Error::Refused(refusals)) => {
            for refusal in &refusals {
                let sentence = refusals::sentence(refusal);
                match refusals::field(refusal).as_str() {
                    "to" => back.to = Some(sentence),
                    "reason" => back.reason = Some(sentence),
                    _ => back.form.push(sentence),
                }
            }
            again(&visit, stage, Some(to), back).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Gives it back.
pub async fn back(visit: Visit, Path(stage): Path<String>) -> Result<Response, Fault> {
    let stage: StageId = kit::id(&stage)?;
    hand_on::hand_back(visit.workflow(), &visit.viewer, stage).await?;
    Ok(done("/approvals", "handed_back"))
}

async fn again(
    visit: &Visit,
    stage: StageId,
    chosen: Option<PersonId>,
    back: Back,
) -> Result<Response, Fault> {
    let find: String = back.typed.find.chars().take(200).collect();
    let facts = view::load(visit.workflow(), &visit.viewer, stage, &find, chosen).await?;
    answer(visit, StatusCode::UNPROCESSABLE_ENTITY, facts, back).await
}

async fn answer(
    visit: &Visit,
    status: StatusCode,
    facts: HandOnPage,
    back: Back,
) -> Result<Response, Fault> {
    let faults = usize::from(back.to.is_some()) + usize::from(back.reason.is_some());
    let title = match faults {
        0 => "Hand on".to_owned(),
        faults => kit::to_fix(faults, "Hand on"),
    };
    let about = About {
        narrow: true,
        ..About::default()
    };
    visit
        .framed(status, &title, about, move || page(&facts, back))
        .await
}

fn page(facts: &HandOnPage, back: Back) -> impl IntoView + use<> {
    let here_is = format!("/approvals/{}", facts.stage);
    let crumbs = vec![
        crumb("Decisions", "/approvals"),
        crumb(said::number(facts.number), here_is.clone()),
        here("Hand on"),
    ];
    let whom = &facts.beneficiary;
    let lead = asks(
        &facts.asker.name,
        (facts.asker.id != whom.id).then_some(whom.name.as_str()),
        facts.kind,
        &facts.package,
    );
    let fault = |id: &str, label: &str, why: &Option<String>| {
        why.clone().map(|why| FieldFault {
            id: id.into(),
            label: label.into(),
            why,
        })
    };
    let faults: Vec<FieldFault> = fault("to", "To whom", &back.to)
        .into_iter()
        .chain(fault("reason", "Why", &back.reason))
        .collect();
    let action = format!("{here_is}/hand-on");
    let choose = choose(facts, &action, back.clone());
    let find = facts.find.clone();
    view! {
        <PageHead title="Hand this decision on" lead=lead crumbs=crumbs/>
        <Faults faults=back.form fields=faults/>
        <Card><Body>
            <p class="small dim">"Your colleague decides instead of you, and everybody sees that you handed it on. They can give it back to you, but not pass it further."</p>
            <form method="get" action=action class="stack stack-3" role="search" aria-label="Look for a colleague">
                <TextField name="find" label="Look for a colleague" kind="search" value=find longest=200 hint="Part of their name or mail address." bare=true/>
                <div class="btns"><Button>"Look"</Button></div>
            </form>
            {choose}
        </Body></Card>
    }
}

/// Who was found: those who may take it to choose from, the others with the reason why not.
fn choose(facts: &HandOnPage, action: &str, back: Back) -> AnyView {
    if facts.found.is_empty() {
        let nobody = (!facts.find.is_empty())
            .then(|| view! { <p>"Nobody of that name works here, besides you."</p> });
        let error = back
            .to
            .map(|why| view! { <p class="error" id="to">{why}</p> });
        return view! { {nobody}{error} }.into_any();
    }
    let (may, may_not): (Vec<&Colleague>, Vec<&Colleague>) =
        facts.found.iter().partition(|one| one.bar.is_none());
    let others = may_not
        .iter()
        .filter_map(|one| {
            let detail = refusals::take_over(one.bar?);
            Some(view! { <Row title=one.person.name.clone() detail=detail/> })
        })
        .collect_view();
    let others = (!may_not.is_empty()).then(|| {
        view! { <div class="stack"><h2>"Cannot take it over"</h2><Rows>{others}</Rows></div> }
    });
    let more = facts.more.then(
        || view! { <p class="small dim">"There are more of that name. Type more of it."</p> },
    );
    let form = (!may.is_empty()).then(|| {
        let options = may
            .iter()
            .map(|one| {
                let detail = [one.job_title.as_str(), one.department.as_str()]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(", ");
                Choice {
                    detail: (!detail.is_empty()).then_some(detail),
                    ..choice(one.person.id.to_string(), one.person.name.clone())
                }
            })
            .collect();
        let fields = vec![("find", facts.find.clone())];
        let action = action.to_owned();
        view! {
            <form method="post" action=action class="stack stack-4">
                <Hidden fields=fields/>
                <RadioCards name="to" label="To whom" options=options value=back.typed.to.clone() error=back.to.clone() required=true/>
                <TextArea name="reason" label="Why" hint="Your colleague and the asker read it." value=back.typed.reason.clone() error=back.reason.clone() required=true shortest=5 longest=2000/>
                <div class="btns"><Button look=Look::Primary>"Hand it on"</Button></div>
            </form>
        }
    });
    let nobody = may.is_empty().then(|| {
        let error = back
            .to
            .map(|why| view! { <p class="error" id="to">{why}</p> });
        view! { {error} }
    });
    view! { {form}{nobody}{more}{others} }.into_any()
}

#[cfg(test)]
mod tests {
    use domain::{refusal::TakeOverBar, request::LineKind};
    use uuid::Uuid;

    use super::{
        super::approvals::tests::{HOSTILE, is_inert, now, person},
        *,
    };
    use crate::render::{html, plain};

    fn facts(text: &str) -> HandOnPage {
        HandOnPage {
            now: now(),
            stage: Uuid::from_u128(1).into(),
            number: 1042,
            kind: LineKind::New,
            asker: person(4, text),
            beneficiary: person(5, text),
            package: text.into(),
            find: text.into(),
            found: [None, Some(TakeOverBar::Subordinate)]
                .into_iter()
                .enumerate()
                .map(|(n, bar)| Colleague {
                    person: person(10 + n as u128, text),
                    job_title: text.into(),
                    department: text.into(),
                    bar,
                })
                .collect(),
            more: true,
        }
    }

    #[test]
    fn whoever_may_not_is_shown_with_the_reason_and_is_not_to_be_chosen() {
        let out = html(|| page(&facts("Maya"), Back::default()));
        assert_eq!(out.matches("type=\"radio\"").count(), 1, "{out}");
        assert!(
            plain(&out).contains(refusals::take_over(TakeOverBar::Subordinate)),
            "{out}"
        );
        assert_eq!(out.matches("<h1").count(), 1);
    }

    #[test]
    fn what_was_typed_is_kept_and_stays_words() {
        let back = Back {
            typed: Typed {
                reason: HOSTILE.into(),
                ..Typed::default()
            },
            to: Some("Choose somebody.".into()),
            reason: Some("Too short.".into()),
            form: vec![],
        };
        let out = html(|| page(&facts(HOSTILE), back));
        assert!(is_inert(&out), "{out}");
        assert!(out.contains("&lt;script&gt;"), "{out}");
    }
}
