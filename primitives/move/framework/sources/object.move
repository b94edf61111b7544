/// Objects of the tree: what contracts may do with them is what their owners may do.
///
/// An object has an owner, fields and children; `docs/object-tree.md` of the SDK says for each kind of owner who may do what, and this
/// module adds nothing to it and takes nothing away: whoever signs acts with the rights of the account that signed.
///
/// # Names
///
/// An object is named by its id, an address: `blake2b-256("dstp/object/v1" ++ parent ++ key)`. A call looks an object up by its path
/// with `find`, or creates it, before it uses the id; other ids abort with `EUNKNOWN`. So what a call reads is proven by the nodes
/// on the way from the root.
///
/// # Fields
///
/// Fields have a key of 1 to 64 bytes and a value of any type with `store`. They stand beside the raw fields of the object, which contracts
/// do not see. To write them, an account that may write the object's fields opens it:
///
/// ```
/// let game = object::open(player, id);
/// *object::borrow_mut<u64>(&mut game, b"moves") = 1;
/// object::close(game);
/// ```
///
/// An object is open at most once at a time, whichever contract opened it; opening it again aborts with `EOPEN`, and so do reading it with
/// `read`, transferring, sharing and freezing it meanwhile. References to fields live as long as the borrow of `Open`, so no
/// reference outlives `close`, and no two contracts change one field at once. `Open` can be neither kept nor dropped: who
/// opens an object has to close it, and until then nothing is written. A call that fails leaves nothing.
///
/// # What a field does not say
///
/// A field of type `V` says that the module of `V` made this value once, and not that it stands in the right place or is the newest:
/// the owner of the object may read a value that can be copied, and put it back later, and may move values between keys and objects by
/// contracts of his own. State that its owner must not turn back belongs into a resource.
///
/// # Signers
///
/// Whoever gets a `&signer` acts with all rights of that account, on every object and balance of it. Hand it to code that you trust.
///
/// # Aborts
///
/// A refusal of the tree aborts with `0x30100` and its number: `0x30101` if an object with this key exists, `0x30102` if somebody else
/// owns it, `0x30103` if it is frozen, `0x30104` if it is shared, `0x30105` for a reserved key, `0x30106` below level 8, `0x3010c` for the
/// zero account as owner, `0x3010d` if an object with raw keys is to be shared, `0x3010f` if its state is on other nodes.
module dstp::object {
    /// The object was neither found nor created in this call.
    const EUNKNOWN: u64 = 0x60001;
    /// There is no such field.
    const ENO_FIELD: u64 = 0x60002;
    /// There is a field with this key.
    const EFIELD_EXISTS: u64 = 0x80001;
    /// The field has another type.
    const EOTHER_TYPE: u64 = 0x10001;
    /// A key has 1 to 64 bytes.
    const EBAD_KEY: u64 = 0x10002;
    /// A path has at most 8 keys.
    const EBAD_PATH: u64 = 0x10003;
    /// The object is open.
    const EOPEN: u64 = 0x30001;
    /// A value has at most 64 KiB in BCS, and its type 2 KiB.
    const ETOO_LARGE: u64 = 0x90001;
    /// A call changes objects at most 256 times, opens at most 64 at once and touches at most 256 fields of one.
    const ETOO_MANY: u64 = 0x90002;

    /// An object that is open for the one who holds this.
    struct Open { id: address }

    /// Holds a value while it is in memory.
    struct Field<V: store> has key { value: V }

    /// The id of the namespace's root object.
    public fun root(): address { dstp::context::subtree() }

    /// The id of the child that stands below `parent` under `key`, whether it exists or not.
    native public fun child(parent: address, key: vector<u8>): address;

    /// Looks an object up by its keys from the namespace's root down. Aborts with `EUNKNOWN` if it does not exist.
    native public fun find(path: vector<vector<u8>>): address;

    /// Whether an object exists at this path.
    native public fun exists_at(path: vector<vector<u8>>): bool;

    /// Creates an object below `parent` that belongs to the signer. `hashed_keys`: whether strangers will choose keys in it, which
    /// sharing needs.
    native public fun create(owner: &signer, parent: address, key: vector<u8>, hashed_keys: bool): address;

    /// Whether the object belongs to this account.
    native public fun is_owner(id: address, account: address): bool;

    /// Hands an object over.
    native public fun transfer(owner: &signer, id: address, to: address);

    /// Lets everybody create children below the object, for ever, and nobody write its fields.
    native public fun share(owner: &signer, id: address);

    /// Fixes the object's fields, its set of children and its owner for ever.
    native public fun freeze_object(owner: &signer, id: address);

    /// Opens an object for writing its fields.
    public fun open(owner: &signer, id: address): Open {
        open_object(owner, id);
        Open { id }
    }

    /// Writes what changed.
    public fun close(object: Open) {
        let Open { id } = object;
        close_object(id)
    }

    /// The id of an open object.
    public fun id(object: &Open): address { object.id }

    /// Adds a field. Aborts with `EFIELD_EXISTS`.
    public fun add<V: store>(object: &mut Open, key: vector<u8>, value: V) {
        add_field<V, Field<V>>(object.id, key, Field { value })
    }

    /// A field. Aborts with `ENO_FIELD` and `EOTHER_TYPE`.
    public fun borrow<V: store>(object: &Open, key: vector<u8>): &V {
        &borrow_field<V, Field<V>>(object, object.id, key).value
    }

    /// A field, to be changed. Aborts with `ENO_FIELD` and `EOTHER_TYPE`.
    public fun borrow_mut<V: store>(object: &mut Open, key: vector<u8>): &mut V {
        let id = object.id;
        &mut borrow_field_mut<V, Field<V>>(object, id, key).value
    }

    /// Takes a field out. Aborts with `ENO_FIELD` and `EOTHER_TYPE`.
    public fun remove<V: store>(object: &mut Open, key: vector<u8>): V {
        let Field { value } = remove_field<V, Field<V>>(object.id, key);
        value
    }

    /// Whether there is a field with this key, of whatever type.
    public fun has(object: &Open, key: vector<u8>): bool {
        has_field(object.id, key)
    }

    /// A copy of a field of any object that is not open. Everybody may read. Aborts with `ENO_FIELD`, `EOTHER_TYPE` and `EOPEN`.
    public fun read<V: copy + drop + store>(id: address, key: vector<u8>): V {
        let Field { value } = read_field<V, Field<V>>(id, key);
        value
    }

    /// Whether an object that is not open has a field with this key, of whatever type. Aborts with `EOPEN`.
    native public fun has_at(id: address, key: vector<u8>): bool;

    native fun open_object(owner: &signer, id: address);
    native fun close_object(id: address);
    native fun add_field<V: store, F>(id: address, key: vector<u8>, field: F);
    native fun borrow_field<V: store, F>(object: &Open, id: address, key: vector<u8>): &F;
    native fun borrow_field_mut<V: store, F>(object: &mut Open, id: address, key: vector<u8>): &mut F;
    native fun remove_field<V: store, F>(id: address, key: vector<u8>): F;
    native fun has_field(id: address, key: vector<u8>): bool;
    native fun read_field<V: store, F>(id: address, key: vector<u8>): F;
}
