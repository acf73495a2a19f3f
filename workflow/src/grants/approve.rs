//! What the last yes leads to: a new grant, a later end of the one that is held, a wait for an exception, or nothing, with the
//! reason on record.

use domain::{
    EntitlementId, Timestamp,
    audit::{Actor, Event, EventKind},
    grant::{Cap, End, GrantSource, GrantState, activation, settle_end},
    person::Person,
    policy::Policy,
    request::{Length, LineKind, LineState},
};
use serde_json::json;
use store::{
    Tx,
    grants::GrantRow,
    offers::TermRow,
    requests::{DecisionRow, LineRow, StageRow},
};

use super::{arm, both, ineligible, pass};
use crate::{
    Error, Result, Unit, assignments, break_glass,
    conflicts::{self, Added, Against},
    frozen::{earliest_cap, shortest_cap},
    people::Gathered,
    requests::{self, Ended},
    route, screening, waits,
};

/// A line whose last stage is met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided<'a> {
    pub line: &'a LineRow,
    pub policy: &'a Policy,
    pub decisions: &'a [DecisionRow],
    /// Those of its stages that are decided and not written yet.
    pub stages: &'a [StageRow],
    /// Who was read for it in this transaction.
    pub known: Option<&'a Gathered>,
}

impl Decided<'_> {
    /// Ends the line.
    async fn end(&self, unit: &mut Unit, state: LineState, cause: &str) -> Result<()> {
        let ended = Ended {
            state,
            actor: Actor::Portal,
            cause,
        };
        requests::end_decided(unit, self.line, ended, self.stages).await
    }

    /// Writes the stages of a line that goes on waiting; nobody sits in them any more, and whoever did looks again.
    async fn write(&self, unit: &mut Unit) -> Result<()> {
        route::changed(unit, self.line).await?;
        unit.tx.update_stages(self.stages).await?;
        for stage in self.stages {
            unit.tx.clear_seats(stage.id).await?;
        }
        Ok(())
    }
}

/// Approves a line whose last stage is met, or looks again at one that waits for its exception. The persons of the line are
/// locked by the caller.
pub(crate) async fn approve(unit: &mut Unit, decided: Decided<'_>) -> Result<()> {
    let Decided { line, known, .. } = decided;
    // Until the commit no edition is published that would retire the package or take something out of it.
    unit.hold_package(line.package_id).await?;
    let terms = unit.tx.terms(line.package_version_id).await?;
    let state = &terms.first().ok_or(Error::Missing)?.state;
    if state != "offered" {
        decided
            .end(unit, LineState::Withdrawn, "package retired")
            .await?;
        return route::tell_outcome(
            unit,
            line,
            "The package is no longer offered",
            "Your request was withdrawn.",
        )
        .await;
    }
    let (beneficiary, asker) = match known {
        Some(known) => (
            known.person(line.beneficiary_id)?,
            known.person(line.asker_id)?,
        ),
        None => both(unit, line.beneficiary_id, line.asker_id).await?,
    };
    if line.kind == LineKind::Extension
        && let Some(id) = line.extends_grant_id
        && let Some(held) = unit.tx.grant(id).await?
        && held.state != GrantState::Ended
    {
        if !held.end().passed(unit.now) {
            return lengthen(unit, &decided, held, (&beneficiary, &asker)).await;
        }
        // Its end came, only the job is late: a pending ask never holds access open.
        pass(unit, &[held]).await?;
    }
    // Something new, or the grant ended while the ask waited: the yes starts a new one.
    begin(unit, &decided, &terms, (&beneficiary, &asker)).await
}

