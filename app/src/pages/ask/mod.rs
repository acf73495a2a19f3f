//! `/request/{package}` and `/access/{grant}/extend`: the form for asking, and for asking to keep something longer.

pub(super) mod form;
pub(super) mod question;
pub(super) mod typed;

use axum::{Form, extract::Path, response::Response};
use domain::{GrantId, PackageId, request::Length};
use workflow::{
    Error,
    requests::{self, MoreTime, NewAsk},
    views::request_form::{self, RequestForm},
};

use self::{
    form::Sending,
    question::Picks,
    typed::{Faults, Typed},
};
use super::kit;
use crate::{
    frame::About,
    problem::Fault,
    visit::{Visit, done},
};

/// The form for a package.
pub async fn form(visit: Visit, Path(package): Path<String>) -> Result<Response, Fault> {
    let form = request_form::load(visit.workflow(), &visit.viewer, kit::id(&package)?).await?;
    untouched(&visit, form).await
}

/// Sends a request for a package.
pub async fn send(
    visit: Visit,
    Path(package): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let package: PackageId = kit::id(&package)?;
    let form = request_form::load(visit.workflow(), &visit.viewer, package).await?;
    let typed = Typed::of(fields, &form.key);
    let mut faults = Faults::default();
    let ask = NewAsk {
        package,
        window: typed.window(&mut faults),
        reason: typed.reason.clone(),
        answers: typed.answers.clone(),
        confirmed: typed.sure == "yes",
        key: typed.key.clone(),
    };
    let picks = question::look_up(
        visit.workflow(),
        &visit.viewer,
        &form.package.questions,
        &typed,
        &mut faults,
    )
    .await?;
    let ask = NewAsk {
        answers: question::meant(&typed, &picks),
        ..ask
    };
    match requests::ask(visit.workflow(), &visit.viewer, ask).await {
        Ok(request) => Ok(done(&format!("/requests/{request}"), "asked")),
        Err(Error::Refused(refusals)) => {
            faults.refuse(&refusals);
            again(&visit, form, typed, faults, picks).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The form for more time.
pub async fn more(visit: Visit, Path(grant): Path<String>) -> Result<Response, Fault> {
    let form =
        request_form::load_extension(visit.workflow(), &visit.viewer, kit::id(&grant)?).await?;
    untouched(&visit, form).await
}

/// Sends a request for more time.
pub async fn send_more(
    visit: Visit,
    Path(grant): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let grant: GrantId = kit::id(&grant)?;
    let form = request_form::load_extension(visit.workflow(), &visit.viewer, grant).await?;
    let typed = Typed::of(fields, &form.key);
    let mut faults = Faults::default();
    let seconds = match typed.window(&mut faults).length {
        Length::Seconds(seconds) => Some(seconds),
        Length::Until(_) | Length::Permanent => None,
    };
    let ask = MoreTime {
        grant,
        seconds,
        reason: typed.reason.clone(),
        key: typed.key.clone(),
    };
    match requests::extend(visit.workflow(), &visit.viewer, ask).await {
        Ok(request) => Ok(done(&format!("/requests/{request}"), "asked")),
        Err(Error::Refused(refusals)) => {
            faults.refuse(&refusals);
            again(&visit, form, typed, faults, Picks::new()).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn untouched(visit: &Visit, form: RequestForm) -> Result<Response, Fault> {
    let typed = Typed::fresh(&form);
    let title = title(&form);
    let about = About {
        narrow: true,
        ..About::default()
    };
    visit
        .framed(axum::http::StatusCode::OK, &title, about, move || {
            form::page(
                &form,
                Sending::now(&form),
                &typed,
                &Faults::default(),
                &Picks::new(),
            )
        })
        .await
}

async fn again(
    visit: &Visit,
    form: RequestForm,
    typed: Typed,
    faults: Faults,
    picks: Picks,
) -> Result<Response, Fault> {
    let title = kit::to_fix(faults.count(), &title(&form));
    visit
        .refused(&title, move || {
            form::page(&form, Sending::now(&form), &typed, &faults, &picks)
        })
        .await
}

/// What the form asks for.
pub(super) fn title(form: &RequestForm) -> String {
    let name = &form.package.card.name;
    match (&form.extends, &form.whom) {
        (None, _) if form.package.asking.break_glass.is_some() => format!("Break glass: {name}"),
        (Some(_), _) => format!("Extend {name}"),
        (None, Some(whom)) => format!("Ask for {name} for {}", whom.name),
        (None, None) => format!("Ask for {name}"),
    }
}

/// The untouched form, for tests.
#[cfg(test)]
pub fn untouched_page(form: &RequestForm) -> leptos::prelude::AnyView {
    use leptos::prelude::IntoAny as _;
    form::page(
        form,
        Sending::now(form),
        &Typed::fresh(form),
        &Faults::default(),
        &Picks::new(),
    )
    .into_any()
}

/// The form as it comes back, for tests.
#[cfg(test)]
pub fn refused_page(
    form: &RequestForm,
    fields: &[(&str, &str)],
    refusals: &[domain::Refusal],
) -> leptos::prelude::AnyView {
    use leptos::prelude::IntoAny as _;
    let typed = Typed::of(
        fields
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        &form.key,
    );
    let mut faults = Faults::default();
    typed.window(&mut faults);
    faults.refuse(refusals);
    form::page(form, Sending::now(form), &typed, &faults, &Picks::new()).into_any()
}
