//! Judges file names after normalisation: do they climb out, hide that they climb, or name what nobody should read?
//!
//! Lives on one shard; the decoded form is kept in the shard's scratch. A short relative path such as
//! `../lib/a.ts` is how people work, and passes.

use memchr::memmem::find;

use super::builtin::Builtin;
use super::decode;
use super::detect::Sink;
use super::present::Marks;

/// How many directories a plain relative path may climb. LIMIT: sibling packages lie two levels up.
const CLIMB_MAX: usize = 2;

/// Longest name of a file. LIMIT: that of every common file system.
const NAME_BYTES_MAX: usize = 255;

/// Whether the value is known to be a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Path,
    /// Part of a URL, or a value of unknown use.
    Perhaps,
}

/// Looks at one value, given with its marks.
pub(super) fn check(buffer: &mut Vec<u8>, sink: &mut Sink<'_>, (text, marks): (&[u8], Marks), used: Use) {
    // What neither climbs nor is spelled is what it looks like: as nearly all are.
    if marks.is_literal(text) && !marks.has(Marks::ODD) && !has_dots(text) {
        buffer.clear();
        buffer.extend(text.iter().map(u8::to_ascii_lowercase));
        if wrapper(buffer) {
            sink.report(Builtin::PathWrapper);
        }
        let end = if marks.has(Marks::CUT) { name_end(buffer) } else { buffer.len() };
        return named(sink, buffer, is_sensitive(buffer, end), used);
    }
    let revealed = decode::percent(text, b"./\\\0", buffer);
    let path = buffer.as_slice();
    // Words with spaces are a path only if they begin like one.
    let begins = matches!(text.trim_ascii_start(), [b'.' | b'/' | b'\\' | b'%' | b'~', ..]) && has_climb(path) || is_drive(path);
    if used == Use::Perhaps
        && memchr::memchr3(b' ', b'\n', b'<', text.trim_ascii()).is_some()
        && !begins
        && !(revealed && spelled(text))
    {
        return;
    }
    let has_null = memchr::memchr(0, path).is_some();
    let lower: &mut Vec<u8> = buffer;
    lower.retain(|byte| *byte != 0);
    lower.make_ascii_lowercase();
    for byte in lower.iter_mut() {
        if *byte == b'\\' {
            *byte = b'/';
        }
    }
    let path = lower.as_slice();
    let climb = climb(path);
    if spelled(text) {
        sink.report(Builtin::PathEncoded);
    }
    let names_secret = names_secret(path);
    if wrapper(path) {
        sink.report(Builtin::PathWrapper);
    }
    if has_null && (names_secret || climb.count > 0 || used == Use::Path || path.contains(&b'/') || path.contains(&b'.')) {
        sink.report(Builtin::PathEncoded);
    }
    if revealed && (climb.count > 0 || names_secret) {
        sink.report(Builtin::PathEncoded);
    }
    let backslashes = text.contains(&b'\\');
    let leaves = climb.depth > CLIMB_MAX || climb.above_root || climb.tricks || backslashes && climb.count > 1;
    if climb.count > 0 && (leaves || names_secret || is_system(path) || is_server_file(path)) || climb.tricks {
        sink.report(Builtin::PathTraversal);
    }
    named(sink, path, names_secret, used);
}

/// What is asked for, once it is known where it leads.
fn named(sink: &mut Sink<'_>, path: &[u8], names_secret: bool, used: Use) {
    if names_secret {
        sink.report(Builtin::PathSensitive);
    }
    // A file tool may well read settings and logs; a value that is not known to be a path may not.
    if is_system(path) && (used == Use::Perhaps || path.starts_with(b"/proc/")) {
        sink.report(Builtin::PathSystem);
    }
}

/// Whether a file of credentials or accounts is named in plain text.
pub(super) fn names_secret(text: &[u8]) -> bool {
    is_sensitive(text, name_end(text))
}

/// Whether a value without a slash may still be a path: with its slashes spelled, or a filter of PHP.
pub(super) fn is_spelled(text: &[u8]) -> bool {
    let digits = || memchr::memchr(b'x', text).is_some() && find(text, b"0x2e0x2e").is_some();
    spelled(text) || text.starts_with(b"convert.") || digits()
}

/// A web server's own files, which nobody climbs to by accident.
fn is_server_file(path: &[u8]) -> bool {
    [
        b"access.log".as_slice(),
        b"error.log",
        b"access_log",
        b"error_log",
        b"/.htaccess",
        b"/.passwd",
        b"httpd.conf",
        b"nginx.conf",
    ]
    .iter()
    .any(|name| path.ends_with(name))
}

