module author::objects {
	use dstp::object;

	struct Text has copy, drop, store { bytes: vector<u8> }
	struct Pair has copy, drop, store { one: vector<u8>, other: vector<u8> }

	public fun child(parent: address, key: vector<u8>): address { object::child(parent, key) }
	public fun stands(path: vector<vector<u8>>): bool { object::exists_at(path) }
	public fun read(path: vector<vector<u8>>, key: vector<u8>): u64 {
		object::read<u64>(object::find(path), key)
	}

	public entry fun create(owner: &signer, parent: address, key: vector<u8>, hashed: bool) {
		let path = std::vector::empty<vector<u8>>();
		object::find(path);
		object::create(owner, parent, key, hashed);
	}
	public entry fun create_below(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		object::create(owner, object::find(path), key, false);
	}
	public entry fun transfer(owner: &signer, path: vector<vector<u8>>, to: address) {
		object::transfer(owner, object::find(path), to);
	}
	public entry fun share(owner: &signer, path: vector<vector<u8>>) { object::share(owner, object::find(path)); }
	public entry fun freeze_it(owner: &signer, path: vector<vector<u8>>) {
		object::freeze_object(owner, object::find(path));
	}

	public entry fun put(owner: &signer, path: vector<vector<u8>>, key: vector<u8>, value: u64) {
		let open = object::open(owner, object::find(path));
		object::add(&mut open, key, value);
		object::close(open);
	}
	public entry fun put_text(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::add(&mut open, key, Text { bytes: b"text" });
		object::close(open);
	}
	public entry fun raise(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		let value = object::borrow_mut<u64>(&mut open, key);
		*value = *value + 1;
		object::close(open);
	}
	public entry fun look(owner: &signer, path: vector<vector<u8>>, key: vector<u8>, expected: u64) {
		let open = object::open(owner, object::find(path));
		assert!(object::has(&open, copy key), 1);
		assert!(*object::borrow<u64>(&open, copy key) == expected, 2);
		assert!(object::has(&open, key), 3);
		object::close(open);
	}
	public entry fun look_text(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::borrow<Text>(&open, key);
		object::close(open);
	}
	public entry fun take(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::remove<u64>(&mut open, key);
		object::close(open);
	}
	public entry fun take_text(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::remove<Text>(&mut open, key);
		object::close(open);
	}
	public entry fun put_and_take_text(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::add(&mut open, copy key, 1u64);
		object::remove<Text>(&mut open, key);
		object::close(open);
	}
	public entry fun turn_into_text(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::remove<u64>(&mut open, copy key);
		assert!(!object::has(&open, copy key), 1);
		object::add(&mut open, copy key, Text { bytes: b"" });
		object::borrow_mut<Text>(&mut open, key).bytes = b"text";
		object::close(open);
	}
	public entry fun come_and_go(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::add(&mut open, copy key, 1u64);
		object::remove<u64>(&mut open, key);
		object::close(open);
	}

	public entry fun open_twice(owner: &signer, path: vector<vector<u8>>, _key: vector<u8>) {
		let id = object::find(path);
		let one = object::open(owner, id);
		let other = object::open(owner, id);
		object::close(one);
		object::close(other);
	}
	public entry fun read_while_open(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::read<u64>(object::id(&open), key);
		object::close(open);
	}
	public entry fun transfer_while_open(owner: &signer, path: vector<vector<u8>>, _key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::transfer(owner, object::id(&open), @bob);
		object::close(open);
	}
	public entry fun freeze_while_open(owner: &signer, path: vector<vector<u8>>, _key: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::freeze_object(owner, object::id(&open));
		object::close(open);
	}
	public entry fun open_again_after_close(owner: &signer, path: vector<vector<u8>>, key: vector<u8>) {
		raise(owner, copy path, copy key);
		assert!(read(copy path, copy key) == 6, 1);
		raise(owner, path, key);
	}
	public entry fun put_and_abort(owner: &signer, path: vector<vector<u8>>) {
		put(owner, path, b"f", 1);
		object::create(owner, object::root(), b"new", false);
		abort 99
	}
	public entry fun a_whole_life(owner: &signer, key: vector<u8>, heir: address) {
		object::find(std::vector::empty());
		let id = object::create(owner, object::root(), key, true);
		let open = object::open(owner, id);
		object::add(&mut open, b"a", 1u64);
		object::add(&mut open, b"b", Text { bytes: b"b" });
		object::close(open);
		assert!(object::read<u64>(id, b"a") == 1, 1);
		assert!(object::is_owner(id, std::signer::address_of(owner)), 2);
		object::transfer(owner, id, heir);
		assert!(object::is_owner(id, heir), 3);
	}

	fun key(number: u64): vector<u8> { std::bcs::to_bytes(&number) }

	public entry fun many_fields(owner: &signer, path: vector<vector<u8>>, count: u64) {
		let open = object::open(owner, object::find(path));
		while (count > 0) { object::add(&mut open, key(count), count); count = count - 1; };
		object::close(open);
	}
	public entry fun many_children(owner: &signer, path: vector<vector<u8>>, count: u64) {
		let parent = object::find(path);
		while (count > 0) { object::create(owner, parent, key(count), false); count = count - 1; };
	}
	fun open_below(owner: &signer, parent: address, count: u64) {
		if (count == 0) return;
		let open = object::open(owner, object::create(owner, parent, key(count), false));
		open_below(owner, parent, count - 1);
		object::close(open);
	}
	public entry fun deep(owner: &signer, path: vector<vector<u8>>, count: u64) {
		open_below(owner, object::find(path), count);
	}
	public entry fun large(owner: &signer, path: vector<vector<u8>>, half: vector<u8>) {
		let open = object::open(owner, object::find(path));
		object::add(&mut open, b"large", Pair { one: copy half, other: half });
		object::close(open);
	}
}
