//! The form of a draft: what it looks at, who reviews, by when, and what would come of it if it were started now.

use std::str::FromStr;

use domain::{
    Refusal,
    certification::{Enforce, REPEATS, Reasons, ReviewerRule, Scope, Silence},
    grant::GrantSource,
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    reviews::Draft,
    views::{
        reviews::{CampaignPage, Preview},
        search::FoundPerson,
    },
};

use super::said;
use crate::{pages::said as house, refusals, ui::*, words};

/// What the forms of a campaign send.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// What to do: `save`, `find`, `start`, `discard`, `close`, `cancel`, `chase`, `sign_off`.
    pub word: String,
    name: String,
    application: String,
    package: String,
    department: String,
    employee_type: String,
    control_scope: String,
    privileged: String,
    source: String,
    reviewers: String,
    /// Whom to look for.
    pub search: String,
    named: String,
    silence: String,
    reasons: String,
    enforce: String,
    days: String,
    most_each: String,
    repeat: String,
    /// What goes with a step.
    pub note: String,
    /// Whether what is not covered was acknowledged.
    pub acknowledged: String,
}

fn read<T: FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

impl Typed {
    /// What a draft says as it was saved.
    pub fn of(page: &CampaignPage) -> Self {
        let settings = &page.settings;
        let scope = &settings.scope;
        let id = |id: Option<String>| id.unwrap_or_default();
        Self {
            name: page.name.clone(),
            application: id(scope.application.map(|id| id.to_string())),
            package: id(scope.package.map(|id| id.to_string())),
            department: scope.department.clone(),
            employee_type: scope.employee_type.clone(),
            control_scope: scope.control_scope.clone(),
            privileged: if scope.privileged { "on" } else { "" }.into(),
            source: id(scope.source.map(|source| source.to_string())),
            reviewers: settings.reviewers.to_string(),
            named: id(settings.named.as_ref().map(|tag| tag.id.to_string())),
            silence: settings.silence.to_string(),
            reasons: settings.reasons.to_string(),
            enforce: settings.enforce.to_string(),
            days: settings.days.to_string(),
            most_each: id(settings.most_each.map(|most| most.to_string())),
            repeat: settings.repeat_months.to_string(),
            ..Self::default()
        }
    }

    /// What was typed as a draft. What makes no sense is out of range, and said so beside its field.
    pub fn draft(&self) -> Draft {
        let most = self.most_each.trim();
        Draft {
            name: self.name.clone(),
            scope: Scope {
                application: read(&self.application),
                package: read(&self.package),
                department: self.department.clone(),
                employee_type: self.employee_type.clone(),
                privileged: self.privileged == "on",
                control_scope: self.control_scope.clone(),
                source: read(&self.source),
                person: None,
            },
            reviewers: read(&self.reviewers).unwrap_or(ReviewerRule::Manager),
            named: read(&self.named),
            silence: read(&self.silence).unwrap_or(Silence::Revoke),
            reasons: read(&self.reasons).unwrap_or(Reasons::Removals),
            enforce: read(&self.enforce).unwrap_or(Enforce::AtOnce),
            most_each: (!most.is_empty()).then(|| most.parse().unwrap_or(-1)),
            days: self.days.trim().parse().unwrap_or(-1),
            repeat_months: self.repeat.trim().parse().unwrap_or(0),
        }
    }
}

const FIELDS: [(&str, &str); 5] = [
    ("name", "What it is called"),
    ("to", "Named reviewer, or who stands in"),
    ("days", "For how many days it runs"),
    ("most_each", "How much one reviewer should get at most"),
    ("repeat", "How often"),
];

