//! What every component must keep: text is escaped, faults are tied to their fields, nothing carries an inline style.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use crate::render::html;
use crate::ui::*;

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn now() -> DateTime<Utc> {
    "2026-11-21T10:02:31Z".parse().expect("a moment")
}

#[test]
fn text_is_escaped_wherever_it_goes() {
    let out = html(|| {
        view! {
            <PageHead title=HOSTILE lead=HOSTILE crumbs=vec![crumb(HOSTILE, HOSTILE), here(HOSTILE)]/>
            <Card title=HOSTILE version=HOSTILE live=HOSTILE><Rows><Row title=HOSTILE detail=HOSTILE href=HOSTILE/></Rows></Card>
            <TextField name="a" label=HOSTILE value=HOSTILE hint=HOSTILE error=HOSTILE/>
            <TextArea name="b" label=HOSTILE value=HOSTILE/>
            <Select name="c" label=HOSTILE options=vec![choice(HOSTILE, HOSTILE)]/>
            <RadioCards name="d" label=HOSTILE options=vec![choice(HOSTILE, HOSTILE)]/>
            <Facts items=vec![fact(HOSTILE, HOSTILE)]/><Quote words=HOSTILE/><Note title=HOSTILE>{HOSTILE}</Note>
            <Delta changes=vec![Change::Plus(HOSTILE.into())]/><Badge state=State::Waiting words=HOSTILE/><Tag words=HOSTILE href=HOSTILE/>
            <Timeline steps=vec![Step::new(Stand::Now, HOSTILE).detail(HOSTILE).when(HOSTILE).extra(HOSTILE)]/>
            <Table label=HOSTILE columns=vec![column(HOSTILE)] rows=vec![vec![cell(HOSTILE)]]/>
            <Empty title=HOSTILE text=HOSTILE/><Avatar name=HOSTILE/><Who name=HOSTILE detail=HOSTILE href=HOSTILE/><Tile name=HOSTILE/>
            <PostButton action=HOSTILE fields=vec![("x", HOSTILE.into())]>{HOSTILE}</PostButton>
        }
    });
    assert!(!out.contains("<script"), "{out}");
    assert!(!out.contains("=\"<"), "{out}");
    assert!(!out.contains(" style="), "{out}");
}

#[test]
fn a_fault_stands_beside_its_field_and_what_was_typed_stays() {
    let out = html(|| {
        view! { <TextArea name="reason" label="Why" hint="A sentence" error="Say a little more." value="short" required=true/> }
    });
    for part in [
        "aria-describedby=\"reason-hint reason-error\"",
        "aria-invalid=\"true\"",
        "id=\"reason-error\"",
        "Say a little more.",
        ">short</textarea>",
        "for=\"reason\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    assert!(!out.contains("optional"), "{out}");
}

#[test]
fn a_chosen_value_stays_chosen() {
    let out = html(|| {
        view! { <RadioCards name="d" label="How long" value="8" options=vec![choice("4", "4 hours"), choice("8", "8 hours")]/> }
    });
    assert_eq!(out.matches("checked").count(), 1, "{out}");
    let out = html(|| {
        view! { <Select name="d" label="How long" value="8" options=vec![choice("4", "4 hours"), choice("8", "8 hours")]/> }
    });
    assert_eq!(out.matches("selected").count(), 1, "{out}");
}

#[test]
fn moments_carry_the_exact_time() {
    let at = now() - chrono::Duration::minutes(12);
    let out = html(|| view! { <Moment at=at now=now()/> });
    assert_eq!(
        out,
        "<time datetime=\"2026-11-21T09:50:31Z\" title=\"Saturday, 21 November 2026, 09:50:31 UTC\" data-say=\"relative\">12 min ago<span class=\"sr\"> (21 Nov 2026, 09:50 UTC)</span></time>"
    );
}

#[test]
fn a_table_says_its_headings_again_for_small_screens() {
    let out = html(
        || view! { <Table label="Packages" columns=vec![column("Name"), numbers("Held by")] rows=vec![vec![cell("Figma"), cell("12")]]/> },
    );
    assert!(out.contains("data-label=\"Held by\""), "{out}");
    assert!(out.contains("scope=\"row\""), "{out}");
}

#[test]
fn a_text_area_keeps_what_was_typed_and_lets_nothing_out() {
    let typed = "</textarea><script>alert(1)</script> & \"so\"\n2";
    let out = html(|| view! { <TextArea name="b" label="Why" value=typed/> });
    assert!(
        out.contains("&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;so&quot;\n2</textarea>"),
        "{out}"
    );
    let out = html(|| view! { <TextArea name="b" label="Why"/> });
    assert!(
        out.contains("></textarea>"),
        "nothing typed is nothing, not a blank: {out}"
    );
}

#[test]
fn only_the_tokens_name_a_colour() {
    let style = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../style");
    let mut looked_at = 0;
    for folder in [style.join("components"), style] {
        for entry in std::fs::read_dir(folder).expect("the styles are there") {
            let path = entry.expect("it can be read").path();
            let style_sheet = path.extension().is_some_and(|ending| ending == "css");
            if !style_sheet || path.ends_with("tokens.css") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("it can be read");
            for name in ["oklch(", "rgb(", "rgba(", "hsl(", ": white", ": black"] {
                assert!(!text.contains(name), "{} says {name}", path.display());
            }
            for (at, _) in text.match_indices('#') {
                let digits = text[at + 1..]
                    .chars()
                    .take_while(char::is_ascii_hexdigit)
                    .count();
                assert!(digits < 3, "{} has a colour in numbers", path.display());
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 8, "the search is wrong");
}
