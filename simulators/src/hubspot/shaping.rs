//! A portal in the hands of a test: its properties, pipelines, labels and owners.

use crate::hubspot::object::Object;
use crate::hubspot::owners::{FIRST, Owner};
use crate::hubspot::pipeline::{Change, Pipeline, Stage};
use crate::hubspot::portal::{Edited, Portal};
use crate::hubspot::property::{Choice, Property, PropertySpec};
use crate::hubspot::refusal::{Answer, Refusal, invalid, not_found, unknown_property, unknown_type};
use crate::hubspot::state::State;

impl Portal {
    /// Adds a property; records have no value in it.
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub fn add_property(&self, type_name: &str, spec: PropertySpec) -> Edited<()> {
        self.edit(type_name, |state, place| {
            if state.objects[place].property(&spec.name).is_some() {
                return Err(Refusal::new(409, "CONFLICT", format!("A property named {} already exists.", spec.name)));
            }
            let now = state.now;
            let property = Property::new(spec);
            state.objects[place].add(Property { hubspot_defined: false, created: now, updated: now, ..property });
            Ok(())
        })
    }

    /// Archives a property: it is in no answer any more, but for the list of archived ones.
    ///
    /// # Errors
    ///
    /// When there is no such property.
    pub fn archive_property(&self, type_name: &str, name: &str) -> Edited<()> {
        self.change_property(type_name, name, |property, now| property.archived_at = Some(now))
    }

    /// Brings an archived property back, with what records held in it.
    ///
    /// # Errors
    ///
    /// When there is no such property in the archive, or its name was taken since.
    pub fn restore_property(&self, type_name: &str, name: &str) -> Edited<()> {
        self.edit(type_name, |state, place| {
            let object = &mut state.objects[place];
            if object.property(name).is_some() {
                return Err(Refusal::new(409, "CONFLICT", format!("A property named {name} already exists.")));
            }
            let property = object.properties.iter_mut().rev().find(|property| property.spec.name == name);
            property.ok_or_else(|| unknown_property(name))?.archived_at = None;
            Ok(())
        })
    }

    /// Gives a property another name, as HubSpot itself never does: as if an administrator had made another one, had
    /// all values copied without a trace, and had archived the old one.
    ///
    /// # Errors
    ///
    /// When there is no such property, or the name is taken.
    pub fn rename_property(&self, type_name: &str, name: &str, new: &str) -> Edited<()> {
        self.edit(type_name, |state, place| {
            let now = state.now;
            let object = &mut state.objects[place];
            if object.property(new).is_some() {
                return Err(Refusal::new(409, "CONFLICT", format!("A property named {new} already exists.")));
            }
            let property = object.property_mut(name).ok_or_else(|| unknown_property(name))?;
            let mut old = property.clone();
            old.archived_at = Some(now);
            new.clone_into(&mut property.spec.name);
            (property.created, property.updated) = (now, now);
            object.add(old);
            Ok(())
        })
    }

    /// Gives a property another label.
    ///
    /// # Errors
    ///
    /// When there is no such property.
    pub fn relabel_property(&self, type_name: &str, name: &str, label: &str) -> Edited<()> {
        self.change_property(type_name, name, |property, now| {
            label.clone_into(&mut property.spec.label);
            property.updated = now;
        })
    }

    /// Hides a property as if it had become sensitive and nobody had the scope for that, or shows it again.
    ///
    /// # Errors
    ///
    /// When there is no such property.
    pub fn hide_property(&self, type_name: &str, name: &str, is_hidden: bool) -> Edited<()> {
        self.change_property(type_name, name, |property, _| property.is_hidden = is_hidden)
    }

    /// Sets the options of an enumeration (values and labels); records keep what they hold.
    ///
    /// # Errors
    ///
    /// When there is no such property.
    pub fn set_choices(&self, type_name: &str, name: &str, choices: &[(&str, &str)]) -> Edited<()> {
        let choice = |(value, label): &(&str, &str)| Choice { value: (*value).to_owned(), label: (*label).to_owned() };
        self.change_property(type_name, name, |property, now| {
            property.spec.options = choices.iter().map(choice).collect();
            property.updated = now;
        })
    }

    fn change_property(&self, type_name: &str, name: &str, change: impl FnOnce(&mut Property, i64)) -> Edited<()> {
        self.edit(type_name, |state, place| {
            let now = state.now;
            let property = state.objects[place].property_mut(name).ok_or_else(|| unknown_property(name))?;
            change(property, now);
            Ok(())
        })
    }

    /// Adds a pipeline without stages.
    ///
    /// # Errors
    ///
    /// When the type is unknown or the id is taken.
    pub fn add_pipeline(&self, type_name: &str, id: &str, label: &str) -> Edited<()> {
        self.edit(type_name, |state, place| {
            let now = state.now;
            let pipelines = &mut state.objects[place].pipelines;
            if pipelines.iter().any(|pipeline| pipeline.id == id) {
                return Err(Refusal::new(409, "CONFLICT", format!("There is a pipeline {id} already.")));
            }
            let (id, label) = (id.to_owned(), label.to_owned());
            let stages = Vec::new();
            let mut pipeline =
                Pipeline { id, label, stages, archived: false, created: now, updated: now, changes: Vec::new() };
            note(&mut pipeline, None, "CREATE", now);
            pipelines.push(pipeline);
            Ok(())
        })
    }

    /// Archives a pipeline.
    ///
    /// # Errors
    ///
    /// When there is no such pipeline.
    pub fn archive_pipeline(&self, type_name: &str, pipeline: &str) -> Edited<()> {
        self.change_pipeline(type_name, pipeline, |pipeline, now| {
            pipeline.archived = true;
            note(pipeline, None, "DELETE", now);
            Ok(())
        })
    }

