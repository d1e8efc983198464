//! The rows of C§7, one test each, named after its row: what its tolerant reading promises to a reader of the views.

mod arrival;
mod ids_and_amounts;
mod states;
mod strangers;
mod texts_and_times;
