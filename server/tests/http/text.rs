//! Hostile text through every field to every place where it shows up again: pages, exports, the audit log.

use axum::http::StatusCode;
use benches::forms::links;
use domain::person::PortalRole;
use store::Engine;
use uuid::Uuid;

use crate::{
    support::{Browser, House, PUBLIC, Setup, escaped},
    town::{self, HELD, MANAGER, SECURITY, asker},
};

/// What people, the directory and other systems may send.
const TEXTS: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</textarea><script>alert(2)</script>",
    "</title><script>alert(3)</script>",
    "javascript:alert(4)//aaaaaaaa",
    "'; DROP TABLE lines; --",
    "=cmd|' /C calc'!A0",
    "harmless;=1+1;@SUM(A1)",
    "+1234567890 is my number",
    "\u{202e}gpj.exe sdaer txet sihT",
    "zero\u{200b}width\u{feff} and \u{2066}isolates\u{2069}",
    "first line\r\nBcc: everybody@contoso.example\r\n\r\nbody",
    "{{7*7}} ${jndi:ldap://x} %n%n #{x}",
    "Ünïcödé 😀 \u{1f469}\u{200d}\u{1f4bb} ﷽ 𝕋𝕖𝕩𝕥",
];

async fn house(engine: Engine) -> House {
    let mut directory = town::company();
    // Names come from a directory that others write to.
    for (user, text) in directory.users.iter_mut().skip(4).zip(TEXTS) {
        user.display_name = text.into();
        user.department = Some(text.into());
        user.job_title = Some(text.into());
    }
    for (group, text) in directory.groups.iter_mut().zip(TEXTS) {
        group.display_name = text.into();
        group.description = Some(text.into());
    }
    let sandbox = benches::portal::sandbox(PUBLIC, town::TENANT, directory)
        .await
        .expect("a free port is there");
    let setup = Setup {
        engine,
        ..Setup::default()
    };
    let house = House::new(sandbox.url(), setup).await;
    town::fill(&house.workflow, &sandbox).await;
    house
}

/// Loads a page, and everything that it leads to of ours, and holds each against what must never be in one.
async fn look(who: &str, browser: &Browser, path: &str) {
    let page = browser.get(path).await;
    harmless(who, path, page.status, &page.body);
    for prefix in [
        "/requests/",
        "/approvals/stg_",
        "/people/",
        "/audit/",
        "/owned/",
    ] {
        for link in links(&page.body, prefix) {
            let linked = browser.get(&link).await;
            if link.contains("/export.") {
                // Never shown as a page, whatever a browser makes of its name.
                assert!(!linked.header("content-type").contains("html"), "{link}");
                assert_eq!(linked.header("x-content-type-options"), "nosniff", "{link}");
                continue;
            }
            harmless(who, &link, linked.status, &linked.body);
        }
    }
}

fn harmless(who: &str, path: &str, status: StatusCode, body: &str) {
    assert!(!status.is_server_error(), "{who} {path}: {status} {body}");
    for never in ["<script>alert", "<img src=x", "href=\"javascript:"] {
        assert!(!body.contains(never), "{who} {path} holds {never}");
    }
}

