//! The rows of a result, in their order, in little memory: a million rows in a row take one entry.

use crate::chance::mix;

/// Serials in the order in which they are delivered.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    held: Held,
    order: Arrangement,
}

#[derive(Debug, Clone)]
enum Held {
    /// First serial, length, and how many rows come before; by rising serial.
    Ranges(Vec<(u64, u64, u64)>, u64),
    List(Vec<u64>),
}

#[derive(Debug, Clone, Copy)]
enum Arrangement {
    AsHeld,
    Reversed,
    /// Mixed by this key.
    Shuffled(u64),
}

/// Collects serials in rising order.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    ranges: Vec<(u64, u64, u64)>,
    total: u64,
}

impl Collector {
    pub(crate) fn push(&mut self, first: u64, length: u64) {
        if length == 0 {
            return;
        }
        match self.ranges.last_mut() {
            Some((start, held, _)) if *start + *held == first => *held += length,
            _ => self.ranges.push((first, length, self.total)),
        }
        self.total += length;
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Forgets all but the first `count` rows.
    pub(crate) fn truncate(&mut self, count: u64) {
        while let Some((_, length, before)) = self.ranges.last_mut() {
            if *before >= count {
                self.ranges.pop();
            } else {
                *length = (*length).min(count - *before);
                break;
            }
        }
        self.total = self.total.min(count);
    }

    fn into_held(self) -> Held {
        Held::Ranges(self.ranges, self.total)
    }

    pub(crate) fn rising(self) -> Rows {
        Rows { held: self.into_held(), order: Arrangement::AsHeld }
    }

    pub(crate) fn falling(self) -> Rows {
        Rows { held: self.into_held(), order: Arrangement::Reversed }
    }

    pub(crate) fn shuffled(self, key: u64) -> Rows {
        Rows { held: self.into_held(), order: Arrangement::Shuffled(key) }
    }
}

impl Rows {
    pub(crate) fn listed(serials: Vec<u64>) -> Self {
        Rows { held: Held::List(serials), order: Arrangement::AsHeld }
    }

    pub(crate) fn len(&self) -> u64 {
        match &self.held {
            Held::Ranges(_, total) => *total,
            Held::List(serials) => serials.len() as u64,
        }
    }

    /// The serial at that place, counted from 0.
    pub(crate) fn get(&self, place: u64) -> Option<u64> {
        let length = self.len();
        if place >= length {
            return None;
        }
        let place = match self.order {
            Arrangement::AsHeld => place,
            Arrangement::Reversed => length - 1 - place,
            Arrangement::Shuffled(key) => shuffle(place, length, key),
        };
        match &self.held {
            Held::List(serials) => serials.get(place as usize).copied(),
            Held::Ranges(ranges, _) => {
                let at = ranges.partition_point(|&(_, _, before)| before <= place).checked_sub(1)?;
                let (first, _, before) = ranges[at];
                Some(first + place - before)
            }
        }
    }

    /// Cuts off what comes before `skip` and after `count` more.
    pub(crate) fn window(self, skip: u64, count: u64) -> Rows {
        if skip == 0 && count >= self.len() {
            return self;
        }
        let end = self.len().min(skip.saturating_add(count));
        Rows::listed((skip..end).filter_map(|place| self.get(place)).collect())
    }
}

/// A permutation of `0..length`: a few rounds over the next larger power of four, repeated until the
/// result lies inside.
fn shuffle(place: u64, length: u64, key: u64) -> u64 {
    let mut half_bits = 1;
    while 1u64 << (2 * half_bits) < length {
        half_bits += 1;
    }
    let mask = (1u64 << half_bits) - 1;
    let mut value = place;
    loop {
        let (mut left, mut right) = (value >> half_bits, value & mask);
        for round in 0..4 {
            (left, right) = (right, left ^ (mix(key, right, round) & mask));
        }
        value = (left << half_bits) | right;
        if value < length {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_loses_and_doubles_nothing() {
        for length in [1u64, 2, 3, 17, 1_000] {
            let mut seen: Vec<u64> = (0..length).map(|place| shuffle(place, length, 42)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..length).collect::<Vec<_>>());
        }
    }

    #[test]
    fn ranges_are_joined_and_cut() {
        let mut rows = Collector::default();
        rows.push(1, 10);
        rows.push(11, 5);
        rows.push(20, 5);
        rows.truncate(17);
        let rows = rows.rising();
        assert_eq!(rows.len(), 17);
        assert_eq!((rows.get(14), rows.get(15), rows.get(16), rows.get(17)), (Some(15), Some(20), Some(21), None));
    }
}
