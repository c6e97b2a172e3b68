//! Command lines whose danger shows in their subcommand and flags alone, as a table.
//!
//! Lives in the binary; parsed once when a blocklist is compiled. A row reads
//! `Rule program|program words… +{one|of|these|flags} !{none|of|these}`. Words are matched in order
//! against the arguments that are no flags: `a|b` alternatives, `x*` and `*x` prefixes and suffixes,
//! `..` any number of words, `^a|b` any word but these; letters of either case. A short flag also matches inside a
//! cluster (`-f` in `-xdf`). `--` stands for itself with something after it.

use hashbrown::{HashMap, HashSet};

use super::builtin::Builtin;

use Builtin::{
    CloudAccess, CloudAudit, CloudDelete, CloudStorage, ClusterDelete, ClusterDestroy, ClusterPrune, ClusterStop, GitBranch,
    GitHistory, GitPush, GitReset, ShellAccount, ShellData, ShellDefence, ShellDelete, ShellDisk, ShellEscape, ShellHistory,
    ShellKill, ShellPersistence, ShellPower, ShellPublish, ShellRemoteCode, ShellService,
};

const ROWS: &[(Builtin, &str)] = &[
    (GitPush, "git push +{--force|-f|--mirror|--delete|-d|--prune}"),
    (GitPush, "git push .. +*"),
    (GitPush, "git push .. :*"),
    (GitPush, "git push .. main|master|*:main|*:master +{--force-with-lease*}"),
    (GitReset, "git reset +{--hard|--merge}"),
    (GitReset, "git clean +{-f|--force} !{-n|--dry-run|-i|--interactive}"),
    (GitReset, "git checkout +{-f*|-qf|--force}"),
    (GitReset, "git checkout .|./|:/"),
    (GitReset, "git checkout * .|./|:/|*.*|*/* !{-b|-B|-p|--patch|--ours|--theirs|--orphan|--track|-t}"),
    (GitReset, "git checkout +{--} !{-p|--patch|--ours|--theirs}"),
    (GitReset, "git checkout +{--pathspec-from-file*} !{-p|--patch|--ours|--theirs}"),
    (GitReset, "git restore .. .|./|:/|*.*|*/* !{--staged|-S|-p|--patch|--ours|--theirs}"),
    (GitReset, "git restore .. .|./|:/|*.*|*/* +{--worktree|-W} !{-p|--patch}"),
    (GitReset, "git switch +{--discard-changes|-f*|-qf|--force}"),
    (GitBranch, "git branch +{-D}"),
    (GitBranch, "git branch +{--force|-f}"),
    (GitBranch, "git stash drop|clear"),
    (GitBranch, "git worktree remove +{--force|-f}"),
    (GitBranch, "git submodule deinit +{--force|-f|--all}"),
    (GitHistory, "git filter-branch|filter-repo !{--analyze}"),
    (GitHistory, "git reflog expire|delete"),
    (GitHistory, "git gc +{--prune=now|--prune=all|--aggressive --prune}"),
    (GitHistory, "git gc +{gc.pruneExpire=now|gc.reflogExpire=now|gc.reflogExpireUnreachable=now}"),
    (GitReset, "git clean +{clean.requireForce=false} !{-n|--dry-run}"),
    (ShellRemoteCode, "kubectl|oc|k apply|create|replace +{http://*|*//pastebin.*|*//paste.*}"),
    (ShellPersistence, "git config core.hooksPath /tmp*|/dev/shm*"),
    (CloudAccess, "gh repo edit +{--visibility} +{public}"),
    (CloudAccess, "gh api +{PATCH|-XPATCH|--method=PATCH} +{visibility=public|private=false}"),
    (ShellDefence, "gh api .. *protection* +{enforce_admins=false|allow_force_pushes=true|required_pull_request_reviews=null}"),
    (GitHistory, "git prune !{-n|--dry-run}"),
    (GitHistory, "git update-ref +{-d|--stdin}"),
    (GitHistory, "git replace +{-f|-d}"),
    (GitHistory, "git rm . +{-r|-f|--force}"),
    (GitHistory, "bfg *"),
    (GitPush, "gh api .. git/refs* +{DELETE}"),
    (ShellPublish, "gh|glab api +{DELETE|-XDELETE|--method=DELETE}"),
    (ShellPublish, "gh repo delete|archive"),
    (
        ShellPublish,
        "gh release|secret|variable|gist|run|issue|cache|ssh-key|gpg-key|label|codespace|ruleset|project delete|remove",
    ),
    (ShellPublish, "glab repo|project|release|variable|ci|issue|mr|label|schedule delete|archive"),
    (ShellPublish, "gitlab-runner unregister"),
    (ShellPublish, "hub delete"),
    (ShellPublish, "npm|pnpm|yarn unpublish"),
    (ShellPublish, "npm|pnpm deprecate"),
    (ShellPublish, "cargo yank !{--undo}"),
    (ShellPublish, "gem yank"),
    (CloudStorage, "aws s3 rm +{--recursive}"),
    (CloudStorage, "aws s3 rm *.tfstate"),
    (CloudStorage, "aws s3 rb"),
    (CloudStorage, "aws s3 sync .. +{--delete}"),
    (CloudStorage, "aws s3api delete-*"),
    (CloudAudit, "aws cloudtrail stop-logging|delete-trail"),
    (CloudAudit, "aws guardduty delete-detector|disassociate*"),
    (CloudAudit, "aws logs delete-*"),
    (CloudAudit, "aws configservice stop-*|delete-*"),
    (
        CloudDelete,
        "aws ^dynamodb|s3api|sqs|kms delete-*|terminate-*|purge-*|destroy-*|deregister-*|disable-key|schedule-key-deletion|remove-*|cancel-*|unsubscribe",
    ),
    (CloudDelete, "aws dynamodb delete-table|delete-backup"),
    (CloudDelete, "aws kms schedule-key-deletion|disable-key|delete-*"),
    (CloudDelete, "aws sqs delete-queue|purge-queue"),
    (CloudDelete, "aws * batch-delete-*|release-address|stop-instances|stop-db-*|reset-*|force-delete*"),
    (CloudDelete, "aws route53 change-resource-record-sets +{*\"DELETE\"*}"),
    (CloudDelete, "aws organizations leave-organization|close-account|remove-account-from-organization"),
    (CloudAudit, "aws * modify-* +{--no-deletion-protection|--no-enable-deletion-protection|--no-disable-api-termination}"),
    (CloudAudit, "aws s3api put-bucket-versioning +{*Suspended*}"),
    (CloudAccess, "aws iam attach-*-policy|put-*-policy .. +{AdministratorAccess*|*AdministratorAccess|*:*}"),
    (CloudAccess, "aws iam create-access-key|create-login-profile|update-assume-role-policy"),
    (CloudAccess, "aws s3api put-bucket-acl +{public-read|public-read-write}"),
    (CloudAccess, "aws s3api put-public-access-block|delete-public-access-block"),
    (CloudAccess, "aws ec2 authorize-security-group-ingress +{0.0.0.0/0|::/0}"),
    (CloudDelete, "eksctl delete"),
    (CloudDelete, "sam|copilot|amplify|cdk|eb delete|destroy|terminate"),
    (CloudDelete, "amplify|copilot .. delete"),
    (CloudStorage, "gsutil|s3cmd rm|rb|del"),
    (CloudStorage, "gsutil .. rm|rb"),
    (CloudStorage, "gsutil .. rsync +{-d} !{-n}"),
    (CloudStorage, "gcloud storage rm"),
    (CloudStorage, "gcloud storage rsync +{--delete-unmatched-destination-objects}"),
    (CloudStorage, "gcloud storage buckets delete"),
    (CloudAccess, "gsutil iam ch .. allUsers*|allAuthenticatedUsers*"),
    (CloudAccess, "gcloud .. add-iam-policy-binding +{roles/owner|roles/editor|allUsers|*roles/owner|*allUsers}"),
    (CloudDelete, "gcloud .. delete|destroy|purge|delete-*|remove-iam-policy-binding"),
    (CloudStorage, "bq rm"),
    (CloudStorage, "az storage .. delete|delete-batch"),
    (CloudAccess, "az role assignment create +{Owner|Contributor}"),
    (CloudDelete, "az .. delete|purge|deallocate|delete-*"),
    (CloudDelete, "oci .. delete|terminate|bulk-delete"),
    (CloudDelete, "aliyun * Delete*|Release*|Terminate*|Stop*"),
    (CloudStorage, "ossutil|coscli rm"),
    (CloudDelete, "tccli * Terminate*|Delete*"),
    (CloudDelete, "ibmcloud .. *-delete|delete|rm|cancel"),
    (CloudDelete, "doctl .. delete|destroy|rm|d"),
    (CloudDelete, "hcloud * delete"),
    (CloudDelete, "linode-cli * delete|rm|rebuild"),
    (CloudDelete, "vultr-cli .. delete"),
    (CloudDelete, "scw .. delete|terminate"),
    (CloudDelete, "openstack .. delete|purge"),
    (CloudDelete, "nova delete"),
    (CloudDelete, "heroku apps:destroy|pg:reset|addons:destroy|*:destroy|destroy"),
    (CloudDelete, "fly|flyctl .. destroy|delete"),
    (CloudDelete, "vercel|netlify|wrangler|railway|render|supabase|firebase|surge remove|rm|delete|destroy|teardown|down"),
    (CloudDelete, "vercel|netlify|wrangler|railway|supabase|planetscale|pscale|neonctl|turso .. delete|destroy|remove|rm"),
    (CloudDelete, "firebase *:delete|*:remove"),
    (CloudDelete, "serverless|sls remove"),
    (CloudStorage, "mc rm +{--recursive|--force|-r}"),
    (CloudStorage, "mc rb"),
    (CloudStorage, "mc mirror +{--remove}"),
    (CloudStorage, "mc admin bucket|user|policy delete|remove"),
    (CloudStorage, "azcopy remove|rm"),
    (CloudStorage, "azcopy sync +{--delete-destination}"),
    (CloudStorage, "rclone purge|delete|deletefile|rmdirs|cleanup"),
    (CloudStorage, "rclone sync"),
    (CloudDelete, "cf delete*|delete"),
    // Hosted services: secrets, mail, payments, feature flags, search, monitoring.
    (
        CloudDelete,
        "op|doppler|infisical|circleci|fastly|ldcli|flipt|unleash|pd|datadog-ci|newrelic|apigeecli|algolia|stripe|square|confluent|ccloud|atlas|mongocli|auth0|okta|sentry-cli|temporal|databricks|hcp|civo|upctl|exo|lakectl|twilio|akamai .. delete|destroy|purge|remove|rm|terminate|remove-secret",
    ),
    (CloudDelete, "unleash|ldcli * archive"),
    (CloudDelete, "algolia indices clear"),
    (CloudDelete, "split * delete|kill"),
    (CloudDelete, "splunk remove|clean|delete"),
    (CloudDelete, "deck reset"),
    (CloudDelete, "deck gateway reset"),
    (CloudDelete, "jenkins-cli delete-*"),
    (CloudDelete, "java .. delete-job|delete-node|delete-builds|delete-view|delete-credentials* +{*jenkins-cli.jar}"),
    (
        ClusterDelete,
        "kubectl|oc|k3s|microk8s|k delete !{--dry-run=client|--dry-run=server} +{--all|-A|--all-namespaces|-f|--filename|-k|--kustomize}",
    ),
    // A pod or a job comes again or has run; everything else is kept for a reason.
    (ClusterDelete, "kubectl|oc|k delete ^pod|pods|po|pod/*|pods/*|po/*|job|jobs|job/*|jobs/*|event|events|lease|leases"),
    (ClusterDelete, "kubectl|oc|k delete pod|pods|po|job|jobs +{--force|--grace-period=0|--all}"),
    (ClusterDelete, "kubectl|oc|k delete *,*"),
    (ClusterDelete, "kubectl|oc|k replace +{--force}"),
    (ClusterStop, "kubectl|oc|k drain"),
    (ClusterStop, "kubectl|oc|k taint +{NoExecute|*NoExecute}"),
    (ClusterStop, "kubectl|oc|k scale +{--replicas=0|--replicas 0}"),
    (ClusterDelete, "kubectl|oc|k create clusterrolebinding +{--clusterrole=cluster-admin|cluster-admin}"),
    (ClusterDelete, "oc adm policy add-cluster-role-to-* cluster-admin"),
    (ShellEscape, "kubectl|oc|k run +{--privileged|*\"privileged\"*true*|*hostPID*|*hostPath*}"),
    (ClusterDelete, "kubeadm reset"),
    (ClusterDelete, "rancher .. delete|rm"),
    (ClusterDelete, "calicoctl delete"),
    (ClusterDelete, "helm|helm3 uninstall|delete|del|un"),
    (ClusterDelete, "helmfile destroy|delete"),
    (ClusterDelete, "argocd app|proj|cluster|repo delete|rm"),
    (ClusterDelete, "flux uninstall"),
    (ClusterDelete, "flux delete"),
    (ClusterDelete, "istioctl uninstall|x"),
    // One of those that run on somebody's own machine comes again.
    (ClusterDelete, "kind|minikube|k3d delete +{--all|--purge}"),
    (ClusterDelete, "kind|k3d delete clusters"),
    (ClusterDelete, "k3d cluster delete +{--all|-a}"),
    (ClusterDelete, "kops|rosa|eksctl|talosctl|capi|clusterctl delete|reset"),
    (ClusterDestroy, "terraform|tofu|terragrunt|tf destroy"),
    (ClusterDestroy, "terraform|tofu|terragrunt|tf apply +{-destroy|--destroy}"),
    (ClusterDestroy, "terragrunt run-all destroy"),
    (ClusterDestroy, "terraform|tofu|terragrunt|tf state rm|push"),
    (ClusterDestroy, "terraform|tofu|terragrunt|tf workspace delete"),
    (ClusterDestroy, "terraform|tofu|terragrunt|tf taint|force-unlock"),
    (ClusterDestroy, "pulumi destroy|down"),
    (ClusterDestroy, "pulumi stack rm"),
    (ClusterDestroy, "cdktf destroy"),
    (ClusterDestroy, "vagrant destroy"),
    (ClusterDestroy, "packer|juju destroy-model|destroy-controller|kill-controller"),
    (ClusterDestroy, "nomad stop|job|system +{-purge}"),
    (ClusterDestroy, "nomad namespace delete"),
    (ClusterDestroy, "consul kv delete +{-recurse}"),
    (ClusterDestroy, "vault delete"),
    (ClusterDestroy, "vault kv delete|destroy"),
    (ClusterDestroy, "vault kv metadata delete"),
    (ClusterDestroy, "vault secrets|auth|audit|namespace|policy disable|delete"),
    (ClusterDestroy, "vault token|lease revoke"),
    (ClusterDestroy, "ansible * +{*state=absent*}"),
    (ClusterPrune, "docker|podman|nerdctl system|volume|container|network|builder|buildx prune"),
    (ClusterPrune, "docker|podman|nerdctl image prune +{-a|--all}"),
    (ClusterPrune, "docker|podman buildx prune"),
    (ClusterPrune, "docker|podman|nerdctl volume rm|remove"),
    (ClusterPrune, "docker|podman system reset"),
    (ClusterPrune, "docker|podman|nerdctl compose .. down +{-v|--volumes|--rmi}"),
    (ClusterPrune, "docker-compose|podman-compose .. down +{-v|--volumes|--rmi}"),
    (ClusterPrune, "docker swarm leave +{--force|-f}"),
    (ClusterPrune, "docker stack|secret|config|service|node rm"),
    (ClusterPrune, "crictl rmi|rmp +{--all|-a|--prune}"),
    (ClusterPrune, "podman rm|rmi|pod +{--all|-a}"),
    (ClusterPrune, "lxc|incus delete"),
    (ClusterPrune, "virsh destroy|undefine|vol-delete|pool-delete"),
    (ClusterPrune, "qm|pct destroy"),
    (ClusterPrune, "VBoxManage|vboxmanage unregistervm +{--delete}"),
    (ClusterPrune, "multipass delete +{--purge|-p|--all}"),
    (ClusterPrune, "gcloud compute instances delete"),
    (ShellEscape, "docker|podman run|create +{--privileged|--pid=host}"),
    (ShellEscape, "docker|podman run|create +{/:/*|*source=/,*|*src=/,*|/var/run/docker.sock*|/etc:/*|/root:/*}"),
    (ShellEscape, "nsenter +{-t|--target|-a}"),
    (ShellDisk, "wipefs .. +{-a|--all|-f|--force|-o}"),
    (ShellDisk, "blkdiscard ..*"),
    (ShellDisk, "mkswap|mke2fs|mkdosfs|mkntfs|newfs .. /dev/*"),
    (ShellDisk, "fdisk|sfdisk|cfdisk|gdisk|sgdisk|parted|partprobe .. /dev/* !{-l|--list|-p|--print|print}"),
    (ShellDisk, "hdparm +{--security-erase|--security-erase-enhanced|--trim-sector-ranges}"),
    (ShellDisk, "nvme format|sanitize|delete-ns"),
    (ShellDisk, "sg_format *"),
    (ShellDisk, "cryptsetup luksFormat|erase|luksErase|luksKillSlot|reencrypt"),
    (ShellDisk, "lvremove|vgremove|pvremove|lvreduce * !{--test|-t}"),
    (ShellDisk, "zpool destroy|labelclear"),
    (ShellDisk, "zfs destroy|rollback !{-n}"),
    (ShellDisk, "btrfs subvolume|device delete"),
    (ShellDisk, "mdadm +{--zero-superblock|--stop|-S}"),
    (ShellDisk, "badblocks +{-w}"),
    (ShellDisk, "diskutil eraseDisk|eraseVolume|reformat|zeroDisk|secureErase|partitionDisk|apfs"),
    (ShellDisk, "dmsetup remove|remove_all"),
    (ShellDisk, "losetup +{-D}"),
    (ShellDisk, "swapoff +{-a}"),
    (ShellDisk, "umount +{-a|-f} !{--fake}"),
    (ShellDisk, "clear-disk|format-volume|initialize-disk|remove-partition|reset-physicaldisk ..*"),
    (ShellDisk, "vssadmin delete|resize"),
    (ShellDisk, "wmic shadowcopy|shadowstorage delete"),
    (ShellDisk, "wbadmin delete"),
    (ShellDisk, "cipher ..* +{/w*}"),
    (ShellDisk, "bcdedit +{/set|/delete|/deletevalue}"),
    (ShellDisk, "tmutil delete|deletelocalsnapshots"),
    (ShellPower, "systemctl|loginctl poweroff|reboot|halt|kexec|suspend|hibernate|emergency|rescue|soft-reboot"),
    (ShellPower, "systemctl isolate rescue*|poweroff*|reboot*|halt*|emergency*|runlevel0*|runlevel6*"),
    (ShellPower, "init|telinit 0|6|1"),
    (ShellPower, "stop-computer|restart-computer"),
    (ShellPower, "ipmitool .. power|chassis off|reset|cycle"),
    (ShellKill, "killall5"),
    (ShellKill, "pkill|killall .. systemd|init|sshd|dockerd|containerd|kubelet +{-9|-KILL|-f|-s}"),
    (ShellKill, "pkill +{-9|-KILL} .|^"),
    (ShellKill, "pkill|killall .. +{-u|-U} root|postgres|mysql"),
    (ShellKill, "pkill|killall .. postgres|mysqld|mongod|redis-server +{-9|-KILL}"),
    (ShellKill, "taskkill +{/f} +{*lsass*|*csrss*|*winlogon*|*svchost*|*explorer*}"),
    (
        ShellService,
        "systemctl stop|disable|mask .. sshd|ssh|docker|containerd|kubelet|postgresql*|mysql*|mariadb*|nginx|NetworkManager|systemd-networkd|network|networking|cron|dbus*|mongod|redis*|named|httpd|apache2|haproxy|traefik|caddy|envoy",
    ),
    (
        ShellDefence,
        "systemctl stop|disable|mask .. firewalld*|ufw*|iptables*|nftables*|auditd*|apparmor*|fail2ban*|rsyslog*|syslog*|falcon*|clamav*|ossec*|wazuh*|osquery*|crowdsec*|auditbeat*|filebeat*|selinux*|systemd-journald*|journald*",
    ),
    (ShellDefence, "service firewalld|ufw|iptables|auditd|apparmor|fail2ban|rsyslog|syslog|clamav* stop"),
    (ShellService, "service sshd|ssh|docker|mysql|postgresql|nginx|haproxy|traefik|cron|network|networking stop"),
    (ShellService, "nginx stop|quit +{-s}"),
    (ShellDefence, "ufw disable|reset"),
    (ShellDefence, "iptables|ip6tables +{-F|--flush|-X}"),
    (ShellDefence, "iptables|ip6tables INPUT|OUTPUT|FORWARD ACCEPT +{-P}"),
    (ShellDefence, "nft flush"),
    (ShellDefence, "setenforce 0|permissive"),
    (ShellDefence, "auditctl +{-D|-e}"),
    (ShellDefence, "aa-teardown|aa-disable|aa-complain"),
    (ShellDefence, "netsh firewall|advfirewall .. disable|off"),
    (ShellDefence, "set-mppreference ..* +{-DisableRealtimeMonitoring|-DisableBehaviorMonitoring|-ExclusionPath} !{$false|0}"),
    (ShellDefence, "auditpol +{/clear|/remove}"),
    (ShellRemoteCode, "certutil +{-urlcache|/urlcache}"),
    (ShellRemoteCode, "mshta http*|javascript:*|vbscript:*"),
    (ShellRemoteCode, "regsvr32 +{/i:http*|-i:http*}"),
    (ShellDefence, "spctl +{--master-disable|--global-disable}"),
    (ShellDefence, "csrutil disable"),
    (ShellDefence, "sysctl .. kernel.randomize_va_space=0|kernel.yama.ptrace_scope=0|kernel.panic=*"),
    (ShellHistory, "history +{-c|-d|-w}"),
    (ShellHistory, "journalctl +{--rotate|--vacuum-time*|--vacuum-size*|--vacuum-files*}"),
    (ShellHistory, "wevtutil cl|clear-log"),
    (ShellHistory, "clear-eventlog|clear-history|remove-eventlog ..*"),
    (ShellHistory, "fsutil usn deletejournal"),
    (ShellAccount, "userdel|deluser|groupdel|delgroup *"),
    (ShellAccount, "useradd|adduser|usermod .. +{root|sudo|wheel|admin|docker|-o|-L|--lock|0}"),
    (ShellAccount, "gpasswd +{-a|-d} sudo|wheel|root|docker"),
    (ShellAccount, "gpasswd .. sudo|wheel|root|docker +{-a|-d}"),
    (ShellAccount, "passwd +{-d|--delete|-l|--lock|-u}"),
    (ShellAccount, "passwd root"),
    (ShellAccount, "net user|localgroup|group .. +{/add|/delete|/active*}"),
    (ShellAccount, "dscl . -create|-delete|-append"),
    (ShellAccount, "dscl . +{-create|-delete|-append}"),
    (ShellAccount, "visudo|vipw|vigr"),
    (ShellAccount, "takeown ..* +{/f}"),
    (ShellAccount, "setcap cap_setuid*|cap_sys_admin*|cap_dac_override*|*cap_setuid*"),
    (ShellPersistence, "crontab +{-r}"),
    (ShellPersistence, "crontab .. /dev/null"),
    (ShellPersistence, "schtasks +{/create|/delete}"),
    (ShellPersistence, "reg add|delete|import|load"),
    (ShellPersistence, "launchctl load|unload|remove|bootout|submit +{-w}"),
    (ShellPersistence, "sc|sc.exe create|delete|stop|config"),
    (ShellData, "dropdb|dropuser *"),
    (ShellData, "pg_dropcluster|pg_resetwal *"),
    (ShellData, "mysqladmin .. drop|shutdown|flush-*"),
    (ShellData, "redis-cli|valkey-cli|keydb-cli flushall|flushdb|shutdown"),
    (ShellData, "redis-cli|valkey-cli|keydb-cli ^command|help|acl .. flushall|flushdb|shutdown"),
    (ShellData, "flushall|flushdb"),
    (ShellData, "redis-cli|valkey-cli|keydb-cli .. del|unlink $_"),
    (ShellData, "redis-cli|valkey-cli|keydb-cli .. debug segfault|panic|oom"),
    (ShellData, "redis-cli|valkey-cli|keydb-cli .. cluster reset|flushslots"),
    (ShellData, "redis-cli|valkey-cli|keydb-cli .. acl deluser"),
    (ShellPersistence, "redis-cli|valkey-cli|keydb-cli .. config set dir /var/spool/*|/etc/*|*/.ssh*"),
    (ShellData, "redis-cli|valkey-cli|keydb-cli .. eval *flushall*|*flushdb*|*call('keys'*|*call(\"keys\"*|*call('KEYS'*"),
    (ShellData, "mongorestore +{--drop}"),
    (ShellData, "pg_restore +{--clean|-c}"),
    (ShellData, "etcdctl .. del|rmdir +{--prefix|--from-key|--recursive|-r}"),
    (
        ShellData,
        "rabbitmqctl reset|force_reset|delete_vhost|delete_user|purge_queue|delete_queue|stop_app|clear_permissions|forget_cluster_node",
    ),
    (ShellData, "rabbitmqadmin delete|purge"),
    (ShellData, "kafka-topics|kafka-topics.sh|kafka-consumer-groups|kafka-consumer-groups.sh +{--delete}"),
    (ShellData, "kafka-consumer-groups|kafka-consumer-groups.sh +{--reset-offsets} +{--execute}"),
    (ShellData, "kafka-acls|kafka-acls.sh +{--remove}"),
    (ShellData, "kafka-configs|kafka-configs.sh +{--delete-config}"),
    (
        ShellData,
        "kafka-configs|kafka-configs.sh +{--alter} +{retention.ms=0|retention.ms=1|retention.ms=10|retention.ms=100|retention.ms=1000}",
    ),
    (ShellData, "gluster volume delete|stop"),
    (ShellData, "knife node|client|role|environment bulk delete"),
    (ShellData, "gcloud pubsub subscriptions seek +{--time=2099*|--time=21*|--time=9*}"),
    (ShellPublish, "svn delete|rm|remove .. *://*/trunk|*://*/branches|*://*/tags"),
    (CloudAccess, "aws ec2 authorize-security-group-ingress +{*IpProtocol=-1*0.0.0.0/0*}"),
    (ShellPublish, "netlify sites:delete|site:delete"),
    (ShellPower, "ansible .. +{-m|--module-name|--module-name=reboot} +{*reboot}"),
    (ShellDelete, "robocopy *empty* * /mir|/purge"),
    (ShellData, "zkcli.sh|zkcli|zookeeper-shell .. deleteall|rmr"),
    (ClusterStop, "vault operator seal"),
    (ClusterStop, "vault operator raft remove-peer"),
    (CloudAudit, "aws dynamodb update-continuous-backups +{*PointInTimeRecoveryEnabled=false}"),
    (CloudAudit, "gcloud storage buckets update +{--clear-soft-delete|--no-versioning}"),
    (ShellDefence, "set-netfirewallprofile +{-Enabled} +{False|$false|0}"),
    (
        ClusterDestroy,
        "terraform|tofu apply +{-replace=*db*|-replace=*rds*|-replace=*sql*|-replace=*bucket*|-replace=*volume*|-replace=*cluster*}",
    ),
    (ShellData, "kafka-delete-records|kafka-delete-records.sh"),
    (ShellData, "rpk topic|group|cluster|acl delete"),
    (ShellData, "nats stream|consumer|kv|object|bucket|account .. delete|del|rm|purge"),
    (ShellData, "hdfs|hadoop dfs|fs +{-rm|-rmr|-expunge}"),
    (ShellData, "nodetool decommission|removenode|assassinate|drain"),
    (ShellData, "rails|rake|bin/rails|bin/rake db:drop*|db:reset*|db:purge|db:schema:load|db:migrate:reset"),
    (ShellData, "artisan|php|sail .. migrate:fresh|migrate:reset|db:wipe|migrate:refresh"),
    (ShellData, "python|python3|django-admin|manage.py|./manage.py .. flush|reset_db"),
    (ShellData, "npx|prisma|pnpm|yarn|bunx .. migrate reset"),
    (ShellData, "npx|prisma|pnpm|yarn .. db push +{--force-reset|--accept-data-loss}"),
    (ShellData, "npx|pnpm|yarn|sequelize|sequelize-cli|typeorm .. db:drop|schema:drop|db:migrate:undo:all"),
    (ShellData, "supabase|sqlx db|database reset|drop"),
    (ShellData, "diesel database reset|drop"),
    (ShellData, "sqlx database drop|reset"),
    (ShellData, "alembic .. downgrade base"),
    (ShellData, "flyway clean"),
    (ShellData, "liquibase drop-all|dropAll"),
    (ShellData, "doctrine|bin/console|symfony .. doctrine:database:drop|doctrine:schema:drop"),
    (ShellData, "influx delete +{--bucket}"),
    (ShellData, "influx bucket|org delete"),
    (ShellData, "curator_cli|elasticsearch-cli delete*"),
    (ShellData, "mix ecto.reset|ecto.drop"),
    (ShellData, "php .. doctrine:database:drop|doctrine:schema:drop"),
    (ShellData, "rails|bin/rails runner *delete_all*|*destroy_all*|*drop_table*"),
    (ShellData, "knex migrate:rollback +{--all}"),
    (ShellData, "wp db reset|drop|clean"),
    (ShellData, "drush sql:drop|sql-drop"),
    (ShellData, "couchbase-cli bucket-flush|bucket-delete"),
    (ShellData, "ldapdelete +{-r}"),
    (ShellData, "doveadm expunge"),
    (ShellData, "cypher-shell .. *DETACH*"),
    (ShellData, "gpg|gpg2 +{--delete-secret-keys|--delete-secret-key|--delete-secret-and-public-key}"),
    (ShellDisk, "hdfs namenode +{-format}"),
    (ShellDisk, "ceph osd pool delete|rm"),
    (ShellDisk, "ceph osd purge|destroy|rm"),
    (ShellDisk, "ceph fs|mds rm"),
    (ShellDisk, "rbd rm|remove"),
    (ShellDisk, "rbd snap purge"),
    (ShellDisk, "wsl +{--unregister}"),
    (ShellDisk, "timeshift +{--delete|--delete-all}"),
    (CloudDelete, "cloud-nuke ..*"),
    (CloudDelete, "aws-nuke +{--no-dry-run}"),
    (CloudDelete, "az deployment group|sub|tenant create +{Complete}"),
    (CloudDelete, "az .. disable +{--delete-backup-data}"),
    (CloudDelete, "remove-vm|remove-mailbox|remove-dbadatabase|remove-azresourcegroup|remove-s3bucket|remove-adobject ..*"),
    (ClusterDelete, "kubectl|oc|k apply +{--prune}"),
    (ClusterDelete, "k3s-uninstall.sh|k3s-agent-uninstall.sh|rke2-uninstall.sh"),
    (GitHistory, "hg .. strip"),
    (ShellData, "borg delete|prune|recreate|break-lock|repo-delete|rdelete !{-n}"),
    (ShellData, "restic .. forget|prune !{-n}"),
    (ShellData, "restic key remove"),
    (ShellData, "restic unlock +{--remove-all}"),
    (ShellData, "velero .. delete|uninstall"),
    (ShellData, "kopia .. delete"),
    (ShellData, "duplicity remove-*"),
    (ShellData, "pgbackrest stanza-delete"),
    (ShellData, "barman delete"),
    (ShellData, "wal-g delete"),
    (
        ShellService,
        "apt|apt-get|dnf|yum|zypper|apk|pacman .. purge|autoremove|remove|erase .. systemd|systemd*|libc6|libc6*|glibc|sudo|openssh-server|bash|coreutils|linux-image*|kernel*|python3",
    ),
    (ShellService, "dpkg +{--purge|--remove|-P|-r|--force-all}"),
    (ShellService, "rpm +{-e|--erase} +{--nodeps}"),
    (ShellService, "pacman +{-R|-Rdd|-Rns|-Rcns}"),
    (ShellService, "ip link .. down"),
    (ShellService, "ifconfig .. down"),
    (ShellService, "ip route|addr|address flush|del|delete"),
    (ShellService, "rmmod|modprobe +{-r|-f}"),
];