/// Separators that no decoder agrees on: whatever stands behind `..` in place of a slash was meant as one.
fn spelled(text: &[u8]) -> bool {
    // Each of them has one of these, and most texts have none.
    if !has_dots(text) && memchr::memchr2(b'%', b'\\', text).is_none() {
        return false;
    }
    [
        b"..%".as_slice(),
        b"..0x2f",
        b"..0x5c",
        b"..2f..",
        b"..5c..",
        b"..u221",
        b"/./\\/.",
        b".\\/\\.",
        b".\\.\\.\\",
        b"\\../..\\",
        b"%c0%",
        b"%c1%",
        b"%bg%qf",
        b"%uEFC8",
        b"%uF025",
    ]
    .iter()
    .any(|mark| {
        find(text, mark).is_some_and(|at| {
            !matches!(*mark, b"..%") || text.get(at + 3).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'%')
        })
    })
}

fn has_climb(path: &[u8]) -> bool {
    dots(path).any(|at| matches!(path.get(at + 2), Some(b'/' | b'\\')))
}

/// Where two dots stand side by side.
fn dots(path: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'.', path).filter(|at| path.get(at + 1) == Some(&b'.'))
}

fn has_dots(path: &[u8]) -> bool {
    // No early end, so that it is done on many bytes at once.
    let pairs = path.iter().zip(path.get(1..).unwrap_or_default());
    pairs.fold(false, |found, (a, b)| found | ((*a == b'.') & (*b == b'.')))
}

fn is_drive(path: &[u8]) -> bool {
    matches!(path, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic()) || path.starts_with(b"%")
}

#[derive(Debug, Default)]
struct Climb {
    /// `..` segments.
    count: usize,
    /// How far above its start the path gets.
    depth: usize,
    /// An absolute path that climbs above its root, or a name that climbs after going down.
    above_root: bool,
    /// Forms that become `..` when a filter takes something out.
    tricks: bool,
}

fn climb(path: &[u8]) -> Climb {
    let mut climb = Climb::default();
    let mut below = 0_usize;
    let mut above = 0_usize;
    let absolute = path.starts_with(b"/") || is_drive(path);
    let mut previous: &[u8] = b"x";
    let mut dotted = false;
    for part in path.split(|byte| matches!(byte, b'/' | b'?' | b'=')) {
        climb.tricks |= dotted;
        dotted = false;
        let trimmed = part.strip_suffix(b";").unwrap_or(part);
        match trimmed {
            // A climb that a filter would make of these, unless they end the path.
            dots if dots.len() > 3 && dots.iter().all(|byte| *byte == b'.') => {
                dotted = true;
                below += 1;
            }
            b"" => climb.tricks |= matches!(previous, b"...." | b"..." | b".....") && previous.len() > 3,
            b"." => climb.tricks |= previous == b"...",
            b".." => {
                climb.count += 1;
                // No file has so long a name: the system gives up on it, and lenient code cuts it off.
                climb.tricks |= part.len() > 2 || previous.len() > NAME_BYTES_MAX;
                if below > 0 {
                    below -= 1;
                } else {
                    above += 1;
                }
            }
            _ => below += 1,
        }
        previous = part;
    }
    climb.depth = above;
    climb.above_root = absolute && above > 0;
    if has_dots(path) {
        climb.tricks |= find(path, b"....//").is_some()
            || find(path, b"..././").is_some()
            || find(path, b"..;/").is_some()
            || climb.count > 1 && find(path, b"..//").is_some()
            || find(path, b".../.../").is_some();
    }
    climb
}

