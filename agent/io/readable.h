// Waits for a descriptor: calls back in every turn of the loop in which it is ready (level
// triggered), until stop() or destruction. The callback does a bounded amount of work.
#pragma once

#include <functional>
#include <memory>

#include "io/loop.h"

namespace tribecast::io {

class Readable {
 public:
  enum class Direction { read, write };

  // `fd` is borrowed and must stay open until stop() or destruction.
  Readable(Loop& loop, int fd, std::function<void()> on_ready,
           Direction direction = Direction::read);
  Readable(const Readable&) = delete;
  Readable& operator=(const Readable&) = delete;
  ~Readable();

  // The loop lets go of the descriptor; no callback comes after this.
  void stop();

 private:
  struct State;
  // Owned by this object and by the wait that is pending in the loop.
  std::shared_ptr<State> state_;
};

}  // namespace tribecast::io
