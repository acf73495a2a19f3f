//! What stands around every page: from the frame's facts to the shell that shows them.

use domain::person::PortalRole;
use leptos::prelude::*;
use workflow::views::{Capped, shell::Shell as Facts};

use crate::{
    pages::said,
    ui::{Flash, Frame, Me, Shell, Sign, Tone, Way, Ways},
};

/// The words after skipping time, which are said with the time that it is then.
pub const SKIPPED: &str = "Time has passed.";

/// What a page says about itself to the frame.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The page's path: marks the way that leads here.
    pub path: String,
    /// Path and query: where the trial's bar leads back to.
    pub address: String,
    /// What was searched for.
    pub query: String,
    /// What the last form did.
    pub notice: Option<&'static str>,
    /// What the page listens to besides what concerns the viewer.
    pub topics: Vec<String>,
    /// Whether this is the trial.
    pub trial: bool,
    /// A narrower column.
    pub narrow: bool,
}

/// Puts a page into its frame.
pub fn frame(facts: &Facts, about: About, body: impl IntoView + 'static) -> AnyView {
    let About {
        path,
        query,
        notice,
        mut topics,
        trial,
        narrow,
    } = about;
    topics.insert(0, facts.me.id.to_string());
    let frame = Frame {
        me: Me {
            name: facts.me.name.clone(),
            detail: String::new(),
            roles: facts
                .roles
                .iter()
                .map(|role| said::role(*role).to_owned())
                .collect(),
        },
        ways: ways(facts),
        path,
        query,
        flash: notice.map(|words| Flash {
            tone: Tone::Good,
            words: words.to_owned(),
        }),
        now: facts.now,
        topics,
        trial,
        narrow,
    };
    view! { <Shell frame=frame>{body.into_any()}</Shell> }.into_any()
}

fn ways(facts: &Facts) -> Vec<Ways> {
    let way = |label, href, sign, key| Way {
        label,
        href,
        sign,
        key,
        count: 0,
        attention: false,
    };
    let counted = |way: Way, count: i64| Way {
        count: u32::try_from(count).unwrap_or_default(),
        ..way
    };
    let capped =
        |count: Option<Capped>| count.map_or(0, |count| count.count + i64::from(count.more));
    let any = |roles: &[PortalRole]| roles.iter().any(|role| facts.has(*role));

    let mut deciding = Vec::new();
    if facts.has_team || facts.owns || facts.decisions.count > 0 || any(&[PortalRole::Security]) {
        deciding.push(counted(
            way("Decisions", "/approvals", Sign::Check, "d"),
            capped(Some(facts.decisions)),
        ));
    }
    if facts.has_team {
        deciding.push(way("My team", "/team", Sign::People, "t"));
    }
    if facts.owns {
        deciding.push(way("My packages", "/owned", Sign::Package, "p"));
    }

    let mut running = Vec::new();
    if facts.attention.is_some() {
        running.push(Way {
            attention: true,
            ..counted(
                way("Provisioner", "/provisioning", Sign::Wrench, "s"),
                capped(facts.attention),
            )
        });
    }
    if let Some(count) = facts.holds {
        running.push(counted(
            way("Held changes", "/admin/holds", Sign::Shield, "o"),
            count,
        ));
    }
    if let Some(count) = facts.versions {
        running.push(counted(
            way("Catalogue versions", "/admin/versions", Sign::List, "v"),
            count,
        ));
    }
    if any(&[PortalRole::Auditor, PortalRole::Security]) {
        running.push(way("Evidence", "/evidence", Sign::Evidence, "e"));
        running.push(way("Audit log", "/audit", Sign::Log, "l"));
    }

    let mut all = vec![Ways {
        label: None,
        ways: vec![
            way("Home", "/", Sign::Home, "h"),
            way("Catalogue", "/catalog", Sign::Catalogue, "c"),
            way("My access", "/access", Sign::Lock, "a"),
            counted(
                way("My requests", "/requests", Sign::Request, "r"),
                capped(Some(facts.requests)),
            ),
        ],
    }];
    for (label, ways) in [("Deciding", deciding), ("Looking after it", running)] {
        if !ways.is_empty() {
            all.push(Ways {
                label: Some(label),
                ways,
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use workflow::views::PersonTag;

    use super::*;
    use crate::render::html;

    fn facts() -> Facts {
        Facts {
            now: "2026-11-21T10:02:31Z".parse().expect("a moment"),
            me: PersonTag {
                id: domain::PersonId(Uuid::from_u128(7)),
                name: "<b>Maya</b>".into(),
                initials: "M".into(),
            },
            roles: Vec::new(),
            requests: Capped {
                count: 2,
                more: false,
            },
            decisions: Capped::default(),
            has_team: false,
            owns: false,
            attention: None,
            holds: None,
            versions: None,
        }
    }

    #[test]
    fn an_employee_sees_only_their_own_ways() {
        let out = html(|| {
            frame(
                &facts(),
                About {
                    path: "/requests/req_1".into(),
                    ..About::default()
                },
                "body",
            )
        });
        for label in ["Home", "Catalogue", "My access", "My requests"] {
            assert!(out.contains(label), "{label}");
        }
        for label in [
            "/approvals",
            "/team",
            "/owned",
            "/provisioning",
            "/audit",
            "/evidence",
        ] {
            assert!(!out.contains(label), "{label}");
        }
        assert!(!out.contains("<b>Maya"), "{out}");
        assert!(!out.contains(" style="), "{out}");
    }

    #[test]
    fn those_who_decide_see_how_much_waits() {
        let facts = Facts {
            has_team: true,
            decisions: Capped {
                count: 5,
                more: false,
            },
            ..facts()
        };
        let out = html(move || frame(&facts, About::default(), "body"));
        assert!(out.contains("/approvals") && out.contains("/team"), "{out}");
    }
}
