//! `/approvals`: what waits for the reader's decision, the oldest first; what is plain may be ticked and decided together.

mod together;

pub use together::together;

use axum::{extract::Query, response::Response};
use domain::request::LineKind;
use leptos::prelude::*;
use serde::Deserialize;
use workflow::views::{
    Cursor,
    approvals::{self, Queue, QueueItem},
    requests::RequestItem,
};

use self::together::Back;
use super::{
    decision::{self, Last},
    kit, parts, said,
};
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Where the last page ended.
    #[serde(default)]
    after: String,
    /// What the last form did.
    #[serde(default)]
    done: String,
    /// The stage in which the reader has just voted.
    #[serde(default)]
    of: String,
}

/// The queue.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let last = decision::last(&visit, &asked.done, &asked.of).await;
    let after = Some(asked.after).filter(|after| !after.is_empty());
    let cursor = after.as_deref().map(Cursor::from_text);
    let queue = approvals::load(visit.workflow(), &visit.viewer, cursor.as_ref()).await?;
    let later = cursor.is_some();
    let stuck = if later {
        Vec::new()
    } else {
        approvals::stuck(visit.workflow(), &visit.viewer).await?
    };
    visit
        .page("Decisions", move || {
            page(queue, stuck, last, later, &Back::default())
        })
        .await
}

fn page(
    queue: Queue,
    stuck: Vec<RequestItem>,
    last: Option<Last>,
    later: bool,
    back: &Back,
) -> impl IntoView + use<> {
    let lead = match queue.waiting.count {
        0 => "Nothing waits for you.".to_owned(),
        1 if !queue.waiting.more => "One request waits for you.".to_owned(),
        _ => format!(
            "{} requests wait for you, the oldest first.",
            said::capped(queue.waiting)
        ),
    };
    let version = kit::version(&(
        queue.waiting.count,
        queue
            .items
            .iter()
            .map(|item| item.stage)
            .collect::<Vec<_>>(),
    ));
    let next = queue
        .next
        .as_ref()
        .map(|next| kit::address("/approvals", &[("after", next.as_str())]));
    let first = later.then_some("/approvals");
    let stuck = stuck_card(stuck, queue.now);
    let (results, list) = (together::results(back), rows(queue, back));
    view! {
        {last.map(|last| last.view(false))}
        {results}
        <PageHead title="Decisions" version=kit::version(&lead) lead=lead.clone()>
            <LinkButton href="/approvals/deputies">"Out of office"</LinkButton>
        </PageHead>
        <Card title="Waiting for you" live="queue" version=version said=lead>{list}</Card>
        {stuck}
        <Pager previous=first next=next back="From the first" on="Later ones"/>
    }
}

fn rows(queue: Queue, back: &Back) -> AnyView {
    if queue.items.is_empty() {
        return view! {
            <Empty sign=Sign::Check title="All decided" text="When somebody asks for access that is yours to decide, it waits here and you get a mail."/>
        }
        .into_any();
    }
    let now = queue.now;
    if queue.items.iter().all(|item| item.tick.is_none()) {
        let rows = queue.items.iter().map(|item| row(item, now)).collect_view();
        return view! { {together::faults(back, &[])}<Rows>{rows}</Rows> }.into_any();
    }
    let rows = queue
        .items
        .iter()
        .map(|item| {
            let avatar = view! { <Avatar name=item.beneficiary.name.clone()/> };
            let tick = together::tick(item, &title(item), back);
            let mark = view! { <span class="bar">{tick}{avatar}</span> }.into_any();
            view! { {row_with(item, now, mark)}{together::reason(item, back)} }
        })
        .collect_view();
    let (faults, buttons) = (
        together::faults(back, &queue.items),
        together::buttons(back),
    );
    view! {
        <form method="post" action="/approvals">
            {faults}
            <Rows>{rows}</Rows>
            {buttons}
        </form>
    }
    .into_any()
}

/// What nobody can decide, for security: who makes it right is said with it.
fn stuck_card(stuck: Vec<RequestItem>, now: domain::Timestamp) -> AnyView {
    let version = kit::version(&stuck.iter().map(|item| item.line).collect::<Vec<_>>());
    let card = (!stuck.is_empty()).then(|| {
        let rows = stuck
            .into_iter()
            .map(|item| {
                let title = asks(&item.asker.name, (item.asker.id != item.beneficiary.id).then_some(item.beneficiary.name.as_str()), item.kind, &item.package.name);
                let detail = view! { {said::number(item.number)}" · has waited for "<Moment at=item.standing.since now=now say=Say::For/> }.into_any();
                view! { <Row title=title detail=detail href=format!("/requests/{}", item.request)><Badge state=State::Attention words="nobody can decide"/></Row> }
            })
            .collect_view();
        view! {
            <Card title="Nobody can decide">
                <Body><p class="small dim">"Nobody is left whom the rules allow. Name a manager in the directory, an owner in the catalogue, or somebody for security."</p></Body>
                <Rows>{rows}</Rows>
            </Card>
        }
    });
    view! { <Region name="stuck" version=version>{card}</Region> }.into_any()
}

/// One decision that waits; also shown on other pages that hold a few of them.
pub fn row(item: &QueueItem, now: domain::Timestamp) -> AnyView {
    let mark = view! { <Avatar name=item.beneficiary.name.clone()/> }.into_any();
    row_with(item, now, mark)
}

