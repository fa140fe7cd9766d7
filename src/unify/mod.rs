//! 4. Many records to one customer: evidence, links, clusters, survivorship.
