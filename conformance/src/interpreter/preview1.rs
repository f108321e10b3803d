//! The part of WASI preview 1 that guests get, by what `docs/host-interface.md` says of each function.

use aivm_abi::host::wasi_snapshot_preview1::{Errno, Host};
use aivm_abi::{Exit, TrapCode};

use super::frame::Frame;

type Answer<T> = Result<Result<T, Errno>, Exit>;

/// There are a standard input, output and error, numbered from 0; nothing else is open.
fn standard(fd: u32) -> Result<(), Errno> {
    match fd {
        0..=2 => Ok(()),
        _ => Err(Errno::Badf),
    }
}

const UNSUPPORTED: Exit = Exit::Trap(TrapCode::Unsupported);

impl Host for Frame {
    fn args_get(&mut self, _: u32, _: u32) -> Answer<()> {
        Ok(Ok(()))
    }

    fn args_sizes_get(&mut self) -> Answer<(u32, u32)> {
        Ok(Ok((0, 0)))
    }

    fn environ_get(&mut self, _: u32, _: u32) -> Answer<()> {
        Ok(Ok(()))
    }

    fn environ_sizes_get(&mut self) -> Answer<(u32, u32)> {
        Ok(Ok((0, 0)))
    }

    fn clock_res_get(&mut self, _: u32) -> Answer<u64> {
        Err(UNSUPPORTED)
    }

    fn clock_time_get(&mut self, _: u32, _: u64) -> Answer<u64> {
        Err(UNSUPPORTED)
    }

    fn random_get(&mut self, _: u32, _: u32) -> Answer<()> {
        Err(UNSUPPORTED)
    }

    fn poll_oneoff(&mut self, _: u32, _: u32, _: u32) -> Answer<u32> {
        Err(UNSUPPORTED)
    }

    fn sched_yield(&mut self) -> Answer<()> {
        Ok(Ok(()))
    }

    fn proc_exit(&mut self, _: u32) -> Result<(), Exit> {
        Err(TrapCode::Exited.into())
    }

    /// Nobody keeps the log here.
    fn fd_write(&mut self, fd: u32, buffers: Vec<Vec<u8>>) -> Answer<u32> {
        if standard(fd).is_err() || fd == 0 {
            return Ok(Err(Errno::Badf));
        }
        let length: usize = buffers.iter().map(Vec::len).sum();
        Ok(u32::try_from(length).map_err(|_| Errno::Inval))
    }

    fn fd_read(&mut self, fd: u32, _: u32, _: u32) -> Answer<u32> {
        Ok(if fd == 0 { Ok(0) } else { Err(Errno::Badf) })
    }

    fn fd_seek(&mut self, fd: u32, _: i64, _: u32) -> Answer<u64> {
        Ok(standard(fd).and(Err(Errno::Spipe)))
    }

    fn fd_close(&mut self, fd: u32) -> Answer<()> {
        Ok(standard(fd))
    }

    fn fd_fdstat_get(&mut self, _: u32, _: u32) -> Answer<()> {
        Ok(Err(Errno::Badf))
    }

    fn fd_prestat_get(&mut self, _: u32, _: u32) -> Answer<()> {
        Ok(Err(Errno::Badf))
    }

    fn fd_prestat_dir_name(&mut self, _: u32, _: u32, _: u32) -> Answer<()> {
        Ok(Err(Errno::Badf))
    }

    fn path_open(
        &mut self,
        _: u32,
        _: u32,
        _: &str,
        _: u32,
        _: u64,
        _: u64,
        _: u32,
    ) -> Answer<u32> {
        Ok(Err(Errno::Badf))
    }

    fn path_filestat_get(&mut self, _: u32, _: u32, _: &str, _: u32) -> Answer<()> {
        Ok(Err(Errno::Badf))
    }
}
