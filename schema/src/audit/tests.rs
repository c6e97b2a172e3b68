//! What `audit` promises, as rows and properties.

use proptest::prelude::*;
use rkyv::util::AlignedVec;

use super::examples::records;
use super::*;

/// Texts with the characters that need care.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z]{1,12}", "[\0\u{f8ff}01é\u{ef00}]{0,12}", ".{0,40}"]
}

/// The fields of one binary COPY row.
fn fields(mut row: &[u8]) -> Vec<Option<Vec<u8>>> {
    fn take<'b>(from: &mut &'b [u8], count: usize) -> &'b [u8] {
        let (head, tail) = from.split_at(count);
        *from = tail;
        head
    }
    let count = i16::from_be_bytes(take(&mut row, 2).try_into().unwrap());
    let fields = (0..count)
        .map(|_| {
            let length = i32::from_be_bytes(take(&mut row, 4).try_into().unwrap());
            usize::try_from(length).ok().map(|length| take(&mut row, length).to_vec())
        })
        .collect();
    assert!(row.is_empty(), "bytes are left over");
    fields
}

proptest! {
    #[test]
    fn a_record_comes_back_from_its_row(t in proptest::collection::vec(text(), 21), n in proptest::collection::vec(any::<u64>(), 14)) {
        for record in records(&t, &n) {
            let row = AuditRow::new(7, SeqNo(n[0]), Chain([9; 32]), &record);
            prop_assert_eq!((row.seq(), row.chain()), (SeqNo(n[0]), Chain([9; 32])));
            let back = row.record().unwrap();
            prop_assert_eq!(back, record);
            prop_assert_eq!(&back.encode_in(AlignedVec::new()).unwrap()[..], &record.encode_in(AlignedVec::new()).unwrap()[..]);
        }
    }

    #[test]
    fn a_row_has_one_field_per_column_and_no_nul(t in proptest::collection::vec(text(), 21), n in proptest::collection::vec(any::<u64>(), 14)) {
        for record in records(&t, &n) {
            let mut out = BytesMut::new();
            AuditRow::new(7, SeqNo(1), Chain([9; 32]), &record).put(&mut out);
            let fields = fields(&out);
            prop_assert_eq!(fields.len(), AuditRow::COLUMNS.len());
            for (field, (name, kind)) in fields.iter().zip(AuditRow::COLUMNS) {
                let Some(field) = field else { continue };
                if *kind == Type::TEXT {
                    prop_assert!(std::str::from_utf8(field).is_ok() && !field.contains(&0), "{}", name);
                }
            }
        }
    }
}

#[test]
fn clocks_from_the_future_are_kept_where_every_tool_can_print_them() {
    for (at_us, stored) in
        [(0, 0), (1, 1), (253_402_207_200_000_000, 253_402_207_200_000_000), (u64::MAX, 253_402_207_200_000_000)]
    {
        assert_eq!(Micros(at_us).stored(), stored);
    }
}
