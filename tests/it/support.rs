//! What several of these tests need.

/// How much to try: `QUIESCENCE_PROFILE=deep` for more.
pub fn effort(ordinary: u64, deep: u64) -> u64 {
    match std::env::var("QUIESCENCE_PROFILE").as_deref() {
        Ok("deep") => deep,
        _ => ordinary,
    }
}

/// Whether what is committed (documents, golden texts, cases) is written anew
/// and not compared: `SNAPSHOTS=overwrite`.
pub fn overwrites() -> bool {
    std::env::var("SNAPSHOTS").is_ok_and(|how| how == "overwrite")
}
