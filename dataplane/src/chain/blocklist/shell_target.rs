//! What it means to delete, overwrite or open up a path: is it a system directory, a home, or build output?
//!
//! Pure functions over the words of a command.

/// Whether a path is of the system itself, or a whole directory of it, and not what one service keeps in there.
pub(super) fn is_core(path: &[u8]) -> bool {
    let inner = path.strip_prefix(b"/").unwrap_or(path);
    let inner = inner.strip_suffix(b"/*").or_else(|| inner.strip_suffix(b"/")).unwrap_or(inner);
    let mut parts = inner.split(|byte| *byte == b'/');
    let first = parts.next().unwrap_or_default();
    // What stands below `/var` is a directory of the system too, and only below that a service's.
    let whole = parts.nth(usize::from(first == b"var")).is_none();
    whole
        || matches!(first, b"etc" | b"usr" | b"bin" | b"sbin" | b"lib" | b"lib64" | b"boot" | b"root" | b"dev" | b"proc" | b"sys")
}

/// What stores and services call the directories of their data.
const DATA: &[&[u8]] = &[
    b"postgresql",
    b"postgres",
    b"pgdata",
    b"mysql",
    b"mariadb",
    b"mongodb",
    b"mongo",
    b"redis",
    b"elasticsearch",
    b"opensearch",
    b"cassandra",
    b"clickhouse",
    b"kafka",
    b"minio",
    b"etcd",
    b"influxdb",
    b"rabbitmq",
    b"prometheus",
    b"grafana",
    b"backup",
    b"backups",
    b"nextcloud",
    b"gitlab",
    b"registry",
    b"nfs",
    b"nas",
    b"warehouse",
];

/// Whether a path is where a database keeps its data, or something in there.
pub(super) fn is_store(path: &[u8]) -> bool {
    path.strip_prefix(b"/var/lib/").is_some_and(|path| DATA.iter().any(|store| path.starts_with(store)))
}

/// Whether a path is where a machine keeps its backups.
pub(super) fn is_backup(path: &[u8]) -> bool {
    [b"/var/backups".as_slice(), b"/backup", b"/srv/backup", b"/data/backup", b"/mnt/backup", b"/opt/backup"]
        .iter()
        .any(|start| path.starts_with(start))
}

/// Whether a file is a database by its name.
pub(super) fn is_database_file(path: &[u8]) -> bool {
    [b".db".as_slice(), b".sqlite", b".sqlite3", b".mdb", b".ibd"].iter().any(|end| path.ends_with(end))
}

/// Whether a file is a database that nobody keeps.
pub(super) fn is_scratch_database(path: &[u8]) -> bool {
    path.starts_with(b"/tmp/") && is_database_file(path)
}

/// Whether a path is a home directory as a whole, or everything in one.
pub(super) fn is_whole_home(path: &[u8]) -> bool {
    let named = |root: &[u8]| {
        let rest = path.strip_prefix(root)?;
        rest.get(rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len())..)
    };
    let homes: [&[u8]; 4] = [b"~", b"$HOME", b"${HOME}", b"/root"];
    let rest = homes.iter().find_map(|home| path.strip_prefix(*home)).or_else(|| named(b"/home/")).or_else(|| named(b"/Users/"));
    matches!(rest, Some(b"" | b"/" | b"/*" | b"/.*"))
}

/// Whether a path is a plain file that may hold the image of a disk.
pub(super) fn is_image(path: &[u8]) -> bool {
    place(path) == Place::Ordinary && !path.starts_with(b"/dev/") && path.contains(&b'.')
}

/// What a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The root directory, or everything in it.
    Root,
    /// A directory the system or its services need, or something in one.
    System,
    /// A home directory, or a directory right below one.
    Home,
    /// The working directory as a whole, or what is above it.
    Working,
    /// A disk or another device that holds data.
    Device,
    /// A directory beside the working one, or below a root that nothing is known of: somebody's, if not this project's.
    Elsewhere,
    /// Somewhere below a project, or a temporary directory.
    Ordinary,
}

