use super::*;

const SIGNATURES: [Signature; 4] =
    [Signature::Good, Signature::Wrong, Signature::Missing, Signature::NotConfigured];
const ADDRESSES: [Address; 3] = [Address::NoList, Address::Listed, Address::Unlisted];
const HEADERS: [Header; 4] = [Header::NotConfigured, Header::Good, Header::Wrong, Header::Missing];

const LENIENT: SourceRules = SourceRules { strict: false, on_bad_signature: OnBadSignature::Hold };
const STRICT: SourceRules = SourceRules { strict: true, on_bad_signature: OnBadSignature::Hold };
const REFUSING: SourceRules = SourceRules { strict: false, on_bad_signature: OnBadSignature::Refuse };
const STRICT_REFUSING: SourceRules = SourceRules { strict: true, on_bad_signature: OnBadSignature::Refuse };
const ALL_RULES: [SourceRules; 4] = [LENIENT, STRICT, REFUSING, STRICT_REFUSING];

const FINE: Verdict = Verdict::Accept(Concerns { unlisted_address: false, bad_header: false });
const UNLISTED: Verdict = Verdict::Accept(Concerns { unlisted_address: true, bad_header: false });
const BAD_HEADER: Verdict = Verdict::Accept(Concerns { unlisted_address: false, bad_header: true });
const BOTH: Verdict = Verdict::Accept(Concerns { unlisted_address: true, bad_header: true });
const HOLD: Verdict = Verdict::Hold;
const WRONG: Verdict = Verdict::Refuse(Refusal::SignatureWrong);
const MISSING: Verdict = Verdict::Refuse(Refusal::SignatureMissing);
const NO_HEADER: Verdict = Verdict::Refuse(Refusal::HeaderBad);
const NO_ADDRESS: Verdict = Verdict::Refuse(Refusal::AddressUnlisted);
const NOTHING: Verdict = Verdict::Refuse(Refusal::NothingToProve);

/// One line per signature, header and rules; the verdicts are for no list, listed, unlisted.
type Row = (Signature, Header, SourceRules, [Verdict; 3]);

