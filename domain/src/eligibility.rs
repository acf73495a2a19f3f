//! Who may ask for what, as Cedar policies: a language made for this, validated against a schema before anything is published.
//!
//! One blanket `permit` stands in front; every condition is a `forbid … unless` of its own that carries its explanation as
//! `@explain`, for the absence of a permit would give no reason. Typed conditions of the catalogue's files are written as Cedar
//! by [`text`]; what a file says in Cedar itself stands behind them. The text is never read back into conditions.
//!
//! Everything fails closed: Cedar skips a policy whose evaluation fails, also a `forbid`, so any error at all is a no.
//! Attributes come in small letters, so that policies compare without regard to case.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
};

use cedar_policy::{
    Authorizer, Context, Decision, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};

use crate::{
    person::Person,
    policy::{Attribute, Condition, Policy},
};

/// What policies may speak of. `asker` is who asks; for oneself it is the principal, for whom the access would be.
pub const SCHEMA: &str = r"entity Person = {
  department: String,
  country: String,
  office: String,
  company: String,
  employee_type: String,
  user_type: String,
  job_title: String,
};
entity Package = {
  key: String,
  application: String,
  privileged: Bool,
  control_scope: String,
};
action request appliesTo {
  principal: Person,
  resource: Package,
  context: { asker: Person, for_self: Bool },
};
";

/// The most policies that a package may have beside its conditions.
const MOST: usize = 20;

/// What is said when a policy cannot be evaluated. Whoever asks can do nothing about it.
pub const FAILED: &str =
    "its rules cannot be evaluated; nobody can ask for it until its owner has mended them";

/// The policies of one package, read and validated.
#[derive(Clone, Debug)]
pub struct Rules {
    policies: PolicySet,
    resource: Entity,
}

impl Rules {
    /// Reads and validates the policies of a package. The faults are for whoever wrote them: one sentence each.
    pub fn read(policy: &Policy) -> Result<Self, Vec<String>> {
        check_written(&policy.cedar)?;
        let whole = text(&policy.eligibility, &policy.cedar);
        let policies: PolicySet = whole.parse().map_err(|error| vec![said(&error)])?;
        let (schema, _) =
            Schema::from_cedarschema_str(SCHEMA).map_err(|error| vec![said(&error)])?;
        let validated = Validator::new(schema).validate(&policies, ValidationMode::Strict);
        let faults: Vec<String> = validated
            .validation_errors()
            .map(|fault| said(fault))
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let about = &policy.about;
        let resource = entity(
            "Package",
            &about.key,
            [
                ("key", string(&about.key)),
                ("application", string(&about.application)),
                (
                    "privileged",
                    RestrictedExpression::new_bool(about.privileged),
                ),
                ("control_scope", string(&about.control_scope)),
            ],
        )
        .map_err(|error| vec![error])?;
        Ok(Self { policies, resource })
    }

    /// Why `beneficiary` may not have it when `asker` asks, in the policies' own words; empty means that they may.
    pub fn unmet(&self, beneficiary: &Person, asker: &Person) -> Vec<String> {
        self.ask(beneficiary, asker)
            .unwrap_or_else(|_| vec![FAILED.to_owned()])
    }

    /// Every reason that these rules may give, in the order in which they were written.
    pub fn explained(&self) -> Vec<String> {
        let mut all: Vec<(usize, String)> = self
            .policies
            .policies()
            .filter_map(|policy| {
                let explain = policy.annotation("explain")?;
                Some((place(policy.id()), explain.to_owned()))
            })
            .collect();
        all.sort();
        all.into_iter().map(|(_, explain)| explain).collect()
    }

    fn ask(&self, beneficiary: &Person, asker: &Person) -> Result<Vec<String>, String> {
        let principal = person(beneficiary)?;
        let who = principal.uid();
        let mut entities = vec![principal, self.resource.clone()];
        let by = EntityUid::from_type_name_and_id(
            type_name("Person")?,
            EntityId::new(asker.id.to_string()),
        );
        let for_self = beneficiary.id == asker.id;
        if !for_self {
            entities.push(person(asker)?);
        }
        let context = Context::from_pairs([
            ("asker".to_owned(), RestrictedExpression::new_entity_uid(by)),
            (
                "for_self".to_owned(),
                RestrictedExpression::new_bool(for_self),
            ),
        ])
        .map_err(|error| error.to_string())?;
        let action =
            EntityUid::from_type_name_and_id(type_name("Action")?, EntityId::new("request"));
        let request = Request::new(who, action, self.resource.uid(), context, None)
            .map_err(|error| error.to_string())?;
        let entities =
            Entities::from_entities(entities, None).map_err(|error| error.to_string())?;
        let answer = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        if let Some(error) = answer.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        if answer.decision() == Decision::Allow {
            return Ok(Vec::new());
        }
        let mut because: Vec<(usize, String)> = answer
            .diagnostics()
            .reason()
            .map(|id| {
                let explain = self.policies.annotation(id, "explain").unwrap_or(FAILED);
                (place(id), explain.to_owned())
            })
            .collect();
        // In the order in which they were written.
        because.sort();
        if because.is_empty() {
            return Err("nothing permits it".to_owned());
        }
        Ok(because.into_iter().map(|(_, explain)| explain).collect())
    }
}

