//! `/approvals/deputies`: out of office. Who stands in for whom, naming somebody, and ending it.

use axum::{
    Form,
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use domain::{DeputyId, PersonId, Refusal, Timestamp, deputy::Scope, policy::ApproverRule};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error,
    deputies::{self, NewDeputy},
    views::deputies::{DeputiesPage, DeputyItem, load},
};

use super::{kit, said};
use crate::{
    frame::About,
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
};

const PATH: &str = "/approvals/deputies";

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// For whom.
    #[serde(default)]
    of: String,
    /// A name to look for.
    #[serde(default)]
    q: String,
}

/// What somebody typed: read without judging, kept when the form comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Typed {
    of: String,
    q: String,
    deputy: String,
    from: String,
    until: String,
    scope: String,
}

impl Typed {
    fn fresh(now: Timestamp) -> Self {
        Self {
            from: kit::day_field(now),
            until: kit::day_field(now + chrono::Duration::days(7)),
            scope: "everything".into(),
            ..Self::default()
        }
    }
}

/// What is wrong, field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wrong {
    deputy: Option<String>,
    from: Option<String>,
    until: Option<String>,
    scope: Option<String>,
    whole: Vec<String>,
}

impl Wrong {
    fn refuse(&mut self, refusals: &[Refusal]) {
        for refusal in refusals {
            let said = refusals::sentence(refusal);
            let field = match refusal {
                Refusal::OwnDeputy | Refusal::NoDeputy => &mut self.deputy,
                Refusal::BadStart { .. } => &mut self.from,
                Refusal::EndBeforeStart | Refusal::DeputyTooLong { .. } => &mut self.until,
                _ => {
                    self.whole.push(said);
                    continue;
                }
            };
            field.get_or_insert(said);
        }
    }

    fn fields(&self) -> Vec<FieldFault> {
        [
            ("deputy", "Who stands in?", &self.deputy),
            ("from", "From", &self.from),
            ("until", "Until the end of", &self.until),
            ("scope", "For what?", &self.scope),
        ]
        .into_iter()
        .filter_map(|(id, label, why)| {
            Some(FieldFault {
                id: id.into(),
                label: label.into(),
                why: why.clone()?,
            })
        })
        .collect()
    }
}

/// The page.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let facts = read(&visit, &asked.of, &asked.q).await?;
    let typed = Typed::fresh(facts.now);
    let about = About {
        narrow: true,
        ..About::default()
    };
    visit
        .framed(StatusCode::OK, "Out of office", about, move || {
            page(&facts, &typed, &Wrong::default())
        })
        .await
}

/// Names somebody.
pub async fn post(visit: Visit, Form(typed): Form<Typed>) -> Result<Response, Fault> {
    let facts = read(&visit, &typed.of, &typed.q).await?;
    let mut wrong = Wrong::default();
    let from = kit::day(&typed.from);
    if from.is_none() {
        wrong.from = Some("Say on which day it begins.".into());
    }
    let until = kit::day_over(&typed.until);
    if until.is_none() {
        wrong.until = Some("Say on which day it ends.".into());
    }
    let scope = scope(&typed.scope);
    if scope.is_none() {
        wrong.scope = Some("Choose one of these.".into());
    }
    let deputy: Option<PersonId> = typed.deputy.parse().ok();
    if deputy.is_none() {
        wrong.deputy = Some("Look for a name, then choose somebody.".into());
    }
    if let (Some(from), Some(until), Some(scope)) = (from, until, scope) {
        let new = NewDeputy {
            person: facts.of.id,
            deputy,
            from,
            until,
            scope,
        };
        match deputies::arrange(visit.workflow(), &visit.viewer, new).await {
            Ok(_) => return Ok(done(PATH, "deputy")),
            Err(Error::Refused(refusals)) => wrong.refuse(&refusals),
            Err(error) => return Err(error.into()),
        }
    }
    let count = wrong.fields().len() + wrong.whole.len();
    visit
        .refused(&kit::to_fix(count, "Out of office"), move || {
            page(&facts, &typed, &wrong)
        })
        .await
}

/// Ends a deputyship.
pub async fn end(visit: Visit, Path(deputy): Path<String>) -> Result<Response, Fault> {
    let deputy: DeputyId = kit::id(&deputy)?;
    match deputies::end(visit.workflow(), &visit.viewer, deputy).await {
        // Over already: there is nothing more to do, and the list says so.
        Ok(()) | Err(Error::Refused(_)) => Ok(done(PATH, "deputy-ended")),
        Err(error) => Err(error.into()),
    }
}

async fn read(visit: &Visit, of: &str, text: &str) -> Result<DeputiesPage, Fault> {
    let of = match of {
        "" => None,
        of => Some(kit::id(of)?),
    };
    let text: String = text.chars().take(200).collect();
    Ok(load(visit.workflow(), &visit.viewer, of, &text).await?)
}

