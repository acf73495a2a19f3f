//! What happened, what happens now, what comes.

use leptos::prelude::*;

use super::{Icon, Phrase, Sign};

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Happened.
    Done,
    /// Waits for somebody.
    Now,
    /// Is being done by a machine.
    Work,
    /// Went wrong, or was denied.
    Bad,
    /// Comes.
    Next,
    /// Will not come any more, or is over.
    Off,
}

/// One step of a [`Timeline`].
#[derive(Debug)]
pub struct Step {
    stand: Stand,
    title: String,
    when: Option<AnyView>,
    detail: Phrase,
    extra: Option<AnyView>,
}

impl Step {
    /// A step that says only its title.
    pub fn new(stand: Stand, title: impl Into<String>) -> Self {
        Self {
            stand,
            title: title.into(),
            when: None,
            detail: Phrase(None),
            extra: None,
        }
    }

    /// When: a [`super::Moment`] or words such as `for 4 min`.
    #[must_use]
    pub fn when(mut self, when: impl IntoView + 'static) -> Self {
        self.when = Some(view! { <span class="when">{when}</span> }.into_any());
        self
    }

    /// One more sentence.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Phrase>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Buttons or more under it.
    #[must_use]
    pub fn extra(mut self, extra: impl IntoView + 'static) -> Self {
        self.extra = Some(view! { <div class="extra">{extra}</div> }.into_any());
        self
    }
}

/// Steps from top to bottom. The state of each is said to screen readers.
#[component]
pub fn Timeline(
    /// The steps, oldest first.
    steps: Vec<Step>,
) -> impl IntoView {
    let steps = steps
        .into_iter()
        .map(|step| {
            let (class, sign, said) = match step.stand {
                Stand::Done => ("done", Some(Sign::Check), "Done: "),
                Stand::Now => ("now", Some(Sign::Clock), "Now: "),
                Stand::Work => ("work", Some(Sign::Refresh), "Under way: "),
                Stand::Bad => ("bad", Some(Sign::Cross), "Stopped: "),
                Stand::Next => ("next", None, "Next: "),
                Stand::Off => ("off", Some(Sign::Minus), "Not any more: "),
            };
            view! {
                <li class=class aria-current=(class == "now").then_some("step")>
                    <span class="dot" aria-hidden="true">{sign.map(|sign| view! { <Icon sign=sign/> })}</span>
                    <div class="step">
                        <div class="top"><h3><span class="sr">{said}</span><span dir="auto">{step.title}</span></h3>{step.when}</div>
                        {step.detail.0.map(|detail| view! { <p class="small dim"><bdi>{detail}</bdi></p> })}
                        {step.extra}
                    </div>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="timeline">{steps}</ol> }
}