/// Where a policy stands in its text: Cedar counts them (`policy3`).
fn place(id: &PolicyId) -> usize {
    let id: &str = id.as_ref();
    id.trim_start_matches("policy")
        .parse()
        .unwrap_or(usize::MAX)
}

/// The policies of a package as Cedar: the permit, a `forbid` for each condition, and what the file says in Cedar itself.
pub fn text(conditions: &[Condition], written: &str) -> String {
    let mut text = String::from("permit (principal, action == Action::\"request\", resource);\n");
    for condition in conditions {
        write!(
            text,
            "\n@explain({})\nforbid (principal, action == Action::\"request\", resource)",
            quoted(&condition.explain)
        )
        .expect("a string takes everything");
        let value = format!("principal.{}", condition.attribute);
        let mut must = Vec::new();
        if !condition.any_of.is_empty() {
            must.push(format!("{}.contains({value})", set(&condition.any_of)));
        }
        if !condition.none_of.is_empty() {
            must.push(format!("!{}.contains({value})", set(&condition.none_of)));
        }
        // A condition that says nothing is met by nobody.
        if !must.is_empty() {
            write!(text, "\nunless {{ {} }}", must.join(" && "))
                .expect("a string takes everything");
        }
        text.push_str(";\n");
    }
    if !written.trim().is_empty() {
        text.push('\n');
        text.push_str(written.trim());
        text.push('\n');
    }
    text
}

