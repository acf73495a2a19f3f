//! The one table of routes. It builds the router, and the HTTP tests walk it for every role.

use axum::{Router, routing::MethodRouter};
use domain::person::PortalRole;

use crate::{pages, state::State};

/// Who may use a route. What they may see and do there is decided in `workflow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Also somebody without a session.
    Anyone,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever holds one of these portal roles effectively.
    Roles(&'static [PortalRole]),
    /// Whoever is signed in and has to do with the thing in the address; for others it does not exist.
    Party,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, with `{names}` for its variable parts.
    pub path: &'static str,
    /// Who may.
    pub who: Who,
    serve: fn() -> MethodRouter<State>,
}

/// Writes the table: method, path, who, handler.
macro_rules! table {
    ($($method:ident $path:literal $who:expr => $handler:path;)+) => {
        &[$(Route::new(stringify!($method), $path, $who, || table!(@ $method $handler))),+]
    };
    (@ GET $handler:path) => { axum::routing::get($handler) };
    (@ POST $handler:path) => { axum::routing::post($handler) };
}

/// Every page and every form.
pub fn routes() -> &'static [Route] {
    pages::ROUTES
}

/// Whether a page is shown at a path.
pub fn is_page(path: &str) -> bool {
    routes()
        .iter()
        .any(|route| route.method == "GET" && fits(route.path, path))
}

/// The page at a path, or the nearest one above it: where somebody goes on who sent a form in vain.
pub fn page_above(path: &str) -> &str {
    let mut path = path;
    while !path.is_empty() {
        if is_page(path) {
            return path;
        }
        path = path.rsplit_once('/').map_or("", |(above, _)| above);
    }
    "/"
}

/// Whether a path is one of those that a row names.
fn fits(row: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (row.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given))
                if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

/// The router over the table.
pub fn router(state: State) -> Router {
    routes()
        .iter()
        .fold(Router::new(), |router, route| {
            router.route(route.path, (route.serve)())
        })
        .with_state(state)
}

pub(crate) use table;

impl Route {
    /// A row; used by the `table!` macro.
    pub const fn new(
        method: &'static str,
        path: &'static str,
        who: Who,
        serve: fn() -> MethodRouter<State>,
    ) -> Self {
        Self {
            method,
            path,
            who,
            serve,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_a_page_above_it() {
        for (path, page) in [
            ("/", "/"),
            ("/requests/req_1/cancel", "/requests/req_1"),
            ("/access/gra_1/return", "/access"),
            ("/access/gra_1/extend", "/access/gra_1/extend"),
            ("/admin/holds/hld_1/confirm", "/admin/holds"),
            ("/trial/skip", "/trial"),
            ("/nothing/here", "/"),
            ("nonsense", "/"),
        ] {
            assert_eq!(page_above(path), page, "{path}");
        }
        assert!(!is_page("/requests/"));
        assert!(!is_page("//evil.example"));
    }
}
