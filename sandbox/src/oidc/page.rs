//! The pages that a person sees: whom to be, errors, signed out. Plain forms and one style sheet, no scripts.

use std::fmt::Write as _;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sha2::{Digest, Sha256};

use super::{
    authorize::{OWN, Request},
    refusal::Refusal,
};
use crate::{config::Client, directory::User, running::Shared, world::World};

const STYLE: &str = include_str!("page.css");
/// So many people are listed at once.
const LISTED: usize = 40;
const HUES: usize = 6;

/// Text as it may stand between tags and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn document(status: StatusCode, title: &str, main: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=\"note\">Sandbox: a stand-in for Microsoft Entra ID on this machine</p>\n{main}</main>\n</body>\n</html>\n",
        escape(title)
    );
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// The request's own parameters, carried along by every form.
fn hidden(request: &Request) -> String {
    let mut inputs = String::new();
    for (name, value) in request
        .pairs
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
    {
        let _ = writeln!(
            inputs,
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escape(name),
            escape(value)
        );
    }
    inputs
}

fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().next());
    let first = words.next();
    first.into_iter().chain(words.next_back()).collect()
}

fn describe(user: &User) -> String {
    let parts = [user.job_title.as_deref(), user.department.as_deref()];
    let described: Vec<&str> = parts.into_iter().flatten().collect();
    if described.is_empty() {
        user.user_principal_name.clone()
    } else {
        described.join(", ")
    }
}

/// What is special about a person, for their badge, and whether sign-in fails because of it.
fn remark(user: &User) -> Option<(String, bool)> {
    if !user.account_enabled {
        return Some(("Disabled".into(), true));
    }
    if user.foreign_tid.is_some() {
        return Some(("From another tenant".into(), true));
    }
    if user.no_oid {
        return Some(("Token without oid".into(), true));
    }
    if user.overage {
        return Some(("Too many groups".into(), true));
    }
    if user.user_type.as_deref() == Some("Guest") {
        return Some(("Guest".into(), false));
    }
    user.employee_type
        .clone()
        .filter(|kind| kind != "Employee")
        .map(|kind| (kind, false))
}

fn person(user: &User, badge: Option<(&str, bool)>) -> String {
    let badge = badge.map_or_else(String::new, |(text, warn)| {
        let class = if warn { "badge warn" } else { "badge" };
        format!("<span class=\"{class}\">{}</span>", escape(text))
    });
    format!(
        "<li><button class=\"person\" name=\"oid\" value=\"{}\"><span class=\"face hue{}\" aria-hidden=\"true\">{}</span>\
         <span class=\"who\"><b>{}</b> <small>{}</small></span> {badge}</button></li>\n",
        user.id,
        user.id.as_u128() as usize % HUES,
        escape(&initials(&user.display_name)),
        escape(&user.display_name),
        escape(&describe(user)),
    )
}

/// Whom the application asks to sign in once more: `prompt=login` with the hint that a token of theirs carried.
fn once_more<'w>(world: &'w World, request: &Request) -> Option<&'w User> {
    let hint = request.get("login_hint")?;
    let name = String::from_utf8(URL_SAFE_NO_PAD.decode(hint).ok()?).ok()?;
    let wanted = request.get("prompt") == Some("login") && request.get("q").is_none();
    let mut users = world.users.values();
    users.find(|user| wanted && user.user_principal_name == name)
}

/// The page that asks somebody who is signed in to prove it again.
fn again(client: &Client, user: &User, hidden: &str) -> Response {
    let main = format!(
        "<h1>Sign in once more</h1>\n<p class=\"soft\"><b>{}</b> wants to know that it is still you. There is no password.</p>\n\
         <form method=\"get\">\n{hidden}<ul class=\"featured\">\n{}</ul>\n</form>\n\
         <form method=\"get\" role=\"search\" class=\"search\">\n{hidden}<label for=\"q\">Somebody else: name, title, department or address</label>\n\
         <input id=\"q\" name=\"q\" type=\"search\" autocomplete=\"off\">\n<button>Search</button>\n</form>\n\
         <form method=\"get\" class=\"leave\">\n{hidden}<button name=\"cancel\" value=\"1\">Go back without signing in</button>\n</form>\n",
        escape(&client.name),
        person(user, None)
    );
    document(StatusCode::OK, "Sign in once more", &main)
}

