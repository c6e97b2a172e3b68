//! Finds the PostgreSQL server programs. Debian keeps them off PATH, Fedora's own package on it, Homebrew in its own
//! place; an operator's explicit choice wins over all.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::PostgresError;

/// LIMIT: `MERGE`, `NULLS NOT DISTINCT` and the rights on schema `public` that we rely on arrived in 15.
pub(super) const MAJOR_MIN: u32 = 15;

/// A directory with `postgres` and `initdb` of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Where to look. [`Search::of_this_machine`] is the real one; tests make their own.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) explicit: Option<PathBuf>,
    pub(super) path: Option<OsString>,
    /// Parents of version directories, each with the rest of the path below the version: `/usr/lib/postgresql` + `bin`.
    pub(super) versioned: Vec<PathBuf>,
    pub(super) ask_pg_config: bool,
}

impl Search {
    pub(super) fn of_this_machine() -> Search {
        Search {
            explicit: std::env::var_os("SP_POSTGRES_BIN").filter(|dir| !dir.is_empty()).map(PathBuf::from),
            path: std::env::var_os("PATH"),
            versioned: ["/usr/lib/postgresql", "/usr/local/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"]
                .map(PathBuf::from)
                .to_vec(),
            ask_pg_config: true,
        }
    }

    /// The binaries to use: of major version `wanted` (that of an existing cluster), else the first that is new enough.
    ///
    /// # Errors
    /// Names the package to install.
    pub(super) async fn find(&self, wanted: Option<u32>) -> Result<Binaries, PostgresError> {
        let fits = |major: u32| wanted.map_or(major >= MAJOR_MIN, |wanted| major == wanted);
        let wanted_text =
            wanted.map_or_else(|| format!("{MAJOR_MIN} or newer"), |major| format!("{major} (the version of the cluster)"));

        if let Some(dir) = &self.explicit {
            let bad = |problem: String| PostgresError::BadBinaries { dir: dir.clone(), problem };
            let found = probe(dir).await.ok_or_else(|| bad("has no working `postgres` and `initdb`".to_owned()))?;
            return match fits(found.major) {
                true => Ok(found),
                false => Err(bad(format!("is PostgreSQL {}, but {wanted_text} is needed", found.major))),
            };
        }

        let mut rejected = Vec::new();
        for dir in self.candidates().await {
            let Some(found) = probe(&dir).await else {
                continue;
            };
            if fits(found.major) {
                return Ok(found);
            }
            let text = format!("{} in `{}`", found.major, found.dir.display());
            if !rejected.contains(&text) {
                rejected.push(text);
            }
        }
        let rejected = if rejected.is_empty() { String::new() } else { format!(" (found only {})", rejected.join(", ")) };
        Err(PostgresError::NotInstalled { wanted: wanted_text, rejected })
    }

    async fn candidates(&self) -> Vec<PathBuf> {
        let mut dirs: Vec<PathBuf> = self.path.iter().flat_map(std::env::split_paths).filter(|dir| dir.is_absolute()).collect();
        for parent in &self.versioned {
            dirs.extend(newest_first(parent));
        }
        if self.ask_pg_config
            && let Ok(output) = Command::new("pg_config").arg("--bindir").output().await
            && output.status.success()
        {
            dirs.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
        }
        dirs
    }
}

/// `<parent>/15/bin`, `<parent>-15/bin` and `<parent>/postgresql@15/bin`, newest version first.
fn newest_first(parent: &Path) -> Vec<PathBuf> {
    let (scan, prefixes): (&Path, &[&str]) = match parent.file_name().and_then(|name| name.to_str()) {
        Some("pgsql") => (parent.parent().unwrap_or(parent), &["pgsql-"]),
        Some("opt") => (parent, &["postgresql@"]),
        _ => (parent, &[""]),
    };
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(scan)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix))?;
            Some((version.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, dir)| dir).collect()
}

