//! How to run RabbitMQ.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Context as _;
use rustix::process::Signal;

use crate::binaries;
use crate::kind::Kind;
use crate::local::{Folder, Local, Program};
use crate::names::random;
use crate::ports::free_port;
use crate::ready::Handshake;

/// A RabbitMQ node with its own Erlang name server, so that nothing of it is shared with any other on this machine.
pub(crate) fn prepare(port: u16) -> anyhow::Result<Local> {
    let folder = Folder::new("rabbitmq")?;
    let (names_port, nodes_port) = (free_port(), free_port());
    write_files(&folder, port)?;
    let names = Program {
        path: binaries::epmd()
            .context("epmd, Erlang's name server, is missing: apt-get install erlang-base")?,
        args: ["-port", &names_port.to_string(), "-address", "127.0.0.1"].map(str::to_owned).to_vec(),
        env: Vec::new(),
        user: None,
        ready: (Handshake::Accepts, names_port),
    };
    let server = Program {
        path: binaries::rabbitmq().context("rabbitmq-server")?,
        args: Vec::new(),
        env: environment(&folder, names_port, nodes_port),
        user: None,
        ready: (Handshake::Speaks(Kind::RabbitMq), port),
    };
    Ok(Local::new(folder, vec![names, server], Signal::TERM))
}

fn write_files(folder: &Folder, port: u16) -> anyhow::Result<()> {
    let config = format!(
        "listeners.tcp.1 = 127.0.0.1:{port}\n\
         loopback_users = none\n\
         log.console = true\n\
         log.file = false\n\
         # A full disk of the machine that runs the tests is not what they are about.\n\
         disk_free_limit.absolute = 1MB\n"
    );
    std::fs::write(folder.path().join("rabbitmq.conf"), config)?;
    std::fs::write(folder.path().join("enabled_plugins"), "[].\n")?;
    // The password between Erlang nodes, which Erlang wants nobody else to read.
    let cookie = folder.path().join(".erlang.cookie");
    std::fs::write(&cookie, format!("{:016x}{:016x}", random(), random()))?;
    std::fs::set_permissions(cookie, Permissions::from_mode(0o400))?;
    Ok(())
}

fn environment(folder: &Folder, names_port: u16, nodes_port: u16) -> Vec<(&'static str, String)> {
    let within = |name: &str| folder.path().join(name).display().to_string();
    // With "input" allowed the start script becomes the Erlang VM instead of its parent, so that a signal to it
    // reaches the VM; `-noinput` because there is none. The name server runs already and is not to be started.
    let flags = "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}";
    vec![
        ("RABBITMQ_NODENAME", format!("jodo{:016x}@localhost", random())),
        ("RABBITMQ_DIST_PORT", nodes_port.to_string()),
        ("ERL_EPMD_PORT", names_port.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        ("RABBITMQ_ALLOW_INPUT", "true".to_owned()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", flags.to_owned()),
        ("RABBITMQ_CTL_ERL_ARGS", "-start_epmd false".to_owned()),
        ("RABBITMQ_CONF_ENV_FILE", within("no-such-file")),
        ("RABBITMQ_CONFIG_FILE", within("rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", within("no-such-file.config")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", within("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", within("data")),
        ("RABBITMQ_GENERATED_CONFIG_DIR", within("generated")),
        ("RABBITMQ_LOG_BASE", within("logs")),
        ("RABBITMQ_LOGS", "-".to_owned()),
        ("RABBITMQ_PID_FILE", within("pid")),
    ]
}
