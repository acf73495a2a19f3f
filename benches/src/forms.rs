//! Reads what a page offers, without a browser.

/// The hidden fields of the first form that has any.
pub fn hidden(html: &str) -> Option<Vec<(String, String)>> {
    html.split("<form")
        .skip(1)
        .filter_map(|rest| rest.split("</form>").next())
        .map(hidden_in)
        .find(|fields| !fields.is_empty())
}

fn hidden_in(form: &str) -> Vec<(String, String)> {
    form.split("<input")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .filter(|tag| tag.contains("type=\"hidden\""))
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
    Some(rest.split('"').next()?.replace("&amp;", "&"))
}

/// Links that begin so, each once, in order.
pub fn links(html: &str, begin: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for rest in html.split("href=\"").skip(1) {
        let path = rest
            .split('"')
            .next()
            .unwrap_or_default()
            .replace("&amp;", "&");
        if path.starts_with(begin) && !found.contains(&path) {
            found.push(path);
        }
    }
    found
}
