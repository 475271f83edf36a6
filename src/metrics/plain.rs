//! Prometheus' plain text (version 0.0.4), made from OpenMetrics: what `promtool` and older scrapers read.
//!
//! The two differ in little: plain text gives a counter the name of its samples, which end in `_total`, and knows no units,
//! no `info` and no end. <https://prometheus.io/docs/instrumenting/exposition_formats/>

/// The same figures in plain text.
pub(super) fn from_open_metrics(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // The help stands before the type, which decides the name in both lines.
    let mut help = None;
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), Some(text)) => help = Some((name, text)),
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let (end, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    kind => ("", kind),
                };
                if let Some((_, text)) = help.take().filter(|(of, _)| *of == name) {
                    plain.push_str(&format!("# HELP {name}{end} {text}\n"));
                }
                plain.push_str(&format!("# TYPE {name}{end} {kind}\n"));
            }
            (Some("#"), ..) => {}
            _ => {
                plain.push_str(line);
                plain.push('\n');
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_called_as_their_samples_are_and_units_are_left_out() {
        let open = "# HELP calls Calls answered.\n# TYPE calls counter\ncalls_total{code=\"# OK\"} 1\n\
                    # HELP wait_seconds Waiting.\n# TYPE wait_seconds histogram\n# UNIT wait_seconds seconds\n\
                    wait_seconds_sum 0.5\n# TYPE build info\nbuild_info{version=\"1\"} 1\n# EOF\n";
        let plain = "# HELP calls_total Calls answered.\n# TYPE calls_total counter\ncalls_total{code=\"# OK\"} 1\n\
                     # HELP wait_seconds Waiting.\n# TYPE wait_seconds histogram\nwait_seconds_sum 0.5\n\
                     # TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n";
        assert_eq!(from_open_metrics(open), plain);
    }
}
