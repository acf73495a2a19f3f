//! What stands around every page: from the frame's facts to the shell that shows them.

use domain::person::PortalRole;
use leptos::prelude::*;
use workflow::views::{Capped, shell::Shell as Facts};

use crate::{
    pages::said,
    routes::{Who, routes},
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
        address,
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
            detail: facts.title.clone(),
            roles: facts
                .roles
                .iter()
                .map(|role| said::role(*role).to_owned())
                .collect(),
        },
        ways: ways(facts),
        path,
        back: without_notice(&address),
        query,
        flash: notice.map(|words| Flash {
            tone: Tone::Good,
            words: words.to_owned(),
            moment: (words == SKIPPED).then_some(facts.now),
        }),
        now: facts.now,
        topics,
        trial,
        narrow,
    };
    view! { <Shell frame=frame>{body.into_any()}</Shell> }.into_any()
}

/// An address without what the last form did: coming back to it must not say it again.
fn without_notice(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else {
        return address.to_owned();
    };
    let rest: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("done="))
        .collect();
    if rest.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", rest.join("&"))
    }
}

/// Whether the viewer's roles open a page: the table of routes says so, and nothing else.
fn opens(facts: &Facts, page: &str) -> bool {
    routes()
        .iter()
        .find(|route| route.method == "GET" && route.path == page)
        .is_some_and(|route| match route.who {
            Who::Roles(roles) => roles.iter().any(|role| facts.has(*role)),
            Who::Anyone | Who::SignedIn | Who::Party => true,
        })
}

fn ways(facts: &Facts) -> Vec<Ways> {
    let way = |label, href, sign, key| Way {
        label,
        href,
        sign,
        key,
        count: 0,
        more: false,
        attention: false,
    };
    let counted = |way: Way, count: Capped| Way {
        count: u32::try_from(count.count).unwrap_or_default(),
        more: count.more,
        ..way
    };
    let whole = |count: Option<i64>| Capped {
        count: count.unwrap_or_default(),
        more: false,
    };

    let mut deciding = Vec::new();
    if facts.has_team || facts.owns || facts.decisions.count > 0 || facts.has(PortalRole::Security)
    {
        deciding.push(counted(
            way("Decisions", "/approvals", Sign::Check, "d"),
            facts.decisions,
        ));
    }
    let reviews = facts.has(PortalRole::Security) || facts.has(PortalRole::Auditor);
    if facts.reviews.count > 0 || facts.has_team || facts.owns || reviews {
        deciding.push(counted(
            way("Reviews", "/reviews", Sign::Evidence, "w"),
            facts.reviews,
        ));
    }
    if facts.has_team {
        deciding.push(way("My team", "/team", Sign::People, "t"));
    }
    if facts.owns {
        deciding.push(way("My packages", "/owned", Sign::Package, "p"));
    }
    if facts.tasks.count > 0 || facts.has(PortalRole::Operator) {
        deciding.push(counted(
            way("By hand", "/tasks", Sign::Key, "k"),
            facts.tasks,
        ));
    }
    if facts.has(PortalRole::Security) || facts.has(PortalRole::Auditor) {
        deciding.push(way("Findings", "/findings", Sign::Warning, "f"));
        deciding.push(way("Exceptions", "/exceptions", Sign::Shield, "x"));
    }

    // What waits is counted for those who may decide it; who only reads finds the page without a number.
    let mut running = vec![
        Way {
            attention: true,
            ..counted(
                way("Provisioner", "/provisioning", Sign::Wrench, "s"),
                facts.attention.unwrap_or_default(),
            )
        },
        counted(
            way("Held changes", "/admin/holds", Sign::Shield, "o"),
            whole(facts.holds),
        ),
        counted(
            way("Catalogue versions", "/admin/versions", Sign::List, "v"),
            whole(facts.versions),
        ),
        way("Rules", "/admin/conflicts", Sign::Lock, "u"),
        way("Portal roles", "/admin/roles", Sign::Key, "i"),
        way("Evidence", "/evidence", Sign::Evidence, "e"),
        way("Audit log", "/audit", Sign::Log, "l"),
    ];
    running.retain(|way| opens(facts, way.href));

    let mut all = vec![Ways {
        label: None,
        ways: vec![
            way("Home", "/", Sign::Home, "h"),
            way("Catalogue", "/catalog", Sign::Catalogue, "c"),
            counted(
                way("Cart", "/request", Sign::Basket, "b"),
                whole(Some(facts.cart)),
            ),
            way("My access", "/access", Sign::Lock, "a"),
            counted(
                way("My requests", "/requests", Sign::Request, "r"),
                facts.requests,
            ),
        ],
    }];
    for (label, ways) in [("Deciding", deciding), ("Operations", running)] {
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
            title: "Analyst".into(),
            roles: Vec::new(),
            requests: Capped {
                count: 2,
                more: false,
            },
            cart: 0,
            decisions: Capped::default(),
            reviews: Capped::default(),
            has_team: false,
            owns: false,
            tasks: Capped::default(),
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

    #[test]
    fn every_page_that_a_role_opens_has_a_way_to_it() {
        for role in PortalRole::ALL {
            let facts = Facts {
                roles: vec![*role],
                ..facts()
            };
            let ways: Vec<&str> = ways(&facts)
                .iter()
                .flat_map(|group| &group.ways)
                .map(|way| way.href)
                .collect();
            for route in routes() {
                let Who::Roles(roles) = route.who else {
                    continue;
                };
                let led_to = ways
                    .iter()
                    .any(|way| route.path == *way || route.path.starts_with(&format!("{way}/")));
                // What stands under somebody's page is offered there.
                let under = routes().iter().any(|page| {
                    page.method == "GET"
                        && page.who == Who::Party
                        && route.path.starts_with(&format!("{}/", page.path))
                });
                // Files are offered on their pages.
                if route.method == "GET" && !route.path.contains('.') && !under {
                    assert_eq!(led_to, roles.contains(role), "{} for {role}", route.path);
                }
            }
        }
    }

    #[test]
    fn many_are_said_as_many() {
        let facts = Facts {
            has_team: true,
            decisions: Capped {
                count: 99,
                more: true,
            },
            ..facts()
        };
        let out = html(move || frame(&facts, About::default(), "body"));
        assert!(out.contains("99+"), "{out}");
    }

    #[test]
    fn the_trial_goes_on_where_one_is() {
        let about = |address: &str| About {
            path: "/requests/req_1".into(),
            address: address.into(),
            notice: Some(SKIPPED),
            trial: true,
            ..About::default()
        };
        let out = html(|| {
            frame(
                &facts(),
                about("/requests/req_1?show=all&done=skipped"),
                "body",
            )
        });
        for part in [
            "name=\"back\" value=\"/requests/req_1?show=all\"",
            "Skip to the next deadline",
            "/sign-in?switch=1",
            "Time has passed.",
            "It is now",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
        assert_eq!(without_notice("/?done=asked"), "/");
        assert_eq!(without_notice("/access"), "/access");
    }
}
