//! The form of a draft: what it looks at, who reviews, by when, and what would come of it if it were started now.

use std::str::FromStr;

use domain::{
    Refusal,
    certification::{
        Enforce, LaterStage, Passes, REPEATS, Reasons, ReviewerRule, Scope, Silence, drawn,
    },
    grant::GrantSource,
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    reviews::Draft,
    views::{
        reviews::{CampaignPage, Preview, ShareView},
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
    right: String,
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
    rule_2: String,
    named_2: String,
    days_2: String,
    rule_3: String,
    named_3: String,
    days_3: String,
    passes: String,
    second_look: String,
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
        let stage = |index: usize| {
            settings.stages.get(index).map_or_else(
                || (String::new(), String::new(), SHARE.to_owned()),
                |stage| {
                    let named = stage.named.as_ref().map(|tag| tag.id.to_string());
                    (
                        stage.reviewers.to_string(),
                        id(named),
                        stage.days.to_string(),
                    )
                },
            )
        };
        let (rule_2, named_2, days_2) = stage(1);
        let (rule_3, named_3, days_3) = stage(2);
        Self {
            name: page.name.clone(),
            application: id(scope.application.map(|id| id.to_string())),
            package: id(scope.package.map(|id| id.to_string())),
            right: id(scope.entitlement.map(|id| id.to_string())),
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
            rule_2,
            named_2,
            days_2,
            rule_3,
            named_3,
            days_3,
            passes: settings.passes.to_string(),
            second_look: settings.second_look.to_string(),
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
                entitlement: read(&self.right),
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
            later: self.later(),
            passes: read(&self.passes).unwrap_or(Passes::Kept),
            second_look: if self.second_look.trim().is_empty() {
                0
            } else {
                read(&self.second_look).unwrap_or(-1)
            },
            repeat_months: self.repeat.trim().parse().unwrap_or(0),
        }
    }
}

impl Typed {
    /// The stages after the first: those that have a rule.
    fn later(&self) -> Vec<LaterStage> {
        [
            (&self.rule_2, &self.named_2, &self.days_2),
            (&self.rule_3, &self.named_3, &self.days_3),
        ]
        .into_iter()
        .filter_map(|(rule, named, days)| {
            Some(LaterStage {
                reviewers: read(rule)?,
                named: read(named),
                days: read(days).unwrap_or(-1),
            })
        })
        .collect()
    }
}

/// How many days a later stage is offered.
const SHARE: &str = "5";

const FIELDS: [(&str, &str); 8] = [
    ("name", "What it is called"),
    ("to", "Named reviewer, or who stands in"),
    ("days", "For how many days it runs"),
    ("most_each", "How much one reviewer should get at most"),
    ("repeat", "How often"),
    (
        "days_2",
        "How many of the days are the second stage\u{2019}s",
    ),
    (
        "days_3",
        "How many of the days are the third stage\u{2019}s",
    ),
    ("second_look", "How many percent of what was kept"),
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
                    {stages(page, typed, found, [wrong("days_2"), wrong("days_3")])}
                    {second_look(typed, wrong("second_look"))}
                    {runs(typed, [wrong("days"), wrong("repeat")])}
                </div>
                {come_of_it(page, preview)}
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
    let rights = words
        .rights
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
        right,
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
            <Select name="right" label="Right" options=rights value=right none="All"/>
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
            <TextField name="days" label=FIELDS[2].1 kind="number" min="1" max="90" value=days error=no_days required=true hint="All stages together; the first has what the later ones leave."/>
            <Select name="repeat" label=FIELDS[4].1 options=repeats value=repeat error=no_repeat required=true/>
            <RadioCards name="silence" label="What silence means" options=silences value=silent required=true/>
            <RadioCards name="enforce" label="When access is taken away" options=enforce value=when required=true/>
            <Select name="reasons" label="When a reason is needed" options=reasons value=reason required=true/>
        </Body></Card>
    }
    .into_any()
}

/// Whom a later stage may name: whoever was found, and whoever it names already.
fn offered(page: &CampaignPage, index: usize, found: &[FoundPerson]) -> Vec<Choice> {
    let own = page
        .settings
        .stages
        .get(index)
        .and_then(|stage| stage.named.clone());
    let own = own.filter(|own| !found.iter().any(|one| one.person.id == own.id));
    found
        .iter()
        .map(|one| choice(one.person.id.to_string(), one.person.name.clone()))
        .chain(own.map(|tag| choice(tag.id.to_string(), tag.name)))
        .collect()
}

