//! `/access/change`: before access of others is taken away, held back or let go on: whose it is, what goes and what stays, and why.

use std::collections::BTreeSet;

use axum::{Form, extract::Query, response::Response};
use domain::{
    GrantId, PackageId, PersonId,
    request::{REASON_LEAST, TEXT_MOST},
};
use leptos::prelude::*;
use workflow::{
    Error, grants,
    views::{
        change::{self, Act, Change},
        effect::Effect,
    },
};

use super::{kit, parts, said};
use crate::{
    frame::About,
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
    words,
};

/// What the address or the form says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    act: Act,
    /// All that is shown.
    of: Vec<GrantId>,
    /// What is ticked.
    ticked: BTreeSet<GrantId>,
    /// Whether one ticks what one means, rather than unticks what one does not.
    pick: bool,
    reason: String,
    /// Where it leads back to: the id of a person or a package; else the team.
    from: String,
}

impl Typed {
    /// Reads what came. Without an act or without grants there is nothing.
    pub(super) fn of(pairs: &[(String, String)], form: bool) -> Option<Self> {
        let all = |wanted: &str| -> Vec<GrantId> {
            pairs
                .iter()
                .filter(|(name, _)| name == wanted)
                .filter_map(|(_, value)| value.parse().ok())
                .collect()
        };
        let one = |wanted: &str| {
            pairs
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        let act: Act = one("act").parse().ok()?;
        let chosen = all("grant");
        let shown = all("of");
        let of = if form && !shown.is_empty() {
            shown
        } else {
            chosen.clone()
        };
        let pick = one("pick") == "some";
        let ticked = if form || !pick {
            chosen.into_iter().collect()
        } else {
            BTreeSet::new()
        };
        (!of.is_empty()).then(|| Self {
            act,
            of,
            ticked,
            pick,
            reason: one("reason"),
            from: one("from"),
        })
    }

    /// As if it came from elsewhere.
    #[cfg(test)]
    pub(super) fn set_from(&mut self, from: &str) {
        from.clone_into(&mut self.from);
    }

    /// The page that it leads back to: one of ours, made from an id.
    fn back(&self) -> (String, &'static str) {
        if let Ok(person) = self.from.parse::<PersonId>() {
            (format!("/people/{person}"), "Back to the person")
        } else if let Ok(package) = self.from.parse::<PackageId>() {
            (format!("/owned/{package}"), "Back to the holders")
        } else {
            ("/team".into(), "Back to my team")
        }
    }
}

/// The address of this page for some grants.
pub(super) fn address(act: Act, grants: &[GrantId], from: &str, pick: bool) -> String {
    let mut pairs = vec![
        ("act", act.as_str().to_owned()),
        ("from", from.to_owned()),
        ("pick", if pick { "some" } else { "" }.to_owned()),
    ];
    pairs.extend(grants.iter().map(|grant| ("grant", grant.to_string())));
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    kit::address("/access/change", &pairs)
}

/// The page.
pub async fn show(
    visit: Visit,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let typed = Typed::of(&pairs, false).ok_or_else(Fault::missing)?;
    let change = load(&visit, &typed).await?;
    let about = About {
        narrow: true,
        ..About::default()
    };
    visit
        .framed(
            axum::http::StatusCode::OK,
            title(typed.act),
            about,
            move || page(&change, &typed, None, vec![]),
        )
        .await
}

/// Does it.
pub async fn send(
    visit: Visit,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let typed = Typed::of(&pairs, true).ok_or_else(Fault::missing)?;
    let ids: Vec<GrantId> = typed.ticked.iter().copied().collect();
    if ids.is_empty() {
        let fault = "Tick at least one.".to_owned();
        return again(&visit, typed, None, vec![fault]).await;
    }
    let (workflow, viewer, reason) = (visit.workflow(), &visit.viewer, &typed.reason);
    let result = match typed.act {
        Act::TakeAway => grants::revoke(workflow, viewer, &ids, reason).await,
        Act::HoldBack => grants::suspend(workflow, viewer, &ids, reason).await,
        Act::LetGoOn => grants::resume(workflow, viewer, &ids, reason).await,
    };
    match result {
        Ok(_) => Ok(done(
            &typed.back().0,
            match typed.act {
                Act::TakeAway => "taken-away",
                Act::HoldBack => "held-back",
                Act::LetGoOn => "goes-on",
            },
        )),
        Err(Error::Refused(refused)) => {
            let (own, whole): (Vec<_>, Vec<_>) = refused
                .iter()
                .partition(|refusal| refusals::field(refusal) == "reason");
            let reason = own.first().map(|refusal| refusals::sentence(refusal));
            let whole = whole.into_iter().map(refusals::sentence).collect();
            again(&visit, typed, reason, whole).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn load(visit: &Visit, typed: &Typed) -> Result<Change, Fault> {
    let (workflow, viewer) = (visit.workflow(), &visit.viewer);
    Ok(change::load(workflow, viewer, typed.act, &typed.of, !typed.pick).await?)
}

async fn again(
    visit: &Visit,
    typed: Typed,
    reason: Option<String>,
    whole: Vec<String>,
) -> Result<Response, Fault> {
    let change = load(visit, &typed).await?;
    let faults = whole.len() + usize::from(reason.is_some());
    let title = kit::to_fix(faults, title(typed.act));
    visit
        .refused(&title, move || page(&change, &typed, reason, whole))
        .await
}

const fn title(act: Act) -> &'static str {
    match act {
        Act::TakeAway => "Take access away",
        Act::HoldBack => "Hold access back",
        Act::LetGoOn => "Let access go on",
    }
}

const fn lead(act: Act) -> &'static str {
    match act {
        Act::TakeAway => {
            "It ends at once and is removed from the application within minutes. To have it again, it has to be asked for again."
        }
        Act::HoldBack => {
            "It opens nothing until somebody lets it go on. Its end stays where it is, and comes all the same."
        }
        Act::LetGoOn => {
            "It is set up again, if the person may still have it. Its end stays where it is."
        }
    }
}

const fn reason_label(act: Act) -> &'static str {
    match act {
        Act::TakeAway => "Why is it taken away?",
        Act::HoldBack => "Why is it held back?",
        Act::LetGoOn => "Why may it go on?",
    }
}

pub(super) fn page(
    change: &Change,
    typed: &Typed,
    reason: Option<String>,
    whole: Vec<String>,
) -> AnyView {
    let act = typed.act;
    let (back, back_words) = typed.back();
    let left = (change.left > 0).then(|| {
        let said = words::count(
            i64::try_from(change.left).unwrap_or(i64::MAX),
            "of what you chose is over, or cannot be treated so as it stands.",
            "of what you chose are over, or cannot be treated so as they stand.",
        );
        view! { <Note>{said}</Note> }
    });
    if change.effects.is_empty() {
        return view! {
            <PageHead title=title(act)/>
            <Card title="What you chose"><Empty sign=Sign::Lock title="There is nothing to do" text="It has ended meanwhile, or somebody else was first."><LinkButton href=back>{back_words}</LinkButton></Empty></Card>
        }
        .into_any();
    }
    let single = change.effects.len() == 1;
    let cards = change
        .effects
        .iter()
        .map(|effect| card(effect, change, typed, single))
        .collect_view();
    let fields = reason
        .iter()
        .map(|why| FieldFault {
            id: "reason".into(),
            label: reason_label(act).into(),
            why: why.clone(),
        })
        .collect();
    let mut hidden = vec![
        ("act", act.as_str().to_owned()),
        ("from", typed.from.clone()),
        ("pick", if typed.pick { "some" } else { "" }.to_owned()),
    ];
    hidden.extend(
        change
            .effects
            .iter()
            .map(|effect| ("of", effect.grant.id.to_string())),
    );
    let (look, button) = match (act, single) {
        (Act::TakeAway, true) => (Look::DangerSure, "Take it away"),
        (Act::TakeAway, false) => (Look::DangerSure, "Take away what is ticked"),
        (Act::HoldBack, true) => (Look::DangerSure, "Hold it back"),
        (Act::HoldBack, false) => (Look::DangerSure, "Hold back what is ticked"),
        (Act::LetGoOn, true) => (Look::Primary, "Let it go on"),
        (Act::LetGoOn, false) => (Look::Primary, "Let what is ticked go on"),
    };
    view! {
        <PageHead title=title(act) lead=lead(act)/>
        <Faults faults=whole fields=fields/>
        {left}
        <form method="post" action="/access/change" class="fields">
            <Hidden fields=hidden/>
            {cards}
            <TextArea name="reason" label=reason_label(act) hint="Whoever holds it is told, and it stays on record." required=true
                shortest=REASON_LEAST as u32 longest=TEXT_MOST as u32 value=typed.reason.clone() error=reason/>
            <div class="btns"><Button look=look>{button}</Button><LinkButton href=back look=Look::Quiet>{back_words}</LinkButton></div>
        </form>
    }
    .into_any()
}

fn card(effect: &Effect, change: &Change, typed: &Typed, single: bool) -> impl IntoView + use<> {
    let (grant, now) = (&effect.grant, change.now);
    let (state, state_words) = said::health(grant.health);
    let id = grant.id.to_string();
    let title = format!("{}: {}", effect.person.name, grant.name);
    let tick = if single {
        view! { <Hidden fields=vec![("grant", id)]/> }.into_any()
    } else {
        let label = match typed.act {
            Act::TakeAway => "Take this away",
            Act::HoldBack => "Hold this back",
            Act::LetGoOn => "Let this go on",
        };
        let label = format!("{label}: {title}");
        let checked = typed.ticked.contains(&grant.id);
        view! { <Check name="grant" label=label value=id checked=checked/> }.into_any()
    };
    let until = parts::until(grant.end, now);
    let badge = view! { <Badge state=state words=state_words/> }.into_any();
    let rights = parts::effect::rights(effect, typed.act, now);
    view! { <Card title=title aside=badge><Body>{tick}<p class="small dim">{until}</p>{rights}</Body></Card> }
}

/// Leads to the ways in which a grant's rights are held; used by lists of others' access.
pub(super) fn why_link(grant: GrantId, name: &str) -> AnyView {
    let label = format!("Why is this held? {name}");
    view! { <a class="link small inline-block py-0.5" href=format!("/access/why/{grant}") aria-label=label>"Why?"</a> }.into_any()
}

/// Leads here for one grant.
pub(super) fn act_link(act: Act, grant: GrantId, from: &str, what: &str) -> AnyView {
    let words = match act {
        Act::TakeAway => "Take away",
        Act::HoldBack => "Hold back",
        Act::LetGoOn => "Let go on",
    };
    let label = format!("{words}: {what}");
    view! { <a class="link small inline-block py-0.5" href=address(act, &[grant], from, false) aria-label=label>{words}</a> }.into_any()
}
