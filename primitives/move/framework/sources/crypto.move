/// Signatures and hashes, as Substrate computes them.
///
/// The check of a signature gives `false` for bytes of the right length that are no key or no signature. Its price does not depend on
/// the answer.
module dstp::crypto {
    /// A signature has 64 bytes, a key 32 (ecdsa: 33), and the hash that ecdsa signs 32.
    const EBAD_LENGTH: u64 = 0x10001;

    /// BLAKE2b with 32 bytes of output.
    native public fun blake2b_256(data: vector<u8>): vector<u8>;

    /// Ed25519 by the rules of ZIP-215. Aborts with `EBAD_LENGTH`.
    native public fun ed25519_verify(signature: vector<u8>, public_key: vector<u8>, message: vector<u8>): bool;

    /// Sr25519 (Schnorr signatures over Ristretto) in the context `substrate`. Aborts with `EBAD_LENGTH`.
    native public fun sr25519_verify(signature: vector<u8>, public_key: vector<u8>, message: vector<u8>): bool;

    /// ECDSA on secp256k1 over a hash of the message, with r and s as the signature and a compressed key. Only the smaller s of
    /// two is valid, so that nobody makes a second signature from a first. Aborts with `EBAD_LENGTH`.
    native public fun ecdsa_verify(signature: vector<u8>, public_key: vector<u8>, hash: vector<u8>): bool;
}