/// Makes a new grant.
async fn begin(
    unit: &mut Unit,
    decided: &Decided<'_>,
    terms: &[TermRow],
    (beneficiary, asker): (&Person, &Person),
) -> Result<()> {
    let Decided {
        line,
        policy,
        decisions,
        ..
    } = *decided;
    let now = unit.now;
    let from = activation(line.window(), now);
    // A start that lies ahead is checked when it comes.
    if from <= now
        && let Some(why) = ineligible(policy, beneficiary, asker, now)
    {
        return no_longer_eligible(unit, decided, &why).await;
    }
    if let Some(why) = not_for_them(unit, line, policy).await? {
        return no_longer_asked(unit, decided, &why).await;
    }
    if policy.asking.most_holders.is_some() {
        // Two last yeses for the last seat: the second waits here, and then counts the first.
        unit.tx.lock_seats(line.package_id).await?;
        let full =
            screening::full(&mut unit.tx, policy, line.package_id, line.beneficiary_id).await?;
        if full.is_some() {
            return nothing(
                unit,
                decided,
                "no seat is left",
                "Approved, but no seat is left",
                "As many people hold it as may at once. Ask again when somebody gives it back.",
            )
            .await;
        }
    }
    let caps = caps_from_activation(line, policy, beneficiary, decisions);
    let end = settle_end(line.window(), from, &caps);
    if matches!(end, End::At(at) if at <= from) {
        return nothing(
            unit,
            decided,
            "no time left",
            "Approved, but there is no time left",
            "The time that was asked for, or the last working day, has already passed.",
        )
        .await;
    }
    let (content, taken_out) = content(terms);
    if content.is_empty() {
        return nothing(
            unit,
            decided,
            "nothing is left in the package",
            "Approved, but nothing is left to give",
            "Everything that was asked for was taken out of the package meanwhile.",
        )
        .await;
    }
    let added = Added {
        person: line.beneficiary_id,
        rights: content.clone(),
        from,
        until: end,
        except: None,
        plain: plain(terms),
    };
    // The person is locked: of two sides that are approved in the same instant the second sees the first.
    if let Some(against) = conflicts::against(&mut unit.tx, &added, now).await? {
        return against_a_rule(unit, decided, against).await;
    }
    decided.end(unit, LineState::Approved, cause(line)).await?;
    let state = if from <= now {
        GrantState::Active
    } else {
        GrantState::Scheduled
    };
    let grant = GrantRow {
        id: unit.new_id(),
        person_id: line.beneficiary_id,
        account_id: line.account_id,
        package_id: Some(line.package_id),
        package_version_id: Some(line.package_version_id),
        line_id: Some(line.id),
        source: if policy.asking.break_glass.is_some() {
            GrantSource::BreakGlass
        } else {
            GrantSource::Request
        },
        state,
        valid_from: from,
        end_at: end.at(),
        ready_at: None,
        ended_at: None,
        end_reason: None,
        ended_by: None,
        end_note: None,
        gone_at: None,
        version: 0,
        created_at: now,
    };
    unit.tx.insert_grant(&grant, &content).await?;
    let mut after = json!({"state": state, "from": from, "end": end, "caps": caps, "content": content, "account": grant.account_id});
    if !taken_out.is_empty() {
        after["taken_out"] = json!(taken_out);
    }
    unit.record(
        Event::new(EventKind::GrantMade, now, Actor::Portal)
            .about(grant.id)
            .about(line.id)
            .about(line.request_id)
            .about(grant.person_id)
            .because(line.id)
            .under(line.package_version_id)
            .changing(serde_json::Value::Null, after),
    );
    break_glass::used(unit, line, policy, &grant).await?;
    arm(unit, &grant);
    unit.changed(grant.person_id);
    if state == GrantState::Active {
        let pairs: Vec<_> = content
            .iter()
            .map(|entitlement| (grant.account_id, *entitlement))
            .collect();
        assignments::recompute(unit, &pairs, &grant.id.to_string()).await?;
    }
    let when = match (state, taken_out.is_empty()) {
        // When that is, the target has a say in: it may be held, or not be switched on yet.
        (GrantState::Active, true) => "You are told when it is ready.",
        (GrantState::Active, false) => {
            "You are told when it is ready, without what was taken out of the package meanwhile."
        }
        _ => "It is set up when its start comes.",
    };
    route::tell_outcome(unit, line, "Approved", when).await
}

/// Why a line is approved now.
const fn cause(line: &LineRow) -> &'static str {
    if line.waits_since.is_some() {
        "all stages met, and no rule stands against it any more"
    } else {
        "all stages met"
    }
}

