//! How a child gives up what it must not have before it runs a single instruction of its own.
//!
//! That happens between fork and exec, where safe Rust cannot run code. Two programs of util-linux do it for us, each of
//! which sets itself up and then becomes the next: `prlimit` the resource limits, `setpriv` the user, the death signal
//! and the ban on new privileges. Setting limits from outside comes too late as soon as the child has another user, unless
//! we hold `CAP_SYS_RESOURCE`, which containers rarely do.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::{Resource, Rlimit};
use tokio::process::{Child, Command};

use super::launch::{Launch, MARK};

/// The programs this machine has.
#[derive(Debug)]
pub(super) struct Wrappers {
    prlimit: Option<PathBuf>,
    setpriv: Option<PathBuf>,
}

impl Wrappers {
    /// Looks for the programs where systems keep them, not in a `PATH` somebody may have set.
    pub(super) fn find() -> Self {
        let prlimit = find("prlimit", "--nofile");
        let setpriv = find("setpriv", "--pdeathsig");
        if setpriv.is_none() {
            tracing::warn!(
                "no `setpriv` with --pdeathsig (package util-linux): children that ignore the end of their input may outlive a killed sp"
            );
        }
        Self { prlimit, setpriv }
    }

    /// Starts a child with its pipes. One that cannot be limited as declared is killed at once.
    pub(super) fn start(&self, launch: &Launch, mark: &str) -> io::Result<Child> {
        let child = self.command(launch, mark).spawn()?;
        if self.prlimit.is_none() {
            restrict(&child, launch)?;
        }
        Ok(child)
    }

    fn command(&self, launch: &Launch, mark: &str) -> Command {
        let mut line: Vec<String> = Vec::new();
        if let Some(prlimit) = &self.prlimit {
            line.push(prlimit.display().to_string());
            line.extend(limits(launch).map(|(option, _, limit)| format!("{option}={limit}")));
        }
        if let Some(setpriv) = &self.setpriv {
            line.push(setpriv.display().to_string());
            line.extend(["--pdeathsig", "TERM", "--no-new-privs"].map(str::to_owned));
            if let Some(account) = launch.user {
                line.extend([format!("--reuid={}", account.uid), format!("--regid={}", account.gid), "--clear-groups".into()]);
            }
        }
        let mut words = line.iter();
        let mut command = match words.next() {
            Some(wrapper) => {
                let mut command = Command::new(wrapper);
                command.args(words).arg(&launch.program);
                command
            }
            None => Command::new(&launch.program),
        };
        if let (None, Some(account)) = (&self.setpriv, launch.user) {
            // The standard library drops the supplementary groups of root when it changes the user.
            command.uid(account.uid).gid(account.gid);
        }
        command
            .args(&launch.args)
            .env_clear()
            .envs(launch.env.iter().map(|(key, value)| (key, value)))
            .env(MARK, mark)
            .current_dir(&launch.cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

fn find(program: &str, option: &str) -> Option<PathBuf> {
    let found =
        ["/usr/bin", "/bin", "/usr/sbin"].into_iter().map(|dir| PathBuf::from(dir).join(program)).find(|path| path.is_file());
    found.filter(|path| {
        let help = std::process::Command::new(path).arg("--help").env_clear().stdin(Stdio::null()).output();
        help.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains(option))
    })
}

/// The limits of a child, never above what we may have ourselves. No core files: they would hold secrets.
fn limits(launch: &Launch) -> impl Iterator<Item = (&'static str, Resource, u64)> {
    let processes = launch.limits.processes.filter(|_| launch.user.is_some());
    let all = [
        ("--core", Resource::Core, Some(0)),
        ("--nofile", Resource::Nofile, launch.limits.open_files),
        ("--data", Resource::Data, launch.limits.memory_bytes),
        ("--nproc", Resource::Nproc, processes),
    ];
    all.into_iter().filter_map(|(option, resource, limit)| {
        let highest = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
        limit.map(|limit| (option, resource, limit.min(highest)))
    })
}

fn restrict(child: &Child, launch: &Launch) -> io::Result<()> {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    // Without a process the limits would become our own.
    let pid = pid.ok_or_else(|| io::Error::other("a child ended before it was limited"))?;
    for (option, resource, limit) in limits(launch) {
        let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
        rustix::process::prlimit(Some(pid), resource, limit).map_err(|error| {
            io::Error::other(format!("cannot limit a child ({option}: {error}): install prlimit (package util-linux)"))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::launch::{Account, resolve};
    use super::super::{ChildLimits, StdioServer};
    use super::*;

    fn check(wrappers: &Wrappers, user: Option<Account>, expect: &str) {
        let mut server = StdioServer::new("a", "sh");
        server.env.insert("PATH".into(), "/bin".into());
        server.args = vec!["-c".into(), "x".into()];
        server.limits = ChildLimits { open_files: Some(64), memory_bytes: None, processes: Some(9) };
        let Ok(mut launch) = resolve(&server) else { unreachable!("there is a shell") };
        launch.user = user;
        let command = wrappers.command(&launch, "mark");
        let command = command.as_std();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        assert_eq!(line.join(" "), expect);
    }

    #[test]
    fn each_program_becomes_the_next() {
        let both = Wrappers { prlimit: Some("/p".into()), setpriv: Some("/s".into()) };
        let neither = Wrappers { prlimit: None, setpriv: None };
        let nobody = Some(Account { uid: 7, gid: 8 });
        check(&both, None, "/p --core=0 --nofile=64 /s --pdeathsig TERM --no-new-privs /bin/sh -c x");
        check(
            &both,
            nobody,
            "/p --core=0 --nofile=64 --nproc=9 /s --pdeathsig TERM --no-new-privs --reuid=7 --regid=8 --clear-groups /bin/sh -c x",
        );
        check(&neither, nobody, "/bin/sh -c x");
        check(&Wrappers { prlimit: Some("/p".into()), ..neither }, None, "/p --core=0 --nofile=64 /bin/sh -c x");
    }

    #[tokio::test]
    async fn without_prlimit_the_limits_still_hold() {
        let wrappers = Wrappers { prlimit: None, setpriv: None };
        let mut server = StdioServer::new("a", "sh");
        server.args = vec!["-c".into(), "read line; ulimit -n; ulimit -c".into()];
        server.limits.open_files = Some(77);
        let Ok(launch) = resolve(&server) else { unreachable!("there is a shell") };
        let Ok(mut child) = wrappers.start(&launch, "mark") else { unreachable!("it starts") };
        drop(child.stdin.take());
        let Ok(output) = child.wait_with_output().await else { unreachable!("it ends") };
        assert_eq!(String::from_utf8_lossy(&output.stdout), "77\n0\n");
    }
}
