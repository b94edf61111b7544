/// Where and when a contract runs.
///
/// Everything here is an input of the execution, the same for all who execute the call, and there is no other source of time. There is
/// no source of randomness: whatever a contract can compute, its caller can compute before.
module dstp::context {
    /// The call is a view, which nobody signed.
    const ENO_SENDER: u64 = 0x40001;

    /// Who signed the call. Aborts with `ENO_SENDER` in a view.
    native public fun sender(): address;

    /// The id of the root object of the namespace in which the call runs: zeros on the hub, the subtree's id in a subtree.
    native public fun subtree(): address;

    /// The number of the head that the call will be part of. On the hub, the number of the block.
    native public fun seq(): u64;

    /// The time in milliseconds since 1970. It never falls within a namespace; its precision is that of whoever orders the calls.
    native public fun time_ms(): u64;

    /// The number of the hub block at which the call runs.
    native public fun hub_number(): u64;

    /// The global root of that block, 32 bytes.
    native public fun hub_root(): vector<u8>;

    /// The hash of the hub's first block, 32 bytes: which chain this is. What is signed for one chain names it.
    native public fun genesis(): vector<u8>;
}