/// Directories that are made again by the next build or start.
const ARTEFACTS: &[&[u8]] = &[
    b"node_modules",
    b"target",
    b"dist",
    b"build",
    b"out",
    b"bin",
    b"obj",
    b".cache",
    b"cache",
    b"__pycache__",
    b".venv",
    b"venv",
    b"env",
    b"coverage",
    b".next",
    b".nuxt",
    b".gradle",
    b".tox",
    b".pytest_cache",
    b".mypy_cache",
    b".ruff_cache",
    b"tmp",
    b"temp",
    b".tmp",
    b".npm",
    b".parcel-cache",
    b".turbo",
    b"logs",
    b"log",
    b"vendor",
    b"pkg",
    b"_build",
    b".eggs",
    b"site",
    b".terraform",
    b"DerivedData",
    b".svelte-kit",
    b"storybook-static",
    b"test-results",
    b".nyc_output",
    b"artifacts",
    b".serverless",
    b".angular",
    b".output",
    b"public",
    b".docusaurus",
    b"htmlcov",
];

/// Directories directly below the root in which only some depth is safe to delete.
const SCRATCH: &[&[u8]] = &[
    b"tmp",
    b"workspace",
    b"workspaces",
    b"build",
    b"builds",
    b"scratch",
    b"work",
    b"app",
    b"src",
    b"code",
    b"repo",
    b"project",
    b"projects",
    b"repos",
    b"workdir",
    b"sandbox",
    b"testbed",
    b"github",
    b"content",
];

/// System directories: everything in them counts.
const SYSTEM: &[&[u8]] = &[
    b"etc",
    b"usr",
    b"bin",
    b"sbin",
    b"lib",
    b"lib32",
    b"lib64",
    b"boot",
    b"proc",
    b"sys",
    b"System",
    b"Library",
    b"Applications",
    b"Windows",
    b"windows",
    b"run",
];

/// Judges one path as written, variables and globs included.
pub(super) fn place(path: &[u8]) -> Place {
    let path = path.strip_prefix(b"file://").unwrap_or(path);
    // What a repository consists of.
    if [b".git/objects".as_slice(), b".git/refs"].iter().any(|part| memchr::memmem::find(path, part).is_some()) {
        return Place::Working;
    }
    if is_device(path) {
        return Place::Device;
    }
    if path.starts_with(b"\\\\.\\PhysicalDrive") {
        return Place::Device;
    }
    // What a server shares.
    if path.starts_with(b"\\\\") && !path.starts_with(b"\\\\?\\") {
        return Place::System;
    }
    // The host, as a container sees it.
    if let Some(rest) = path.strip_prefix(b"/host").or_else(|| path.strip_prefix(b"/rootfs"))
        && rest.starts_with(b"/")
    {
        return place(rest);
    }
    if let [drive, b':', rest @ ..] = path
        && drive.is_ascii_alphabetic()
    {
        return windows(rest);
    }
    if let Some(rest) = home_rest(path) {
        return home(rest);
    }
    if path.starts_with(b"/") {
        return absolute(path);
    }
    relative(path)
}

fn is_device(path: &[u8]) -> bool {
    let Some(name) = path.strip_prefix(b"/dev/") else { return false };
    [
        b"sd".as_slice(),
        b"hd",
        b"vd",
        b"xvd",
        b"nvme",
        b"mmcblk",
        b"disk",
        b"rdisk",
        b"dm-",
        b"md",
        b"mapper/",
        b"loop",
        b"mem",
        b"kmem",
        b"port",
        b"nbd",
        b"sr",
        b"mtd",
        b"zram",
        // Whatever it is, it is one.
        b"$",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// What follows a home directory, if the path begins with one.
fn home_rest(path: &[u8]) -> Option<&[u8]> {
    for prefix in [b"$HOME".as_slice(), b"%USERPROFILE%", b"$env:USERPROFILE", b"%HOMEPATH%", b"/root"] {
        if let Some(rest) = path.strip_prefix(prefix)
            && (rest.is_empty() || rest.starts_with(b"/") || rest.starts_with(b"\\"))
        {
            return Some(rest);
        }
    }
    for prefix in [b"/home/".as_slice(), b"/Users/"] {
        if let Some(rest) = path.strip_prefix(prefix) {
            let user = memchr::memchr(b'/', rest).unwrap_or(rest.len());
            return rest.get(user..);
        }
    }
    let rest = path.strip_prefix(b"~")?;
    let user = memchr::memchr(b'/', rest).unwrap_or(rest.len());
    rest.get(user..)
}

/// The parts of a path, without empty ones and `.`; a trailing glob that means everything is dropped.
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| matches!(byte, b'/' | b'\\'))
        .filter(|part| !matches!(*part, b"" | b"." | b"*" | b"**" | b".*" | b"*.*" | b".[!.]*" | b"{*,.*}" | b".??*"))
}

