/// Tests of `dstp::coin`. The author published this module.
#[test_only]
module author::coin_tests {
    use dstp::coin;
    use dstp::coin::{BurnCap, MintCap};
    use std::signer;
    use std::string;

    struct Gold has drop {}
    struct Silver has drop {}
    struct Caps has key { mint: MintCap<Gold>, burn: BurnCap<Gold> }

    fun create(author: &signer) {
        let (mint, burn) = coin::create<Gold>(author, string::utf8(b"Gold"), string::utf8(b"AU"), 3);
        move_to(author, Caps { mint, burn });
    }

    #[test(author = @author)]
    fun a_currency_starts_without_coins(author: &signer) {
        create(author);
        assert!(coin::supply<Gold>() == 0, 1);
        let (name, symbol, decimals) = coin::about<Gold>();
        assert!(name == string::utf8(b"Gold") && symbol == string::utf8(b"AU") && decimals == 3, 2);
    }

    #[test(author = @author)]
    #[expected_failure(abort_code = 524289)]
    fun a_currency_is_created_once(author: &signer) {
        create(author);
        create(author);
    }

    #[test(author = @author)]
    #[expected_failure(abort_code = 65537)]
    fun a_number_is_no_currency(author: &signer) {
        let (mint, burn) = coin::create<u64>(author, string::utf8(b""), string::utf8(b""), 0);
        coin::destroy_mint_cap(mint);
        coin::destroy_burn_cap(burn);
    }

    #[test]
    #[expected_failure(abort_code = 393217)]
    fun a_currency_that_was_not_created_has_no_supply() {
        coin::supply<Silver>();
    }

    #[test(author = @author)]
    fun coins_are_made_and_destroyed(author: &signer) acquires Caps {
        create(author);
        let caps = borrow_global<Caps>(signer::address_of(author));
        let coin = coin::mint(100, &caps.mint);
        assert!(coin::value(&coin) == 100 && coin::supply<Gold>() == 100, 1);
        let part = coin::split(&mut coin, 30);
        assert!(coin::value(&coin) == 70 && coin::value(&part) == 30, 2);
        coin::burn(part, &caps.burn);
        assert!(coin::supply<Gold>() == 70, 3);
        let nothing = coin::split(&mut coin, 0);
        coin::destroy_zero(nothing);
        coin::join(&mut coin, coin::zero());
        coin::burn(coin, &caps.burn);
        assert!(coin::supply<Gold>() == 0, 4);
    }

    #[test(author = @author)]
    fun supply_fits_a_u64(author: &signer) acquires Caps {
        create(author);
        let caps = borrow_global<Caps>(signer::address_of(author));
        let coin = coin::mint(18446744073709551615, &caps.mint);
        coin::burn(coin, &caps.burn);
    }

    #[test(author = @author)]
    #[expected_failure(abort_code = 131073)]
    fun supply_does_not_overflow(author: &signer) acquires Caps {
        create(author);
        let caps = borrow_global<Caps>(signer::address_of(author));
        let coin = coin::mint(18446744073709551615, &caps.mint);
        coin::join(&mut coin, coin::mint(1, &caps.mint));
        coin::burn(coin, &caps.burn);
    }

    #[test(author = @author)]
    #[expected_failure(abort_code = 196609)]
    fun a_coin_is_not_split_beyond_its_value(author: &signer) acquires Caps {
        create(author);
        let caps = borrow_global<Caps>(signer::address_of(author));
        let coin = coin::mint(1, &caps.mint);
        let part = coin::split(&mut coin, 2);
        coin::burn(coin, &caps.burn);
        coin::burn(part, &caps.burn);
    }

    #[test(author = @author)]
    #[expected_failure(abort_code = 196610)]
    fun what_has_value_is_not_dropped(author: &signer) acquires Caps {
        create(author);
        coin::destroy_zero(coin::mint(1, &borrow_global<Caps>(signer::address_of(author)).mint));
    }

    #[test(author = @author)]
    fun a_balance_is_opened_filled_and_emptied(author: &signer) acquires Caps {
        create(author);
        let address = signer::address_of(author);
        assert!(!coin::is_open<Gold>(address) && coin::balance<Gold>(address) == 0, 1);
        coin::open<Gold>(author);
        assert!(coin::is_open<Gold>(address) && coin::balance<Gold>(address) == 0, 2);
        let caps = borrow_global<Caps>(address);
        coin::deposit(address, coin::mint(50, &caps.mint));
        coin::transfer<Gold>(author, address, 20);
        assert!(coin::balance<Gold>(address) == 50, 3);
        coin::burn(coin::withdraw<Gold>(author, 50), &caps.burn);
        assert!(coin::balance<Gold>(address) == 0 && coin::supply<Gold>() == 0, 4);
    }

    #[test(author = @author)]
    #[expected_failure(abort_code = 524290)]
    fun a_balance_is_opened_once(author: &signer) {
        coin::open<Gold>(author);
        coin::open<Gold>(author);
    }

    #[test(author = @author)]
    #[expected_failure(abort_code = 393218)]
    fun no_balance_takes_no_coins(author: &signer) acquires Caps {
        create(author);
        coin::deposit(@bob, coin::mint(1, &borrow_global<Caps>(signer::address_of(author)).mint));
    }

    #[test(author = @author)]
    #[expected_failure(abort_code = 393218)]
    fun no_balance_gives_no_coins(author: &signer) {
        coin::destroy_zero(coin::withdraw<Gold>(author, 0));
    }

    #[test(author = @author)]
    #[expected_failure(abort_code = 196609)]
    fun a_balance_gives_what_it_has(author: &signer) {
        coin::open<Gold>(author);
        coin::destroy_zero(coin::withdraw<Gold>(author, 1));
    }

    #[test(author = @author)]
    fun capabilities_are_given_up(author: &signer) {
        let (mint, burn) = coin::create<Gold>(author, string::utf8(b"Gold"), string::utf8(b"AU"), 3);
        coin::destroy_mint_cap(mint);
        coin::destroy_burn_cap(burn);
    }
}
