//! `/team`: the people who report to the reader, what they hold, what ends, what waits.

use axum::{extract::Query, response::Response};
use chrono::Duration;
use domain::{Timestamp, grant::GrantState, person::PersonState};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::views::{
    Cursor,
    change::Act,
    team::{self, Holds, Report, Team},
};

use super::{change, kit, parts, said};
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// People whose changes the page listens to: a stream takes fifty topics, and one is the reader.
const LISTENED: usize = 48;

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
    let topics = team
        .reports
        .iter()
        .take(LISTENED)
        .map(|report| report.person.id.to_string())
        .collect();
    visit
        .page_live("My team", topics, move || page(team, later))
        .await
}

fn page(team: Team, later: bool) -> impl IntoView {
    let next = team
        .next
        .as_ref()
        .map(|next| kit::address("/team", &[("after", next.as_str())]));
    let first = later.then_some("/team");
    let now = team.now;
    let version = kit::version(&format!("{:?}", team.reports));
    let mut reports: Vec<(&Report, Vec<AnyView>)> = team
        .reports
        .iter()
        .map(|report| (report, marks(report, now)))
        .collect();
    // Who is to be looked at comes first; among equals the order of names stays.
    reports.sort_by_key(|(_, marks)| marks.is_empty());
    let body = if reports.is_empty() {
        view! { <Empty sign=Sign::People title="Nobody reports to you" text="Who reports to whom comes from the directory. If somebody is missing here, ask HR to set their manager."/> }
        .into_any()
    } else {
        let rows = reports
            .into_iter()
            .map(|(report, marks)| row(report, marks, now, team.may_take_away))
            .collect();
        let columns = vec![
            column("Person"),
            column("Holds"),
            column("Ends next"),
            column("Look at"),
        ];
        view! { <Table label="People who report to you" columns=columns rows=rows/> }.into_any()
    };
    view! {
        <PageHead title="My team" lead="The people who report to you, and what they can open."/>
        <Card live="team" version=version><h2 class="sr">"People"</h2>{body}</Card>
        <Pager previous=first next=next back="From the first" on="More people"/>
    }
}

