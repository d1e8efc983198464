//! The student block, of which there are several (C§2).

use fastrand::Rng;

use super::calendar::END;
use super::pupil::Pupil;
use crate::spelling::{Members, list, one_in};

/// A kind of page by its student block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// Master data, and instalments of loans.
    MasterData,
    /// Set-up, change and end of a plan.
    Plan,
    /// A plan's confirmation by the bank.
    Active,
    /// A mandate.
    Mandate,
    /// A payment of any kind.
    Payment,
    /// An application for a loan.
    Loan,
}

/// How an event names its pupil.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// With the ERP's number, if there is one.
    Full,
    /// Without it; the sender's id must be said beside the block, or nobody is named.
    WithoutIdentifier,
}

/// How an event at a moment names its pupil where Jodo's integer stands beside the block. Once both were said together,
/// the ERP's number is left out now and then.
pub(super) fn naming(rng: &mut Rng, pupil: &Pupil, at: i64) -> Naming {
    if pupil.paired.get() && one_in(rng, 30) {
        return Naming::WithoutIdentifier;
    }
    // What happens after the year is not told.
    pupil.paired.set(pupil.paired.get() || at < END);
    Naming::Full
}

/// The student block of a page as things stand at a moment.
pub(super) fn block(rng: &mut Rng, pupil: &Pupil, page: Page, naming: Naming, at: i64) -> String {
    let mut block = Members::default();
    match &pupil.identifier {
        Some(identifier) if naming == Naming::Full => _ = block.text("identifier", identifier),
        _ => block.silent(rng, "identifier"),
    }
    let say = |rng: &mut Rng, block: &mut Members, name, value: Option<String>| match value {
        Some(value) if !one_in(rng, 12) => _ = block.text(name, &value),
        _ => block.silent(rng, name),
    };
    let custom = (!pupil.place.is_multiple_of(3)).then(|| format!("FORM-{}", pupil.place));
    say(rng, &mut block, "custom_identifier", custom);
    let collector = (page != Page::MasterData && !one_in(rng, 8)).then(|| "branch-1".to_owned());
    say(rng, &mut block, "collector_code", collector);
    if matches!(page, Page::Plan | Page::Mandate) {
        say(rng, &mut block, "fullname", Some(pupil.fullname.clone()));
    }
    let grade_first = matches!(page, Page::MasterData | Page::Active);
    if grade_first {
        block.put("grade", &grade(pupil, page, at));
    }
    block.put("academic_year_start", "2026").put("academic_year_end", "2027");
    if page != Page::Loan {
        say(rng, &mut block, "primary_contact_number", Some(pupil.phone(at)));
        say(rng, &mut block, "primary_contact_email", pupil.email());
    }
    if !grade_first {
        block.put("grade", &grade(pupil, page, at));
    }
    if matches!(page, Page::MasterData | Page::Mandate) {
        block.put("notes", &notes(rng, pupil));
    }
    block.done()
}

fn grade(pupil: &Pupil, page: Page, at: i64) -> String {
    let grade = pupil.grade(at);
    let (code, name) = (grade.code.as_str(), grade.name.as_str());
    let members = match page {
        Page::MasterData | Page::Active => [("code", code), ("name", name)],
        // The sender swaps the two.
        Page::Mandate => [("name", code), ("code", name)],
        _ => [("name", name), ("code", code)],
    };
    let mut grade = Members::default();
    members.iter().for_each(|(name, text)| _ = grade.text(name, text));
    grade.done()
}

fn notes(rng: &mut Rng, pupil: &Pupil) -> String {
    if one_in(rng, 6) {
        return "[]".to_owned();
    }
    list(&[note("registration_number", &format!("REG-{:04}", pupil.place)), note("house", pupil.house)])
}

/// A note of those that are a list.
pub(super) fn note(key: &str, value: &str) -> String {
    Members::default().text("key", key).text("value", value).done()
}
