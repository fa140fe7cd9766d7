//! `nenrin demo`: a believable company's thirteen months, lived through before the reader's eyes.

pub mod project;
