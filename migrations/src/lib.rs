//! The migrations of nenrin's control database; never edited once merged.
