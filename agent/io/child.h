// A program that is run for what it prints. It gets nothing of this process: no environment but a
// fixed PATH, no descriptor but its three, no capability, a process group of its own, `/` as its
// directory. When it ends, takes too long or prints too much, its whole group is killed.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/loop.h"

namespace tribecast::io {

inline constexpr const char* kChildPath = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

class Child {
 public:
  // What it printed, when its exit status was 0; else why not, with what it complained about.
  using Answer = std::function<void(const Result<std::string, std::string>&)>;

  struct Command {
    std::vector<std::string> words;  // the first is an absolute path
    Duration timeout{};
    std::size_t max_output = 0;  // bytes; printing more is a failure
  };

  // Starts it. `answer` is called once, from the loop; the child must not be destroyed in it.
  Child(Loop& loop, const Command& command, Answer answer);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  // Kills the group if it still runs; does not wait for its end.
  ~Child();

 private:
  struct State;
  // Owned by this object and by the waits that are pending in the loop.
  std::shared_ptr<State> state_;
};

}  // namespace tribecast::io
