//! What is done where the filter found a word: shapes tried, assignments read, URLs and headers taken apart.
//!
//! *Lives on* one shard, as steps of a [`Scan`].

use std::ops::Range;

use regex_automata::Input;

use super::super::assignment::{self, Outcome, Quoting};
use super::super::compile::{Confirm, Search, Target};
use super::super::judge;
use super::super::rules::{Context, GENERIC_PASSWORD, GENERIC_SECRET, How, NEAR};
use super::super::shape::is_token;
use super::super::transform;
use super::{FINDINGS_MAX, Frame, Provider, SEARCH_AFTER, SEARCH_BEFORE, Scan, ScanScratch, TOKEN_MAX};

impl<'a> Scan<'a> {
    pub(super) fn candidates(&mut self, frame: &mut Frame, text: &[u8], block: usize, mut mask: u64) {
        let scanner = self.scanner;
        while mask != 0 {
            let probe = block + 2 * mask.trailing_zeros() as usize;
            mask &= mask - 1;
            scanner.program.grams.words_at(text, probe, |word, start| {
                let targets = scanner.program.targets.get(word.payload as usize).map_or(&[][..], |t| t);
                for target in targets {
                    self.confirm(frame, text, start..start + word.len(), *target);
                }
            });
        }
    }

    fn confirm(&mut self, frame: &mut Frame, text: &[u8], word: Range<usize>, target: Target) {
        self.work += 12;
        self.hit |= match target.confirm {
            Confirm::Context(context) => context == Context::Assignment,
            Confirm::Shape { how, .. } => matches!(how, How::Named | How::Near),
            Confirm::Vendor { .. } => true,
            Confirm::Search { .. } => true,
        };
        match target.confirm {
            Confirm::Shape { shape, how } => self.shape(frame, text, word, target.rule, shape, how),
            Confirm::Search { search } => self.search(frame, text, target.rule, search, word.start, word.end),
            Confirm::Vendor { bare } => self.vendor(frame, text, word, target.rule, bare),
            Confirm::Context(Context::Assignment) => self.assignment(frame, text, word),
            Confirm::Context(Context::Url) => self.url(frame, text, word),
            Confirm::Context(Context::PrivateKey) => self.private_key(frame, text, word),
            Confirm::Context(Context::Joint) => frame.joined |= transform::is_joint(text, word.start),
            Confirm::Context(context) => self.header(frame, text, word, context),
        }
    }

    /// The end of what `shape` matches from `start` on.
    fn matches(&mut self, text: &[u8], start: usize, shape: u32) -> Option<usize> {
        let shape = self.scanner.program.shapes.get(shape as usize)?;
        let (found, looked) = shape.longest(text, start, text.len().min(start + TOKEN_MAX));
        self.work += TRY_WORK + looked;
        found
    }

    fn shape(&mut self, frame: &Frame, text: &[u8], word: Range<usize>, rule: u32, shape: u32, how: How) {
        if self.scratch.matched.get(rule as usize).is_some_and(|m| m.0 == frame.epoch && word.start < m.1) {
            return;
        }
        let span = match how {
            How::Token => self.token_at(text, word.start, shape, true),
            // A word that begins with a mark begins a name: `_auth` is none of `connect_auth`.
            How::Tail if text[word.start] == b'_' && word.start > 0 && text[word.start - 1].is_ascii_alphanumeric() => None,
            How::Tail => self
                .matches(text, word.start, shape)
                .map(|end| tail_of(text, word.start..end))
                .filter(|span| !judge::stands_in(&text[span.clone()])),
            How::Run => {
                let floor = word.start.saturating_sub(160);
                let mut start = word.start;
                while start > floor && is_token(text[start - 1]) {
                    start -= 1;
                }
                self.work += word.start - start;
                self.token_at(text, start, shape, false).filter(|span| span.end >= word.end).or_else(|| {
                    // The run may begin with a name: try behind each of its marks.
                    (start..word.start)
                        .filter(|at| !text[*at].is_ascii_alphanumeric())
                        .find_map(|at| self.token_at(text, at + 1, shape, false).filter(|span| span.end >= word.end))
                })
            }
            How::Named => {
                self.named(frame, text, word.clone(), shape, rule).or_else(|| self.announced(text, word.clone(), false))
            }
            How::Near => self.near(text, word.clone(), shape),
        };
        if let Some(span) = span {
            self.found(frame, text, rule, span.clone(), span);
        }
    }

