//! What the reader's last vote did, said once on the page that it led to: whose request it was, and what happens with it now.

use domain::{RequestId, StageId, approval::Verdict, request::LineKind, request::LineState};
use leptos::prelude::*;
use workflow::views::decision::{self, DecisionPage};

use crate::{ui::*, visit::Visit};

/// A vote that was just cast.
#[derive(Clone, Debug)]
pub struct Last {
    verdict: Verdict,
    request: RequestId,
    /// `Johan Nyberg, Figma, editor`.
    about: String,
    state: LineState,
    /// Whether it waits for its exception now.
    waits: bool,
    kind: LineKind,
}

/// Reads the vote that an address names by its stage; none if that was not just `done`, or the reader has not voted there.
pub async fn last(visit: &Visit, done: &str, of: &str) -> Option<Last> {
    let stage: StageId = of.parse().ok().filter(|_| !done.is_empty())?;
    let facts = decision::load(visit.workflow(), &visit.viewer, stage)
        .await
        .ok()?;
    Last::of(&facts, visit.viewer.id())
}

impl Last {
    pub(super) fn of(facts: &DecisionPage, reader: domain::PersonId) -> Option<Self> {
        let stage = facts.route.iter().find(|stage| stage.id == facts.stage)?;
        let vote = stage.votes.iter().find(|vote| vote.by.id == reader)?;
        Some(Self {
            verdict: vote.verdict,
            request: facts.request,
            about: format!("{}, {}", facts.beneficiary.person.name, facts.package.name),
            state: facts.state,
            waits: facts.waits_since.is_some(),
            kind: facts.kind,
        })
    }

    /// The words, above a page; `next` where that page is the next decision.
    pub fn view(self, next: bool) -> AnyView {
        let did = match self.verdict {
            Verdict::Approve => "Approved: ",
            Verdict::Deny => "Denied: ",
        };
        let then = match (self.verdict, self.state) {
            (Verdict::Deny, _) => "They were told why. ",
            (Verdict::Approve, LineState::Approved) if self.kind == LineKind::Extension => {
                "It ends later now. "
            }
            (Verdict::Approve, LineState::Approved) => "It is being set up. ",
            (Verdict::Approve, _) if self.waits => {
                "All have said yes; it waits for an exception now. "
            }
            (Verdict::Approve, _) => "Others decide next. ",
        };
        let on = next.then_some("Here is the next one.");
        let (href, about) = (format!("/requests/{}", self.request), self.about);
        view! {
            <div class="flash" role="status"><Note tone=Tone::Good>{did}<a class="link" href=href dir="auto">{about}</a>". "{then}{on}</Note></div>
        }
        .into_any()
    }
}
