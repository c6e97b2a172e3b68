//! Sockets on one io_uring: the only place of this crate that speaks to the kernel by pointer.
//!
//! A *slot* is one connection. Everything the kernel may touch (what a slot sends, where arriving bytes go, the
//! address) belongs to the ring and cannot be reached while an operation on it is running, so the code above works
//! with slices and events only. Receiving is one multishot operation for each connection, into buffers that all share.
#![allow(unsafe_code, reason = "io_uring takes pointers; each block says why what it points to stays put")]

use io_uring::types::{BufRingEntry, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::libc;
use nix::sys::socket::{
    AddressFamily, Shutdown, SockFlag, SockProtocol, SockType, SockaddrLike, SockaddrStorage, setsockopt, shutdown, socket,
    sockopt,
};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::collections::VecDeque;
use std::io;
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

// LIMIT: submissions between two calls into the kernel; more are submitted early.
const SUBMISSIONS: u32 = 1024;
// LIMIT: completions that may wait; beyond it the kernel keeps them in a slower list, none is lost.
const COMPLETIONS: u32 = 8192;
// LIMIT: 8 MiB of receive buffers per ring. When all are in use, arriving bytes wait in the sockets.
const BUFFERS: u16 = 2048;
const BUFFER_BYTES: usize = 4096;
// LIMIT: how long a dropped ring waits for the kernel to let go of its buffers before it leaks them instead.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

const _: () = assert!(BUFFERS.is_power_of_two());
const BUFFER_GROUP: u16 = 0;

/// Something that happened to a slot.
#[derive(Debug)]
pub(super) enum Event {
    /// The connection stands.
    Connected(u32),
    /// The connection could not be made; the slot is closed.
    Refused(u32, io::Error),
    /// The bytes were handed to the kernel.
    Sent(u32),
    /// Bytes arrived. Give the chunk back with [`Ring::recycle`].
    Received(u32, Chunk),
    /// The peer or the network ended the connection: nothing more will arrive. Follow with [`Ring::close`].
    Ended(u32, Option<io::Error>),
    /// The slot is free for another [`Ring::connect`].
    Closed(u32),
}

/// Arrived bytes, held in one of the ring's buffers.
#[derive(Debug)]
pub(super) struct Chunk {
    buffer: u16,
    bytes: usize,
}

/// A set of connections to one address.
pub(super) struct Ring {
    // Taken apart by `drop`, which leaks all of it if the kernel does not let go in time.
    uring: ManuallyDrop<IoUring>,
    inbound: ManuallyDrop<Inbound>,
    slots: ManuallyDrop<Vec<Slot>>,
    address: ManuallyDrop<Box<SockaddrStorage>>,
    family: AddressFamily,
    events: VecDeque<Event>,
    in_flight: usize,
}

#[derive(Default)]
struct Slot {
    socket: Option<OwnedFd>,
    outbound: Vec<u8>,
    connecting: bool,
    sending: bool,
    receiving: bool,
    closing: bool,
}

/// Which operation a completion is about, kept in the upper half of its user data.
#[derive(Clone, Copy)]
enum Operation {
    Connect = 1,
    Send = 2,
    Receive = 3,
}

impl Ring {
    /// A ring with `slots` unconnected slots.
    pub(super) fn new(slots: usize, address: SocketAddr) -> io::Result<Self> {
        let uring = IoUring::builder()
            .setup_cqsize(COMPLETIONS)
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(SUBMISSIONS)
            // Kernels before 6.1 know neither flag; both only save wake-ups.
            .or_else(|_| IoUring::builder().setup_cqsize(COMPLETIONS).build(SUBMISSIONS))?;
        let inbound = Inbound::new();
        // SAFETY: `inbound` owns this memory until it is dropped, which `Ring::drop` does after the ring itself is gone.
        unsafe {
            uring.submitter().register_buf_ring_with_flags(inbound.entries.as_ptr() as u64, BUFFERS, BUFFER_GROUP, 0)?;
        }
        let address = Box::new(SockaddrStorage::from(address));
        let family = address.family().unwrap_or(AddressFamily::Inet);
        Ok(Self {
            uring: ManuallyDrop::new(uring),
            inbound: ManuallyDrop::new(inbound),
            slots: ManuallyDrop::new((0..slots).map(|_| Slot::default()).collect()),
            address: ManuallyDrop::new(address),
            family,
            events: VecDeque::with_capacity(COMPLETIONS as usize),
            in_flight: 0,
        })
    }

    /// Begins a connection. `Connected` or `Refused` follows.
    pub(super) fn connect(&mut self, slot: u32) -> io::Result<()> {
        let fd = socket(self.family, SockType::Stream, SockFlag::SOCK_CLOEXEC, SockProtocol::Tcp)?;
        setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
        let entry = opcode::Connect::new(Fd(fd.as_raw_fd()), self.address.as_ptr(), self.address.len()).build();
        let state = self.slot(slot)?;
        if state.socket.is_some() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the slot has a connection"));
        }
        state.socket = Some(fd);
        state.closing = false;
        state.connecting = true;
        // SAFETY: the address lives in a box that `Ring::drop` keeps until no operation is running.
        unsafe { self.push(entry, slot, Operation::Connect) }
    }

    /// The bytes that the next [`Ring::send`] of this slot sends; nothing while the last ones are still on their way.
    pub(super) fn outbound(&mut self, slot: u32) -> Option<&mut Vec<u8>> {
        self.slots.get_mut(slot as usize).filter(|state| !state.sending).map(|state| &mut state.outbound)
    }

    /// What the slot sends or has sent last.
    pub(super) fn sent(&self, slot: u32) -> &[u8] {
        // The kernel may be reading the same bytes, which is no conflict.
        self.slots.get(slot as usize).map_or(&[], |state| &state.outbound)
    }

    /// Sends the slot's outbound bytes, all of them. `Sent` follows, or `Ended` if the connection is gone.
    pub(super) fn send(&mut self, slot: u32) -> io::Result<()> {
        let state = self.slot(slot)?;
        let Some(socket) = state.socket.as_ref().filter(|_| !state.sending) else {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the slot cannot send now"));
        };
        let length = u32::try_from(state.outbound.len()).map_err(io::Error::other)?;
        // MSG_WAITALL makes the kernel finish a send that did not fit the socket's buffer at once.
        let entry = opcode::Send::new(Fd(socket.as_raw_fd()), state.outbound.as_ptr(), length)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build();
        state.sending = true;
        // SAFETY: `outbound` hands the vector out only while `sending` is false, and moving a `Slot` does not move the
        // vector's heap memory; so it neither changes nor moves until the completion clears the flag.
        unsafe { self.push(entry, slot, Operation::Send) }
    }

    /// Begins to end the connection. `Closed` follows when the kernel has let go of it.
    pub(super) fn close(&mut self, slot: u32) {
        let Some(state) = self.slots.get_mut(slot as usize) else {
            return;
        };
        if state.closing {
            return;
        }
        state.closing = true;
        if let Some(socket) = &state.socket {
            // Ends what is running on the socket; an error means that it has ended already.
            let _ = shutdown(socket.as_raw_fd(), Shutdown::Both);
        }
        self.release(slot);
    }

    /// The bytes of a chunk.
    pub(super) fn bytes(&self, chunk: &Chunk) -> &[u8] {
        self.inbound.bytes(chunk)
    }

    /// Gives a chunk's buffer back to the kernel.
    pub(super) fn recycle(&mut self, chunk: Chunk) {
        self.inbound.provide(chunk.buffer);
        self.inbound.publish();
    }

    /// The next thing that happened.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Submits what was asked for and waits until something happens or `timeout` has passed.
    pub(super) fn wait(&mut self, timeout: Duration) -> io::Result<()> {
        let timespec = Timespec::new().sec(timeout.as_secs()).nsec(timeout.subsec_nanos());
        match self.uring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&timespec)) {
            Ok(_) => {}
            Err(error) => match error.raw_os_error() {
                // Time is up, a signal came, or completions must be taken first: all of it is for the caller to see.
                Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => {}
                _ => return Err(error),
            },
        }
        self.harvest()
    }

    fn harvest(&mut self) -> io::Result<()> {
        loop {
            let Some(entry) = self.uring.completion().next() else {
                return Ok(());
            };
            let slot = entry.user_data() as u32;
            match entry.user_data() >> 32 {
                1 => self.on_connect(slot, entry.result())?,
                2 => self.on_send(slot, entry.result()),
                _ => self.on_receive(slot, &entry)?,
            }
        }
    }

    fn on_connect(&mut self, slot: u32, result: i32) -> io::Result<()> {
        self.in_flight -= 1;
        let state = self.slot(slot)?;
        state.connecting = false;
        if result < 0 {
            state.socket = None;
            self.events.push_back(Event::Refused(slot, io::Error::from_raw_os_error(-result)));
            return Ok(());
        }
        if state.closing {
            self.release(slot);
            return Ok(());
        }
        self.receive(slot)?;
        self.events.push_back(Event::Connected(slot));
        Ok(())
    }

    fn on_send(&mut self, slot: u32, result: i32) {
        self.in_flight -= 1;
        let Some(state) = self.slots.get_mut(slot as usize) else {
            return;
        };
        state.sending = false;
        if state.closing {
            self.release(slot);
        } else if result < 0 {
            self.events.push_back(Event::Ended(slot, Some(io::Error::from_raw_os_error(-result))));
        } else if (result as usize) < state.outbound.len() {
            self.events.push_back(Event::Ended(slot, Some(io::ErrorKind::WriteZero.into())));
        } else {
            self.events.push_back(Event::Sent(slot));
        }
    }

    fn on_receive(&mut self, slot: u32, entry: &cqueue::Entry) -> io::Result<()> {
        let result = entry.result();
        let more = cqueue::more(entry.flags());
        let buffer = cqueue::buffer_select(entry.flags());
        if !more {
            self.in_flight -= 1;
        }
        let state = self.slot(slot)?;
        state.receiving = more;
        let closing = state.closing;
        if let Some(buffer) = buffer {
            let chunk = Chunk { buffer, bytes: usize::try_from(result).unwrap_or(0).min(BUFFER_BYTES) };
            if closing || chunk.bytes == 0 {
                self.recycle(chunk);
            } else {
                self.events.push_back(Event::Received(slot, chunk));
            }
        }
        if closing {
            self.release(slot);
        } else if result == 0 {
            self.events.push_back(Event::Ended(slot, None));
        } else if result < 0 && -result != libc::ENOBUFS {
            self.events.push_back(Event::Ended(slot, Some(io::Error::from_raw_os_error(-result))));
        } else if !more {
            // The kernel ended the multishot, for want of buffers or room for completions: begin another.
            self.receive(slot)?;
        }
        Ok(())
    }

    fn receive(&mut self, slot: u32) -> io::Result<()> {
        let state = self.slot(slot)?;
        let Some(socket) = &state.socket else {
            return Ok(());
        };
        let entry = opcode::RecvMulti::new(Fd(socket.as_raw_fd()), BUFFER_GROUP).build();
        state.receiving = true;
        // SAFETY: the operation names no memory but the registered buffers, which outlive the ring.
        unsafe { self.push(entry, slot, Operation::Receive) }
    }

    /// Drops the socket of a closing slot once no operation on it is running.
    fn release(&mut self, slot: u32) {
        let Some(state) = self.slots.get_mut(slot as usize) else {
            return;
        };
        if state.closing && !state.connecting && !state.sending && !state.receiving && state.socket.take().is_some() {
            self.events.push_back(Event::Closed(slot));
        }
    }

    fn slot(&mut self, slot: u32) -> io::Result<&mut Slot> {
        self.slots.get_mut(slot as usize).ok_or_else(|| io::Error::other(format!("no slot {slot}")))
    }

    /// Queues an operation, submitting earlier ones if the queue is full.
    ///
    /// # Safety
    /// What `entry` points to stays valid, and unread and unwritten by us, until its last completion.
    unsafe fn push(&mut self, entry: squeue::Entry, slot: u32, operation: Operation) -> io::Result<()> {
        let entry = entry.user_data((operation as u64) << 32 | u64::from(slot));
        loop {
            // SAFETY: promised by the caller.
            if unsafe { self.uring.submission().push(&entry) }.is_ok() {
                self.in_flight += 1;
                return Ok(());
            }
            self.uring.submit()?;
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        for slot in 0..self.slots.len() {
            self.close(slot as u32);
        }
        let deadline = Instant::now() + RELEASE_TIMEOUT;
        while self.in_flight > 0 && Instant::now() < deadline {
            if self.wait(Duration::from_millis(20)).is_err() {
                break;
            }
            while let Some(event) = self.events.pop_front() {
                if let Event::Received(_, chunk) = event {
                    self.recycle(chunk);
                }
            }
        }
        if self.in_flight > 0 {
            return;
        }
        // SAFETY: nothing is in flight, so the kernel uses none of this any more; the ring goes first, because the
        // buffers are registered with it. Neither is touched again: this is `drop`.
        unsafe {
            ManuallyDrop::drop(&mut self.uring);
            ManuallyDrop::drop(&mut self.slots);
            ManuallyDrop::drop(&mut self.address);
            ManuallyDrop::drop(&mut self.inbound);
        }
    }
}