    /// A token that begins at `start` and is bounded on both sides.
    fn token_at(&mut self, text: &[u8], start: usize, shape: u32, check_left: bool) -> Option<Range<usize>> {
        if check_left && start > 0 && text[start - 1].is_ascii_alphanumeric() && !after_escape(text, start) {
            return None;
        }
        let end = self.matches(text, start, shape)?;
        // What is called is a function, such as a test.
        if check_left && text.get(end) == Some(&b'(') {
            return None;
        }
        let closed = text.get(end).is_none_or(|b| !b.is_ascii_alphanumeric()) || !text[end - 1].is_ascii_alphanumeric();
        closed.then_some(start..end)
    }

    /// The value assigned to a provider's name.
    fn named(&mut self, frame: &Frame, text: &[u8], word: Range<usize>, shape: u32, rule: u32) -> Option<Range<usize>> {
        self.work += 2 * READ_WORK;
        // The table says how much a shape tells by itself: see `Builtin::entropy`.
        let bits = self.scanner.program.rules.get(rule as usize).map_or(0.0, |r| r.entropy);
        let (lenient, broad) = (bits < 0.0, bits >= 2.8);
        // Most names are found out without reading what they are given.
        let (name, told) = self.told(frame, text, word.clone());
        let nothing = told == judge::Told::Nothing;
        // A name that makes its value public says nothing of a credential either.
        if nothing && !lenient && (broad || judge::public_name(&text[name.clone()]) || !stands_alone(text, &word)) {
            return None;
        }
        let outcome = self.read(frame, text, word.clone());
        if broad && !matches!(outcome, Outcome::Assigned(_)) {
            return None;
        }
        if let Outcome::Assigned(found) = outcome {
            let flag = text[name].starts_with(b"-");
            let bound = lenient || found.operator != assignment::Operator::Space || flag || found.scheme;
            if bound
                && let Some(span) = self.token_at(text, found.value.start, shape, false)
                && apt_value(&text[span.clone()], lenient, broad)
            {
                return Some(span);
            }
        }
        // `heroku login --key x`, `curl -H "X-Token: …" https://api.provider`: it may follow a word of secrets.
        // A name that speaks of something else, such as a function's, announces none.
        if !broad && (lenient || !nothing) {
            if self.providers.is_full() {
                self.providers.remove(0);
            }
            self.providers.push(Provider { epoch: frame.epoch, rule, shape, until: word.end + NEAR });
        }
        None
    }

    /// A random value assigned to the name of a service: `acme_key = x`, `acme access token: x`, `acme: x`.
    fn vendor(&mut self, frame: &Frame, text: &[u8], word: Range<usize>, rule: u32, bare: bool) {
        self.work += 3 * READ_WORK;
        // A path, a package, an address.
        if word.start > 0 && matches!(text[word.start - 1], b'/' | b'@') {
            return;
        }
        if let Some(span) = self.given(frame, text, word.clone(), bare).or_else(|| self.announced(text, word, bare)) {
            self.found(frame, text, rule, span.clone(), span);
        }
    }

