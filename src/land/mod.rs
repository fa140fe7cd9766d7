//! 2. Pages to new versions: change detection, deletes, statements, proof of completeness.
