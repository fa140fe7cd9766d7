//! The current state as ordinary SQL tables.
