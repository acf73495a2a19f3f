//! What a file may say of when people work.

use domain::calendar::Calendar;

use super::*;

const SWEDEN: &str = r#"
[[calendar]]
countries = ["SE", "Sweden"]
zone = "Europe/Stockholm"
weekend = ["saturday", "sunday"]
begins = "08:30"
holidays = ["2026-12-24", "2026-12-25"]
"#;

#[tokio::test]
async fn calendars_are_published_with_the_edition_and_go_with_it() {
    for house in houses().await {
        let plain = orders("[\"manager\"]", "9 days", &[1]);
        house.apply(&format!("{plain}{SWEDEN}"), None).await;
        let calendar = Calendar {
            zone: "Europe/Stockholm".into(),
            begins_minute: 8 * 60 + 30,
            holidays: ["2026-12-24", "2026-12-25"]
                .map(|day| day.parse().unwrap())
                .into(),
            ..Calendar::default()
        };
        let kept = format!(
            "UPDATE calendars SET country = country WHERE country IN ('SE', 'Sweden') AND calendar = '{}'",
            serde_json::to_string(&calendar).unwrap()
        );
        let kept = async || testing::raw(house.workflow.store(), &kept).await.unwrap();
        assert_eq!(kept().await, 2);
        house.apply(&plain, None).await;
        assert_eq!(kept().await, 0);
    }
}

#[tokio::test]
async fn a_calendar_that_cannot_be_followed_is_a_fault() {
    let house = houses().await.remove(0);
    for (was, is, fault) in [
        ("Europe/Stockholm", "Middle/Earth", "is not a time zone"),
        ("saturday", "saturdy", "did you mean `saturday`?"),
        ("08:30", "25:00", "`begins` is no time of day"),
        ("08:30", "16:30", "let `ends` be later"),
        ("2026-12-24", "2026-02-30", "is not a day"),
        ("2026-12-24", "2026-12-25", "stands twice"),
        ("\"SE\"", "\"Sweden\"", "has a calendar already"),
        (
            "countries = [\"SE\", \"Sweden\"]",
            "",
            "`countries` is missing",
        ),
    ] {
        let text = format!(
            "{}{}",
            orders("[\"manager\"]", "9 days", &[1]),
            SWEDEN.replacen(was, is, 1)
        );
        let faults = house.faults(&text).await;
        assert!(
            faults.iter().any(|found| found.contains(fault)),
            "{is}: {faults:?}"
        );
    }
}
