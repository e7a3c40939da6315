// Takes the values of a payload out of its graph, each as a stream of its own, as long as they are
// not absurdly larger than the payload.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/java/read.h"
#include "engine/java/write.h"
#include "engine/session/value.h"

namespace tribecast::session {

class ValueReader {
 public:
  ValueReader(const java::Graph& graph, std::size_t payload_bytes)
      : graph_(graph), parts_(graph), left_(payload_bytes * kMaxExpansion + kFreeExpansionBytes) {}

  // The next value; nullopt for a broken one and where `in` failed.
  std::optional<Value> take(java::ContentReader& in) {
    const java::Item item = in.object();
    if (!in.ok() || graph_.is_broken(item) || left_ == 0) return std::nullopt;
    Value value = parts_.write(item);
    left_ -= std::min(left_, value.size());
    return value;
  }

  [[nodiscard]] bool too_large() const { return left_ == 0; }

 private:
  const java::Graph& graph_;
  java::Parts parts_;
  std::size_t left_;
};

}  // namespace tribecast::session
