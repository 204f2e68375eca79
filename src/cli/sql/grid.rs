//! A streamed table: the first rows determine the column widths.

use std::io::{BufWriter, Write};

use anyhow::Result;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::cli::format::safe;
use crate::store::{Column, Value};

/// Rows that determine the widths.
const SAMPLE: usize = 200;

/// Minimum column width.
const NARROWEST: usize = 8;

/// Separator of columns.
const GAP: &str = "   ";

/// Writes rows as a table.
pub(super) struct Grid<W: Write> {
    out: BufWriter<W>,
    head: Vec<String>,
    /// Width of the terminal, if any.
    most: Option<usize>,
    /// The first rows, until the widths are known.
    sample: Vec<Vec<Cell>>,
    /// Width and right alignment of each column.
    settled: Option<Vec<(usize, bool)>>,
}

/// A formatted value.
struct Cell {
    text: String,
    is_number: bool,
}

impl<W: Write> Grid<W> {
    pub(super) fn new(columns: &[Column], most: Option<usize>, out: W) -> Self {
        let head = columns.iter().map(|column| safe(&column.name, usize::MAX)).collect();
        Self { out: BufWriter::new(out), head, most, sample: Vec::new(), settled: None }
    }

    pub(super) fn row(&mut self, row: &[Value]) -> Result<()> {
        let cells: Vec<_> = row.iter().map(Cell::of).collect();
        if self.settled.is_some() {
            return self.write(&cells);
        }
        self.sample.push(cells);
        if self.sample.len() == SAMPLE { self.settle() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Result<()> {
        if self.settled.is_none() {
            self.settle()?;
        }
        Ok(self.out.flush()?)
    }

    /// Determines the widths, and writes the heading and the first rows.
    fn settle(&mut self) -> Result<()> {
        let columns = self.head.iter().enumerate().map(|(index, name)| {
            let cells = || self.sample.iter().filter_map(|row| row.get(index));
            let widest = cells().map(|cell| cell.text.width()).max().unwrap_or(0);
            let is_number = cells().any(|cell| cell.is_number)
                && cells().all(|cell| cell.is_number || cell.text == "–");
            (widest.max(name.width()), is_number)
        });
        let mut columns: Vec<_> = columns.collect();
        let all = columns.len();
        if let Some(most) = self.most {
            fit(&mut columns, most);
        }
        let shown = columns.len();
        if shown < all {
            tracing::info!(
                shown,
                columns = all,
                "some columns are omitted: --json and --csv print all"
            );
        }
        let line = columns.iter().map(|(width, _)| width).sum::<usize>()
            + GAP.len() * shown.saturating_sub(1);
        self.settled = Some(columns);
        let head = std::mem::take(&mut self.head).into_iter();
        self.write(&head.map(|text| Cell { text, is_number: false }).collect::<Vec<_>>())?;
        writeln!(self.out, "{}", "─".repeat(line + 2))?;
        std::mem::take(&mut self.sample).iter().try_for_each(|row| self.write(row))
    }

    fn write(&mut self, row: &[Cell]) -> Result<()> {
        let columns = self.settled.iter().flatten();
        let cells = row.iter().zip(columns).map(|(cell, (width, right))| {
            let text = cut(&cell.text, *width);
            let room = " ".repeat(width.saturating_sub(text.width()));
            if *right { room + &text } else { text + &room }
        });
        let line = cells.collect::<Vec<_>>().join(GAP);
        Ok(writeln!(self.out, " {}", line.trim_end())?)
    }
}

impl Cell {
    fn of(value: &Value) -> Self {
        let is_number = matches!(value, Value::Int(_) | Value::Real(_) | Value::Number(_));
        let text = match value {
            Value::Null => "–".to_owned(),
            value => safe(&value.to_string(), usize::MAX),
        };
        Self { text, is_number }
    }
}

/// Narrows the widest columns, and drops the last ones, until all fit.
fn fit(columns: &mut Vec<(usize, bool)>, most: usize) {
    let needed = |columns: &[(usize, bool)]| {
        let widths = columns.iter().map(|(width, _)| width).sum::<usize>();
        widths + GAP.len() * columns.len().saturating_sub(1) + 2
    };
    while needed(columns) > most {
        let widest = columns.iter_mut().map(|(width, _)| width).max();
        if let Some(width) = widest.filter(|width| **width > NARROWEST) {
            *width -= 1;
        } else if columns.len() > 1 {
            columns.pop();
        } else {
            return;
        }
    }
}

/// A text truncated to `most` columns of a terminal.
fn cut(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let fits = text.chars().take_while(|c| {
        let width = c.width().unwrap_or(0);
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    });
    fits.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table on a terminal of this width.
    fn shown(most: usize, columns: &[&str], rows: &[Vec<Value>]) -> String {
        let column = |name: &&str| Column { name: (*name).to_owned(), column_type: None };
        let columns: Vec<_> = columns.iter().map(column).collect();
        let mut out = Vec::new();
        let mut grid = Grid::new(&columns, Some(most), &mut out);
        rows.iter().for_each(|row| grid.row(row).expect("a row"));
        grid.finish().expect("the end");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn table_fits_the_terminal_with_wide_characters() {
        let text = Value::Text("一二三四五六七八九十".into());
        let rows = [vec![Value::Int(5), text.clone()], vec![Value::Null, text]];
        let table = shown(18, &["n", "title"], &rows);
        let line = "─".repeat(18);
        assert_eq!(table, format!(" n   title\n{line}\n 5   一二三四五…\n –   一二三四五…\n"));
        assert!(shown(80, &["n", "title"], &rows).contains("九十"));
    }

    #[test]
    fn columns_that_do_not_fit_are_dropped() {
        let names: Vec<_> = (0..30).map(|n| format!("column_{n}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut rows = vec![vec![Value::Text("x".into()); 30]; SAMPLE];
        rows.push(vec![Value::Text("y".repeat(100)); 30]);
        let table = shown(80, &names, &rows);
        assert!(table.lines().all(|line| line.width() <= 80), "{table}");
        assert_eq!(table.lines().count(), SAMPLE + 3);
    }
}
