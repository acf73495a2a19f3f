//! What people fill in. Every field keeps what was typed and says its fault beside itself; all of it works as plain HTML.

use leptos::prelude::*;

use super::{Icon, Phrase, Sign, Words};
use crate::render::escape;

/// The ids of the hint and the fault of a field, for `aria-describedby`.
pub(super) fn described(name: &str, hint: &Phrase, error: &Words) -> Option<String> {
    let hint = hint.is_some().then(|| format!("{name}-hint"));
    let error = error.is_some().then(|| format!("{name}-error"));
    match (hint, error) {
        (Some(hint), Some(error)) => Some(format!("{hint} {error}")),
        (hint, error) => hint.or(error),
    }
}

pub(super) fn hint_of(name: &str, hint: Phrase) -> Option<AnyView> {
    hint.0
        .map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> }.into_any())
}

pub(super) fn error_of(name: &str, error: Words) -> Option<AnyView> {
    error.0.map(|error| {
        view! { <p class="error" id=format!("{name}-error")><Icon sign=Sign::Warning/><span>{error}</span></p> }.into_any()
    })
}

fn optional_of(required: bool) -> Option<AnyView> {
    (!required).then(|| view! { <span class="optional">" (optional)"</span> }.into_any())
}

/// One line of text, a number, a moment: whatever `input` can be.
#[component]
pub fn TextField(
    /// The form's field; its id, too, unless another is given.
    #[prop(into)]
    name: String,
    /// Its id, where a page has several fields of this name.
    #[prop(optional, into)]
    id: Words,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// Helps to fill it in.
    #[prop(optional, into)]
    hint: Phrase,
    /// What is wrong with what was typed.
    #[prop(optional, into)]
    error: Words,
    /// What was typed.
    #[prop(optional, into)]
    value: Words,
    /// The `type` of the input: `text`, `number`, `email`, `url`, `date`, `datetime-local`, `search`.
    #[prop(default = "text")]
    kind: &'static str,
    /// Must be filled in.
    #[prop(optional)]
    required: bool,
    /// Whether it must be filled in is said by another field, not beside this one.
    #[prop(optional)]
    bare: bool,
    /// At most so many characters.
    #[prop(optional)]
    longest: Option<u32>,
    /// Smallest value, for numbers and moments.
    #[prop(optional, into)]
    min: Words,
    /// Largest value, for numbers and moments.
    #[prop(optional, into)]
    max: Words,
    /// What browsers may fill in by themselves.
    #[prop(default = "off")]
    autocomplete: &'static str,
) -> impl IntoView {
    let class = if kind == "number" {
        "input short"
    } else if matches!(kind, "date" | "datetime-local") {
        "input auto"
    } else {
        "input"
    };
    let id = id.0.unwrap_or_else(|| name.clone());
    let described = described(&id, &hint, &error);
    view! {
        <div class="field">
            <label for=id.clone()>{label}{optional_of(required || bare)}</label>
            {hint_of(&id, hint)}
            <input class=class id=id.clone() name=name type=kind value=value.0 required=required maxlength=longest min=min.0 max=max.0
                autocomplete=autocomplete dir="auto" aria-invalid=error.is_some().then_some("true") aria-describedby=described/>
            {error_of(&id, error)}
        </div>
    }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    /// The form's field; its id, too, unless another is given.
    #[prop(into)]
    name: String,
    /// Its id, where a page has several fields of this name.
    #[prop(optional, into)]
    id: Words,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// Helps to fill it in.
    #[prop(optional, into)]
    hint: Phrase,
    /// What is wrong with what was typed.
    #[prop(optional, into)]
    error: Words,
    /// What was typed.
    #[prop(optional, into)]
    value: Words,
    /// Must be filled in.
    #[prop(optional)]
    required: bool,
    /// At least so many characters.
    #[prop(optional)]
    shortest: Option<u32>,
    /// At most so many characters.
    #[prop(optional)]
    longest: Option<u32>,
) -> impl IntoView {
    // Leptos writes the content of a textarea as it is, so what people typed is escaped here.
    let id = id.0.unwrap_or_else(|| name.clone());
    let kept = escape(value.0.as_deref().unwrap_or_default());
    let described = described(&id, &hint, &error);
    view! {
        <div class="field">
            <label for=id.clone()>{label}{optional_of(required)}</label>
            {hint_of(&id, hint)}
            <textarea class="input" id=id.clone() name=name rows="3" required=required minlength=shortest maxlength=longest dir="auto"
                aria-invalid=error.is_some().then_some("true") aria-describedby=described inner_html=kept></textarea>
            {error_of(&id, error)}
        </div>
    }
}

