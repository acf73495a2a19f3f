//! Refusals in words. Entra's codes choose help texts and nothing else: codes may change and must not drive logic.

use axum::http::StatusCode;

use super::{Failure, TokenFault};
use crate::web::Problem;

/// What a code means, for the person, and what to do.
struct Help {
    codes: &'static [u32],
    what: &'static str,
    next: &'static str,
}

const HELP: &[Help] = &[
    Help {
        codes: &[16000, 50020, 51004, 50034],
        what: "The account that you chose does not belong to this organisation.",
        next: "Sign in with your work account. If you have none here, ask the person who invited you for a guest invitation.",
    },
    Help {
        codes: &[50011, 500_113],
        what: "The sign-in service does not know this portal's address.",
        next: "An administrator registers the portal's callback address with the app registration.",
    },
    Help {
        codes: &[50053],
        what: "The account is locked after too many attempts, or the sign-in came from an address that is not trusted.",
        next: "Wait a while and try again; if it stays, ask your security team.",
    },
    Help {
        codes: &[50055, 50144],
        what: "The password has expired.",
        next: "Change your password, then sign in again.",
    },
    Help {
        codes: &[50057],
        what: "The account is disabled.",
        next: "Ask your service desk. If you are about to start, your account may open on your first day.",
    },
    Help {
        codes: &[50072, 50079],
        what: "Your account needs a second way to prove who you are, and has none yet.",
        next: "Set one up on your account's security page, then sign in again.",
    },
    Help {
        codes: &[50058, 50074, 50076, 50078, 50126, 50158],
        what: "The sign-in was not completed.",
        next: "Try again and finish every step that the sign-in page asks for.",
    },
    Help {
        codes: &[50105],
        what: "Your account is not allowed to use this portal yet.",
        next: "Ask your service desk to assign you to the application named Latchkey.",
    },
    Help {
        codes: &[
            50131, 53000, 53001, 53002, 53003, 53004, 53010, 53011, 530_032,
        ],
        what: "Your organisation's rules do not allow this sign-in from this device or place.",
        next: "Use a device that your organisation manages. If you do already, give the details below to your security team.",
    },
    Help {
        codes: &[50132, 50133, 50173, 70000, 70008, 70043, 700_082],
        what: "The sign-in has expired meanwhile.",
        next: "Sign in again.",
    },
    Help {
        codes: &[54005, 900_561],
        what: "This sign-in was used already, perhaps through the back button.",
        next: "Sign in again.",
    },
    Help {
        codes: &[65001, 65004, 90094, 90095, 650_052, 650_056, 650_057],
        what: "The portal has not been given the permissions that it needs in your organisation.",
        next: "An administrator grants consent to the app registration.",
    },
    Help {
        codes: &[50194, 70001, 700_016, 7_000_112],
        what: "The sign-in service does not know this portal, or it has been switched off there.",
        next: "An administrator checks the tenant and client id in the portal's configuration.",
    },
    Help {
        codes: &[700_027, 7_000_215, 7_000_218, 7_000_222],
        what: "The portal could not prove to the sign-in service who it is: its secret or certificate is wrong or has expired.",
        next: "An operator gives the portal a new secret or certificate.",
    },
    Help {
        codes: &[90072],
        what: "Your account is known only in your home organisation.",
        next: "Ask the person who invited you for a guest invitation.",
    },
];

/// The AADSTS number in a text of Entra.
fn code(description: &str) -> Option<u32> {
    let digits = description.split_once("AADSTS")?.1;
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// The page for a sign-in that went no further.
pub fn explain_refusal(failure: &Failure) -> Problem {
    match failure {
        Failure::Unreachable(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The sign-in service does not answer",
            "You could not be signed in because your organisation's sign-in service cannot be reached at the moment. Nothing was changed.",
            "Try again in a minute. Access that you hold is not affected.",
        ),
        Failure::Misconfigured(_) => Problem::new(
            StatusCode::BAD_GATEWAY,
            "Sign-in is not set up correctly",
            "The sign-in service answered in a way that does not fit the portal's configuration. Nothing was changed.",
            "Tell your service desk and quote the number below; an operator runs latchkey doctor, which names the cause.",
        ),
        Failure::Denied { error, description } => {
            let known = code(description)
                .and_then(|code| HELP.iter().find(|help| help.codes.contains(&code)));
            let (what, next) = match (known, error.as_str()) {
                (Some(help), _) => (help.what, help.next),
                (None, "access_denied") => (
                    "The sign-in was cancelled, or your organisation does not allow it.",
                    "Try again, or give the details below to your service desk.",
                ),
                (None, "temporarily_unavailable" | "server_error") => (
                    "The sign-in service has a problem of its own at the moment.",
                    "Try again in a minute.",
                ),
                (None, _) => (
                    "The sign-in service refused the sign-in.",
                    "Try again. If it happens again, give the details below to your service desk.",
                ),
            };
            let detail = format!("{error}: {description}");
            // Bounded: the text comes through an address that anybody can make up.
            let detail: String = detail
                .chars()
                .filter(|c| !c.is_control())
                .take(600)
                .collect();
            Problem::new(StatusCode::FORBIDDEN, "You were not signed in", what, next)
                .with_detail(detail)
        }
        Failure::Token(fault) => token_page(*fault),
    }
}

fn token_page(fault: TokenFault) -> Problem {
    let (what, next) = match fault {
        TokenFault::Tenant | TokenFault::Issuer | TokenFault::KeyOfOtherIssuer => (
            "The account that you chose belongs to another organisation.",
            "Sign in with your account of this organisation.",
        ),
        TokenFault::NoObjectId => (
            "The sign-in service did not say which account it was.",
            "An administrator lets the app registration ask for the profile scope.",
        ),
        TokenFault::Expired | TokenFault::NotYet => (
            "The sign-in took too long, or the clocks of the portal and the sign-in service differ.",
            "Sign in again. If it happens again, an operator checks the clock of the portal's machine.",
        ),
        TokenFault::UnknownKey => (
            "The sign-in was signed with a key that the sign-in service does not publish.",
            "Wait five minutes and sign in again. If it happens again, tell your security team.",
        ),
        TokenFault::Unreadable
        | TokenFault::Algorithm
        | TokenFault::NoKeyId
        | TokenFault::Signature
        | TokenFault::Audience
        | TokenFault::Nonce => (
            "What the sign-in service sent could not be trusted, so you were not signed in.",
            "Sign in again. If it happens again, tell your security team.",
        ),
    };
    Problem::new(StatusCode::FORBIDDEN, "You were not signed in", what, next)
        .with_detail(fault.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_choose_the_help() {
        assert_eq!(code("AADSTS50105: Your administrator has …"), Some(50105));
        assert_eq!(code("AADSTS7000222"), Some(7_000_222));
        assert_eq!(code("no code"), None);
        let page = explain_refusal(&Failure::Denied {
            error: "access_denied".into(),
            description: "AADSTS50105: not assigned. Correlation ID: 1-2-3".into(),
        });
        assert!(page.what().contains("not allowed to use this portal yet"));
        assert!(page.detail().is_some_and(|detail| detail.contains("1-2-3")));
    }

    #[test]
    fn no_code_is_listed_twice() {
        let mut codes: Vec<u32> = HELP.iter().flat_map(|help| help.codes).copied().collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }
}
