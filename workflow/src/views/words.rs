//! The closed lists of words that only pages use.

use domain::words;

words! {
    /// Where something that was asked for stands, in one word: the same everywhere.
    pub enum StandingWord {
        /// Somebody must decide.
        Waiting = "waiting",
        /// Nobody can decide; security sees it.
        Stuck = "stuck",
        /// Approved, and waits for the exception without which it breaks a rule.
        WaitsForException = "waits_for_exception",
        /// Approved; begins later.
        Scheduled = "scheduled",
        /// Approved, not yet confirmed at every target.
        BeingSetUp = "being_set_up",
        /// Decided, and the target is changed once it is switched on.
        NotSwitchedOn = "not_switched_on",
        /// Approved, and waits because the database was restored from a backup.
        AfterRestore = "after_restore",
        /// Confirmed at every target.
        Ready = "ready",
        /// Held back.
        Suspended = "suspended",
        /// Something is stuck at a target.
        Attention = "attention",
        /// An extension was approved: the grant lasts longer.
        Extended = "extended",
        /// Approved, but there was nothing to give: no time was left, no seat, or something stood against it.
        NothingGiven = "nothing_given",
        /// Over, not yet confirmed as removed.
        BeingRemoved = "being_removed",
        /// Over, and confirmed as gone.
        Ended = "ended",
        /// Over, but another grant or an import holds the same right.
        StillHeld = "still_held",
        /// A decider said no.
        Denied = "denied",
        /// Taken back.
        Cancelled = "cancelled",
        /// Nobody decided in time, or the exception did not come in time.
        Lapsed = "lapsed",
        /// Asked again.
        Superseded = "superseded",
        /// The person left, the package was retired, or the exception came to nothing.
        Withdrawn = "withdrawn",
    }
}

words! {
    /// How a step is drawn.
    pub enum Mark {
        /// It happened.
        Done = "done",
        /// It is under way.
        Now = "now",
        /// It will happen.
        Ahead = "ahead",
        /// It went another way: a denial, a problem, an end before its time.
        Bad = "bad",
    }
}

words! {
    /// What changed.
    pub enum ChangeKind {
        /// A grant began.
        Granted = "granted",
        /// An extension was approved.
        Extended = "extended",
        /// A grant ended.
        Ended = "ended",
        /// A line was denied.
        Denied = "denied",
        /// A line lapsed.
        Lapsed = "lapsed",
        /// A line was taken back.
        Cancelled = "cancelled",
        /// A line was replaced by the same ask.
        Superseded = "superseded",
        /// A line was withdrawn: the person left, or the package was retired.
        Withdrawn = "withdrawn",
    }
}
