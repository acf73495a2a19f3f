//! The pages: one file for each screen, and the table that leads to them.
//!
//! To add a page: its file, `mod` here, a row in [`ROUTES`]. Handlers take a [`crate::visit::Visit`], read one view of `workflow`, and
//! answer; a form posts, changes one thing through `workflow`, and leads on.

pub mod said;

pub mod kit;
mod access;
mod approvals;
mod ask;
mod catalog;
mod gallery;
mod home;
mod package;
mod parts;
mod request;
mod requests;
mod search;
mod signed_out;
mod trial;

use crate::routes::{Route, Who, table};

/// Every page and every form; one row per line.
#[rustfmt::skip]
pub const ROUTES: &[Route] = table! {
    GET "/" Who::SignedIn => home::show;
    GET "/catalog" Who::SignedIn => catalog::show;
    GET "/catalog/{package}" Who::SignedIn => package::show;
    GET "/request/{package}" Who::SignedIn => ask::form;
    POST "/request/{package}" Who::SignedIn => ask::send;
    GET "/requests" Who::SignedIn => requests::show;
    GET "/requests/{id}" Who::Party => request::show;
    GET "/requests/{id}/evidence" Who::Party => request::evidence;
    POST "/requests/{id}/cancel" Who::Party => request::cancel;
    GET "/access" Who::SignedIn => access::show;
    GET "/access/{grant}/extend" Who::Party => ask::more;
    POST "/access/{grant}/extend" Who::Party => ask::send_more;
    POST "/access/{grant}/return" Who::Party => access::give_back;
    GET "/approvals" Who::SignedIn => approvals::show;
    GET "/search" Who::SignedIn => search::show;
    GET "/signed-out" Who::Anyone => signed_out::show;
    GET "/trial" Who::SignedIn => trial::show;
    POST "/trial/skip" Who::SignedIn => trial::skip;
    GET "/gallery" Who::SignedIn => gallery::show;
    POST "/trial/fault" Who::SignedIn => trial::fault;
};
