//! Who gives a command.

use clap::Args;
use jodo_shared::clock::now;
use jodo_worker::store::maintain::Deed;

/// The name that is written down beside what was done.
#[derive(Debug, Args)]
pub struct Who {
    /// Who does this, for the database's list of what people did.
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, default_value = "operator")]
    pub by: String,
}

impl Who {
    /// What is done now, by this person.
    pub(crate) fn deed(&self) -> Deed {
        Deed { who: self.by.clone(), at: now() }
    }
}
