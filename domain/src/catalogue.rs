//! The catalogue as the files say it: applications, targets, entitlements, packages. Parsed and resolved by `workflow`.

pub use crate::policy::{ApproverRule, Attribute, Condition, Question};