fn row(report: &Report, marks: Vec<AnyView>, now: Timestamp, acts: bool) -> Vec<AnyView> {
    let detail = [report.job_title.as_str(), report.department.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let who = view! { <Who name=report.person.name.clone() detail=detail href=format!("/people/{}", report.person.id)/> };
    let looks = if marks.is_empty() {
        view! { <span class="dimmer">"nothing"</span> }.into_any()
    } else {
        view! { <div class="tags">{marks}</div> }.into_any()
    };
    vec![
        cell_view(who),
        holds(report, now, acts),
        ends(report, now),
        looks,
    ]
}

/// How much they hold, and unfolded, what.
fn holds(report: &Report, now: Timestamp, acts: bool) -> AnyView {
    let mut summary = match report.held {
        0 => return view! { <span class="dimmer">"nothing"</span> }.into_any(),
        held => words::count(held, "package", "packages"),
    };
    if report.privileged > 0 {
        summary += ", ";
        summary += &words::number(report.privileged);
        summary += " privileged";
    }
    let rows = report
        .holds
        .iter()
        .map(|one| held(one, report, now, acts))
        .collect_view();
    let rest = report.held - i64::try_from(report.holds.len()).unwrap_or(0);
    let rest = (rest > 0).then(|| {
        let href = format!("/people/{}", report.person.id);
        let words = format!("and {} more", words::number(rest));
        view! { <li><a class="link small" href=href>{words}</a></li> }
    });
    view! { <div class="sm:whitespace-nowrap"><More summary=summary><ul class="stack stack-3 whitespace-normal">{rows}{rest}</ul></More></div> }.into_any()
}

/// One package: its name, when it ends, where it comes from, and what can be done about it.
fn held(one: &Holds, report: &Report, now: Timestamp, acts: bool) -> impl IntoView + use<> {
    let (name, request) = (one.name.clone(), one.request);
    let privileged = one
        .privileged
        .then(|| view! { " "<Tag words="privileged"/> });
    let origin = match request {
        Some((request, number)) => view! { <a class="link inline-block py-0.5" href=format!("/requests/{request}")>{said::number(number)}</a> }.into_any(),
        None => said::source(one.source).into_any(),
    };
    let what = format!("{}, {}", one.name, report.person.name);
    let take = acts.then(|| change::act_link(Act::TakeAway, one.grant, "", &what));
    let held_back = (one.state == GrantState::Suspended).then(|| {
        let (state, words) = said::grant_state(one.state);
        view! { <Badge state=state words=words/> }
    });
    view! {
        <li class="stack stack-1"><span><span dir="auto">{name}</span>{privileged}</span>
            <span class="small dim">{parts::until(one.end, now)}" · "{origin}</span>
            <div class="bar wrap">{held_back}{change::why_link(one.grant, &what)}{take}</div></li>
    }
}

/// What ends next, and when.
fn ends(report: &Report, now: Timestamp) -> AnyView {
    let Some(at) = report.next_end else {
        return view! { <span class="dimmer">"nothing ends"</span> }.into_any();
    };
    let name = report
        .holds
        .iter()
        .find(|one| one.end.at() == Some(at))
        .map(|one| view! { <span class="small dim" dir="auto">{one.name.clone()}</span> });
    view! { <div class="stack stack-1"><span class="keep"><Moment at=at now=now say=Say::Moment/></span>{name}</div> }
        .into_any()
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
                words::count(report.ending_soon, "ends", "end")
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
    use domain::grant::{End, GrantSource};
    use uuid::Uuid;

    use super::{
        super::approvals::tests::{HOSTILE, is_inert, now, person},
        *,
    };
    use crate::render::html;

    fn holds(name: &str, source: GrantSource, end: Option<Timestamp>) -> Holds {
        Holds {
            grant: Uuid::from_u128(9).into(),
            name: name.into(),
            privileged: true,
            source,
            state: GrantState::Active,
            end: end.map_or(End::Permanent, End::At),
            ready_at: Some(now()),
            request: (source == GrantSource::Request).then(|| (Uuid::from_u128(3).into(), 1042)),
        }
    }

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
            holds: vec![
                holds(
                    &format!("{name} editor"),
                    GrantSource::Request,
                    Some(now() + Duration::hours(5)),
                ),
                holds("sg-orders", GrantSource::Import, None),
            ],
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
                    may_take_away: true,
                },
                false,
            )
        });
        for part in [
            "4 packages, 2 privileged",
            "1 not approved here",
            "2 requests wait",
            "1 ends within 7 days",
            "Johan editor",
            "sg-orders",
            "AR-1042",
            "no end",
            "and 2 more",
            "last day 30 November",
            "new here",
            "/people/per_",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }

    #[test]
    fn who_is_to_be_looked_at_comes_first() {
        let quiet = Report {
            hired_at: None,
            last_day_at: None,
            held: 0,
            ending_soon: 0,
            found: 0,
            not_ready: 0,
            waiting: 0,
            next_end: None,
            holds: vec![],
            leads: false,
            employee_type: "employee".into(),
            ..report("Aron")
        };
        let out = html(|| {
            page(
                Team {
                    now: now(),
                    reports: vec![quiet, report("Zoe")],
                    next: None,
                    may_take_away: true,
                },
                false,
            )
        });
        let place = |name: &str| out.find(name).expect("they are there");
        assert!(place("Zoe") < place("Aron"), "{out}");
        assert!(out.contains("data-live=\"team\""), "{out}");
    }

    #[test]
    fn hostile_names_stay_names_and_nobody_is_said_kindly() {
        let out = html(|| {
            page(
                Team {
                    now: now(),
                    reports: vec![report(HOSTILE)],
                    next: Some(Cursor::from_text(HOSTILE)),
                    may_take_away: true,
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
                    may_take_away: true,
                },
                false,
            )
        });
        assert!(out.contains("Nobody reports to you"), "{out}");
    }
}
