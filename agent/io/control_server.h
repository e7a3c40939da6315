// The control socket: a unix stream socket on which each line is a request and gets one answer.
//
// Requests of one client are handled one after the other. Limits: a line of 4096 bytes; 64 clients
// (a further one waits in the listen queue until another leaves); 10 s for a client to complete its
// next line and 10 s to take an answer; who exceeds one is cut off. A client that hung up while its
// answer was being made is forgotten.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "io/error.h"
#include "io/loop.h"

namespace tribecast::io {

// Who asks, told by the kernel (SO_PEERCRED).
struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
};

struct ControlOptions {
  std::string path;
  std::optional<uid_t> owner;  // unset = the process's own
  std::optional<gid_t> group;
};

struct ControlCounters {
  std::uint64_t accepted = 0;
  std::uint64_t requests = 0;
  std::uint64_t cut_too_long = 0;
  std::uint64_t cut_idle = 0;
  std::uint64_t cut_slow_reader = 0;
  std::size_t clients = 0;  // now
};

class ControlServer {
 public:
  // Sends `answer`, as it is, to the one who asked. At once or later, once; later calls, or calls
  // after the client or the server is gone, do nothing. A reply that is destroyed without having
  // been called closes the connection.
  using Reply = std::function<void(std::string answer)>;
  // `line` has no line end ("\n" or "\r\n").
  using Handler = std::function<void(std::string line, const Caller& caller, Reply reply)>;

  static constexpr std::size_t kMaxLine = 4096;
  static constexpr std::size_t kMaxClients = 64;
  static constexpr Duration kPatience = seconds(10);

  // Listens with mode 0660. A stale socket file is replaced; one on which somebody answers, or may
  // answer without this user being let in, is an error that says so.
  static OsResult<std::unique_ptr<ControlServer>> open(Loop& loop, const ControlOptions& options,
                                                       Handler handler);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  // Closes all connections and removes the socket file if it may and it is still ours.
  ~ControlServer();

  // Why the file was not given to the owner and group that were wanted, for want of CAP_CHOWN: it
  // then has mode 0600, and only this process's user can use it. Empty: it was.
  [[nodiscard]] const std::optional<OsError>& not_given() const;
  [[nodiscard]] ControlCounters counters() const;

 private:
  struct State;

  explicit ControlServer(std::shared_ptr<State> state);

  // Owned by this object and by the coroutines of its connections.
  std::shared_ptr<State> state_;
};

}  // namespace tribecast::io
