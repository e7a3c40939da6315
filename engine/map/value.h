// One value of a replicated map, as its owner wrote it: a Java stream that nobody here looks into,
// unless it is a session (DeltaSession) to which diffs (DeltaRequest) come. Diffs are kept as they
// are and applied when the value is asked for, or when they have grown larger than it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace tribecast::map {

class Value {
 public:
  // The whole value. It replaces all that was known.
  bool set(Bytes stream) { return take(stream, false); }
  // It is asked for now: what came before will be in the answer.
  void start_fill();
  // The whole value as it was fetched: diffs that came since start_fill are applied to it. They set
  // and remove by name, so one that it has already does no harm.
  bool fill(Bytes stream) { return take(stream, true); }
  // A change, at that time by this host's clock. It may come before the value. False, and nothing
  // is kept, when it is none.
  bool add(Bytes diff, std::int64_t wall_ms);
  // What is here is no longer its owner's value.
  void spoil() { *this = {}; }
  // Its owner used it.
  void touch(std::int64_t wall_ms) { accessed_ms_ = wall_ms; }

  // Has the whole value come?
  [[nodiscard]] bool known() const { return !stream_.empty(); }
  // The value now, to be sent; of a value that is not known nothing. Without diffs, and not used
  // since, the very bytes that came.
  [[nodiscard]] Buffer bytes() const;
  // Of a session; 0 and less: never, as for all else.
  [[nodiscard]] std::int32_t max_inactive_s() const { return max_inactive_s_; }
  // Such as it is; what save() wrote, at another time (nullopt when it is nothing of that kind).
  void save(ByteWriter& out) const;
  static std::optional<Value> load(ByteReader& in);
  // What it occupies beside itself.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  bool take(Bytes stream, bool keep_diffs);
  void fold();

  Buffer stream_;
  std::vector<Buffer> diffs_;
  std::size_t diff_bytes_ = 0;
  std::int64_t accessed_ms_ = 0;  // 0: not since the value came
  std::int32_t max_inactive_s_ = 0;
};

}  // namespace tribecast::map
