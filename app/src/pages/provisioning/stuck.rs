//! What was given up or fails again and again, beside the assignments: the reading of the directory, deadlines, mails, and a log
//! that contradicts its checkpoint. There only while something is.

use axum::{extract::Path, response::Response};
use domain::{MessageId, PostId, Timestamp, deadline::JobKind};
use leptos::prelude::*;
use workflow::{
    chat::{self, Chat},
    mail,
    views::stuck::{Stuck, StuckJob, StuckMail, StuckPost},
};

use super::super::kit;
use crate::{
    problem::Fault,
    ui::*,
    visit::{Visit, done},
    words,
};

/// Has a mail sent again.
pub async fn send_again(visit: Visit, Path(message): Path<String>) -> Result<Response, Fault> {
    let id: MessageId = kit::id(&message)?;
    mail::send_again(visit.workflow(), &visit.viewer, id).await?;
    Ok(done("/provisioning", "retried"))
}

/// Has a post sent again.
pub async fn post_again(visit: Visit, Path(post): Path<String>) -> Result<Response, Fault> {
    let id: PostId = kit::id(&post)?;
    chat::send_again(visit.workflow(), &visit.viewer, id).await?;
    Ok(done("/provisioning", "retried"))
}

/// The card, in a region that is there also while it is empty.
pub fn card(stuck: Stuck) -> impl IntoView {
    let version = kit::version(&(
        stuck.doubt.as_ref().map(|doubt| doubt.why.clone()),
        &stuck.directory,
        stuck
            .jobs
            .iter()
            .map(|job| (job.key.clone(), job.failures))
            .collect::<Vec<_>>(),
        stuck
            .mails
            .iter()
            .map(|mail| (mail.id, mail.failed, mail.problem.clone()))
            .collect::<Vec<_>>(),
        stuck
            .posts
            .iter()
            .map(|post| (post.id, post.failed, post.problem.clone()))
            .collect::<Vec<_>>(),
    ));
    let card = (!stuck.is_empty()).then(|| {
        let Stuck {
            now,
            doubt,
            directory,
            jobs,
            mails,
            posts,
            may_act,
        } = stuck;
        let doubt = doubt.map(|doubt| {
            let text = format!(
                "{} Nothing is signed over it. The checkpoint that proves it is kept: {}",
                doubt.why, doubt.file
            );
            view! { <Note tone=Tone::Bad title="The audit log contradicts its own checkpoint"><span dir="auto">{text}</span></Note> }
        });
        let directory = directory
            .into_iter()
            .map(|(problem, since)| unread(problem, since, now))
            .collect_view();
        let jobs = jobs.into_iter().map(|job| failing(job, now)).collect_view();
        let mails = mails
            .into_iter()
            .map(|mail| unsent(mail, now, may_act))
            .collect_view();
        let posts = posts
            .into_iter()
            .map(|post| unposted(post, now, may_act))
            .collect_view();
        view! {
            <Card title="Not done">
                {doubt.map(|note| view! { <Body>{note}</Body> })}
                <Rows>{directory}{jobs}{mails}{posts}</Rows>
            </Card>
        }
    });
    view! { <Region name="stuck" version=version>{card}</Region> }
}

fn unread(problem: String, since: Option<Timestamp>, now: Timestamp) -> impl IntoView {
    let since = since
        .map(|since| view! { " · since "<Moment at=since now=now say=Say::Moment/> }.into_any());
    let detail = view! { {problem}{since} }.into_any();
    view! { <Row title="The directory cannot be read" detail=detail>{}</Row> }
}

fn failing(job: StuckJob, now: Timestamp) -> impl IntoView {
    let tries = words::count(job.failures, "try", "tries");
    let next = job.next_at;
    let detail = view! { {job.problem}" · "{tries}"; tried again "<Moment at=next now=now/> };
    view! { <Row title=what(job.kind) detail=detail.into_any()><Tag words=job.key/></Row> }
}

