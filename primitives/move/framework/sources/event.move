/// What contracts tell the world.
///
/// Events stand in the outcome of a call, in their order, and not in the tree: a contract cannot read them. A call that fails has none.
module dstp::event {
    /// An event is a struct: its type says which contract speaks.
    const ENOT_A_STRUCT: u64 = 0x10001;
    /// A call emits at most 256 events of together 64 KiB, types included.
    const EMANY_EVENTS: u64 = 0x90001;

    /// Emits an event. Only the module that defines `T` can make one; whoever is given a `T`, or finds one in a field, can emit it too.
    /// So a contract that wants its events believed neither gives them away nor stores them.
    ///
    /// Aborts with `ENOT_A_STRUCT` and `EMANY_EVENTS`.
    native public fun emit<T: drop>(event: T);
}
