//! The rules that ship, in versioned packs: what each is called, how bad it is, and what it does by default.
//!
//! Lives in the binary. Detectors name a rule by its variant; operators name it by its id.

use super::config::{Mode, Severity};

/// A pack of builtin rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pack {
    /// Destructive and hostile shell commands.
    Shell,
    /// Destructive SQL statements.
    Sql,
    /// Git operations that lose history or work.
    Git,
    /// Cloud command lines that delete.
    Cloud,
    /// Kubernetes, Helm, Terraform and container operations that delete.
    Cluster,
    /// Traversal out of a directory, and sensitive files.
    Path,
    /// URLs that reach inside.
    Ssrf,
    /// SQL, LDAP, NoSQL and XPath injection payloads.
    Injection,
    /// Script, template and XML payloads.
    Markup,
    /// Prompt injection and tool poisoning.
    Prompt,
}

/// Every pack with its name and version.
pub(super) const PACKS: &[(Pack, &str, u32)] = &[
    (Pack::Shell, "shell", 8),
    (Pack::Sql, "sql", 8),
    (Pack::Git, "git", 7),
    (Pack::Cloud, "cloud", 7),
    (Pack::Cluster, "cluster", 7),
    (Pack::Path, "path", 2),
    (Pack::Ssrf, "ssrf", 2),
    (Pack::Injection, "injection", 2),
    (Pack::Markup, "markup", 2),
    (Pack::Prompt, "prompt", 2),
];

impl Pack {
    /// The name operators write.
    pub fn name(self) -> &'static str {
        PACKS.get(self as usize).map_or("", |(_, name, _)| name)
    }

    /// Grows whenever the pack finds something it did not find before, or stops finding it.
    pub fn version(self) -> u32 {
        PACKS.get(self as usize).map_or(0, |(_, _, version)| *version)
    }

    /// The pack of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        PACKS.iter().find(|(_, known, _)| *known == name).map(|(pack, _, _)| *pack)
    }
}

/// What stands behind a builtin rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct BuiltinRule {
    pub(super) id: &'static str,
    pub(super) pack: Pack,
    pub(super) severity: Severity,
    pub(super) mode: Mode,
    pub(super) owasp: &'static str,
    pub(super) reason: &'static str,
}

macro_rules! builtins {
    ($($variant:ident $id:literal $pack:ident $severity:ident $mode:ident $owasp:literal $reason:literal;)*) => {
        /// A builtin rule, as detectors name it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub(super) enum Builtin { $($variant),* }

        pub(super) const BUILTINS: &[(Builtin, BuiltinRule)] = &[$((Builtin::$variant, BuiltinRule {
            id: $id,
            pack: Pack::$pack,
            severity: Severity::$severity,
            mode: Mode::$mode,
            owasp: $owasp,
            reason: $reason,
        })),*];
    };
}

