#include "host/syscall_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tribecast::host {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

// x86-64 programs may also call by the numbers of the x32 interface, which have this bit.
constexpr std::uint32_t kX32 = 0x40000000;

// What the running agent was seen to do, then what other C libraries and kernels do for the same.
// The most frequent come first: old kernels read the list from the top.
constexpr auto kNeeded = std::to_array<int>({
#ifdef __x86_64__  // where newer machines have only the calls below
    SYS_epoll_wait, SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_unlink, SYS_rename,
    SYS_mkdir, SYS_rmdir, SYS_chmod, SYS_pipe, SYS_dup2, SYS_poll, SYS_select, SYS_getdents,
    SYS_eventfd, SYS_epoll_create, SYS_inotify_init, SYS_time,
#endif
    SYS_epoll_pwait, SYS_recvmmsg, SYS_sendmmsg, SYS_getrandom, SYS_epoll_ctl, SYS_recvmsg,
    SYS_sendmsg, SYS_read, SYS_write, SYS_timerfd_settime, SYS_getsockopt, SYS_setsockopt,
    SYS_recvfrom, SYS_sendto, SYS_clock_gettime, SYS_gettimeofday,
    // files
    SYS_openat, SYS_close, SYS_lseek, SYS_newfstatat, SYS_fstat, SYS_statx, SYS_statfs, SYS_fstatfs,
    SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_unlinkat, SYS_renameat, SYS_renameat2,
    SYS_mkdirat, SYS_fchmod, SYS_fchmodat, SYS_umask, SYS_getcwd, SYS_getdents64, SYS_readv,
    SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_ftruncate, SYS_fallocate,
    SYS_fsync, SYS_fdatasync, SYS_flock, SYS_fcntl, SYS_ioctl, SYS_dup, SYS_dup3, SYS_pipe2,
    SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch,
    // sockets
    SYS_socket, SYS_socketpair, SYS_bind, SYS_connect, SYS_listen, SYS_accept, SYS_accept4,
    SYS_shutdown, SYS_getsockname, SYS_getpeername,
    // waiting
    SYS_epoll_create1, SYS_epoll_pwait2, SYS_eventfd2, SYS_timerfd_create, SYS_timerfd_gettime,
    SYS_ppoll, SYS_pselect6, SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_getres,
    SYS_restart_syscall, SYS_futex, SYS_sched_yield,
    // memory
    SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise,
    // itself
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_tgkill, SYS_getpid,
    SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getrusage,
    SYS_getrlimit, SYS_prlimit64, SYS_sched_getaffinity, SYS_getcpu, SYS_sysinfo, SYS_uname,
    SYS_prctl, SYS_set_robust_list, SYS_rseq, SYS_membarrier, SYS_exit, SYS_exit_group});

// These may make no page executable.
constexpr auto kMapping = std::to_array<int>({SYS_mmap, SYS_mprotect});

// What neither the agent nor a program that lists peers has any business with.
constexpr auto kNeverNeeded = std::to_array<int>({
#ifdef __x86_64__
    SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS_create_module, SYS__sysctl,
#endif
    // other processes
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_getfd,
    SYS_perf_event_open, SYS_move_pages, SYS_migrate_pages,
    // the kernel
    SYS_bpf, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot,
    SYS_syslog, SYS_acct, SYS_quotactl, SYS_swapon, SYS_swapoff, SYS_userfaultfd,
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_lookup_dcookie,
    // the machine's name and time
    SYS_sethostname, SYS_setdomainname, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime,
    SYS_adjtimex,
    // name spaces and mounts
    SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree,
    SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr,
    SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_fanotify_init,
    // keys
    SYS_add_key, SYS_request_key, SYS_keyctl});

// A filter program, line by line.
class Filter {
 public:
  explicit Filter(std::uint32_t when_forbidden) : forbidden_(when_forbidden) {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
    end(forbidden_);
    load(offsetof(seccomp_data, nr));
    if (kArchitecture == AUDIT_ARCH_X86_64) when(BPF_JGE, kX32, forbidden_);
  }