    /// What the name of a service is given.
    fn given(&mut self, frame: &Frame, text: &[u8], word: Range<usize>, bare: bool) -> Option<Range<usize>> {
        // Most names are found out without reading what they are given.
        let (_, mut told) = self.told(frame, text, word.clone());
        if told == judge::Told::Nothing {
            return None;
        }
        let Outcome::Assigned(mut found) = self.read(frame, text, word) else { return None };
        for _ in 0..3 {
            if found.operator != assignment::Operator::Space || told == judge::Told::Nothing {
                break;
            }
            let value = &text[found.value.clone()];
            let length = value.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
            if !judge::credential_words(&value[..length]) {
                break;
            }
            self.work += length;
            told = judge::Told::Credential;
            let start = found.value.start;
            let Outcome::Assigned(next) = assignment::read(text, start..start + length) else { return None };
            found = next;
        }
        let value = &text[found.value.clone()];
        self.work += value.len();
        let spaced = found.operator == assignment::Operator::Space;
        let apt = match told {
            judge::Told::Nothing => false,
            judge::Told::Name if bare => judge::vendor_value(value, false) && (!spaced || judge::token_like(value)),
            // The name is a word of the language: only what can be nothing else counts.
            judge::Told::Name => value.len() >= 28 && !spaced && judge::vendor_value(value, false) && judge::token_like(value),
            judge::Told::Credential => judge::vendor_value(value, true),
        };
        apt.then_some(found.value)
    }

    /// What words such as `token` behind a service's name announce, however they are joined: `acme SECRET x`,
    /// `acmeTOKEN-x`, `acme_api.key: x`; `bare` when the name alone will do.
    fn announced(&mut self, text: &[u8], word: Range<usize>, bare: bool) -> Option<Range<usize>> {
        let reach = text.len().min(word.end + ANNOUNCED_MAX);
        let (mut at, mut told, mut words) = (word.end, false, 0);
        let stands = word.start == 0 || !text[word.start - 1].is_ascii_alphabetic();
        // A word such as `private` names no service.
        if !stands || judge::announcement(&text[word]) > 0 {
            return None;
        }
        while at < reach && words < 4 {
            self.work += 4;
            let byte = text[at];
            if !byte.is_ascii_alphanumeric() {
                // What stands between words; code and sentences end here.
                let ends = match byte {
                    b' ' | b'-' | b'_' | b'=' | b'"' | b'\'' | b'\t' | b'\n' | b'>' => false,
                    b'.' => text.get(at + 1).is_none_or(u8::is_ascii_whitespace),
                    b':' => text.get(at + 1) == Some(&b':'),
                    _ => true,
                };
                if ends {
                    return None;
                }
                at += 1;
                continue;
            }
            let announces = judge::announcement(&text[at..]);
            if announces > 0 {
                told = true;
                at += announces;
                continue;
            }
            let letters = text[at..].iter().take_while(|b| b.is_ascii_alphabetic()).count();
            let digits = text[at + letters..].iter().take_while(|b| b.is_ascii_digit()).count();
            if told || bare && words == 0 {
                let run = text[at..].iter().take(TOKEN_MAX).take_while(|b| is_token(**b) || **b == b'%').count();
                self.work += run;
                let value = at..at + run;
                if judge::announced_value(&text[value.clone()], told) {
                    return Some(value);
                }
            }
            // Another word; one that makes the value public ends it, and so does prose.
            if letters + digits > 12 || words > 0 && !told || told && judge::public_name(&text[at..at + letters]) {
                return None;
            }
            words += 1;
            at += letters + digits;
        }
        None
    }

    /// Tries the providers named shortly before a word such as `token`.
    fn after_provider(&mut self, frame: &Frame, text: &[u8], word: &Range<usize>) {
        if self.providers.is_empty() || text.get(word.end).is_some_and(u8::is_ascii_lowercase) {
            return;
        }
        let providers = std::mem::take(&mut self.providers);
        for provider in &providers {
            if provider.epoch != frame.epoch || word.end >= provider.until {
                continue;
            }
            let lenient = self.scanner.program.rules.get(provider.rule as usize).is_some_and(|r| r.entropy < 0.0);
            self.work += NEAR;
            let span = self.runs(text, word.end..text.len().min(provider.until), provider.shape);
            if let Some(span) = span.filter(|span| apt_value(&text[span.clone()], lenient, false)) {
                self.found(frame, text, provider.rule, span.clone(), span);
            }
        }
        self.providers = providers;
        self.providers.retain(|p| p.epoch == frame.epoch && word.end < p.until);
    }