/// The later stages.
fn stages(
    page: &CampaignPage,
    typed: &Typed,
    found: &[FoundPerson],
    [no_2, no_3]: [Option<String>; 2],
) -> AnyView {
    let rules: Vec<Choice> = ReviewerRule::ALL
        .iter()
        .map(|rule| choice(rule.to_string(), said::rule(*rule)))
        .collect();
    let one = |index: usize, rule: &str, named: &str, days: &str, error: Option<String>| {
        let (label, none, field) = match index {
            1 => ("Second stage", "No second stage", FIELDS[5]),
            _ => ("Third stage", "No third stage", FIELDS[6]),
        };
        let number = index + 1;
        let people = offered(page, index, found);
        let named = (!people.is_empty()).then(|| {
            let named = named.to_owned();
            view! { <Select name=format!("named_{number}") label=format!("{label}: whom it names") options=people value=named none="Whoever is named above"/> }
        });
        let (rule, days, rules) = (rule.to_owned(), days.to_owned(), rules.clone());
        view! {
            <Select name=format!("rule_{number}") label=label options=rules value=rule none=none/>
            {named}
            <TextField name=field.0 label=field.1 kind="number" min="1" max="89" value=days error=error/>
        }
        .into_any()
    };
    let wrong = no_2.is_some() || no_3.is_some();
    let open = wrong || !typed.rule_2.is_empty() || !typed.rule_3.is_empty();
    let second = one(1, &typed.rule_2, &typed.named_2, &typed.days_2, no_2);
    let third = one(2, &typed.rule_3, &typed.named_3, &typed.days_3, no_3);
    let passes = Passes::ALL
        .iter()
        .map(|one| choice(one.to_string(), said::passes(*one)))
        .collect();
    let goes_on = typed.passes.clone();
    view! {
        <Card title="Who is asked after that"><Body>
            <More summary="A second and a third stage" open=open>
                <p class="small dim">"Each stage sees what those before said. What nobody answers goes on, and the last stage that answers decides. Somebody found by name can be named in each."</p>
                {second}
                {third}
                <RadioCards name="passes" label="What goes on to the next stage" options=passes value=goes_on/>
            </More>
        </Body></Card>
    }
    .into_any()
}

/// The second look.
fn second_look(typed: &Typed, error: Option<String>) -> AnyView {
    let percent = typed.second_look.clone();
    view! {
        <Card title="A second look"><Body>
            <TextField name="second_look" label=FIELDS[7].1 kind="number" min="0" max="100" value=percent error=error hint="Drawn by lot when everything else is answered. Somebody of security who was not asked before has five days; what they say against keeping counts. 0 for none."/>
        </Body></Card>
    }
    .into_any()
}

/// Who would get how much in one stage.
fn shares(index: usize, shares: &[ShareView], stages: usize) -> AnyView {
    let rows = shares
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
    let more = shares.len().saturating_sub(30);
    let more = (more > 0).then(|| {
        view! { <Body><p class="small dim">{format!("And {}.", words::count(more as i64, "other", "others"))}</p></Body> }
    });
    let label = match (index, stages) {
        (0, 1) => "Who would get how much".to_owned(),
        (0, _) => "Who would get how much in stage 1".to_owned(),
        _ => format!("In stage {}, if everything goes on to it", index + 1),
    };
    let columns = vec![column("Reviewer"), numbers("Items"), numbers("Stands in")];
    let caption = stages > 1;
    view! { <Table label=label columns=columns rows=rows caption=caption/>{more} }.into_any()
}

/// What would come of it, with the buttons.
fn come_of_it(page: &CampaignPage, preview: &Preview) -> AnyView {
    let facts = vec![
        fact("Items", words::number(preview.items)),
        fact("People", words::number(preview.people)),
        fact("Privileged", words::number(preview.privileged)),
    ];
    let partial = preview.partial.then(|| {
        view! { <p class="small dim">"Worked out from the first 5,000 items."</p> }
    });
    let listed = (!preview.listed.is_empty()).then(|| {
        let rows = preview
            .listed
            .iter()
            .map(|one| {
                let (state, words) = if one.listed_at.is_some() {
                    (State::Ready, "covered")
                } else {
                    (State::Attention, "not covered")
                };
                let detail = super::campaign::there(one.counts).unwrap_or_default();
                view! { <Row title=one.target.clone() detail=detail.into_any()><Badge state=state words=words/></Row> }
            })
            .collect_view();
        view! {
            <Body><p class="small dim">"What the targets themselves list of these rights. One that was not listed whole within a day is not covered, and whoever signs off takes note of that."</p></Body>
            <Rows>{rows}</Rows>
        }
        .into_any()
    });
    let stages = preview.shares.len();
    let tables = preview
        .shares
        .iter()
        .enumerate()
        .filter(|(_, stage)| !stage.is_empty())
        .map(|(index, stage)| shares(index, stage, stages))
        .collect_view();
    let percent = page.settings.second_look;
    let look = (percent > 0).then(|| {
        let most = drawn(percent, usize::try_from(preview.items).unwrap_or_default());
        let most = words::count(most as i64, "item", "items");
        view! { <p class="small dim">{format!("A second look would draw at most {most}: {percent} percent of what is kept.")}</p> }
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
            {tables}
            {listed}
            {(look.is_some() || partial.is_some()).then(|| view! { <Body>{look}{partial}</Body> })}
        </Card>
    }
    .into_any()
}