  void allow(int call) { when(BPF_JEQ, static_cast<std::uint32_t>(call), SECCOMP_RET_ALLOW); }
  void forbid(int call) { when(BPF_JEQ, static_cast<std::uint32_t>(call), forbidden_); }

  // Unless its third argument asks for executable pages.
  void allow_data(int call) {
    constexpr std::uint32_t kThirdArgument =
        offsetof(seccomp_data, args[2]) + (std::endian::native == std::endian::little ? 0 : 4);
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 4);
    load(kThirdArgument);
    when(BPF_JSET, PROT_EXEC, forbidden_);
    end(SECCOMP_RET_ALLOW);
  }

  void otherwise_allow() { end(SECCOMP_RET_ALLOW); }
  void otherwise_forbid() { end(forbidden_); }

  [[nodiscard]] std::span<sock_filter> lines() { return lines_; }

 private:
  void add(int code, std::uint32_t value, std::uint8_t then_skip, std::uint8_t else_skip) {
    lines_.push_back({static_cast<std::uint16_t>(code), then_skip, else_skip, value});
  }
  void load(std::size_t offset) {
    add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset), 0, 0);
  }
  void end(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict, 0, 0); }
  void when(int test, std::uint32_t value, std::uint32_t verdict) {
    add(BPF_JMP | test | BPF_K, value, 0, 1);
    end(verdict);
  }

  std::uint32_t forbidden_;
  std::vector<sock_filter> lines_;
};

Filter filter_for(std::uint32_t when_forbidden, bool starts_programs) {
  Filter filter(when_forbidden);
  if (starts_programs) {
    for (const int call : kNeverNeeded) filter.forbid(call);
    filter.otherwise_allow();
    return filter;
  }
  for (const int call : kNeeded) filter.allow(call);
  for (const int call : kMapping) filter.allow_data(call);
  filter.otherwise_forbid();
  return filter;
}

// --- the refusal: a signal instead of the call ---------------------------------------------------

volatile std::sig_atomic_t complaints_left = 20;

void complain(int call) {
  if (complaints_left == 0) return;
  complaints_left = complaints_left - 1;
  std::array<char, 128> text{};
  constexpr std::string_view kBegin = "warning forbidden_call: refused system call number ";
  constexpr std::string_view kEnd = ": please report it; tribecastd --forbidden-calls allow\n";
  char* end = std::ranges::copy(kBegin, text.data()).out;
  end = std::to_chars(end, text.data() + text.size(), call).ptr;
  end = std::ranges::copy(kEnd, end).out;
  static_cast<void>(write(STDERR_FILENO, text.data(), static_cast<std::size_t>(end - text.data())) >
                    0);
}

// The call did not happen; what it returns is what is in its register then.
void on_forbidden_call(int, siginfo_t* info, void* context) {
  const int error = errno;
  complain(info->si_syscall);
  auto* interrupted = static_cast<ucontext_t*>(context);
#if defined(__x86_64__)
  interrupted->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
  interrupted->uc_mcontext.regs[0] = static_cast<unsigned long long>(-EPERM);
#else
  static_cast<void>(interrupted);
#endif
  errno = error;
}

bool handle_refusals() {
  struct sigaction action {};
  action.sa_sigaction = &on_forbidden_call;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  return sigaction(SIGSYS, &action, nullptr) == 0;
}

}  // namespace

std::optional<OnForbidden> to_on_forbidden(const std::string& word) {
  if (word == "refuse") return OnForbidden::refuse;
  if (word == "kill") return OnForbidden::kill;
  if (word == "allow") return OnForbidden::allow;
  return std::nullopt;
}

io::OsResult<bool> filter_syscalls(OnForbidden on_forbidden, bool starts_programs) {
  if (kSanitized || kArchitecture == 0 || on_forbidden == OnForbidden::allow) return false;
  const bool kills = on_forbidden == OnForbidden::kill;
  Filter filter = filter_for(kills ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_TRAP, starts_programs);
  const std::span<sock_filter> lines = filter.lines();
  const sock_fprog program{static_cast<unsigned short>(lines.size()), lines.data()};
  if ((!kills && !handle_refusals()) ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
    return Unexpected{io::OsError{errno, "system call filter", "the kernel takes none"}};
  }
  return true;
}

}  // namespace tribecast::host
