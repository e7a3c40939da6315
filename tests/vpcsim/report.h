// What a Model has counted, as one line of JSON.
#pragma once

#include <string>

#include "vpcsim/model.h"

namespace tribecast::vpcsim {

// `delayed`: how many packets are under way now.
std::string counters_json(const Model& model, std::size_t delayed);

}  // namespace tribecast::vpcsim
