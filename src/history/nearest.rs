//! The name that was meant by a word that is none.

/// The name that is nearest to a word, the first of equals, if one is near: in a word of three
/// letters one may be wrong, in one of six two.
pub fn nearest<N: AsRef<str>>(word: &str, names: impl IntoIterator<Item = N>) -> Option<N> {
    let most = word.chars().count().div_ceil(3);
    let far = |name: N| (strsim::damerau_levenshtein(name.as_ref(), word), name);
    let all = names.into_iter().map(far).filter(|(distance, _)| *distance <= most);
    all.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// How a complaint about a word goes on: with the name that was meant, or else with what helps
/// to find one.
pub fn suggestion(meant: Option<&str>, otherwise: &str) -> String {
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => otherwise.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_meant() {
        let meant = |word| nearest(word, ["mr", "mw", "crash", "linearizable"]);
        assert_eq!(meant("crush"), Some("crash"));
        assert_eq!(meant("lineralizable"), Some("linearizable"));
        assert_eq!(meant("mx"), Some("mr"));
        assert_eq!(meant("drop"), None);
        assert_eq!(meant(""), None);
    }
}
