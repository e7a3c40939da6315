#!/usr/bin/env python3
"""Runs a command that cannot have sock_diag: without_sock_diag.py COMMAND...

A system call filter (seccomp), as container runtimes have it, refuses socket(AF_NETLINK, ..., NETLINK_SOCK_DIAG) with EPERM for it
and all that it starts; everything else is as ever.
"""
import ctypes
import errno
import os
import platform
import socket
import struct
import sys

NETLINK_SOCK_DIAG = 4
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7fff0000, 0x00050000
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
CALL, FIRST_ARGUMENT, THIRD_ARGUMENT = 0, 16, 32  # in struct seccomp_data, the lower halves of its words
SYS_SOCKET = {"x86_64": 41, "aarch64": 198}


def filter_program():
    tests = ((CALL, SYS_SOCKET[platform.machine()]), (FIRST_ARGUMENT, socket.AF_NETLINK), (THIRD_ARGUMENT, NETLINK_SOCK_DIAG))
    lines = []
    for number, (offset, value) in enumerate(tests):
        lines += [(LOAD, 0, 0, offset), (IF_EQUAL, 0, 2 * (len(tests) - number - 1) + 1, value)]
    lines += [(RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.EPERM), (RETURN, 0, 0, SECCOMP_RET_ALLOW)]
    return len(lines), b"".join(struct.pack("=HBBI", *line) for line in lines)


def main():
    count, program = filter_program()
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = ctypes.create_string_buffer(struct.pack("@HP", count, ctypes.addressof(buffer)))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(fprog), 0, 0) != 0:
        sys.exit(f"no system call filter: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])


main()