/// One of the things to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What it says.
    pub label: String,
    /// One more sentence; shown by [`RadioCards`].
    pub detail: Option<String>,
}

/// A choice that is only its words.
pub fn choice(value: impl Into<String>, label: impl Into<String>) -> Choice {
    Choice {
        value: value.into(),
        label: label.into(),
        detail: None,
    }
}

/// One of many, in a list that folds out.
#[component]
pub fn Select(
    /// The form's field; its id, too.
    #[prop(into)]
    name: String,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// What there is.
    options: Vec<Choice>,
    /// The value chosen.
    #[prop(optional, into)]
    value: Words,
    /// What stands first, without a value, such as `Anyone`.
    #[prop(optional, into)]
    none: Words,
    /// Helps to choose.
    #[prop(optional, into)]
    hint: Phrase,
    /// What is wrong with the choice.
    #[prop(optional, into)]
    error: Words,
    /// Must be chosen.
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    let none = none
        .0
        .map(|none| view! { <option value="">{none}</option> });
    let options = options
        .into_iter()
        .map(|option| {
            let selected = value.0.as_deref() == Some(option.value.as_str());
            view! { <option value=option.value selected=selected>{option.label}</option> }
        })
        .collect_view();
    let described = described(&name, &hint, &error);
    view! {
        <div class="field">
            <label for=name.clone()>{label}{optional_of(required || none.is_some())}</label>
            {hint_of(&name, hint)}
            <select class="input" id=name.clone() name=name.clone() required=required aria-invalid=error.is_some().then_some("true") aria-describedby=described>
                {none}{options}
            </select>
            {error_of(&name, error)}
        </div>
    }
}

/// One of a few, each with room for a sentence. The first has the field's name for its id, so that a fault can lead there.
#[component]
pub fn RadioCards(
    /// The form's field.
    #[prop(into)]
    name: String,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// What there is.
    options: Vec<Choice>,
    /// The value chosen.
    #[prop(optional, into)]
    value: Words,
    /// Helps to choose.
    #[prop(optional, into)]
    hint: Phrase,
    /// What is wrong with the choice.
    #[prop(optional, into)]
    error: Words,
    /// Must be chosen.
    #[prop(optional)]
    required: bool,
    /// Beside each other where there is room.
    #[prop(optional)]
    across: bool,
) -> impl IntoView {
    let options = options
        .into_iter()
        .enumerate()
        .map(|(place, option)| {
            let checked = value.0.as_deref() == Some(option.value.as_str());
            let id = (place == 0).then(|| name.clone());
            view! {
                <label class="choice">
                    <input type="radio" id=id name=name.clone() value=option.value checked=checked required=required/>
                    <span class="words"><span dir="auto">{option.label}</span>{option.detail.map(|detail| view! { <span class="small dim">{detail}</span> })}</span>
                </label>
            }
        })
        .collect_view();
    let described = described(&name, &hint, &error);
    let wrong = error.is_some().then_some("true");
    view! {
        <fieldset class="field" role="radiogroup" aria-invalid=wrong aria-describedby=described>
            <legend>{label}{optional_of(required)}</legend>
            {hint_of(&name, hint)}
            <div class=if across { "choices across" } else { "choices" }>{options}</div>
            {error_of(&name, error)}
        </fieldset>
    }
}

/// Yes or no.
#[component]
pub fn Check(
    /// The form's field; its id, too. Sent as `on`, and not at all where it is off.
    #[prop(into)]
    name: String,
    /// What is said yes to.
    #[prop(into)]
    label: String,
    /// What is sent instead of `on`.
    #[prop(default = "on".into(), into)]
    value: String,
    /// Whether it is on.
    #[prop(optional)]
    checked: bool,
    /// Must be on.
    #[prop(optional)]
    required: bool,
    /// Helps to decide.
    #[prop(optional, into)]
    hint: Phrase,
    /// What is wrong.
    #[prop(optional, into)]
    error: Words,
) -> impl IntoView {
    let id = if value == "on" {
        name.clone()
    } else {
        format!("{name}-{value}")
    };
    let described = described(&id, &hint, &error);
    view! {
        <div class="field">
            <div class="check">
                <input type="checkbox" id=id.clone() name=name value=value checked=checked required=required aria-invalid=error.is_some().then_some("true") aria-describedby=described/>
                <div><label for=id.clone()>{label}</label>{hint_of(&id, hint)}</div>
            </div>
            {error_of(&id, error)}
        </div>
    }
}