/// What a job was to do.
fn what(kind: JobKind) -> &'static str {
    match kind {
        JobKind::GrantStart => "A grant cannot be begun",
        JobKind::GrantEnd => "A grant cannot be ended",
        JobKind::GrantWarning => "A warning before an end cannot be written",
        JobKind::Leave => "A last day cannot be carried out",
        JobKind::LineLapse => "A request cannot lapse",
        JobKind::ConflictScan => "Broken rules cannot be looked for",
        JobKind::ExceptionEnd => "An exception cannot be ended",
        JobKind::ExceptionWarning => "A warning before an exception's end cannot be written",
        JobKind::Attestation => "An attestation cannot be called in",
        JobKind::ReviewEnforce => "What a review said no to cannot be taken away",
        JobKind::ReviewClose => "A review cannot be closed",
        JobKind::ReviewReminder => "Reviewers cannot be reminded",
        JobKind::ReviewRepeat => "A review cannot come again",
        JobKind::ReviewEvent => "A small review cannot be made",
        JobKind::ReviewLate => "Late removals of a review cannot be looked for",
        JobKind::Deputy => "A deputy cannot begin or end",
        JobKind::Task => "Whoever does something by hand cannot be reminded",
        JobKind::Converge => "A right cannot be worked on",
        JobKind::TargetScan => "A target cannot be scanned",
        JobKind::StageReminder => "Deciders cannot be reminded",
        JobKind::StageEscalation => "A decision cannot be escalated",
        JobKind::StageSilence => "A step without an answer cannot be ended",
        JobKind::Mail => "A mail cannot be worked on",
        JobKind::Digest => "A day's mail cannot be written",
        JobKind::Post => "A post to a chat cannot be worked on",
        JobKind::DirectorySync => "The directory cannot be read",
        JobKind::Sweep => "What was forgotten cannot be looked for",
        JobKind::Checkpoint => "The audit log cannot be signed",
        JobKind::Housekeeping => "What is over cannot be cleared away",
    }
}

fn unsent(mail: StuckMail, now: Timestamp, may_act: bool) -> impl IntoView {
    let person = mail.person.name;
    not_sent(NotSent {
        title: format!("Mail to {person}: {}", mail.subject),
        label: format!("Send again to {person}: {}", mail.subject),
        again: may_act.then(|| format!("/provisioning/mails/{}/send", mail.id)),
        failed: mail.failed,
        problem: mail.problem,
        written: mail.written_at,
        now,
    })
}

fn unposted(post: StuckPost, now: Timestamp, may_act: bool) -> impl IntoView {
    let chat = match post.chat {
        Some(Chat::Teams) => "Teams",
        Some(Chat::Slack) => "Slack",
        None => "a chat",
    };
    not_sent(NotSent {
        title: format!("Post to {chat}: {}", post.title),
        label: format!("Post again to {chat}: {}", post.title),
        again: may_act.then(|| format!("/provisioning/posts/{}/send", post.id)),
        failed: post.failed,
        problem: post.problem,
        written: post.written_at,
        now,
    })
}

/// A mail or post that was not sent.
struct NotSent {
    title: String,
    label: String,
    /// Where it is sent again, for whoever may.
    again: Option<String>,
    failed: bool,
    problem: String,
    written: Timestamp,
    now: Timestamp,
}

fn not_sent(one: NotSent) -> impl IntoView {
    let (written, now) = (one.written, one.now);
    let again = one.again.filter(|_| one.failed).map(|action| view! { <PostButton action=action small=true label=one.label>"Send again"</PostButton> });
    let state = if one.failed {
        view! { <Badge state=State::Attention words="not sent"/> }
    } else {
        view! { <Badge state=State::Waiting words="tried again"/> }
    };
    let detail = view! { {one.problem}" · written "<Moment at=written now=now say=Say::Moment/> };
    view! { <Row title=one.title detail=detail.into_any()>{state}{again}</Row> }
}
