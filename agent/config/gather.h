// Scanned text to the sections of one program, by its table of settings.
#pragma once

#include <vector>

#include "config/scan.h"
#include "config/settings.h"

namespace tribecast::config {

// The sections of all sources, in order; those of a type without names are one, wherever they
// stand. An unknown type is a finding and left out; a name that is missing, odd, or there twice is
// a finding.
std::vector<Section> gather(const Table& table, const std::vector<Source>& sources,
                            Diagnostics& findings);

// Errors first, each kind by file in the order read, and by line; beyond a hundred they are
// counted.
void put_in_order(Diagnostics& findings, const std::vector<Source>& sources);

}  // namespace tribecast::config
