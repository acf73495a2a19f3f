//! `/trial`: the sample company's own controls. Time can be skipped and the sandbox made to fail. There is none in production.

use axum::{Form, response::Response};
use chrono::Duration;
use domain::Timestamp;
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    problem::Fault,
    routes,
    spans::{DAY, HOUR, MINUTE},
    state::{FaultState, Trial},
    ui::*,
    visit::{Visit, done},
};

/// How far time can be skipped: seconds and words.
const STEPS: [(i64, &str); 5] = [
    (10 * MINUTE, "10 minutes"),
    (HOUR, "1 hour"),
    (8 * HOUR, "8 hours"),
    (DAY, "1 day"),
    (7 * DAY, "7 days"),
];

fn trial(visit: &Visit) -> Result<&dyn Trial, Fault> {
    visit.state.trial.as_deref().ok_or_else(Fault::missing)
}

/// The panel.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let faults = trial(&visit)?.faults().await?;
    let now = visit.now();
    visit
        .page("Time and faults", move || page(now, faults))
        .await
}

/// How far to skip, and where to watch.
#[derive(Debug, Default, Deserialize)]
pub struct Skip {
    /// Seconds, or `next`.
    #[serde(default)]
    ahead: String,
    /// The page to come back to.
    #[serde(default)]
    back: String,
}

/// Where to come back to: a page of ours, whatever the form says.
fn back(wanted: &str) -> &str {
    let path = wanted.split('?').next().unwrap_or_default();
    let plain = wanted.len() <= 1000 && wanted.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if plain && routes::is_page(path) {
        wanted
    } else {
        "/trial"
    }
}

/// Lets time pass.
pub async fn skip(visit: Visit, Form(skip): Form<Skip>) -> Result<Response, Fault> {
    let trial = trial(&visit)?;
    if skip.ahead == "next" {
        trial.skip_to_next().await?;
    } else {
        let seconds: i64 = skip
            .ahead
            .parse()
            .ok()
            .filter(|ahead| STEPS.iter().any(|(step, _)| step == ahead))
            .ok_or_else(Fault::missing)?;
        trial.skip(Duration::seconds(seconds)).await?;
    }
    Ok(done(back(&skip.back), "skipped"))
}

/// Which fault, and how.
#[derive(Debug, Default, Deserialize)]
pub struct Switch {
    /// The fault's key.
    #[serde(default)]
    key: String,
    /// `on` or `off`.
    #[serde(default)]
    to: String,
}

/// Switches one fault.
pub async fn fault(visit: Visit, Form(switch): Form<Switch>) -> Result<Response, Fault> {
    trial(&visit)?
        .set_fault(&switch.key, switch.to == "on")
        .await?;
    Ok(done("/trial", "switched"))
}

pub(super) fn page(now: Timestamp, faults: Vec<FaultState>) -> impl IntoView {
    let steps = STEPS
        .into_iter()
        .map(|(seconds, words)| view! { <Button name="ahead" value=seconds.to_string() label=format!("Skip {words}")>{words}</Button> })
        .collect_view();
    let rows = faults.into_iter().map(row).collect_view();
    view! {
        <PageHead title="Time and faults" lead="A sample company to play with. Nothing here is real, and nothing leaves this machine."/>
        <div class="two">
            <Card title="The sandbox\u{2019}s faults"><Rows>{rows}</Rows></Card>
            <Card title="Time"><Body>
                <p>"It is "<b><Moment at=now now=now say=Say::Stamp/></b>" here."</p>
                <p class="small dim">"Time stops at every deadline on the way, so that what is due happens: starts, warnings, ends, lapses."</p>
                <form method="post" action="/trial/skip" class="stack stack-3">
                    <Button name="ahead" value="next" look=Look::Primary>"Skip to the next deadline"</Button>
                    <div class="btns" role="group" aria-label="Skip time">{steps}</div>
                </form>
            </Body></Card>
        </div>
    }
}

fn row(fault: FaultState) -> AnyView {
    let (to, words, state, said) = if fault.on {
        ("off", "Switch off", State::Attention, "on")
    } else {
        ("on", "Switch on", State::Plain, "off")
    };
    let label = format!("{words}: {}", fault.label);
    view! {
        <Row title=fault.label detail=fault.explain>
            <Badge state=state words=said/>
            <PostButton action="/trial/fault" fields=vec![("key", fault.key), ("to", to.into())] small=true label=label>{words}</PostButton>
        </Row>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::back;

    #[test]
    fn the_way_back_is_a_page_of_ours() {
        for wanted in [
            "/",
            "/requests/req_1",
            "/catalog?q=orders&app=app_1",
            "/evidence/changes?from=2026-11-01",
        ] {
            assert_eq!(back(wanted), wanted);
        }
        for wanted in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "/requests/req_1/cancel",
            "/catalog?q=\r\nx: y",
            "/sign-out",
        ] {
            assert_eq!(back(wanted), "/trial", "{wanted}");
        }
    }
}