    /// Gives a pipeline another label.
    ///
    /// # Errors
    ///
    /// When there is no such pipeline.
    pub fn relabel_pipeline(&self, type_name: &str, pipeline: &str, label: &str) -> Edited<()> {
        self.change_pipeline(type_name, pipeline, |pipeline, now| {
            label.clone_into(&mut pipeline.label);
            note(pipeline, None, "UPDATE", now);
            Ok(())
        })
    }

    /// Adds a stage at the end of a pipeline; `probability` as the API has it (`0.4`), 0 and 1 end a deal.
    ///
    /// # Errors
    ///
    /// When there is no such pipeline, or the stage is there already.
    pub fn add_stage(&self, type_name: &str, pipeline: &str, id: &str, label: &str, probability: &str) -> Edited<()> {
        self.change_pipeline(type_name, pipeline, |pipeline, now| {
            if pipeline.stages.iter().any(|stage| stage.id == id) {
                let sub_category = Some("PipelineError.STAGE_ID_IN_USE");
                return Err(Refusal { sub_category, ..invalid(format!("There is a stage {id} already.")) });
            }
            let is_closed = matches!(probability, "0.0" | "1.0" | "0" | "1");
            pipeline.stages.push(Stage {
                id: id.to_owned(),
                label: label.to_owned(),
                metadata: vec![("isClosed", is_closed.to_string()), ("probability", probability.to_owned())],
                archived: false,
                created: now,
                updated: now,
            });
            note(pipeline, Some(id), "CREATE", now);
            Ok(())
        })
    }

    /// Gives a stage another label.
    ///
    /// # Errors
    ///
    /// When there is no such stage.
    pub fn relabel_stage(&self, type_name: &str, pipeline: &str, id: &str, label: &str) -> Edited<()> {
        self.change_pipeline(type_name, pipeline, |pipeline, now| {
            label.clone_into(&mut stage(pipeline, id)?.label);
            note(pipeline, Some(id), "UPDATE", now);
            Ok(())
        })
    }

    /// Archives a stage; records stay in it.
    ///
    /// # Errors
    ///
    /// When there is no such stage.
    pub fn archive_stage(&self, type_name: &str, pipeline: &str, id: &str) -> Edited<()> {
        self.change_pipeline(type_name, pipeline, |pipeline, now| {
            stage(pipeline, id)?.archived = true;
            note(pipeline, Some(id), "DELETE", now);
            Ok(())
        })
    }

    fn change_pipeline(
        &self,
        type_name: &str,
        id: &str,
        change: impl FnOnce(&mut Pipeline, i64) -> Answer<()>,
    ) -> Edited<()> {
        self.edit(type_name, |state, place| {
            let now = state.now;
            let object: &mut Object = &mut state.objects[place];
            let pipeline = object.pipelines.iter_mut().find(|pipeline| pipeline.id == id).ok_or_else(not_found)?;
            change(pipeline, now)?;
            pipeline.updated = now;
            Ok(())
        })
    }

    /// Adds a label for associations from one type to another; gives its type id. The way back has the next one.
    ///
    /// # Errors
    ///
    /// When a type is unknown.
    pub fn add_label(&self, from: &str, to: &str, label: &str) -> Edited<u32> {
        let mut state = self.lock();
        let state: &mut State = &mut state;
        let from = state.find(from).ok_or_else(|| unknown_type(from))?;
        let to = state.find(to).ok_or_else(|| unknown_type(to))?;
        let last = state.links.types.iter().filter(|kind| kind.category == "USER_DEFINED").map(|kind| kind.id).max();
        let id = last.unwrap_or_default() + 1;
        state.links.add(from, to, (id, id + 1), "USER_DEFINED", Some(label));
        Ok(id)
    }

    /// Adds an owner and gives the id.
    pub fn add_owner(&self, email: &str, family_name: &str, given_name: &str) -> u64 {
        let mut state = self.lock();
        let now = state.now;
        let id = state.owners.iter().map(|owner| owner.id + 1).max().unwrap_or(FIRST);
        state.owners.push(Owner {
            id,
            email: email.to_owned(),
            family_name: family_name.to_owned(),
            given_name: given_name.to_owned(),
            is_queue: false,
            archived: false,
            created: now,
            updated: now,
        });
        id
    }

    /// Whether an owner has left.
    pub fn archive_owner(&self, id: u64, is_archived: bool) {
        let mut state = self.lock();
        let now = state.now;
        state.owners.iter_mut().filter(|owner| owner.id == id).for_each(|owner| {
            owner.archived = is_archived;
            owner.updated = now;
        });
    }
}

fn stage<'a>(pipeline: &'a mut Pipeline, id: &str) -> Answer<&'a mut Stage> {
    pipeline.stages.iter_mut().find(|stage| stage.id == id).ok_or_else(not_found)
}

/// Leaves a trace of a change of a pipeline, or of one of its stages.
fn note(pipeline: &mut Pipeline, of_stage: Option<&str>, action: &'static str, at: i64) {
    let after = match of_stage {
        None => Some(pipeline.json(0)),
        Some(id) => {
            let stage = pipeline.stages.iter_mut().find(|stage| stage.id == id);
            stage.map(|stage| {
                stage.updated = at;
                stage.json(0)
            })
        }
    };
    let identifier = of_stage.unwrap_or(&pipeline.id).to_owned();
    pipeline.changes.push(Change { identifier, action, at, after: after.unwrap_or_default() });
}
