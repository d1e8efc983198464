//! Neither body nor secret reaches the log, at any level.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;

use crate::client::Request;
use crate::harness::{BODY, Ingress, PATH, sign};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_body_nor_secret_is_logged_at_any_level() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();

    let secret = "canary-secret";
    let header = "canary-header";
    let ingress = Ingress::with(&format!(
        "[sources.canary]\npath = \"{PATH}\"\nsecrets = [\"{secret}\"]\nallow = [\"127.0.0.1\"]\n\
         header = {{ name = \"x-school-token\", value = \"{header}\" }}"
    ));
    let event = r#"{"event_id":"e-1\nforged line","event":"direct.payment.added","payload":{"student":"canary-pupil"}}"#;
    let bodies: [&[u8]; 4] = [event.as_bytes(), b"canary-garbage", BODY, b"{\"event\":\"canary\\u0000\"}"];
    for body in bodies {
        for (signature, token) in
            [(secret, header), ("forged", header), (secret, "canary-guess"), ("forged", "x")]
        {
            let request = Request::post(PATH)
                .header("X-Jodo-Signature", &sign(signature, body))
                .header("x-school-token", token)
                .body(body);
            assert_eq!(ingress.send(request).await.status, 200);
        }
        let head = Request::post(PATH).header("X-Jodo-Signature", "canary-signature").body(body);
        ingress.send(head).await;
    }
    ingress.send(Request::post("/canary-path").body(b"canary-stranger")).await;

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for line in logged.lines().filter(|line| line.contains("canary")) {
        // The source's own name is all that may be seen.
        assert!(!line.replace("source=\"canary\"", "").contains("canary"), "{line}");
    }
    let key = jodo_shared::ids::DeliveryKey::of(&"canary".parse().unwrap(), event.as_bytes());
    let line =
        logged.lines().find(|line| line.contains("delivery accepted") && line.contains(&key.to_string()));
    let line = line.expect("one line per delivery");
    for field in [
        r#"source="canary""#,
        r#"event.code="direct.payment.added""#,
        r#"event_id="e-1\nforged line""#,
        r#"verdict="accepted""#,
        "ms=",
    ] {
        assert!(line.contains(field), "{field} is not in {line}");
    }
    for warning in ["held: it comes from a listed address", "its custom header is wrong or missing"] {
        assert!(logged.contains(warning), "{warning}");
    }
    assert!(!logged.lines().any(|line| line.starts_with("forged line")));
}