#[rustfmt::skip]
const TABLE: [Row; 64] = [
    (Signature::Good, Header::NotConfigured, LENIENT,         [FINE, FINE, UNLISTED]),
    (Signature::Good, Header::NotConfigured, STRICT,          [FINE, FINE, NO_ADDRESS]),
    (Signature::Good, Header::NotConfigured, REFUSING,        [FINE, FINE, UNLISTED]),
    (Signature::Good, Header::NotConfigured, STRICT_REFUSING, [FINE, FINE, NO_ADDRESS]),
    (Signature::Good, Header::Good, LENIENT,         [FINE, FINE, UNLISTED]),
    (Signature::Good, Header::Good, STRICT,          [FINE, FINE, NO_ADDRESS]),
    (Signature::Good, Header::Good, REFUSING,        [FINE, FINE, UNLISTED]),
    (Signature::Good, Header::Good, STRICT_REFUSING, [FINE, FINE, NO_ADDRESS]),
    (Signature::Good, Header::Wrong, LENIENT,         [BAD_HEADER, BAD_HEADER, BOTH]),
    (Signature::Good, Header::Wrong, STRICT,          [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::Good, Header::Wrong, REFUSING,        [BAD_HEADER, BAD_HEADER, BOTH]),
    (Signature::Good, Header::Wrong, STRICT_REFUSING, [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::Good, Header::Missing, LENIENT,         [BAD_HEADER, BAD_HEADER, BOTH]),
    (Signature::Good, Header::Missing, STRICT,          [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::Good, Header::Missing, REFUSING,        [BAD_HEADER, BAD_HEADER, BOTH]),
    (Signature::Good, Header::Missing, STRICT_REFUSING, [NO_HEADER, NO_HEADER, NO_HEADER]),

    (Signature::Wrong, Header::NotConfigured, LENIENT,         [WRONG, HOLD, WRONG]),
    (Signature::Wrong, Header::NotConfigured, STRICT,          [WRONG, HOLD, NO_ADDRESS]),
    (Signature::Wrong, Header::NotConfigured, REFUSING,        [WRONG, WRONG, WRONG]),
    (Signature::Wrong, Header::NotConfigured, STRICT_REFUSING, [WRONG, WRONG, NO_ADDRESS]),
    (Signature::Wrong, Header::Good, LENIENT,         [WRONG, HOLD, WRONG]),
    (Signature::Wrong, Header::Good, STRICT,          [WRONG, HOLD, NO_ADDRESS]),
    (Signature::Wrong, Header::Good, REFUSING,        [WRONG, WRONG, WRONG]),
    (Signature::Wrong, Header::Good, STRICT_REFUSING, [WRONG, WRONG, NO_ADDRESS]),
    (Signature::Wrong, Header::Wrong, LENIENT,         [WRONG, HOLD, WRONG]),
    (Signature::Wrong, Header::Wrong, STRICT,          [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::Wrong, Header::Wrong, REFUSING,        [WRONG, WRONG, WRONG]),
    (Signature::Wrong, Header::Wrong, STRICT_REFUSING, [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::Wrong, Header::Missing, LENIENT,         [WRONG, HOLD, WRONG]),
    (Signature::Wrong, Header::Missing, STRICT,          [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::Wrong, Header::Missing, REFUSING,        [WRONG, WRONG, WRONG]),
    (Signature::Wrong, Header::Missing, STRICT_REFUSING, [NO_HEADER, NO_HEADER, NO_HEADER]),

    (Signature::Missing, Header::NotConfigured, LENIENT,         [MISSING, HOLD, MISSING]),
    (Signature::Missing, Header::NotConfigured, STRICT,          [MISSING, HOLD, NO_ADDRESS]),
    (Signature::Missing, Header::NotConfigured, REFUSING,        [MISSING, MISSING, MISSING]),
    (Signature::Missing, Header::NotConfigured, STRICT_REFUSING, [MISSING, MISSING, NO_ADDRESS]),
    (Signature::Missing, Header::Good, LENIENT,         [MISSING, HOLD, MISSING]),
    (Signature::Missing, Header::Good, STRICT,          [MISSING, HOLD, NO_ADDRESS]),
    (Signature::Missing, Header::Good, REFUSING,        [MISSING, MISSING, MISSING]),
    (Signature::Missing, Header::Good, STRICT_REFUSING, [MISSING, MISSING, NO_ADDRESS]),
    (Signature::Missing, Header::Wrong, LENIENT,         [MISSING, HOLD, MISSING]),
    (Signature::Missing, Header::Wrong, STRICT,          [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::Missing, Header::Wrong, REFUSING,        [MISSING, MISSING, MISSING]),
    (Signature::Missing, Header::Wrong, STRICT_REFUSING, [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::Missing, Header::Missing, LENIENT,         [MISSING, HOLD, MISSING]),
    (Signature::Missing, Header::Missing, STRICT,          [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::Missing, Header::Missing, REFUSING,        [MISSING, MISSING, MISSING]),
    (Signature::Missing, Header::Missing, STRICT_REFUSING, [NO_HEADER, NO_HEADER, NO_HEADER]),

    (Signature::NotConfigured, Header::NotConfigured, LENIENT,         [NOTHING, NOTHING, NOTHING]),
    (Signature::NotConfigured, Header::NotConfigured, STRICT,          [NOTHING, NOTHING, NOTHING]),
    (Signature::NotConfigured, Header::NotConfigured, REFUSING,        [NOTHING, NOTHING, NOTHING]),
    (Signature::NotConfigured, Header::NotConfigured, STRICT_REFUSING, [NOTHING, NOTHING, NOTHING]),
    (Signature::NotConfigured, Header::Good, LENIENT,         [FINE, FINE, UNLISTED]),
    (Signature::NotConfigured, Header::Good, STRICT,          [FINE, FINE, NO_ADDRESS]),
    (Signature::NotConfigured, Header::Good, REFUSING,        [FINE, FINE, UNLISTED]),
    (Signature::NotConfigured, Header::Good, STRICT_REFUSING, [FINE, FINE, NO_ADDRESS]),
    (Signature::NotConfigured, Header::Wrong, LENIENT,         [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::NotConfigured, Header::Wrong, STRICT,          [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::NotConfigured, Header::Wrong, REFUSING,        [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::NotConfigured, Header::Wrong, STRICT_REFUSING, [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::NotConfigured, Header::Missing, LENIENT,         [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::NotConfigured, Header::Missing, STRICT,          [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::NotConfigured, Header::Missing, REFUSING,        [NO_HEADER, NO_HEADER, NO_HEADER]),
    (Signature::NotConfigured, Header::Missing, STRICT_REFUSING, [NO_HEADER, NO_HEADER, NO_HEADER]),
];

#[test]
fn the_table_names_every_case_once_and_the_function_agrees_with_it() {
    for signature in SIGNATURES {
        for header in HEADERS {
            for rules in ALL_RULES {
                let rows: Vec<_> =
                    TABLE.iter().filter(|row| (row.0, row.1, row.2) == (signature, header, rules)).collect();
                assert_eq!(rows.len(), 1, "{signature:?} {header:?} {rules:?}");
                for (address, expected) in ADDRESSES.into_iter().zip(rows[0].3) {
                    let given = verdict(signature, address, header, &rules);
                    assert_eq!(given, expected, "{signature:?} {address:?} {header:?} {rules:?}");
                }
            }
        }
    }
}

#[test]
fn a_refusal_with_a_good_signature_is_the_verdict_whatever_the_signature() {
    for (address, header, rules) in everything_but_the_signature() {
        let refused = verdict(Signature::Good, address, header, &rules);
        if matches!(refused, Verdict::Refuse(_)) {
            for worse in [Signature::Wrong, Signature::Missing] {
                assert_eq!(
                    verdict(worse, address, header, &rules),
                    refused,
                    "{address:?} {header:?} {rules:?}"
                );
            }
        }
    }
}

#[test]
fn a_good_header_never_mends_a_bad_signature() {
    for (address, _, rules) in everything_but_the_signature() {
        for bad in [Signature::Wrong, Signature::Missing] {
            assert!(!matches!(verdict(bad, address, Header::Good, &rules), Verdict::Accept(_)));
        }
    }
}

fn everything_but_the_signature() -> impl Iterator<Item = (Address, Header, SourceRules)> {
    ADDRESSES.into_iter().flat_map(|address| {
        HEADERS
            .into_iter()
            .flat_map(move |header| ALL_RULES.into_iter().map(move |rules| (address, header, rules)))
    })
}