/// How many parts of a path are told apart from its last.
const FIRST: usize = 4;

/// Where a path leads once `..` is taken off.
#[derive(Default)]
struct Steps<'p> {
    /// Its first parts; empty where there is none.
    first: [&'p [u8]; FIRST],
    length: usize,
    last: &'p [u8],
    /// It leaves the directory that it starts from.
    climbs: bool,
}

impl<'p> Steps<'p> {
    fn of(path: &'p [u8]) -> Self {
        let mut steps = Self::default();
        for part in parts(path) {
            if part != b".." {
                if let Some(slot) = steps.first.get_mut(steps.length) {
                    *slot = part;
                }
                steps.length += 1;
                steps.last = part;
                continue;
            }
            steps.climbs |= steps.length == 0;
            steps.length = steps.length.saturating_sub(1);
            if let Some(slot) = steps.first.get_mut(steps.length) {
                *slot = b"";
            }
            // What a longer path ended in before is not kept: no name stands for an unknown one.
            steps.last = steps.length.checked_sub(1).and_then(|last| steps.first.get(last)).copied().unwrap_or_default();
        }
        steps
    }

    fn starts(&self, first: &[u8], second: &[u8]) -> bool {
        matches!(self.first, [a, b, ..] if a == first && b == second)
    }
}

fn is_artefact(name: &[u8]) -> bool {
    ARTEFACTS.contains(&name)
}

fn home(rest: &[u8]) -> Place {
    let steps = Steps::of(rest);
    let [first, ..] = steps.first;
    match steps.length {
        0 => Place::Home,
        1 if !is_artefact(first) => Place::Home,
        length => {
            let is_key_store = matches!(
                first,
                b".ssh"
                    | b".gnupg"
                    | b".aws"
                    | b".kube"
                    | b".config"
                    | b"Documents"
                    | b"Desktop"
                    | b"Pictures"
                    | b"Library"
                    | b".local"
                    | b".docker"
            );
            let is_config_depth = length <= 2 && !matches!(first, b".config" | b".local" | b"Library");
            if is_key_store && is_config_depth { Place::Home } else { Place::Ordinary }
        }
    }
}

fn absolute(path: &[u8]) -> Place {
    let steps = Steps::of(path);
    let Steps { first: [first, second, third, fourth], length, last, .. } = steps;
    if length == 0 {
        return Place::Root;
    }
    // `/$DIR` and `/<substitution>` may be empty; what they are is not known.
    if first.starts_with(b"$") || first.contains(&super::shell_lex::UNKNOWN) {
        return if length == 1 { Place::Root } else { Place::Ordinary };
    }
    if SYSTEM.contains(&first) {
        let is_own =
            steps.starts(b"usr", b"local") && !matches!(third, b"bin" | b"sbin" | b"lib" | b"share" | b"etc" | b"include" | b"");
        let is_manual = steps.starts(b"usr", b"share") && matches!(third, b"doc" | b"man" | b"locale" | b"info");
        let is_list = steps.starts(b"etc", b"apt") && third == b"sources.list.d" && length > 3;
        if is_own
            || is_manual
            || is_list
            || steps.starts(b"usr", b"local") && length > 4
            || steps.starts(b"usr", b"src") && length > 2
        {
            return Place::Ordinary;
        }
        return Place::System;
    }
    if first == b"var" {
        let is_scratch = match second {
            b"tmp" => true,
            b"cache" | b"folders" => length > 2,
            b"lib" => third == b"apt" && fourth == b"lists",
            b"www" => length > 4 || is_artefact(last),
            _ => false,
        };
        return if is_scratch { Place::Ordinary } else { Place::System };
    }
    if first == b"dev" {
        return if length == 1 { Place::System } else { Place::Ordinary };
    }
    if is_artefact(last) && length > 1 {
        return Place::Ordinary;
    }
    if SCRATCH.contains(&first) {
        return if length > 1 || first == b"tmp" { Place::Ordinary } else { Place::Working };
    }
    // /opt/x, /srv/x, /mnt/x, /data: what services and people keep.
    let kept = matches!(first, b"opt" | b"srv" | b"mnt" | b"media" | b"data" | b"backup" | b"backups" | b"Volumes" | b"private");
    match length {
        1 => Place::System,
        2 | 3 if kept => Place::System,
        4 if kept && steps.first.iter().any(|part| DATA.contains(part)) => Place::System,
        2 | 3 => Place::Elsewhere,
        _ => Place::Ordinary,
    }
}

