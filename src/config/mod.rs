//! Project and config files: loaded and validated once, every problem with its place.
