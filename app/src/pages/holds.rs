//! `/admin/holds`: mass changes that wait for a human, with what each would do in numbers.

use axum::{Form, extract::Path, response::Response};
use domain::{HoldId, Timestamp};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    holds as deciding,
    views::holds::{self, HeldPerson, HoldView, Holds},
};

use super::kit;
use crate::{
    problem::Fault,
    ui::*,
    visit::{Visit, done},
    words,
};

/// The page.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let holds = holds::load(visit.workflow(), &visit.viewer).await?;
    visit
        .page_live("Held changes", vec!["holds".into()], move || page(holds))
        .await
}

/// What one decides about.
#[derive(Debug, Default, Deserialize)]
pub struct Seen {
    /// The version of the hold that the page showed. Without one it is none that there is.
    version: Option<i64>,
}

/// They have left indeed.
pub async fn confirm(
    visit: Visit,
    Path(hold): Path<String>,
    Form(seen): Form<Seen>,
) -> Result<Response, Fault> {
    let hold: HoldId = kit::id(&hold)?;
    let seen = seen.version.unwrap_or(-1);
    deciding::confirm(visit.workflow(), &visit.viewer, hold, seen).await?;
    Ok(done("/admin/holds", "confirmed"))
}

/// The directory was wrong.
pub async fn dismiss(
    visit: Visit,
    Path(hold): Path<String>,
    Form(seen): Form<Seen>,
) -> Result<Response, Fault> {
    let hold: HoldId = kit::id(&hold)?;
    let seen = seen.version.unwrap_or(-1);
    deciding::dismiss(visit.workflow(), &visit.viewer, hold, seen).await?;
    Ok(done("/admin/holds", "dismissed"))
}

fn page(holds: Holds) -> impl IntoView {
    let now = holds.now;
    let (waiting, decided): (Vec<HoldView>, Vec<HoldView>) = holds
        .holds
        .into_iter()
        .partition(|hold| hold.state == "waiting");
    let version = kit::version(&(
        waiting
            .iter()
            .map(|hold| (hold.id, hold.counted, hold.may_decide))
            .collect::<Vec<_>>(),
        decided.iter().map(|hold| hold.id).collect::<Vec<_>>(),
    ));
    let top = if waiting.is_empty() {
        view! {
            <Card title="Waiting">
                <Empty sign=Sign::Shield title="Nothing is held" text="When the directory says that unusually many people left at once, nothing happens to them until somebody confirms it here."/>
            </Card>
        }
        .into_any()
    } else {
        waiting
            .into_iter()
            .map(|hold| card(hold, now))
            .collect_view()
            .into_any()
    };
    let before = (!decided.is_empty()).then(|| {
        let rows = decided.iter().map(|hold| past(hold, now)).collect_view();
        view! { <Card title="Decided before"><Rows>{rows}</Rows></Card> }
    });
    view! {
        <PageHead title="Held changes" lead="Changes too large to happen without a person saying that they are right."/>
        <div class="stack stack-5" data-live="holds" data-version=version>{top}{before}</div>
    }
}

fn people_count(hold: &HoldView) -> String {
    words::count(hold.counted, "person", "people")
}

