//! What is read from where.

use std::fs;

use jodo_shared::config::{Config, Environment, LogFormat, Needs, OnBadSignature};
use secrecy::{ExposeSecret, SecretString};

use super::read;

fn shown(secrets: &[SecretString]) -> Vec<&str> {
    secrets.iter().map(ExposeSecret::expose_secret).collect()
}

#[test]
fn the_embedded_defaults_are_complete_and_hold_one_source() {
    let config = Config::from_parts(Needs::Nothing, None, [("PATH", "/bin")]).unwrap();
    assert_eq!(config.sources.len(), 1);
    let (name, source) = config.sources.first_key_value().unwrap();
    assert_eq!((name.as_str(), source.path.as_str()), ("jodo", "/webhooks/jodo"));
    assert_eq!((source.target.as_str(), source.tenant.as_str()), ("main", "main"));
    assert_eq!(source.time_zone.iana_name(), Some("Asia/Kolkata"));
    assert_eq!((source.environment, source.strict), (Environment::Production, false));
    assert_eq!(source.on_bad_signature, OnBadSignature::Hold);
    assert_eq!((source.hold_limit.deliveries, source.hold_limit.bytes), (10_000, 64 << 20));
    assert_eq!((config.ingress.max_body, config.retention.bodies_days), (4 << 20, 400));
    assert!(config.broker.is_none() && config.redis.is_none() && config.erp.is_empty());
}

#[test]
fn the_reference_file_read_as_a_users_own_file_changes_nothing() {
    let reference = include_str!("../../../deploy/config.default.toml");
    let with = read(Needs::Nothing, reference, &[]).unwrap();
    assert_eq!(with.redacted(), read(Needs::Nothing, "", &[]).unwrap().redacted());
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = "[ingress]\nlisten = '127.0.0.1:81'\nmax_body = 2048\n[log]\nformat = 'json'\n[sources.jodo]\nallow = ['10.0.0.1']";
    let environment = [
        ("JODO_SYNC__INGRESS__LISTEN", "127.0.0.1:82"),
        ("JODO_SYNC__SOURCES__JODO__ALLOW", r#"["192.168.7.9/16", "::1"]"#),
        ("JODO_SYNC__SOURCES__JODO__STRICT", "true"),
        ("JODO_SYNC__WORKER__PIPELINES", "3"),
        ("JODO_SYNC__INGRESS__PRIVATE_URL", "http://ingress:9180"),
        ("JODO_SYNC_CONFIG", "not looked at here"),
    ];
    let config = read(Needs::Nothing, file, &environment).unwrap();
    assert_eq!(config.ingress.listen.port(), 82);
    assert_eq!(config.ingress.max_body, 2048);
    assert_eq!(config.ingress.private_url.unwrap().as_str(), "http://ingress:9180/");
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.worker.pipelines, 3);
    let source = config.sources.values().next().unwrap();
    assert!(source.strict);
    let allow: Vec<String> = source.allow.iter().map(ToString::to_string).collect();
    assert_eq!(allow, ["192.168.0.0/16", "::1/128"]);
}

#[test]
fn a_program_reads_no_files_that_are_for_another() {
    let away = "broker.url = 'amqp://h'\nredis.url = 'redis://h'\nerp.main.url_file = '/nowhere/erp'\n\
                sources.jodo.secrets_file = '/nowhere/secrets'\n\
                sources.jodo.header = { name = 'x-school', value_file = '/nowhere/header' }";
    let names = |needs| {
        let mistakes = read(needs, away, &[]).unwrap_err().to_string();
        ["erp.main.url_file", "sources.jodo.secrets_file", "sources.jodo.header.value_file"]
            .map(|name| mistakes.contains(name))
    };
    assert_eq!(names(Needs::Ingress), [false, true, true]);
    assert_eq!(names(Needs::Worker), [true, false, false]);
    assert_eq!(names(Needs::Nothing), [true, true, true]);
    assert!(read(Needs::HealthCheck, away, &[]).is_ok());
    let here =
        "broker.url = 'amqp://h'\nerp.main.url = 'sqlite:x'\nsources.jodo.secrets_file = '/nowhere/secrets'";
    assert!(read(Needs::Worker, here, &[]).unwrap().sources.values().all(|source| source.secrets.is_empty()));
}