    /// The name around a service's, and what it says of a credential; worked out once, however many rules ask for it.
    fn told(&mut self, frame: &Frame, text: &[u8], word: Range<usize>) -> (Range<usize>, judge::Told) {
        if let Some((epoch, of, name, told)) = &self.last_told
            && (*epoch, of) == (frame.epoch, &word)
        {
            return (name.clone(), *told);
        }
        let name = assignment::name_around(text, word.clone());
        let told = judge::told(&text[name.clone()], &text[word.clone()]);
        self.last_told = Some((frame.epoch, word, name.clone(), told));
        (name, told)
    }

    /// Reads an assignment once, however many rules ask for it.
    fn read(&mut self, frame: &Frame, text: &[u8], word: Range<usize>) -> Outcome {
        if let Some((epoch, at, outcome)) = &self.last_read
            && (*epoch, *at) == (frame.epoch, word.start)
        {
            return outcome.clone();
        }
        let outcome = assignment::read(text, word.clone());
        // A value without an end is read to its bound, again for every name within it.
        self.work += READ_WORK + if let Outcome::Assigned(found) = &outcome { found.value.len() } else { 0 };
        self.last_read = Some((frame.epoch, word.start, outcome.clone()));
        outcome
    }

    fn near(&mut self, text: &[u8], word: Range<usize>, shape: u32) -> Option<Range<usize>> {
        let end = text.len().min(word.end + NEAR);
        let start = word.start.saturating_sub(NEAR);
        self.runs(text, word.end..end, shape).or_else(|| self.runs(text, start..word.start, shape))
    }

    /// The first run of token characters in a range that is all of the shape, or its end behind one of its marks.
    fn runs(&mut self, text: &[u8], range: Range<usize>, shape: u32) -> Option<Range<usize>> {
        let least = self.scanner.program.shapes.get(shape as usize).map_or(RUN_LEAST, |shape| shape.least().max(RUN_LEAST));
        let mut at = range.start;
        while at < range.end {
            // Most runs are words, and too short for any shape: of a long one every so many bytes are part.
            let window = text.get(at..at + least)?;
            let tail = window.iter().rev().take_while(|b| is_token(**b)).count();
            if tail < least {
                at += least - tail;
                continue;
            }
            let end = at + text[at..].iter().take(TOKEN_MAX).take_while(|b| is_token(**b)).count();
            // Encoded data, and no credential in it.
            if end - at > BLOB_LEAST {
                at = end + 1;
                continue;
            }
            while at < range.end && end - at >= least {
                let begins = at == 0 || !text[at - 1].is_ascii_alphanumeric() || after_escape(text, at);
                if begins && let Some(span) = self.token_at(text, at, shape, false) {
                    return Some(span);
                }
                at += text[at..end].iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(end - at).max(1);
                at += text[at..end].iter().take_while(|b| !b.is_ascii_alphanumeric()).count();
            }
            at = end + 1;
        }
        None
    }

    /// An operator's pattern around its keyword, or around a slice when it has none.
    pub(super) fn search(&mut self, frame: &Frame, text: &[u8], rule: u32, search: u32, start: usize, end: usize) {
        let scanner = self.scanner;
        let Some(pattern) = scanner.program.searches.get(search as usize) else { return };
        let stamp = self.scratch.stamps.get(search as usize).copied().unwrap_or_default();
        let searched = if stamp.0 == frame.epoch { stamp.1 } else { 0 };
        if stamp.0 == frame.epoch && end <= searched {
            return;
        }
        let mut from = start.saturating_sub(SEARCH_BEFORE);
        let until = text.len().min(end + SEARCH_AFTER);
        if let Some(stamp) = self.scratch.stamps.get_mut(search as usize) {
            *stamp = (frame.epoch, until);
        }
        self.work += until - from;
        for _ in 0..FINDINGS_MAX {
            let Some((whole, secret)) = search_once(self.scratch, pattern, search, text, from..until) else { return };
            from = whole.end.max(whole.start + 1);
            self.found(frame, text, rule, whole, secret);
        }
    }