fn windows(rest: &[u8]) -> Place {
    let steps = Steps::of(rest);
    let [first, ..] = steps.first;
    if steps.length == 0 {
        return Place::Root;
    }
    let is = |name: &[u8]| first.eq_ignore_ascii_case(name);
    if is(b"windows")
        || is(b"inetpub")
        || is(b"program files")
        || is(b"program files (x86)")
        || is(b"programdata")
        || is(b"boot.ini")
        || is(b"program")
    {
        return Place::System;
    }
    let is_build = is_artefact(first) || SCRATCH.iter().any(|name| is(name));
    if steps.length == 1 && !is_build && !first.contains(&b'.') {
        return Place::Elsewhere;
    }
    if is(b"users") {
        return if steps.length <= 3 { Place::Home } else { Place::Ordinary };
    }
    Place::Ordinary
}

fn relative(path: &[u8]) -> Place {
    if path.is_empty() || path.starts_with(b"-") {
        return Place::Ordinary;
    }
    if path.starts_with(b"$PGDATA")
        || path.starts_with(b"%SYSTEMROOT%")
        || path.starts_with(b"%SystemRoot%")
        || path.starts_with(b"%WINDIR%")
    {
        return Place::System;
    }
    let steps = Steps::of(path);
    match (steps.length, steps.last) {
        (0, _) | (1, b".git" | b"$PWD" | b"$OLDPWD") => Place::Working,
        (1, name) if steps.climbs && !is_artefact(name) => Place::Elsewhere,
        _ => Place::Ordinary,
    }
}

