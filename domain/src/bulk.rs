//! Deciding many at once: which lines are so plain that a tick in a list is enough.

use crate::{
    policy::ApproverRule,
    refusal::BulkBar,
    request::{Length, LineKind},
};

/// What is known of a line that somebody ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticked {
    /// Something new or more time.
    pub kind: LineKind,
    /// How long it is asked for.
    pub length: Length,
    /// Whether the package or any of its rights is privileged.
    pub privileged: bool,
    /// Whether a yes wants a fresh sign-in.
    pub fresh: bool,
    /// Whether the package or any of its rights is under a control scope.
    pub control_scope: bool,
    /// Whether the same was denied to the same person and not approved since.
    pub denied: bool,
    /// Whether a question waits for an answer.
    pub asked_back: bool,
    /// The rule of the stage that is open.
    pub rule: ApproverRule,
}

/// Why a line must be decided on its own page, if so. `rule` is that of the first ticked line: one list is decided in one
/// capacity.
pub fn bulk_bar(line: &Ticked, rule: ApproverRule) -> Option<BulkBar> {
    if line.privileged {
        Some(BulkBar::Privileged)
    } else if line.control_scope {
        Some(BulkBar::ControlScope)
    } else if line.fresh {
        Some(BulkBar::FreshSignIn)
    } else if line.kind == LineKind::Extension {
        Some(BulkBar::Extension)
    } else if line.length == Length::Permanent {
        Some(BulkBar::Permanent)
    } else if line.denied {
        Some(BulkBar::Denied)
    } else if line.asked_back {
        Some(BulkBar::AskedBack)
    } else if line.rule != rule {
        Some(BulkBar::OtherRule)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_plain_in_every_way_is_ticked() {
        let plain = Ticked {
            kind: LineKind::New,
            length: Length::Seconds(3600),
            privileged: false,
            fresh: false,
            control_scope: false,
            denied: false,
            asked_back: false,
            rule: ApproverRule::Manager,
        };
        let bar = |line: Ticked| bulk_bar(&line, ApproverRule::Manager);
        assert_eq!(bar(plain), None);
        let each = [
            (
                Ticked {
                    privileged: true,
                    ..plain
                },
                BulkBar::Privileged,
            ),
            (
                Ticked {
                    fresh: true,
                    ..plain
                },
                BulkBar::FreshSignIn,
            ),
            (
                Ticked {
                    control_scope: true,
                    ..plain
                },
                BulkBar::ControlScope,
            ),
            (
                Ticked {
                    kind: LineKind::Extension,
                    ..plain
                },
                BulkBar::Extension,
            ),
            (
                Ticked {
                    length: Length::Permanent,
                    ..plain
                },
                BulkBar::Permanent,
            ),
            (
                Ticked {
                    denied: true,
                    ..plain
                },
                BulkBar::Denied,
            ),
            (
                Ticked {
                    asked_back: true,
                    ..plain
                },
                BulkBar::AskedBack,
            ),
            (
                Ticked {
                    rule: ApproverRule::Security,
                    ..plain
                },
                BulkBar::OtherRule,
            ),
        ];
        for (line, why) in each {
            assert_eq!(bar(line), Some(why));
        }
        assert_eq!(each.len(), BulkBar::ALL.len());
    }
}