    /// `name = value` around a word such as `token`.
    fn assignment(&mut self, frame: &mut Frame, text: &[u8], word: Range<usize>) {
        self.after_provider(frame, text, &word);
        if word.start < frame.names_until {
            return;
        }
        // Most names are found out without reading what they are given.
        let name = assignment::name_around(text, word.clone());
        let Some(promise) = judge::promise(&text[name.clone()]) else {
            self.work += READ_WORK;
            frame.names_until = name.end;
            return;
        };
        match self.read(frame, text, word) {
            Outcome::Assigned(found) => {
                frame.names_until = found.name.end;
                self.work += 2 * READ_WORK;
                let rule = match judge::judge(text, &found, promise) {
                    judge::Verdict::Password => GENERIC_PASSWORD,
                    judge::Verdict::Secret => GENERIC_SECRET,
                    judge::Verdict::Nothing => return,
                };
                let span = judge::span(&found);
                if found.quoting == Quoting::Bare
                    && !at_line_or_flag(text, found.name.start)
                    && rule == GENERIC_PASSWORD
                    && found.operator == assignment::Operator::Colon
                    && text[..found.name.start].ends_with(b" ")
                {
                    // Prose with a colon in it.
                    let line = text[..found.name.start].iter().rev().take_while(|b| **b == b' ').count();
                    if line == 1 && !judge::placeholder(&text[span.clone()]) && judge::entropy(&text[span.clone()]) < 2.5 {
                        return;
                    }
                }
                self.found(frame, text, rule, span.clone(), span);
            }
            Outcome::AtEnd { name } | Outcome::Nothing { name } => frame.names_until = name.end,
        }
    }

    /// `scheme://user:password@host`.
    fn url(&mut self, frame: &Frame, text: &[u8], word: Range<usize>) {
        let end = text.len().min(word.end + 256);
        let rest = &text[word.end..end];
        let ends = |b: &u8| {
            matches!(b, b'/' | b'?' | b'#' | b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'|')
        };
        let authority = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        self.work += authority.len();
        let Some(at) = memchr::memrchr(b'@', authority) else { return };
        let Some(colon) = memchr::memchr(b':', &authority[..at]) else {
            // `https://<key>@sentry.example.com/1`: the key stands for the user.
            let is_key = at == 32 && authority[..at].iter().all(u8::is_ascii_hexdigit);
            if is_key && memchr::memmem::find(&authority[at..], b"sentry").is_some() {
                self.found(frame, text, Context::Url.rule(), word.end..word.end + at, word.end..word.end + at);
            }
            return;
        };
        let before = &text[word.start.saturating_sub(16)..word.start];
        let scheme = &before[before.iter().rposition(|b| !b.is_ascii_alphanumeric()).map_or(0, |n| n + 1)..];
        let (user, password) = (&authority[..colon], &authority[colon + 1..at]);
        self.work += 32;
        if password.len() < 3 || judge::url_placeholder(scheme, user, password) {
            return;
        }
        let start = word.end + colon + 1;
        self.found(frame, text, Context::Url.rule(), start..start + password.len(), start..start + password.len());
    }