/// What it is for, as the field sends it.
fn scope(text: &str) -> Option<Scope> {
    if text == "everything" {
        return Some(Scope::Everything);
    }
    text.parse()
        .map(Scope::Application)
        .ok()
        .or_else(|| text.parse().map(Scope::Rule).ok())
}

/// The rules by which somebody may be stood in for.
const RULES: [ApproverRule; 4] = [
    ApproverRule::Manager,
    ApproverRule::ManagersManager,
    ApproverRule::Sponsor,
    ApproverRule::Named,
];

fn page(facts: &DeputiesPage, typed: &Typed, wrong: &Wrong) -> impl IntoView + use<> {
    let crumbs = vec![crumb("Decisions", "/approvals"), here("Out of office")];
    view! {
        <PageHead title="Out of office" crumbs=crumbs lead="While you are away somebody else can decide beside you. The record always says who decided, and for whom."/>
        <List facts=facts.clone()/>
        <Name facts=facts.clone() typed=typed.clone() wrong=wrong.clone()/>
    }
}

#[component]
fn List(facts: DeputiesPage) -> impl IntoView {
    if facts.items.is_empty() {
        return view! {
            <Card title="Standing in">
                <Empty sign=Sign::Check title="Nobody stands in" text="Name somebody below before you go away."/>
            </Card>
        }
        .into_any();
    }
    let now = facts.now;
    let rows = facts
        .items
        .iter()
        .map(|item| row(item, facts.me, now))
        .collect_view();
    view! { <Card title="Standing in"><Rows>{rows}</Rows></Card> }.into_any()
}

fn row(item: &DeputyItem, me: PersonId, now: Timestamp) -> AnyView {
    let title = if item.person.id == me {
        format!("{} stands in for you", item.deputy.name)
    } else if item.deputy.id == me {
        format!("You stand in for {}", item.person.name)
    } else {
        format!("{} stands in for {}", item.deputy.name, item.person.name)
    };
    let what = match (&item.application, item.approvers) {
        (Some(application), _) => format!("only {application}"),
        (None, Some(rule)) => format!("only as {}", said::rule(rule).to_lowercase()),
        (None, None) => "everything".to_owned(),
    };
    let by = item
        .made_by
        .as_ref()
        .map(|by| format!(" · named by {}", by.name))
        .unwrap_or_default();
    let (from, until) = (item.from, item.until - chrono::Duration::seconds(1));
    let detail = view! {
        {what}" · "<Moment at=from now=now say=Say::Date/>" to "<Moment at=until now=now say=Say::Date/>{by}
    }
    .into_any();
    let badge = if item.begun {
        view! { <Badge state=State::Ready words="stands in now"/> }
    } else {
        view! { <Badge state=State::Approved words="begins later"/> }
    };
    let mark = view! { <Avatar name=item.deputy.name.clone()/> }.into_any();
    let action = format!("{PATH}/{}/end", item.id);
    let label = format!("End: {title}");
    view! {
        <Row title=title detail=detail mark=mark>
            {badge}
            <PostButton action=action small=true label=label>"End it"</PostButton>
        </Row>
    }
    .into_any()
}

#[component]
fn Name(facts: DeputiesPage, typed: Typed, wrong: Wrong) -> impl IntoView {
    let mine = facts.of.id == facts.me;
    let title = if mine {
        "Name somebody to stand in for you".to_owned()
    } else {
        format!("Name somebody to stand in for {}", facts.of.name)
    };
    let whom = (facts.people.len() > 1).then(|| {
        let options = facts
            .people
            .iter()
            .map(|one| {
                let label = if one.id == facts.me { "Me".to_owned() } else { one.name.clone() };
                choice(one.id.to_string(), label)
            })
            .collect();
        view! { <Select name="of" label="For whom?" options=options value=facts.of.id.to_string() required=true hint="You can also name somebody for those who report to you."/> }
    });
    let found = (!facts.text.is_empty()).then(|| found(&facts, &typed, &wrong));
    let looked = facts.text.clone();
    view! {
        <Faults faults=wrong.whole.clone() fields=wrong.fields()/>
        <Card title=title>
            <Body>
                <form method="get" action=PATH class="fields" role="search">
                    {whom}
                    <TextField name="q" label="Look for a colleague" kind="search" value=looked required=true hint="Part of a name, at least two letters. Choose somebody who is not below the people who ask you: they could not decide."/>
                    <div class="btns"><Button>"Look"</Button></div>
                </form>
                {found}
            </Body>
        </Card>
    }
}