/// Files of credentials and accounts: by the end of the path, wherever it begins.
const SENSITIVE_ENDS: &[&[u8]] = &[
    b"etc/passwd",
    b"etc/shadow",
    b"etc/gshadow",
    b"etc/sudoers",
    b"etc/security/passwd",
    b"etc/security/user",
    b"etc/master.passwd",
    b"etc/passwd-",
    b"etc/shadow-",
    b"etc/shadow~",
    b"etc/passwd~",
    b"etc/security/opasswd",
    b".ssh/id_rsa",
    b".ssh/id_dsa",
    b".ssh/id_ecdsa",
    b".ssh/id_ed25519",
    b".ssh/authorized_keys",
    b".ssh/identity",
    b".aws/credentials",
    b".netrc",
    b".git-credentials",
    b".docker/config.json",
    b".kube/config",
    b".pgpass",
    b".my.cnf",
    b".htpasswd",
    b"boot.ini",
    b"win.ini",
    b"repair/sam",
    b"config/sam",
    b"config/system",
    b"config/security",
    b"repair/system",
    b"ntds.dit",
    b"unattend.xml",
    b"unattended.xml",
    b"sysprep.inf",
    b"sysprep.xml",
    b"web-inf/web.xml",
    b"web.config",
    b"wp-config.php",
    b"proc/self/environ",
    b"proc/self/cmdline",
    b"proc/self/maps",
    b"proc/self/mem",
    b"proc/kcore",
    b".bash_history",
    b".mysql_history",
    b".gnupg/secring.gpg",
    b".vault-token",
    b"gcloud/application_default_credentials.json",
    b"gcloud/credentials.db",
    b".azure/accesstokens.json",
    b"etc/kubernetes/admin.conf",
    b"serviceaccount/token",
    b"etc/krb5.keytab",
    b"etc/ssh/ssh_host_rsa_key",
    b"system32/config/regback/sam",
    b"php.ini",
    b"system.ini",
    b"etc/issue",
    b"etc/group",
    b"etc/hosts",
    b"/.ssh",
    b"/.ssh/",
    b"/.aws",
    b"/.gnupg",
    b"desktop.ini",
    b"global.asa",
    b"localstart.asp",
    b"/sam",
    b"docker.sock",
    b"etc/inetd.conf",
    b"etc/motd",
];

/// What a null byte or a query would cut off does not change the file.
fn name_end(path: &[u8]) -> usize {
    Marks::position(path, Marks::CUT).unwrap_or(path.len())
}

/// `end` is where the name ends.
fn is_sensitive(path: &[u8], end: usize) -> bool {
    let path = path.trim_ascii_end();
    let name = path.get(..end).unwrap_or(path);
    let ends = |name: &[u8]| {
        SENSITIVE_ENDS.iter().any(|secret| {
            // Nearly all differ in their last letter.
            name.last() == secret.last()
                && name.ends_with(secret)
                && (secret.starts_with(b"/")
                    || name.len() == secret.len()
                    || name.get(name.len() - secret.len() - 1).is_some_and(|byte| !byte.is_ascii_alphanumeric()))
        })
    };
    let has_passwd = || {
        memchr::memchr(b'w', path).and_then(|_| find(path, b"etc/passwd")).is_some_and(|at| {
            path.get(at + 10).is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'/' | b'_' | b'-'))
        })
    };
    if !matches!(name, [.., a, b] if SENSITIVE_PAIRS[pair(*a, *b)]) {
        return has_passwd();
    }
    if matches!(name, b"/etc/hosts" | b"/etc/group" | b"/etc/issue" | b"/etc/motd" | b"etc/hosts")
        || name.ends_with(b"web.config") && !name.contains(&b'.')
    {
        return false;
    }
    let is_project_file = [
        b"php.ini".as_slice(),
        b"web.config",
        b"desktop.ini",
        b"system.ini",
        b"/sam",
        b"etc/hosts",
        b"etc/group",
        b"etc/issue",
        b"etc/motd",
        b"wp-config.php",
        b"win.ini",
        b"boot.ini",
    ]
    .iter()
    .any(|plain| name.last() == plain.last() && name.ends_with(plain));
    if is_project_file {
        let climbs = find(name, b"../").is_some();
        let windows = find(name, b"c:/").is_some() || find(name, b"windows/").is_some() || find(name, b"winnt/").is_some();
        return (climbs || windows || !name.starts_with(b"/") && name.ends_with(b"boot.ini")) && ends(name);
    }
    ends(name) || has_passwd()
}

/// Which pairs of bytes some sensitive name ends with, and some root of the system begins with behind its slash. Most paths
/// are told by theirs, without a look at the lists.
static SENSITIVE_PAIRS: [bool; PAIRS] = pairs(SENSITIVE_ENDS, true);
static SYSTEM_PAIRS: [bool; PAIRS] = pairs(SYSTEM_ROOTS, false);

/// So many pairs are told apart: five bits of each byte.
const PAIRS: usize = 1 << 10;

const fn pair(a: u8, b: u8) -> usize {
    ((a & 31) as usize) << 5 | (b & 31) as usize
}

/// The pairs of some names: the last two bytes of each, or those behind its first.
const fn pairs(names: &[&[u8]], of_end: bool) -> [bool; PAIRS] {
    let mut found = [false; PAIRS];
    let mut at = 0;
    while at < names.len() {
        if let (true, [.., a, b]) | (false, [_, a, b, ..]) = (of_end, names[at]) {
            found[pair(*a, *b)] = true;
        }
        at += 1;
    }
    found
}

