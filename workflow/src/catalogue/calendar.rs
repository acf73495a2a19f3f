//! When people of a country work, as the files say it: read, checked, and brought to the tables of the published edition.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use chrono::NaiveDate;
use domain::{
    CatalogueVersionId,
    calendar::{Calendar, Weekday, known_zone},
    catalogue::Content,
};

use super::sheet::{Section, Sheet, nearest};
use crate::{Result, Unit};

/// Reads a `[[calendar]]` into the countries that it is for. Faulty ones are left out.
pub(super) fn read_calendar(
    sheet: &mut Sheet,
    section: Section<'_>,
    calendars: &mut BTreeMap<String, Calendar>,
) {
    let countries = sheet.texts(section, "countries");
    if countries.is_empty() {
        sheet.fault(
            section.line,
            "`countries` is missing: say for whom it is, as the directory writes it: countries = [\"SE\", \"Sweden\"]",
        );
    }
    let Some(calendar) = read_hours(sheet, section) else {
        return;
    };
    for country in countries {
        let line = country.line;
        match calendars.entry(country.value) {
            Entry::Vacant(free) => {
                free.insert(calendar.clone());
            }
            Entry::Occupied(taken) => sheet.fault(
                line,
                format!("`{}` has a calendar already: take one out", taken.key()),
            ),
        }
    }
}

fn read_hours(sheet: &mut Sheet, section: Section<'_>) -> Option<Calendar> {
    sheet.only(
        section,
        &["countries", "zone", "weekend", "begins", "ends", "holidays"],
    );
    let before = sheet.faults.len();
    let usual = Calendar::default();
    let zone = sheet.text(section, "zone", "\"Europe/Stockholm\"")?;
    if !known_zone(&zone.value) {
        sheet.fault(
            zone.line,
            format!(
                "`{}` is not a time zone: write it as the time zone database does, as zone = \"Europe/Stockholm\"",
                zone.value
            ),
        );
    }
    let begins = read_minute(sheet, section, "begins", usual.begins_minute);
    let ends = read_minute(sheet, section, "ends", usual.ends_minute);
    if let (Some(begins), Some(ends)) = (begins, ends)
        && ends < begins + 60
    {
        sheet.fault(
            section.line,
            "a working day is an hour at least: let `ends` be later than `begins`",
        );
    }
    let mut weekend = BTreeSet::new();
    for word in sheet.texts(section, "weekend") {
        if let Ok(day) = word.value.parse::<Weekday>() {
            weekend.insert(day);
        } else {
            let days = Weekday::ALL.iter().map(|day| day.as_str());
            let near = nearest(&word.value, days).unwrap_or("saturday");
            sheet.fault(
                word.line,
                format!(
                    "`{}` is not a day of the week: did you mean `{near}`?",
                    word.value
                ),
            );
        }
    }
    if weekend.len() == Weekday::ALL.len() {
        sheet.fault(
            section.line,
            "`weekend` leaves no day to work: take one out",
        );
    }
    let mut holidays = BTreeSet::new();
    for day in sheet.texts(section, "holidays") {
        match day.value.parse::<NaiveDate>() {
            Ok(date) if holidays.insert(date) => {}
            Ok(_) => sheet.fault(day.line, "this holiday stands twice: take one out"),
            Err(_) => sheet.fault(
                day.line,
                format!("`{}` is not a day: write it as \"2026-12-25\"", day.value),
            ),
        }
    }
    let calendar = Calendar {
        zone: zone.value,
        weekend: if weekend.is_empty() {
            usual.weekend
        } else {
            weekend
        },
        begins_minute: begins?,
        ends_minute: ends?,
        holidays,
    };
    (sheet.faults.len() == before).then_some(calendar)
}

/// A time of day in minutes after midnight, as `"09:00"`; `usual` if it is not said. None after a fault.
fn read_minute(sheet: &mut Sheet, section: Section<'_>, key: &str, usual: u16) -> Option<u16> {
    let Some(text) = sheet.maybe_text(section, key) else {
        return Some(usual);
    };
    let read = text.value.split_once(':').and_then(|(hour, minute)| {
        let hour: u16 = hour.parse().ok().filter(|hour| *hour < 24)?;
        let two = minute.len() == 2;
        let minute: u16 = minute.parse().ok().filter(|minute| two && *minute < 60)?;
        Some(hour * 60 + minute)
    });
    if read.is_none() {
        sheet.fault(
            text.line,
            format!("`{key}` is no time of day: write it as {key} = \"09:00\""),
        );
    }
    read
}

/// Brings the table to the calendars of this edition. What is armed already stays; what is armed from now on follows them.
pub(super) async fn save(
    unit: &mut Unit,
    edition: CatalogueVersionId,
    after: &Content,
) -> Result<()> {
    let mut rows = Vec::with_capacity(after.calendars.len());
    for (country, calendar) in &after.calendars {
        rows.push((country.clone(), serde_json::to_string(calendar)?));
    }
    Ok(unit.tx.set_calendars(edition, &rows).await?)
}
