//! The parts of a package in words, for a difference that people read before they confirm it.

use super::difference::Facts;
use crate::{
    PersonId,
    asking::Ticket,
    policy::{
        ApproverRule, Condition, DayLimit, Question, QuestionKind, Quorum, SilenceEnd, StageRule,
    },
};

/// What an answer must be, besides given.
pub(super) fn answer_words(question: &Question) -> String {
    let mut said = Vec::new();
    if !matches!(question.kind, QuestionKind::Text | QuestionKind::Choice) {
        said.push(question.kind.to_string());
    }
    if !question.pattern.is_empty() {
        said.push(format!("like {}", question.pattern));
    }
    said.extend(question.least.map(|least| format!("at least {least}")));
    said.extend(question.most.map(|most| format!("at most {most}")));
    let day = |limit: DayLimit| match limit {
        DayLimit::On(day) => day.to_string(),
        DayLimit::InDays(days) => format!("{days} days from asking"),
    };
    said.extend(
        question
            .earliest
            .map(|limit| format!("from {}", day(limit))),
    );
    said.extend(question.latest.map(|limit| format!("until {}", day(limit))));
    if !question.help.is_empty() {
        said.push(question.help.clone());
    }
    if said.is_empty() {
        String::new()
    } else {
        format!(" ({})", said.join(", "))
    }
}

pub(super) fn ticket_words(ticket: &Ticket) -> String {
    let mut said = vec![
        if ticket.required {
            "needed"
        } else {
            "optional"
        }
        .to_owned(),
    ];
    for (what, text) in [
        ("like", &ticket.pattern),
        ("such as", &ticket.example),
        ("at", &ticket.url),
    ] {
        if !text.is_empty() {
            said.push(format!("{what} {text}"));
        }
    }
    said.join(", ")
}

pub(super) fn called(id: PersonId, facts: &Facts) -> String {
    facts
        .names
        .get(&id)
        .cloned()
        .unwrap_or_else(|| id.to_string())
}

pub(super) fn people<'a>(ids: impl Iterator<Item = &'a PersonId>, facts: &Facts) -> String {
    ids.map(|id| called(*id, facts))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn eligibility_words(conditions: &[Condition]) -> String {
    if conditions.is_empty() {
        return "everybody".to_owned();
    }
    let said = conditions.iter().map(|condition| {
        let mut text = condition.attribute.to_string();
        if !condition.any_of.is_empty() {
            text = format!("{text} is {}", condition.any_of.join(" or "));
        }
        if !condition.none_of.is_empty() {
            text = format!("{text} is not {}", condition.none_of.join(" or "));
        }
        format!("{text} ({})", condition.explain)
    });
    said.collect::<Vec<_>>().join("; ")
}

pub(super) fn route_words(route: &[StageRule], facts: &Facts) -> String {
    if route.is_empty() {
        return "none: approved by policy".to_owned();
    }
    let said = route.iter().map(|stage| {
        let who = match (stage.approvers, stage.role, stage.group) {
            (ApproverRule::Named, ..) => {
                format!("named ({})", people(stage.named.iter(), facts))
            }
            (ApproverRule::Role, Some(role), _) => format!("role {role}"),
            (ApproverRule::Group, _, Some(group)) => {
                let name = facts.groups.get(&group).map_or("a group", String::as_str);
                format!("members of {name} ({group})")
            }
            (approvers, ..) => approvers.to_string(),
        };
        let mut said = match stage.quorum {
            Quorum::Count(0 | 1) => who,
            Quorum::Count(count) => format!("{count} of {who}"),
            Quorum::All => format!("all of {who}"),
        };
        if let Some(span) = stage.escalate_after {
            said = format!("{said} (escalated after {span})");
        }
        if let Some(silence) = stage.silence {
            let end = match silence.end {
                SilenceEnd::Lapse => "lapses",
                SilenceEnd::Deny => "denied",
                SilenceEnd::PassOn => "passed on",
            };
            said = format!("{said} ({end} after {} without an answer)", silence.after);
        }
        if stage.remind_after != StageRule::usual_reminder() {
            said = format!("{said} (reminded after {})", stage.remind_after);
        }
        if stage.fallback.is_empty() {
            said.push_str(" (without fallback)");
        } else if stage.fallback != StageRule::usual_fallback() {
            let chain: Vec<&str> = stage.fallback.iter().map(|rule| rule.as_str()).collect();
            said = format!("{said} (fallback: {})", chain.join(", "));
        }
        (said, stage.together)
    });
    said.fold(String::new(), |route, (stage, together)| {
        let joint = match (route.is_empty(), together) {
            (true, _) => "",
            (false, true) => " + ",
            (false, false) => " → ",
        };
        format!("{route}{joint}{stage}")
    })
}
