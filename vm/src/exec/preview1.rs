//! The part of WASI preview 1 that a library built for it imports. Nothing here depends on
//! anything but the guest.

use aivm_abi::host::wasi_snapshot_preview1::{Errno, Host};
use aivm_abi::{Exit, TrapCode};

use super::frame::Frame;

type Answer<T> = Result<Result<T, Errno>, Exit>;

/// Standard input, output and error.
const STREAMS: std::ops::RangeInclusive<u32> = 0..=2;

fn refused<T>() -> Answer<T> {
    Err(TrapCode::Unsupported.into())
}

impl Host for Frame<'_, '_> {
    fn args_get(&mut self, _argv: u32, _buffer: u32) -> Answer<()> {
        Ok(Ok(()))
    }

    fn args_sizes_get(&mut self) -> Answer<(u32, u32)> {
        Ok(Ok((0, 0)))
    }

    fn environ_get(&mut self, _environ: u32, _buffer: u32) -> Answer<()> {
        Ok(Ok(()))
    }

    fn environ_sizes_get(&mut self) -> Answer<(u32, u32)> {
        Ok(Ok((0, 0)))
    }

    fn clock_res_get(&mut self, _id: u32) -> Answer<u64> {
        refused()
    }

    fn clock_time_get(&mut self, _id: u32, _precision: u64) -> Answer<u64> {
        refused()
    }

    fn random_get(&mut self, _buffer: u32, _length: u32) -> Answer<()> {
        refused()
    }

    fn poll_oneoff(&mut self, _subscriptions: u32, _events: u32, _count: u32) -> Answer<u32> {
        refused()
    }

    fn sched_yield(&mut self) -> Answer<()> {
        Ok(Ok(()))
    }

    fn proc_exit(&mut self, _code: u32) -> Result<(), Exit> {
        Err(TrapCode::Exited.into())
    }

    fn fd_write(&mut self, fd: u32, buffers: Vec<Vec<u8>>) -> Answer<u32> {
        let stream = match fd {
            1 => 0,
            2 => 1,
            _ => return Ok(Err(Errno::Badf)),
        };
        let bytes = buffers.concat();
        // The sum was under the limit of one transfer, which is a 32-bit number.
        let Ok(length) = u32::try_from(bytes.len()) else {
            return Ok(Err(Errno::Inval));
        };
        for line in self.session().write(stream, &bytes) {
            self.tx.host.debug_log(&self.contract, &line);
        }
        Ok(Ok(length))
    }

    fn fd_read(&mut self, fd: u32, _buffers: u32, _count: u32) -> Answer<u32> {
        Ok(match fd {
            0 => Ok(0),
            _ => Err(Errno::Badf),
        })
    }

    fn fd_seek(&mut self, fd: u32, _offset: i64, _whence: u32) -> Answer<u64> {
        Ok(Err(match STREAMS.contains(&fd) {
            true => Errno::Spipe,
            false => Errno::Badf,
        }))
    }

    fn fd_close(&mut self, fd: u32) -> Answer<()> {
        Ok(match STREAMS.contains(&fd) {
            true => Ok(()),
            false => Err(Errno::Badf),
        })
    }

    fn fd_fdstat_get(&mut self, _fd: u32, _status: u32) -> Answer<()> {
        Ok(Err(Errno::Badf))
    }

    fn fd_prestat_get(&mut self, _fd: u32, _prestat: u32) -> Answer<()> {
        Ok(Err(Errno::Badf))
    }

    fn fd_prestat_dir_name(&mut self, _fd: u32, _path: u32, _length: u32) -> Answer<()> {
        Ok(Err(Errno::Badf))
    }

    fn path_open(
        &mut self,
        _fd: u32,
        _lookup: u32,
        _path: &str,
        _flags: u32,
        _rights: u64,
        _inheriting: u64,
        _fdflags: u32,
    ) -> Answer<u32> {
        Ok(Err(Errno::Badf))
    }

    fn path_filestat_get(
        &mut self,
        _fd: u32,
        _flags: u32,
        _path: &str,
        _filestat: u32,
    ) -> Answer<()> {
        Ok(Err(Errno::Badf))
    }
}

impl Frame<'_, '_> {
    /// Logs what the guest wrote without ending the line.
    pub(super) fn flush_lines(&self) {
        for line in self.session.iter().flat_map(|session| session.rest()) {
            self.tx.host.debug_log(&self.contract, &line);
        }
    }
}
