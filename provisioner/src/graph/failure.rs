//! What Graph's answers mean for one right of one account, in an operator's words.

use std::time::Instant;

use super::{Answer, Error, Kind};
use crate::connector::{Evidence, Failure, Finding, Outcome, Reply};

/// What a kind of call needs, for when Graph does not let us.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    /// What is tried, after "does not let us".
    pub doing: &'static str,
    /// What to do when it is not allowed.
    pub fix: &'static str,
    /// Whether nothing at all works without it.
    pub everywhere: bool,
    /// What to look at when it is refused for another reason.
    pub check: &'static str,
}

pub(super) fn later(error: &Error) -> Failure {
    Failure::Later {
        after: error
            .retry_after
            .and_then(|after| chrono::Duration::from_std(after).ok())
            // Throttled without a word how long: the bucket of writes fills over minutes.
            .or_else(|| (error.kind == Kind::Throttled).then(|| chrono::Duration::seconds(10))),
        throttled: error.kind == Kind::Throttled,
        why: error.to_string(),
    }
}

/// What an answer means whatever was asked for: that it passes, that the connection is wrong, or what is not allowed.
fn general(error: &Error, needs: &Needs) -> Option<Failure> {
    match error.kind {
        Kind::Network
        | Kind::Throttled
        | Kind::Server
        | Kind::Conflict
        | Kind::Gone
        | Kind::Nonsense => Some(later(error)),
        Kind::Credential => Some(Failure::Misconfigured {
            what: format!("Microsoft Entra does not accept our credential: {error}"),
            fix: "Check tenant, client id and secret or certificate of the app registration; it may have expired.".into(),
            everywhere: true,
        }),
        Kind::Denied => Some(Failure::Misconfigured {
            what: format!("Microsoft Graph does not let us {}: {error}", needs.doing),
            fix: needs.fix.into(),
            everywhere: needs.everywhere,
        }),
        Kind::NotFound | Kind::Refused => None,
    }
}

/// What a read that failed means.
pub(super) fn read_failure(error: &Error, needs: &Needs) -> Failure {
    general(error, needs).unwrap_or_else(|| {
        never(
            format!("Microsoft Graph refused to {}: {error}", needs.doing),
            needs.check,
        )
    })
}

/// What a write that failed means. The code is the same for nearly all refusals; `told` tells them apart by the text.
pub(super) fn write_failure(
    error: &Error,
    needs: &Needs,
    name: &str,
    told: impl FnOnce(&Error) -> Option<Failure>,
) -> Failure {
    if let Some(failure) = general(error, needs) {
        return failure;
    }
    if error.says("not a valid reference update") {
        return later(error);
    }
    told(error).unwrap_or_else(|| {
        never(
            format!("Microsoft Graph refused the change of {name}: {error}"),
            "Read what it says, mend it at the target, and try again.",
        )
    })
}

/// What does not get better by trying again.
pub(super) fn never(why: impl Into<String>, fix: impl Into<String>) -> Failure {
    Failure::Never {
        why: why.into(),
        fix: fix.into(),
    }
}

/// The account that a right would go to is not there.
pub(super) fn no_account() -> Failure {
    never(
        "The account is no longer in the directory.",
        "Restore the account there, or end this access.",
    )
}

/// What `doctor` says of a call that should work. One that was looked at and refused was let through.
pub(super) fn finding(
    what: &str,
    tried: Result<Answer, Error>,
    probe: bool,
    permission: &str,
) -> Finding {
    let error = match tried {
        Err(error) if !(probe && matches!(error.kind, Kind::NotFound | Kind::Refused)) => error,
        Ok(_) | Err(_) => {
            return Finding {
                fine: true,
                what: format!("{what}."),
                fix: String::new(),
            };
        }
    };
    let fix = match error.kind {
        Kind::Denied => format!("Consent to {permission} for the app registration."),
        Kind::Credential => {
            "Check tenant, client id and secret or certificate of the app registration.".into()
        }
        _ => "Check the address of Microsoft Graph and the way there.".into(),
    };
    Finding {
        fine: false,
        what: format!("{what}: no. {error}"),
        fix,
    }
}

/// An answer that is not what was asked for.
pub(super) fn odd(what: &str, answer: &Answer) -> Error {
    Error {
        request_id: answer.request_id.clone(),
        client_request_id: Some(answer.client_request_id.clone()),
        ..Error::plain(Kind::Nonsense, what)
    }
}

pub(super) fn evidence(answer: &Answer, started: Instant, detail: impl Into<String>) -> Evidence {
    Evidence {
        status: Some(answer.status),
        request_id: answer.request_id.clone(),
        client_request_id: Some(answer.client_request_id.clone()),
        detail: detail.into(),
        account: None,
        took: started.elapsed(),
        otherwise: false,
    }
}

pub(super) fn refusal(error: &Error, started: Instant) -> Evidence {
    Evidence {
        status: error.status,
        request_id: error.request_id.clone(),
        client_request_id: error.client_request_id.clone(),
        detail: error.to_string(),
        account: None,
        took: started.elapsed(),
        otherwise: false,
    }
}

pub(super) const fn done(outcome: Outcome, evidence: Evidence) -> Reply {
    Reply { outcome, evidence }
}

pub(super) fn failed(error: &Error, started: Instant, failure: Failure) -> Reply {
    done(Outcome::Failed(failure), refusal(error, started))
}
