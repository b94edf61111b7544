module author::counter {
	use std::signer;

	struct Counter has key { value: u64 }

	public entry fun create(owner: &signer) {
		move_to(owner, Counter { value: 0 })
	}

	public entry fun add(owner: &signer, amount: u64) acquires Counter {
		let counter = borrow_global_mut<Counter>(signer::address_of(owner));
		counter.value = counter.value + amount
	}

	public entry fun close(owner: &signer) acquires Counter {
		let Counter { value } = move_from<Counter>(signer::address_of(owner));
		assert!(value > 0, 7)
	}

	public fun value(owner: address): u64 acquires Counter {
		borrow_global<Counter>(owner).value
	}

	public fun take(counter: Counter): u64 {
		let Counter { value } = counter;
		value
	}

	public fun two_signers(_a: signer, _b: signer) {}

	fun secret(): u64 { 42 }
}
