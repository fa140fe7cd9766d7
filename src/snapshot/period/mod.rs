//! Calendar periods: `2025-10`, `2025-Q3`, `FY2025-H1`, `-6m`, and the instants they end at.
