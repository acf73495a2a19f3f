//! `/exceptions/{id}`: one exception with its control and what was said of it, and the words that the viewer has.

use axum::{
    Form,
    extract::{Path, Query},
    response::Response,
};
use domain::{ExceptionId, Refusal, exception::ExceptionState};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error,
    exceptions::{self as deciding, Word},
    fresh::Act,
    views::exceptions::{self, ExceptionPage},
};

use crate::{
    pages::{duties, fresh, kit, said},
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
};

/// What the forms send.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    /// `accept`, `confirm`, `refuse`, `revoke` or `attest`.
    #[serde(default)]
    word: String,
    /// What goes with it.
    #[serde(default)]
    note: String,
}

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// What the reader wanted to do before they were asked to sign in once more.
    #[serde(default)]
    again: String,
}

/// The page.
pub async fn one(
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let id: ExceptionId = kit::id(&id)?;
    let found = exceptions::one(visit.workflow(), &visit.viewer, id).await?;
    let title = title(&found);
    let (mut typed, mut faults) = (Typed::default(), Vec::new());
    if let Some(kept) = fresh::kept(&visit, &asked.again).await?
        && let Act::Say {
            exception, note, ..
        } = kept.act
        && exception == id
    {
        typed.note = note;
        faults = kept.refusals.iter().map(refusals::sentence).collect();
    }
    visit
        .page_live(&title, vec!["exceptions".into()], move || {
            page(found, &typed, &faults)
        })
        .await
}

/// Says one's word.
pub async fn say(
    visit: Visit,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    let id: ExceptionId = kit::id(&id)?;
    let word = match typed.word.as_str() {
        "accept" => Word::Accept,
        "confirm" => Word::Confirm,
        "refuse" => Word::Refuse,
        "revoke" => Word::Revoke,
        "attest" => Word::Attest,
        _ => return Err(Fault::missing()),
    };
    match deciding::say(visit.workflow(), &visit.viewer, id, word, &typed.note).await {
        Ok(()) => Ok(done(&format!("/exceptions/{id}"), "noted")),
        Err(Error::Refused(refused)) if refused == [Refusal::WantsFreshSignIn] => {
            let act = Act::Say {
                exception: id,
                word,
                note: typed.note,
            };
            fresh::leave(&visit, act).await
        }
        Err(Error::Refused(refused)) => {
            let found = exceptions::one(visit.workflow(), &visit.viewer, id).await?;
            let sentences: Vec<String> = refused.iter().map(refusals::sentence).collect();
            let title = kit::to_fix(sentences.len(), &title(&found));
            visit
                .refused(&title, move || page(found, &typed, &sentences))
                .await
        }
        Err(error) => Err(error.into()),
    }
}

fn title(found: &ExceptionPage) -> String {
    format!(
        "{}: {} for {}",
        duties::number(found.item.number),
        found.item.rule_name,
        found.item.person.name
    )
}

