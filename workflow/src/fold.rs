//! Text as search compares it: lower case, without diacritics, single spaces.

/// Plain letters, and the lower-case Latin letters that are read as them.
const LATIN: &[(&str, &str)] = &[
    ("a", "àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ"),
    ("ae", "æǣǽ"),
    ("b", "ḃḅḇ"),
    ("c", "çćĉċčḉ"),
    ("d", "ðďđḋḍḏḑḓ"),
    ("e", "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
    ("f", "ḟ"),
    ("g", "ĝğġģǧǵḡ"),
    ("h", "ĥħȟḣḥḧḩḫẖ"),
    ("i", "ìíîïĩīĭįıǐȉȋḭḯỉị"),
    ("j", "ĵǰ"),
    ("k", "ķĸǩḱḳḵ"),
    ("l", "ĺļľłḷḹḻḽ"),
    ("m", "ḿṁṃ"),
    ("n", "ñńņňŉŋǹṅṇṉṋ"),
    ("o", "òóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"),
    ("oe", "œ"),
    ("p", "ṕṗ"),
    ("r", "ŕŗřȑȓṙṛṝṟ"),
    ("s", "śŝşšſșṡṣṥṧṩẛ"),
    ("ss", "ß"),
    ("t", "ţťŧțṫṭṯṱẗ"),
    ("th", "þ"),
    ("u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
    ("v", "ṽṿ"),
    ("w", "ŵẁẃẅẇẉẘ"),
    ("x", "ẋẍ"),
    ("y", "ýÿŷȳẏẙỳỵỷỹ"),
    ("z", "źżžẑẓẕ"),
];

/// Folds text for comparing: `Łukasz  Ståhl` and `lukasz stahl` are the same. Other scripts only lose their case.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        if letter.is_whitespace() {
            if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if letter.is_ascii() {
            folded.push(letter);
        } else if ('\u{300}'..='\u{36f}').contains(&letter) {
            // A mark on its own, after the letter that it belongs to.
        } else {
            match LATIN.iter().find(|(_, letters)| letters.contains(letter)) {
                Some((plain, _)) => folded.push_str(plain),
                None => folded.push(letter),
            }
        }
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn names_are_found_without_their_marks() {
        assert_eq!(fold("Łukasz  Ståhl "), "lukasz stahl");
        assert_eq!(fold("Nguyễn Thị Ánh"), "nguyen thi anh");
        assert_eq!(fold("STRAẞE Æsir Þór"), "strasse aesir thor");
        assert_eq!(fold("Zoe\u{308}"), "zoe");
        assert_eq!(fold("İpek"), "ipek");
    }

    #[test]
    fn other_scripts_stay() {
        assert_eq!(fold("Ольга 山田"), "ольга 山田");
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["Ǻ b\tc", "Müller-Lüdenscheidt", "  ", ""] {
            assert_eq!(fold(&fold(text)), fold(text));
        }
    }
}
