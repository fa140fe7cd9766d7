//! 6. Two states side by side: customers won and lost, waterfall, movers, coverage.
