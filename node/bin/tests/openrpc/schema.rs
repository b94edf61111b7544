//! The part of JSON Schema that the document uses. Anything else is refused, so that no word of it goes unchecked.

use serde_json::Value;
use std::collections::BTreeSet;

/// Panics if `value` does not fit.
pub fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
	if let Err(reason) = fits(document, schema, value) {
		panic!("{place}: {reason}\n{value:#}");
	}
}

/// Every `$ref` in a document.
pub fn references(value: &Value, found: &mut BTreeSet<String>) {
	match value {
		Value::Object(members) => {
			if let Some(Value::String(reference)) = members.get("$ref") {
				found.insert(reference.clone());
			}
			members.values().for_each(|member| references(member, found));
		},
		Value::Array(items) => items.iter().for_each(|item| references(item, found)),
		_ => (),
	}
}

fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
	let words = schema.as_object().expect("a schema is an object");
	for (word, operand) in words {
		match word.as_str() {
			"description" => (),
			"$ref" => {
				let place = operand.as_str().and_then(|place| place.strip_prefix('#'));
				let target = place.and_then(|place| document.pointer(place));
				fits(document, target.unwrap_or_else(|| panic!("{operand} exists")), value)?;
			},
			"type" => has_type(operand, value)?,
			"const" if operand != value => return Err(format!("{value} is not {operand}")),
			"const" => (),
			"enum" if !items(operand).contains(value) => {
				return Err(format!("{value} is none of {operand}"));
			},
			"enum" => (),
			"pattern" => has_pattern(operand, value)?,
			"minimum" => in_order(operand, value)?,
			"maximum" => in_order(value, operand)?,
			"maxItems" if value.as_array().map(|list| list.len() as u64) > operand.as_u64() => {
				return Err(format!("more than {operand} items"));
			},
			"maxItems" => (),
			"items" => items(value).iter().try_for_each(|item| fits(document, operand, item))?,
			"allOf" => {
				items(operand).iter().try_for_each(|part| fits(document, part, value))?;
			},
			"oneOf" => one_of(document, operand, value)?,
			"properties" => properties(document, schema, value)?,
			// Read together with the properties.
			"required" | "additionalProperties" => assert!(words.contains_key("properties")),
			unknown => panic!("the word {unknown} of JSON Schema is not known here"),
		}
	}
	Ok(())
}

fn items(list: &Value) -> &[Value] {
	list.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn has_type(name: &Value, value: &Value) -> Result<(), String> {
	let fits = match name.as_str().expect("one type") {
		"object" => value.is_object(),
		"array" => value.is_array(),
		"string" => value.is_string(),
		"integer" => value.is_u64(),
		"boolean" => value.is_boolean(),
		"null" => value.is_null(),
		unknown => panic!("the type {unknown} is not known here"),
	};
	fits.then_some(()).ok_or_else(|| format!("{value} is no {name}"))
}

fn has_pattern(pattern: &Value, value: &Value) -> Result<(), String> {
	let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
	let digits = digits.ok_or_else(|| format!("{value} does not start with 0x"))?;
	let long_enough = match pattern.as_str().expect("text") {
		"^0x([0-9a-f]{2})*$" => digits.len() % 2 == 0,
		"^0x[0-9a-f]{64}$" => digits.len() == 64,
		unknown => panic!("the pattern {unknown} is not known here"),
	};
	let hex = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
	(long_enough && hex).then_some(()).ok_or_else(|| format!("{value} does not match {pattern}"))
}

fn in_order(low: &Value, high: &Value) -> Result<(), String> {
	(low.as_u64() <= high.as_u64()).then_some(()).ok_or_else(|| format!("{low} is above {high}"))
}

fn one_of(document: &Value, schemas: &Value, value: &Value) -> Result<(), String> {
	let results: Vec<_> =
		items(schemas).iter().map(|schema| fits(document, schema, value)).collect();
	match results.iter().filter(|result| result.is_ok()).count() {
		1 => Ok(()),
		0 => Err(format!("fits none: {results:?}")),
		count => Err(format!("fits {count} at once")),
	}
}

fn properties(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
	let Some(members) = value.as_object() else { return Ok(()) };
	let properties = schema["properties"].as_object().expect("an object");
	for name in items(&schema["required"]) {
		if !members.contains_key(name.as_str().expect("text")) {
			return Err(format!("{name} is missing"));
		}
	}
	for (name, member) in members {
		match properties.get(name) {
			Some(schema) => {
				fits(document, schema, member).map_err(|reason| format!("{name}: {reason}"))?;
			},
			None if schema["additionalProperties"] == false => {
				return Err(format!("{name} is not documented"));
			},
			None => (),
		}
	}
	Ok(())
}
