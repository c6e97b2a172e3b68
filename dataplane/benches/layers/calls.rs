//! Arguments as agents send them: an edit of code, a message, a query for structured data, a command. Nothing in them is
//! to be refused, so every layer looks at all of them.

use serde_json::{Value, json};

/// The same members in every call, which the estate's conditions look at.
fn call(extra: Value) -> Value {
    let mut arguments = json!({
        "path": "/srv/data/reports/2026/summary.md", "limit": 50, "url": "https://api.example.com/v1/items?page=2",
    });
    if let (Some(all), Value::Object(extra)) = (arguments.as_object_mut(), extra) {
        all.extend(extra);
    }
    arguments
}

/// Lines that differ from each other, until there are enough of them.
fn lines(bytes: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(bytes + 128);
    for n in 0.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&line(n));
    }
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

fn code(n: usize) -> String {
    const LINES: [&str; 6] = [
        "    let response = client.get(&url).header(\"accept\", \"application/json\").send().await?;\n",
        "    if response.status().is_success() { counter.fetch_add(1, Ordering::Relaxed); }\n",
        "/// Gives the name of the folder in which reports of this quarter are kept.\n",
        "pub(crate) fn folder(year: u16, quarter: u8) -> PathBuf { base().join(format!(\"{year}/q{quarter}\")) }\n",
        "    assert_eq!(parse(\"3 apples\"), Ok((3, Fruit::Apple)), \"the plural is understood\");\n",
        "}\n",
    ];
    format!("{}{}", LINES[n % LINES.len()], if n.is_multiple_of(7) { format!("// step {n}\n") } else { String::new() })
}

fn prose(n: usize) -> String {
    const SENTENCES: [&str; 4] = [
        "The meeting about the new warehouse was moved to Thursday because two of us are travelling. ",
        "Please summarise what customers said about delivery times in März, and compare it with last year. ",
        "Nobody has looked at the third chapter yet; it still describes the old way of ordering spare parts. ",
        "Attached you find the figures for each region, sorted by growth, with the three outliers marked. ",
    ];
    format!("{}{}", SENTENCES[n % SENTENCES.len()], if n.is_multiple_of(5) { format!("({n}) ") } else { String::new() })
}

fn rows(bytes: usize) -> Value {
    let row = |n: usize| json!({ "id": n, "name": format!("item {n}"), "price": n as f64 * 1.25, "tags": ["new", "sale"], "stock": { "north": n % 7, "south": n % 11 } });
    let each = row(100).to_string().len() + 1;
    Value::Array((0..bytes / each + 1).map(row).collect())
}

/// What kinds of calls there are.
pub(crate) const KINDS: [&str; 4] = ["edit", "message", "rows", "command"];

/// Calls of about this many bytes, one of each kind, as JSON text.
pub(crate) fn of_size(bytes: usize) -> Vec<Vec<u8>> {
    let rest = bytes.saturating_sub(call(json!({})).to_string().len() + 24);
    [
        call(json!({ "content": lines(rest, code) })),
        call(json!({ "message": lines(rest, prose) })),
        call(json!({ "rows": rows(rest) })),
        call(json!({ "command": format!("cargo test --workspace {}", lines(rest.saturating_sub(24), |n| format!("--test case_{n} "))) })),
    ]
    .map(|arguments| arguments.to_string().into_bytes())
    .into()
}
