//! The servers that stand behind and beside the gateway in a bench, started and stopped by the tests.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running program of this crate; killed when dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Running {
    /// Starts `program` and waits until it listens.
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self::start_at(program, address, arguments)
    }

    /// The same at a known address.
    pub(crate) fn start_at(program: &str, address: SocketAddr, arguments: &[&str]) -> Self {
        let child =
            Command::new(program).args(["--listen", &address.to_string()]).args(arguments).stdout(Stdio::null()).spawn().unwrap();
        let running = Self { address, child };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "{program} does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        running
    }

    /// As a crash. The kernel takes the rings of a dead process apart in its own time, and its listener with them.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while TcpStream::connect(self.address).is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
