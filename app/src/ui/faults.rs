//! What is wrong with a form, above it.

use leptos::prelude::*;

use super::{Note, Tone};
use crate::words;

/// What is wrong with one field, for the list above a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The id that leads there.
    pub id: String,
    /// What the field asks for.
    pub label: String,
    /// What is wrong, a sentence.
    pub why: String,
}

/// What is wrong with a form, above it: in general, and field by field with links that lead there. The page arrives at it. Nothing
/// where nothing is wrong.
#[component]
pub fn Faults(
    /// What is wrong with no field in particular, each a sentence.
    faults: Vec<String>,
    /// What is wrong with its fields.
    #[prop(optional)]
    fields: Vec<FieldFault>,
) -> impl IntoView {
    (!faults.is_empty() || !fields.is_empty()).then(|| {
        let title = if faults.is_empty() {
            format!("Fix {}, then send it again. Nothing was lost.", words::count(fields.len() as i64, "thing", "things"))
        } else {
            "That did not go through; nothing was changed.".to_owned()
        };
        let faults = faults.into_iter().map(|fault| view! { <p>{fault}</p> }).collect_view();
        let fields = (!fields.is_empty()).then(|| {
            let fields = fields
                .into_iter()
                .map(|FieldFault { id, label, why }| view! { <li><a class="link" href=format!("#{id}") dir="auto">{label}</a>": "{why}</li> })
                .collect_view();
            view! { <ul class="stack stack-1 list-disc ps-5">{fields}</ul> }
        });
        view! { <Note tone=Tone::Bad alert=true title=title><div class="stack stack-1">{faults}{fields}</div></Note> }
    })
}
