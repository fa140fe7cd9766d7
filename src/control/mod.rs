//! The control database: checkpoints, runs, leases, held fields; one file per table.