fn row_with(item: &QueueItem, now: domain::Timestamp, mark: AnyView) -> AnyView {
    let soon = item.lapse_at - now < chrono::Duration::days(1);
    let badge = if item.asked_back {
        view! { <Badge state=State::Waiting words="asked back"/> }
    } else if soon {
        let words = view! { "lapses "{parts::when::relative(item.lapse_at, now)} }.into_any();
        view! { <Badge state=State::EndsSoon words=words/> }
    } else {
        let words = view! { "waiting "<Moment at=item.since now=now say=Say::For/> }.into_any();
        view! { <Badge state=State::Waiting words=words/> }
    };
    let privileged = if item.package.privileged {
        " · privileged"
    } else {
        ""
    };
    let reason = format!(
        "{privileged} · \u{201c}{}\u{201d}",
        words::cut(&item.reason, 110)
    );
    let detail = view! { {parts::when::window(item.window, now)}{reason} }.into_any();
    view! {
        <Row title=title(item) detail=detail href=format!("/approvals/{}", item.stage) mark=mark>{badge}</Row>
    }
    .into_any()
}

/// Who asks for what, in one sentence.
fn title(item: &QueueItem) -> String {
    asks(
        &item.asker.name,
        (item.asker.id != item.beneficiary.id).then_some(item.beneficiary.name.as_str()),
        item.kind,
        &item.package.name,
    )
}

/// `Johan Nyberg asks for Figma`, `Johan Nyberg asks to extend Figma for Ada Berg`.
pub fn asks(asker: &str, beneficiary: Option<&str>, kind: LineKind, package: &str) -> String {
    let what = match kind {
        LineKind::New => "asks for",
        LineKind::Extension => "asks to extend",
    };
    let whom = beneficiary
        .map(|name| format!(" for {}", words::isolate(name)))
        .unwrap_or_default();
    format!("{} {what} {package}{whom}", words::isolate(asker))
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::{
        Timestamp,
        approval::Via,
        policy::ApproverRule,
        request::{Length, Start, Window},
    };
    use uuid::Uuid;
    use workflow::views::{AppTag, Capped, PackageTag, PersonTag};

    use super::*;
    use crate::render::{html, plain};

    pub const HOSTILE: &str = "<script>alert(1)</script>\"'& \u{202e}x";

    pub fn now() -> Timestamp {
        "2026-11-21T10:02:31Z".parse().expect("a moment")
    }

    pub fn person(n: u128, name: &str) -> PersonTag {
        PersonTag {
            id: Uuid::from_u128(n).into(),
            name: name.into(),
            initials: "X".into(),
        }
    }

    pub fn package(name: &str) -> PackageTag {
        let app = AppTag {
            id: Uuid::from_u128(9).into(),
            key: "orders".into(),
            name: name.into(),
            initials: "O".into(),
            tint: "a".into(),
            url: String::new(),
        };
        PackageTag {
            id: Uuid::from_u128(8).into(),
            name: name.into(),
            app,
            privileged: true,
        }
    }

    pub const EIGHT: Window = Window {
        start: Start::OnActivation,
        length: Length::Seconds(8 * 3600),
    };

    /// Rendered text that a browser would take for markup although somebody typed it.
    pub fn is_inert(out: &str) -> bool {
        !out.contains("<script") && !out.contains("=\"<") && !out.contains(" style=")
    }

    fn item(text: &str) -> QueueItem {
        QueueItem {
            stage: Uuid::from_u128(1).into(),
            line: Uuid::from_u128(2).into(),
            request: Uuid::from_u128(3).into(),
            number: 1042,
            kind: LineKind::New,
            asker: person(4, text),
            beneficiary: person(4, text),
            package: package(text),
            window: EIGHT,
            reason: text.into(),
            since: now() - chrono::Duration::minutes(12),
            lapse_at: now() + chrono::Duration::days(13),
            asked_back: false,
            tick: Some("7f3a00c91e".into()),
            rule: ApproverRule::Manager,
            via: Via::Manager,
        }
    }

    #[test]
    fn the_queue_says_who_what_how_long_and_since_when() {
        let queue = Queue {
            now: now(),
            items: vec![item("Johan")],
            next: None,
            waiting: Capped {
                count: 1,
                more: false,
            },
        };
        let out = html(|| page(queue, vec![], None, false, &Back::default()));
        let read = plain(&out);
        for part in [
            "Johan asks for Johan",
            "for 8 hours · privileged · \u{201c}Johan\u{201d}",
            "waiting 12 min",
            "One request waits",
        ] {
            assert!(read.contains(part), "{part} is missing in {read}");
        }
        assert!(out.contains("/approvals/stg_"), "{out}");
        assert_eq!(out.matches("<h1").count(), 1);
    }

    #[test]
    fn hostile_words_stay_words() {
        let queue = Queue {
            now: now(),
            items: vec![item(HOSTILE)],
            next: None,
            waiting: Capped {
                count: 120,
                more: true,
            },
        };
        let out = html(|| page(queue, vec![], None, true, &Back::default()));
        assert!(is_inert(&out), "{out}");
    }

    #[test]
    fn an_empty_queue_explains_itself() {
        let queue = Queue {
            now: now(),
            items: vec![],
            next: None,
            waiting: Capped::default(),
        };
        let out = html(|| page(queue, vec![], None, false, &Back::default()));
        assert!(out.contains("All decided"), "{out}");
    }
}
