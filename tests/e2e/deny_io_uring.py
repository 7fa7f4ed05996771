"""Runs a command with io_uring forbidden, as containers often do:  deny_io_uring.py [--as ENOSYS] COMMAND ARGUMENT...

A seccomp filter answers EPERM, or what --as names, to io_uring_setup, io_uring_enter and io_uring_register (425 to 427
on every architecture); everything else is allowed. The filter needs no privilege and stays over exec.
"""

import ctypes
import errno
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
SECCOMP_RET_ALLOW = 0x7FFF0000
SECCOMP_RET_ERRNO = 0x00050000
BPF_LD_W_ABS = 0x20
BPF_JMP_JGE_K = 0x35
BPF_JMP_JGT_K = 0x25
BPF_RET_K = 0x06
FIRST_CALL, LAST_CALL = 425, 427


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def main():
    arguments = sys.argv[1:]
    number = errno.EPERM
    if arguments[0] == "--as":
        number = getattr(errno, arguments[1])
        arguments = arguments[2:]
    instructions = [
        (BPF_LD_W_ABS, 0, 0, 0),  # the number of the system call
        (BPF_JMP_JGE_K, 0, 2, FIRST_CALL),
        (BPF_JMP_JGT_K, 1, 0, LAST_CALL),
        (BPF_RET_K, 0, 0, SECCOMP_RET_ERRNO | number),
        (BPF_RET_K, 0, 0, SECCOMP_RET_ALLOW),
    ]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    program = Program(len(instructions), code)
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) != 0:
        sys.exit(f"PR_SET_NO_NEW_PRIVS: {os.strerror(ctypes.get_errno())}")
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(program), zero, zero) != 0:
        sys.exit(f"PR_SET_SECCOMP: {os.strerror(ctypes.get_errno())}")
    os.execvp(arguments[0], arguments)


if __name__ == "__main__":
    main()
