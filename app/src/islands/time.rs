//! Says every moment of the page in the reader's zone, and keeps relative ones and the bars of lives fresh.

use leptos::prelude::*;

/// Once per page, in the frame. Works on every `time[data-say]` and `[data-life]`; see `ui::Moment` and `ui::Life`.
#[island]
pub fn LocalTime(
    /// The portal's time when the page was made, in milliseconds.
    now: i64,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    alive::start(now);
    #[cfg(not(feature = "hydrate"))]
    let _ = now;
}

#[cfg(feature = "hydrate")]
mod alive {
    use js_sys::{Date, Object, Reflect};
    use web_sys::Element;

    use crate::{
        islands::dom,
        spans::{self, DAY, MINUTE},
    };

    pub fn start(now: i64) {
        let ahead = now - Date::now() as i64;
        if let Some(root) = dom::document().document_element() {
            drop(root.set_attribute("data-ahead", &ahead.to_string()));
        }
        say_all();
        dom::on_swapped(say_all);
        dom::every(20_000, say_all);
    }

    fn say_all() {
        for time in dom::all("time[data-say]") {
            say(&time);
        }
        for life in dom::all("[data-life]") {
            pass(&life);
        }
    }

    fn say(time: &Element) {
        let attribute = |name| time.get_attribute(name).unwrap_or_default();
        let at = Date::parse(&attribute("datetime"));
        if at.is_nan() {
            return;
        }
        let date = Date::new(&at.into());
        let now = dom::portal_now();
        let passed = ((now - at) / 1000.0) as i64;
        let words = match attribute("data-say").as_str() {
            "relative" => spans::relative(passed),
            "for" => spans::about(passed),
            "left" => format!("{} left", spans::about(-passed)),
            "moment" => moment(&date, &Date::new(&now.into())),
            "date" => day(&date, true),
            "stamp" => format!(
                "{} {} {}, {}",
                date.get_date(),
                &month(&date)[..3],
                date.get_full_year(),
                clock(&date)
            ),
            _ => clock(&date),
        };
        // The words come first; behind them may stand the whole moment for those who listen.
        if let Some(said) = time.first_child() {
            said.set_text_content(Some(&words));
        }
        if time.has_attribute("data-local") {
            return;
        }
        drop(time.set_attribute("data-local", ""));
        drop(time.set_attribute("title", &exact(&date, "full")));
        if let Some(whole) = time.first_element_child() {
            whole.set_text_content(Some(&format!(" ({})", exact(&date, "medium"))));
        }
    }

    /// Day, time to the second and zone, in the reader's.
    fn exact(date: &Date, style: &str) -> String {
        let options = Object::new();
        for (name, value) in [("dateStyle", style), ("timeStyle", "long")] {
            drop(Reflect::set(&options, &name.into(), &value.into()));
        }
        date.to_locale_string("en-GB", &options).into()
    }

    /// Moves a life's bar on.
    fn pass(life: &Element) -> Option<()> {
        let span = life.get_attribute("data-life")?;
        let (start, end) = span.split_once(' ')?;
        let (start, end) = (start.parse::<i64>().ok()?, end.parse::<i64>().ok()?);
        let (whole, left) = (end - start, end - (dom::portal_now() / 1000.0) as i64);
        let class = if spans::soon(whole, left) {
            "life soon"
        } else {
            "life"
        };
        life.set_class_name(class);
        let bar = life.query_selector(".left").ok().flatten()?;
        bar.set_class_name(&format!("left pct-{}", spans::percent_left(whole, left)));
        Some(())
    }

    /// `17:00`, by the reader's clock.
    pub fn clock(date: &Date) -> String {
        format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
    }

    fn month(date: &Date) -> &'static str {
        spans::MONTHS[date.get_month() as usize % 12]
    }

    fn day(date: &Date, year: bool) -> String {
        if year {
            format!(
                "{} {} {}",
                date.get_date(),
                month(date),
                date.get_full_year()
            )
        } else {
            format!("{} {}", date.get_date(), month(date))
        }
    }

    /// Days between two moments on the reader's calendar.
    fn days_between(date: &Date, now: &Date) -> i64 {
        let midnight = |date: &Date| {
            (date.get_time() / 1000.0) as i64
                - i64::from(date.get_timezone_offset() as i32) * MINUTE
        };
        midnight(date).div_euclid(DAY) - midnight(now).div_euclid(DAY)
    }

    /// `today at 17:00`, `2 December`.
    pub fn moment(date: &Date, now: &Date) -> String {
        match days_between(date, now) {
            0 => format!("today at {}", clock(date)),
            1 => format!("tomorrow at {}", clock(date)),
            -1 => format!("yesterday at {}", clock(date)),
            _ => day(date, date.get_full_year() != now.get_full_year()),
        }
    }

    /// `Friday 27 November at 17:00`; with its year where that is another one.
    pub fn weekday(date: &Date, now: &Date) -> String {
        format!(
            "{} {} at {}",
            spans::WEEKDAYS[date.get_day() as usize % 7],
            day(date, date.get_full_year() != now.get_full_year()),
            clock(date)
        )
    }
}

#[cfg(feature = "hydrate")]
pub(super) use alive::weekday;