/// The second step: who of those found, from when, until when and what for.
fn found(facts: &DeputiesPage, typed: &Typed, wrong: &Wrong) -> AnyView {
    if facts.found.is_empty() {
        return view! { <Note title="Nobody found">"Try another part of the name."</Note> }
            .into_any();
    }
    let people: Vec<Choice> = facts
        .found
        .iter()
        .map(|one| {
            let detail = [one.job_title.as_str(), one.department.as_str()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", ");
            Choice {
                value: one.person.id.to_string(),
                label: one.person.name.clone(),
                detail: Some(detail).filter(|detail| !detail.is_empty()),
            }
        })
        .collect();
    let more = facts
        .more
        .then_some("There are more: type more of the name.");
    let mut scopes = vec![choice("everything", "Everything that I would decide")];
    scopes.extend(RULES.iter().map(|rule| {
        choice(
            rule.as_str(),
            format!(
                "Only what is decided as {}",
                said::rule(*rule).to_lowercase()
            ),
        )
    }));
    scopes.extend(
        facts
            .applications
            .iter()
            .map(|(id, name)| choice(id.to_string(), format!("Only {name}"))),
    );
    let keep = vec![("of", facts.of.id.to_string()), ("q", facts.text.clone())];
    let error = wrong.clone();
    view! {
        <form method="post" action=PATH class="fields">
            <Hidden fields=keep/>
            <RadioCards name="deputy" label="Who stands in?" options=people value=typed.deputy.clone() required=true error=error.deputy hint=more/>
            <TextField name="from" label="From" kind="date" value=typed.from.clone() required=true error=error.from/>
            <TextField name="until" label="Until the end of" kind="date" value=typed.until.clone() required=true error=error.until hint="At most 60 days. Days are those of UTC."/>
            <Select name="scope" label="For what?" options=scopes value=typed.scope.clone() required=true error=error.scope hint="An owner or a member of security is stood in for by nobody: whoever else is one decides anyway."/>
            <div class="btns"><Button look=Look::Primary>"Let them stand in"</Button></div>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use workflow::views::search::FoundPerson;

    use super::{
        super::approvals::tests::{HOSTILE, is_inert, now, person},
        *,
    };
    use crate::render::{html, plain};

    fn facts(text: &str) -> DeputiesPage {
        DeputiesPage {
            now: now(),
            me: person(1, text).id,
            items: vec![DeputyItem {
                id: Uuid::from_u128(5).into(),
                person: person(1, text),
                deputy: person(2, text),
                from: now(),
                until: now() + chrono::Duration::days(3),
                application: None,
                approvers: Some(ApproverRule::Manager),
                made_by: Some(person(3, text)),
                begun: true,
            }],
            people: vec![person(1, text), person(4, text)],
            of: person(4, text),
            text: text.into(),
            found: vec![FoundPerson {
                person: person(6, text),
                job_title: text.into(),
                department: text.into(),
            }],
            more: true,
            applications: vec![(Uuid::from_u128(9).into(), text.into())],
        }
    }

    #[test]
    fn the_page_says_who_stands_in_and_offers_to_name_somebody() {
        let facts = facts("Astrid");
        let out = html(|| page(&facts, &Typed::fresh(now()), &Wrong::default()));
        let read = plain(&out);
        for part in [
            "Astrid stands in for you",
            "only as manager",
            "named by Astrid",
            "stands in now",
            "Name somebody to stand in for Astrid",
            "Only Astrid",
        ] {
            assert!(read.contains(part), "{part} is missing in {read}");
        }
        assert!(out.contains("/approvals/deputies/dpt_"), "{out}");
        assert_eq!(out.matches("<h1").count(), 1);
    }

    #[test]
    fn what_was_typed_comes_back_with_each_fault_beside_its_field() {
        let facts = facts("Astrid");
        let typed = Typed {
            until: "2027-01-01".into(),
            ..Typed::fresh(now())
        };
        let mut wrong = Wrong::default();
        wrong.refuse(&[
            Refusal::NoDeputy,
            Refusal::DeputyTooLong { most_days: 60 },
            Refusal::DeputiesMany { most: 3 },
        ]);
        let out = html(|| page(&facts, &typed, &wrong));
        for part in [
            "2027-01-01",
            "until-error",
            "deputy-error",
            "At most 60 days at a stretch",
            "3 people stand in",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }

    #[test]
    fn hostile_names_stay_names() {
        let facts = facts(HOSTILE);
        let typed = Typed {
            from: HOSTILE.into(),
            scope: HOSTILE.into(),
            ..Typed::default()
        };
        let out = html(|| page(&facts, &typed, &Wrong::default()));
        assert!(is_inert(&out), "{out}");
    }

    #[test]
    fn a_scope_is_read_from_its_word_or_its_id() {
        let application = domain::ApplicationId(Uuid::from_u128(9));
        assert_eq!(scope("everything"), Some(Scope::Everything));
        assert_eq!(
            scope(&application.to_string()),
            Some(Scope::Application(application))
        );
        assert_eq!(scope("manager"), Some(Scope::Rule(ApproverRule::Manager)));
        assert_eq!(scope("anything"), None);
    }
}
