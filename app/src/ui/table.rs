//! Tables for comparing; on a phone each row is a small card.

use leptos::prelude::*;

/// A column's heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What it says.
    pub head: String,
    /// Numbers stand at the end and align.
    pub number: bool,
}

/// A column of words.
pub fn column(head: impl Into<String>) -> Column {
    Column {
        head: head.into(),
        number: false,
    }
}

/// A column of numbers.
pub fn numbers(head: impl Into<String>) -> Column {
    Column {
        head: head.into(),
        number: true,
    }
}

/// A cell of text.
pub fn cell(text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <span dir="auto">{text}</span> }.into_any()
}

/// A cell of anything else.
pub fn cell_view(view: impl IntoView + 'static) -> AnyView {
    view.into_any()
}

/// A table. The first cell of each row names the row; every row has as many cells as there are columns.
#[component]
pub fn Table(
    /// What the table shows, for screen readers (and shown where `caption` is).
    #[prop(into)]
    label: String,
    /// The columns.
    columns: Vec<Column>,
    /// The cells, row by row.
    rows: Vec<Vec<AnyView>>,
    /// Shows the label above the table.
    #[prop(optional)]
    caption: bool,
) -> impl IntoView {
    let heads = columns
        .iter()
        .map(|column| view! { <th scope="col" class=column.number.then_some("num")>{column.head.clone()}</th> })
        .collect_view();
    let rows = rows
        .into_iter()
        .map(|cells| {
            let cells = cells
                .into_iter()
                .zip(&columns)
                .enumerate()
                .map(|(place, (cell, column))| {
                    if place == 0 {
                        view! { <th scope="row">{cell}</th> }.into_any()
                    } else {
                        let label = Some(column.head.clone()).filter(|head| !head.is_empty());
                        view! { <td class=column.number.then_some("num") data-label=label>{cell}</td> }.into_any()
                    }
                })
                .collect_view();
            view! { <tr>{cells}</tr> }
        })
        .collect_view();
    view! {
        <table class="table">
            <caption class=if caption { "p-4 font-semibold" } else { "sr" }>{label}</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}