/// Options of command lines whose value is the next word. One list serves all: none is a flag elsewhere in the table.
const VALUED: &[&[u8]] = &[
    b"-C",
    b"-n",
    b"--namespace",
    b"--region",
    b"--profile",
    b"--context",
    b"--kubeconfig",
    b"--project",
    b"--subscription",
    b"--git-dir",
    b"--config-env",
    b"--work-tree",
    b"-H",
    b"--host",
    b"--kube-context",
    b"--output",
    b"-o",
    b"--zone",
    b"--account",
    b"--log-level",
    b"-l",
    b"--selector",
    b"--field-selector",
    b"--grace-period",
    b"--timeout",
    b"--endpoint-url",
    b"--query",
    b"-c",
];

/// Flags that turn any row into a question.
const HARMLESS: &[&[u8]] = &[
    b"--help",
    b"-help",
    b"--dry-run",
    b"--dry-run=client",
    b"--dry-run=server",
    b"--dry-run=true",
    b"--what-if",
    b"-whatif",
    b"--dryrun",
    b"--noop",
    b"--no-act",
    b"--simulate",
    b"--preview-only",
];

#[derive(Debug)]
struct Row {
    builtin: Builtin,
    words: Vec<Words>,
    required: Vec<Vec<&'static [u8]>>,
    excluded: Vec<&'static [u8]>,
}