#[tokio::test]
async fn what_people_type_stays_text_wherever_it_shows() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let house = house(engine).await;
        let asks = house.signed_in(asker(0), &[]).await;
        let manager = house.signed_in(MANAGER, &[]).await;
        let security = house.signed_in(SECURITY[0], &[PortalRole::Security]).await;
        let auditor = house
            .signed_in(Uuid::from_u128(0x500), &[PortalRole::Auditor])
            .await;
        let package = town::package(&house.workflow, "asked-0").await;
        let with_question = town::package(&house.workflow, &format!("held-{}", HELD - 1)).await;
        for text in TEXTS {
            let typed = [("reason", text), ("start", "now"), ("duration", "900")];
            let path = format!("/request/{package}");
            // Asked again, the earlier ask is superseded.
            let asked = asks.fill(&path, &typed).await;
            harmless("the asker", &path, asked.status, &asked.body);
            assert_eq!(
                asked.status,
                StatusCode::SEE_OTHER,
                "{text}: {}",
                asked.body
            );
            let path = format!("/request/{with_question}");
            let mut typed = typed.to_vec();
            typed.push(("answer-ticket", text));
            let page = asks.get(&path).await;
            let answer = asks
                .post(&path, &crate::support::filled(&page.body, &typed))
                .await;
            harmless("the asker", &path, answer.status, &answer.body);
            let queue = manager.get("/approvals").await;
            let stage = links(&queue.body, "/approvals/stg_")
                .pop()
                .expect("it waits");
            let typed = [("verdict", "deny"), ("note", text)];
            let denied = manager.fill(&stage, &typed).await;
            harmless("the manager", &stage, denied.status, &denied.body);
            assert_eq!(
                denied.status,
                StatusCode::SEE_OTHER,
                "{text}: {}",
                denied.body
            );
            let found = asks.get(&format!("/search?q={}", escaped(text))).await;
            harmless("the asker", "/search", found.status, &found.body);
            let found = asks.get(&format!("/catalog?q={}", escaped(text))).await;
            harmless("the asker", "/catalog", found.status, &found.body);
        }
        for path in ["/", "/requests", "/access"] {
            look("the asker", &asks, path).await;
        }
        for path in ["/", "/team", "/owned", "/approvals"] {
            look("the manager", &manager, path).await;
        }
        for path in ["/audit", "/provisioning", "/approvals"] {
            look("security", &security, path).await;
        }
        for path in ["/audit", "/evidence", "/evidence/changes"] {
            look("the auditor", &auditor, path).await;
        }
        exports(&auditor).await;
    }
}

/// No cell of a spreadsheet is a formula, whatever separates its cells; every line of the log is JSON of its own.
async fn exports(auditor: &Browser) {
    let csv = auditor
        .get("/audit/export.csv")
        .await
        .expect(StatusCode::OK);
    assert!(csv.body.lines().count() > TEXTS.len());
    for line in csv.body.lines() {
        for cell in line.split([',', ';', '\t']) {
            let begin = cell.trim_start_matches('"').chars().next();
            assert!(
                !matches!(begin, Some('=' | '+' | '@')),
                "a formula: {cell} in {line}"
            );
        }
    }
    let lines = auditor
        .get("/audit/export.jsonl")
        .await
        .expect(StatusCode::OK);
    for line in lines.body.lines() {
        let entry: Result<serde_json::Value, _> = serde_json::from_str(line);
        assert!(entry.is_ok(), "{line}");
    }
}

#[tokio::test]
async fn text_that_no_database_takes_or_that_never_ends_is_refused() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let house = house(engine).await;
        let asks = house.signed_in(asker(0), &[]).await;
        let package = town::package(&house.workflow, "asked-0").await;
        let path = format!("/request/{package}");
        let long = "far too long ".repeat(1000);
        for place in ["/search?q=a%00b", "/catalog?q=%00"] {
            asks.get(place).await.expect(StatusCode::BAD_REQUEST);
        }
        let typed = [
            ("reason", "a nul\0byte"),
            ("start", "now"),
            ("duration", "900"),
        ];
        let nul = asks.fill(&path, &typed).await;
        assert_eq!(nul.status, StatusCode::BAD_REQUEST, "{engine:?}");
        for text in [long.as_str(), "", "   ", "x"] {
            let typed = [("reason", text), ("start", "now"), ("duration", "900")];
            let answer = asks.fill(&path, &typed).await;
            let said = format!("{engine:?} {:.30?}: {}", text, answer.status);
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
            let kept: String = text.chars().take(20).collect();
            assert!(
                answer.body.contains(kept.trim()),
                "{said} lost what was typed"
            );
        }
    }
}
