//! `/exceptions/new/{rule}/{person}`: proposing an exception. The owner of the control is found by name and chosen by id,
//! without JavaScript: one button looks, the other sends.

use axum::{Form, extract::Path, http::StatusCode, response::Response};
use domain::{ConflictId, PersonId, Refusal, conflict::Side, exception::CADENCES};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error,
    exceptions::{self as proposing, Proposal},
    views::exceptions::{self, ProposalForm},
};

use crate::{
    frame::About,
    pages::{duties, kit},
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
    words,
};

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    step: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    control: String,
    #[serde(default)]
    search: String,
    #[serde(default)]
    control_owner: String,
    #[serde(default)]
    cadence: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    falls: String,
}

/// The form, untouched.
pub async fn form(
    visit: Visit,
    Path((rule, person)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let typed = Typed {
        cadence: "30".into(),
        days: "90".into(),
        ..Typed::default()
    };
    show(&visit, &rule, &person, typed, &[]).await
}

/// Looks for people, or proposes.
pub async fn send(
    visit: Visit,
    Path((rule, person)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    if typed.step == "find" {
        return show(&visit, &rule, &person, typed, &[]).await;
    }
    let proposal = Proposal {
        rule: kit::id(&rule)?,
        person: kit::id(&person)?,
        reason: typed.reason.clone(),
        control: typed.control.clone(),
        control_owner: typed.control_owner.parse().ok(),
        cadence_days: typed.cadence.parse().unwrap_or(0),
        days: typed.days.trim().parse().unwrap_or(0),
        falls: typed.falls.parse().unwrap_or(Side::Right),
    };
    match proposing::propose(visit.workflow(), &visit.viewer, &proposal).await {
        Ok(id) => Ok(done(&format!("/exceptions/{id}"), "proposed")),
        Err(Error::Refused(refused)) => show(&visit, &rule, &person, typed, &refused).await,
        Err(error) => Err(error.into()),
    }
}

async fn show(
    visit: &Visit,
    rule: &str,
    person: &str,
    typed: Typed,
    refused: &[Refusal],
) -> Result<Response, Fault> {
    let (rule, person): (ConflictId, PersonId) = (kit::id(rule)?, kit::id(person)?);
    let chosen: Option<PersonId> = typed.control_owner.parse().ok();
    let form = exceptions::form(
        visit.workflow(),
        &visit.viewer,
        rule,
        person,
        &typed.search,
        chosen,
    )
    .await?;
    let title = format!(
        "Propose an exception for {}",
        words::isolate(&form.person.name)
    );
    if refused.is_empty() {
        let about = About {
            narrow: true,
            ..About::default()
        };
        return visit
            .framed(StatusCode::OK, &title, about, move || {
                page(&form, &typed, &[])
            })
            .await;
    }
    let refused = refused.to_vec();
    let title = kit::to_fix(refused.len(), &title);
    visit
        .refused(&title, move || page(&form, &typed, &refused))
        .await
}

const FIELDS: [(&str, &str); 5] = [
    ("reason", "Why it is needed"),
    ("control", "What is done instead"),
    ("control_owner", "Owner of the control"),
    ("cadence", "Attested every"),
    ("days", "For how many days"),
];

fn page(form: &ProposalForm, typed: &Typed, refused: &[Refusal]) -> impl IntoView + use<> {
    let wrong = |field: &str| -> Option<String> {
        refused
            .iter()
            .find(|refusal| refusals::field(refusal) == field)
            .map(refusals::sentence)
    };
    let general: Vec<String> = refused
        .iter()
        .filter(|refusal| refusals::field(refusal).is_empty())
        .map(refusals::sentence)
        .collect();
    let fields = FIELDS
        .iter()
        .filter_map(|(id, label)| {
            let why = wrong(id)?;
            Some(FieldFault {
                id: (*id).into(),
                label: (*label).into(),
                why,
            })
        })
        .collect();
    let action = format!("/exceptions/new/{}/{}", form.rule, form.person.id);
    let crumbs = vec![crumb("Exceptions", "/exceptions"), here("Propose")];
    let lead = format!("From the rule “{}”. {}", form.name, form.explain);
    let renewed = form.renewals.map(|renewals| {
        let text = if renewals == 1 {
            "This would renew it for the first time.".to_owned()
        } else {
            format!("This would renew it for the {renewals}th time.")
        };
        view! { <Note title="One is in force already">{text}</Note> }
    });
    let falls = vec![
        Choice {
            value: Side::Left.to_string(),
            label: form.left.join(", "),
            detail: Some(duties::side(Side::Left).into()),
        },
        Choice {
            value: Side::Right.to_string(),
            label: form.right.join(", "),
            detail: Some(duties::side(Side::Right).into()),
        },
    ];
    let fallen = if typed.falls.is_empty() {
        Side::Right.to_string()
    } else {
        typed.falls.clone()
    };
    let cadences = CADENCES
        .iter()
        .map(|days| choice(days.to_string(), format!("{days} days")))
        .collect();
    let mut offered: Vec<Choice> = form
        .found
        .iter()
        .map(|one| choice(one.id.to_string(), one.name.clone()))
        .collect();
    if let Some(chosen) = &form.chosen
        && !form.found.iter().any(|one| one.id == chosen.id)
    {
        offered.insert(0, choice(chosen.id.to_string(), chosen.name.clone()));
    }
    let no_owner = wrong("control_owner");
    let nobody = offered.is_empty().then(|| {
        let text = if typed.search.trim().is_empty() {
            "Type a name and press Find."
        } else {
            "Nobody was found; try another name."
        };
        let error = no_owner.clone().map(|why| view! { <p class="error">{why}</p> });
        view! { <div id="control_owner" class="stack stack-1"><p class="hint">{text}</p>{error}</div> }
    });
    let choose = (!offered.is_empty()).then(|| {
        let chosen = typed.control_owner.clone();
        view! { <RadioCards name="control_owner" label="Owner of the control" options=offered value=chosen error=no_owner/> }
    });
    let accepts = format!(
        "{} accepts it for the business, then security confirms it: two people other than you and {}.",
        form.owner.name, form.person.name
    );
    let title = format!(
        "Propose an exception for {}",
        words::isolate(&form.person.name)
    );
    let Typed {
        reason,
        control,
        search,
        cadence,
        days,
        ..
    } = typed.clone();
    let (no_reason, no_control) = (wrong("reason"), wrong("control"));
    let (no_cadence, no_days) = (wrong("cadence"), wrong("days"));
    view! {
        <PageHead title=title lead=lead crumbs=crumbs/>
        <form method="post" action=action class="stack stack-5">
            <Faults faults=general fields=fields/>
            {renewed}
            <Card><Body>
                <TextArea name="reason" label=FIELDS[0].1 value=reason error=no_reason shortest=5 longest=2000 required=true/>
                <TextArea name="control" label=FIELDS[1].1 hint="The compensating control, such as: a second person reviews every payment run afterwards." value=control error=no_control shortest=5 longest=2000 required=true/>
            </Body></Card>
            <Card title="Who watches over it"><Body>
                <TextField name="search" label="Find somebody by name" kind="search" bare=true value=search/>
                <div><button type="submit" class="btn" name="step" value="find" formnovalidate=true>"Find"</button></div>
                {nobody}{choose}
                <Select name="cadence" label="Attested every" options=cadences value=cadence error=no_cadence required=true/>
            </Body></Card>
            <Card title="Until when"><Body>
                <TextField name="days" label=FIELDS[4].1 kind="number" min="1" max="180" value=days error=no_days required=true/>
                <RadioCards name="falls" label="Taken away at its end" options=falls value=fallen required=true/>
            </Body></Card>
            <p class="small dim" dir="auto">{accepts}</p>
            <div><Button look=Look::Primary>"Propose it"</Button></div>
        </form>
    }
}
