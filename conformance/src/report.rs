//! Showing what came of vectors.

use std::fmt::Write;

use crate::runner::{Difference, Report, Verdict};

/// How many reports have a verdict.
pub fn count(reports: &[Report], verdict: Verdict) -> usize {
    reports.iter().filter(|r| r.verdict == verdict).count()
}

/// Characters of a value that are shown.
const SHOWN: usize = 400;

/// The failures, the first difference of each, and a summary.
pub fn text(reports: &[Report]) -> String {
    let mut out = String::new();
    for report in reports {
        let (Verdict::Failed, Some(difference)) = (report.verdict, &report.difference) else {
            continue;
        };
        let Difference {
            place,
            expected,
            found,
        } = difference;
        let (expected, found) = windows(expected, found);
        let _ = writeln!(out, "FAILED {} / {}", report.suite, report.name);
        let _ = writeln!(out, "  rule      {}", report.rule);
        let _ = writeln!(out, "  at        {place}");
        let _ = writeln!(out, "  expected  {expected}");
        let _ = writeln!(out, "  found     {found}");
    }
    let mut reasons = std::collections::BTreeMap::<(&str, &str), usize>::new();
    for report in reports {
        if let (Verdict::Unsupported, Some(difference)) = (report.verdict, &report.difference) {
            let why = (report.suite.as_str(), difference.found.as_str());
            *reasons.entry(why).or_default() += 1;
        }
    }
    for ((suite, why), count) in &reasons {
        let _ = writeln!(out, "{count} of {suite}: {why}");
    }
    let _ = write!(
        out,
        "{} passed, {} failed",
        count(reports, Verdict::Passed),
        count(reports, Verdict::Failed)
    );
    match count(reports, Verdict::Unsupported) {
        0 => {}
        unsupported => {
            let _ = write!(out, ", {unsupported} unsupported");
        }
    }
    out.push('\n');
    out
}

/// Two texts cut to the part around their first difference.
fn windows(a: &str, b: &str) -> (String, String) {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let start = match a.chars().count().max(b.chars().count()) <= SHOWN {
        true => 0,
        false => same.saturating_sub(SHOWN / 8),
    };
    let cut = |text: &str| {
        let mut shown: String = text.chars().skip(start).take(SHOWN).collect();
        if start > 0 {
            shown.insert(0, '…');
        }
        if text.chars().count() > start + SHOWN {
            shown.push('…');
        }
        shown
    };
    (cut(a), cut(b))
}

/// The reports as JUnit XML, a test suite for each suite.
pub fn junit(reports: &[Report]) -> String {
    let mut suites: Vec<(&str, Vec<&Report>)> = Vec::new();
    for report in reports {
        match suites.iter_mut().find(|(suite, _)| *suite == report.suite) {
            Some((_, list)) => list.push(report),
            None => suites.push((&report.suite, vec![report])),
        }
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (suite, list) in suites {
        let number = |verdict| list.iter().filter(|r| r.verdict == verdict).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">",
            escaped(suite),
            list.len(),
            number(Verdict::Failed),
            number(Verdict::Unsupported)
        );
        for report in list {
            let _ = write!(
                out,
                "    <testcase classname=\"{}\" name=\"{}\"",
                escaped(suite),
                escaped(&report.name)
            );
            let found = report.difference.as_ref();
            let _ = match (report.verdict, found) {
                (Verdict::Failed, Some(d)) => writeln!(
                    out,
                    "><failure message=\"{}\">expected {}\nfound {}</failure></testcase>",
                    escaped(&d.place),
                    escaped(&d.expected),
                    escaped(&d.found)
                ),
                (Verdict::Unsupported, Some(d)) => writeln!(
                    out,
                    "><skipped message=\"{}\"/></testcase>",
                    escaped(&d.found)
                ),
                _ => writeln!(out, "/>"),
            };
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text for XML. Characters that XML cannot hold become question marks.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_shown_where_they_differ() {
        let (a, b) = ("x".repeat(1_000), "x".repeat(900) + "y");
        let (a, b) = windows(&a, &b);
        assert!(b.ends_with('y') && b.starts_with('…'), "{b}");
        assert!(a.chars().count() <= SHOWN + 2);
        assert_eq!(windows("1", "2"), ("1".to_owned(), "2".to_owned()));
    }

    #[test]
    fn xml_is_escaped() {
        assert_eq!(escaped("a<b>&\"\u{1}"), "a&lt;b&gt;&amp;&quot;?");
    }
}
