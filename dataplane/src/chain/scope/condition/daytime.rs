//! Windows of the day and days of the week, at a fixed offset from UTC.

const DAY_S: i64 = 86_400;

/// From when until when, and on which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Seconds after midnight; included.
    pub(super) from_s: i64,
    /// Seconds after midnight; not included. Before `from_s` where the window runs over midnight, equal to it for a whole
    /// day.
    pub(super) to_s: i64,
    /// One bit for each day on which the window begins, Monday first.
    pub(super) days: u8,
    /// East of Greenwich.
    pub(super) offset_s: i64,
}

impl Window {
    pub(super) fn contains(&self, now_us: u64) -> bool {
        let local_s = (now_us / 1_000_000) as i64 + self.offset_s;
        let (day, at_s) = (local_s.div_euclid(DAY_S), local_s.rem_euclid(DAY_S));
        if self.from_s < self.to_s {
            return (self.from_s..self.to_s).contains(&at_s) && self.is_on(day);
        }
        (at_s >= self.from_s && self.is_on(day)) || (at_s < self.to_s && self.is_on(day - 1))
    }

    fn is_on(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        self.days >> (day + 3).rem_euclid(7) & 1 == 1
    }
}
