//! Conversion of text to typed values; one file per type.
