//! `/owned`: the packages that the reader owns; `/owned/{package}`: who holds one of them.

use axum::{
    extract::{Path, Query},
    response::Response,
};
use domain::{
    GrantId, PackageId, Timestamp,
    grant::{GrantSource, GrantState},
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::views::{
    Cursor,
    change::Act,
    owned::{self, Holder, Holders, Owned, OwnedPackage},
};

use super::{approvals, change, kit, parts, said};
use crate::{problem::Fault, ui::*, visit::Visit};

/// People whose changes the page of holders listens to: a stream takes fifty topics, and one is the reader.
const LISTENED: usize = 48;

/// The packages.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let owned = owned::load(visit.workflow(), &visit.viewer).await?;
    visit
        .page_live("My packages", vec!["catalogue".into()], move || page(owned))
        .await
}

fn page(owned: Owned) -> impl IntoView {
    let now = owned.now;
    let waiting = kit::version(&format!("{:?}", owned.decisions));
    let listed = kit::version(&format!("{:?}", owned.packages));
    let decisions = (!owned.decisions.is_empty()).then(|| {
        let rows = owned
            .decisions
            .iter()
            .map(|item| approvals::row(item, now))
            .collect_view();
        let aside =
            view! { <a class="link small" href="/approvals">"All decisions"</a> }.into_any();
        view! { <Card title="Waits for you" aside=aside><Rows>{rows}</Rows></Card> }
    });
    let packages = if owned.packages.is_empty() {
        view! {
            <Empty sign=Sign::Package title="You own no packages" text="Owners are named in the catalogue's files. An owner decides who gets a package and sees who holds it."/>
        }
        .into_any()
    } else {
        let rows = owned.packages.iter().map(row).collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! {
        <PageHead title="My packages" lead="What you own: who holds it, and who asks for it."/>
        <Region name="decisions" version=waiting>{decisions}</Region>
        <Card title="Packages" live="packages" version=listed>{packages}</Card>
    }
}

fn row(owned: &OwnedPackage) -> impl IntoView + use<> {
    let mark = parts::tile(&owned.package.app, Size::Middle);
    let privileged = owned
        .package
        .privileged
        .then(|| view! { <Tag words="privileged"/> });
    let retired = owned
        .retired
        .then(|| view! { <Badge state=State::Ended words="no longer offered"/> });
    let waiting = (owned.waiting.count > 0).then(|| {
        let words = format!("{} waiting", said::capped(owned.waiting));
        view! { <Badge state=State::Waiting words=words/> }
    });
    let holders = said::capped_count(owned.holders, "holder", "holders");
    view! {
        <Row title=owned.package.name.clone() detail=format!("{} · {}", owned.package.app.name, owned.summary) href=format!("/owned/{}", owned.package.id) mark=mark>
            {privileged}{retired}{waiting}<span class="num small">{holders}</span>
        </Row>
    }
}

/// What the address of the holders may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Where the last page ended.
    #[serde(default)]
    after: String,
}

/// The holders of one package.
pub async fn holders(
    visit: Visit,
    Path(package): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let package: PackageId = kit::id(&package)?;
    let after = Some(asked.after).filter(|after| !after.is_empty());
    let cursor = after.as_deref().map(Cursor::from_text);
    let holders = owned::holders(visit.workflow(), &visit.viewer, package, cursor.as_ref()).await?;
    let title = format!("Who holds {}", holders.package.name);
    let later = cursor.is_some();
    // Only those whose page the reader may open are heard of; what else changes shows with the next visit.
    let topics = holders
        .items
        .iter()
        .take(LISTENED)
        .map(|holder| holder.person.id.to_string())
        .collect();
    visit
        .page_live(&title, topics, move || holders_page(holders, later))
        .await
}

fn holders_page(holders: Holders, later: bool) -> impl IntoView {
    let Holders {
        now,
        package,
        items,
        next,
        holders,
        may_take_away,
        may_hold_back,
    } = holders;
    let own = format!("/owned/{}", package.id);
    let next = next.map(|next| kit::address(&own, &[("after", next.as_str())]));
    let first = later.then_some(own);
    let crumbs = vec![crumb("My packages", "/owned"), here(package.name.clone())];
    let mark = parts::tile(&package.app, Size::Large);
    let version = kit::version(&format!("{items:?}"));
    let others: Vec<GrantId> = items
        .iter()
        .filter(|holder| !holder.me)
        .map(|holder| holder.grant)
        .collect();
    let several = (may_take_away && others.len() > 1).then(|| {
        let href = change::address(Act::TakeAway, &others, &package.id.to_string(), true);
        view! { <LinkButton href=href look=Look::Quiet>"Take away from several"</LinkButton> }
    });
    let lead = format!(
        "{} · {}",
        package.app.name,
        said::capped_count(holders, "person holds it", "people hold it")
    );
    let body = if items.is_empty() {
        view! { <Empty sign=Sign::People title="Nobody holds it" text="When a request is approved, the person appears here with the end of their access."/> }.into_any()
    } else {
        let from = package.id.to_string();
        let rows = items
            .iter()
            .map(|holder| holder_row(holder, now, &from, (may_take_away, may_hold_back)))
            .collect();
        let columns = vec![
            column("Person"),
            column("Time"),
            column("State"),
            column("Why"),
        ];
        view! { <Table label="Who holds it" columns=columns rows=rows/> }.into_any()
    };
    view! {
        <PageHead title=format!("Who holds {}", package.name) lead=lead crumbs=crumbs mark=mark>
            {several}<LinkButton href=format!("/catalog/{}", package.id)>"See the package"</LinkButton>
        </PageHead>
        <Card live="holders" version=version><h2 class="sr">"Holders"</h2>{body}</Card>
        <Pager previous=first next=next back="Newest" on="Older"/>
    }
}