/// The form, with what is wrong with it.
pub fn form(
    page: &CampaignPage,
    preview: &Preview,
    typed: &Typed,
    found: &[FoundPerson],
    refused: &[Refusal],
) -> AnyView {
    let wrong = |field: &str| -> Option<String> {
        refused
            .iter()
            .find(|refusal| refusals::field(refusal) == field)
            .map(refusals::sentence)
    };
    let known = |field: &str| FIELDS.iter().any(|(id, _)| *id == field);
    let general: Vec<String> = refused
        .iter()
        .filter(|refusal| !known(&refusals::field(refusal)))
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
    let action = format!("/reviews/{}", page.id);
    view! {
        <form method="post" action=action class="stack stack-5">
            <Faults faults=general fields=fields/>
            // Whoever presses Enter in a field saves and sees the numbers.
            <button type="submit" class="sr" tabindex="-1" aria-hidden="true" name="word" value="save">"Save"</button>
            <div class="two">
                <div class="stack stack-5">
                    {looks_at(preview, typed, wrong("name"))}
                    {reviewers(page, typed, found, [wrong("to"), wrong("most_each")])}
                    {runs(typed, [wrong("days"), wrong("repeat")])}
                </div>
                {come_of_it(preview)}
            </div>
        </form>
    }
    .into_any()
}

fn plain(words: &[String]) -> Vec<Choice> {
    words
        .iter()
        .map(|word| choice(word.clone(), word.clone()))
        .collect()
}

fn looks_at(preview: &Preview, typed: &Typed, no_name: Option<String>) -> AnyView {
    let words = &preview.words;
    let applications = words
        .applications
        .iter()
        .map(|(id, name)| choice(id.to_string(), name.clone()))
        .collect();
    let packages = words
        .packages
        .iter()
        .map(|(id, name)| choice(id.to_string(), name.clone()))
        .collect();
    let sources = GrantSource::ALL
        .iter()
        .map(|source| choice(source.to_string(), words::sentence(house::source(*source))))
        .collect();
    let Typed {
        name,
        application,
        package,
        department,
        employee_type,
        control_scope,
        source,
        ..
    } = typed.clone();
    let privileged = typed.privileged == "on";
    let (departments, kinds) = (plain(&words.departments), plain(&words.employee_types));
    let scopes = plain(&words.control_scopes);
    view! {
        <Card title="What it looks at"><Body>
            <TextField name="name" label=FIELDS[0].1 value=name error=no_name required=true longest=120/>
            <Select name="application" label="Application" options=applications value=application none="All"/>
            <Select name="package" label="Package" options=packages value=package none="All"/>
            <Select name="source" label="Where it comes from" options=sources value=source none="From anywhere"/>
            <Select name="department" label="Department of whoever holds it" options=departments value=department none="All"/>
            <Select name="employee_type" label="Kind of employment" options=kinds value=employee_type none="All"/>
            <Select name="control_scope" label="Control scope" options=scopes value=control_scope none="All"/>
            <Check name="privileged" label="Only what is privileged" checked=privileged/>
        </Body></Card>
    }
    .into_any()
}

fn reviewers(
    page: &CampaignPage,
    typed: &Typed,
    found: &[FoundPerson],
    [no_named, no_most]: [Option<String>; 2],
) -> AnyView {
    let rules = ReviewerRule::ALL
        .iter()
        .map(|rule| choice(rule.to_string(), said::rule(*rule)))
        .collect();
    let mut offered: Vec<Choice> = found
        .iter()
        .map(|one| Choice {
            value: one.person.id.to_string(),
            label: one.person.name.clone(),
            detail: Some(one.department.clone()),
        })
        .collect();
    if let Some(named) = &page.settings.named
        && !found.iter().any(|one| one.person.id == named.id)
    {
        offered.insert(0, choice(named.id.to_string(), named.name.clone()));
    }
    let choose = if offered.is_empty() {
        let error = no_named.map(|why| view! { <p class="error">{why}</p> });
        view! { <div id="to" class="stack stack-1"><p class="hint">"Type a name and press Find. Without a name, security stands in last."</p>{error}</div> }.into_any()
    } else {
        offered.push(choice("", "Nobody by name"));
        let named = typed.named.clone();
        view! { <RadioCards name="named" label=FIELDS[1].1 options=offered value=named error=no_named/> }.into_any()
    };
    let (rule, search, most) = (
        typed.reviewers.clone(),
        typed.search.clone(),
        typed.most_each.clone(),
    );
    view! {
        <Card title="Who reviews"><Body>
            <Select name="reviewers" label="By rule" options=rules value=rule required=true hint="Nobody reviews their own access or that of somebody above them: then the next in line does, and security at last."/>
            <TextField name="search" label="Find somebody by name" kind="search" bare=true value=search/>
            <div><button type="submit" class="btn" name="word" value="find" formnovalidate=true>"Find"</button></div>
            {choose}
            <TextField name="most_each" label=FIELDS[3].1 kind="number" min="1" max="10000" value=most error=no_most hint="Whoever has so many already gets no more while somebody else in line has fewer."/>
        </Body></Card>
    }
    .into_any()
}

