//! `jodo-sync sign`: for those who send with curl.

use std::io::Write;

use clap::Args;
use jodo_ingress::authenticate::SIGNATURE_HEADER;
use jodo_shared::config::Config;

use super::send::input::read_bytes;
use super::send::route::{Route, RouteArgs};
use crate::Exit;
use crate::signature::sign;

/// Arguments of `sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The file whose exact bytes are signed; `-` is standard input.
    pub file: String,
    /// Whose secret, and where to.
    #[command(flatten)]
    pub route: RouteArgs,
}

/// Prints the signature, and below it the curl line.
///
/// # Errors
/// When the file cannot be read, or there is no secret.
pub fn run(args: &SignArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let route = Route::find(&args.route, config)?;
    let signature = sign(route.needed_secret()?, &read_bytes(&args.file)?);
    writeln!(out, "{signature}\n\n{}", curl_line(&args.file, &route, &signature))?;
    Ok(Exit::Well)
}

/// A line for a POSIX shell. The custom header's value is a secret, so its place is left to the reader.
fn curl_line(file: &str, route: &Route, signature: &str) -> String {
    let mut line = format!(
        "curl --silent --show-error --include {} \\\n  --header 'Content-Type: application/json' \\\n  --header '{}: {signature}'",
        quoted(route.url.as_str()),
        SIGNATURE_HEADER.as_str(),
    );
    if let Some(header) = &route.header {
        line.push_str(&format!(" \\\n  --header {}", quoted(&format!("{}: <its value>", header.name))));
    }
    line + &format!(" \\\n  --data-binary {}", quoted(&format!("@{file}")))
}

/// Nothing is special to a shell between single quotes but the quote itself.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_file_name_does_not_end_the_argument() {
        assert_eq!(quoted("@it's $HOME.json"), r"'@it'\''s $HOME.json'");
    }
}
