module author::loops {
	struct Wide has copy, drop { a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64 }
	struct Box<T: copy + drop> has copy, drop { inner: T }

	public entry fun count(turns: u64) {
		while (turns > 0) turns = turns - 1;
	}

	public entry fun for_ever() {
		loop {}
	}

	public entry fun recurse() {
		recurse()
	}

	public entry fun descend(depth: u64) {
		if (depth > 0) descend(depth - 1)
	}

	public entry fun push() {
		let all = empty();
		loop { std::vector::push_back(&mut all, 1u8) }
	}

	public entry fun double() {
		let all = vector[vector[1u8]];
		loop {
			let again = all;
			std::vector::push_back(&mut all, vector[1, 2, 3]);
			let _ = again;
		}
	}

	public entry fun nest() {
		let all = vector[];
		loop { std::vector::push_back(&mut all, vector<u8>[]) }
	}

	fun empty(): vector<u8> { vector[] }

	fun filled(length: u64): vector<u64> {
		let all = vector[];
		while (length > 0) {
			std::vector::push_back(&mut all, length);
			length = length - 1
		};
		all
	}

	public entry fun read_again(length: u64, turns: u64) {
		let all = filled(length);
		let all_ref = &all;
		while (turns > 0) {
			let _copy = *all_ref;
			turns = turns - 1
		}
	}

	public entry fun compare_for_ever() {
		let (a, b) = (filled(1000), filled(1000));
		loop { if (a != b) abort 1 }
	}

	public entry fun copy_for_ever() {
		let wide = Wide { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8 };
		loop { let _ = copy wide; }
	}

	public entry fun hollow_for_ever() {
		let all = vector[];
		let left = 1000;
		while (left > 0) {
			std::vector::push_back(&mut all, vector<u8>[]);
			left = left - 1
		};
		loop { let _ = copy all; }
	}

	struct Text has key { bytes: vector<u8> }
	struct Parts has key { all: vector<vector<u8>> }

	public entry fun store_text(owner: &signer, bytes: vector<u8>) {
		move_to(owner, Text { bytes })
	}

	public entry fun store_parts(owner: &signer, bytes: vector<u8>) {
		move_to(owner, Parts { all: vector[bytes] })
	}

	public entry fun read_text(owner: &signer, turns: u64) acquires Text {
		let bytes = &borrow_global<Text>(std::signer::address_of(owner)).bytes;
		while (turns > 0) {
			let _copy = *bytes;
			turns = turns - 1
		}
	}

	public entry fun read_parts(owner: &signer, turns: u64) acquires Parts {
		let all = &borrow_global<Parts>(std::signer::address_of(owner)).all;
		while (turns > 0) {
			let _copy = *all;
			turns = turns - 1
		}
	}

	public entry fun read_pushed_bytes(length: u64, turns: u64) {
		let all = empty();
		while (length > 0) {
			std::vector::push_back(&mut all, 1);
			length = length - 1
		};
		let all_ref = &all;
		while (turns > 0) {
			let _copy = *all_ref;
			turns = turns - 1
		}
	}

	public entry fun compare_numbers(length: u64, turns: u64) {
		let _all = filled(length);
		while (turns != 0) turns = turns - 1
	}
}