/// What the last yes of a line would add now: what rules are asked about.
pub(crate) async fn would_add(tx: &mut Tx, line: &LineRow, now: Timestamp) -> Result<Added> {
    let pinned = tx
        .pinned_offer(line.package_version_id)
        .await?
        .ok_or(Error::Missing)?;
    let policy = requests::policy_of(&pinned)?;
    let person = tx
        .person(line.beneficiary_id)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    let decisions = tx.decisions(line.id).await?;
    if line.kind == LineKind::Extension
        && let Some(id) = line.extends_grant_id
        && let Some(held) = tx.grant(id).await?
        && held.state != GrantState::Ended
        && !held.end().passed(now)
    {
        let (until, _) = lengthened(line, &held, &policy, &person, &decisions, now);
        let rights = tx.content_of_grants(&[held.id]).await?;
        return Ok(Added {
            person: line.beneficiary_id,
            rights: rights.into_iter().map(|row| row.entitlement_id).collect(),
            from: now,
            until,
            except: Some(held.id),
            plain: false,
        });
    }
    let terms = tx.terms(line.package_version_id).await?;
    let from = activation(line.window(), now);
    let caps = caps_from_activation(line, &policy, &person, &decisions);
    Ok(Added {
        person: line.beneficiary_id,
        rights: content(&terms).0,
        from,
        until: settle_end(line.window(), from, &caps),
        except: None,
        plain: plain(&terms),
    })
}

fn caps_from_activation(
    line: &LineRow,
    policy: &Policy,
    beneficiary: &Person,
    decisions: &[DecisionRow],
) -> Vec<Cap> {
    let mut caps = Vec::new();
    if let Some(at) = beneficiary.last_day_at {
        caps.push(Cap::LastDay { at });
    }
    if !policy.limits.permanent || line.window().length != Length::Permanent {
        caps.push(Cap::Package {
            seconds: policy.limits.longest_seconds,
        });
    }
    if line.kind == LineKind::Extension {
        caps.extend(earliest_cap(decisions).map(|at| Cap::ApproverUntil { at }));
    } else {
        caps.extend(shortest_cap(decisions).map(|seconds| Cap::Approver { seconds }));
    }
    caps
}

/// Whether it does not matter what else is held beside any of these.
fn plain(terms: &[TermRow]) -> bool {
    !terms.iter().any(|term| term.watched == Some(true))
}

/// What is given: the pinned edition without what the current one lacks, for a removal reaches everybody at once. And
/// what that leaves out.
fn content(terms: &[TermRow]) -> (Vec<EntitlementId>, Vec<EntitlementId>) {
    let of = |kept: bool| {
        let terms = terms.iter().filter(|term| term.kept == kept);
        terms.filter_map(|term| term.part_id).collect()
    };
    (of(true), of(false))
}

/// The end that a held grant would get, and what caps it.
fn lengthened(
    line: &LineRow,
    grant: &GrantRow,
    policy: &Policy,
    beneficiary: &Person,
    decisions: &[DecisionRow],
    now: Timestamp,
) -> (End, Vec<Cap>) {
    let mut caps = Vec::new();
    caps.extend(beneficiary.last_day_at.map(|at| Cap::LastDay { at }));
    caps.extend(
        policy
            .limits
            .latest_end(grant.valid_from)
            .map(|at| Cap::Continuous { at }),
    );
    // The form says so: counted from the decision, not from the end as it is.
    caps.extend(earliest_cap(decisions).map(|at| Cap::ApproverUntil { at }));
    let end = settle_end(line.window(), grant.end_at.unwrap_or(now), &caps);
    (end, caps)
}

