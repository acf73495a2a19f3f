//! `/team`: the people who report to the reader, what they hold, what ends, what waits.

use axum::{extract::Query, response::Response};
use chrono::Duration;
use domain::{Timestamp, person::PersonState};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::views::{
    Cursor,
    team::{self, Report, Team},
};

use super::kit;
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Where the last page ended.
    #[serde(default)]
    after: String,
}

/// The page.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let after = Some(asked.after).filter(|after| !after.is_empty());
    let cursor = after.as_deref().map(Cursor::from_text);
    let team = team::load(visit.workflow(), &visit.viewer, cursor.as_ref()).await?;
    let later = cursor.is_some();
    visit.page("My team", move || page(team, later)).await
}

fn page(team: Team, later: bool) -> impl IntoView {
    let next = team
        .next
        .as_ref()
        .map(|next| kit::address("/team", &[("after", next.as_str())]));
    let first = later.then_some("/team");
    let body = if team.reports.is_empty() {
        view! {
            <Card><Empty sign=Sign::People title="Nobody reports to you" text="Who reports to whom comes from the directory. If somebody is missing here, ask HR to set their manager."/></Card>
        }
        .into_any()
    } else {
        let now = team.now;
        let rows = team.reports.iter().map(|report| row(report, now)).collect();
        let columns = vec![
            column("Person"),
            column("Holds"),
            column("Ends next"),
            column("Look at"),
        ];
        view! { <Card><Table label="People who report to you" columns=columns rows=rows/></Card> }
            .into_any()
    };
    view! {
        <PageHead title="My team" lead="The people who report to you, and what they can open."/>
        {body}
        <Pager previous=first next=next back="From the first" on="More people"/>
    }
}

fn row(report: &Report, now: Timestamp) -> Vec<AnyView> {
    let detail = [report.job_title.as_str(), report.department.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let who = view! { <Who name=report.person.name.clone() detail=detail href=format!("/people/{}", report.person.id)/> };
    let mut holds = match report.held {
        0 => "nothing".to_owned(),
        held => words::count(held, "package", "packages"),
    };
    if report.privileged > 0 {
        holds += ", ";
        holds += &words::number(report.privileged);
        holds += " privileged";
    }
    let ends = match report.next_end {
        Some(at) => view! { <Moment at=at now=now say=Say::Moment/> }.into_any(),
        None => view! { <span class="dimmer">"nothing ends"</span> }.into_any(),
    };
    let marks = marks(report, now);
    let looks = if marks.is_empty() {
        view! { <span class="dimmer">"nothing"</span> }.into_any()
    } else {
        view! { <div class="tags">{marks}</div> }.into_any()
    };
    vec![
        cell_view(who),
        cell_view(view! { <span class="keep">{holds}</span> }),
        ends,
        looks,
    ]
}

/// What a manager should look at, most urgent first.
fn marks(report: &Report, now: Timestamp) -> Vec<AnyView> {
    let mut marks = Vec::new();
    let mut badge = |state: State, words: String| {
        marks.push(view! { <Badge state=state words=words/> }.into_any());
    };
    if report.state == PersonState::Left {
        badge(State::Ended, "has left".into());
    }
    if let Some(last) = report
        .last_day_at
        .filter(|_| report.state == PersonState::Active)
    {
        let state = if last - now < Duration::days(30) {
            State::EndsSoon
        } else {
            State::Plain
        };
        badge(
            state,
            format!("last day {}", words::day(last - Duration::seconds(1), now)),
        );
    }
    if report.found > 0 {
        badge(
            State::Attention,
            format!("{} not approved here", words::number(report.found)),
        );
    }
    if report.waiting > 0 {
        badge(
            State::Waiting,
            words::count(report.waiting, "request waits", "requests wait"),
        );
    }
    if report.not_ready > 0 {
        badge(
            State::SettingUp,
            format!("{} not ready yet", words::number(report.not_ready)),
        );
    }
    if report.ending_soon > 0 {
        badge(
            State::EndsSoon,
            format!(
                "{} within 7 days",
                words::count(report.ending_soon, "end", "ends")
            ),
        );
    }
    if report
        .hired_at
        .is_some_and(|hired| now - hired < Duration::days(30))
    {
        badge(State::Plain, "new here".into());
    }
    if report.employee_type != "employee" && !report.employee_type.is_empty() {
        marks.push(view! { <Tag words=report.employee_type.clone()/> }.into_any());
    }
    if report.leads {
        marks.push(view! { <Tag words="leads a team"/> }.into_any());
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::{
        super::approvals::tests::{HOSTILE, is_inert, now, person},
        *,
    };
    use crate::render::html;

    fn report(name: &str) -> Report {
        Report {
            person: person(7, name),
            job_title: name.into(),
            department: "Orders".into(),
            office: "Gothenburg".into(),
            employee_type: name.into(),
            state: PersonState::Active,
            hired_at: Some(now() - Duration::days(3)),
            last_day_at: Some(now() + Duration::days(9)),
            held: 4,
            ending_soon: 1,
            privileged: 2,
            found: 1,
            not_ready: 1,
            waiting: 2,
            next_end: Some(now() + Duration::hours(5)),
            leads: true,
        }
    }

    #[test]
    fn a_report_says_what_to_look_at() {
        let out = html(|| {
            page(
                Team {
                    now: now(),
                    reports: vec![report("Johan")],
                    next: None,
                },
                false,
            )
        });
        for part in [
            "4 packages, 2 privileged",
            "1 not approved here",
            "2 requests wait",
            "1 end within 7 days",
            "last day 30 November",
            "new here",
            "/people/per_",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }

    #[test]
    fn hostile_names_stay_names_and_nobody_is_said_kindly() {
        let out = html(|| {
            page(
                Team {
                    now: now(),
                    reports: vec![report(HOSTILE)],
                    next: Some(Cursor::from_text(HOSTILE)),
                },
                true,
            )
        });
        assert!(is_inert(&out), "{out}");
        let out = html(|| {
            page(
                Team {
                    now: now(),
                    reports: vec![],
                    next: None,
                },
                false,
            )
        });
        assert!(out.contains("Nobody reports to you"), "{out}");
    }
}