/// What a file may say in Cedar itself: only what takes away, and only with a reason that people can read.
fn check_written(written: &str) -> Result<(), Vec<String>> {
    if written.trim().is_empty() {
        return Ok(());
    }
    let policies: PolicySet = written
        .parse()
        .map_err(|error: cedar_policy::ParseErrors| vec![said(&error)])?;
    let mut faults = Vec::new();
    if policies.templates().next().is_some() {
        faults.push("templates (?principal, ?resource) are not for the catalogue".to_owned());
    }
    if policies.policies().count() > MOST {
        faults.push(format!("more than {MOST} policies: split the package"));
    }
    for policy in policies.policies() {
        if policy.effect() != Effect::Forbid {
            faults.push(
                "only `forbid` is allowed: everybody may ask whom no policy forbids it".to_owned(),
            );
        }
        if policy
            .annotation("explain")
            .is_none_or(|text| text.trim().is_empty())
        {
            faults.push(
                "each policy needs @explain(\"…\"): the reason that people are shown".to_owned(),
            );
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn person(person: &Person) -> Result<Entity, String> {
    let attributes = Attribute::ALL.iter().map(|attribute| {
        (
            attribute.as_str(),
            string(&attribute.of(person).to_lowercase()),
        )
    });
    entity("Person", &person.id.to_string(), attributes)
}

fn entity<'a>(
    kind: &str,
    id: &str,
    attributes: impl IntoIterator<Item = (&'a str, RestrictedExpression)>,
) -> Result<Entity, String> {
    let uid = EntityUid::from_type_name_and_id(type_name(kind)?, EntityId::new(id));
    let attributes: HashMap<String, RestrictedExpression> = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Entity::new(uid, attributes, HashSet::new()).map_err(|error| error.to_string())
}

fn type_name(name: &str) -> Result<EntityTypeName, String> {
    name.parse()
        .map_err(|error: cedar_policy::ParseErrors| error.to_string())
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn set(words: &[String]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| quoted(&word.to_lowercase()))
        .collect();
    format!("[{}]", words.join(", "))
}

/// A text as Cedar writes it: the escapes are Rust's.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// An error of Cedar as one sentence.
fn said(error: &dyn std::error::Error) -> String {
    error.to_string().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{PersonId, policy::About};

    fn someone(n: u128, department: &str, country: &str) -> Person {
        Person {
            id: PersonId(Uuid::from_u128(n)),
            country: country.into(),
            ..crate::request::tests::person(department)
        }
    }

    fn policy(conditions: Vec<Condition>, cedar: &str) -> Policy {
        Policy {
            eligibility: conditions,
            cedar: cedar.into(),
            about: About {
                key: "orders-read".into(),
                application: "orders".into(),
                privileged: true,
                control_scope: "SOX".into(),
            },
            ..crate::request::tests::policy()
        }
    }

    fn condition(any_of: &[&str], none_of: &[&str], explain: &str) -> Condition {
        Condition {
            attribute: Attribute::Department,
            any_of: any_of.iter().map(ToString::to_string).collect(),
            none_of: none_of.iter().map(ToString::to_string).collect(),
            explain: explain.into(),
        }
    }

    #[test]
    fn every_unmet_condition_gives_its_own_reason_in_order() {
        let rules = Rules::read(&policy(
            vec![
                condition(&["Sales", "Orders"], &[], "only for sales and orders"),
                condition(&[], &["FINANCE"], "not for finance"),
                condition(&[], &[], "nobody"),
            ],
            "",
        ))
        .expect("they are valid");
        let (finance, orders) = (someone(1, "Finance", "SE"), someone(2, "orders", "SE"));
        assert_eq!(
            rules.unmet(&finance, &finance),
            ["only for sales and orders", "not for finance", "nobody"]
        );
        assert_eq!(rules.unmet(&orders, &orders), ["nobody"]);
    }

    #[test]
    fn policies_speak_of_person_package_and_who_asks() {
        let written = r#"
            @explain("outside Sweden only the manager's office asks")
            forbid (principal, action, resource)
            when { resource.privileged && principal.country != "se" && context.asker.department != "office" };
            @explain("nobody asks for themselves")
            forbid (principal, action, resource) when { context.for_self };
        "#;
        let rules = Rules::read(&policy(vec![], written)).expect("they are valid");
        let (german, office) = (someone(1, "Orders", "DE"), someone(2, "Office", "SE"));
        assert_eq!(rules.unmet(&german, &german).len(), 2);
        assert_eq!(rules.unmet(&german, &office), [] as [String; 0]);
        assert_eq!(rules.unmet(&office, &german), [] as [String; 0]);
    }

    #[test]
    fn what_gives_more_or_says_no_reason_or_is_not_in_the_schema_is_refused() {
        for (written, why) in [
            ("permit (principal, action, resource);", "only `forbid`"),
            ("forbid (principal, action, resource);", "@explain"),
            (
                "@explain(\" \") forbid (principal, action, resource);",
                "@explain",
            ),
            (
                "@explain(\"x\") forbid (principal, action, resource) when { principal.salary > 3 };",
                "salary",
            ),
            (
                "@explain(\"x\") forbid (principal, action, resource) when { principal.country > 3 };",
                "",
            ),
            (
                "@explain(\"x\") forbid (principal == ?principal, action, resource);",
                "",
            ),
            ("forbid (principal, action", ""),
        ] {
            let faults = Rules::read(&policy(vec![], written)).expect_err(written);
            assert!(
                faults.iter().any(|fault| fault.contains(why)),
                "{written}: {faults:?}"
            );
        }
    }

    #[test]
    fn an_error_of_evaluation_is_a_no() {
        // Validation does not see an overflow; Cedar would skip the forbid and permit.
        let written = "@explain(\"x\") forbid (principal, action, resource)
            when { 9223372036854775807 + (if context.for_self then 1 else 0) == 0 };";
        let rules = Rules::read(&policy(vec![], written)).expect("it is valid");
        let person = someone(1, "Orders", "SE");
        assert_eq!(rules.unmet(&person, &person), [FAILED]);
    }

    proptest! {
        /// What is written of typed conditions says what they say, whatever the words are, and nothing breaks out of them.
        #[test]
        fn the_text_says_what_the_conditions_say(
            department in ".{0,12}", any_of in prop::collection::vec(".{0,8}", 0..4),
            none_of in prop::collection::vec(".{0,8}", 0..4), explain in ".{1,20}", own in any::<bool>(),
        ) {
            let mut any_of = any_of;
            if own {
                any_of.push(department.to_uppercase());
            }
            let person = someone(1, &department, "SE");
            let condition = Condition { attribute: Attribute::Department, any_of, none_of, explain: explain.clone() };
            let met = condition.met_by(&person);
            let rules = Rules::read(&policy(vec![condition], "")).expect("it is always valid");
            let expected: Vec<String> = if met { vec![] } else { vec![explain] };
            prop_assert_eq!(rules.unmet(&person, &person), expected);
        }
    }
}