fn card(hold: HoldView, now: Timestamp) -> impl IntoView {
    let grants: i64 = hold.people.iter().map(|one| one.grants).sum();
    let partly = i64::try_from(hold.people.len()).unwrap_or(i64::MAX) < hold.counted;
    let grants = format!(
        "{}{}",
        words::count(grants, "grant", "grants"),
        if partly { " or more" } else { "" }
    );
    let to_come = |one: &HeldPerson| one.last_day_at.filter(|last| *last > now);
    let soon = hold.people.iter().any(|one| to_come(one).is_some());
    let title = format!(
        "The directory says that {} left{}",
        people_count(&hold),
        if soon { ", or will leave earlier" } else { "" }
    );
    let allowed = format!(
        "At most {} at once would have left without asking. Until it is decided, they keep their access.",
        words::count(hold.allowed, "person", "people")
    );
    let placed_at = hold.placed_at;
    let held = view! { "held "<Moment at=placed_at now=now/> }.into_any();
    let aside = view! { <Badge state=State::Waiting words=held/> }.into_any();
    let rows = hold
        .people
        .iter()
        .map(|one| {
            vec![
                cell_view(view! { <Who name=one.person.name.clone() href=format!("/people/{}", one.person.id)/> }),
                cell(to_come(one).map_or_else(
                    || one.department.clone(),
                    |last| format!("{}, until {}", one.department, words::moment(last, now)),
                )),
                cell(words::number(one.grants)),
            ]
        })
        .collect();
    let rest = format!(
        "and {} more",
        words::number(hold.counted - i64::try_from(hold.people.len()).unwrap_or(0))
    );
    let more = partly.then(|| view! { <Body><p class="small dim">{rest}</p></Body> });
    let columns = vec![
        column("Person"),
        column("Department"),
        numbers("Grants that end"),
    ];
    let decide = if hold.may_decide {
        let (confirm, dismiss) = (
            format!("/admin/holds/{}/confirm", hold.id),
            format!("/admin/holds/{}/dismiss", hold.id),
        );
        let version = hold.version;
        let seen = move || vec![("version", version.to_string())];
        let people = people_count(&hold);
        let when = if soon {
            ", now or when their last day is over"
        } else {
            " now"
        };
        let leave = format!(
            "{people} leave{when}: {grants} end, their sessions end, their requests are withdrawn. This cannot be taken back."
        );
        let stay = format!(
            "Nobody leaves and {grants} stay. If the directory still says so at its next whole reading, it is held again."
        );
        let (end, keep) = (
            format!("End the access of {people}"),
            format!("Keep the access of {people}"),
        );
        view! {
            <div class="decide" role="group" aria-label="Decide about the held change">
                <Ask summary="They have left" look=Look::Danger>
                    <p>{leave}</p><PostButton action=confirm fields=seen() look=Look::DangerSure>{end}</PostButton>
                </Ask>
                <Ask summary="The directory is wrong">
                    <p>{stay}</p><PostButton action=dismiss fields=seen() look=Look::Primary>{keep}</PostButton>
                </Ask>
            </div>
        }
        .into_any()
    } else {
        view! { <Body><p class="small dim">"HR or an administrator decides; not somebody whom it is about."</p></Body> }.into_any()
    };
    view! {
        <Card title=title aside=aside>
            <Body><p>{allowed}</p></Body>
            <Table label="Whom it is about" columns=columns rows=rows/>
            {more}
            {decide}
        </Card>
    }
}

fn past(hold: &HoldView, now: Timestamp) -> impl IntoView + use<> {
    let (state, did) = match hold.state.as_str() {
        "confirmed" => (State::Approved, "confirmed"),
        "dismissed" => (State::Ended, "dismissed"),
        _ => (State::Plain, "over"),
    };
    let by = hold
        .decided_by
        .as_ref()
        .map(|by| format!(" by {}", by.name))
        .unwrap_or_default();
    let when = hold
        .decided_at
        .map(|at| view! { ", "<Moment at=at now=now/> });
    let by = format!("{did}{by}");
    let detail = view! { {by}{when} }.into_any();
    view! {
        <Row title=format!("{} who had left, says the directory", people_count(hold)) detail=detail>
            <Badge state=state words=did/>
        </Row>
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::approvals::tests::{HOSTILE, is_inert, now, person},
        *,
    };
    use crate::render::html;
    use uuid::Uuid;

    fn hold(text: &str, state: &str, may_decide: bool) -> HoldView {
        HoldView {
            id: Uuid::from_u128(5).into(),
            kind: "mass_leave".into(),
            state: state.into(),
            placed_at: now() - chrono::Duration::hours(1),
            version: 7,
            counted: 40,
            allowed: 6,
            people: vec![HeldPerson {
                person: person(1, text),
                department: text.into(),
                last_day_at: None,
                grants: 3,
            }],
            may_decide,
            decided_by: Some(person(2, text)),
            decided_at: Some(now()),
        }
    }

    #[test]
    fn the_question_says_its_effect_in_numbers() {
        let holds = Holds {
            now: now(),
            holds: vec![
                hold("Johan", "waiting", true),
                hold("Johan", "confirmed", false),
            ],
        };
        let out = html(|| page(holds));
        for part in [
            "40 people left",
            "At most 6 people",
            "3 grants or more end",
            "End the access of 40 people",
            "Keep the access of 40 people",
            "and 39 more",
            "confirmed by Johan",
            r#"name="version" value="7""#,
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }

    #[test]
    fn whoever_leaves_later_is_said_to() {
        let mut held = hold("Johan", "waiting", true);
        held.people[0].last_day_at = Some(now() + chrono::Duration::days(3));
        let out = html(|| {
            page(Holds {
                now: now(),
                holds: vec![held],
            })
        });
        for part in [
            "or will leave earlier",
            "Johan, until ",
            "now or when their last day is over",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }

    #[test]
    fn who_may_not_decide_gets_no_buttons_and_hostile_names_stay_names() {
        let out = html(|| {
            page(Holds {
                now: now(),
                holds: vec![hold(HOSTILE, "waiting", false)],
            })
        });
        assert!(!out.contains("<form"), "{out}");
        assert!(is_inert(&out), "{out}");
        let out = html(|| {
            page(Holds {
                now: now(),
                holds: vec![],
            })
        });
        assert!(out.contains("Nothing is held"), "{out}");
    }
}
