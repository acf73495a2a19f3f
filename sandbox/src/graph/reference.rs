//! References to other objects in request bodies: `@odata.id` and `members@odata.bind`.

use serde_json::Value;
use uuid::Uuid;

use super::call::{Answer, Call};

/// Graph's public address is taken as well as the sandbox's own.
const PUBLIC: &str = "https://graph.microsoft.com/v1.0";

/// The object that a reference names, for example `{root}/directoryObjects/{id}` or `{root}/users/{id}`.
pub(crate) fn one(call: &Call<'_>, reference: Option<&Value>) -> Result<Uuid, Answer> {
    let text = reference.and_then(Value::as_str).ok_or_else(|| {
        Answer::bad_request(
            "Request_BadRequest",
            "The request body must contain a reference in '@odata.id'.",
        )
    })?;
    let root = call.root();
    let path = text
        .strip_prefix(&root)
        .or_else(|| text.strip_prefix(PUBLIC));
    let id = path.and_then(|path| {
        ["/directoryObjects/", "/users/", "/groups/"]
            .iter()
            .find_map(|set| path.strip_prefix(set))
    });
    id.and_then(|id| Uuid::parse_str(id).ok()).ok_or_else(|| {
        Answer::bad_request(
            "Request_BadRequest",
            &format!("Invalid object reference '{text}'."),
        )
    })
}

/// All objects of a list of references.
pub(crate) fn many(call: &Call<'_>, references: &Value) -> Result<Vec<Uuid>, Answer> {
    let Value::Array(references) = references else {
        return Err(Answer::bad_request(
            "Request_BadRequest",
            "An array of references is expected.",
        ));
    };
    references
        .iter()
        .map(|reference| one(call, Some(reference)))
        .collect()
}
