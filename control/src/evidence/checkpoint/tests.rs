//! A checkpoint as text and beside its journal.

use super::*;
use crate::keys::SigningKey;

#[test]
fn a_line_is_the_checkpoint_and_nothing_else_is() {
    let key = SigningKey::generate().unwrap();
    let mut checkpoint = Checkpoint {
        node: NodeId([7; 16]),
        shard: 3,
        number: 12,
        at_us: 1_772_668_799_900_000,
        seq: SeqNo(99),
        chain: Chain([5; 32]),
        previous: [6; 32],
        kid: key.kid().to_owned(),
        signature: [0; 64],
    };
    checkpoint.signature = key.sign(&checkpoint.message());
    let text = serde_json::to_string(&Line::from(&checkpoint)).unwrap();
    assert_eq!(serde_json::from_str::<Line>(&text).unwrap().checkpoint(), Ok(checkpoint.clone()));
    let line = Line::from(&checkpoint);
    for wrong in [
        Line { node: "x".to_owned(), ..line.clone() },
        Line { chain: "12".to_owned(), ..line.clone() },
        Line { previous: line.previous.replace('0', "g"), ..line.clone() },
        Line { signature: "AAAA".to_owned(), ..line.clone() },
    ] {
        assert_eq!(wrong.checkpoint().is_err(), wrong != line, "{wrong:?}");
    }

    let tmp = tempfile::tempdir().unwrap();
    assert_eq!(Kept::load(tmp.path()), None);
    Kept::store(tmp.path(), &checkpoint).unwrap();
    assert_eq!(Kept::load(tmp.path()), Some(checkpoint));
}
