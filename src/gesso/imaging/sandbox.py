"""What a process may no longer do: resource limits, and on Linux a seccomp filter that leaves only computing.

The filter is an allow list: every other system call (files, sockets, processes, signals to others) fails with EPERM. It
is built here as a BPF program, without a library. Where it cannot be installed the process runs with resource limits
only, and says so; `gesso doctor` shows it.

Sources: Linux Documentation/userspace-api/seccomp_filter.rst; include/uapi/linux/{seccomp,filter,audit}.h; system call
numbers from arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_RET_ALLOW = 0x7FFF0000
_RET_KILL_PROCESS = 0x80000000
_RET_ERRNO = 0x00050000
_EPERM, _ENOSYS = 1, 38
_CLONE_THREAD = 0x00010000
_LOAD, _EQUAL, _BITS_SET, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_AT_NUMBER, _AT_ARCH, _AT_FIRST_ARGUMENT = 0, 4, 16
_X32_BIT = 0x40000000

_NUMBERS: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
            "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "pwrite64": 18,
            "readv": 19, "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39,
            "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "exit": 60, "fcntl": 72, "ftruncate": 77,
            "getrusage": 98, "sigaltstack": 131, "prctl": 157, "gettid": 186, "futex": 202, "sched_getaffinity": 204,
            "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
            "set_robust_list": 273, "preadv": 295, "prlimit64": 302, "getcpu": 309, "getrandom": 318, "membarrier": 324,
            "rseq": 334, "clone": 56, "clone3": 435, "tgkill": 234,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "read": 63, "write": 64, "close": 57, "fstat": 80, "ppoll": 73, "lseek": 62, "mmap": 222, "mprotect": 226,
            "munmap": 215, "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "pread64": 67,
            "pwrite64": 68, "readv": 65, "writev": 66, "sched_yield": 124, "mremap": 216, "madvise": 233, "nanosleep": 101,
            "getpid": 172, "sendto": 206, "recvfrom": 207, "sendmsg": 211, "recvmsg": 212, "exit": 93, "fcntl": 25,
            "ftruncate": 46, "getrusage": 165, "sigaltstack": 132, "prctl": 167, "gettid": 178, "futex": 98,
            "sched_getaffinity": 123, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
            "exit_group": 94, "set_robust_list": 99, "preadv": 69, "prlimit64": 261, "getcpu": 168, "getrandom": 278,
            "membarrier": 283, "rseq": 293, "clone": 220, "clone3": 435, "tgkill": 131,
        },
    ),
}  # fmt: skip


def limit_resources(memory: int) -> None:
    """Cap this process's address space at `memory` bytes; no core dumps, no more open files than it needs."""
    for kind, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        _, hard = resource.getrlimit(kind)
        capped = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (capped, capped))
        except (ValueError, OSError):
            continue


def allow_cpu(seconds: float) -> None:
    """Let this process use `seconds` more of CPU time; the kernel ends it after that."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def forbid_everything_else() -> str:
    """Install the system call filter, for good. Returns "seccomp", or the reason why there is none."""
    if sys.platform != "linux":
        return f"no seccomp on {sys.platform}"
    known = _NUMBERS.get(platform.machine())
    if known is None or sys.byteorder != "little":
        return f"no seccomp table for {platform.machine()}"
    program = _program(*known, pid=os.getpid())
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    filter_ = ctypes.create_string_buffer(header, len(header))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return f"seccomp refused: {os.strerror(ctypes.get_errno())}"
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_void_p(ctypes.addressof(filter_)), 0, 0) != 0:
        return f"seccomp refused: {os.strerror(ctypes.get_errno())}"
    return "seccomp"


def _program(arch: int, numbers: dict[str, int], pid: int) -> bytes:
    """The filter as BPF: other architectures die, the listed calls pass, three are looked at closer, the rest is EPERM.

    ``clone`` passes for threads only, ``clone3`` answers ENOSYS so that libc falls back to ``clone`` (its flags lie in
    memory that a filter cannot read), and ``tgkill`` passes for this very process only (abort needs it).
    """
    plain = [number for name, number in numbers.items() if name not in ("clone", "clone3", "tgkill")]
    code = [_step(_LOAD, 0, 0, _AT_ARCH), _step(_EQUAL, 1, 0, arch), _step(_RETURN, 0, 0, _RET_KILL_PROCESS)]
    code += [
        _step(_LOAD, 0, 0, _AT_NUMBER),
        _step(_AT_LEAST, 0, 1, _X32_BIT),
        _step(_RETURN, 0, 0, _RET_ERRNO | _ENOSYS),
    ]
    for number in plain:
        code += [_step(_EQUAL, 0, 1, number), _step(_RETURN, 0, 0, _RET_ALLOW)]
    code += [_step(_EQUAL, 0, 1, numbers["clone3"]), _step(_RETURN, 0, 0, _RET_ERRNO | _ENOSYS)]
    for name, test in (("clone", _step(_BITS_SET, 0, 1, _CLONE_THREAD)), ("tgkill", _step(_EQUAL, 0, 1, pid))):
        code += [_step(_EQUAL, 0, 3, numbers[name]), _step(_LOAD, 0, 0, _AT_FIRST_ARGUMENT), test]
        code += [_step(_RETURN, 0, 0, _RET_ALLOW)]
    code.append(_step(_RETURN, 0, 0, _RET_ERRNO | _EPERM))
    return b"".join(code)


def _step(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
