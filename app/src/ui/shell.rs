//! The frame of every page: navigation with counts, search, account; on a phone all of it is in a menu that needs no JavaScript.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::{
    Avatar, Icon, LinkButton, Look, Moment, Note, PostButton, Say, SearchForm, Sign, Size, Tone,
    Words,
};
use crate::islands::{Keys, LiveRegion, LocalTime};

/// One way to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What it says.
    pub label: &'static str,
    /// Where it leads.
    pub href: &'static str,
    /// Its icon.
    pub sign: Sign,
    /// The letter that leads there after `g`.
    pub key: &'static str,
    /// How many wait there; nothing is shown for none.
    pub count: u32,
    /// Whether there are more than that: `99+`.
    pub more: bool,
    /// Whether those need somebody's attention.
    pub attention: bool,
}

/// Ways that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ways {
    /// What they have in common; none for the first.
    pub label: Option<&'static str>,
    /// The ways.
    pub ways: Vec<Way>,
}

/// Who is signed in, as the frame shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    /// Their name.
    pub name: String,
    /// Under the name: their title, or what they sign in with.
    pub detail: String,
    /// Their portal roles in words.
    pub roles: Vec<String>,
}

/// Something to say once, after a step that worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// How it is meant.
    pub tone: Tone,
    /// What happened.
    pub words: String,
    /// The time that it is now, where that is what happened.
    pub moment: Option<DateTime<Utc>>,
}

/// Everything that the frame shows around a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Who looks.
    pub me: Me,
    /// Where they can go.
    pub ways: Vec<Ways>,
    /// The path of this page: marks the way that leads here.
    pub path: String,
    /// Path and query of this page: where the trial's bar leads back to.
    pub back: String,
    /// What was searched for.
    pub query: String,
    /// What to say once.
    pub flash: Option<Flash>,
    /// The time now: browsers compare their clocks with it.
    pub now: DateTime<Utc>,
    /// What the page listens to, such as `lin_…`: it refreshes its live regions when one of them changes.
    pub topics: Vec<String>,
    /// Whether this is the trial, with its sample company.
    pub trial: bool,
    /// A narrower column: for reading and for forms.
    pub narrow: bool,
}

/// Puts a page into the frame.
#[component]
pub fn Shell(
    /// What the frame shows.
    frame: Frame,
    children: Children,
) -> impl IntoView {
    let Frame {
        me,
        ways,
        path,
        back,
        query,
        flash,
        now,
        topics,
        trial,
        narrow,
    } = frame;
    let keys: Vec<(&'static str, &'static str)> = ways
        .iter()
        .flat_map(|group| &group.ways)
        .map(|way| (way.key, way.label))
        .collect();
    let flash = flash.map(|flash| {
        let moment = flash.moment.map(|at| view! { " It is now "<b><Moment at=at now=now say=Say::Stamp/></b>"." });
        view! { <div class="flash" role="status"><Note tone=flash.tone>{flash.words}{moment}</Note></div> }
    });
    let trial = trial.then(|| view! { <TrialBar path=path.clone() back=back/> });
    // In the catalogue the box narrows what is shown; everywhere else it looks through everything.
    let (action, label) = if path == "/catalog" {
        ("/catalog", "Search the catalogue")
    } else {
        ("/search", "Search for access, people, requests")
    };
    view! {
        <div class="shell">
            <a class="skip" href="#main">"Skip to the content"</a>
            {trial}
            <header class="side"><a class="brand" href="/"><Icon sign=Sign::Key/>"Latchkey"</a><Navigation ways=ways.clone() path=path.clone() live="nav"/>
                <div class="foot"><Account me=me.clone() named=true/></div></header>
            <div class="column">
                <header class="phonebar">
                    <details class="menu"><summary aria-label="Menu"><Icon sign=Sign::Menu/></summary><div class="pop"><Navigation ways=ways path=path live="nav-phone"/></div></details>
                    <a class="brand" href="/">"Latchkey"</a><span class="grow"></span>
                    <Account me=me named=false/>
                </header>
                <main class=if narrow { "main narrow" } else { "main" } id="main" tabindex="-1">
                    <div class="topbar">
                        <SearchForm action=action label=label value=query main=true/>
                        <span class="grow"></span><LinkButton href="/catalog" look=Look::Primary>"Ask for access"</LinkButton>
                    </div>
                    {flash}
                    {children()}
                </main>
            </div>
            <KeyHelp keys=keys/><LocalTime now=now.timestamp_millis()/><Keys/>
            {(!topics.is_empty()).then(|| view! { <LiveRegion topics=topics.join(",")/> })}
        </div>
    }
}

/// What only the trial has, on every page: time goes on under one's eyes, and one can be somebody else.
#[component]
fn TrialBar(path: String, back: String) -> impl IntoView {
    let skip = (path != "/trial").then(|| {
        let fields = vec![("ahead", "next".to_owned()), ("back", back)];
        view! { <PostButton action="/trial/skip" fields=fields small=true>"Skip to the next deadline"</PostButton> }
    });
    view! {
        <aside class="trialbar" aria-label="Trial">
            <b>"Trial"</b><span>"A sample company; nothing here is real."</span>
            {skip}<a class="link" href="/sign-in?switch=1">"Be somebody else"</a><a class="link" href="/trial">"Time and faults"</a>
        </aside>
    }
}

