//! Samples and their quantiles, and how they are shown.

use serde_json::{Value, json};

/// Median, 95th percentile and range of samples; an empty list gives nulls.
pub(crate) fn of(mut samples: Vec<f64>) -> Value {
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| {
        // Between 0 and the last index by the share, so the conversion keeps the number.
        let index = (samples.len().saturating_sub(1) as f64 * share).round() as usize;
        samples.get(index).map(|value| (value * 1000.0).round() / 1000.0)
    };
    json!({ "n": samples.len(), "median": at(0.5), "p95": at(0.95), "min": at(0.0), "max": at(1.0) })
}

/// The median of what [`of`] made.
pub(crate) fn median(figures: &Value) -> f64 {
    figures["median"].as_f64().unwrap_or(f64::NAN)
}

/// A section's figures, a line each.
pub(crate) fn rows(value: &Value) -> String {
    let mut out = String::new();
    walk(value, "", &mut out);
    out
}

fn walk(value: &Value, name: &str, out: &mut String) {
    match value {
        Value::Object(map) if map.contains_key("median") => {
            let of = |key: &str| map.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
            out.push_str(&format!(
                "  {name:<52} median {:>9.3}   95 % under {:>9.3}   ({} samples)\n",
                of("median"),
                of("p95"),
                of("n")
            ));
        }
        Value::Object(map) => {
            for (key, inner) in map {
                let path = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                walk(inner, &path, out);
            }
        }
        Value::Array(list) => {
            for (i, inner) in list.iter().enumerate() {
                walk(inner, &format!("{name}[{i}]"), out);
            }
        }
        other => out.push_str(&format!("  {name:<52} {other}\n")),
    }
}
