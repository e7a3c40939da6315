// Text for a whole terminal screen: sections below each other, each as tall as there is room for.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "control/human.h"

namespace tribecast::control {

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// Paints from the upper left corner over what was there, and wipes the rest: nothing scrolls. Lines
// and sections that are too long are cut, a cut section says how much is missing, and on a
// small screen the last sections are left out. The sections'
// lines may hold colours.
std::string screen_text(const std::vector<std::string>& sections, const ScreenSize& size);

}  // namespace tribecast::control