builtins! {
    ShellDelete "shell.recursive-delete" Shell Critical Deny "ASI02" "deletes a root, system, home or working directory";
    ShellDisk "shell.disk-wipe" Shell Critical Deny "ASI02" "overwrites, formats or unmakes a disk or volume";
    ShellPower "shell.power" Shell High Deny "ASI02" "stops or restarts the machine";
    ShellKill "shell.kill-all" Shell High Deny "ASI02" "kills every process or the init process";
    ShellForkBomb "shell.fork-bomb" Shell Critical Deny "ASI08" "exhausts the machine with processes";
    ShellPermission "shell.permissions" Shell High Deny "ASI03" "opens or breaks permissions of system files";
    ShellAccount "shell.accounts" Shell High Deny "ASI03" "creates, removes or elevates accounts";
    ShellPersistence "shell.persistence" Shell High Deny "ASI03" "plants a key, job or start-up entry";
    ShellHistory "shell.history-wipe" Shell High Deny "ASI10" "removes traces of what was done";
    ShellDefence "shell.defences" Shell High Deny "ASI10" "switches off a firewall, auditing or protection";
    ShellRemoteCode "shell.remote-code" Shell Critical Deny "ASI05" "runs code fetched from the network";
    ShellEncodedCode "shell.encoded-code" Shell Critical Deny "ASI05" "runs code hidden by an encoding";
    ShellReverse "shell.reverse-shell" Shell Critical Deny "ASI05" "opens a shell to the network";
    ShellExfiltration "shell.exfiltration" Shell Critical Deny "ASI03" "sends credentials or system files away";
    ShellOverwrite "shell.system-overwrite" Shell Critical Deny "ASI02" "overwrites a system file or empties data";
    ShellService "shell.services" Shell Medium Ask "ASI08" "stops or removes system services or packages";
    ShellData "shell.data-store" Shell Critical Deny "ASI02" "empties or drops a data store";
    ShellPublish "shell.unpublish" Shell High Deny "ASI04" "removes a published package or repository";
    ShellEscape "shell.container-escape" Shell Critical Deny "ASI05" "gives a container the host";
    ShellObfuscated "shell.obfuscated" Shell High Ask "ASI05" "hides the name of the command it runs";
    ShellTooDeep "shell.too-deep" Shell High Deny "ASI05" "is nested too deeply to be understood";
    ShellInjected "shell.injected-command" Shell High Deny "ASI05" "breaks out of a value to run a command";
    ShellProbe "shell.code-execution" Shell High Ask "ASI05" "runs system commands from a language or a value";
    GitPush "git.force-push" Git High Deny "ASI02" "rewrites or deletes published history";
    GitReset "git.discard" Git Medium Ask "ASI02" "throws away uncommitted work";
    GitHistory "git.rewrite-history" Git High Deny "ASI02" "rewrites or expires local history";
    GitBranch "git.delete-branch" Git Medium Ask "ASI02" "deletes a branch, tag, stash or work tree by force";
    CloudDelete "cloud.delete" Cloud Critical Deny "ASI02" "deletes or terminates cloud resources";
    CloudStorage "cloud.storage-delete" Cloud Critical Deny "ASI02" "deletes stored objects or buckets";
    CloudAccess "cloud.access" Cloud Critical Deny "ASI03" "widens access to cloud resources";
    CloudAudit "cloud.audit-off" Cloud Critical Deny "ASI10" "stops cloud auditing";
    ClusterDelete "cluster.delete" Cluster High Deny "ASI02" "deletes cluster resources";
    ClusterStop "cluster.stop" Cluster Medium Ask "ASI08" "drains nodes or scales workloads to nothing";
    ClusterDestroy "cluster.destroy" Cluster Critical Deny "ASI02" "destroys managed infrastructure";
    ClusterPrune "cluster.prune" Cluster High Deny "ASI02" "removes containers, images or volumes in bulk";
    SqlDrop "sql.drop" Sql Critical Deny "ASI02" "drops tables, schemas, databases or users";
    SqlTruncate "sql.truncate" Sql Critical Deny "ASI02" "empties a table";
    SqlUnbounded "sql.unbounded-write" Sql Critical Deny "ASI02" "deletes or updates every row";
    SqlGrant "sql.grant" Sql High Deny "ASI03" "grants broad rights or creates a superuser";
    SqlSystem "sql.system-access" Sql Critical Deny "ASI05" "reaches files or commands from the database";
    SqlStop "sql.shutdown" Sql High Deny "ASI08" "stops the database";
    PathTraversal "path.traversal" Path High Deny "ASI02" "climbs out of its directory";
    PathEncoded "path.encoded-traversal" Path High Deny "ASI02" "hides a traversal in an encoding";
    PathSensitive "path.sensitive-file" Path High Deny "ASI03" "names a file with credentials or accounts";
    PathSystem "path.system-file" Path Medium Ask "ASI03" "names a file of the operating system or of a server's configuration or logs";
    PathWrapper "path.stream-wrapper" Path High Deny "ASI05" "uses a stream wrapper in place of a path";
    SsrfMetadata "ssrf.metadata" Ssrf Critical Deny "ASI03" "asks a cloud metadata service";
    SsrfPrivate "ssrf.private-address" Ssrf High Deny "ASI03" "reaches a loopback, private or link-local address";
    SsrfScheme "ssrf.scheme" Ssrf High Deny "ASI03" "uses a URL scheme that reaches files or raw sockets";
    SsrfObscured "ssrf.obscured-host" Ssrf High Deny "ASI03" "hides its host in an unusual spelling";
    SsrfCredentials "ssrf.url-credentials" Ssrf Medium Ask "ASI03" "carries credentials in the URL";
    SsrfRedirect "ssrf.open-redirect" Ssrf Medium Ask "ASI02" "leads a path to another host";
    SqlInjection "injection.sql" Injection High Deny "ASI05" "breaks out of a value into SQL";
    SqlProbe "injection.sql-probe" Injection Medium Ask "ASI05" "is a fragment used to probe for SQL injection";
    LdapInjection "injection.ldap" Injection High Deny "ASI05" "breaks out of an LDAP filter";
    NosqlInjection "injection.nosql" Injection High Deny "ASI05" "smuggles operators into a document query";
    MarkupScript "markup.script" Markup High Deny "ASI05" "carries active script in markup";
    MarkupUrl "markup.script-url" Markup High Deny "ASI05" "carries a script URL";
    MarkupXxe "markup.xml-entity" Markup High Deny "ASI05" "declares an XML entity that reaches out";
    MarkupTemplate "markup.template" Markup High Deny "ASI05" "runs code in a server template";
    PromptOverride "prompt.override" Prompt High Deny "ASI01" "tells the model to drop its instructions";
    PromptReveal "prompt.reveal" Prompt High Deny "ASI01" "asks the model for its hidden prompt or secrets";
    PromptRole "prompt.role" Prompt High Deny "ASI01" "forges a system, tool or assistant turn";
    PromptJailbreak "prompt.jailbreak" Prompt High Deny "ASI01" "asks for a mode without rules";
    PromptTool "prompt.tool-abuse" Prompt High Deny "ASI02" "steers the model into tools, approvals or data it should not touch";
    PromptSecrecy "prompt.secrecy" Prompt High Deny "ASI09" "tells the model to hide something from its user";
    PromptPoison "prompt.tool-poisoning" Prompt High Deny "ASI04" "hides orders to the model in a description or comment";
    PromptMemory "prompt.memory" Prompt High Deny "ASI06" "plants a lasting belief in the model's memory";
    PromptInvisible "prompt.invisible-text" Prompt High Deny "ASI01" "hides text in invisible characters";
    PromptExfil "prompt.exfiltration" Prompt High Deny "ASI01" "sends data away through a link, an image or a message";
}

/// How many builtin rules there are.
pub(super) const BUILTIN_COUNT: usize = BUILTINS.len();

impl Builtin {
    /// The rule with that id.
    pub(super) fn by_id(id: &str) -> Option<Self> {
        BUILTINS.iter().find(|(_, rule)| rule.id == id).map(|(builtin, _)| *builtin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_in_the_order_of_their_variants() {
        for (index, (pack, _, _)) in PACKS.iter().enumerate() {
            assert_eq!(*pack as usize, index);
        }
        for (index, (builtin, rule)) in BUILTINS.iter().enumerate() {
            assert_eq!(*builtin as usize, index);
            assert!(rule.id.starts_with(rule.pack.name()) && rule.owasp.starts_with("ASI"), "{}", rule.id);
            assert_eq!(Builtin::by_id(rule.id), Some(*builtin));
        }
    }
}
