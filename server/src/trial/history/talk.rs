//! What is said about lines that wait, and a decision that somebody hands on.

use domain::{PersonId, approval::StageState};
use sandbox::company;
use workflow::{
    conversation,
    hand_on::{self, NewHandOn},
};

use super::Year;

/// Something that is said or done about the line that waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Talk {
    /// Whoever decides asks the asker.
    Ask(&'static str),
    /// The asker answers.
    Answer(&'static str),
    /// Whoever decides hands it on to a colleague, and why.
    HandOn(&'static str, &'static str),
}

/// About what: whose ask, for which package.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub user: &'static str,
    pub package: &'static str,
}

impl Year<'_> {
    pub(super) async fn talk(&self, about: About, what: Talk) -> workflow::Result<()> {
        let workflow = self.past.workflow;
        let asker = self.someone(about.user)?;
        let package = self
            .actors
            .offer(about.package)
            .ok_or(workflow::Error::Missing)?
            .id;
        let mut tx = workflow.store().read().await?;
        let line = tx
            .waiting_lines_of_person(asker)
            .await?
            .into_iter()
            .find(|line| line.package_id == package)
            .ok_or(workflow::Error::Missing)?;
        let stage = tx
            .stages(line.id)
            .await?
            .into_iter()
            .find(|stage| stage.state == StageState::Open)
            .ok_or(workflow::Error::Missing)?
            .id;
        let seat = tx
            .seats_of_line(line.id)
            .await?
            .into_iter()
            .find(|seat| seat.stage_id == stage)
            .ok_or(workflow::Error::Missing)?
            .person_id;
        drop(tx);
        match what {
            Talk::Ask(text) => {
                let viewer = self.actors.viewer(workflow, seat).await?;
                conversation::ask_back(workflow, &viewer, stage, text).await
            }
            Talk::Answer(text) => {
                let viewer = self.actors.viewer(workflow, asker).await?;
                conversation::answer(workflow, &viewer, line.id, text).await
            }
            Talk::HandOn(to, reason) => {
                let viewer = self.actors.viewer(workflow, seat).await?;
                let what = NewHandOn {
                    stage,
                    to: self.someone(to)?,
                    reason: reason.to_owned(),
                };
                hand_on::hand_on(workflow, &viewer, what).await
            }
        }
    }

    fn someone(&self, name: &str) -> workflow::Result<PersonId> {
        self.actors
            .person(company::user(name))
            .ok_or(workflow::Error::Missing)
    }
}