/// Absolute paths into the operating system's own configuration, processes and logs.
const SYSTEM_ROOTS: &[&[u8]] = &[
    b"/etc/",
    b"/proc/",
    b"/var/log/",
    b"/var/lib/mysql",
    b"/var/spool/",
    b"/var/mail/",
    b"/var/adm/",
    b"/usr/local/etc/",
    b"/usr/local/apache",
    b"/usr/local/php",
    b"/usr/local/nginx",
    b"/usr/local/mysql",
    b"/usr/local/pgsql",
    b"/usr/lib/security",
    b"/usr/pkg/etc",
    b"/usr/local/cpanel",
    b"/usr/local/zeus",
    b"/usr/local/psa",
    b"/opt/lampp/",
    b"/opt/xampp/",
    b"/opt/apache",
    b"/opt/httpd",
    b"/boot/",
    b"/root/",
    b"/dev/mem",
    b"/sys/kernel",
    b"/var/run/secrets",
    b"/var/apache",
    b"/var/www/logs",
    b"/var/www/conf",
    b"/var/cpanel",
    b"/var/nm2",
    b"/var/cron",
    b"/usr/home/",
    b"/private/etc/",
    b"/library/webserver/",
    b"/system/library/",
    b"/usr/spool/",
    b"/usr/adm/",
    b"/var/htmp",
    b"/var/data/",
    b"/run/secrets",
    b"/apache",
    b"/logs/",
    b"/xampp/",
    b"/usr/apache",
    b"/usr/lib/php",
    b"/usr/ports/",
    b"/var/local/www/conf",
    b"/usr/internet/",
    b"/home2/bin",
    b"/nt/",
    b"/www/logs",
    b"/www/conf",
    b"/mysql/",
    b"/php",
    b"/bin/php",
    b"/home/php",
    b"/tmp/access.log",
    b"/var/lib/php",
    b"/usr/local/samba",
    b"/usr/local/lib/php",
    b"/usr/local/www/logs",
    b"/usr/local/",
    b"/var/php",
    b"/volumes/macintosh",
];

/// Folders and files of Windows itself and of the servers on it, below a drive.
const DRIVE_ROOTS: &[&[u8]] = &[
    b"windows/",
    b"winnt/",
    b"program files",
    b"programfiles",
    b"programdata/",
    b"xampp/",
    b"wamp",
    b"inetpub/",
    b"apache",
    b"php",
    b"mysql/",
    b"boot.ini",
    b"recycler",
    b"pagefile.sys",
    b"documents and settings/",
    b"$recycle.bin",
    b"sysprep",
    b"unattend",
    b"system volume information",
    b"autoexec.bat",
    b"config.sys",
    b"users/administrator",
    b"users/public",
    b"oraclexe",
    b"nginx",
    b"log",
    b"windows",
    b"home",
    b"user",
    b"wwwroot",
    b"server",
    b"unattended",
];

/// What settings and logs are called.
const SETTINGS: &[&[u8]] = &[
    b".conf",
    b".ini",
    b".log",
    b"_log",
    b".cnf",
    b"passwd",
    b"shadow",
    b".htpasswd",
    b"my.cnf",
    b"php",
    b"/logs",
    b"/log/",
    b"secrets",
    b"httpd",
    b"/conf",
    b".inc",
    b"config",
    b"access",
    b"error",
    b"crontab",
    b"mysql.",
    b"spool",
    b"mail",
    b".err",
    b".pid",
    b"sulog",
    b"utmp",
    b"wtmp",
    b"messages",
    b"loginlog",
    b".htm",
    b"backup",
    b"mem",
];

/// Places that are Windows' own, by the variable that names them.
const WINDOWS_VARIABLES: &[&[u8]] =
    &[b"%systemroot%", b"%windir%", b"%systemdrive%", b"%winnt%", b"systemroot%", b"%programfiles%"];

/// Roots where every file is the system's, settings or not.
const STRICT_ROOTS: &[&[u8]] = &[b"/etc/", b"/proc/", b"/root/", b"/var/log/", b"/boot/"];

