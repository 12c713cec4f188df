//! report.html: everything about one comparison in one file, without a script and without the network.

use super::health::footnotes;
use super::measure::Measure;
use super::records::Results;
use super::speed::speed_table;
use super::table::sections;
use super::tuning::tuning_table;
use crate::show::table::escape;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#222;--faint:#667;--line:#d5d8dd;--paper:#fff;--raised:#f6f7f9}\
@media(prefers-color-scheme:dark){:root{--ink:#e4e6ea;--faint:#9aa1ad;--line:#3a3f48;--paper:#16181c;--raised:#1f2228}\
figure svg{filter:invert(.91) hue-rotate(180deg)}}\
body{margin:0 auto;max-width:72rem;padding:1.5rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}\
h1{font-size:1.5rem;margin:.2em 0}h2{font-size:1.15rem;margin:2em 0 .5em}\
.faint{color:var(--faint);font-size:.9rem}.wide{overflow-x:auto}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem;width:100%}\
td{white-space:nowrap}th,td{padding:.35em .55em;text-align:right;vertical-align:bottom;border-bottom:1px solid var(--line)}\
th:first-child,td:first-child{text-align:left}th{font-weight:600}tbody tr:first-child{font-weight:600}\
figure{margin:1em 0}figure svg{width:100%;height:auto}\
pre,code{font:.88rem/1.45 ui-monospace,monospace}pre{background:var(--raised);padding:.8em 1em;white-space:pre-wrap;overflow-wrap:anywhere;border-radius:6px}\
.digest{overflow-wrap:anywhere}\
@media(max-width:60rem){table{font-size:.8rem}th,td{padding:.3em .35em}}";

/// The page as text; the pictures that there are are put into it as they are.
pub fn report_html(
    results: &Results,
    curves_svg: Option<&str>,
    sharpness_svg: Option<&str>,
) -> String {
    let mut page =
        String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page += "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>presam: sharpness-aware minimisation compared</title>\n";
    page += &format!(
        "<style>{STYLE}</style>\n</head>\n<body>\n<h1>Sharpness-aware minimisation compared</h1>\n"
    );
    page += &format!("<p class=\"faint\">{}</p>\n", escape(&origin(results)));
    for sentence in &results.sentences {
        page += &paragraph(sentence);
    }
    page += &sections(results, true).html();
    for note in footnotes(&results.summary) {
        page += &format!("<p class=\"faint\">{}</p>\n", escape(&note));
    }
    page += &explained(results.data.measure);
    page += &speed(results);
    let measure = results.data.measure;
    let what = format!("{} over epochs, one line a method", measure.title());
    page += &figure(&what, curves_svg);
    page +=
        &figure(&format!("Largest Hessian eigenvalue against {}", measure.name()), sharpness_svg);
    page += &tuning(results);
    page += "<h2>Settings</h2>\n<p>The command that repeats this page:</p>\n";
    page += &format!("<pre>{}</pre>\n", escape(&results.command));
    let settings = serde_json::to_string_pretty(&results.settings).unwrap_or_default();
    page += &format!(
        "<details><summary>Every setting</summary><pre>{}</pre></details>\n",
        escape(&settings)
    );
    page += &format!(
        "<p class=\"faint digest\">Digest over the bits of all final parameters (another digest from the same command is a bug): <code>{}</code></p>\n</body>\n</html>\n",
        escape(&results.digest)
    );
    page
}

/// What the columns of the table hold.
fn explained(measure: Measure) -> String {
    format!(
        "<p class=\"faint\">{} at the end of training, mean over the seeds, with its standard error. Best: of all epochs, chosen by looking at the \
         test set, mean over the seeds; never compared. Minus SAM: mean of the differences paired by seed, in percentage points, with its 95 % Student-t \
         interval. {} Sharpness: largest Hessian eigenvalue. Time: of a training step, its gradients included, over SGD's; medians.</p>\n",
        measure.title(),
        measure.of_training()
    )
}

/// A sentence; the command at its end, if it has one, in a box of its own to be copied.
fn paragraph(sentence: &str) -> String {
    match sentence.split_once(": presam train") {
        Some((words, flags)) => {
            format!("<p>{}:</p>\n<pre>presam train{}</pre>\n", escape(words), escape(flags))
        }
        None => format!("<p>{}</p>\n", escape(sentence)),
    }
}

/// Data, program, machine and date in one line.
fn origin(results: &Results) -> String {
    let (data, host) = (&results.data, &results.host);
    format!(
        "{}: {} training and {} test examples of {} numbers, {} classes. presam {}, {} ({} {}, {} threads), {}.",
        data.source,
        data.train_samples,
        data.test_samples,
        data.features,
        data.classes,
        results.version,
        host.cpu,
        host.os,
        host.arch,
        host.threads,
        results.date
    )
}

/// What a tuning chose; nothing without one.
fn tuning(results: &Results) -> String {
    if results.tuning.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Tuning</h2>\n{}<p class=\"faint\">Chosen on held-out training images and seeds of the tuning's own. \
         Collapse: the smallest larger rho at which the validation score falls by more than 10 points.</p>\n",
        tuning_table(results).html()
    )
}

/// Where the time went; nothing without a GPU.
fn speed(results: &Results) -> String {
    let table = speed_table(results).html();
    if table.is_empty() {
        return table;
    }
    format!(
        "<h2>Time on the GPU</h2>\n{table}<p class=\"faint\">Medians over all runs. Shares: each phase of further steps, timed \
         by itself.</p>\n"
    )
}

fn figure(what: &str, svg: Option<&str>) -> String {
    let Some(svg) = svg else { return String::new() };
    format!("<figure role=\"img\" aria-label=\"{}\">\n{svg}</figure>\n", escape(what))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_page_holds_everything_escaped_and_asks_for_nothing_else() {
        let mut results = sample::results(&["sgd", "sam", "asam"], &[0.0, 0.6], 5);
        results.summary[1].moved = false;
        results.command = "presam train --data 'idx:/<x>'".into();
        let svg = "<svg width=\"9\" height=\"9\" viewBox=\"0 0 9 9\" xmlns=\"http://www.w3.org/2000/svg\">\n</svg>";
        let page = report_html(&results, Some(svg), Some(svg));
        for needed in [
            results.digest.as_str(),
            "54 % wrong",
            "&lt;of&gt; 3 GHz &amp; more",
            "idx:/&lt;x&gt;",
            "never moved",
            "asam",
            "&quot;epochs&quot;: 60",
        ] {
            assert!(page.contains(needed), "{needed}");
        }
        for sentence in &results.sentences {
            assert!(sentence.split(": presam").all(|part| page.contains(part)), "{sentence}");
        }
        assert_eq!(page.matches("<svg").count(), 2);
        let without_names = page.replace("http://www.w3.org/2000/svg", "");
        for forbidden in ["http", "<script", "src=", "@import", "url("] {
            assert!(!without_names.contains(forbidden), "{forbidden}");
        }
    }
}
