//! What is sent: a file's exact bytes, or a built-in sample, with members set on the command line.

use std::io::Read as _;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use jodo_shared::contract::KnownCode;
use serde_json::Value;
use uuid::Uuid;

use crate::samples::sample;

/// `path=value` from the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Names of members and places in lists, from the outermost.
    path: Vec<String>,
    /// JSON, where it can be read as such; else text.
    value: Value,
}

impl FromStr for Assignment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (path, value) = text.split_once('=').ok_or("must be PATH=VALUE")?;
        let path: Vec<_> = path.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err("must begin with a path such as payload.student.identifier");
        }
        Ok(Self { path, value: serde_json::from_str(value).unwrap_or_else(|_| value.into()) })
    }
}

impl Assignment {
    /// Sets the member; objects on the way there are made, lists grow by one at their end.
    fn apply(&self, root: &mut Value) -> anyhow::Result<()> {
        let mut place = root;
        for step in &self.path {
            if place.is_null() {
                *place = Value::Object(serde_json::Map::new());
            }
            place = match place {
                Value::Object(members) => members.entry(step).or_insert(Value::Null),
                Value::Array(items) => {
                    let index: usize = step
                        .parse()
                        .with_context(|| format!("--set {}: {step} is no place in a list", self.name()))?;
                    if index == items.len() {
                        items.push(Value::Null);
                    }
                    items
                        .get_mut(index)
                        .with_context(|| format!("--set {}: the list is shorter", self.name()))?
                }
                _ => bail!("--set {}: {step} would be inside of a value that has no members", self.name()),
            };
        }
        *place = self.value.clone();
        Ok(())
    }

    fn name(&self) -> String {
        self.path.join(".")
    }
}

/// The body of one delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Whether it is one of our inventions.
    pub(crate) built_in: bool,
}

impl Input {
    /// What `what` names, with the assignments applied: a known code is its built-in sample, which is given an
    /// `event_id` of its own and the time `now`, so that each send is a new event; anything else is a file, and
    /// without assignments its bytes stay as they are.
    ///
    /// # Errors
    /// When there is no such file, or an assignment does not fit.
    pub(crate) fn make(what: &str, assignments: &[Assignment], now: Timestamp) -> anyhow::Result<Self> {
        let sample = what.parse::<KnownCode>().ok().and_then(sample);
        if let Some(sample) = sample {
            let mut body: Value = serde_json::from_str(sample).context("the built-in sample is no JSON")?;
            body["event_id"] = Uuid::new_v4().to_string().into();
            body["timestamp"] = now.as_second().into();
            return Ok(Self { bytes: edited(body, assignments)?, built_in: true });
        }
        let bytes = read_bytes(what).context("not one of the built-in samples, so it must be a file")?;
        if assignments.is_empty() {
            return Ok(Self { bytes, built_in: false });
        }
        let body = serde_json::from_slice(&bytes)
            .with_context(|| format!("--set needs JSON, which {what} is not"))?;
        Ok(Self { bytes: edited(body, assignments)?, built_in: false })
    }
}

fn edited(mut body: Value, assignments: &[Assignment]) -> anyhow::Result<Vec<u8>> {
    assignments.iter().try_for_each(|one| one.apply(&mut body))?;
    Ok(serde_json::to_vec(&body)?)
}

/// The bytes of a file, or of standard input for `-`.
///
/// # Errors
/// Which file, and what the system says.
pub(crate) fn read_bytes(file: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).context("standard input")?;
    } else {
        bytes = std::fs::read(file).with_context(|| file.to_owned())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn assign(text: &str) -> Assignment {
        text.parse().unwrap()
    }

    #[test]
    fn a_member_is_set_wherever_it_is_and_its_value_is_json_or_text() {
        let mut body = json!({"payload": {"student": {"identifier": "A"}, "details": [{"amount": 1}]}});
        for text in [
            "payload.student.identifier=007",
            "payload.student.grade.name=Class 9 B",
            "payload.details.0.amount=\"15.50\"",
            "payload.details.1=null",
            "payload.jodo_student_id=[1, {\"a\": true}]",
            "event=a=b",
        ] {
            assign(text).apply(&mut body).unwrap();
        }
        let expected = json!({
            "event": "a=b",
            "payload": {
                "student": {"identifier": "007", "grade": {"name": "Class 9 B"}},
                "details": [{"amount": "15.50"}, null],
                "jodo_student_id": [1, {"a": true}],
            },
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn an_assignment_that_does_not_fit_says_which_one_it_is() {
        for text in ["payload", "=x", "a..b=x"] {
            assert!(text.parse::<Assignment>().is_err(), "{text}");
        }
        for text in ["event.x=1", "list.2=1", "list.x=1"] {
            let mut body = json!({"event": "a", "list": [0]});
            let error = assign(text).apply(&mut body).unwrap_err();
            assert!(error.to_string().contains(text.split('=').next().unwrap()), "{error}");
        }
    }

    #[test]
    fn each_sample_is_a_new_event_unless_the_command_line_says_otherwise() {
        let now = Timestamp::from_second(1_785_753_715).unwrap();
        let [one, other] = [1, 2].map(|_| Input::make("direct.payment.added", &[], now).unwrap());
        assert_ne!(one.bytes, other.bytes);
        let body: Value = serde_json::from_slice(&one.bytes).unwrap();
        assert_eq!(body["timestamp"], 1_785_753_715);
        assert_eq!(body["payload"]["payment"]["id"], "direct_40177");

        let fixed = [assign("event_id=mine"), assign("timestamp=5")];
        let [one, other] = [1, 2].map(|_| Input::make("direct.payment.added", &fixed, now).unwrap());
        assert_eq!(one, other);
        assert!(one.built_in);
    }

    #[test]
    fn a_file_is_sent_byte_for_byte() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"\xff not JSON \n").unwrap();
        let name = file.path().to_str().unwrap();
        let input = Input::make(name, &[], Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(input, Input { bytes: b"\xff not JSON \n".to_vec(), built_in: false });
        assert!(Input::make(name, &[assign("a=1")], Timestamp::UNIX_EPOCH).is_err());
    }
}
