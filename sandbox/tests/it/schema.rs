//! Microsoft's description of Graph as JSON schemas.

use std::{collections::BTreeMap, sync::OnceLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Types whose answers are held to the letter: a property that the description does not have is an error, except
/// annotations (with an `@`) and relations that the description leaves out on purpose.
const STRICT: [&str; 6] = [
    "user",
    "group",
    "servicePrincipal",
    "appRole",
    "appRoleAssignment",
    "organization",
];
const LEFT_OUT: [&str; 1] = ["sponsors"];

fn description() -> &'static Value {
    static DESCRIPTION: OnceLock<Value> = OnceLock::new();
    DESCRIPTION.get_or_init(|| {
        let text = include_str!("../../contracts/graph-openapi-subset.yaml");
        let mut description: Value = serde_yaml_ng::from_str(text).unwrap();
        for name in STRICT {
            let schema = description["components"]["schemas"][format!("microsoft.graph.{name}")]
                .as_object_mut()
                .unwrap();
            schema.insert("additionalProperties".into(), json!(false));
            schema.insert("patternProperties".into(), json!({ "@": {} }));
            for relation in LEFT_OUT {
                schema["properties"][relation] = json!({});
            }
        }
        nullable(&mut description);
        description
    })
}

/// OpenAPI 3.0 says `nullable: true` where JSON Schema adds the type `null`.
fn nullable(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(nullable);
            if object.remove("nullable") == Some(json!(true)) {
                let plain = Value::Object(std::mem::take(object));
                *object =
                    Map::from_iter([("anyOf".to_owned(), json!([plain, { "type": "null" }]))]);
            }
        }
        Value::Array(array) => array.iter_mut().for_each(nullable),
        _ => {}
    }
}

/// Checks a value against a schema of the description, given as a JSON schema that may point into it.
pub fn check(schema: &Value, value: &Value) -> Result<(), String> {
    let mut root = schema.as_object().unwrap().clone();
    root.insert("components".into(), description()["components"].clone());
    let validator: Validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&Value::Object(root))
        .unwrap();
    let errors: BTreeMap<String, String> = validator
        .iter_errors(value)
        .map(|error| (error.instance_path().to_string(), error.to_string()))
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(format!("{errors:#?}\nin {value:#}"))
    }
}

/// A named type of Graph, or `NAME_request` for what clients send.
pub fn named(name: &str) -> Value {
    let name = if name.contains('.') || name.starts_with("Reference") || name.starts_with("Batch") {
        name.to_owned()
    } else {
        format!("microsoft.graph.{name}")
    };
    assert!(
        description()["components"]["schemas"].get(&name).is_some(),
        "no schema {name}"
    );
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schema of the answer that the description gives for a call, or of any error.
pub fn response(method: &str, path: &str, status: u16) -> Value {
    if status >= 400 {
        return named("microsoft.graph.ODataErrors.ODataError");
    }
    let operation = &description()["paths"][path][method.to_ascii_lowercase()];
    assert!(
        operation.is_object(),
        "the description has no {method} {path}"
    );
    let response = &operation["responses"][status.to_string()];
    assert!(
        response.is_object(),
        "the description has no {status} for {method} {path}"
    );
    response["content"]["application/json"]["schema"].clone()
}

/// The schema of the body that a client sends.
pub fn request(method: &str, path: &str) -> Value {
    let operation = &description()["paths"][path][method.to_ascii_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert!(
        schema.is_object(),
        "the description has no body for {method} {path}"
    );
    schema.clone()
}
