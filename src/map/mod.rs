//! 3. Text to typed variables by declarative mappings.