/// The page that asks whom to be.
pub(super) fn pick(shared: &Shared, client: &Client, request: &Request) -> Response {
    let world = shared.world();
    let hidden = hidden(request);
    if let Some(user) = once_more(&world, request) {
        return again(client, user, &hidden);
    }
    let wanted = request.get("q").unwrap_or_default();
    let mut main = format!(
        "<h1>Pick who to be</h1>\n<p class=\"soft\">You sign in to <b>{}</b> as someone at {}. There is no password.</p>\n",
        escape(&client.name),
        escape(&world.organization.display_name)
    );

    let featured: Vec<String> = shared
        .featured
        .iter()
        .filter_map(|featured| {
            world
                .users
                .get(&featured.oid)
                .map(|user| person(user, Some((&featured.label, false))))
        })
        .collect();
    if !featured.is_empty() && wanted.is_empty() {
        let _ = write!(
            main,
            "<section aria-labelledby=\"featured\">\n<h2 id=\"featured\">Good people to start with</h2>\n\
             <form method=\"get\">\n{hidden}<ul class=\"featured\">\n{}</ul>\n</form>\n</section>\n",
            featured.concat()
        );
    }

    let above =
        |user: &User| wanted.is_empty() && shared.featured.iter().any(|one| one.oid == user.id);
    let mut people: Vec<&User> = world
        .users
        .values()
        .filter(|user| matches(user, wanted) && !above(user))
        .collect();
    people.sort_by_cached_key(|user| (user.display_name.to_lowercase(), user.id));
    let count = match people.len() {
        0 => "Nobody is called so, works there or has that address.".to_owned(),
        1 => "One person.".to_owned(),
        found if found > LISTED => {
            format!("{found} people; here are the first {LISTED}. Search to find the others.")
        }
        found => format!("{found} people."),
    };
    let list: String = people
        .iter()
        .take(LISTED)
        .map(|user| {
            let remark = remark(user);
            person(
                user,
                remark.as_ref().map(|(text, warn)| (text.as_str(), *warn)),
            )
        })
        .collect();
    let heading = if featured.is_empty() || !wanted.is_empty() {
        "Everyone"
    } else {
        "Everyone else"
    };
    let _ = write!(
        main,
        "<section aria-labelledby=\"everyone\">\n<h2 id=\"everyone\">{heading}</h2>\n\
         <form method=\"get\" role=\"search\" class=\"search\">\n{hidden}<label for=\"q\">Name, title, department or address</label>\n\
         <input id=\"q\" name=\"q\" type=\"search\" value=\"{}\" autocomplete=\"off\">\n<button>Search</button>\n</form>\n\
         <p class=\"soft\" role=\"status\">{count}</p>\n<form method=\"get\">\n{hidden}<ul>\n{list}</ul>\n</form>\n</section>\n\
         <form method=\"get\" class=\"leave\">\n{hidden}<button name=\"cancel\" value=\"1\">Go back without signing in</button>\n</form>\n",
        escape(wanted)
    );
    document(StatusCode::OK, "Pick who to be", &main)
}

/// Every word that was typed is somewhere in what is known of the person.
fn matches(user: &User, wanted: &str) -> bool {
    let texts = [
        Some(user.display_name.as_str()),
        Some(user.user_principal_name.as_str()),
        user.job_title.as_deref(),
        user.department.as_deref(),
        user.country.as_deref(),
        user.employee_id.as_deref(),
    ];
    let known = texts
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n")
        .to_lowercase();
    wanted
        .to_lowercase()
        .split_whitespace()
        .all(|word| known.contains(word))
}

/// An error that the application must not be told about.
pub(super) fn error(status: StatusCode, refusal: &Refusal) -> Response {
    let main = format!(
        "<div class=\"sheet\">\n<h1>Sign-in does not work</h1>\n<p>AADSTS{}: {}</p>\n<dl>\n<dt>Correlation id</dt><dd>{}</dd>\n\
         <dt>Time</dt><dd>{}</dd>\n</dl>\n</div>\n",
        refusal.code,
        escape(&refusal.message),
        escape(refusal.correlation()),
        refusal.timestamp()
    );
    document(status, "Sign-in does not work", &main)
}

/// After signing out without an address to go back to.
pub(super) fn signed_out(unregistered: bool) -> Response {
    let mut main = "<div class=\"sheet\">\n<h1>You signed out</h1>\n<p>It is a good idea to close the browser window.</p>\n".to_owned();
    if unregistered {
        main.push_str("<p class=\"soft\">The address that asked to be returned to is not registered for the application.</p>\n");
    }
    main.push_str("</div>\n");
    document(StatusCode::OK, "You signed out", &main)
}

/// A page for a request that has nowhere else to go.
pub(crate) fn error_page(status: StatusCode, title: &str, text: &str) -> Response {
    let main = format!(
        "<div class=\"sheet\">\n<h1>{}</h1>\n<p>{}</p>\n</div>\n",
        escape(title),
        escape(text)
    );
    document(status, title, &main)
}

/// What someone sees who opens the sandbox's own address.
pub(crate) fn front_page(shared: &Shared) -> Response {
    let main = format!(
        "<div class=\"sheet\">\n<h1>This is the sandbox</h1>\n<p>It plays Microsoft Entra ID and Microsoft Graph for {}. Open the portal \
         to sign in; this page is only here to say so.</p>\n<dl>\n<dt>Issuer</dt><dd><code>{}</code></dd>\n<dt>Graph</dt><dd><code>{}/v1.0</code></dd>\n\
         <dt>Faults</dt><dd><code>{}/sandbox/faults</code></dd>\n</dl>\n</div>\n",
        escape(&shared.world().organization.display_name),
        escape(&shared.issuer(shared.tenant)),
        escape(&shared.base),
        escape(&shared.base),
    );
    document(StatusCode::OK, "The sandbox", &main)
}
