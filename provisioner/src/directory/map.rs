//! Graph's users in the portal's terms.

use chrono::{DateTime, Datelike, SubsecRound};
use domain::Timestamp;
use serde_json::Value;
use uuid::Uuid;
use workflow::people::DirectoryUser;

/// What is asked of every user, apart from the last day, which needs a permission of its own.
pub(super) const SELECT: &str = "id,userPrincipalName,mail,displayName,givenName,surname,employeeId,employeeType,\
employeeHireDate,companyName,department,jobTitle,officeLocation,usageLocation,country,accountEnabled,userType";

/// The last day.
pub(super) const LAST_DAY: &str = "employeeLeaveDateTime";

/// One user; none if the entry has no id or does not say whether the account is enabled, which is never guessed.
pub(super) fn user(entry: &Value, tells_last_day: bool) -> Option<DirectoryUser> {
    let text = |name: &str| entry[name].as_str().unwrap_or_default().trim().to_owned();
    Some(DirectoryUser {
        object: object(entry)?,
        enabled: entry["accountEnabled"].as_bool()?,
        name: text("displayName"),
        given_name: text("givenName"),
        mail: text("mail"),
        user_name: text("userPrincipalName"),
        department: text("department"),
        job_title: text("jobTitle"),
        country: country(&text("country"), &text("usageLocation")),
        office: text("officeLocation"),
        company: text("companyName"),
        employee_id: text("employeeId"),
        employee_type: text("employeeType").to_lowercase(),
        user_type: match text("userType").to_lowercase() {
            // Old members have none.
            kind if kind.is_empty() => "member".into(),
            kind => kind,
        },
        hired_at: instant(&entry["employeeHireDate"]),
        last_day_at: instant(&entry[LAST_DAY]),
        tells_last_day,
        manager: object(&entry["manager"]),
        sponsors: None,
    })
}

pub(super) fn object(entry: &Value) -> Option<Uuid> {
    Uuid::try_parse(entry["id"].as_str()?).ok()
}

/// Two letters if either property has them.
fn country(country: &str, usage: &str) -> String {
    let short = |text: &str| text.len() == 2 && text.chars().all(|c| c.is_ascii_alphabetic());
    if short(country) || !short(usage) {
        if short(country) {
            country.to_uppercase()
        } else {
            country.to_owned()
        }
    } else {
        usage.to_uppercase()
    }
}

/// An instant in whole microseconds. The year 1 is how some write "none".
fn instant(value: &Value) -> Option<Timestamp> {
    let at = DateTime::parse_from_rfc3339(value.as_str()?).ok()?.to_utc();
    (at.year() > 1900).then(|| at.trunc_subsecs(6))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_empty_and_nothing_is_guessed() {
        let id = "3f1c7b0e-6a52-4d7a-9a0e-1f6d2b8c4e11";
        let bare = user(&json!({"id": id, "accountEnabled": true}), true).expect("it has both");
        assert_eq!((bare.user_type.as_str(), bare.manager), ("member", None));
        assert_eq!(user(&json!({"id": id}), true), None);
        assert_eq!(user(&json!({"accountEnabled": true}), true), None);
        assert_eq!(
            user(&json!({"id": "me", "accountEnabled": true}), true),
            None
        );
    }

    #[test]
    fn words_are_brought_into_one_shape() {
        let entry = json!({
            "id": "3f1c7b0e-6a52-4d7a-9a0e-1f6d2b8c4e11", "accountEnabled": false,
            "employeeType": "Contractor", "userType": "Guest", "country": "Germany", "usageLocation": "de",
            "employeeLeaveDateTime": "2026-03-31T22:00:00.1234567Z", "employeeHireDate": "0001-01-01T00:00:00Z",
            "manager": {"id": "3f1c7b0e-6a52-4d7a-9a0e-1f6d2b8c4e12"},
        });
        let user = user(&entry, true).expect("it is a user");
        assert_eq!(
            (
                user.employee_type.as_str(),
                user.user_type.as_str(),
                user.country.as_str()
            ),
            ("contractor", "guest", "DE")
        );
        assert_eq!(
            user.last_day_at.map(|at| at.to_rfc3339()),
            Some("2026-03-31T22:00:00.123456+00:00".into())
        );
        assert_eq!(user.hired_at, None);
        assert!(user.manager.is_some());
    }
}
