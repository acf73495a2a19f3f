//! `/tasks/{id}`: what is to be done, for whom, and the words that whoever does it has.

use axum::{Form, extract::Path, response::Response};
use domain::{
    TaskId,
    task::{TaskCall, TaskState},
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error, tasks as doing,
    views::tasks::{self, TaskPage},
};

use super::{badge, title};
use crate::{
    pages::kit,
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
};

/// What the forms send.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    /// `done` or `cannot`.
    #[serde(default)]
    word: String,
    /// What goes with it.
    #[serde(default)]
    note: String,
}

/// The page.
pub async fn one(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let id: TaskId = kit::id(&id)?;
    let found = tasks::one(visit.workflow(), &visit.viewer, id).await?;
    let title = title(&found.item);
    visit
        .page_live(&title, vec!["tasks".into()], move || {
            page(found, &Typed::default(), None)
        })
        .await
}

/// Says that it is done, or that it cannot be done.
pub async fn say(
    visit: Visit,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    let id: TaskId = kit::id(&id)?;
    let said = match typed.word.as_str() {
        "done" => doing::done(visit.workflow(), &visit.viewer, id, &typed.note).await,
        "cannot" => doing::cannot(visit.workflow(), &visit.viewer, id, &typed.note).await,
        _ => return Err(Fault::missing()),
    };
    match said {
        Ok(()) => Ok(done(&format!("/tasks/{id}"), "noted")),
        Err(Error::Refused(refused)) => {
            let found = tasks::one(visit.workflow(), &visit.viewer, id).await?;
            let fault = refused
                .iter()
                .map(refusals::sentence)
                .collect::<Vec<_>>()
                .join(" ");
            let title = kit::to_fix(1, &title(&found.item));
            visit
                .refused(&title, move || page(found, &typed, Some(fault)))
                .await
        }
        Err(error) => Err(error.into()),
    }
}

fn page(found: TaskPage, typed: &Typed, fault: Option<String>) -> impl IntoView + use<> {
    let now = found.now;
    let item = &found.item;
    let title = title(item);
    let crumbs = vec![crumb("By hand", "/tasks"), here(item.right.clone())];
    let person = item.person.clone();
    let mut facts = vec![
        fact_view(
            "Person",
            view! { <Who name=person.name.clone() href=format!("/people/{}", person.id)/> },
        ),
        fact("Account", item.account.clone()),
        fact("Where", item.target.clone()),
    ];
    if !item.summary.is_empty() {
        facts.push(fact("What it means", item.summary.clone()));
    }
    facts.push(fact_view(
        "Asked",
        view! { <Moment at=item.opened_at now=now/> },
    ));
    facts.push(fact_view("Due", view! { <Moment at=item.due_at now=now/> }));
    let doers: Vec<&str> = found.doers.iter().map(|doer| doer.name.as_str()).collect();
    if item.state.is_live() && !doers.is_empty() {
        facts.push(fact("Done by", doers.join(", ")));
    }
    if found.sees_provisioning {
        let href = format!("/provisioning/{}", found.assignment);
        facts.push(fact_view(
            "Behind it",
            view! { <a class="link" href=href>"What the provisioner knows"</a> },
        ));
    }
    let said = item.closed.as_ref().map(|(by, at)| {
        let (by, at, note) = (by.name.clone(), *at, item.note.clone());
        let (tone, head) = match item.state {
            TaskState::Cannot => (Tone::Bad, "It cannot be done, somebody says"),
            _ => (Tone::Good, "Confirmed by hand"),
        };
        let note = (!note.is_empty()).then(|| view! { <Quote words=note/> });
        view! { <Note tone=tone title=head>{by}", "<Moment at=at now=now/>". This is their word: no program has looked."</Note>{note} }
    });
    let nobody = (item.state.is_live() && found.doers.is_empty()).then(|| {
        view! { <Note tone=Tone::Bad title="There is nobody to do it">"The right has no owner who may. Name one in the catalogue, or give somebody the role of operator."</Note> }
    });
    let instructions = found.instructions.clone();
    let badge = badge(item, now).into_any();
    let words = found.may_say.then(|| words(&found, typed, fault.clone()));
    view! {
        <PageHead title=title crumbs=crumbs>{badge}</PageHead>
        <div class="stack stack-5">
            {nobody}
            {said}
            <Card title="What to do"><Body><Quote words=instructions/><Facts items=facts/></Body></Card>
            {words}
        </div>
    }
}

fn words(found: &TaskPage, typed: &Typed, fault: Option<String>) -> impl IntoView + use<> {
    let action = format!("/tasks/{}", found.item.id);
    let confirm = match found.item.call {
        TaskCall::Add => "I have given it",
        TaskCall::Remove => "I have taken it away",
    };
    let typed_for = |word: &str| {
        if typed.word == word {
            (typed.note.clone(), fault.clone())
        } else {
            (String::new(), None)
        }
    };
    let (note, note_fault) = typed_for("done");
    let (why, why_fault) = typed_for("cannot");
    let open = typed.word == "cannot";
    let cannot = (found.item.state == TaskState::Open).then(|| {
        let action = action.clone();
        view! {
            <Ask summary="It cannot be done" look=Look::Danger open=open>
                <form method="post" action=action class="stack stack-4">
                    <Hidden fields=vec![("word", "cannot".to_owned())]/>
                    <TextArea name="note" id="note-cannot" label="Why not" hint="Operators read it; the task stays until it is done or needed no longer." value=why error=why_fault.unwrap_or_default() required=true shortest=10 longest=2000/>
                    <Button look=Look::DangerSure>"It cannot be done"</Button>
                </form>
            </Ask>
        }
    });
    view! {
        <Card title="Your word">
            <Body>
                <form method="post" action=action class="stack stack-4">
                    <Hidden fields=vec![("word", "done".to_owned())]/>
                    <TextArea name="note" id="note-done" label="Note" hint="If there is something to add, such as the number of the badge." value=note error=note_fault.unwrap_or_default() longest=2000/>
                    <div class="btns"><Button look=Look::Primary>{confirm}</Button></div>
                </form>
                {cannot}
            </Body>
        </Card>
    }
}
