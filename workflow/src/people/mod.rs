//! People: who may come into question as an approver, signing in, and what the directory says of them.
//!
//! An account is its tenant and object id. Names, mail addresses and user names are labels: two accounts with the same
//! mail are two accounts, and nothing here ever looks one up by a label.

mod facts;

pub use facts::approval_facts;
