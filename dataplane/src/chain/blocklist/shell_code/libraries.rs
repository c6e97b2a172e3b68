//! What programs delete by the libraries of clouds, clusters and stores.
//!
//! Pure functions over code text. A row of the table counts where the program says that it uses the library, and calls what
//! deletes by it.

use super::super::builtin::Builtin;
use super::super::shell_download;
use super::super::shell_table::is_word;
use super::has;

/// A library, or some that delete alike.
struct Library {
    builtin: Builtin,
    /// What a program says that uses it, any of these; nothing where the calls say enough.
    says: &'static [&'static [u8]],
    /// The calls that delete, with globs.
    calls: &'static [&'static [u8]],
}

const LIBRARIES: &[Library] = &[
    Library {
        builtin: Builtin::CloudDelete,
        says: &[b"boto3", b"aioboto", b"Aws::"],
        calls: &[b"delete", b"delete_*", b"terminate", b"terminate_*", b"deregister_*", b"purge_*", b"stop_logging"],
    },
    Library {
        builtin: Builtin::CloudDelete,
        says: &[b"aws-sdk"],
        calls: &[
            b"Delete*Command",
            b"Terminate*Command",
            b"deleteBucket",
            b"deleteTable",
            b"deleteStack",
            b"deleteDB*",
            b"terminateInstances",
        ],
    },
    Library {
        builtin: Builtin::CloudDelete,
        says: &[
            b"google.cloud",
            b"googleapiclient",
            b"@google-cloud",
            b"azure.",
            b"@azure/",
            b"digitalocean",
            b"linode_api4",
            b"hcloud",
        ],
        calls: &[b"delete", b"delete_*", b"destroy", b"begin_delete*", b"beginDelete*", b"begin_deallocate"],
    },
    Library {
        builtin: Builtin::ClusterDelete,
        says: &[b"kubernetes import", b"kubernetes.client", b"import kubernetes", b"kubernetes/client-node"],
        calls: &[b"delete_*", b"deleteN*", b"deleteCollection*", b"deletePersistent*", b"deleteCluster*", b"deleteCustom*"],
    },
    // Go's clients, and Ruby's of Kubernetes, have names that nothing else has.
    Library {
        builtin: Builtin::CloudDelete,
        says: &[],
        calls: &[b"DeleteBucket", b"TerminateInstances", b"DeleteDBInstance", b"DeleteDBCluster", b"DeleteStack", b"DeleteTable"],
    },
    Library {
        builtin: Builtin::ClusterDelete,
        says: &[b"Namespaces()", b"PersistentVolumes()", b"PersistentVolumeClaims(", b"Kubeclient"],
        calls: &[b"Delete", b"DeleteCollection", b"delete_namespace", b"delete_persistent_volume*"],
    },
    Library { builtin: Builtin::ShellPublish, says: &[b".Repositories."], calls: &[b"Delete"] },
    Library { builtin: Builtin::ClusterPrune, says: &[b"docker.from_env", b"DockerClient"], calls: &[b"prune", b"prune_*"] },
    Library {
        builtin: Builtin::ShellPublish,
        says: &[b"github import", b"octokit", b"Octokit", b"import gitlab"],
        calls: &[b"delete", b"delete_repository", b"delete_branch", b"deleteRepo"],
    },
    Library { builtin: Builtin::ShellData, says: &[b"Jenkins.instance"], calls: &[b"delete"] },
    Library {
        builtin: Builtin::ShellData,
        says: &[b"lasticsearch", b"opensearch", b"OpenSearch"],
        calls: &[b"delete_by_query", b"delete", b"deleteByQuery"],
    },
    Library {
        builtin: Builtin::ShellData,
        says: &[b"qdrant", b"pinecone", b"Pinecone", b"weaviate", b"chroma", b"milvus"],
        calls: &[b"delete_collection", b"delete_index", b"deleteCollection", b"delete_all"],
    },
    Library {
        builtin: Builtin::ShellData,
        says: &[],
        calls: &[
            b"drop_all",
            b"dropDatabase",
            b"drop_database",
            b"dropAllSchemas",
            b"dropSchema",
            b"drop_collection",
            b"dropCollection",
            b"deleteIndex",
            b"clearObjects",
            b"flushall",
            b"flushdb",
            b"flush_all",
            b"flush_db",
            b"flushAll",
            b"flushDb",
        ],
    },
];

/// Calls that delete one record, one message or what comes again.
const SPARED: &[&[u8]] = &[
    b"delete_item",
    b"delete_message*",
    b"delete_object",
    b"delete_tag*",
    b"DeleteItemCommand",
    b"DeleteMessage*",
    b"DeleteObjectCommand",
    b"delete_namespaced_pod",
    b"delete_namespaced_job",
    b"deleteNamespacedPod",
    b"deleteNamespacedJob",
    b"delete_file",
    b"delete_document",
];

/// What the code deletes by way of a library.
pub(super) fn deletes(code: &[u8]) -> Option<Builtin> {
    let is_one = |name: &[u8], patterns: &[&[u8]]| patterns.iter().any(|pattern| is_word(name, pattern));
    let deletes = |library: &&Library| {
        let is_used = library.says.is_empty() || has(code, library.says);
        is_used && calls(code).any(|name| is_one(name, library.calls) && !is_one(name, SPARED))
    };
    if has(code, &[b"git.Repo"]) && has(code, &[b"force=True", b"--force", b"--hard"]) {
        return Some(Builtin::GitPush);
    }
    let requests: [&[u8]; 5] = [b"requests.delete(", b"httpx.delete(", b"session.delete(", b"axios.delete(", b"client.delete("];
    if has(code, &requests)
        && let Some(found) = shell_download::deletes(|parts| has(code, parts))
    {
        return Some(found);
    }
    let library = LIBRARIES.iter().find(deletes);
    library.map(|library| library.builtin).or_else(|| {
        let all = [
            b".objects.all().delete()".as_slice(),
            b"DestroyService.new(",
            b".unscoped.delete_all",
            b".unscoped.destroy_all",
            b"sync({force: true",
            b"sync({ force: true",
            b"delete_all=True",
            b"deleteMany({})",
            b"delete_many({})",
            b".query.delete()",
            b"deleteAll=True",
        ];
        (has(code, &all) || deletes_model(code)).then_some(Builtin::ShellData)
    })
}

/// `Account.delete_all`: every record of a model.
fn deletes_model(code: &[u8]) -> bool {
    if has(code, &[b".all.each"]) && has(code, &[b".destroy", b".delete"]) {
        return true;
    }
    [b".delete_all".as_slice(), b".destroy_all", b".all.destroy"].iter().any(|call| {
        memchr::memmem::find_iter(code, call).any(|at| {
            let before = code.get(..at).unwrap_or_default();
            let start = before
                .iter()
                .rposition(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte != b':')
                .map_or(0, |at| at + 1);
            before.get(start).is_some_and(u8::is_ascii_uppercase)
        })
    })
}

/// The names that are called: what stands before each parenthesis.
pub(in super::super) fn calls(code: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'(', code).filter_map(|at| {
        let before = code.get(..at)?;
        let start = before.iter().rposition(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').map_or(0, |at| at + 1);
        before.get(start..).filter(|name| !name.is_empty())
    })
}