/// What stands at one place of a row.
#[derive(Debug)]
enum Words {
    Any(Vec<&'static [u8]>),
    But(Vec<&'static [u8]>),
    Gap,
}

impl Words {
    fn parse(part: &'static str) -> Self {
        match part.strip_prefix('^') {
            _ if part == ".." || part == "..*" => Self::Gap,
            Some(words) => Self::But(alternatives(words)),
            None => Self::Any(alternatives(part)),
        }
    }

    fn has(&self, word: &[u8]) -> bool {
        let is_one = |words: &[&[u8]]| words.iter().any(|pattern| is_word(word, pattern));
        match self {
            Self::Any(words) => is_one(words),
            Self::But(words) => !is_one(words),
            Self::Gap => true,
        }
    }
}

/// The parsed table.
#[derive(Debug)]
pub(super) struct Table {
    rows: HashMap<&'static [u8], Vec<Row>>,
    typed: HashSet<&'static [u8]>,
}

impl Table {
    pub(super) fn new() -> Self {
        let mut rows: HashMap<&'static [u8], Vec<Row>> = HashMap::new();
        for (builtin, line) in ROWS {
            let mut parts = split_row(line);
            let programs = if parts.is_empty() { "" } else { parts.remove(0) };
            for program in programs.split('|') {
                rows.entry(program.as_bytes()).or_default().push(Row::parse(*builtin, &parts));
            }
        }
        Self { rows, typed: PROGRAMS.iter().copied().collect() }
    }

    /// Whether any row is about this program.
    pub(super) fn knows(&self, program: &[u8]) -> bool {
        self.rows.contains_key(program)
    }

    /// Whether people type this program: a value that begins with one is a command line.
    pub(super) fn is_typed(&self, program: &[u8]) -> bool {
        self.typed.contains(program)
    }

    /// Reports each row the command line `program args…` matches.
    pub(super) fn check<'a>(
        &self,
        program: &[u8],
        args: impl Iterator<Item = &'a [u8]> + Clone,
        mut report: impl FnMut(Builtin),
    ) {
        let Some(rows) = self.rows.get(program) else { return };
        let is_harmless = |arg: &[u8]| arg.starts_with(b"-") && HARMLESS.iter().any(|flag| arg.eq_ignore_ascii_case(flag));
        for row in rows {
            // `--version` asks only where no version follows, and so do the others.
            let asks_last = || matches!(args.clone().last(), Some(b"--version" | b"-h" | b"help"));
            let is_asked = || args.clone().any(is_harmless) || asks_last();
            if row.matches(args.clone()) && !is_asked() {
                report(row.builtin);
            }
        }
    }
}

/// Splits at spaces outside braces.
fn split_row(line: &'static str) -> Vec<&'static str> {
    let mut depth = 0_u32;
    line.split(|letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ' ' && depth == 0
    })
    .collect()
}

fn alternatives(text: &'static str) -> Vec<&'static [u8]> {
    text.split('|').map(str::as_bytes).collect()
}

impl Row {
    fn parse(builtin: Builtin, parts: &[&'static str]) -> Self {
        let mut row = Self { builtin, words: Vec::new(), required: Vec::new(), excluded: Vec::new() };
        for part in parts {
            if let Some(flags) = part.strip_prefix("+{").and_then(|rest| rest.strip_suffix('}')) {
                row.required.push(alternatives(flags));
            } else if let Some(flags) = part.strip_prefix("!{").and_then(|rest| rest.strip_suffix('}')) {
                row.excluded.extend(alternatives(flags));
            } else {
                row.words.push(Words::parse(part));
            }
        }
        row
    }

    fn matches<'a>(&self, args: impl Iterator<Item = &'a [u8]> + Clone) -> bool {
        let is_before = |arg: &&[u8]| *arg != b"--";
        let has = |flag: &[u8]| match flag {
            b"--" => args.clone().skip_while(is_before).nth(1).is_some(),
            _ => args.clone().take_while(is_before).any(|arg| is_flag(arg, flag)),
        };
        // The first word tells most rows from a command.
        self.words_match(positional(args.clone()))
            && self.required.iter().all(|any| any.iter().any(|flag| has(flag)))
            && !self.excluded.iter().any(|flag| has(flag))
    }

    fn words_match<'a>(&self, mut words: impl Iterator<Item = &'a [u8]> + Clone) -> bool {
        let mut gap = false;
        for wanted in &self.words {
            if matches!(wanted, Words::Gap) {
                gap = true;
                continue;
            }
            loop {
                let Some(word) = words.next() else { return false };
                if wanted.has(word) {
                    break;
                }
                if !gap {
                    return false;
                }
            }
            gap = false;
        }
        true
    }
}

/// The arguments that are neither flags nor the values of [`VALUED`] ones.
fn positional<'a>(args: impl Iterator<Item = &'a [u8]> + Clone) -> impl Iterator<Item = &'a [u8]> + Clone {
    let mut skip = false;
    let mut all = false;
    args.filter(move |arg| {
        if all {
            return true;
        }
        if std::mem::take(&mut skip) {
            return false;
        }
        if *arg == b"--" {
            all = true;
            return false;
        }
        skip = VALUED.contains(arg);
        !(arg.len() > 1 && arg.starts_with(b"-"))
    })
}

