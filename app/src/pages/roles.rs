//! `/admin/roles`: who holds which of the portal's own powers, from where, until when, and who approved it.

use axum::response::Response;
use domain::{Timestamp, grant::End, person::RoleSource};
use leptos::prelude::*;
use workflow::views::roles::{self, RoleHolder, RoleView, Roles};

use super::kit;
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// The page.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let roles = roles::load(visit.workflow(), &visit.viewer).await?;
    visit
        .page_live(
            "Portal roles",
            vec!["roles".into(), "findings".into()],
            move || page(roles),
        )
        .await
}

fn page(roles: Roles) -> impl IntoView {
    let now = roles.now;
    let version = kit::version(
        &roles
            .roles
            .iter()
            .flat_map(|role| &role.holders)
            .map(|holder| {
                (
                    holder.person.id,
                    holder.source.as_str(),
                    holder.counts,
                    holder.finding,
                    holder.end.and_then(End::at),
                )
            })
            .collect::<Vec<_>>(),
    );
    let offered = roles.roles.iter().any(|role| role.package.is_some());
    let note = (!offered).then(|| {
        view! { <Note>"The catalogue offers no portal role yet: whoever holds one got it in the directory. Packages with a portal_role let people ask for one for a time, with approval."</Note> }
    });
    let cards = roles
        .roles
        .into_iter()
        .map(|role| card(role, now))
        .collect_view();
    view! {
        <PageHead title="Portal roles" lead="Who has power over this portal, from where, and until when. Administrator and security, operator and security, and auditor and any other role never count together."/>
        <div class="stack stack-5" data-live="roles" data-version=version>{note}{cards}</div>
    }
}

fn card(role: RoleView, now: Timestamp) -> impl IntoView {
    let title = role.role.name();
    let ask = role.package.map(|package| {
        let href = format!("/catalog/{package}");
        let label = format!("Ask for the role {title}");
        view! { <Body><p><a class="link" href=href>{label}</a></p></Body> }
    });
    let body = if role.holders.is_empty() {
        view! { <Body><p class="small dim">"Nobody holds it."</p></Body> }.into_any()
    } else {
        let rows = role
            .holders
            .iter()
            .map(|holder| row(holder, now))
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! { <Card title=title>{body}{ask}</Card> }
}

fn row(holder: &RoleHolder, now: Timestamp) -> impl IntoView + use<> {
    let source = match holder.source {
        RoleSource::Directory => "app role in the directory",
        RoleSource::Configuration => "first administrator by configuration",
        RoleSource::Grant => "granted here",
    };
    let since = holder.since;
    let until = holder.end.map(|end| match end {
        End::Permanent => view! { " · without end" }.into_any(),
        End::At(at) => view! { " · until "<Moment at=at now=now/> }.into_any(),
    });
    let approved = (!holder.approved_by.is_empty()).then(|| {
        let names: Vec<&str> = holder
            .approved_by
            .iter()
            .map(|person| person.name.as_str())
            .collect();
        format!(" · approved by {}", words::list(&names, "and"))
    });
    let account = (!holder.account.is_empty()).then(|| format!("{} · ", holder.account));
    let detail = view! { {account}{source}" · since "<Moment at=since now=now/>{until}{approved} }
        .into_any();
    let state =
        (!holder.counts).then(|| view! { <Badge state=State::Attention words="does not count"/> });
    let finding = holder.finding.map(|finding| {
        let href = format!("/findings/{finding}");
        let label = format!("The finding about {}", holder.person.name);
        view! { <LinkButton href=href small=true label=label>"Finding"</LinkButton> }
    });
    let (name, href) = (
        holder.person.name.clone(),
        format!("/people/{}", holder.person.id),
    );
    view! { <Row title=name href=href detail=detail>{state}{finding}</Row> }
}

#[cfg(test)]
mod tests {
    use domain::person::PortalRole;
    use uuid::Uuid;

    use super::{
        super::approvals::tests::{HOSTILE, is_inert, now, person},
        *,
    };
    use crate::render::html;

    fn roles(text: &str) -> Roles {
        let holder = |source, end, finding| RoleHolder {
            person: person(1, text),
            account: text.into(),
            source,
            since: now() - chrono::Duration::days(3),
            end,
            approved_by: vec![person(2, text), person(3, "Elin Berg")],
            counts: finding,
            finding: finding.then(|| Uuid::from_u128(9).into()),
        };
        Roles {
            now: now(),
            roles: vec![
                RoleView {
                    role: PortalRole::Security,
                    package: Some(Uuid::from_u128(5).into()),
                    holders: vec![
                        holder(
                            RoleSource::Grant,
                            Some(End::At(now() + chrono::Duration::days(30))),
                            false,
                        ),
                        holder(RoleSource::Directory, None, true),
                    ],
                },
                RoleView {
                    role: PortalRole::Auditor,
                    package: None,
                    holders: vec![],
                },
            ],
        }
    }

    #[test]
    fn it_says_from_where_until_when_and_by_whom() {
        let out = html(|| page(roles("Karin Holm")));
        for part in [
            "granted here",
            "app role in the directory",
            "approved by Karin Holm and Elin Berg",
            "does not count",
            "/findings/fnd_",
            "Ask for the role Security",
            "/catalog/pkg_",
            "Nobody holds it.",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
        let out = html(|| page(roles(HOSTILE)));
        assert!(is_inert(&out), "{out}");
    }
}
