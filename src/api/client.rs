//! The only file that knows the HTTP library.
