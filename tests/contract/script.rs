//! Random scripts: what happens in a world and to the runs that read it.

use std::collections::BTreeSet;

use nenrin::clock::Timestamp;
use nenrin::connect::ReadMode;
use nenrin::record::FieldClass;
use nenrin::sync::SyncOptions;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::journal::{Dated, Journal};
use super::project::{LEASE_SECS, Project};
use super::world::{Setup, System, Then, Trouble};
use crate::support::app::assert_complete;

/// Something that happens. Numbers pick a record among those that are there, or a form of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Insert,
    Update(u32),
    UpdateAll,
    InsertLate(u32),
    UpdateLate(u32, u32),
    Silently(u32),
    Delete(u32),
    Vanish(u32),
    Undelete(u32),
    Merge(u32, u32),
    Wait(i64),
    /// Something goes wrong with a page of the next run.
    Trouble(u32),
    /// What is kept for the reader between two pages is forgotten before a page of the next run.
    Forget,
    /// A run that dies at that step, or is complete before it.
    Cut {
        step: usize,
        full: bool,
    },
    /// A lost cache.
    LoseCache,
    Sync {
        full: bool,
    },
}

/// The script of that seed.
pub(crate) fn script(seed: u64, length: usize) -> Vec<Event> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut pick = || random.random_range(0..1_000_000u32);
    let mut events = Vec::new();
    while events.len() < length {
        let event = match pick() % 26 {
            0..=2 => Event::Insert,
            3..=7 => Event::Update(pick()),
            8 => Event::UpdateAll,
            9 => Event::InsertLate(pick()),
            10 | 11 => Event::UpdateLate(pick(), pick()),
            12 | 13 => Event::Silently(pick()),
            14 => Event::Delete(pick()),
            15 => Event::Vanish(pick()),
            16 => Event::Undelete(pick()),
            17 => Event::Merge(pick(), pick()),
            18 => Event::Trouble(pick()),
            19 => Event::Forget,
            20 | 21 => Event::Cut { step: pick() as usize % 14, full: pick() % 4 == 0 },
            22 if pick() % 3 == 0 => Event::LoseCache,
            _ => Event::Sync { full: pick() % 4 == 0 },
        };
        events.push(event);
        events.push(Event::Wait(1 + i64::from(pick() % 4_000)));
    }
    events
}

/// A script while it is played.
struct Play {
    project: Project,
    journal: Journal,
    /// Edits that cannot be seen yet: when they can, and their stamps.
    pending: Vec<(Timestamp, Timestamp)>,
    /// Records with such an edit: what comes over it now hides it.
    resting: BTreeSet<String>,
    gone: Vec<String>,
    step: usize,
    /// Whether a run was cut off since the last that was complete.
    was_cut: bool,
}

/// Plays a script; what the log says in the end that is not true at some instant.
pub(crate) async fn play(system: System, seed: u64, events: &[Event]) -> Result<(), String> {
    let project = Project::read(system, Setup { seed, batch_rows: 25, ..Setup::of(50) }).await;
    let journal = Journal::new(system.facts, project.world.truth());
    let (pending, resting, gone) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut play = Play { project, journal, pending, resting, gone, step: 0, was_cut: false };
    for event in events {
        play.step += 1;
        play.go_through(*event).await?;
    }
    // All that was late can be seen, an interrupted reading is gone on with, and one full read finds the rest.
    play.wait(7_200);
    play.sync(ReadMode::Incremental).await?;
    play.wait(7_200);
    play.sync(ReadMode::Full).await?;
    play.judge().await?;
    play.read_again_from_nothing().await
}

impl Play {
    async fn go_through(&mut self, event: Event) -> Result<(), String> {
        let world = self.project.world.clone();
        let note = format!("第{}版", self.step);
        let now = world.now();
        let late = |pick: u32| 1 + i64::from(pick) % self.project.system.facts.late_secs;
        let is_unchanged = match event {
            Event::Wait(secs) => {
                self.wait(secs);
                true
            }
            Event::Insert => {
                world.add(&note);
                false
            }
            Event::Update(pick) => self.any(pick).is_none_or(|key| !world.edit(&key, &note)),
            // It would come over what is resting.
            Event::UpdateAll => {
                let rests = !self.resting.is_empty();
                if !rests {
                    world.update_all(&note);
                }
                rests
            }
            Event::InsertLate(pick) => {
                let delay = late(pick);
                self.resting.insert(world.insert_late(&note, delay));
                self.pending.push((now.plus_secs(delay), now));
                true
            }
            Event::UpdateLate(pick, delay) => {
                let delay = late(delay);
                if let Some(key) = self.any(pick).filter(|key| world.update_late(key, &note, delay)) {
                    self.resting.insert(key);
                    self.pending.push((now.plus_secs(delay), now));
                }
                true
            }
            Event::Silently(pick) => {
                // Seen with an edit that waits to be read it would be dated by that one's stamp.
                if let Some(key) = self.any(pick).filter(|key| self.journal.is_read(key)) {
                    world.change_silently(&key, &note);
                    self.journal.note(world.truth(), Dated::Silent(now));
                }
                true
            }
            Event::Delete(pick) => {
                let key = self.any(pick).filter(|key| world.delete(key));
                self.gone.extend(key.clone());
                key.is_none()
            }
            Event::Vanish(pick) => {
                if let Some(key) = self.any(pick) {
                    world.vanish(&key);
                    self.journal.note(world.truth(), Dated::Silent(now));
                }
                true
            }
            Event::Undelete(pick) => {
                let key = self.gone.get(pick as usize % self.gone.len().max(1)).cloned();
                key.is_none_or(|key| world.undelete(&key) != Some(true))
            }
            Event::Merge(pick, other) => match (self.any(pick), self.any(other)) {
                (Some(winner), Some(loser)) if winner != loser => world.merge(&winner, &loser) != Some(true),
                _ => true,
            },
            Event::Trouble(pick) => {
                let kinds = [
                    Trouble::Throttled,
                    Trouble::Unavailable,
                    Trouble::Html,
                    Trouble::Truncated,
                    Trouble::Repeated,
                    Trouble::Lacking,
                ];
                let kind = kinds[pick as usize % kinds.len()];
                let mut forms = (self.project.system.facts.forms)(kind);
                // Of a page that comes again where the connector does not cope, one of an earlier run may come: where its
                // records lie in the window, nobody tells it from the answer.
                forms.retain(|form| kind != Trouble::Repeated || form.then == Then::Coped);
                if forms.is_empty() {
                    return Ok(());
                }
                let form = forms[pick as usize / 7 % forms.len()];
                world.arm(form.spec, if pick % 2 == 0 { "1" } else { "2" });
                true
            }
            Event::Forget => {
                world.forget_places();
                true
            }
            Event::Cut { step, full } => {
                self.project.write_source();
                let mode = if full { ReadMode::Full } else { ReadMode::Incremental };
                self.was_cut = true;
                self.project.app.cut_off(self.project.system.facts.name, mode, step).await;
                self.wait(LEASE_SECS);
                true
            }
            Event::LoseCache => {
                self.project.app.remove(".nenrin");
                true
            }
            Event::Sync { full } => {
                self.sync(if full { ReadMode::Full } else { ReadMode::Incremental }).await?;
                true
            }
        };
        if !is_unchanged {
            self.journal.note(world.truth(), Dated::Stamped(now));
        }
        Ok(())
    }