/// What `dir` holds. A link to `postgres` is followed, because a packager's link farm has `postgres` without `initdb`.
async fn probe(dir: &Path) -> Option<Binaries> {
    let real = tokio::fs::canonicalize(dir.join("postgres")).await.ok()?.parent()?.to_owned();
    for dir in [dir, &real] {
        if !dir.join("initdb").is_file() {
            continue;
        }
        let output = Command::new(dir.join("postgres")).arg("--version").output().await.ok()?;
        if output.status.success() {
            let major = parse_major(&String::from_utf8_lossy(&output.stdout))?;
            return Some(Binaries { dir: dir.to_owned(), major });
        }
    }
    None
}

/// `15` from `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL)")?.1.trim_start();
    let digits = number.find(|c: char| !c.is_ascii_digit()).map_or(number, |end| &number[..end]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn major_versions() {
        for (text, want) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 18beta2\n", Some(18)),
            ("postgres (PostgreSQL) 9.6.24\n", Some(9)),
            ("postgres (EnterpriseDB Advanced Server) 15.1\n", None),
            ("postgres (PostgreSQL) \n", None),
            ("", None),
        ] {
            assert_eq!(parse_major(text), want, "{text:?}");
        }
    }

    /// A directory with programs that print `version`.
    fn fake(dir: &Path, version: &str) -> PathBuf {
        std::fs::create_dir_all(dir).unwrap();
        for program in ["postgres", "initdb"] {
            let path = dir.join(program);
            std::fs::write(&path, format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        dir.to_owned()
    }

    #[tokio::test]
    async fn finds_the_right_directory() {
        let tmp = tempfile::tempdir().unwrap();
        let lib = tmp.path().join("lib");
        for version in ["9", "14", "15", "16", "100"] {
            fake(&lib.join(version).join("bin"), &format!("{version}.1"));
        }
        let opt = tmp.path().join("opt");
        fake(&opt.join("postgresql@17/bin"), "17.0");
        let on_path = fake(&tmp.path().join("on-path"), "14.2");
        let newer_on_path = fake(&tmp.path().join("newer"), "15.9");
        let path = Some(std::env::join_paths([Path::new("relative"), &on_path, &newer_on_path]).unwrap());
        let links = tmp.path().join("links");
        std::fs::create_dir(&links).unwrap();
        std::os::unix::fs::symlink(lib.join("16/bin/postgres"), links.join("postgres")).unwrap();

        let versioned = vec![lib.clone(), opt.clone()];
        let rows = [
            (Search { path: path.clone(), versioned: versioned.clone(), ..Search::default() }, None, Ok("newer")),
            (Search { versioned: versioned.clone(), ..Search::default() }, None, Ok("lib/100/bin")),
            (Search { versioned: versioned.clone(), ..Search::default() }, Some(15), Ok("lib/15/bin")),
            (Search { versioned: versioned.clone(), ..Search::default() }, Some(17), Ok("opt/postgresql@17/bin")),
            (Search { path: path.clone(), ..Search::default() }, Some(14), Ok("on-path")),
            (Search { path: Some(links.clone().into_os_string()), ..Search::default() }, None, Ok("lib/16/bin")),
            (
                Search { explicit: Some(on_path.clone()), ..Search::default() },
                None,
                Err("is PostgreSQL 14, but 15 or newer is needed"),
            ),
            (Search { explicit: Some(tmp.path().join("gone")), ..Search::default() }, None, Err("has no working `postgres`")),
            (Search { explicit: Some(newer_on_path), path, ..Search::default() }, None, Ok("newer")),
            (Search::default(), None, Err("apt install postgresql")),
            (Search { path: Some(on_path.into_os_string()), ..Search::default() }, None, Err("found only 14 in")),
            (Search { versioned, ..Search::default() }, Some(13), Err("PostgreSQL 13 (the version of the cluster)")),
        ];
        for (search, wanted, want) in rows {
            match (search.find(wanted).await, want) {
                (Ok(found), Ok(want)) => assert_eq!(found.dir, tmp.path().join(want), "{search:?}"),
                (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{error}"),
                (got, want) => panic!("{search:?}: {got:?} instead of {want:?}"),
            }
        }
    }
}
