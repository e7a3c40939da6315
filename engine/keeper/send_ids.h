// The parts of a keeper that send. Each has ids of its own, so that the outcome of a send finds its
// way back.
#pragma once

#include <cstdint>

#include "engine/channel/application.h"

namespace tribecast::keeper {

enum class Sender : std::uint8_t { answers, fetches, pushes, maps, digests, verify, copies };

constexpr unsigned kSenderShift = 60;

// It counts from the next one.
constexpr channel::SendId first_id_of(Sender sender) {
  return static_cast<channel::SendId>(sender) << kSenderShift;
}

constexpr Sender sender_of(channel::SendId id) { return static_cast<Sender>(id >> kSenderShift); }

}  // namespace tribecast::keeper