    /// A record that may be edited.
    fn any(&self, pick: u32) -> Option<String> {
        let keys: Vec<String> =
            self.project.world.keys().into_iter().filter(|key| !self.resting.contains(key)).collect();
        (!keys.is_empty()).then(|| keys[pick as usize % keys.len()].clone())
    }

    /// Moves the clocks on, and notes what becomes visible on the way.
    fn wait(&mut self, secs: i64) {
        let until = self.project.world.now().plus_secs(secs);
        self.pending.sort_unstable();
        while let Some((due, stamp)) = self.pending.first().copied().filter(|(due, _)| *due <= until) {
            self.pending.remove(0);
            self.advance_to(due);
            self.journal.note(self.project.world.truth(), Dated::Stamped(stamp));
        }
        self.advance_to(until);
    }

    fn advance_to(&self, at: Timestamp) {
        self.project.advance((at.micros() - self.project.world.now().micros()) / 1_000_000);
    }

    /// Reads until a run is complete: trouble may end some, and lost sightings cost one more.
    async fn sync(&mut self, mode: ReadMode) -> Result<(), String> {
        let mut tries = 0;
        let report = loop {
            self.project.write_source();
            let options = SyncOptions { mode, ..SyncOptions::default() };
            let report = self.project.app.sync_with(self.project.system.facts.name, &options).await.unwrap();
            if report.first_error().is_none() {
                break report;
            }
            self.was_cut = true;
            tries += 1;
            if tries > 3 {
                return Err(format!("no run is complete: {}", report.first_error().unwrap().rendered));
            }
        };
        assert_complete(&report);
        self.project.world.disarm();
        let is_full = mode == ReadMode::Full && !self.was_cut;
        self.was_cut = false;
        self.journal.synced(self.project.world.now(), is_full);
        if self.pending.is_empty() {
            self.resting.retain(|key| !self.journal.is_read(key));
        }
        // Longer than stamps are fine: what comes next has a later one.
        self.wait(60);
        Ok(())
    }

    /// Forgets everything but the lake, and reads once more: nothing is new (full rebuild = incremental).
    async fn read_again_from_nothing(&self) -> Result<(), String> {
        let lines = self.project.app.lines(&self.project.stream()).await;
        self.project.app.remove(".nenrin");
        self.project.app.remove_control();
        self.project.go_on(ReadMode::Incremental).await;
        let again = self.project.app.lines(&self.project.stream()).await;
        match again.iter().find(|line| !lines.contains(line)) {
            Some(line) => Err(format!("read again from nothing, the log has another line: {line:?}")),
            None if again.len() != lines.len() => Err("read again from nothing, the log has lost lines".to_owned()),
            None => Ok(()),
        }
    }

    /// Compares the log with the journal at every instant at which anything happened.
    async fn judge(&self) -> Result<(), String> {
        let instants = self.journal.instants();
        let is_business = |class| class == FieldClass::Business;
        let stream = self.project.stream();
        let states = self.project.app.records_at(&stream, &instants, Timestamp::MAX, is_business).await;
        for (instant, state) in instants.iter().zip(&states) {
            self.journal.judge(*instant, state)?;
        }
        let log = self.project.log_at(self.project.world.now()).await;
        super::project::differs(&log, &self.project.world.truth())
            .map_err(|difference| format!("in the end: {difference}"))
    }
}

/// A shorter script that still goes wrong, found by leaving out ever smaller parts.
pub(crate) async fn shrink(system: System, seed: u64, events: Vec<Event>, most_plays: usize) -> Vec<Event> {
    let (mut events, mut plays) = (events, 0);
    let mut size = events.len() / 2;
    while size > 0 && plays < most_plays {
        let mut at = 0;
        while at < events.len() && plays < most_plays {
            let mut shorter = events.clone();
            shorter.drain(at..(at + size).min(events.len()));
            plays += 1;
            if play(system, seed, &shorter).await.is_err() {
                events = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    events
}
