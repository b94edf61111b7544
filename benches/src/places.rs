//! The data set of the tour: countries, states in them, cities in those.

use crate::{
	data::{self, BATCH_FIELDS},
	Failure, Scale,
};
use dstp_primitives::{call::Call, Key, Path, Value};
use rand::{rngs::StdRng, Rng, SeedableRng};

type City = (String, String);
type State = (String, Vec<City>);
type Country = (String, Vec<State>);

/// All places, and where they come from.
pub struct Places {
	/// Whether they are those of the npm package.
	pub real: bool,
	countries: Vec<Country>,
}

impl Places {
	/// From the file that `scripts/bench-places.mjs` wrote; without one, seeded ones of the same shape.
	pub fn load(scale: &Scale) -> Result<Self, Failure> {
		match &scale.places {
			Some(file) => {
				let text = std::fs::read_to_string(file)
					.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
				Ok(Self { real: true, countries: serde_json::from_str(&text)? })
			},
			None => Ok(Self { real: false, countries: synthetic(scale.shape) }),
		}
	}

	/// What rows say of them.
	pub fn describe(&self) -> String {
		let source = if self.real { "real" } else { "synthetic" };
		format!("{} {source} places", self.len())
	}

	/// How many countries, states and cities there are.
	pub fn len(&self) -> usize {
		let states = || self.countries.iter().flat_map(|(_, states)| states);
		self.countries.len()
			+ states().count()
			+ states().map(|(_, cities)| cities.len()).sum::<usize>()
	}

	/// The calls that write them, each parent before what is in it, as the tour does.
	pub fn calls(&self) -> Result<Vec<Call>, Failure> {
		let mut calls = Vec::new();
		for (country, states) in &self.countries {
			let country = Key::new(country.as_bytes())?;
			let above = Path::new(vec![country.clone()])?;
			calls.push(data::create(Path::default(), country));
			for (state, cities) in states {
				let state = Key::new(state.as_bytes())?;
				calls.push(data::create(above.clone(), state.clone()));
				let object = above.join(state)?;
				for part in cities.chunks(BATCH_FIELDS) {
					let fields: Result<Vec<_>, Failure> = part.iter().map(field).collect();
					calls.push(data::set_fields(object.clone(), &fields?)?);
				}
			}
		}
		Ok(calls)
	}
}

fn field((name, position): &City) -> Result<(Key, Value), Failure> {
	let value = Value::try_from(position.as_bytes().to_vec());
	Ok((Key::new(name.as_bytes())?, value.map_err(|_| "a position is too long")?))
}

/// So many countries, states and cities. As in the real ones, few states have most of the cities.
fn synthetic((countries, states, cities): (usize, usize, usize)) -> Vec<Country> {
	let mut rng = StdRng::seed_from_u64(0);
	let mut all: Vec<Country> = (0..countries).map(|n| (format!("C{n}"), Vec::new())).collect();
	for state in 0..states {
		all[state % countries].1.push((format!("S{state}"), Vec::new()));
	}
	for city in 0..cities {
		let skewed = rng.gen::<f64>().powi(2) * states as f64;
		let state = (skewed as usize).min(states - 1);
		let position =
			format!("{:.5},{:.5}", rng.gen_range(-90.0..90.0), rng.gen_range(-180.0..180.0));
		all[state % countries].1[state / countries].1.push((format!("City of {city}"), position));
	}
	all
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn synthetic_places_have_the_shape_that_was_asked_for() {
		let places = Places { real: false, countries: synthetic((5, 12, 700)) };
		assert_eq!((places.len(), places.countries.len()), (717, 5));
		// A call for each object, and at least one for each state with cities.
		assert!(places.calls().expect("all keys are short").len() > 17);
	}
}
