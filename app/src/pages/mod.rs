//! The pages: one file for each screen, and the table that leads to them.
//!
//! To add a page: its file, `mod` here, a row in [`ROUTES`]. Handlers take a [`crate::visit::Visit`], read one view of `workflow`, and
//! answer; a form posts, changes one thing through `workflow`, and leads on.

pub mod decision;
pub mod kit;
pub mod said;

mod access;
mod approvals;
mod ask;
mod audit;
mod cart;
mod catalog;
mod change;
mod conflicts;
mod deputies;
mod duties;
mod evidence;
mod exceptions;
mod findings;
pub mod fresh;
mod gallery;
mod hand_on;
mod holds;
mod home;
mod kill_switch;
mod notifications;
mod owned;
mod package;
mod parts;
mod person;
mod provisioning;
mod renewals;
mod request;
mod requests;
mod returning;
mod reviews;
mod roles;
mod search;
mod signed_out;
mod tasks;
mod team;
mod trial;
mod versions;
mod why;

use domain::person::PortalRole::{Administrator, Auditor, CatalogueOwner, Hr, Operator, Security};

use crate::routes::{Route, Who, table};

/// Every page and every form; one row per line.
#[rustfmt::skip]
pub const ROUTES: &[Route] = table! {
    GET "/" Who::SignedIn => home::show;
    GET "/catalog" Who::SignedIn => catalog::show;
    GET "/catalog/{package}" Who::SignedIn => package::show;
    GET "/request" Who::SignedIn => cart::show;
    POST "/request" Who::SignedIn => cart::send;
    POST "/request/add" Who::SignedIn => cart::add;
    GET "/request/people" Who::SignedIn => cart::people;
    GET "/request/like" Who::SignedIn => cart::like::show;
    POST "/request/like" Who::SignedIn => cart::like::add;
    GET "/request/lines/{line}" Who::Party => cart::line;
    POST "/request/lines/{line}" Who::Party => cart::keep;
    POST "/request/lines/{line}/remove" Who::Party => cart::remove;
    GET "/request/{package}" Who::SignedIn => ask::form;
    POST "/request/{package}" Who::SignedIn => ask::send;
    GET "/requests" Who::SignedIn => requests::show;
    GET "/requests/{id}" Who::Party => request::show;
    GET "/requests/{id}/evidence" Who::Party => request::evidence;
    POST "/requests/{id}/cancel" Who::Party => request::cancel;
    POST "/requests/{id}/answer" Who::Party => request::answer;
    POST "/requests/{id}/nudge" Who::Party => request::nudge;
    GET "/access" Who::SignedIn => access::show;
    GET "/access/extend" Who::SignedIn => renewals::show;
    POST "/access/extend" Who::SignedIn => renewals::send;
    GET "/access/return" Who::SignedIn => returning::show;
    POST "/access/return" Who::SignedIn => returning::send;
    GET "/access/change" Who::Party => change::show;
    POST "/access/change" Who::Party => change::send;
    GET "/access/why/{right}" Who::Party => why::show;
    POST "/access/{grant}/renewal" Who::Party => access::renewal;
    GET "/access/{grant}/extend" Who::Party => ask::more;
    POST "/access/{grant}/extend" Who::Party => ask::send_more;
    POST "/access/{grant}/return" Who::Party => access::give_back;
    GET "/approvals" Who::SignedIn => approvals::show;
    POST "/approvals" Who::SignedIn => approvals::together;
    GET "/approvals/deputies" Who::SignedIn => deputies::show;
    POST "/approvals/deputies" Who::SignedIn => deputies::post;
    POST "/approvals/deputies/{deputy}/end" Who::Party => deputies::end;
    GET "/approvals/{stage}" Who::Party => decision::show;
    POST "/approvals/{stage}" Who::Party => decision::post;
    GET "/approvals/{stage}/hand-on" Who::Party => hand_on::show;
    POST "/approvals/{stage}/hand-on" Who::Party => hand_on::post;
    POST "/approvals/{stage}/hand-back" Who::Party => hand_on::back;
    GET "/team" Who::SignedIn => team::show;
    GET "/people/{id}" Who::Party => person::show;
    POST "/people/{id}/sign-out" Who::Roles(&[Security, Hr]) => person::end_sessions;
    GET "/people/{id}/suspend" Who::Roles(&[Security]) => kill_switch::show;
    POST "/people/{id}/suspend" Who::Roles(&[Security]) => kill_switch::stop;
    POST "/people/{id}/resume" Who::Roles(&[Security]) => kill_switch::go_on;
    GET "/owned" Who::SignedIn => owned::show;
    GET "/owned/{package}" Who::Party => owned::holders;
    GET "/tasks" Who::SignedIn => tasks::show;
    GET "/tasks/{task}" Who::Party => tasks::one;
    POST "/tasks/{task}" Who::Party => tasks::say;
    GET "/provisioning" Who::Roles(&[Operator, Administrator, Security, Auditor]) => provisioning::show;
    GET "/provisioning/{assignment}" Who::Roles(&[Operator, Administrator, Security, Auditor]) => provisioning::one;
    POST "/provisioning/{assignment}/retry" Who::Roles(&[Operator]) => provisioning::retry;
    POST "/provisioning/mails/{message}/send" Who::Roles(&[Operator]) => provisioning::send_again;
    POST "/provisioning/posts/{post}/send" Who::Roles(&[Operator]) => provisioning::post_again;
    GET "/provisioning/targets/{target}" Who::Roles(&[Operator, Administrator, Security, Auditor]) => provisioning::target;
    POST "/provisioning/restore/go-on" Who::Roles(&[Operator]) => provisioning::reconcile;
    POST "/provisioning/targets/{target}/scan" Who::Roles(&[Operator]) => provisioning::scan;
    POST "/provisioning/scans/{right}/go-on" Who::Roles(&[Operator]) => provisioning::go_on;
    POST "/provisioning/targets/{target}/pause" Who::Roles(&[Operator]) => provisioning::pause;
    POST "/provisioning/targets/{target}/resume" Who::Roles(&[Operator]) => provisioning::resume;
    GET "/audit" Who::Roles(&[Auditor, Security, Administrator]) => audit::show;
    GET "/audit/{seq}" Who::Roles(&[Auditor, Security, Administrator]) => audit::entry;
    GET "/audit/export.jsonl" Who::Roles(&[Auditor, Security]) => audit::json_lines;
    GET "/audit/export.csv" Who::Roles(&[Auditor, Security]) => audit::csv;
    GET "/evidence" Who::Roles(&[Auditor, Security]) => evidence::show;
    GET "/evidence/population.csv" Who::Roles(&[Auditor, Security]) => evidence::population_csv;
    GET "/evidence/changes" Who::Roles(&[Auditor, Security]) => evidence::changes;
    GET "/evidence/changes.csv" Who::Roles(&[Auditor, Security]) => evidence::changes_csv;
    GET "/admin/holds" Who::Roles(&[Hr, Administrator, Security, Auditor]) => holds::show;
    POST "/admin/holds/{hold}/confirm" Who::Roles(&[Hr, Administrator]) => holds::confirm;
    POST "/admin/holds/{hold}/dismiss" Who::Roles(&[Hr, Administrator]) => holds::dismiss;
    GET "/admin/roles" Who::Roles(&[Administrator, Security, Auditor]) => roles::show;
    GET "/admin/conflicts" Who::Roles(&[Security, Auditor, Administrator, CatalogueOwner]) => conflicts::show;
    GET "/admin/conflicts/{rule}" Who::Party => conflicts::one;
    GET "/findings" Who::SignedIn => findings::show;
    GET "/findings/{finding}" Who::Party => findings::one;
    POST "/findings/{finding}" Who::Party => findings::act;
    GET "/exceptions" Who::SignedIn => exceptions::show;
    GET "/exceptions/new/{rule}/{person}" Who::Party => exceptions::form;
    POST "/exceptions/new/{rule}/{person}" Who::Party => exceptions::send;
    GET "/exceptions/{exception}" Who::Party => exceptions::one;
    POST "/exceptions/{exception}" Who::Party => exceptions::say;
    GET "/reviews" Who::SignedIn => reviews::show;
    POST "/reviews" Who::Roles(&[Security]) => reviews::make;
    POST "/reviews/questions/{item}" Who::Party => reviews::reply;
    GET "/reviews/{campaign}" Who::Party => reviews::one;
    POST "/reviews/{campaign}" Who::Party => reviews::act;
    GET "/reviews/{campaign}/items" Who::Party => reviews::worklist;
    POST "/reviews/{campaign}/items" Who::Party => reviews::together;
    GET "/reviews/{campaign}/items/{item}" Who::Party => reviews::item;
    POST "/reviews/{campaign}/items/{item}" Who::Party => reviews::answer;
    GET "/reviews/{campaign}/report" Who::Party => reviews::report;
    GET "/reviews/{campaign}/report.csv" Who::Party => reviews::csv;
    GET "/reviews/{campaign}/report.jsonl" Who::Party => reviews::json_lines;
    GET "/admin/versions" Who::Roles(&[Administrator, CatalogueOwner, Security, Auditor]) => versions::show;
    GET "/admin/versions/{id}" Who::Roles(&[Administrator, CatalogueOwner, Security, Auditor]) => versions::one;
    POST "/admin/versions/{id}/confirm" Who::Roles(&[Administrator, CatalogueOwner]) => versions::confirm;
    POST "/admin/versions/{id}/refuse" Who::Roles(&[Administrator, CatalogueOwner]) => versions::refuse;
    GET "/notifications" Who::SignedIn => notifications::show;
    POST "/notifications" Who::SignedIn => notifications::choose;
    GET "/search" Who::SignedIn => search::show;
    GET "/signed-out" Who::Anyone => signed_out::show;
    GET "/trial" Who::SignedIn => trial::show;
    POST "/trial/skip" Who::SignedIn => trial::skip;
    GET "/gallery" Who::SignedIn => gallery::show;
    POST "/trial/fault" Who::SignedIn => trial::fault;
    // Last: the tests walk the table in its order, and whoever sends this is signed out.
    POST "/sign-out/everywhere" Who::SignedIn => person::sign_out_everywhere;
};

#[cfg(test)]
mod acting_tests;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
