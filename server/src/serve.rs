//! `latchkey serve` and `latchkey migrate`: start and stop of the real thing.
