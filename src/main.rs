//! The `nenrin` command: reads the command line and starts one role.

fn main() {}