#[test]
fn traces_are_off_until_a_receiver_is_named_and_their_sample_is_a_fraction_in_any_form() {
    let off = read(Needs::Nothing, "", &[]).unwrap().traces;
    assert_eq!((off.otlp_url, off.sample.fraction()), (None, 0.01));
    let environment =
        [("JODO_SYNC__TRACES__OTLP_URL", "http://tempo:4318"), ("JODO_SYNC__TRACES__SAMPLE", "0.5")];
    let on = read(Needs::Nothing, "traces.sample = 1", &environment).unwrap();
    assert_eq!(on.traces.otlp_url.as_deref(), Some("http://tempo:4318"));
    assert_eq!(on.traces.sample.fraction(), 0.5);
    assert!(on.redacted().contains(r#"otlp_url = "http://tempo:4318""#));
    assert_eq!(read(Needs::Nothing, "traces.sample = 1", &[]).unwrap().traces.sample.fraction(), 1.0);
}

#[test]
fn text_from_the_environment_stays_as_it_is() {
    let environment = [
        ("JODO_SYNC__SOURCES__JODO__TENANT", "007"),
        ("JODO_SYNC__SOURCES__JODO__SECRETS", "true"),
        ("JODO_SYNC__SOURCES__JODO__HEADER__NAME", "X-Token"),
        ("JODO_SYNC__SOURCES__JODO__HEADER__VALUE", "1e3"),
        ("JODO_SYNC__REDIS__URL", "redis://localhost"),
        ("JODO_SYNC__REDIS__PREFIX", "0x10"),
    ];
    let config = read(Needs::Nothing, "", &environment).unwrap();
    let source = config.sources.values().next().unwrap();
    assert_eq!(source.tenant.as_str(), "007");
    assert_eq!(shown(&source.secrets), ["true"]);
    let header = source.header.as_ref().unwrap();
    assert_eq!((header.name.as_str(), header.value.expose_secret()), ("x-token", "1e3"));
    assert_eq!(config.redis.unwrap().prefix, "0x10");
}

#[test]
fn secrets_are_a_json_list_or_one_bare_secret_and_the_presets_are_addresses() {
    for (text, secrets) in [(r#"["a","b"]"#, vec!["a", "b"]), ("a,b", vec!["a,b"]), (" a", vec![" a"])] {
        let environment =
            [("JODO_SYNC__SOURCES__JODO__SECRETS", text), ("JODO_SYNC__SOURCES__JODO__ALLOW", "jodo-uat")];
        let config = read(Needs::Nothing, "", &environment).unwrap();
        let source = config.sources.values().next().unwrap();
        assert_eq!(shown(&source.secrets), secrets);
        assert_eq!(source.allow.len(), 3);
        assert_eq!(source.allow[0].to_string(), "3.108.86.33/32");
    }
}

#[test]
fn secrets_and_urls_come_from_files_and_a_later_layer_replaces_either_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (secrets, url) = (file("secrets", "one\r\n two \n"), file("url", "amqp://u:p@host/%2f\n"));
    let value = file("value", "abc\n");
    let toml = format!(
        "broker.url_file = '{url}'\nredis.url = 'redis://old'\nerp.main.url_file = 'missing'\n\
         [sources.jodo]\nsecrets_file = '{secrets}'\nheader = {{ name = 'x-a', value_file = '{value}' }}"
    );
    let redis = file("redis", "rediss://new");
    let environment = [
        ("JODO_SYNC__REDIS__URL_FILE", redis.as_str()),
        ("JODO_SYNC__ERP__MAIN__URL", "postgres://h/d"),
        ("JODO_SYNC__ERP__MAIN__MAX_EVENTS_PER_SECOND", "250"),
    ];
    let config = read(Needs::Nothing, &toml, &environment).unwrap();
    assert_eq!(config.broker.unwrap().url.expose_secret(), "amqp://u:p@host/%2f");
    assert_eq!(config.redis.unwrap().url.expose_secret(), "rediss://new");
    let erp = config.erp.values().next().unwrap();
    assert_eq!((erp.url.expose_secret(), erp.max_events_per_second), ("postgres://h/d", 250));
    let source = config.sources.values().next().unwrap();
    assert_eq!(shown(&source.secrets), ["one", " two "]);
    assert_eq!(source.header.as_ref().unwrap().value.expose_secret(), "abc");
}

#[test]
fn a_configured_source_takes_the_place_of_the_default_one_and_inherits_from_it() {
    let config = read(Needs::Nothing, "[sources.north_2]\ntenant = 'n'", &[]).unwrap();
    let (name, source) = config.sources.first_key_value().unwrap();
    assert_eq!((config.sources.len(), name.as_str()), (1, "north_2"));
    assert_eq!((source.path.as_str(), source.tenant.as_str()), ("/webhooks/north_2", "n"));
    assert_eq!(source.hold_limit.deliveries, 10_000);

    let both =
        [("JODO_SYNC__SOURCES__JODO__STRICT", "true"), ("JODO_SYNC__SOURCES__NORTH__HOLD_LIMIT__BYTES", "0")];
    let config = read(Needs::Nothing, "", &both).unwrap();
    let names: Vec<&str> = config.sources.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["jodo", "north"]);
    let limit = config.sources.values().last().unwrap().hold_limit;
    assert_eq!((limit.deliveries, limit.bytes), (10_000, 0));
}

#[test]
fn each_program_requires_only_what_it_uses() {
    let (broker, erp) = ("broker.url = 'amqp://h'\n", "erp.main.url = 'postgres://h/d'\n");
    let secrets = "sources.jodo.secrets = 'a'\n";
    let header = "sources.jodo.header = { name = 'x-a', value = 'b' }\n";
    assert!(read(Needs::Ingress, &format!("{broker}{secrets}"), &[]).is_ok());
    assert!(read(Needs::Ingress, &format!("{broker}{header}"), &[]).is_ok());
    assert!(read(Needs::Worker, &format!("{broker}{erp}"), &[]).is_ok());
    assert!(read(Needs::Operator, erp, &[]).is_ok());
    assert!(read(Needs::Nothing, "", &[]).is_ok());
    // A worker for one target needs no other target's database.
    let two = "erp.south.url = 'postgres://h/d'\nworker.targets = 'south'\n[sources.a]\n[sources.b]\ntarget = 'south'";
    assert!(read(Needs::Worker, &format!("{broker}{two}"), &[]).is_ok());
}

#[test]
fn the_redacted_text_shows_neither_passwords_nor_secrets() {
    let file = "
        [broker]
        url = 'amqp://guest:canary@rabbit:5673/%2f?heartbeat=canary'
        [redis]
        url = 'redis://canary@cache/1'
        [erp.main]
        url = 'postgres://erp:canary@db/erp'
        [sources.jodo]
        secrets = ['canary', 'canary2']
        header = { name = 'x-token', value = 'canary' }";
    let config = read(Needs::Worker, file, &[]).unwrap();
    let text = config.redacted();
    assert!(!text.contains("canary"), "{text}");
    for shown in [
        r#"url = "amqp://guest:[redacted]@rabbit:5673/%2f?[redacted]""#,
        r#"url = "redis://[redacted]@cache/1""#,
        r#"url = "postgres://erp:[redacted]@db/erp""#,
        r#"secrets = ["[redacted]", "[redacted]"]"#,
        r#"time_zone = "Asia/Kolkata""#,
        "confirm_timeout_ms = 1000",
    ] {
        assert!(text.contains(shown), "{shown} is not in\n{text}");
    }
    assert!(!format!("{config:?}").contains("canary"));
}

/// The environment belongs to the whole process, so each case is a run of this test in a child process.
#[test]
fn load_reads_the_named_file_and_a_missing_one_is_an_error() {
    const CHILD: &str = "EXPECTED_OF_LOAD";
    if let Ok(expected) = std::env::var(CHILD) {
        let found = match Config::load(Needs::Nothing) {
            Ok(config) => config.worker.pipelines.to_string(),
            Err(errors) => errors.to_string(),
        };
        assert_eq!(found, expected);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (good, missing) = (folder.path().join("good.toml"), folder.path().join("missing.toml"));
    fs::write(&good, "worker.pipelines = 7").unwrap();
    let unreadable = "the configuration cannot be used:\n  JODO_SYNC_CONFIG: names a file that cannot be read \
                      (entity not found)";
    let name = "reading::load_reads_the_named_file_and_a_missing_one_is_an_error";
    for (file, variable, expected) in [
        (&good, "UNRELATED", "7"),
        (&good, "JODO_SYNC__WORKER__PIPELINES", "9"),
        (&missing, "UNRELATED", unreadable),
    ] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args([name, "--exact"]).env("JODO_SYNC_CONFIG", file).env(variable, "9").env(CHILD, expected);
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
