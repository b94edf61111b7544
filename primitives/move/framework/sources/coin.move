/// Fungible assets.
///
/// A currency is a type, `T`, and the account that published the type's module creates it once. It gets two capabilities: who holds
/// `MintCap<T>` makes coins, who holds `BurnCap<T>` destroys them, and nobody else does either. They are values: a contract keeps
/// them in its own resources, and decides there who may use them.
///
/// Create the currency right after its module is published: a contract that gets the publisher's `&signer` before could do it, and would
/// hold the capabilities.
///
/// A `Coin<T>` is neither copied nor dropped. It lives in an account's `Balance<T>`, in a field of an object, or in a resource of
/// a contract.
module dstp::coin {
    use std::signer;
    use std::string::String;

    /// Only the account that published the module of the currency's type creates it.
    const ENOT_PUBLISHER: u64 = 0x50001;
    /// The currency exists.
    const ECURRENCY_EXISTS: u64 = 0x80001;
    /// The account has a balance of this currency.
    const EBALANCE_EXISTS: u64 = 0x80002;
    /// There is no such currency.
    const ENO_CURRENCY: u64 = 0x60001;
    /// The account has no balance of this currency: it has to open one first.
    const ENO_BALANCE: u64 = 0x60002;
    /// There are fewer coins than that.
    const ETOO_FEW: u64 = 0x30001;
    /// The coin is worth something.
    const ENOT_ZERO: u64 = 0x30002;
    /// There would be more coins than a `u64` counts.
    const ETOO_MANY: u64 = 0x20001;

    const MAX_U64: u64 = 18446744073709551615;

    /// An amount of a currency, in its smallest unit.
    struct Coin<phantom T> has store { value: u64 }

    /// The right to make coins.
    struct MintCap<phantom T> has store {}

    /// The right to destroy coins.
    struct BurnCap<phantom T> has store {}

    /// What there is to know of a currency. Stands at the address of its type's module.
    struct Currency<phantom T> has key {
        /// Its name.
        name: String,
        /// A short name.
        symbol: String,
        /// Digits after the decimal point, when people write amounts.
        decimals: u8,
        /// All coins that there are.
        supply: u64,
    }

    /// The coins of an account.
    struct Balance<phantom T> has key { coin: Coin<T> }

    /// The address of the module that defines `T`. Aborts with `0x10001` if `T` is no struct.
    native fun module_address<T>(): address;

    /// Creates a currency. Aborts with `ENOT_PUBLISHER` and `ECURRENCY_EXISTS`.
    public fun create<T>(
        publisher: &signer,
        name: String,
        symbol: String,
        decimals: u8,
    ): (MintCap<T>, BurnCap<T>) {
        let address = signer::address_of(publisher);
        assert!(address == module_address<T>(), ENOT_PUBLISHER);
        assert!(!exists<Currency<T>>(address), ECURRENCY_EXISTS);
        move_to(publisher, Currency<T> { name, symbol, decimals, supply: 0 });
        (MintCap {}, BurnCap {})
    }

    /// Gives the right to make coins up, for ever if there is no other.
    public fun destroy_mint_cap<T>(cap: MintCap<T>) { let MintCap {} = cap; }

    /// Gives the right to destroy coins up.
    public fun destroy_burn_cap<T>(cap: BurnCap<T>) { let BurnCap {} = cap; }

    /// Makes coins. Aborts with `ETOO_MANY`.
    public fun mint<T>(value: u64, _cap: &MintCap<T>): Coin<T> acquires Currency {
        let currency = borrow_global_mut<Currency<T>>(module_address<T>());
        assert!(value <= MAX_U64 - currency.supply, ETOO_MANY);
        currency.supply = currency.supply + value;
        Coin { value }
    }

    /// Destroys coins.
    public fun burn<T>(coin: Coin<T>, _cap: &BurnCap<T>) acquires Currency {
        let Coin { value } = coin;
        let currency = borrow_global_mut<Currency<T>>(module_address<T>());
        currency.supply = currency.supply - value;
    }

    /// All coins that there are. Aborts with `ENO_CURRENCY`.
    public fun supply<T>(): u64 acquires Currency {
        let address = module_address<T>();
        assert!(exists<Currency<T>>(address), ENO_CURRENCY);
        borrow_global<Currency<T>>(address).supply
    }

    /// Name, short name and digits after the decimal point. Aborts with `ENO_CURRENCY`.
    public fun about<T>(): (String, String, u8) acquires Currency {
        let address = module_address<T>();
        assert!(exists<Currency<T>>(address), ENO_CURRENCY);
        let currency = borrow_global<Currency<T>>(address);
        (*&currency.name, *&currency.symbol, currency.decimals)
    }

    /// A coin that is worth nothing.
    public fun zero<T>(): Coin<T> { Coin { value: 0 } }

    /// What a coin is worth.
    public fun value<T>(coin: &Coin<T>): u64 { coin.value }

    /// Takes an amount out of a coin. Aborts with `ETOO_FEW`.
    public fun split<T>(coin: &mut Coin<T>, value: u64): Coin<T> {
        assert!(value <= coin.value, ETOO_FEW);
        coin.value = coin.value - value;
        Coin { value }
    }

    /// Puts one coin into another. All coins together fit a `u64`, so the sum does.
    public fun join<T>(coin: &mut Coin<T>, other: Coin<T>) {
        let Coin { value } = other;
        coin.value = coin.value + value;
    }

    /// Destroys a coin that is worth nothing. Aborts with `ENOT_ZERO`.
    public fun destroy_zero<T>(coin: Coin<T>) {
        let Coin { value } = coin;
        assert!(value == 0, ENOT_ZERO);
    }

    /// Lets an account hold coins of a currency. Aborts with `EBALANCE_EXISTS`.
    public entry fun open<T>(account: &signer) {
        assert!(!exists<Balance<T>>(signer::address_of(account)), EBALANCE_EXISTS);
        move_to(account, Balance<T> { coin: zero() });
    }

    /// Whether an account can hold coins of a currency.
    public fun is_open<T>(account: address): bool { exists<Balance<T>>(account) }

    /// What an account holds; nothing if it has no balance.
    public fun balance<T>(account: address): u64 acquires Balance {
        if (!exists<Balance<T>>(account)) return 0;
        borrow_global<Balance<T>>(account).coin.value
    }

    /// Gives a coin to an account. Aborts with `ENO_BALANCE`.
    public fun deposit<T>(to: address, coin: Coin<T>) acquires Balance {
        assert!(exists<Balance<T>>(to), ENO_BALANCE);
        join(&mut borrow_global_mut<Balance<T>>(to).coin, coin)
    }

    /// Takes coins from an account. Aborts with `ENO_BALANCE` and `ETOO_FEW`.
    public fun withdraw<T>(from: &signer, value: u64): Coin<T> acquires Balance {
        let address = signer::address_of(from);
        assert!(exists<Balance<T>>(address), ENO_BALANCE);
        split(&mut borrow_global_mut<Balance<T>>(address).coin, value)
    }

    /// Moves coins from the signer to another account. Aborts with `ENO_BALANCE` and `ETOO_FEW`.
    public entry fun transfer<T>(from: &signer, to: address, value: u64) acquires Balance {
        deposit(to, withdraw<T>(from, value))
    }
}