    /// `-----BEGIN … PRIVATE KEY-----` with a body, however its lines are written.
    fn private_key(&mut self, frame: &Frame, text: &[u8], word: Range<usize>) {
        let before = &text[word.start.saturating_sub(48)..word.start];
        let Some(begin) = memchr::memmem::rfind(before, b"-----BEGIN ") else { return };
        let Some(body) = judge::key_body(&text[word.end..]) else { return };
        let start = word.start - (before.len() - begin);
        self.work += body;
        self.found(frame, text, Context::PrivateKey.rule(), start..word.end + body, start..word.end + body);
    }

    /// `Basic …` and `Bearer …`.
    fn header(&mut self, frame: &Frame, text: &[u8], word: Range<usize>, context: Context) {
        let rest = text.get(word.end..text.len().min(word.end + TOKEN_MAX)).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_' | b'.' | b'~' | b'!'))
            .count();
        let value = &rest[..length];
        let genuine = match context {
            Context::Basic => judge::basic_credentials(value),
            _ => judge::bearer_token(value, text, word.start),
        };
        if genuine {
            let span = word.end..word.end + length;
            self.found(frame, text, context.rule(), span.clone(), span);
        }
    }
}

/// Whether a provider's name is a word of its own, and not part of another: `expo` is not in `exports`.
fn stands_alone(text: &[u8], word: &Range<usize>) -> bool {
    let follows = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    let begins = !text[..word.start].last().is_some_and(u8::is_ascii_lowercase) || text[word.start].is_ascii_uppercase();
    begins && !(follows(word.end) && text[word.end - 1].is_ascii_alphabetic())
}

fn apt_value(value: &[u8], lenient: bool, broad: bool) -> bool {
    lenient || if broad { judge::clearly_random(value) } else { judge::machine_made(value) }
}

/// LIMIT: how far behind a service's name its credential may begin.
const ANNOUNCED_MAX: usize = 64;
/// LIMIT: what reading and judging a name costs, in the bytes that could be looked at meanwhile.
const READ_WORK: usize = 48;
/// LIMIT: the same for a try of a shape.
const TRY_WORK: usize = 16;
/// From here on a run of token characters is encoded data: what is near a name in it is near by chance.
const BLOB_LEAST: usize = 400;
/// LIMIT: shortest credential looked for near a provider's name.
const RUN_LEAST: usize = 10;

/// `\n` and `\t` spelled out stand before `start`: the letter is no part of a word.
fn after_escape(text: &[u8], start: usize) -> bool {
    start >= 2 && text[start - 2] == b'\\' && matches!(text[start - 1], b'n' | b'r' | b't')
}

/// The secret at the end of a match: its last stretch without white space and quotes.
fn tail_of(text: &[u8], whole: Range<usize>) -> Range<usize> {
    let cut = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'"' | b'\'' | b'`' | b'=' | b':' | b'>' | b',' | b'(');
    let matched = &text[whole.clone()];
    let end =
        matched.iter().rposition(|b| !matches!(b, b' ' | b'"' | b'\'' | b'\n' | b'<' | b')')).map_or(matched.len(), |at| at + 1);
    let start = matched[..end.saturating_sub(1)].iter().rposition(cut).map_or(0, |at| at + 1);
    whole.start + start..whole.start + end
}

fn at_line_or_flag(text: &[u8], at: usize) -> bool {
    at == 0 || matches!(text[at - 1], b'\n' | b'-' | b'"' | b'\'' | b'`' | b'$' | b'{' | b',' | b'\t')
}

fn search_once(
    scratch: &mut ScanScratch,
    pattern: &Search,
    search: u32,
    text: &[u8],
    range: Range<usize>,
) -> Option<(Range<usize>, Range<usize>)> {
    if range.is_empty() {
        return None;
    }
    let (cache, captures) = scratch.searches.get_mut(search as usize)?;
    pattern.regex.search_captures_with(cache, &Input::new(text).range(range), captures);
    let whole = captures.get_match()?.range();
    let secret = captures.get_group(pattern.group).map_or_else(|| whole.clone(), |span| span.range());
    Some((whole, secret))
}
