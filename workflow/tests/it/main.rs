//! The use cases on both engines: asking, deciding, holding, ending, and what the database itself refuses.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod acting;
mod acting_races;
mod asking;
mod break_glass;
mod bypass;
mod cart;
mod catalogue;
mod conversing;
mod deciding;
mod duties;
mod extending;
mod fresh;
mod grouping;
mod handing_on;
mod holding;
mod leaving;
mod mass;
mod model;
mod moving;
mod parallel;
mod people;
mod powers;
mod publishing;
mod races;
mod reviewing;
mod seating;
mod silence;
mod standing_in;
mod statements;
mod stopping;
mod suggesting;
mod support;
mod tamper;
mod telling;
mod together;
