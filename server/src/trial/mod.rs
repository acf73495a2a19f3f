//! `latchkey trial`.
