//! The store as its callers use it.
