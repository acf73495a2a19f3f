//! `/reviews/{campaign}`: the draft's form; how a running review goes, by reviewer and department; closing and sign-off.

use axum::{
    Form,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    CampaignId, Refusal,
    asking::ForOthers,
    certification::{CampaignState, Next, Tally},
};
use leptos::prelude::*;
use workflow::{
    Error,
    reviews::{self as running, Counts, READERS},
    views::{
        colleagues,
        reviews::{self, CampaignPage, Coverage, Progress},
        search::FoundPerson,
    },
};

use super::{draft, draft::Typed, said};
use crate::{
    frame::About,
    pages::kit,
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
    words,
};

/// The page. Whoever only reviews is led to their list.
pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let id: CampaignId = kit::id(&id)?;
    if visit.viewer.must_have(READERS).is_err() {
        return Ok(Redirect::to(&format!("/reviews/{id}/items")).into_response());
    }
    let found = reviews::campaign(visit.workflow(), &visit.viewer, id).await?;
    let typed = Typed::of(&found);
    answer(&visit, found, typed, &[], vec![]).await
}

async fn answer(
    visit: &Visit,
    found: CampaignPage,
    typed: Typed,
    refused: &[Refusal],
    people: Vec<FoundPerson>,
) -> Result<Response, Fault> {
    let refused = refused.to_vec();
    let mut title = format!("{}: {}", said::number(found.number), found.name);
    let mut status = StatusCode::OK;
    if !refused.is_empty() {
        title = kit::to_fix(refused.len(), &title);
        status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let about = About {
        topics: vec![found.id.to_string()],
        ..About::default()
    };
    visit
        .framed(status, &title, about, move || {
            page(&found, &typed, &people, &refused)
        })
        .await
}

/// Takes one step.
pub async fn act(
    visit: Visit,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    let id: CampaignId = kit::id(&id)?;
    let (workflow, viewer) = (visit.workflow(), &visit.viewer);
    let here = format!("/reviews/{id}");
    let result = match typed.word.as_str() {
        "find" => {
            let page = reviews::campaign(workflow, viewer, id).await?;
            if page.state != CampaignState::Draft {
                return Err(Fault::missing());
            }
            let text: String = typed.search.chars().take(200).collect();
            let people = colleagues::find(workflow, viewer, &text, ForOthers::Colleagues).await?;
            return answer(&visit, page, typed, &[], people).await;
        }
        "save" => running::save(workflow, viewer, id, &typed.draft())
            .await
            .map(|_| "counted"),
        // What was changed since the numbers were shown is saved and shown first.
        "start" => match running::save(workflow, viewer, id, &typed.draft()).await {
            Ok(true) => Ok("look-first"),
            Ok(false) => running::start(workflow, viewer, id)
                .await
                .map(|()| "started"),
            Err(error) => Err(error),
        },
        "discard" => running::discard(workflow, viewer, id)
            .await
            .map(|()| "discarded"),
        "close" => running::close(workflow, viewer, id)
            .await
            .map(|closed| if closed { "closed" } else { "next-stage" }),
        "cancel" => running::cancel(workflow, viewer, id, &typed.note)
            .await
            .map(|()| "given-up"),
        "chase" => running::chase(workflow, viewer, id).await.map(|_| "chased"),
        "sign_off" => {
            let acknowledged = typed.acknowledged == "on";
            running::sign_off(workflow, viewer, id, &typed.note, acknowledged)
                .await
                .map(|()| "signed-off")
        }
        _ => return Err(Fault::missing()),
    };
    match result {
        Ok(said) => Ok(done(&here, said)),
        Err(Error::Refused(refused)) => {
            let page = reviews::campaign(workflow, viewer, id).await?;
            answer(&visit, page, typed, &refused, vec![]).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(in crate::pages) fn page(
    found: &CampaignPage,
    typed: &Typed,
    people: &[FoundPerson],
    refused: &[Refusal],
) -> AnyView {
    let number = said::number(found.number);
    let crumbs = vec![crumb("Reviews", "/reviews"), here(number)];
    let badge = match &found.event {
        Some(event) => said::small(found.state, event.signed_off),
        None => said::campaign(found.state),
    };
    let about = found.event.as_ref().map(|event| event.about.as_str());
    let title = said::title(&found.name, about);
    if let Some(preview) = &found.preview {
        let lead = "A draft. Nothing is frozen, and nobody is asked, before it starts.";
        let body = if found.may_run {
            draft::form(found, preview, typed, people, refused)
        } else {
            settings(found)
        };
        return view! { <PageHead title=title lead=lead crumbs=crumbs>{badge}</PageHead>{body} }
            .into_any();
    }
    let faults: Vec<String> = refused.iter().map(refusals::sentence).collect();
    let lead = lead(found);
    let event = found.event.as_ref().map(|event| {
        let said = said::event(event, found.now);
        view! { <Note title="What happened">{said}</Note> }.into_any()
    });
    let version = kit::version(&format!(
        "{:?}{}{:?}",
        found.state, found.stage, found.tally
    ));
    let list = found.reviews.then(|| {
        let href = format!("/reviews/{}/items", found.id);
        view! { <LinkButton href=href>"Your items"</LinkButton> }
    });
    let report = matches!(
        found.state,
        CampaignState::Closed | CampaignState::SignedOff
    )
    .then(|| {
        let href = format!("/reviews/{}/report", found.id);
        view! { <LinkButton href=href look=Look::Primary>"Report"</LinkButton> }
    });
    let progress = (found.state != CampaignState::Cancelled).then(|| {
        view! {
            {progress("By reviewer", "reviewers", &found.reviewers, true)}
            {progress("By department", "departments", &found.departments, false)}
        }
    });
    view! {
        <PageHead title=title lead=lead version=version crumbs=crumbs>{badge}{list}{report}</PageHead>
        <div class="two">
            <div class="stack stack-5">
                <Faults faults=faults/>
                {event}
                {tally(&found.tally)}
                {progress}
            </div>
            <div class="stack stack-5">{steps(found, typed)}{enforced(found)}{coverage(found)}{quality(found)}{looked(found)}{settings(found)}</div>
        </div>
    }
    .into_any()
}

fn lead(found: &CampaignPage) -> AnyView {
    let now = found.now;
    let tally = &found.tally;
    match found.state {
        CampaignState::Running => {
            let escalated = found
                .escalated_at
                .map(|_| "Nobody answered in time for some, so security has them. ");
            let stages = found.settings.stages.len() as i64;
            let stage = said::stage(found.stage, stages)
                .map(|stage| format!("{}. ", words::sentence(&stage)));
            view! { {stage}{escalated}{said::deadline(found.due_at, found.then, now)} }.into_any()
        }
        CampaignState::Closed if found.event.as_ref().is_some_and(|event| !event.signed_off) => {
            format!(
                "Done: {} of {} answered. Nothing in it was privileged, so nobody has to sign it off; its report is kept.",
                words::number(tally.answered()),
                words::number(tally.population())
            )
            .into_any()
        }
        CampaignState::Closed => format!(
            "Closed: {} of {} answered. Somebody other than its maker signs it off.",
            words::number(tally.answered()),
            words::number(tally.population())
        )
        .into_any(),
        CampaignState::SignedOff => found.signed.as_ref().map_or_else(
            || "Signed off.".into_any(),
            |(by, at, _)| {
                let by = format!("Signed off by {} ", by.name);
                let at = *at;
                view! { {by}<Moment at=at now=now/>", and sealed." }.into_any()
            },
        ),
        CampaignState::Cancelled => "Given up. What had not taken effect never does.".into_any(),
        CampaignState::Draft => "A draft.".into_any(),
    }
}

/// How all of it stands, as a bar and in numbers.
pub(super) fn tally(tally: &Tally) -> AnyView {
    let said = format!("{} percent reviewed", tally.completion());
    let gauge = said::gauge(tally.completion(), said.clone());
    let of = |words: &str, count: i64| fact(words, words::number(count));
    let mut facts = vec![
        of("Items", tally.population()),
        of("Kept", tally.kept),
        of("Revoked", tally.revoked),
        of("Shortened", tally.shortened),
        of("Open", tally.open),
    ];
    if tally.silent > 0 {
        facts.push(of("Revoked by silence", tally.silent));
    }
    if tally.not_reviewed > 0 {
        facts.push(of("NOT REVIEWED, kept by silence", tally.not_reviewed));
    }
    if tally.void > 0 {
        facts.push(of("Nothing to review any more", tally.void));
    }
    let shown = kit::version(&format!("{tally:?}"));
    view! {
        <Card title="How it stands" live="tally" version=shown><Body>
            <div class="bar">{gauge}<span class="small num keep">{said}</span></div>
            <Facts items=facts/>
        </Body></Card>
    }
    .into_any()
}

fn progress(title: &'static str, name: &'static str, rows: &[Progress], people: bool) -> AnyView {
    let shown = kit::version(&format!("{rows:?}"));
    let rows = rows
        .iter()
        .map(|row| {
            let who = match (row.name.is_empty(), people) {
                (false, _) => row.name.clone(),
                (true, true) => "Nobody may".to_owned(),
                (true, false) => "No department".to_owned(),
            };
            let done = row.all - row.open;
            let percent = done * 100 / row.all.max(1);
            let label = format!("{who}: {percent} percent done");
            vec![
                cell(who),
                cell_view(said::gauge(percent, label)),
                cell(words::number(row.answered)),
                cell(words::number(row.open)),
            ]
        })
        .collect();
    let columns = vec![
        column(if people { "Reviewer" } else { "Department" }),
        column("Done"),
        numbers("Answered"),
        numbers("Open"),
    ];
    view! { <Card title=title live=name version=shown><Table label=title columns=columns rows=rows/></Card> }
        .into_any()
}

/// The steps that the reader may take now.
fn steps(found: &CampaignPage, typed: &Typed) -> Option<AnyView> {
    if !found.may_run {
        return None;
    }
    let action = format!("/reviews/{}", found.id);
    let step = |word: &'static str, words: &'static str, look: Look| {
        let fields = vec![("word", word.to_owned())];
        view! { <PostButton action=action.clone() fields=fields look=look>{words}</PostButton> }
            .into_any()
    };
    let body = match found.state {
        CampaignState::Running => {
            let over = match found.next {
                Next::Stage(_) => "Go on to the next stage now",
                Next::Look => "Draw the second look now",
                Next::Over => "Close it now",
            };
            let close = (found.tally.open == 0).then(|| step("close", over, Look::Primary));
            let chase = (found.tally.open > 0)
                .then(|| step("chase", "Remind those who have something open", Look::Plain));
            let open = typed.word == "cancel";
            let note = if open { typed.note.clone() } else { String::new() };
            view! {
                <div class="btns">{close}{chase}
                    <Ask summary="Give it up" look=Look::Danger open=open>
                        <form method="post" action=action.clone() class="stack stack-4">
                            <Hidden fields=vec![("word", "cancel".to_owned())]/>
                            <p class="small">"What is open ends without an answer. What was said no to and is not taken away yet stays."</p>
                            <TextArea name="note" label="Why" value=note required=true shortest=5 longest=2000/>
                            <Button look=Look::DangerSure>"Give it up"</Button>
                        </form>
                    </Ask>
                </div>
            }
            .into_any()
        }
        CampaignState::Closed if found.event.as_ref().is_some_and(|event| !event.signed_off) => {
            return None;
        }
        CampaignState::Closed => match found.barred {
            Some(why) => {
                let why = refusals::sentence(&Refusal::SignOffBarred { why });
                view! { <p>{why}</p> }.into_any()
            }
            None if found.enforced.waiting > 0 => {
                view! { <p>"What was said no to is being ended right now; then it can be signed off."</p> }.into_any()
            }
            None => sign_off(found, typed, action),
        },
        CampaignState::Draft | CampaignState::SignedOff | CampaignState::Cancelled => return None,
    };
    let title = if found.state == CampaignState::Closed {
        "Sign-off"
    } else {
        "Steps"
    };
    Some(view! { <Card title=title><Body>{body}</Body></Card> }.into_any())
}

fn sign_off(found: &CampaignPage, typed: &Typed, action: String) -> AnyView {
    let mut open = Vec::new();
    let uncovered: Vec<&str> = found
        .coverage
        .iter()
        .filter(|one| one.listed_at.is_none())
        .map(|one| one.target.as_str())
        .collect();
    if !uncovered.is_empty() {
        open.push(format!(
            "Not covered: {} was not listed whole within a day before the start, so rights there that the portal does not know may be missing in this review.",
            words::list(&uncovered, "and")
        ));
    }
    let unknown: i64 = found.coverage.iter().map(|one| one.counts.found).sum();
    if unknown > 0 {
        open.push(format!(
            "Found at the targets: {} that nobody here gave, and that is in no item of this review. Each is a finding with an owner.",
            words::count(unknown, "right", "rights")
        ));
    }
    if found.tally.not_reviewed > 0 {
        open.push(format!(
            "NOT REVIEWED: {} stayed because nobody answered.",
            words::count(found.tally.not_reviewed, "item", "items")
        ));
    }
    if let Some(unseen) = found
        .looked
        .map(|looked| looked.stood)
        .filter(|stood| *stood > 0)
    {
        open.push(format!(
            "Not looked at again: {} drawn for the second look stayed as answered.",
            words::count(unseen, "item", "items")
        ));
    }
    if found.enforced.pending > 0 {
        open.push(format!(
            "Not confirmed: the targets have not confirmed {} yet.",
            words::count(found.enforced.pending, "removal", "removals")
        ));
    }
    let tries = typed.word == "sign_off";
    let (note, checked) = if tries {
        (typed.note.clone(), typed.acknowledged == "on")
    } else {
        (String::new(), false)
    };
    let missing = (tries && !checked)
        .then(|| refusals::sentence(&Refusal::NotAcknowledged))
        .filter(|_| found.must_acknowledge);
    let take_note = found.must_acknowledge.then(|| {
        let items = open
            .iter()
            .map(|line| view! { <li>{line.clone()}</li> })
            .collect_view();
        view! {
            <Note tone=Tone::Wait title="To be taken note of"><ul class="stack stack-1">{items}</ul></Note>
            <Check name="acknowledged" label="I take note of this" checked=checked required=true error=missing/>
        }
    });
    view! {
        <form method="post" action=action class="stack stack-4">
            <Hidden fields=vec![("word", "sign_off".to_owned())]/>
            <p class="small">"Signing off seals the report: nothing in it can change afterwards, and its hash stands in the audit log."</p>
            {take_note}
            <TextArea name="note" label="What you looked at" value=note longest=2000/>
            <div><Button look=Look::Primary>"Sign it off"</Button></div>
        </form>
    }
    .into_any()
}

/// How it stands with what was said no to.
pub(super) fn enforced(found: &CampaignPage) -> Option<AnyView> {
    let enforced = found.enforced;
    let any = enforced.waiting + enforced.pending + enforced.done > 0;
    any.then(|| {
        let facts = vec![
            fact("Can still be undone", words::number(enforced.waiting)),
            fact("Ended, not confirmed yet", words::number(enforced.pending)),
            fact("Confirmed by the target", words::number(enforced.done)),
        ];
        let late = (enforced.overdue > 0).then(|| {
            let said = words::count(enforced.overdue, "removal has", "removals have");
            view! { <Note tone=Tone::Bad title="Overdue">{format!("{said} not been confirmed for more than a day. ")}<a class="link" href="/provisioning">"The provisioner"</a>" says why."</Note> }
        });
        let told = (enforced.told > 0).then(|| {
            let said = words::count(enforced.told, "removal was", "removals were");
            view! { <p class="small">{format!("{said} not confirmed within a day: security and the owners were told.")}</p> }
        });
        let shown = kit::version(&format!("{enforced:?}"));
        view! { <Card title="What was said no to" live="enforced" version=shown><Body><Facts items=facts/>{late}{told}</Body></Card> }
            .into_any()
    })
}

/// How complete the population is, target by target.
pub(super) fn coverage(found: &CampaignPage) -> Option<AnyView> {
    let now = found.now;
    let row = |one: &Coverage| {
        let read = one.oldest_read.map_or_else(
            || "never read".into_any(),
            |at| view! { "oldest reading "<Moment at=at now=now/> }.into_any(),
        );
        let there = there(one.counts).map(|there| view! { " · "{there} });
        let detail = view! { {words::number(one.present)}" of "{words::number(one.rights)}" rights seen there · "{read}{there} };
        let (state, words) = if one.listed_at.is_some() {
            (State::Ready, "covered")
        } else {
            (State::Attention, "not covered")
        };
        view! { <Row title=one.target.clone() detail=detail.into_any()><Badge state=state words=words/></Row> }
    };
    (!found.coverage.is_empty()).then(|| {
        let rows = found.coverage.iter().map(row).collect_view();
        view! { <Card title="How complete it is"><Rows>{rows}</Rows></Card> }.into_any()
    })
}

/// What a target listed, against what the portal knew; nothing where nothing was listed.
pub(super) fn there(counts: Counts) -> Option<String> {
    if counts.rights == 0 {
        return None;
    }
    if counts.unread == counts.rights {
        return Some("not listed".into());
    }
    let unread = (counts.unread > 0).then(|| {
        format!(
            "{} of {} not listed lately",
            words::number(counts.unread),
            words::count(counts.rights, "right", "rights")
        )
    });
    let some =
        |count: i64, what: &str| (count != 0).then(|| format!("{} {what}", words::number(count)));
    let said: Vec<String> = [
        Some(format!("{} listed there", words::number(counts.listed))),
        Some(format!("{} known here", words::number(counts.believed))),
        some(counts.found, "given by nobody here"),
        some(counts.vanished, "gone there"),
        some(counts.difference(), "being changed"),
        unread,
    ]
    .into_iter()
    .flatten()
    .collect();
    Some(said.join(", "))
}

/// How it was reviewed, in aggregate.
fn quality(found: &CampaignPage) -> Option<AnyView> {
    let one = found.reviewed;
    (one.reviewers > 0).then(|| {
        let mut facts = vec![
            fact("Reviewers with answers", words::number(one.reviewers)),
            fact(
                "Answered together with others",
                format!("{} %", one.together_percent),
            ),
            fact("Kept all of ten or more", words::number(one.keep_all)),
        ];
        if let Some(seconds) = one.median_seconds {
            facts.push(fact("Half took at most", words::count(seconds, "second", "seconds")));
            facts.push(fact("Within five seconds of the one before", format!("{} %", one.hasty_percent)));
        }
        let look = one.look.then(|| {
            view! { <Note tone=Tone::Wait title="Look closer">"Many answers came quickly or together, or somebody kept all. A second look says more."</Note> }
        });
        view! {
            <Card title="How it was reviewed"><Body>
                {look}
                <Facts items=facts/>
                <p class="small dim">"Of all reviewers together; nobody is singled out. The time of an answer is that since the same reviewer\u{2019}s answer before, without pauses of more than ten minutes: how long somebody looked is not known."</p>
            </Body></Card>
        }
            .into_any()
    })
}

/// How the second look went.
pub(super) fn looked(found: &CampaignPage) -> Option<AnyView> {
    let one = found.looked?;
    let facts = vec![
        fact("Drawn by lot", words::number(one.drawn)),
        fact("Looked at again", words::number(one.done)),
        fact("Answered otherwise", words::number(one.differed)),
        fact("Nobody looked", words::number(one.stood)),
    ];
    let shown = kit::version(&format!("{one:?}"));
    Some(
        view! { <Card title="The second look" live="looked" version=shown><Body><Facts items=facts/></Body></Card> }
            .into_any(),
    )
}

/// What it says.
pub(super) fn settings(found: &CampaignPage) -> AnyView {
    let now = found.now;
    let settings = &found.settings;
    let mut facts = vec![
        fact("Looks at", said::scope(settings)),
        fact("Silence", said::silence(settings.silence)),
        fact("Taken away", said::enforce(settings.enforce)),
        fact("A reason is needed", said::reasons(settings.reasons)),
        fact("How often", said::repeat(settings.repeat_months)),
    ];
    let several = settings.stages.len() > 1;
    for (index, stage) in settings.stages.iter().enumerate() {
        let rule = said::rule(stage.reviewers);
        let (name, mut said) = if several {
            let days = words::count(stage.days, "day", "days");
            (format!("Stage {}", index + 1), format!("{rule}, {days}"))
        } else {
            ("Reviewed by".to_owned(), rule.to_owned())
        };
        if let Some(named) = &stage.named {
            said = format!("{said}: {}", named.name);
        }
        facts.insert(index + 1, fact(name, said));
    }
    if several {
        facts.push(fact("Goes on", said::passes(settings.passes)));
    }
    if settings.second_look > 0 {
        let said = format!("{} percent of what was kept", settings.second_look);
        facts.push(fact("Looked at again", said));
    }
    if let Some(named) = &settings.named {
        facts.push(fact("Named", named.name.clone()));
    }
    if let Some(maker) = &found.maker {
        facts.push(fact("Made by", maker.name.clone()));
    }
    if let Some(at) = found.started_at {
        facts.push(fact_view("Started", view! { <Moment at=at now=now/> }));
    }
    if let Some(at) = found.closed_at {
        facts.push(fact_view("Closed", view! { <Moment at=at now=now/> }));
    }
    for (name, hash) in [
        ("Hash of the population", &found.population_hash),
        ("Hash of the report", &found.report_hash),
    ] {
        if let Some(hash) = hash.clone() {
            facts.push(fact_view(name, view! { <span class="mono">{hash}</span> }));
        }
    }
    view! { <Card title="What it says"><Body><Facts items=facts left=true/></Body></Card> }
        .into_any()
}
