//! Patterns of answers and tickets: regular expressions of the catalogue's files, matched in linear time whatever is typed.

use domain::{Refusal, asking::Ticket, policy::Policy};
use regex_lite::{Regex, RegexBuilder};
use std::collections::BTreeMap;

/// The most that one compiled pattern may take, so that a file cannot fill the memory.
const SIZE: usize = 1 << 18;

fn compile(pattern: &str) -> Result<Regex, regex_lite::Error> {
    // The whole answer, not some of it.
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(SIZE)
        .build()
}

/// Whether a pattern is one; why not, in words.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    compile(pattern)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Whether an answer matches. A pattern that cannot be read is matched by nothing: policies fail closed.
fn fits(pattern: &str, given: &str) -> bool {
    pattern.is_empty() || compile(pattern).is_ok_and(|regex| regex.is_match(given))
}

/// Refuses answers and tickets that do not match the patterns of their policy. What is empty is for `domain` to judge.
pub(crate) fn misfits(policy: &Policy, answers: &BTreeMap<String, String>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut look = |key: &str, pattern: &str, hint: &str| {
        let given = answers.get(key).map_or("", |text| text.trim());
        if !given.is_empty() && !fits(pattern, given) {
            let why = if hint.is_empty() {
                "this does not have the form that is asked for".to_owned()
            } else {
                format!("this does not have the form that is asked for, such as {hint}")
            };
            refusals.push(Refusal::Answer {
                question: key.to_owned(),
                why,
            });
        }
    };
    for question in &policy.questions {
        look(&question.key, &question.pattern, "");
    }
    if let Some(ticket) = &policy.asking.ticket {
        look(Ticket::KEY, &ticket.pattern, &ticket.example);
    }
    refusals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_answer_must_match() {
        assert!(fits("INC-[0-9]+", "INC-4312"));
        assert!(!fits("INC-[0-9]+", "see INC-4312"));
        assert!(
            !fits("a|b", "ab"),
            "the parts of a choice are bound together"
        );
        assert!(fits("", "anything"));
        assert!(check("INC-[0-9").is_err());
        assert!(
            !fits("INC-[0-9", "INC-4"),
            "what cannot be read is matched by nothing"
        );
    }
}