/// Globs with `*`; everything else stands for itself, in letters of either case.
pub(super) fn is_word(word: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut pos) = (0, 0);
    let mut back = None;
    loop {
        match (pattern.get(at), word.get(pos)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                at += 1;
                back = Some((at, pos));
            }
            (Some(want), Some(have)) if want.eq_ignore_ascii_case(have) => {
                at += 1;
                pos += 1;
            }
            _ => match back {
                Some((after, from)) if from < word.len() => {
                    back = Some((after, from + 1));
                    (at, pos) = (after, from + 1);
                }
                _ => return false,
            },
        }
    }
}

fn is_flag(arg: &[u8], flag: &[u8]) -> bool {
    match flag {
        [b'-', letter] if letter.is_ascii_alphanumeric() => {
            matches!(arg, [b'-', cluster @ ..] if !cluster.starts_with(b"-")
                && cluster.len() <= 8
                && cluster.contains(letter)
                && cluster.iter().all(u8::is_ascii_alphanumeric))
        }
        [b'-', b'-', ..] => {
            arg.starts_with(b"-")
                && (is_word(arg, flag) || arg.strip_prefix(flag).is_some_and(|rest| rest.starts_with(b"=") && rest != b"=false"))
        }
        _ => arg.eq_ignore_ascii_case(flag) || is_word(arg, flag),
    }
}