fn is_system(path: &[u8]) -> bool {
    // Nearly all differ in their second letter.
    let begins = |roots: &[&[u8]]| roots.iter().any(|root| path.get(1) == root.get(1) && path.starts_with(root));
    if let [drive, b':', b'/', rest @ ..] = path
        && drive.is_ascii_alphabetic()
    {
        return DRIVE_ROOTS.iter().any(|root| {
            // Folders that people have as well count only with a file or a log in them.
            let is_common = matches!(*root, b"log" | b"home" | b"user" | b"server");
            rest.starts_with(root) && (!is_common || find(rest, b"log").is_some() || rest.contains(&b'.'))
        });
    }
    // `/usr/local/` and the like hold programs and sources as well: only settings and logs count there.
    let counts = || begins(STRICT_ROOTS) || SETTINGS.iter().any(|part| find(path, part).is_some());
    let may_begin = matches!(path, [_, a, b, ..] if SYSTEM_PAIRS[pair(*a, *b)]);
    begins(WINDOWS_VARIABLES) || may_begin && begins(SYSTEM_ROOTS) && counts() && !path.starts_with(b"/root/workspace")
}

/// `php://filter`, `expect://id`, `data:` and the like in place of a file.
fn wrapper(path: &[u8]) -> bool {
    [
        b"php://".as_slice(),
        b"expect://",
        b"phar://",
        b"zip://",
        b"compress.zlib://",
        b"glob://",
        b"ogg://",
        b"rar://",
        b"ssh2.",
        b"netdoc:",
        b"jar:http",
        b"data://",
        b"php:filter",
        b"data:text/plain,<?",
        b"data:;base64,",
        b"convert.iconv.",
        b"convert.base64-",
    ]
    .iter()
    // Nearly all differ in their first letter.
    .any(|scheme| path.first() == scheme.first() && path.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_argument;

    #[test]
    fn paths_are_judged_after_normalisation() {
        let rows = [
            ("src/main.rs", None),
            ("../lib/lib.ts", None),
            ("../../packages/a/index.js", None),
            ("./a/../b.txt", None),
            ("/workspace/app/../lib/x.rs", None),
            ("/workspace/notes..txt", None),
            ("drop.txt", None),
            ("docs/etc/passwd-policy.md", None),
            ("/data/export.csv", None),
            ("a%20b.txt", None),
            ("../../../../etc/passwd", Some("path.traversal")),
            ("/var/www/../../etc/shadow", Some("path.traversal")),
            ("../../../secret.txt", Some("path.traversal")),
            ("/workspace/../../x", Some("path.traversal")),
            ("..\\..\\windows\\win.ini", Some("path.traversal")),
            ("....//....//etc/passwd", Some("path.traversal")),
            ("..;/manager/html", Some("path.traversal")),
            ("../../logs/access.log", Some("path.traversal")),
            ("/..../secret", Some("path.traversal")),
            ("..//..//x", Some("path.traversal")),
            ("./...", None),
            ("a/b....", None),
            ("%2e%2e%2fapp.conf", Some("path.encoded-traversal")),
            ("%252e%252e%252fapp.conf", Some("path.encoded-traversal")),
            ("..%c0%afapp.conf", Some("path.encoded-traversal")),
            ("report.pdf%00.jpg", Some("path.encoded-traversal")),
            ("/etc/shadow", Some("path.sensitive-file")),
            ("/home/bob/.ssh/id_rsa", Some("path.sensitive-file")),
            ("~/.aws/credentials", Some("path.sensitive-file")),
            ("/proc/self/environ", Some("path.sensitive-file")),
            ("/etc/nginx/nginx.conf", None),
            ("/etc/ssl/x.crt", None),
            ("/proc/1/cmdline", Some("path.system-file")),
            ("php://filter/convert.base64-encode/resource=index.php", Some("path.stream-wrapper")),
        ];
        for (path, expect) in rows {
            assert_eq!(check_argument("path", path).as_deref(), expect, "{path}");
        }
        let long = format!("/{}/../x", "A".repeat(300));
        assert_eq!(check_argument("path", &long).as_deref(), Some("path.traversal"));
    }

    #[test]
    fn paths_are_found_behind_spellings_of_their_slashes() {
        for (text, expect) in [
            ("..0x2f..0x2fetc0x2fpasswd", Some("path.encoded-traversal")),
            ("0x2e0x2e0x2fboot.ini", Some("path.encoded-traversal")),
            ("..2f..2fetc2fpasswd", Some("path.encoded-traversal")),
            ("Li4vLi4vLi4vZXRjL3Bhc3N3ZA==", Some("path.traversal")),
            ("convert.iconv.CP273.CP1122", Some("path.stream-wrapper")),
            ("0x2e", None),
            ("v1..v2", None),
            ("cGFja2FnZQ==", None),
        ] {
            assert_eq!(check_argument("input", text).as_deref(), expect, "{text}");
        }
    }
}