/// The buffers that arriving bytes land in, and the ring through which they are lent to the kernel.
struct Inbound {
    entries: NonNull<BufRingEntry>,
    bytes: NonNull<u8>,
    tail: u16,
}

impl Inbound {
    fn new() -> Self {
        let entries = allocate(Self::entries_layout()).cast();
        let bytes = allocate(Self::bytes_layout());
        let mut inbound = Self { entries, bytes, tail: 0 };
        for buffer in 0..BUFFERS {
            inbound.provide(buffer);
        }
        inbound.publish();
        inbound
    }

    fn entries_layout() -> Layout {
        // The kernel wants the ring on a page of its own; the sizes are constants, so this layout is valid.
        Layout::array::<BufRingEntry>(BUFFERS as usize).and_then(|layout| layout.align_to(4096)).unwrap_or(Layout::new::<u8>())
    }

    fn bytes_layout() -> Layout {
        Layout::array::<u8>(BUFFERS as usize * BUFFER_BYTES)
            .and_then(|layout| layout.align_to(4096))
            .unwrap_or(Layout::new::<u8>())
    }

    /// Puts a buffer behind the others; visible to the kernel after [`Inbound::publish`].
    fn provide(&mut self, buffer: u16) {
        let index = usize::from(self.tail & (BUFFERS - 1));
        let offset = usize::from(buffer % BUFFERS) * BUFFER_BYTES;
        // SAFETY: both offsets are below the allocated lengths, and the kernel does not read an entry at or past the
        // tail it has been shown. The entry's fields are written one by one: the first entry's last one is the tail.
        unsafe {
            let entry = &mut *self.entries.as_ptr().add(index);
            entry.set_addr(self.bytes.as_ptr().add(offset) as u64);
            entry.set_len(BUFFER_BYTES as u32);
            entry.set_bid(buffer % BUFFERS);
        }
        self.tail = self.tail.wrapping_add(1);
    }

    fn publish(&mut self) {
        // SAFETY: the tail lives in the first entry, is aligned, and is only ever written here; the kernel reads it.
        // Release orders the entries before it.
        unsafe {
            let tail = BufRingEntry::tail(self.entries.as_ptr()).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }

    fn bytes(&self, chunk: &Chunk) -> &[u8] {
        let offset = usize::from(chunk.buffer % BUFFERS) * BUFFER_BYTES;
        // SAFETY: within the allocation, which began as zeroes. A `Chunk` exists only between the kernel's completion
        // and `recycle`, which consumes it; in between the kernel does not write to its buffer.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().add(offset), chunk.bytes.min(BUFFER_BYTES)) }
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with the same layouts, and the ring that used them is gone.
        unsafe {
            dealloc(self.entries.as_ptr().cast(), Self::entries_layout());
            dealloc(self.bytes.as_ptr(), Self::bytes_layout());
        }
    }
}

fn allocate(layout: Layout) -> NonNull<u8> {
    // SAFETY: the layouts above are not empty.
    let memory = unsafe { alloc_zeroed(layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}
