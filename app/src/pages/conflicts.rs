//! `/admin/conflicts`: what one person must not hold together, and who does.

use axum::{extract::Path, response::Response};
use domain::ConflictId;
use leptos::prelude::*;
use workflow::views::conflicts::{self, RuleItem, RulePage, RuleRight, Rules};

use super::{duties, findings, kit};
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// The list.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let rules = conflicts::list(visit.workflow(), &visit.viewer).await?;
    visit
        .page_live(
            "Rules",
            vec!["findings".into(), "exceptions".into()],
            move || list(rules),
        )
        .await
}

/// One rule.
pub async fn one(visit: Visit, Path(rule): Path<String>) -> Result<Response, Fault> {
    let rule: ConflictId = kit::id(&rule)?;
    let page = conflicts::one(visit.workflow(), &visit.viewer, rule).await?;
    let title = page.rule.name.clone();
    visit
        .page_live(
            &title,
            vec!["findings".into(), "exceptions".into()],
            move || rule_page(page),
        )
        .await
}

fn list(rules: Rules) -> impl IntoView {
    let body = if rules.rules.is_empty() {
        view! { <Empty sign=Sign::Shield title="There are no rules yet" text="The catalogue's files say what one person must not hold together: add a [[conflict]] with a name, two sides and an owner."/> }.into_any()
    } else {
        let rows = rules.rules.iter().map(row).collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    let version = kit::version(
        &rules
            .rules
            .iter()
            .map(|rule| (rule.id, rule.standing, rule.excepted))
            .collect::<Vec<_>>(),
    );
    view! {
        <PageHead title="Rules" lead="What one person must not hold together, over all accounts and however it is held."/>
        <Card title="All rules" live="rules" version=version>{body}</Card>
    }
}

fn row(rule: &RuleItem) -> impl IntoView + use<> {
    let detail = format!("{} Owner: {}.", rule.explain, rule.owner.name);
    let (title, href) = (rule.name.clone(), format!("/admin/conflicts/{}", rule.id));
    let (standing, severity) = (standing(rule), rule.severity);
    view! {
        <Row title=title detail=detail href=href>
            <span class="small dim">{standing}</span>{duties::severity(severity)}
        </Row>
    }
}

fn standing(rule: &RuleItem) -> String {
    if rule.standing == 0 {
        return "nobody breaks it".into();
    }
    let people = words::count(rule.standing, "person breaks it", "people break it");
    if rule.excepted == 0 {
        people
    } else {
        format!("{people}, {} by exception", words::number(rule.excepted))
    }
}

fn rule_page(page: RulePage) -> impl IntoView {
    let now = page.now;
    let rule = page.rule;
    let lead = rule.explain.clone();
    let crumbs = vec![crumb("Rules", "/admin/conflicts"), here(rule.name.clone())];
    let retired = page.retired.then(|| {
        view! { <Note title="No longer in force">"The catalogue's files do not say this rule any more."</Note> }
    });
    let owner =
        view! { <Who name=rule.owner.name.clone() href=format!("/people/{}", rule.owner.id)/> };
    let facts = vec![
        fact_view("Severity", duties::severity(rule.severity)),
        fact_view("Business owner", owner),
        fact("Key in the files", page.key),
    ];
    let found = if page.findings.is_empty() {
        view! { <Empty sign=Sign::Check title="Nobody breaks it"/> }.into_any()
    } else {
        let rows = page
            .findings
            .iter()
            .map(|item| findings::row(item, now))
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    let excepted = (!page.exceptions.is_empty()).then(|| {
        let rows = page
            .exceptions
            .iter()
            .map(|item| duties::exception_row(item, now))
            .collect_view();
        view! { <Card title="Exceptions"><Rows>{rows}</Rows></Card> }
    });
    let (left, right) = (rights(&page.left), rights(&page.right));
    let version = kit::version(
        &page
            .findings
            .iter()
            .map(|item| (item.id, item.state.as_str()))
            .collect::<Vec<_>>(),
    );
    view! {
        <PageHead title=rule.name lead=lead crumbs=crumbs/>
        <div class="stack stack-5">
            {retired}
            <Card title="Rule"><Body><Facts items=facts/></Body></Card>
            <Card title="First side"><Rows>{left}</Rows></Card>
            <Card title="Second side"><Rows>{right}</Rows></Card>
            <Card title="Who breaks it" live="found" version=version>{found}</Card>
            {excepted}
        </div>
    }
}

fn rights(rights: &[RuleRight]) -> impl IntoView + use<> {
    rights
        .iter()
        .map(|right| view! { <Row title=right.name.clone() detail=right.summary.clone()/> })
        .collect_view()
}
