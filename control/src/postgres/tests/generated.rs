//! Keeps `schema/src/generated` equal to what cornucopia makes of `schema/queries/*.sql` on a migrated database.
//! `SP_BLESS=1` writes instead of comparing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::throwaway;

/// The generated crate becomes a module: its root is replaced by this one, and its paths begin one step deeper.
const ROOT: &str = "\
//! Made by `cargo x sql` from queries/*.sql and the migrations. Do not edit.

mod array_iterator;
pub mod client;
mod domain;
pub mod queries;
mod type_traits;
mod utils;

pub use array_iterator::ArrayIterator;
pub use domain::{Domain, DomainArray};
pub use type_traits::{ArraySql, BytesSql, IterSql, JsonSql, StringSql};
pub(crate) use utils::slice_iter;

use tokio_postgres::fallible_iterator;
";

#[tokio::test]
#[ignore = "needs cornucopia; `cargo x sql` installs and runs it"]
async fn the_generated_queries_are_current() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema");
    let database = throwaway::database().await.unwrap();
    database.migrated().await.unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path().join("generated");
    let program = std::env::var_os("CORNUCOPIA").unwrap_or_else(|| "cornucopia".into());
    let status = Command::new(program)
        .args(["live", "--queries-path", "queries", "--destination"])
        .args([out.as_os_str(), database.url().as_ref()])
        .current_dir(&schema)
        .status()
        .unwrap();
    assert!(status.success());

    let mut made = BTreeMap::new();
    collect(&out.join("src"), Path::new(""), &mut made);
    for unused in ["lib.rs", "types.rs", "client/async_/deadpool.rs"] {
        made.remove(Path::new(unused));
    }
    for text in made.values_mut() {
        *text = text.replace("crate::", "crate::generated::").replace("futures::", "futures_util::");
        *text = text.replace("#[cfg(feature = \"deadpool\")]\nmod deadpool;\n", "");
    }
    let source = schema.join("src");
    if std::env::var_os("SP_BLESS").is_some() {
        let _ = std::fs::remove_dir_all(source.join("generated"));
        std::fs::write(source.join("generated.rs"), ROOT).unwrap();
        for (path, text) in &made {
            let path = source.join("generated").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
    let mut committed = BTreeMap::new();
    collect(&source.join("generated"), Path::new(""), &mut committed);
    assert_eq!(std::fs::read_to_string(source.join("generated.rs")).unwrap(), ROOT);
    let differs: Vec<&PathBuf> =
        made.keys().chain(committed.keys()).filter(|path| made.get(*path) != committed.get(*path)).collect();
    assert!(differs.is_empty(), "run `cargo x sql`: schema/src/generated is stale: {differs:?}");
}

fn collect(root: &Path, below: &Path, into: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(root.join(below)).into_iter().flatten().flatten() {
        let path = below.join(entry.file_name());
        if entry.path().is_dir() {
            collect(root, &path, into);
        } else {
            into.insert(path, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}
