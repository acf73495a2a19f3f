//! `/notifications`: how the viewer wants to be told, and whether mails reach them.

use axum::{Form, response::Response};
use domain::telling::{Delivery, Topic};
use leptos::prelude::*;
use workflow::{
    telling,
    views::notifications::{self, Notifications},
};

use crate::{
    frame::About,
    problem::Fault,
    ui::*,
    visit::{Visit, done},
};

/// The page.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let said = notifications::load(visit.workflow(), &visit.viewer).await?;
    let about = About {
        narrow: true,
        ..About::default()
    };
    visit
        .framed(
            axum::http::StatusCode::OK,
            "Notifications",
            about,
            move || page(said),
        )
        .await
}

/// Keeps what was chosen. A topic that the form leaves out stays as it is; a word that nobody offered is none.
pub async fn choose(
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let mut choices = Vec::new();
    for (name, value) in fields {
        let Ok(topic) = name.parse::<Topic>() else {
            continue;
        };
        let delivery: Delivery = value.parse().map_err(|_| Fault::missing())?;
        choices.push((topic, delivery));
    }
    telling::choose(visit.workflow(), &visit.viewer, &choices).await?;
    Ok(done("/notifications", "saved"))
}

fn page(said: Notifications) -> impl IntoView {
    let Notifications {
        now,
        address,
        choices,
        next_digest,
        undelivered,
    } = said;
    let trouble = if address.is_empty() {
        Some(
            view! {
                <Note tone=Tone::Wait title="The directory knows no address of yours">"So no mail reaches you; the pages say the same. Your service desk can add one."</Note>
            }
            .into_any(),
        )
    } else {
        undelivered.map(|(problem, at)| {
            view! {
                <Note tone=Tone::Wait title="The last mail to you did not get through">
                    <span dir="auto">{problem}</span>" It was written "<Moment at=at now=now say=Say::Moment/>"."
                </Note>
            }
            .into_any()
        })
    };
    let to = (!address.is_empty()).then(|| {
        view! { <p class="small dim">"Mails go to "<span dir="auto">{address}</span>", as the directory says. The day's mail goes out next "<Moment at=next_digest now=now say=Say::Moment/>"."</p> }
    });
    let fields = choices
        .into_iter()
        .map(|(topic, delivery)| field(topic, delivery))
        .collect_view();
    view! {
        <PageHead title="Notifications" lead="What you get a mail about. The pages always say it, too."/>
        <div class="stack stack-5">
            {trouble}
            <Card title="Mails">
                <Body>
                    <form method="post" action="/notifications" class="stack stack-5">
                        {fields}
                        <p class="small dim">"When access is taken from you before its end, you are told at once whatever you choose."</p>
                        <div class="bar"><button class="btn primary" type="submit">"Save"</button></div>
                    </form>
                    {to}
                </Body>
            </Card>
        </div>
    }
}

fn field(topic: Topic, chosen: Delivery) -> impl IntoView {
    let (label, hint) = match topic {
        Topic::Decisions => (
            "What waits for my decision",
            "Somebody cannot work until it is decided, so this cannot be switched off.",
        ),
        Topic::Requests => (
            "What I asked for",
            "Approved, denied, or not decided in time.",
        ),
        Topic::Access => ("What I hold", "Ready, ending soon, ended."),
    };
    let options = Delivery::ALL
        .iter()
        .filter(|delivery| topic.allows(**delivery))
        .map(|delivery| {
            choice(
                delivery.as_str(),
                match delivery {
                    Delivery::AtOnce => "A mail for each, at once",
                    Delivery::Daily => "One mail a day",
                    Delivery::Never => "No mail",
                },
            )
        })
        .collect();
    view! { <RadioCards name=topic.as_str() label=label hint=hint options=options value=chosen.as_str().to_owned() required=true across=true/> }
}
