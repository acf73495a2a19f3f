//! The portal over HTTP: requests go into the router in this process, without sockets; only the sign-in provider is
//! reached over the network, as in life.

mod alike;
mod callbacks;
mod certified;
mod deputies;
mod doors;
mod hostile;
mod layers;
mod matrix;
mod objects;
mod racing;
mod sandboxed;
mod sessions;
mod stepping_up;
mod support;
mod talking;
mod text;
#[path = "../town/mod.rs"]
mod town;
