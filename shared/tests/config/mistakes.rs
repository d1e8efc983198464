//! Mistakes: each is told by its key, and no value is shown.

use std::fs;

use jodo_shared::config::{Config, Needs};

use super::{Variables, read};

/// One way to get it wrong: the file, the environment, and the key that the error must name.
type Wrong = (&'static str, Variables<'static>, &'static str);

/// `canary` stands in every value that must not be shown.
const WRONG: &[Wrong] = &[
    // Layers.
    ("secret = \"canary", &[], "JODO_SYNC_CONFIG"),
    ("a = canary", &[], "JODO_SYNC_CONFIG"),
    ("a = 'canary'\na = 'canary'", &[], "JODO_SYNC_CONFIG"),
    ("", &[("JODO_SYNC__BROKER", "canary"), ("JODO_SYNC__BROKER__URL", "amqp://canary")], "broker.url"),
    ("", &[("JODO_SYNC__BROKER____URL", "canary")], "broker..url"),
    ("", &[("JODO_SYNC__broker__URL", "canary")], "broker.url"),
    // Unknown keys.
    ("canaries = 'canary'", &[], "canaries"),
    ("[ingress]\nport = 'canary'", &[], "ingress.port"),
    ("[worker]\nport = 'canary'", &[], "worker.port"),
    ("[broker]\nuri = 'canary'", &[], "broker.uri"),
    ("[redis]\nuri = 'canary'", &[], "redis.uri"),
    ("[erp.main]\nuri = 'canary'\nurl = 'postgres://h/d'", &[], "erp.main.uri"),
    ("[sources.jodo]\nsecret = 'canary'", &[], "sources.jodo.secret"),
    (
        "[sources.jodo]\nheader = { key = 'canary', name = 'x-a', value = 'b' }",
        &[],
        "sources.jodo.header.key",
    ),
    ("[sources.jodo]\nhold_limit = { day = 'canary' }", &[], "sources.jodo.hold_limit.day"),
    ("[log]\nlevel = 'canary'", &[], "log.level"),
    ("", &[("JODO_SYNC__SOURCES__JODO__SECRET", "canary")], "sources.jodo.secret"),
    ("", &[("JODO_SYNC__CANARIES", "canary")], "canaries"),
    // No section.
    ("ingress = 'canary'", &[], "ingress"),
    ("erp = 'canary'", &[], "erp"),
    ("erp.main = 'canary'", &[], "erp.main"),
    ("sources = 'canary'", &[], "sources"),
    ("sources.jodo = 'canary'", &[], "sources.jodo"),
    ("sources.jodo.header = 'canary'", &[], "sources.jodo.header"),
    ("", &[("JODO_SYNC__SOURCES__JODO__HOLD_LIMIT", "canary")], "sources.jodo.hold_limit"),
    // Types.
    ("ingress.listen = 'canary'", &[], "ingress.listen"),
    ("ingress.private_listen = 'canary:1'", &[], "ingress.private_listen"),
    ("ingress.private_url = 'http://u:canary@h:1'", &[], "ingress.private_url"),
    ("ingress.private_url = 'canary:9180'", &[], "ingress.private_url"),
    ("worker.private_listen = 'canary'", &[], "worker.private_listen"),
    ("ingress.spool_dir = ''", &[], "ingress.spool_dir"),
    ("ingress.spool_dir = ['canary']", &[], "ingress.spool_dir"),
    ("ingress.max_body = '4 canary'", &[], "ingress.max_body"),
    ("ingress.max_bytes_in_flight = 'canary'", &[], "ingress.max_bytes_in_flight"),
    ("ingress.body_timeout_s = 'canary'", &[], "ingress.body_timeout_s"),
    ("ingress.max_connections = 'canary'", &[], "ingress.max_connections"),
    ("ingress.drain_s = 1.5", &[], "ingress.drain_s"),
    ("worker.targets = [5]", &[], "worker.targets"),
    ("worker.targets = 'Canary'", &[], "worker.targets"),
    ("", &[("JODO_SYNC__WORKER__TARGETS", "[canary")], "worker.targets"),
    ("sources.jodo.strict = 'canary'", &[], "sources.jodo.strict"),
    ("sources.jodo.tenant = 7", &[], "sources.jodo.tenant"),
    ("sources.jodo.environment = 'canary'", &[], "sources.jodo.environment"),
    ("sources.jodo.on_bad_signature = 'canary'", &[], "sources.jodo.on_bad_signature"),
    ("sources.jodo.time_zone = 'Canary/Islands'", &[], "sources.jodo.time_zone"),
    ("sources.jodo.ignore = ['', 'canary']", &[], "sources.jodo.ignore"),
    ("log.format = 'canary'", &[], "log.format"),
    ("log.filter = 'canary=canary'", &[], "log.filter"),
    // Ranges.
    ("ingress.max_body = 1", &[], "ingress.max_body"),
    ("ingress.max_body = '17 MiB'", &[], "ingress.max_body"),
    ("ingress.max_body = '99999999999999999 GiB'", &[], "ingress.max_body"),
    ("ingress.max_bytes_in_flight = '2 MiB'", &[], "ingress.max_bytes_in_flight"),
    ("ingress.body_timeout_s = 0", &[], "ingress.body_timeout_s"),
    ("ingress.max_connections = -1", &[], "ingress.max_connections"),
    ("ingress.drain_s = 0", &[], "ingress.drain_s"),
    ("worker.pipelines = 65", &[], "worker.pipelines"),
    ("worker.batch_messages = 10_001", &[], "worker.batch_messages"),
    ("worker.batch_bytes = 0", &[], "worker.batch_bytes"),
    ("worker.batch_wait_ms = 60_000", &[], "worker.batch_wait_ms"),
    ("worker.drain_s = 100_000", &[], "worker.drain_s"),
    ("broker.confirm_timeout_ms = 1", &[], "broker.confirm_timeout_ms"),
    ("redis.remember_days = 0", &[], "redis.remember_days"),
    ("retention.bodies_days = 29", &[], "retention.bodies_days"),
    ("[erp.main]\nurl = 'postgres://h/d'\nmax_events_per_second = -1", &[], "erp.main.max_events_per_second"),
    ("sources.jodo.hold_limit.deliveries = -5", &[], "sources.jodo.hold_limit.deliveries"),
    ("sources.jodo.hold_limit.bytes = '65 GiB'", &[], "sources.jodo.hold_limit.bytes"),
    // URLs.
    ("broker.url = 'canary'", &[], "broker.url"),
    ("broker.url = 'http://u:canary@h'", &[], "broker.url"),
    ("broker.url = 'amqp://u:canary/x@h/v'", &[], "broker.url"),
    ("broker.url = 'amqp://u:1?canary@h/v'", &[], "broker.url"),
    ("broker.url = 'amqp://u:1#canary@h/v'", &[], "broker.url"),
    ("broker.url = 'amqp:///canary'", &[], "broker.url"),
    ("redis.url = 'amqp://u:canary@h'", &[], "redis.url"),
    ("redis.prefix = 'ca nary'", &[], "redis.prefix"),
    ("erp.main.url = 'mysql://u:canary@h/d'", &[], "erp.main.url"),
    ("", &[("JODO_SYNC__ERP__MAIN__URL", "")], "erp.main.url"),
    ("[erp.main]", &[], "erp.main.url"),
    // Files.
    ("broker.url_file = '/canary/missing'", &[], "broker.url_file"),
    ("redis.url_file = 5", &[], "redis.url_file"),
    ("erp.main.url_file = '/canary'", &[], "erp.main.url_file"),
    ("sources.jodo.secrets_file = '/canary'", &[], "sources.jodo.secrets_file"),
    ("sources.jodo.header = { name = 'x-a', value_file = '/canary' }", &[], "sources.jodo.header.value_file"),
    ("broker.url = 'amqp://canary'\nbroker.url_file = 'canary'", &[], "broker.url_file"),
    ("ingress.listen_file = 'canary'", &[], "ingress.listen_file"),
    ("", &[("JODO_SYNC__BROKER__URL_FILE", "/canary")], "broker.url_file"),
    // Names.
    ("[erp.\"ca-nary\"]\nurl = 'postgres://canary/d'", &[], "erp.ca-nary"),
    ("[sources.Nort]\ntenant = 'canary'", &[], "sources.Nort"),
    ("sources.jodo.tenant = 'canary canary'", &[], "sources.jodo.tenant"),
    ("sources.jodo.target = 'canary-x'", &[], "sources.jodo.target"),
    // Paths.
    ("sources.jodo.path = 'canary'", &[], "sources.jodo.path"),
    ("sources.jodo.path = '/canary?a=b'", &[], "sources.jodo.path"),
    ("sources.jodo.path = '/canary/{id}'", &[], "sources.jodo.path"),
    ("sources.jodo.path = '/canary/'", &[], "sources.jodo.path"),
    ("sources.jodo.path = '/canary/../x'", &[], "sources.jodo.path"),
    ("sources.jodo.path = '/livez'", &[], "sources.jodo.path"),
    ("[sources.a]\npath = '/canary'\n[sources.b]\npath = '/canary'", &[], "sources.b.path"),
    ("[sources.a]\npath = '/webhooks/b'\n[sources.b]", &[], "sources.b.path"),
    // Proofs of the sender.
    ("sources.jodo.secrets = []", &[], "sources.jodo.secrets"),
    ("sources.jodo.secrets = ''", &[], "sources.jodo.secrets"),
    ("sources.jodo.secrets = ['canary', '']", &[], "sources.jodo.secrets"),
    ("sources.jodo.secrets = [['canary']]", &[], "sources.jodo.secrets"),
    ("", &[("JODO_SYNC__SOURCES__JODO__SECRETS", "['canary']")], "sources.jodo.secrets"),
    ("sources.jodo.header = { name = 'x-a' }", &[], "sources.jodo.header.value"),
    ("sources.jodo.header = { value = 'canary' }", &[], "sources.jodo.header.name"),
    ("sources.jodo.header = { name = 'ca nary', value = 'b' }", &[], "sources.jodo.header.name"),
    (
        "sources.jodo.header = { name = 'X-Jodo-Signature', value = 'canary' }",
        &[],
        "sources.jodo.header.name",
    ),
    ("sources.jodo.header = { name = 'x-a', value = 'canary ' }", &[], "sources.jodo.header.value"),
    ("sources.jodo.header = { name = 'x-a', value = '' }", &[], "sources.jodo.header.value"),
    ("sources.jodo.allow = ['10.0.0.1', 'canary']", &[], "sources.jodo.allow"),
    ("sources.jodo.allow = '0.0.0.0/0'", &[], "sources.jodo.allow"),
    ("sources.jodo.trusted_proxies = 'jodo-uat'", &[], "sources.jodo.trusted_proxies"),
    // Rules between sections.
    ("ingress.private_listen = '127.0.0.1:8080'", &[], "ingress.private_listen"),
    ("[sources.a]\n[sources.b]\nenvironment = 'uat'", &[], "sources.b.environment"),
];

#[test]
fn every_wrong_configuration_names_its_key_and_shows_no_value() {
    for (file, environment, key) in WRONG {
        let errors = read(Needs::Nothing, file, environment).expect_err(key);
        let keys: Vec<&str> = errors.iter().map(|error| error.key.as_str()).collect();
        assert!(keys.contains(key), "{file:?} {environment:?} named {keys:?}");
        assert!(keys.len() == 1 || *key == "broker.url", "{file:?} {environment:?} named {keys:?}");
        let text =
            format!("{errors} {errors:?}").to_lowercase().replace("canaries", "").replace("erp.ca-nary", "");
        assert!(!text.contains("canary") && !text.contains("ca nary"), "{text}");
    }
}

#[test]
fn what_a_program_needs_and_has_not_is_named() {
    let broker = "broker.url = 'amqp://h'\n";
    for (needs, file, key, words) in [
        (Needs::Ingress, "sources.jodo.secrets = 'a'", "broker.url", "is required"),
        (Needs::Ingress, broker, "sources.jodo.secrets", "or a header"),
        (Needs::Worker, "erp.main.url = 'postgres://h/d'", "broker.url", "is required"),
        (Needs::Worker, broker, "erp.main.url", "sources.jodo.target names this target"),
        (Needs::Worker, &format!("{broker}[sources.a]\ntarget = 'mian'"), "erp.mian.url", "sources.a.target"),
        (Needs::Operator, "", "erp.main.url", "is required"),
        (Needs::Operator, "worker.targets = 'south'", "erp.south.url", "worker.targets"),
    ] {
        let errors = read(needs, file, &[]).unwrap_err();
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(lines.len() == 1 && lines[0].starts_with(&format!("{key}: ")), "{lines:?}");
        assert!(lines[0].contains(words), "{lines:?}");
    }
}

#[test]
fn a_broken_file_is_located_by_line_and_column() {
    let errors = read(Needs::Nothing, "[log]\nfilter = 'a' canary\n", &[]).unwrap_err();
    assert!(
        errors.to_string().contains("JODO_SYNC_CONFIG: is not valid TOML (line 2, column 14)"),
        "{errors}"
    );
}

#[test]
fn a_secrets_file_with_nothing_or_an_empty_line_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("nothing", ""), ("blank", "a\n\n"), ("binary", "\u{0}")] {
        let path = folder.path().join(name);
        let content = if name == "binary" { vec![0xff, 0xfe] } else { content.as_bytes().to_vec() };
        fs::write(&path, content).unwrap();
        let variables = [("JODO_SYNC__SOURCES__JODO__SECRETS_FILE", path.to_str().unwrap())];
        let errors = read(Needs::Nothing, "", &variables).unwrap_err();
        let keys: Vec<&str> = errors.iter().map(|error| error.key.as_str()).collect();
        assert_eq!(keys, ["sources.jodo.secrets_file"], "{name}");
    }
}

#[test]
fn a_value_from_the_environment_that_is_no_text_names_its_key() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let value = OsString::from_vec(b"canary\xff".to_vec());
    let variables = [(OsString::from("JODO_SYNC__REDIS__URL"), value)];
    let errors = Config::from_parts(Needs::Nothing, None, variables).unwrap_err();
    assert_eq!(errors.to_string(), "the configuration cannot be used:\n  redis.url: must be UTF-8 text");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let file = "ingress.listen = 5\nlog.filter = '=='\nsources.jodo.path = 'x'\nnonsense = 1\n[erp]\nmain.url = 'mysql://h'";
    let errors = read(Needs::Ingress, file, &[("JODO_SYNC__WORKER__PIPELINES", "0")]).unwrap_err();
    let keys: Vec<&str> = errors.iter().map(|error| error.key.as_str()).collect();
    let all = [
        "broker.url",
        "erp.main.url",
        "ingress.listen",
        "log.filter",
        "nonsense",
        "sources.jodo.path",
        "sources.jodo.secrets",
        "worker.pipelines",
    ];
    assert_eq!(keys, all);
}
