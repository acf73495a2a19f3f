//! How two editions of a country's calendar differ.

use super::difference::Fields;
use crate::calendar::Calendar;

pub(super) fn fields(old: Option<&Calendar>, new: Option<&Calendar>) -> Fields {
    let mut fields = Fields::default();
    let mut add = |field: &str, said: fn(&Calendar) -> String| {
        fields.add(field, old.map(said), new.map(said));
    };
    add("zone", |one| one.zone.clone());
    add("weekend", |one| {
        let days: Vec<&str> = one.weekend.iter().map(|day| day.as_str()).collect();
        days.join(", ")
    });
    add("hours", Calendar::hours);
    add("holidays", |one| {
        let days: Vec<String> = one.holidays.iter().map(ToString::to_string).collect();
        days.join(", ")
    });
    fields
}
