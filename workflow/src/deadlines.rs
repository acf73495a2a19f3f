//! What happens when a deadline comes due. Each job looks at the row that it stands for: if that moved later, the
//! deadline is armed again; if it is over, nothing happens. Ends are worked in batches, and before everything else.

use domain::{
    CampaignId, ExceptionId, GrantId, LineId, PersonId, StageId, TaskId, deadline::JobKind,
};
use store::jobs::Job;

use crate::{
    Result, Workflow, deputies, exceptions, findings, grants, leave, requests, reviews, silence,
    tasks, telling,
};

/// The kinds of job that [`run`] does.
pub const KINDS: &[JobKind] = &[
    JobKind::ExceptionEnd,
    JobKind::GrantEnd,
    JobKind::Leave,
    JobKind::ReviewEnforce,
    JobKind::GrantStart,
    JobKind::GrantWarning,
    JobKind::LineLapse,
    JobKind::Digest,
    JobKind::Attestation,
    JobKind::ExceptionWarning,
    JobKind::ConflictScan,
    JobKind::ReviewClose,
    JobKind::ReviewReminder,
    JobKind::ReviewRepeat,
    JobKind::ReviewEvent,
    JobKind::ReviewLate,
    JobKind::Deputy,
    JobKind::StageSilence,
    JobKind::StageEscalation,
    JobKind::StageReminder,
    JobKind::Task,
];

/// The most ends in one transaction, so that a person's decision never waits long behind a storm.
pub const BATCH: usize = 500;

/// The most leaves in one transaction: each ends all that a person holds, asks for and decides.
const LEAVES: usize = 20;

/// Does claimed deadline jobs and finishes them in the same transactions. A batch that fails leaves its jobs to their
/// leases: they are due again when those end.
pub async fn run(workflow: &Workflow, jobs: &[Job]) -> Result<()> {
    for kind in KINDS {
        let of_kind: Vec<Job> = jobs
            .iter()
            .filter(|job| job.kind == *kind)
            .cloned()
            .collect();
        let most = match kind {
            JobKind::Leave => LEAVES,
            // Each job of these works on hundreds of items.
            JobKind::ReviewEnforce
            | JobKind::ReviewClose
            | JobKind::ReviewRepeat
            | JobKind::ReviewEvent
            | JobKind::ReviewLate => 1,
            _ => BATCH,
        };
        for batch in of_kind.chunks(most) {
            if *kind == JobKind::ConflictScan {
                // In transactions of their own: what was seen stays seen, and nobody waits for a long one.
                let people: Vec<PersonId> = batch.iter().filter_map(Job::person).collect();
                let everybody = batch.iter().any(|job| job.subject.is_none());
                findings::scan(workflow, &people, everybody).await?;
            }
            let mut unit = workflow.unit().await?;
            let ids: Vec<GrantId> = batch.iter().filter_map(Job::grant).collect();
            // First, so that what these rows arm again is asked for anew and not swallowed with the finished job.
            let now = unit.now;
            unit.tx.finish_jobs(batch, now).await?;
            match kind {
                JobKind::GrantEnd => grants::expire(&mut unit, &ids).await?,
                JobKind::GrantStart => grants::start(&mut unit, &ids).await?,
                JobKind::GrantWarning => {
                    for job in batch {
                        if let Some(id) = job.grant() {
                            grants::warn(&mut unit, id, &job.key).await?;
                        }
                    }
                }
                JobKind::LineLapse => {
                    let lines: Vec<LineId> = batch.iter().filter_map(Job::line).collect();
                    requests::lapse(&mut unit, &lines).await?;
                }
                JobKind::StageSilence => {
                    let stages: Vec<StageId> = batch.iter().filter_map(Job::stage).collect();
                    silence::end(&mut unit, &stages).await?;
                }
                JobKind::StageEscalation => {
                    let stages: Vec<StageId> = batch.iter().filter_map(Job::stage).collect();
                    silence::escalate(&mut unit, &stages).await?;
                }
                JobKind::StageReminder => {
                    let stages: Vec<StageId> = batch.iter().filter_map(Job::stage).collect();
                    silence::remind(&mut unit, &stages).await?;
                }
                JobKind::Task => {
                    let ids: Vec<TaskId> = batch
                        .iter()
                        .filter_map(|job| job.subject.map(TaskId))
                        .collect();
                    tasks::remind(&mut unit, &ids).await?;
                }
                JobKind::Deputy => Box::pin(deputies::due(&mut unit, batch)).await?,
                JobKind::Leave => {
                    let persons: Vec<PersonId> = batch.iter().filter_map(Job::person).collect();
                    leave::due(&mut unit, &persons).await?;
                }
                JobKind::Digest => {
                    let persons: Vec<PersonId> = batch.iter().filter_map(Job::person).collect();
                    telling::digest(&mut unit, &persons).await?;
                }
                JobKind::ExceptionEnd => {
                    let ids: Vec<ExceptionId> = batch.iter().filter_map(Job::exception).collect();
                    exceptions::end_due(&mut unit, &ids).await?;
                }
                JobKind::Attestation => {
                    let ids: Vec<ExceptionId> = batch.iter().filter_map(Job::exception).collect();
                    exceptions::attestation_due(&mut unit, &ids).await?;
                }
                JobKind::ExceptionWarning => {
                    for job in batch {
                        if let Some(id) = job.exception() {
                            exceptions::warn(&mut unit, id, &job.key).await?;
                        }
                    }
                }
                JobKind::ReviewEnforce => {
                    reviews::enforce_due(&mut unit, &campaigns(batch)).await?;
                }
                JobKind::ReviewClose => {
                    reviews::close_due(&mut unit, &campaigns(batch)).await?;
                }
                JobKind::ReviewReminder => {
                    reviews::remind_due(&mut unit, &campaigns(batch)).await?;
                }
                JobKind::ReviewRepeat => {
                    reviews::repeat_due(&mut unit, &campaigns(batch)).await?;
                }
                JobKind::ReviewEvent => {
                    reviews::event_due(&mut unit, &campaigns(batch)).await?;
                }
                JobKind::ReviewLate => {
                    reviews::late_due(&mut unit, &campaigns(batch)).await?;
                }
                JobKind::ConflictScan
                | JobKind::Converge
                | JobKind::TargetScan
                | JobKind::Mail
                | JobKind::Post
                | JobKind::DirectorySync
                | JobKind::Sweep
                | JobKind::Checkpoint
                | JobKind::Housekeeping => {}
            }
            unit.commit().await?;
        }
    }
    Ok(())
}

/// The campaigns that jobs stand for.
fn campaigns(jobs: &[Job]) -> Vec<CampaignId> {
    jobs.iter().filter_map(Job::campaign).collect()
}
