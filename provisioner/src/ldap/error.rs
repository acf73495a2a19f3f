//! What went wrong at a directory: result codes (RFC 4511, section 4.1.9; appendix A), lost connections, certificates that are
//! not trusted.

use std::fmt;

use ldap3::{LdapError, LdapResult};

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No connection could be made; nothing was asked.
    Unreachable,
    /// The connection went, or no answer came in time: whether the request had its effect is not known.
    Lost,
    /// The server's certificate is not one that we trust, or TLS cannot be agreed on.
    Untrusted,
    /// Our own account is not accepted: 48, 49, and 7, 8, 13 for the way in which we bind.
    Credential,
    /// 50: the account may not do this.
    Denied,
    /// 51, 52, 3, 1, 80: later it may work.
    Busy,
    /// 4, 11: more than the server gives to this account.
    TooMuch,
    /// 32: there is no such entry, or none that the account may see.
    NoEntry,
    /// 20, 68: it is there already.
    Already,
    /// 16: it is not there.
    NotThere,
    /// 65: the entry would no longer be what its object class asks for.
    Schema,
    /// 53: the server does not do this.
    Unwilling,
    /// 10: another server is responsible.
    Elsewhere,
    /// An answer that is none, or not to what was asked.
    Nonsense,
    /// Every other code.
    Refused,
}

/// A request that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure.
    pub kind: Kind,
    /// The result code, if there was an answer.
    pub code: Option<u32>,
    /// The server's diagnostic message, or ours.
    pub message: String,
}

impl Error {
    pub(super) fn plain(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            message: message.into(),
        }
    }

    /// The error that a result is. `binding`: whether it answers a bind, where some codes mean something else.
    pub(super) fn result(result: &LdapResult, binding: bool) -> Self {
        let kind = match result.rc {
            1 | 3 | 51 | 52 | 80 => Kind::Busy,
            4 | 11 => Kind::TooMuch,
            7 | 8 | 13 | 48 | 49 => Kind::Credential,
            10 => Kind::Elsewhere,
            16 => Kind::NotThere,
            20 | 68 => Kind::Already,
            32 => Kind::NoEntry,
            50 => Kind::Denied,
            // To a bind it is the answer to a DN without a password (RFC 4513, section 5.1.2).
            53 if binding => Kind::Credential,
            53 => Kind::Unwilling,
            65 => Kind::Schema,
            _ => Kind::Refused,
        };
        let said = one_line(&result.text);
        let mut message = match (binding, sub_code(&said)) {
            (true, Some(why)) => format!("{why} ({said})"),
            _ => said,
        };
        if let Some(elsewhere) = result.refs.first() {
            message = format!("{message} (it refers to {})", one_line(elsewhere));
        }
        Self {
            kind,
            code: Some(result.rc),
            message,
        }
    }

    /// The error that the library gives.
    pub(super) fn library(error: LdapError, connecting: bool) -> Self {
        match error {
            LdapError::LdapResult { result } => Self::result(&result, connecting),
            LdapError::Io { source } => {
                let kind = match source.get_ref().and_then(|inner| inner.downcast_ref()) {
                    Some(
                        rustls::Error::InvalidCertificate(_)
                        | rustls::Error::NoCertificatesPresented
                        | rustls::Error::PeerIncompatible(_)
                        | rustls::Error::AlertReceived(_),
                    ) => Kind::Untrusted,
                    _ if connecting => Kind::Unreachable,
                    _ => Kind::Lost,
                };
                Self::plain(kind, source.to_string())
            }
            LdapError::Rustls { .. } | LdapError::DNSName { .. } => {
                Self::plain(Kind::Untrusted, error.to_string())
            }
            LdapError::Timeout { .. } if connecting => {
                Self::plain(Kind::Unreachable, "no connection in time")
            }
            LdapError::Timeout { .. } => Self::plain(Kind::Lost, "no answer in time"),
            LdapError::ResultRecv { .. }
            | LdapError::OpSend { .. }
            | LdapError::IdScrubSend { .. }
            | LdapError::MiscSend { .. }
            | LdapError::EndOfStream => Self::plain(
                if connecting {
                    Kind::Unreachable
                } else {
                    Kind::Lost
                },
                "the connection ended before the answer",
            ),
            other => Self::plain(Kind::Nonsense, other.to_string()),
        }
    }

    /// Whether the same request may succeed later without anybody doing anything.
    pub const fn passes(&self) -> bool {
        matches!(
            self.kind,
            Kind::Unreachable | Kind::Lost | Kind::Busy | Kind::Nonsense
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => {
                write!(f, "result {code} ({})", name(code))?;
                if !self.message.is_empty() {
                    write!(f, ": {}", self.message)?;
                }
                Ok(())
            }
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {}

/// What a server says, without line breaks, control characters (Active Directory ends with a NUL) and endless length.
fn one_line(said: &str) -> String {
    let clean: String = said
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(400)
        .collect();
    clean.trim().to_owned()
}

/// What Active Directory means by the number behind `data` in its answer to a bind (a Win32 error code in hexadecimal).
fn sub_code(said: &str) -> Option<&'static str> {
    let (_, rest) = said.split_once(", data ")?;
    match rest.split([',', ' ']).next()? {
        "525" => Some("there is no such account"),
        "52e" => Some("the password is wrong"),
        "530" => Some("the account may not sign in at this time"),
        "531" => Some("the account may not sign in from here"),
        "532" => Some("the password has expired"),
        "533" => Some("the account is disabled"),
        "701" => Some("the account has expired"),
        "773" => Some("the password must be changed first"),
        "775" => Some("the account is locked"),
        _ => None,
    }
}

/// The standard's name of a code.
fn name(code: u32) -> &'static str {
    match code {
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        18 => "inappropriateMatching",
        19 => "constraintViolation",
        20 => "attributeOrValueExists",
        21 => "invalidAttributeSyntax",
        32 => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        64 => "namingViolation",
        65 => "objectClassViolation",
        68 => "entryAlreadyExists",
        80 => "other",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(rc: u32, text: &str) -> LdapResult {
        LdapResult {
            rc,
            matched: String::new(),
            text: text.into(),
            refs: Vec::new(),
            ctrls: Vec::new(),
        }
    }

    #[test]
    fn a_refused_bind_says_why_in_words() {
        let said = "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 532, v3839\0";
        let error = Error::result(&result(49, said), true);
        assert_eq!(error.kind, Kind::Credential);
        let shown = error.to_string();
        assert!(shown.contains("the password has expired"), "{shown}");
        assert!(!shown.contains('\0'));
    }

    #[test]
    fn what_may_work_later_is_told_from_what_does_not() {
        for (code, kind, passes) in [
            (1, Kind::Busy, true),
            (3, Kind::Busy, true),
            (51, Kind::Busy, true),
            (52, Kind::Busy, true),
            (80, Kind::Busy, true),
            (4, Kind::TooMuch, false),
            (16, Kind::NotThere, false),
            (20, Kind::Already, false),
            (68, Kind::Already, false),
            (50, Kind::Denied, false),
            (53, Kind::Unwilling, false),
            (65, Kind::Schema, false),
            (19, Kind::Refused, false),
        ] {
            let error = Error::result(&result(code, ""), false);
            assert_eq!((error.kind, error.passes()), (kind, passes), "{code}");
        }
        assert_eq!(
            Error::result(
                &result(53, "unauthenticated bind (DN with no password) disallowed"),
                true
            )
            .kind,
            Kind::Credential
        );
    }
}
