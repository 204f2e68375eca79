//! The documentation and the files of `contrib/` match the program.

mod commands;
mod contrib;
mod cookbook;
mod grafana;
mod manuals;
mod names;
