//! The `nenrin` command: reads the command line and starts one role.

use std::process::ExitCode;

use clap::Parser;
use nenrin::cli::{self, Cli};
use nenrin::error::{Error, ErrorKind};

#[global_allocator]
static ALLOCATOR: allocator::MiMalloc = allocator::MiMalloc;

fn main() -> ExitCode {
    allocator::give_back_soon();
    let cli = Cli::parse();
    let context = cli.context();
    cli.start_logging(&context);
    // Two TLS providers are linked; only one may serve, and whoever installed one first keeps it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = nenrin::runtime::build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            return cli::report(&Error::new(ErrorKind::Internal, "the program could not start").caused_by(error));
        }
    };
    runtime.block_on(cli::run(cli.command, &context)).unwrap_or_else(|error| cli::report(&error))
}