fn page(found: ExceptionPage, typed: &Typed, faults: &[String]) -> impl IntoView + use<> {
    let now = found.now;
    let title = title(&found);
    let item = &found.item;
    let crumbs = vec![
        crumb("Exceptions", "/exceptions"),
        here(duties::number(item.number)),
    ];
    let (falls, stays) = (found.falls.join(", "), found.stays.join(", "));
    let person = item.person.clone();
    let mut facts = vec![
        fact_view(
            "Person",
            view! { <Who name=person.name.clone() href=format!("/people/{}", person.id)/> },
        ),
        fact("The side that stays", stays),
        fact("The side that falls at the end", falls),
        fact("Control", item.control.clone()),
        fact("Owner of the control", item.control_owner.name.clone()),
        fact("Attested every", format!("{} days", found.cadence_days)),
        fact_view("Ends", view! { <Moment at=item.ends_at now=now/> }),
    ];
    if item.renewals > 0 {
        facts.push(fact("Renewed", times(item.renewals)));
    }
    if let (ExceptionState::Live, Some(due)) = (item.state, item.attest_by)
        && due < item.ends_at
    {
        facts.push(fact_view(
            "Next attestation",
            view! { <Moment at=due now=now/> },
        ));
    }
    if let Some((at, why)) = item.ended {
        let why = duties::exception_end(why);
        let note = found.end_note.clone();
        facts.push(fact_view(
            "Over",
            view! { <Moment at=at now=now/>", "{why} },
        ));
        if !note.is_empty() {
            facts.push(fact("Said at its end", note));
        }
    }
    let mut hands = vec![fact_view("Proposed", {
        let by = item.proposer.name.clone();
        view! { {by}", "<Moment at=item.proposed_at now=now/> }
    })];
    if let Some((by, at)) = &found.accepted {
        let (by, at) = (by.name.clone(), *at);
        hands.push(fact_view(
            "Accepted for the business",
            view! { {by}", "<Moment at=at now=now/> },
        ));
    } else if let Some(acceptor) = &found.acceptor {
        hands.push(fact("Waits for", acceptor.name.clone()));
    }
    if let Some((by, at)) = &found.confirmed {
        let (by, at) = (by.name.clone(), *at);
        hands.push(fact_view(
            "Confirmed for security",
            view! { {by}", "<Moment at=at now=now/> },
        ));
    }
    let said = if found.attestations.is_empty() {
        view! { <Empty title="Nothing was attested yet"/> }.into_any()
    } else {
        let rows = found
            .attestations
            .iter()
            .map(|one| {
                let by = one.by.name.clone();
                let detail = view! { {by}", "<Moment at=one.at now=now/>" · was due "<Moment at=one.due_at now=now/> }.into_any();
                view! { <Row title=one.text.clone() detail=detail/> }
            })
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    let missed = item
        .missed_at
        .filter(|_| item.state == ExceptionState::Live)
        .map(|_| {
            let owner = item.control_owner.name.clone();
            view! { <Note tone=Tone::Bad title="An attestation is missing">{owner}" has not attested the control. A week after that was told, the exception ends and takes the side that it names."</Note> }
        });
    let lines = (!found.lines.is_empty()).then(|| {
        let rows = found
            .lines
            .iter()
            .map(|one| {
                let (until, since) = (one.until, one.since);
                let title = format!("{}: {} for {}", said::number(one.number), one.package, one.person.name);
                let detail = view! { "All have said yes; it has waited for "<Moment at=since now=now say=Say::For/>", and lapses "<Moment at=until now=now say=Say::Moment/>"." }.into_any();
                match one.request {
                    Some(id) => view! { <Row title=title detail=detail href=format!("/requests/{id}")/> }.into_any(),
                    None => view! { <Row title=title detail=detail/> }.into_any(),
                }
            })
            .collect_view();
        view! {
            <Card title="What waits for it">
                <Body><p class="small dim">"Given in the moment in which security confirms the exception, after another look. A no ends it."</p></Body>
                <Rows>{rows}</Rows>
            </Card>
        }
        .into_any()
    });
    let badges = view! { {duties::severity(item.severity)}{duties::exception_state(item.state)} };
    let explain = found.explain.clone();
    let reason = found.reason.clone();
    view! {
        <PageHead title=title lead=explain crumbs=crumbs>{badges}</PageHead>
        <div class="stack stack-5">
            <Faults faults=faults.to_vec()/>
            {missed}
            <Card title="What is tolerated"><Body><Quote words=reason/><Facts items=facts/></Body></Card>
            {lines}
            {words(&found, typed)}
            <Card title="Whose hands it went through"><Body><Facts items=hands/></Body></Card>
            <Card title="Attestations">{said}</Card>
        </div>
    }
}

fn times(renewals: i64) -> String {
    if renewals == 1 {
        "once".into()
    } else {
        format!("{renewals} times")
    }
}

/// The words that the viewer has now. Nothing if there are none.
fn words(found: &ExceptionPage, typed: &Typed) -> Option<AnyView> {
    let may = found.may;
    let action = format!("/exceptions/{}", found.item.id);
    let yes = |word: &'static str, words: &'static str| {
        let (action, fields) = (action.clone(), vec![("word", word.to_owned())]);
        view! { <PostButton action=action fields=fields look=Look::Primary>{words}</PostButton> }
    };
    let accept = may
        .accept
        .then(|| yes("accept", "Accept it for the business"));
    let confirm = may
        .confirm
        .then(|| yes("confirm", "Confirm it for security"));
    let renew = may.renew.then(|| {
        let href = format!(
            "/exceptions/new/{}/{}",
            found.item.rule, found.item.person.id
        );
        view! { <LinkButton href=href>"Propose it anew"</LinkButton> }
    });
    let asked = |action: String,
                 word: &'static str,
                 summary: &'static str,
                 label: &'static str,
                 look: Look| {
        let open = typed.word == word;
        let note = if open {
            typed.note.clone()
        } else {
            String::new()
        };
        let sure = if look == Look::Danger {
            Look::DangerSure
        } else {
            Look::Primary
        };
        view! {
            <Ask summary=summary look=look open=open>
                <form method="post" action=action class="stack stack-4">
                    <Hidden fields=vec![("word", word.to_owned())]/>
                    <TextArea name="note" id=format!("note-{word}") label=label value=note required=true shortest=5 longest=2000/>
                    <Button look=sure>{summary}</Button>
                </form>
            </Ask>
        }
    };
    let attest = may.attest.then(|| {
        asked(
            action.clone(),
            "attest",
            "Attest the control",
            "What you checked, and where the evidence is",
            Look::Plain,
        )
    });
    let refuse = may
        .refuse
        .then(|| asked(action.clone(), "refuse", "Say no", "Why not", Look::Danger));
    let revoke = may.revoke.then(|| {
        asked(
            action.clone(),
            "revoke",
            "End it now",
            "Why; what falls is taken away at once",
            Look::Danger,
        )
    });
    let any = may.accept || may.confirm || may.refuse || may.revoke || may.attest || may.renew;
    let fresh = (found.fresh && (may.accept || may.confirm)).then(|| {
        view! { <Body><p class="small dim">"A yes asks you to sign in once more: a privileged right, or one whose package says so, depends on it."</p></Body> }
    });
    any.then(|| {
        view! {
            <Card title="Your word">{fresh}<div class="decide" role="group" aria-label="Your word">{accept}{confirm}{attest}{renew}{refuse}{revoke}</div></Card>
        }
        .into_any()
    })
}
