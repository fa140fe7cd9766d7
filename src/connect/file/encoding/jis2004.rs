//! Shift_JIS-2004 and EUC-JIS-2004: the 11,233 characters of JIS X 0213:2004.
//!
//! No well-kept crate knows them. The table is that of x0213.org as Python holds it (`scripts/jisx0213-table`).
//! As published, the byte 5C is `¥` and 7E is `‾` in Shift_JIS-2004; EUC-JIS-2004 has ASCII there.

use std::sync::LazyLock;

const CELLS: usize = 94;
const NONE: char = '\u{fffd}';
/// The rows of plane 2 in the order in which the lead bytes F0 to FC of Shift_JIS-2004 count them.
const ROWS_2: [u8; 26] =
    [1, 8, 3, 4, 5, 12, 13, 14, 15, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94];

struct Table {
    /// By plane, row and cell, each from 0.
    characters: Vec<char>,
    /// Cells that are a character and a combining mark, by place.
    pairs: Vec<(usize, &'static str)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { characters: vec![NONE; 2 * CELLS * CELLS], pairs: Vec::new() };
    for line in include_str!("jisx0213.txt").lines() {
        let mut words = line.splitn(3, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<usize>().ok());
        let (Some(plane), Some(row)) = (number(), number()) else { continue };
        let (Some(start), Some(rest)) = (place(plane, row, 1), words.next()) else { continue };
        match rest.split_once(' ') {
            Some((cell, pair)) if pair.chars().count() == 2 => {
                let cell = cell.parse::<usize>().unwrap_or(1);
                table.pairs.push((start + cell - 1, pair));
            }
            _ => rest.chars().enumerate().for_each(|(cell, character)| table.characters[start + cell] = character),
        }
    }
    table
});

fn place(plane: usize, row: usize, cell: usize) -> Option<usize> {
    let is_there = (1..=2).contains(&plane) && (1..=CELLS).contains(&row) && (1..=CELLS).contains(&cell);
    is_there.then(|| ((plane - 1) * CELLS + row - 1) * CELLS + cell - 1)
}

/// Appends the character at that place; whether there is one.
fn push(out: &mut String, plane: usize, row: usize, cell: usize) -> bool {
    let Some(place) = place(plane, row, cell) else { return false };
    let character = TABLE.characters[place];
    if character != NONE {
        out.push(character);
        return true;
    }
    let pair = TABLE.pairs.iter().find(|(at, _)| *at == place);
    pair.is_some_and(|(_, text)| {
        out.push_str(text);
        true
    })
}

/// Plane, row and cell of two bytes of Shift_JIS-2004.
fn of_shift_jis(lead: u8, trail: u8) -> Option<(usize, usize, usize)> {
    let (is_second, cell) = match trail {
        0x40..=0x7E => (false, trail - 0x3F),
        0x80..=0x9E => (false, trail - 0x40),
        0x9F..=0xFC => (true, trail - 0x9E),
        _ => return None,
    };
    let row = |first: u8| usize::from(first) * 2 + 1 + usize::from(is_second);
    let (plane, row) = match lead {
        0x81..=0x9F => (1, row(lead - 0x81)),
        0xE0..=0xEF => (1, row(lead - 0xC1)),
        0xF0..=0xFC => (2, usize::from(*ROWS_2.get(usize::from(lead - 0xF0) * 2 + usize::from(is_second))?)),
        _ => return None,
    };
    Some((plane, row, usize::from(cell)))
}

/// As [`Encoding::decode_into`](super::Encoding::decode_into).
pub(super) fn decode_shift_jis(bytes: &[u8], out: &mut String) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            0x5C => out.push('¥'),
            0x7E => out.push('‾'),
            0..=0x7F => out.push(char::from(byte)),
            0xA1..=0xDF => out.extend(halfwidth(byte)),
            _ => {
                let found = bytes.get(at + 1).and_then(|trail| of_shift_jis(byte, *trail));
                if !found.is_some_and(|(plane, row, cell)| push(out, plane, row, cell)) {
                    return Some((at, misfit_end(bytes, at, if found.is_some() { 2 } else { 1 })));
                }
                at += 1;
            }
        }
        at += 1;
    }
    None
}

/// As [`Encoding::decode_into`](super::Encoding::decode_into).
pub(super) fn decode_euc(bytes: &[u8], out: &mut String) -> Option<(usize, usize)> {
    let mut at = 0;
    let high = |at: usize| bytes.get(at).filter(|byte| **byte >= 0xA1).map(|byte| usize::from(byte - 0xA0));
    while let Some(byte) = bytes.get(at).copied() {
        let length = match byte {
            0..=0x7F => {
                out.push(char::from(byte));
                1
            }
            0x8E => match bytes.get(at + 1).copied() {
                Some(kana @ 0xA1..=0xDF) => {
                    out.extend(halfwidth(kana));
                    2
                }
                _ => return Some((at, misfit_end(bytes, at, 1))),
            },
            _ => {
                let (plane, from) = if byte == 0x8F { (2, at + 1) } else { (1, at) };
                let is_read = match (high(from), high(from + 1)) {
                    // Full width, unlike in Shift_JIS-2004, where ASCII has no place for these two.
                    (Some(1), Some(32)) if plane == 1 => {
                        out.push('＼');
                        true
                    }
                    (Some(2), Some(18)) if plane == 1 => {
                        out.push('～');
                        true
                    }
                    (Some(row), Some(cell)) => push(out, plane, row, cell),
                    _ => return Some((at, misfit_end(bytes, at, 1))),
                };
                if !is_read {
                    return Some((at, misfit_end(bytes, at, plane + 1)));
                }
                plane + 1
            }
        };
        at += length;
    }
    None
}

fn misfit_end(bytes: &[u8], at: usize, length: usize) -> usize {
    (at + length).min(bytes.len())
}

/// The half-width katakana of a byte A1 to DF.
fn halfwidth(byte: u8) -> Option<char> {
    char::from_u32(0xFF61 + u32::from(byte - 0xA1))
}