/// Gives a held grant a later end. It never shortens.
async fn lengthen(
    unit: &mut Unit,
    decided: &Decided<'_>,
    grant: GrantRow,
    (beneficiary, asker): (&Person, &Person),
) -> Result<()> {
    let Decided {
        line,
        policy,
        decisions,
        ..
    } = *decided;
    let now = unit.now;
    if let Some(why) = ineligible(policy, beneficiary, asker, now) {
        return no_longer_eligible(unit, decided, &why).await;
    }
    if let Some(why) = not_for_them(unit, line, policy).await? {
        return no_longer_asked(unit, decided, &why).await;
    }
    let (end, caps) = lengthened(line, &grant, policy, beneficiary, decisions, now);
    let later = match (end, grant.end()) {
        (_, End::Permanent) => false,
        (End::Permanent, End::At(_)) => true,
        (End::At(new), End::At(old)) => new > old,
    };
    if !later {
        return nothing(
            unit,
            decided,
            "it lasts as long already",
            "Approved, but nothing changes",
            "The access already lasts as long as it may.",
        )
        .await;
    }
    let rights = unit.tx.content_of_grants(&[grant.id]).await?;
    let added = Added {
        person: grant.person_id,
        rights: rights.into_iter().map(|row| row.entitlement_id).collect(),
        from: now,
        until: end,
        except: Some(grant.id),
        plain: false,
    };
    if let Some(against) = conflicts::against(&mut unit.tx, &added, now).await? {
        return against_a_rule(unit, decided, against).await;
    }
    decided.end(unit, LineState::Approved, cause(line)).await?;
    unit.tx.set_grant_end(grant.id, end).await?;
    // Somebody decided that it is to last: neither a move nor the holder's own mark stands against it any more.
    unit.tx.set_end_cause(grant.id, None).await?;
    unit.tx.set_not_renewed(grant.id, None).await?;
    unit.record(
        Event::new(EventKind::GrantExtended, now, Actor::Portal)
            .about(grant.id)
            .about(line.id)
            .about(line.request_id)
            .about(grant.person_id)
            .because(line.id)
            .under(line.package_version_id)
            .changing(
                json!({"end": grant.end()}),
                json!({"end": end, "held_since": grant.valid_from, "caps": caps}),
            ),
    );
    let grant = GrantRow {
        end_at: end.at(),
        ..grant
    };
    arm(unit, &grant);
    unit.changed(grant.person_id);
    route::tell_outcome(unit, line, "Extended", "The access goes on without a gap.").await
}

/// Why whoever asked may not ask for the beneficiary any more, if so: they left, or the two belong together no longer.
async fn not_for_them(unit: &mut Unit, line: &LineRow, policy: &Policy) -> Result<Option<String>> {
    let (asker, beneficiary) = (line.asker_id, line.beneficiary_id);
    if asker == beneficiary {
        return Ok(None);
    }
    let refused = screening::scope(&mut unit.tx, policy, asker, beneficiary).await?;
    Ok(refused.map(|refusal| refusal.to_string()))
}

async fn no_longer_asked(unit: &mut Unit, decided: &Decided<'_>, why: &str) -> Result<()> {
    nothing(
        unit,
        decided,
        &format!("whoever asked may not ask for them any more: {why}"),
        "Approved, but no longer possible",
        "Whoever asked may not ask for this person any more. They can ask for it themselves.",
    )
    .await
}

async fn no_longer_eligible(unit: &mut Unit, decided: &Decided<'_>, why: &str) -> Result<()> {
    nothing(
        unit,
        decided,
        &format!("no longer eligible: {why}"),
        "Approved, but no longer possible",
        &format!("The rules for it no longer allow it: {why}."),
    )
    .await
}

/// What an exception can cover waits for it. Roles that exclude each other have none, and break-glass waits for nobody.
async fn against_a_rule(unit: &mut Unit, decided: &Decided<'_>, against: Against) -> Result<()> {
    let why = match against {
        Against::Rules(clashes) if decided.policy.asking.break_glass.is_none() => {
            decided.write(unit).await?;
            return Box::pin(waits::wait(unit, decided.line, &clashes)).await;
        }
        Against::Rules(clashes) => clashes
            .first()
            .map_or_else(String::new, conflicts::Clash::uncovered),
        Against::Roles(why) => why,
    };
    nothing(
        unit,
        decided,
        &why,
        "Approved, but nothing is given",
        &format!("With what is held already {why}."),
    )
    .await
}

/// Approves a line whose yes gives nothing, and says why: in the log and to whoever asked.
async fn nothing(
    unit: &mut Unit,
    decided: &Decided<'_>,
    why: &str,
    headline: &str,
    text: &str,
) -> Result<()> {
    let cause = format!("all stages met, but nothing is given: {why}");
    unit.tx.say_why(decided.line.id, text).await?;
    decided.end(unit, LineState::Approved, &cause).await?;
    route::tell_outcome(unit, decided.line, headline, text).await
}