/// Programs that people type.
const PROGRAMS: &[&[u8]] = &[
    b"git",
    b"gh",
    b"docker",
    b"kubectl",
    b"helm",
    b"npm",
    b"npx",
    b"yarn",
    b"pnpm",
    b"cargo",
    b"make",
    b"cmake",
    b"go",
    b"python",
    b"python3",
    b"pip",
    b"pip3",
    b"node",
    b"ruby",
    b"perl",
    b"php",
    b"java",
    b"mvn",
    b"gradle",
    b"ls",
    b"cd",
    b"cat",
    b"grep",
    b"rg",
    b"find",
    b"sed",
    b"awk",
    b"echo",
    b"printf",
    b"curl",
    b"wget",
    b"ssh",
    b"scp",
    b"rsync",
    b"tar",
    b"unzip",
    b"zip",
    b"cp",
    b"mv",
    b"rm",
    b"mkdir",
    b"rmdir",
    b"touch",
    b"chmod",
    b"chown",
    b"ln",
    b"head",
    b"tail",
    b"less",
    b"sort",
    b"uniq",
    b"wc",
    b"cut",
    b"tr",
    b"xargs",
    b"tee",
    b"diff",
    b"ps",
    b"kill",
    b"pkill",
    b"top",
    b"df",
    b"du",
    b"free",
    b"history",
    b"export",
    b"env",
    b"source",
    b"sudo",
    b"bash",
    b"sh",
    b"zsh",
    b"systemctl",
    b"getenforce",
    b"sestatus",
    b"service",
    b"journalctl",
    b"apt",
    b"apt-get",
    b"brew",
    b"dnf",
    b"yum",
    b"psql",
    b"mysql",
    b"sqlite3",
    b"redis-cli",
    b"mongosh",
    b"mongo",
    b"aws",
    b"gcloud",
    b"az",
    b"terraform",
    b"pulumi",
    b"ansible",
    b"base64",
    b"openssl",
    b"jq",
    b"nc",
    b"ping",
    b"dig",
    b"ip",
    b"mount",
    b"lsblk",
    b"for",
    b"while",
    b"if",
    b"test",
    b"[",
    b"time",
    b"timeout",
    b"watch",
    b"which",
    b"man",
    b"vim",
    b"nano",
    b"dd",
    b"crontab",
    b"su",
    b"md5sum",
    b"sha256sum",
    b"pushd",
    b"alias",
    b"pg_dump",
    b"pg_restore",
    b"ansible-playbook",
    b"poetry",
    b"uv",
    b"pytest",
    b"rustup",
    b"vault",
    b"restic",
    b"borg",
    b"rclone",
    b"doctl",
    b"heroku",
    b"vercel",
    b"glab",
    b"velero",
    b"mktemp",
    b"createdb",
    b"dropdb",
    b"pg_dumpall",
    b"tee",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: Option<Builtin>) {
        let table = Table::new();
        let mut words = line.split(' ').map(str::as_bytes);
        let mut found = None;
        table.check(words.next().unwrap_or_default(), words, |builtin| found = found.or(Some(builtin)));
        assert_eq!(found, expect, "{line}");
    }

    #[test]
    fn rows_match_by_word_and_flag() {
        let rows = [
            ("git push --force origin main", Some(GitPush)),
            ("git -C /repo push origin +main", Some(GitPush)),
            ("git push origin :old", Some(GitPush)),
            ("git push origin main", None),
            ("git push --force-with-lease", None),
            ("git clean -fdx", Some(GitReset)),
            ("git clean -ndx", None),
            ("git branch -D topic", Some(GitBranch)),
            ("git branch -d topic", None),
            ("git log --grep push -f", None),
            ("aws ec2 terminate-instances --instance-ids i-1", Some(CloudDelete)),
            ("aws --region eu-west-1 ec2 terminate-instances --dry-run", None),
            ("aws ec2 describe-instances", None),
            ("kubectl -n prod delete ns prod", Some(ClusterDelete)),
            ("kubectl delete pod web-1", None),
            ("kubectl delete pods --all", Some(ClusterDelete)),
            ("kubectl get ns", None),
            ("terraform plan -destroy", None),
            ("terraform apply -destroy", Some(ClusterDestroy)),
            ("docker compose down -v", Some(ClusterPrune)),
            ("docker compose down", None),
            ("gcloud compute instances delete vm", Some(CloudDelete)),
            ("gcloud compute instances list", None),
            ("systemctl stop firewalld", Some(ShellDefence)),
            ("systemctl status sshd", None),
        ];
        for (line, expect) in rows {
            check(line, expect);
        }
    }
}
