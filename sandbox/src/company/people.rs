//! Who works at the company.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{DOMAIN, chance::Chance, object, user};
use crate::directory::User;

/// Somebody with what the rest of the seed needs to know of them.
pub(super) struct Staff {
    pub user: User,
    pub roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cast {
    user: String,
    name: String,
    department: String,
    title: String,
    office: String,
    manager: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    company: Option<String>,
    #[serde(default)]
    sponsors: Vec<String>,
    hired: Option<NaiveDate>,
    /// The last day, in days from today.
    leaves_in: Option<i64>,
    #[serde(default)]
    disabled: bool,
    /// The mail address of a guest.
    guest: Option<String>,
    #[serde(default)]
    foreign: bool,
    #[serde(default)]
    no_oid: bool,
    #[serde(default)]
    overage: bool,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Team {
    department: String,
    head: String,
    more: usize,
    titles: Vec<String>,
    offices: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    office: String,
    country: String,
    code: String,
    /// Whose names are used there.
    #[expect(dead_code, reason = "says in the file where the names come from")]
    names: String,
    given: Vec<String>,
    family: Vec<String>,
}

/// Everybody: the cast, then each team's further members. A team of more than nine gets leads in between.
pub(super) fn staff(seed: u64, today: DateTime<Utc>) -> Vec<Staff> {
    let cast: Vec<Cast> = read(include_str!("../../company/cast.json"));
    let teams: Vec<Team> = read(include_str!("../../company/teams.json"));
    let places: Vec<Place> = read(include_str!("../../company/places.json"));
    let places: BTreeMap<&str, &Place> = places
        .iter()
        .map(|place| (place.office.as_str(), place))
        .collect();
    let mut chance = Chance::new(seed);
    let mut taken: BTreeSet<String> = cast.iter().map(|one| one.user.clone()).collect();
    let mut staff: Vec<Staff> = cast
        .iter()
        .enumerate()
        .map(|(number, one)| from_cast(one, number, &places, today))
        .collect();
    for team in &teams {
        let head = user(&team.head);
        let mut leads: Vec<Uuid> = Vec::new();
        for index in 0..team.more {
            let office = chance.one(&team.offices);
            let place = places[office.as_str()];
            let (given, family) = (chance.one(&place.given), chance.one(&place.family));
            let name = unused(given, family, &mut taken);
            let lead = team.more > 9 && index % 9 == 0;
            let title = if lead {
                format!("Team lead, {}", team.department)
            } else {
                chance.one(&team.titles).clone()
            };
            let id = object("user", &name);
            let manager = if lead || leads.is_empty() {
                head
            } else {
                *chance.one(&leads)
            };
            if lead {
                leads.push(id);
            }
            let mut made = User::new(
                id,
                &format!("{given} {family}"),
                &format!("{name}@{DOMAIN}"),
            );
            made.given_name = Some(given.clone());
            made.surname = Some(family.clone());
            made.employee_id = Some(format!("N{:05}", 10_000 + staff.len()));
            made.employee_type = Some("Employee".into());
            made.company_name = Some("Nordhamn AB".into());
            made.department = Some(team.department.clone());
            made.job_title = Some(title);
            made.manager = Some(manager);
            settle(&mut made, place);
            let days = i64::try_from(120 + chance.below(3500)).unwrap_or(120);
            made.employee_hire_date = Some(midnight(today.date_naive() - Duration::days(days)));
            made.created_date_time = made.employee_hire_date;
            staff.push(Staff {
                user: made,
                roles: Vec::new(),
            });
        }
    }
    staff
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).expect("the company's files are part of this crate and tested")
}

fn from_cast(
    one: &Cast,
    number: usize,
    places: &BTreeMap<&str, &Place>,
    today: DateTime<Utc>,
) -> Staff {
    let id = user(&one.user);
    let name = one.guest.as_ref().map_or_else(
        || format!("{}@{DOMAIN}", one.user),
        |mail| {
            format!(
                "{}#EXT#@nordhamn.onmicrosoft.example",
                mail.replace('@', "_")
            )
        },
    );
    let mut made = User::new(id, &one.name, &name);
    if let Some(mail) = &one.guest {
        made.mail = Some(mail.clone());
        made.user_type = Some("Guest".into());
    } else {
        made.employee_id = Some(format!("N{:05}", 10_000 + number));
        made.employee_type = Some(one.kind.clone().unwrap_or_else(|| "Employee".into()));
    }
    let (given, family) = one.name.split_once(' ').unwrap_or((one.name.as_str(), ""));
    made.given_name = Some(given.to_owned());
    made.surname = Some(family.to_owned());
    made.company_name = Some(one.company.clone().unwrap_or_else(|| "Nordhamn AB".into()));
    made.department = Some(one.department.clone());
    made.job_title = Some(one.title.clone());
    made.manager = one.manager.as_deref().map(user);
    made.sponsors = one.sponsors.iter().map(|name| user(name)).collect();
    made.account_enabled = !one.disabled;
    made.employee_hire_date = one.hired.map(midnight);
    made.created_date_time = made.employee_hire_date;
    made.employee_leave_date_time = one
        .leaves_in
        .map(|days| midnight(today.date_naive() + Duration::days(days)) + Duration::hours(16));
    made.foreign_tid = one.foreign.then(|| object("tenant", "elsewhere.example"));
    made.no_oid = one.no_oid;
    made.overage = one.overage;
    settle(&mut made, places[one.office.as_str()]);
    Staff {
        user: made,
        roles: one.roles.clone(),
    }
}

fn settle(user: &mut User, place: &Place) {
    user.office_location = Some(place.office.clone());
    user.city = Some(place.office.clone());
    user.country = Some(place.country.clone());
    user.usage_location = Some(place.code.clone());
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// A user name that nobody has yet.
fn unused(given: &str, family: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = format!("{}.{}", latin(given), latin(family));
    let mut name = plain.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{plain}{number}");
        number += 1;
    }
    name
}

/// Small plain letters for a user name.
fn latin(name: &str) -> String {
    let plain = |letter: char| match letter {
        'å' | 'ä' | 'á' | 'ã' | 'à' | 'ą' => "a",
        'æ' => "ae",
        'ö' | 'ø' | 'ó' | 'ô' | 'õ' => "o",
        'é' | 'è' | 'ê' | 'ę' | 'ë' => "e",
        'í' | 'ı' | 'î' => "i",
        'ü' | 'ú' => "u",
        'ç' | 'ć' => "c",
        'ł' => "l",
        'ń' | 'ñ' => "n",
        'ś' | 'ş' => "s",
        'ż' | 'ź' => "z",
        'ß' => "ss",
        _ => "",
    };
    name.chars()
        .flat_map(char::to_lowercase)
        .map(|letter| {
            if letter.is_ascii_alphabetic() {
                letter.to_string()
            } else {
                plain(letter).to_owned()
            }
        })
        .collect()
}
