module author::coin {
	use std::signer;

	struct Balance has key { value: u64 }

	public entry fun open(owner: &signer, value: u64) {
		move_to(owner, Balance { value })
	}

	public entry fun transfer(from: &signer, to: address, amount: u64) acquires Balance {
		withdraw(signer::address_of(from), amount);
		deposit(to, amount)
	}

	fun withdraw(owner: address, amount: u64) acquires Balance {
		let balance = borrow_global_mut<Balance>(owner);
		assert!(balance.value >= amount, 1);
		balance.value = balance.value - amount
	}

	fun deposit(owner: address, amount: u64) acquires Balance {
		let balance = borrow_global_mut<Balance>(owner);
		balance.value = balance.value + amount
	}
}
