//! SQL over states and logs.
