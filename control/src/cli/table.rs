//! Rows for people: a table on a terminal, columns that `cut` and `awk` can read elsewhere.

use comfy_table::{ContentArrangement, Table};
use serde_json::Value;

/// A table of these members of each row.
pub fn of(columns: &[&str], rows: &[Value]) -> String {
    let cell = |row: &Value, column: &&str| match &row[*column] {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    };
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        let lines = rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect::<Vec<_>>().join("\t"));
        return std::iter::once(columns.join("\t")).chain(lines).map(|line| line + "\n").collect();
    }
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|column| column.replace('_', " ")));
    for row in rows {
        table.add_row(columns.iter().map(|column| cell(row, column)));
    }
    format!("{table}\n")
}

/// One record, a member to a line.
///
/// # Errors
/// Nobody reads any more.
pub fn record(record: &Value, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    for (name, value) in record.as_object().into_iter().flatten() {
        let text = match value {
            Value::Null => continue,
            Value::String(text) if text.is_empty() => continue,
            Value::String(text) => printable(text),
            Value::Array(items) if items.is_empty() => continue,
            Value::Array(items) if items.iter().all(Value::is_string) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                printable(&items.join(", "))
            }
            other => other.to_string(),
        };
        writeln!(out, "{:<14} {text}", name.replace('_', " "))?;
    }
    Ok(())
}

/// Without what could command a terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("x\u{1b}[31m\ny"), "x\u{FFFD}[31m\u{FFFD}y");
    }
}
