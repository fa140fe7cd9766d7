//! The change log on Delta: append, checkpoint, as-of; the only truth.