/// The ways to go, in groups.
#[component]
fn Navigation(ways: Vec<Ways>, path: String, live: &'static str) -> impl IntoView {
    let version: u32 = ways
        .iter()
        .flat_map(|group| &group.ways)
        .fold(7, |sum: u32, way| {
            sum.wrapping_mul(31)
                .wrapping_add(way.count * 2 + u32::from(way.more))
        });
    let groups = ways
        .into_iter()
        .map(|group| {
            let ways = group
                .ways
                .into_iter()
                .map(|way| {
                    let current = leads_here(way.href, &path).then_some("page");
                    let class = if way.attention { "count attention" } else { "count" };
                    let count = (way.count > 0).then(|| {
                        let count = format!("{}{}", way.count, if way.more { "+" } else { "" });
                        view! { <span class=class>{count}<span class="sr">" waiting"</span></span> }
                    });
                    view! { <li><a href=way.href aria-current=current data-go=way.key><Icon sign=way.sign/>{way.label}{count}</a></li> }
                })
                .collect_view();
            let label = group.label.map(|label| view! { <p class="group">{label}</p> });
            view! { <div>{label}<ul aria-label=group.label>{ways}</ul></div> }
        })
        .collect_view();
    view! { <nav class="nav" aria-label="Main" data-live=live data-version=version.to_string()>{groups}</nav> }
}

/// Whether a way leads to the page or to the list that the page belongs to.
fn leads_here(href: &str, path: &str) -> bool {
    href == path
        || (href != "/"
            && path
                .strip_prefix(href)
                .is_some_and(|rest| rest.starts_with('/')))
}

/// The keys that this portal knows; shown by `?` and from the account's menu. Without JavaScript there are none, and it stays closed.
#[component]
fn KeyHelp(keys: Vec<(&'static str, &'static str)>) -> impl IntoView {
    let goes = keys
        .into_iter()
        .map(|(key, label)| view! { <dt>"Go to "{label}</dt><dd><kbd>"G"</kbd>" "<kbd>{key.to_uppercase()}</kbd></dd> })
        .collect_view();
    view! {
        <dialog class="dialog" data-help="" aria-labelledby="keys-title">
            <form method="dialog" class="stack stack-4">
                <div class="bar"><h2 class="grow" id="keys-title">"Keys"</h2><button class="btn quiet s" type="submit">"Close"</button></div>
                <dl class="facts"><dt>"Search"</dt><dd><kbd>"/"</kbd></dd>{goes}<dt>"These keys"</dt><dd><kbd>"?"</kbd></dd></dl>
                <p class="small dim">"A letter on a button leads to that button; Enter then presses it."</p>
                <div class="check"><input type="checkbox" id="keys-switch" data-keys-switch="" checked/><label for="keys-switch">"Use single keys in this browser"</label></div>
            </form>
        </dialog>
    }
}

/// Who is signed in, and the way out.
#[component]
fn Account(me: Me, named: bool) -> impl IntoView {
    let Me {
        name,
        detail,
        roles,
    } = me;
    let roles: Words = roles.join(", ").into();
    let label = (!named).then(|| format!("Account: {name}"));
    view! {
        <details class="menu">
            <summary aria-label=label><Avatar name=name.clone() size=Size::Small/>{named.then(|| view! { <span class="clip" dir="auto">{name.clone()}</span> })}</summary>
            <div class="pop">
                <div class="who"><div><b dir="auto">{name.clone()}</b>{(!detail.is_empty()).then(|| view! { <span class="small dim" dir="auto">{detail}</span> })}{roles.0.map(|roles| view! { <span class="small dim">{roles}</span> })}</div></div>
                <a class="item" href="/access"><Icon sign=Sign::Lock/>"My access"</a>
                <a class="item" href="/notifications"><Icon sign=Sign::Mail/>"Notifications"</a>
                <button class="item only-alive" type="button" data-keys-open=""><Icon sign=Sign::Keyboard/>"Keyboard keys"</button>
                <form method="post" action="/sign-out"><button class="item" type="submit"><Icon sign=Sign::Out/>"Sign out"</button></form>
                <form method="post" action="/sign-out/everywhere"><button class="item" type="submit"><Icon sign=Sign::Out/>"Sign out everywhere"</button></form>
            </div>
        </details>
    }
}

/// A page without the frame: for people who are not signed in, and for faults.
#[component]
pub fn PlainPage(children: Children) -> impl IntoView {
    view! { <div class="plain"><main id="main"><a class="brand" href="/"><Icon sign=Sign::Key/>"Latchkey"</a>{children()}</main></div> }
}

#[cfg(test)]
mod tests {
    use super::leads_here;

    #[test]
    fn a_way_is_marked_on_its_page_and_on_what_lies_under_it() {
        assert!(leads_here("/", "/"));
        assert!(!leads_here("/", "/catalog"));
        assert!(leads_here("/requests", "/requests/lin_1"));
        assert!(!leads_here("/requests", "/requestsx"));
    }
}