fn runs(typed: &Typed, [no_days, no_repeat]: [Option<String>; 2]) -> AnyView {
    let silences = Silence::ALL
        .iter()
        .map(|silence| Choice {
            value: silence.to_string(),
            label: said::silence(*silence).into(),
            detail: (*silence == Silence::Keep).then(|| {
                "Only what is neither privileged nor under a control scope; the rest is taken away."
                    .into()
            }),
        })
        .collect();
    let reasons = Reasons::ALL
        .iter()
        .map(|one| choice(one.to_string(), said::reasons(*one)))
        .collect();
    let enforce = Enforce::ALL
        .iter()
        .map(|one| choice(one.to_string(), said::enforce(*one)))
        .collect();
    let repeats = REPEATS
        .iter()
        .map(|months| choice(months.to_string(), said::repeat(*months)))
        .collect();
    let Typed {
        silence: silent,
        reasons: reason,
        enforce: when,
        days,
        repeat,
        ..
    } = typed.clone();
    view! {
        <Card title="How it runs"><Body>
            <TextField name="days" label=FIELDS[2].1 kind="number" min="1" max="90" value=days error=no_days required=true/>
            <Select name="repeat" label=FIELDS[4].1 options=repeats value=repeat error=no_repeat required=true/>
            <RadioCards name="silence" label="What silence means" options=silences value=silent required=true/>
            <RadioCards name="enforce" label="When access is taken away" options=enforce value=when required=true/>
            <Select name="reasons" label="When a reason is needed" options=reasons value=reason required=true/>
        </Body></Card>
    }
    .into_any()
}

/// What would come of it, with the buttons.
fn come_of_it(preview: &Preview) -> AnyView {
    let facts = vec![
        fact("Items", words::number(preview.items)),
        fact("People", words::number(preview.people)),
        fact("Privileged", words::number(preview.privileged)),
    ];
    let rows = preview
        .shares
        .iter()
        .take(30)
        .map(|share| {
            let who = share.reviewer.as_ref().map_or_else(
                || "Nobody may: silence decides".to_owned(),
                |tag| tag.name.clone(),
            );
            vec![
                cell(who),
                cell(words::number(i64::from(share.items))),
                cell(words::number(i64::from(share.fallback))),
            ]
        })
        .collect();
    let more = preview.shares.len().saturating_sub(30);
    let more = (more > 0).then(|| {
        view! { <p class="small dim">{format!("And {}.", words::count(more as i64, "other", "others"))}</p> }
    });
    let partial = preview.partial.then(|| {
        view! { <p class="small dim">"Worked out from the first 5,000 items."</p> }
    });
    let table = (!preview.shares.is_empty()).then(|| {
        let columns = vec![column("Reviewer"), numbers("Items"), numbers("Stands in")];
        view! { <Table label="Who would get how much" columns=columns rows=rows/> }
    });
    view! {
        <Card title="If it started now">
            <Body>
                <Facts items=facts/>
                <div class="btns">
                    <Button name="word" value="save">"Save and count"</Button>
                    <Button look=Look::Primary name="word" value="start">"Start it"</Button>
                    <Button look=Look::Quiet name="word" value="discard">"Discard"</Button>
                </div>
                <p class="small dim">"Starting freezes what is held at that moment. What it says cannot be changed afterwards."</p>
            </Body>
            {table}
            {(more.is_some() || partial.is_some()).then(|| view! { <Body>{more}{partial}</Body> })}
        </Card>
    }
    .into_any()
}
