//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::Exit;
use crate::commands::backup::BackupArgs;
use crate::commands::dead::DeadArgs;
use crate::commands::discard::DiscardArgs;
use crate::commands::dump::DumpArgs;
use crate::commands::events::EventsArgs;
use crate::commands::explain::ExplainArgs;
use crate::commands::import::ImportArgs;
use crate::commands::migrate::MigrateArgs;
use crate::commands::pause::PauseArgs;
use crate::commands::rebuild::RebuildArgs;
use crate::commands::recover::RecoverArgs;
use crate::commands::resume::ResumeArgs;
use crate::commands::retention::RetentionArgs;
use crate::commands::retry::RetryArgs;
use crate::commands::send::SendArgs;
use crate::commands::sign::SignArgs;
use crate::commands::simulate::SimulateArgs;
use crate::commands::status::StatusArgs;
use crate::commands::unverified::UnverifiedArgs;

const EXIT_CODES: &str = "\
Exit codes: 0 done, and all is well; 1 not done, or something needs a person; 2 wrong command line, or `status` \
cannot tell.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "jodo-sync", version, about = "Keeps a school's ERP database in step with Jodo's webhooks")]
#[command(after_help = EXIT_CODES)]
pub struct Cli {
    /// Configuration file, instead of the one that JODO_SYNC_CONFIG names; the environment overrides both.
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Folder of the one program: spool, databases, secrets.
    #[arg(long, global = true, value_name = "PATH", env = "JODO_SYNC_DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
    /// Address to take deliveries at, when everything runs in one process [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The command; without one jodo-sync runs everything in one process, for a small school.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the configuration in force, without secrets, and try every connection in it.
    Check,
    /// Bring the tables and views in the ERP databases to this version.
    Migrate(MigrateArgs),
    /// Look up events, and what became of them.
    Events(EventsArgs),
    /// Tell what happened to a pupil, payment, order, plan, loan or bank transfer, and what is so now.
    Explain(ExplainArgs),
    /// Have events tried again: those that need a person, or any others.
    Retry(Box<RetryArgs>),
    /// Throw events away that nothing can be done about.
    Discard(Box<DiscardArgs>),
    /// Bring in events that were never delivered, such as from Jodo's failure mail.
    Import(ImportArgs),
    /// Look through the deliveries whose sender was not proved, and let in those that are proved now.
    Unverified(UnverifiedArgs),
    /// Look through what RabbitMQ has given up to hand out, and put it back.
    Dead(DeadArgs),
    /// Send one signed delivery: a file, or a built-in sample.
    Send(Box<SendArgs>),
    /// Print the signature of a file, and the curl line that delivers it.
    Sign(SignArgs),
    /// Send what happens in a school that does not exist, and verify what became of it.
    Simulate(Box<SimulateArgs>),
    /// Print the rows in a form in which equal histories give equal text.
    Dump(DumpArgs),
    /// Copy the data of the one program, while it runs, into one file.
    Backup(BackupArgs),
    /// Bring back what an ERP database that was restored from a back-up has lost.
    Recover(RecoverArgs),
    /// Have the workers of an ERP database take nothing for a while; deliveries are accepted, and wait.
    Pause(PauseArgs),
    /// End a pause, and lift the brake that workers put on when too much fails.
    Resume(ResumeArgs),
    /// Make the rows that the ERP reads anew from the stored events, and tell how they differed.
    Rebuild(RebuildArgs),
    /// Remove what has been kept long enough.
    Retention(RetentionArgs),
    /// One screen: is all well, and if not, what is to be done?
    Status(StatusArgs),
}

impl Command {
    /// How the program ends when the command could not be carried out.
    pub fn exit_on_error(&self) -> Exit {
        match self {
            Self::Status(_) => Exit::CannotTell,
            _ => Exit::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_configuration_file_can_be_named_before_and_after_the_command() {
        for line in
            [["jodo-sync", "--config", "a.toml", "check"], ["jodo-sync", "check", "--config", "a.toml"]]
        {
            let cli = Cli::try_parse_from(line).unwrap();
            assert_eq!(cli.config, Some(PathBuf::from("a.toml")));
        }
    }
}