/// Whether writing to this file breaks the system or lets somebody in.
pub(super) fn is_system_file(path: &[u8]) -> bool {
    matches!(place(path), Place::Device | Place::Root)
        || [
            b"/etc/".as_slice(),
            b"/boot/",
            b"/bin/",
            b"/sbin/",
            b"/usr/bin/",
            b"/usr/sbin/",
            b"/lib/",
            b"/usr/lib/",
            b"/proc/sys",
            b"/sys/",
        ]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// Whether the file is one of many in a directory that a service reads whole: what is written there is added.
pub(super) fn is_site(path: &[u8]) -> bool {
    let parent = path.rsplit(|byte| *byte == b'/').nth(1).unwrap_or_default();
    matches!(parent, b"conf.d" | b"sites-available" | b"sites-enabled" | b"logrotate.d")
}

/// Whether the system does not start, or nobody gets in, without this file.
pub(super) fn is_vital_file(path: &[u8]) -> bool {
    is_system_file(path) && (Steps::of(path).length <= 2 || !path.starts_with(b"/etc/"))
}

/// What shells read when they start.
const STARTUP: [&[u8]; 5] = [b"/.bashrc", b"/.profile", b"/.bash_profile", b"/.zshrc", b"/.zshenv"];

/// Whether a shell of its owner reads the file when it starts, where people add what they like.
pub(super) fn is_startup(path: &[u8]) -> bool {
    STARTUP.iter().any(|end| path.ends_with(end)) && !path.starts_with(b"/etc/")
}

/// Whether the file plants a login, a job or a start-up command.
pub(super) fn is_persistence(path: &[u8]) -> bool {
    let ends = [
        b"/authorized_keys".as_slice(),
        b"/etc/sudoers",
        b"/etc/passwd",
        b"/etc/shadow",
        b"/etc/crontab",
        b"/etc/rc.local",
        b"/etc/ld.so.preload",
        b"/.ssh/config",
        b"/etc/profile",
        b"/.gitconfig",
    ];
    let inside = [
        b"/etc/cron".as_slice(),
        b"/etc/sudoers.d/",
        b"/var/spool/cron",
        b"/etc/systemd/system/",
        b"/LaunchAgents/",
        b"/LaunchDaemons/",
        b"/etc/init.d/",
        b"/etc/profile.d/",
        b"/.config/autostart/",
        b"/etc/pam.d/",
    ];
    ends.iter().chain(&STARTUP).any(|end| path.ends_with(end))
        || inside.iter().any(|part| memchr::memmem::find(path, part).is_some())
}

/// Whether the file is a trace of what was done.
pub(super) fn is_trace(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    matches!(
        name,
        b".bash_history"
            | b".zsh_history"
            | b".history"
            | b".python_history"
            | b".mysql_history"
            | b".psql_history"
            | b".sh_history"
            | b"wtmp"
            | b"btmp"
            | b"utmp"
            | b"lastlog"
            | b"auth.log"
            | b"fish_history"
            | b"ConsoleHost_history.txt"
            | b"$HISTFILE"
    ) || path.starts_with(b"/var/log/")
        || path == b"/var/log"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        use Place::{Device, Elsewhere, Home, Ordinary, Root, System, Working};
        let rows = [
            ("/", Root),
            ("/*", Root),
            ("//", Root),
            ("/.", Root),
            ("/tmp/../", Root),
            ("/tmp/../etc", System),
            ("/tmp/../srv/app", System),
            ("/some/path", Elsewhere),
            ("/some/path/dist", Ordinary),
            ("/var/tmp/*", Ordinary),
            ("/$X", Root),
            ("/etc", System),
            ("/usr/lib", System),
            ("/var/lib/postgresql", System),
            ("/var/log/nginx", System),
            ("/opt/app", System),
            ("/var/lib/apt/lists/*", Ordinary),
            ("/usr/local/go", Ordinary),
            ("/usr/local/bin", System),
            ("/data", System),
            ("/home", System),
            ("/home/alice", Home),
            ("/home/alice/*", Home),
            ("~", Home),
            ("~/", Home),
            ("$HOME", Home),
            ("$HOME/*", Home),
            ("~/Documents", Home),
            ("~/.ssh", Home),
            ("~/.cache", Ordinary),
            ("~/code/app/target", Ordinary),
            ("~/project/node_modules", Ordinary),
            ("/root", Home),
            (".", Working),
            ("*", Working),
            ("./*", Working),
            ("..", Working),
            ("../..", Working),
            (".git", Working),
            ("./.git", Working),
            ("../other", Elsewhere),
            ("../other/src", Ordinary),
            ("../build", Ordinary),
            ("src/../lib", Ordinary),
            ("build", Ordinary),
            ("./dist/", Ordinary),
            ("node_modules", Ordinary),
            ("*.o", Ordinary),
            ("$DIR/x", Ordinary),
            ("/tmp/build-1", Ordinary),
            ("/tmp/*", Ordinary),
            ("/workspace/app/dist", Ordinary),
            ("/workspace", Working),
            ("/dev/sda", Device),
            ("/dev/nvme0n1", Device),
            ("/dev/null", Ordinary),
            ("C:\\", Root),
            ("C:\\Windows\\System32", System),
            ("C:\\Users\\bob", Home),
            ("C:\\repo\\app\\bin", Ordinary),
        ];
        for (path, expect) in rows {
            assert_eq!(place(path.as_bytes()), expect, "{path}");
        }
    }
}
