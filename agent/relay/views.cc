#include "relay/views.h"

#include <algorithm>

namespace tribecast::relay {

Bytes View::part(std::size_t number) const {
  const Bytes rest = Bytes(bytes).subspan(number * kViewPartBytes);
  return rest.first(std::min(rest.size(), kViewPartBytes));
}

std::ptrdiff_t ViewCollection::add(Instant now, const ViewPart& part) {
  heard_ = true;
  // An older view, or one of the same name with another number of parts, is of no use.
  const bool older = part.parts == 0 || part.made < made_;
  const bool same_one = part.made == made_ && !parts_.empty();
  if (older || (same_one && part.parts != parts_.size())) return 0;
  const auto before = static_cast<std::ptrdiff_t>(size_);
  if (!same_one) {
    made_ = part.made;
    parts_.assign(part.parts, {});
    size_ = 0;
    missing_.reset();
    for (std::size_t i = 0; i < part.parts; ++i) missing_.set(i);
  }
  if (missing_[part.part]) {
    missing_.reset(part.part);
    parts_[part.part] = part.bytes;
    size_ += part.bytes.size();
    made_here_ = now - milliseconds(part.age_ms);
  }
  return static_cast<std::ptrdiff_t>(size_) - before;
}

ViewAnswer ViewCollection::answer() const {
  if (!heard_) return ViewAnswer::none;
  return missing_.none() ? ViewAnswer::whole : ViewAnswer::unfinished;
}

Buffer ViewCollection::bytes() const {
  Buffer all;
  all.reserve(size_);
  for (const Buffer& part : parts_) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace tribecast::relay