fn holder_row(
    holder: &Holder,
    now: Timestamp,
    from: &str,
    (may_take_away, may_hold_back): (bool, bool),
) -> Vec<AnyView> {
    let detail = [holder.job_title.as_str(), holder.department.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let (state, words) = said::grant_state(holder.state);
    let (state, words) = match (state, holder.ready_at) {
        (State::Ready, Some(_)) => (State::Ready, "ready"),
        (State::Ready, None) if holder.source != GrantSource::Import => {
            (State::SettingUp, "being set up")
        }
        other => (other.0, words),
    };
    let why = match (holder.request, holder.source) {
        (Some((request, number)), _) => {
            view! { <a class="link" href=format!("/requests/{request}")>{said::number(number)}</a> }
                .into_any()
        }
        (None, source) => cell(said::source(source)),
    };
    let name = &holder.person.name;
    let link = |may: bool, act: Act| {
        (may && !holder.me).then(|| change::act_link(act, holder.grant, from, name))
    };
    let acts = view! {
        <div class="bar wrap">
            {change::why_link(holder.grant, name)}{link(may_take_away, Act::TakeAway)}
            {link(may_hold_back && holder.state == GrantState::Active, Act::HoldBack)}
            {link(may_hold_back && holder.state == GrantState::Suspended, Act::LetGoOn)}
        </div>
    };
    vec![
        cell_view(view! { <Who name=holder.person.name.clone() detail=detail/> }),
        cell_view(view! { <Life start=holder.from end=holder.end.at() now=now/> }),
        cell_view(view! { <Badge state=state words=words/> }),
        cell_view(view! { <div class="stack stack-1">{why}{acts}</div> }),
    ]
}

#[cfg(test)]
mod tests {
    use domain::grant::End;
    use uuid::Uuid;
    use workflow::views::Capped;

    use super::{
        super::approvals::tests::{HOSTILE, is_inert, now, package, person},
        *,
    };
    use crate::render::html;

    fn holders_of(text: &str) -> Holders {
        Holders {
            now: now(),
            package: package(text),
            items: vec![Holder {
                grant: Uuid::from_u128(3).into(),
                person: person(1, text),
                me: false,
                department: text.into(),
                job_title: text.into(),
                source: GrantSource::Request,
                state: GrantState::Active,
                from: now() - chrono::Duration::hours(2),
                end: End::At(now() + chrono::Duration::hours(6)),
                ready_at: Some(now()),
                request: Some((Uuid::from_u128(4).into(), 1042)),
            }],
            next: Some(Cursor::from_text(text)),
            holders: Capped {
                count: 1,
                more: false,
            },
            may_take_away: true,
            may_hold_back: true,
        }
    }

    #[test]
    fn holders_show_life_and_reason() {
        let out = html(|| holders_page(holders_of("Orders"), false));
        for part in [
            "1 person holds it",
            "6 h left",
            "AR-1042",
            ">ready<",
            "/access/change?act=take_away&amp;from=pkg_",
            "act=hold_back",
            "/access/why/gra_",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
        let out = html(|| holders_page(holders_of(HOSTILE), true));
        assert!(is_inert(&out), "{out}");
    }

    #[test]
    fn packages_lead_to_their_holders() {
        let owned = |text: &str| Owned {
            now: now(),
            packages: vec![OwnedPackage {
                package: package(text),
                summary: text.into(),
                retired: true,
                holders: Capped {
                    count: 99,
                    more: true,
                },
                waiting: Capped {
                    count: 2,
                    more: false,
                },
            }],
            decisions: vec![],
        };
        let out = html(|| page(owned("Orders")));
        for part in [
            "99+ holders",
            "2 waiting",
            "no longer offered",
            "/owned/pkg_",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
        let out = html(|| page(owned(HOSTILE)));
        assert!(is_inert(&out), "{out}");
        let out = html(|| {
            page(Owned {
                packages: vec![],
                ..owned("x")
            })
        });
        assert!(out.contains("You own no packages"), "{out}");
    }
}
